//! Items to store: one of each kind, with every optional field in use somewhere.

use jiff::Timestamp;
use jiff::civil::date;

use crate::account::{Account, Counters, MethodClass, Profile};
use crate::address::PeerAddress;
use crate::event::Event;
use crate::ids::{AccountId, HostId, Incarnation, MessageId, Nonce, PeerId, RandomId, TaskId};
use crate::intent::{Intent, Skip, SkipReason};
use crate::lease::{Host, Lease};
use crate::pace::Pace;
use crate::random_id::RandomIds;
use crate::selection::Selection;
use crate::sequence::IdSequence;
use crate::table::Item;
use crate::table::item::{BatchRecord, ChunkRecord, DayRecord, EventRecord, KnownPeer, SkipRecord, TargetLock};
use crate::task::{BATCH_LEN_DEFAULT, Checkpoint, Command, Endpoint, Style, Task, TaskState, Wish};

/// An instant with as many decimals as there are.
pub fn instant(second: i64) -> Timestamp {
    Timestamp::new(1_700_000_000 + second, 123_456_789).expect("within jiff's range")
}

/// A task in this state.
pub fn task(id: &str, state: TaskState) -> Task {
    let endpoint = |name: &str| Endpoint {
        address: PeerAddress::Username(name.to_owned()),
        peer: Some(PeerId::channel(77)),
        title: Some("Ein Kanal — 频道".to_owned()),
        topic: None,
    };
    Task {
        id: TaskId::from(id),
        title: "everything".to_owned(),
        description: None,
        owner: None,
        created_at: instant(0),
        source: endpoint("the_source"),
        target: endpoint("the_target"),
        selection: Selection::everything(),
        style: Style { drop_author: true, ..Style::default() },
        pace: Pace::default(),
        batch_len: BATCH_LEN_DEFAULT,
        pause_after_batch: false,
        group: None,
        join: false,
        bound_to: None,
        nonce: Nonce([7; 16]),
        state,
        last_id: Some(MessageId(i32::MAX)),
        checkpoint: Checkpoint::default(),
        seq: 3,
        lease: None,
        lease_epoch: 0,
        restored: None,
    }
}

/// A task that a host has taken, with an open intent if there is an id for it.
pub fn held_task(id: &str, epoch: u64, intent: Option<u64>) -> Task {
    let mut task = task(id, TaskState::Running { since: instant(1) });
    task.lease = Some(Lease { host: HostId::from("host"), incarnation: Incarnation::from("life") });
    task.lease_epoch = epoch;
    task.checkpoint.intent = intent.map(self::intent);
    task
}

/// An intent of 100 messages.
pub fn intent(id: u64) -> Intent {
    let ids: Vec<MessageId> = (1..=100).map(MessageId).collect();
    Intent {
        id,
        account: AccountId::from("4711"),
        random_ids: RandomIds(ids.iter().map(|id| RandomId(i64::MIN + i64::from(id.0))).collect()),
        ids: IdSequence::from_vec(ids),
        style: Style::default(),
        units: vec![1; 100],
        cursor_after: MessageId(100),
        ahead_after: vec![MessageId(105)],
        scanned: 120,
        skips: vec![Skip { ids: IdSequence::from_vec(vec![MessageId(101)]), reason: SkipReason::Service }],
        target_floor: MessageId(9),
        target_pts: 12,
        made_by: Incarnation::from("life"),
        made_at: instant(2),
        repeats: 1,
        tried_at: None,
        readings: 0,
        uncertain_since: Some(instant(3)),
        looked_at: Some(instant(4)),
    }
}

/// A pool member.
pub fn account(id: &str) -> Account {
    let mut account = Account::new(AccountId::from(id), "+44…21".to_owned(), instant(0), date(2026, 2, 28));
    account.waits.extend(MethodClass::Write, instant(40));
    account.total = Counters { forwarded: u64::MAX, floods: 2, flood_wait_secs: 3 };
    account
}

/// A target's lock.
pub fn lock(target: i64, task: &str) -> TargetLock {
    TargetLock { target: PeerId::channel(target), task: TaskId::from(task) }
}

/// An event of a task; `words` makes it as long as one likes.
pub fn event(task: &str, ordinal: u64, words: &str) -> EventRecord {
    let event = Event::State { state: "parked".to_owned(), reason: Some(words.to_owned()) };
    EventRecord { task: TaskId::from(task), ordinal, at: instant(5), event }
}

/// One item of every kind.
pub fn one_of_each() -> Vec<Item> {
    let (task_id, account_id) = (TaskId::from("t1"), AccountId::from("4711"));
    let sequence = |ids: &[i32]| IdSequence::from_vec(ids.iter().copied().map(MessageId).collect());
    let counters = Counters { forwarded: 1, floods: 2, flood_wait_secs: 3 };
    vec![
        Item::Account(account("4711")),
        Item::Profile(Profile {
            id: account_id.clone(),
            label: "主号".to_owned(),
            priority: -5,
            group: Some("a".to_owned()),
            enabled: true,
            daily_budget: None,
            leaving: None,
        }),
        Item::Day(DayRecord { account: account_id.clone(), date: date(2026, 2, 28), counters }),
        Item::Peer(KnownPeer {
            account: account_id.clone(),
            peer: PeerId::channel(1),
            access_hash: i64::MIN,
            title: String::new(),
            unusable: Some("CHANNEL_PRIVATE".to_owned()),
            checked_at: instant(1),
        }),
        Item::Task(Box::new(held_task("t1", 4, Some(8)))),
        Item::Command(Command { task: task_id.clone(), wish: Wish::Pause, pace: Some(Pace::default()) }),
        Item::Batch(BatchRecord {
            task: task_id.clone(),
            number: 2,
            messages: 500,
            cursor: MessageId(900),
            at: instant(9),
        }),
        Item::Chunk(ChunkRecord {
            task: task_id.clone(),
            number: 12,
            account: account_id.clone(),
            source: sequence(&[1, 2, 3, 9]),
            target: sequence(&[5, 6, 7, 4]),
            at: instant(9),
        }),
        Item::Skip(SkipRecord {
            task: task_id,
            ids: sequence(&[6, 8]),
            reason: SkipReason::Error("MEDIA_EMPTY".to_owned()),
            account: Some(account_id),
            at: instant(9),
        }),
        Item::Event(event("t1", 1, "words")),
        Item::TargetLock(lock(5, "t1")),
        Item::Host(Host {
            id: HostId::from("host"),
            incarnation: Incarnation::from("life"),
            renewal: 12,
            renewed_at: instant(10),
            program_version: "0.1.0".to_owned(),
            accounts_held: 3,
            only_account: None,
            wants: vec![AccountId::from("7001")],
        }),
    ]
}
