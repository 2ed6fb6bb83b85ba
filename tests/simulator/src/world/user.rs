//! People and accounts.

use super::history::History;
use super::{ChatId, MessageId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Source: <https://core.telegram.org/api/config>, `channels_limit_default`.
const CHANNELS_MAX: usize = 500;

/// A person; whoever signs in as one is an account.
#[derive(Debug)]
pub struct User {
    pub id: UserId,
    /// With a leading `+`; empty if unknown.
    pub phone: String,
    pub first_name: String,
    pub last_name: String,
    /// Lower case, without `@`.
    pub username: Option<String>,
    /// Two-factor password.
    pub password: Option<String>,
    /// What reminds its owner of it.
    pub password_hint: Option<String>,
    pub home_dc: i32,
    pub premium: bool,
    /// Of how many channels and supergroups it may be a member.
    pub channels_max: usize,
    pub bot: bool,
    /// What the user's client speaks, as bots are told: `en`, `zh-hans`.
    pub language_code: Option<String>,
    /// Whom this user has in the address book.
    pub contacts: BTreeSet<UserId>,
    pub state: AccountState,
    pub mailbox: Mailbox,
}

/// What Telegram thinks of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    #[default]
    Active,
    /// Writes are refused with `FROZEN_METHOD_INVALID`; reading goes on.
    Frozen,
    /// Writes to strangers are refused with `PEER_FLOOD`.
    PeerFlood,
    /// Every call: `USER_DEACTIVATED_BAN`.
    Banned,
    /// Every call: `SESSION_REVOKED`.
    Revoked,
    /// Every call: `AUTH_KEY_UNREGISTERED`.
    Unregistered,
    /// Every call: `AUTH_KEY_DUPLICATED`. The key was in use from two places at once and is dead for good.
    KeyDuplicated,
}

/// One account's private chats and basic groups: their message ids count per account.
#[derive(Debug, Default)]
pub struct Mailbox {
    pub history: History,
    /// Per chat, oldest first, deleted ones included.
    pub by_chat: BTreeMap<ChatId, Vec<MessageId>>,
    /// The same message in other mailboxes has the same number here.
    pub twins: BTreeMap<MessageId, u64>,
    pub pts: i32,
    pub log: Vec<MailboxEvent>,
    /// Read up to here, by chat.
    pub read_inbox: BTreeMap<ChatId, MessageId>,
    pub read_outbox: BTreeMap<ChatId, MessageId>,
}

/// A numbered step of an account's own update sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxEvent {
    /// The account's pts after this event.
    pub pts: i32,
    pub count: i32,
    pub kind: MailboxChange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxChange {
    New(MessageId),
    Edited(MessageId),
    Deleted(Vec<MessageId>),
    ReadInbox { chat: ChatId, upto: MessageId },
    ReadOutbox { chat: ChatId, upto: MessageId },
}

impl User {
    /// An active user with nothing but a name.
    #[must_use]
    pub fn new(id: UserId, phone: &str, first_name: &str) -> User {
        User {
            id,
            phone: phone.to_owned(),
            first_name: first_name.to_owned(),
            last_name: String::new(),
            username: None,
            password: None,
            password_hint: None,
            home_dc: 2,
            premium: false,
            channels_max: CHANNELS_MAX,
            bot: false,
            language_code: None,
            contacts: BTreeSet::new(),
            state: AccountState::Active,
            // As with channels, the first event is number 2: clients take pts 1 for "nothing yet".
            mailbox: Mailbox { pts: 1, ..Mailbox::default() },
        }
    }
}

impl Mailbox {
    /// Numbers and logs a change; `count` events at once for deletions.
    pub fn log(&mut self, count: i32, kind: MailboxChange) -> i32 {
        self.pts += count;
        self.log.push(MailboxEvent { pts: self.pts, count, kind });
        self.pts
    }
}
