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
        let mut last = "";
        for (table, row, times) in self.rows() {
            if table != last {
                writeln!(f, "{table}")?;
                last = table;
            }
            writeln!(f, "  {row:<28} {times:>9}")?;
        }
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
        assert_eq!(text.matches(FIRST).count(), 1, "{text}");
        assert!(text.contains("of 7 to 7 messages"), "{text}");
    }
}
