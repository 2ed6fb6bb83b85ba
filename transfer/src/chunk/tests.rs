use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ids::GroupedId;
use crate::message::Kind;

const WANTED: &str = "wanted";

fn message(id: i32, secs: i64) -> Message {
    Message {
        id: MessageId(id),
        date: Timestamp::from_second(1_700_000_000 + secs).unwrap(),
        body: Body::Content(Kind::Photo),
        album: None,
        text: WANTED.to_owned(),
        media: None,
        origin: None,
        sender: None,
    }
}

fn album(id: i32, secs: i64, grouped_id: i64) -> Message {
    Message { album: Some(GroupedId(grouped_id)), ..message(id, secs) }
}

fn ids(numbers: impl IntoIterator<Item = i32>) -> Vec<MessageId> {
    numbers.into_iter().map(MessageId).collect()
}

fn carried(cut: Cut) -> Chunk {
    match cut {
        Cut::Chunk(chunk) => chunk,
        Cut::NeedMore | Cut::NoRoom { .. } | Cut::Passed(_) | Cut::Exhausted(_) => panic!("no chunk: {cut:?}"),
    }
}

#[test]
fn strangers_between_the_members_of_an_album_go_in_the_next_call() {
    let history = [message(1, 0), album(2, 0, 7), message(3, 0), album(4, 0, 7), message(5, 0)];
    let everything = Selection::everything();
    let first = carried(cut(&history, true, &everything, &[], Limit::none()));
    assert_eq!((first.ids, first.units, first.cursor_after), (ids([1, 2, 4]), vec![1, 2], MessageId(2)));
    assert_eq!((&first.ahead_after, first.scanned, first.consumed), (&ids([4]), 2, 2));
    let second = carried(cut(&history[2..], true, &everything, &first.ahead_after, Limit::none()));
    assert_eq!((second.ids, second.cursor_after, second.ahead_after), (ids([3, 5]), MessageId(5), Vec::new()));
}

#[test]
fn an_album_at_the_end_of_the_buffer_waits_until_it_is_complete() {
    let everything = Selection::everything();
    let three = [album(1, 0, 7), album(2, 0, 7), album(3, 0, 7)];
    assert_eq!(cut(&three, false, &everything, &[], Limit::none()), Cut::NeedMore);
    let limit = Limit { units: Some(1), ..Limit::none() };
    assert_eq!(cut(&three, false, &everything, &[], limit), Cut::NeedMore);
    assert_eq!(carried(cut(&three, true, &everything, &[], limit)).ids, ids([1, 2, 3]));
    // 61 seconds later nothing can belong to it, 60 seconds later it could.
    let later = |secs| [three.as_slice(), &[message(4, secs)]].concat();
    assert_eq!(carried(cut(&later(61), false, &everything, &[], limit)).ids, ids([1, 2, 3]));
    assert_eq!(cut(&later(60), false, &everything, &[], limit), Cut::NeedMore);
    let ten: Vec<Message> = (1..=10).map(|id| album(id, 0, 7)).collect();
    assert_eq!(carried(cut(&ten, false, &everything, &[], limit)).ids.len(), 10);
    let many: Vec<Message> = [album(1, 0, 7)].into_iter().chain((2..=101).map(|id| message(id, 0))).collect();
    assert_eq!(carried(cut(&many, false, &everything, &[], limit)).ids, ids([1]));
    assert_eq!(cut(&many[..100], false, &everything, &[], limit), Cut::NeedMore);
}

#[test]
fn an_album_goes_whole_when_one_member_matches_and_not_at_all_when_none_does() {
    let selection = Selection { keyword: Some(WANTED.to_owned()), ..Selection::everything() };
    let mut history = vec![album(1, 0, 7), album(2, 0, 7), album(3, 0, 8), album(4, 0, 8)];
    history[0].text.clear();
    history[2].text.clear();
    history[3].text.clear();
    let chunk = carried(cut(&history, true, &selection, &[], Limit::none()));
    assert_eq!((chunk.ids, chunk.cursor_after), (ids([1, 2]), MessageId(4)));
}

#[test]
fn limits_cut_between_units() {
    let everything = Selection::everything();
    let history: Vec<Message> =
        [message(1, 0)].into_iter().chain((2..=9).map(|id| album(id, 0, 7))).chain([message(10, 0)]).collect();
    let first = |limit| cut(&history, true, &everything, &[], limit);
    assert_eq!(carried(first(Limit { chunk: 5, ..Limit::none() })).ids, ids([1]));
    assert_eq!(carried(first(Limit { units: Some(2), ..Limit::none() })).ids, ids(1..=9));
    let rest = |limit| cut(&history[1..], true, &everything, &[], limit);
    assert_eq!(carried(rest(Limit { chunk: 5, ..Limit::none() })).ids, ids(2..=9));
    assert_eq!(rest(Limit { hard: 7, ..Limit::none() }), Cut::NoRoom { needs: 8 });
    assert_eq!(carried(rest(Limit { hard: 8, ..Limit::none() })).ids, ids(2..=9));
}

#[test]
fn no_call_carries_more_than_a_hundred_and_a_full_one_waits_for_nothing() {
    let history: Vec<Message> = (1..=250).map(|id| message(id, 0)).collect();
    let limit = Limit { chunk: 1_000, ..Limit::none() };
    assert_eq!(carried(cut(&history, false, &Selection::everything(), &[], limit)).ids, ids(1..=100));
    assert_eq!(carried(cut(&history[..100], false, &Selection::everything(), &[], limit)).ids, ids(1..=100));
    assert_eq!(cut(&history[..99], false, &Selection::everything(), &[], limit), Cut::NeedMore);
}

#[test]
fn a_run_that_nobody_selected_moves_the_cursor() {
    let selection = Selection { keyword: Some("rare".to_owned()), ..Selection::everything() };
    let history: Vec<Message> = (1..=2_500).map(|id| message(id, 0)).collect();
    match cut(&history, false, &selection, &[], Limit::none()) {
        Cut::Passed(passed) => {
            assert_eq!((passed.cursor_after, passed.scanned), (Some(MessageId(2_000)), 2_000));
        }
        other => panic!("{other:?}"),
    }
    let end = cut(&history[..5], true, &selection, &[], Limit::none());
    assert!(matches!(end, Cut::Exhausted(Passed { consumed: 5, .. })), "{end:?}");
    assert_eq!(cut(&[], true, &selection, &[], Limit::none()), Cut::Exhausted(Passed::default()));
}

#[test]
fn service_messages_are_skipped_with_their_reason() {
    let mut history = vec![message(1, 0), message(2, 0), message(3, 0)];
    history[0].body = Body::Service;
    history[2].body = Body::Empty;
    let chunk = carried(cut(&history, true, &Selection::everything(), &[], Limit::none()));
    assert_eq!((chunk.ids, chunk.cursor_after, chunk.scanned), (ids([2]), MessageId(3), 3));
    assert_eq!(chunk.skips, vec![Skip { ids: ids([1]).into(), reason: SkipReason::Service }]);
}

/// What a history is made of: each step appends one message, `album` names one of three albums that run at once.
#[derive(Debug, Clone)]
struct Step {
    album: Option<u8>,
    gap: i32,
    secs: i64,
    body: u8,
    wanted: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (proptest::option::of(0_u8..3), 1_i32..4, 0_i64..2, 0_u8..20, proptest::bool::weighted(0.7))
        .prop_map(|(album, gap, secs, body, wanted)| Step { album, gap, secs, body, wanted });
    proptest::collection::vec(step, 0..160)
}

/// Albums of at most ten members, posted within fifteen messages of each other.
fn history(steps: &[Step]) -> Vec<Message> {
    let (mut id, mut secs) = (0, 0);
    let mut running: BTreeMap<u8, (i64, usize, usize)> = BTreeMap::new();
    let mut next_album = 0;
    steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            id += step.gap;
            secs += step.secs;
            let mut message = message(id, secs);
            message.body = match step.body {
                0 => Body::Service,
                1 => Body::Empty,
                _ => Body::Content(Kind::Photo),
            };
            if !step.wanted {
                message.text.clear();
            }
            if let (Some(slot), Body::Content(_)) = (step.album, message.body) {
                let (grouped_id, first, len) = running.get(&slot).copied().unwrap_or((-1, 0, ALBUM_LEN_MAX));
                let goes_on = len < ALBUM_LEN_MAX && index - first < 15;
                let entry = if goes_on { (grouped_id, first, len + 1) } else { (next_album, index, 1) };
                next_album += i64::from(!goes_on);
                running.insert(slot, entry);
                message.album = Some(GroupedId(entry.0));
            }
            message
        })
        .collect()
}

/// The units of a history, by the rules as one would say them: no buffers, no pages, no limits.
fn model(history: &[Message], selection: &Selection) -> (Vec<Vec<MessageId>>, BTreeSet<MessageId>) {
    let mut units: Vec<(Option<GroupedId>, Vec<&Message>)> = Vec::new();
    let mut service = BTreeSet::new();
    for message in history {
        match message.body {
            Body::Empty => {}
            Body::Service => {
                if selection.matches(message) {
                    service.insert(message.id);
                }
            }
            Body::Content(_) => match units.iter_mut().find(|(album, _)| album.is_some() && *album == message.album) {
                Some((_, members)) => members.push(message),
                None => units.push((message.album, vec![message])),
            },
        }
    }
    let selected = units.into_iter().map(|(_, members)| members);
    let selected = selected.filter(|members| members.iter().any(|member| selection.matches(member)));
    (selected.map(|members| members.iter().map(|member| member.id).collect()).collect(), service)
}

/// One step of the engine: how much is read, what limits apply, whether the host dies before it.
type Turn = (usize, u32, u32, Option<u32>, bool);

proptest! {
    #[test]
    fn every_selected_message_is_decided_once_in_order_whatever_pages_limits_and_deaths(
        steps in steps(), keyword: bool,
        turns in proptest::collection::vec(
            (1_usize..40, 1_u32..30, 0_u32..15, proptest::option::of(0_u32..4), proptest::bool::weighted(0.1)), 1..20,
        ),
    ) {
        let history = history(&steps);
        let selection = Selection { keyword: keyword.then(|| WANTED.to_owned()), ..Selection::everything() };
        let (units, service) = model(&history, &selection);
        let mut turns = turns.iter().copied().cycle();
        let mut run = Run::default();
        while !run.over {
            let mut turn: Turn = turns.next().unwrap();
            // A host that always died would never get anywhere.
            turn.4 &= run.turns < 40;
            prop_assert!(run.turns < 2_000, "it does not end");
            run.turn(&history, &selection, turn)?;
        }
        prop_assert_eq!(run.units, units);
        prop_assert_eq!(run.skipped.len(), service.len());
        prop_assert_eq!(run.skipped.into_iter().collect::<BTreeSet<_>>(), service);
        prop_assert_eq!(run.scanned as usize, history.len());
        prop_assert_eq!(run.ahead, Vec::new());
    }
}

#[derive(Default)]
struct Run {
    cursor: MessageId,
    ahead: Vec<MessageId>,
    read: usize,
    units: Vec<Vec<MessageId>>,
    skipped: Vec<MessageId>,
    scanned: u32,
    over: bool,
    turns: usize,
}

impl Run {
    fn turn(&mut self, history: &[Message], selection: &Selection, turn: Turn) -> Result<(), TestCaseError> {
        let (page, chunk, hard, units, dies) = turn;
        self.turns += 1;
        let begin = history.partition_point(|message| message.id <= self.cursor);
        // A host that died has read nothing yet.
        self.read = if dies { begin } else { self.read.max(begin) };
        let buffer = &history[begin..self.read];
        let mut limit = Limit { chunk, hard, units };
        let ended = self.read == history.len();
        let mut answer = cut(buffer, ended, selection, &self.ahead, limit);
        if let Cut::NoRoom { needs } = answer {
            prop_assert!(needs > hard);
            limit.hard = needs;
            answer = cut(buffer, ended, selection, &self.ahead, limit);
        }
        match answer {
            Cut::NeedMore => {
                prop_assert!(!ended);
                self.read = (self.read + page).min(history.len());
            }
            Cut::NoRoom { .. } => prop_assert!(false, "what was asked for was given"),
            Cut::Chunk(chunk) => self.decide(history, &chunk, limit)?,
            Cut::Passed(passed) | Cut::Exhausted(passed) => {
                self.over = ended;
                self.cursor = passed.cursor_after.unwrap_or(self.cursor);
                self.scanned += passed.scanned;
                self.ahead = passed.ahead_after;
                self.skipped.extend(passed.skips.iter().flat_map(|skip| skip.ids.iter()));
            }
        }
        Ok(())
    }

    fn decide(&mut self, history: &[Message], chunk: &Chunk, limit: Limit) -> Result<(), TestCaseError> {
        prop_assert!(chunk.ids.is_sorted_by(|before, after| before < after), "{:?}", chunk.ids);
        prop_assert!(chunk.cursor_after > self.cursor);
        let total: usize = chunk.units.iter().map(|len| usize::from(*len)).sum();
        prop_assert_eq!(total, chunk.ids.len());
        prop_assert!(total <= limit.hard as usize);
        prop_assert!(total <= limit.chunk as usize || chunk.units.len() == 1);
        prop_assert!(chunk.units.len() <= limit.units.map_or(usize::MAX, |units| units.max(1) as usize));
        let passed = history.iter().filter(|message| message.id > self.cursor && message.id <= chunk.cursor_after);
        prop_assert_eq!(passed.count(), chunk.consumed);
        let mut rest = chunk.ids.as_slice();
        for len in &chunk.units {
            let (unit, after) = rest.split_at(usize::from(*len));
            self.units.push(unit.to_vec());
            rest = after;
        }
        // Decided is exactly what the cursor has passed, and `ahead`.
        let delivered: BTreeSet<MessageId> = self.units.iter().flatten().copied().collect();
        let above: Vec<MessageId> = delivered.into_iter().filter(|id| *id > chunk.cursor_after).collect();
        prop_assert_eq!(&above, &chunk.ahead_after);
        self.cursor = chunk.cursor_after;
        self.ahead.clone_from(&chunk.ahead_after);
        self.scanned += chunk.scanned;
        self.skipped.extend(chunk.skips.iter().flat_map(|skip| skip.ids.iter()));
        Ok(())
    }
}
