//! Bots: accounts that speak through the Bot API, with what Telegram keeps for them - commands, waiting updates, webhook,
//! callback queries, limits.
//!
//! A bot's private chats are ordinary mailbox chats: its message ids are those of its own mailbox. What must stay true: an
//! update keeps its number until it is confirmed, however often it is delivered; updates of one chat go out in order.

pub mod callback;
pub mod delivery;
pub mod limits;
pub mod person;
pub mod speak;
pub mod updates;

use super::user::User;
use super::{Message, UserId, World};
use crate::world::seed::mix;
use callback::Callback;
use delivery::Webhook;
use limits::{BotCall, Limits, Pace, Script};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use updates::{Happening, Updates};

/// All bots and what they share.
#[derive(Debug, Default)]
pub struct Bots {
    all: BTreeMap<UserId, Bot>,
    pub limits: Limits,
    /// Answers that are forced upon coming calls.
    pub scripts: Vec<Script>,
    /// Every call, for tests.
    pub calls: Vec<BotCall>,
    /// What bots uploaded, by the number of the photo.
    pub files: BTreeMap<i64, File>,
    last_callback: i64,
    changed: bool,
}

/// One bot.
#[derive(Debug)]
pub struct Bot {
    pub id: UserId,
    pub token: String,
    pub commands: BTreeMap<CommandsKey, Vec<BotCommand>>,
    /// Who wrote to it at least once.
    pub met: BTreeSet<UserId>,
    pub blocked_by: BTreeSet<UserId>,
    pub updates: Updates,
    pub webhook: Option<Webhook>,
    pub callbacks: BTreeMap<i64, Callback>,
    pub(crate) pace: Pace,
    /// Counts calls of `getUpdates`: a newer one ends an older one.
    pub poll: u64,
}

/// For whom a list of commands is: scope (canonical JSON) and language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CommandsKey {
    pub scope: String,
    pub language_code: String,
}

/// A line of the command menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotCommand {
    pub command: String,
    pub description: String,
}

/// What a bot uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub bytes: Arc<[u8]>,
    pub width: u32,
    pub height: u32,
}

impl Bots {
    /// A bot by its account.
    #[must_use]
    pub fn get(&self, id: UserId) -> Option<&Bot> {
        self.all.get(&id)
    }

    /// The same, to change it; whoever waits for news looks again.
    pub fn get_mut(&mut self, id: UserId) -> Option<&mut Bot> {
        self.changed = true;
        self.all.get_mut(&id)
    }

    /// A bot by its token.
    #[must_use]
    pub fn by_token(&self, token: &str) -> Option<UserId> {
        self.all.values().find(|bot| bot.token == token).map(|bot| bot.id)
    }

    /// All bots.
    pub fn iter(&self) -> impl Iterator<Item = &Bot> {
        self.all.values()
    }

    /// Whether something happened since the last look that somebody may wait for.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn note_change(&mut self) {
        self.changed = true;
    }
}

impl World {
    /// Makes a bot out of an id, a name and a token.
    pub fn add_bot(&mut self, id: UserId, username: &str, name: &str, token: &str) {
        let username = Some(username.trim_start_matches('@').to_lowercase());
        self.add_user(User { bot: true, username, ..User::new(id, "", name) });
        // Telegram starts a bot's updates at a number of its own choosing.
        let first = 100_000_000 + i64::from(u32::try_from(mix(self.seed, 7) % 800_000_000).unwrap_or(0));
        let bot = Bot {
            id,
            token: token.to_owned(),
            commands: BTreeMap::new(),
            met: BTreeSet::new(),
            blocked_by: BTreeSet::new(),
            updates: Updates::starting_at(first),
            webhook: None,
            callbacks: BTreeMap::new(),
            pace: Pace::default(),
            poll: 0,
        };
        self.bots.all.insert(id, bot);
        self.bots.changed = true;
    }

    /// A message arrived in a bot's mailbox.
    pub(crate) fn bot_heard(&mut self, bot: UserId, message: &Message) {
        if message.by == bot || !self.bots.all.contains_key(&bot) {
            return;
        }
        self.meet(bot, message.by);
        self.bot_happening(bot, Happening::Message(Box::new(message.clone())));
    }

    /// A message in a bot's mailbox was edited by somebody else.
    pub(crate) fn bot_saw_edit(&mut self, bot: UserId, message: &Message) {
        if message.by != bot {
            self.bot_happening(bot, Happening::Edited(Box::new(message.clone())));
        }
    }

    /// Whoever writes to a bot starts it, and no longer blocks it.
    fn meet(&mut self, bot: UserId, user: UserId) {
        let Some(it) = self.bots.get_mut(bot) else { return };
        it.met.insert(user);
        if it.blocked_by.remove(&user) {
            self.bot_happening(bot, Happening::Membership { user, blocked: false });
        }
    }

    /// A user blocks a bot, or no longer does.
    pub fn block_bot(&mut self, bot: UserId, user: UserId, on: bool) {
        let Some(it) = self.bots.get_mut(bot) else { return };
        let changed = if on { it.blocked_by.insert(user) } else { it.blocked_by.remove(&user) };
        if changed {
            self.bot_happening(bot, Happening::Membership { user, blocked: on });
        }
    }

    pub(crate) fn bot_happening(&mut self, bot: UserId, happening: Happening) {
        let now = self.now();
        if let Some(bot) = self.bots.get_mut(bot) {
            bot.updates.add(now, happening);
        }
    }
}

#[cfg(test)]
mod tests;
