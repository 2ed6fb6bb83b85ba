//! The table port: get, query a partition, query what is due, list what is there, and commit guarded writes.
//!
//! Read, decide, commit; on a conflict read again. A commit is all or nothing. When a commit's answer is lost
//! ([`CommitError::Unknown`]) the caller reads again and looks whether its own mark (version, epoch, intent id)
//! stands there; no commit may be written in a way that this look could not tell.

pub mod dynamo;
pub mod item;
pub mod key;
pub mod memory;

use async_trait::async_trait;
use jiff::Timestamp;

pub use item::Item;
pub use key::{Key, List};

/// How many writes one commit may hold (DynamoDB's limit for a transaction is 100).
pub const COMMIT_WRITES_MAX: usize = 100;

/// An item as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The item.
    pub item: Item,
    /// Counts the writes to this key, from 1. Begins again at 1 after a deletion, and with every [`Guard::None`].
    pub version: u64,
}

/// One write of a commit.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a commit holds a few writes, nearly all of them Put")]
pub enum Write {
    /// Stores the item in place of what stands under its key.
    Put {
        /// The new item.
        item: Item,
        /// What must hold of the stored item.
        guard: Guard,
    },
    /// Removes what stands under the key.
    Delete {
        /// Where.
        key: Key,
        /// What must hold of the stored item.
        guard: Guard,
    },
    /// Writes nothing, but the commit fails unless the guard holds.
    Check {
        /// Where.
        key: Key,
        /// What must hold of the stored item.
        guard: Guard,
    },
}

/// What must hold of the stored item for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: last writer wins. Only for items of which any copy is as good as another: an item that is written so
    /// has version 1 each time, so it cannot be guarded by version.
    None,
    /// There is no such item.
    Absent,
    /// It has this version.
    Version(u64),
    /// It has this version, its lease this epoch, and its open intent this id (`None`: no open intent is looked at).
    /// The holder is the only writer while it holds, so it knows the version that it read or wrote last; a conflict
    /// on the version alone means that somebody wrote beside it: read again, and commit on top of that.
    Held {
        /// The lease's epoch.
        epoch: u64,
        /// The open intent's id.
        intent: Option<u64>,
        /// The version that the holder read or wrote last.
        version: u64,
    },
}

impl Guard {
    /// The version that an item has once it was written under this guard.
    pub fn version_to_write(&self) -> u64 {
        match self {
            Self::None | Self::Absent => 1,
            Self::Version(version) | Self::Held { version, .. } => version + 1,
        }
    }
}

impl Write {
    /// Where it writes.
    pub fn key(&self) -> Key {
        match self {
            Self::Put { item, .. } => item.key(),
            Self::Delete { key, .. } | Self::Check { key, .. } => key.clone(),
        }
    }

    /// What must hold for it.
    pub fn guard(&self) -> &Guard {
        match self {
            Self::Put { guard, .. } | Self::Delete { guard, .. } | Self::Check { guard, .. } => guard,
        }
    }
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The service did not answer, throttled, or refused; the read may be tried again.
    #[error("the table failed: {0}")]
    Failed(String),
    /// Newer code wrote it.
    #[error(
        "the item {key} was written by a newer version (schema {schema}), this one knows {known}: deploy that version again",
        known = item::SCHEMA
    )]
    Newer {
        /// Its key.
        key: Key,
        /// Its schema.
        schema: u64,
        /// The release that wrote it, where the item says so.
        release: String,
    },
    /// What is stored is not what this code can read.
    #[error("the item {key} cannot be read: {why}; it was written by newer code or by hand")]
    Unreadable {
        /// Its key.
        key: Key,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a commit failed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A guard did not hold, or another commit was under way on one of the items. Nothing was written.
    #[error("another writer was first: {0}")]
    Conflict(String),
    /// Nothing was written, for a reason that may pass (throttled) or not (too large).
    #[error("the table refused the commit: {0}")]
    Refused(String),
    /// The answer was lost: it may have been written or not. Read again.
    #[error("the table did not answer the commit: {0}")]
    Unknown(String),
}

/// One table for everything: DynamoDB, its embedded engine, or memory.
#[async_trait]
pub trait Table: Send + Sync {
    /// Reads one item, consistently.
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError>;
    /// Reads the items of a partition whose sort key starts with `sk_prefix`, ascending, consistently.
    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError>;
    /// Reads up to `limit` items that are due until then, the longest due first. Eventually consistent: read the item
    /// itself before deciding.
    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError>;
    /// Reads what is there. Eventually consistent.
    async fn list(&self, list: List) -> Result<Vec<Record>, TableError>;
    /// Writes all or nothing; at most [`COMMIT_WRITES_MAX`] writes, each to another key.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError>;
}
