//! What a host measures of its work. Each of these is a figure in CloudWatch where the process collects them
//! ([`transfer::measuring`]), and does nothing elsewhere.
//!
//! Messages, floods and waits are counted when the commit that holds them stands, as everything is.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use metrics::{counter, gauge};
use transfer::account::{Counters, Member};
use transfer::pool::standing::{Is, standing};

/// The host renewed its sign of life.
pub(crate) fn renewed() {
    counter!("renewals").increment(1);
}

/// An account's part of a commit stands.
pub(crate) fn committed(counters: &Counters) {
    for (name, count) in [
        ("messages_forwarded", counters.forwarded),
        ("floods", counters.floods),
        ("flood_wait_secs", counters.flood_wait_secs),
    ] {
        if count > 0 {
            counter!(name).increment(count);
        }
    }
}

/// A chunk's call was answered, so long after the chunk was cut.
pub(crate) fn chunk_answered(took: Duration) {
    counter!("chunks").increment(1);
    counter!("chunk_millis").increment(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
}

/// A task was taken from the queue, so long after it was due. A clock that is behind the one that made it due tells nothing.
pub(crate) fn job_taken(age: SignedDuration) {
    counter!("jobs").increment(1);
    counter!("job_age_secs").increment(u64::try_from(age.as_secs()).unwrap_or(0));
}

/// Where the pool's accounts stand: ready to carry, waiting for a time, or out until a person does something.
pub(crate) fn accounts(members: &[Member], now: Timestamp, today: Date, midnight: Timestamp) {
    let (mut ready, mut waiting, mut out) = (0_u32, 0_u32, 0_u32);
    for member in members {
        match standing(member, now, today, midnight).is {
            Is::Ready | Is::InUse => ready += 1,
            Is::Cooling | Is::Resting => waiting += 1,
            Is::SignedOut
            | Is::SessionDead
            | Is::Frozen
            | Is::Quarantined
            | Is::Banned
            | Is::Disabled
            | Is::Leaving => {
                out += 1;
            }
        }
    }
    for (name, count) in [("accounts_ready", ready), ("accounts_waiting", waiting), ("accounts_out", out)] {
        gauge!(name).set(count);
    }
}
