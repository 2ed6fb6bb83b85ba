//! What Ferry says to people, in their language: texts live in `texts/<language>/*.ftl` (Fluent), never in code.
//!
//! Arguments are escaped for Telegram's HTML unless they are marked as markup ([`Value::Html`]). What must stay true, and is
//! tested: both languages have the same texts with the same arguments, and no text of either is broken.

mod resources;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A language that Ferry speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

/// How to speak to somebody.
#[derive(Debug, Clone)]
pub struct Locale {
    /// In which language.
    pub language: Language,
    /// In which zone times are told.
    pub zone: TimeZone,
}

/// What a text's variable stands for.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// What somebody wrote, or any other text: escaped.
    Text(Cow<'a, str>),
    /// Markup of our own making.
    Html(Cow<'a, str>),
    /// A number, for choosing between singular and plural; write large ones with [`grouped`].
    Number(u64),
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The language for Telegram's language tag: Chinese for `zh…`, English for all others.
    pub fn of_tag(tag: &str) -> Self {
        if tag.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("zh")) { Self::Zh } else { Self::En }
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The text names no language that Ferry speaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no language of Ferry's: choose en or zh")]
pub struct UnknownLanguage(String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.tag() == text).ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(u64::from(number))
    }
}

impl Locale {
    /// The text of this name with these variables. A text that is missing shows its name: a test sees to it that none is.
    pub fn say(&self, name: &str, arguments: &[(&str, Value<'_>)]) -> String {
        say(self.language, name, arguments)
    }

    /// Date and time to the minute, in the reader's zone.
    pub fn time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// Hours, minutes and seconds, in the reader's zone.
    pub fn clock_time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// When this day ends in the reader's zone.
    pub fn midnight_after(&self, day: Date) -> Timestamp {
        let next = day.tomorrow().and_then(|next| next.to_zoned(self.zone.clone()));
        next.map_or(Timestamp::MAX, |next| next.timestamp())
    }

    /// The day, in the reader's zone.
    pub fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d").to_string()
    }

    /// How long something takes, in its two largest units.
    pub fn duration(&self, secs: u64) -> String {
        let units = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
        let largest = units.iter().position(|(_, len)| secs >= *len).unwrap_or(units.len() - 1);
        let mut left = secs;
        let mut parts = Vec::new();
        for (unit, len) in units.iter().skip(largest).take(2) {
            let count = left / len;
            left %= len;
            if count > 0 || parts.is_empty() {
                parts.push(self.say(&format!("duration-{unit}"), &[("count", count.into())]));
            }
        }
        parts.join(" ")
    }
}

/// The text of this name in this language; see [`Locale::say`].
pub fn say(language: Language, name: &str, arguments: &[(&str, Value<'_>)]) -> String {
    let bundle = bundle(language);
    let Some(pattern) = bundle.get_message(name).and_then(|message| message.value()) else {
        tracing::error!(name, %language, "a text is missing");
        return escaped(name);
    };
    let mut values = FluentArgs::new();
    for (key, value) in arguments {
        match value {
            Value::Text(text) => values.set(*key, FluentValue::from(escaped(text))),
            Value::Html(html) => values.set(*key, FluentValue::from(html.as_ref())),
            Value::Number(number) => values.set(*key, FluentValue::from(*number)),
        }
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&values), &mut errors).into_owned();
    if !errors.is_empty() {
        tracing::error!(name, %language, ?errors, "a text lacks a variable");
    }
    text
}

/// Text that shows in Telegram's HTML as it was written.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with a comma between each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static EN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    static ZH: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    match language {
        Language::En => EN.get_or_init(|| read(language)),
        Language::Zh => ZH.get_or_init(|| read(language)),
    }
}

fn read(language: Language) -> FluentBundle<FluentResource> {
    let tag = language.tag().parse().expect("each language has a well-formed tag");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The marks that keep directions of writing apart show as boxes in some clients, and no text here is written right to left.
    bundle.set_use_isolating(false);
    for (file, source) in resources::of(language) {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, errors)| {
            tracing::error!(file, %language, ?errors, "a file of texts has a mistake");
            resource
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(file, %language, ?errors, "a text stands in two files");
        }
    }
    bundle
}

#[cfg(test)]
mod tests;
