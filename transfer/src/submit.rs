//! What admins do to tasks: ask for one, let it go on, wish it paused or cancelled, carry again what it skipped.
//!
//! The task is committed before its job is sent. If the process dies between the two, the sweeper finds the task due
//! and sends a job; if the answer to a commit is lost, the table is read and whoever asked learns what stands there.

mod retry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::PeerAddress;
use crate::ids::{ChatId, MessageId, Nonce, TaskId};
use crate::intent::{Intent, Skip, SkipReason};
use crate::pace::{BadPace, Pace, Preset};
use crate::queue::{Job, Queue, QueueError};
use crate::selection::{BadSelection, Selection};
use crate::table::item::{Report, SkipRecord};
use crate::table::{CommitError, Guard, Item, Key, Record, Table, TableError, Write};
use crate::task::{
    BATCH_LEN_DEFAULT, Checkpoint, Command, Endpoint, IllegalTransition, Restored, Style, Task, TaskEvent, TaskState,
    Wish,
};

use retry::RETRIED_MAX;
pub use retry::retry_skipped;

/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 20;
/// Titles are shown in lists and messages.
const TITLE_LEN_MAX: usize = 200;
/// Descriptions are shown on the task's page, beside everything else.
const DESCRIPTION_LEN_MAX: usize = 1_000;

/// A transfer that somebody asks for. Begins with [`NewTask::new`]; what is not set keeps its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    /// Its id, drawn by the caller.
    pub id: TaskId,
    /// From which its random ids are derived, drawn by the caller and never used before.
    pub nonce: Nonce,
    /// What the admin calls it.
    pub title: String,
    /// From where.
    pub source: PeerAddress,
    /// To where.
    pub target: PeerAddress,
    /// A topic of the target.
    pub topic: Option<MessageId>,
    /// Which messages.
    pub selection: Selection,
    /// How they are forwarded.
    pub style: Style,
    /// How fast.
    pub pace: Pace,
    /// Messages in a batch.
    pub batch_len: u32,
    /// Whether to pause after each batch.
    pub pause_after_batch: bool,
    /// Only accounts of this group.
    pub group: Option<String>,
    /// Whether accounts that are not inside may join source and target.
    #[serde(default)]
    pub join: bool,
    /// What the admin notes about it.
    pub description: Option<String>,
    /// The chat with the admin who asks.
    pub owner: Option<ChatId>,
}

/// Why a transfer makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTask {
    /// Into itself.
    #[error("source and target are the same chat, {0}: choose another target")]
    SameChat(PeerAddress),
    /// The selection can select nothing.
    #[error(transparent)]
    Selection(#[from] BadSelection),
    /// A pace that nobody means.
    #[error(transparent)]
    Pace(#[from] BadPace),
    /// A batch of no messages never ends.
    #[error("a batch has at least one message")]
    EmptyBatch,
    /// Telegram refuses it.
    #[error("captions can only be dropped together with the author: ask for both")]
    CaptionsWithAuthor,
    /// The topic is named by its first message's id.
    #[error("{0} is no topic: message ids begin at 1")]
    Topic(MessageId),
    /// The title is too long to show.
    #[error("a title has at most {TITLE_LEN_MAX} characters")]
    Title,
    /// The description is too long to show.
    #[error("a description has at most {DESCRIPTION_LEN_MAX} characters")]
    Description,
}

/// Why a task could not be asked for or changed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The task stands in the table; a host finds it by itself, within minutes.
    #[error("the task is stored, but its job was not queued; a host will find it: {0}")]
    Queue(#[from] QueueError),
    /// There is no such task.
    #[error("there is no task {0}")]
    Unknown(TaskId),
    /// It cannot do that now.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// Nobody knows what it delivered after the backup that it came from.
    #[error("task {task} was {}", Restored::reason(*.backed_up_at))]
    Restored {
        /// Which.
        task: TaskId,
        /// When the backup was made.
        backed_up_at: Timestamp,
    },
    /// Its ledger may still grow.
    #[error("task {0} is not over: what it skips is retried when it is")]
    NotOver(TaskId),
    /// Its ledger holds nothing that a retry could carry.
    #[error("task {0} skipped nothing that could be carried after all")]
    NothingToRetry(TaskId),
    /// More than one selection can name.
    #[error("task {task} skipped {skipped} messages, a retry names at most {RETRIED_MAX}: repeat it as a new task")]
    TooManyToRetry {
        /// Which.
        task: TaskId,
        /// How many.
        skipped: usize,
    },
    /// Others wrote to the task again and again.
    #[error("task {0} is written to by others all the time; try again")]
    Contended(TaskId),
}

impl NewTask {
    /// Everything from `source` to `target`, at the original's pace and batch size, going on after each batch.
    pub fn new(id: TaskId, nonce: Nonce, source: PeerAddress, target: PeerAddress) -> Self {
        Self {
            id,
            nonce,
            title: format!("{source} to {target}"),
            source,
            target,
            topic: None,
            selection: Selection::everything(),
            style: Style::default(),
            pace: Preset::Small.pace(),
            batch_len: BATCH_LEN_DEFAULT,
            pause_after_batch: false,
            group: None,
            join: false,
            description: None,
            owner: None,
        }
    }

    /// The task, ready to be submitted.
    ///
    /// # Errors
    /// It makes no sense; nothing was stored.
    pub fn build(self, now: Timestamp) -> Result<Task, BadTask> {
        if self.source == self.target {
            return Err(BadTask::SameChat(self.source));
        }
        self.selection.validate()?;
        self.pace.validate()?;
        if self.batch_len == 0 {
            return Err(BadTask::EmptyBatch);
        }
        if self.style.drop_captions && !self.style.drop_author {
            return Err(BadTask::CaptionsWithAuthor);
        }
        if let Some(topic) = self.topic.filter(|topic| topic.0 < 1) {
            return Err(BadTask::Topic(topic));
        }
        if self.title.chars().count() > TITLE_LEN_MAX {
            return Err(BadTask::Title);
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_LEN_MAX) {
            return Err(BadTask::Description);
        }
        let endpoint = |address, topic| Endpoint { address, peer: None, title: None, topic };
        Ok(Task {
            id: self.id,
            title: self.title,
            description: self.description,
            owner: self.owner,
            created_at: now,
            source: endpoint(self.source, None),
            target: endpoint(self.target, self.topic),
            selection: self.selection,
            style: self.style,
            pace: self.pace,
            batch_len: self.batch_len,
            pause_after_batch: self.pause_after_batch,
            group: self.group,
            join: self.join,
            bound_to: None,
            nonce: self.nonce,
            state: TaskState::Ready { since: now },
            last_id: None,
            checkpoint: Checkpoint::default(),
            seq: 1,
            lease: None,
            lease_epoch: 0,
            restored: None,
        })
    }
}

/// Stores a new task and queues its first job.
///
/// # Errors
/// [`SubmitError::Queue`]: the task is stored all the same. Anything else: it is not.
pub async fn submit(table: &dyn Table, queue: &dyn Queue, task: &Task) -> Result<(), SubmitError> {
    let item = Item::Task(Box::new(task.clone()));
    let key = item.key();
    let mut writes = vec![Write::Put { item, guard: Guard::Absent }];
    writes.extend(report_of(task, task.created_at));
    let committed = table.commit(writes).await;
    if let Err(error) = committed {
        // The answer to an earlier attempt may have been lost, also inside the client: our nonce tells.
        let stored = table.get(&key).await?;
        let ours = stored.is_some_and(|stored| matches!(stored.item, Item::Task(stored) if stored.nonce == task.nonce));
        if !ours {
            return Err(error.into());
        }
    }
    Ok(queue.send(&job_of(task)).await?)
}

/// Lets a task that is paused, parked or waiting go on at once. One that goes on already is left alone.
///
/// # Errors
/// There is no such task, or it is over.
pub async fn resume(
    table: &dyn Table,
    queue: &dyn Queue,
    id: &TaskId,
    now: Timestamp,
) -> Result<Box<Task>, SubmitError> {
    for _ in 0..CONFLICTS_MAX {
        let (mut task, version) = read(table, id).await?;
        let command = table.get(&Key::command(id)).await?;
        let mut writes: Vec<Write> = command.and_then(lift).into_iter().collect();
        let goes_on = matches!(task.state, TaskState::Ready { .. } | TaskState::Running { .. });
        if let Some(restored) = task.restored.as_ref().filter(|_| !task.state.is_over()) {
            return Err(SubmitError::Restored { task: id.clone(), backed_up_at: restored.backed_up_at });
        }
        if !goes_on {
            task.next(TaskEvent::Resume, now)?;
            task.seq += 1;
            writes.push(Write::Put { item: Item::Task(task.clone()), guard: Guard::Version(version) });
            writes.extend(reopened(table, &task, now).await?);
        }
        if writes.is_empty() {
            return Ok(task);
        }
        match table.commit(writes).await {
            Ok(()) if goes_on => return Ok(task),
            Ok(()) => {
                queue.send(&job_of(&task)).await?;
                return Ok(task);
            }
            // Read again: what stands there says whether it was written.
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(SubmitError::Contended(id.clone()))
}

/// Notes what the admin wishes of a task: read by its holder before the next chunk. A task that nobody works on is
/// paused or cancelled at once.
///
/// # Errors
/// There is no such task, or it is over.
pub async fn wish(
    table: &dyn Table,
    id: &TaskId,
    wish: Wish,
    pace: Option<Pace>,
    now: Timestamp,
) -> Result<(), SubmitError> {
    note(table, id, Some(wish), pace, now).await
}

/// Notes another pace, from the next chunk on, beside whatever is wished of the task already.
///
/// # Errors
/// There is no such task, or it is over.
pub async fn repace(table: &dyn Table, id: &TaskId, pace: Pace, now: Timestamp) -> Result<(), SubmitError> {
    note(table, id, None, Some(pace), now).await
}

/// A wish to cancel stays whatever is wished after it: the admin was told that the task ends.
async fn note(
    table: &dyn Table,
    id: &TaskId,
    wish: Option<Wish>,
    pace: Option<Pace>,
    now: Timestamp,
) -> Result<(), SubmitError> {
    for _ in 0..CONFLICTS_MAX {
        let (task, version) = read(table, id).await?;
        let stored = table.get(&Key::command(id)).await?;
        let guard = stored.as_ref().map_or(Guard::Absent, |stored| Guard::Version(stored.version));
        let earlier = stored.and_then(|stored| match stored.item {
            Item::Command(command) => Some(command),
            _ => None,
        });
        let wished = earlier.as_ref().map_or(Wish::Run, |earlier| earlier.wish);
        let wish = if wished == Wish::Cancel { wished } else { wish.unwrap_or(wished) };
        let pace = pace.or(earlier.and_then(|earlier| earlier.pace));
        let command = Command { task: id.clone(), wish, pace };
        let mut writes = vec![Write::Put { item: Item::Command(command), guard }];
        let at_once = at_once(task.clone(), version, wish, now)?;
        if !at_once.is_empty() {
            writes.extend(reopened(table, &task, now).await?);
        }
        writes.extend(at_once);
        match table.commit(writes).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(SubmitError::Contended(id.clone()))
}

/// A task of somebody's begins with a report that is open.
fn report_of(task: &Task, now: Timestamp) -> Option<Write> {
    let owner = task.owner?;
    let report =
        Report { task: task.id.clone(), chat: owner, message: None, told: 0, state: None, open_since: Some(now) };
    Some(Write::Put { item: Item::Report(report), guard: Guard::Absent })
}

/// The task of somebody's changes: whatever was told before, there is something to tell. In one commit with the change, or
/// a death in between would leave it untold.
async fn reopened(table: &dyn Table, task: &Task, now: Timestamp) -> Result<Option<Write>, TableError> {
    if task.owner.is_none() {
        return Ok(None);
    }
    Ok(match table.get(&Key::report(&task.id)).await? {
        Some(Record { item: Item::Report(report), version }) => {
            let item = Item::Report(Report { open_since: Some(now), ..report });
            Some(Write::Put { item, guard: Guard::Version(version) })
        }
        Some(_) | None => report_of(task, now),
    })
}

/// The transition that needs no holder: nobody works on the task, and nothing of it is open - or it is parked because
/// nobody could settle what is open, and the admin, who was asked to look at the target, ends it.
fn at_once(mut task: Box<Task>, version: u64, wish: Wish, now: Timestamp) -> Result<Vec<Write>, IllegalTransition> {
    let gives_up = wish == Wish::Cancel && matches!(task.state, TaskState::Parked { .. });
    if task.lease.is_some() || (task.checkpoint.intent.is_some() && !gives_up) {
        return Ok(Vec::new());
    }
    let event = match (wish, &task.state) {
        (Wish::Run, _) | (Wish::Pause, TaskState::Paused { .. } | TaskState::Parked { .. }) => return Ok(Vec::new()),
        (Wish::Pause, _) => TaskEvent::Pause { reason: "the admin paused it".to_owned() },
        (Wish::Cancel, _) => TaskEvent::Cancel,
    };
    task.next(event, now)?;
    let mut writes = task.checkpoint.intent.take().map_or_else(Vec::new, |intent| undetermined(&mut task, intent, now));
    writes.push(Write::Put { item: Item::Task(task), guard: Guard::Version(version) });
    Ok(writes)
}

/// Nobody can tell whether these messages arrived: they stand in the ledger as just that.
fn undetermined(task: &mut Task, intent: Intent, now: Timestamp) -> Vec<Write> {
    let open = Skip { ids: intent.ids, reason: SkipReason::Undetermined };
    let skips: Vec<Skip> = intent.skips.into_iter().chain([open]).collect();
    let skipped: u64 = skips.iter().map(|skip| skip.ids.len() as u64).sum();
    task.checkpoint.counts.matched += skipped;
    task.checkpoint.counts.skipped += skipped;
    let account = Some(intent.account);
    let rows = skips.into_iter().map(|skip| SkipRecord::new(&task.id, skip, account.clone(), now));
    rows.map(|row| Write::Put { item: Item::Skip(row), guard: Guard::None }).collect()
}

/// What makes a standing wish to pause go away.
fn lift(record: Record) -> Option<Write> {
    match record.item {
        Item::Command(command) if command.wish == Wish::Pause => {
            let item = Item::Command(Command { wish: Wish::Run, ..command });
            Some(Write::Put { item, guard: Guard::Version(record.version) })
        }
        _ => None,
    }
}

/// The job that points to the task as it stands.
fn job_of(task: &Task) -> Job {
    Job::batch(task.id.clone(), task.checkpoint.batches + 1, task.seq)
}

async fn read(table: &dyn Table, id: &TaskId) -> Result<(Box<Task>, u64), SubmitError> {
    match table.get(&Key::task(id)).await? {
        Some(Record { item: Item::Task(task), version }) => Ok((task, version)),
        Some(_) | None => Err(SubmitError::Unknown(id.clone())),
    }
}

#[cfg(test)]
mod tests;
