//! Sending texts, media by reference, and albums.

use super::{Answer, Call, media, peers, updates};
use crate::world::message::{Entity, Reply};
use crate::world::send::{Outgoing, SendOptions};
use crate::world::{About, MessageId, Rpc, RpcError};
use grammers_tl_types::{Serializable, enums, functions as f};

/// `messages.sendMessage`.
pub(super) fn send_message(call: &mut Call<'_>, r: &f::messages::SendMessage) -> Answer {
    let about = About::of("messages.sendMessage").to(peers::named(call.actor.user, &r.peer)).count(1);
    let options = SendOptions { reply: reply(r.reply_to.as_ref()), silent: r.silent, noforwards: r.noforwards };
    send(call, about, r.schedule_date, options, &r.peer, || {
        Ok(vec![Outgoing {
            random_id: r.random_id,
            text: r.message.clone(),
            entities: entities(r.entities.as_ref()),
            media: None,
        }])
    })
}

/// `messages.sendMedia`.
pub(super) fn send_media(call: &mut Call<'_>, r: &f::messages::SendMedia) -> Answer {
    let about = About::of("messages.sendMedia").to(peers::named(call.actor.user, &r.peer)).count(1);
    let options = SendOptions { reply: reply(r.reply_to.as_ref()), silent: r.silent, noforwards: r.noforwards };
    send(call, about, r.schedule_date, options, &r.peer, || {
        let media = Some(media::input(&r.media)?);
        Ok(vec![Outgoing {
            random_id: r.random_id,
            text: r.message.clone(),
            entities: entities(r.entities.as_ref()),
            media,
        }])
    })
}

/// `messages.sendMultiMedia`: an album.
pub(super) fn send_multi_media(call: &mut Call<'_>, r: &f::messages::SendMultiMedia) -> Answer {
    let about =
        About::of("messages.sendMultiMedia").to(peers::named(call.actor.user, &r.peer)).count(r.multi_media.len());
    let options = SendOptions { reply: reply(r.reply_to.as_ref()), silent: r.silent, noforwards: r.noforwards };
    send(call, about, r.schedule_date, options, &r.peer, || {
        let members = r.multi_media.iter().map(|member| {
            let enums::InputSingleMedia::Media(it) = member;
            let media = Some(media::input(&it.media)?);
            let entities = entities(it.entities.as_ref());
            Ok(Outgoing { random_id: it.random_id, text: it.message.clone(), entities, media })
        });
        members.collect()
    })
}

fn send(
    call: &mut Call<'_>,
    about: About,
    schedule_date: Option<i32>,
    options: SendOptions,
    peer: &enums::InputPeer,
    messages: impl FnOnce() -> Rpc<Vec<Outgoing>>,
) -> Answer {
    call.run(about, |world, me, ticket| {
        if schedule_date.is_some() {
            return Err(RpcError::bad("SCHEDULE_DATE_INVALID"));
        }
        let to = peers::chat(world, me.user, peer)?;
        let messages = messages()?;
        for message in &messages {
            world.login.text_sent(&message.text);
        }
        let sent = world.send(me, to, messages, options, ticket)?;
        let events = if sent.events.is_empty() {
            let ids: Vec<MessageId> = sent.ids.iter().map(|(_, id)| *id).collect();
            updates::earlier(world, me.user, to, &ids)
        } else {
            sent.events
        };
        Ok(updates::sent(world, me.user, to, &sent.ids, &events, None).to_bytes())
    })
}

fn entities(entities: Option<&Vec<enums::MessageEntity>>) -> Vec<Entity> {
    entities.map(|list| list.iter().map(media::input_entity).collect()).unwrap_or_default()
}

fn reply(to: Option<&enums::InputReplyTo>) -> Option<Reply> {
    match to {
        Some(enums::InputReplyTo::Message(it)) => {
            let topic = it.top_msg_id.map(MessageId);
            let to = Some(MessageId(it.reply_to_msg_id)).filter(|to| Some(*to) != topic);
            Some(Reply { to, topic })
        }
        _ => None,
    }
}
