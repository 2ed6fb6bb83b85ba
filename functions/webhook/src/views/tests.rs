use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::TimeZone;
use transfer::account::{Account, Counters, Profile};
use transfer::admin;
use transfer::dialogue::State;
use transfer::event::Event;
use transfer::ids::{MessageId, Nonce, TaskId};
use transfer::intent::SkipReason;
use transfer::screen::plain;
use transfer::submit::NewTask;
use transfer::table::item::{ChunkRecord, DayRecord, EventRecord, SkipRecord};
use transfer::table::memory::MemoryTable;
use transfer::table::{Guard, Item, Write};
use transfer::task::{Command, Task, TaskState, Wish};
use transfer::text::Language;

use super::*;

const ME: ChatId = ChatId(7);

fn now() -> Timestamp {
    "2026-03-05T12:00:00Z".parse().unwrap()
}

fn before(secs: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(secs)
}

async fn put(table: &MemoryTable, items: Vec<Item>) {
    for items in items.chunks(transfer::table::COMMIT_WRITES_MAX) {
        let writes = items.iter().map(|item| Write::Put { item: item.clone(), guard: Guard::None }).collect();
        table.commit(writes).await.unwrap();
    }
}

fn a_task(id: &str, owner: Option<ChatId>, state: TaskState) -> Task {
    let asked = NewTask::new(id.into(), Nonce([7; 16]), "@source".parse().unwrap(), "@target".parse().unwrap());
    let mut task = NewTask { title: format!("title-{id}"), owner, ..asked }.build(before(7_200)).unwrap();
    task.state = state;
    task
}

fn running() -> TaskState {
    TaskState::Running { since: before(3_000) }
}

fn event(task: &TaskId, ordinal: u64, secs_ago: i64, event: Event) -> Item {
    Item::Event(EventRecord { task: task.clone(), ordinal, at: before(secs_ago), event })
}

fn chunk(task: &TaskId, number: u64, secs_ago: i64, messages: i32) -> Item {
    let ids: Vec<MessageId> = (1..=messages).map(MessageId).collect();
    let (source, target) = (ids.clone().into(), ids.into());
    Item::Chunk(ChunkRecord { task: task.clone(), number, account: "1".into(), source, target, at: before(secs_ago) })
}

fn member(id: &str) -> Vec<Item> {
    let account = Account::new(id.into(), "+44…21".to_owned(), before(9_000), date(2026, 3, 5));
    let label = format!("Account {id}");
    let profile =
        Profile { id: id.into(), label, priority: 5, group: None, enabled: true, daily_budget: None, leaving: None };
    vec![Item::Account(account), Item::Profile(profile)]
}

async fn shown(table: &dyn Table, view: &View) -> Screen {
    let locale = Locale { language: Language::En, zone: TimeZone::UTC };
    let dialogue = Dialogue { chat: ME, state: State::default(), message: None, logins: Vec::new(), at: now() };
    let (now, recent) = (now(), &[]);
    let context = ViewContext {
        table,
        chat: ME,
        locale: &locale,
        now,
        hosts_alive: true,
        dialogue: &dialogue,
        recent,
        groups: &[],
    };
    render(view, &context).await.unwrap()
}

/// Each view about a task.
fn about_a_task(id: &str) -> [View; 4] {
    let id = || TaskId::from(id);
    [
        View::Task { id: id() },
        View::TaskCancel { id: id() },
        View::TaskPace { id: id() },
        View::Skipped { id: id(), page: 0 },
    ]
}

#[tokio::test]
async fn what_belongs_to_another_admin_is_not_shown() {
    let table = MemoryTable::new();
    let tasks = [("mine", Some(ME)), ("free", None), ("other", Some(ChatId(8)))];
    put(&table, tasks.map(|(id, owner)| Item::Task(Box::new(a_task(id, owner, running())))).into()).await;
    let list = shown(&table, &View::Tasks { page: 0 }).await.html;
    assert!(list.contains("title-mine") && list.contains("title-free") && !list.contains("title-other"), "{list}");
    for view in about_a_task("other") {
        let screen = shown(&table, &view).await;
        assert!(screen.html.contains("no such transfer") && !screen.html.contains("title-other"), "{view:?}");
    }
    for view in about_a_task("mine").into_iter().chain(about_a_task("free")) {
        assert!(shown(&table, &view).await.html.contains("title-"), "{view:?}");
    }
}

#[tokio::test]
async fn a_tasks_page_is_made_of_what_stands_in_the_table() {
    let table = MemoryTable::new();
    let mut task = a_task("t", Some(ME), running());
    task.checkpoint.counts.scanned = 2_000;
    task.checkpoint.counts.matched = 1_500;
    task.checkpoint.counts.delivered = 1_500;
    task.checkpoint.chunks = 15;
    task.checkpoint.account = Some("1".into());
    let id = task.id.clone();
    let mut items = vec![Item::Task(Box::new(task)), event(&id, 1, 6_000, Event::Started { in_range: Some(4_000) })];
    items.extend((2..=8).map(|n| {
        event(&id, n, 2_000 - i64::try_from(n).unwrap(), Event::BatchDone { batch: 100 + u32::try_from(n).unwrap() })
    }));
    items.extend((1..=15).map(|n| chunk(&id, n, 960 - 60 * i64::try_from(n).unwrap(), 100)));
    items.push(Item::Command(Command { task: id.clone(), wish: Wish::Pause, pace: None }));
    items.extend(member("1"));
    put(&table, items).await;
    let page = plain(&shown(&table, &View::Task { id }).await.html);
    for part in ["50 %", "Account 1", "Pausing", "batch 108", "batch 104", "2,000 / 4,000"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("batch 103"), "only the last events are shown: {page}");
    // Eleven chunks of 100 in twelve minutes.
    assert!(page.contains("91 per minute (over 12 min)"), "{page}");
}

#[tokio::test]
async fn the_rate_does_not_count_the_time_of_a_rest() {
    let table = MemoryTable::new();
    let mut task = a_task("t", Some(ME), TaskState::Running { since: before(120) });
    task.checkpoint.counts.delivered = 500;
    task.checkpoint.counts.scanned = 500;
    task.checkpoint.chunks = 5;
    let id = task.id.clone();
    let paused = Event::State { state: "paused".to_owned(), reason: None };
    let items = vec![
        Item::Task(Box::new(task.clone())),
        event(&id, 1, 7_000, Event::Started { in_range: Some(1_000) }),
        chunk(&id, 3, 1_500, 100),
        event(&id, 2, 1_490, paused),
        chunk(&id, 4, 60, 100),
        chunk(&id, 5, 1, 100),
    ];
    put(&table, items).await;
    let page = plain(&shown(&table, &View::Task { id: id.clone() }).await.html);
    assert!(page.contains("100 per minute (over 2 min)"), "{page}");
    task.state = TaskState::Paused { reason: "the admin paused it".to_owned() };
    put(&table, vec![Item::Task(Box::new(task))]).await;
    let page = plain(&shown(&table, &View::Task { id }).await.html);
    assert!(!page.contains("per minute"), "what rests has no rate: {page}");
}

#[tokio::test]
async fn the_ledger_is_shown_by_reason() {
    let table = MemoryTable::new();
    let task = a_task("t", None, TaskState::Done { at: now() });
    let id = task.id.clone();
    let row = |first: i32, reason| {
        let ids = (first..first + 3).map(MessageId).collect();
        Item::Skip(SkipRecord { task: id.clone(), ids, reason, account: None, at: now() })
    };
    let rows = vec![row(1, SkipReason::Service), row(50, SkipReason::Refused), row(20, SkipReason::Service)];
    put(&table, rows.into_iter().chain([Item::Task(Box::new(task))]).collect()).await;
    let screen = plain(&shown(&table, &View::Skipped { id, page: 0 }).await.html);
    assert!(screen.contains("1-3, 20-22") && screen.contains("50-52") && screen.contains("9 messages"), "{screen}");
}

#[tokio::test]
async fn the_pool_is_read_with_its_days() {
    let table = MemoryTable::new();
    let day = |account: &str, date, forwarded| {
        let counters = Counters { forwarded, ..Counters::default() };
        Item::Day(DayRecord { account: account.into(), date, counters })
    };
    let days = vec![day("1", date(2026, 3, 4), 70), day("2", date(2026, 3, 4), 7), day("1", date(2026, 1, 1), 9_999)];
    put(&table, member("1").into_iter().chain(member("2")).chain(days).collect()).await;
    let statistics = plain(&shown(&table, &View::Statistics).await.html);
    assert!(statistics.contains("03-04 ▇▇▇▇▇▇▇▇▇▇ 77") && statistics.contains("11 a day"), "{statistics}");
    let pool = plain(&shown(&table, &View::Pool).await.html);
    assert!(pool.contains("Accounts: 2") && pool.contains("Available: 2"), "{pool}");
    let list = plain(&shown(&table, &View::Accounts { page: 0 }).await.html);
    assert!(list.contains("Account 1") && list.contains("Account 2"), "{list}");
    admin::delete(&table, &"1".into()).await.unwrap();
    for view in [
        View::Account { id: "1".into() },
        View::AccountDelete { id: "1".into() },
        View::AccountReset { id: "1".into() },
    ] {
        assert!(shown(&table, &view).await.html.contains("no such account"), "{view:?}");
    }
    assert!(shown(&table, &View::Account { id: "2".into() }).await.html.contains("Account 2"));
}

#[tokio::test]
async fn an_empty_table_has_a_screen_for_every_view() {
    let table = MemoryTable::new();
    let plain_views = [
        View::Menu,
        View::Help,
        View::Tasks { page: 4 },
        View::Pool,
        View::Accounts { page: 9 },
        View::AccountAdd,
        View::Statistics,
        View::Settings,
    ];
    let mut seen = BTreeMap::new();
    for view in plain_views.into_iter().chain(about_a_task("none")) {
        let screen = shown(&table, &view).await;
        assert!(!screen.html.is_empty() && !screen.buttons.is_empty(), "{view:?}");
        seen.entry(screen.html).or_insert_with(Vec::new).push(view);
    }
    assert_eq!(seen.len(), 9, "each view has a screen of its own, what is unknown shares one: {seen:?}");
}
