//! The longest ordered matching between what is sought and what was found, and whether it is the only one.
//!
//! Sought messages keep their order in the target, so a matching pairs rows with columns that both ascend. Identical
//! neighbours settle themselves when there are as many found as sought; with one more or one fewer there are several
//! longest matchings, and nobody can tell which is true.

/// A longest ordered matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matching {
    /// Row and column of each pair, both ascending.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Whether no other matching is as long.
    pub(super) unique: bool,
}

/// How long the longest matching of a suffix is, and how many there are: one, or more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Best {
    len: usize,
    count: u8,
}

impl Best {
    const EMPTY: Self = Self { len: 0, count: 1 };

    fn or(self, other: Self) -> Self {
        match self.len.cmp(&other.len) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => Self { len: self.len, count: (self.count + other.count).min(2) },
        }
    }

    fn longer(self) -> Self {
        Self { len: self.len + 1, ..self }
    }
}

impl Matching {
    /// `candidates[row][column]` says whether the two may be paired.
    pub(super) fn of(candidates: &[Vec<bool>]) -> Self {
        let width = candidates.first().map_or(0, Vec::len);
        // Columns that nothing could be paired with change nothing: strangers' messages are most of a busy target.
        let columns: Vec<usize> = (0..width).filter(|column| candidates.iter().any(|row| row[*column])).collect();
        // best[row][column]: of the rows from `row` on and the columns from `column` on.
        let mut best = vec![vec![Best::EMPTY; columns.len() + 1]; candidates.len() + 1];
        for (row, allowed) in candidates.iter().enumerate().rev() {
            // The best of the matchings that do pair this row.
            let mut pairing: Option<Best> = None;
            for (at, column) in columns.iter().enumerate().rev() {
                if allowed[*column] {
                    let with = best[row + 1][at + 1].longer();
                    pairing = Some(pairing.map_or(with, |pairing| pairing.or(with)));
                }
                let without = best[row + 1][at];
                best[row][at] = pairing.map_or(without, |pairing| pairing.or(without));
            }
        }
        let mut pairs = Vec::new();
        let mut at = 0;
        for (row, allowed) in candidates.iter().enumerate() {
            if best[row][at].len == best[row + 1][at].len {
                continue;
            }
            let len = best[row][at].len;
            let fits = |at: &usize| allowed[columns[*at]] && best[row + 1][*at + 1].len + 1 == len;
            if let Some(paired) = (at..columns.len()).find(fits) {
                pairs.push((row, columns[paired]));
                at = paired + 1;
            }
        }
        Self { pairs, unique: best[0][0].count == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every ordered matching there is.
    fn all(candidates: &[Vec<bool>], row: usize, from: usize) -> Vec<Vec<(usize, usize)>> {
        if row == candidates.len() {
            return vec![Vec::new()];
        }
        let mut found = all(candidates, row + 1, from);
        for column in from..candidates[row].len() {
            if candidates[row][column] {
                for mut rest in all(candidates, row + 1, column + 1) {
                    rest.insert(0, (row, column));
                    found.push(rest);
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn it_is_a_longest_one_and_knows_whether_it_is_the_only_one(
            rows in (0_usize..6).prop_flat_map(|width| {
                proptest::collection::vec(proptest::collection::vec(proptest::bool::weighted(0.4), width), 0..6)
            }),
        ) {
            let every = all(&rows, 0, 0);
            let len = every.iter().map(Vec::len).max().unwrap_or(0);
            let longest: Vec<_> = every.into_iter().filter(|pairs| pairs.len() == len).collect();
            let found = Matching::of(&rows);
            prop_assert_eq!(found.unique, longest.len() == 1);
            prop_assert!(longest.contains(&found.pairs));
        }
    }
}
