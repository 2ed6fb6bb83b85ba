//! Every screen in both languages as people see it, and every screen with absurd data within Telegram's limits.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::task::{Begun, Lately, TaskData};
use super::tasks::TaskRow;
use super::*;
use crate::account::{Account, AccountState, Counters, Member, MethodClass, Profile};
use crate::bot::BUTTON_DATA_LEN_MAX;
use crate::contract::samples;
use crate::event::{Event, Settlement};
use crate::ids::{AccountId, ChatId, MessageId, TaskId};
use crate::intent::SkipReason;
use crate::message::Kind;
use crate::pace::{Pace, Preset};
use crate::selection::{Range, Selection};
use crate::sequence::IdSequence;
use crate::table::item::{EventRecord, SkipRecord};
use crate::task::{Checkpoint, Command, Counts, Task, TaskState, Wish};
use crate::text::Language;

const TODAY: Date = date(2026, 3, 5);

/// Noon in the reader's zone.
pub(super) fn now() -> Timestamp {
    "2026-03-05T04:00:00Z".parse().unwrap()
}

fn before(secs: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(secs)
}

pub(super) fn locale(language: Language) -> Locale {
    Locale { language, zone: TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::fixed(jiff::tz::offset(8))) }
}

/// The screen as people see it, in both languages.
pub(super) fn seen(render: impl Fn(&Locale) -> Screen) -> String {
    let mut text = String::new();
    for language in Language::ALL {
        let screen = render(&locale(language));
        fits(&screen);
        writeln!(text, "== {language}\n{}", screen.html).unwrap();
        for row in &screen.buttons {
            let row: Vec<String> = row.iter().map(|button| format!("[{} → {}]", button.text, button.data)).collect();
            writeln!(text, "{}", row.join(" ")).unwrap();
        }
    }
    text
}

/// What Telegram asks of a message.
fn fits(screen: &Screen) {
    let len = visible_len(&screen.html);
    assert!((1..=TEXT_LEN_MAX).contains(&len), "{len} characters");
    let mut open = Vec::new();
    for tag in screen.html.split('<').skip(1) {
        let (name, _) = tag.split_once('>').expect("a tag ends");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{}", screen.html),
            None => open.push(name),
        }
        assert!(["b", "i", "code"].contains(&name.trim_start_matches('/')), "{name} is no tag of ours");
    }
    assert!(open.is_empty(), "{open:?} in {}", screen.html);
    let buttons: Vec<&Button> = screen.buttons.iter().flatten().collect();
    assert!(buttons.len() <= 100 && screen.buttons.iter().all(|row| (1..=8).contains(&row.len())));
    for button in buttons {
        assert!((1..=BUTTON_DATA_LEN_MAX).contains(&button.data.len()), "{}", button.data);
        assert!(!button.text.is_empty() && button.text.chars().count() <= 100, "{}", button.text);
        assert!(Press::parse(&button.data).is_some(), "{}", button.data);
    }
}

fn record(secs_ago: i64, event: Event) -> EventRecord {
    EventRecord { task: "t1".into(), ordinal: 1, at: before(secs_ago), event }
}

fn a_task(state: TaskState) -> Task {
    let counts = Counts {
        scanned: 3_400,
        matched: 3_100,
        delivered: 3_090,
        skipped: 10,
        floods: 4,
        changes: 3,
        blind_repeats: 0,
    };
    let mut task = samples::task("0b6a2b8e-6f6e-4f0c-9f4b-0c1d2e3f4a5b", state);
    task.title = "Spring & <summer>".to_owned();
    task.created_at = before(8_000);
    task.checkpoint = Checkpoint {
        cursor: MessageId(3_400),
        counts,
        account: Some("1".into()),
        batches: 6,
        batch_used: 90,
        ..Checkpoint::default()
    };
    task
}

fn names() -> event::Names {
    event::Names::of_members(&members())
}

fn data(state: TaskState) -> TaskData {
    let (one, two) = (AccountId::from("1"), AccountId::from("2"));
    TaskData {
        task: a_task(state),
        command: None,
        events: vec![
            record(700, Event::Flood { account: two.clone(), wait_secs: 3_600, until: before(-2_900) }),
            record(
                699,
                Event::AccountChanged {
                    from: Some(two),
                    to: one,
                    reason: "FLOOD_WAIT_3600".to_owned(),
                    wait_secs: Some(3_600),
                },
            ),
            record(60, Event::Skipped { messages: 1, reason: SkipReason::Service }),
        ],
        names: names(),
        begun: Some(Begun { at: before(7_200), in_range: Some(10_000) }),
        lately: Some(Lately { since: before(600), delivered: 300 }),
        hosts_alive: true,
    }
}

fn states() -> Vec<(&'static str, TaskState)> {
    let reason = |text: &str| text.to_owned();
    vec![
        ("ready", TaskState::Ready { since: before(5) }),
        ("running", TaskState::Running { since: before(500) }),
        (
            "waiting",
            TaskState::Waiting {
                wake_at: before(-1_800),
                reason: reason("every account is limited; Alpha is the first: then its flood wait ends"),
            },
        ),
        ("paused", TaskState::Paused { reason: reason("the admin paused it") }),
        (
            "parked",
            TaskState::Parked {
                reason: reason("no account can go on: log in again with these: Alpha; account 2: X_Y"),
            },
        ),
        (
            "failed",
            TaskState::Failed { reason: reason("Spring is protected against forwarding; Ferry leaves it alone") },
        ),
        ("done", TaskState::Done { at: before(100) }),
        ("cancelled", TaskState::Cancelled { at: before(100) }),
    ]
}

#[test]
fn a_tasks_page_in_every_state() {
    for (name, state) in states() {
        insta::assert_snapshot!(format!("task_{name}"), seen(|locale| task::task(&data(state.clone()), locale, now())));
    }
}

#[test]
fn a_pending_wish_shows() {
    let wish = |wish, pace| {
        let mut data = data(TaskState::Running { since: before(500) });
        data.command = Some(Command { task: data.task.id.clone(), wish, pace });
        data.hosts_alive = false;
        data.task.description = Some("for the archive\nsecond line".to_owned());
        data.task.selection = Selection {
            range: Range::Ids { from: MessageId(5), until: MessageId(90) },
            kinds: BTreeSet::from([Kind::Photo, Kind::Video]),
            keyword: Some("a&b".to_owned()),
            only: Some([5, 7, 9].into_iter().map(MessageId).collect()),
        };
        data
    };
    let pausing = wish(Wish::Pause, Some(Preset::Large.pace()));
    insta::assert_snapshot!("task_pausing", seen(|locale| task::task(&pausing, locale, now())));
    let cancelling = wish(Wish::Cancel, None);
    insta::assert_snapshot!("task_cancelling", seen(|locale| task::task(&cancelling, locale, now())));
    for (name, state) in states() {
        let screen = task::task(&data(state.clone()), &locale(Language::En), now());
        let can = |press: &str| screen.buttons.iter().flatten().any(|button| button.data.starts_with(press));
        let goes_on = state.due_at().is_some();
        assert_eq!(can("pause:"), goes_on, "{name}");
        assert_eq!(can("cancel?:"), !state.is_over(), "{name}");
        assert_eq!(can("again:"), state.is_over(), "{name}");
        let rests = matches!(state, TaskState::Waiting { .. } | TaskState::Paused { .. } | TaskState::Parked { .. });
        assert_eq!(can("resume:"), rests, "{name}");
    }
}

#[test]
fn what_was_carried_lately_counts_from_a_known_instant() {
    let chunks = [(before(60), 100), (before(120), 50), (before(180), 7)];
    let lately = |since, delivered| Some(Lately { since: before(since), delivered });
    assert_eq!(Lately::of(&chunks, Some(before(300))), lately(300, 157));
    assert_eq!(Lately::of(&chunks, None), lately(180, 150), "what the oldest took is not known");
    assert_eq!(Lately::of(&chunks[..1], None), None);
    assert_eq!(Lately::of(&[], Some(before(300))), None);
}

#[test]
fn questions_about_a_task() {
    let mut parked = a_task(TaskState::Parked { reason: "x".to_owned() });
    parked.checkpoint.intent = Some(samples::intent(1));
    insta::assert_snapshot!("task_cancel", seen(|locale| task::cancel(&parked, locale)));
    let own = Pace { forward_rate_ms: 1_250, pause_after_files: 0, ..Pace::default() };
    let command = Command { task: parked.id.clone(), wish: Wish::Run, pace: Some(own) };
    insta::assert_snapshot!("task_pace", seen(|locale| task::pace(&parked, Some(&command), locale)));
    insta::assert_snapshot!("task_unknown", seen(task::unknown));
}

#[test]
fn every_event_has_its_words() {
    let account = || AccountId::from("1");
    let mut events = vec![
        Event::Started { in_range: Some(1_234) },
        Event::Started { in_range: None },
        Event::AccountChanged { from: None, to: account(), reason: String::new(), wait_secs: None },
        Event::AccountChanged { from: Some("2".into()), to: account(), reason: "AUTH_KEY".to_owned(), wait_secs: None },
        Event::AccountChanged {
            from: Some("9".into()),
            to: account(),
            reason: "no connection: timed out".to_owned(),
            wait_secs: None,
        },
        Event::Flood { account: account(), wait_secs: 61, until: before(-61) },
        Event::AllLimited { wake_at: before(-90_000) },
        Event::AccountLost { account: account(), reason: "USER_DEACTIVATED_BAN".to_owned() },
        Event::BatchDone { batch: 4 },
        Event::State { state: "done".to_owned(), reason: None },
        Event::State { state: "paused".to_owned(), reason: Some("batch 4 is done; resume to go on".to_owned()) },
        Event::State { state: "of <later>".to_owned(), reason: None },
    ];
    events.extend(reasons().into_iter().map(|reason| Event::Skipped { messages: 2, reason }));
    let settled = [Settlement::Repeated, Settlement::Found, Settlement::TakenOver];
    events.extend(settled.map(|how| Event::Settled { account: account(), how }));
    let screen = |locale: &Locale| {
        let lines: Vec<String> = events.iter().map(|event| event::words(event, &names(), locale)).collect();
        Screen { html: lines.join("\n"), buttons: Vec::new() }
    };
    insta::assert_snapshot!("events", seen(screen));
}

fn reasons() -> [SkipReason; 5] {
    let error = SkipReason::Error("MEDIA_EMPTY".to_owned());
    [SkipReason::Service, SkipReason::Deleted, SkipReason::Refused, error, SkipReason::Undetermined]
}

#[test]
fn the_list_of_tasks() {
    let listed: Vec<Task> = states()
        .into_iter()
        .enumerate()
        .map(|(at, (name, state))| {
            let mut task = a_task(state);
            task.id = name.into();
            task.created_at = before(i64::try_from(at).unwrap() * 60);
            task
        })
        .collect();
    let row = |task: &Task| TaskRow { task: task.clone(), in_range: Some(10_000) };
    let many: Vec<Task> = listed.iter().cycle().take(19).cloned().collect();
    let shown: Vec<TaskRow> = tasks::on_page(&many, 1).iter().map(row).collect();
    insta::assert_snapshot!("tasks", seen(|locale| tasks::tasks(&shown, many.len(), 1, locale)));
    insta::assert_snapshot!("tasks_none", seen(|locale| tasks::tasks(&[], 0, 3, locale)));
    assert_eq!(tasks::on_page(&many, 2).len(), 3);
    assert_eq!(tasks::on_page(&many, 99).len(), 3, "a page that is gone is the last one");
}

#[test]
fn an_admin_sees_own_tasks_and_those_of_nobody_newest_first() {
    let task = |id: &str, owner: Option<i64>, secs_ago| {
        let mut task = a_task(TaskState::Done { at: now() });
        (task.id, task.owner, task.created_at) = (id.into(), owner.map(ChatId), before(secs_ago));
        task
    };
    let all =
        vec![task("old", Some(7), 90), task("other", Some(8), 5), task("new", Some(7), 1), task("free", None, 50)];
    let seen: Vec<TaskId> = tasks::of_owner(all, ChatId(7)).into_iter().map(|task| task.id).collect();
    assert_eq!(seen, ["new".into(), "free".into(), "old".into()]);
}

#[test]
fn what_was_skipped() {
    let mut ledger: Vec<SkipRecord> = reasons()
        .into_iter()
        .enumerate()
        .map(|(at, reason)| {
            let first = i32::try_from(at).unwrap() * 1_000 + 1;
            let ids: IdSequence = (first..first + 3).chain([first + 9]).map(MessageId).collect();
            SkipRecord { task: "t1".into(), ids, reason, account: None, at: now() }
        })
        .collect();
    let done = a_task(TaskState::Done { at: now() });
    insta::assert_snapshot!("skipped", seen(|locale| skipped::skipped(&done, &ledger, 0, locale)));
    insta::assert_snapshot!("skipped_none", seen(|locale| skipped::skipped(&done, &[], 0, locale)));
    let scattered: IdSequence = (1..=400).map(|n| MessageId(n * 2)).collect();
    ledger.push(SkipRecord { ids: scattered, ..ledger[0].clone() });
    let pages: Vec<Screen> = (0..6).map(|page| skipped::skipped(&done, &ledger, page, &locale(Language::En))).collect();
    pages.iter().for_each(fits);
    let listed: String = pages.iter().map(|page| page.html.as_str()).collect();
    for id in ["800", "2001-2003", "4010"] {
        assert!(listed.contains(id), "{id}");
    }
    assert_eq!(skipped::skipped(&done, &ledger, 99, &locale(Language::En)), pages[pages.len() - 2].clone());
}

fn member(id: &str, label: &str, priority: i32, state: AccountState) -> Member {
    let mut account = Account::new(id.into(), "+44…21".to_owned(), before(90_000), TODAY);
    account.state = state;
    account.total = Counters { forwarded: 12_345, floods: 12, flood_wait_secs: 10_800 };
    account.today.counters = Counters { forwarded: 210, floods: 1, flood_wait_secs: 60 };
    account.today.charged = 250;
    account.last_used = Some(before(60));
    let profile = Profile {
        id: id.into(),
        label: label.to_owned(),
        priority,
        group: None,
        enabled: true,
        daily_budget: Some(1_250),
        leaving: None,
    };
    Member { account, profile }
}

/// One account of each kind.
fn members() -> Vec<Member> {
    let mut members = vec![
        member("1", "Alpha", 10, AccountState::Ready),
        member("2", "Beta <b>", 9, AccountState::Ready),
        member("3", "Gamma", 8, AccountState::Ready),
        member("4", "Delta", 5, AccountState::Ready),
        member("5", "Epsilon", 4, AccountState::SignedOut),
        member("6", "Zeta", 3, AccountState::SessionDead),
        member("7", "Eta", 2, AccountState::Frozen),
        member("8", "Theta", 1, AccountState::Quarantined),
        member("9", "Iota", 0, AccountState::Banned),
    ];
    members[1].account.waits.extend(MethodClass::Write, before(-3_700));
    members[1].account.waits.extend(MethodClass::Resolve, before(-9_700));
    members[2].profile.enabled = false;
    members[3].account.today.charged = 1_250;
    members[3].account.last_used = None;
    members[3].profile.group = Some("night".to_owned());
    members[7].account.reason = Some("PEER_FLOOD".to_owned());
    members
}

#[test]
fn the_pool_and_its_accounts() {
    let members = members();
    insta::assert_snapshot!("pool", seen(|locale| pool::pool(&members, None, locale, now(), TODAY)));
    insta::assert_snapshot!("pool_empty", seen(|locale| pool::pool(&[], Some(&"7".into()), locale, now(), TODAY)));
    insta::assert_snapshot!("accounts", seen(|locale| pool::accounts(&members, 0, locale, now(), TODAY)));
    insta::assert_snapshot!("accounts_last", seen(|locale| pool::accounts(&members, 9, locale, now(), TODAY)));
    insta::assert_snapshot!("accounts_none", seen(|locale| pool::accounts(&[], 0, locale, now(), TODAY)));
    for member in &members {
        let name = format!("account_{}", member.account.id);
        insta::assert_snapshot!(name, seen(|locale| account::account(member, locale, now(), TODAY)));
    }
    insta::assert_snapshot!("account_reset", seen(|locale| account::reset(&members[1], locale, now())));
    insta::assert_snapshot!("account_reset_quarantine", seen(|locale| account::reset(&members[7], locale, now())));
    insta::assert_snapshot!("account_reset_frozen", seen(|locale| account::reset(&members[6], locale, now())));
    insta::assert_snapshot!("account_delete", seen(|locale| account::delete(&members[1], locale)));
    insta::assert_snapshot!("account_import", seen(account::import));
    for again in [false, true] {
        insta::assert_snapshot!(
            format!("panic_question_{again}"),
            seen(|locale| settings::panic_question(again, locale))
        );
    }
    insta::assert_snapshot!("panicking", seen(|locale| settings::panicking(false, locale)));
    insta::assert_snapshot!("account_unknown", seen(account::unknown));
}

#[test]
fn the_reset_is_offered_only_where_it_changes_something() {
    let offered: Vec<String> = members()
        .iter()
        .filter(|member| {
            account::account(member, &locale(Language::En), now(), TODAY)
                .buttons
                .concat()
                .iter()
                .any(|button| button.data.starts_with("reset?"))
        })
        .map(|member| member.account.id.0.clone())
        .collect();
    assert_eq!(offered, ["2", "7", "8"]);
}

#[test]
fn a_short_wait_does_not_hide_that_the_day_is_over_for_an_account() {
    let mut spent = members().swap_remove(3);
    spent.account.waits.extend(MethodClass::Write, before(-60));
    let page = account::account(&spent, &locale(Language::En), now(), TODAY);
    assert!(page.html.contains("goes on tomorrow"), "{}", page.html);
}

#[test]
fn the_statistics() {
    let members = members();
    let yesterday = TODAY.yesterday().unwrap();
    let day = |account: &str, date, forwarded| crate::table::item::DayRecord {
        account: account.into(),
        date,
        counters: Counters { forwarded, floods: 2, flood_wait_secs: 9 },
    };
    // The stored copy of today is behind what stands in the account.
    let stored = [day("1", yesterday, 4_000), day("2", yesterday, 99), day("1", TODAY, 3)];
    let days = statistics::by_day(&members, &stored, TODAY);
    assert_eq!(days.len(), statistics::DAYS_SHOWN);
    assert_eq!(days[5].1.forwarded, 4_099);
    assert_eq!(days[6].1.forwarded, 210 * 9);
    let data = statistics::StatisticsData { members, days };
    insta::assert_snapshot!("statistics", seen(|locale| statistics::statistics(&data, locale, now(), TODAY)));
    let none = statistics::StatisticsData { members: Vec::new(), days: Vec::new() };
    insta::assert_snapshot!("statistics_none", seen(|locale| statistics::statistics(&none, locale, now(), TODAY)));
}

#[test]
fn the_settings() {
    insta::assert_snapshot!("settings", seen(|locale| settings::settings(locale, now())));
}

#[test]
fn texts_become_one_line_that_nothing_turns_around() {
    assert_eq!(short("  a\n\tb\u{202e}c\u{0} ", 10), "a bc");
    assert_eq!(short("abcdef", 4), "abc…");
    assert_eq!(short("频道频道频道", 4), "频道频…");
    assert_eq!(short("", 4), "");
    assert_eq!(plain("<b>a &amp; b</b> &lt;i&gt; &amp;lt;"), "a & b <i> &lt;");
    assert_eq!(visible_len("<b>😀</b>&quot;"), 3);
}

/// Texts that nobody writes and somebody will.
fn absurd() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("<b>&\"'</i>".to_owned()),
        Just("😀🏳️‍🌈👨‍👩‍👧‍👦".to_owned()),
        Just("\u{202e}\u{0}\n\n".to_owned()),
        Just("频道".to_owned()),
        "\\PC{0,40}",
    ];
    (proptest::collection::vec(parts, 0..5), 1_usize..400).prop_map(|(parts, times)| parts.concat().repeat(times))
}

fn absurd_number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 0_u64..10_000]
}

fn absurd_time() -> impl Strategy<Value = Timestamp> {
    let earliest = Timestamp::MIN.as_second() + 100_000;
    let latest = Timestamp::MAX.as_second() - 100_000;
    (earliest..latest).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn absurd_tasks_fit(
        text in absurd(), reason in absurd(), n in absurd_number(), m in absurd_number(), at in absurd_time(),
        which in 0_usize..8, is_zh: bool,
    ) {
        let language = if is_zh { Language::Zh } else { Language::En };
        let (_, mut state) = states().swap_remove(which);
        match &mut state {
            TaskState::Waiting { reason: why, .. } | TaskState::Paused { reason: why } | TaskState::Parked { reason: why }
            | TaskState::Failed { reason: why } => why.push_str(&reason),
            TaskState::Done { at: ended } | TaskState::Cancelled { at: ended } => *ended = at,
            TaskState::Ready { .. } | TaskState::Running { .. } => {}
        }
        let mut data = data(state);
        data.task.title.clone_from(&text);
        data.task.description = Some(text.clone());
        data.task.source.title = Some(text.clone());
        data.task.target.title = Some(text.clone());
        data.task.selection.keyword = Some(text.clone());
        data.task.selection.kinds = [Kind::Photo, Kind::Video, Kind::Document, Kind::Audio, Kind::Voice, Kind::Other].into();
        data.task.checkpoint.counts = Counts { scanned: n, matched: m, delivered: n, skipped: m, floods: n, changes: m, blind_repeats: n };
        data.task.checkpoint.account = Some(AccountId(text.clone()));
        data.begun = Some(Begun { at, in_range: Some(m) });
        data.lately = Some(Lately { since: at, delivered: m });
        data.task.pace = Pace { forward_rate_ms: n, pause_after_files: 7, pause_duration_ms: m, ..Pace::default() };
        let error = || Event::Skipped { messages: u32::MAX, reason: SkipReason::Error(text.clone()) };
        let changed = || Event::AccountChanged { from: Some(AccountId(text.clone())), to: AccountId(text.clone()), reason: reason.clone(), wait_secs: None };
        let parked = || Event::State { state: text.clone(), reason: Some(reason.clone()) };
        data.events = [error(), changed(), parked(), changed(), parked(), error()].map(|event| record(1, event)).into();
        let locale = locale(language);
        fits(&task::task(&data, &locale, now()));
        fits(&task::cancel(&data.task, &locale));
        fits(&task::pace(&data.task, None, &locale));
        let rows: Vec<TaskRow> = (0..8).map(|_| TaskRow { task: data.task.clone(), in_range: Some(n) }).collect();
        fits(&tasks::tasks(&rows, usize::MAX, u32::MAX, &locale));
        let ledger: Vec<SkipRecord> = (0..400).map(|k| SkipRecord {
            task: data.task.id.clone(),
            ids: IdSequence::from_vec((0..20).map(|id| MessageId(i32::MAX - k * 40 - id * 2)).collect()),
            reason: SkipReason::Error(format!("{k}{text}")),
            account: None,
            at,
        }).collect();
        for page in [0, 3, u32::MAX] {
            fits(&skipped::skipped(&data.task, &ledger, page, &locale));
        }
    }

    #[test]
    fn absurd_accounts_fit(
        text in absurd(), n in absurd_number(), m in absurd_number(), at in absurd_time(), page: u32, is_zh: bool,
    ) {
        let locale = locale(if is_zh { Language::Zh } else { Language::En });
        let mut pool = members();
        for member in &mut pool {
            member.profile.label.clone_from(&text);
            member.profile.group = Some(text.clone());
            member.profile.priority = i32::MIN;
            member.account.phone_masked.clone_from(&text);
            member.account.reason = Some(text.clone());
            member.account.total = Counters { forwarded: n, floods: m, flood_wait_secs: n };
            member.account.today.counters = Counters { forwarded: m, floods: n, flood_wait_secs: m };
            member.account.waits.extend(MethodClass::Write, at);
            fits(&account::account(member, &locale, now(), TODAY));
            fits(&account::delete(member, &locale));
            fits(&account::reset(member, &locale, now()));
        }
        fits(&pool::pool(&pool, None, &locale, now(), TODAY));
        fits(&pool::accounts(&pool, page, &locale, now(), TODAY));
        let days = statistics::by_day(&pool, &[], TODAY);
        fits(&statistics::statistics(&statistics::StatisticsData { members: pool, days }, &locale, now(), TODAY));
    }
}
