//! A queue at its worst, for tests of what stands on it: at least once means more than once.
//!
//! Off unless somebody asks for it. What must stay true: it changes when and how often messages come, never which.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Deliveries that come more than once, as those of a queue at its worst: a received message is visible again after a
/// moment, whatever was asked for, and its first deletion does not spare it the second delivery. Clones count together.
#[derive(Debug, Clone)]
pub struct Doubling {
    moment_millis_max: u32,
    again: Arc<AtomicU64>,
}

impl Doubling {
    /// With moments of up to so many milliseconds.
    pub fn within(moment_millis_max: u32) -> Self {
        Self { moment_millis_max, again: Arc::default() }
    }

    /// How many deliveries were not the first of their message.
    pub fn count(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, deliveries: usize) {
        self.again.fetch_add(u64::try_from(deliveries).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Another moment for each message and delivery.
    pub(super) fn moment(&self, sequence: i64, receives: u32) -> i64 {
        let mixed = sequence.wrapping_mul(7_919).wrapping_add(i64::from(receives).wrapping_mul(104_729));
        1 + mixed.rem_euclid(i64::from(self.moment_millis_max.max(1)))
    }
}
