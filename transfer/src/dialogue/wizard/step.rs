//! The steps, in their order.

use serde::{Deserialize, Serialize};

/// What the wizard asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// From where.
    Source,
    /// To where.
    Target,
    /// Which part of the history.
    Range,
    /// Which kinds of content.
    Kinds,
    /// Which keyword.
    Keyword,
    /// Whether the author is shown.
    Author,
    /// What to call it.
    Title,
    /// What to note about it.
    Description,
    /// How fast.
    Pace,
    /// How much at once, and what then.
    Batch,
    /// Whether it is right like this.
    Preview,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 11] = [
        Self::Source,
        Self::Target,
        Self::Range,
        Self::Kinds,
        Self::Keyword,
        Self::Author,
        Self::Title,
        Self::Description,
        Self::Pace,
        Self::Batch,
        Self::Preview,
    ];

    /// Its place among all, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).map_or(1, |at| at + 1)
    }

    pub(super) fn next(self) -> Self {
        Self::ALL.get(self.number()).copied().unwrap_or(Self::Preview)
    }

    pub(super) fn previous(self) -> Option<Self> {
        Self::ALL.get(self.number().checked_sub(2)?).copied()
    }
}
