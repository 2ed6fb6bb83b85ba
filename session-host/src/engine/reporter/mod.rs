//! Tells owners how their tasks are getting on: one message per task that is edited, and messages of their own for what
//! an admin would want to be woken for.
//!
//! Runs hand over what they have just committed, in memory; nobody waits for the bot, and no chunk pays for it. What was
//! told stands in the task's REPORT item. If the process dies between telling and noting it, it is told again; between a
//! commit and telling, the report is still open, and the sweeper of whichever host finds it tells it ([`look_after`]).

mod labels;
mod telling;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use transfer::ids::TaskId;
use transfer::table::item::{EventRecord, Report};
use transfer::table::{Item, Key, Write};
use transfer::task::{Task, TaskState};

use super::store::expect_item;
use super::{Halt, Shared};
use labels::Labels;
use telling::Telling;

/// How long a report that is open though its task rests is left to the host that brought it there.
const GRACE: Duration = Duration::from_secs(45);

/// What runs have committed and nobody has looked at yet.
pub(crate) struct Reporter {
    is_on: bool,
    inbox: Mutex<Inbox>,
    news: Notify,
}

#[derive(Default)]
struct Inbox {
    heard: BTreeMap<TaskId, Heard>,
    /// Tasks that are being told of here.
    told_here: std::collections::BTreeSet<TaskId>,
    /// Open reports of tasks that nobody works on: their version, and since when (uptime) this host has seen them so.
    left_open: BTreeMap<TaskId, (u64, Duration)>,
}

/// The newest of a task.
struct Heard {
    task: Box<Task>,
    events: Vec<EventRecord>,
    /// Somebody else's task, found by the sweeper: its report has to be taken over first, in the version that was seen.
    found: Option<u64>,
}

impl Reporter {
    /// A reporter that has heard nothing; without a bot it never listens.
    pub(crate) fn new(is_on: bool) -> Self {
        Self { is_on, inbox: Mutex::default(), news: Notify::new() }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears what was just committed of a task.
    pub(crate) fn hear(&self, task: &Task, staged: &[Write]) {
        if !self.is_on || task.owner.is_none() {
            return;
        }
        let events = staged.iter().filter_map(|write| match write {
            Write::Put { item: Item::Event(record), .. } => Some(record.clone()),
            Write::Put { .. } | Write::Delete { .. } | Write::Check { .. } => None,
        });
        self.put(task, events.collect(), None);
    }

    fn put(&self, task: &Task, events: Vec<EventRecord>, found: Option<u64>) {
        let mut inbox = self.inbox();
        inbox.told_here.insert(task.id.clone());
        let heard = inbox.heard.entry(task.id.clone());
        let heard = heard.or_insert_with(|| Heard { task: Box::new(task.clone()), events: Vec::new(), found });
        *heard.task = task.clone();
        heard.events.extend(events);
        heard.found = heard.found.and(found);
        drop(inbox);
        self.news.notify_one();
    }

    /// Whether an open report that was seen in this version has been so for long enough that its host must have died.
    fn is_forgotten(&self, task: &TaskId, version: u64, now: Duration, grace: Duration) -> bool {
        let mut inbox = self.inbox();
        let seen = inbox.left_open.entry(task.clone()).or_insert((version, now));
        if seen.0 != version {
            *seen = (version, now);
        }
        now.saturating_sub(seen.1) >= grace
    }
}

/// Tells until it is dropped, or the host may not act any more.
pub(crate) async fn run(shared: Arc<Shared>) {
    let reporter = &shared.reporter;
    if !reporter.is_on {
        return;
    }
    let mut tellings: BTreeMap<TaskId, Telling> = BTreeMap::new();
    let mut labels = Labels::new(&shared);
    loop {
        let now = shared.ports.clock.uptime();
        let next = tellings.values().filter_map(|telling| telling.next_at).min();
        let pause = next.map_or(Duration::MAX, |at| at.saturating_sub(now));
        tokio::select! {
            biased;
            () = shared.fence.lost() => return,
            () = reporter.news.notified() => {}
            () = tokio::time::sleep(pause), if next.is_some() => {}
        }
        for (id, heard) in std::mem::take(&mut reporter.inbox().heard) {
            let telling = tellings.entry(id).or_insert_with(|| Telling::new(heard.task.clone(), heard.found));
            telling.hear(heard.task, heard.events, shared.ports.clock.uptime());
        }
        let now = shared.ports.clock.uptime();
        let due: Vec<TaskId> =
            tellings.iter().filter(|(_, telling)| telling.next_at.is_some_and(|at| at <= now)).map(due_id).collect();
        for id in due {
            let Some(telling) = tellings.get_mut(&id) else { continue };
            if telling.tell(&shared, &mut labels).await {
                let mut inbox = reporter.inbox();
                tellings.remove(&id);
                if !inbox.heard.contains_key(&id) {
                    inbox.told_here.remove(&id);
                }
            }
        }
    }
}

fn due_id((id, _): (&TaskId, &Telling)) -> TaskId {
    id.clone()
}

/// Looks at an open report that the sweeper found: if its task rests, or sleeps with something untold, and no host tells
/// of it, this one does.
pub(crate) async fn look_after(shared: &Shared, report: &Report) -> Result<(), Halt> {
    let reporter = &shared.reporter;
    let id = &report.task;
    if !reporter.is_on || reporter.inbox().told_here.contains(id) || shared.running.contains(id) {
        return Ok(());
    }
    let (key, report_key) = (Key::task(id), Key::report(id));
    let Some((task, _)) = expect_item!(shared.store.get(&key).await?, Task, key) else { return Ok(()) };
    let found = expect_item!(shared.store.get(&report_key).await?, Report, report_key);
    let Some((report, version)) = found.filter(|(report, _)| report.open_since.is_some()) else { return Ok(()) };
    let sleeps_untold =
        matches!(task.state, TaskState::Waiting { .. }) && task.lease.is_none() && report.told < task.checkpoint.events;
    if !(rests(&task) || sleeps_untold) {
        reporter.inbox().left_open.remove(id);
        return Ok(());
    }
    // Alone, nobody else can be at it.
    let grace = if shared.config.alone { Duration::ZERO } else { GRACE };
    if reporter.is_forgotten(id, version, shared.ports.clock.uptime(), grace) {
        reporter.inbox().left_open.remove(id);
        reporter.put(&task, Vec::new(), Some(version));
    }
    Ok(())
}

/// Whether nothing happens to the task by itself.
fn rests(task: &Task) -> bool {
    task.state.due_at().is_none()
}
