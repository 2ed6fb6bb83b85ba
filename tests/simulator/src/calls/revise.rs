//! Edits and deletions.

use super::{Answer, Call, media, peers, updates};
use crate::world::revise::Revision;
use crate::world::{About, MessageId, RpcError, WorldUpdate};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// `messages.editMessage`.
pub(super) fn edit_message(call: &mut Call<'_>, r: &f::messages::EditMessage) -> Answer {
    let about = About::of("messages.editMessage").to(peers::named(call.actor.user, &r.peer)).count(1);
    call.run(about, |world, me, ticket| {
        world.charge_send(me.user, 1, ticket)?;
        let chat = peers::chat(world, me.user, &r.peer)?;
        let text = r.message.clone().map(|text| {
            let entities = r.entities.as_ref().map(|list| list.iter().map(media::input_entity).collect());
            (text, entities.unwrap_or_default())
        });
        let media = r.media.as_ref().map(media::input).transpose()?;
        if text.is_none() && media.is_none() {
            return Err(RpcError::bad("MESSAGE_EMPTY"));
        }
        let id = MessageId(r.id);
        let pts = world.edit(me, chat, id, &Revision { text, media })?;
        Ok(updates::of(world, me.user, &WorldUpdate::Edited { chat, id, pts }).to_bytes())
    })
}

/// `messages.deleteMessages`.
pub(super) fn delete_messages(call: &mut Call<'_>, r: &f::messages::DeleteMessages) -> Answer {
    let about = About::of("messages.deleteMessages").count(r.id.len());
    call.run(about, |world, me, _| {
        let ids: Vec<MessageId> = r.id.iter().copied().map(MessageId).collect();
        Ok(affected(world.delete_in_mailbox(me, &ids, r.revoke)))
    })
}

/// `channels.deleteMessages`.
pub(super) fn delete_channel_messages(call: &mut Call<'_>, r: &f::channels::DeleteMessages) -> Answer {
    let about = About::of("channels.deleteMessages").to(peers::named_channel(&r.channel)).count(r.id.len());
    call.run(about, |world, me, _| {
        let chat = peers::channel(world, me.user, &r.channel)?;
        let ids: Vec<MessageId> = r.id.iter().copied().map(MessageId).collect();
        Ok(affected(world.delete_in_channel(me, chat, &ids)?))
    })
}

fn affected((pts, pts_count): (i32, i32)) -> Vec<u8> {
    enums::messages::AffectedMessages::Messages(types::messages::AffectedMessages { pts, pts_count }).to_bytes()
}
