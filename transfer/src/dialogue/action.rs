//! What a decision of the conversation asks the shell to do.
//!
//! Some actions are writes of the one transaction that takes the update: they happen once. The others change what others
//! write to as well, are idempotent, and happen before that transaction, so that a death between the two repeats them.

use crate::ids::{AccountId, InquiryId, Nonce, TaskId};
use crate::inquiry::Inquiry;
use crate::pace::Pace;
use crate::table::item::RecentPeer;
use crate::task::{Task, Wish};
use crate::text::Language;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Store a question to the hosts. In the transaction.
    Ask(Box<Inquiry>),
    /// Remove a question that nobody wants answered any more. In the transaction.
    Withdraw(InquiryId),
    /// Store a transfer, and that its progress is to be shown. In the transaction.
    Submit(Box<Task>),
    /// Put these first among the recent chats. In the transaction.
    Remember(Vec<RecentPeer>),
    /// Speak this language. In the transaction.
    Speak(Language),
    /// Tell times in this zone; `None`: in the installation's. In the transaction.
    SetZone(Option<String>),
    /// Note what is wished of a transfer.
    Wish(TaskId, Wish),
    /// Let a transfer go on.
    Resume(TaskId),
    /// Give a transfer another pace.
    SetPace(TaskId, Pace),
    /// Carry again what a transfer skipped, as a transfer of its own.
    Retry {
        /// What it skipped.
        of: TaskId,
        /// The new transfer's nonce.
        nonce: Nonce,
    },
    /// Let an account be chosen, or not.
    Enable(AccountId, bool),
    /// Set an account's priority.
    Priority(AccountId, i32),
    /// Name an account.
    Label(AccountId, String),
    /// Forget an account's waits.
    ResetWaits(AccountId),
    /// Remove an account from the pool.
    Delete(AccountId),
    /// Remove the message that the person sent.
    RemoveMessage,
}
