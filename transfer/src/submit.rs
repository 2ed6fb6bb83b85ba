//! What admins do to tasks: ask for one, let it go on, wish it paused or cancelled.
//!
//! The task is committed before its job is sent. If the process dies between the two, the sweeper finds the task due
//! and sends a job; if the answer to a commit is lost, the table is read and whoever asked learns what stands there.

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
    BATCH_LEN_DEFAULT, Checkpoint, Command, Endpoint, IllegalTransition, Style, Task, TaskEvent, TaskState, Wish,
};

/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 20;
/// What a sequence of ids holds at most.
const RETRIED_MAX: usize = 10_000;
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
            bound_to: None,
            nonce: self.nonce,
            state: TaskState::Ready { since: now },
            last_id: None,
            checkpoint: Checkpoint::default(),
            seq: 1,
            lease: None,
            lease_epoch: 0,
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

/// `task-r`, then `task-r2`: the same for the same task, and short enough for buttons however often it is retried.
fn retry_id(id: &TaskId) -> TaskId {
    let generation = |text: &str| if text.is_empty() { Some(1) } else { text.parse::<u32>().ok() };
    match id.0.rsplit_once("-r").and_then(|(first, text)| Some((first, generation(text)?))) {
        Some((first, generation)) => TaskId(format!("{first}-r{}", generation.saturating_add(1))),
        None => TaskId(format!("{id}-r")),
    }
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
        ..task
    }
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::ids::Incarnation;
    use crate::lease::Lease;
    use crate::queue::memory::MemoryQueue;
    use crate::selection::Range;
    use crate::table::memory::MemoryTable;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn asked(id: &str) -> NewTask {
        NewTask::new(id.into(), Nonce([7; 16]), "@source".parse().unwrap(), "@target".parse().unwrap())
    }

    fn world() -> (MemoryTable, MemoryQueue) {
        (MemoryTable::default(), MemoryQueue::new(Clock::starting_at(NOW)))
    }

    async fn jobs(queue: &MemoryQueue) -> Vec<(String, u64)> {
        let received = queue.receive(10, Duration::ZERO, Duration::ZERO).await.unwrap();
        let job = |delivery: &crate::queue::Delivery| delivery.job().unwrap();
        received.iter().map(|delivery| (job(delivery).group(), job(delivery).seq)).collect()
    }

    /// Puts the task into a state, as a host would.
    async fn put(table: &MemoryTable, id: &TaskId, change: impl FnOnce(&mut Task)) {
        let (mut task, version) = read(table, id).await.unwrap();
        change(&mut task);
        table.commit(vec![Write::Put { item: Item::Task(task), guard: Guard::Version(version) }]).await.unwrap();
    }

    #[test]
    fn senseless_transfers_are_refused() {
        let bad = |change: fn(&mut NewTask)| {
            let mut asked = asked("t");
            change(&mut asked);
            asked.build(NOW).unwrap_err()
        };
        assert_eq!(bad(|task| task.target = "@SOURCE".parse().unwrap()), BadTask::SameChat("@source".parse().unwrap()));
        assert_eq!(bad(|task| task.batch_len = 0), BadTask::EmptyBatch);
        assert_eq!(bad(|task| task.style.drop_captions = true), BadTask::CaptionsWithAuthor);
        assert_eq!(bad(|task| task.topic = Some(MessageId(0))), BadTask::Topic(MessageId(0)));
        assert_eq!(bad(|task| task.title = "x".repeat(201)), BadTask::Title);
        assert!(matches!(bad(|task| task.pace.long_pause_ms = u64::MAX), BadTask::Pace(_)));
        assert!(matches!(
            bad(|task| task.selection.range = Range::From(MessageId(-1))),
            BadTask::Selection(BadSelection::NoId(_))
        ));
        let task = asked("t").build(NOW).unwrap();
        assert_eq!((task.batch_len, task.pace), (500, Pace::default()), "the original's defaults");
    }

    #[tokio::test]
    async fn a_task_is_stored_and_queued_once_however_often_it_is_submitted() {
        let (table, queue) = world();
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        submit(&table, &queue, &task).await.unwrap();
        assert_eq!(jobs(&queue).await, [("t".to_owned(), 1)]);
        let other = Task { nonce: Nonce([8; 16]), ..task };
        assert!(matches!(submit(&table, &queue, &other).await, Err(SubmitError::Commit(_))), "another task has the id");
    }

    #[tokio::test]
    async fn a_paused_task_goes_on_under_the_next_seq() {
        let (table, queue) = world();
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        queue.purge().await.unwrap();
        resume(&table, &queue, &task.id, NOW).await.unwrap();
        assert!(jobs(&queue).await.is_empty(), "it goes on already");
        wish(&table, &task.id, Wish::Pause, None, NOW).await.unwrap();
        assert_eq!(read(&table, &task.id).await.unwrap().0.state.word(), "paused");
        let resumed = resume(&table, &queue, &task.id, NOW).await.unwrap();
        assert_eq!((resumed.state.word(), resumed.seq), ("ready", 2));
        assert_eq!(jobs(&queue).await, [("t".to_owned(), 2)]);
        let command = table.get(&Key::command(&task.id)).await.unwrap().unwrap();
        assert!(matches!(command.item, Item::Command(Command { wish: Wish::Run, .. })), "else it pauses again");
    }

    #[tokio::test]
    async fn a_task_in_somebodys_hands_is_only_wished_something() {
        let (table, queue) = world();
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        put(&table, &task.id, |task| {
            task.next(TaskEvent::Claim, NOW).unwrap();
            task.lease = Some(Lease { host: "h".into(), incarnation: Incarnation("i".to_owned()) });
        })
        .await;
        let pace = Preset::Large.pace();
        wish(&table, &task.id, Wish::Run, Some(pace), NOW).await.unwrap();
        wish(&table, &task.id, Wish::Cancel, None, NOW).await.unwrap();
        assert_eq!(read(&table, &task.id).await.unwrap().0.state.word(), "running");
        let command = table.get(&Key::command(&task.id)).await.unwrap().unwrap();
        assert_eq!(
            command.item,
            Item::Command(Command { task: task.id.clone(), wish: Wish::Cancel, pace: Some(pace) })
        );
    }

    async fn report(table: &MemoryTable, id: &TaskId) -> Report {
        let Some(Item::Report(report)) = table.get(&Key::report(id)).await.unwrap().map(|record| record.item) else {
            panic!("a task of somebody's has a report")
        };
        report
    }

    #[tokio::test]
    async fn whatever_changes_a_task_of_somebodys_opens_its_report() {
        let (table, queue) = world();
        let task = Task { owner: Some(ChatId(7)), ..asked("t").build(NOW).unwrap() };
        submit(&table, &queue, &task).await.unwrap();
        let close = async || {
            let report = Report { open_since: None, ..report(&table, &task.id).await };
            table.commit(vec![Write::Put { item: Item::Report(report), guard: Guard::None }]).await.unwrap();
        };
        assert_eq!(report(&table, &task.id).await.open_since, Some(NOW));
        close().await;
        let later = Timestamp::from_second(9).unwrap();
        wish(&table, &task.id, Wish::Pause, None, later).await.unwrap();
        assert_eq!(report(&table, &task.id).await.open_since, Some(later));
        close().await;
        resume(&table, &queue, &task.id, later).await.unwrap();
        assert_eq!(report(&table, &task.id).await.open_since, Some(later));
    }

    #[tokio::test]
    async fn what_was_refused_is_retried_once_by_a_task_of_its_own() {
        let (table, queue) = world();
        let task = Task { owner: Some(ChatId(7)), ..asked("t").build(NOW).unwrap() };
        submit(&table, &queue, &task).await.unwrap();
        let nonce = Nonce([9; 16]);
        let retry = async || retry_skipped(&table, &queue, &task.id, nonce, NOW).await;
        assert!(matches!(retry().await, Err(SubmitError::NotOver(_))));
        put(&table, &task.id, |task| task.state = TaskState::Done { at: NOW }).await;
        assert!(matches!(retry().await, Err(SubmitError::NothingToRetry(_))));
        let reasons = [
            (3, SkipReason::Error("MEDIA_EMPTY".to_owned())),
            (1, SkipReason::Refused),
            (4, SkipReason::Deleted),
            (5, SkipReason::Service),
            (6, SkipReason::Undetermined),
        ];
        for (id, reason) in reasons {
            let row = SkipRecord::new(&task.id, Skip { ids: vec![MessageId(id)].into(), reason }, None, NOW);
            table.commit(vec![Write::Put { item: Item::Skip(row), guard: Guard::None }]).await.unwrap();
        }
        let retried = retry().await.unwrap();
        assert_eq!(retried.selection, Selection::only(vec![MessageId(1), MessageId(3)].into()));
        assert_eq!((retried.title.as_str(), retried.nonce), (task.title.as_str(), nonce));
        assert!(retried.selection.validate().is_ok());
        assert_eq!(report(&table, &retried.id).await.chat, ChatId(7));
        put(&table, &retried.id, |task| task.state = TaskState::Done { at: NOW }).await;
        assert_eq!(retry().await.unwrap().state.word(), "done", "the same again, not another one");
    }

    #[tokio::test]
    async fn what_is_over_or_unknown_is_said() {
        let (table, queue) = world();
        let nobody = TaskId::from("x");
        assert!(matches!(resume(&table, &queue, &nobody, NOW).await, Err(SubmitError::Unknown(_))));
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        wish(&table, &task.id, Wish::Cancel, None, NOW).await.unwrap();
        let error = resume(&table, &queue, &task.id, NOW).await.unwrap_err();
        assert_eq!(error.to_string(), "a task that is cancelled cannot be resumed");
    }

    #[test]
    fn the_ids_of_retries_stay_short() {
        let mut id = TaskId::from("t");
        let ids: Vec<String> = (0..3)
            .map(|_| {
                id = retry_id(&id);
                id.to_string()
            })
            .collect();
        assert_eq!(ids, ["t-r", "t-r2", "t-r3"]);
    }

    #[tokio::test]
    async fn another_pace_keeps_what_is_wished_and_a_wish_to_cancel_stays() {
        let (table, queue) = world();
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        let holder = Lease { host: "host".into(), incarnation: Incarnation::from("life") };
        put(&table, &task.id, |task| task.lease = Some(holder)).await;
        let wished = async || match table.get(&Key::command(&task.id)).await.unwrap().unwrap().item {
            Item::Command(command) => (command.wish, command.pace),
            other => panic!("{other:?}"),
        };
        wish(&table, &task.id, Wish::Pause, None, NOW).await.unwrap();
        repace(&table, &task.id, Pace::none(), NOW).await.unwrap();
        assert_eq!(wished().await, (Wish::Pause, Some(Pace::none())));
        wish(&table, &task.id, Wish::Cancel, None, NOW).await.unwrap();
        wish(&table, &task.id, Wish::Pause, None, NOW).await.unwrap();
        repace(&table, &task.id, Pace::default(), NOW).await.unwrap();
        assert_eq!(wished().await, (Wish::Cancel, Some(Pace::default())));
    }

    #[tokio::test]
    async fn a_task_that_is_parked_with_an_uncertain_chunk_can_be_ended() {
        let (table, queue) = world();
        let task = asked("t").build(NOW).unwrap();
        submit(&table, &queue, &task).await.unwrap();
        let ids: crate::sequence::IdSequence = (5..9).map(MessageId).collect();
        let open = Intent {
            id: 1,
            account: "7".into(),
            ids: ids.clone(),
            random_ids: crate::random_id::RandomIds((1..5).map(crate::ids::RandomId).collect()),
            style: task.style,
            units: vec![1; 4],
            cursor_after: MessageId(8),
            ahead_after: Vec::new(),
            scanned: 4,
            skips: Vec::new(),
            target_floor: MessageId(0),
            target_pts: 1,
            made_by: "life".into(),
            made_at: NOW,
            repeats: 3,
            tried_at: None,
            readings: 3,
            uncertain_since: None,
            looked_at: None,
        };
        put(&table, &task.id, |task| {
            task.state = TaskState::Parked { reason: "look at the target".into() };
            task.checkpoint.intent = Some(open);
        })
        .await;
        wish(&table, &task.id, Wish::Cancel, None, NOW).await.unwrap();
        let (ended, _) = read(&table, &task.id).await.unwrap();
        assert!(matches!(ended.state, TaskState::Cancelled { .. }), "{:?}", ended.state);
        assert_eq!((ended.checkpoint.intent, ended.checkpoint.counts.skipped), (None, 4));
        let row = table.get(&Key::skip(&task.id, MessageId(5))).await.unwrap().unwrap();
        let Item::Skip(row) = row.item else { panic!("a row of the ledger") };
        assert_eq!((row.ids, row.reason), (ids, SkipReason::Undetermined));
    }
}
