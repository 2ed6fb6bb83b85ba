//! What waits to be told to a bot, numbered; and what `getUpdates` and the webhook take from it.

use crate::time::SimTime;
use crate::world::{Message, UserId, World};
use std::collections::{BTreeMap, BTreeSet};

/// Updates are dropped after a day, callback queries when nobody waits for an answer any more.
const MESSAGE_MILLIS_MAX: i64 = 24 * 3_600_000;
const CALLBACK_MILLIS_MAX: i64 = 150_000;
/// At most so many in one answer of `getUpdates`.
const BATCH_LEN_MAX: usize = 100;

/// What happened, as it looked then.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    Message(Box<Message>),
    Edited(Box<Message>),
    /// A button was pressed under this message of the bot's.
    Callback {
        id: i64,
        user: UserId,
        message: Box<Message>,
        data: String,
    },
    /// A user blocked the bot, or takes it back.
    Membership {
        user: UserId,
        blocked: bool,
    },
}

/// One numbered update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub id: i64,
    pub at: SimTime,
    pub happening: Happening,
    /// Failed deliveries to the webhook.
    pub fails: u32,
    /// The webhook is not tried before.
    pub not_before: SimTime,
    /// Being delivered to the webhook right now.
    pub in_flight: bool,
}

/// A bot's waiting updates.
#[derive(Debug)]
pub struct Updates {
    next_id: i64,
    waiting: BTreeMap<i64, Update>,
    /// `allowed_updates`; empty: Telegram's default, which is everything that is simulated here.
    allowed: BTreeSet<String>,
}

impl Happening {
    /// Its field in an update.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Happening::Message(_) => "message",
            Happening::Edited(_) => "edited_message",
            Happening::Callback { .. } => "callback_query",
            Happening::Membership { .. } => "my_chat_member",
        }
    }

    /// Updates with the same queue are delivered one after the other.
    #[must_use]
    pub fn queue(&self) -> (u8, i64) {
        match self {
            // Telegram promises no order between messages and presses.
            Happening::Message(message) | Happening::Edited(message) => (0, message.chat.0),
            Happening::Callback { user, .. } => (1, user.0),
            Happening::Membership { user, .. } => (2, user.0),
        }
    }

    fn lasts_millis(&self) -> i64 {
        match self {
            Happening::Callback { .. } => CALLBACK_MILLIS_MAX,
            Happening::Message(_) | Happening::Edited(_) | Happening::Membership { .. } => MESSAGE_MILLIS_MAX,
        }
    }
}

impl Update {
    /// Until when it is worth delivering.
    #[must_use]
    pub fn expires_at(&self) -> SimTime {
        self.at.plus_millis(self.happening.lasts_millis())
    }
}

impl Updates {
    pub(crate) fn starting_at(next_id: i64) -> Updates {
        Updates { next_id, waiting: BTreeMap::new(), allowed: BTreeSet::new() }
    }

    /// Numbers an update, if the bot wants its kind.
    pub(crate) fn add(&mut self, now: SimTime, happening: Happening) -> Option<i64> {
        if !self.allowed.is_empty() && !self.allowed.contains(happening.field()) {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        let update = Update { id, at: now, happening, fails: 0, not_before: now, in_flight: false };
        self.waiting.insert(id, update);
        Some(id)
    }

    /// Sets which kinds are kept from now on.
    pub fn allow(&mut self, kinds: impl IntoIterator<Item = String>) {
        self.allowed = kinds.into_iter().collect();
    }

    /// The kinds that are kept; empty: all.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().map(String::as_str)
    }

    /// How many wait.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Update> {
        self.waiting.values()
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Update> {
        self.waiting.get_mut(&id)
    }

    pub(crate) fn confirm(&mut self, id: i64) {
        self.waiting.remove(&id);
    }

    /// Forgets all that wait.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Nobody delivers any more: the webhook changed.
    pub(crate) fn none_in_flight(&mut self) {
        for update in self.waiting.values_mut() {
            update.in_flight = false;
            update.fails = 0;
            update.not_before = update.at;
        }
    }

    /// Drops what is too old.
    pub fn expire(&mut self, now: SimTime) {
        self.waiting.retain(|_, update| update.in_flight || update.expires_at() > now);
    }

    /// `getUpdates`: confirms what is below `offset` (from the end, if it is negative), gives what is left.
    pub fn take(&mut self, offset: i64, limit: usize, now: SimTime) -> Vec<Update> {
        self.expire(now);
        if offset > 0 {
            self.waiting.retain(|id, _| *id >= offset);
        } else if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            while self.waiting.len() > keep {
                self.waiting.pop_first();
            }
        }
        self.waiting.values().take(limit.clamp(1, BATCH_LEN_MAX)).cloned().collect()
    }
}

impl World {
    /// See [`Updates::take`]. No news for those who wait: they call this themselves.
    pub fn take_updates(&mut self, bot: UserId, offset: i64, limit: usize) -> Vec<Update> {
        let now = self.now();
        self.bots.all.get_mut(&bot).map(|bot| bot.updates.take(offset, limit, now)).unwrap_or_default()
    }
}
