//! How far a task is, for people: percent, messages a minute, and when it will be done.

use jiff::SignedDuration;

use crate::task::Counts;

/// A task's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Of the range that has been looked at, 0 to 100; `None` while nobody knows how long the range is.
    pub percent: Option<u8>,
    /// Messages delivered a minute, over the time that was measured.
    pub per_minute: u64,
    /// How long it will take at this rate.
    pub eta: Option<SignedDuration>,
}

impl Progress {
    /// The progress of a task whose range has `in_range` messages, where `before` was counted `elapsed` ago. With
    /// counts of zero and the time since the start, it is the average over the whole task.
    pub fn of(counts: &Counts, in_range: Option<u64>, before: &Counts, elapsed: SignedDuration) -> Self {
        // The history may have grown since it was counted.
        let in_range = in_range.map(|total| total.max(counts.scanned));
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(0);
        let delivered = counts.delivered.saturating_sub(before.delivered);
        let scanned = counts.scanned.saturating_sub(before.scanned);
        Self {
            percent: in_range.map(|total| percent(counts.scanned, total)),
            per_minute: scaled(delivered, 60_000, millis).unwrap_or(0),
            eta: in_range.and_then(|total| eta(total - counts.scanned, scanned, millis)),
        }
    }
}

fn percent(done: u64, total: u64) -> u8 {
    scaled(done, 100, total).map_or(100, |percent| u8::try_from(percent.min(100)).unwrap_or(100))
}

fn eta(left: u64, scanned: u64, millis: u64) -> Option<SignedDuration> {
    if left == 0 {
        return Some(SignedDuration::ZERO);
    }
    let millis = scaled(left, millis, scanned)?;
    (millis > 0).then(|| SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// `amount * by / per`, rounded down; `None` when there is nothing to divide by.
fn scaled(amount: u64, by: u64, per: u64) -> Option<u64> {
    let scaled = (u128::from(amount) * u128::from(by)).checked_div(u128::from(per))?;
    Some(u64::try_from(scaled).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(scanned: u64, delivered: u64) -> Counts {
        Counts { scanned, delivered, ..Counts::default() }
    }

    #[test]
    fn halfway_after_a_minute_takes_another_minute() {
        let progress = Progress::of(&counts(500, 400), Some(1_000), &Counts::default(), SignedDuration::from_secs(60));
        let expected = Progress { percent: Some(50), per_minute: 400, eta: Some(SignedDuration::from_secs(60)) };
        assert_eq!(progress, expected);
    }

    #[test]
    fn what_nobody_knows_is_not_said() {
        let unknown = Progress::of(&counts(5, 5), None, &Counts::default(), SignedDuration::from_secs(1));
        assert_eq!((unknown.percent, unknown.eta), (None, None));
        let not_begun = Progress::of(&counts(0, 0), Some(10), &Counts::default(), SignedDuration::ZERO);
        assert_eq!(not_begun, Progress { percent: Some(0), per_minute: 0, eta: None });
        let grown = Progress::of(&counts(12, 12), Some(10), &Counts::default(), SignedDuration::from_secs(1));
        assert_eq!((grown.percent, grown.eta), (Some(100), Some(SignedDuration::ZERO)));
    }

    proptest! {
        #[test]
        fn no_numbers_overflow(a: u64, b: u64, c: u64, d: u64, total: Option<u64>, secs: i64) {
            let progress = Progress::of(&counts(a, b), total, &counts(c, d), SignedDuration::from_secs(secs));
            prop_assert!(progress.percent.is_none_or(|percent| percent <= 100));
        }
    }
}
