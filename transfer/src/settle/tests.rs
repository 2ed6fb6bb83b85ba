use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::ids::GroupedId;
use crate::random_id::RandomIds;

const SOURCE: PeerId = PeerId(-1_000_000_000_001);
const FLOOR: i32 = 500;

fn text(id: i32, text: &str) -> Message {
    Message {
        id: MessageId(id),
        date: Timestamp::from_second(1_700_000_000 + i64::from(id)).unwrap(),
        body: Body::Content(Kind::Text),
        album: None,
        text: text.to_owned(),
        media: None,
        origin: None,
        sender: None,
    }
}

fn photo(id: i32, album: Option<i64>) -> Message {
    Message {
        body: Body::Content(Kind::Photo),
        album: album.map(GroupedId),
        media: Some(i64::from(id) * 10),
        ..text(id, "caption")
    }
}

fn gone(id: i32) -> Message {
    Message { body: Body::Empty, ..text(id, "") }
}

fn intent(source: &[Message], units: &[u8], style: Style) -> Intent {
    Intent {
        id: 1,
        account: "a".into(),
        ids: source.iter().map(|message| message.id).collect(),
        random_ids: RandomIds(source.iter().map(|message| RandomId(i64::from(message.id.0) + 7_000)).collect()),
        style,
        units: units.to_vec(),
        cursor_after: MessageId(0),
        ahead_after: Vec::new(),
        scanned: 0,
        skips: Vec::new(),
        target_floor: MessageId(FLOOR),
        target_pts: 0,
        made_by: "life".into(),
        made_at: Timestamp::UNIX_EPOCH,
        repeats: 0,
        tried_at: None,
        readings: 0,
        uncertain_since: None,
        looked_at: None,
    }
}

/// What a forward makes of a message.
fn copy(message: &Message, new_id: i32, style: Style) -> Message {
    let first = Origin { peer: Some(SOURCE), name: None, post: Some(message.id), date: message.date };
    Message {
        id: MessageId(new_id),
        date: Timestamp::from_second(1_800_000_000).unwrap(),
        album: message.album.map(|album| GroupedId(album.0 + 1_000)),
        origin: if style.drop_author { None } else { Some(message.origin.clone().unwrap_or(first)) },
        ..message.clone()
    }
}

fn copies(source: &[Message], style: Style) -> Vec<Message> {
    (FLOOR + 1..).zip(source).map(|(id, message)| copy(message, id, style)).collect()
}

fn read(target: Vec<Message>) -> Evidence {
    Evidence {
        new_ids: Vec::new(),
        target,
        complete: true,
        stable: true,
        deletions_excluded: true,
        source: SOURCE,
        sender: None,
    }
}

fn delivered(pairs: &[(i32, i32)], missing: &[i32]) -> Settlement {
    Settlement::Delivered {
        delivered: pairs.iter().map(|(id, new)| (MessageId(*id), MessageId(*new))).collect(),
        missing: missing.iter().copied().map(MessageId).collect(),
    }
}

fn bare() -> Style {
    Style { drop_author: true, ..Style::default() }
}

/// Settles with one unit for each message.
fn settled(source: &[Message], style: Style, evidence: &Evidence) -> Settlement {
    settle(source, &intent(source, &vec![1; source.len()], style), evidence)
}

#[track_caller]
fn assert_ambiguous(settlement: &Settlement, word: &str) {
    assert!(matches!(settlement, Settlement::Ambiguous(why) if why.contains(word)), "{settlement:?}");
}

#[test]
fn all_found_in_order_is_delivered_and_nothing_found_is_not_there() {
    let source = [text(1, "a"), photo(2, None), text(3, "b")];
    for style in [Style::default(), bare()] {
        let evidence = read(copies(&source, style));
        assert_eq!(settled(&source, style, &evidence), delivered(&[(1, 501), (2, 502), (3, 503)], &[]));
        let video = Message { body: Body::Content(Kind::Video), ..text(501, "other") };
        assert_eq!(settled(&source, style, &read(vec![video])), Settlement::NotThere);
    }
}

#[test]
fn what_may_have_been_edited_since_is_never_taken_for_absent() {
    let source = [text(1, "as it reads now")];
    assert_ambiguous(&settled(&source, bare(), &read(vec![text(501, "as it read then")])), "edited");
    // In a group the header names the author and the time, and no post.
    let by_its_author = Message {
        origin: Some(Origin { peer: Some(PeerId::user(7)), name: None, post: None, date: source[0].date }),
        ..text(501, "as it read then")
    };
    assert_ambiguous(&settled(&source, Style::default(), &read(vec![by_its_author])), "edited");
}

#[test]
fn a_reading_that_is_not_whole_decides_nothing() {
    let source = [text(1, "a")];
    let style = Style::default();
    let whole = read(copies(&source, style));
    assert_ambiguous(&settled(&source, style, &Evidence { complete: false, ..whole.clone() }), "newest");
    assert_ambiguous(&settled(&source, style, &Evidence { stable: false, ..whole }), "changed");
    let deleted = Evidence { deletions_excluded: false, ..read(Vec::new()) };
    assert_ambiguous(&settled(&source, style, &deleted), "deleted");
    assert_ambiguous(&settle(&source, &intent(&[text(2, "a")], &[1], style), &read(Vec::new())), "re-read");
}

#[test]
fn a_part_without_proof_is_ambiguous_and_with_proof_is_a_part() {
    let source = [text(1, "a"), text(2, "b")];
    let style = Style::default();
    let mut evidence = read(vec![copy(&source[0], 501, style)]);
    assert_ambiguous(&settled(&source, style, &evidence), "1 of 2");
    evidence.new_ids = vec![(RandomId(7_001), MessageId(501))];
    assert_eq!(settled(&source, style, &evidence), delivered(&[(1, 501)], &[2]));
    // Proof of everything needs no reading, not even of what was deleted since.
    evidence.new_ids.push((RandomId(7_002), MessageId(502)));
    evidence.complete = false;
    assert_eq!(settled(&source, style, &evidence), delivered(&[(1, 501), (2, 502)], &[]));
}

#[test]
fn identical_neighbours_are_settled_by_their_number_alone() {
    let source = [text(1, "same"), text(2, "same")];
    let target = |count: i32| read((1..=count).map(|index| copy(&source[0], FLOOR + index, bare())).collect());
    assert_eq!(settled(&source, bare(), &target(2)), delivered(&[(1, 501), (2, 502)], &[]));
    assert_ambiguous(&settled(&source, bare(), &target(1)), "more often");
    assert_ambiguous(&settled(&source, bare(), &target(3)), "more often");
    assert_eq!(settled(&source, bare(), &target(0)), Settlement::NotThere);
    // With headers each names its own.
    let style = Style::default();
    assert_eq!(settled(&source, style, &read(copies(&source, style))), delivered(&[(1, 501), (2, 502)], &[]));
}

#[test]
fn strangers_are_told_apart_by_sender_and_header() {
    let source = [text(1, "a")];
    let (us, stranger) = (PeerId(11), PeerId(12));
    let mut target = vec![copy(&source[0], 501, bare()), copy(&source[0], 502, bare())];
    target[0].sender = Some(stranger);
    target[1].sender = Some(us);
    let evidence = Evidence { sender: Some(us), ..read(target) };
    assert_eq!(settled(&source, bare(), &evidence), delivered(&[(1, 502)], &[]));
    assert_ambiguous(&settled(&source, bare(), &Evidence { sender: None, ..evidence }), "more often");
    let typed = read(vec![text(501, "a")]);
    assert_eq!(settled(&source, Style::default(), &typed), Settlement::NotThere);
}

#[test]
fn a_forward_keeps_its_first_origin() {
    let first = |post| Origin {
        peer: Some(PeerId(-1_000_000_000_077)),
        name: None,
        post: Some(MessageId(post)),
        date: Timestamp::UNIX_EPOCH,
    };
    let source = [Message { origin: Some(first(9)), ..text(1, "a") }];
    let style = Style::default();
    assert_eq!(settled(&source, style, &read(copies(&source, style))), delivered(&[(1, 501)], &[]));
    let other = Message { origin: Some(first(10)), ..copy(&source[0], 501, style) };
    assert_eq!(settled(&source, style, &read(vec![other])), Settlement::NotThere);
}

#[test]
fn what_is_gone_from_the_source_is_recognised_by_its_header_or_not_at_all() {
    let style = Style::default();
    let before = [text(1, "a"), text(2, "b"), text(3, "c")];
    let now = [text(1, "a"), gone(2), text(3, "c")];
    assert_eq!(settled(&now, style, &read(copies(&before, style))), delivered(&[(1, 501), (2, 502), (3, 503)], &[]));
    let without = vec![copy(&before[0], 501, style), copy(&before[2], 502, style)];
    assert_eq!(settled(&now, style, &read(without)), delivered(&[(1, 501), (3, 502)], &[2]));
    assert_ambiguous(&settled(&now, bare(), &read(copies(&before, bare()))), "gone from the source");
    assert_eq!(settled(&[gone(1)], style, &read(Vec::new())), Settlement::NotThere);
    assert_ambiguous(&settled(&[gone(1)], bare(), &read(vec![text(501, "?")])), "gone from the source");
}

#[test]
fn albums_must_have_stayed_whole_and_apart() {
    let source = [photo(1, Some(5)), photo(2, Some(5)), photo(3, Some(6)), photo(4, Some(6))];
    let style = Style::default();
    let intent = intent(&source, &[2, 2], style);
    let target = copies(&source, style);
    let all = delivered(&[(1, 501), (2, 502), (3, 503), (4, 504)], &[]);
    assert_eq!(settle(&source, &intent, &read(target.clone())), all);
    let with_albums = |albums: [i64; 4]| {
        let pairs = target.iter().cloned().zip(albums);
        read(pairs.map(|(message, album)| Message { album: Some(GroupedId(album)), ..message }).collect())
    };
    assert_ambiguous(&settle(&source, &intent, &with_albums([1, 1, 1, 1])), "albums");
    assert_ambiguous(&settle(&source, &intent, &with_albums([1, 2, 3, 3])), "albums");
}

#[test]
fn captions_that_were_dropped_are_not_looked_for() {
    let style = Style { drop_author: true, drop_captions: true, silent: false };
    let source = [photo(1, None), text(2, "b")];
    let mut target = copies(&source, style);
    // With its caption kept, the photo is somebody else's.
    assert_ambiguous(&settled(&source, style, &read(target.clone())), "only a part is there: 1 of 2");
    target[0].text.clear();
    assert_eq!(settled(&source, style, &read(target)), delivered(&[(1, 501), (2, 502)], &[]));
}

proptest! {
    /// Contents repeat, strangers post the same between and around; only the first message is ever ours alone.
    #[test]
    fn it_never_guesses(
        contents in proptest::collection::vec(0_u8..3, 0..8),
        noise in proptest::collection::vec((0_usize..10, 0_u8..3), 0..4),
        applied: bool, bare_style: bool,
    ) {
        let style = if bare_style { bare() } else { Style::default() };
        let words: Vec<String> =
            std::iter::once("ours".to_owned()).chain(contents.iter().map(u8::to_string)).collect();
        let source: Vec<Message> = (1..).zip(&words).map(|(id, word)| text(id, word)).collect();
        // (source id, content) in the order of the target; strangers have no source id.
        let mut posts: Vec<Option<usize>> = if applied { (0..source.len()).map(Some).collect() } else { Vec::new() };
        let mut strange = Vec::new();
        for (place, content) in noise {
            posts.insert(place.min(posts.len()), None);
            strange.push(content);
        }
        let mut target = Vec::new();
        let mut truth = Vec::new();
        for (new_id, post) in (FLOOR + 1..).zip(&posts) {
            match post {
                Some(index) => {
                    target.push(copy(&source[*index], new_id, style));
                    truth.push((source[*index].id, MessageId(new_id)));
                }
                None => target.push(text(new_id, &strange.pop().unwrap().to_string())),
            }
        }
        match settled(&source, style, &read(target)) {
            Settlement::Delivered { delivered, missing } => {
                prop_assert!(applied && missing.is_empty());
                prop_assert_eq!(delivered, truth);
            }
            Settlement::NotThere => prop_assert!(!applied),
            // Headers tell strangers apart: there is nothing to be in doubt about.
            Settlement::Ambiguous(why) => prop_assert!(bare_style, "{}", why),
        }
    }
}
