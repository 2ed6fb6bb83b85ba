//! Identifiers. Each is a newtype, so that a message id is never taken for a peer or an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A chat or user, in the "marked" form that the Bot API uses: users are positive, basic groups negative, channels
/// and supergroups `-100…` (source: <https://core.telegram.org/api/bots/ids>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerId(pub i64);

/// Where channel ids begin in the marked form.
const CHANNEL_MARK: i64 = -1_000_000_000_000;

impl PeerId {
    /// The marked id of a user.
    pub fn user(bare: i64) -> Self {
        Self(bare)
    }

    /// The marked id of a basic group.
    pub fn group(bare: i64) -> Self {
        Self(-bare)
    }

    /// The marked id of a channel or supergroup.
    pub fn channel(bare: i64) -> Self {
        Self(CHANNEL_MARK - bare)
    }

    /// What kind of peer this is, with the id as MTProto writes it.
    pub fn kind(self) -> PeerKind {
        if self.0 <= CHANNEL_MARK {
            PeerKind::Channel(CHANNEL_MARK - self.0)
        } else if self.0 < 0 {
            PeerKind::Group(-self.0)
        } else {
            PeerKind::User(self.0)
        }
    }

    /// Message ids of channels are the same for everybody; elsewhere each account numbers for itself.
    pub fn ids_are_shared(self) -> bool {
        matches!(self.kind(), PeerKind::Channel(_))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A [`PeerId`] taken apart; the number is the bare id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerKind {
    /// A private chat with this user.
    User(i64),
    /// A basic group.
    Group(i64),
    /// A channel or supergroup.
    Channel(i64),
}

/// A message's id in its chat, ascending, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct MessageId(pub i32);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// `grouped_id`: what the members of an album have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupedId(pub i64);

/// The client's own id of one message to be created; Telegram remembers it per account and peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RandomId(pub i64);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id! {
    /// One pool member. The Telegram user id as text: a person who adds the same account twice gets the same id.
    AccountId
}
text_id! {
    /// One transfer.
    TaskId
}
text_id! {
    /// One place where a session host runs; stays the same over restarts.
    HostId
}
text_id! {
    /// One life of a host: drawn anew at every start.
    Incarnation
}

text_id! {
    /// One thing that the function wants a host to find out.
    InquiryId
}

text_id! {
    /// One login that is under way.
    LoginId
}

/// A chat of the bot's, as the Bot API numbers it; a private chat has its user's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatId(pub i64);

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A message in a chat of the bot's, as the bot numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BotMessageId(pub i32);

impl fmt::Display for BotMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The Bot API's `update_id`: the same in every delivery of one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UpdateId(pub u32);

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 128 secret bits of a task, from which its random ids are derived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no 128-bit number in 32 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("a nonce has 32 hexadecimal digits, this has {0:?}")]
pub struct BadNonce(String);

impl FromStr for Nonce {
    type Err = BadNonce;

    fn from_str(text: &str) -> Result<Self, BadNonce> {
        let bad = || BadNonce(text.to_owned());
        if text.len() != 32 || !text.is_ascii() {
            return Err(bad());
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_not_hex| bad())
    }
}

impl Serialize for Nonce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_peer_keeps_its_kind_and_number(bare in 1_i64..900_000_000_000) {
            prop_assert_eq!(PeerId::user(bare).kind(), PeerKind::User(bare));
            prop_assert_eq!(PeerId::group(bare).kind(), PeerKind::Group(bare));
            prop_assert_eq!(PeerId::channel(bare).kind(), PeerKind::Channel(bare));
        }

        #[test]
        fn a_nonce_survives_its_text(bits: [u8; 16]) {
            prop_assert_eq!(Nonce(bits).to_string().parse::<Nonce>().unwrap(), Nonce(bits));
        }
    }

    #[test]
    fn a_bad_nonce_is_refused() {
        assert!("12".parse::<Nonce>().is_err());
        assert!("zz".repeat(16).parse::<Nonce>().is_err());
    }
}
