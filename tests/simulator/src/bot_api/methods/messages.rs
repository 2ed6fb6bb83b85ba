//! Texts: sent, edited, deleted.

use super::compose;
use super::{Arguments, Refusal, Reply, TRUE};
use crate::world::bots::speak::{BotEdit, BotMessage};
use crate::world::{MessageId, UserId, World};
use serde_json::Value;

pub(super) fn send(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let (text, entities) = compose::text(arguments, "text", "entities")?;
    if text.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    let keyboard = compose::keyboard(arguments)?;
    let reply_to = reply_to(arguments)?;
    let silent = arguments.flag("disable_notification");
    let message = BotMessage { text, entities, keyboard, reply_to, silent, media: None };
    let id = world.bot_send(bot, chat, message)?;
    compose::shown(world, bot, id)
}

/// `reply_parameters`, or the older `reply_to_message_id`.
pub(super) fn reply_to(arguments: &Arguments) -> Result<Option<MessageId>, Refusal> {
    let parameters: Option<Value> = arguments.json("reply_parameters", "reply parameters JSON object")?;
    let newer = parameters.as_ref().and_then(|it| it.get("message_id")).and_then(Value::as_i64);
    let id = newer.or_else(|| arguments.number("reply_to_message_id"));
    Ok(id.and_then(|id| i32::try_from(id).ok()).map(MessageId))
}

pub(super) fn edit_text(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let id = compose::message_id(arguments)?;
    let text = compose::text(arguments, "text", "entities")?;
    if text.0.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    if world.mailbox_message(bot, id).is_some_and(|it| it.chat == chat && it.media().is_some()) {
        return Err(Refusal::bad("there is no text in the message to edit"));
    }
    let keyboard = compose::keyboard(arguments)?;
    world.bot_edit(bot, chat, id, &BotEdit { text: Some(text), keyboard, media: None })?;
    compose::shown(world, bot, id)
}

pub(super) fn edit_caption(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let id = compose::message_id(arguments)?;
    let text = compose::text(arguments, "caption", "caption_entities")?;
    if world.mailbox_message(bot, id).is_some_and(|it| it.chat == chat && it.media().is_none()) {
        return Err(Refusal::bad("there is no caption in the message to edit"));
    }
    let keyboard = compose::keyboard(arguments)?;
    world.bot_edit(bot, chat, id, &BotEdit { text: Some(text), keyboard, media: None })?;
    compose::shown(world, bot, id)
}

pub(super) fn edit_keyboard(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let id = compose::message_id(arguments)?;
    let keyboard = compose::keyboard(arguments)?;
    world.bot_edit(bot, chat, id, &BotEdit { keyboard, ..BotEdit::default() })?;
    compose::shown(world, bot, id)
}

pub(super) fn delete(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let id = compose::message_id(arguments)?;
    world.bot_delete(bot, chat, id)?;
    Ok(TRUE)
}

/// Those that are not there are passed over.
pub(super) fn delete_several(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let ids: Option<Vec<i32>> = arguments.json("message_ids", "message_ids")?;
    let ids = ids.filter(|ids| !ids.is_empty() && ids.len() <= 100);
    let ids = ids.ok_or_else(|| Refusal::bad("message identifiers are not specified"))?;
    for id in ids {
        if world.mailbox_message(bot, MessageId(id)).is_some() {
            world.bot_delete(bot, chat, MessageId(id))?;
        }
    }
    Ok(TRUE)
}
