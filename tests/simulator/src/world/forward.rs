//! Forwarding, as Telegram does it.
//!
//! At most 100 ids, strictly increasing; what is missing, deleted or a service message is skipped and gets no new id.
//! Members of one album in one call stay an album (under a new number), a lone member is detached. Random ids are kept
//! for ever per account and peer. What must stay true: a refused call changes nothing.

use super::call::{Actor, Ticket};
use super::chat::{Chat, ChatKind};
use super::message::{Forward, ForwardHeader, Kind, Media, Message, Reply, Text};
use super::post::Draft;
use super::quirks::SourceChanged;
use super::seed::{draw, signed};
use super::updates::NewEvent;
use super::{ChatId, MessageId, Peer, Rpc, RpcError, UserId, World};
use rand::RngCore;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// At most so many messages in one call.
pub const FORWARD_MAX: usize = 100;

/// `messages.forwardMessages`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the call's flags")]
pub struct ForwardRequest {
    pub from: ChatId,
    pub to: ChatId,
    pub ids: Vec<MessageId>,
    pub random_ids: Vec<i64>,
    pub drop_author: bool,
    pub drop_media_captions: bool,
    pub silent: bool,
    pub background: bool,
    pub noforwards: bool,
    /// Topic of the target.
    pub topic: Option<MessageId>,
}

/// What a forward made, or (a repeat) had made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarded {
    /// Random id and new id, in order of the request; ids that were skipped are not here.
    pub ids: Vec<(i64, MessageId)>,
    /// Messages made now; empty for a repeat.
    pub events: Vec<NewEvent>,
    /// Messages of the earlier call, for a repeat.
    pub earlier: Vec<MessageId>,
}

impl ForwardRequest {
    /// A plain forward.
    #[must_use]
    pub fn new(from: ChatId, to: ChatId, ids: Vec<MessageId>, random_ids: Vec<i64>) -> ForwardRequest {
        ForwardRequest {
            from,
            to,
            ids,
            random_ids,
            drop_author: false,
            drop_media_captions: false,
            silent: false,
            background: false,
            noforwards: false,
            topic: None,
        }
    }

    fn check(&self) -> Rpc<()> {
        if self.ids.is_empty() {
            return Err(RpcError::bad("MESSAGE_IDS_EMPTY"));
        }
        if self.ids.len() != self.random_ids.len() || self.ids.len() > FORWARD_MAX {
            return Err(RpcError::bad("RANDOM_ID_INVALID"));
        }
        let unique: HashSet<i64> = self.random_ids.iter().copied().collect();
        if unique.len() != self.random_ids.len() || unique.contains(&0) {
            return Err(RpcError::bad("RANDOM_ID_INVALID"));
        }
        if !self.ids.is_sorted_by(|a, b| a < b) {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        Ok(())
    }
}

impl World {
    /// Forwards messages; see the module's words.
    ///
    /// # Errors
    /// Telegram's, and then nothing has changed.
    pub fn forward(&mut self, actor: &Actor, request: &ForwardRequest, ticket: &mut Ticket) -> Rpc<Forwarded> {
        match self.admit_forward(actor.user, request, ticket)? {
            Some(earlier) => Ok(earlier),
            None => self.apply_forward(actor, request, ticket),
        }
    }

    /// Whether some of the random ids were used before, by a forward that was carried out or is still on its way.
    #[must_use]
    pub fn is_repeat(&self, user: UserId, request: &ForwardRequest) -> bool {
        request.random_ids.iter().any(|id| {
            let key = (user, request.to, *id);
            self.random_ids.contains_key(&key) || self.in_flight.contains(&key)
        })
    }

    /// Whether some of the random ids belong to a forward that was accepted and is not carried out yet.
    #[must_use]
    pub fn is_in_flight(&self, user: UserId, request: &ForwardRequest) -> bool {
        !self.in_flight.is_empty()
            && request.random_ids.iter().any(|id| self.in_flight.contains(&(user, request.to, *id)))
    }

    /// All that comes before a forward is carried out; the earlier result, if it is a repeat.
    pub(crate) fn admit_forward(
        &mut self,
        user: UserId,
        request: &ForwardRequest,
        ticket: &mut Ticket,
    ) -> Rpc<Option<Forwarded>> {
        request.check()?;
        self.check_peer(user, request.from)?;
        self.check_peer(user, request.to)?;
        let key = |random_id: &i64| (user, request.to, *random_id);
        let known = request.random_ids.iter().any(|id| self.random_ids.contains_key(&key(id)));
        let in_flight = request.random_ids.iter().any(|id| self.in_flight.contains(&key(id)));
        ticket.repeat = known || in_flight;
        if known && self.quirks.repeat_after_source_changed == SourceChanged::MessageIdInvalid {
            let mut sources = request.ids.iter().zip(&request.random_ids);
            if sources.any(|(id, random)| {
                self.random_ids.contains_key(&key(random)) && self.message(user, request.from, *id).is_none()
            }) {
                return Err(RpcError::bad("MESSAGE_ID_INVALID"));
            }
        }
        if self.quirks.flood_check_before_duplicates {
            self.charge_send(user, request.ids.len(), ticket)?;
        }
        if in_flight || (known && self.quirks.repeat_answers_duplicate) {
            return Err(RpcError::new(500, "RANDOM_ID_DUPLICATE"));
        }
        if known && !self.quirks.repeat_applies_rest {
            return Ok(Some(self.earlier_result(user, request, ticket)));
        }
        if !self.quirks.flood_check_before_duplicates {
            self.charge_send(user, request.ids.len(), ticket)?;
        }
        Ok(None)
    }

    /// Carries a forward out that was admitted.
    pub(crate) fn apply_forward(
        &mut self,
        actor: &Actor,
        request: &ForwardRequest,
        ticket: &mut Ticket,
    ) -> Rpc<Forwarded> {
        self.may_forward(actor.user, request)?;
        let mut drafts = self.copies(actor.user, request, ticket.missing)?;
        drafts.retain(|draft| !self.random_ids.contains_key(&(actor.user, request.to, draft.random_id)));
        let events = self.post(actor, request.to, &drafts);
        let made = drafts.iter().zip(&events).map(|(draft, event)| (draft.random_id, event.id));
        let made: HashMap<i64, MessageId> = made.collect();
        let mut done = self.earlier_result(actor.user, request, ticket);
        done.earlier.retain(|id| !made.values().any(|new| new == id));
        done.events = events;
        Ok(done)
    }

    fn earlier_result(&self, user: UserId, request: &ForwardRequest, ticket: &mut Ticket) -> Forwarded {
        let pairs = request.random_ids.iter();
        let found = pairs.filter_map(|random| Some((*random, *self.random_ids.get(&(user, request.to, *random))?)));
        let ids: Vec<_> = found.collect();
        ticket.applied = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Forwarded { earlier: ids.iter().map(|(_, id)| *id).collect(), ids, events: Vec::new() }
    }

    /// Rights and rules of both chats.
    fn may_forward(&self, user: UserId, request: &ForwardRequest) -> Rpc<()> {
        if let Some(source) = self.chats.get(&request.from) {
            source.may_read(user)?;
            if source.noforwards {
                return Err(RpcError::bad("CHAT_FORWARDS_RESTRICTED"));
            }
        }
        self.may_post(user, request.to, request.topic)
    }

    /// May this account post into this chat (and topic)?
    pub(crate) fn may_post(&self, user: UserId, to: ChatId, topic: Option<MessageId>) -> Rpc<()> {
        let now = self.now();
        let Some(target) = self.chats.get(&to) else { return Ok(()) };
        target.may_write(user, now)?;
        let left = target.slow_mode_left_secs(user, now);
        if left > 0 {
            return Err(RpcError::new(420, format!("SLOWMODE_WAIT_{left}")));
        }
        check_topic(target, user, topic)
    }

    /// The copies to be made; nothing is applied yet.
    fn copies(&mut self, user: UserId, request: &ForwardRequest, missing: u32) -> Rpc<Vec<Draft>> {
        let now = self.now();
        let mut valid: Vec<(i64, Message)> = Vec::with_capacity(request.ids.len());
        for (id, random_id) in request.ids.iter().zip(&request.random_ids) {
            match self.message(user, request.from, *id) {
                Some(message) if message.service().is_none() => valid.push((*random_id, message.into_owned())),
                _ if self.quirks.one_bad_id_refuses_all => return Err(RpcError::bad("MESSAGE_ID_INVALID")),
                _ => {}
            }
        }
        if valid.is_empty() {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        let bad = valid.iter().find_map(|(_, message)| self.unforwardable.get(&(request.from, message.id)));
        if let Some(name) = bad {
            return Err(RpcError::bad(*name));
        }
        if valid.iter().any(|(_, message)| message.noforwards) {
            return Err(RpcError::bad("CHAT_FORWARDS_RESTRICTED"));
        }
        if let Some(target) = self.chats.get(&request.to) {
            if target.slow_mode_secs > 0 && !target.is_admin(user) && valid.len() > 1 {
                return Err(RpcError::bad("SLOWMODE_MULTI_MSGS_DISABLED"));
            }
            for (_, message) in &valid {
                target.may_send(user, message.kind(), now)?;
                if target.kind == ChatKind::Broadcast && is_public_poll(message) {
                    return Err(RpcError::bad("BROADCAST_PUBLIC_VOTERS_FORBIDDEN"));
                }
            }
        }
        for _ in 0..missing {
            if !valid.is_empty() {
                let at = usize::try_from(draw(self.rng.next_u64(), valid.len() as u64)).unwrap_or(0);
                valid.remove(at);
            }
        }
        let groups = self.new_groups(&valid);
        let copies = valid.into_iter().map(|(random_id, message)| {
            let group = groups.get(&message.group).copied().unwrap_or(0);
            self.copy(request, random_id, message, group)
        });
        Ok(copies.collect())
    }

    /// A new number for every album of which at least two members go.
    fn new_groups(&mut self, messages: &[(i64, Message)]) -> HashMap<i64, i64> {
        let mut sizes: Vec<(i64, usize)> = Vec::new();
        for (_, message) in messages.iter().filter(|(_, message)| message.group != 0) {
            match sizes.iter_mut().find(|(group, _)| *group == message.group) {
                Some((_, size)) => *size += 1,
                None => sizes.push((message.group, 1)),
            }
        }
        let whole = sizes.into_iter().filter(|(_, size)| *size > 1);
        whole.map(|(group, _)| (group, signed(self.rng.next_u64() >> 1 | 1))).collect()
    }

    fn copy(&self, request: &ForwardRequest, random_id: i64, message: Message, group: i64) -> Draft {
        let forward = if request.drop_author { Forward::None } else { self.header(request.from, &message) };
        let mut extra = message.extra;
        if let Some(extra) = extra.as_mut() {
            extra.reply = None;
            extra.edit_date = None;
            extra.post_author = None;
            extra.pinned = false;
        }
        let mut text = message.text;
        let has_media = extra.as_ref().is_some_and(|extra| extra.media.is_some());
        if request.drop_author && request.drop_media_captions && has_media {
            text = Text::Empty;
            if let Some(extra) = extra.as_mut() {
                extra.entities.clear();
            }
        }
        if let Some(topic) = request.topic.filter(|topic| topic.0 > 1) {
            extra.get_or_insert_with(Box::default).reply = Some(Reply { to: None, topic: Some(topic) });
        } else if extra.as_ref().is_some_and(|extra| extra.media.is_none() && extra.entities.is_empty()) {
            extra = None;
        }
        Draft {
            text,
            random_id,
            group,
            source: Some((request.from, message.id)),
            forward,
            extra,
            silent: request.silent,
            noforwards: request.noforwards,
        }
    }

    /// The header of a copy: a forward keeps its first origin, an original names its chat or author.
    fn header(&self, from: ChatId, message: &Message) -> Forward {
        if message.forward.is_some() {
            return message.forward.clone();
        }
        let author = message.extra.as_ref().and_then(|extra| extra.post_author.clone());
        let broadcast = self.chats.get(&from).is_some_and(|chat| chat.kind == ChatKind::Broadcast);
        match (from.peer(), broadcast, author) {
            (Peer::Channel(channel), true, None) => Forward::Post { channel, post: message.id, date: message.date },
            (_, true, post_author) => Forward::Other(Box::new(ForwardHeader {
                from: Some(from),
                name: None,
                date: message.date,
                post: Some(message.id),
                post_author,
            })),
            (_, false, _) => {
                let known = self.users.get(&message.by);
                Forward::Other(Box::new(ForwardHeader {
                    from: known.map(|user| ChatId::user(user.id)),
                    name: known.is_none().then(|| Arc::from("Deleted Account")),
                    date: message.date,
                    post: None,
                    post_author: None,
                }))
            }
        }
    }

    /// A message as an account can see it in a chat.
    #[must_use]
    pub fn message(&self, viewer: UserId, chat: ChatId, id: MessageId) -> Option<Cow<'_, Message>> {
        if chat.is_channel() {
            return self.chats.get(&chat)?.history.get(id);
        }
        self.users.get(&viewer)?.mailbox.history.get(id).filter(|message| message.chat == chat)
    }
}

fn check_topic(target: &Chat, user: UserId, topic: Option<MessageId>) -> Rpc<()> {
    let Some(topic) = topic.filter(|topic| topic.0 > 1) else { return Ok(()) };
    if target.kind != ChatKind::Forum {
        return Err(RpcError::bad("CHANNEL_FORUM_MISSING"));
    }
    match target.topics.get(&topic) {
        None => Err(RpcError::bad("TOPIC_DELETED")),
        Some(found) if found.deleted => Err(RpcError::bad("TOPIC_DELETED")),
        Some(found) if found.closed && !target.is_admin(user) => Err(RpcError::bad("TOPIC_CLOSED")),
        Some(_) => Ok(()),
    }
}

fn is_public_poll(message: &Message) -> bool {
    message.kind() == Kind::Poll && matches!(message.media(), Some(Media::Poll(poll)) if poll.public_voters)
}
