//! What a task skipped is carried once more, by a task of its own.

use jiff::Timestamp;

use super::{DESCRIPTION_LEN_MAX, SubmitError, read, submit};
use crate::ids::{MessageId, Nonce, TaskId};
use crate::intent::SkipReason;
use crate::queue::Queue;
use crate::selection::Selection;
use crate::table::{Item, Key, Record, Table};
use crate::task::{Checkpoint, Task, TaskState};

/// What a sequence of ids holds at most.
pub(super) const RETRIED_MAX: usize = 10_000;

/// Carries again what a task that is over skipped because Telegram refused it or left it out: a task of its own, with the
/// same title, for exactly those messages. Asking again gives the same task: nothing is retried twice.
///
/// What is gone and service messages are never retried. What nobody can tell of ([`SkipReason::Undetermined`]) is left out
/// too: it may stand in the target, and only the identical call of the same account could be repeated without doubling it;
/// the engine makes that call as a Repeat of the intent it belongs to, never as the First of another task.
///
/// # Errors
/// There is no such task, it is not over, or it skipped nothing that could be retried.
pub async fn retry_skipped(
    table: &dyn Table,
    queue: &dyn Queue,
    id: &TaskId,
    nonce: Nonce,
    now: Timestamp,
) -> Result<Box<Task>, SubmitError> {
    let (task, _) = read(table, id).await?;
    // The ledger of a task that is over does not grow any more, and the follow-up's id follows from the task's.
    let follow_up = retry_id(id);
    if let Some(Record { item: Item::Task(task), .. }) = table.get(&Key::task(&follow_up)).await? {
        return Ok(task);
    }
    if !task.state.is_over() {
        return Err(SubmitError::NotOver(id.clone()));
    }
    let task_key = Key::task(id);
    let mut ids: Vec<MessageId> = Vec::new();
    for record in table.partition(&task_key.pk, "SKIP#").await? {
        let Item::Skip(row) = record.item else { continue };
        match row.reason {
            SkipReason::Refused | SkipReason::Error(_) => ids.extend(row.ids.iter()),
            SkipReason::Service | SkipReason::Deleted | SkipReason::Undetermined => {}
        }
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(SubmitError::NothingToRetry(id.clone()));
    }
    if ids.len() > RETRIED_MAX {
        return Err(SubmitError::TooManyToRetry { task: id.clone(), skipped: ids.len() });
    }
    let retried = follow_up_of(*task, follow_up, nonce, ids, now);
    match submit(table, queue, &retried).await {
        // Two presses at once: whoever came first made it.
        Err(SubmitError::Commit(_)) => Ok(read(table, &retried.id).await?.0),
        other => other.map(|()| Box::new(retried)),
    }
}

fn follow_up_of(task: Task, id: TaskId, nonce: Nonce, ids: Vec<MessageId>, now: Timestamp) -> Task {
    let note = format!("retry of {}", task.id);
    let description = task.description.map_or_else(|| note.clone(), |text| format!("{note}\n{text}"));
    Task {
        id,
        description: Some(description.chars().take(DESCRIPTION_LEN_MAX).collect()),
        created_at: now,
        selection: Selection::only(ids.into()),
        nonce,
        state: TaskState::Ready { since: now },
        last_id: None,
        checkpoint: Checkpoint::default(),
        seq: 1,
        lease: None,
        lease_epoch: 0,
        restored: None,
        ..task
    }
}

/// `task-r`, then `task-r2`: the same for the same task, and short enough for buttons however often it is retried.
pub(super) fn retry_id(id: &TaskId) -> TaskId {
    let generation = |text: &str| if text.is_empty() { Some(1) } else { text.parse::<u32>().ok() };
    match id.0.rsplit_once("-r").and_then(|(first, text)| Some((first, generation(text)?))) {
        Some((first, generation)) => TaskId(format!("{first}-r{}", generation.saturating_add(1))),
        None => TaskId(format!("{id}-r")),
    }
}
