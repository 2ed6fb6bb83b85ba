//! What is said of a transfer: plain texts out of plain facts.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use transfer::account::{AccountState, Member, MethodClass};
use transfer::event::{Event, Settlement};
use transfer::ids::AccountId;
use transfer::selection::Selection;
use transfer::task::{Task, TaskState};

use super::Snapshot;
use super::rate::Rate;

/// What an account is that may call.
const READY: &str = "ready";

/// What the accounts are called.
pub struct Names<'a>(BTreeMap<&'a AccountId, &'a str>);

impl<'a> Names<'a> {
    /// By their labels.
    pub fn new(members: &'a [Member]) -> Self {
        Self(members.iter().map(|member| (&member.account.id, member.profile.label.as_str())).collect())
    }

    /// The label, or the id where there is none.
    pub fn of<'n>(&'n self, id: &'n AccountId) -> &'n str {
        self.0.get(id).copied().unwrap_or(&id.0)
    }
}

/// An event worth a line of its own.
pub fn event(event: &Event, selection: &Selection, names: &Names<'_>, zone: &TimeZone) -> Option<String> {
    let text = match event {
        Event::Started { in_range: Some(count) } if *selection == Selection::everything() => {
            format!("started: {} messages in the source", grouped(*count))
        }
        // How many of them are selected is known when they were read.
        Event::Started { in_range: Some(count) } => format!("started: {} messages to look at", grouped(*count)),
        Event::Started { in_range: None } => "started".to_owned(),
        Event::AccountChanged { from: None, to, .. } => format!("{} carries", names.of(to)),
        Event::AccountChanged { from: Some(from), to, reason, wait_secs } => {
            let wait = wait_secs.map_or_else(String::new, |secs| format!(", {}", short(Duration::from_secs(secs))));
            format!("changed account: {} to {} ({reason}{wait})", names.of(from), names.of(to))
        }
        Event::AllLimited { wake_at } => {
            format!("all accounts are limited; going on at {}", wake_at.to_zoned(zone.clone()).strftime("%H:%M:%S"))
        }
        Event::AccountLost { account, reason } => format!("{} left the pool: {reason}", names.of(account)),
        Event::Skipped { messages, reason } => format!("skipped {messages}: {reason:?}").to_lowercase(),
        Event::Settled { account, how } => {
            let how = match how {
                Settlement::Repeated => "repeated the same call, and it was answered",
                Settlement::Found => "found its messages in the target",
                Settlement::TakenOver => "nothing of it had arrived; another account took it",
            };
            format!("settled an interrupted call of {}: {how}", names.of(account))
        }
        Event::BatchDone { batch } => format!("batch {batch} is done"),
        Event::State { state, reason: Some(reason) } => format!("{state}: {reason}"),
        // A flood is told by the change that it leads to; states without a reason by whoever follows the task.
        Event::Flood { .. } | Event::State { reason: None, .. } => return None,
    };
    Some(text)
}

/// What an account is doing for a task.
pub fn account(member: &Member, task: &Task, now: Timestamp) -> String {
    let carries = task.checkpoint.account.as_ref() == Some(&member.account.id);
    let runs = matches!(task.state, TaskState::Running { .. });
    match standing(member, now) {
        standing if standing == READY && carries && runs => "in use".to_owned(),
        standing => standing,
    }
}

/// What an account can do.
pub fn standing(member: &Member, now: Timestamp) -> String {
    let word = match member.account.state {
        AccountState::Ready => None,
        AccountState::SignedOut => Some("signed out"),
        AccountState::SessionDead => Some("session dead"),
        AccountState::Frozen => Some("frozen"),
        AccountState::Quarantined => Some("quarantined"),
        AccountState::Banned => Some("banned"),
    };
    if let Some(word) = word {
        return word.to_owned();
    }
    if !member.profile.enabled {
        return "disabled".to_owned();
    }
    if let Some(until) = member.account.waits.until(MethodClass::Write, now) {
        return format!("cooling, {}", short(span(until.duration_since(now))));
    }
    READY.to_owned()
}

/// The transfer in one line, with how far it is.
pub fn line(snapshot: &Snapshot, rate: &Rate) -> String {
    format!("{:3}%  {}", percent(&snapshot.task), task(snapshot, rate))
}

/// The transfer in a few words.
pub fn task(snapshot: &Snapshot, rate: &Rate) -> String {
    let counts = &snapshot.task.checkpoint.counts;
    let mut text = format!("{} delivered", grouped(counts.delivered));
    if counts.skipped > 0 {
        text.push_str(&format!(", {} skipped", grouped(counts.skipped)));
    }
    text.push_str(&format!(", {:.0}/s", rate.per_sec()));
    match &snapshot.task.state {
        TaskState::Waiting { reason, .. } => text.push_str(&format!(", waiting: {reason}")),
        TaskState::Running { .. } if snapshot.task.pauses_until(snapshot.at).is_some() => {
            text.push_str(", a pause of the pace");
        }
        TaskState::Ready { .. } | TaskState::Running { .. } => {
            if let Some(left) = snapshot.task.last_id.and_then(|last| rate.left(last.0)) {
                text.push_str(&format!(", {} left", short(left)));
            }
        }
        TaskState::Paused { .. }
        | TaskState::Parked { .. }
        | TaskState::Failed { .. }
        | TaskState::Done { .. }
        | TaskState::Cancelled { .. } => text.push_str(&format!(", {}", snapshot.task.state)),
    }
    text
}

/// How far it is, in hundredths.
pub fn percent(task: &Task) -> u32 {
    let last = task.last_id.map_or(0, |last| last.0);
    if last <= 0 {
        return if matches!(task.state, TaskState::Done { .. }) { 100 } else { 0 };
    }
    let share = i64::from(task.checkpoint.cursor.0.clamp(0, last)) * 100 / i64::from(last);
    u32::try_from(share).unwrap_or(0)
}

/// A time span as people say it: `4 s`, `2 min 5 s`, `3 h 10 min`.
pub fn short(span: Duration) -> String {
    let secs = span.as_secs_f64().ceil();
    let whole = Duration::from_secs_f64(secs).as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, secs) => format!("{secs} s"),
        (0, minutes, secs) => format!("{minutes} min {secs} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn span(signed: SignedDuration) -> Duration {
    Duration::try_from(signed).unwrap_or(Duration::ZERO)
}

/// A number with its thousands apart: `12,345`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_readable() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let spans = [0, 900, 59_001, 125_000, 11_400_000].map(|ms| short(Duration::from_millis(ms)));
        assert_eq!(spans, ["0 s", "1 s", "1 min 0 s", "2 min 5 s", "3 h 10 min"]);
    }

    #[test]
    fn a_change_names_both_accounts_and_the_wait() {
        let (from, to) = (AccountId::from("1"), AccountId::from("2"));
        let change = Event::AccountChanged { from: Some(from), to, reason: "FLOOD_WAIT_4".into(), wait_secs: Some(4) };
        let text = event(&change, &Selection::everything(), &Names::new(&[]), &TimeZone::UTC).unwrap();
        assert_eq!(text, "changed account: 1 to 2 (FLOOD_WAIT_4, 4 s)");
    }

    #[test]
    fn a_narrow_selection_promises_no_count() {
        let started = |selection: &Selection| {
            event(&Event::Started { in_range: Some(2_000) }, selection, &Names::new(&[]), &TimeZone::UTC).unwrap()
        };
        assert_eq!(started(&Selection::everything()), "started: 2,000 messages in the source");
        let narrow = Selection { keyword: Some("tide".into()), ..Selection::everything() };
        assert_eq!(started(&narrow), "started: 2,000 messages to look at");
    }
}
