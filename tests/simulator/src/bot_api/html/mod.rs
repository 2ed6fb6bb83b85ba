//! Telegram's HTML: to text and entities with Telegram's errors, and back for people to read.
//!
//! Texts of errors and the grammar are those of TDLib (`MessageEntity.cpp`). Left out: `tg-time`, and the difference
//! between a quotation and an expandable one.

use crate::world::UserId;
use crate::world::message::{Entity, EntityKind};
use std::fmt::Write;

const TAGS: [&str; 18] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
    "br",
    "tg-time",
];

/// A tag that is open.
struct Open {
    name: String,
    argument: String,
    /// UTF-16 units.
    offset: i32,
    /// Where its text starts in the result, in bytes.
    start: usize,
}

/// Reads HTML.
///
/// # Errors
/// The words that follow "can't parse entities: ".
pub fn parse(html: &str) -> Result<(String, Vec<Entity>), String> {
    Parser {
        bytes: html.as_bytes(),
        html,
        at: 0,
        text: String::new(),
        offset: 0,
        open: Vec::new(),
        entities: Vec::new(),
    }
    .run()
}

struct Parser<'h> {
    html: &'h str,
    bytes: &'h [u8],
    at: usize,
    text: String,
    /// UTF-16 units of `text`.
    offset: i32,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

impl Parser<'_> {
    fn run(mut self) -> Result<(String, Vec<Entity>), String> {
        while let Some(c) = self.html.get(self.at..).and_then(|rest| rest.chars().next()) {
            match c {
                '<' if self.bytes.get(self.at + 1) == Some(&b'/') => self.end_tag()?,
                '<' => self.start_tag()?,
                '&' => {
                    let (c, len) = reference(&self.html[self.at..]).unwrap_or(('&', 1));
                    self.at += len;
                    self.push(c);
                }
                c => {
                    self.at += c.len_utf8();
                    self.push(c);
                }
            }
        }
        if let Some(open) = self.open.last() {
            return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.name));
        }
        self.entities.sort_by_key(|entity| (entity.offset, -entity.length));
        Ok((self.text, self.entities))
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.offset = self.offset.saturating_add(if c.len_utf16() == 2 { 2 } else { 1 });
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_while(&mut self, holds: impl Fn(u8) -> bool) -> (usize, usize) {
        let from = self.at;
        while self.peek().is_some_and(&holds) {
            self.at += 1;
        }
        (from, self.at)
    }

    fn slice(&self, (from, to): (usize, usize)) -> String {
        String::from_utf8_lossy(&self.bytes[from..to]).to_ascii_lowercase()
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let name = self.skip_while(|c| !c.is_ascii_whitespace() && c != b'>');
        let name = self.slice(name);
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if !TAGS.contains(&name.as_str()) {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        }
        let mut argument = String::new();
        while self.peek().is_some_and(|c| c != b'>') {
            self.skip_while(|c| c.is_ascii_whitespace());
            if self.peek().is_none_or(|c| c == b'>') {
                break;
            }
            let (key, value) = self.attribute(&name, begin)?;
            let wanted = match name.as_str() {
                "a" => key == "href",
                "code" => key == "class" && value.starts_with("language-"),
                "span" => key == "class" && value.starts_with("tg-"),
                "tg-emoji" => key == "emoji-id",
                _ => false,
            };
            if wanted {
                argument = value.strip_prefix("language-").map_or(value.clone(), str::to_owned);
            }
        }
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if name == "span" && argument != "tg-spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.at += 1;
        let name = if name == "span" { "span".to_owned() } else { name };
        self.open.push(Open { name, argument, offset: self.offset, start: self.text.len() });
        Ok(())
    }

    fn attribute(&mut self, tag: &str, begin: usize) -> Result<(String, String), String> {
        let key = self.skip_while(|c| !c.is_ascii_whitespace() && c != b'=' && c != b'>');
        let key = self.slice(key);
        if key.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
        }
        self.skip_while(|c| c.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            return Ok((key, String::new()));
        }
        self.at += 1;
        self.skip_while(|c| c.is_ascii_whitespace());
        let Some(quote) = self.peek() else {
            return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}"));
        };
        if quote != b'"' && quote != b'\'' {
            let token = self.skip_while(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'-');
            if self.peek().is_none_or(|c| !c.is_ascii_whitespace() && c != b'>') {
                return Err(format!("Unexpected end of name token at byte offset {}", token.0));
            }
            return Ok((key, self.slice(token)));
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            let Some(c) = self.html.get(self.at..).and_then(|rest| rest.chars().next()) else {
                return Err(format!("Unclosed start tag at byte offset {begin}"));
            };
            if c == char::from(quote) {
                self.at += 1;
                return Ok((key, value));
            }
            let (c, len) = reference(&self.html[self.at..]).unwrap_or((c, c.len_utf8()));
            value.push(c);
            self.at += len;
        }
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        self.at += 2;
        let name = self.skip_while(|c| !c.is_ascii_whitespace() && c != b'>');
        let name = self.slice(name);
        self.skip_while(|c| c.is_ascii_whitespace());
        if self.peek() != Some(b'>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        if !name.is_empty() && name != open.name {
            let expected = open.name;
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{name}>\""
            ));
        }
        self.at += 1;
        let length = self.offset - open.offset;
        if length > 0 {
            self.close(open, length);
        }
        Ok(())
    }

    fn close(&mut self, open: Open, length: i32) {
        let offset = open.offset;
        let kind = match open.name.as_str() {
            "b" | "strong" => EntityKind::Bold,
            "i" | "em" => EntityKind::Italic,
            "s" | "strike" | "del" => EntityKind::Strike,
            "u" | "ins" => EntityKind::Underline,
            "tg-spoiler" | "span" => EntityKind::Spoiler,
            "blockquote" => EntityKind::Blockquote,
            "tg-emoji" => match open.argument.parse() {
                Ok(document) => EntityKind::CustomEmoji { document },
                Err(_) => return,
            },
            "a" => {
                let url = if open.argument.is_empty() { &self.text[open.start..] } else { open.argument.as_str() };
                match link(url) {
                    Some(kind) => kind,
                    None => return,
                }
            }
            "pre" => {
                // <pre><code class="language-x"> is one entity.
                let inner = self.entities.iter().position(|inner| {
                    inner.offset == offset && inner.length == length && matches!(inner.kind, EntityKind::Pre { .. })
                });
                match inner.map(|at| self.entities.remove(at).kind) {
                    Some(kind) => kind,
                    None => EntityKind::Pre { language: String::new() },
                }
            }
            "code" if !open.argument.is_empty() && self.open.last().is_some_and(|outer| outer.name == "pre") => {
                EntityKind::Pre { language: open.argument }
            }
            "code" => EntityKind::Code,
            _ => return,
        };
        self.entities.push(Entity { offset, length, kind });
    }
}

fn link(url: &str) -> Option<EntityKind> {
    let url = url.trim();
    if let Some(id) = url.strip_prefix("tg://user?id=") {
        return id.parse().ok().map(|id| EntityKind::MentionName { user: UserId(id) });
    }
    let known = ["http://", "https://", "tg://", "ton://"].iter().any(|start| url.starts_with(start));
    if known {
        return Some(EntityKind::TextUrl { url: url.to_owned() });
    }
    let host = url.contains('.') && !url.contains("://") && !url.contains(char::is_whitespace);
    host.then(|| EntityKind::TextUrl { url: format!("http://{url}") })
}

/// A character reference at the start of a text, and its length.
fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    let end = body.char_indices().take(12).find(|(_, c)| *c == ';').map(|(at, _)| at)?;
    let c = match &body[..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        name => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((c, end + 2))
}

/// Cuts white space off both ends, as Telegram does with what is sent.
#[must_use]
pub fn trimmed(text: &str, entities: Vec<Entity>) -> (String, Vec<Entity>) {
    let left = text.len() - text.trim_start().len();
    let cut = units(&text[..left]);
    let text = text.trim();
    let end = units(text);
    let kept = entities.into_iter().filter_map(|entity| {
        let from = entity.offset.saturating_sub(cut).clamp(0, end);
        let to = entity.offset.saturating_add(entity.length).saturating_sub(cut).clamp(0, end);
        (to > from).then_some(Entity { offset: from, length: to - from, kind: entity.kind })
    });
    (text.to_owned(), kept.collect())
}

/// Length in UTF-16 units.
pub(super) fn units(text: &str) -> i32 {
    i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX)
}

/// Text and entities as HTML: for people and tests to read.
#[must_use]
pub fn render(text: &str, entities: &[Entity]) -> String {
    let mut out = String::new();
    let mut open: Vec<&Entity> = Vec::new();
    let mut sorted: Vec<&Entity> = entities.iter().filter(|entity| tags(&entity.kind).is_some()).collect();
    sorted.sort_by_key(|entity| (entity.offset, -entity.length));
    let mut coming = sorted.into_iter().peekable();
    let mut at = 0;
    let close = |out: &mut String, open: &mut Vec<&Entity>, at: i32| {
        while let Some(top) = open.last().filter(|top| top.offset + top.length <= at) {
            out.push_str(&tags(&top.kind).unwrap_or_default().1);
            open.pop();
        }
    };
    for c in text.chars() {
        close(&mut out, &mut open, at);
        while let Some(entity) = coming.next_if(|entity| entity.offset <= at) {
            out.push_str(&tags(&entity.kind).unwrap_or_default().0);
            open.push(entity);
        }
        escape(&mut out, c);
        at += if c.len_utf16() == 2 { 2 } else { 1 };
    }
    close(&mut out, &mut open, i32::MAX);
    out
}

fn escape(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        c => out.push(c),
    }
}

fn tags(kind: &EntityKind) -> Option<(String, String)> {
    let plain = |name: &str| Some((format!("<{name}>"), format!("</{name}>")));
    let with = |name: &str, attribute: &str, value: &str| {
        let mut open = format!("<{name} {attribute}=\"");
        value.chars().for_each(|c| if c == '"' { open.push_str("&quot;") } else { escape(&mut open, c) });
        let _infallible = write!(open, "\">");
        Some((open, format!("</{name}>")))
    };
    match kind {
        EntityKind::Bold => plain("b"),
        EntityKind::Italic => plain("i"),
        EntityKind::Underline => plain("u"),
        EntityKind::Strike => plain("s"),
        EntityKind::Spoiler => plain("tg-spoiler"),
        EntityKind::Code => plain("code"),
        EntityKind::Blockquote => plain("blockquote"),
        EntityKind::Pre { language } if language.is_empty() => plain("pre"),
        EntityKind::Pre { language } => {
            let (open, close) = with("code", "class", &format!("language-{language}"))?;
            Some((format!("<pre>{open}"), format!("{close}</pre>")))
        }
        EntityKind::TextUrl { url } => with("a", "href", url),
        EntityKind::MentionName { user } => with("a", "href", &format!("tg://user?id={user}")),
        EntityKind::CustomEmoji { document } => with("tg-emoji", "emoji-id", &document.to_string()),
        EntityKind::Url
        | EntityKind::Email
        | EntityKind::Phone
        | EntityKind::Mention
        | EntityKind::Hashtag
        | EntityKind::Cashtag
        | EntityKind::BotCommand
        | EntityKind::BankCard
        | EntityKind::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
