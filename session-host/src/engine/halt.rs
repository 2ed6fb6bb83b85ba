//! Why work on a task ends before its time.

/// Nothing more may be done by this run; whatever was under way stands in the table as an open intent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Another host has the task or the account, or this host could not renew its HOST item in time.
    #[error("this host may no longer act: {0}")]
    LeaseLost(String),
    /// The table or the queue did not do its part for too long.
    #[error("the table or the queue does not answer: {0}")]
    Unavailable(String),
    /// What stands in the table contradicts itself.
    #[error("the table holds something that cannot be: {0}")]
    Corrupt(String),
}
