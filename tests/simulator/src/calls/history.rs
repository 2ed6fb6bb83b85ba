//! Pages of a chat: history, search, counters.

use super::views::{self, Named};
use super::{Answer, Call, peers};
use crate::world::history::Window;
use crate::world::search::{Filter, Query};
use crate::world::{About, Actor, ChatId, Message, MessageId, World};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// `messages.getHistory`.
pub(super) fn get_history(call: &mut Call<'_>, r: &f::messages::GetHistory) -> Answer {
    let about = About::of("messages.getHistory").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let chat = peers::chat(world, me.user, &r.peer)?;
        let window = Window {
            offset_id: r.offset_id,
            offset_date: r.offset_date,
            add_offset: r.add_offset,
            limit: if r.limit == 0 { 100 } else { r.limit },
            max_id: r.max_id,
            min_id: r.min_id,
        };
        let page = world.history(me.user, chat, window)?;
        Ok(page_of(world, me, chat, &page.ids, page.total).to_bytes())
    })
}

/// `messages.search`.
pub(super) fn search(call: &mut Call<'_>, r: &f::messages::Search) -> Answer {
    let about = About::of("messages.search").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let chat = peers::chat(world, me.user, &r.peer)?;
        let from = match &r.from_id {
            None => None,
            Some(peer) => Some(crate::world::UserId(peers::chat(world, me.user, peer)?.0)),
        };
        let query = Query {
            chat,
            text: r.q.clone(),
            from,
            topic: r.top_msg_id.map(MessageId),
            filter: filter(&r.filter),
            min_date: r.min_date,
            max_date: r.max_date,
            window: Window {
                offset_id: r.offset_id,
                offset_date: 0,
                add_offset: r.add_offset,
                limit: r.limit,
                max_id: r.max_id,
                min_id: r.min_id,
            },
        };
        let found = world.search(me.user, &query)?;
        Ok(page_of(world, me, chat, &found.ids, found.total).to_bytes())
    })
}

/// `messages.getReplies`: what stands in a topic.
pub(super) fn get_replies(call: &mut Call<'_>, r: &f::messages::GetReplies) -> Answer {
    let about = About::of("messages.getReplies").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let chat = peers::chat(world, me.user, &r.peer)?;
        let query = Query {
            chat,
            text: String::new(),
            from: None,
            topic: Some(MessageId(r.msg_id)),
            filter: Filter::All,
            min_date: 0,
            max_date: 0,
            window: Window {
                offset_id: r.offset_id,
                offset_date: r.offset_date,
                add_offset: r.add_offset,
                limit: r.limit,
                max_id: r.max_id,
                min_id: r.min_id,
            },
        };
        let found = world.search(me.user, &query)?;
        Ok(page_of(world, me, chat, &found.ids, found.total).to_bytes())
    })
}

/// `messages.getSearchCounters`.
pub(super) fn search_counters(call: &mut Call<'_>, r: &f::messages::GetSearchCounters) -> Answer {
    let about = About::of("messages.getSearchCounters").from(peers::named(call.actor.user, &r.peer));
    call.run(about, |world, me, _| {
        let chat = peers::chat(world, me.user, &r.peer)?;
        let filters: Vec<Filter> = r.filters.iter().map(filter).collect();
        let counts = world.count_matching(me.user, chat, r.top_msg_id.map(MessageId), &filters)?;
        let counters = r.filters.iter().zip(counts).map(|(filter, n)| {
            let counter =
                types::messages::SearchCounter { inexact: false, filter: filter.clone(), count: views::count(n) };
            enums::messages::SearchCounter::Counter(counter)
        });
        Ok(counters.collect::<Vec<_>>().to_bytes())
    })
}

fn filter(filter: &enums::MessagesFilter) -> Filter {
    use enums::MessagesFilter as Tl;
    match filter {
        Tl::InputMessagesFilterEmpty => Filter::All,
        Tl::InputMessagesFilterPhotos => Filter::Photos,
        Tl::InputMessagesFilterVideo => Filter::Videos,
        Tl::InputMessagesFilterPhotoVideo => Filter::PhotosAndVideos,
        Tl::InputMessagesFilterDocument => Filter::Documents,
        Tl::InputMessagesFilterUrl => Filter::Links,
        Tl::InputMessagesFilterGif => Filter::Animations,
        Tl::InputMessagesFilterVoice => Filter::Voice,
        Tl::InputMessagesFilterMusic => Filter::Music,
        Tl::InputMessagesFilterRoundVoice => Filter::VoiceAndVideoMessages,
        Tl::InputMessagesFilterRoundVideo => Filter::VideoMessages,
        Tl::InputMessagesFilterGeo => Filter::Places,
        Tl::InputMessagesFilterContacts => Filter::Contacts,
        Tl::InputMessagesFilterPinned => Filter::Pinned,
        Tl::InputMessagesFilterPoll => Filter::Polls,
        Tl::InputMessagesFilterChatPhotos
        | Tl::InputMessagesFilterPhoneCalls(_)
        | Tl::InputMessagesFilterMyMentions => Filter::Nothing,
    }
}

fn page_of(world: &World, me: &Actor, chat: ChatId, ids: &[MessageId], total: usize) -> enums::messages::Messages {
    let messages: Vec<_> = ids.iter().filter_map(|id| world.message(me.user, chat, *id)).collect();
    let views = messages.iter().map(|message| views::message(world, me.user, message)).collect();
    let mut named = Named::default();
    named.add(chat);
    messages.iter().for_each(|message: &std::borrow::Cow<'_, Message>| named.add_of(world, message));
    messages_of(world, me, chat, views, &named, total)
}

/// `messages.Messages` in the shape that fits the chat.
pub(super) fn messages_of(
    world: &World,
    me: &Actor,
    chat: ChatId,
    messages: Vec<enums::Message>,
    named: &Named,
    total: usize,
) -> enums::messages::Messages {
    let (chats, users) = (named.chats(world, me.user), named.users(world, me.user));
    let topics = Vec::new();
    if chat.is_channel() {
        let pts = world.chats.get(&chat).map_or(1, |chat| chat.pts);
        return enums::messages::Messages::ChannelMessages(types::messages::ChannelMessages {
            inexact: false,
            pts,
            count: views::count(total),
            offset_id_offset: None,
            messages,
            topics,
            chats,
            users,
        });
    }
    if messages.len() < total {
        return enums::messages::Messages::Slice(types::messages::MessagesSlice {
            inexact: false,
            count: views::count(total),
            next_rate: None,
            offset_id_offset: None,
            search_flood: None,
            messages,
            topics,
            chats,
            users,
        });
    }
    enums::messages::Messages::Messages(types::messages::Messages { messages, topics, chats, users })
}
