//! What happened to a task, kept for the admin.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::intent::SkipReason;

/// Something worth telling the admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Event {
    /// A host took the task for the first time and counted what is selected.
    Started {
        /// Messages in the range, where Telegram told.
        in_range: Option<u64>,
    },
    /// Another account carries on.
    AccountChanged {
        /// The one before.
        from: Option<AccountId>,
        /// The one from now on.
        to: AccountId,
        /// Why, in Telegram's words where it was Telegram.
        reason: String,
        /// The wait that the old one was given.
        wait_secs: Option<u64>,
    },
    /// An account has to wait.
    Flood {
        /// Which.
        account: AccountId,
        /// How long.
        wait_secs: u64,
        /// When it may call again.
        until: Timestamp,
    },
    /// Every account has to wait.
    AllLimited {
        /// The shortest wait's end.
        wake_at: Timestamp,
    },
    /// An account left the pool by itself.
    AccountLost {
        /// Which.
        account: AccountId,
        /// Telegram's word.
        reason: String,
    },
    /// Messages went to the skip ledger.
    Skipped {
        /// How many.
        messages: u32,
        /// Why.
        reason: SkipReason,
    },
    /// A call's fate was unknown and was settled.
    Settled {
        /// The account that made it.
        account: AccountId,
        /// How.
        how: Settlement,
    },
    /// A batch ended.
    BatchDone {
        /// Its number.
        batch: u32,
    },
    /// The task's state changed.
    State {
        /// The new state, in one word.
        state: String,
        /// Why, where there is a reason.
        reason: Option<String>,
    },
}

/// How an uncertain chunk was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The identical call was made again and answered.
    Repeated,
    /// It was found in the target.
    Found,
    /// It was nowhere in the target, and another account took it.
    TakenOver,
}
