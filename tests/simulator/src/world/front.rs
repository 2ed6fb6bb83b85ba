//! The in-process front: the calls that a host needs, with own types and everything that surrounds a call over a socket
//! (audit, faults, floods) but the bytes. Entries are closed at once, since there is no wire that could lose the reply.

use super::call::{About, Actor, Done};
use super::forward::{ForwardRequest, Forwarded};
use super::history::Window;
use super::reading::Page;
use super::updates::{Difference, State};
use super::user::AccountState;
use super::{ChatId, Message, MessageId, Rpc, RpcError, UserId, World};

/// The newest message of a chat.
#[derive(Debug, Clone, PartialEq)]
pub struct NewestMessage {
    /// `None` in an empty chat.
    pub message: Option<Message>,
    /// Messages in the whole chat.
    pub total: usize,
    /// Where a channel's update sequence stands.
    pub pts: Option<i32>,
}

impl World {
    /// `contacts.resolveUsername`.
    pub fn call_resolve(&mut self, actor: &Actor, username: &str) -> Done<ChatId> {
        self.done(actor, About::of("contacts.resolveUsername"), |world, _| world.resolve(username))
    }

    /// `messages.getHistory` with the messages themselves, newest first.
    pub fn call_history(&mut self, actor: &Actor, chat: ChatId, window: Window) -> Done<Vec<Message>> {
        let about = About::of("messages.getHistory").from(Some(chat));
        self.done(actor, about, |world, _| {
            let Page { ids, .. } = world.history(actor.user, chat, window)?;
            Ok(ids.iter().filter_map(|id| Some(world.message(actor.user, chat, *id)?.into_owned())).collect())
        })
    }

    /// The next messages above an id, oldest first.
    pub fn call_history_up(&mut self, actor: &Actor, chat: ChatId, above: MessageId, limit: i32) -> Done<Vec<Message>> {
        let offset_id = above.0.saturating_add(1);
        let mut done =
            self.call_history(actor, chat, Window { offset_id, add_offset: -limit, limit, ..Window::default() });
        if let Ok(page) = done.result.as_mut() {
            page.reverse();
        }
        done
    }

    /// `channels.getMessages` or `messages.getMessages`.
    pub fn call_messages(&mut self, actor: &Actor, chat: ChatId, ids: &[MessageId]) -> Done<Vec<Option<Message>>> {
        let about = About::of("channels.getMessages").from(Some(chat)).count(ids.len());
        self.done(actor, about, |world, _| {
            let found = world.messages_by_id(actor.user, chat, ids)?;
            Ok(found.into_iter().map(|message| message.map(std::borrow::Cow::into_owned)).collect())
        })
    }

    /// `messages.forwardMessages`.
    pub fn call_forward(&mut self, actor: &Actor, request: &ForwardRequest) -> Done<Forwarded> {
        let about = About::of("messages.forwardMessages").to(Some(request.to)).from(Some(request.from));
        self.done(actor, about.count(request.ids.len()), |world, ticket| world.forward(actor, request, ticket))
    }

    /// `updates.getChannelDifference`.
    pub fn call_channel_difference(&mut self, actor: &Actor, chat: ChatId, pts: i32) -> Done<Difference> {
        let about = About::of("updates.getChannelDifference").from(Some(chat));
        self.done(actor, about, |world, _| world.channel_difference(actor.user, chat, pts, 100))
    }

    /// `updates.getDifference`.
    pub fn call_difference(&mut self, actor: &Actor, pts: i32) -> Done<Difference> {
        self.done(actor, About::of("updates.getDifference"), |world, _| Ok(world.difference(actor.user, pts)))
    }

    /// `users.getUsers` for oneself.
    pub fn call_me(&mut self, actor: &Actor) -> Done<UserId> {
        self.done(actor, About::of("users.getUsers"), |_, _| Ok(actor.user))
    }

    /// `channels.getChannels`: whether an account may name this peer by this access hash.
    pub fn call_look(&mut self, actor: &Actor, chat: ChatId, access_hash: i64) -> Done<ChatId> {
        let about = About::of("channels.getChannels").from(Some(chat));
        self.done(actor, about, |world, _| world.check_access(actor.user, chat, access_hash).map(|()| chat))
    }

    /// `channels.getFullChannel`.
    pub fn call_full(&mut self, actor: &Actor, chat: ChatId) -> Done<()> {
        let about = About::of("channels.getFullChannel").from(Some(chat));
        self.done(actor, about, |world, _| world.check_peer(actor.user, chat))
    }

    /// `messages.checkChatInvite`, by somebody who must be inside already.
    pub fn call_invite(&mut self, actor: &Actor, hash: &str) -> Done<ChatId> {
        self.done(actor, About::of("messages.checkChatInvite"), |world, _| {
            let chat = world.invite(hash)?;
            let inside = world.chat(chat).is_some_and(|chat| chat.is_member(actor.user));
            if inside { Ok(chat) } else { Err(RpcError::bad("USER_NOT_PARTICIPANT")) }
        })
    }

    /// `channels.joinChannel`.
    pub fn call_join(&mut self, actor: &Actor, chat: ChatId) -> Done<()> {
        let about = About::of("channels.joinChannel").to(Some(chat));
        self.done(actor, about, |world, _| world.join(actor, chat, false).map(drop))
    }

    /// `messages.importChatInvite`.
    pub fn call_import_invite(&mut self, actor: &Actor, hash: &str) -> Done<()> {
        self.done(actor, About::of("messages.importChatInvite"), |world, _| {
            let chat = world.invite(hash)?;
            world.join(actor, chat, true).map(drop)
        })
    }

    /// `auth.logOut`: the account's only key here is worthless from now on.
    pub fn call_log_out(&mut self, actor: &Actor) -> Done<()> {
        self.done(actor, About::of("auth.logOut"), |world, _| {
            if let Some(user) = world.users.get_mut(&actor.user) {
                user.state = AccountState::Unregistered;
            }
            Ok(())
        })
    }

    /// `messages.getDialogs`: the chats that an account is in, or has written in.
    pub fn call_dialogs(&mut self, actor: &Actor) -> Done<Vec<ChatId>> {
        self.done(actor, About::of("messages.getDialogs"), |world, _| {
            let private =
                world.users.get(&actor.user).into_iter().flat_map(|user| user.mailbox.by_chat.keys().copied());
            let inside = world.chats.values().filter(|chat| chat.is_member(actor.user)).map(|chat| chat.id);
            Ok(private.chain(inside).collect())
        })
    }

    /// `messages.getHistory` for the newest message (before a time, if that is not 0).
    pub fn call_newest(&mut self, actor: &Actor, chat: ChatId, offset_date: i32) -> Done<NewestMessage> {
        let about = About::of("messages.getHistory").from(Some(chat));
        self.done(actor, about, |world, _| {
            let window = Window { offset_date, limit: 1, ..Window::default() };
            let Page { ids, total } = world.history(actor.user, chat, window)?;
            let newest = ids.first().and_then(|id| world.message(actor.user, chat, *id));
            let pts = world.chat(chat).filter(|_| chat.is_channel()).map(|channel| channel.pts);
            Ok(NewestMessage { message: newest.map(std::borrow::Cow::into_owned), total, pts })
        })
    }

    /// `updates.getState`.
    pub fn call_state(&mut self, actor: &Actor) -> Done<State> {
        self.done(actor, About::of("updates.getState"), |world, _| Ok(world.state(actor.user)))
    }

    fn done<T>(
        &mut self,
        actor: &Actor,
        about: About,
        act: impl FnOnce(&mut World, &mut super::Ticket) -> Rpc<T>,
    ) -> Done<T> {
        let done = self.call(actor, about, act);
        let now = self.now();
        self.audit_end(done.audit, now);
        done
    }
}
