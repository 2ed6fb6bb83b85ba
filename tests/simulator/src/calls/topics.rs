//! Topics of forums.

use super::views::{self, Named};
use super::{Answer, Call, peers};
use crate::world::chat::{Chat, ChatKind, Topic};
use crate::world::{About, Actor, ChatId, MessageId, Rpc, RpcError, World};
use grammers_tl_types::{Serializable, enums, functions as f, types};

const TOPICS_MAX: i32 = 100;
const ICON_COLOR: i32 = 0x6F_B9_F0;

/// `messages.getForumTopics`, newest first.
pub(super) fn get_topics(call: &mut Call<'_>, r: &f::messages::GetForumTopics) -> Answer {
    let about = About::of("messages.getForumTopics").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let id = peers::chat(world, me.user, &r.peer)?;
        let chat = forum(world, me, id)?;
        let wanted = r.q.clone().unwrap_or_default().to_lowercase();
        let live = chat.topics.iter().rev().filter(|(_, topic)| !topic.deleted);
        let all: Vec<MessageId> =
            live.filter(|(_, topic)| topic.title.to_lowercase().contains(&wanted)).map(|(id, _)| *id).collect();
        let limit = usize::try_from(r.limit.clamp(1, TOPICS_MAX)).unwrap_or(1);
        let page = all.iter().filter(|id| r.offset_topic == 0 || id.0 < r.offset_topic).take(limit).copied().collect();
        Ok(topics(world, me, id, page, all.len()))
    })
}

/// `messages.getForumTopicsByID`.
pub(super) fn get_topics_by_id(call: &mut Call<'_>, r: &f::messages::GetForumTopicsById) -> Answer {
    let about = About::of("messages.getForumTopicsByID").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let id = peers::chat(world, me.user, &r.peer)?;
        forum(world, me, id)?;
        let asked: Vec<MessageId> = r.topics.iter().copied().map(MessageId).collect();
        let total = asked.len();
        Ok(topics(world, me, id, asked, total))
    })
}

fn forum<'a>(world: &'a World, me: &Actor, id: ChatId) -> Rpc<&'a Chat> {
    let chat = world.readable(me.user, id)?;
    if chat.kind == ChatKind::Forum { Ok(chat) } else { Err(RpcError::bad("CHANNEL_FORUM_MISSING")) }
}

fn topics(world: &World, me: &Actor, id: ChatId, asked: Vec<MessageId>, total: usize) -> Vec<u8> {
    let mut named = Named::default();
    named.add(id);
    named.add(ChatId::user(me.user));
    let chat = world.chat(id);
    let topics = asked.into_iter().map(|topic| match chat.and_then(|chat| chat.topics.get(&topic)) {
        Some(found) if !found.deleted => view(world, me, id, topic, found),
        _ => types::ForumTopicDeleted { id: topic.0 }.into(),
    });
    let answer = types::messages::ForumTopics {
        order_by_create_date: false,
        count: views::count(total),
        topics: topics.collect(),
        messages: vec![],
        chats: named.chats(world, me.user),
        users: named.users(world, me.user),
        pts: chat.map_or(1, |chat| chat.pts),
    };
    enums::messages::ForumTopics::Topics(answer).to_bytes()
}

fn view(world: &World, me: &Actor, chat: ChatId, id: MessageId, topic: &Topic) -> enums::ForumTopic {
    let made = world.message(me.user, chat, id);
    let (date, by) = made.map_or((0, me.user), |message| (message.date, message.by));
    enums::ForumTopic::Topic(types::ForumTopic {
        my: by == me.user,
        closed: topic.closed,
        pinned: false,
        short: false,
        hidden: false,
        title_missing: false,
        id: id.0,
        date,
        peer: peers::peer(chat),
        title: topic.title.clone(),
        icon_color: ICON_COLOR,
        icon_emoji_id: None,
        top_message: id.0,
        read_inbox_max_id: 0,
        read_outbox_max_id: 0,
        unread_count: 0,
        unread_mentions_count: 0,
        unread_reactions_count: 0,
        unread_poll_votes_count: 0,
        from_id: peers::peer(ChatId::user(by)),
        notify_settings: views::notify_settings(),
        draft: None,
    })
}
