//! Reading: pages of history, messages by id, read marks, dialogs.

use super::history::{Window, cut};
use super::updates::WorldUpdate;
use super::user::MailboxChange;
use super::{Actor, ChatId, Message, MessageId, Peer, Rpc, RpcError, UserId, World, seed};
use rand::RngCore;
use std::borrow::Cow;
use std::sync::Arc;

/// A page of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub ids: Vec<MessageId>,
    /// Messages in the whole chat.
    pub total: usize,
}

/// A line of the chat list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialog {
    pub chat: ChatId,
    pub top: MessageId,
    pub date: i32,
    pub read_inbox: MessageId,
    pub read_outbox: MessageId,
    pub unread: i32,
}

impl World {
    /// `messages.getHistory`.
    ///
    /// # Errors
    /// `CHANNEL_INVALID`, `CHANNEL_PRIVATE`, `PEER_ID_INVALID`.
    pub fn history(&mut self, viewer: UserId, chat: ChatId, window: Window) -> Rpc<Page> {
        self.check_peer(viewer, chat)?;
        let (mut ids, total) = if chat.is_channel() {
            let channel = self.readable(viewer, chat)?;
            (channel.history.window(window), channel.history.len())
        } else {
            self.mailbox_window(viewer, chat, window)
        };
        if self.quirks.short_history_pages && ids.len() > 1 && seed::draw(self.rng.next_u64(), 10) == 0 {
            let keep = ids.len().div_ceil(2);
            // Upward pages lose their newest, downward ones their oldest: never what is next to the offset.
            if window.add_offset < 0 && window.add_offset.saturating_add(window.limit) <= 0 {
                ids.drain(..ids.len() - keep);
            } else if window.add_offset >= 0 {
                ids.truncate(keep);
            }
        }
        Ok(Page { ids, total })
    }

    /// A message by id: `None` where there is none to see.
    ///
    /// # Errors
    /// As for [`World::history`].
    pub fn messages_by_id(
        &self,
        viewer: UserId,
        chat: ChatId,
        ids: &[MessageId],
    ) -> Rpc<Vec<Option<Cow<'_, Message>>>> {
        self.check_peer(viewer, chat)?;
        if chat.is_channel() {
            self.readable(viewer, chat)?;
        }
        Ok(ids.iter().map(|id| self.message(viewer, chat, *id)).collect())
    }

    /// A message of an account's mailbox, whatever its chat.
    #[must_use]
    pub fn mailbox_message(&self, viewer: UserId, id: MessageId) -> Option<Cow<'_, Message>> {
        self.users.get(&viewer)?.mailbox.history.get(id)
    }

    /// A channel that an account may read.
    pub(crate) fn readable(&self, viewer: UserId, chat: ChatId) -> Rpc<&super::chat::Chat> {
        let found = self.chats.get(&chat).ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        found.may_read(viewer)?;
        Ok(found)
    }

    fn mailbox_window(&self, viewer: UserId, chat: ChatId, window: Window) -> (Vec<MessageId>, usize) {
        let Some(mailbox) = self.users.get(&viewer).map(|user| &user.mailbox) else { return (Vec::new(), 0) };
        let Some(ids) = mailbox.by_chat.get(&chat) else { return (Vec::new(), 0) };
        let visible = |id: &&MessageId| mailbox.history.get(**id).is_some();
        let at = ids.partition_point(|id| *id < mailbox.history.base(window));
        let older = || ids[..at].iter().rev().filter(visible).copied();
        let newer = || ids[at..].iter().filter(visible).copied();
        (cut(window, older, newer), ids.iter().filter(visible).count())
    }

    /// The ids an account can see in a chat, newest first.
    pub(crate) fn visible_ids(
        &self,
        viewer: UserId,
        chat: ChatId,
        before: MessageId,
    ) -> Box<dyn Iterator<Item = MessageId> + '_> {
        if chat.is_channel() {
            return match self.chats.get(&chat) {
                Some(channel) => Box::new(channel.history.older(before)),
                None => Box::new(std::iter::empty()),
            };
        }
        let Some(mailbox) = self.users.get(&viewer).map(|user| &user.mailbox) else {
            return Box::new(std::iter::empty());
        };
        let ids = mailbox.by_chat.get(&chat).map_or(&[][..], Vec::as_slice);
        Box::new(ids.iter().rev().copied().filter(move |id| *id < before && mailbox.history.get(*id).is_some()))
    }

    /// Marks a chat as read up to an id. Gives the account's pts and how far it moved.
    ///
    /// # Errors
    /// As for [`World::history`].
    pub fn read(&mut self, actor: &Actor, chat: ChatId, upto: MessageId) -> Rpc<(i32, i32)> {
        self.check_peer(actor.user, chat)?;
        let except = Some((actor.auth_key, actor.session));
        if let Some(channel) = self.chats.get_mut(&chat).filter(|_| chat.is_channel()) {
            channel.may_read(actor.user)?;
            let upto = upto.min(channel.history.last_id());
            if let Some(member) = channel.members.get_mut(&actor.user) {
                member.read_upto = member.read_upto.max(upto);
            }
            let pts = channel.pts;
            let update = WorldUpdate::ReadInbox { chat, upto, unread: 0, pts, count: 0 };
            self.push(actor.user, except, Arc::new(update));
            return Ok((pts, 0));
        }
        let Some(user) = self.users.get_mut(&actor.user) else { return Err(RpcError::unregistered()) };
        let last = user.mailbox.by_chat.get(&chat).and_then(|ids| ids.last().copied()).unwrap_or(MessageId(0));
        let upto = if upto.0 <= 0 { last } else { upto.min(last) };
        let before = user.mailbox.read_inbox.insert(chat, upto);
        if before >= Some(upto) {
            return Ok((user.mailbox.pts, 0));
        }
        let pts = user.mailbox.log(1, MailboxChange::ReadInbox { chat, upto });
        let update = WorldUpdate::ReadInbox { chat, upto, unread: 0, pts, count: 1 };
        self.push(actor.user, except, Arc::new(update));
        Ok((pts, 1))
    }

    /// The chat list, newest first.
    #[must_use]
    pub fn dialogs(&self, viewer: UserId) -> Vec<Dialog> {
        let mut chats: Vec<ChatId> =
            self.users.get(&viewer).map(|u| u.mailbox.by_chat.keys().copied().collect()).unwrap_or_default();
        for chat in self.chats.values().filter(|chat| chat.is_member(viewer)) {
            if !chats.contains(&chat.id) {
                chats.push(chat.id);
            }
        }
        let mut out: Vec<Dialog> = chats.into_iter().filter_map(|chat| self.dialog(viewer, chat)).collect();
        out.sort_by_key(|dialog| (std::cmp::Reverse(dialog.date), dialog.chat));
        out
    }

    /// One line of the chat list.
    #[must_use]
    pub fn dialog(&self, viewer: UserId, chat: ChatId) -> Option<Dialog> {
        let top = self.visible_ids(viewer, chat, MessageId(i32::MAX)).next();
        let date = top.and_then(|id| self.message(viewer, chat, id)).map(|message| message.date);
        let date = date.or_else(|| self.chats.get(&chat).map(|chat| chat.date)).unwrap_or(0);
        let mailbox = &self.users.get(&viewer)?.mailbox;
        let read_inbox = match chat.peer() {
            Peer::Channel(_) => {
                self.chats.get(&chat)?.members.get(&viewer).map_or(MessageId(0), |member| member.read_upto)
            }
            Peer::User(_) | Peer::Group(_) => mailbox.read_inbox.get(&chat).copied().unwrap_or(MessageId(0)),
        };
        let read_outbox = mailbox.read_outbox.get(&chat).copied().unwrap_or(MessageId(0));
        let top = top.unwrap_or(MessageId(0));
        Some(Dialog { chat, top, date, read_inbox, read_outbox, unread: (top.0 - read_inbox.0).max(0) })
    }
}
