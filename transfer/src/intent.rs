//! A chunk written down before its call, and what came of it.
//!
//! The intent holds everything that the call is made of, so that a repeat is byte-identical whoever makes it: exact
//! ids, random ids, flags. It also holds what settling needs: where the target stood before the call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Incarnation, MessageId};
use crate::random_id::RandomIds;
use crate::sequence::IdSequence;
use crate::task::Style;

/// A chunk that is about to be forwarded, or may have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The chunk's number in its task, from 1.
    pub id: u64,
    /// Whose random ids these are; only this account may repeat the call.
    pub account: AccountId,
    /// The exact source ids, ascending.
    pub ids: IdSequence,
    /// One for each id.
    pub random_ids: RandomIds,
    /// The flags of the call.
    pub style: Style,
    /// Where the units of the chunk end: an album is one unit. Counts of messages, adding up to `ids`.
    pub units: Vec<u8>,
    /// The cursor once this is decided.
    pub cursor_after: MessageId,
    /// [`crate::task::Checkpoint::ahead`] once this is decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead_after: Vec<MessageId>,
    /// Messages that were looked at on the way, selected or not.
    pub scanned: u32,
    /// Selected messages that cannot be carried, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skips: Vec<Skip>,
    /// Highest settled target id when this was written.
    pub target_floor: MessageId,
    /// The target's pts when this was written.
    pub target_pts: i32,
    /// Who wrote it: a call by another life is a blind repeat.
    pub made_by: Incarnation,
    /// When.
    pub made_at: Timestamp,
    /// Repeats that were begun.
    #[serde(default)]
    pub repeats: u32,
    /// When the last repeat was begun: it may have been sent until its connection was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
    /// Readings of the target that settled nothing.
    #[serde(default)]
    pub readings: u32,
    /// The first time anything about it was uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain_since: Option<Timestamp>,
    /// When somebody last tried to settle it: the hour of trying does not run while nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
}

/// Selected messages that were not carried, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Which, ascending.
    pub ids: IdSequence,
    /// Why.
    pub reason: SkipReason,
}

/// Why a selected message was not carried.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A service message: there is nothing to carry.
    Service,
    /// Gone from the source before it was carried.
    Deleted,
    /// Telegram left it out of a forward, though it is there.
    Refused,
    /// Telegram refused it, in these words.
    Error(String),
    /// Nobody can tell whether it was carried; it was not found in the target.
    Undetermined,
}

/// What a forward did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Source ids that arrived, with their target ids.
    pub delivered: Vec<(MessageId, MessageId)>,
    /// Source ids that did not, with the reason.
    pub skipped: Vec<Skip>,
}
