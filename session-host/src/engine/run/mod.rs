//! One turn of work on one task: from taking its lease to the end of a batch, a wait, or the end of the task. A task that
//! sleeps through the pauses of its pace keeps its turn over the ends of batches, as long as nobody needs its place.
//!
//! The order is always: read what the admin wishes, settle an open intent, choose an account, cut a chunk, commit the
//! intent (together with the outcome before it), call, stage the outcome. A staged outcome is committed before anything
//! that takes time, so at most the newest is uncommitted, and its intent stands in the table: if the process dies at any
//! line, the next one repeats the identical call.

mod accounts;
mod attempt;
mod claim;
mod commit;
mod ending;
mod joining;
mod peers;
mod preflight;
mod reader;
mod reading;
mod settle;
mod staged;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use transfer::ids::{AccountId, TaskId};
use transfer::message::Message;
use transfer::mutated;
use transfer::queue::Job;
use transfer::table::{Key, Record, Write};
use transfer::task::{Command, Task, TaskEvent, Wish};

use super::consumer::InHand;
use super::line::Standing;
use super::pool::{self, Hold};
use super::store::expect_item;
use super::{Halt, Shared};
pub(crate) use claim::RunningTasks;
use reader::Reader;
use staged::AccountDelta;

/// Waits of up to this long stay in the process; longer ones are written down and the job is deleted.
const WAIT_IN_PROCESS: Duration = Duration::from_secs(30);
/// Through a pause of the pace of up to this long the run sleeps with the task in hand: nothing but time has to come. The
/// slowest preset asks for 700 s after some chunks of 100.
const SLEEP_IN_PROCESS: Duration = Duration::from_secs(900);
/// How often a run that sleeps looks what the admin wishes, and whether another task needs its place.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why a task waits that nothing but its own pace holds up.
const PACE: &str = "the pace";

/// How work on a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The batch is decided, or the task waits, or is over: the job has done its work.
    Decided,
    /// The task is not due.
    NothingToDo,
    /// Another run has the task.
    HeldElsewhere,
}

/// What a step leads to.
enum Step {
    /// The next step.
    Again,
    /// The end of this run; everything is committed.
    End,
}

/// Why an account was left, for the event that tells of the change.
#[derive(Debug, Clone)]
struct Left {
    reason: String,
    wait_secs: Option<u64>,
}

/// The work of one job.
struct Run {
    shared: Arc<Shared>,
    job: Arc<InHand>,
    task: Box<Task>,
    /// The task's version as committed.
    version: u64,
    /// The open intent as committed.
    committed_intent: Option<u64>,
    /// Writes of the next commit, beside task and account.
    staged: Vec<Write>,
    /// Whether the task in memory is ahead of the table.
    dirty: bool,
    hold: Option<Box<Hold>>,
    delta: AccountDelta,
    reader: Option<Reader>,
    buffer: Vec<Message>,
    reached_end: bool,
    /// Accounts that cannot read the source or post in the target.
    not_for_peer: BTreeMap<AccountId, String>,
    /// Joins that were tried in this run: which account, which chat.
    joins_tried: BTreeSet<(AccountId, String)>,
    /// Chats at whose door one of the accounts stands and waits to be let in.
    doors_asked: BTreeSet<String>,
    /// Accounts that cannot be used before then, for reasons that are not in their items.
    excluded: BTreeMap<AccountId, Timestamp>,
    left: Option<Left>,
    /// Whether the target's lock was checked in this run.
    target_locked: bool,
    /// Failed reads in a row.
    read_failures: u32,
    /// What the admin wishes, as read while the last call was under way.
    wish_read: Option<Option<Record>>,
    /// Steps of settling since something was settled.
    settle_steps: u32,
    /// How much of its budget the account must have left: 1, or what the next album needs.
    room: u32,
    /// This task's place in the line for accounts, and since when (uptime) it stands there.
    standing: Option<Standing>,
    stands_since: Option<Duration>,
    /// Whether it slept through a pause of this batch.
    slept: bool,
    /// To be sent when this run is over.
    next_job: Option<Job>,
    /// `None` once the lease is given back.
    running: Option<claim::Running>,
}

/// Works on the task that a job points to.
pub(crate) async fn work_on(shared: &Arc<Shared>, task: &TaskId, job: &Arc<InHand>) -> Result<Ended, Halt> {
    let mut run = match claim::claim(shared, task, job).await? {
        claim::Claimed::Run(run) => run,
        claim::Claimed::NothingToDo => return Ok(Ended::NothingToDo),
        claim::Claimed::HeldElsewhere => return Ok(Ended::HeldElsewhere),
    };
    let ended = run.steps().await;
    run.let_go(ended.is_ok()).await;
    let next = run.next_job.take();
    // Nobody has the task any more when its next job arrives.
    drop(run);
    ended?;
    if let Some(next) = next {
        shared.ports.queue.send(&next).await.map_err(|error| Halt::Unavailable(error.to_string()))?;
    }
    Ok(Ended::Decided)
}

impl Run {
    async fn steps(&mut self) -> Result<(), Halt> {
        loop {
            if let Step::End = self.step().await? {
                return Ok(());
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Halt> {
        if self.shared.stop.is_cancelled() {
            return self.stop_here().await;
        }
        let wish = self.wish().await?;
        if self.task.checkpoint.intent.is_some() {
            return self.settle_step().await;
        }
        match wish {
            Wish::Run => {}
            Wish::Pause => return self.pause("the admin paused it".into()).await,
            Wish::Cancel => return self.end(TaskEvent::Cancel).await,
        }
        if self.task.checkpoint.batch_used >= self.task.batch_len {
            return self.end_batch().await;
        }
        let now = self.now();
        if let Some(next_at) = self.task.checkpoint.pace.next_at.filter(|at| *at > now) {
            return self.keep_pace(next_at).await;
        }
        if let Some(step) = self.be_ready().await? {
            return Ok(step);
        }
        self.carry_next_chunk().await
    }

    fn now(&self) -> Timestamp {
        self.shared.ports.clock.now()
    }

    /// What the admin wishes at this moment; a new pace is taken over.
    async fn wish(&mut self) -> Result<Wish, Halt> {
        if mutated!(WishUnread) {
            return Ok(Wish::Run);
        }
        let key = Key::command(&self.task.id);
        let record = match self.wish_read.take() {
            Some(record) => record,
            None => self.shared.store.get(&key).await?,
        };
        let Some((command, _)) = expect_item!(record, Command, key) else {
            return Ok(Wish::Run);
        };
        let Command { wish, pace, .. } = command;
        if let Some(pace) = pace
            && pace != self.task.pace
        {
            self.task.pace = pace;
            self.dirty = true;
        }
        Ok(wish)
    }

    /// A pause of the pace. The run sleeps through it under its lease, as far as it is not too long and nobody else needs the
    /// permit; whoever looks at the task reads in the checkpoint until when. The job has done its work: nothing is to be
    /// found out by receiving it again, and if this process dies, the sweeper finds the task with a dead holder.
    async fn keep_pace(&mut self, next_at: Timestamp) -> Result<Step, Halt> {
        let left = self.shared.ports.clock.until(next_at);
        if left > WAIT_IN_PROCESS {
            if left > SLEEP_IN_PROCESS || self.shared.at_work.is_full(self.shared.config.tasks_max) {
                return self.sleep_until(next_at, PACE.to_owned()).await;
            }
            self.stage_day();
        }
        self.commit().await?;
        self.give_back().await;
        if left > WAIT_IN_PROCESS {
            self.have_account_rest(left);
            self.job.done().await;
            self.slept = true;
            self.forget_what_ages();
        }
        self.wish_read = None;
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => {}
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
        }
        Ok(Step::Again)
    }

    /// After a while somebody may have deleted what was read, and let in whoever was kept out.
    fn forget_what_ages(&mut self) {
        self.buffer.clear();
        self.reached_end = false;
        self.not_for_peer.clear();
        self.joins_tried.clear();
        self.doors_asked.clear();
    }

    /// Waits, in the process or by writing `wake_at`. No account is held meanwhile.
    async fn wait(&mut self, until: Timestamp, why: &str) -> Result<Step, Halt> {
        let left = self.shared.ports.clock.until(until);
        if left > WAIT_IN_PROCESS {
            return self.sleep_until(until, why.to_owned()).await;
        }
        self.commit().await?;
        self.give_back().await;
        self.wish_read = None;
        tracing::debug!(task = %self.task.id, wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX), why, "waiting");
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => {}
            () = tokio::time::sleep(left) => {}
        }
        Ok(Step::Again)
    }

    /// Ends whatever this run still has. After an error nothing is written: the lease runs out with this life, or the
    /// next job of the task goes on.
    async fn let_go(&mut self, clean: bool) {
        self.reader = None;
        let Some(mut hold) = self.hold.take() else { return };
        if !clean {
            // Whatever was in flight must not be sent any more once somebody else acts.
            pool::close(&mut hold).await;
        }
        pool::give_back(&self.shared, *hold).await;
    }

    /// Gives the account back, so that others can have it.
    async fn give_back(&mut self) {
        self.reader = None;
        if let Some(hold) = self.hold.take() {
            pool::give_back(&self.shared, *hold).await;
        }
    }

    /// The account that carried last is wanted again after so long: it rests for that much longer, if it rests here.
    fn have_account_rest(&self, comes_back_after: Duration) {
        if let Some(account) = &self.task.checkpoint.account {
            let until = self.shared.ports.clock.uptime() + comes_back_after + pool::REST_MAX;
            self.shared.pool.keep_resting_until(account, until);
        }
    }

    fn not_for_peer_ids(&self) -> BTreeSet<AccountId> {
        self.not_for_peer.keys().cloned().collect()
    }
}
