//! The files of texts, one for each part of the conversation; both languages have the same files.

use super::Language;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Every file of a language: its name and its text.
        pub(super) fn of(language: Language) -> &'static [(&'static str, &'static str)] {
            match language {
                Language::En => &[$(($name, include_str!(concat!("../../texts/en/", $name, ".ftl")))),*],
                Language::Zh => &[$(($name, include_str!(concat!("../../texts/zh/", $name, ".ftl")))),*],
            }
        }
    };
}

files!(
    "units",
    "menu",
    "wizard",
    "tasks",
    "accounts",
    "adding",
    "login",
    "statistics",
    "settings",
    "progress",
    "preview",
    "alerts",
    "leaving",
    "errors"
);
