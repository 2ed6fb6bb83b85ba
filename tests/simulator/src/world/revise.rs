//! Edits and deletions.

use super::chat::{ChannelChange, Chat, ChatKind, Role};
use super::message::{Entity, Media, Message, Text};
use super::updates::WorldUpdate;
use super::user::MailboxChange;
use super::{Actor, ChatId, MessageId, Peer, Rpc, RpcError, UserId, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an edit changes; `None` leaves it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Revision {
    pub text: Option<(String, Vec<Entity>)>,
    pub media: Option<Media>,
}

impl Revision {
    fn apply(&self, message: &mut Message, now: i32) {
        if let Some((text, entities)) = &self.text {
            message.text = Text::new(text);
            message.extra_mut().entities.clone_from(entities);
        }
        if let Some(media) = &self.media {
            message.extra_mut().media = Some(media.clone());
        }
        message.extra_mut().edit_date = Some(now);
    }

    fn changes(&self, message: &Message) -> bool {
        let text = self.text.as_ref().is_some_and(|(text, _)| *text != message.text.as_str());
        text || self.media.as_ref().is_some_and(|media| message.media() != Some(media))
    }
}

impl World {
    /// Edits a message. Gives the pts of the edit.
    ///
    /// # Errors
    /// `MESSAGE_ID_INVALID`, `MESSAGE_AUTHOR_REQUIRED`, `MESSAGE_NOT_MODIFIED`, and those of reading.
    pub fn edit(&mut self, actor: &Actor, chat: ChatId, id: MessageId, revision: &Revision) -> Rpc<i32> {
        self.check_peer(actor.user, chat)?;
        let now = self.now().unix_secs();
        let message = self.message(actor.user, chat, id).ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        if message.service().is_some() || message.forward.is_some() {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        let may_edit = self.chats.get(&chat).is_some_and(|channel| may_edit_others(channel, actor.user));
        if message.by != actor.user && !may_edit {
            return Err(RpcError::forbidden("MESSAGE_AUTHOR_REQUIRED"));
        }
        if !revision.changes(&message) {
            return Err(RpcError::bad("MESSAGE_NOT_MODIFIED"));
        }
        let except = Some((actor.auth_key, actor.session));
        if let Some(channel) = self.chats.get_mut(&chat).filter(|_| chat.is_channel()) {
            channel.history.change(id, |message| revision.apply(message, now));
            let pts = channel.log(1, ChannelChange::Edited(id));
            let members: Vec<UserId> = channel.insiders().collect();
            let update = Arc::new(WorldUpdate::Edited { chat, id, pts });
            for member in members {
                self.push(member, except.filter(|_| member == actor.user), Arc::clone(&update));
            }
            return Ok(pts);
        }
        Ok(self.change_copies(actor, id, |message| revision.apply(message, now)))
    }

    /// Changes every copy of a mailbox message and tells its owners. Gives the pts of the actor's own.
    pub(crate) fn change_copies(&mut self, actor: &Actor, id: MessageId, change: impl Fn(&mut Message)) -> i32 {
        let except = Some((actor.auth_key, actor.session));
        let mut own_pts = 0;
        for (reader, copy) in self.copies_of(actor.user, id) {
            let Some(user) = self.users.get_mut(&reader) else { continue };
            let Some(changed) = user.mailbox.history.change(copy, |message| {
                change(message);
                message.clone()
            }) else {
                continue;
            };
            let pts = user.mailbox.log(1, MailboxChange::Edited(copy));
            if reader == actor.user {
                own_pts = pts;
            }
            let update = WorldUpdate::Edited { chat: changed.chat, id: copy, pts };
            self.push(reader, except.filter(|_| reader == actor.user), Arc::new(update));
            self.bot_saw_edit(reader, &changed);
        }
        own_pts
    }

    /// `channels.deleteMessages`. Gives the channel's pts and how many went.
    ///
    /// # Errors
    /// `CHANNEL_INVALID`, `MESSAGE_DELETE_FORBIDDEN`.
    pub fn delete_in_channel(&mut self, actor: &Actor, chat: ChatId, ids: &[MessageId]) -> Rpc<(i32, i32)> {
        self.readable(actor.user, chat)?;
        let channel = self.chats.get_mut(&chat).ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        let may_all = match channel.role(actor.user) {
            Role::Creator => true,
            Role::Admin(rights) => rights.delete_messages,
            Role::Member | Role::Restricted(_) | Role::Banned | Role::Left => false,
        };
        let mut gone: Vec<MessageId> = Vec::new();
        for id in ids {
            let Some(by) = channel.history.get(*id).map(|message| message.by) else { continue };
            if !may_all && by != actor.user {
                return Err(RpcError::forbidden("MESSAGE_DELETE_FORBIDDEN"));
            }
            if !gone.contains(id) {
                gone.push(*id);
            }
        }
        for id in &gone {
            channel.history.change(*id, |message| message.deleted = true);
        }
        if gone.is_empty() {
            return Ok((channel.pts, 0));
        }
        let count = i32::try_from(gone.len()).unwrap_or(i32::MAX);
        let pts = channel.log(count, ChannelChange::Deleted(gone.clone().into_boxed_slice()));
        let members: Vec<UserId> = channel.insiders().collect();
        let update = Arc::new(WorldUpdate::Deleted { chat: Some(chat), ids: gone, pts, count });
        for member in members {
            let except = (member == actor.user).then_some((actor.auth_key, actor.session));
            self.push(member, except, Arc::clone(&update));
        }
        Ok((pts, count))
    }

    /// `messages.deleteMessages`: in private chats and basic groups; `revoke` deletes everybody's copy.
    pub fn delete_in_mailbox(&mut self, actor: &Actor, ids: &[MessageId], revoke: bool) -> (i32, i32) {
        let mut by_reader: BTreeMap<UserId, Vec<MessageId>> = BTreeMap::new();
        for id in ids {
            let Some(message) = self.mailbox_message(actor.user, *id) else { continue };
            let mine = message.by == actor.user || matches!(message.chat.peer(), Peer::User(_));
            let copies = if revoke && mine { self.copies_of(actor.user, *id) } else { vec![(actor.user, *id)] };
            for (reader, copy) in copies {
                by_reader.entry(reader).or_default().push(copy);
            }
        }
        let mut own = (self.state(actor.user).pts, 0);
        for (reader, ids) in by_reader {
            let Some(user) = self.users.get_mut(&reader) else { continue };
            let mut gone = Vec::new();
            for id in ids {
                if user.mailbox.history.change(id, |message| message.deleted = true).is_some() {
                    gone.push(id);
                }
            }
            if gone.is_empty() {
                continue;
            }
            let count = i32::try_from(gone.len()).unwrap_or(i32::MAX);
            let pts = user.mailbox.log(count, MailboxChange::Deleted(gone.clone()));
            if reader == actor.user {
                own = (pts, count);
            }
            let except = (reader == actor.user).then_some((actor.auth_key, actor.session));
            self.push(reader, except, Arc::new(WorldUpdate::Deleted { chat: None, ids: gone, pts, count }));
        }
        own
    }

    fn copies_of(&self, user: UserId, id: MessageId) -> Vec<(UserId, MessageId)> {
        let twin = self.twin_of(user, id);
        twin.and_then(|twin| self.twins.get(&twin).cloned()).unwrap_or_else(|| vec![(user, id)])
    }
}

fn may_edit_others(channel: &Chat, user: UserId) -> bool {
    let broadcast = channel.kind == ChatKind::Broadcast;
    match channel.role(user) {
        Role::Creator => broadcast,
        Role::Admin(rights) => broadcast && rights.edit_messages,
        Role::Member | Role::Restricted(_) | Role::Banned | Role::Left => false,
    }
}
