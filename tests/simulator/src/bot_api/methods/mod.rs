//! The methods, each a plain function of world and arguments.

mod about;
mod commands;
mod compose;
mod messages;
mod photos;
mod webhook;

use super::refusal::Refusal;
use super::request::Arguments;
use super::{Answer, Reply};
use crate::world::bots::callback::CallbackAnswer;
use crate::world::{UserId, World};
use serde_json::Value;

/// What the limits look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sends or edits a message.
    Message,
    Other,
}

/// Of which kind a method is; names in lower case.
pub(super) fn kind(method: &str) -> Kind {
    match method {
        "sendmessage"
        | "sendphoto"
        | "editmessagetext"
        | "editmessagecaption"
        | "editmessagemedia"
        | "editmessagereplymarkup" => Kind::Message,
        _ => Kind::Other,
    }
}

/// Carries out a method.
pub(super) fn perform(world: &mut World, bot: UserId, method: &str, arguments: &Arguments) -> Reply {
    match method {
        "getme" => about::get_me(world, bot),
        "getchat" => about::get_chat(world, bot, arguments),
        "getfile" => photos::get_file(world, arguments),
        "setwebhook" => webhook::set(world, bot, arguments),
        "deletewebhook" => webhook::delete(world, bot, arguments),
        "getwebhookinfo" => webhook::info(world, bot),
        "sendmessage" => messages::send(world, bot, arguments),
        "sendphoto" => photos::send(world, bot, arguments),
        "editmessagetext" => messages::edit_text(world, bot, arguments),
        "editmessagecaption" => messages::edit_caption(world, bot, arguments),
        "editmessagemedia" => photos::edit(world, bot, arguments),
        "editmessagereplymarkup" => messages::edit_keyboard(world, bot, arguments),
        "deletemessage" => messages::delete(world, bot, arguments),
        "deletemessages" => messages::delete_several(world, bot, arguments),
        "sendchataction" => about::send_chat_action(world, bot, arguments),
        "answercallbackquery" => answer_callback_query(world, bot, arguments),
        "setmycommands" => commands::set(world, bot, arguments),
        "getmycommands" => commands::get(world, bot, arguments),
        "deletemycommands" => commands::delete(world, bot, arguments),
        _ => Err(Refusal::new(404, "Not Found: method not found")),
    }
}

const TRUE: Answer = Answer { result: Value::Bool(true), description: None };

fn answer_callback_query(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let id = arguments.number("callback_query_id").unwrap_or(0);
    let text = arguments.text("text").map(str::to_owned);
    let url = arguments.text("url").map(str::to_owned);
    world.answer_callback(bot, id, CallbackAnswer { text, alert: arguments.flag("show_alert"), url })?;
    Ok(TRUE)
}
