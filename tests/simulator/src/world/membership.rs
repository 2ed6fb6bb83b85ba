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
    /// `CHANNEL_PRIVATE`, `USER_ALREADY_PARTICIPANT`, `CHANNEL_INVALID`, `CHANNELS_TOO_MUCH`; `INVITE_REQUEST_SENT` where
    /// an admin has to let the account in.
    pub fn join(&mut self, actor: &Actor, id: ChatId, by_link: bool) -> Rpc<Vec<NewEvent>> {
        let now = self.now();
        let inside = self.chats.values().filter(|chat| chat.id.is_channel() && chat.is_member(actor.user)).count();
        let full = self.users.get(&actor.user).is_some_and(|user| inside >= user.channels_max);
        let chat = self.chats.get_mut(&id).ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        match chat.role(actor.user) {
            Role::Banned => return Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left if chat.username.is_none() && !by_link => return Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left => {}
            Role::Creator | Role::Admin(_) | Role::Member | Role::Restricted(_) => {
                return if by_link { Err(RpcError::bad("USER_ALREADY_PARTICIPANT")) } else { Ok(Vec::new()) };
            }
        }
        if full && id.is_channel() {
            return Err(RpcError::bad("CHANNELS_TOO_MUCH"));
        }
        if chat.join_request {
            chat.asked.insert(actor.user);
            return Err(RpcError::bad("INVITE_REQUEST_SENT"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;
    use crate::world::UserId;
    use crate::world::chat::Chat;
    use crate::world::user::User;

    fn world() -> (World, Actor) {
        let mut world = World::new(1, Clock::real());
        world.add_user(User::new(UserId(1), "+1", "A"));
        for n in 1..=3 {
            let mut chat = Chat::new(ChatId::channel(n), ChatKind::Broadcast, "C", 0);
            chat.username = Some(format!("c{n}"));
            world.add_chat(chat);
        }
        (world, Actor::of(UserId(1)))
    }

    #[test]
    fn an_account_that_is_in_enough_channels_joins_no_other() {
        let (mut world, me) = world();
        world.users.get_mut(&UserId(1)).unwrap().channels_max = 2;
        assert!(world.join(&me, ChatId::channel(1), false).is_ok());
        assert!(world.join(&me, ChatId::channel(2), false).is_ok());
        assert_eq!(world.join(&me, ChatId::channel(3), false).unwrap_err().message, "CHANNELS_TOO_MUCH");
        world.leave(&me, ChatId::channel(1)).unwrap();
        assert!(world.join(&me, ChatId::channel(3), false).is_ok());
    }

    #[test]
    fn where_an_admin_lets_people_in_a_request_is_sent() {
        let (mut world, me) = world();
        world.chats.get_mut(&ChatId::channel(1)).unwrap().join_request = true;
        assert_eq!(world.join(&me, ChatId::channel(1), true).unwrap_err().message, "INVITE_REQUEST_SENT");
        let chat = world.chat(ChatId::channel(1)).unwrap();
        assert!(chat.asked.contains(&UserId(1)) && !chat.is_member(UserId(1)));
    }
}
