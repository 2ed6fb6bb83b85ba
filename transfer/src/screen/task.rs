//! One task's page, and what is asked before something is done to it.

use jiff::Timestamp;

use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::dialogue::summary;
use crate::ids::TaskId;
use crate::pace::{Pace, Preset};
use crate::progress::Progress;
use crate::table::item::EventRecord;
use crate::task::{Command, Counts, Endpoint, Task, TaskState, Wish};
use crate::text::{Locale, Value, grouped};

use super::event::{Names, words};
use super::{Sheet, reason, short, title};

/// Cells of the progress bar.
const BAR_CELLS: u8 = 10;
/// Characters of the description that are shown here.
const DESCRIPTION_LEN_SHOWN: usize = 300;
/// Characters of a keyword.
const KEYWORD_LEN_SHOWN: usize = 60;
/// The events that are shown.
pub const EVENTS_SHOWN: usize = 5;

/// What a task's page shows.
#[derive(Debug, Clone)]
pub struct TaskData {
    /// The task.
    pub task: Task,
    /// What the admin wishes of it, which a host may not have read yet.
    pub command: Option<Command>,
    /// What happened last, oldest first.
    pub events: Vec<EventRecord>,
    /// What the accounts are called.
    pub names: Names,
    /// When it was begun, and how many messages its range has, where that is known.
    pub begun: Option<Begun>,
    /// What was carried lately; `None` when nothing was, or it rests.
    pub lately: Option<Lately>,
    /// Whether a host is there to work on it.
    pub hosts_alive: bool,
}

/// A task's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// When a host took it for the first time.
    pub at: Timestamp,
    /// Messages in the range, where Telegram told.
    pub in_range: Option<u64>,
}

/// What was carried in the last while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lately {
    /// Since when.
    pub since: Timestamp,
    /// Messages.
    pub delivered: u64,
}

impl Lately {
    /// From the last chunks, newest first: when each was decided, and how many messages it carried. `since`: when the time
    /// begins in which they are all that was carried; where nobody knows, it begins with the oldest, which then does not
    /// count.
    pub fn of(chunks: &[(Timestamp, u64)], since: Option<Timestamp>) -> Option<Self> {
        let (since, counted) = match (since, chunks.split_last()) {
            (Some(since), _) => (since, chunks),
            (None, Some(((oldest, _), newer))) => (*oldest, newer),
            (None, None) => return None,
        };
        let delivered = counted.iter().map(|(_, messages)| *messages).fold(0, u64::saturating_add);
        (delivered > 0).then_some(Self { since, delivered })
    }

    /// What had been counted before that. What was scanned is taken to have gone with what was delivered.
    fn before(&self, counts: &Counts) -> Counts {
        let delivered = counts.delivered.saturating_sub(self.delivered);
        let scanned = u128::from(counts.scanned) * u128::from(delivered) / u128::from(counts.delivered.max(1));
        Counts { delivered, scanned: u64::try_from(scanned).unwrap_or(u64::MAX), ..Counts::default() }
    }
}

/// How much of its range a task has looked at, 0 to 100.
pub fn percent(task: &Task, in_range: Option<u64>) -> u8 {
    if matches!(task.state, TaskState::Done { .. }) {
        return 100;
    }
    let counted = Progress::of(&task.checkpoint.counts, in_range, &Counts::default(), jiff::SignedDuration::ZERO);
    // Until it is over something is left.
    counted.percent.unwrap_or_else(|| by_ids(task)).min(99)
}

fn by_ids(task: &Task) -> u8 {
    let Some(last) = task.last_id else { return 0 };
    let first = i64::from(task.selection.first_id().0);
    let len = i64::from(last.0) - first + 1;
    let done = (i64::from(task.checkpoint.cursor.0) - first + 1).clamp(0, len.max(0));
    (done * 100).checked_div(len).and_then(|percent| u8::try_from(percent).ok()).unwrap_or(0)
}

/// A progress bar.
pub fn bar(percent: u8) -> String {
    let full = usize::from(percent.min(100) / (100 / BAR_CELLS));
    format!("{}{}", "▰".repeat(full), "▱".repeat(usize::from(BAR_CELLS) - full))
}

/// A task's page.
pub fn task(data: &TaskData, locale: &Locale, now: Timestamp) -> Screen {
    let task = &data.task;
    let mut sheet = Sheet::new(locale);
    sheet.say("task-title", &[("title", title(&task.title).into())]);
    if let Some(description) = &task.description {
        sheet.say("task-description", &[("text", short(description, DESCRIPTION_LEN_SHOWN).into())]);
    }
    sheet.say("task-way", &[("source", chat(&task.source).into()), ("target", chat(&task.target).into())]);
    sheet.line(&selection(task, locale));
    sheet.gap();
    state(&mut sheet, data, now);
    sheet.gap();
    figures(&mut sheet, data, now);
    events(&mut sheet, data);
    buttons(&mut sheet, data);
    sheet.finish()
}

/// The question whether a task is really to be cancelled.
pub fn cancel(task: &Task, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    let counts = &task.checkpoint.counts;
    let arguments = [("title", title(&task.title).into()), ("delivered", Value::from(grouped(counts.delivered)))];
    sheet.say("task-cancel-question", &arguments);
    if task.checkpoint.intent.is_some() && matches!(task.state, TaskState::Parked { .. }) {
        sheet.gap();
        sheet.say("task-cancel-uncertain", &[]);
    }
    sheet.row([("task-button-cancel-yes", Press::Cancel(task.id.clone()))]);
    sheet.row([("task-button-no", Press::Task(task.id.clone()))]);
    sheet.finish()
}

/// The choice of another pace.
pub fn pace(task: &Task, command: Option<&Command>, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    let wished = wished_pace(task, command);
    let arguments = [("title", title(&task.title).into()), ("pace", Value::Html(pace_words(&wished, locale).into()))];
    sheet.say("task-pace-title", &arguments);
    sheet.gap();
    for preset in PRESETS {
        let figures = Value::Html(summary::pace(&preset.pace(), locale).into());
        sheet.say("task-pace-row", &[("name", preset_name(preset, locale).into()), ("figures", figures)]);
    }
    sheet.gap();
    sheet.say("task-pace-hint", &[]);
    for pair in PRESETS.chunks(2) {
        let row = pair.iter().map(|preset| {
            let name = preset_name(*preset, locale);
            let text = if preset.pace() == wished { format!("✅ {name}") } else { name };
            crate::bot::Button { text, data: Press::SetPace(task.id.clone(), *preset).to_string() }
        });
        let row = row.collect();
        sheet.buttons.push(row);
    }
    sheet.row([("task-button-custom-pace", Press::CustomPace(task.id.clone()))]);
    sheet.row([("tasks-button-back", Press::Task(task.id.clone()))]);
    sheet.finish()
}

/// There is no such task for this reader.
pub fn unknown(locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("task-unknown", &[]);
    sheet.row([("tasks-button-list", Press::Tasks(0)), ("button-menu", Press::Menu)]);
    sheet.finish()
}

const PRESETS: [Preset; 4] = [Preset::Small, Preset::Medium, Preset::Large, Preset::None];

fn preset_name(preset: Preset, locale: &Locale) -> String {
    locale.say(&format!("preset-{preset}"), &[])
}

/// A pace as people say it: the preset's name with its figures, or the figures alone. Markup.
pub fn pace_words(pace: &Pace, locale: &Locale) -> String {
    let figures = summary::pace(pace, locale);
    let preset = PRESETS.into_iter().find(|preset| preset.pace() == *pace);
    match preset {
        Some(Preset::None) => preset_name(Preset::None, locale),
        Some(preset) => {
            let arguments = [("name", preset_name(preset, locale).into()), ("figures", Value::Html(figures.into()))];
            locale.say("task-pace-named", &arguments)
        }
        None => figures,
    }
}

/// The pace that counts from the next chunk on.
fn wished_pace(task: &Task, command: Option<&Command>) -> Pace {
    command.and_then(|command| command.pace).unwrap_or(task.pace)
}

fn chat(endpoint: &Endpoint) -> String {
    let address = endpoint.address.to_string();
    match &endpoint.title {
        Some(name) => format!("{} ({})", title(name), title(&address)),
        None => title(&address),
    }
}

/// What it carries, as markup.
fn selection(task: &Task, locale: &Locale) -> String {
    let range = summary::range(&task.selection.range, locale);
    let mut parts = vec![range];
    if let Some(only) = &task.selection.only {
        parts.push(locale.say("task-only", &[("count", grouped(only.len() as u64).into())]));
    }
    if !task.selection.kinds.is_empty() {
        parts.push(summary::kinds(task.selection.kinds.iter().copied(), locale));
    }
    if let Some(keyword) = &task.selection.keyword {
        parts.push(locale.say("task-keyword", &[("keyword", short(keyword, KEYWORD_LEN_SHOWN).into())]));
    }
    locale.say("task-selection", &[("what", Value::Html(parts.join(" · ").into()))])
}

/// State, why, and what to do.
fn state(sheet: &mut Sheet<'_>, data: &TaskData, now: Timestamp) {
    let (task, locale) = (&data.task, sheet.locale);
    sheet.say(&format!("task-state-{}", task.state.word()), &[]);
    let why = |reason: &str| [("why", Value::Html(reason::words(reason, locale).into()))];
    match &task.state {
        TaskState::Ready { .. } => sheet.say("task-now-ready", &[]),
        TaskState::Running { .. } => {
            if let Some(until) = task.pauses_until(now) {
                sheet.say("task-now-pauses", &[("wake", locale.time(until).into())]);
            }
        }
        TaskState::Done { .. } | TaskState::Cancelled { .. } => {}
        TaskState::Waiting { wake_at, reason } => {
            sheet.say("task-why", &why(reason));
            sheet.say("task-now-waiting", &[("wake", locale.time(*wake_at).into())]);
        }
        TaskState::Paused { reason } => {
            sheet.say("task-why", &why(reason));
            sheet.say("task-now-paused", &[]);
        }
        TaskState::Parked { reason } => {
            sheet.say("task-why", &why(reason));
            sheet.say("task-now-parked", &[]);
        }
        TaskState::Failed { reason } => {
            sheet.say("task-why", &why(reason));
            sheet.say("task-now-failed", &[]);
        }
    }
    match pending(data) {
        Some(Wish::Pause) => sheet.say("task-pausing", &[]),
        Some(Wish::Cancel) => sheet.say("task-cancelling", &[]),
        Some(Wish::Run) | None => {}
    }
    if !data.hosts_alive && task.state.due_at().is_some() {
        sheet.say("task-no-host", &[]);
    }
}

/// A wish that no host has obeyed yet.
fn pending(data: &TaskData) -> Option<Wish> {
    let wish = data.command.as_ref()?.wish;
    let is_open = match (&data.task.state, wish) {
        (state, _) if state.is_over() => false,
        (TaskState::Paused { .. } | TaskState::Parked { .. }, Wish::Pause) | (_, Wish::Run) => false,
        (_, Wish::Pause | Wish::Cancel) => true,
    };
    is_open.then_some(wish)
}

fn figures(sheet: &mut Sheet<'_>, data: &TaskData, now: Timestamp) {
    let (task, locale) = (&data.task, sheet.locale);
    let counts = &task.checkpoint.counts;
    let in_range = data.begun.and_then(|begun| begun.in_range);
    let percent = percent(task, in_range);
    sheet.say("task-progress", &[("bar", bar(percent).into()), ("percent", percent.to_string().into())]);
    let scanned = match in_range.filter(|total| *total > 0) {
        Some(total) => format!("{} / {}", grouped(counts.scanned), grouped(total.max(counts.scanned))),
        None => grouped(counts.scanned),
    };
    sheet.say("task-scanned", &[("count", scanned.into())]);
    sheet.say("task-matched", &[("count", grouped(counts.matched).into())]);
    sheet.say("task-forwarded", &[("count", grouped(counts.delivered).into())]);
    sheet.say("task-skipped", &[("count", grouped(counts.skipped).into())]);
    if !task.state.is_over() {
        let number = task.checkpoint.batches.saturating_add(1);
        let arguments = [
            ("number", grouped(u64::from(number)).into()),
            ("used", grouped(u64::from(task.checkpoint.batch_used)).into()),
            ("size", grouped(u64::from(task.batch_len)).into()),
        ];
        sheet.say("task-batch", &arguments);
    }
    speed(sheet, data, in_range, now);
    if counts.floods > 0 || counts.changes > 0 {
        let arguments = [("floods", grouped(counts.floods).into()), ("changes", grouped(counts.changes).into())];
        sheet.say("task-floods", &arguments);
    }
    if let Some(account) = &task.checkpoint.account {
        sheet.say("task-account", &[("account", data.names.of(account).into())]);
    }
    if !task.state.is_over() {
        let wished = wished_pace(task, data.command.as_ref());
        let name = if wished == task.pace { "task-pace" } else { "task-pace-pending" };
        sheet.say(name, &[("pace", Value::Html(pace_words(&wished, locale).into()))]);
    }
}

/// How fast, for how long, and how long still.
fn speed(sheet: &mut Sheet<'_>, data: &TaskData, in_range: Option<u64>, now: Timestamp) {
    let (task, locale) = (&data.task, sheet.locale);
    let counts = &task.checkpoint.counts;
    let secs = |from: Timestamp, until: Timestamp| u64::try_from(until.duration_since(from).as_secs()).unwrap_or(0);
    let ended_at = match &task.state {
        TaskState::Done { at } | TaskState::Cancelled { at } => Some(*at),
        TaskState::Failed { .. } => data.events.last().map(|event| event.at),
        TaskState::Ready { .. }
        | TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::Paused { .. }
        | TaskState::Parked { .. } => None,
    };
    let goes_on = matches!(task.state, TaskState::Ready { .. } | TaskState::Running { .. });
    if let Some(lately) = data.lately.filter(|_| goes_on) {
        let elapsed = now.duration_since(lately.since);
        let progress = Progress::of(counts, in_range, &lately.before(counts), elapsed);
        let over = locale.duration(secs(lately.since, now));
        sheet.say("task-rate", &[("rate", grouped(progress.per_minute).into()), ("over", over.into())]);
        if let Some(eta) = progress.eta {
            let left = locale.duration(u64::try_from(eta.as_secs()).unwrap_or(0));
            sheet.say("task-eta", &[("left", left.into())]);
        }
    } else if let (Some(begun), Some(ended_at)) = (data.begun, ended_at) {
        let average = Progress::of(counts, None, &Counts::default(), ended_at.duration_since(begun.at));
        sheet.say("task-rate-average", &[("rate", grouped(average.per_minute).into())]);
    }
    if let Some(begun) = data.begun {
        let elapsed = locale.duration(secs(begun.at, ended_at.unwrap_or(now)));
        sheet.say("task-elapsed", &[("elapsed", elapsed.into()), ("start", locale.time(begun.at).into())]);
    } else {
        sheet.say("task-created", &[("at", locale.time(task.created_at).into())]);
    }
    if let Some(ended_at) = ended_at {
        sheet.say("task-ended", &[("at", locale.time(ended_at).into())]);
    }
}

fn events(sheet: &mut Sheet<'_>, data: &TaskData) {
    if data.events.is_empty() {
        return;
    }
    let locale = sheet.locale;
    sheet.gap();
    sheet.say("task-events", &[]);
    let first = data.events.len().saturating_sub(EVENTS_SHOWN);
    let lines = data.events.iter().skip(first).rev().map(|record| {
        let what = words(&record.event, &data.names, locale);
        locale.say("task-event-line", &[("at", locale.time(record.at).into()), ("what", Value::Html(what.into()))])
    });
    let lines: Vec<String> = lines.collect();
    sheet.list(&lines);
}

fn buttons(sheet: &mut Sheet<'_>, data: &TaskData) {
    let task = &data.task;
    let id = || -> TaskId { task.id.clone() };
    match (&task.state, pending(data)) {
        (_, Some(Wish::Cancel)) => {}
        (_, Some(Wish::Pause)) => sheet.row([("task-button-resume", Press::Resume(id()))]),
        (TaskState::Ready { .. } | TaskState::Running { .. }, _) => {
            sheet.row([("task-button-pause", Press::Pause(id()))]);
        }
        (TaskState::Waiting { .. }, _) => {
            sheet.row([("task-button-resume-now", Press::Resume(id())), ("task-button-pause", Press::Pause(id()))]);
        }
        (TaskState::Paused { .. } | TaskState::Parked { .. }, _) => {
            sheet.row([("task-button-resume", Press::Resume(id()))]);
        }
        (TaskState::Failed { .. } | TaskState::Done { .. } | TaskState::Cancelled { .. }, _) => {
            sheet.row([("task-button-repeat", Press::RepeatTask(id()))]);
        }
    }
    if !task.state.is_over() && pending(data) != Some(Wish::Cancel) {
        sheet.row([("task-button-pace", Press::AskPace(id())), ("task-button-cancel", Press::AskCancel(id()))]);
    }
    if task.checkpoint.counts.skipped > 0 {
        if task.state.is_over() {
            let retry = ("task-button-retry", Press::RetrySkipped(id()));
            sheet.row([("task-button-skipped", Press::Skipped(id(), 0)), retry]);
        } else {
            sheet.row([("task-button-skipped", Press::Skipped(id(), 0))]);
        }
    }
    sheet.row([("task-button-refresh", Press::Task(id())), ("tasks-button-back", Press::Tasks(0))]);
}
