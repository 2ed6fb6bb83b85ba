//! What a decision of the conversation asks the shell to do.
//!
//! Some actions are writes of the one transaction that takes the update: they happen once. The others change what others
//! write to as well, are idempotent, and happen before that transaction, so that a death between the two repeats them.

use super::secret::Secret;
use crate::ids::{AccountId, InquiryId, LoginId, Nonce, TaskId};
use crate::inquiry::Inquiry;
use crate::login::Login;
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
    /// Keep an application in the conversation, sealed. In the transaction.
    KeepApi(NewApi),
    /// Store a login, its secrets sealed. In the transaction.
    BeginLogin(Box<NewLogin>),
    /// Tell a login what its admin did, over the version that was read. In the transaction.
    TellLogin(LoginId, Told),
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
    /// Put an account into a group, or into none.
    Group(AccountId, Option<String>),
    /// Let an account leave the pool: it is signed out and erased.
    Delete(AccountId),
    /// Sign every account out and erase it.
    Panic,
    /// Remove the message that the person sent.
    RemoveMessage,
}

/// An application that an account brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApi {
    /// Its number.
    pub id: i32,
    /// Its hash, to be sealed.
    pub hash: Secret,
}

/// A login that begins, with what is to be sealed before it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLogin {
    /// The login, without these.
    pub login: Login,
    /// An application that was named just now.
    pub api: Option<NewApi>,
    /// The phone number.
    pub phone: Option<Secret>,
}

/// What an admin did to a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Pressed a digit of the code.
    Digit(Secret),
    /// Took the last digit back.
    Erase,
    /// Said that the code is complete.
    Complete,
    /// Wants another code.
    Resend,
    /// Wrote the code as text.
    CodeWritten,
    /// Wrote the password.
    Password(Secret),
    /// Does not want it any more.
    Cancel,
}
