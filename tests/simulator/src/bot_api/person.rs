//! What people do in bots' chats, for tests in Rust and for the control API: write, press buttons, look.

use super::{entity, html, view};
use crate::server::Shared;
use crate::world::bots::callback::{ANSWER_SECS_MAX, CallbackAnswer};
use crate::world::bots::person::Line;
use crate::world::keyboard::Keyboard;
use crate::world::{ChatId, MessageId, Rpc, RpcError, UserId, World};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A message of a bot's chat, as the person sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatMessage {
    /// As the person counts.
    pub id: MessageId,
    /// As the bot counts: the Bot API's `message_id`.
    pub bot_message_id: Option<MessageId>,
    /// `bot` or `user`.
    pub from: &'static str,
    pub date: i32,
    pub text: String,
    /// The same with its styles.
    pub html: String,
    /// As the Bot API names them.
    pub entities: Vec<Value>,
    pub buttons: Keyboard,
    /// How often it was edited.
    pub edits: usize,
    /// Of a photo.
    pub photo: Option<PhotoSize>,
    pub forwarded_from: Option<ChatId>,
}

/// How large an uploaded photo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PhotoSize {
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}

/// A person writes to a bot; the person's id of the message.
///
/// # Errors
/// As [`World::say_to_bot`].
pub fn say(shared: &Shared, bot: UserId, user: UserId, text: &str) -> Rpc<MessageId> {
    shared.with_world(|world| world.say_to_bot(user, bot, text))
}

/// A person forwards a message of a chat to a bot.
///
/// # Errors
/// As [`World::forward_to_bot`].
pub fn forward(shared: &Shared, bot: UserId, user: UserId, from: ChatId, message: MessageId) -> Rpc<MessageId> {
    shared.with_world(|world| world.forward_to_bot(user, bot, from, message))
}

/// A person presses the button with this text and waits for the bot's answer.
///
/// # Errors
/// `BUTTON_INVALID` if there is none (or none with data), and as [`press`].
pub async fn press_button(
    shared: &Shared,
    bot: UserId,
    user: UserId,
    message: MessageId,
    button: &str,
) -> Rpc<CallbackAnswer> {
    let data = shared.with_world(|world| {
        let message = world.mailbox_message(user, message)?;
        message.keyboard()?.data_of(button).map(str::to_owned)
    });
    let data = data.ok_or_else(|| RpcError::bad("BUTTON_INVALID"))?;
    press(shared, bot, user, message, &data).await
}

/// A person's client sends this data from a message, whatever its buttons, and waits for the bot's answer: 10 s at most.
///
/// # Errors
/// As [`World::press_button`], and `BOT_RESPONSE_TIMEOUT`.
pub async fn press(shared: &Shared, bot: UserId, user: UserId, message: MessageId, data: &str) -> Rpc<CallbackAnswer> {
    let query = shared.with_world(|world| world.press_button(user, bot, message, data))?;
    let mut news = shared.news();
    let ends_at = Instant::now() + Duration::from_secs(ANSWER_SECS_MAX);
    loop {
        news.mark_unchanged();
        if let Some(answer) = shared.with_world(|world| world.callback_answer(bot, query)) {
            return Ok(answer);
        }
        if timeout_at(ends_at, news.changed()).await.is_err() {
            return Err(RpcError::bad("BOT_RESPONSE_TIMEOUT"));
        }
    }
}

/// What a person sees in the chat with a bot, oldest first.
#[must_use]
pub fn chat(world: &World, bot: UserId, user: UserId) -> Vec<ChatMessage> {
    world.bot_chat(user, bot).into_iter().map(|line| seen(world, line)).collect()
}

/// The same, once it is as `holds` wants it; `None` if that does not come within `patience`.
pub async fn chat_when(
    shared: &Shared,
    bot: UserId,
    user: UserId,
    patience: Duration,
    holds: impl Fn(&[ChatMessage]) -> bool,
) -> Option<Vec<ChatMessage>> {
    let mut news = shared.news();
    let ends_at = Instant::now() + patience;
    loop {
        news.mark_unchanged();
        let chat = shared.with_world(|world| chat(world, bot, user));
        if holds(&chat) {
            return Some(chat);
        }
        timeout_at(ends_at, news.changed()).await.ok()?.ok()?;
    }
}

fn seen(world: &World, line: Line) -> ChatMessage {
    let photo = line.photo.and_then(|photo| world.bots.files.get(&photo));
    ChatMessage {
        id: line.id,
        bot_message_id: line.bot_message_id,
        from: if line.by_bot { "bot" } else { "user" },
        date: line.date,
        html: html::render(&line.text, &line.entities),
        entities: line.entities.iter().map(entity::view).collect(),
        text: line.text,
        buttons: line.keyboard.unwrap_or_default(),
        edits: line.edits,
        photo: photo.map(|it| PhotoSize { width: it.width, height: it.height, bytes: it.bytes.len() }),
        forwarded_from: line.forwarded_from,
    }
}

/// What an update would look like now: for tests that forge them.
#[must_use]
pub fn pending(world: &World, bot: UserId) -> Vec<Value> {
    let updates = world.bots.get(bot).into_iter().flat_map(|it| it.updates.iter());
    updates.map(|update| view::update(world, bot, update)).collect()
}
