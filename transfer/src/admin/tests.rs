use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::account::{AccountState, MethodClass};
use crate::clock::Clock;
use crate::ids::{ChatId, Nonce, PeerId};
use crate::intent::Intent;
use crate::lease::Lease;
use crate::queue::Queue;
use crate::queue::memory::MemoryQueue;
use crate::submit::NewTask;
use crate::table::item::{DayRecord, KnownPeer, Panic};
use crate::table::memory::MemoryTable;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn put(table: &MemoryTable, item: Item) {
    let stored = table.get(&item.key()).await.unwrap();
    let guard = stored.map_or(Guard::Absent, |stored| Guard::Version(stored.version));
    table.commit(vec![Write::Put { item, guard }]).await.unwrap();
}

/// A pool of accounts `1`, `2` … with these priorities.
async fn pool(priorities: &[i32]) -> MemoryTable {
    let table = MemoryTable::new();
    for (n, priority) in priorities.iter().enumerate() {
        let id = AccountId((n + 1).to_string());
        let account = Account::new(id.clone(), "+44…21".to_owned(), NOW, date(1970, 1, 1));
        put(&table, Item::Account(account)).await;
        let label = format!("Account {id}");
        let profile = Profile {
            id,
            label,
            priority: *priority,
            group: None,
            enabled: true,
            daily_budget: Some(9),
            leaving: None,
        };
        put(&table, Item::Profile(profile)).await;
    }
    table
}

async fn account(table: &MemoryTable, id: &str) -> Member {
    member(table, &id.into()).await.unwrap().unwrap()
}

/// A table that lets another writer in before each of the first commits, or loses their answers.
struct Crowded {
    table: MemoryTable,
    others: std::sync::Mutex<Vec<Item>>,
    answers_lost: std::sync::Mutex<u32>,
}

impl Crowded {
    fn new(table: MemoryTable) -> Self {
        Self { table, others: std::sync::Mutex::default(), answers_lost: std::sync::Mutex::new(0) }
    }
}

#[async_trait::async_trait]
impl Table for Crowded {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        self.table.get(key).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        self.table.partition(pk, sk_prefix).await
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        self.table.due(until, limit).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        self.table.list(list).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let other = self.others.lock().unwrap().pop();
        if let Some(item) = other {
            put(&self.table, item).await;
        }
        self.table.commit(writes).await?;
        let mut lost = self.answers_lost.lock().unwrap();
        if *lost > 0 {
            *lost -= 1;
            return Err(CommitError::Unknown("lost".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_is_set_is_set_and_setting_it_again_writes_nothing() {
    let table = pool(&[5]).await;
    let id = AccountId::from("1");
    for _ in 0..2 {
        set_enabled(&table, &id, false).await.unwrap();
        set_priority(&table, &id, -7).await.unwrap();
        set_label(&table, &id, "  two \n words ").await.unwrap();
    }
    let profile = account(&table, "1").await.profile;
    assert_eq!((profile.enabled, profile.priority, profile.label.as_str()), (false, -7, "two words"));
    let version = table.get(&Key::profile(&id)).await.unwrap().unwrap().version;
    assert_eq!(version, 4, "one write for each thing that changed");
}

#[tokio::test]
async fn nonsense_is_refused_and_nothing_is_written() {
    let table = pool(&[5]).await;
    let before = table.snapshot();
    let id = AccountId::from("1");
    for label in ["", "  \n", &"x".repeat(65), "a\u{7}b"] {
        assert!(matches!(set_label(&table, &id, label).await, Err(AdminError::BadLabel)), "{label:?}");
    }
    for priority in [PRIORITY_MAX + 1, i32::MIN, i32::MAX] {
        assert!(matches!(set_priority(&table, &id, priority).await, Err(AdminError::BadPriority)));
    }
    let nobody = AccountId::from("9");
    assert!(matches!(set_enabled(&table, &nobody, true).await, Err(AdminError::Unknown(_))));
    assert!(matches!(reset_waits(&table, &nobody, None, NOW).await, Err(AdminError::Unknown(_))));
    assert_eq!(table.snapshot(), before);
}

#[tokio::test]
async fn what_others_write_meanwhile_is_kept() {
    let table = Crowded::new(pool(&[5]).await);
    let profile = account(&table.table, "1").await.profile;
    table.others.lock().unwrap().push(Item::Profile(Profile { priority: 99, ..profile }));
    set_label(&table, &"1".into(), "new").await.unwrap();
    let profile = account(&table.table, "1").await.profile;
    assert_eq!((profile.priority, profile.label.as_str()), (99, "new"));
}

#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    let table = Crowded::new(pool(&[5]).await);
    *table.answers_lost.lock().unwrap() = 1;
    set_enabled(&table, &"1".into(), false).await.unwrap();
    let record = table.table.get(&Key::profile(&"1".into())).await.unwrap().unwrap();
    assert_eq!(record.version, 2, "written once");
    *table.answers_lost.lock().unwrap() = 1;
    delete(&table, &"1".into()).await.unwrap();
    let left: Vec<Key> = table.table.snapshot().into_keys().collect();
    assert_eq!(left, [Key::gone(&"1".into())], "what Telegram remembers is remembered");
}

#[tokio::test]
async fn the_pool_is_listed_by_priority() {
    let table = pool(&[5, 10, 5]).await;
    let listed: Vec<String> = members(&table).await.unwrap().into_iter().map(|member| member.account.id.0).collect();
    assert_eq!(listed, ["2", "1", "3"]);
}

#[tokio::test]
async fn a_reset_forgets_open_waits_lifts_the_quarantine_and_leaves_its_mark() {
    let table = pool(&[5, 5, 5]).await;
    let mut limited = account(&table, "1").await.account;
    limited.waits.extend(MethodClass::Write, at(100));
    limited.waits.extend(MethodClass::Resolve, at(900));
    put(&table, Item::Account(limited)).await;
    let quarantined = account(&table, "2").await.account;
    let reason = Some("PEER_FLOOD".to_owned());
    put(&table, Item::Account(Account { state: AccountState::Quarantined, reason, ..quarantined })).await;
    let banned = account(&table, "3").await.account;
    put(&table, Item::Account(Account { state: AccountState::Banned, ..banned })).await;
    for id in ["1", "2", "3"] {
        reset_waits(&table, &id.into(), None, at(50)).await.unwrap();
    }
    let first = account(&table, "1").await.account;
    assert_eq!((first.waits, first.waits_reset_at), (crate::account::Waits::default(), Some(at(50))));
    let second = account(&table, "2").await.account;
    assert_eq!((second.state, second.reason, second.since), (AccountState::Ready, None, at(50)));
    let third = account(&table, "3").await.account;
    assert_eq!((third.state, third.waits_reset_at), (AccountState::Banned, None), "nothing helps there");
    let before = table.snapshot();
    reset_waits(&table, &"1".into(), None, at(60)).await.unwrap();
    assert_eq!(table.snapshot(), before, "there was nothing left to forget");
}

#[tokio::test]
async fn a_reset_that_is_delivered_again_forgets_nothing_that_came_since() {
    let table = pool(&[5]).await;
    let limit = async |second| {
        let mut limited = account(&table, "1").await.account;
        limited.waits.extend(MethodClass::Write, at(second));
        put(&table, Item::Account(limited)).await;
    };
    limit(100).await;
    let by = |number| Some(crate::ids::UpdateId(number));
    reset_waits(&table, &"1".into(), by(7), at(50)).await.unwrap();
    limit(200).await;
    reset_waits(&table, &"1".into(), by(7), at(60)).await.unwrap();
    assert_eq!(account(&table, "1").await.account.waits.write, Some(at(200)));
    reset_waits(&table, &"1".into(), by(8), at(40)).await.unwrap();
    let last = account(&table, "1").await.account;
    assert_eq!((last.waits.write, last.waits_forgotten.write), (None, Some(at(200))));
    assert!(last.waits_reset_at > Some(at(50)), "marks only grow, whatever the clock says");
}

#[tokio::test]
async fn a_reset_on_top_of_a_host_keeps_what_the_host_wrote() {
    let table = Crowded::new(pool(&[5]).await);
    let mut limited = account(&table.table, "1").await.account;
    limited.waits.extend(MethodClass::Write, at(100));
    put(&table.table, Item::Account(limited.clone())).await;
    limited.total.forwarded = 77;
    table.others.lock().unwrap().push(Item::Account(limited));
    reset_waits(&table, &"1".into(), None, at(50)).await.unwrap();
    let account = account(&table.table, "1").await.account;
    assert_eq!((account.total.forwarded, account.waits.write), (77, None));
}

#[tokio::test]
async fn a_deleted_account_leaves_its_waits_alone_and_deleting_it_again_is_no_error() {
    let table = pool(&[5, 5]).await;
    for day in 1..=250 {
        let date = date(1970, 1, 1).saturating_add(jiff::Span::new().days(day));
        let record = DayRecord { account: "1".into(), date, counters: crate::account::Counters::default() };
        put(&table, Item::Day(record)).await;
    }
    let (peer, title) = (PeerId(5), String::new());
    let known = KnownPeer { account: "1".into(), peer, access_hash: 1, title, unusable: None, checked_at: NOW };
    put(&table, Item::Peer(known)).await;
    for _ in 0..2 {
        delete(&table, &"1".into()).await.unwrap();
        let left: Vec<Key> = table.snapshot().into_keys().collect();
        assert_eq!(left, [Key::gone(&"1".into()), Key::account(&"2".into()), Key::profile(&"2".into())]);
    }
}

#[tokio::test]
async fn an_account_in_use_or_with_something_to_settle_stays() {
    let table = pool(&[5, 5]).await;
    let held = account(&table, "1").await.account;
    let lease = Some(Lease { host: "h".into(), incarnation: "i".into() });
    put(&table, Item::Account(Account { lease, ..held })).await;
    let asked = NewTask::new("t".into(), Nonce([7; 16]), "@source".parse().unwrap(), "@target".parse().unwrap());
    let mut task = asked.build(NOW).unwrap();
    task.checkpoint.intent = Some(intent("2"));
    put(&table, Item::Task(Box::new(task.clone()))).await;
    let before = table.snapshot();
    assert!(matches!(delete(&table, &"1".into()).await, Err(AdminError::Connected(_))));
    assert!(matches!(delete(&table, &"2".into()).await, Err(AdminError::Unsettled { .. })));
    assert_eq!(table.snapshot(), before);
    task.next(crate::task::TaskEvent::Cancel, NOW).unwrap();
    put(&table, Item::Task(Box::new(task))).await;
    delete(&table, &"2".into()).await.unwrap();
    assert!(member(&table, &"2".into()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_host_that_takes_an_account_first_keeps_it() {
    let table = Crowded::new(pool(&[5]).await);
    let free = account(&table.table, "1").await.account;
    let lease = Some(Lease { host: "h".into(), incarnation: "i".into() });
    table.others.lock().unwrap().push(Item::Account(Account { lease, lease_epoch: 1, ..free }));
    assert!(matches!(delete(&table, &"1".into()).await, Err(AdminError::Connected(_))));
    assert!(member(&table.table, &"1".into()).await.unwrap().is_some());
}

fn intent(account: &str) -> Intent {
    Intent { account: account.into(), ..crate::contract::samples::intent(1) }
}

async fn jobs(queue: &MemoryQueue) -> Vec<String> {
    let mut jobs = Vec::new();
    loop {
        let received = queue.receive(10, Duration::from_secs(60), Duration::ZERO).await.unwrap();
        if received.is_empty() {
            return jobs;
        }
        jobs.extend(received.iter().map(|delivery| delivery.job().unwrap().deduplication_id()));
    }
}

#[tokio::test]
async fn an_account_is_let_go_once_however_often_it_is_asked() {
    let table = pool(&[0, 0]).await;
    let queue = MemoryQueue::new(Clock::starting_at(NOW));
    leave(&table, Some(&queue), &"1".into(), Some(ChatId(5)), at(1)).await.unwrap();
    leave(&table, None, &"1".into(), None, at(9)).await.unwrap();
    let leaving = account(&table, "1").await.profile.leaving.unwrap();
    assert_eq!((leaving.since, leaving.told, leaving.seq), (at(1), Some(ChatId(5)), 2));
    assert_eq!(jobs(&queue).await, ["leaving-1:1"]);
    assert_eq!(account(&table, "2").await.profile.leaving, None);
    let due = table.due(at(60), 10).await.unwrap();
    assert!(due.iter().any(|record| record.item.key() == Key::profile(&"1".into())), "a host finds it by itself");
    assert!(matches!(leave(&table, None, &"7".into(), None, at(1)).await, Err(AdminError::Unknown(_))));
}

#[tokio::test]
async fn only_its_holder_erases_an_account_and_what_telegram_remembers_is_remembered() {
    let table = pool(&[0]).await;
    let (id, mine) = (AccountId::from("1"), Lease { host: "h".into(), incarnation: "i".into() });
    assert!(!erase(&table, &id, &mine).await.unwrap(), "nobody holds it");
    let mut held = account(&table, "1").await.account;
    held.lease = Some(mine.clone());
    held.waits.extend(MethodClass::Write, at(500));
    held.today.charged = 7;
    put(&table, Item::Account(held)).await;
    let other = Lease { host: "h".into(), incarnation: "another".into() };
    assert!(!erase(&table, &id, &other).await.unwrap());
    assert!(erase(&table, &id, &mine).await.unwrap());
    assert!(erase(&table, &id, &mine).await.unwrap(), "gone is gone");
    assert_eq!(member(&table, &id).await.unwrap(), None);
    let joining = Joining {
        id: id.clone(),
        phone_masked: "+44…21".to_owned(),
        label: "One".to_owned(),
        priority: 0,
        daily_budget: Some(9),
        totals: None,
    };
    join(&table, joining, at(10), date(1970, 1, 1)).await.unwrap();
    let back = account(&table, "1").await.account;
    assert_eq!(back.waits.until(MethodClass::Write, at(10)), Some(at(500)));
    assert_eq!(back.today.charged, 7, "the day's budget is the day's");
}

#[tokio::test]
async fn the_panic_button_is_pressed_once_at_a_time() {
    let table = MemoryTable::new();
    let queue = MemoryQueue::new(Clock::starting_at(NOW));
    panic(&table, Some(&queue), Some(ChatId(5)), at(1)).await.unwrap();
    panic(&table, Some(&queue), None, at(2)).await.unwrap();
    let stands = async || match table.get(&Key::panic()).await.unwrap().unwrap().item {
        Item::Panic(panic) => panic,
        other => panic!("{other:?}"),
    };
    assert_eq!((stands().await.by, stands().await.at), (Some(ChatId(5)), at(1)));
    put(&table, Item::Panic(Panic { done_at: Some(at(3)), ..stands().await })).await;
    panic(&table, Some(&queue), None, at(4)).await.unwrap();
    assert_eq!((stands().await.at, stands().await.done_at), (at(4), None));
    assert_eq!(jobs(&queue).await.first().map(String::as_str), Some("panic:1"));
}

#[tokio::test]
async fn a_group_is_a_name_or_none() {
    let table = pool(&[0]).await;
    let id = AccountId::from("1");
    set_group(&table, &id, Some("  night   shift ")).await.unwrap();
    assert_eq!(account(&table, "1").await.profile.group.as_deref(), Some("night shift"));
    assert!(matches!(set_group(&table, &id, Some("  ")).await, Err(AdminError::BadGroup)));
    assert!(matches!(set_group(&table, &id, Some(&"g".repeat(33))).await, Err(AdminError::BadGroup)));
    set_group(&table, &id, None).await.unwrap();
    assert_eq!(account(&table, "1").await.profile.group, None);
}

#[tokio::test]
async fn a_reset_lifts_what_an_appeal_lifted() {
    let table = pool(&[0]).await;
    let mut frozen = account(&table, "1").await.account;
    (frozen.state, frozen.reason) = (AccountState::Frozen, Some("FROZEN_METHOD_INVALID".to_owned()));
    put(&table, Item::Account(frozen)).await;
    reset_waits(&table, &"1".into(), None, at(3)).await.unwrap();
    let lifted = account(&table, "1").await.account;
    assert_eq!((lifted.state, lifted.reason, lifted.since), (AccountState::Ready, None, at(3)));
}
