//! What stands in the table, as screens: pure renderers from data, language and time to a [`Screen`].
//!
//! Everything that people wrote is shortened and escaped here. What must stay true: every screen fits into one message
//! ([`TEXT_LEN_MAX`]) whatever the data. A `Sheet` sees to that by construction: it takes no line that does not fit, and
//! says how many it left out.

pub mod account;
pub mod event;
pub mod login;
pub mod pool;
pub mod reason;
pub mod settings;
pub mod skipped;
pub mod statistics;
pub mod task;
pub mod tasks;

use crate::bot::{Button, Screen, TEXT_LEN_MAX};
use crate::dialogue::press::Press;
use crate::text::{Locale, Value};

/// Characters of a title in lists and headings.
const TITLE_LEN_SHOWN: usize = 60;
/// Characters of a label.
const LABEL_LEN_SHOWN: usize = 40;
/// Room that a list leaves for saying how many lines did not fit.
const MORE_LEN: usize = 60;

/// A screen in the making. Its first lines are what must be seen; what does not fit any more is left out.
struct Sheet<'a> {
    locale: &'a Locale,
    html: String,
    len: usize,
    buttons: Vec<Vec<Button>>,
}

impl<'a> Sheet<'a> {
    fn new(locale: &'a Locale) -> Self {
        Self { locale, html: String::new(), len: 0, buttons: Vec::new() }
    }

    /// Adds a line of markup, if it fits.
    fn line(&mut self, html: &str) {
        self.line_within(html, TEXT_LEN_MAX);
    }

    /// Adds a text, if it fits.
    fn say(&mut self, name: &str, arguments: &[(&str, Value<'_>)]) {
        let text = self.locale.say(name, arguments);
        self.line(&text);
    }

    /// An empty line between two parts.
    fn gap(&mut self) {
        self.line("");
    }

    /// Adds lines as long as they fit, and says how many did not.
    fn list(&mut self, lines: &[String]) {
        for (at, line) in lines.iter().enumerate() {
            let is_last = at + 1 == lines.len();
            let limit = if is_last { TEXT_LEN_MAX } else { TEXT_LEN_MAX - MORE_LEN };
            if !self.line_within(line, limit) {
                let left_out = u64::try_from(lines.len() - at).unwrap_or(u64::MAX);
                self.say("tasks-more-lines", &[("count", left_out.into())]);
                return;
            }
        }
    }

    fn line_within(&mut self, html: &str, limit: usize) -> bool {
        let len = self.len + visible_len(html) + 1;
        let fits = len <= limit;
        if fits {
            if !self.html.is_empty() {
                self.html.push('\n');
            }
            self.html.push_str(html);
            self.len = len;
        }
        fits
    }

    /// Adds a row of buttons: the names of their texts, and what they mean.
    fn row<const N: usize>(&mut self, buttons: [(&str, Press); N]) {
        self.buttons.push(buttons.map(|(name, press)| self.button(name, &press)).to_vec());
    }

    fn button(&self, name: &str, press: &Press) -> Button {
        Button { text: plain(&self.locale.say(name, &[])), data: press.to_string() }
    }

    /// The way to other pages; nothing when there is one page only.
    fn pages(&mut self, page: &Page, to: impl Fn(u32) -> Press) {
        if page.count < 2 {
            return;
        }
        let mut row = Vec::new();
        if page.number > 0 {
            row.push(Button { text: "◀️".to_owned(), data: to(page.number - 1).to_string() });
        }
        let here = format!("{}/{}", page.number + 1, page.count);
        row.push(Button { text: here, data: Press::Nothing.to_string() });
        if page.number + 1 < page.count {
            row.push(Button { text: "▶️".to_owned(), data: to(page.number + 1).to_string() });
        }
        self.buttons.push(row);
    }

    fn finish(self) -> Screen {
        Screen { html: self.html, buttons: self.buttons }
    }
}

/// Which part of a list is shown. A page that does not exist (any more) is the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// From 0.
    number: u32,
    count: u32,
    first: usize,
}

impl Page {
    fn of(wanted: u32, len: usize, per_page: usize) -> Self {
        let count = u32::try_from(len.div_ceil(per_page)).unwrap_or(u32::MAX).max(1);
        let number = wanted.min(count - 1);
        Self { number, count, first: usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(per_page) }
    }
}

/// Characters that Telegram counts of this markup: UTF-16 units, tags and the long form of escaped characters left out.
pub fn visible_len(html: &str) -> usize {
    plain(html).encode_utf16().count()
}

/// The markup without its tags, and with its escaped characters as they show.
pub fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What somebody wrote, in one line of at most `len_max` characters, without what would turn the line around.
pub fn short(text: &str, len_max: usize) -> String {
    let is_visible = |c: &char| !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    let spaced: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(is_visible).collect();
    let words = spaced.split(' ').filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= len_max {
        return line;
    }
    let head: String = line.chars().take(len_max.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

fn title(text: &str) -> String {
    short(text, TITLE_LEN_SHOWN)
}

fn label(text: &str) -> String {
    short(text, LABEL_LEN_SHOWN)
}

#[cfg(test)]
mod tests;
