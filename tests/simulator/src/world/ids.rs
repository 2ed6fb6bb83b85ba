//! The names of things in the world. Ids are newtypes, so that a message id is never taken for a user's.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A person (or an account of the pool).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// A message within its chat (channels) or within one account's mailbox (private chats and basic groups).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub i32);

/// An MTProto authorisation key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthKeyId(pub i64);

/// An MTProto session of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// Bot API offset of channel ids.
const CHANNEL_MARK: i64 = 1_000_000_000_000;

/// A chat as one number, marked as the Bot API does it: users positive, basic groups negative, channels (broadcast and
/// supergroups) below -1,000,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatId(pub i64);

/// What a [`ChatId`] names, with Telegram's own bare id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    User(UserId),
    Group(i64),
    Channel(i64),
}

impl ChatId {
    /// The private chat with `user`, as somebody else sees it.
    #[must_use]
    pub fn user(user: UserId) -> ChatId {
        ChatId(user.0)
    }

    /// A basic group by its bare id.
    #[must_use]
    pub fn group(id: i64) -> ChatId {
        ChatId(id.wrapping_neg())
    }

    /// A channel or supergroup by its bare id.
    #[must_use]
    pub fn channel(id: i64) -> ChatId {
        ChatId((-CHANNEL_MARK).wrapping_sub(id))
    }

    /// The bare form.
    #[must_use]
    pub fn peer(self) -> Peer {
        if self.0 > 0 {
            Peer::User(UserId(self.0))
        } else if self.0 > -CHANNEL_MARK {
            Peer::Group(-self.0)
        } else {
            Peer::Channel((-CHANNEL_MARK).wrapping_sub(self.0))
        }
    }

    /// Channels number their messages for everybody; all else per account.
    #[must_use]
    pub fn is_channel(self) -> bool {
        matches!(self.peer(), Peer::Channel(_))
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_ids_go_there_and_back() {
        for id in [1_i64, 77, 1_500_000_001] {
            assert_eq!(ChatId::channel(id).peer(), Peer::Channel(id));
            assert_eq!(ChatId::group(id).peer(), Peer::Group(id));
            assert_eq!(ChatId::user(UserId(id)).peer(), Peer::User(UserId(id)));
        }
        assert_eq!(ChatId::channel(1_500_000_001).0, -1_001_500_000_001);
    }
}
