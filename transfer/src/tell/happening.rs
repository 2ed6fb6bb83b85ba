//! What happened to a transfer: in a line of its progress message, or in a message of its own, which notifies.
//!
//! A message of its own is what an admin would want to be woken for: the end, a pause after a batch, whatever needs them,
//! the first change of account in a batch, and a wait of every account that lasts. The rest stands in the progress message.

use jiff::SignedDuration;

use super::{NAME_LEN_MAX, Names, REASON_LEN_MAX, TITLE_LEN_MAX, button, line, name, shortened, text};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::event::{Event, Settlement};
use crate::intent::SkipReason;
use crate::table::item::EventRecord;
use crate::task::{Task, TaskState};
use crate::text::{Locale, Value, grouped};

/// A wait of every account that is shorter is over before anybody has read of it.
const WAIT_WORTH_TELLING: SignedDuration = SignedDuration::from_mins(1);
/// Characters of a reason in a line.
const REASON_IN_LINE_MAX: usize = 120;

/// What happened, in a line without its time; `None`: not worth one.
pub fn in_a_line(event: &Event, names: Names<'_>, locale: &Locale) -> Option<String> {
    Some(match event {
        Event::Started { in_range } => match in_range {
            Some(count) => locale.say("progress-event-started-of", &[("count", grouped(*count).into())]),
            None => locale.say("progress-event-started", &[]),
        },
        Event::AccountChanged { from, to, reason, wait_secs } => {
            let to = name(names, to);
            let Some(from) = from else { return Some(locale.say("progress-event-account", &[("to", to.into())])) };
            let why = why(reason, *wait_secs, REASON_IN_LINE_MAX, locale);
            let arguments = [("from", name(names, from).into()), ("to", to.into()), ("why", Value::Html(why.into()))];
            locale.say("progress-event-changed", &arguments)
        }
        Event::Flood { account, wait_secs, .. } => {
            let wait = locale.duration(*wait_secs);
            locale.say("progress-event-flood", &[("account", name(names, account).into()), ("wait", wait.into())])
        }
        Event::AllLimited { wake_at } => {
            locale.say("progress-event-all-limited", &[("until", locale.clock_time(*wake_at).into())])
        }
        Event::AccountLost { account, reason } => {
            let arguments = [("account", name(names, account).into()), ("reason", text(reason, REASON_IN_LINE_MAX))];
            locale.say("progress-event-account-lost", &arguments)
        }
        Event::Skipped { messages, reason } => {
            let arguments = [("count", Value::from(*messages)), ("why", skip_reason(reason, locale).into())];
            locale.say("progress-event-skipped", &arguments)
        }
        Event::Settled { account, how } => {
            let text = match how {
                Settlement::Repeated => "progress-event-repeated",
                Settlement::Found => "progress-event-found",
                Settlement::TakenOver => "progress-event-taken-over",
            };
            locale.say(text, &[("account", name(names, account).into())])
        }
        Event::BatchDone { batch } => locale.say("progress-event-batch", &[("batch", u64::from(*batch).into())]),
        // The head of the message says it.
        Event::State { .. } => return None,
    })
}

/// Why something stands in the skip ledger, in a few words.
pub fn skip_reason(reason: &SkipReason, locale: &Locale) -> String {
    match reason {
        SkipReason::Service => locale.say("progress-skip-service", &[]),
        SkipReason::Deleted => locale.say("progress-skip-deleted", &[]),
        SkipReason::Refused => locale.say("progress-skip-refused", &[]),
        SkipReason::Error(error) => shortened(error, NAME_LEN_MAX),
        SkipReason::Undetermined => locale.say("progress-skip-undetermined", &[]),
    }
}

/// The message that tells of it; `None`: it is told in the progress message alone. `first_change`: no other change of
/// account was told in this batch.
pub fn in_a_message(
    record: &EventRecord,
    task: &Task,
    first_change: bool,
    names: Names<'_>,
    locale: &Locale,
) -> Option<Screen> {
    let (html, presses) = match &record.event {
        Event::AccountChanged { from: Some(from), to, reason, wait_secs } if first_change => {
            let why = why(reason, *wait_secs, REASON_LEN_MAX, locale);
            let arguments = [
                ("title", text(&task.title, TITLE_LEN_MAX)),
                ("from", name(names, from).into()),
                ("to", name(names, to).into()),
                ("why", Value::Html(why.into())),
            ];
            (locale.say("progress-told-changed", &arguments), vec!["details"])
        }
        Event::BatchDone { batch } => (batch_done(*batch, task, locale), vec!["resume", "details"]),
        Event::AllLimited { wake_at } if wake_at.duration_since(record.at) >= WAIT_WORTH_TELLING => {
            let wait = u64::try_from(wake_at.duration_since(record.at).as_secs()).unwrap_or(0);
            let arguments = [
                ("title", text(&task.title, TITLE_LEN_MAX)),
                ("wait", locale.duration(wait).into()),
                ("until", locale.time(*wake_at).into()),
            ];
            (locale.say("progress-told-all-limited", &arguments), vec!["pool", "details"])
        }
        Event::State { state, reason } => ended(state, reason.as_deref(), record, task, locale)?,
        Event::Started { .. }
        | Event::AccountChanged { .. }
        | Event::AllLimited { .. }
        | Event::Flood { .. }
        | Event::AccountLost { .. }
        | Event::Skipped { .. }
        | Event::Settled { .. } => return None,
    };
    let row = presses.into_iter().map(|what| match what {
        "resume" => button(locale, "progress-press-resume", &Press::Resume(task.id.clone())),
        "pool" => button(locale, "progress-press-accounts", &Press::Accounts(0)),
        "retry" => button(locale, "progress-press-retry", &Press::RetrySkipped(task.id.clone())),
        _ => button(locale, "progress-press-details", &Press::Task(task.id.clone())),
    });
    Some(Screen { html, buttons: vec![row.collect()] })
}

type Told = (String, Vec<&'static str>);

/// The task rests: done with a summary, failed or parked with what to do. A pause and a cancellation that the admin wished
/// are no news to the admin.
fn ended(state: &str, reason: Option<&str>, record: &EventRecord, task: &Task, locale: &Locale) -> Option<Told> {
    let title = || ("title", text(&task.title, TITLE_LEN_MAX));
    let reason = || ("reason", text(reason.unwrap_or("-"), REASON_LEN_MAX));
    let mut presses = vec!["details"];
    let mut html = match state {
        "done" => locale.say("progress-told-done", &[title()]),
        "failed" => locale.say("progress-told-failed", &[title(), reason()]),
        "parked" => {
            presses.insert(0, "resume");
            locale.say("progress-told-parked", &[title(), reason()])
        }
        _ => return None,
    };
    let counts = &task.checkpoint.counts;
    if counts.skipped > 0 && state != "parked" {
        presses.insert(0, "retry");
    }
    line(&mut html, &summary(record, task, locale));
    Some((html, presses))
}

fn summary(record: &EventRecord, task: &Task, locale: &Locale) -> String {
    let counts = &task.checkpoint.counts;
    let took = u64::try_from(record.at.duration_since(task.created_at).as_secs()).unwrap_or(0);
    let arguments = [
        ("scanned", grouped(counts.scanned).into()),
        ("matched", grouped(counts.matched).into()),
        ("forwarded", grouped(counts.delivered).into()),
        ("skipped", grouped(counts.skipped).into()),
        ("changes", grouped(counts.changes).into()),
        ("floods", grouped(counts.floods).into()),
        ("took", locale.duration(took).into()),
    ];
    locale.say("progress-told-summary", &arguments)
}

fn batch_done(batch: u32, task: &Task, locale: &Locale) -> String {
    let arguments = [
        ("title", text(&task.title, TITLE_LEN_MAX)),
        ("batch", u64::from(batch).into()),
        ("forwarded", grouped(task.checkpoint.counts.delivered).into()),
    ];
    locale.say("progress-told-batch", &arguments)
}

/// A reason and the wait that came with it, as markup.
fn why(reason: &str, wait_secs: Option<u64>, most: usize, locale: &Locale) -> String {
    let reason = text(reason, most);
    match wait_secs {
        Some(secs) => {
            locale.say("progress-event-why-wait", &[("reason", reason), ("wait", locale.duration(secs).into())])
        }
        None => locale.say("progress-event-why", &[("reason", reason)]),
    }
}

/// Whether an event ends what the progress message shows: its next edit should not wait.
pub fn rests(state: &TaskState) -> bool {
    state.due_at().is_none()
}
