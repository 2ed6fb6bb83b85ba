//! Deliberate faults, for the suite that proves that each would be noticed.
//!
//! With the feature `mutants`, `mutated!(Name)` asks whether this thread runs with that fault; without it the macro is the
//! constant `false` and nothing of this module is compiled: what ships has no such switch in it. One fault at a time, planted
//! where a real change could make the same mistake.

use std::cell::Cell;

macro_rules! mutants {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// One deliberate fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant { $($(#[doc = $doc])* $variant,)* }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in tables.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is wrong, and which promise it breaks.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

mutants! {
    /// A repeat draws fresh random ids. Exactly once.
    FreshRandomIds = "fresh-random-ids",
    /// Random ids do not depend on the message. Exactly once.
    OneRandomId = "one-random-id",
    /// The chunk is called without its intent having been committed. Exactly once.
    IntentNotCommitted = "intent-not-committed",
    /// The outcome is committed before the call. Exactly once: a refusal loses the chunk.
    OutcomeBeforeCall = "outcome-before-call",
    /// The cursor moves with the intent. The cursor never runs ahead of what is proven.
    CursorAtIntent = "cursor-at-intent",
    /// A chunk is counted when it is intended. Counters say what stands in the target.
    CountedAtIntent = "counted-at-intent",
    /// An uncertain chunk is taken for not carried out, and goes to another account. Exactly once.
    UncertainMovesOn = "uncertain-moves-on",
    /// A wait in answer to a repeat is taken for "the first call was not carried out". Exactly once.
    RepeatRefusalBelieved = "repeat-refusal-believed",
    /// A new life drops the intent it finds and cuts the chunk anew, for whichever account is next. Exactly once.
    InheritedIntentDropped = "inherited-intent-dropped",
    /// A chunk is taken over without its 120 s. Exactly once: what is on its way applies after the reading.
    TakeoverAtOnce = "takeover-at-once",
    /// What was deleted in the target since counts as never delivered. Exactly once.
    DeletionsForgotten = "deletions-forgotten",
    /// Ambiguous evidence is taken for absence. Exactly once.
    AmbiguousIsAbsent = "ambiguous-is-absent",
    /// Ambiguous evidence is taken for delivery, in order. Counters, and exactly once.
    AmbiguousIsDelivered = "ambiguous-is-delivered",
    /// A RANDOM_ID_DUPLICATE to a repeat is taken for delivery, without a look at the target. Exactly once, and counters.
    DuplicateIsDelivery = "duplicate-is-delivery",
    /// Ids without a new id in a complete answer count as delivered. Counters, and the ledger.
    PartialIsComplete = "partial-is-complete",
    /// Ids without a new id in a complete answer are dropped. The ledger.
    MissingDropped = "missing-dropped",
    /// Service messages are left out of the ledger. The ledger.
    ServiceDropped = "service-dropped",
    /// A unit that Telegram refuses is passed over without a row. The ledger.
    RefusedDropped = "refused-dropped",

    /// An album ends where the page ends. Albums whole.
    AlbumEndsWithPage = "album-ends-with-page",
    /// An album that does not fit the call goes in parts. Albums whole.
    AlbumFillsCall = "album-fills-call",
    /// Of an album only the members that match go. Albums whole.
    AlbumFiltered = "album-filtered",
    /// Members of an album that went before strangers' messages are forgotten. Exactly once.
    AheadForgotten = "ahead-forgotten",

    /// A flood wait is rounded down to tens of seconds. No call during a wait.
    WaitRoundedDown = "wait-rounded-down",
    /// Waits for reading are kept, and never looked at. No call during a wait.
    ReadWaitIgnored = "read-wait-ignored",
    /// A wait is remembered by the process and never committed. No call during a wait.
    WaitNotCommitted = "wait-not-committed",
    /// A wait that came while nobody listened for it is not noted. No call during a wait.
    OrphanWaitLost = "orphan-wait-lost",
    /// A task sleeps until the last account may go on, not the first. Liveness.
    WakesAtTheLast = "wakes-at-the-last",

    /// An idle account is checked although it has to wait. No call during a wait.
    CheckedInWait = "checked-in-wait",
    /// Joins are not counted. No more than five an hour and account.
    JoinsUncounted = "joins-uncounted",
    /// An account that leaves is chosen all the same. It begins at most one more chunk.
    LeavingChosen = "leaving-chosen",

    /// An intent reserves nothing of the daily budget. Budgets.
    BudgetNotReserved = "budget-not-reserved",
    /// Whoever takes an account's lease begins its day at nothing. Budgets.
    BudgetForgotten = "budget-forgotten",

    /// The fence is not asked. Who may act: one connection per key, one task at a time.
    FenceIgnored = "fence-ignored",
    /// A lease may be taken after 5 s of silence instead of 100. Who may act.
    LeaseTakenEarly = "lease-taken-early",
    /// The lease is given back while the connection rests, open. One connection per key.
    LeaseBeforeClose = "lease-before-close",
    /// A connection that is given up is not closed. One connection per key.
    LeftOpen = "left-open",
    /// Two tasks use one account at once. One connection per key, one call per class.
    TurnIgnored = "turn-ignored",
    /// Calls of one class overlap where nobody waits for the first any more. One call per class.
    CallsOverlap = "calls-overlap",
    /// A task writes to a target that another task writes to. One task per target.
    TargetLockIgnored = "target-lock-ignored",

    /// A commit whose answer was lost counts as applied. Everything that is committed.
    LostAnswerApplied = "lost-answer-applied",
    /// A commit whose answer was lost is made again on top of itself. Counters, and budgets.
    LostAnswerRedone = "lost-answer-redone",
    /// The sweeper passes over tasks whose host died. Liveness.
    OrphansLeft = "orphans-left",
    /// What the admin wishes is not read. A pause holds within a chunk.
    WishUnread = "wish-unread",
}

thread_local! {
    static PRESENT: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// From now on this thread runs with this fault, or with none.
pub fn set(mutant: Option<Mutant>) {
    PRESENT.set(mutant);
}

/// Whether this thread runs with the fault.
pub fn is_present(mutant: Mutant) -> bool {
    PRESENT.get() == Some(mutant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn one_fault_at_a_time_and_each_has_its_own_name() {
        assert!(!mutated!(FenceIgnored));
        set(Some(Mutant::FenceIgnored));
        assert!(mutated!(FenceIgnored) && !mutated!(LeftOpen));
        std::thread::spawn(|| assert!(!mutated!(FenceIgnored), "another thread runs without it")).join().unwrap();
        set(None);
        assert!(!mutated!(FenceIgnored));
        let names: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        assert_eq!(names.len(), Mutant::ALL.len());
        assert!(Mutant::ALL.iter().all(|mutant| !mutant.meaning().is_empty()));
    }
}
