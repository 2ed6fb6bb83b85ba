//! How often a bot may call: about one message a second to one chat, thirty a second in all, with a little to spare; and
//! answers that a test forces.
//!
//! Telegram publishes no more than "about": the small burst is a choice of this simulator. Edits count as messages. Whoever
//! calls again before `retry_after` is over is refused again, and the call is marked as one made during a wait.

use crate::time::SimTime;
use crate::world::{ChatId, UserId, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub on: bool,
    pub chat_interval_millis: i64,
    pub chat_burst: i64,
    pub all_interval_millis: i64,
    pub all_burst: i64,
    /// Pauses before a webhook is tried again, as a part of Telegram's.
    pub retry_permille: i64,
}

/// An answer forced upon the next calls that fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Any bot when left out.
    #[serde(default)]
    pub bot: Option<UserId>,
    /// Any method when left out; case does not matter.
    #[serde(default)]
    pub method: Option<String>,
    pub code: u16,
    /// What Telegram would say, when left out.
    #[serde(default)]
    pub description: Option<String>,
    /// With code 429.
    #[serde(default)]
    pub retry_after: Option<i64>,
    #[serde(default = "once")]
    pub times: u32,
    /// The call is carried out, and answered with the error all the same.
    #[serde(default)]
    pub applied: bool,
}

fn once() -> u32 {
    1
}

/// One call of a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotCall {
    pub at_ms: i64,
    pub bot: UserId,
    pub method: String,
    pub chat: Option<ChatId>,
    /// 200 when it was carried out.
    pub code: u16,
    pub description: Option<String>,
    /// It came though the bot had been told to wait with this.
    pub during_wait: bool,
}

/// Where a bot stands.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the next message would be on time, per chat and in all.
    chats: BTreeMap<ChatId, SimTime>,
    all: SimTime,
    /// Told to wait until then.
    waits: BTreeMap<ChatId, SimTime>,
}

/// What the limits say to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Seconds.
    RetryAfter(i64),
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            on: true,
            chat_interval_millis: 1_000,
            chat_burst: 10,
            all_interval_millis: 33,
            all_burst: 30,
            retry_permille: 100,
        }
    }
}

impl Pace {
    /// Milliseconds that a chat has to be left alone yet.
    fn wait_millis(&self, chat: ChatId, now: SimTime) -> Option<i64> {
        self.waits.get(&chat).map(|until| until.since(now)).filter(|left| *left > 0)
    }

    fn admit(&mut self, limits: &Limits, chat: ChatId, now: SimTime) -> Admission {
        if let Some(left) = self.wait_millis(chat, now) {
            return Admission::RetryAfter(secs(left));
        }
        if !limits.on {
            return Admission::Go;
        }
        let in_chat = next(self.chats.get(&chat).copied(), limits.chat_interval_millis, limits.chat_burst, now);
        let in_all = next(Some(self.all), limits.all_interval_millis, limits.all_burst, now);
        match (in_chat, in_all) {
            (Ok(in_chat), Ok(in_all)) => {
                self.chats.insert(chat, in_chat);
                self.all = in_all;
                Admission::Go
            }
            (Err(left), Ok(_)) | (Ok(_), Err(left)) => self.told(chat, secs(left), now),
            (Err(one), Err(other)) => self.told(chat, secs(one.max(other)), now),
        }
    }

    fn told(&mut self, chat: ChatId, retry_after: i64, now: SimTime) -> Admission {
        self.waits.insert(chat, now.plus_millis(retry_after.saturating_mul(1000)));
        Admission::RetryAfter(retry_after)
    }
}

fn secs(millis: i64) -> i64 {
    (millis.saturating_add(999) / 1000).max(1)
}

/// When the message after this one would be on time; or how long this one is too early.
fn next(due: Option<SimTime>, interval: i64, burst: i64, now: SimTime) -> Result<SimTime, i64> {
    let due = due.unwrap_or(now).max(now);
    let early = due.since(now) - interval.saturating_mul((burst - 1).max(0));
    if early > 0 { Err(early) } else { Ok(due.plus_millis(interval)) }
}

impl World {
    /// Whether a bot may send (or edit) in this chat now; that counts.
    pub fn admit_message(&mut self, bot: UserId, chat: ChatId) -> Admission {
        let now = self.now();
        let limits = self.bots.limits;
        self.bots.all.get_mut(&bot).map_or(Admission::Go, |bot| bot.pace.admit(&limits, chat, now))
    }

    /// The bot was told to wait with this chat.
    pub fn bot_told_to_wait(&mut self, bot: UserId, chat: ChatId, retry_after: i64) {
        let now = self.now();
        if let Some(bot) = self.bots.all.get_mut(&bot) {
            bot.pace.told(chat, retry_after, now);
        }
    }

    /// Whether the bot has been told to wait with this chat.
    #[must_use]
    pub fn bot_waits(&self, bot: UserId, chat: ChatId) -> bool {
        self.bots.get(bot).is_some_and(|bot| bot.pace.wait_millis(chat, self.now()).is_some())
    }

    /// The script for this call, used up by one.
    pub fn take_script(&mut self, bot: UserId, method: &str) -> Option<Script> {
        let fits = |script: &Script| {
            script.bot.is_none_or(|it| it == bot)
                && script.method.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(method))
        };
        let at = self.bots.scripts.iter().position(|script| script.times > 0 && fits(script))?;
        let script = self.bots.scripts.get_mut(at)?;
        script.times -= 1;
        let taken = script.clone();
        self.bots.scripts.retain(|script| script.times > 0);
        Some(taken)
    }
}
