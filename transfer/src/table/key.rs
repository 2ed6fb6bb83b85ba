//! Where items stand: partition key and sort key, as DESIGN's table lays them out. The prefix `BOT#<id>#` is the
//! engine's business, so that several bots can share a table without any caller knowing.

use std::fmt;

use crate::ids::{AccountId, ChatId, HostId, InquiryId, LoginId, MessageId, PeerId, TaskId, UpdateId};

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Partition key, without the bot's prefix.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `ACCOUNT` and `PROFILE` items of every account.
    Accounts,
    /// `TASK` items of every task.
    Tasks,
    /// `HOST` items.
    Hosts,
}

impl List {
    /// The partition of the index under which the list stands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "ACCOUNTS",
            Self::Tasks => "TASKS",
            Self::Hosts => "HOSTS",
        }
    }
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// What hosts know of an account: state, waits, counters, lease.
    pub fn account(id: &AccountId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), "ACCOUNT")
    }

    /// What the admin sets for an account: label, priority, group, enabled.
    pub fn profile(id: &AccountId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), "PROFILE")
    }

    /// One day's counters of an account.
    pub fn day(id: &AccountId, date: jiff::civil::Date) -> Self {
        Self::new(format!("ACCOUNT#{id}"), format!("DAY#{date}"))
    }

    /// What one account knows of one peer.
    pub fn peer(id: &AccountId, peer: PeerId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), format!("PEER#{peer}"))
    }

    /// The task itself.
    pub fn task(id: &TaskId) -> Self {
        Self::new(format!("TASK#{id}"), "TASK")
    }

    /// What the admin wishes of a task.
    pub fn command(id: &TaskId) -> Self {
        Self::new(format!("TASK#{id}"), "COMMAND")
    }

    /// The summary of one batch.
    pub fn batch(id: &TaskId, number: u32) -> Self {
        Self::new(format!("TASK#{id}"), format!("BATCH#{number:06}"))
    }

    /// Which source ids became which target ids.
    pub fn chunk(id: &TaskId, number: u64) -> Self {
        Self::new(format!("TASK#{id}"), format!("CHUNK#{number:010}"))
    }

    /// A row of the skip ledger, under the first of its ids.
    pub fn skip(id: &TaskId, first: MessageId) -> Self {
        Self::new(format!("TASK#{id}"), format!("SKIP#{:010}", first.0))
    }

    /// Something that happened; `ordinal` tells events of one instant apart.
    pub fn event(id: &TaskId, at: jiff::Timestamp, ordinal: u64) -> Self {
        Self::new(format!("TASK#{id}"), format!("EVENT#{at:.3}#{ordinal:010}"))
    }

    /// Which task may write to a target.
    pub fn target(peer: PeerId) -> Self {
        Self::new(format!("TARGET#{peer}"), "LOCK")
    }

    /// Where a chat with an admin stands.
    pub fn dialogue(chat: ChatId) -> Self {
        Self::new(format!("CHAT#{chat}"), "DIALOGUE")
    }

    /// An admin's language and zone.
    pub fn settings(chat: ChatId) -> Self {
        Self::new(format!("CHAT#{chat}"), "SETTINGS")
    }

    /// The chats that an admin named last.
    pub fn recent(chat: ChatId) -> Self {
        Self::new(format!("CHAT#{chat}"), "RECENT")
    }

    /// An update that was taken.
    pub fn update(id: UpdateId) -> Self {
        Self::new(format!("UPDATE#{id}"), "UPDATE")
    }

    /// A question to a host.
    pub fn inquiry(id: &InquiryId) -> Self {
        Self::new(format!("INQUIRY#{id}"), "INQUIRY")
    }

    /// The message that shows a task's progress.
    pub fn report(id: &TaskId) -> Self {
        Self::new(format!("TASK#{id}"), "REPORT")
    }

    /// Something the admins were told once.
    pub fn alert(kind: &str, subject: &str) -> Self {
        Self::new(format!("ALERT#{kind}"), format!("ALERT#{subject}"))
    }

    /// The sealed session of an account.
    pub fn session(id: &AccountId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), "SESSION")
    }

    /// What outlives an account that left the pool.
    pub fn gone(id: &AccountId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), "GONE")
    }

    /// A login that is under way.
    pub fn login(id: &LoginId) -> Self {
        Self::new(format!("LOGIN#{id}"), "LOGIN")
    }

    /// That every account is to be signed out.
    pub fn panic() -> Self {
        Self::new("INSTALLATION".to_owned(), "PANIC")
    }

    /// Which code works on the table.
    pub fn installation() -> Self {
        Self::new("INSTALLATION".to_owned(), "SCHEMA")
    }

    /// A host's renewals.
    pub fn host(id: &HostId) -> Self {
        Self::new(format!("HOST#{id}"), "HOST")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}
