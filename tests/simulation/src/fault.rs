//! What can go wrong in a run: each fault has a name, a rate that the seed draws, a switch, and a count.
//!
//! Faults of calls (queue, table, Telegram) strike by chance at each call, at so many in a thousand. Faults of time (a
//! process killed, the admin pausing ...) strike at moments that the plan draws before the run begins.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::draw::Draw;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// One thing that can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[doc = $doc])* $variant,)* }

        impl Fault {
    /// Whether it can make a host say something twice: it dies, or does not hear that it was said or noted.
    pub(crate) fn may_say_twice(self) -> bool {
        matches!(
            self,
            Self::Kill
                | Self::Restart
                | Self::Freeze
                | Self::BotFails
                | Self::TableReadFails
                | Self::TableSlow
                | Self::TableThrottle
                | Self::TableConflict
                | Self::TableTimeoutBefore
                | Self::TableTimeoutAfter
        )
    }

            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in tables and in `--faults`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What happens, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

faults! {
    /// A host process dies at whatever line it is.
    Kill = "kill",
    /// A host process stands still for 1 to 200 s, then goes on as if nothing had been.
    Freeze = "freeze",
    /// A host's wall clock jumps by up to an hour either way.
    ClockJump = "clock-jump",
    /// A host is stopped cleanly and started again.
    Restart = "restart",

    /// A job is delivered again though it was received.
    QueueTwice = "queue-twice",
    /// A job is delivered late.
    QueueLate = "queue-late",
    /// A job overtakes those before it.
    QueueOutOfOrder = "queue-out-of-order",
    /// A job is dropped, as at its expiry.
    QueueDrop = "queue-drop",
    /// A call to the queue fails, applied or not.
    QueueFails = "queue-fails",

    /// The table answers a commit with a conflict though nobody was in the way.
    TableConflict = "table-conflict",
    /// The table throttles a commit: nothing is written.
    TableThrottle = "table-throttle",
    /// The answer to a commit is lost and nothing was written.
    TableTimeoutBefore = "table-timeout-before",
    /// The answer to a commit is lost though it was written.
    TableTimeoutAfter = "table-timeout-after",
    /// A read of the table fails.
    TableReadFails = "table-read-fails",
    /// The table takes up to 8 s.
    TableSlow = "table-slow",

    /// The connection is lost before the call was applied.
    CutBefore = "cut-before",
    /// The connection is lost after the call was applied.
    CutAfter = "cut-after",
    /// The connection is lost, and the call is applied up to 100 s later.
    AppliesLate = "applies-late",
    /// The call is applied and never answered.
    Stall = "stall",
    /// The call is neither applied nor answered.
    StallBefore = "stall-before",
    /// A 500 after the call was applied.
    InternalAfter = "internal-after",
    /// The reply comes up to 50 s late.
    SlowReply = "slow-reply",
    /// RANDOM_ID_DUPLICATE to a repeat because the first call is still in flight.
    DuplicateInFlight = "duplicate-in-flight",
    /// A complete reply that lacks some of the ids.
    PartialResult = "partial-result",
    /// A reply that cannot be used: another kind of updates, or one that nobody knows.
    StrangeReply = "strange-reply",
    /// A connection cannot be opened.
    OpenFails = "open-fails",

    /// FLOOD_WAIT to a forward.
    Flood = "flood",
    /// FLOOD_WAIT to a read or a resolve.
    ReadFlood = "read-flood",
    /// The target gets slow mode, or loses it.
    SlowMode = "slow-mode",
    /// PEER_FLOOD: the account may not write.
    PeerFlood = "peer-flood",
    /// The account is banned.
    Banned = "banned",
    /// The account's session is revoked.
    SignedOut = "signed-out",
    /// The account is frozen by Telegram.
    Frozen = "frozen",
    /// AUTH_KEY_DUPLICATED to the next connection of the account.
    KeyDuplicated = "key-duplicated",
    /// The account may not write in the target any more.
    WriteForbidden = "write-forbidden",
    /// A message cannot be forwarded, ever (MEDIA_EMPTY and the like).
    BadMessage = "bad-message",
    /// An error that nobody knows.
    UnknownError = "unknown-error",

    /// Messages of the source are deleted.
    SourceDeleted = "source-deleted",
    /// Messages of the source are edited.
    SourceEdited = "source-edited",
    /// Strangers post in the target.
    Stranger = "stranger",
    /// Posts of the target are deleted.
    TargetDeleted = "target-deleted",

    /// The admin pauses a task.
    Pause = "pause",
    /// The admin resumes a task.
    Resume = "resume",
    /// The admin cancels a task.
    Cancel = "cancel",
    /// The admin changes a task's pace.
    Repace = "repace",
    /// The admin disables an account.
    Disable = "disable",
    /// The admin enables an account, or changes its priority.
    Enable = "enable",

    // What is added comes last: the plans of seeds without it stay as they were.
    /// A rare refusal of a forward: the source is protected, the topic is closed, another data centre, a 500 ...
    OddRefusal = "odd-refusal",
    /// The bot is asked for a pause (429).
    BotWaits = "bot-429",
    /// The bot gives no answer; what it should say was said or not.
    BotFails = "bot-fails",
    /// The bot answers slowly.
    BotSlow = "bot-slow",
    /// The admin lets an account go, and adds it again later.
    Leave = "leave",
    /// The admin presses the panic button, and adds the accounts again later.
    Panic = "panic",
    /// An account is put out of a chat that tasks may join.
    PutOut = "put-out",
}

impl Fault {
    /// Whether it takes something out of the run for good: an account, or a task.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::PeerFlood
                | Self::Banned
                | Self::SignedOut
                | Self::Frozen
                | Self::KeyDuplicated
                | Self::Cancel
                | Self::Panic
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No fault has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {0:?}; the names are: {names}", names = names())]
pub struct UnknownFault(String);

fn names() -> String {
    Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ")
}

impl std::str::FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.iter().find(|fault| fault.name() == name);
        found.copied().ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// How often each fault struck.
pub type Tally = BTreeMap<Fault, u64>;

/// The faults of one run. Clones are the same.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// In a thousand calls.
    rates: BTreeMap<Fault, u32>,
    draw: Draw,
    on: bool,
    tally: Tally,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::new(0, BTreeMap::new())
    }

    /// Faults of these rates, in a thousand calls; a fault of time has any rate.
    pub fn new(seed: u64, rates: BTreeMap<Fault, u32>) -> Self {
        let inner = Inner { rates, draw: Draw::of(seed, "faults"), on: true, tally: Tally::new() };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the fault strikes at this call; if so it is counted.
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut inner = self.inner();
        let Some(rate) = inner.rates.get(&fault).copied().filter(|_| inner.on) else { return false };
        let strikes = inner.draw.chance(rate);
        if strikes {
            *inner.tally.entry(fault).or_default() += 1;
        }
        strikes
    }

    /// Whether the seed turned the fault on.
    pub fn has(&self, fault: Fault) -> bool {
        self.inner().rates.contains_key(&fault)
    }

    /// Counts a fault of time that just struck.
    pub fn struck(&self, fault: Fault) {
        *self.inner().tally.entry(fault).or_default() += 1;
    }

    /// A choice about a fault that strikes: how long, which one.
    pub fn between(&self, least: u64, most: u64) -> u64 {
        self.inner().draw.between(least, most)
    }

    /// From now on nothing goes wrong.
    pub fn stop(&self) {
        self.inner().on = false;
    }

    /// Whether anything may still go wrong.
    pub fn is_on(&self) -> bool {
        self.inner().on
    }

    /// How often each struck.
    pub fn tally(&self) -> Tally {
        self.inner().tally.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(*fault));
            assert!(!fault.meaning().is_empty());
        }
        let error = "no-such".parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains("no-such") && error.contains("queue-drop"), "{error}");
    }

    #[test]
    fn a_fault_that_is_off_never_strikes_and_one_that_is_on_is_counted() {
        let faults = Faults::new(1, BTreeMap::from([(Fault::Stall, 500)]));
        assert!((0..100).all(|_| !faults.strikes(Fault::Flood)));
        let struck = (0..100).filter(|_| faults.strikes(Fault::Stall)).count() as u64;
        assert!((20..80).contains(&struck), "{struck}");
        assert_eq!(faults.tally(), Tally::from([(Fault::Stall, struck)]));
        faults.stop();
        assert!((0..100).all(|_| !faults.strikes(Fault::Stall)));
    }
}
