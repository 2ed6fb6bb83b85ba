//! Language and zone.

use jiff::Timestamp;

use crate::bot::{Button, Screen};
use crate::dialogue::press::Press;
use crate::text::{Language, Locale, Value};

use super::{Sheet, short};

/// Characters of a zone's name.
const ZONE_LEN_SHOWN: usize = 60;

/// The settings as they count for this reader now.
pub fn settings(locale: &Locale, now: Timestamp) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("settings-title", &[]);
    sheet.gap();
    sheet.say("settings-language", &[("language", language_name(locale.language, locale).into())]);
    let zone = match locale.zone.iana_name() {
        Some(name) => short(name, ZONE_LEN_SHOWN),
        None => locale.zone.to_offset(now).to_string(),
    };
    sheet.say("settings-zone", &[("zone", zone.into()), ("time", Value::from(locale.time(now)))]);
    sheet.gap();
    sheet.say("settings-hint", &[]);
    let speak = |language: Language| {
        let name = language_name(language, locale);
        let text = if language == locale.language { format!("✅ {name}") } else { name };
        Button { text, data: Press::Speak(language).to_string() }
    };
    sheet.buttons.push(Language::ALL.map(speak).to_vec());
    sheet.row([("settings-button-zone", Press::AskZone)]);
    sheet.row([("settings-button-panic", Press::AskPanic)]);
    sheet.row([("button-menu", Press::Menu)]);
    sheet.finish()
}

/// The question whether every account is really to be signed out: asked twice.
pub fn panic_question(again: bool, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say(if again { "panic-question-again" } else { "panic-question" }, &[]);
    if again {
        // The way out stands where the first question had the way on: a double press does nothing.
        sheet.row([("panic-no", Press::Settings)]);
        sheet.row([("panic-yes-again", Press::Panic)]);
    } else {
        sheet.row([("panic-yes", Press::AskPanicAgain)]);
        sheet.row([("panic-no", Press::Settings)]);
    }
    sheet.finish()
}

/// That every account is being signed out.
pub fn panicking(hosts_alive: bool, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("panic-begun", &[]);
    if !hosts_alive {
        sheet.gap();
        sheet.say("panic-begun-no-host", &[]);
    }
    sheet.row([("pool-button-list", Press::Accounts(0)), ("button-menu", Press::Menu)]);
    sheet.finish()
}

fn language_name(language: Language, locale: &Locale) -> String {
    locale.say(&format!("settings-language-{language}"), &[])
}
