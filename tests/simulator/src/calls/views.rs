//! How users, chats and messages look in TL to one viewer.

use super::{media, peers};
use crate::world::chat::{AdminRights, Banned, Chat, ChatKind, Role};
use crate::world::message::{Forward, Kind, Message, Reply, Service};
use crate::world::{ChatId, MessageId, Peer, UserId, World};
use grammers_tl_types::{Deserializable, Serializable, enums, types};
use std::collections::BTreeSet;

/// The peers that an answer must list besides its messages.
#[derive(Debug, Default, Clone)]
pub(super) struct Named {
    peers: BTreeSet<ChatId>,
}

impl Named {
    /// Adds a peer.
    pub(super) fn add(&mut self, peer: ChatId) {
        self.peers.insert(peer);
    }

    /// Adds all peers that a message names: its chat, its author, the origin of a forward.
    pub(super) fn add_of(&mut self, world: &World, message: &Message) {
        self.add(message.chat);
        if !is_post(world, message.chat) {
            self.add(ChatId::user(message.by));
        }
        if let Some(origin) = message.forward.named() {
            self.add(origin);
        }
    }

    /// The users among them.
    pub(super) fn users(&self, world: &World, viewer: UserId) -> Vec<enums::User> {
        let users = self.peers.iter().filter_map(|peer| match peer.peer() {
            Peer::User(id) => user(world, viewer, id),
            Peer::Group(_) | Peer::Channel(_) => None,
        });
        users.collect()
    }

    /// The chats among them.
    pub(super) fn chats(&self, world: &World, viewer: UserId) -> Vec<enums::Chat> {
        self.peers.iter().filter_map(|peer| chat(world, viewer, *peer)).collect()
    }
}

/// An object with nothing set: TL leaves out what its flags do not name, so it is decoded from its mandatory parts.
fn blank<T: Deserializable>(parts: &[Vec<u8>]) -> T {
    T::from_bytes(&parts.concat()).expect("an object without optional parts decodes")
}

/// A user, if there is one.
pub(super) fn user(world: &World, viewer: UserId, id: UserId) -> Option<enums::User> {
    let user = world.users.get(&id)?;
    let own = viewer == id;
    let mut view: types::User = blank(&[0_u32.to_bytes(), 0_u32.to_bytes(), id.0.to_bytes()]);
    let known = world.users.get(&viewer).is_some_and(|viewer| viewer.contacts.contains(&id));
    view.is_self = own;
    view.contact = known;
    view.mutual_contact = known && user.contacts.contains(&viewer);
    view.premium = user.premium;
    view.bot = user.bot;
    view.bot_info_version = user.bot.then_some(1);
    view.access_hash = Some(world.access_hash(viewer, ChatId::user(id)));
    view.first_name = Some(user.first_name.clone());
    view.last_name = Some(user.last_name.clone()).filter(|name| !name.is_empty());
    view.username.clone_from(&user.username);
    let phone = user.phone.trim_start_matches('+').to_owned();
    view.phone = Some(phone).filter(|phone| !phone.is_empty() && (own || known));
    Some(enums::User::User(view))
}

/// A group or channel as a viewer sees it; channels that shut the viewer out show no more than their title.
pub(super) fn chat(world: &World, viewer: UserId, id: ChatId) -> Option<enums::Chat> {
    let chat = world.chats.get(&id)?;
    match id.peer() {
        Peer::User(_) => None,
        Peer::Group(bare) => Some(enums::Chat::Chat(group(chat, viewer, bare))),
        Peer::Channel(bare) if *chat.role(viewer) == Role::Banned => {
            Some(enums::Chat::ChannelForbidden(types::ChannelForbidden {
                broadcast: chat.kind == ChatKind::Broadcast,
                megagroup: chat.kind != ChatKind::Broadcast,
                monoforum: false,
                id: bare,
                access_hash: world.access_hash(viewer, id),
                title: chat.title.clone(),
                until_date: None,
            }))
        }
        Peer::Channel(bare) => Some(enums::Chat::Channel(channel(world, chat, viewer, bare))),
    }
}

fn channel(world: &World, chat: &Chat, viewer: UserId, bare: i64) -> types::Channel {
    let empty = enums::ChatPhoto::Empty.to_bytes();
    let parts =
        [0_u32.to_bytes(), 0_u32.to_bytes(), bare.to_bytes(), chat.title.to_bytes(), empty, chat.date.to_bytes()];
    let mut view: types::Channel = blank(&parts);
    let role = chat.role(viewer);
    view.creator = *role == Role::Creator;
    view.left = !chat.is_member(viewer);
    view.broadcast = chat.kind == ChatKind::Broadcast;
    view.megagroup = !view.broadcast;
    view.forum = chat.kind == ChatKind::Forum;
    view.signatures = chat.signatures;
    view.noforwards = chat.noforwards;
    view.slowmode_enabled = chat.slow_mode_secs > 0;
    view.access_hash = Some(world.access_hash(viewer, chat.id));
    view.username.clone_from(&chat.username);
    view.participants_count = Some(count(chat.insiders().count()));
    view.admin_rights = match role {
        Role::Creator => Some(admin_rights(&AdminRights::default())),
        Role::Admin(rights) => Some(admin_rights(rights)),
        Role::Member | Role::Restricted(_) | Role::Banned | Role::Left => None,
    };
    view.banned_rights = match role {
        Role::Restricted(banned) => Some(banned_rights(banned)),
        Role::Creator | Role::Admin(_) | Role::Member | Role::Banned | Role::Left => None,
    };
    view.default_banned_rights = Some(banned_rights(&chat.default_banned)).filter(|_| view.megagroup);
    view
}

fn group(chat: &Chat, viewer: UserId, bare: i64) -> types::Chat {
    let role = chat.role(viewer);
    types::Chat {
        creator: *role == Role::Creator,
        left: !chat.is_member(viewer),
        deactivated: false,
        call_active: false,
        call_not_empty: false,
        noforwards: chat.noforwards,
        id: bare,
        title: chat.title.clone(),
        photo: enums::ChatPhoto::Empty,
        participants_count: count(chat.insiders().count()),
        date: chat.date,
        version: 1,
        migrated_to: None,
        admin_rights: match role {
            Role::Admin(rights) => Some(admin_rights(rights)),
            Role::Creator | Role::Member | Role::Restricted(_) | Role::Banned | Role::Left => None,
        },
        default_banned_rights: Some(banned_rights(&chat.default_banned)),
    }
}

/// What an admin may.
pub(super) fn admin_rights(rights: &AdminRights) -> enums::ChatAdminRights {
    let mut view: types::ChatAdminRights = blank(&[0_u32.to_bytes()]);
    view.post_messages = rights.post_messages;
    view.edit_messages = rights.edit_messages;
    view.delete_messages = rights.delete_messages;
    view.invite_users = rights.invite_users;
    view.pin_messages = rights.pin_messages;
    view.manage_topics = rights.manage_topics;
    view.other = true;
    view.into()
}

/// What somebody may not send.
pub(super) fn banned_rights(banned: &Banned) -> enums::ChatBannedRights {
    let mut view: types::ChatBannedRights = blank(&[0_u32.to_bytes(), banned.until.to_bytes()]);
    let has = |kind| banned.everything || banned.kinds.contains(&kind);
    view.send_messages = banned.everything;
    view.send_plain = has(Kind::Text);
    view.send_photos = has(Kind::Photo);
    view.send_videos = has(Kind::Video);
    view.send_docs = has(Kind::Document);
    view.send_audios = has(Kind::Audio);
    view.send_voices = has(Kind::Voice);
    view.send_stickers = has(Kind::Sticker);
    view.send_gifs = has(Kind::Animation);
    view.send_roundvideos = has(Kind::VideoMessage);
    view.send_polls = has(Kind::Poll);
    view.into()
}

/// Notification settings: the default ones.
pub(super) fn notify_settings() -> enums::PeerNotifySettings {
    blank::<types::PeerNotifySettings>(&[0_u32.to_bytes()]).into()
}

/// `channelFull` of a channel.
pub(super) fn full_channel(chat: &Chat, viewer: UserId, bare: i64) -> types::ChannelFull {
    let photo = enums::Photo::Empty(types::PhotoEmpty { id: 0 }).to_bytes();
    let bots: Vec<enums::BotInfo> = Vec::new();
    let read = chat.members.get(&viewer).map_or(0, |member| member.read_upto.0);
    let parts = [
        vec![0; 8],
        bare.to_bytes(),
        chat.about.to_bytes(),
        read.to_bytes(),
        0_i32.to_bytes(),
        0_i32.to_bytes(),
        photo,
        notify_settings().to_bytes(),
        bots.to_bytes(),
        chat.pts.to_bytes(),
    ];
    let mut view: types::ChannelFull = blank(&parts);
    view.participants_count = Some(count(chat.insiders().count()));
    view.slowmode_seconds = Some(chat.slow_mode_secs).filter(|secs| *secs > 0);
    view.can_view_participants = chat.is_admin(viewer);
    view
}

/// `chatFull` of a basic group.
pub(super) fn full_group(chat: &Chat, bare: i64) -> types::ChatFull {
    let participants =
        chat.members.iter().filter(|(id, _)| chat.is_member(**id)).map(|(id, member)| match member.role {
            Role::Creator => types::ChatParticipantCreator { user_id: id.0, rank: None }.into(),
            Role::Admin(_) => {
                types::ChatParticipantAdmin { user_id: id.0, inviter_id: id.0, date: member.joined, rank: None }.into()
            }
            Role::Member | Role::Restricted(_) | Role::Banned | Role::Left => {
                types::ChatParticipant { user_id: id.0, inviter_id: id.0, date: member.joined, rank: None }.into()
            }
        });
    let participants = types::ChatParticipants { chat_id: bare, participants: participants.collect(), version: 1 };
    let participants = enums::ChatParticipants::Participants(participants);
    let about = chat.about.to_bytes();
    blank(&[0_u32.to_bytes(), bare.to_bytes(), about, participants.to_bytes(), notify_settings().to_bytes()])
}

/// `userFull`.
pub(super) fn full_user(id: UserId) -> types::UserFull {
    let settings: types::PeerSettings = blank(&[0_u32.to_bytes()]);
    let settings = enums::PeerSettings::from(settings).to_bytes();
    blank(&[vec![0; 8], id.0.to_bytes(), settings, notify_settings().to_bytes(), 0_i32.to_bytes()])
}

/// A number of things.
pub(super) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// A message as `viewer` sees it.
pub(super) fn message(world: &World, viewer: UserId, message: &Message) -> enums::Message {
    if let Some(action) = message.service() {
        return service(world, viewer, message, action);
    }
    let post = is_post(world, message.chat);
    let extra = message.extra.as_deref();
    let entities = extra.filter(|extra| !extra.entities.is_empty());
    enums::Message::Message(types::Message {
        out: message.by == viewer,
        mentioned: false,
        media_unread: false,
        silent: message.silent,
        post,
        from_scheduled: false,
        legacy: false,
        edit_hide: false,
        pinned: extra.is_some_and(|extra| extra.pinned),
        noforwards: message.noforwards,
        invert_media: false,
        offline: false,
        video_processing_pending: false,
        paid_suggested_post_stars: false,
        paid_suggested_post_ton: false,
        id: message.id.0,
        from_id: author(viewer, message, post),
        from_boosts_applied: None,
        from_rank: None,
        peer_id: peers::peer(message.chat),
        saved_peer_id: None,
        fwd_from: forward_header(&message.forward),
        via_bot_id: None,
        via_business_bot_id: None,
        guestchat_via_from: None,
        reply_to: message.reply().and_then(reply_header),
        date: message.date,
        message: message.text.as_str().into_owned(),
        media: message.media().map(|it| media::media(it, message.date)),
        reply_markup: message.keyboard().map(super::bots::keyboard),
        entities: entities.map(|extra| extra.entities.iter().map(media::entity).collect()),
        views: post.then_some(1),
        forwards: post.then_some(0),
        replies: None,
        edit_date: extra.and_then(|extra| extra.edit_date),
        post_author: extra.and_then(|extra| extra.post_author.as_deref()).map(str::to_owned),
        grouped_id: Some(message.group).filter(|group| *group != 0),
        reactions: None,
        restriction_reason: None,
        ttl_period: None,
        quick_reply_shortcut_id: None,
        effect: None,
        factcheck: None,
        report_delivery_until_date: None,
        paid_message_stars: None,
        suggested_post: None,
        schedule_repeat_period: None,
        summary_from_language: None,
        rich_message: None,
    })
}

/// The place of a message that is not there.
pub(super) fn no_message(id: MessageId) -> enums::Message {
    enums::Message::Empty(types::MessageEmpty { id: id.0, peer_id: None })
}

fn is_post(world: &World, chat: ChatId) -> bool {
    chat.is_channel() && world.chats.get(&chat).is_some_and(|chat| chat.kind == ChatKind::Broadcast)
}

fn author(viewer: UserId, message: &Message, post: bool) -> Option<enums::Peer> {
    let incoming_private = matches!(message.chat.peer(), Peer::User(_)) && message.by != viewer;
    (!post && !incoming_private).then(|| peers::peer(ChatId::user(message.by)))
}

fn forward_header(forward: &Forward) -> Option<enums::MessageFwdHeader> {
    let (from, name, date, post, post_author) = match forward {
        Forward::None => return None,
        Forward::Post { channel, post, date } => (Some(ChatId::channel(*channel)), None, *date, Some(*post), None),
        Forward::Other(it) => (it.from, it.name.clone(), it.date, it.post, it.post_author.clone()),
    };
    Some(enums::MessageFwdHeader::Header(types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: from.map(peers::peer),
        from_name: name.map(|name| name.to_string()),
        date,
        channel_post: post.map(|post| post.0),
        post_author: post_author.map(|author| author.to_string()),
        saved_from_peer: None,
        saved_from_msg_id: None,
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    }))
}

fn reply_header(reply: Reply) -> Option<enums::MessageReplyHeader> {
    let to = reply.to.or(reply.topic)?;
    let mut view: types::MessageReplyHeader = blank(&[0_u32.to_bytes()]);
    view.forum_topic = reply.topic.is_some();
    view.reply_to_msg_id = Some(to.0);
    view.reply_to_top_id = reply.topic.filter(|_| reply.to.is_some()).map(|topic| topic.0);
    Some(enums::MessageReplyHeader::Header(view))
}

fn service(world: &World, viewer: UserId, message: &Message, action: &Service) -> enums::Message {
    let post = is_post(world, message.chat);
    let users = |users: &[UserId]| users.iter().map(|user| user.0).collect::<Vec<i64>>();
    let action = match action {
        Service::ChannelCreate { title } => types::MessageActionChannelCreate { title: title.clone() }.into(),
        Service::ChatCreate { title } => {
            types::MessageActionChatCreate { title: title.clone(), users: vec![message.by.0] }.into()
        }
        Service::TitleEdit { title } => types::MessageActionChatEditTitle { title: title.clone() }.into(),
        Service::PinMessage => enums::MessageAction::PinMessage,
        Service::Join { users: joined } => types::MessageActionChatAddUser { users: users(joined) }.into(),
        Service::Leave { user } => types::MessageActionChatDeleteUser { user_id: user.0 }.into(),
        Service::TopicCreate { title } => types::MessageActionTopicCreate {
            title_missing: false,
            title: title.clone(),
            icon_color: 0x6F_B9_F0,
            icon_emoji_id: None,
        }
        .into(),
        Service::HistoryClear => enums::MessageAction::HistoryClear,
        Service::Other { text } => types::MessageActionCustomAction { message: text.clone() }.into(),
    };
    enums::Message::Service(types::MessageService {
        out: message.by == viewer,
        mentioned: false,
        media_unread: false,
        reactions_are_possible: false,
        silent: message.silent,
        post,
        legacy: false,
        id: message.id.0,
        from_id: author(viewer, message, post),
        peer_id: peers::peer(message.chat),
        saved_peer_id: None,
        reply_to: message.reply().and_then(reply_header),
        date: message.date,
        action,
        reactions: None,
        ttl_period: None,
    })
}
