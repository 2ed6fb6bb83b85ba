//! Sending new messages: texts, media by reference, albums.

use super::call::Ticket;
use super::chat::ChatKind;
use super::message::{Entity, Extra, Media, Reply, Text};
use super::post::Draft;
use super::seed::signed;
use super::updates::NewEvent;
use super::{Actor, ChatId, MessageId, Rpc, RpcError, World};
use rand::RngCore;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outgoing {
    pub random_id: i64,
    pub text: String,
    pub entities: Vec<Entity>,
    pub media: Option<Media>,
}

/// What goes with all messages of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendOptions {
    pub reply: Option<Reply>,
    pub silent: bool,
    pub noforwards: bool,
}

/// What a sending call gave: a new message, or (a repeat) the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    pub ids: Vec<(i64, MessageId)>,
    pub events: Vec<NewEvent>,
}

const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
const ALBUM_MAX: usize = 10;

impl World {
    /// Sends one message, or several as an album.
    ///
    /// # Errors
    /// Telegram's, and then nothing has changed.
    pub fn send(
        &mut self,
        actor: &Actor,
        to: ChatId,
        messages: Vec<Outgoing>,
        options: SendOptions,
        ticket: &mut Ticket,
    ) -> Rpc<Sent> {
        self.check_peer(actor.user, to)?;
        check(&messages)?;
        let earlier = |world: &World| {
            let ids = messages
                .iter()
                .filter_map(|m| Some((m.random_id, *world.random_ids.get(&(actor.user, to, m.random_id))?)));
            ids.collect::<Vec<_>>()
        };
        let known = earlier(self);
        ticket.repeat = !known.is_empty();
        if self.quirks.flood_check_before_duplicates {
            self.charge_send(actor.user, messages.len(), ticket)?;
        }
        if !known.is_empty() {
            if self.quirks.repeat_answers_duplicate {
                return Err(RpcError::new(500, "RANDOM_ID_DUPLICATE"));
            }
            return Ok(Sent { ids: known, events: Vec::new() });
        }
        if !self.quirks.flood_check_before_duplicates {
            self.charge_send(actor.user, messages.len(), ticket)?;
        }
        let forum = self.chats.get(&to).is_some_and(|chat| chat.kind == ChatKind::Forum);
        self.may_post(actor.user, to, options.reply.and_then(|reply| reply.topic).filter(|_| forum))?;
        let now = self.now();
        if let Some(target) = self.chats.get(&to) {
            for message in &messages {
                let kind = message.media.as_ref().map_or(super::message::Kind::Text, Media::kind);
                target.may_send(actor.user, kind, now)?;
            }
        }
        let group = if messages.len() > 1 { signed(self.rng.next_u64() >> 1 | 1) } else { 0 };
        let drafts: Vec<Draft> = messages.into_iter().map(|message| draft(message, group, options)).collect();
        let events = self.post(actor, to, &drafts);
        ticket.applied = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let ids = drafts.iter().zip(&events).map(|(draft, event)| (draft.random_id, event.id)).collect();
        Ok(Sent { ids, events })
    }
}

fn check(messages: &[Outgoing]) -> Rpc<()> {
    if messages.is_empty() || messages.len() > ALBUM_MAX {
        return Err(RpcError::bad("MULTI_MEDIA_TOO_LONG"));
    }
    for message in messages {
        if message.random_id == 0 {
            return Err(RpcError::bad("RANDOM_ID_INVALID"));
        }
        let length = message.text.encode_utf16().count();
        match &message.media {
            None if message.text.trim().is_empty() => return Err(RpcError::bad("MESSAGE_EMPTY")),
            None if length > TEXT_MAX => return Err(RpcError::bad("MESSAGE_TOO_LONG")),
            Some(_) if length > CAPTION_MAX => return Err(RpcError::bad("MEDIA_CAPTION_TOO_LONG")),
            None | Some(_) => {}
        }
    }
    Ok(())
}

fn draft(message: Outgoing, group: i64, options: SendOptions) -> Draft {
    let plain = message.entities.is_empty() && message.media.is_none() && options.reply.is_none();
    let extra = Extra { media: message.media, entities: message.entities, reply: options.reply, ..Extra::default() };
    Draft {
        text: Text::new(&message.text),
        random_id: message.random_id,
        group,
        extra: (!plain).then(|| Box::new(extra)),
        silent: options.silent,
        noforwards: options.noforwards,
        ..Draft::default()
    }
}
