//! How it went with an account that the admin let go.

use jiff::Timestamp;

use super::{NAME_LEN_MAX, REASON_LEN_MAX, button, text};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::ids::TaskId;
use crate::text::Locale;

/// What whoever let an account go is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// It is gone.
    Gone {
        /// What it was called.
        label: String,
        /// How.
        how: How,
    },
    /// Something stands in the way; it is tried again.
    NotYet {
        /// What it is called.
        label: String,
        /// What.
        why: Hindrance,
    },
    /// The panic button has done its work.
    AllGone {
        /// Since when.
        at: Timestamp,
    },
}

/// How an account went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was signed out at Telegram, then erased.
    SignedOut,
    /// Telegram did not accept its session any more; it was erased.
    WasOver,
    /// There was nothing here to sign it out with; it was erased.
    NoSession,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// A chunk of this task is uncertain, and only this account can tell.
    Unsettled(TaskId),
    /// It has to wait until then before it may call.
    Waits(Timestamp),
    /// Telegram was not reached, or refused.
    Unreachable(String),
    /// A task or another host has it.
    Busy,
}

impl Departure {
    /// The message.
    pub fn screen(&self, locale: &Locale) -> Screen {
        let (html, press) = match self {
            Self::Gone { label, how } => {
                let how = match how {
                    How::SignedOut => "leaving-gone-signed-out",
                    How::WasOver => "leaving-gone-was-over",
                    How::NoSession => "leaving-gone-no-session",
                };
                let arguments = [("account", text(label, NAME_LEN_MAX)), ("how", locale.say(how, &[]).into())];
                (locale.say("leaving-gone", &arguments), Press::Accounts(0))
            }
            Self::NotYet { label, why } => {
                let (why, press) = match why {
                    Hindrance::Unsettled(task) => (locale.say("leaving-unsettled", &[]), Press::Task(task.clone())),
                    Hindrance::Waits(until) => {
                        let arguments = [("until", locale.time(*until).into())];
                        (locale.say("leaving-waits", &arguments), Press::Accounts(0))
                    }
                    Hindrance::Unreachable(why) => {
                        let arguments = [("reason", text(why, REASON_LEN_MAX))];
                        (locale.say("leaving-unreachable", &arguments), Press::Accounts(0))
                    }
                    Hindrance::Busy => (locale.say("leaving-busy", &[]), Press::Accounts(0)),
                };
                let arguments = [("account", text(label, NAME_LEN_MAX)), ("why", why.into())];
                (locale.say("leaving-not-yet", &arguments), press)
            }
            Self::AllGone { at } => {
                let arguments = [("at", locale.time(*at).into())];
                (locale.say("leaving-all-gone", &arguments), Press::Accounts(0))
            }
        };
        Screen { html, buttons: vec![vec![button(locale, "progress-press-look", &press)]] }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::text::Language;

    #[test]
    fn every_end_and_every_hindrance_is_told_in_both_languages_whatever_people_wrote() {
        let label = "<b>&".repeat(2_000);
        let at = Timestamp::UNIX_EPOCH;
        let gone = [How::SignedOut, How::WasOver, How::NoSession];
        let gone = gone.map(|how| Departure::Gone { label: label.clone(), how });
        let hindrances = [
            Hindrance::Unsettled("t".into()),
            Hindrance::Waits(at),
            Hindrance::Unreachable(label.clone()),
            Hindrance::Busy,
        ];
        let not_yet = hindrances.map(|why| Departure::NotYet { label: label.clone(), why });
        for language in [Language::En, Language::Zh] {
            let locale = Locale { language, zone: TimeZone::UTC };
            for departure in gone.iter().chain(&not_yet).chain(&[Departure::AllGone { at }]) {
                let html = departure.screen(&locale).html;
                assert!(!html.contains("leaving-") && !html.contains("<b><b>"), "{language}: {html}");
                assert!((10..4_096).contains(&html.chars().count()), "{language}: {html}");
            }
        }
    }
}
