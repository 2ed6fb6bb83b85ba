//! What a Telegram error means for the account that met it and for the task.
//!
//! A refusal of a **First** says that the call was not carried out. A refusal of a **Repeat** says nothing about the
//! first call: it may change the account's state, never the intent. That line is the difference between exactly once
//! and twice, so it stands at the top of [`verdict`], not in its rows.

use crate::account::AccountState;
use crate::refusal::{Meaning, Refusal};

/// Which call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Made once, by the incarnation that committed its intent.
    First,
    /// Anything else.
    Repeat,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// For the account.
    pub account: AccountEffect,
    /// For the task and its intent.
    pub task: TaskEffect,
}

/// What an error does to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountEffect {
    /// Nothing.
    Fine,
    /// It must not call methods of this class so long, counted from the receipt.
    Cooling {
        /// How long.
        secs: u64,
    },
    /// It is not [`AccountState::Ready`] any more.
    Becomes(AccountState),
    /// It cannot work with this peer; with others it can.
    NotForThisPeer,
    /// Its home is another data centre.
    ChangeDc(i32),
}

/// What an error does to the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskEffect {
    /// The chunk was not carried out: choose an account again. When none is left, park with the reason.
    AnotherAccount,
    /// The chunk was not carried out: the same account makes the call again, once the account's effect is done.
    SameAccount,
    /// The chunk was not carried out: nobody can write there so soon. From now on one unit a call; an album of several
    /// that slow mode refuses parks the task.
    WaitForPeer {
        /// How long.
        secs: u64,
    },
    /// A message in the chunk is the cause: re-read, halve down to the unit, skip that with the reason.
    Halve,
    /// Only the admin can help.
    Park,
    /// Nobody can help.
    Stop,
    /// The call may have been carried out: repeat the identical call on the same account.
    Uncertain,
    /// Nobody knows this error: halve as for a bad message; three units in a row park the task.
    Unknown,
    /// The call was a Repeat: the intent stays open, whatever the error says.
    KeepIntent,
}

/// What a refusal means.
pub fn verdict(refusal: &Refusal, attempt: Attempt) -> Verdict {
    let (account, after_first) = effects(refusal.meaning());
    let task = match attempt {
        Attempt::First => after_first,
        Attempt::Repeat => TaskEffect::KeepIntent,
    };
    Verdict { account, task }
}

fn effects(meaning: Meaning) -> (AccountEffect, TaskEffect) {
    use AccountEffect as A;
    use TaskEffect as T;
    match meaning {
        Meaning::FloodWait { secs } if mutated!(WaitRoundedDown) => {
            (A::Cooling { secs: secs / 10 * 10 }, T::AnotherAccount)
        }
        Meaning::FloodWait { secs } => (A::Cooling { secs }, T::AnotherAccount),
        Meaning::SlowMode { secs } => (A::Fine, T::WaitForPeer { secs }),
        Meaning::PeerFlood => (A::Becomes(AccountState::Quarantined), T::AnotherAccount),
        Meaning::Frozen => (A::Becomes(AccountState::Frozen), T::AnotherAccount),
        Meaning::NotForThisPeer => (A::NotForThisPeer, T::AnotherAccount),
        Meaning::KindForbidden | Meaning::BadMessage => (A::Fine, T::Halve),
        Meaning::SourceProtected => (A::Fine, T::Stop),
        Meaning::TopicClosed | Meaning::PaymentRequired { .. } | Meaning::PremiumRequired => (A::Fine, T::Park),
        Meaning::SignedOut => (A::Becomes(AccountState::SignedOut), T::AnotherAccount),
        Meaning::SessionDead => (A::Becomes(AccountState::SessionDead), T::AnotherAccount),
        Meaning::Banned => (A::Becomes(AccountState::Banned), T::AnotherAccount),
        Meaning::Migrate { dc } => (A::ChangeDc(dc), T::SameAccount),
        // The random ids were used before, or are in use just now: the repeat and the target tell.
        Meaning::RandomIdDuplicate | Meaning::Internal => (A::Fine, T::Uncertain),
        Meaning::Unknown => (A::Fine, T::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountEffect as A;
    use TaskEffect as T;

    /// Every row of the table: code, name, what it does to the account, and to the task after a First.
    const ROWS: &[(i32, &str, AccountEffect, TaskEffect)] = &[
        (420, "FLOOD_WAIT_31", A::Cooling { secs: 31 }, T::AnotherAccount),
        (420, "FLOOD_PREMIUM_WAIT_5", A::Cooling { secs: 5 }, T::AnotherAccount),
        (420, "SLOWMODE_WAIT_10", A::Fine, T::WaitForPeer { secs: 10 }),
        (400, "PEER_FLOOD", A::Becomes(AccountState::Quarantined), T::AnotherAccount),
        (420, "FROZEN_METHOD_INVALID", A::Becomes(AccountState::Frozen), T::AnotherAccount),
        (400, "FROZEN_PARTICIPANT_MISSING", A::Becomes(AccountState::Frozen), T::AnotherAccount),
        (400, "USER_BANNED_IN_CHANNEL", A::NotForThisPeer, T::AnotherAccount),
        (403, "CHAT_WRITE_FORBIDDEN", A::NotForThisPeer, T::AnotherAccount),
        (400, "CHAT_ADMIN_REQUIRED", A::NotForThisPeer, T::AnotherAccount),
        (400, "CHANNEL_PRIVATE", A::NotForThisPeer, T::AnotherAccount),
        (400, "CHAT_RESTRICTED", A::NotForThisPeer, T::AnotherAccount),
        (400, "CHANNEL_INVALID", A::NotForThisPeer, T::AnotherAccount),
        (403, "CHAT_SEND_PHOTOS_FORBIDDEN", A::Fine, T::Halve),
        (403, "CHAT_SEND_POLL_FORBIDDEN", A::Fine, T::Halve),
        (406, "CHAT_FORWARDS_RESTRICTED", A::Fine, T::Stop),
        (400, "MESSAGE_ID_INVALID", A::Fine, T::Halve),
        (400, "MEDIA_EMPTY", A::Fine, T::Halve),
        (400, "GROUPED_MEDIA_INVALID", A::Fine, T::Halve),
        (400, "QUIZ_ANSWER_MISSING", A::Fine, T::Halve),
        (400, "BROADCAST_PUBLIC_VOTERS_FORBIDDEN", A::Fine, T::Halve),
        (400, "TOPIC_CLOSED", A::Fine, T::Park),
        (400, "TOPIC_DELETED", A::Fine, T::Park),
        (403, "ALLOW_PAYMENT_REQUIRED_50", A::Fine, T::Park),
        (403, "PREMIUM_ACCOUNT_REQUIRED", A::Fine, T::Park),
        (401, "AUTH_KEY_UNREGISTERED", A::Becomes(AccountState::SignedOut), T::AnotherAccount),
        (401, "SESSION_REVOKED", A::Becomes(AccountState::SignedOut), T::AnotherAccount),
        (401, "SESSION_EXPIRED", A::Becomes(AccountState::SignedOut), T::AnotherAccount),
        (406, "AUTH_KEY_DUPLICATED", A::Becomes(AccountState::SessionDead), T::AnotherAccount),
        (401, "USER_DEACTIVATED", A::Becomes(AccountState::Banned), T::AnotherAccount),
        (401, "USER_DEACTIVATED_BAN", A::Becomes(AccountState::Banned), T::AnotherAccount),
        (400, "PHONE_NUMBER_BANNED", A::Becomes(AccountState::Banned), T::AnotherAccount),
        (303, "USER_MIGRATE_2", A::ChangeDc(2), T::SameAccount),
        (303, "NETWORK_MIGRATE_5", A::ChangeDc(5), T::SameAccount),
        (500, "INTERNAL", A::Fine, T::Uncertain),
        (500, "RPC_CALL_FAIL", A::Fine, T::Uncertain),
        (-503, "Timeout", A::Fine, T::Uncertain),
        (500, "RANDOM_ID_DUPLICATE", A::Fine, T::Uncertain),
        (400, "NOBODY_KNOWS_THIS", A::Fine, T::Unknown),
        (420, "2FA_CONFIRM_WAIT_100", A::Fine, T::Unknown),
    ];

    #[test]
    fn every_row_after_a_first() {
        for (code, name, account, task) in ROWS {
            let found = verdict(&Refusal::parse(*code, name), Attempt::First);
            assert_eq!(found, Verdict { account: *account, task: *task }, "{name}");
        }
    }

    #[test]
    fn no_error_to_a_repeat_changes_the_intent() {
        for (code, name, account, _) in ROWS {
            let found = verdict(&Refusal::parse(*code, name), Attempt::Repeat);
            assert_eq!(found, Verdict { account: *account, task: T::KeepIntent }, "{name}");
        }
    }
}
