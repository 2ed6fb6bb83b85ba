//! The command menu: a list for every scope and language. Which list a client shows is the client's choice.

use super::{Arguments, Refusal, Reply, TRUE};
use crate::bot_api::Answer;
use crate::world::bots::{BotCommand, CommandsKey};
use crate::world::{UserId, World};
use serde_json::{Value, json};

const COMMANDS_MAX: usize = 100;

pub(super) fn set(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let commands: Option<Vec<BotCommand>> = arguments.json("commands", "commands")?;
    let mut commands = commands.ok_or_else(|| Refusal::bad("parameter \"commands\" is required"))?;
    if commands.len() > COMMANDS_MAX {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for it in &mut commands {
        it.command = it.command.trim().trim_start_matches('/').to_owned();
        let plain = it.command.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !plain || !(1..=32).contains(&it.command.len()) {
            return Err(Refusal::bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&it.description.chars().count()) {
            return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    let key = key(arguments)?;
    if let Some(it) = world.bots.get_mut(bot) {
        it.commands.insert(key, commands);
    }
    Ok(TRUE)
}

pub(super) fn get(world: &World, bot: UserId, arguments: &Arguments) -> Reply {
    let key = key(arguments)?;
    let commands = world.bots.get(bot).and_then(|bot| bot.commands.get(&key));
    Ok(Answer::from(json!(commands.map_or(&[][..], Vec::as_slice))))
}

pub(super) fn delete(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let key = key(arguments)?;
    if let Some(it) = world.bots.get_mut(bot) {
        it.commands.remove(&key);
    }
    Ok(TRUE)
}

fn key(arguments: &Arguments) -> Result<CommandsKey, Refusal> {
    let scope: Option<Value> = arguments.json("scope", "BotCommandScope")?;
    let scope = scope.unwrap_or_else(|| json!({ "type": "default" }));
    let known = ["default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"];
    if !scope["type"].as_str().is_some_and(|kind| known.contains(&kind)) {
        return Err(Refusal::bad("can't parse BotCommandScope: unsupported type specified"));
    }
    let language_code = arguments.text("language_code").unwrap_or_default().to_owned();
    if !matches!(language_code.len(), 0 | 2) {
        return Err(Refusal::bad("invalid language code specified"));
    }
    // Names of a JSON object are sorted, so equal scopes are equal texts.
    Ok(CommandsKey { scope: scope.to_string(), language_code })
}
