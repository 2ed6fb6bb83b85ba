//! How people name a chat: `@name`, a link, an invite, or a number. Each account resolves it for itself.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, PeerId, PeerKind};

/// The longest username, by Telegram's rules.
const USERNAME_LEN_MAX: usize = 32;
/// The shortest one in existence.
const USERNAME_LEN_MIN: usize = 3;
/// No invite's hash is longer.
const INVITE_LEN_MAX: usize = 64;
/// Bare ids of channels stay below this, so that their marked form is unambiguous.
const CHANNEL_ID_MAX: i64 = 1_000_000_000_000;

/// A chat as somebody named it.
#[derive(Debug, Clone)]
pub enum PeerAddress {
    /// A public name, without `@`, as it was written; compared without regard to case.
    Username(String),
    /// The hash of an invite link.
    Invite(String),
    /// The marked id, as the Bot API writes it.
    Id(PeerId),
}

/// The text names no chat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} names no chat ({why}); write @name, https://t.me/name, https://t.me/name/123, https://t.me/c/123456/789, \
     https://t.me/+invite, or a number such as -1001234567890"
)]
pub struct BadAddress {
    /// What was written, shortened.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl PeerAddress {
    /// Reads an address, and the message that a link to a message names.
    ///
    /// # Errors
    /// The text is none of what people write for a chat; the error says what is.
    pub fn parse(text: &str) -> Result<(Self, Option<MessageId>), BadAddress> {
        let text = text.trim();
        let bad = |why| BadAddress { text: text.chars().take(80).collect(), why };
        if let Some(name) = text.strip_prefix('@') {
            return username(name).map(|address| (address, None)).map_err(bad);
        }
        if let Some(path) = link_path(text) {
            return link(path).map_err(bad);
        }
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        match text.parse::<i64>() {
            Ok(number) => marked_id(number).map(|address| (address, None)).map_err(bad),
            Err(_) if username(text).is_ok() => Err(bad("a name starts with @")),
            Err(_) => Err(bad("it is neither a name nor a link nor a number")),
        }
    }
}

/// What follows the host in a link to Telegram; `None` if it is no such link.
fn link_path(text: &str) -> Option<&str> {
    let rest = strip_prefix_ignoring_case(text, "https://")
        .or_else(|| strip_prefix_ignoring_case(text, "http://"))
        .unwrap_or(text);
    let rest = strip_prefix_ignoring_case(rest, "www.").unwrap_or(rest);
    let path =
        ["t.me/", "telegram.me/", "telegram.dog/"].iter().find_map(|host| strip_prefix_ignoring_case(rest, host))?;
    Some(path.split(['?', '#']).next().unwrap_or_default())
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn link(path: &str) -> Result<(PeerAddress, Option<MessageId>), &'static str> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // A link into a topic has one more number before the message's: t.me/name/topic/message.
    match parts.as_slice() {
        [] => Err("the link names nothing"),
        ["joinchat", hash] => Ok((invite(hash)?, None)),
        ["c", channel] => Ok((private_channel(channel)?, None)),
        ["c", channel, message] | ["c", channel, _, message] => {
            Ok((private_channel(channel)?, Some(message_id(message)?)))
        }
        ["s", name] => Ok((username(name)?, None)),
        ["s", name, message] => Ok((username(name)?, Some(message_id(message)?))),
        [part] => match part.strip_prefix('+') {
            Some(hash) => Ok((invite(hash)?, None)),
            None => Ok((username(part)?, None)),
        },
        [name, message] | [name, _, message] => Ok((username(name)?, Some(message_id(message)?))),
        [..] => Err("the link has too many parts"),
    }
}

fn username(name: &str) -> Result<PeerAddress, &'static str> {
    if !(USERNAME_LEN_MIN..=USERNAME_LEN_MAX).contains(&name.len()) {
        return Err("a name has 3 to 32 characters");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("a name starts with a letter");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("a name has only Latin letters, digits and underscores");
    }
    Ok(PeerAddress::Username(name.to_owned()))
}

fn invite(hash: &str) -> Result<PeerAddress, &'static str> {
    if hash.is_empty() || hash.len() > INVITE_LEN_MAX {
        return Err("the invite link is cut off or too long");
    }
    if hash.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the link is to a phone number, not an invite");
    }
    if !hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err("the invite link has characters that no invite has");
    }
    Ok(PeerAddress::Invite(hash.to_owned()))
}

fn private_channel(number: &str) -> Result<PeerAddress, &'static str> {
    match number.parse::<i64>() {
        Ok(bare) if bare > 0 && bare < CHANNEL_ID_MAX => Ok(PeerAddress::Id(PeerId::channel(bare))),
        Ok(_) | Err(_) => Err("the channel's number in the link is none"),
    }
}

fn message_id(number: &str) -> Result<MessageId, &'static str> {
    match number.parse::<i32>() {
        Ok(id) if id > 0 => Ok(MessageId(id)),
        Ok(_) | Err(_) => Err("the message's number in the link is none"),
    }
}

fn marked_id(number: i64) -> Result<PeerAddress, &'static str> {
    if number == 0 || number <= -2 * CHANNEL_ID_MAX || PeerId(number).kind() == PeerKind::Channel(0) {
        return Err("no chat has this number");
    }
    Ok(PeerAddress::Id(PeerId(number)))
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Username(name) => write!(f, "@{name}"),
            Self::Invite(hash) => write!(f, "https://t.me/+{hash}"),
            Self::Id(peer) => write!(f, "{peer}"),
        }
    }
}

impl std::str::FromStr for PeerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Self::parse(text).map(|(address, _message)| address)
    }
}

impl PartialEq for PeerAddress {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Username(one), Self::Username(two)) => one.eq_ignore_ascii_case(two),
            (Self::Invite(one), Self::Invite(two)) => one == two,
            (Self::Id(one), Self::Id(two)) => one == two,
            (Self::Username(_) | Self::Invite(_) | Self::Id(_), _) => false,
        }
    }
}

impl Eq for PeerAddress {}

impl Hash for PeerAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Username(name) => name.to_ascii_lowercase().hash(state),
            Self::Invite(hash) => hash.hash(state),
            Self::Id(peer) => peer.hash(state),
        }
    }
}

impl Serialize for PeerAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PeerAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> PeerAddress {
        PeerAddress::Username(text.to_owned())
    }

    fn invited(text: &str) -> PeerAddress {
        PeerAddress::Invite(text.to_owned())
    }

    #[test]
    fn what_people_write_is_understood() {
        let channel = PeerAddress::Id(PeerId::channel(123_456));
        for (text, address, message) in [
            ("@durov", name("durov"), None),
            ("  @Durov ", name("durov"), None),
            ("https://t.me/durov", name("durov"), None),
            ("t.me/durov/", name("durov"), None),
            ("HTTP://T.ME/durov", name("durov"), None),
            ("https://telegram.me/durov/123?single", name("durov"), Some(123)),
            ("https://t.me/s/durov/123", name("durov"), Some(123)),
            ("https://t.me/durov/7/123", name("durov"), Some(123)),
            ("https://t.me/c/123456/789", channel.clone(), Some(789)),
            ("https://t.me/c/123456/7/789", channel.clone(), Some(789)),
            ("t.me/c/123456", channel.clone(), None),
            ("https://t.me/+AbC_d-1", invited("AbC_d-1"), None),
            ("https://t.me/joinchat/AbC_d-1", invited("AbC_d-1"), None),
            ("-1000000123456", channel, None),
            ("-42", PeerAddress::Id(PeerId(-42)), None),
            ("777000", PeerAddress::Id(PeerId(777_000)), None),
        ] {
            assert_eq!(PeerAddress::parse(text), Ok((address, message.map(MessageId))), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_accepted() {
        for text in [
            "",
            "@",
            "@ab",
            "@1abc",
            "@a b c",
            "durov",
            "0",
            "-1000000000000",
            "https://t.me/",
            "https://t.me/+",
            "https://t.me/+14155550100",
            "https://t.me/c/x/1",
            "https://t.me/c/99999999999999/1",
            "t.me/durov/0",
            "t.me/durov/1/2/3",
            "https://example.org/durov",
            "99999999999999999999",
            "-9223372036854775808",
            "@名前名前",
        ] {
            let error = PeerAddress::parse(text).unwrap_err().to_string();
            assert!(error.contains("@name"), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_equal_in_any_case_and_invites_are_not() {
        assert_eq!(name("Durov"), name("dUROV"));
        assert_ne!(invited("abc"), invited("ABC"));
        assert_ne!(name("abc"), invited("abc"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_address_survives_its_text(text in ".{0,40}") {
            for text in [text.clone(), format!("@{text}"), format!("t.me/{text}"), format!("t.me/c/{text}")] {
                if let Ok((address, _)) = PeerAddress::parse(&text) {
                    prop_assert_eq!(PeerAddress::parse(&address.to_string()), Ok((address, None)));
                }
            }
        }

        #[test]
        fn numbers_survive_their_text(number: i64) {
            if let Ok((address, _)) = PeerAddress::parse(&number.to_string()) {
                prop_assert_eq!(address, PeerAddress::Id(PeerId(number)));
            }
        }
    }
}
