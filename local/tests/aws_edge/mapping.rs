//! What each fault comes to at the ports. The one thing that must never happen: a write that may stand in the table is
//! called a conflict or a refusal.

use std::time::Duration;

use tokio::task::JoinSet;
use transfer::contract::samples;
use transfer::ids::{PeerId, TaskId};
use transfer::queue::{Job, Queue as _, QueueError};
use transfer::table::{CommitError, Guard, Item, Key, List, Table as _, TableError, Write};
use transfer::task::TaskState;

use super::faults::{EXPIRED, Fault, QUEUE_THROTTLED, RECEIPT_EXPIRED, RECEIPT_INVALID};
use super::proxy::Loss;
use super::stand::{Next, Stand};

const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Conflict,
    Refused,
    Unknown,
}

/// What a fault of a commit means, and whether the write stands afterwards.
const COMMITS: [(Fault, Means, bool); 23] = [
    (Fault::Refused("ProvisionedThroughputExceededException"), Means::Refused, false),
    (Fault::Refused("ThrottlingException"), Means::Refused, false),
    (Fault::Refused("RequestLimitExceeded"), Means::Refused, false),
    (Fault::Refused("AccessDeniedException"), Means::Refused, false),
    (Fault::Refused("ResourceNotFoundException"), Means::Refused, false),
    (Fault::Refused(EXPIRED), Means::Refused, false),
    (Fault::Refused("TransactionConflictException"), Means::Conflict, false),
    (Fault::Unclear("TransactionInProgressException"), Means::Unknown, false),
    (Fault::Server("InternalServerError"), Means::Unknown, false),
    (Fault::Server("ServiceUnavailable"), Means::Unknown, false),
    (Fault::Lost(true, Loss::Status(500)), Means::Unknown, true),
    (Fault::Lost(true, Loss::Status(503)), Means::Unknown, true),
    (Fault::Lost(false, Loss::Status(502)), Means::Unknown, false),
    (Fault::Lost(true, Loss::Status(408)), Means::Unknown, true),
    (Fault::Lost(true, Loss::Status(403)), Means::Unknown, true),
    (Fault::Lost(true, Loss::Cut), Means::Unknown, true),
    (Fault::Lost(false, Loss::Cut), Means::Unknown, false),
    (Fault::Lost(true, Loss::Half), Means::Unknown, true),
    (Fault::Lost(false, Loss::Half), Means::Unknown, false),
    (Fault::Lost(true, Loss::Silence), Means::Unknown, true),
    (Fault::Lost(false, Loss::Silence), Means::Unknown, false),
    // A transaction alone has these.
    (Fault::Cancelled("ConditionalCheckFailed"), Means::Conflict, false),
    (Fault::Cancelled("TransactionConflict"), Means::Conflict, false),
];
/// Reasons for which a transaction is cancelled though nobody was in its way.
const BUSY: [&str; 4] = ["ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded", "ValidationError"];

fn lock(target: i64) -> Write {
    Write::Put { item: Item::TargetLock(samples::lock(target, "t1")), guard: Guard::Absent }
}

/// One commit that is struck, alone on its connection.
async fn struck(stand: &Stand, fault: Fault, first: i64, writes: i64) -> (Means, bool, String) {
    let operation = if writes == 1 { "PutItem" } else { "TransactWriteItems" };
    let next = Next::of(operation, [fault]);
    let (table, _proxy) = stand.table(next.clone()).await;
    let committed = table.commit((first..first + writes).map(lock).collect()).await;
    let (means, why) = match committed {
        Err(CommitError::Conflict(why)) => (Means::Conflict, why),
        Err(CommitError::Refused(why)) => (Means::Refused, why),
        Err(CommitError::Unknown(why)) => (Means::Unknown, why),
        Ok(()) => panic!("{fault:?} did not strike"),
    };
    assert!(next.is_done(), "{fault:?} was not met");
    assert_eq!(next.calls(), 1, "{fault:?}: a commit is sent once");
    let table = stand.engines.table(1);
    let mut stands = Vec::new();
    for target in first..first + writes {
        stands.push(table.get(&Key::target(PeerId::channel(target))).await.unwrap().is_some());
    }
    assert!(stands.iter().all(|there| *there == stands[0]), "{fault:?}: a torn commit");
    (means, stands[0], why)
}

/// All at once: those that meet silence wait for 5 s.
#[tokio::test]
async fn a_commit_that_may_stand_is_never_called_undone() {
    let stand = Stand::new().await;
    let mut first = 0;
    let mut cases = Vec::new();
    for (fault, means, stands) in COMMITS {
        for writes in [1, 2] {
            if writes == 2 || !matches!(fault, Fault::Cancelled(_)) {
                first += 10;
                cases.push((fault, first, writes, means, stands));
            }
        }
    }
    for reason in BUSY {
        first += 10;
        cases.push((Fault::Cancelled(reason), first, 3, Means::Refused, false));
    }
    let stand = std::sync::Arc::new(stand);
    let mut running = JoinSet::new();
    for (fault, first, writes, means, stands) in cases {
        let stand = stand.clone();
        running.spawn(async move {
            let (meant, stood, why) = struck(&stand, fault, first, writes).await;
            assert_eq!((meant, stood), (means, stands), "{fault:?} of {writes} writes: {why}");
            assert!(!stood || meant == Means::Unknown, "{fault:?}: what stands was called undone");
            if let Fault::Cancelled(reason) = fault {
                assert!(why.contains(reason), "{reason} is not told: {why}");
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// The look after a lost answer: the mark tells whether the write stands.
#[tokio::test]
async fn whoever_looks_after_a_lost_answer_sees_what_stands() {
    let stand = Stand::new().await;
    for (first, heard) in [(10, true), (20, false)] {
        let next = Next::of("TransactWriteItems", [Fault::Lost(heard, Loss::Cut)]);
        let (table, _proxy) = stand.table(next).await;
        let writes: Vec<Write> = (first..first + 2).map(lock).collect();
        let lost = table.commit(writes.clone()).await;
        assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
        assert_eq!(table.get(&writes[0].key()).await.unwrap().is_some(), heard);
        let again = table.commit(writes).await;
        assert_eq!(matches!(again, Err(CommitError::Conflict(_))), heard, "{again:?}");
    }
}

/// Reads are sent up to three times; what lasts longer is told, and nothing is made up.
#[tokio::test]
async fn reads_outlast_what_passes() {
    let stand = Stand::new().await;
    let key = lock(1).key();
    stand.engines.table(1).commit(vec![lock(1)]).await.unwrap();
    let passing = [
        Fault::Refused("ThrottlingException"),
        Fault::Refused("ProvisionedThroughputExceededException"),
        Fault::Refused("RequestLimitExceeded"),
        Fault::Server("InternalServerError"),
        Fault::Server("ServiceUnavailable"),
        Fault::Lost(true, Loss::Cut),
        Fault::Lost(false, Loss::Status(503)),
    ];
    for fault in passing {
        let next = Next::of("GetItem", [fault]);
        let (table, _proxy) = stand.table(next.clone()).await;
        assert!(table.get(&key).await.unwrap().is_some(), "{fault:?}");
        assert_eq!(next.calls(), 2, "{fault:?}");
        let (table, _proxy) = stand.table(Next::of("GetItem", [fault; 3])).await;
        let read = table.get(&key).await;
        assert!(matches!(read, Err(TableError::Failed(_))), "{fault:?}: {read:?}");
    }
    for fault in [Fault::Lost(true, Loss::Silence), Fault::Refused(EXPIRED)] {
        let (table, _proxy) = stand.table(Next::of("GetItem", [fault])).await;
        let read = table.get(&key).await;
        assert!(matches!(read, Err(TableError::Failed(_))), "{fault:?}: {read:?}");
        assert!(table.get(&key).await.unwrap().is_some());
    }
}

/// What BatchGetItem leaves out is asked for again, however little comes at a time; a list is whole or an error.
#[tokio::test]
async fn a_list_is_whole_though_the_table_gives_it_in_pieces() {
    let stand = Stand::new().await;
    let tasks = (0..7).map(|n| samples::task(&format!("t{n}"), TaskState::Ready { since: samples::instant(0) }));
    let writes = tasks.map(|task| Write::Put { item: Item::Task(Box::new(task)), guard: Guard::Absent });
    stand.engines.table(1).commit(writes.collect()).await.unwrap();
    let next = Next::of("BatchGetItem", [Fault::LeftOut; 6]);
    let (table, _proxy) = stand.table(next.clone()).await;
    let listed = table.list(List::Tasks).await.unwrap();
    let ids: Vec<String> = listed.into_iter().map(|record| record.item.key().pk).collect();
    assert_eq!(ids, (0..7).map(|n| format!("TASK#t{n}")).collect::<Vec<_>>());
    assert!(next.is_done(), "one item at a time");
    assert_eq!(next.calls(), 7);
}

fn job(seq: u64) -> Job {
    Job::batch(TaskId::from("t1"), 1, seq)
}

/// Sent again by the SDK, and one job all the same: the queue knows it by its seq.
#[tokio::test]
async fn a_job_whose_answer_is_lost_is_one_job() {
    let stand = Stand::new().await;
    let passing = [
        QUEUE_THROTTLED,
        Fault::Queue("ThrottlingException", "Rate exceeded"),
        Fault::Lost(true, Loss::Cut),
        Fault::Lost(true, Loss::Half),
        Fault::Lost(true, Loss::Status(500)),
        Fault::Lost(false, Loss::Status(503)),
        Fault::Lost(true, Loss::Silence),
    ];
    for (seq, fault) in (1..).zip(passing) {
        let next = Next::of("SendMessage", [fault]);
        let (queue, _proxy) = stand.queue(next.clone()).await;
        queue.send(&job(seq)).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(next.calls(), 2, "{fault:?}");
        let received = queue.receive(10, LONG, Duration::ZERO).await.unwrap();
        let seqs: Vec<u64> = received.iter().map(|delivery| delivery.job().unwrap().seq).collect();
        assert_eq!(seqs, [seq], "{fault:?}");
        queue.delete(&received[0].receipt).await.unwrap();
    }
}

/// Both words for a receipt that is no longer good; the job stays, and comes again.
#[tokio::test]
async fn an_expired_receipt_is_called_that() {
    let stand = Stand::new().await;
    stand.engines.queue().send(&job(1)).await.unwrap();
    for (attempt, fault) in (1..).zip([RECEIPT_EXPIRED, RECEIPT_INVALID]) {
        for operation in ["ChangeMessageVisibility", "DeleteMessage"] {
            let (queue, _proxy) = stand.queue(Next::of(operation, [fault])).await;
            let received = queue.receive(1, LONG, Duration::from_secs(10)).await.unwrap();
            assert_eq!(received.len(), 1, "attempt {attempt} {operation}");
            let receipt = &received[0].receipt;
            let answer = if operation == "DeleteMessage" {
                queue.delete(receipt).await
            } else {
                queue.extend(receipt, LONG).await
            };
            assert!(matches!(answer, Err(QueueError::ReceiptExpired)), "{operation} {fault:?}: {answer:?}");
            queue.extend(receipt, Duration::ZERO).await.unwrap();
        }
    }
    // Whatever else SQS refuses is no expired receipt.
    let other = Fault::Queue("InvalidParameterValue", "Value 1 for parameter VisibilityTimeout is invalid.");
    let (queue, _proxy) = stand.queue(Next::of("ChangeMessageVisibility", [other])).await;
    let received = queue.receive(1, LONG, Duration::from_secs(10)).await.unwrap();
    let answer = queue.extend(&received[0].receipt, LONG).await;
    assert!(matches!(answer, Err(QueueError::Failed(_))), "{answer:?}");
}

/// A receive whose answer is lost: the jobs are invisible to everybody until their visibility ends, and then come.
#[tokio::test]
async fn a_job_whose_delivery_is_lost_comes_again() {
    let stand = Stand::new().await;
    stand.engines.queue().send(&job(1)).await.unwrap();
    let (queue, _proxy) = stand.queue(Next::of("ReceiveMessage", [Fault::Lost(true, Loss::Cut)])).await;
    let second = Duration::from_secs(1);
    let received = queue.receive(1, second, Duration::from_secs(10)).await.unwrap();
    assert_eq!((received[0].job().unwrap(), received[0].attempt), (job(1), 2));
}
