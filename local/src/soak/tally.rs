//! How often hosts were struck, and how they will be struck next.

use std::time::Duration;

use rand::Rng;

/// What is to be done to the hosts.
#[derive(Debug, Clone)]
pub struct Quota {
    /// So many times a host is killed.
    pub kills: u64,
    /// So many times a host is frozen.
    pub freezes: u64,
    /// For how long at least and at most.
    pub freeze_secs: (u64, u64),
}

/// One blow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// SIGKILL.
    Kill,
    /// SIGSTOP, and SIGCONT after that time.
    Freeze(Duration),
}

/// What was done so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Hosts were killed.
    pub kills: u64,
    /// Of the killed, so many had a forward in flight.
    pub kills_in_flight: u64,
    /// Hosts were frozen.
    pub freezes: u64,
    /// Of the frozen, so many gave up by themselves when they went on, because their time had run out.
    pub gave_up: u64,
    /// Hosts ended by themselves for another reason.
    pub deaths: u64,
    /// When hosts were killed or frozen, in unix milliseconds: when it was done, and for a kill also when it had been done.
    pub struck_at_ms: Vec<i64>,
    /// A host stands still at this moment.
    pub frozen: bool,
}

impl Tally {
    /// Nothing is left to be done.
    pub fn is_enough(&self, quota: &Quota) -> bool {
        self.kills >= quota.kills && self.freezes >= quota.freezes
    }

    /// The next blow, entered as done at this time; `None` when there is nothing to do now. Freezes are spread among the
    /// kills, and one host stands still at a time.
    pub fn strike(&mut self, quota: &Quota, draw: &mut impl Rng, at_ms: i64) -> Option<Strike> {
        let freeze_is_due = self.freezes < quota.freezes
            && !self.frozen
            && self.kills * (quota.freezes + 1) >= (self.freezes + 1) * quota.kills;
        let strike = if freeze_is_due {
            self.freezes += 1;
            self.frozen = true;
            let (least, most) = quota.freeze_secs;
            Strike::Freeze(Duration::from_millis(draw.random_range(least * 1_000..=most * 1_000)))
        } else if self.kills < quota.kills {
            self.kills += 1;
            Strike::Kill
        } else {
            return None;
        };
        self.struck_at_ms.push(at_ms);
        Some(strike)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn quota(kills: u64, freezes: u64) -> Quota {
        Quota { kills, freezes, freeze_secs: (5, 7) }
    }

    #[test]
    fn freezes_are_spread_among_the_kills_and_all_of_both_come() {
        let (quota, mut tally) = (quota(15, 2), Tally::default());
        let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut freezes_after = Vec::new();
        while let Some(strike) = tally.strike(&quota, &mut draw, 0) {
            if let Strike::Freeze(span) = strike {
                assert!((5..=7).contains(&span.as_secs()), "{span:?}");
                freezes_after.push(tally.kills);
                assert!(tally.frozen);
                tally.frozen = false;
            }
        }
        assert_eq!((tally.kills, tally.freezes, tally.struck_at_ms.len()), (15, 2, 17));
        assert_eq!(freezes_after, [5, 10]);
        assert!(tally.is_enough(&quota));
    }

    #[test]
    fn while_one_host_stands_still_others_are_only_killed() {
        let (quota, mut tally) = (quota(2, 2), Tally::default());
        let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        tally.frozen = true;
        let strikes: Vec<_> = std::iter::from_fn(|| tally.strike(&quota, &mut draw, 0)).collect();
        assert_eq!(strikes, [Strike::Kill, Strike::Kill]);
        assert!(!tally.is_enough(&quota), "the freezes are still to come");
        tally.frozen = false;
        assert!(matches!(tally.strike(&quota, &mut draw, 0), Some(Strike::Freeze(_))));
    }
}
