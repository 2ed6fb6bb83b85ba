//! What a bot does in its chats: it sends, edits and deletes.

use crate::world::keyboard::{Keyboard, Press};
use crate::world::message::{Entity, Extra, Media, Message, Reply, Text};
use crate::world::post::Draft;
use crate::world::user::AccountState;
use crate::world::{Actor, ChatId, MessageId, Peer, Rpc, RpcError, UserId, World};

/// Bytes of `callback_data`.
pub const DATA_LEN_MAX: usize = 64;
const TEXT_LEN_MAX: usize = 4_096;
const CAPTION_LEN_MAX: usize = 1_024;
const BUTTONS_MAX: usize = 100;
/// For everybody: as long as Telegram lets bots delete.
const DELETE_SECS_MAX: i32 = 48 * 3600;

/// A message of a bot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BotMessage {
    pub text: String,
    pub entities: Vec<Entity>,
    pub media: Option<Media>,
    pub keyboard: Option<Keyboard>,
    pub reply_to: Option<MessageId>,
    pub silent: bool,
}

/// What an edit changes; the keyboard is always replaced, by none if there is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BotEdit {
    pub text: Option<(String, Vec<Entity>)>,
    pub media: Option<Media>,
    pub keyboard: Option<Keyboard>,
}

impl BotEdit {
    fn changes(&self, message: &Message) -> bool {
        let extra = message.extra.as_deref();
        let entities = extra.map_or(&[][..], |extra| extra.entities.as_slice());
        let text = |(text, styles): &(String, Vec<Entity>)| *text != message.text.as_str() || styles != entities;
        self.text.as_ref().is_some_and(text)
            || self.media.as_ref().is_some_and(|media| message.media() != Some(media))
            || self.keyboard.as_ref() != message.keyboard()
    }

    fn apply(&self, message: &mut Message, now: i32) {
        if let Some((text, _)) = &self.text {
            message.text = Text::new(text);
        }
        let extra = message.extra_mut();
        if let Some((_, entities)) = &self.text {
            extra.entities.clone_from(entities);
        }
        if let Some(media) = &self.media {
            extra.media = Some(media.clone());
        }
        extra.keyboard.clone_from(&self.keyboard);
        extra.edit_date = Some(now);
    }
}

impl World {
    /// Whether a bot may write to a chat; only private chats are simulated.
    ///
    /// # Errors
    /// `chat not found`, `USER_IS_BLOCKED` and the like, in Telegram's words where the Bot API passes them on.
    pub fn bot_may_write(&self, bot: UserId, chat: ChatId) -> Rpc<UserId> {
        let not_found = || RpcError::bad("chat not found");
        match chat.peer() {
            Peer::User(user) if user == bot => Err(RpcError::forbidden("bot can't send messages to itself")),
            Peer::User(user) => {
                let person = self.users.get(&user).ok_or_else(not_found)?;
                let it = self.bots.get(bot).ok_or_else(RpcError::unregistered)?;
                if person.bot {
                    return Err(RpcError::forbidden("bot can't send messages to bots"));
                }
                if person.state == AccountState::Banned {
                    return Err(RpcError::forbidden("user is deactivated"));
                }
                if !it.met.contains(&user) {
                    return Err(RpcError::forbidden("bot can't initiate conversation with a user"));
                }
                if it.blocked_by.contains(&user) {
                    return Err(RpcError::forbidden("bot was blocked by the user"));
                }
                Ok(user)
            }
            Peer::Group(_) | Peer::Channel(_) if !self.chats.contains_key(&chat) => Err(not_found()),
            Peer::Group(_) => Err(RpcError::forbidden("bot is not a member of the group chat")),
            Peer::Channel(_) => Err(RpcError::forbidden("bot is not a member of the channel chat")),
        }
    }

    /// Sends a message; gives the bot's id of it.
    ///
    /// # Errors
    /// As [`World::bot_may_write`]; `MESSAGE_EMPTY`, `MESSAGE_TOO_LONG`, `MEDIA_CAPTION_TOO_LONG`, `BUTTON_DATA_INVALID`.
    pub fn bot_send(&mut self, bot: UserId, chat: ChatId, message: BotMessage) -> Rpc<MessageId> {
        self.bot_may_write(bot, chat)?;
        check_text(&message.text, message.media.is_some())?;
        check_keyboard(message.keyboard.as_ref())?;
        let reply = match message.reply_to {
            Some(to) if self.mailbox_message(bot, to).is_none_or(|it| it.chat != chat) => {
                return Err(RpcError::bad("message to be replied not found"));
            }
            to => to.map(|to| Reply { to: Some(to), topic: None }),
        };
        let BotMessage { text, entities, media, keyboard, silent, .. } = message;
        let extra = Extra { media, entities, keyboard, reply, ..Extra::default() };
        let extra = (extra != Extra::default()).then(|| Box::new(extra));
        let draft = Draft { text: Text::new(&text), extra, silent, ..Draft::default() };
        let events = self.post(&Actor::of(bot), chat, &[draft]);
        self.bots.note_change();
        events.first().map(|event| event.id).ok_or_else(|| RpcError::bad("chat not found"))
    }

    /// Edits a message of the bot's own.
    ///
    /// # Errors
    /// `message to edit not found`, `message can't be edited`, `MESSAGE_NOT_MODIFIED`, and those of sending.
    pub fn bot_edit(&mut self, bot: UserId, chat: ChatId, id: MessageId, edit: &BotEdit) -> Rpc<()> {
        self.bot_may_write(bot, chat)?;
        let message = self.mailbox_message(bot, id).filter(|it| it.chat == chat);
        let message = message.ok_or_else(|| RpcError::bad("message to edit not found"))?;
        if message.by != bot || message.service().is_some() || message.forward.is_some() {
            return Err(RpcError::bad("message can't be edited"));
        }
        if let Some((text, _)) = &edit.text {
            check_text(text, message.media().is_some() || edit.media.is_some())?;
        }
        check_keyboard(edit.keyboard.as_ref())?;
        if !edit.changes(&message) {
            return Err(RpcError::bad("MESSAGE_NOT_MODIFIED"));
        }
        let now = self.now().unix_secs();
        self.change_copies(&Actor::of(bot), id, |message| edit.apply(message, now));
        self.bots.note_change();
        Ok(())
    }

    /// Deletes a message in a bot's chat, for both sides.
    ///
    /// # Errors
    /// `message to delete not found`, `message can't be deleted for everyone`.
    pub fn bot_delete(&mut self, bot: UserId, chat: ChatId, id: MessageId) -> Rpc<()> {
        let now = self.now().unix_secs();
        let message = self.mailbox_message(bot, id).filter(|it| it.chat == chat);
        let message = message.ok_or_else(|| RpcError::bad("message to delete not found"))?;
        if now.saturating_sub(message.date) > DELETE_SECS_MAX {
            return Err(RpcError::bad("message can't be deleted for everyone"));
        }
        self.delete_in_mailbox(&Actor::of(bot), &[id], true);
        self.bots.note_change();
        Ok(())
    }
}

fn check_text(text: &str, is_caption: bool) -> Rpc<()> {
    let len = text.encode_utf16().count();
    match is_caption {
        true if len > CAPTION_LEN_MAX => Err(RpcError::bad("MEDIA_CAPTION_TOO_LONG")),
        false if text.trim().is_empty() => Err(RpcError::bad("MESSAGE_EMPTY")),
        false if len > TEXT_LEN_MAX => Err(RpcError::bad("MESSAGE_TOO_LONG")),
        true | false => Ok(()),
    }
}

fn check_keyboard(keyboard: Option<&Keyboard>) -> Rpc<()> {
    let Some(keyboard) = keyboard else { return Ok(()) };
    if keyboard.buttons().count() > BUTTONS_MAX {
        return Err(RpcError::bad("REPLY_MARKUP_TOO_LONG"));
    }
    for button in keyboard.buttons() {
        match &button.press {
            Press::Callback(data) if data.is_empty() || data.len() > DATA_LEN_MAX => {
                return Err(RpcError::bad("BUTTON_DATA_INVALID"));
            }
            Press::Url(url) if !["http://", "https://", "tg://"].iter().any(|start| url.starts_with(start)) => {
                return Err(RpcError::bad("BUTTON_URL_INVALID"));
            }
            Press::Callback(_) | Press::Url(_) => {}
        }
    }
    Ok(())
}
