//! `messages.forwardMessages`.

use super::{Answer, Call, peers, updates};
use crate::world::forward::ForwardRequest;
use crate::world::{About, MessageId, RpcError};
use grammers_tl_types::{Serializable, enums, functions as f};

/// `messages.forwardMessages`.
pub(super) fn forward_messages(call: &mut Call<'_>, r: &f::messages::ForwardMessages) -> Answer {
    let me = call.actor.user;
    let about = About::of("messages.forwardMessages")
        .to(peers::named(me, &r.to_peer))
        .from(peers::named(me, &r.from_peer))
        .count(r.id.len());
    call.run(about, |world, me, ticket| {
        if r.schedule_date.is_some() || r.quick_reply_shortcut.is_some() {
            return Err(RpcError::bad("SCHEDULE_DATE_INVALID"));
        }
        let topic = r.top_msg_id.or(match &r.reply_to {
            Some(enums::InputReplyTo::Message(it)) => it.top_msg_id,
            _ => None,
        });
        let request = ForwardRequest {
            from: peers::chat(world, me.user, &r.from_peer)?,
            to: peers::chat(world, me.user, &r.to_peer)?,
            ids: r.id.iter().copied().map(MessageId).collect(),
            random_ids: r.random_id.clone(),
            drop_author: r.drop_author,
            drop_media_captions: r.drop_media_captions,
            silent: r.silent,
            background: r.background,
            noforwards: r.noforwards,
            topic: topic.map(MessageId),
        };
        let done = world.forward(me, &request, ticket)?;
        let mut events = updates::earlier(world, me.user, request.to, &done.earlier);
        events.extend(done.events);
        Ok(updates::sent(world, me.user, request.to, &done.ids, &events, Some(request.from)).to_bytes())
    })
}
