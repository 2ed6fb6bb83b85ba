//! What the function wants to know and only a host can find out, because it needs an account: what stands behind a draft
//! of a transfer before the admin confirms it.
//!
//! An inquiry is stored before its job is queued. The host that takes the job answers by editing the message that the
//! function sent; running twice edits twice and does no harm. What nobody answered in time expires.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{BotMessageId, ChatId, InquiryId};
use crate::submit::NewTask;
use crate::text::Language;

/// For how long an answer is worth something.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// A question to whichever host takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Its id.
    pub id: InquiryId,
    /// Who asks.
    pub chat: ChatId,
    /// The message that shows the answer; `None` until the function has sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// In which language to answer.
    pub language: Language,
    /// The admin's zone, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is asked.
    pub question: Question,
    /// When.
    pub asked_at: Timestamp,
    /// Counts its jobs.
    pub seq: u64,
    /// Whether it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Question {
    /// What a transfer would carry, with whom, and for how long.
    Preview {
        /// The transfer.
        draft: Box<NewTask>,
    },
}

/// What a host found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// It can be carried.
    Preview(Box<Preview>),
    /// It cannot, for now or for ever; the reason says what to do.
    Impossible {
        /// Why, and what to do.
        reason: Obstacle,
    },
}

/// What a transfer would carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The source's title.
    pub source: String,
    /// The target's title.
    pub target: String,
    /// Accounts that can read the source and post in the target.
    pub accounts_able: u32,
    /// Accounts that cannot, or have to wait before they can be asked.
    pub accounts_other: u32,
    /// Messages that match.
    pub matching: Count,
    /// Albums among them.
    pub albums: Count,
    /// How long it will take, from pace, budgets and the floods of the last days; `None` when nobody can tell.
    pub estimate: Option<SignedDuration>,
}

/// A number that was counted, or extrapolated from a sample of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub number: u64,
    /// Whether every message of the range was looked at.
    pub exact: bool,
}

/// What stands in the way of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Obstacle {
    /// The pool is empty, or nobody in it may work.
    NoAccount,
    /// No account finds such a chat.
    UnknownChat {
        /// Which, as the admin named it.
        address: String,
    },
    /// No account may read the source.
    Unreadable {
        /// The source.
        address: String,
    },
    /// No account may post in the target.
    Unpostable {
        /// The target.
        address: String,
    },
    /// Its content is protected: Telegram lets nobody forward from it, and Ferry does not work around that.
    Protected {
        /// The source's title.
        title: String,
    },
    /// Source and target are one chat.
    SameChat {
        /// Its title.
        title: String,
    },
    /// Nothing in the source matches.
    NothingMatches {
        /// The source's title.
        title: String,
    },
    /// Every account has to wait before it can be asked.
    AllLimited {
        /// The first one's wait ends.
        until: Timestamp,
    },
    /// Telegram could not be reached.
    Unreachable,
    /// Nobody answered in time.
    Expired,
}
