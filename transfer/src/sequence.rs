//! An ordered list of message ids that is short when stored: runs ascending by one become `first-last`.
//!
//! `1-100,105,103` is what people read in the table's console. Order is kept, because a sequence of source ids and
//! the sequence of what they became are read side by side.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::MessageId;

/// More ids than anything Ferry writes holds in one sequence; a text that claims more is not expanded.
const LEN_MAX: usize = 10_000;

/// Message ids in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct IdSequence(Vec<MessageId>);

/// The text is no sequence of message ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSequence {
    /// A part is neither a number nor `first-last`.
    #[error("{0:?} is neither a message id nor a range of them such as 1-100")]
    Part(String),
    /// Too many to be true.
    #[error("a sequence holds at most {LEN_MAX} message ids")]
    TooLong,
}

impl IdSequence {
    /// A sequence of these ids.
    pub fn from_vec(ids: Vec<MessageId>) -> Self {
        Self(ids)
    }

    /// The ids, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = MessageId> + DoubleEndedIterator + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first in order.
    pub fn first(&self) -> Option<MessageId> {
        self.0.first().copied()
    }

    /// The last in order.
    pub fn last(&self) -> Option<MessageId> {
        self.0.last().copied()
    }

    /// The ids, in order.
    pub fn as_slice(&self) -> &[MessageId] {
        &self.0
    }

    /// Whether the id is among them.
    pub fn contains(&self, id: MessageId) -> bool {
        self.0.contains(&id)
    }
}

impl FromIterator<MessageId> for IdSequence {
    fn from_iter<I: IntoIterator<Item = MessageId>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl From<Vec<MessageId>> for IdSequence {
    fn from(ids: Vec<MessageId>) -> Self {
        Self(ids)
    }
}

impl fmt::Display for IdSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|before, after| before.0.checked_add(1) == Some(after.0));
        for (index, run) in runs.enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match run {
                [first, .., last] => write!(f, "{first}-{last}")?,
                [only] => write!(f, "{only}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl FromStr for IdSequence {
    type Err = BadSequence;

    fn from_str(text: &str) -> Result<Self, BadSequence> {
        let mut ids = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let number = |digits: &str| match digits.parse::<i32>() {
                Ok(number) if digits.starts_with(|first: char| first.is_ascii_digit()) => Ok(number),
                Ok(_) | Err(_) => Err(BadSequence::Part(part.to_owned())),
            };
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last {
                return Err(BadSequence::Part(part.to_owned()));
            }
            let len = usize::try_from(i64::from(last) - i64::from(first) + 1).unwrap_or(usize::MAX);
            if ids.len().saturating_add(len) > LEN_MAX {
                return Err(BadSequence::TooLong);
            }
            ids.extend((first..=last).map(MessageId));
        }
        Ok(Self(ids))
    }
}

impl Serialize for IdSequence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IdSequence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sequence(ids: &[i32]) -> IdSequence {
        ids.iter().copied().map(MessageId).collect()
    }

    proptest! {
        #[test]
        fn a_sequence_survives_its_text(ids in proptest::collection::vec(0_i32..60, 0..200)) {
            let ids = sequence(&ids);
            prop_assert_eq!(ids.to_string().parse::<IdSequence>().unwrap(), ids);
        }
    }

    #[test]
    fn runs_are_short_and_order_is_kept() {
        let ids: Vec<i32> = (1..=100).chain([105, 103]).collect();
        assert_eq!(sequence(&ids).to_string(), "1-100,105,103");
        assert_eq!(serde_json::to_string(&sequence(&[])).unwrap(), "\"\"");
        assert_eq!(sequence(&[i32::MAX]).to_string().parse(), Ok(sequence(&[i32::MAX])));
    }

    #[test]
    fn hostile_texts_are_refused_without_being_expanded() {
        assert_eq!("1-2000000000".parse::<IdSequence>(), Err(BadSequence::TooLong));
        assert_eq!("1-9999,1-9999".parse::<IdSequence>(), Err(BadSequence::TooLong));
        for bad in ["5-1", "-5", "1--5", "x", "1-2-3", "+7", "99999999999"] {
            assert!(matches!(bad.parse::<IdSequence>(), Err(BadSequence::Part(_))), "{bad}");
        }
    }
}
