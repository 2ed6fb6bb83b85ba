//! Who is who.

use super::{Arguments, Refusal, Reply, TRUE, compose};
use crate::bot_api::{Answer, view};
use crate::world::{Peer, UserId, World};
use serde_json::Value;

pub(super) fn get_me(world: &World, bot: UserId) -> Reply {
    let mut me = view::user(world, bot);
    for (switch, on) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[switch] = Value::Bool(on);
    }
    Ok(Answer::from(me))
}

/// People who wrote to the bot, and public chats.
pub(super) fn get_chat(world: &World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let known = match chat.peer() {
        Peer::User(user) => world.bots.get(bot).is_some_and(|bot| bot.met.contains(&user)),
        Peer::Group(_) | Peer::Channel(_) => world.chat(chat).is_some_and(|chat| chat.username.is_some()),
    };
    if !known {
        return Err(Refusal::bad("chat not found"));
    }
    let mut view = view::chat(world, chat);
    view["accent_color_id"] = Value::from(0);
    view["max_reaction_count"] = Value::from(11);
    view["accepted_gift_types"] = serde_json::json!({
        "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false, "premium_subscription": false,
        "gifts_from_channels": false,
    });
    Ok(Answer::from(view))
}

pub(super) fn send_chat_action(world: &World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    if arguments.text("action").is_none() {
        return Err(Refusal::bad("wrong parameter action in request"));
    }
    world.bot_may_write(bot, chat)?;
    Ok(TRUE)
}
