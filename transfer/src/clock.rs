//! The clock that is passed to whatever needs one.
//!
//! Two times, never mixed: **wall time** (`Timestamp`) is what stands in the table and what people read; **uptime**
//! (a `Duration` since boot that counts sleep) decides about leases, because wall clocks jump and differ between
//! hosts. In a virtual world both follow tokio's clock, so that a paused runtime decides what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time and uptime. Cheap to clone; there is one per process, or one per simulated host.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Wall time is off by `skew_millis`, which may change at any moment; uptime never is.
    Virtual {
        wall_at_start: Timestamp,
        start: Instant,
        skew_millis: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at `wall` and moves with tokio's time (which tests pause and advance).
    pub fn starting_at(wall: Timestamp) -> Self {
        Self(Source::Virtual { wall_at_start: wall, start: Instant::now(), skew_millis: Arc::default() })
    }

    /// A clock of another machine: the same time until one of the two jumps.
    #[must_use]
    pub fn of_another_machine(&self) -> Self {
        match &self.0 {
            Source::System => Self(Source::System),
            Source::Virtual { wall_at_start, start, skew_millis } => {
                let skew_millis = Arc::new(AtomicI64::new(skew_millis.load(Ordering::Relaxed)));
                Self(Source::Virtual { wall_at_start: *wall_at_start, start: *start, skew_millis })
            }
        }
    }

    /// Lets the wall time of a virtual clock jump, as somebody who sets a clock does. A real one is left alone.
    pub fn jump(&self, by: SignedDuration) {
        if let Source::Virtual { skew_millis, .. } = &self.0 {
            skew_millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Wall time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
            Source::System => Timestamp::now(),
            Source::Virtual { wall_at_start, start, skew_millis } => {
                let elapsed = SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX);
                let skew = SignedDuration::from_millis(skew_millis.load(Ordering::Relaxed));
                wall_at_start.saturating_add(elapsed.saturating_add(skew)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Time since an arbitrary start that never jumps and counts the machine's sleep (`CLOCK_BOOTTIME`).
    pub fn uptime(&self) -> Duration {
        match &self.0 {
            Source::System => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
            }
            Source::Virtual { start, .. } => start.elapsed(),
        }
    }

    /// How long from now until `until`; zero when it has passed.
    pub fn until(&self, until: Timestamp) -> Duration {
        Duration::try_from(until.duration_since(self.now())).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_moves_with_the_runtime() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(clock.now().as_millisecond(), 1500);
        assert_eq!(clock.uptime(), Duration::from_millis(1500));
        assert_eq!(clock.until(Timestamp::from_second(2).unwrap()), Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_moves_wall_time_on_one_machine_only() {
        let here = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let there = here.of_another_machine();
        there.jump(SignedDuration::from_secs(-5));
        assert_eq!((here.now().as_second(), there.now().as_second()), (0, -5));
        assert_eq!(here.uptime(), there.uptime());
    }

    #[test]
    fn uptime_never_goes_back() {
        let clock = Clock::system();
        assert!(clock.uptime() <= clock.uptime());
    }
}
