//! Source against target: is everything there, once, in order, albums whole?
//!
//! An album belongs where its first member stands, also when strangers' messages lie between its members in the source:
//! it can only be forwarded whole in one call.
//!
//! The ledger of skipped messages is the host's own word. It counts for what nobody could carry, and beyond that for no
//! more messages than the server refused: a host that skips what it should carry has lost it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Evidence, Original};

/// What the comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Selected messages that are in the target.
    pub delivered: u64,
    /// Selected messages that are in the ledger and not in the target, and rightly so.
    pub skipped: u64,
    /// Of these, service messages.
    pub skipped_service: u64,
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
pub fn compare(evidence: &Evidence) -> Comparison {
    let places = places(&evidence.selected);
    let mut found = Comparison::default();
    let mut seen = BTreeSet::new();
    let mut furthest = (0, 0);
    // For each album: the target's albums in which its members arrived, and how many members did.
    let mut albums: BTreeMap<i64, (BTreeSet<i64>, u32)> = BTreeMap::new();
    for copy in &evidence.copies {
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
    let mut refusals_left = evidence.refused;
    for original in evidence.selected.iter().filter(|original| !seen.contains(&original.id)) {
        match (original.content, evidence.skipped.contains(&original.id)) {
            (Content::Deleted, false) => {}
            (Content::Deleted, true) => found.skipped += 1,
            (Content::Service, true) => {
                found.skipped += 1;
                found.skipped_service += 1;
            }
            (Content::Carriable, true) if refusals_left > 0 => {
                refusals_left -= 1;
                found.skipped += 1;
            }
            (Content::Carriable, true) | (Content::Carriable | Content::Service, false) => found.missing += 1,
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
    use crate::audit::Copied;

    /// Source ids 1 to 9, of which 3, 4 and 6 are an album with a stranger (5) between them, and 8 and 9 another.
    fn source() -> Vec<Original> {
        let album = |id| match id {
            3 | 4 | 6 => 77,
            8 | 9 => 88,
            _ => 0,
        };
        (1..=9).map(|id| Original { id, album: album(id), content: Content::Carriable }).collect()
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

    fn compare_copies(copies: Vec<Copied>) -> Comparison {
        compare(&Evidence { selected: source(), copies, ..Evidence::default() })
    }

    fn compare_ids(ids: &[i32]) -> Comparison {
        compare_copies(target(ids))
    }

    #[test]
    fn a_whole_copy_has_no_faults() {
        assert_eq!(compare_ids(&WHOLE), Comparison { delivered: 9, ..Comparison::default() });
    }

    /// Delivered, skipped and missing, when 2 and 7 lack, 2 is of this content, and these are in the ledger.
    fn lacking(content: Content, skipped: &[i32], refused: u64) -> (u64, u64, u64) {
        let mut selected = source();
        selected[1].content = content;
        let (skipped, copies) = (skipped.iter().copied().collect(), target(&[1, 3, 4, 6, 5, 8, 9]));
        let found = compare(&Evidence { selected, skipped, refused, copies, ..Evidence::default() });
        assert_eq!((found.duplicated, found.out_of_order, found.albums_split), (0, 0, 0));
        assert_eq!(found.skipped_service > 0, content == Content::Service && found.skipped > 0);
        (found.delivered, found.skipped, found.missing)
    }

    #[test]
    fn what_nobody_could_carry_is_skipped_if_the_ledger_says_so() {
        assert_eq!(lacking(Content::Service, &[2, 1], 0), (7, 1, 1));
        assert_eq!(lacking(Content::Service, &[], 0), (7, 0, 2));
        assert_eq!(lacking(Content::Deleted, &[2], 0), (7, 1, 1));
        assert_eq!(lacking(Content::Deleted, &[], 0), (7, 0, 1), "what was gone before it was read is nobody's");
    }

    #[test]
    fn what_could_be_carried_is_skipped_only_if_the_server_refused_it() {
        assert_eq!(lacking(Content::Carriable, &[2, 7], 0), (7, 0, 2));
        assert_eq!(lacking(Content::Carriable, &[2, 7], 1), (7, 1, 1));
        assert_eq!(lacking(Content::Carriable, &[2, 7], 9), (7, 2, 0));
        assert_eq!(lacking(Content::Carriable, &[2], 9), (7, 1, 1), "a refusal excuses nothing that is not told");
    }

    #[test]
    fn a_host_that_writes_half_the_channel_into_its_ledger_has_lost_it() {
        let selected: Vec<Original> = (1..=1_000).map(|id| Original { id, ..Original::default() }).collect();
        let copies = (1..=500).map(|id| Copied { of: Some(id), album: 0 }).collect();
        let evidence = Evidence { selected, copies, skipped: (501..=1_000).collect(), ..Evidence::default() };
        let found = compare(&evidence);
        assert_eq!((found.delivered, found.skipped, found.missing), (500, 0, 500));
        assert_eq!(crate::audit::judge(&evidence).broken().as_deref(), Some("missing: 500"));
    }

    #[test]
    fn second_copies_and_strangers_are_duplicates() {
        let mut copies = target(&[1, 2, 2, 3, 4, 6, 5, 7, 8, 9, 9]);
        copies.push(Copied { of: None, album: 0 });
        copies.push(Copied { of: Some(55), album: 0 });
        let found = compare_copies(copies);
        assert_eq!((found.delivered, found.duplicated, found.out_of_order), (9, 4, 0));
    }

    #[test]
    fn order_is_the_sources_with_albums_at_their_first_member() {
        assert_eq!(compare_ids(&[2, 1, 3, 4, 6, 5, 7, 8, 9]).out_of_order, 1);
        assert_eq!(compare_ids(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).out_of_order, 1, "6 belongs before 5");
        assert_eq!(compare_ids(&[9, 8, 7, 5, 6, 4, 3, 2, 1]).out_of_order, 8);
    }

    #[test]
    fn albums_must_arrive_in_one_piece() {
        let mut copies = target(&WHOLE);
        copies[4].album = 9;
        assert_eq!(compare_copies(copies.clone()).albums_split, 1);
        copies[4].album = 0;
        assert_eq!(compare_copies(copies.clone()).albums_split, 1);
        copies[7].album = 0;
        copies[8].album = 0;
        assert_eq!(compare_copies(copies).albums_split, 2, "members one by one are no album");
        let mut lone = target(&[1, 2, 3, 4, 6, 5, 7, 8]);
        lone[7].album = 0;
        assert_eq!(compare_copies(lone).albums_split, 0, "a lone member is no album");
    }
}
