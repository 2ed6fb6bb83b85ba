//! The simulated clock: what time it is in the world, and who moves it.
//!
//! Everything in the world asks [`Clock::now`]; nothing else in the crate reads the machine's clock for world time. A
//! test owns time by making the clock virtual, or by pausing tokio's.

use std::time::Duration;

/// A moment in the world: unix time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub i64);

impl SimTime {
    /// Unix time in whole seconds, as MTProto's dates are.
    #[must_use]
    pub fn unix_secs(self) -> i32 {
        i32::try_from(self.0.div_euclid(1000)).unwrap_or(i32::MAX)
    }

    /// This moment moved by so many milliseconds (may be negative).
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> SimTime {
        SimTime(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: SimTime) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where world time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock, moved by `skew_millis` (a fault, or time advanced by hand).
    Real { skew_millis: i64 },
    /// Moves only by [`Clock::advance`].
    Virtual { now: SimTime },
    /// Follows tokio's clock, which tests pause: `base` is the world's time at `start`.
    Tokio { base: SimTime, start: tokio::time::Instant },
}

impl Clock {
    /// The machine's clock without skew.
    #[must_use]
    pub fn real() -> Clock {
        Clock::Real { skew_millis: 0 }
    }

    /// A clock that stands at `now` until it is advanced.
    #[must_use]
    pub fn virtual_at(now: SimTime) -> Clock {
        Clock::Virtual { now }
    }

    /// Follows tokio's (pausable) clock from now on; the world's time starts at `base`.
    #[must_use]
    pub fn tokio_from(base: SimTime) -> Clock {
        Clock::Tokio { base, start: tokio::time::Instant::now() }
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        match self {
            Clock::Real { skew_millis } => unix_now().plus_millis(*skew_millis),
            Clock::Virtual { now } => *now,
            Clock::Tokio { base, start } => {
                base.plus_millis(i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX))
            }
        }
    }

    /// Moves the world forward by `by`, whatever drives it.
    pub fn advance(&mut self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        match self {
            Clock::Real { skew_millis } => *skew_millis = skew_millis.saturating_add(millis),
            Clock::Virtual { now } => *now = now.plus_millis(millis),
            Clock::Tokio { base, .. } => *base = base.plus_millis(millis),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the simulator that reads the machine's clock")]
fn unix_now() -> SimTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    SimTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_by_hand() {
        let mut clock = Clock::virtual_at(SimTime(1_000));
        assert_eq!(clock.now(), SimTime(1_000));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now(), SimTime(3_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tokio_clock_follows_paused_time() {
        let clock = Clock::tokio_from(SimTime(5_000));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now(), SimTime(8_000));
    }

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(SimTime(-1).unix_secs(), -1);
        assert_eq!(SimTime(1_999).unix_secs(), 1);
    }
}
