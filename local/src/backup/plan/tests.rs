use jiff::civil::date;
use transfer::account::{Counters, MethodClass};
use transfer::contract::{kinds, samples};
use transfer::ids::{AccountId, Incarnation, TaskId};
use transfer::lease::Lease;
use transfer::seal::{KeyId, Sealed};
use transfer::table::item::{ChunkRecord, GoneAccount, SessionRecord, TargetLock};

use super::super::file::Header;
use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn stored(item: &Item, version: u64) -> StoredItem {
    StoredItem::of_bot(0, item, version).unwrap()
}

fn backup(items: Vec<StoredItem>) -> Backup {
    Backup { header: Header::new("t", "r", samples::instant(100)), items }
}

/// The table after the writes.
fn applied(mut present: Vec<StoredItem>, plan: &Plan) -> Vec<StoredItem> {
    for write in &plan.writes {
        let (WholeWrite::Put(item) | WholeWrite::Delete(item)) = write;
        present.retain(|there| there.key() != item.key());
        if matches!(write, WholeWrite::Put(_)) {
            present.push(item.clone());
        }
    }
    present
}

fn restored(backup: &Backup, present: &[StoredItem]) -> (Sum, Vec<StoredItem>) {
    let plan = plan(backup, present, NOW).unwrap();
    let after = applied(present.to_vec(), &plan);
    (plan.sum, after)
}

fn task(id: &str) -> Task {
    samples::held_task(id, 4, Some(8))
}

fn task_item(task: &Task) -> Item {
    Item::Task(Box::new(task.clone()))
}

fn task_of(items: &[StoredItem], id: &str) -> (Task, u64) {
    let found = items.iter().find(|stored| stored.partition() == format!("TASK#{id}") && stored.kind() == "task");
    let Record { item: Item::Task(task), version } = found.unwrap().record().unwrap() else { panic!("no task") };
    (*task, version)
}

fn chunk(id: &str, number: u64) -> Item {
    Item::Chunk(ChunkRecord {
        task: TaskId::from(id),
        number,
        account: AccountId::from("1"),
        source: transfer::sequence::IdSequence::from_vec(vec![transfer::ids::MessageId(1)]),
        target: transfer::sequence::IdSequence::from_vec(vec![transfer::ids::MessageId(2)]),
        at: NOW,
    })
}

fn account_of(items: &[StoredItem]) -> Account {
    let found = items.iter().find(|stored| stored.kind() == "account").unwrap();
    let Item::Account(account) = found.record().unwrap().item else { panic!("no account") };
    account
}

#[test]
fn a_task_that_did_nothing_since_is_left_alone_with_all_its_rows() {
    let same = [stored(&task_item(&task("t")), 7), stored(&chunk("t", 1), 1)];
    let backup = backup(same.to_vec());
    let mut present = same.to_vec();
    present.push(stored(&chunk("t", 2), 1));
    let plan = plan(&backup, &present, NOW).unwrap();
    assert_eq!((plan.writes.len(), plan.sum.going_on, plan.sum.parked), (0, 1, 0));
}

#[test]
fn a_task_that_went_on_is_parked_and_what_it_wrote_since_goes() {
    let backup = backup(vec![stored(&task_item(&task("t")), 7), stored(&chunk("t", 1), 1)]);
    let mut later = task("t");
    later.lease_epoch = 6;
    later.seq = 9;
    let present = [stored(&task_item(&later), 12), stored(&chunk("t", 1), 1), stored(&chunk("t", 2), 1)];
    let (sum, after) = restored(&backup, &present);
    assert_eq!((sum.going_on, sum.parked), (0, 1));
    let (task, version) = task_of(&after, "t");
    assert!(matches!(&task.state, TaskState::Parked { reason } if reason.contains("restored from a backup")));
    assert_eq!(task.restored.as_ref().unwrap().backed_up_at, samples::instant(100));
    assert_eq!((task.lease, task.checkpoint.intent.is_some()), (None, false));
    assert!(version > 12 && task.lease_epoch > 6 && task.seq > 9, "a forgotten process could still write");
    let chunks = after.iter().filter(|stored| stored.kind() == "chunk").count();
    assert_eq!((chunks, after.iter().filter(|stored| stored.kind() == "event").count()), (1, 1));
}

#[test]
fn the_same_version_with_another_content_is_another_task() {
    let backup = backup(vec![stored(&task_item(&task("t")), 7)]);
    let mut other = task("t");
    other.checkpoint.counts.delivered += 1;
    let (sum, after) = restored(&backup, &[stored(&task_item(&other), 7)]);
    assert_eq!((sum.parked, task_of(&after, "t").1), (1, 9));
}

#[test]
fn into_an_empty_table_every_unfinished_task_comes_parked() {
    let mut over = task("over");
    over.state = TaskState::Done { at: NOW };
    over.checkpoint.intent = None;
    let backup = backup(vec![stored(&task_item(&task("t")), 7), stored(&task_item(&over), 3)]);
    let (sum, after) = restored(&backup, &[]);
    assert_eq!((sum.tasks, sum.parked), (2, 1));
    assert_eq!((task_of(&after, "t").0.state.word(), task_of(&after, "over").0.state.word()), ("parked", "done"));
    assert!(task_of(&after, "over").0.restored.is_none());
}

#[test]
fn done_twice_or_cut_off_anywhere_it_ends_the_same() {
    let backup = backup(kinds::every_kind().iter().map(|item| stored(item, 3)).collect());
    let mut later = task("t1");
    later.seq = 50;
    let present = vec![stored(&task_item(&later), 9), stored(&chunk("t1", 99), 1), stored(&task_item(&task("new")), 2)];
    let shape = |items: &[StoredItem]| {
        let mut shape: Vec<_> = items
            .iter()
            .map(|stored| (stored.kind().to_owned(), stored.key().0.to_owned(), stored.key().1.to_owned()))
            .collect();
        shape.sort();
        shape
    };
    let whole = plan(&backup, &present, NOW).unwrap();
    let expected = applied(present.clone(), &whole);
    for cut in 0..=whole.writes.len() {
        let half = Plan { writes: whole.writes[..cut].to_vec(), sum: Sum::default() };
        let half = applied(present.clone(), &half);
        let (_, after) = restored(&backup, &half);
        assert_eq!(shape(&after), shape(&expected), "cut off after {cut} writes");
        let (task, version) = task_of(&after, "t1");
        assert!(task.restored.is_some() && version > 9, "cut off after {cut} writes");
    }
}

#[test]
fn an_account_forgets_no_wait_and_no_charge() {
    let mut then = samples::account("1");
    then.waits.extend(MethodClass::Read, samples::instant(500));
    then.today.charged = 10;
    let mut now = samples::account("1");
    now.waits.extend(MethodClass::Write, samples::instant(900));
    now.today.charged = 70;
    now.joined_at = vec![samples::instant(3)];
    now.lease = Some(Lease { host: "h".into(), incarnation: Incarnation::from("i") });
    now.lease_epoch = 8;
    let (_, after) = restored(&backup(vec![stored(&Item::Account(then), 5)]), &[stored(&Item::Account(now), 20)]);
    let account = account_of(&after);
    assert_eq!((account.waits.write, account.waits.read), (Some(samples::instant(900)), Some(samples::instant(500))));
    assert_eq!((account.today.charged, account.joined_at.len()), (70, 1));
    assert!(account.lease.is_none() && account.lease_epoch > 8);
}

#[test]
fn waits_that_newer_code_wrote_are_kept_too() {
    let mut now = samples::account("1");
    now.waits.extend(MethodClass::Write, samples::instant(900));
    let line = stored(&Item::Account(now), 20).to_line().unwrap();
    let newer = StoredItem::from_line(&line.replace(r#""schema":{"N":"2"}"#, r#""schema":{"N":"3"}"#)).unwrap();
    assert!(newer.record().is_err());
    let (sum, after) = restored(&backup(vec![stored(&Item::Account(samples::account("1")), 5)]), &[newer]);
    assert_eq!((sum.unreadable, account_of(&after).waits.write), (1, Some(samples::instant(900))));
}

fn session(text: &str) -> Item {
    let sealed = Sealed { key_id: KeyId("k".into()), encapsulated: String::new(), ciphertext: text.into() };
    Item::Session(SessionRecord { account: "1".into(), sealed, at: NOW })
}

#[test]
fn the_session_that_works_now_stays_and_accounts_that_left_do_not_come_back() {
    let account = Item::Account(samples::account("1"));
    let backup = backup(vec![stored(&account, 5), stored(&session("old"), 1)]);
    let (_, after) = restored(&backup, &[stored(&account, 5), stored(&session("new"), 2)]);
    assert!(after.contains(&stored(&session("new"), 2)));
    let gone = Item::Gone(GoneAccount::of(&samples::account("1")));
    let (sum, after) = restored(&backup, &[stored(&gone, 1)]);
    assert_eq!((sum.accounts_left, after.len()), (1, 1));
    let (_, after) = restored(&backup, &[]);
    assert_eq!(after.len(), 2, "into an empty table they come");
}

#[test]
fn an_account_that_came_since_stays_and_a_host_goes() {
    let host = kinds::every_kind().into_iter().find(|item| matches!(item, Item::Host(_))).unwrap();
    let present = [stored(&Item::Account(samples::account("2")), 1), stored(&host, 9)];
    let (sum, after) = restored(&backup(vec![stored(&host, 2)]), &present);
    assert_eq!((sum.accounts_kept, after.len(), after[0].kind()), (1, 1, "account"));
}

#[test]
fn the_lock_of_a_task_that_goes_goes_with_it() {
    let lock = |task: &str| Item::TargetLock(TargetLock { target: transfer::ids::PeerId(5), task: task.into() });
    let backup = backup(vec![stored(&task_item(&task("t")), 7)]);
    for (holder, stays) in [("t", true), ("new", false)] {
        let (_, after) = restored(&backup, &[stored(&task_item(&task("new")), 1), stored(&lock(holder), 1)]);
        assert_eq!(after.iter().any(|stored| stored.kind() == "target_lock"), stays, "{holder}");
        assert!(!after.iter().any(|stored| stored.partition() == "TASK#new"));
    }
}

#[test]
fn the_larger_charge_of_the_later_day_counts() {
    let day = |day, charged| Day { date: date(2026, 3, day), charged, counters: Counters::default() };
    assert_eq!(later(day(1, 90), day(2, 5)), day(2, 5));
    assert_eq!(later(day(2, 5), day(1, 90)), day(2, 5));
    assert_eq!(later(day(2, 5), day(2, 9)), day(2, 9));
}
