//! The other side of a bot's chat: what a person writes, and what stands in the chat.

use super::super::forward::ForwardRequest;
use super::super::seed::signed;
use crate::world::call::Ticket;
use crate::world::keyboard::Keyboard;
use crate::world::message::{Entity, Media};
use crate::world::post::Draft;
use crate::world::user::MailboxChange;
use crate::world::{Actor, ChatId, MessageId, Rpc, RpcError, UserId, World};
use rand::RngCore;

/// A message of a bot's chat, as the person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// In the person's mailbox.
    pub id: MessageId,
    /// In the bot's mailbox: the Bot API's `message_id`.
    pub bot_message_id: Option<MessageId>,
    pub by_bot: bool,
    pub date: i32,
    pub text: String,
    pub entities: Vec<Entity>,
    pub keyboard: Option<Keyboard>,
    /// How often it was edited.
    pub edits: usize,
    /// Of a photo that the bot uploaded: its number.
    pub photo: Option<i64>,
    pub forwarded_from: Option<ChatId>,
}

impl World {
    /// A person writes to a bot. Gives the person's id of the message.
    ///
    /// # Errors
    /// `PEER_ID_INVALID` for unknown people and bots, `MESSAGE_EMPTY`.
    pub fn say_to_bot(&mut self, user: UserId, bot: UserId, text: &str) -> Rpc<MessageId> {
        self.check_bot_chat(user, bot)?;
        if text.trim().is_empty() {
            return Err(RpcError::bad("MESSAGE_EMPTY"));
        }
        self.login.text_sent(text);
        let events = self.post(&Actor::of(user), ChatId::user(bot), &[Draft::text(text)]);
        events.first().map(|event| event.id).ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))
    }

    /// A person forwards a message to a bot, by Telegram's rules: only what the person may read, and nothing protected.
    ///
    /// # Errors
    /// As for any forward.
    pub fn forward_to_bot(&mut self, user: UserId, bot: UserId, from: ChatId, message: MessageId) -> Rpc<MessageId> {
        self.check_bot_chat(user, bot)?;
        let random_id = signed(self.rng.next_u64() | 1);
        let request = ForwardRequest::new(from, ChatId::user(bot), vec![message], vec![random_id]);
        let forwarded = self.forward(&Actor::of(user), &request, &mut Ticket::default())?;
        forwarded.events.first().map(|event| event.id).ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))
    }

    /// What a person sees in the chat with a bot, oldest first.
    #[must_use]
    pub fn bot_chat(&self, user: UserId, bot: UserId) -> Vec<Line> {
        let mut ids: Vec<MessageId> = self.visible_ids(user, ChatId::user(bot), MessageId(i32::MAX)).collect();
        ids.reverse();
        ids.into_iter().filter_map(|id| self.line(user, bot, id)).collect()
    }

    fn line(&self, user: UserId, bot: UserId, id: MessageId) -> Option<Line> {
        let mailbox = &self.users.get(&user)?.mailbox;
        let message = mailbox.history.get(id)?;
        let edits = mailbox.log.iter().filter(|event| event.kind == MailboxChange::Edited(id)).count();
        let photo = match message.media() {
            Some(Media::Photo { id }) => Some(*id),
            _ => None,
        };
        Some(Line {
            id,
            bot_message_id: self.twin_of(user, id).and_then(|twin| self.in_mailbox(bot, twin)),
            by_bot: message.by == bot,
            date: message.date,
            text: message.text.as_str().into_owned(),
            entities: message.extra.as_deref().map(|extra| extra.entities.clone()).unwrap_or_default(),
            keyboard: message.keyboard().cloned(),
            edits,
            photo,
            forwarded_from: message.forward.named(),
        })
    }

    fn check_bot_chat(&self, user: UserId, bot: UserId) -> Rpc<()> {
        let known = self.users.contains_key(&user) && self.bots.get(bot).is_some();
        if known { Ok(()) } else { Err(RpcError::bad("PEER_ID_INVALID")) }
    }
}
