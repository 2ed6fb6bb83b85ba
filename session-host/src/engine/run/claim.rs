//! Taking a task's lease.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use transfer::ids::TaskId;
use transfer::table::{Guard, Item, Key, Record, Write};
use transfer::task::TaskEvent;

use super::{AccountDelta, Run};
use crate::engine::consumer::InHand;
use crate::engine::store::{Committed, expect_item};
use crate::engine::{Halt, Shared, hosts_seen, measures};

/// The tasks that runs of this process have at this moment: the lease tells hosts apart, not the runs of one host.
#[derive(Clone, Default)]
pub(crate) struct RunningTasks(Arc<Mutex<BTreeSet<TaskId>>>);

/// The mark that a run has a task; ends with it.
pub(super) struct Running {
    tasks: RunningTasks,
    task: TaskId,
}

impl RunningTasks {
    /// Whether a run of this process works on the task.
    pub(crate) fn contains(&self, task: &TaskId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(task)
    }

    fn begin(&self, task: &TaskId) -> Option<Running> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task.clone());
        first.then(|| Running { tasks: self.clone(), task: task.clone() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.task);
    }
}

/// What came of a claim.
pub(super) enum Claimed {
    Run(Box<Run>),
    NothingToDo,
    HeldElsewhere,
}

/// Takes the task's lease in one commit. If the process dies before it, nothing happened; after it, the lease stands
/// until this life has been silent for long enough.
pub(super) async fn claim(shared: &Arc<Shared>, id: &TaskId, job: &Arc<InHand>) -> Result<Claimed, Halt> {
    shared.fence.check()?;
    let key = Key::task(id);
    let Some(running) = shared.running.begin(id) else { return Ok(Claimed::HeldElsewhere) };
    let Some((mut task, version)) = expect_item!(shared.store.get(&key).await?, Task, key) else {
        tracing::warn!(task = %id, "a job points to a task that does not exist");
        return Ok(Claimed::NothingToDo);
    };
    let now = shared.ports.clock.now();
    if !task.state.is_due(now) {
        return Ok(Claimed::NothingToDo);
    }
    if !hosts_seen::may_take(shared, task.lease.as_ref()).await? {
        return Ok(Claimed::HeldElsewhere);
    }
    // One that a dead host left running has been due since it began to run.
    let due_at = task.state.due_at().filter(|_| task.lease.is_none());
    task.next(TaskEvent::Claim, now).map_err(|error| Halt::Corrupt(error.to_string()))?;
    task.lease = Some(shared.lease());
    task.lease_epoch += 1;
    let epoch = task.lease_epoch;
    let lease = shared.lease();
    let stands = |now: Option<&Record>| {
        now.is_some_and(|now| {
            matches!(&now.item, Item::Task(task) if task.lease_epoch == epoch && task.lease.as_ref() == Some(&lease))
        })
    };
    let write = Write::Put { item: Item::Task(task.clone()), guard: Guard::Version(version) };
    if shared.store.commit(&[write], &key, stands).await? == Committed::Conflict {
        return Ok(Claimed::HeldElsewhere);
    }
    shared.reporter.hear(&task, &[]);
    if let Some(due_at) = due_at {
        measures::job_taken(now.duration_since(due_at));
    }
    let committed_intent = task.checkpoint.intent.as_ref().map(|intent| intent.id);
    Ok(Claimed::Run(Box::new(Run {
        shared: shared.clone(),
        job: job.clone(),
        task,
        version: version + 1,
        committed_intent,
        staged: Vec::new(),
        dirty: false,
        hold: None,
        delta: AccountDelta::default(),
        reader: None,
        buffer: Vec::new(),
        reached_end: false,
        not_for_peer: BTreeMap::new(),
        joins_tried: BTreeSet::new(),
        doors_asked: BTreeSet::new(),
        excluded: BTreeMap::new(),
        left: None,
        target_locked: false,
        read_failures: 0,
        wish_read: None,
        settle_steps: 0,
        room: 1,
        standing: None,
        stands_since: None,
        slept: false,
        next_job: None,
        running: Some(running),
    })))
}
