//! What Telegram does not document. Drawn from the seed, so that nothing comes to rely on one answer; every one can be set.

use super::seed::mix;
use serde::{Deserialize, Serialize};

/// The undocumented choices of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Quirks {
    /// A repeated call is charged, and can be refused, by the flood model before its random ids are looked at.
    pub flood_check_before_duplicates: bool,
    /// A repeat of random ids is answered `RANDOM_ID_DUPLICATE`; otherwise with the earlier result.
    pub repeat_answers_duplicate: bool,
    /// One missing, deleted or service id refuses the whole forward; otherwise it is skipped.
    pub one_bad_id_refuses_all: bool,
    /// Pages of history are cut short now and then, at the end away from the offset.
    pub short_history_pages: bool,
    /// A call that repeats some random ids applies its others. Never drawn: with it, an id that the first call skipped
    /// arrives late, and no client could keep the order.
    pub repeat_applies_rest: bool,
    /// What becomes of a repeat when a source message was deleted since.
    #[serde(default)]
    pub repeat_after_source_changed: SourceChanged,
}

/// How a repeat of known random ids is answered when one of the source messages was deleted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceChanged {
    /// As any repeat.
    #[default]
    AsEver,
    /// `MESSAGE_ID_INVALID`: the ids are looked at before the random ids are.
    MessageIdInvalid,
}

impl Quirks {
    /// The choices of a seed.
    #[must_use]
    pub fn drawn(seed: u64) -> Quirks {
        let hash = mix(seed, 0x0DD);
        Quirks {
            flood_check_before_duplicates: hash & 1 != 0,
            repeat_answers_duplicate: hash & 2 != 0,
            one_bad_id_refuses_all: hash & 12 == 0,
            short_history_pages: hash & 16 != 0,
            repeat_applies_rest: false,
            repeat_after_source_changed: if hash & 32 == 0 {
                SourceChanged::AsEver
            } else {
                SourceChanged::MessageIdInvalid
            },
        }
    }

    /// The friendly answers: what most reports say, and nothing unusual.
    #[must_use]
    pub fn plain() -> Quirks {
        Quirks {
            flood_check_before_duplicates: true,
            repeat_answers_duplicate: false,
            one_bad_id_refuses_all: false,
            short_history_pages: false,
            repeat_applies_rest: false,
            repeat_after_source_changed: SourceChanged::AsEver,
        }
    }
}
