use std::time::Duration;

use super::retry::retry_id;
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
    assert_eq!(command.item, Item::Command(Command { task: task.id.clone(), wish: Wish::Cancel, pace: Some(pace) }));
}

#[tokio::test]
async fn a_task_from_a_backup_is_not_resumed_and_can_be_cancelled() {
    let (table, queue) = world();
    let task = asked("t").build(NOW).unwrap();
    submit(&table, &queue, &task).await.unwrap();
    queue.purge().await.unwrap();
    put(&table, &task.id, |task| {
        task.restored = Some(Restored { backed_up_at: NOW, at: NOW });
        task.state = TaskState::Parked { reason: Restored::reason(NOW) };
    })
    .await;
    let refused = resume(&table, &queue, &task.id, NOW).await.unwrap_err().to_string();
    assert!(refused.contains("restored from a backup of 1970-01-01T00:00:00Z"), "{refused}");
    assert!(jobs(&queue).await.is_empty());
    assert_eq!(read(&table, &task.id).await.unwrap().0.state.word(), "parked");
    wish(&table, &task.id, Wish::Cancel, None, NOW).await.unwrap();
    assert_eq!(read(&table, &task.id).await.unwrap().0.state.word(), "cancelled");
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
