//! How fast it goes, over the last seconds, and when it will be done.

use std::collections::VecDeque;
use std::time::Duration;

use transfer::task::Task;

/// The rate is that of the last so many seconds: long enough to be steady, short enough to be true.
const WINDOW: Duration = Duration::from_secs(10);

/// Samples of the last seconds.
#[derive(Debug, Default)]
pub struct Rate {
    samples: VecDeque<Sample>,
    began: Option<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    delivered: u64,
    cursor: i32,
}

impl Rate {
    /// Notes how far the task is.
    pub fn note(&mut self, at: Duration, task: &Task) {
        let sample = Sample { at, delivered: task.checkpoint.counts.delivered, cursor: task.checkpoint.cursor.0 };
        self.began.get_or_insert(sample);
        self.samples.push_back(sample);
        while self.samples.front().is_some_and(|first| at.saturating_sub(first.at) > WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Messages a second.
    pub fn per_sec(&self) -> f64 {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else { return 0.0 };
        quotient(last.delivered.saturating_sub(first.delivered), last.at.saturating_sub(first.at))
    }

    /// How long the rest of the ids will take, at the rate since somebody looks (waits included).
    pub fn left(&self, last_id: i32) -> Option<Duration> {
        let (began, now) = (self.began?, *self.samples.back()?);
        let done = u32::try_from(now.cursor - began.cursor).ok().filter(|done| *done > 0)?;
        let rest = u32::try_from(last_id - now.cursor).ok()?;
        let per_id = now.at.saturating_sub(began.at).as_secs_f64() / f64::from(done);
        Duration::try_from_secs_f64(per_id * f64::from(rest)).ok()
    }
}

#[expect(clippy::cast_precision_loss, reason = "no transfer has 2^52 messages")]
fn quotient(messages: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { messages as f64 / time.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::ids::{MessageId, Nonce};
    use transfer::submit::NewTask;

    fn task(delivered: u64, cursor: i32) -> Task {
        let asked = NewTask::new("t".into(), Nonce([1; 16]), "@aaa".parse().unwrap(), "@bbb".parse().unwrap());
        let mut task = asked.build(jiff::Timestamp::UNIX_EPOCH).unwrap();
        task.checkpoint.counts.delivered = delivered;
        task.checkpoint.cursor = MessageId(cursor);
        task
    }

    #[test]
    fn the_rate_is_of_the_last_seconds_and_the_rest_of_all_of_them() {
        let mut rate = Rate::default();
        assert_eq!((rate.per_sec(), rate.left(100)), (0.0, None));
        rate.note(Duration::ZERO, &task(0, 0));
        rate.note(Duration::from_secs(10), &task(100, 110));
        assert!((rate.per_sec() - 10.0).abs() < 1e-9);
        // 10 s of silence: the rate falls to nothing, the estimate counts the wait.
        rate.note(Duration::from_secs(20), &task(100, 110));
        assert!(rate.per_sec().abs() < 1e-9);
        assert_eq!(rate.left(220), Some(Duration::from_secs(20)));
    }
}
