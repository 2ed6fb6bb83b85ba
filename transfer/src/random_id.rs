//! Random ids: Telegram remembers them for ever, per sending account and peer, so that a repeated call does nothing
//! twice.
//!
//! They are derived from the task's secret nonce and from what is carried to where, so that no two messages of a task
//! share one and nobody else can guess one. Once written into an intent, the written ones are used: a repeat must be
//! byte-identical even if the derivation ever changes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{MessageId, Nonce, PeerId, RandomId};

/// More than any call carries; a longer text is not decoded into an intent.
const LEN_MAX: usize = 10_000;

/// The random ids of one call, in the order of its message ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RandomIds(pub Vec<RandomId>);

/// The random id with which `message` of `source` goes to `target`. Never zero.
pub fn derive(nonce: &Nonce, source: PeerId, message: MessageId, target: PeerId, topic: Option<MessageId>) -> RandomId {
    // Fixed widths: no two different inputs give the same bytes. `round` only moves in the one case in 2^64 of a zero.
    (0_u8..=u8::MAX)
        .map(|round| {
            let mut hash = Sha256::new();
            hash.update(b"ferry random id v1\0");
            hash.update([round]);
            hash.update(nonce.0);
            hash.update(source.0.to_be_bytes());
            let message = if mutated!(OneRandomId) { 0 } else { message.0 };
            hash.update(message.to_be_bytes());
            hash.update(target.0.to_be_bytes());
            hash.update([u8::from(topic.is_some())]);
            hash.update(topic.unwrap_or_default().0.to_be_bytes());
            let digest = hash.finalize();
            let mut first = [0_u8; 8];
            first.copy_from_slice(&digest[..8]);
            RandomId(i64::from_be_bytes(first))
        })
        .find(|id| id.0 != 0)
        .unwrap_or(RandomId(1))
}

impl Serialize for RandomIds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|id| id.0.to_le_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for RandomIds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        if text.len() > LEN_MAX * 12 {
            return Err(D::Error::custom("more random ids than any call carries"));
        }
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        let (ids, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(D::Error::custom("random ids have eight bytes each, some are cut off"));
        }
        Ok(Self(ids.iter().map(|id| RandomId(i64::from_le_bytes(*id))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    const NONCE: Nonce = Nonce([7; 16]);

    proptest! {
        #[test]
        fn random_ids_survive_their_text(ids in proptest::collection::vec(any::<i64>(), 0..120)) {
            let ids = RandomIds(ids.into_iter().map(RandomId).collect());
            let text = serde_json::to_string(&ids).unwrap();
            prop_assert_eq!(serde_json::from_str::<RandomIds>(&text).unwrap(), ids);
        }
    }

    #[test]
    fn the_derivation_never_changes() {
        let id = derive(&NONCE, PeerId(-1_000_000_000_001), MessageId(42), PeerId(-1_000_000_000_002), None);
        // The same by another program: SHA-256 over the fields, big-endian, its first eight bytes.
        assert_eq!(id, RandomId(-4_691_687_675_769_674_570));
    }

    #[test]
    fn a_million_messages_have_a_million_random_ids() {
        let source = PeerId::channel(1);
        let ids: HashSet<RandomId> =
            (1..=1_000_000).map(|id| derive(&NONCE, source, MessageId(id), PeerId::channel(2), None)).collect();
        assert_eq!(ids.len(), 1_000_000);
    }

    #[test]
    fn every_part_matters() {
        let base = || (NONCE, PeerId(5), MessageId(6), PeerId(7), Some(MessageId(0)));
        let mut variants = vec![base(); 6];
        variants[1].0 = Nonce([8; 16]);
        variants[2].1 = PeerId(7);
        variants[3].2 = MessageId(7);
        variants[4].3 = PeerId(5);
        variants[5].4 = None;
        let ids: HashSet<_> = variants.iter().map(|(n, s, m, t, topic)| derive(n, *s, *m, *t, *topic)).collect();
        assert_eq!(ids.len(), variants.len());
    }

    #[test]
    fn a_cut_off_text_is_refused() {
        assert!(serde_json::from_str::<RandomIds>("\"AAAA\"").is_err());
        assert!(serde_json::from_str::<RandomIds>("\"!\"").is_err());
    }
}
