//! How messages come into being: one place that gives ids, dates and pts, copies into mailboxes and tells the others.

use super::call::Actor;
use super::chat::{ChannelChange, ChatKind};
use super::message::{Extra, Forward, Message, Reply, Text};
use super::updates::{NewEvent, WorldUpdate};
use super::user::MailboxChange;
use super::{ChatId, MessageId, Peer, UserId, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message before it has id and date.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    pub text: Text,
    pub random_id: i64,
    pub group: i64,
    pub source: Option<(ChatId, MessageId)>,
    pub forward: Forward,
    pub extra: Option<Box<Extra>>,
    pub silent: bool,
    pub noforwards: bool,
}

impl Draft {
    /// A plain text.
    #[must_use]
    pub fn text(text: &str) -> Draft {
        Draft { text: Text::new(text), ..Draft::default() }
    }

    fn message(&self, id: MessageId, chat: ChatId, by: UserId, date: i32) -> Message {
        Message {
            random_id: self.random_id,
            group: self.group,
            source: self.source,
            forward: self.forward.clone(),
            extra: self.extra.clone(),
            silent: self.silent,
            noforwards: self.noforwards,
            ..Message::text(id, chat, by, date, self.text.clone())
        }
    }
}

impl World {
    /// Puts messages into a chat, whoever may. Gives ids and pts as the author sees them, in order.
    pub(crate) fn post(&mut self, actor: &Actor, chat: ChatId, drafts: &[Draft]) -> Vec<NewEvent> {
        for draft in drafts.iter().filter(|draft| draft.random_id != 0) {
            debug_assert!(
                !self.random_ids.contains_key(&(actor.user, chat, draft.random_id)),
                "random ids are checked first"
            );
        }
        let events = if chat.is_channel() {
            self.post_in_channel(actor, chat, drafts)
        } else {
            self.post_in_mailboxes(actor, chat, drafts)
        };
        for (draft, event) in drafts.iter().zip(&events) {
            if draft.random_id != 0 {
                self.random_ids.insert((actor.user, chat, draft.random_id), event.id);
            }
        }
        events
    }

    fn post_in_channel(&mut self, actor: &Actor, id: ChatId, drafts: &[Draft]) -> Vec<NewEvent> {
        let now = self.now();
        let Some(chat) = self.chats.get_mut(&id) else { return Vec::new() };
        let date = now.unix_secs().max(chat.history.last_date());
        let mut events = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let message_id = chat.history.next_id();
            let mut message = draft.message(message_id, id, actor.user, date);
            if chat.signatures
                && chat.kind == ChatKind::Broadcast
                && let Some(author) = self.users.get(&actor.user)
            {
                message.extra_mut().post_author = Some(Arc::from(author.first_name.as_str()));
            }
            chat.history.push(message);
            let pts = chat.log(1, ChannelChange::New(message_id));
            events.push(NewEvent { id: message_id, pts });
        }
        chat.last_post.insert(actor.user, now);
        let members: Vec<UserId> = if self.pushes_on { chat.insiders().collect() } else { Vec::new() };
        let update = Arc::new(WorldUpdate::New { chat: id, events: events.clone() });
        for member in members {
            let except = (member == actor.user).then_some((actor.auth_key, actor.session));
            self.push(member, except, Arc::clone(&update));
        }
        events
    }

    fn post_in_mailboxes(&mut self, actor: &Actor, chat: ChatId, drafts: &[Draft]) -> Vec<NewEvent> {
        let date = self.now().unix_secs();
        let readers: Vec<(UserId, ChatId)> = match chat.peer() {
            Peer::User(other) if other == actor.user => vec![(actor.user, chat)],
            Peer::User(other) => vec![(actor.user, chat), (other, ChatId::user(actor.user))],
            Peer::Group(_) | Peer::Channel(_) => {
                let group = self.chats.get(&chat);
                group.map(|group| group.insiders().map(|user| (user, chat)).collect()).unwrap_or_default()
            }
        };
        let mut by_reader: BTreeMap<UserId, (ChatId, Vec<NewEvent>)> = BTreeMap::new();
        for draft in drafts {
            self.last_twin += 1;
            let twin = self.last_twin;
            let answered = draft.extra.as_ref().and_then(|extra| extra.reply).and_then(|reply| reply.to);
            let answered = answered.and_then(|to| self.twin_of(actor.user, to));
            for (reader, seen_as) in &readers {
                let reply_to = answered.and_then(|twin| self.in_mailbox(*reader, twin));
                let Some(user) = self.users.get_mut(reader) else { continue };
                let mailbox = &mut user.mailbox;
                let id = mailbox.history.next_id();
                let date = date.max(mailbox.history.last_date());
                let mut message = draft.message(id, *seen_as, actor.user, date);
                if *reader != actor.user
                    && let Some(extra) = message.extra.as_mut()
                    && extra.reply.is_some()
                {
                    extra.reply = reply_to.map(|to| Reply { to: Some(to), topic: None });
                }
                mailbox.history.push(message);
                mailbox.by_chat.entry(*seen_as).or_default().push(id);
                mailbox.twins.insert(id, twin);
                let pts = mailbox.log(1, MailboxChange::New(id));
                by_reader.entry(*reader).or_insert_with(|| (*seen_as, Vec::new())).1.push(NewEvent { id, pts });
                self.twins.entry(twin).or_default().push((*reader, id));
            }
        }
        self.tell_bots(&by_reader);
        let own = by_reader.get(&actor.user).map(|(_, events)| events.clone()).unwrap_or_default();
        for (reader, (seen_as, events)) in by_reader {
            let except = (reader == actor.user).then_some((actor.auth_key, actor.session));
            self.push(reader, except, Arc::new(WorldUpdate::New { chat: seen_as, events }));
        }
        own
    }

    /// Bots hear of what came into their mailboxes.
    fn tell_bots(&mut self, by_reader: &BTreeMap<UserId, (ChatId, Vec<NewEvent>)>) {
        for (reader, (_, events)) in by_reader {
            if self.bots.get(*reader).is_none() {
                continue;
            }
            for event in events {
                let message = self.mailbox_message(*reader, event.id).map(std::borrow::Cow::into_owned);
                if let Some(message) = message {
                    self.bot_heard(*reader, &message);
                }
            }
        }
    }

    /// The number that a mailbox message shares with its copies.
    pub(crate) fn twin_of(&self, user: UserId, id: MessageId) -> Option<u64> {
        self.users.get(&user)?.mailbox.twins.get(&id).copied()
    }

    pub(crate) fn in_mailbox(&self, user: UserId, twin: u64) -> Option<MessageId> {
        self.twins.get(&twin)?.iter().find(|(who, _)| *who == user).map(|(_, id)| *id)
    }
}
