//! Channels and groups themselves: looking at them, joining, leaving.

use super::views::{self, Named};
use super::{Answer, Call, peers, updates};
use crate::world::chat::{AdminRights, Role};
use crate::world::{About, ChatId, Peer, RpcError, UserId};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// `channels.getChannels`.
pub(super) fn get_channels(call: &mut Call<'_>, r: &f::channels::GetChannels) -> Answer {
    call.run(About::of("channels.getChannels").count(r.id.len()), |world, me, _| {
        let mut chats = Vec::new();
        for channel in &r.id {
            let id = peers::channel(world, me.user, channel)?;
            chats.extend(views::chat(world, me.user, id));
        }
        Ok(enums::messages::Chats::Chats(types::messages::Chats { chats }).to_bytes())
    })
}

/// `channels.getFullChannel`.
pub(super) fn get_full_channel(call: &mut Call<'_>, r: &f::channels::GetFullChannel) -> Answer {
    let about = About::of("channels.getFullChannel").from(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let id = peers::channel(world, me.user, &r.channel)?;
        let chat = world.readable(me.user, id)?;
        let Peer::Channel(bare) = id.peer() else { return Err(RpcError::bad("CHANNEL_INVALID")) };
        let full_chat = enums::ChatFull::ChannelFull(views::full_channel(chat, me.user, bare));
        let chats = views::chat(world, me.user, id).into_iter().collect();
        let answer = types::messages::ChatFull { full_chat, chats, users: vec![] };
        Ok(enums::messages::ChatFull::Full(answer).to_bytes())
    })
}

/// `channels.getParticipant`.
pub(super) fn get_participant(call: &mut Call<'_>, r: &f::channels::GetParticipant) -> Answer {
    let about = About::of("channels.getParticipant").from(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let id = peers::channel(world, me.user, &r.channel)?;
        let who = peers::chat(world, me.user, &r.participant)?;
        let Peer::User(user) = who.peer() else { return Err(RpcError::bad("PARTICIPANT_ID_INVALID")) };
        let chat = world.readable(me.user, id)?;
        let member = chat.members.get(&user).filter(|member| member.role != Role::Left);
        let member = member.ok_or_else(|| RpcError::bad("USER_NOT_PARTICIPANT"))?;
        let participant = participant(me.user, user, &member.role, member.joined);
        let mut named = Named::default();
        named.add(id);
        named.add(who);
        let (chats, users) = (named.chats(world, me.user), named.users(world, me.user));
        let answer = types::channels::ChannelParticipant { participant, chats, users };
        Ok(enums::channels::ChannelParticipant::Participant(answer).to_bytes())
    })
}

fn participant(viewer: UserId, user: UserId, role: &Role, date: i32) -> enums::ChannelParticipant {
    let user_id = user.0;
    match role {
        Role::Creator => types::ChannelParticipantCreator {
            user_id,
            admin_rights: views::admin_rights(&AdminRights::default()),
            rank: None,
        }
        .into(),
        Role::Admin(rights) => types::ChannelParticipantAdmin {
            can_edit: false,
            is_self: viewer == user,
            user_id,
            inviter_id: (viewer == user).then_some(user_id),
            promoted_by: user_id,
            date,
            admin_rights: views::admin_rights(rights),
            rank: None,
        }
        .into(),
        Role::Restricted(banned) => types::ChannelParticipantBanned {
            left: false,
            peer: peers::peer(ChatId::user(user)),
            kicked_by: user_id,
            date,
            banned_rights: views::banned_rights(banned),
            rank: None,
        }
        .into(),
        Role::Banned | Role::Left => types::ChannelParticipantLeft { peer: peers::peer(ChatId::user(user)) }.into(),
        Role::Member if viewer == user => types::ChannelParticipantSelf {
            via_request: false,
            user_id,
            inviter_id: user_id,
            date,
            subscription_until_date: None,
            rank: None,
        }
        .into(),
        Role::Member => types::ChannelParticipant { user_id, date, subscription_until_date: None, rank: None }.into(),
    }
}

/// `channels.joinChannel`.
pub(super) fn join_channel(call: &mut Call<'_>, r: &f::channels::JoinChannel) -> Answer {
    let about = About::of("channels.joinChannel").to(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let id = peers::channel(world, me.user, &r.channel)?;
        let events = world.join(me, id, false)?;
        let updates = updates::sent(world, me.user, id, &[], &events, None);
        Ok(enums::messages::ChatInviteJoinResult::Ok(types::messages::ChatInviteJoinResultOk { updates }).to_bytes())
    })
}

/// `channels.leaveChannel`.
pub(super) fn leave_channel(call: &mut Call<'_>, r: &f::channels::LeaveChannel) -> Answer {
    let about = About::of("channels.leaveChannel").to(peers::named_channel(&r.channel));
    call.run(about, |world, me, _| {
        let id = peers::channel(world, me.user, &r.channel)?;
        let events = world.leave(me, id)?;
        Ok(updates::sent(world, me.user, id, &[], &events, None).to_bytes())
    })
}

/// `messages.getFullChat`.
pub(super) fn get_full_chat(call: &mut Call<'_>, r: &f::messages::GetFullChat) -> Answer {
    let id = ChatId::group(r.chat_id);
    call.run(About::of("messages.getFullChat").from(Some(id)), |world, me, _| {
        world.check_peer(me.user, id)?;
        let chat = world.chat(id).ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))?;
        let full_chat = enums::ChatFull::Full(views::full_group(chat, r.chat_id));
        let chats = views::chat(world, me.user, id).into_iter().collect();
        let users = chat.insiders().filter_map(|user| views::user(world, me.user, user)).collect();
        let answer = types::messages::ChatFull { full_chat, chats, users };
        Ok(enums::messages::ChatFull::Full(answer).to_bytes())
    })
}

/// `messages.getChats`.
pub(super) fn get_chats(call: &mut Call<'_>, r: &f::messages::GetChats) -> Answer {
    call.run(About::of("messages.getChats").count(r.id.len()), |world, me, _| {
        let mut chats = Vec::new();
        for bare in &r.id {
            world.check_peer(me.user, ChatId::group(*bare))?;
            chats.extend(views::chat(world, me.user, ChatId::group(*bare)));
        }
        Ok(enums::messages::Chats::Chats(types::messages::Chats { chats }).to_bytes())
    })
}
