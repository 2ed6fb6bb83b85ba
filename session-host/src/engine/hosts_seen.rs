//! Whether the holder of a lease is dead.
//!
//! Wall clocks are never compared. An observer remembers, by its own uptime, when it first saw each renewal of each life of a
//! host; a life whose renewal has not changed for 100 s since then is over.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use transfer::clock::Clock;
use transfer::ids::Incarnation;
use transfer::lease::{HOST_SILENT, Lease};
use transfer::mutated;
use transfer::table::{Item, Key};

use super::{Halt, Shared};

/// When each life was last seen to move.
pub(crate) struct HostsSeen {
    clock: Clock,
    lives: Mutex<BTreeMap<Incarnation, Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// `None`: it does not stand in its HOST item (any more).
    renewal: Option<u64>,
    at: Duration,
}

impl HostsSeen {
    /// An observer that has seen nothing.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, lives: Mutex::new(BTreeMap::new()) }
    }

    /// Notes what stands in the HOST item, and tells whether that life has been silent for 100 s.
    pub(crate) fn is_silent(&self, incarnation: &Incarnation, renewal: Option<u64>) -> bool {
        let now = self.clock.uptime();
        let mut lives = self.lives.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let seen = lives.entry(incarnation.clone()).or_insert(Seen { renewal, at: now });
        if seen.renewal != renewal {
            *seen = Seen { renewal, at: now };
        }
        let silent = if mutated!(LeaseTakenEarly) { Duration::from_secs(5) } else { HOST_SILENT };
        now.saturating_sub(seen.at) >= silent
    }
}

/// Whether a lease that stands in the table may be taken by this host.
pub(crate) async fn may_take(shared: &Shared, lease: Option<&Lease>) -> Result<bool, Halt> {
    let Some(lease) = lease else { return Ok(true) };
    if lease.incarnation == shared.config.incarnation {
        return Ok(true);
    }
    if shared.config.exclusive && lease.host == shared.config.id {
        return Ok(true);
    }
    let renewal = match shared.store.get(&Key::host(&lease.host)).await?.map(|record| record.item) {
        Some(Item::Host(host)) if host.incarnation == lease.incarnation => Some(host.renewal),
        _ => None,
    };
    Ok(shared.hosts_seen.is_silent(&lease.incarnation, renewal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_life_is_silent_after_100_seconds_without_a_renewal() {
        let seen = HostsSeen::new(Clock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let life = Incarnation::from("a");
        assert!(!seen.is_silent(&life, Some(1)));
        tokio::time::advance(Duration::from_secs(99)).await;
        assert!(!seen.is_silent(&life, Some(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(seen.is_silent(&life, Some(1)));
        assert!(!seen.is_silent(&life, Some(2)), "a renewal proves life");
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_that_was_replaced_still_has_its_100_seconds() {
        let seen = HostsSeen::new(Clock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let life = Incarnation::from("a");
        assert!(!seen.is_silent(&life, None));
        tokio::time::advance(HOST_SILENT).await;
        assert!(seen.is_silent(&life, None));
    }
}
