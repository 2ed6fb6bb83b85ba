//! Cutting, on histories that keep no rule: albums too long, too far apart, in disorder of dates, with holes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use transfer::chunk::{Chunk, Cut, Limit, Passed, cut};
use transfer::ids::{GroupedId, MessageId};
use transfer::message::{Body, Kind, Message};
use transfer::selection::{Range, Selection};

const EPOCH: i64 = 1_700_000_000;

/// A message: ids since the one before, seconds since the one before, album, what it is, whether it has the keyword.
type Step = (i32, i64, Option<i64>, u8, bool);

fn step() -> impl Strategy<Value = Step> {
    let secs = prop_oneof![6 => 0_i64..3, 1 => 55_i64..70, 1 => -30_i64..0];
    (1_i32..4, secs, of(0_i64..4), 0_u8..24, any::<bool>())
}

fn history(steps: &[Step]) -> Vec<Message> {
    let (mut id, mut secs) = (0, EPOCH);
    let message = |(gap, later, album, what, wanted): &Step| {
        id += gap;
        secs += later;
        Message {
            id: MessageId(id),
            date: Timestamp::from_second(secs).unwrap(),
            body: match what {
                0 => Body::Service,
                1 => Body::Empty,
                2..8 => Body::Content(Kind::Video),
                _ => Body::Content(Kind::Photo),
            },
            album: album.map(GroupedId),
            text: if *wanted { "wanted".to_owned() } else { String::new() },
            media: None,
            origin: None,
            sender: None,
        }
    };
    steps.iter().map(message).collect()
}

fn selection() -> impl Strategy<Value = Selection> {
    let at = |secs| Timestamp::from_second(EPOCH + secs).unwrap();
    let range = prop_oneof![
        3 => Just(Range::Everything),
        1 => (1_i32..200).prop_map(|from| Range::From(MessageId(from))),
        1 => (1_i32..200, 0_i32..200)
            .prop_map(|(from, len)| Range::Ids { from: MessageId(from), until: MessageId(from + len) }),
        1 => (0_i64..200, 0_i64..200).prop_map(move |(from, len)| Range::Dates { from: at(from), until: at(from + len) }),
    ];
    let only = prop::option::weighted(0.2, prop::collection::btree_set(1_i32..400, 1..40));
    (range, any::<bool>(), any::<bool>(), only).prop_map(|(range, kinds, keyword, only)| Selection {
        range,
        kinds: if kinds { BTreeSet::from([Kind::Video]) } else { BTreeSet::new() },
        keyword: keyword.then(|| "wanted".to_owned()),
        only: only.map(|ids| ids.into_iter().map(MessageId).collect()),
    })
}

/// How one turn goes: messages in the next page, the three limits, whether the host dies before it.
#[derive(Debug, Clone, Copy)]
struct Turn {
    page: usize,
    limit: Limit,
    dies: bool,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (1_usize..150, 1_u32..120, 0_u32..40, of(0_u32..5), prop::bool::weighted(0.15))
        .prop_map(|(page, chunk, hard, units, dies)| Turn { page, limit: Limit { chunk, hard, units }, dies });
    vec(turn, 1..12)
}

/// A transfer of a history, as the engine makes it.
#[derive(Default)]
struct Transfer {
    cursor: MessageId,
    ahead: Vec<MessageId>,
    read_to: MessageId,
    units: Vec<Vec<MessageId>>,
    skipped: Vec<MessageId>,
    turns: usize,
    over: bool,
}

impl Transfer {
    fn turn(&mut self, history: &[Message], selection: &Selection, turn: Turn) -> Result<(), TestCaseError> {
        self.turns += 1;
        prop_assert!(self.turns < 5_000, "it does not end");
        // A host that always died would never get anywhere.
        if turn.dies && self.turns < 60 {
            self.read_to = self.cursor;
        }
        self.read_to = self.read_to.max(self.cursor);
        let unread: Vec<MessageId> = history.iter().map(|m| m.id).filter(|id| *id > self.read_to).collect();
        let buffer: Vec<Message> =
            history.iter().filter(|m| m.id > self.cursor && m.id <= self.read_to).cloned().collect();
        let ended = unread.is_empty();
        let mut limit = turn.limit;
        let mut answer = cut(&buffer, ended, selection, &self.ahead, limit);
        if let Cut::NoRoom { needs } = answer {
            prop_assert!(needs > limit.hard && needs <= 10, "no album is longer than ten");
            limit.hard = needs;
            answer = cut(&buffer, ended, selection, &self.ahead, limit);
        }
        match answer {
            Cut::NeedMore => {
                prop_assert!(!ended, "there is no more");
                self.read_to = unread[turn.page.min(unread.len()) - 1];
            }
            Cut::NoRoom { .. } => prop_assert!(false, "what was asked for was given"),
            Cut::Chunk(chunk) => self.take(&chunk, limit)?,
            Cut::Passed(passed) => {
                prop_assert!(passed.cursor_after > Some(self.cursor), "it stands still");
                self.pass(passed);
            }
            Cut::Exhausted(passed) => {
                prop_assert!(ended, "there is more");
                self.over = true;
                self.pass(passed);
            }
        }
        Ok(())
    }

    fn pass(&mut self, passed: Passed) {
        self.cursor = passed.cursor_after.unwrap_or(self.cursor);
        self.ahead = passed.ahead_after;
        self.skipped.extend(passed.skips.iter().flat_map(|skip| skip.ids.iter()));
    }

    fn take(&mut self, chunk: &Chunk, limit: Limit) -> Result<(), TestCaseError> {
        let len = chunk.ids.len();
        prop_assert!(len > 0 && chunk.ids.is_sorted_by(|a, b| a < b), "{:?}", chunk.ids);
        prop_assert!(len <= limit.hard as usize, "{len} of {}", limit.hard);
        prop_assert!(len <= (limit.chunk as usize).min(100) || chunk.units.len() == 1, "{len} of {}", limit.chunk);
        prop_assert!(chunk.units.len() <= limit.units.map_or(usize::MAX, |units| units.max(1) as usize));
        prop_assert_eq!(chunk.units.iter().map(|unit| usize::from(*unit)).sum::<usize>(), len);
        prop_assert!(chunk.cursor_after > self.cursor);
        prop_assert!(chunk.ahead_after.iter().all(|id| *id > chunk.cursor_after));
        let mut rest = chunk.ids.as_slice();
        for unit in &chunk.units {
            let (unit, after) = rest.split_at(usize::from(*unit));
            self.units.push(unit.to_vec());
            rest = after;
        }
        self.cursor = chunk.cursor_after;
        self.ahead.clone_from(&chunk.ahead_after);
        self.skipped.extend(chunk.skips.iter().flat_map(|skip| skip.ids.iter()));
        Ok(())
    }

    fn of(history: &[Message], selection: &Selection, turns: &[Turn]) -> Result<Self, TestCaseError> {
        let mut transfer = Self::default();
        let mut turns = turns.iter().copied().cycle();
        while !transfer.over {
            transfer.turn(history, selection, turns.next().unwrap())?;
        }
        Ok(transfer)
    }
}

/// The same history in one page, without limits or deaths.
fn at_once(history: &[Message]) -> Result<Transfer, TestCaseError> {
    Transfer::of(history, &Selection::everything(), &[Turn { page: usize::MAX, limit: Limit::none(), dies: false }])
}

/// Whatever the history looks like: what is selected goes, once, in order, and nothing goes that no album brings along.
fn hold_to_the_selection(history: &[Message], selection: &Selection, done: &Transfer) -> Result<(), TestCaseError> {
    let by_id: BTreeMap<MessageId, &Message> = history.iter().map(|message| (message.id, message)).collect();
    let carried: BTreeSet<MessageId> = done.units.iter().flatten().copied().collect();
    prop_assert_eq!(carried.len(), done.units.iter().flatten().count(), "something went twice");
    prop_assert!(done.units.iter().map(|unit| unit[0]).is_sorted_by(|a, b| a < b), "units went out of order");
    for unit in &done.units {
        prop_assert!(unit.iter().any(|id| selection.matches(by_id[id])), "{unit:?} was not selected");
        let named = selection.only.is_none() || unit.iter().all(|id| selection.matches(by_id[id]));
        prop_assert!(named, "{unit:?} takes along what was not named");
        let album = by_id[&unit[0]].album;
        prop_assert!(unit.len() == 1 || (album.is_some() && unit.iter().all(|id| by_id[id].album == album)));
        prop_assert!(unit.len() <= 10);
    }
    let selected = |message: &&Message| selection.matches(message);
    let mut content = history.iter().filter(selected).filter(|message| message.body != Body::Service);
    prop_assert!(content.all(|message| carried.contains(&message.id)), "something did not go");
    let service = history.iter().filter(selected).filter(|message| message.body == Body::Service);
    prop_assert_eq!(&done.skipped, &service.map(|message| message.id).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Whatever an album looks like, it is the same album for whoever reads it, and everything goes once.
    #[test]
    fn pages_limits_and_deaths_change_no_unit(steps in vec(step(), 0..260), turns in turns()) {
        let history = history(&steps);
        let done = Transfer::of(&history, &Selection::everything(), &turns)?;
        prop_assert_eq!(&done.units, &at_once(&history)?.units);
        hold_to_the_selection(&history, &Selection::everything(), &done)?;
    }

    #[test]
    fn what_is_selected_goes_once_and_in_order(
        steps in vec(step(), 0..260), selection in selection(), turns in turns(),
    ) {
        let history = history(&steps);
        hold_to_the_selection(&history, &selection, &Transfer::of(&history, &selection, &turns)?)?;
    }

    /// Messages go from the source while it is read, and hosts die: what stays goes once, what went goes once at most.
    #[test]
    fn a_source_that_loses_messages_loses_nothing_else(
        steps in vec(step(), 1..160), turns in turns(), lost in vec((1_usize..40, any::<prop::sample::Index>()), 0..12),
    ) {
        let mut history = history(&steps);
        let mut transfer = Transfer::default();
        let mut turns = turns.into_iter().cycle();
        while !transfer.over {
            for (_, index) in lost.iter().filter(|(turn, _)| *turn == transfer.turns) {
                let gone = index.index(history.len());
                history[gone].body = Body::Empty;
                history[gone].album = None;
            }
            transfer.turn(&history, &Selection::everything(), turns.next().unwrap())?;
        }
        let carried: Vec<MessageId> = transfer.units.iter().flatten().copied().collect();
        let once: BTreeSet<MessageId> = carried.iter().copied().collect();
        prop_assert_eq!(once.len(), carried.len());
        let mut stayed = history.iter().filter(|message| matches!(message.body, Body::Content(_)));
        prop_assert!(stayed.all(|message| once.contains(&message.id)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    /// Runs that nobody selected are longer than a buffer may grow.
    #[test]
    fn long_runs_of_what_nobody_selected_are_passed(
        runs in vec((1_usize..3_000, vec(step(), 1..20)), 1..4), turns in turns(),
    ) {
        let mut steps = Vec::new();
        for (len, between) in runs {
            steps.extend(std::iter::repeat_n((1, 1, None, 20, false), len));
            steps.extend(between);
        }
        let history = history(&steps);
        let selection = Selection { keyword: Some("wanted".to_owned()), ..Selection::everything() };
        let turns: Vec<Turn> = turns.into_iter().map(|turn| Turn { page: turn.page + 50, ..turn }).collect();
        hold_to_the_selection(&history, &selection, &Transfer::of(&history, &selection, &turns)?)?;
    }
}
