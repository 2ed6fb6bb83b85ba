//! The rules of the table port.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::samples;
use crate::ids::{AccountId, PeerId, TaskId};
use crate::table::item::TargetLock;
use crate::table::{CommitError, Guard, Item, Key, List, Record, Table, Write};
use crate::task::TaskState;

/// The table under test.
pub type Subject = Arc<dyn Table>;

fn put(item: Item, guard: Guard) -> Write {
    Write::Put { item, guard }
}

fn lock(target: i64, task: &str, guard: Guard) -> Write {
    put(Item::TargetLock(samples::lock(target, task)), guard)
}

async fn get(table: &Subject, key: &Key) -> Option<Record> {
    table.get(key).await.expect("the item can be read")
}

async fn commit(table: &Subject, writes: Vec<Write>) {
    table.commit(writes).await.expect("the commit succeeds");
}

async fn conflict(table: &Subject, writes: Vec<Write>) {
    let done = table.commit(writes).await;
    assert!(matches!(done, Err(CommitError::Conflict(_))), "{done:?} should be a conflict");
}

async fn refused(table: &Subject, writes: Vec<Write>) {
    let done = table.commit(writes).await;
    assert!(matches!(done, Err(CommitError::Refused(_))), "{done:?} should be refused");
}

async fn holder(table: &Subject, target: i64) -> Option<(String, u64)> {
    let record = get(table, &Key::target(PeerId::channel(target))).await?;
    match record.item {
        Item::TargetLock(TargetLock { task, .. }) => Some((task.0, record.version)),
        other => panic!("{other:?} stands where a lock should"),
    }
}

fn held(epoch: u64, intent: Option<u64>, version: u64) -> Guard {
    Guard::Held { epoch, intent, version }
}

/// Nothing is lost or changed on the way: not the smallest number, not a fraction of a second, not an empty text.
pub async fn every_kind_of_item_comes_back_as_it_was(table: Subject) {
    let items = samples::one_of_each();
    commit(&table, items.iter().map(|item| put(item.clone(), Guard::Absent)).collect()).await;
    for item in items {
        assert_eq!(get(&table, &item.key()).await, Some(Record { item, version: 1 }));
    }
}

/// Absent means absent.
pub async fn an_absent_guard_holds_once(table: Subject) {
    assert_eq!(holder(&table, 1).await, None);
    commit(&table, vec![lock(1, "first", Guard::Absent)]).await;
    conflict(&table, vec![lock(1, "second", Guard::Absent)]).await;
    assert_eq!(holder(&table, 1).await, Some(("first".to_owned(), 1)));
}

/// Each write makes the next version, and only the present one can be written over.
pub async fn a_version_guard_holds_for_that_version_only(table: Subject) {
    conflict(&table, vec![lock(1, "nobody", Guard::Version(1))]).await;
    commit(&table, vec![lock(1, "first", Guard::Absent)]).await;
    commit(&table, vec![lock(1, "second", Guard::Version(1))]).await;
    conflict(&table, vec![lock(1, "late", Guard::Version(1))]).await;
    conflict(&table, vec![lock(1, "early", Guard::Version(3))]).await;
    assert_eq!(holder(&table, 1).await, Some(("second".to_owned(), 2)));
}

/// Whoever lost the lease, or speaks of another intent, writes nothing.
pub async fn a_held_guard_wants_epoch_and_intent(table: Subject) {
    let task = |epoch, intent| Item::Task(Box::new(samples::held_task("t1", epoch, intent)));
    commit(&table, vec![put(task(4, Some(8)), Guard::Absent)]).await;
    for wrong in [held(3, Some(8), 1), held(4, Some(7), 1), held(5, None, 1), held(4, Some(8), 2)] {
        conflict(&table, vec![put(task(4, None), wrong)]).await;
    }
    commit(&table, vec![put(task(4, None), held(4, Some(8), 1))]).await;
    // No intent is open any more: none can be settled, but the lease still holds.
    conflict(&table, vec![put(task(4, None), held(4, Some(8), 2))]).await;
    commit(&table, vec![put(task(4, Some(9)), held(4, None, 2))]).await;
    let check = |guard| Write::Check { key: Key::task(&TaskId::from("t1")), guard };
    commit(&table, vec![check(held(4, Some(9), 3)), lock(1, "t1", Guard::Absent)]).await;
    conflict(&table, vec![check(held(4, Some(8), 3)), lock(2, "t1", Guard::Absent)]).await;
    assert_eq!(holder(&table, 2).await, None);
    let stored = get(&table, &Key::task(&TaskId::from("t1"))).await.expect("the task is there");
    assert_eq!(stored, Record { item: task(4, Some(9)), version: 3 });
}

/// Whatever stood there, and its version begins again.
pub async fn an_unguarded_write_always_happens(table: Subject) {
    commit(&table, vec![lock(1, "first", Guard::None)]).await;
    commit(&table, vec![lock(1, "second", Guard::Version(1))]).await;
    commit(&table, vec![lock(1, "third", Guard::None)]).await;
    assert_eq!(holder(&table, 1).await, Some(("third".to_owned(), 1)));
    commit(&table, vec![Write::Delete { key: Key::target(PeerId::channel(1)), guard: Guard::None }]).await;
    commit(&table, vec![Write::Delete { key: Key::target(PeerId::channel(1)), guard: Guard::None }]).await;
    assert_eq!(holder(&table, 1).await, None);
}

/// A check writes nothing itself.
pub async fn a_check_fails_the_whole_commit(table: Subject) {
    commit(&table, vec![lock(1, "first", Guard::Absent)]).await;
    let check = |guard| Write::Check { key: Key::target(PeerId::channel(1)), guard };
    conflict(&table, vec![check(Guard::Version(2)), lock(2, "second", Guard::Absent)]).await;
    conflict(&table, vec![check(Guard::Absent)]).await;
    assert_eq!(holder(&table, 2).await, None);
    commit(&table, vec![check(Guard::Version(1)), lock(2, "second", Guard::Absent)]).await;
    commit(&table, vec![check(Guard::Version(1))]).await;
    commit(&table, vec![check(Guard::None), lock(3, "third", Guard::Absent)]).await;
    assert_eq!(holder(&table, 1).await, Some(("first".to_owned(), 1)));
    assert_eq!(holder(&table, 2).await, Some(("second".to_owned(), 1)));
    commit(&table, vec![]).await;
}

/// A person who reads why a commit failed is told which item another writer changed, and is not sent to the others.
pub async fn a_conflict_names_the_item_at_fault(table: Subject) {
    commit(&table, vec![lock(2, "old", Guard::Absent)]).await;
    let check = Write::Check { key: Key::target(PeerId::channel(4)), guard: Guard::Absent };
    let writes =
        vec![lock(1, "new", Guard::Absent), lock(2, "new", Guard::Version(7)), lock(3, "new", Guard::None), check];
    match table.commit(writes).await {
        Err(CommitError::Conflict(why)) => {
            let named: Vec<i64> =
                (1..=4).filter(|n| why.contains(&Key::target(PeerId::channel(*n)).to_string())).collect();
            assert_eq!(named, [2], "{why}");
        }
        other => panic!("{other:?} should be a conflict"),
    }
}

/// Wherever in the commit the guard that fails stands.
pub async fn a_commit_is_all_or_nothing(table: Subject) {
    commit(&table, vec![lock(1, "old", Guard::Absent)]).await;
    for wrong in 0..3 {
        let mut writes = vec![
            lock(1, "new", Guard::Version(1)),
            lock(2, "new", Guard::Absent),
            Write::Check { key: Key::target(PeerId::channel(3)), guard: Guard::Absent },
        ];
        writes.insert(wrong, lock(4, "new", Guard::Version(1)));
        conflict(&table, writes).await;
    }
    assert_eq!(holder(&table, 1).await, Some(("old".to_owned(), 1)));
    assert_eq!(holder(&table, 2).await, None);
    assert_eq!(holder(&table, 4).await, None);
}

/// A deletion is guarded like any write.
pub async fn a_deleted_item_is_gone_and_may_come_again(table: Subject) {
    let delete = |guard| Write::Delete { key: Key::target(PeerId::channel(1)), guard };
    conflict(&table, vec![delete(Guard::Version(1))]).await;
    commit(&table, vec![lock(1, "first", Guard::Absent)]).await;
    conflict(&table, vec![delete(Guard::Version(2))]).await;
    conflict(&table, vec![delete(Guard::Version(2)), lock(2, "beside", Guard::Absent)]).await;
    commit(&table, vec![delete(Guard::Version(1)), lock(2, "beside", Guard::Absent)]).await;
    assert_eq!(holder(&table, 1).await, None);
    commit(&table, vec![lock(1, "again", Guard::Absent)]).await;
    commit(&table, vec![delete(Guard::Version(1))]).await;
    assert_eq!(holder(&table, 1).await, None);
}

/// Two writes to one key, or too many of them.
pub async fn impossible_commits_are_refused(table: Subject) {
    refused(&table, vec![lock(1, "a", Guard::Absent), lock(1, "b", Guard::None)]).await;
    let check = Write::Check { key: Key::target(PeerId::channel(1)), guard: Guard::Absent };
    refused(&table, vec![check, lock(1, "b", Guard::None)]).await;
    refused(&table, (1..=101).map(|target| lock(target, "t", Guard::Absent)).collect()).await;
    assert_eq!(holder(&table, 1).await, None);
}

/// As many as there may be.
pub async fn a_hundred_writes_are_one_commit(table: Subject) {
    commit(&table, (1..=100).map(|target| lock(target, "t", Guard::Absent)).collect()).await;
    assert_eq!(holder(&table, 100).await, Some(("t".to_owned(), 1)));
}

/// Ascending by sort key; nothing of another partition, however alike its name.
pub async fn a_partition_is_read_by_prefix_in_order(table: Subject) {
    let mut writes: Vec<Write> =
        [9, 1, 5].map(|ordinal| put(Item::Event(samples::event("t1", ordinal, "")), Guard::Absent)).into();
    writes.push(put(Item::Event(samples::event("t10", 2, "")), Guard::Absent));
    writes.push(put(Item::Task(Box::new(samples::held_task("t1", 1, None))), Guard::Absent));
    commit(&table, writes).await;

    let events = table.partition("TASK#t1", "EVENT#").await.expect("the partition can be read");
    let ordinals: Vec<u64> = events
        .iter()
        .map(|record| match &record.item {
            Item::Event(event) => event.ordinal,
            other => panic!("{other:?} is no event"),
        })
        .collect();
    assert_eq!(ordinals, [1, 5, 9]);
    let all = table.partition("TASK#t1", "").await.expect("the partition can be read");
    assert_eq!(all.len(), 4);
    assert!(matches!(all[3].item, Item::Task(_)), "EVENT sorts before TASK");
    assert!(table.partition("TASK#t", "").await.expect("the partition can be read").is_empty());
    assert!(table.partition("TASK#t1", "SKIP#").await.expect("the partition can be read").is_empty());
}

/// DynamoDB answers with 1 MB at a time.
pub async fn a_partition_of_megabytes_is_read_whole(table: Subject) {
    let words = "x".repeat(100_000);
    for ordinal in 0..25 {
        commit(&table, vec![put(Item::Event(samples::event("t1", ordinal, &words)), Guard::Absent)]).await;
    }
    let events = table.partition("TASK#t1", "EVENT#").await.expect("the partition can be read");
    let expected: Vec<Key> = (0..25).map(|ordinal| Item::Event(samples::event("t1", ordinal, "")).key()).collect();
    assert_eq!(events.iter().map(|record| record.item.key()).collect::<Vec<_>>(), expected);
}

async fn due_ids(table: &Subject, until: Timestamp, limit: u32) -> Vec<String> {
    let due = table.due(until, limit).await.expect("what is due can be read");
    due.into_iter()
        .map(|record| match record.item {
            Item::Task(task) => task.id.0,
            other => panic!("{other:?} is never due"),
        })
        .collect()
}

fn waiting(id: &str, wake_at: Timestamp) -> Item {
    Item::Task(Box::new(samples::task(id, TaskState::Waiting { wake_at, reason: "flood".to_owned() })))
}

/// An item enters, moves in and leaves the index with the writes to it.
pub async fn what_is_due_follows_every_write(table: Subject) {
    let (before, now) = (samples::instant(99), samples::instant(100));
    let paused = TaskState::Paused { reason: "admin".to_owned() };
    commit(&table, vec![put(waiting("t1", now), Guard::Absent)]).await;
    assert!(due_ids(&table, before, 10).await.is_empty());
    assert_eq!(due_ids(&table, now, 10).await, ["t1"]);
    assert!(due_ids(&table, now - SignedDuration::from_nanos(1), 10).await.is_empty());
    commit(&table, vec![put(waiting("t1", samples::instant(200)), Guard::Version(1))]).await;
    assert!(due_ids(&table, now, 10).await.is_empty());
    commit(&table, vec![put(Item::Task(Box::new(samples::task("t1", paused))), Guard::Version(2))]).await;
    assert!(due_ids(&table, samples::instant(1000), 10).await.is_empty());
    commit(&table, vec![put(waiting("t1", now), Guard::Version(3))]).await;
    let due = table.due(now, 1).await.expect("what is due can be read");
    assert_eq!(due, [Record { item: waiting("t1", now), version: 4 }]);
    commit(&table, vec![Write::Delete { key: Key::task(&TaskId::from("t1")), guard: Guard::Version(4) }]).await;
    assert!(due_ids(&table, now, 10).await.is_empty());
}

/// Text order must be time order, for instants with few and with many decimals.
pub async fn what_is_due_comes_longest_due_first(table: Subject) {
    let second = Timestamp::from_second(1_700_000_000).expect("within jiff's range");
    let ages = [("c", 5_000_000), ("a", 0), ("e", 1_000_000_000), ("d", 500_000_000), ("b", 1)];
    for (id, nanos) in ages {
        commit(&table, vec![put(waiting(id, second + SignedDuration::from_nanos(nanos)), Guard::Absent)]).await;
    }
    let end = second + SignedDuration::from_secs(1);
    assert_eq!(due_ids(&table, end, 10).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(due_ids(&table, end, 2).await, ["a", "b"]);
    assert_eq!(due_ids(&table, second, 10).await, ["a"]);
    assert!(due_ids(&table, end, 0).await.is_empty());
}

/// Accounts stand with their profiles, tasks by state; a change of state moves a task.
pub async fn lists_follow_every_write(table: Subject) {
    let list = async |of| table.list(of).await.expect("the list can be read");
    for item in samples::one_of_each() {
        commit(&table, vec![put(item, Guard::Absent)]).await;
    }
    commit(&table, vec![put(Item::Account(samples::account("1000")), Guard::Absent)]).await;
    commit(&table, vec![put(waiting("t0", samples::instant(0)), Guard::Absent)]).await;
    let keys = |records: Vec<Record>| records.into_iter().map(|record| record.item.key()).collect::<Vec<_>>();
    let (first, second) = (AccountId::from("1000"), AccountId::from("4711"));
    assert_eq!(keys(list(List::Accounts).await), [Key::account(&first), Key::account(&second), Key::profile(&second)]);
    let task = |id| Key::task(&TaskId::from(id));
    assert_eq!(keys(list(List::Tasks).await), [task("t1"), task("t0")]);
    assert_eq!(list(List::Hosts).await.len(), 1);
    let ready = samples::task("t0", TaskState::Ready { since: samples::instant(0) });
    commit(&table, vec![put(Item::Task(Box::new(ready)), Guard::Version(1))]).await;
    assert_eq!(keys(list(List::Tasks).await), [task("t0"), task("t1")]);
    commit(&table, vec![Write::Delete { key: task("t0"), guard: Guard::None }]).await;
    assert_eq!(keys(list(List::Tasks).await), [task("t1")]);
}

/// DynamoDB gives 100 items or 16 MB in one answer, and names the keys that it left out.
pub async fn a_list_of_many_megabytes_is_read_whole(table: Subject) {
    let words = "x".repeat(380_000);
    let item = |n: usize| {
        let mut task = samples::task(&format!("t{n:03}"), TaskState::Ready { since: samples::instant(0) });
        task.description = (n < 48).then(|| words.clone());
        Item::Task(Box::new(task))
    };
    for n in 0..120 {
        commit(&table, vec![put(item(n), Guard::Absent)]).await;
    }
    let listed = table.list(List::Tasks).await.expect("the list can be read");
    assert_eq!(listed.len(), 120);
    for (n, record) in listed.into_iter().enumerate() {
        assert!(record == Record { item: item(n), version: 1 }, "{} is not what was written", record.item.key());
    }
}

/// Only what is due is looked at: what was never due stands in nobody's way, however much of it there is.
pub async fn what_is_not_due_is_not_in_the_way(table: Subject) {
    let paused = TaskState::Paused { reason: "admin".to_owned() };
    let mut writes: Vec<Write> = (0..60)
        .map(|n| put(Item::Task(Box::new(samples::task(&format!("p{n}"), paused.clone()))), Guard::Absent))
        .collect();
    writes.push(put(waiting("t1", samples::instant(5)), Guard::Absent));
    writes.push(put(waiting("t2", samples::instant(9_000)), Guard::Absent));
    commit(&table, writes).await;
    assert_eq!(due_ids(&table, samples::instant(10), 1).await, ["t1"]);
    assert_eq!(due_ids(&table, samples::instant(10), 100).await, ["t1"]);
}

const WRITERS: u64 = 6;
const ROUNDS: u64 = 8;

async fn version_of(table: &Subject, target: i64) -> Guard {
    match holder(table, target).await {
        Some((_, version)) => Guard::Version(version),
        None => Guard::Absent,
    }
}

/// Read, decide, commit; on a conflict read again.
pub async fn racing_writers_lose_nothing(table: Subject) {
    race(&table, &[1]).await;
    assert_eq!(holder(&table, 1).await.map(|(_, version)| version), Some(WRITERS * ROUNDS));
}

/// The same where each commit writes two items, and half of the writers name them the other way round.
pub async fn racing_commits_of_several_items_lose_nothing(table: Subject) {
    race(&table, &[1, 2]).await;
    let (one, two) = (holder(&table, 1).await, holder(&table, 2).await);
    assert_eq!(one.as_ref().map(|(_, version)| *version), Some(WRITERS * ROUNDS));
    assert_eq!(one, two, "the last writer wrote both");
}

async fn race(table: &Subject, targets: &[i64]) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let table = Arc::clone(table);
        let mut targets = targets.to_vec();
        if writer % 2 == 1 {
            targets.reverse();
        }
        writers.spawn(async move {
            let mut round = 0;
            while round < ROUNDS {
                let mut writes = Vec::new();
                for target in &targets {
                    let guard = version_of(&table, *target).await;
                    writes.push(lock(*target, &format!("{writer}:{round}"), guard));
                }
                match table.commit(writes).await {
                    Ok(()) => round += 1,
                    Err(CommitError::Conflict(_)) => tokio::task::yield_now().await,
                    Err(other) => panic!("a race gives conflicts, not {other}"),
                }
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("the writer ends well");
    }
}
