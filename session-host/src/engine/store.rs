//! Reads that are tried again, and commits whose fate is found out.

use std::sync::Arc;
use std::time::Duration;

use transfer::mutated;
use transfer::table::{CommitError, Key, List, Record, Table, TableError, Write};

use super::Halt;

/// How often a table call is tried before the run gives up; its lease and open intent keep everything safe.
const TRIES: u32 = 6;
/// The first pause between tries; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// The table, with patience.
pub(crate) struct Store {
    table: Arc<dyn Table>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It stands.
    Yes,
    /// A guard did not hold, so nothing was written: read again and decide anew.
    Conflict,
}

impl Store {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// One item.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Record>, Halt> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.table.get(key).await {
                Ok(record) => return Ok(record),
                Err(error @ (TableError::Unreadable { .. } | TableError::Newer { .. })) => {
                    return Err(Halt::Corrupt(error.to_string()));
                }
                Err(TableError::Failed(why)) => tracing::warn!(%key, why, "a read failed and is tried again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.table.get(key).await.map_err(|error| Halt::Unavailable(error.to_string()))
    }

    /// A list; eventually consistent.
    pub(crate) async fn list(&self, list: List) -> Result<Vec<Record>, Halt> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.table.list(list).await {
                Ok(records) => return Ok(records),
                Err(error @ (TableError::Unreadable { .. } | TableError::Newer { .. })) => {
                    return Err(Halt::Corrupt(error.to_string()));
                }
                Err(TableError::Failed(why)) => tracing::warn!(?list, why, "a list failed and is tried again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.table.list(list).await.map_err(|error| Halt::Unavailable(error.to_string()))
    }

    /// Commits `writes`. When the answer is lost, `stands` is asked of the item under `mark` as it is now: it says
    /// whether this very commit was applied, because it changed that item in a way that nothing else does.
    pub(crate) async fn commit(
        &self,
        writes: &[Write],
        mark: &Key,
        stands: impl Fn(Option<&Record>) -> bool + Send + Sync,
    ) -> Result<Committed, Halt> {
        let mut pause = PAUSE;
        for tried in 1..=TRIES {
            match self.table.commit(writes.to_vec()).await {
                Ok(()) => return Ok(Committed::Yes),
                // After a lost answer even a conflict can be our own first write.
                Err(CommitError::Conflict(why)) => {
                    tracing::debug!(%mark, why, "a commit met another writer");
                    let now = self.get(mark).await?;
                    return Ok(if tried > 1 && stands(now.as_ref()) { Committed::Yes } else { Committed::Conflict });
                }
                Err(CommitError::Unknown(_)) if mutated!(LostAnswerApplied) => return Ok(Committed::Yes),
                Err(CommitError::Unknown(_)) if mutated!(LostAnswerRedone) => return Ok(Committed::Conflict),
                Err(CommitError::Unknown(why)) => {
                    tracing::warn!(%mark, why, "the answer to a commit was lost; looking whether it stands");
                    if stands(self.get(mark).await?.as_ref()) {
                        return Ok(Committed::Yes);
                    }
                }
                Err(CommitError::Refused(why)) => tracing::warn!(%mark, why, "a commit was refused; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Halt::Unavailable(format!("a commit to {mark} was not accepted {TRIES} times")))
    }
}

/// The record's task, account and so on, or a clear complaint.
macro_rules! expect_item {
    ($record:expr, $variant:ident, $key:expr) => {
        match $record {
            Some(transfer::table::Record { item: transfer::table::Item::$variant(inner), version }) => {
                Some((inner, version))
            }
            Some(other) => {
                return Err(Halt::Corrupt(format!("{} holds another kind of item: {:?}", $key, other.item.key())))
            }
            None => None,
        }
    };
}
pub(crate) use expect_item;
