//! One transfer: what is asked for, where it stands, and the transitions between its states.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::address::PeerAddress;
use crate::ids::{AccountId, ChatId, MessageId, Nonce, PeerId, TaskId};
use crate::intent::Intent;
use crate::lease::Lease;
use crate::pace::{Pace, PaceState};
use crate::selection::Selection;

/// Messages a batch holds at most, unless the task says otherwise (the original's BATCH_SIZE).
pub const BATCH_LEN_DEFAULT: u32 = 500;

/// The same for a task without a batch limit: how often it gives others a turn.
pub const BATCH_LEN_UNLIMITED: u32 = 5_000;

/// One transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What the admin calls it.
    pub title: String,
    /// What the admin notes about it, for the list alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose it is: the chat with the admin who asked for it. `None`: asked for at a terminal; every admin sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<ChatId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From where.
    pub source: Endpoint,
    /// To where.
    pub target: Endpoint,
    /// Which messages.
    pub selection: Selection,
    /// How they are forwarded.
    pub style: Style,
    /// How fast.
    pub pace: Pace,
    /// Messages a batch holds at most.
    pub batch_len: u32,
    /// Whether it pauses after each batch instead of going on.
    pub pause_after_batch: bool,
    /// Only accounts of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether accounts that are not inside may join source and target.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub join: bool,
    /// Only this account, where message ids are per account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_to: Option<AccountId>,
    /// From which its random ids are derived.
    pub nonce: Nonce,
    /// What it is doing.
    pub state: TaskState,
    /// The last source id that belongs to it; frozen by the preflight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_id: Option<MessageId>,
    /// How far it is.
    pub checkpoint: Checkpoint,
    /// Counts its jobs in the queue.
    pub seq: u64,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Grows with every taking of the lease.
    #[serde(default)]
    pub lease_epoch: u64,
    /// That it was put back to where a backup had it: what it delivered since stands in the target and not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
}

/// That a task was put back to where a backup had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was made.
    pub backed_up_at: Timestamp,
    /// When it was put back.
    pub at: Timestamp,
}

/// Source or target of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// As the admin named it; each account resolves it for itself.
    pub address: PeerAddress,
    /// The peer, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerId>,
    /// Its title, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A topic of the target, by its first message's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<MessageId>,
}

impl Restored {
    /// Why the task is parked, and what to do.
    pub fn reason(backed_up_at: Timestamp) -> String {
        format!(
            "restored from a backup of {backed_up_at:.0}; what it delivered after that is not written down. Cancel it, look \
             up the last message of it in the target, and begin a new transfer after that one"
        )
    }
}

/// The flags of `messages.forwardMessages` that a task chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Style {
    /// Without "forwarded from".
    #[serde(default)]
    pub drop_author: bool,
    /// Without captions; Telegram wants `drop_author` with it.
    #[serde(default)]
    pub drop_captions: bool,
    /// Without notification.
    #[serde(default)]
    pub silent: bool,
}

/// How far a task is. Only committed facts stand here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Highest source id decided: everything up to it was delivered, skipped, or not selected.
    pub cursor: MessageId,
    /// Ids above the cursor that are decided already: late members of albums that had to go before strangers' messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<MessageId>,
    /// What was counted so far.
    pub counts: Counts,
    /// The account that carried the last chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The chunk that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Chunks decided; numbers CHUNK items and intents.
    pub chunks: u64,
    /// Batches decided.
    pub batches: u32,
    /// Messages decided in the present batch.
    pub batch_used: u32,
    /// Highest target id that is known to be this task's or older.
    pub target_floor: MessageId,
    /// The target's pts when that was read, for `getDifference`.
    pub target_pts: i32,
    /// What the pace has to remember.
    #[serde(default)]
    pub pace: PaceState,
    /// Slow mode was met: one unit a call.
    #[serde(default)]
    pub one_unit: bool,
    /// A chunk was refused: smaller ones until what refuses it is found. It outlives a wait, or a flood wait between two
    /// halvings would begin it anew each time, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow: Option<Narrow>,
    /// Units in a row that were refused with an error nobody knows.
    #[serde(default)]
    pub unknown_in_row: u32,
    /// Grows with every event that is written; tells events of one instant apart.
    #[serde(default)]
    pub events: u64,
}

/// Smaller chunks for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrow {
    /// Units in a call at most.
    pub units: u32,
    /// Until the cursor has passed this id.
    pub until: MessageId,
}

/// What a task counts. Nothing is counted that is not committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages of the source that were looked at.
    pub scanned: u64,
    /// Of those, selected.
    pub matched: u64,
    /// Of those, confirmed by Telegram in the target.
    pub delivered: u64,
    /// Of those, in the skip ledger.
    pub skipped: u64,
    /// Flood waits met.
    pub floods: u64,
    /// Changes of account.
    pub changes: u64,
    /// Repeats made after a crash, without knowing whether a wait had been received.
    #[serde(default)]
    pub blind_repeats: u64,
}

/// What a task is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TaskState {
    /// A host should take it.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// A host has taken it.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// Nothing can be done before then.
    Waiting {
        /// When it goes on by itself.
        wake_at: Timestamp,
        /// Why.
        reason: String,
    },
    /// The admin, or the end of a batch, paused it.
    Paused {
        /// Why.
        reason: String,
    },
    /// It needs the admin: the reason says what to do.
    Parked {
        /// What is wrong and what to do.
        reason: String,
    },
    /// It cannot go on, whatever the admin does.
    Failed {
        /// Why.
        reason: String,
    },
    /// Everything is decided.
    Done {
        /// Since when.
        at: Timestamp,
    },
    /// The admin ended it.
    Cancelled {
        /// Since when.
        at: Timestamp,
    },
}

/// What can happen to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEvent {
    /// A host took its lease.
    Claim,
    /// The holder stopped cleanly, or a batch ended and the next is queued.
    Yield,
    /// Nothing can be done before then.
    Wait {
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// The admin or the end of a batch pauses it.
    Pause {
        /// Why.
        reason: String,
    },
    /// The admin lets it go on.
    Resume,
    /// Only the admin can help.
    Park {
        /// What is wrong and what to do.
        reason: String,
    },
    /// Nobody can help.
    Fail {
        /// Why.
        reason: String,
    },
    /// Everything is decided.
    Finish,
    /// The admin ends it.
    Cancel,
}

/// An event that makes no sense in the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a task that is {state} cannot {event}")]
pub struct IllegalTransition {
    /// Where the task was.
    pub state: TaskState,
    /// What should have happened to it.
    pub event: TaskEvent,
}

impl TaskState {
    /// The state after `event`: the total transition function.
    ///
    /// # Errors
    /// The event makes no sense in this state; the error names both.
    pub fn next(&self, event: TaskEvent, now: Timestamp) -> Result<Self, IllegalTransition> {
        use TaskEvent as E;
        use TaskState as S;
        let illegal = |event: E| Err(IllegalTransition { state: self.clone(), event });
        match (self, event) {
            (S::Ready { .. } | S::Waiting { .. } | S::Running { .. }, E::Claim) => Ok(S::Running { since: now }),
            (S::Running { .. }, E::Yield) => Ok(S::Ready { since: now }),
            (S::Running { .. }, E::Wait { until, reason }) => Ok(S::Waiting { wake_at: until, reason }),
            (S::Running { .. } | S::Ready { .. } | S::Waiting { .. }, E::Pause { reason }) => Ok(S::Paused { reason }),
            (S::Paused { .. } | S::Parked { .. } | S::Waiting { .. }, E::Resume) => Ok(S::Ready { since: now }),
            (S::Running { .. }, E::Park { reason }) => Ok(S::Parked { reason }),
            (S::Running { .. }, E::Fail { reason }) => Ok(S::Failed { reason }),
            (S::Running { .. }, E::Finish) => Ok(S::Done { at: now }),
            (
                S::Ready { .. } | S::Running { .. } | S::Waiting { .. } | S::Paused { .. } | S::Parked { .. },
                E::Cancel,
            ) => Ok(S::Cancelled { at: now }),
            (
                S::Ready { .. }
                | S::Running { .. }
                | S::Waiting { .. }
                | S::Paused { .. }
                | S::Parked { .. }
                | S::Failed { .. }
                | S::Done { .. }
                | S::Cancelled { .. },
                event @ (E::Claim
                | E::Yield
                | E::Wait { .. }
                | E::Pause { .. }
                | E::Resume
                | E::Park { .. }
                | E::Fail { .. }
                | E::Finish
                | E::Cancel),
            ) => illegal(event),
        }
    }

    /// When a host should look at the task; `None`: only when the admin does something.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Ready { since } | Self::Running { since } => Some(*since),
            Self::Waiting { wake_at, .. } => Some(*wake_at),
            Self::Paused { .. }
            | Self::Parked { .. }
            | Self::Failed { .. }
            | Self::Done { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    /// Whether a host should take it at `now`. Whatever is ready is due, also when the host that wrote since when has a
    /// clock that is ahead.
    pub fn is_due(&self, now: Timestamp) -> bool {
        match self {
            Self::Ready { .. } | Self::Running { .. } => true,
            Self::Waiting { wake_at, .. } => *wake_at <= now,
            Self::Paused { .. }
            | Self::Parked { .. }
            | Self::Failed { .. }
            | Self::Done { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// Whether nothing can happen to it any more.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Done { .. } | Self::Cancelled { .. })
    }

    /// One word, for lists and the index.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Running { .. } => "running",
            Self::Waiting { .. } => "waiting",
            Self::Paused { .. } => "paused",
            Self::Parked { .. } => "parked",
            Self::Failed { .. } => "failed",
            Self::Done { .. } => "done",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for TaskEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claim => "be claimed",
            Self::Yield => "be yielded",
            Self::Wait { .. } => "wait",
            Self::Pause { .. } => "be paused",
            Self::Resume => "be resumed",
            Self::Park { .. } => "be parked",
            Self::Fail { .. } => "fail",
            Self::Finish => "finish",
            Self::Cancel => "be cancelled",
        })
    }
}

/// Shorter pauses of a pace are part of the work.
const PAUSE_WORTH_TELLING: SignedDuration = SignedDuration::from_secs(30);

impl Task {
    /// Moves the task to its next state.
    ///
    /// # Errors
    /// The event makes no sense in the present state.
    pub fn next(&mut self, event: TaskEvent, now: Timestamp) -> Result<(), IllegalTransition> {
        self.state = self.state.next(event, now)?;
        Ok(())
    }

    /// Until when a task at work keeps a pause of its pace, if that is long enough to be told.
    pub fn pauses_until(&self, now: Timestamp) -> Option<Timestamp> {
        let is_at_work = matches!(self.state, TaskState::Running { .. });
        self.checkpoint.pace.next_at.filter(|at| is_at_work && at.duration_since(now) >= PAUSE_WORTH_TELLING)
    }
}

/// What the admin wishes of a task; read before each intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// The task.
    pub task: TaskId,
    /// What it should do.
    pub wish: Wish,
    /// Another pace, from the next chunk on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// What a task should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Go on.
    Run,
    /// Pause at the next chunk.
    Pause,
    /// Settle the open intent, then end.
    Cancel,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn reason() -> String {
        "why".to_owned()
    }

    fn states() -> [TaskState; 8] {
        use TaskState as S;
        [
            S::Ready { since: at(1) },
            S::Running { since: at(1) },
            S::Waiting { wake_at: at(9), reason: reason() },
            S::Paused { reason: reason() },
            S::Parked { reason: reason() },
            S::Failed { reason: reason() },
            S::Done { at: at(1) },
            S::Cancelled { at: at(1) },
        ]
    }

    fn events() -> [TaskEvent; 9] {
        use TaskEvent as E;
        [
            E::Claim,
            E::Yield,
            E::Wait { until: at(9), reason: reason() },
            E::Pause { reason: reason() },
            E::Resume,
            E::Park { reason: reason() },
            E::Fail { reason: reason() },
            E::Finish,
            E::Cancel,
        ]
    }

    #[test]
    fn every_state_and_event_is_a_row_of_this_table() {
        // Columns: claim, yield, wait, pause, resume, park, fail, finish, cancel; `-` is illegal.
        let table = [
            ("ready", "running - - paused - - - - cancelled"),
            ("running", "running ready waiting paused - parked failed done cancelled"),
            ("waiting", "running - - paused ready - - - cancelled"),
            ("paused", "- - - - ready - - - cancelled"),
            ("parked", "- - - - ready - - - cancelled"),
            ("failed", "- - - - - - - - -"),
            ("done", "- - - - - - - - -"),
            ("cancelled", "- - - - - - - - -"),
        ];
        for (state, (word, row)) in states().iter().zip(table) {
            assert_eq!(state.word(), word);
            let after: Vec<&str> =
                events().map(|event| state.next(event, at(5)).map_or("-", |state| state.word())).into();
            assert_eq!(after.join(" "), row, "{word}");
        }
    }

    #[test]
    fn an_illegal_event_names_both_sides() {
        let error = TaskState::Done { at: at(1) }.next(TaskEvent::Resume, at(5)).unwrap_err();
        assert_eq!(error.to_string(), "a task that is done cannot be resumed");
    }

    #[test]
    fn whatever_can_go_on_by_itself_is_due_and_nothing_else_is() {
        for state in states() {
            let goes_on = state.next(TaskEvent::Claim, at(5)).is_ok();
            assert_eq!(state.due_at().is_some(), goes_on, "{state}");
            assert_eq!(state.is_over(), state.next(TaskEvent::Cancel, at(5)).is_err(), "{state}");
        }
        assert_eq!(TaskState::Waiting { wake_at: at(9), reason: reason() }.due_at(), Some(at(9)));
    }
}
