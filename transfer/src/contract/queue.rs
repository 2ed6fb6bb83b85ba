//! The rules of the queue port.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::ids::TaskId;
use crate::queue::{Delivery, Job, Queue, QueueError, RECEIVES_MAX, Receipt};

/// The queue under test.
pub type Subject = Arc<dyn Queue>;

/// Longer than any rule takes.
const LONG: Duration = Duration::from_secs(120);
/// The shortest that SQS can count.
const SHORT: Duration = Duration::from_secs(1);
/// A wait that a condition ends, never the clock.
const PATIENCE: Duration = Duration::from_secs(15);

fn job(task: &str, seq: u64) -> Job {
    Job::batch(TaskId::from(task), 1, seq)
}

async fn send(queue: &Subject, task: &str, seq: u64) {
    queue.send(&job(task, seq)).await.expect("the job can be sent");
}

/// One job, waited for.
async fn receive(queue: &Subject, visibility: Duration) -> Delivery {
    let mut received = queue.receive(1, visibility, PATIENCE).await.expect("a job can be received");
    assert_eq!(received.len(), 1, "one job should come");
    received.remove(0)
}

/// Nothing is there now.
async fn nothing(queue: &Subject) {
    let received = queue.receive(10, LONG, Duration::ZERO).await.expect("the queue answers");
    assert_eq!(received, [], "nothing should come");
}

async fn delete(queue: &Subject, receipt: &Receipt) {
    queue.delete(receipt).await.expect("the job can be deleted");
}

fn seq(delivery: &Delivery) -> u64 {
    delivery.job().expect("the body is a job").seq
}

/// And is there until it is deleted, not longer.
pub async fn a_job_comes_back_as_it_was(queue: Subject) {
    nothing(&queue).await;
    send(&queue, "task_1", 7).await;
    let delivery = receive(&queue, LONG).await;
    assert_eq!(delivery.job().expect("the body is a job"), job("task_1", 7));
    assert_eq!(delivery.attempt, 1);
    delete(&queue, &delivery.receipt).await;
    nothing(&queue).await;
}

/// First in, first out.
pub async fn jobs_of_a_task_come_in_order(queue: Subject) {
    for seq in [4, 1, 3, 2] {
        send(&queue, "t1", seq).await;
    }
    for expected in [4, 1, 3, 2] {
        let delivery = receive(&queue, LONG).await;
        assert_eq!(seq(&delivery), expected);
        delete(&queue, &delivery.receipt).await;
    }
    nothing(&queue).await;
}

/// The next waits until the first is decided.
pub async fn one_job_of_a_task_is_in_flight(queue: Subject) {
    send(&queue, "t1", 1).await;
    send(&queue, "t1", 2).await;
    let first = receive(&queue, LONG).await;
    nothing(&queue).await;
    send(&queue, "t1", 3).await;
    nothing(&queue).await;
    delete(&queue, &first.receipt).await;
    assert_eq!(seq(&receive(&queue, LONG).await), 2);
    nothing(&queue).await;
}

/// A group in flight blocks itself alone.
pub async fn tasks_do_not_wait_for_each_other(queue: Subject) {
    for task in ["t1", "t2", "t3"] {
        send(&queue, task, 1).await;
    }
    let first = receive(&queue, LONG).await;
    let others = queue.receive(10, LONG, PATIENCE).await.expect("jobs can be received");
    let mut tasks: Vec<String> =
        others.iter().chain([&first]).map(|delivery| delivery.job().expect("the body is a job").group()).collect();
    tasks.sort();
    assert_eq!(tasks, ["t1", "t2", "t3"]);
    nothing(&queue).await;
}

/// Several jobs in one answer: each task's in its order, none of a task that is in flight already, none twice.
pub async fn several_jobs_come_at_once(queue: Subject) {
    for seq in 1..=3 {
        for task in ["t1", "t2", "t3", "t4"] {
            send(&queue, task, seq).await;
        }
    }
    let mut came: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    while came.values().map(Vec::len).sum::<usize>() < 12 {
        let first = queue.receive(10, LONG, PATIENCE).await.expect("jobs can be received");
        assert!(!first.is_empty() && first.len() <= 10, "{} jobs in one answer", first.len());
        let second = queue.receive(10, LONG, Duration::ZERO).await.expect("jobs can be received");
        let groups = |deliveries: &[Delivery]| -> BTreeSet<String> {
            deliveries.iter().map(|delivery| delivery.job().expect("the body is a job").group()).collect()
        };
        assert!(groups(&first).is_disjoint(&groups(&second)), "a task is in flight twice: {first:?} {second:?}");
        for delivery in first.into_iter().chain(second) {
            came.entry(delivery.job().expect("the body is a job").group()).or_default().push(seq(&delivery));
            delete(&queue, &delivery.receipt).await;
        }
    }
    let expected = ["t1", "t2", "t3", "t4"].map(|task| (task.to_owned(), vec![1, 2, 3]));
    assert_eq!(came, BTreeMap::from(expected));
    nothing(&queue).await;
}

/// Even when the first was deleted long before the second came; another task's seq is another job.
pub async fn a_job_is_sent_once_under_its_seq(queue: Subject) {
    send(&queue, "t1", 1).await;
    send(&queue, "t1", 1).await;
    let delivery = receive(&queue, LONG).await;
    delete(&queue, &delivery.receipt).await;
    nothing(&queue).await;
    send(&queue, "t1", 1).await;
    nothing(&queue).await;
    send(&queue, "t2", 1).await;
    assert_eq!(receive(&queue, LONG).await.job().expect("the body is a job").group(), "t2");
}

/// Visibility zero means now.
pub async fn a_job_given_back_comes_at_once(queue: Subject) {
    send(&queue, "t1", 1).await;
    send(&queue, "t1", 2).await;
    let first = receive(&queue, LONG).await;
    queue.extend(&first.receipt, Duration::ZERO).await.expect("the job can be given back");
    let again = receive(&queue, LONG).await;
    assert_eq!((seq(&again), again.attempt), (1, 2));
}

/// A receiver that waits meets the end of a visibility.
pub async fn a_job_comes_back_when_its_visibility_ends(queue: Subject) {
    send(&queue, "t1", 1).await;
    assert_eq!(receive(&queue, SHORT).await.attempt, 1);
    nothing(&queue).await;
    let again = receive(&queue, LONG).await;
    assert_eq!((seq(&again), again.attempt), (1, 2));
}

/// Whoever works on it keeps it.
pub async fn an_extended_job_stays_invisible(queue: Subject) {
    send(&queue, "t1", 1).await;
    let delivery = receive(&queue, SHORT).await;
    queue.extend(&delivery.receipt, LONG).await.expect("the job can be extended");
    let received = queue.receive(1, LONG, SHORT * 2).await.expect("the queue answers");
    assert_eq!(received, []);
    delete(&queue, &delivery.receipt).await;
}

/// Once the job is with somebody else, its first receiver can neither keep nor delete it.
pub async fn an_old_receipt_does_nothing(queue: Subject) {
    send(&queue, "t1", 1).await;
    let old = receive(&queue, SHORT).await;
    let new = receive(&queue, LONG).await;
    assert_ne!(old.receipt, new.receipt);
    let extended = queue.extend(&old.receipt, Duration::ZERO).await;
    assert!(matches!(extended, Err(QueueError::ReceiptExpired)), "{extended:?}");
    // SQS may answer either way; what counts is that the job stays.
    let deleted = queue.delete(&old.receipt).await;
    assert!(matches!(deleted, Ok(()) | Err(QueueError::ReceiptExpired)), "{deleted:?}");
    nothing(&queue).await;
    queue.extend(&new.receipt, Duration::ZERO).await.expect("the job is still there");
    assert_eq!(receive(&queue, LONG).await.attempt, 3);
}

/// Who does not know whether a deletion arrived does it again.
pub async fn deleting_twice_is_no_error(queue: Subject) {
    send(&queue, "t1", 1).await;
    let delivery = receive(&queue, LONG).await;
    delete(&queue, &delivery.receipt).await;
    delete(&queue, &delivery.receipt).await;
}

/// Poison neither stays nor stops what stands behind it.
pub async fn a_job_that_fails_five_times_lets_the_next_pass(queue: Subject) {
    send(&queue, "t1", 1).await;
    send(&queue, "t1", 2).await;
    for attempt in 1..=RECEIVES_MAX {
        let delivery = receive(&queue, LONG).await;
        assert_eq!((seq(&delivery), delivery.attempt), (1, attempt));
        queue.extend(&delivery.receipt, Duration::ZERO).await.expect("the job can be given back");
    }
    let next = receive(&queue, LONG).await;
    assert_eq!((seq(&next), next.attempt), (2, 1));
    delete(&queue, &next.receipt).await;
    nothing(&queue).await;
}

/// In flight or not.
pub async fn a_purge_leaves_nothing(queue: Subject) {
    for seq in 1..=3 {
        send(&queue, "t1", seq).await;
    }
    send(&queue, "t2", 1).await;
    receive(&queue, SHORT).await;
    queue.purge().await.expect("the queue can be purged");
    let received = queue.receive(10, LONG, SHORT * 2).await.expect("the queue answers");
    assert_eq!(received, []);
    send(&queue, "t1", 4).await;
    assert_eq!(seq(&receive(&queue, LONG).await), 4);
}

/// Long before its patience ends.
pub async fn a_receiver_is_woken_by_a_send(queue: Subject) {
    let mut waiting = waiting_receiver(&queue);
    send(&queue, "t1", 1).await;
    assert_eq!(seq(&woken(&mut waiting).await), 1);
}

/// The next of the group may go.
pub async fn a_receiver_is_woken_by_a_deletion(queue: Subject) {
    send(&queue, "t1", 1).await;
    send(&queue, "t1", 2).await;
    let first = receive(&queue, LONG).await;
    let mut waiting = waiting_receiver(&queue);
    delete(&queue, &first.receipt).await;
    assert_eq!(seq(&woken(&mut waiting).await), 2);
}

fn waiting_receiver(queue: &Subject) -> JoinSet<Delivery> {
    let mut waiting = JoinSet::new();
    let queue = Arc::clone(queue);
    waiting.spawn(async move { receive(&queue, LONG).await });
    waiting
}

async fn woken(waiting: &mut JoinSet<Delivery>) -> Delivery {
    let woken = tokio::time::timeout(PATIENCE / 2, waiting.join_next()).await;
    woken.expect("woken before its patience ends").expect("there is one receiver").expect("it ends well")
}
