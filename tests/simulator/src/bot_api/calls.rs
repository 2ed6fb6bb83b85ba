//! What surrounds every call: forced answers, limits, and a note for tests.

use super::methods::{self, Kind};
use super::refusal::Refusal;
use super::request::Arguments;
use super::{Reply, polling};
use crate::server::Shared;
use crate::world::bots::limits::{Admission, BotCall, Script};
use crate::world::{ChatId, UserId, World};

/// Carries out one call of a bot.
pub(super) async fn call(shared: &Shared, bot: UserId, method: &str, arguments: &Arguments) -> Reply {
    let method = method.to_ascii_lowercase();
    if method == "getupdates" {
        let forced = shared.with_world(|world| forced(world, bot, &method, None));
        let reply = match forced {
            Some(refusal) => Err(refusal),
            None => polling::get_updates(shared, bot, arguments).await,
        };
        shared.with_world(|world| note(world, bot, &method, None, false, &reply));
        return reply;
    }
    shared.with_world(|world| at_once(world, bot, &method, arguments))
}

/// Any call but the one that waits.
pub(super) fn at_once(world: &mut World, bot: UserId, method: &str, arguments: &Arguments) -> Reply {
    let chat = arguments.number("chat_id").map(ChatId);
    let during_wait = chat.is_some_and(|chat| methods::kind(method) == Kind::Message && world.bot_waits(bot, chat));
    let reply = surrounded(world, bot, method, chat, arguments);
    note(world, bot, method, chat, during_wait, &reply);
    reply
}

fn surrounded(world: &mut World, bot: UserId, method: &str, chat: Option<ChatId>, arguments: &Arguments) -> Reply {
    if let Some(script) = world.take_script(bot, method) {
        if script.applied {
            methods::perform(world, bot, method, arguments)?;
        }
        return Err(scripted(world, bot, chat, &script));
    }
    if let Some(chat) = chat.filter(|_| methods::kind(method) == Kind::Message)
        && let Admission::RetryAfter(secs) = world.admit_message(bot, chat)
    {
        return Err(Refusal::retry_after(secs));
    }
    methods::perform(world, bot, method, arguments)
}

fn forced(world: &mut World, bot: UserId, method: &str, chat: Option<ChatId>) -> Option<Refusal> {
    let script = world.take_script(bot, method)?;
    Some(scripted(world, bot, chat, &script))
}

fn scripted(world: &mut World, bot: UserId, chat: Option<ChatId>, script: &Script) -> Refusal {
    if script.code == 429 {
        let secs = script.retry_after.unwrap_or(1);
        if let Some(chat) = chat {
            world.bot_told_to_wait(bot, chat, secs);
        }
        return Refusal::retry_after(secs);
    }
    let usual = match script.code {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        409 => "Conflict",
        502 => "Bad Gateway",
        _ => "Internal Server Error",
    };
    Refusal::new(script.code, script.description.clone().unwrap_or_else(|| usual.to_owned()))
}

fn note(world: &mut World, bot: UserId, method: &str, chat: Option<ChatId>, during_wait: bool, reply: &Reply) {
    let (code, description) = match reply {
        Ok(_) => (200, None),
        Err(refusal) => (refusal.code, Some(refusal.description.clone())),
    };
    let at_ms = world.now().0;
    world.bots.calls.push(BotCall { at_ms, bot, method: method.to_owned(), chat, code, description, during_wait });
}
