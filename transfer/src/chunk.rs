//! Cutting: which messages of the history the next call carries.
//!
//! The engine reads the history upward into a buffer and asks [`cut`] what can be decided of it. A **unit** is a
//! message or a whole album; units go in the source's order by their first member, and an album is never divided: it is
//! gathered by its `grouped_id`, even across strangers' messages between its members. Because the ids of a call must
//! ascend, strangers between the members go in the next call, and the members behind them stand in `ahead` until the
//! cursor has passed them. What is decided is always exactly: everything up to the cursor, and `ahead`.
//!
//! How an album is gathered depends on the messages alone, never on how much of the history is buffered: the same
//! history gives the same units wherever pages end and wherever a host died.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::ids::MessageId;
use crate::intent::{Skip, SkipReason};
use crate::message::{Body, Message};
use crate::selection::Selection;

/// What one forward call carries at most (Telegram's limit).
pub const CHUNK_LEN_MAX: u32 = 100;
/// Members of an album at most (Telegram's limit).
pub const ALBUM_LEN_MAX: usize = 10;
/// A message so much younger than an album's first member cannot belong to it, and what follows cannot either.
pub const ALBUM_SPAN: SignedDuration = SignedDuration::from_secs(60);
/// After so many other messages in a row an album has no more members.
const ALBUM_GAP: usize = 100;
/// With so many messages buffered, what is decided goes as it is: the buffer must not grow with a run of messages
/// that nobody selected. More than an album can span (10 members, 100 strangers behind each), so that there is always
/// something to decide.
const BUFFER_LEN_MAX: usize = 2_000;

/// How much the next call may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Messages a call should carry at most; a first unit longer than this goes alone.
    pub chunk: u32,
    /// Messages that budget and batch leave: a first unit longer than this does not go.
    pub hard: u32,
    /// Units at most: when halving, and one in slow mode. At least one.
    pub units: Option<u32>,
}

/// What can be decided of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Read the next page and ask again.
    NeedMore,
    /// The next unit is longer than [`Limit::hard`].
    NoRoom {
        /// How long it is.
        needs: u32,
    },
    /// The next call.
    Chunk(Chunk),
    /// A long run with nothing to carry: advance the cursor and go on.
    Passed(Passed),
    /// The end of the history, and nothing left to carry.
    Exhausted(Passed),
}

/// What the next call carries, and what is decided with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The ids, strictly ascending; never empty.
    pub ids: Vec<MessageId>,
    /// The lengths of its units, adding up to `ids`.
    pub units: Vec<u8>,
    /// Up to here everything is decided with it.
    pub cursor_after: MessageId,
    /// What is decided above `cursor_after`, ascending.
    pub ahead_after: Vec<MessageId>,
    /// Messages looked at, selected or not: those that the cursor passes.
    pub scanned: u32,
    /// Selected messages that cannot be carried.
    pub skips: Vec<Skip>,
    /// How many messages of the buffer the cursor passes: drop them from its front.
    pub consumed: usize,
}

/// Decided messages of which none is carried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Up to here everything is decided; `None`: the cursor stays.
    pub cursor_after: Option<MessageId>,
    /// What is decided above the cursor, ascending.
    pub ahead_after: Vec<MessageId>,
    /// Messages looked at.
    pub scanned: u32,
    /// Selected messages that cannot be carried.
    pub skips: Vec<Skip>,
    /// How many messages of the buffer the cursor passes.
    pub consumed: usize,
}

impl Limit {
    /// Whole chunks, as many as there are.
    pub fn none() -> Self {
        Self { chunk: CHUNK_LEN_MAX, hard: u32::MAX, units: None }
    }

    fn room(self) -> usize {
        as_len(self.chunk.min(self.hard).min(CHUNK_LEN_MAX))
    }

    fn units_max(self) -> usize {
        self.units.map_or(usize::MAX, |units| as_len(units.max(1)))
    }
}

/// Decides what the next call carries. `buffer` is the history above the cursor, ascending; `ahead` is what is decided
/// of it already; `reached_end` says that nothing follows it.
pub fn cut(buffer: &[Message], reached_end: bool, selection: &Selection, ahead: &[MessageId], limit: Limit) -> Cut {
    let mut scan = Scan::new(buffer, reached_end, ahead);
    let stop = scan.run(selection, limit);
    if let Stop::NoRoom { needs } = stop {
        return Cut::NoRoom { needs };
    }
    let full = scan.ids.len() >= limit.room() || scan.units.len() >= limit.units_max();
    let ended = reached_end && stop == Stop::End;
    if scan.ids.is_empty() {
        return match stop {
            Stop::Long => Cut::Passed(scan.passed(ahead)),
            _ if ended => Cut::Exhausted(scan.passed(ahead)),
            _ => Cut::NeedMore,
        };
    }
    if full || ended || matches!(stop, Stop::Full | Stop::Long) { scan.chunk(ahead) } else { Cut::NeedMore }
}

/// Why scanning stopped before `Scan::position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Everything in the buffer is decided.
    End,
    /// The next album may have members that are not buffered.
    Incomplete,
    /// The next unit goes in the next call.
    Full,
    /// The buffer is long enough.
    Long,
    /// The next unit goes in no call under this limit.
    NoRoom { needs: u32 },
}

struct Scan<'b> {
    buffer: &'b [Message],
    reached_end: bool,
    /// By position in the buffer: decided, and so no part of any unit to come.
    decided: Vec<bool>,
    /// The first position that is not decided.
    position: usize,
    ids: Vec<MessageId>,
    units: Vec<u8>,
    service: Vec<MessageId>,
}

/// A message or an album, by positions in the buffer.
struct Unit {
    members: Vec<usize>,
    complete: bool,
}

impl<'b> Scan<'b> {
    fn new(buffer: &'b [Message], reached_end: bool, ahead: &[MessageId]) -> Self {
        let ahead: BTreeSet<MessageId> = ahead.iter().copied().collect();
        let decided = buffer.iter().map(|message| ahead.contains(&message.id)).collect();
        Self { buffer, reached_end, decided, position: 0, ids: Vec::new(), units: Vec::new(), service: Vec::new() }
    }

    fn run(&mut self, selection: &Selection, limit: Limit) -> Stop {
        while let Some(message) = self.buffer.get(self.position) {
            if self.decided[self.position] {
                self.position += 1;
                continue;
            }
            if self.position >= BUFFER_LEN_MAX {
                return Stop::Long;
            }
            // Where messages are named, what is not named is no part of anything: not of an album either.
            if selection.only.is_some() && !selection.matches(message) {
                self.decided[self.position] = true;
                continue;
            }
            match message.body {
                Body::Service if selection.matches(message) => {
                    self.service.push(message.id);
                    self.decided[self.position] = true;
                }
                Body::Service | Body::Empty => self.decided[self.position] = true,
                Body::Content(_) => {
                    let mut unit = self.gather(self.position, selection);
                    self.mutate(&mut unit, selection, limit);
                    if !unit.complete {
                        return Stop::Incomplete;
                    }
                    // An album goes whole as soon as one member matches.
                    if unit.members.iter().any(|member| selection.matches(&self.buffer[*member])) {
                        if let Some(stop) = self.refuse(&unit, limit) {
                            return stop;
                        }
                        self.ids.extend(unit.members.iter().map(|member| self.buffer[*member].id));
                        self.units.push(u8::try_from(unit.members.len()).expect("an album has at most ten members"));
                    }
                    unit.members.iter().for_each(|member| self.decided[*member] = true);
                }
            }
        }
        Stop::End
    }

    /// Where an album would be torn by a deliberate fault.
    fn mutate(&self, unit: &mut Unit, selection: &Selection, limit: Limit) {
        if mutated!(AlbumEndsWithPage) {
            unit.complete = true;
        }
        let room = limit.room().saturating_sub(self.ids.len());
        if mutated!(AlbumFillsCall) && room > 0 {
            unit.members.truncate(room);
        }
        if mutated!(AlbumFiltered) && unit.members.iter().any(|member| selection.matches(&self.buffer[*member])) {
            let (buffer, first) = (self.buffer, self.position);
            unit.members.retain(|member| selection.matches(&buffer[*member]) || *member == first);
        }
    }

    /// Why this unit cannot join the call; `None`: it can.
    fn refuse(&self, unit: &Unit, limit: Limit) -> Option<Stop> {
        let len = unit.members.len();
        let Some(last) = self.ids.last() else {
            let needs = u32::try_from(len).expect("an album has at most ten members");
            return (needs > limit.hard).then_some(Stop::NoRoom { needs });
        };
        let descends = self.buffer[unit.members[0]].id < *last;
        let too_long = self.ids.len() + len > limit.room();
        (descends || too_long || self.units.len() >= limit.units_max()).then_some(Stop::Full)
    }

    /// The unit that begins at `first`.
    fn gather(&self, first: usize, selection: &Selection) -> Unit {
        let Some(album) = self.buffer[first].album else {
            return Unit { members: vec![first], complete: true };
        };
        let ends_at = self.buffer[first].date.saturating_add(ALBUM_SPAN).unwrap_or(Timestamp::MAX);
        let mut members = vec![first];
        let mut others = 0;
        for (position, message) in self.buffer.iter().enumerate().skip(first + 1) {
            // Holes have no date that would mean anything.
            let too_late = message.body != Body::Empty && message.date > ends_at;
            if members.len() == ALBUM_LEN_MAX || others == ALBUM_GAP || too_late {
                return Unit { members, complete: true };
            }
            let is_content = matches!(message.body, Body::Content(_));
            let is_named = selection.only.is_none() || selection.matches(message);
            if message.album == Some(album) && is_content && is_named && !self.decided[position] {
                members.push(position);
                others = 0;
            } else {
                others += 1;
            }
        }
        let complete = self.reached_end || members.len() == ALBUM_LEN_MAX || others == ALBUM_GAP;
        Unit { members, complete }
    }

    fn chunk(self, ahead: &[MessageId]) -> Cut {
        let (ids, units) = (self.ids.clone(), self.units.clone());
        let passed = self.passed(ahead);
        Cut::Chunk(Chunk {
            cursor_after: passed.cursor_after.expect("the first unit's first message is passed"),
            ids,
            units,
            ahead_after: passed.ahead_after,
            scanned: passed.scanned,
            skips: passed.skips,
            consumed: passed.consumed,
        })
    }

    fn passed(self, ahead: &[MessageId]) -> Passed {
        let cursor_after = self.position.checked_sub(1).map(|last| self.buffer[last].id);
        let above: BTreeSet<MessageId> = ahead
            .iter()
            .chain(&self.ids)
            .copied()
            .filter(|id| cursor_after.is_none_or(|cursor| *id > cursor))
            .collect();
        let skip = Skip { ids: self.service.into_iter().collect(), reason: SkipReason::Service };
        Passed {
            cursor_after,
            ahead_after: above.into_iter().collect(),
            scanned: u32::try_from(self.position).unwrap_or(u32::MAX),
            skips: if skip.ids.is_empty() || mutated!(ServiceDropped) { Vec::new() } else { vec![skip] },
            consumed: self.position,
        }
    }
}

fn as_len(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
