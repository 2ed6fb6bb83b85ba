//! Bots: what people write to them and press, what stands in their chats, and how the Bot API is to behave.

use super::{Control, DONE, Done, Refused, Reply, body};
use crate::bot_api::person::{self, ChatMessage};
use crate::world::bots::callback::CallbackAnswer;
use crate::world::bots::limits::{BotCall, Limits, Script};
use crate::world::bots::{BotCommand, CommandsKey};
use crate::world::{ChatId, MessageId, RpcError, UserId, World};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct BotView {
    id: UserId,
    username: Option<String>,
    name: String,
    token: String,
    webhook: Option<String>,
    pending_updates: usize,
    commands: Vec<CommandsView>,
}

#[derive(Serialize)]
struct CommandsView {
    #[serde(flatten)]
    key: CommandsKey,
    commands: Vec<BotCommand>,
}

pub(super) async fn list(State(control): State<Control>) -> Json<Vec<BotView>> {
    Json(control.shared.with_world(|world| {
        let views = world.bots.iter().map(|bot| {
            let user = world.users.get(&bot.id);
            let commands = bot.commands.iter();
            BotView {
                id: bot.id,
                username: user.and_then(|user| user.username.clone()),
                name: user.map(|user| user.first_name.clone()).unwrap_or_default(),
                token: bot.token.clone(),
                webhook: bot.webhook.as_ref().map(|webhook| webhook.url.clone()),
                pending_updates: bot.updates.pending(),
                commands: commands.map(|(key, it)| CommandsView { key: key.clone(), commands: it.clone() }).collect(),
            }
        });
        views.collect()
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SayBody {
    user: UserId,
    #[serde(default)]
    text: Option<String>,
    /// Changes what the user's client speaks from now on.
    #[serde(default)]
    language_code: Option<String>,
    #[serde(default)]
    forward_from: Option<ForwardFrom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForwardFrom {
    chat: ChatId,
    message: MessageId,
}

#[derive(Serialize)]
pub(super) struct Said {
    id: MessageId,
}

pub(super) async fn say(State(control): State<Control>, Path(bot): Path<i64>, bytes: Bytes) -> Reply<Said> {
    let said: SayBody = body(&bytes)?;
    let bot = UserId(bot);
    let id = control.shared.with_world(|world| {
        known(world, bot, said.user)?;
        if let (Some(user), Some(code)) = (world.users.get_mut(&said.user), said.language_code) {
            user.language_code = Some(code);
        }
        let done = match (said.text, said.forward_from) {
            (Some(text), None) => world.say_to_bot(said.user, bot, &text),
            (None, Some(from)) => world.forward_to_bot(said.user, bot, from.chat, from.message),
            _ => return Err(Refused::bad("say either 'text' or 'forward_from'")),
        };
        done.map_err(|error| Refused::bad(error.message))
    })?;
    Ok(Json(Said { id }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PressBody {
    user: UserId,
    /// As the user counts; the newest message with buttons when left out.
    #[serde(default)]
    message: Option<MessageId>,
    /// Any data, whether there is such a button or not.
    #[serde(default)]
    data: Option<String>,
    /// The text of a button that is there.
    #[serde(default)]
    button: Option<String>,
}

pub(super) async fn press(State(control): State<Control>, Path(bot): Path<i64>, bytes: Bytes) -> Reply<CallbackAnswer> {
    let PressBody { user, message, data, button } = body(&bytes)?;
    let (bot, shared) = (UserId(bot), &control.shared);
    let chat = shared.with_world(|world| {
        known(world, bot, user)?;
        Ok(person::chat(world, bot, user))
    })?;
    let newest = || chat.iter().rev().find(|line| !line.buttons.is_empty()).map(|line| line.id);
    let message = message.or_else(newest).ok_or_else(|| Refused::bad("no message of this chat has buttons"))?;
    let pressed = match (data, button) {
        (Some(data), None) => person::press(shared, bot, user, message, &data).await,
        (None, Some(button)) => person::press_button(shared, bot, user, message, &button).await,
        _ => return Err(Refused::bad("press either 'data' or 'button'")),
    };
    pressed.map(Json).map_err(|error| refused(&chat, message, &error))
}

fn refused(chat: &[ChatMessage], message: MessageId, error: &RpcError) -> Refused {
    if error.message == "BOT_RESPONSE_TIMEOUT" {
        return Refused { status: StatusCode::GATEWAY_TIMEOUT, error: "BOT_RESPONSE_TIMEOUT".to_owned() };
    }
    let there: Vec<&str> = chat
        .iter()
        .filter(|line| line.id == message)
        .flat_map(|line| line.buttons.buttons())
        .map(|button| button.text.as_str())
        .collect();
    Refused::bad(format!("{}: message {message} has these buttons: {there:?}", error.message))
}

pub(super) async fn chat(
    State(control): State<Control>,
    Path((bot, user)): Path<(i64, i64)>,
) -> Reply<Vec<ChatMessage>> {
    let (bot, user) = (UserId(bot), UserId(user));
    control.shared.with_world(|world| {
        known(world, bot, user)?;
        Ok(Json(person::chat(world, bot, user)))
    })
}

/// The bytes of a photo in a chat, by the user's id of the message.
pub(super) async fn photo(
    State(control): State<Control>,
    Path((bot, user, message)): Path<(i64, i64, i32)>,
) -> Result<Response, Refused> {
    let found = control.shared.with_world(|world| {
        let lines = world.bot_chat(UserId(user), UserId(bot));
        let photo = lines.into_iter().find(|line| line.id == MessageId(message))?.photo?;
        Some(world.bots.files.get(&photo)?.bytes.to_vec())
    });
    let bytes = found.ok_or_else(|| Refused::missing(format!("message {message} has no photo that a bot uploaded")))?;
    Ok(([("content-type", "application/octet-stream")], bytes).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockBody {
    user: UserId,
    #[serde(default = "on")]
    on: bool,
}

fn on() -> bool {
    true
}

pub(super) async fn block(State(control): State<Control>, Path(bot): Path<i64>, bytes: Bytes) -> Reply<Done> {
    let BlockBody { user, on } = body(&bytes)?;
    let bot = UserId(bot);
    control.shared.with_world(|world| {
        known(world, bot, user)?;
        world.block_bot(bot, user, on);
        Ok(DONE)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsBody {
    /// Replaces them.
    #[serde(default)]
    limits: Option<Limits>,
    /// Are added.
    #[serde(default)]
    scripts: Vec<Script>,
}

pub(super) async fn limits(State(control): State<Control>, bytes: Bytes) -> Reply<Limits> {
    let LimitsBody { limits, scripts } = body(&bytes)?;
    Ok(Json(control.shared.with_world(|world| {
        if let Some(limits) = limits {
            world.bots.limits = limits;
        }
        world.bots.scripts.extend(scripts);
        world.bots.limits
    })))
}

pub(super) async fn calls(State(control): State<Control>, Path(bot): Path<i64>) -> Json<Vec<BotCall>> {
    let bot = UserId(bot);
    Json(control.shared.with_world(|world| world.bots.calls.iter().filter(|call| call.bot == bot).cloned().collect()))
}

pub(super) async fn updates(State(control): State<Control>, Path(bot): Path<i64>) -> Json<Vec<Value>> {
    Json(control.shared.with_world(|world| person::pending(world, UserId(bot))))
}

fn known(world: &World, bot: UserId, user: UserId) -> Result<(), Refused> {
    if world.bots.get(bot).is_none() {
        return Err(Refused::missing(format!("there is no bot {bot}: add it with POST /scenario first")));
    }
    if !world.users.contains_key(&user) {
        return Err(Refused::missing(format!("there is no user {user}: add it with POST /scenario first")));
    }
    Ok(())
}
