//! What must stay true in every run, and what is said when it did not.

use std::fmt;

use simulator::time::SimTime;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// Something that must stay true.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant { $($(#[doc = $doc])* $variant,)* }

        impl Invariant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in tables.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What must stay true, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

invariants! {
    /// No source message of a task is created twice in the target, counting what was deleted there since.
    ExactlyOnce = "exactly-once",
    /// Each selected message was created in the target, or stands in the skip ledger with a reason.
    NothingLost = "nothing-lost",
    /// Nothing is created that the task did not select.
    OnlySelected = "only-selected",
    /// A task's messages stand in the target in the source's order; an album stands where its first member does.
    Order = "order",
    /// An album goes whole, in one call, and is one album in the target; no two albums become one.
    AlbumWhole = "album-whole",
    /// No call during a wait that was committed, or that a live process has received.
    Wait = "wait",
    /// One connection per auth key that the server has not closed.
    OneConnection = "one-connection",
    /// One call per account and class of methods at a time.
    OneCallPerClass = "one-call-per-class",
    /// The cursor never goes back.
    CursorBack = "cursor-back",
    /// Whatever the cursor passes was created in the target, or stands in the ledger, at that moment.
    CursorAhead = "cursor-ahead",
    /// A forward goes out only for an intent that was committed before and is open.
    IntentFirst = "intent-first",
    /// An intent is withdrawn only when nothing of it was carried out.
    IntentKept = "intent-kept",
    /// A repeat is the identical request from the same account.
    ByteIdentical = "byte-identical",
    /// Another account takes over no sooner than 120 s after the last call of the first.
    Takeover = "takeover",
    /// No random id stands for two messages.
    RandomIds = "random-ids",
    /// Counters and chunk rows say what stands in target and ledger.
    Counters = "counters",
    /// No account carries more in a day than its budget.
    Budget = "budget",
    /// One task at a time writes to a target, and holds its lock.
    OneTaskPerTarget = "one-task-per-target",
    /// A task sleeps no longer than until the first account may write again.
    WakeTime = "wake-time",
    /// Pause and cancel take effect within one chunk.
    PauseWithinChunk = "pause-within-chunk",
    /// An account that the admin disabled begins at most one more chunk.
    Disabled = "disabled",
    /// An account joins at most five chats an hour.
    Joins = "joins",
    /// Only the holder of a lease acts, and nobody takes the lease of a host that shows signs of life.
    LeaseFence = "lease-fence",
    /// Once faults stop, every task ends or rests with a reason within the waits that were set plus 10 minutes.
    Liveness = "liveness",
    /// Owners are told how tasks end and inquiries are answered; edits keep 5 s apart, and pauses of the bot are obeyed.
    Told = "told",
    /// The same seed gives the same run.
    Determinism = "determinism",
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An invariant that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When, in the world's time.
    pub at: SimTime,
    /// Which.
    pub invariant: Invariant,
    /// Who, what, which ids.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_invariant_has_a_name_of_its_own_and_a_meaning() {
        let names: BTreeSet<&str> = Invariant::ALL.iter().map(|invariant| invariant.name()).collect();
        assert_eq!(names.len(), Invariant::ALL.len());
        assert!(Invariant::ALL.iter().all(|invariant| invariant.meaning().ends_with('.')));
    }
}
