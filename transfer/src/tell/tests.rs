//! Whatever the facts are, what is told fits into a message, and every text that it names exists.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::alert::Alert;
use super::progress::News;
use super::{happening, preview, progress, shortened};
use crate::account::AccountState;
use crate::bot::{BUTTON_DATA_LEN_MAX, Screen, TEXT_LEN_MAX};
use crate::event::{Event, Settlement};
use crate::ids::{AccountId, HostId, Nonce, TaskId};
use crate::inquiry::{Answer, Count, Obstacle, Preview};
use crate::intent::SkipReason;
use crate::submit::NewTask;
use crate::table::item::EventRecord;
use crate::task::{Counts, Task, TaskState};
use crate::text::{Language, Locale};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn locales() -> impl Iterator<Item = Locale> {
    Language::ALL.into_iter().map(|language| Locale { language, zone: TimeZone::UTC })
}

/// Text that grows when it is escaped, and breaks lines.
fn absurd() -> String {
    "<b>&\"\n".repeat(10_000)
}

fn check(screen: &Screen) {
    let mut visible = String::new();
    let mut in_tag = false;
    for character in screen.html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            other if !in_tag => visible.push(other),
            _ => {}
        }
    }
    assert!(visible.encode_utf16().count() <= TEXT_LEN_MAX, "{}", visible.len());
    assert!(!visible.trim().is_empty());
    let is_missing = |text: &str| ["progress-", "alert-", "preview-"].iter().any(|name| text.contains(name));
    assert!(!is_missing(&visible), "a text is missing: {visible}");
    for button in screen.buttons.iter().flatten() {
        assert!(button.data.len() <= BUTTON_DATA_LEN_MAX && !is_missing(&button.text), "{button:?}");
    }
}

fn draft() -> NewTask {
    let id = TaskId("00000000-0000-4000-8000-000000000000-r".to_owned());
    NewTask::new(id, Nonce([1; 16]), "@source".parse().unwrap(), "@target".parse().unwrap())
}

fn task(state: TaskState) -> Task {
    let mut task = draft().build(NOW).unwrap();
    task.title = absurd();
    task.source.title = Some(absurd());
    task.target.title = Some(absurd());
    let most = u64::MAX / 4;
    task.checkpoint.counts = Counts {
        scanned: most,
        matched: most,
        delivered: most,
        skipped: most,
        floods: most,
        changes: most,
        ..Counts::default()
    };
    task.checkpoint.account = Some("7".into());
    task.state = state;
    task
}

fn events() -> Vec<Event> {
    let account = || AccountId::from("7");
    let changed = |from, wait_secs| Event::AccountChanged { from, to: account(), reason: absurd(), wait_secs };
    let mut events = vec![
        Event::Started { in_range: None },
        Event::Started { in_range: Some(u64::MAX) },
        changed(None, None),
        changed(Some(account()), None),
        changed(Some(account()), Some(u64::MAX)),
        Event::Flood { account: account(), wait_secs: u64::MAX, until: Timestamp::MAX },
        Event::AllLimited { wake_at: Timestamp::MAX },
        Event::AccountLost { account: account(), reason: absurd() },
        Event::BatchDone { batch: u32::MAX },
    ];
    let reasons = [SkipReason::Service, SkipReason::Deleted, SkipReason::Refused, SkipReason::Undetermined];
    let reasons = reasons.into_iter().chain([SkipReason::Error(absurd())]);
    events.extend(reasons.map(|reason| Event::Skipped { messages: u32::MAX, reason }));
    let hows = [Settlement::Repeated, Settlement::Found, Settlement::TakenOver];
    events.extend(hows.map(|how| Event::Settled { account: account(), how }));
    let states = ["done", "failed", "parked", "paused", "cancelled"];
    events.extend(states.map(|state| Event::State { state: state.to_owned(), reason: Some(absurd()) }));
    events
}

#[test]
fn every_event_and_state_fits_and_has_its_words() {
    let reason = absurd();
    let states = [
        TaskState::Ready { since: NOW },
        TaskState::Running { since: NOW },
        TaskState::Waiting { wake_at: Timestamp::MAX, reason: reason.clone() },
        TaskState::Paused { reason: reason.clone() },
        TaskState::Parked { reason: reason.clone() },
        TaskState::Failed { reason },
        TaskState::Done { at: Timestamp::MAX },
        TaskState::Cancelled { at: NOW },
    ];
    let names = |_: &AccountId| absurd();
    for locale in locales() {
        for state in &states {
            let task = task(state.clone());
            let records: Vec<EventRecord> = (1..)
                .zip(events())
                .map(|(ordinal, event)| EventRecord { task: task.id.clone(), ordinal, at: NOW, event })
                .collect();
            for record in &records {
                let news = News {
                    task: &task,
                    in_range: Some(u64::MAX),
                    started_at: Some(NOW),
                    before: Counts::default(),
                    elapsed: SignedDuration::from_secs(1),
                    events: std::slice::from_ref(record),
                    now: Timestamp::MAX,
                };
                check(&progress::screen(&news, &names, &locale));
                check(&progress::screen(&News { events: &records, ..news }, &names, &locale));
                if let Some(screen) = happening::in_a_message(record, &task, true, &names, &locale) {
                    check(&screen);
                }
            }
        }
    }
}

#[test]
fn who_wakes_an_admin_is_the_end_a_pause_a_change_and_a_long_wait() {
    let locale = locales().next().unwrap();
    let task = task(TaskState::Running { since: NOW });
    let wakes = |event: Event, first| {
        let record = EventRecord { task: task.id.clone(), ordinal: 1, at: NOW, event };
        happening::in_a_message(&record, &task, first, &|id: &AccountId| id.to_string(), &locale).is_some()
    };
    let state = |state: &str| Event::State { state: state.to_owned(), reason: None };
    assert!(["done", "failed", "parked"].into_iter().all(|word| wakes(state(word), true)));
    assert!(!["paused", "cancelled", "waiting"].into_iter().any(|word| wakes(state(word), true)));
    let limited = |secs| Event::AllLimited { wake_at: Timestamp::from_second(secs).unwrap() };
    assert!(wakes(limited(60), true) && !wakes(limited(59), true));
    let change =
        || Event::AccountChanged { from: Some("1".into()), to: "2".into(), reason: "x".into(), wait_secs: None };
    assert!(wakes(change(), true) && !wakes(change(), false));
}

#[test]
fn every_answer_and_alarm_fits_and_has_its_words() {
    let address = absurd();
    let obstacles = [
        Obstacle::NoAccount,
        Obstacle::UnknownChat { address: address.clone() },
        Obstacle::Unreadable { address: address.clone() },
        Obstacle::Unpostable { address: address.clone() },
        Obstacle::Protected { title: address.clone() },
        Obstacle::SameChat { title: address.clone() },
        Obstacle::NothingMatches { title: address.clone() },
        Obstacle::AllLimited { until: Timestamp::MAX },
        Obstacle::Unreachable,
        Obstacle::Expired,
    ];
    let draft = NewTask { title: absurd(), ..draft() };
    let preview = |exact, estimate| {
        let count = Count { number: u64::MAX, exact };
        let preview = Preview {
            source: absurd(),
            target: absurd(),
            accounts_able: 1,
            accounts_other: u32::MAX,
            matching: count,
            albums: count,
            estimate,
        };
        Answer::Preview(Box::new(preview))
    };
    let states = [AccountState::SignedOut, AccountState::SessionDead, AccountState::Frozen];
    let states = states.into_iter().chain([AccountState::Quarantined, AccountState::Banned]);
    let mut alerts: Vec<Alert> = states
        .map(|state| Alert::AccountLost { account: "7".into(), label: absurd(), state, reason: absurd() })
        .collect();
    alerts.extend([
        Alert::FewAccounts { available: 1, of: 5 },
        Alert::LongFlood { account: "7".into(), label: absurd(), until: Timestamp::MAX },
        Alert::ManySkipped { task: draft.id.clone(), title: absurd(), skipped: u64::MAX, matched: u64::MAX },
        Alert::PoisonJob { job: absurd(), reason: absurd() },
        Alert::HostGone { host: HostId::from("h"), last_seen: NOW },
    ]);
    for locale in locales() {
        for reason in &obstacles {
            check(&preview::screen(&draft, &Answer::Impossible { reason: reason.clone() }, &locale));
        }
        let extrapolated = preview::screen(&draft, &preview(false, None), &locale);
        check(&extrapolated);
        assert!(extrapolated.html.contains('≈'));
        let exact = preview::screen(&draft, &preview(true, Some(SignedDuration::from_secs(90))), &locale);
        check(&exact);
        assert!(!exact.html.contains('≈'));
        alerts.iter().for_each(|alert| check(&alert.screen(&locale)));
    }
}

#[test]
fn texts_are_cut_to_characters_and_to_one_line() {
    assert_eq!(shortened("a\n b", 5), "a b");
    assert_eq!(shortened("报告报告报告", 4), "报告报…");
    assert_eq!(shortened(&absurd(), 10).chars().count(), 10);
}
