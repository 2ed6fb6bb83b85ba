//! Making a backup, also while hosts work.
//!
//! A table that is written to cannot be read in one moment. What must agree is each task with its rows: so the task is
//! read first, then its partition, and rows that are younger than the task as it was read are left out. Rows are only
//! added, never changed: what is left is the task with its rows as they stood in that moment. Between two tasks, and
//! between tasks and accounts, nothing has to agree: a restored account keeps the later waits, and a task that went on
//! after the backup is put back as one that did (`plan`).

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use transfer::table::dynamo::WholeTable;
use transfer::table::{Item, TableError};
use transfer::task::Task;

use super::file::{FileError, Header, Writing};

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Items of every kind.
    pub items: u64,
    /// Tasks among them.
    pub tasks: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The table failed, or holds what this code cannot read.
    #[error("the table cannot be backed up: {0}")]
    Table(#[from] TableError),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes all of the table to a new file.
///
/// # Errors
/// Nothing is left of the file.
pub async fn take(table: &WholeTable, path: &Path, release: &str, now: Timestamp) -> Result<Taken, TakeError> {
    let mut writing = Writing::begin(path, &Header::new(table.name(), release, now))?;
    let mut tasks = BTreeSet::new();
    table
        .scan(|stored| {
            // Whatever cannot be read could not be restored either: better said now than then.
            stored.record()?;
            if stored.partition().starts_with("TASK#") {
                tasks.insert(stored.key().0.to_owned());
                return Ok(());
            }
            writing.add(&stored).map_err(TakeError::from)
        })
        .await?;
    let mut taken = 0;
    for pk in tasks {
        // Deleted meanwhile.
        let Some(stored) = table.get((&pk, "TASK")).await? else { continue };
        let Item::Task(task) = stored.record()?.item else { continue };
        writing.add(&stored)?;
        taken += 1;
        for row in table.partition(&pk).await? {
            if row.key() != stored.key() && !is_younger(&row.record()?.item, &task) {
                writing.add(&row)?;
            }
        }
    }
    Ok(Taken { items: writing.end()?, tasks: taken })
}

/// Whether the row was added after the task was as it is here.
fn is_younger(row: &Item, task: &Task) -> bool {
    let checkpoint = &task.checkpoint;
    match row {
        Item::Chunk(chunk) => chunk.number > checkpoint.chunks,
        Item::Batch(batch) => batch.number > checkpoint.batches,
        Item::Event(event) => event.ordinal > checkpoint.events,
        // Whoever cancels an uncertain chunk enters it above the cursor; after that nothing is added.
        Item::Skip(skip) => {
            let open = skip.ids.first().filter(|first| !checkpoint.ahead.contains(first));
            !task.state.is_over() && open.is_some_and(|first| first > checkpoint.cursor)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use transfer::contract::samples;
    use transfer::ids::{MessageId, TaskId};
    use transfer::intent::{Skip, SkipReason};
    use transfer::sequence::IdSequence;
    use transfer::table::item::SkipRecord;
    use transfer::task::TaskState;

    use super::*;

    fn skip(first: i32) -> Item {
        let skip = Skip { ids: IdSequence::from_vec(vec![MessageId(first)]), reason: SkipReason::Deleted };
        Item::Skip(SkipRecord::new(&TaskId::from("t"), skip, None, samples::instant(0)))
    }

    #[test]
    fn rows_that_came_after_the_task_was_read_are_left_out() {
        let mut task = samples::task("t", TaskState::Running { since: samples::instant(0) });
        task.checkpoint.events = 3;
        task.checkpoint.cursor = MessageId(50);
        task.checkpoint.ahead = vec![MessageId(60)];
        let event = |ordinal| Item::Event(samples::event("t", ordinal, ""));
        assert_eq!([3, 4].map(|ordinal| is_younger(&event(ordinal), &task)), [false, true]);
        assert_eq!([50, 51, 60].map(|first| is_younger(&skip(first), &task)), [false, true, false]);
        task.state = TaskState::Cancelled { at: samples::instant(1) };
        assert!(!is_younger(&skip(51), &task), "an uncertain chunk that was given up");
    }
}
