//! `Updates` objects: replies to sending calls, pushes, differences.

use super::views::{self, Named};
use super::{Answer, Call, peers};
use crate::time::SimTime;
use crate::world::chat::ChannelChange;
use crate::world::updates::{Difference, NewEvent};
use crate::world::user::MailboxChange;
use crate::world::{About, ChatId, MessageId, Push, Rpc, UserId, World, WorldUpdate};
use grammers_tl_types::{Identifiable, Serializable, enums, functions as f, types};
use std::collections::BTreeMap;

/// The reply to a call that made messages: their random ids, then the messages.
pub(super) fn sent(
    world: &World,
    me: UserId,
    chat: ChatId,
    ids: &[(i64, MessageId)],
    events: &[NewEvent],
    source: Option<ChatId>,
) -> enums::Updates {
    let mut named = Named::default();
    named.add(chat);
    named.add(ChatId::user(me));
    if let Some(source) = source {
        named.add(source);
    }
    let mut updates = Vec::with_capacity(ids.len() + events.len());
    updates.extend(ids.iter().map(|(random_id, id)| random(*id, *random_id)));
    new_messages(world, me, chat, events, &mut named, &mut updates);
    wrap(world, me, updates, &named)
}

/// The events of messages that were made earlier, with the pts that they had.
pub(super) fn earlier(world: &World, me: UserId, chat: ChatId, ids: &[MessageId]) -> Vec<NewEvent> {
    let mut pts_of: BTreeMap<MessageId, i32> = BTreeMap::new();
    if chat.is_channel() {
        for event in world.chats.get(&chat).into_iter().flat_map(|chat| chat.log.iter().rev()) {
            if let ChannelChange::New(id) = &event.kind
                && ids.contains(id)
            {
                pts_of.insert(*id, event.pts);
            }
            if pts_of.len() == ids.len() {
                break;
            }
        }
    } else {
        for event in world.users.get(&me).into_iter().flat_map(|user| user.mailbox.log.iter().rev()) {
            if let MailboxChange::New(id) = &event.kind
                && ids.contains(id)
            {
                pts_of.insert(*id, event.pts);
            }
        }
    }
    ids.iter().filter_map(|id| Some(NewEvent { id: *id, pts: *pts_of.get(id)? })).collect()
}

fn random(id: MessageId, random_id: i64) -> enums::Update {
    enums::Update::MessageId(types::UpdateMessageId { id: id.0, random_id })
}

fn new_messages(
    world: &World,
    viewer: UserId,
    chat: ChatId,
    events: &[NewEvent],
    named: &mut Named,
    updates: &mut Vec<enums::Update>,
) {
    for event in events {
        let Some(message) = world.message(viewer, chat, event.id) else { continue };
        named.add_of(world, &message);
        let (message, pts) = (views::message(world, viewer, &message), event.pts);
        updates.push(if chat.is_channel() {
            enums::Update::NewChannelMessage(types::UpdateNewChannelMessage { message, pts, pts_count: 1 })
        } else {
            enums::Update::NewMessage(types::UpdateNewMessage { message, pts, pts_count: 1 })
        });
    }
}

fn wrap(world: &World, viewer: UserId, updates: Vec<enums::Update>, named: &Named) -> enums::Updates {
    enums::Updates::Updates(types::Updates {
        updates,
        users: named.users(world, viewer),
        chats: named.chats(world, viewer),
        date: world.now().unix_secs(),
        seq: 0,
    })
}

/// One update of the world as `Updates`.
pub(super) fn of(world: &World, viewer: UserId, update: &WorldUpdate) -> enums::Updates {
    let mut named = Named::default();
    let mut updates = Vec::new();
    append(world, viewer, update, &mut named, &mut updates);
    wrap(world, viewer, updates, &named)
}

/// A push, serialized.
pub(super) fn pushed(world: &World, push: &Push) -> Vec<u8> {
    match push.update.as_ref() {
        WorldUpdate::Unknown => undecodable(world.now()),
        update => of(world, push.to, update).to_bytes(),
    }
}

/// `updates` with an update in it that nobody knows.
pub(super) fn undecodable(now: SimTime) -> Vec<u8> {
    const NOBODY_KNOWS: u32 = 0x0BAD_F00D;
    let mut body = types::Updates::CONSTRUCTOR_ID.to_bytes();
    body.extend(0x1cb5_c415_u32.to_bytes());
    body.extend(1_i32.to_bytes());
    body.extend(NOBODY_KNOWS.to_bytes());
    body.extend(now.unix_secs().to_bytes());
    body
}

fn append(world: &World, viewer: UserId, update: &WorldUpdate, named: &mut Named, updates: &mut Vec<enums::Update>) {
    let bare = |ids: &[MessageId]| ids.iter().map(|id| id.0).collect::<Vec<i32>>();
    match update {
        WorldUpdate::Unknown => {}
        WorldUpdate::New { chat, events } => new_messages(world, viewer, *chat, events, named, updates),
        WorldUpdate::Edited { chat, id, pts } => {
            let Some(message) = world.message(viewer, *chat, *id) else { return };
            named.add_of(world, &message);
            let (message, pts) = (views::message(world, viewer, &message), *pts);
            updates.push(if chat.is_channel() {
                enums::Update::EditChannelMessage(types::UpdateEditChannelMessage { message, pts, pts_count: 1 })
            } else {
                enums::Update::EditMessage(types::UpdateEditMessage { message, pts, pts_count: 1 })
            });
        }
        WorldUpdate::Deleted { chat, ids, pts, count } => {
            let (messages, pts, pts_count) = (bare(ids), *pts, *count);
            updates.push(match chat.map(ChatId::peer) {
                Some(crate::world::Peer::Channel(channel_id)) => {
                    named.add(ChatId::channel(channel_id));
                    types::UpdateDeleteChannelMessages { channel_id, messages, pts, pts_count }.into()
                }
                _ => types::UpdateDeleteMessages { messages, pts, pts_count }.into(),
            });
        }
        WorldUpdate::ReadInbox { chat, upto, unread, pts, count } => {
            named.add(*chat);
            let (max_id, still_unread_count, pts) = (upto.0, *unread, *pts);
            updates.push(match chat.peer() {
                crate::world::Peer::Channel(channel_id) => {
                    types::UpdateReadChannelInbox { folder_id: None, channel_id, max_id, still_unread_count, pts }
                        .into()
                }
                _ => types::UpdateReadHistoryInbox {
                    folder_id: None,
                    peer: peers::peer(*chat),
                    top_msg_id: None,
                    max_id,
                    still_unread_count,
                    pts,
                    pts_count: *count,
                }
                .into(),
            });
        }
        WorldUpdate::ReadOutbox { chat, upto, pts, count } => {
            named.add(*chat);
            let (peer, max_id) = (peers::peer(*chat), upto.0);
            updates.push(types::UpdateReadHistoryOutbox { peer, max_id, pts: *pts, pts_count: *count }.into());
        }
    }
}

/// `updates.getState`.
pub(super) fn get_state(call: &mut Call<'_>, _: &f::updates::GetState) -> Answer {
    call.run(About::of("updates.getState"), |world, me, _| Ok(state(world, me.user, None).to_bytes()))
}

/// `updates.getDifference`.
pub(super) fn get_difference(call: &mut Call<'_>, r: &f::updates::GetDifference) -> Answer {
    call.run(About::of("updates.getDifference"), |world, me, _| {
        let difference = world.difference(me.user, r.pts);
        let date = world.now().unix_secs();
        if difference.new.is_empty() && difference.others.is_empty() {
            return Ok(enums::updates::Difference::Empty(types::updates::DifferenceEmpty { date, seq: 1 }).to_bytes());
        }
        let parts = parts(world, me.user, None, &difference);
        let state = state(world, me.user, Some(difference.pts));
        let (chats, users) = (parts.named.chats(world, me.user), parts.named.users(world, me.user));
        let (new_messages, other_updates) = (parts.messages, parts.others);
        let new_encrypted_messages = Vec::new();
        Ok(if difference.last {
            let full =
                types::updates::Difference { new_messages, new_encrypted_messages, other_updates, chats, users, state };
            enums::updates::Difference::Difference(full).to_bytes()
        } else {
            let intermediate_state = state;
            let slice = types::updates::DifferenceSlice {
                new_messages,
                new_encrypted_messages,
                other_updates,
                chats,
                users,
                intermediate_state,
            };
            enums::updates::Difference::Slice(slice).to_bytes()
        })
    })
}

/// Seconds after which a client may ask a channel again.
const POLL_SECS: i32 = 30;

/// `updates.getChannelDifference`.
pub(super) fn get_channel_difference(call: &mut Call<'_>, r: &f::updates::GetChannelDifference) -> Answer {
    let about = About::of("updates.getChannelDifference").from(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let chat = peers::channel(world, me.user, &r.channel)?;
        let limit = usize::try_from(r.limit).unwrap_or(0);
        let difference = world.channel_difference(me.user, chat, r.pts, limit)?;
        if difference.too_long {
            return too_long(world, me.user, chat);
        }
        if difference.new.is_empty() && difference.others.is_empty() {
            let empty =
                types::updates::ChannelDifferenceEmpty { r#final: true, pts: difference.pts, timeout: Some(POLL_SECS) };
            return Ok(enums::updates::ChannelDifference::Empty(empty).to_bytes());
        }
        let parts = parts(world, me.user, Some(chat), &difference);
        let full = types::updates::ChannelDifference {
            r#final: difference.last,
            pts: difference.pts,
            timeout: Some(POLL_SECS),
            new_messages: parts.messages,
            other_updates: parts.others,
            chats: parts.named.chats(world, me.user),
            users: parts.named.users(world, me.user),
        };
        Ok(enums::updates::ChannelDifference::Difference(full).to_bytes())
    })
}

fn too_long(world: &mut World, me: UserId, chat: ChatId) -> Rpc<Vec<u8>> {
    let window = crate::world::history::Window { limit: 20, ..Default::default() };
    let page = world.history(me, chat, window)?;
    let mut named = Named::default();
    named.add(chat);
    let messages = page.ids.iter().filter_map(|id| world.message(me, chat, *id)).map(|message| {
        named.add_of(world, &message);
        views::message(world, me, &message)
    });
    let messages = messages.collect();
    let dialog = super::dialogs::dialog(world, me, chat);
    let answer = types::updates::ChannelDifferenceTooLong {
        r#final: true,
        timeout: Some(POLL_SECS),
        dialog,
        messages,
        chats: named.chats(world, me),
        users: named.users(world, me),
    };
    Ok(enums::updates::ChannelDifference::TooLong(answer).to_bytes())
}

struct Parts {
    messages: Vec<enums::Message>,
    others: Vec<enums::Update>,
    named: Named,
}

fn parts(world: &World, me: UserId, chat: Option<ChatId>, difference: &Difference) -> Parts {
    let mut named = Named::default();
    if let Some(chat) = chat {
        named.add(chat);
    }
    let mut messages = Vec::with_capacity(difference.new.len());
    for event in &difference.new {
        let message = match chat {
            Some(chat) => world.message(me, chat, event.id),
            None => world.mailbox_message(me, event.id),
        };
        if let Some(message) = message {
            named.add_of(world, &message);
            messages.push(views::message(world, me, &message));
        }
    }
    let mut others: Vec<enums::Update> = difference.own.iter().map(|(id, random_id)| random(*id, *random_id)).collect();
    for update in &difference.others {
        append(world, me, update, &mut named, &mut others);
    }
    Parts { messages, others, named }
}

/// Where an account's sequence stands, or stands after a slice.
pub(super) fn state(world: &World, me: UserId, pts: Option<i32>) -> enums::updates::State {
    let state = world.state(me);
    enums::updates::State::State(types::updates::State {
        pts: pts.unwrap_or(state.pts),
        qts: 0,
        date: state.date,
        seq: 1,
        unread_count: state.unread,
    })
}
