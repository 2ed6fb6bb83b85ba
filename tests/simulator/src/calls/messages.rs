//! Messages by id, and read marks.

use super::history::messages_of;
use super::views::{self, Named};
use super::{Answer, Call, peers};
use crate::world::{About, ChatId, MessageId, RpcError};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// As many ids as one call may ask for; more are ignored.
const IDS_MAX: usize = 200;

/// `channels.getMessages`.
pub(super) fn get_channel_messages(call: &mut Call<'_>, r: &f::channels::GetMessages) -> Answer {
    let about = About::of("channels.getMessages").from(peers::named_channel(&r.channel)).count(r.id.len());
    call.run(about, |world, me, _| {
        let chat = peers::channel(world, me.user, &r.channel)?;
        if r.id.is_empty() {
            return Err(RpcError::bad("MESSAGE_IDS_EMPTY"));
        }
        let ids = plain_ids(&r.id);
        let found = world.messages_by_id(me.user, chat, &ids)?;
        let mut named = Named::default();
        named.add(chat);
        let messages: Vec<_> = found
            .iter()
            .zip(&ids)
            .map(|(message, id)| match message {
                Some(message) => {
                    named.add_of(world, message);
                    views::message(world, me.user, message)
                }
                None => views::no_message(*id),
            })
            .collect();
        let total = messages.len();
        Ok(messages_of(world, me, chat, messages, &named, total).to_bytes())
    })
}

/// `messages.getMessages`: from private chats and basic groups, by the account's own ids.
pub(super) fn get_messages(call: &mut Call<'_>, r: &f::messages::GetMessages) -> Answer {
    let about = About::of("messages.getMessages").count(r.id.len());
    call.run(about, |world, me, _| {
        let mut named = Named::default();
        let ids = plain_ids(&r.id);
        let messages: Vec<_> = ids
            .iter()
            .map(|id| match world.mailbox_message(me.user, *id) {
                Some(message) => {
                    named.add_of(world, &message);
                    views::message(world, me.user, &message)
                }
                None => views::no_message(*id),
            })
            .collect();
        let total = messages.len();
        Ok(messages_of(world, me, ChatId::user(me.user), messages, &named, total).to_bytes())
    })
}

/// `messages.readHistory`.
pub(super) fn read_history(call: &mut Call<'_>, r: &f::messages::ReadHistory) -> Answer {
    let about = About::of("messages.readHistory").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let chat = peers::chat(world, me.user, &r.peer)?;
        let (pts, pts_count) = world.read(me, chat, MessageId(r.max_id))?;
        let affected = types::messages::AffectedMessages { pts, pts_count };
        Ok(enums::messages::AffectedMessages::Messages(affected).to_bytes())
    })
}

/// `channels.readHistory`.
pub(super) fn read_channel_history(call: &mut Call<'_>, r: &f::channels::ReadHistory) -> Answer {
    let about = About::of("channels.readHistory").from(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let chat = peers::channel(world, me.user, &r.channel)?;
        world.read(me, chat, MessageId(r.max_id))?;
        Ok(true.to_bytes())
    })
}

fn plain_ids(ids: &[enums::InputMessage]) -> Vec<MessageId> {
    let plain = ids.iter().take(IDS_MAX).filter_map(|id| match id {
        enums::InputMessage::Id(it) => Some(MessageId(it.id)),
        enums::InputMessage::ReplyTo(_) | enums::InputMessage::Pinned | enums::InputMessage::CallbackQuery(_) => None,
    });
    plain.collect()
}
