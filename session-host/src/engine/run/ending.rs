//! How a run ends: stop, pause, batch, wait, the end of the task. Each is one commit that also gives the lease back.

use std::time::Duration;

use jiff::Timestamp;
use transfer::event::Event;
use transfer::queue::Job;
use transfer::table::Item;
use transfer::table::item::BatchRecord;
use transfer::task::TaskEvent;

use super::{Run, Step, WAIT_IN_PROCESS};
use crate::engine::Halt;

impl Run {
    /// Commits the transition and gives the lease back.
    pub(super) async fn end(&mut self, event: TaskEvent) -> Result<Step, Halt> {
        let now = self.now();
        let reason = match &event {
            TaskEvent::Wait { reason, .. }
            | TaskEvent::Pause { reason }
            | TaskEvent::Park { reason }
            | TaskEvent::Fail { reason } => Some(reason.clone()),
            TaskEvent::Claim | TaskEvent::Yield | TaskEvent::Resume | TaskEvent::Finish | TaskEvent::Cancel => None,
        };
        self.task.next(event, now).map_err(|error| Halt::Corrupt(error.to_string()))?;
        self.task.lease = None;
        self.dirty = true;
        let word = self.task.state.word();
        if word != "ready" {
            self.stage_event(Event::State { state: word.into(), reason: reason.clone() });
            tracing::info!(task = %self.task.id, state = word, reason, "the task's state changed");
        }
        self.stage_day();
        // The target's lock stays where it is: the lock of a task that rests with nothing open is anybody's. Were it
        // deleted and made anew, its version would begin anew too, and somebody who read the old one could take the new.
        self.commit().await?;
        // Whoever takes the task from here on need not wait for the account to be closed.
        self.running = None;
        self.give_back().await;
        // It may have rested for the next chunk of this run.
        self.have_account_rest(Duration::ZERO);
        Ok(Step::End)
    }

    /// The host stops: the task goes on elsewhere, or here after the next start.
    pub(super) async fn stop_here(&mut self) -> Result<Step, Halt> {
        self.requeue().await
    }

    /// The admin's pause, or the end of a batch.
    pub(super) async fn pause(&mut self, reason: String) -> Result<Step, Halt> {
        self.end(TaskEvent::Pause { reason }).await
    }

    /// Only the admin can help.
    pub(super) async fn park(&mut self, reason: String) -> Result<Step, Halt> {
        if let Some(intent) = &mut self.task.checkpoint.intent {
            // A resumed task settles anew, with its whole hour.
            intent.uncertain_since = None;
        }
        self.end(TaskEvent::Park { reason }).await
    }

    /// Nothing can be done before then.
    pub(super) async fn sleep_until(&mut self, until: Timestamp, reason: String) -> Result<Step, Halt> {
        let step = self.end(TaskEvent::Wait { until, reason }).await?;
        self.shared.due.notify_one();
        Ok(step)
    }

    /// The batch is decided: pause, queue the next, or go on.
    pub(super) async fn end_batch(&mut self) -> Result<Step, Halt> {
        let checkpoint = &mut self.task.checkpoint;
        checkpoint.batches += 1;
        let record = BatchRecord {
            task: self.task.id.clone(),
            number: checkpoint.batches,
            messages: std::mem::take(&mut checkpoint.batch_used),
            cursor: checkpoint.cursor,
            at: self.shared.ports.clock.now(),
        };
        let number = record.number;
        let slept = std::mem::take(&mut self.slept);
        self.stage(Item::Batch(record));
        if self.task.pause_after_batch {
            self.stage_event(Event::BatchDone { batch: number });
            return self.pause(format!("batch {number} is done; resume to go on")).await;
        }
        if self.goes_on_in_hand(slept) { Ok(Step::Again) } else { self.requeue().await }
    }

    /// Whether this run goes on with the next batch. Tasks take turns at the ends of batches; one that slept through a pause of
    /// the batch, or is about to, takes turns there, and leaves its place whenever somebody needs it.
    fn goes_on_in_hand(&self, slept: bool) -> bool {
        // Whatever is to be slept through, `keep_pace` decides how.
        let pause = self.task.checkpoint.pace.next_at.map(|at| self.shared.ports.clock.until(at));
        pause.is_some_and(|pause| pause > WAIT_IN_PROCESS)
            || (slept && !self.shared.at_work.is_full(self.shared.config.tasks_max))
    }

    /// Ends the run, and has the task's next job sent. Its `seq` is committed first; if the process dies before the job is
    /// sent, the sweeper finds the task due and sends one.
    pub(super) async fn requeue(&mut self) -> Result<Step, Halt> {
        self.task.seq += 1;
        self.next_job = Some(Job::batch(self.task.id.clone(), self.task.checkpoint.batches + 1, self.task.seq));
        self.end(TaskEvent::Yield).await
    }
}
