//! What admins are told unasked: how a transfer is getting on, what happened to it, what an inquiry found, and alarms.
//!
//! Pure: facts and a [`crate::text::Locale`] in, a [`crate::bot::Screen`] out. When something is told, and where, is the
//! session host's business. What must stay true: whatever the facts are, a screen fits into one message, so everything that
//! people wrote is cut to a length before it is escaped, and lists are cut to a number.

pub mod alert;
pub mod departure;
pub mod happening;
pub mod preview;
pub mod progress;
#[cfg(test)]
mod tests;

use crate::bot::Button;
use crate::dialogue::press::Press;
use crate::ids::AccountId;
use crate::text::{Locale, Value};

/// Characters of a title, at most.
const TITLE_LEN_MAX: usize = 80;
/// Characters of a reason, at most.
const REASON_LEN_MAX: usize = 400;
/// Characters of a label or another name, at most.
const NAME_LEN_MAX: usize = 40;

/// What accounts are called: their labels.
pub type Names<'a> = &'a dyn Fn(&AccountId) -> String;

/// The first characters of a text, with a mark where something was cut off. Whitespace becomes one blank, so that nobody
/// else's line breaks end up in a screen.
pub fn shortened(text: &str, most: usize) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > most.saturating_mul(8) {
            break;
        }
    }
    if words.chars().count() <= most {
        return words;
    }
    words.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn name(names: Names<'_>, account: &AccountId) -> String {
    shortened(&names(account), NAME_LEN_MAX)
}

fn button(locale: &Locale, text: &str, press: &Press) -> Button {
    Button { text: locale.say(text, &[]), data: press.to_string() }
}

/// A line of its own, or nothing.
fn line(html: &mut String, text: &str) {
    if !html.is_empty() {
        html.push('\n');
    }
    html.push_str(text);
}

fn text<'a>(text: &str, most: usize) -> Value<'a> {
    Value::from(shortened(text, most))
}
