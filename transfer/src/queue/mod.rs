//! The queue port. A job is a pointer: the truth is the table, so a lost, doubled or late job does no harm.

pub mod memory;
pub mod sqs;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, InquiryId, LoginId, TaskId};

/// How often a job is received before it goes to the dead letters.
pub const RECEIVES_MAX: u32 = 5;
/// For how long a second job with the same deduplication id is taken for the first one sent again (SQS fixes this).
pub const DEDUPLICATION: Duration = Duration::from_secs(300);
/// Jobs that one receive may bring (SQS fixes this).
pub const RECEIVE_MAX: u32 = 10;

/// What a queue message says: go and look at this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Version of this shape; 1.
    pub v: u8,
    /// At what.
    #[serde(flatten)]
    pub about: About,
    /// Counts the jobs about the same thing; `task:seq` is the deduplication id.
    pub seq: u64,
}

/// What a job is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum About {
    /// A task to work on.
    Batch {
        /// Which; also the FIFO group, so that one job of a task is in flight at a time.
        task: TaskId,
        /// The batch it was sent for; for people who read the queue.
        batch: u32,
    },
    /// A question to answer.
    Inquiry {
        /// Which.
        inquiry: InquiryId,
    },
    /// A login whose next step is a host's.
    Login {
        /// Which.
        login: LoginId,
    },
    /// An account that is to leave the pool.
    Leaving {
        /// Which.
        leaving: AccountId,
    },
    /// Every account is to be signed out at once.
    Panic {
        /// Always true: the word stands for itself.
        panic: bool,
    },
}

/// A job that was received and is not yet deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue's name for the message, which it keeps as a dead letter: by it a person finds it there.
    pub id: String,
    /// The message's body. Whatever is no [`Job`] goes to the dead letters by being left alone.
    pub body: String,
    /// With which this delivery is extended or deleted.
    pub receipt: Receipt,
    /// How often it has been received, from 1.
    pub attempt: u32,
}

impl Job {
    /// The job to work on a task.
    pub fn batch(task: TaskId, batch: u32, seq: u64) -> Self {
        Self { v: 1, about: About::Batch { task, batch }, seq }
    }

    /// The job to answer an inquiry.
    pub fn inquiry(inquiry: InquiryId, seq: u64) -> Self {
        Self { v: 1, about: About::Inquiry { inquiry }, seq }
    }

    /// The job to take the next step of a login.
    pub fn login(login: LoginId, seq: u64) -> Self {
        Self { v: 1, about: About::Login { login }, seq }
    }

    /// The job to sign an account out and erase it.
    pub fn leaving(account: AccountId, seq: u64) -> Self {
        Self { v: 1, about: About::Leaving { leaving: account }, seq }
    }

    /// The job to sign every account out.
    pub fn panic(seq: u64) -> Self {
        Self { v: 1, about: About::Panic { panic: true }, seq }
    }

    /// Jobs of one group are in flight one at a time, in order.
    pub fn group(&self) -> String {
        match &self.about {
            About::Batch { task, .. } => task.to_string(),
            About::Inquiry { inquiry } => format!("inquiry-{inquiry}"),
            About::Login { login } => format!("login-{login}"),
            About::Leaving { leaving } => format!("leaving-{leaving}"),
            About::Panic { .. } => "panic".to_owned(),
        }
    }

    /// Under which the queue recognises the same job.
    pub fn deduplication_id(&self) -> String {
        format!("{}:{}", self.group(), self.seq)
    }
}

impl Delivery {
    /// The job in the body.
    ///
    /// # Errors
    /// The body is no job of a version this code knows.
    pub fn job(&self) -> Result<Job, BadJob> {
        let job: Job = serde_json::from_str(&self.body).map_err(|source| BadJob::Json { source })?;
        if job.v == 1 { Ok(job) } else { Err(BadJob::Version { found: job.v }) }
    }
}

/// A queue message that is no job.
#[derive(Debug, thiserror::Error)]
pub enum BadJob {
    /// Not the JSON of a job.
    #[error("the queue message is no job; somebody else writes to this queue, or it was cut off")]
    Json {
        /// What serde found.
        source: serde_json::Error,
    },
    /// Written by newer code.
    #[error("the job has version {found}, this host knows version 1: update the host")]
    Version {
        /// The version in the job.
        found: u8,
    },
}

/// SQS's receipt handle: good for one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(pub String);

/// Why a queue call failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The visibility timeout ran out and the job may be with somebody else.
    #[error("the receipt is no longer good: the job's visibility timeout ran out")]
    ReceiptExpired,
    /// The service did not answer, throttled, or refused.
    #[error("the queue failed: {0}")]
    Failed(String),
}

/// A FIFO queue with visibility timeouts and dead letters: SQS, ours on SQLite, or memory.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts a job at the end of its task's group. The same `task:seq` within five minutes is one job.
    async fn send(&self, job: &Job) -> Result<(), QueueError>;
    /// Waits up to `wait` for at most `max` (1 to 10) jobs, which then stay invisible for `visibility`.
    ///
    /// One answer may hold several jobs of one task, in order (SQS does that); no other answer holds any of that task's
    /// until these are deleted or visible again. A job that was received [`RECEIVES_MAX`] times goes to the dead
    /// letters instead of being received once more.
    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError>;
    /// Keeps a received job invisible for `visibility` from now; zero gives it back at once.
    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError>;
    /// Deletes a received job. Deleting it twice is no error.
    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError>;
    /// Throws away all jobs, received or not. On one machine the host that holds the lock file does this at its start:
    /// jobs are pointers, those of its dead predecessor would only stay invisible for a while, and what is due is
    /// queued again. Deduplication ids stay remembered: queue again under the next `seq`. SQS allows it once a minute.
    async fn purge(&self) -> Result<(), QueueError>;
}
