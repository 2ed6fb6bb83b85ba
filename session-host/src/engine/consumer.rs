//! Takes jobs from the queue and works on their tasks, several at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use transfer::queue::{About, Delivery, Job, QueueError, Receipt};

use super::run::{self, Ended};
use super::{Halt, Shared, alerts, inquiry, leaving, login, panic};

/// How long a received job stays invisible to others; extended while it is worked on.
const VISIBILITY: Duration = Duration::from_secs(120);
/// How often that is extended.
const EXTEND_EVERY: Duration = Duration::from_secs(30);
/// How long one receive call waits for a job (SQS allows 20 s).
const RECEIVE_WAIT: Duration = Duration::from_secs(20);
/// How long a stopping host lets calls in flight finish.
const STOP_MAX: Duration = Duration::from_secs(20);
/// The pause after the queue failed.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);

/// The loop that takes jobs.
pub(crate) struct Consumer {
    shared: Arc<Shared>,
}

impl Consumer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Works until the host is told to stop or may not act any more.
    pub(crate) async fn run(self) -> Result<(), Halt> {
        let shared = self.shared;
        let permits = Arc::new(Semaphore::new(shared.config.tasks_max));
        let mut runs = JoinSet::new();
        let ended = loop {
            while let Some(joined) = runs.try_join_next() {
                report_panic(joined);
            }
            let permit = tokio::select! {
                biased;
                () = shared.stop.cancelled() => break Ok(()),
                () = shared.fence.lost() => break shared.fence.check(),
                permit = permits.clone().acquire_owned() => permit,
            };
            let Ok(permit) = permit else { break Ok(()) };
            let received = tokio::select! {
                biased;
                () = shared.stop.cancelled() => break Ok(()),
                () = shared.fence.lost() => break shared.fence.check(),
                received = shared.ports.queue.receive(1, VISIBILITY, RECEIVE_WAIT) => received,
            };
            match received {
                Ok(deliveries) => {
                    if let Some(delivery) = deliveries.into_iter().next() {
                        let shared = shared.clone();
                        runs.spawn(async move {
                            work_on(&shared, delivery).await;
                            drop(permit);
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no jobs can be received; trying again");
                    tokio::time::sleep(QUEUE_PAUSE).await;
                }
            }
        };
        if ended.is_ok() {
            // Each run sees the stop between two calls, commits and gives back; a call that takes too long is left open.
            let all = async { while runs.join_next().await.map(report_panic).is_some() {} };
            if tokio::time::timeout(STOP_MAX, all).await.is_err() {
                tracing::warn!("a call was still in flight after 20 s: it is left open and settled at the next start");
            }
        }
        runs.shutdown().await;
        ended
    }
}

fn report_panic(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined
        && error.is_panic()
    {
        tracing::error!(%error, "a run ended in a panic; its task goes on when its lease is free");
    }
}

/// A job that was received and is worked on: deleted once, by whoever first has no more use for it.
pub(crate) struct InHand {
    shared: Arc<Shared>,
    receipt: Receipt,
    /// The group of a task's job.
    batch_of: Option<String>,
    is_deleted: AtomicBool,
}

/// How many jobs a host works on at this moment: each has a permit.
#[derive(Default)]
pub(crate) struct AtWork(AtomicUsize);

impl AtWork {
    /// Whether a job that comes now would have to wait for a permit.
    pub(crate) fn is_full(&self, tasks_max: usize) -> bool {
        self.0.load(Ordering::Relaxed) >= tasks_max
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.shared.at_work.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InHand {
    fn new(shared: &Arc<Shared>, receipt: Receipt, job: &Job) -> Self {
        shared.at_work.0.fetch_add(1, Ordering::Relaxed);
        let batch_of = matches!(job.about, About::Batch { .. }).then(|| job.group());
        Self { shared: shared.clone(), receipt, batch_of, is_deleted: AtomicBool::new(false) }
    }

    fn is_deleted(&self) -> bool {
        self.is_deleted.load(Ordering::Relaxed)
    }

    /// It has done its work: deletes it, and takes back what was told of one that failed.
    pub(crate) async fn done(&self) {
        if self.is_deleted() {
            return;
        }
        self.delete().await;
        if let Some(group) = &self.batch_of {
            alerts::job_worked(&self.shared, group).await;
        }
    }

    /// Deletes it; a job that cannot be deleted is kept, and may be deleted later.
    async fn delete(&self) {
        if self.is_deleted() {
            return;
        }
        match self.shared.ports.queue.delete(&self.receipt).await {
            Ok(()) | Err(QueueError::ReceiptExpired) => self.is_deleted.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "a job was not deleted; it comes again and finds nothing to do"),
        }
    }

    /// Extends its visibility for as long as this is polled.
    #[expect(clippy::infinite_loop, reason = "it ends with the work that it goes along with, by being dropped")]
    async fn keep_invisible(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(EXTEND_EVERY).await;
            if self.is_deleted() {
                continue;
            }
            match self.shared.ports.queue.extend(&self.receipt, VISIBILITY).await {
                Ok(()) => {}
                // Somebody else may have it: the task's lease decides, the job is only a pointer.
                Err(error) => tracing::warn!(%error, "the job's visibility was not extended"),
            }
        }
    }
}

/// Works on one job. It is deleted when its batch is decided, or when its task waits or pauses. One that is not deleted comes
/// again; the task of one that is, is found by the sweeper.
async fn work_on(shared: &Arc<Shared>, delivery: Delivery) {
    let job = match delivery.job() {
        Ok(job) => job,
        Err(error) => {
            // Left alone, it comes five times and then goes to the dead letters, where a person finds it.
            let (message_id, attempt) = (&delivery.id, delivery.attempt);
            tracing::error!(%error, message_id, attempt, "a queue message cannot be read");
            alerts::job_failed(shared, &delivery, message_id, &error.to_string()).await;
            return;
        }
    };
    let in_hand = Arc::new(InHand::new(shared, delivery.receipt.clone(), &job));
    let ended = tokio::select! {
        // The fence first: a host that stood still must not make one more step before it notices.
        biased;
        () = shared.fence.lost() => Err(Halt::LeaseLost("its HOST item was not renewed for 15 s".into())),
        // Whatever is under way is dropped where it is; the job is gone, and what is due comes again afterwards.
        () = panicked(shared, &job.about) => Ok(Ended::HeldElsewhere),
        ended = work_about(shared, &job.about, &in_hand) => ended,
        never = in_hand.keep_invisible() => match never {},
    };
    match ended {
        Ok(Ended::Decided | Ended::NothingToDo) => in_hand.done().await,
        // Somebody works on it, or died working on it; the sweeper finds out which.
        Ok(Ended::HeldElsewhere) => in_hand.delete().await,
        Err(error) => {
            let (message_id, attempt) = (&delivery.id, delivery.attempt);
            tracing::error!(job = job.deduplication_id(), message_id, attempt, %error, "work on a job broke off");
            // One that was deleted is no dead letter: the sweeper finds its task.
            if !in_hand.is_deleted() {
                alerts::job_failed(shared, &delivery, &job.group(), &error.to_string()).await;
            }
        }
    }
}

async fn work_about(shared: &Arc<Shared>, about: &About, in_hand: &Arc<InHand>) -> Result<Ended, Halt> {
    match about {
        About::Batch { task, .. } => run::work_on(shared, task, in_hand).await,
        About::Inquiry { inquiry } => inquiry::answer(shared, inquiry).await,
        About::Login { login } => Ok(login::work_on(shared, login)),
        About::Leaving { leaving } => leaving::work_on(shared, leaving).await,
        About::Panic { .. } => Ok(panic::look_at_once(shared)),
    }
}

/// Returns when the panic button is pressed; never for the job that says so.
async fn panicked(shared: &Shared, about: &About) {
    match about {
        About::Panic { .. } => std::future::pending().await,
        About::Batch { .. } | About::Inquiry { .. } | About::Login { .. } | About::Leaving { .. } => {
            shared.button.pressed().await;
        }
    }
}
