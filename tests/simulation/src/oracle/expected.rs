//! What a task has to carry, by the oracle's own reading of the source.
//!
//! The source is noted when the run begins. A message that is deleted or edited during the run is *touched*: whether it was
//! so before or after the task looked at it is not known here, so it may be carried or not, and never twice. An album
//! that matches only through touched members may be carried or not, too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;
use simulator::world::message::Kind as SimKind;
use simulator::world::{ChatId, World};
use transfer::message::Kind;
use transfer::selection::{Range, Selection};

/// Members of an album lie at most so many ids outside a range of ids that they reach into.
const ALBUM_REACH: i32 = 9;

/// A message of a source as the run found it.
#[derive(Debug, Clone)]
pub(super) struct Original {
    kind: SimKind,
    text: String,
    date: i32,
    pub(super) group: i64,
    /// Deleted or edited during the run.
    pub(super) touched: bool,
}

/// A source by id.
pub(super) type Source = BTreeMap<i32, Original>;

/// What must become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// It is created, or stands in the ledger.
    Must,
    /// It may be created, or not.
    May,
    /// It is not the task's.
    Not,
}

/// Which ids a task looks at: above the first, up to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) above: i32,
    pub(super) last: i32,
}

/// Notes what is new in a source.
pub(super) fn note(world: &World, chat: ChatId, source: &mut Source) {
    let Some(chat) = world.chat(chat) else { return };
    let newest = source.keys().next_back().copied().unwrap_or(0);
    if chat.history.last_id().0 == newest {
        return;
    }
    for message in chat.history.all().filter(|message| message.id.0 > newest && !message.deleted) {
        let original = Original {
            kind: message.kind(),
            text: message.text.as_str().to_lowercase(),
            date: message.date,
            group: message.group,
            touched: false,
        };
        source.insert(message.id.0, original);
    }
}

/// What must become of each message in the window.
pub(super) fn expected(source: &Source, selection: &Selection, window: Window) -> BTreeMap<i32, Expect> {
    let mut sure = BTreeSet::new();
    let mut perhaps = BTreeSet::new();
    let inside = || source.range(between(window.above, window.last));
    for (id, original) in inside().filter(|(_, original)| original.group != 0) {
        if original.touched {
            perhaps.insert(original.group);
        } else if matches(selection, *id, original) {
            sure.insert(original.group);
        }
    }
    let judge = |(id, original): (&i32, &Original)| {
        let expect = if original.group == 0 {
            match (original.touched, matches(selection, *id, original)) {
                (true, _) => Expect::May,
                (false, true) => Expect::Must,
                (false, false) => Expect::Not,
            }
        } else if sure.contains(&original.group) {
            if original.touched { Expect::May } else { Expect::Must }
        } else if perhaps.contains(&original.group) {
            Expect::May
        } else {
            Expect::Not
        };
        (*id, expect)
    };
    inside().map(judge).collect()
}

/// What is wrong with the window that a task froze, if anything. What is younger than `settled` may still be missing.
pub(super) fn misses(source: &Source, selection: &Selection, window: Window, settled: i32) -> Option<i32> {
    let (least, most) = match selection.range {
        Range::Everything | Range::Dates { .. } => (1, i32::MAX),
        Range::Ids { from, until } => (from.0 - ALBUM_REACH, until.0.saturating_add(ALBUM_REACH)),
        Range::From(from) => (from.0 - ALBUM_REACH, i32::MAX),
    };
    let wanted = |(id, original): &(&i32, &Original)| {
        let outside = **id <= window.above || **id > window.last;
        let reached = (least..=most).contains(*id) && in_dates(selection, original.date);
        outside && reached && !original.touched && original.date < settled
    };
    source.iter().find(wanted).map(|(id, _)| *id)
}

/// The ids above one, up to another; none if they are the wrong way round.
pub(super) fn between(above: i32, last: i32) -> (Bound<i32>, Bound<i32>) {
    (Bound::Excluded(above), Bound::Included(last.max(above)))
}

fn in_dates(selection: &Selection, date: i32) -> bool {
    match selection.range {
        Range::Dates { from, until } => {
            Timestamp::from_second(i64::from(date)).is_ok_and(|date| (from..=until).contains(&date))
        }
        Range::Everything | Range::Ids { .. } | Range::From(_) => true,
    }
}

/// Whether the message is selected by itself.
fn matches(selection: &Selection, id: i32, original: &Original) -> bool {
    let in_range = match selection.range {
        Range::Everything => true,
        Range::Dates { .. } => in_dates(selection, original.date),
        Range::Ids { from, until } => (from.0..=until.0).contains(&id),
        Range::From(from) => id >= from.0,
    };
    let keyword = selection.keyword.as_deref().map(str::trim).filter(|keyword| !keyword.is_empty());
    let wanted = match kind(original.kind) {
        None => selection.kinds.is_empty() && keyword.is_none(),
        Some(kind) => {
            let of_kind = selection.kinds.is_empty() || selection.kinds.contains(&kind);
            of_kind && keyword.is_none_or(|keyword| original.text.contains(&keyword.to_lowercase()))
        }
    };
    in_range && wanted
}

/// The kind that a selection names; `None` for a service message.
fn kind(kind: SimKind) -> Option<Kind> {
    Some(match kind {
        SimKind::Service => return None,
        SimKind::Text => Kind::Text,
        SimKind::Photo => Kind::Photo,
        SimKind::Video | SimKind::Animation | SimKind::VideoMessage => Kind::Video,
        SimKind::Document => Kind::Document,
        SimKind::Audio => Kind::Audio,
        SimKind::Voice => Kind::Voice,
        SimKind::Sticker => Kind::Sticker,
        SimKind::Poll => Kind::Poll,
        SimKind::Contact | SimKind::Geo => Kind::Other,
    })
}

/// Where a message may stand among the others of its task, as the range of ids by which it is sorted: an album stands where
/// its first member does. If members of it were touched, it is not known which one was the first.
pub(super) fn places(source: &Source, window: Window, id: i32) -> (i32, i32) {
    let Some(group) = source.get(&id).map(|original| original.group).filter(|group| *group != 0) else {
        return (id, id);
    };
    let members = || {
        let inside = source.range(between(window.above, id));
        inside.filter(move |(_, original)| original.group == group)
    };
    let first = members().next().map_or(id, |(first, _)| *first);
    let sure = members().find(|(_, original)| !original.touched).map_or(id, |(sure, _)| *sure);
    (first, sure)
}

/// The other members of an album that must go in the same call as `id`.
pub(super) fn companions(source: &Source, window: Window, id: i32) -> impl Iterator<Item = i32> + '_ {
    let group = source.get(&id).map_or(0, |original| original.group);
    let inside = source.range(between(window.above, window.last));
    inside.filter(move |(_, other)| group != 0 && other.group == group && !other.touched).map(|(id, _)| *id)
}
