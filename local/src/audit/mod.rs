//! What came of a transfer, judged by what others saw of it: the server's log of calls and the target's content.
//!
//! Pure functions over plain [`Evidence`]; nothing here asks the host what it believes it did. The one thing that
//! only the table knows is the ledger of skipped messages, and it is believed only where what others saw bears it out: the
//! message cannot be forwarded, or the server refused it.

pub mod copies;
pub mod idle;
pub mod observe;
pub mod waits;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use transfer::pace::Pace;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The messages that were to be carried, ascending.
    pub selected: Vec<Original>,
    /// Those of them that stand in the skip ledger.
    pub skipped: BTreeSet<i32>,
    /// At most so many messages were refused by the server, or left out of a forward that it carried out.
    pub refused: u64,
    /// Every message ever created in the target, also if deleted since, in order of its id there.
    pub copies: Vec<Copied>,
    /// Every call that the server saw, in order.
    pub calls: Vec<Call>,
    /// The accounts that could have carried something.
    pub accounts: Vec<i64>,
    /// When a host was killed (or stopped), in unix milliseconds.
    pub kills_at_ms: Vec<i64>,
    /// The task's pace.
    pub pace: Option<Pace>,
    /// Messages a day and account.
    pub daily_budget: Option<u32>,
}

/// A message of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Original {
    /// Its id.
    pub id: i32,
    /// Its album; 0 if it is in none.
    pub album: i64,
    /// Whether it can be carried at all.
    pub content: Content,
}

/// What a message of the source is, by the world's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// It can be forwarded.
    #[default]
    Carriable,
    /// A service message: nobody can forward it.
    Service,
    /// Gone by now. Nobody owes it, but it may have been carried while it was there.
    Deleted,
}

/// A message of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The source message that it is a copy of; `None` if it is something else.
    pub of: Option<i32>,
    /// Its album in the target; 0 if it is in none.
    pub album: i64,
}

/// A call that the server saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Call {
    /// Who called; 0 if nobody was signed in.
    pub account: i64,
    /// The session of its connection, which ends with the caller's process; 0 if it is not known.
    pub session: i64,
    /// When, in unix milliseconds.
    pub at_ms: i64,
    /// When the answer was written or the connection died.
    pub ended_ms: Option<i64>,
    /// It was a forward.
    pub forward: bool,
    /// Messages that it made.
    pub applied: u32,
    /// It was answered with a wait until then.
    pub wait_until_ms: Option<i64>,
    /// It came though its account had been told to wait.
    pub during_wait: bool,
}

/// The verdict. The names are those of the JSON file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Messages that were to be carried.
    pub selected: u64,
    /// Of those, in the target.
    pub delivered: u64,
    /// Of those, in the skip ledger and not in the target, and rightly so.
    pub skipped: u64,
    /// Of the skipped, service messages.
    #[serde(skip)]
    pub skipped_service: u64,
    /// Of those, neither.
    pub missing: u64,
    /// Messages in the target that are there once more than asked for.
    pub duplicated: u64,
    /// Messages in the target that stand behind one that belongs behind them.
    pub out_of_order: u64,
    /// Albums that arrived in pieces.
    pub albums_split: u64,
    /// Flood waits that were given.
    pub floods: u64,
    /// Times that another account carried on.
    pub changes: u64,
    /// Calls of all kinds.
    pub calls: u64,
    /// Calls during a wait that the caller knew of.
    pub calls_during_wait: u64,
    /// Calls during a wait that the caller could not know of, because it was killed before it could write it down.
    pub blind_repeats: u64,
    /// Times that the host was killed.
    pub kills: u64,
    /// From the first call to the end of the last forward.
    pub elapsed_secs: f64,
    /// The share of that time in which a forward was in flight or nothing could be done.
    pub efficiency: f64,
    /// Delivered messages in a second.
    pub messages_per_sec: f64,
    /// What each account did.
    pub accounts: Vec<AccountReport>,
}

/// What one account did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountReport {
    /// Its user id.
    pub account: i64,
    /// Messages that it made in the target.
    pub forwarded: u64,
    /// Flood waits that it was given.
    pub floods: u64,
}

/// Judges the evidence.
pub fn judge(evidence: &Evidence) -> Report {
    let copies = copies::compare(evidence);
    let waits = waits::judge(&evidence.calls, &evidence.kills_at_ms);
    let idle = idle::measure(evidence);
    let elapsed_secs = secs(idle.elapsed_ms);
    let share = |part: f64, whole: f64, of_nothing: f64| if whole > 0.0 { part / whole } else { of_nothing };
    Report {
        selected: copies.delivered + copies.skipped + copies.missing,
        delivered: copies.delivered,
        skipped: copies.skipped,
        skipped_service: copies.skipped_service,
        missing: copies.missing,
        duplicated: copies.duplicated,
        out_of_order: copies.out_of_order,
        albums_split: copies.albums_split,
        floods: evidence.calls.iter().map(|call| u64::from(is_flood(call))).sum(),
        changes: changes(&evidence.calls),
        calls: count(evidence.calls.len()),
        calls_during_wait: waits.known,
        blind_repeats: waits.blind,
        kills: count(evidence.kills_at_ms.len()),
        elapsed_secs,
        efficiency: rounded(1.0 - share(secs(idle.avoidable_ms), elapsed_secs, 0.0)),
        messages_per_sec: rounded(share(float(copies.delivered), elapsed_secs, 0.0)),
        accounts: accounts(evidence),
    }
}

impl Report {
    /// What is broken of what Ferry promises; `None` if nothing is.
    pub fn broken(&self) -> Option<String> {
        let faults = [
            (self.missing, "missing"),
            (self.duplicated, "duplicated"),
            (self.out_of_order, "out of order"),
            (self.albums_split, "albums split"),
            (self.calls_during_wait, "calls during a wait"),
        ];
        let found: Vec<String> =
            faults.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{what}: {n}")).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

/// A wait that was given anew; a call during a wait only prolongs one.
fn is_flood(call: &Call) -> bool {
    call.wait_until_ms.is_some() && !call.during_wait
}

/// How often the account that made messages was another than the one before.
fn changes(calls: &[Call]) -> u64 {
    let carriers: Vec<i64> =
        calls.iter().filter(|call| call.forward && call.applied > 0).map(|call| call.account).collect();
    count(carriers.windows(2).filter(|pair| pair[0] != pair[1]).count())
}

fn accounts(evidence: &Evidence) -> Vec<AccountReport> {
    let new = |account: i64| (account, AccountReport { account, forwarded: 0, floods: 0 });
    let mut accounts: BTreeMap<i64, AccountReport> = evidence.accounts.iter().copied().map(new).collect();
    for call in &evidence.calls {
        if let Some(account) = accounts.get_mut(&call.account) {
            account.forwarded += if call.forward { u64::from(call.applied) } else { 0 };
            account.floods += u64::from(is_flood(call));
        }
    }
    accounts.into_values().collect()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "spans of a transfer are far below 2^52 ms")]
fn secs(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "no transfer has 2^52 messages")]
fn float(n: u64) -> f64 {
    n as f64
}

/// To four digits behind the point: more are noise.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(account: i64, at_ms: i64, applied: u32) -> Call {
        Call { account, at_ms, ended_ms: Some(at_ms + 10), forward: true, applied, ..Call::default() }
    }

    fn refused(account: i64, at_ms: i64, wait_until_ms: i64) -> Call {
        Call { wait_until_ms: Some(wait_until_ms), ..forward(account, at_ms, 0) }
    }

    #[test]
    fn floods_changes_and_shares_are_counted_from_the_log() {
        let selected = (1..=300).map(|id| Original { id, ..Original::default() }).collect();
        let copies = (1..=300).map(|id| Copied { of: Some(id), album: 0 }).collect();
        let read = Call { account: 1, at_ms: 0, ended_ms: Some(0), ..Call::default() };
        let early = Call { during_wait: true, ..refused(1, 30, 5_030) };
        let calls = vec![
            read,
            forward(1, 0, 100),
            refused(1, 10, 5_010),
            forward(2, 20, 100),
            early,
            forward(2, 30, 50),
            forward(1, 6_000, 50),
        ];
        let report = judge(&Evidence { selected, copies, calls, accounts: vec![1, 2], ..Evidence::default() });
        assert_eq!((report.floods, report.changes, report.calls), (1, 2, 7));
        assert_eq!((report.calls_during_wait, report.blind_repeats, report.kills), (1, 0, 0));
        assert_eq!(report.delivered, 300);
        let seen: Vec<_> = report.accounts.iter().map(|a| (a.account, a.forwarded, a.floods)).collect();
        assert_eq!(seen, [(1, 150, 1), (2, 150, 0)]);
        assert_eq!(report.broken().as_deref(), Some("calls during a wait: 1"));
    }

    #[test]
    fn nothing_at_all_is_no_division_by_zero() {
        let report = judge(&Evidence::default());
        assert_eq!((report.broken(), report.efficiency, report.messages_per_sec), (None, 1.0, 0.0));
    }

    #[test]
    fn the_json_has_the_agreed_names() {
        let json = serde_json::to_value(judge(&Evidence { accounts: vec![7], ..Evidence::default() })).unwrap();
        let names: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let agreed = [
            "selected",
            "delivered",
            "skipped",
            "missing",
            "duplicated",
            "out_of_order",
            "albums_split",
            "floods",
            "changes",
            "calls",
            "calls_during_wait",
            "blind_repeats",
            "kills",
            "elapsed_secs",
            "efficiency",
            "messages_per_sec",
            "accounts",
        ];
        assert_eq!(names, agreed.into());
        assert_eq!(json["accounts"][0], serde_json::json!({"account": 7, "forwarded": 0, "floods": 0}));
    }
}
