//! The messages of one chat (or mailbox) in order of id, with what was deleted kept for audits.
//!
//! What must stay true: ids only grow, dates never fall, and no caller sees a deleted message but through [`History::all`].

use super::generated::Generated;
use super::{Message, MessageId};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Generated messages first, then those appended one by one.
#[derive(Debug, Default)]
pub struct History {
    generated: Option<Generated>,
    /// Generated messages that were edited or deleted since.
    changed: BTreeMap<MessageId, Message>,
    appended: Vec<Message>,
    visible: usize,
    last_id: i32,
}

/// Which part of a history is asked for: `messages.getHistory`'s arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    pub offset_id: i32,
    /// Unix seconds; only looked at when `offset_id` is 0.
    pub offset_date: i32,
    pub add_offset: i32,
    pub limit: i32,
    pub max_id: i32,
    pub min_id: i32,
}

/// At most so many messages in one page.
pub const PAGE_MAX: i32 = 100;

impl History {
    /// A history that starts with generated messages.
    #[must_use]
    pub fn generated(generated: Generated) -> History {
        History {
            visible: generated.visible(),
            last_id: generated.count,
            generated: Some(generated),
            ..History::default()
        }
    }

    /// The highest id ever given.
    #[must_use]
    pub fn last_id(&self) -> MessageId {
        MessageId(self.last_id)
    }

    /// The id that the next message gets.
    #[must_use]
    pub fn next_id(&self) -> MessageId {
        MessageId(self.last_id.saturating_add(1))
    }

    /// Messages that are not deleted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.visible
    }

    /// Nothing to see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visible == 0
    }

    /// The date of the newest message ever, so that dates never fall.
    #[must_use]
    pub fn last_date(&self) -> i32 {
        match self.appended.last() {
            Some(message) => message.date,
            None => self.generated.as_ref().map_or(i32::MIN, Generated::last_date),
        }
    }

    /// Adds a message whose id is above all others.
    pub fn push(&mut self, message: Message) {
        debug_assert!(message.id.0 > self.last_id, "ids only grow");
        self.last_id = message.id.0;
        self.visible += usize::from(!message.deleted);
        self.appended.push(message);
    }

    /// Ids up to this one are used up, without messages (holes at the end).
    pub fn skip_to(&mut self, id: MessageId) {
        self.last_id = self.last_id.max(id.0);
    }

    /// A message that can be seen.
    #[must_use]
    pub fn get(&self, id: MessageId) -> Option<Cow<'_, Message>> {
        self.any(id).filter(|message| !message.deleted)
    }

    /// A message, deleted or not.
    #[must_use]
    pub fn any(&self, id: MessageId) -> Option<Cow<'_, Message>> {
        if let Some(generated) = &self.generated
            && id.0 <= generated.count
        {
            return match self.changed.get(&id) {
                Some(message) => Some(Cow::Borrowed(message)),
                None => generated.message(id).map(Cow::Owned),
            };
        }
        self.appended_at(id).ok().map(|at| Cow::Borrowed(&self.appended[at]))
    }

    /// Changes a message that can be seen; `None` if there is none.
    pub fn change<T>(&mut self, id: MessageId, change: impl FnOnce(&mut Message) -> T) -> Option<T> {
        let mut message = self.get(id)?.into_owned();
        let out = change(&mut message);
        if message.deleted {
            self.visible -= 1;
        }
        match self.appended_at(id) {
            Ok(at) => self.appended[at] = message,
            Err(_) => {
                self.changed.insert(id, message);
            }
        }
        Some(out)
    }

    /// Every message ever created, deleted ones included, oldest first.
    pub fn all(&self) -> impl Iterator<Item = Cow<'_, Message>> {
        let made = self.generated.as_ref().map_or(0, |generated| generated.count);
        (1..=made).filter_map(|id| self.any(MessageId(id))).chain(self.appended.iter().map(Cow::Borrowed))
    }

    /// Every message that was appended (not generated), deleted ones included, oldest first.
    pub fn appended(&self) -> &[Message] {
        &self.appended
    }

    /// Visible ids below `before`, newest first.
    pub fn older(&self, before: MessageId) -> impl Iterator<Item = MessageId> {
        let end = self.appended_at(before).unwrap_or_else(|at| at);
        let made = self.generated.as_ref().map_or(0, |generated| generated.count);
        let top = before.0.saturating_sub(1).min(made);
        let appended = self.appended[..end].iter().rev().filter(|message| !message.deleted).map(|message| message.id);
        appended.chain((1..=top).rev().map(MessageId).filter(|id| self.generated_visible(*id)))
    }

    /// Visible ids from `from` on, oldest first.
    pub fn newer(&self, from: MessageId) -> impl Iterator<Item = MessageId> {
        let start = self.appended_at(from).unwrap_or_else(|at| at);
        let made = self.generated.as_ref().map_or(0, |generated| generated.count);
        let appended = self.appended[start..].iter().filter(|message| !message.deleted).map(|message| message.id);
        (from.0.max(1)..=made).map(MessageId).filter(|id| self.generated_visible(*id)).chain(appended)
    }

    /// The smallest id ever given whose date is not before `date`; one past the end if none.
    #[must_use]
    pub fn first_at(&self, date: i32) -> MessageId {
        if let Some(generated) = &self.generated {
            let id = generated.first_at(date);
            if id.0 <= generated.count {
                return id;
            }
        }
        let at = self.appended.partition_point(|message| message.date < date);
        self.appended.get(at).map_or(self.next_id(), |message| message.id)
    }

    fn generated_visible(&self, id: MessageId) -> bool {
        match self.changed.get(&id) {
            Some(message) => !message.deleted,
            None => self.generated.as_ref().is_some_and(|generated| generated.exists(id)),
        }
    }

    fn appended_at(&self, id: MessageId) -> Result<usize, usize> {
        // Ids are dense but for holes of exports, so the place is nearly always the distance to the first id.
        if let Some(first) = self.appended.first()
            && let Ok(guess) = usize::try_from(i64::from(id.0) - i64::from(first.id.0))
            && self.appended.get(guess).is_some_and(|message| message.id == id)
        {
            return Ok(guess);
        }
        self.appended.binary_search_by_key(&id, |message| message.id)
    }
}

/// Cuts a window out of a sequence given by its two directions: the list is newest first, the window starts `add_offset`
/// places after the first id below the offset, and is clipped at both ends. `max_id` and `min_id` filter what is in it.
pub fn cut<Older, Newer>(window: Window, older: impl FnOnce() -> Older, newer: impl FnOnce() -> Newer) -> Vec<MessageId>
where
    Older: Iterator<Item = MessageId>,
    Newer: Iterator<Item = MessageId>,
{
    let limit = i64::from(window.limit.clamp(0, PAGE_MAX));
    let start = i64::from(window.add_offset);
    let end = start + limit;
    let mut ids = Vec::new();
    if start < 0 && limit > 0 {
        // Places -1, -2 ... are the ids at and above the offset, nearest first.
        let nearest = (-end).max(0);
        let above = newer().skip(usize::try_from(nearest).unwrap_or(usize::MAX));
        ids.extend(above.take(usize::try_from(-start - nearest).unwrap_or(0)));
        ids.reverse();
    }
    if end > 0 {
        let skip = usize::try_from(start.max(0)).unwrap_or(0);
        ids.extend(older().skip(skip).take(usize::try_from(end - start.max(0)).unwrap_or(0)));
    }
    ids.retain(|id| (window.max_id <= 0 || id.0 < window.max_id) && (window.min_id <= 0 || id.0 > window.min_id));
    ids
}

impl History {
    /// The ids of a window, newest first.
    #[must_use]
    pub fn window(&self, window: Window) -> Vec<MessageId> {
        let base = self.base(window);
        cut(window, || self.older(base), || self.newer(base))
    }

    /// The id below which a window begins.
    #[must_use]
    pub fn base(&self, window: Window) -> MessageId {
        if window.offset_id > 0 {
            MessageId(window.offset_id)
        } else if window.offset_date > 0 {
            self.first_at(window.offset_date)
        } else {
            MessageId(i32::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::generated::Mix;
    use crate::world::message::Text;
    use crate::world::{ChatId, UserId};
    use proptest::prelude::*;

    fn history(made: i32, ids: &[i32], deleted: &[i32]) -> History {
        let mut history = History::generated(Generated {
            seed: 3,
            chat: ChatId::channel(1),
            by: UserId(1),
            count: made,
            first_date: 1_000_000,
            mix: Mix::default(),
        });
        for id in ids {
            let id = made + id;
            if id > history.last_id().0 {
                let message = Message::text(MessageId(id), ChatId::channel(1), UserId(1), 2_000_000 + id, Text::Empty);
                history.push(message);
            }
        }
        for id in deleted {
            history.change(MessageId(*id), |message| message.deleted = true);
        }
        history
    }

    /// The documented meaning, over a plain list.
    fn model(history: &History, window: Window) -> Vec<MessageId> {
        let mut all: Vec<_> = history.all().filter(|m| !m.deleted).map(|m| (m.id, m.date)).collect();
        all.reverse();
        let base = if window.offset_id > 0 {
            all.iter().position(|(id, _)| id.0 < window.offset_id).unwrap_or(all.len())
        } else if window.offset_date > 0 {
            all.iter().position(|(_, date)| *date < window.offset_date).unwrap_or(all.len())
        } else {
            0
        };
        let base = i64::try_from(base).unwrap();
        (0..i64::from(window.limit.clamp(0, PAGE_MAX)))
            .filter_map(|n| usize::try_from(base + i64::from(window.add_offset) + n).ok())
            .filter_map(|place| all.get(place).map(|(id, _)| *id))
            .filter(|id| (window.max_id <= 0 || id.0 < window.max_id) && (window.min_id <= 0 || id.0 > window.min_id))
            .collect()
    }

    proptest! {
        #[test]
        fn a_window_is_what_the_plain_list_says(
            made in 0..60_i32,
            ids in proptest::collection::btree_set(1..60_i32, 0..40),
            deleted in proptest::collection::vec(1..120_i32, 0..30),
            offset_id in 0..130_i32,
            offset_date in prop_oneof![Just(0), 999_990..1_001_300_i32, 2_000_000..2_000_130_i32],
            add_offset in -130..60_i32,
            limit in 0..120_i32,
            max_id in 0..130_i32,
            min_id in 0..130_i32,
        ) {
            let history = history(made, &ids.into_iter().collect::<Vec<_>>(), &deleted);
            let window = Window { offset_id, offset_date, add_offset, limit, max_id, min_id };
            prop_assert_eq!(history.window(window), model(&history, window));
            prop_assert_eq!(history.len(), history.all().filter(|m| !m.deleted).count());
        }
    }

    #[test]
    fn reads_upward_without_gaps() {
        let history = history(0, &(1..=250).collect::<Vec<_>>(), &[41, 82]);
        let (mut seen, mut cursor) = (Vec::new(), 0);
        loop {
            let window = Window { offset_id: cursor + 1, add_offset: -100, limit: 100, ..Window::default() };
            let mut page = history.window(window);
            page.reverse();
            let Some(last) = page.last() else { break };
            cursor = last.0;
            seen.extend(page);
        }
        assert_eq!(seen.len(), 248);
        assert!(seen.is_sorted());
    }
}
