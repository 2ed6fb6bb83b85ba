//! Sequences of ids, as they stand in the table.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use transfer::ids::MessageId;
use transfer::sequence::IdSequence;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ascending_ids_of_any_size_survive_the_table(
        runs in btree_set(prop_oneof![1_i32..500, 0..=i32::MAX], 0..300), len in 1_i32..8,
    ) {
        let ids: Vec<MessageId> =
            runs.iter().flat_map(|first| *first..=first.saturating_add(len - 1)).map(MessageId).collect();
        let sequence = IdSequence::from_vec(ids.clone());
        let text = serde_json::to_string(&sequence).unwrap();
        let read: IdSequence = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.as_slice(), ids.as_slice());
        prop_assert_eq!((read.len(), read.first(), read.last()), (ids.len(), ids.first().copied(), ids.last().copied()));
    }

    #[test]
    fn a_run_is_stored_in_two_numbers(first in 1_i32..2_000_000_000, len in 2_i32..10_000) {
        let ids: IdSequence = (first..first + len).map(MessageId).collect();
        prop_assert_eq!(ids.to_string(), format!("{first}-{}", first + len - 1));
        prop_assert_eq!(ids.to_string().parse(), Ok(ids));
    }

    #[test]
    fn texts_are_read_or_refused(
        pieces in vec(prop::sample::select(vec!["-", ",", "0", "7", "19", "2147483647", "2147483648", "+", " ", "x"]), 0..12),
    ) {
        if let Ok(ids) = pieces.concat().parse::<IdSequence>() {
            prop_assert_eq!(ids.to_string().parse(), Ok(ids));
        }
    }
}
