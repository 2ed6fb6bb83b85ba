//! Source against target: is everything there, once, in order, albums whole?
//!
//! An album belongs where its first member stands, also when strangers' messages lie between its members in the source:
//! it can only be forwarded whole in one call.

use std::collections::{BTreeMap, BTreeSet};

use super::{Copied, Original};

/// What the comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Selected messages that are in the target.
    pub delivered: u64,
    /// Selected messages that are in the ledger and not in the target.
    pub skipped: u64,
    /// Selected messages that are neither.
    pub missing: u64,
    /// Further copies of messages that are in the target, and messages that nobody selected.
    pub duplicated: u64,
    /// Messages behind one that belongs behind them.
    pub out_of_order: u64,
    /// Albums whose members arrived apart.
    pub albums_split: u64,
}

/// Compares what was selected with what was created in the target.
pub fn compare(selected: &[Original], skipped: &BTreeSet<i32>, copies: &[Copied]) -> Comparison {
    let places = places(selected);
    let mut found = Comparison::default();
    let mut seen = BTreeSet::new();
    let mut furthest = (0, 0);
    // For each album: the target's albums in which its members arrived, and how many members did.
    let mut albums: BTreeMap<i64, (BTreeSet<i64>, u32)> = BTreeMap::new();
    for copy in copies {
        let original = copy.of.and_then(|id| places.get(&id).map(|(place, album)| ((*place, id), *album)));
        let Some((place, album)) = original else {
            found.duplicated += 1;
            continue;
        };
        if !seen.insert(place.1) {
            found.duplicated += 1;
            continue;
        }
        found.delivered += 1;
        if place < furthest {
            found.out_of_order += 1;
        }
        furthest = furthest.max(place);
        if album != 0 {
            let (into, members) = albums.entry(album).or_default();
            into.insert(copy.album);
            *members += 1;
        }
    }
    for original in selected.iter().filter(|original| !seen.contains(&original.id)) {
        if skipped.contains(&original.id) {
            found.skipped += 1;
        } else {
            found.missing += 1;
        }
    }
    // A lone member is no album any more; two or more must share one.
    let split = |(into, members): &&(BTreeSet<i64>, u32)| *members > 1 && (into.len() > 1 || into.contains(&0));
    found.albums_split = super::count(albums.values().filter(split).count());
    found
}

/// Where each message belongs - the first member's id for an album - and its album.
fn places(selected: &[Original]) -> BTreeMap<i32, (i32, i64)> {
    let mut firsts: BTreeMap<i64, i32> = BTreeMap::new();
    for original in selected.iter().filter(|original| original.album != 0) {
        let first = firsts.entry(original.album).or_insert(original.id);
        *first = original.id.min(*first);
    }
    let place = |original: &Original| firsts.get(&original.album).copied().unwrap_or(original.id);
    selected.iter().map(|original| (original.id, (place(original), original.album))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source ids 1 to 9, of which 3, 4 and 6 are an album with a stranger (5) between them, and 8 and 9 another.
    fn source() -> Vec<Original> {
        let album = |id| match id {
            3 | 4 | 6 => 77,
            8 | 9 => 88,
            _ => 0,
        };
        (1..=9).map(|id| Original { id, album: album(id) }).collect()
    }

    /// A target with these source ids in this order, albums under new numbers.
    fn target(ids: &[i32]) -> Vec<Copied> {
        let album = |id| match id {
            3 | 4 | 6 => 7,
            8 | 9 => 8,
            _ => 0,
        };
        ids.iter().map(|id| Copied { of: Some(*id), album: album(*id) }).collect()
    }

    const WHOLE: [i32; 9] = [1, 2, 3, 4, 6, 5, 7, 8, 9];

    fn compare_ids(ids: &[i32], skipped: &[i32]) -> Comparison {
        compare(&source(), &skipped.iter().copied().collect(), &target(ids))
    }

    #[test]
    fn a_whole_copy_has_no_faults() {
        assert_eq!(compare_ids(&WHOLE, &[]), Comparison { delivered: 9, ..Comparison::default() });
    }

    #[test]
    fn what_lacks_is_missing_unless_the_ledger_says_why() {
        let found = compare_ids(&[1, 3, 4, 6, 5, 8, 9], &[7, 1]);
        assert_eq!((found.delivered, found.skipped, found.missing), (7, 1, 1));
        assert_eq!((found.duplicated, found.out_of_order, found.albums_split), (0, 0, 0));
    }

    #[test]
    fn second_copies_and_strangers_are_duplicates() {
        let mut copies = target(&[1, 2, 2, 3, 4, 6, 5, 7, 8, 9, 9]);
        copies.push(Copied { of: None, album: 0 });
        copies.push(Copied { of: Some(55), album: 0 });
        let found = compare(&source(), &BTreeSet::new(), &copies);
        assert_eq!((found.delivered, found.duplicated, found.out_of_order), (9, 4, 0));
    }

    #[test]
    fn order_is_the_sources_with_albums_at_their_first_member() {
        assert_eq!(compare_ids(&[2, 1, 3, 4, 6, 5, 7, 8, 9], &[]).out_of_order, 1);
        assert_eq!(compare_ids(&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[]).out_of_order, 1, "6 belongs before 5");
        assert_eq!(compare_ids(&[9, 8, 7, 5, 6, 4, 3, 2, 1], &[]).out_of_order, 8);
    }

    #[test]
    fn albums_must_arrive_in_one_piece() {
        let mut copies = target(&WHOLE);
        copies[4].album = 9;
        assert_eq!(compare(&source(), &BTreeSet::new(), &copies).albums_split, 1);
        copies[4].album = 0;
        assert_eq!(compare(&source(), &BTreeSet::new(), &copies).albums_split, 1);
        copies[7].album = 0;
        copies[8].album = 0;
        assert_eq!(compare(&source(), &BTreeSet::new(), &copies).albums_split, 2, "members one by one are no album");
        let mut lone = target(&[1, 2, 3, 4, 6, 5, 7, 8]);
        lone[7].album = 0;
        assert_eq!(compare(&source(), &[9].into(), &lone).albums_split, 0, "a lone member is no album");
    }
}
