//! Re-queues tasks that are due and have no live holder.
//!
//! A job may be lost, a host may die, a wait may end: the sweeper looks at what is due every 30 s, and earlier when
//! this host knows of an earlier time. The next `seq` is committed before the job is sent: two sweepers that race send
//! one job, and a job whose sending fails is sent again by the next sweep.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use transfer::ids::TaskId;
use transfer::mutated;
use transfer::queue::Job;
use transfer::table::{Guard, Item, Key, Record, Write};
use transfer::task::{Task, TaskState};

use super::store::{Committed, expect_item};
use super::{Halt, Shared, alerts, hosts_seen, inquiry, login, reporter};

/// How often the sweeper looks when nothing wakes it.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How long a queued task may wait for a host before its job is taken for lost: longer than a job stays invisible.
const QUEUED_MAX: Duration = Duration::from_secs(150);
/// How far ahead another host's clock is looked past: a task that it left ready stands in the index by that clock.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(2);
/// Tasks asked for at first; more when there are more.
const SWEEP_LEN: u32 = 100;

/// The loop that sweeps.
pub(crate) struct Sweeper {
    shared: Arc<Shared>,
}

impl Sweeper {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sweeps until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            let next = match sweep(&self.shared).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "a sweep broke off");
                    None
                }
            };
            if let Err(error) = alerts::look(&self.shared).await {
                tracing::warn!(%error, "a look for what the admins should know broke off");
            }
            let pause = next.map_or(SWEEP_EVERY, |at| self.shared.ports.clock.until(at).min(SWEEP_EVERY));
            tokio::select! {
                biased;
                () = self.shared.due.notified() => {}
                () = tokio::time::sleep(pause.max(Duration::from_millis(1))) => {}
            }
        }
    }
}

/// Everything that is due. Tasks at work are due too, and stand first: a list that is cut off would hide the orphans
/// behind them.
async fn due(shared: &Shared, until: Timestamp) -> Result<Vec<Record>, Halt> {
    let mut limit = SWEEP_LEN;
    loop {
        let due = shared.ports.table.due(until, limit).await;
        let due = due.map_err(|error| Halt::Unavailable(error.to_string()))?;
        if due.len() < usize::try_from(limit).unwrap_or(usize::MAX) || limit == u32::MAX {
            return Ok(due);
        }
        limit = limit.saturating_mul(4);
    }
}

/// Re-queues what is due, and tells when the next task will be.
async fn sweep(shared: &Shared) -> Result<Option<Timestamp>, Halt> {
    let now = shared.ports.clock.now();
    let soon = now.saturating_add(CLOCKS_DIFFER).unwrap_or(Timestamp::MAX);
    let due = due(shared, soon).await?;
    let mut next: Option<Timestamp> = None;
    let mut leaving = Vec::new();
    for record in due {
        let task = match record.item {
            Item::Task(task) => task,
            Item::Report(report) => {
                if let Err(error) = reporter::look_after(shared, &report).await {
                    tracing::warn!(task = %report.task, %error, "an open report was not looked after");
                }
                continue;
            }
            Item::Inquiry(inquiry) => {
                if let Err(error) = inquiry::look_after(shared, &inquiry.id, false).await {
                    tracing::warn!(inquiry = %inquiry.id, %error, "an inquiry was not looked after");
                }
                continue;
            }
            Item::Profile(profile) => {
                leaving.push(profile.id);
                continue;
            }
            Item::Login(login) => {
                match login::look_after(shared, &login).await {
                    Ok(Some(at)) => next = Some(next.map_or(at, |next| next.min(at))),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(login = %login.id, %error, "a login was not looked after"),
                }
                continue;
            }
            _ => continue,
        };
        match task.state.due_at() {
            Some(_) if task.state.is_due(now) => {
                // One task that cannot be read must not hide those behind it.
                if let Err(error) = requeue_if_orphaned(shared, &task.id, QUEUED_MAX).await {
                    tracing::warn!(task = %task.id, %error, "a task that is due was not queued");
                }
            }
            Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
            None => {}
        }
    }
    shared.departures.put(leaving);
    Ok(next)
}

/// At the start of a host that is alone: whatever an earlier life had queued is forgotten, and everything due is queued
/// anew, so that no job that died with that life, invisible, blocks its task for two minutes.
pub(crate) async fn begin_anew(shared: &Shared) -> Result<(), Halt> {
    shared.ports.queue.purge().await.map_err(|error| Halt::Unavailable(error.to_string()))?;
    for record in due(shared, shared.ports.clock.now()).await? {
        match &record.item {
            Item::Task(task) => requeue_if_orphaned(shared, &task.id, Duration::ZERO).await?,
            Item::Inquiry(inquiry) => inquiry::look_after(shared, &inquiry.id, true).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Sends the task's next job, unless somebody works on it or its last job is still young.
async fn requeue_if_orphaned(shared: &Shared, id: &TaskId, queued_max: Duration) -> Result<(), Halt> {
    if shared.running.contains(id) {
        return Ok(());
    }
    let key = Key::task(id);
    let Some((mut task, version)) = expect_item!(shared.store.get(&key).await?, Task, key) else { return Ok(()) };
    let now = shared.ports.clock.now();
    if !task.state.is_due(now) {
        return Ok(());
    }
    match &task.state {
        TaskState::Ready { since } if shared.ports.clock.now().duration_since(*since).unsigned_abs() < queued_max => {
            return Ok(());
        }
        _ => {}
    }
    if mutated!(OrphansLeft) && task.lease.is_some() {
        return Ok(());
    }
    if task.lease.is_some() && !hosts_seen::may_take(shared, task.lease.as_ref()).await? {
        return Ok(());
    }
    if shared.running.contains(id) {
        // It was taken meanwhile.
        return Ok(());
    }
    task.lease = None;
    task.state = TaskState::Ready { since: now };
    task.seq += 1;
    send_next(shared, task, version).await
}

/// Commits the task with its next `seq`, then sends that job.
async fn send_next(shared: &Shared, task: Box<Task>, version: u64) -> Result<(), Halt> {
    let job = Job::batch(task.id.clone(), task.checkpoint.batches + 1, task.seq);
    let key = Key::task(&task.id);
    let (id, seq) = (task.id.clone(), task.seq);
    let write = Write::Put { item: Item::Task(task), guard: Guard::Version(version) };
    let stands = |now: Option<&Record>| {
        now.is_some_and(|now| now.version > version && matches!(&now.item, Item::Task(task) if task.seq == seq))
    };
    match shared.store.commit(&[write], &key, stands).await? {
        Committed::Conflict => Ok(()),
        Committed::Yes => {
            tracing::info!(task = %id, seq, "a task that is due was queued");
            shared.ports.queue.send(&job).await.map_err(|error| Halt::Unavailable(error.to_string()))
        }
    }
}
