//! How fast a task goes: the original's settings, charged per message, so that a chunk of 100 costs what 100 single
//! files cost, pauses included.
//!
//! What was charged is a fact of the checkpoint ([`PaceState`]): a host that takes over waits as long as the first
//! would have.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Nobody means more than an hour between two messages.
const FORWARD_RATE_MS_MAX: u64 = 3_600_000;
/// Nobody means a pause of more than a day.
const PAUSE_MS_MAX: u64 = 86_400_000;

/// The pauses of a task. A zero switches the thing off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pace {
    /// Between two messages.
    pub forward_rate_ms: u64,
    /// A pause after so many messages.
    pub pause_after_files: u32,
    /// How long that is.
    pub pause_duration_ms: u64,
    /// A long pause, in place of the other, after so many messages.
    pub long_pause_after_files: u32,
    /// How long that is.
    pub long_pause_ms: u64,
}

/// What the pace has to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaceState {
    /// Messages since the last pause of either length.
    #[serde(default)]
    pub since_pause: u32,
    /// Messages since the last long pause.
    #[serde(default)]
    pub since_long_pause: u32,
    /// When the next call may go out; `None`: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// The original's advice by scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Under 1,000 files a day.
    Small,
    /// 1,000 to 5,000 files a day.
    Medium,
    /// Over 5,000 files a day.
    Large,
    /// No pauses at all: as fast as Telegram lets.
    None,
}

/// A setting that nobody can mean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value_ms} ms, at most {max_ms} ms make sense")]
pub struct BadPace {
    /// Which setting.
    pub setting: &'static str,
    /// What it was.
    pub value_ms: u64,
    /// What it may be.
    pub max_ms: u64,
}

/// No preset has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no pace: choose small, medium, large or none")]
pub struct UnknownPreset(String);

impl Default for Pace {
    fn default() -> Self {
        Self {
            forward_rate_ms: 1_500,
            pause_after_files: 50,
            pause_duration_ms: 15_000,
            long_pause_after_files: 150,
            long_pause_ms: 90_000,
        }
    }
}

impl Pace {
    /// No pauses at all.
    pub fn none() -> Self {
        Self {
            forward_rate_ms: 0,
            pause_after_files: 0,
            pause_duration_ms: 0,
            long_pause_after_files: 0,
            long_pause_ms: 0,
        }
    }

    /// Whether the settings can be meant.
    ///
    /// # Errors
    /// Names the setting that cannot, and its bound.
    pub fn validate(&self) -> Result<(), BadPace> {
        let within = |setting, value_ms, max_ms| {
            if value_ms <= max_ms { Ok(()) } else { Err(BadPace { setting, value_ms, max_ms }) }
        };
        within("FORWARD_RATE", self.forward_rate_ms, FORWARD_RATE_MS_MAX)?;
        within("PAUSE_DURATION", self.pause_duration_ms, PAUSE_MS_MAX)?;
        within("the long pause", self.long_pause_ms, PAUSE_MS_MAX)
    }

    /// What stands in the checkpoint once a call with so many messages has gone out at `now`.
    #[must_use]
    pub fn after(&self, state: &PaceState, messages: u32, now: Timestamp) -> PaceState {
        let mut after = *state;
        let mut cost_ms = self.forward_rate_ms.saturating_mul(u64::from(messages));
        let mut left = messages;
        while left > 0 {
            let step = left
                .min(until_pause(self.pause_after_files, after.since_pause))
                .min(until_pause(self.long_pause_after_files, after.since_long_pause));
            left -= step;
            after.since_pause = after.since_pause.saturating_add(step);
            after.since_long_pause = after.since_long_pause.saturating_add(step);
            if is_due(self.long_pause_after_files, after.since_long_pause) {
                cost_ms = cost_ms.saturating_add(self.long_pause_ms);
                (after.since_pause, after.since_long_pause) = (0, 0);
            } else if is_due(self.pause_after_files, after.since_pause) {
                cost_ms = cost_ms.saturating_add(self.pause_duration_ms);
                after.since_pause = 0;
            }
        }
        after.next_at = (cost_ms > 0).then(|| {
            let cost = SignedDuration::from_millis(i64::try_from(cost_ms).unwrap_or(i64::MAX));
            now.saturating_add(cost).unwrap_or(Timestamp::MAX)
        });
        after
    }
}

/// Messages until the pause falls due; at least one, because the settings may have been lowered meanwhile.
fn until_pause(after_files: u32, since: u32) -> u32 {
    if after_files == 0 { u32::MAX } else { after_files.saturating_sub(since).max(1) }
}

fn is_due(after_files: u32, since: u32) -> bool {
    after_files > 0 && since >= after_files
}

impl Preset {
    /// The pauses that it means.
    pub fn pace(self) -> Pace {
        match self {
            Self::Small => Pace::default(),
            Self::Medium => Pace {
                forward_rate_ms: 2_000,
                pause_after_files: 30,
                pause_duration_ms: 20_000,
                long_pause_after_files: 100,
                long_pause_ms: 120_000,
            },
            Self::Large => Pace {
                forward_rate_ms: 2_500,
                pause_after_files: 20,
                pause_duration_ms: 30_000,
                long_pause_after_files: 80,
                long_pause_ms: 180_000,
            },
            Self::None => Pace::none(),
        }
    }

    /// The batch that goes with it (BATCH_SIZE).
    pub fn batch_len(self) -> u32 {
        match self {
            Self::Small | Self::None => 500,
            Self::Medium => 300,
            Self::Large => 200,
        }
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        match text.trim().to_ascii_lowercase().as_str() {
            "small" => Ok(Self::Small),
            "medium" => Ok(Self::Medium),
            "large" => Ok(Self::Large),
            "none" => Ok(Self::None),
            _ => Err(UnknownPreset(text.to_owned())),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::None => "none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The time after chunks of these sizes, each sent the moment the pace allows it.
    fn elapsed_ms(pace: &Pace, chunks: impl IntoIterator<Item = u32>) -> (i64, PaceState) {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut state = PaceState::default();
        for messages in chunks {
            state = pace.after(&state, messages, now);
            now = state.next_at.unwrap_or(now);
        }
        (now.as_millisecond(), PaceState { next_at: None, ..state })
    }

    #[test]
    fn the_default_is_the_originals() {
        // 150 messages at 1.5 s, pauses of 15 s after 50 and 100, and the long one in place of the third.
        assert_eq!(elapsed_ms(&Pace::default(), [1; 150]).0, 150 * 1_500 + 2 * 15_000 + 90_000);
        assert_eq!(elapsed_ms(&Pace::default(), [100, 50]).0, 150 * 1_500 + 2 * 15_000 + 90_000);
    }

    #[test]
    fn without_a_pace_the_next_call_goes_at_once() {
        let state = Pace::none().after(&PaceState::default(), 100, Timestamp::UNIX_EPOCH);
        assert_eq!(state.next_at, None);
    }

    #[test]
    fn absurd_settings_are_refused_and_do_not_overflow() {
        let absurd = Pace { forward_rate_ms: u64::MAX, pause_duration_ms: u64::MAX, ..Pace::default() };
        assert!(absurd.validate().unwrap_err().to_string().contains("FORWARD_RATE"));
        assert_eq!(absurd.after(&PaceState::default(), 100, Timestamp::UNIX_EPOCH).next_at, Some(Timestamp::MAX));
        for preset in ["small", "medium", "Large", "none"] {
            assert!(preset.parse::<Preset>().unwrap().pace().validate().is_ok());
        }
        assert!("huge".parse::<Preset>().is_err());
    }

    #[test]
    fn a_setting_lowered_meanwhile_pauses_at_the_next_message() {
        let state = PaceState { since_pause: 40, since_long_pause: 40, next_at: None };
        let pace = Pace { forward_rate_ms: 0, pause_after_files: 10, long_pause_after_files: 0, ..Pace::default() };
        let after = pace.after(&state, 1, Timestamp::UNIX_EPOCH);
        assert_eq!((after.since_pause, after.next_at.map(Timestamp::as_millisecond)), (0, Some(15_000)));
    }

    proptest! {
        #[test]
        fn any_chunking_costs_what_singles_cost(
            rate in 0_u64..3_000, short in (0_u32..60, 0_u64..20_000), long in (0_u32..200, 0_u64..90_000),
            chunks in proptest::collection::vec(1_u32..=100, 0..12),
        ) {
            let pace = Pace {
                forward_rate_ms: rate,
                pause_after_files: short.0,
                pause_duration_ms: short.1,
                long_pause_after_files: long.0,
                long_pause_ms: long.1,
            };
            let total: u32 = chunks.iter().sum();
            let singles = std::iter::repeat_n(1, total as usize);
            prop_assert_eq!(elapsed_ms(&pace, chunks), elapsed_ms(&pace, singles));
        }
    }
}
