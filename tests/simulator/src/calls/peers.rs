//! TL's ways to name peers, checked and turned into the world's ids.

use crate::world::{ChatId, MessageId, Peer, Rpc, RpcError, UserId, World};
use grammers_tl_types::{enums, types};

/// The chat that an input peer names, whether it may or not: for the audit.
pub(super) fn named(me: UserId, peer: &enums::InputPeer) -> Option<ChatId> {
    match peer {
        enums::InputPeer::Empty => None,
        enums::InputPeer::PeerSelf => Some(ChatId::user(me)),
        enums::InputPeer::Chat(chat) => Some(ChatId::group(chat.chat_id)),
        enums::InputPeer::User(user) => Some(ChatId::user(UserId(user.user_id))),
        enums::InputPeer::Channel(channel) => Some(ChatId::channel(channel.channel_id)),
        enums::InputPeer::UserFromMessage(user) => Some(ChatId::user(UserId(user.user_id))),
        enums::InputPeer::ChannelFromMessage(channel) => Some(ChatId::channel(channel.channel_id)),
    }
}

/// The chat that an input peer names, with its access hash checked.
pub(super) fn chat(world: &World, me: UserId, peer: &enums::InputPeer) -> Rpc<ChatId> {
    let id = named(me, peer).filter(|id| id.0 != 0).ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
    match peer {
        enums::InputPeer::Empty | enums::InputPeer::PeerSelf | enums::InputPeer::Chat(_) => world.check_peer(me, id)?,
        enums::InputPeer::User(user) => world.check_access(me, id, user.access_hash)?,
        enums::InputPeer::Channel(channel) => world.check_access(me, id, channel.access_hash)?,
        enums::InputPeer::UserFromMessage(user) => seen_in(world, me, &user.peer, user.msg_id)?,
        enums::InputPeer::ChannelFromMessage(channel) => seen_in(world, me, &channel.peer, channel.msg_id)?,
    }
    Ok(id)
}

/// "The peer that I saw in that message": the message must be there to see.
fn seen_in(world: &World, me: UserId, peer: &enums::InputPeer, id: i32) -> Rpc<()> {
    let nested = matches!(peer, enums::InputPeer::UserFromMessage(_) | enums::InputPeer::ChannelFromMessage(_));
    if nested {
        return Err(RpcError::bad("PEER_ID_INVALID"));
    }
    let place = chat(world, me, peer)?;
    world.message(me, place, MessageId(id)).map(|_| ()).ok_or_else(|| RpcError::bad("MSG_ID_INVALID"))
}

/// The same for channels.
pub(super) fn channel(world: &World, me: UserId, channel: &enums::InputChannel) -> Rpc<ChatId> {
    match channel {
        enums::InputChannel::Empty => Err(RpcError::bad("CHANNEL_INVALID")),
        enums::InputChannel::Channel(it) => {
            let id = ChatId::channel(it.channel_id);
            world.check_access(me, id, it.access_hash)?;
            Ok(id)
        }
        enums::InputChannel::FromMessage(it) => {
            seen_in(world, me, &it.peer, it.msg_id)?;
            let id = ChatId::channel(it.channel_id);
            world.check_peer(me, id)?;
            Ok(id)
        }
    }
}

/// The channel that is named, for the audit.
pub(super) fn named_channel(channel: &enums::InputChannel) -> Option<ChatId> {
    match channel {
        enums::InputChannel::Empty => None,
        enums::InputChannel::Channel(it) => Some(ChatId::channel(it.channel_id)),
        enums::InputChannel::FromMessage(it) => Some(ChatId::channel(it.channel_id)),
    }
}

/// The same for users.
pub(super) fn user(world: &World, me: UserId, user: &enums::InputUser) -> Rpc<UserId> {
    let invalid = || RpcError::bad("USER_ID_INVALID");
    match user {
        enums::InputUser::Empty => Err(invalid()),
        enums::InputUser::UserSelf => Ok(me),
        enums::InputUser::User(it) => {
            let id = UserId(it.user_id);
            let known = world.check_access(me, ChatId::user(id), it.access_hash).is_ok();
            if known { Ok(id) } else { Err(invalid()) }
        }
        enums::InputUser::FromMessage(it) => {
            seen_in(world, me, &it.peer, it.msg_id)?;
            Ok(UserId(it.user_id))
        }
    }
}

/// A peer in answers.
pub(super) fn peer(id: ChatId) -> enums::Peer {
    match id.peer() {
        Peer::User(user) => types::PeerUser { user_id: user.0 }.into(),
        Peer::Group(chat_id) => types::PeerChat { chat_id }.into(),
        Peer::Channel(channel_id) => types::PeerChannel { channel_id }.into(),
    }
}
