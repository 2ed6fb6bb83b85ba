//! The pace, against a count of single messages, with hosts that die and an admin who changes the settings.

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use transfer::pace::{Pace, PaceState};

fn pace() -> impl Strategy<Value = Pace> {
    (0_u64..3_000, 0_u32..60, 0_u64..20_000, 0_u32..200, 0_u64..90_000).prop_map(
        |(forward_rate_ms, pause_after_files, pause_duration_ms, long_pause_after_files, long_pause_ms)| Pace {
            forward_rate_ms,
            pause_after_files,
            pause_duration_ms,
            long_pause_after_files,
            long_pause_ms,
        },
    )
}

/// The rule, one message at a time.
#[derive(Default)]
struct Counted {
    since_pause: u64,
    since_long_pause: u64,
}

impl Counted {
    fn cost_ms(&mut self, pace: &Pace) -> u64 {
        self.since_pause += 1;
        self.since_long_pause += 1;
        let due = |after: u32, since: u64| after > 0 && since >= u64::from(after);
        let pause = if due(pace.long_pause_after_files, self.since_long_pause) {
            (self.since_pause, self.since_long_pause) = (0, 0);
            pace.long_pause_ms
        } else if due(pace.pause_after_files, self.since_pause) {
            self.since_pause = 0;
            pace.pause_duration_ms
        } else {
            0
        };
        pace.forward_rate_ms + pause
    }
}

fn later(now: Timestamp, millis: u64) -> Timestamp {
    now.saturating_add(SignedDuration::from_millis(i64::try_from(millis).unwrap())).unwrap()
}

/// The state as another host reads it.
fn through_the_table(state: PaceState) -> PaceState {
    serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Chunks of any size, sent late or the moment they may be, by any host, under settings that change.
    #[test]
    fn no_call_is_allowed_earlier_than_its_messages_cost(
        first in pace(),
        chunks in vec((1_u32..=100, 0_u64..200_000, any::<bool>(), weighted(0.2, pace())), 1..40),
    ) {
        let (mut pace, mut state, mut counted) = (first, PaceState::default(), Counted::default());
        let mut now = Timestamp::UNIX_EPOCH;
        for (messages, late_ms, dies, changed) in chunks {
            pace = changed.unwrap_or(pace);
            let cost_ms: u64 = (0..messages).map(|_| counted.cost_ms(&pace)).sum();
            state = pace.after(&state, messages, now);
            prop_assert_eq!(state.next_at.unwrap_or(now), later(now, cost_ms));
            if dies {
                let before = state;
                state = through_the_table(state);
                prop_assert_eq!(state, before);
            }
            now = later(state.next_at.unwrap_or(now), late_ms);
        }
    }

    /// The sum over a whole transfer, by division alone.
    #[test]
    fn a_transfer_takes_what_its_messages_and_pauses_take(
        rate in 0_u64..3_000, short in (1_u64..60, 0_u64..20_000), long in (1_u64..200, 0_u64..90_000),
        chunks in vec(1_u32..=100, 0..20),
    ) {
        let pace = Pace {
            forward_rate_ms: rate,
            pause_after_files: u32::try_from(short.0).unwrap(),
            pause_duration_ms: short.1,
            long_pause_after_files: u32::try_from(long.0).unwrap(),
            long_pause_ms: long.1,
        };
        let total: u64 = chunks.iter().copied().map(u64::from).sum();
        let (mut now, mut state) = (Timestamp::UNIX_EPOCH, PaceState::default());
        for messages in chunks {
            state = pace.after(&state, messages, now);
            now = state.next_at.unwrap_or(now);
        }
        // Short pauses count anew from each long one, which takes the place of the one that falls on it.
        let shorts = total / long.0 * ((long.0 - 1) / short.0) + total % long.0 / short.0;
        let expected = total * rate + total / long.0 * long.1 + shorts * short.1;
        prop_assert_eq!(u64::try_from(now.as_millisecond()).unwrap(), expected);
    }

    #[test]
    fn no_setting_and_no_time_overflows(
        settings: (u64, u32, u64, u32, u64), state: (u32, u32), messages in 0_u32..2_000, secs in -377_705_023_201_i64..=253_402_207_200,
    ) {
        let pace = Pace {
            forward_rate_ms: settings.0,
            pause_after_files: settings.1,
            pause_duration_ms: settings.2,
            long_pause_after_files: settings.3,
            long_pause_ms: settings.4,
        };
        let state = PaceState { since_pause: state.0, since_long_pause: state.1, next_at: None };
        let now = Timestamp::from_second(secs).unwrap();
        let after = pace.after(&state, messages, now);
        prop_assert!(after.next_at.is_none_or(|next| next >= now));
        prop_assert!(after.next_at.is_some() || messages == 0 || settings.0 == 0);
    }
}
