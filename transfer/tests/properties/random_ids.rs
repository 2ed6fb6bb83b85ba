//! Random ids, over the whole range of what they are made of.

use proptest::option::of;
use proptest::prelude::*;
use transfer::ids::{MessageId, Nonce, PeerId, RandomId};
use transfer::random_id::derive;

/// Nonce, source, message, target, topic.
type Parts = ([u8; 16], i64, i32, i64, Option<i32>);

fn parts() -> impl Strategy<Value = Parts> {
    // Small numbers, so that parts come to stand in each other's place.
    let peer = || prop_oneof![-3_i64..4, any::<i64>()];
    let message = || prop_oneof![0_i32..4, any::<i32>()];
    (prop_oneof![Just([0; 16]), any::<[u8; 16]>()], peer(), message(), peer(), of(message()))
}

fn derived(parts: &Parts) -> RandomId {
    let (nonce, source, message, target, topic) = parts;
    derive(&Nonce(*nonce), PeerId(*source), MessageId(*message), PeerId(*target), topic.map(MessageId))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_048) })]

    #[test]
    fn the_same_gives_the_same_and_any_difference_another(one in parts(), other in parts()) {
        prop_assert_ne!(derived(&one), RandomId(0));
        prop_assert_eq!(derived(&one) == derived(&other), one == other);
    }

    #[test]
    fn each_part_counts_by_itself(base in parts(), other in parts()) {
        let changed = [
            (other.0, base.1, base.2, base.3, base.4),
            (base.0, other.1, base.2, base.3, base.4),
            (base.0, base.1, other.2, base.3, base.4),
            (base.0, base.1, base.2, other.3, base.4),
            (base.0, base.1, base.2, base.3, other.4),
            (base.0, base.3, base.2, base.1, base.4),
        ];
        for parts in changed {
            prop_assert_eq!(derived(&parts) == derived(&base), parts == base);
        }
    }
}
