//! What came up in runs: which refusals to First and Repeat, which ways of settling, which reasons in the ledger, which
//! sizes. A proof by runs is worth what the runs met.

use std::collections::BTreeMap;
use std::fmt;

use transfer::event::{Event, Settlement};
use transfer::intent::SkipReason;
use transfer::refusal::Meaning;
use transfer::task::TaskState;

/// What is counted, by table and row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    rows: BTreeMap<(&'static str, &'static str), u64>,
    /// Chunks by their length.
    chunk_lens: BTreeMap<usize, u64>,
}

/// Answers to the first call of an intent, by the life that committed it.
pub(super) const FIRST: &str = "answers to a First";
/// Answers to every other call.
pub(super) const REPEAT: &str = "answers to a Repeat";
/// How uncertain chunks were settled.
pub(super) const SETTLED: &str = "settled";
/// Reasons in the skip ledger.
pub(super) const LEDGER: &str = "ledger";
/// States that tasks went to.
pub(super) const STATES: &str = "states";
/// Everything else worth counting.
pub(super) const OTHER: &str = "other";

/// What a refusal can mean, by row.
const MEANINGS: [&str; 18] = [
    "flood wait",
    "slow mode",
    "peer flood",
    "frozen",
    "not for this peer",
    "kind forbidden",
    "source protected",
    "bad message",
    "topic closed",
    "payment required",
    "premium required",
    "signed out",
    "session dead",
    "banned",
    "migrate",
    "random id duplicate",
    "internal",
    "unknown",
];
/// A random id of a First is new to Telegram: nothing can answer a First like this.
const IMPOSSIBLE: (&str, &str) = (FIRST, "random id duplicate");
/// What else has to come up.
const WANTED: [(&str, &str); 28] = [
    (FIRST, "complete"),
    (FIRST, "partial"),
    (REPEAT, "complete"),
    (SETTLED, "repeated"),
    (SETTLED, "found in the target"),
    (SETTLED, "taken over"),
    (LEDGER, "service"),
    (LEDGER, "deleted"),
    (LEDGER, "refused"),
    (LEDGER, "error"),
    (LEDGER, "undetermined"),
    (STATES, "running"),
    (STATES, "waiting"),
    (STATES, "waiting, chunk uncertain"),
    (STATES, "paused"),
    (STATES, "parked"),
    (STATES, "parked, chunk uncertain"),
    (STATES, "failed"),
    (STATES, "done"),
    (STATES, "cancelled"),
    (OTHER, "account changed"),
    (OTHER, "every account limited"),
    (OTHER, "account lost"),
    (OTHER, "calls in a wait nobody knew"),
    (OTHER, "idle account checked"),
    (OTHER, "account signed out"),
    (OTHER, "account left"),
    (OTHER, "chat joined"),
];

/// The rows that a proof by runs has to meet: every meaning of a refusal after a First and after a Repeat, every way of
/// settling, every reason in the ledger, every state.
fn wanted() -> impl Iterator<Item = (&'static str, &'static str)> {
    let answers = [FIRST, REPEAT].into_iter().flat_map(|table| MEANINGS.map(|row| (table, row)));
    answers.filter(|row| *row != IMPOSSIBLE).chain(WANTED)
}

impl Coverage {
    /// Counts one more.
    pub fn count(&mut self, table: &'static str, row: &'static str) {
        *self.rows.entry((table, row)).or_default() += 1;
    }

    /// Counts a chunk of so many messages.
    pub(super) fn chunk(&mut self, len: usize) {
        *self.chunk_lens.entry(len).or_default() += 1;
    }

    /// Counts what an event says.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Settled { how, .. } => self.count(SETTLED, settlement(*how)),
            Event::AccountChanged { .. } => self.count(OTHER, "account changed"),
            Event::AllLimited { .. } => self.count(OTHER, "every account limited"),
            Event::AccountLost { .. } => self.count(OTHER, "account lost"),
            Event::BatchDone { .. } => self.count(OTHER, "batch done"),
            Event::Started { .. } | Event::Flood { .. } | Event::Skipped { .. } | Event::State { .. } => {}
        }
    }

    /// How often something came up.
    pub fn of(&self, table: &str, row: &str) -> u64 {
        self.rows.iter().find(|(key, _)| **key == (table, row)).map_or(0, |(_, times)| *times)
    }

    /// How many chunks had this length.
    pub fn chunks_of(&self, len: usize) -> u64 {
        self.chunk_lens.get(&len).copied().unwrap_or(0)
    }

    /// All rows: table, row, how often.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        self.rows.iter().map(|((table, row), times)| (*table, *row, *times))
    }

    /// The rows that have to come up and came up less often than this: what, how often.
    pub fn rarer_than(&self, least: u64) -> Vec<(String, u64)> {
        let rows = wanted().map(|(table, row)| (format!("{table}: {row}"), self.of(table, row)));
        rows.filter(|(_, times)| *times < least).collect()
    }

    /// Adds what came up in another run.
    pub fn merge(&mut self, other: &Self) {
        for (key, times) in &other.rows {
            *self.rows.entry(*key).or_default() += times;
        }
        for (len, times) in &other.chunk_lens {
            *self.chunk_lens.entry(*len).or_default() += times;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What never came up is a row, too.
        let mut rows: BTreeMap<(&str, &str), u64> = wanted().map(|row| (row, 0)).collect();
        rows.extend(self.rows().map(|(table, row, times)| ((table, row), times)));
        let mut last = "";
        for ((table, row), times) in rows {
            if table != last {
                writeln!(f, "{table}")?;
                last = table;
            }
            writeln!(f, "  {row:<28} {times:>9}")?;
        }
        let (table, row) = IMPOSSIBLE;
        writeln!(f, "cannot happen\n  {row} among {table}: its random ids are new")?;
        let chunks: u64 = self.chunk_lens.values().sum();
        let (least, most) = (self.chunk_lens.keys().next(), self.chunk_lens.keys().next_back());
        let (least, most) = (least.copied().unwrap_or(0), most.copied().unwrap_or(0));
        writeln!(f, "chunks\n  of {least} to {most} messages, {} lengths {chunks:>9}", self.chunk_lens.len())
    }
}

/// A refusal's row.
pub(super) fn meaning(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::FloodWait { .. } => "flood wait",
        Meaning::SlowMode { .. } => "slow mode",
        Meaning::PeerFlood => "peer flood",
        Meaning::Frozen => "frozen",
        Meaning::NotForThisPeer => "not for this peer",
        Meaning::KindForbidden => "kind forbidden",
        Meaning::SourceProtected => "source protected",
        Meaning::BadMessage => "bad message",
        Meaning::TopicClosed => "topic closed",
        Meaning::PaymentRequired { .. } => "payment required",
        Meaning::PremiumRequired => "premium required",
        Meaning::SignedOut => "signed out",
        Meaning::SessionDead => "session dead",
        Meaning::Banned => "banned",
        Meaning::Migrate { .. } => "migrate",
        Meaning::RandomIdDuplicate => "random id duplicate",
        Meaning::Internal => "internal",
        Meaning::Unknown => "unknown",
    }
}

/// A state's row.
pub(super) fn state(state: &TaskState, uncertain: bool) -> &'static str {
    match state {
        TaskState::Ready { .. } => "ready",
        TaskState::Running { .. } => "running",
        TaskState::Waiting { .. } if uncertain => "waiting, chunk uncertain",
        TaskState::Waiting { .. } => "waiting",
        TaskState::Paused { .. } => "paused",
        TaskState::Parked { .. } if uncertain => "parked, chunk uncertain",
        TaskState::Parked { .. } => "parked",
        TaskState::Failed { .. } => "failed",
        TaskState::Done { .. } => "done",
        TaskState::Cancelled { .. } => "cancelled",
    }
}

/// A ledger reason's row.
pub(super) fn reason(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Service => "service",
        SkipReason::Deleted => "deleted",
        SkipReason::Refused => "refused",
        SkipReason::Error(_) => "error",
        SkipReason::Undetermined => "undetermined",
    }
}

fn settlement(how: Settlement) -> &'static str {
    match how {
        Settlement::Repeated => "repeated",
        Settlement::Found => "found in the target",
        Settlement::TakenOver => "taken over",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::refusal::Refusal;

    #[test]
    fn every_meaning_of_a_refusal_is_wanted_after_first_and_repeat() {
        let words = ["FLOOD_WAIT_3", "SLOWMODE_WAIT_3", "PEER_FLOOD", "FROZEN_METHOD_INVALID", "CHANNEL_PRIVATE"];
        let words = words.iter().chain(&["CHAT_SEND_POLL_FORBIDDEN", "CHAT_FORWARDS_RESTRICTED", "MEDIA_EMPTY"]);
        let words = words.chain(&["TOPIC_CLOSED", "ALLOW_PAYMENT_REQUIRED_5", "PREMIUM_ACCOUNT_REQUIRED"]);
        let words = words.chain(&["SESSION_REVOKED", "AUTH_KEY_DUPLICATED", "USER_DEACTIVATED", "USER_MIGRATE_2"]);
        let words = words.chain(&["RANDOM_ID_DUPLICATE", "NOBODY_KNOWS_THIS"]);
        let mut rows: Vec<&str> = words.map(|word| meaning(Refusal::parse(400, word).meaning())).collect();
        rows.push(meaning(Refusal::parse(500, "INTERNAL").meaning()));
        rows.sort_unstable();
        rows.dedup();
        let mut all = MEANINGS;
        all.sort_unstable();
        assert_eq!(rows, all);
        assert_eq!(Coverage::default().rarer_than(1).len(), 2 * MEANINGS.len() - 1 + WANTED.len());
        let mut one = Coverage::default();
        one.count(SETTLED, "repeated");
        assert!(!one.rarer_than(1).iter().any(|(row, _)| row == "settled: repeated"));
    }

    #[test]
    fn coverages_add_up_and_print_each_table_once() {
        let mut one = Coverage::default();
        one.count(FIRST, "flood wait");
        one.chunk(7);
        let mut two = one.clone();
        two.count(SETTLED, settlement(Settlement::Found));
        one.merge(&two);
        assert_eq!((one.of(FIRST, "flood wait"), one.of(SETTLED, "found in the target")), (2, 1));
        assert_eq!(one.chunks_of(7), 2);
        let text = one.to_string();
        assert_eq!(text.lines().filter(|line| *line == FIRST).count(), 1, "{text}");
        assert!(text.contains("of 7 to 7 messages"), "{text}");
    }
}
