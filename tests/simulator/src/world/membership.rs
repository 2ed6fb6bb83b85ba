//! Joining and leaving.

use super::chat::{ChatKind, Role};
use super::message::{Extra, Service};
use super::post::Draft;
use super::updates::NewEvent;
use super::{Actor, ChatId, Rpc, RpcError, World};

impl World {
    /// Joins a public chat, or (by link) a private one.
    ///
    /// # Errors
    /// `CHANNEL_PRIVATE`, `USER_ALREADY_PARTICIPANT`, `CHANNEL_INVALID`.
    pub fn join(&mut self, actor: &Actor, id: ChatId, by_link: bool) -> Rpc<Vec<NewEvent>> {
        let now = self.now();
        let chat = self.chats.get_mut(&id).ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        match chat.role(actor.user) {
            Role::Banned => return Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left if chat.username.is_none() && !by_link => return Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left => {}
            Role::Creator | Role::Admin(_) | Role::Member | Role::Restricted(_) => {
                return if by_link { Err(RpcError::bad("USER_ALREADY_PARTICIPANT")) } else { Ok(Vec::new()) };
            }
        }
        chat.put(actor.user, Role::Member, now);
        let quiet = chat.kind == ChatKind::Broadcast;
        Ok(if quiet { Vec::new() } else { self.post_service(actor, id, Service::Join { users: vec![actor.user] }) })
    }

    /// Leaves a chat.
    ///
    /// # Errors
    /// `USER_NOT_PARTICIPANT`, `USER_CREATOR`, `CHANNEL_INVALID`.
    pub fn leave(&mut self, actor: &Actor, id: ChatId) -> Rpc<Vec<NewEvent>> {
        let now = self.now();
        let chat = self.chats.get_mut(&id).ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        match chat.role(actor.user) {
            Role::Left | Role::Banned => return Err(RpcError::bad("USER_NOT_PARTICIPANT")),
            Role::Creator => return Err(RpcError::bad("USER_CREATOR")),
            Role::Admin(_) | Role::Member | Role::Restricted(_) => {}
        }
        let quiet = chat.kind == ChatKind::Broadcast;
        let told = if quiet { Vec::new() } else { self.post_service(actor, id, Service::Leave { user: actor.user }) };
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.put(actor.user, Role::Left, now);
        }
        Ok(told)
    }

    /// Puts a service message into a chat.
    pub fn post_service(&mut self, actor: &Actor, chat: ChatId, service: Service) -> Vec<NewEvent> {
        let extra = Extra { service: Some(service), ..Extra::default() };
        self.post(actor, chat, &[Draft { extra: Some(Box::new(extra)), ..Draft::default() }])
    }
}
