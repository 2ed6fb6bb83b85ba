//! The progress message of a transfer: one message, edited again and again, with the figures of the moment.

use jiff::{SignedDuration, Timestamp};

use super::happening::in_a_line;
use super::{Names, REASON_LEN_MAX, TITLE_LEN_MAX, button, line, name, text};
use crate::bot::{Button, Screen};
use crate::dialogue::press::Press;
use crate::progress::Progress;
use crate::selection::Range;
use crate::table::item::EventRecord;
use crate::task::{Counts, Task, TaskState};
use crate::text::{Locale, grouped};

/// Cells of the bar.
const CELLS: usize = 10;
/// Events shown.
const EVENTS_SHOWN: usize = 4;

/// What is known of a task at a moment.
#[derive(Debug, Clone)]
pub struct News<'a> {
    /// The task as committed.
    pub task: &'a Task,
    /// Messages in its range, where Telegram told.
    pub in_range: Option<u64>,
    /// When it was taken for the first time.
    pub started_at: Option<Timestamp>,
    /// What was counted a while ago, for the rate.
    pub before: Counts,
    /// How long ago.
    pub elapsed: SignedDuration,
    /// What happened last, oldest first.
    pub events: &'a [EventRecord],
    /// The moment.
    pub now: Timestamp,
}

/// The message.
pub fn screen(news: &News<'_>, names: Names<'_>, locale: &Locale) -> Screen {
    let task = news.task;
    let counts = &task.checkpoint.counts;
    let progress = Progress::of(counts, in_range(news), &news.before, news.elapsed);
    let mut html = head(task, news.now, locale);
    line(&mut html, "");
    if let Some(bar) = bar(&progress, task) {
        line(&mut html, &bar);
    }
    line(&mut html, &batch(task, locale));
    for (name, number) in [
        ("progress-scanned", counts.scanned),
        ("progress-matched", counts.matched),
        ("progress-forwarded", counts.delivered),
        ("progress-skipped", counts.skipped),
    ] {
        if name != "progress-skipped" || number > 0 {
            line(&mut html, &locale.say(name, &[("count", grouped(number).into())]));
        }
    }
    let goes_on = task.state.due_at().is_some();
    if goes_on {
        line(&mut html, &locale.say("progress-rate", &[("count", grouped(progress.per_minute).into())]));
    }
    line(&mut html, &times(news, goes_on, &progress, locale));
    if let Some(account) = &task.checkpoint.account {
        line(&mut html, &locale.say("progress-account", &[("account", name(names, account).into())]));
    }
    let told: Vec<String> = news.events.iter().rev().filter_map(|record| event(record, names, locale)).collect();
    if !told.is_empty() {
        line(&mut html, "");
        told.iter().take(EVENTS_SHOWN).rev().for_each(|told| line(&mut html, told));
    }
    Screen { html, buttons: buttons(task, locale) }
}

fn event(record: &EventRecord, names: Names<'_>, locale: &Locale) -> Option<String> {
    let told = in_a_line(&record.event, names, locale)?;
    Some(format!("<i>{}</i> {told}", locale.clock_time(record.at)))
}

/// Icon, title, state, route, and the reason of the state where there is one.
fn head(task: &Task, now: Timestamp, locale: &Locale) -> String {
    let state = match &task.state {
        TaskState::Ready { .. } => "progress-state-ready",
        TaskState::Running { .. } => "progress-state-running",
        TaskState::Waiting { .. } => "progress-state-waiting",
        TaskState::Paused { .. } => "progress-state-paused",
        TaskState::Parked { .. } => "progress-state-parked",
        TaskState::Failed { .. } => "progress-state-failed",
        TaskState::Done { .. } => "progress-state-done",
        TaskState::Cancelled { .. } => "progress-state-cancelled",
    };
    let mut html = locale.say(state, &[("title", text(&task.title, TITLE_LEN_MAX))]);
    let end = |end: &crate::task::Endpoint| match &end.title {
        Some(title) => text(title, TITLE_LEN_MAX),
        None => text(&end.address.to_string(), TITLE_LEN_MAX),
    };
    line(&mut html, &locale.say("progress-route", &[("source", end(&task.source)), ("target", end(&task.target))]));
    match &task.state {
        TaskState::Waiting { wake_at, reason } => {
            let arguments = [("until", locale.time(*wake_at).into()), ("reason", text(reason, REASON_LEN_MAX))];
            line(&mut html, &locale.say("progress-waits", &arguments));
        }
        TaskState::Paused { reason } | TaskState::Parked { reason } | TaskState::Failed { reason } => {
            line(&mut html, &locale.say("progress-reason", &[("reason", text(reason, REASON_LEN_MAX))]));
        }
        TaskState::Running { .. } => {
            if let Some(until) = task.pauses_until(now) {
                line(&mut html, &locale.say("progress-pauses", &[("until", locale.time(until).into())]));
            }
        }
        TaskState::Ready { .. } | TaskState::Done { .. } | TaskState::Cancelled { .. } => {}
    }
    html
}

/// How many messages the range has. Where the range names ids, by how far the cursor has come in it; where it names dates,
/// nobody knows before the end.
fn in_range(news: &News<'_>) -> Option<u64> {
    let (task, counts) = (news.task, &news.task.checkpoint.counts);
    if matches!(task.state, TaskState::Done { .. }) {
        return Some(counts.scanned);
    }
    let first = match task.selection.range {
        Range::Everything if task.selection.only.is_none() => return news.in_range,
        Range::Dates { .. } if task.selection.only.is_none() => return None,
        Range::Everything | Range::Dates { .. } | Range::Ids { .. } | Range::From(_) => task.selection.first_id(),
    };
    let span = |id: crate::ids::MessageId| u64::try_from(i64::from(id.0) - i64::from(first.0) + 1).unwrap_or(0);
    let (done, whole) = (span(task.checkpoint.cursor), span(task.last_id?));
    let total = u128::from(counts.scanned) * u128::from(whole) / u128::from(done.max(1));
    (done > 0 && counts.scanned > 0).then(|| u64::try_from(total).unwrap_or(u64::MAX))
}

fn bar(progress: &Progress, task: &Task) -> Option<String> {
    let percent = match task.state {
        TaskState::Done { .. } => 100,
        // What is not over yet is not full either.
        _ => progress.percent?.min(99),
    };
    let full = usize::from(percent) * CELLS / 100;
    Some(format!("{}{} {percent} %", "▰".repeat(full), "▱".repeat(CELLS.saturating_sub(full))))
}

fn batch(task: &Task, locale: &Locale) -> String {
    let checkpoint = &task.checkpoint;
    let arguments = [
        ("batch", (u64::from(checkpoint.batches) + 1).into()),
        ("count", grouped(u64::from(checkpoint.batch_used)).into()),
        ("size", grouped(u64::from(task.batch_len)).into()),
    ];
    locale.say("progress-batch", &arguments)
}

fn times(news: &News<'_>, goes_on: bool, progress: &Progress, locale: &Locale) -> String {
    let until = match news.task.state {
        TaskState::Done { at } | TaskState::Cancelled { at } => at,
        _ => news.now,
    };
    let since = news.started_at.unwrap_or(news.task.created_at);
    let elapsed = u64::try_from(until.duration_since(since).as_secs()).unwrap_or(0);
    let elapsed = ("elapsed", locale.duration(elapsed).into());
    match progress.eta.filter(|_| goes_on) {
        Some(eta) => {
            let left = locale.duration(u64::try_from(eta.as_secs()).unwrap_or(0));
            locale.say("progress-elapsed-eta", &[elapsed, ("eta", left.into())])
        }
        None => locale.say("progress-elapsed", &[elapsed]),
    }
}

fn buttons(task: &Task, locale: &Locale) -> Vec<Vec<Button>> {
    let id = || task.id.clone();
    let pause = || button(locale, "progress-press-pause", &Press::Pause(id()));
    let resume = || button(locale, "progress-press-resume", &Press::Resume(id()));
    let cancel = || button(locale, "progress-press-cancel", &Press::AskCancel(id()));
    let details = button(locale, "progress-press-details", &Press::Task(id()));
    match task.state {
        TaskState::Ready { .. } | TaskState::Running { .. } => vec![vec![pause(), cancel()], vec![details]],
        TaskState::Waiting { .. } => vec![vec![pause(), resume(), cancel()], vec![details]],
        TaskState::Paused { .. } | TaskState::Parked { .. } => vec![vec![resume(), cancel()], vec![details]],
        TaskState::Failed { .. } | TaskState::Done { .. } | TaskState::Cancelled { .. } => vec![vec![details]],
    }
}
