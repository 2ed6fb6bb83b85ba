//! Telegram's messages and chats in the domain's words. Pure; nothing else reads TL messages.

use grammers_tl_types::{enums, types};
use jiff::Timestamp;
use transfer::ids::{GroupedId, MessageId, PeerId, PeerKind};
use transfer::message::{Body, Kind, Message, Origin};

use super::Peer;

/// A message of any form.
pub(crate) fn message(message: enums::Message) -> Message {
    match message {
        enums::Message::Empty(empty) => empty_message(MessageId(empty.id)),
        enums::Message::Service(service) => Message {
            id: MessageId(service.id),
            date: time(service.date),
            body: Body::Service,
            album: None,
            text: String::new(),
            media: None,
            origin: None,
            sender: service.from_id.as_ref().map(peer_id),
        },
        enums::Message::Message(message) => {
            let (kind, media) = message.media.as_ref().map_or((Kind::Text, None), kind_of);
            Message {
                id: MessageId(message.id),
                date: time(message.date),
                body: Body::Content(kind),
                album: message.grouped_id.map(GroupedId),
                text: message.message,
                media,
                origin: message.fwd_from.map(origin),
                sender: message.from_id.as_ref().map(peer_id),
            }
        }
    }
}

/// What stands for an id that is gone.
pub(crate) fn empty_message(id: MessageId) -> Message {
    Message {
        id,
        date: Timestamp::UNIX_EPOCH,
        body: Body::Empty,
        album: None,
        text: String::new(),
        media: None,
        origin: None,
        sender: None,
    }
}

/// In which chat a message stands, where it says so.
pub(crate) fn chat_of(message: &enums::Message) -> Option<PeerId> {
    match message {
        enums::Message::Empty(empty) => empty.peer_id.as_ref().map(peer_id),
        enums::Message::Message(message) => Some(peer_id(&message.peer_id)),
        enums::Message::Service(service) => Some(peer_id(&service.peer_id)),
    }
}

pub(crate) fn peer_id(peer: &enums::Peer) -> PeerId {
    match peer {
        enums::Peer::User(user) => PeerId::user(user.user_id),
        enums::Peer::Chat(chat) => PeerId::group(chat.chat_id),
        enums::Peer::Channel(channel) => PeerId::channel(channel.channel_id),
    }
}

fn time(unix_secs: i32) -> Timestamp {
    Timestamp::new(i64::from(unix_secs), 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn origin(header: enums::MessageFwdHeader) -> Origin {
    let enums::MessageFwdHeader::Header(header) = header;
    Origin {
        peer: header.from_id.as_ref().map(peer_id),
        name: header.from_name,
        post: header.channel_post.map(MessageId),
        date: time(header.date),
    }
}

/// What kind of content media is, and the id that a forward keeps.
fn kind_of(media: &enums::MessageMedia) -> (Kind, Option<i64>) {
    use enums::MessageMedia as M;
    match media {
        // A link preview is part of a text.
        M::Empty | M::WebPage(_) => (Kind::Text, None),
        M::Photo(photo) => (Kind::Photo, photo.photo.as_ref().map(photo_id)),
        M::Document(media) => match &media.document {
            Some(enums::Document::Document(document)) => (document_kind(document), Some(document.id)),
            Some(enums::Document::Empty(empty)) => (expired_kind(media), Some(empty.id)),
            None => (expired_kind(media), None),
        },
        M::Poll(poll) => {
            let enums::Poll::Poll(poll) = &poll.poll;
            (Kind::Poll, Some(poll.id))
        }
        M::PaidMedia(paid) => (paid_kind(paid), None),
        M::Geo(_)
        | M::Contact(_)
        | M::Unsupported
        | M::Venue(_)
        | M::Game(_)
        | M::Invoice(_)
        | M::GeoLive(_)
        | M::Dice(_)
        | M::Story(_)
        | M::Giveaway(_)
        | M::GiveawayResults(_)
        | M::ToDo(_)
        | M::VideoStream(_) => (Kind::Other, None),
    }
}

fn photo_id(photo: &enums::Photo) -> i64 {
    match photo {
        enums::Photo::Empty(photo) => photo.id,
        enums::Photo::Photo(photo) => photo.id,
    }
}

/// A file's attributes say what it is. A sticker may be a video too, an animation always is one, and a voice message is
/// audio: the narrower word wins.
fn document_kind(document: &types::Document) -> Kind {
    use enums::DocumentAttribute as A;
    let has = |matches: fn(&A) -> bool| document.attributes.iter().any(matches);
    if has(|a| matches!(a, A::Sticker(_) | A::CustomEmoji(_))) {
        Kind::Sticker
    } else if has(|a| matches!(a, A::Animated | A::Video(_))) {
        Kind::Video
    } else if has(|a| matches!(a, A::Audio(audio) if audio.voice)) {
        Kind::Voice
    } else if has(|a| matches!(a, A::Audio(_))) {
        Kind::Audio
    } else {
        Kind::Document
    }
}

/// A file that deleted itself: only the flags are left.
fn expired_kind(media: &types::MessageMediaDocument) -> Kind {
    match media {
        media if media.voice => Kind::Voice,
        media if media.video || media.round => Kind::Video,
        _ => Kind::Document,
    }
}

fn paid_kind(paid: &types::MessageMediaPaidMedia) -> Kind {
    match paid.extended_media.first() {
        Some(enums::MessageExtendedMedia::Media(media)) => kind_of(&media.media).0,
        Some(enums::MessageExtendedMedia::Preview(_)) | None => Kind::Other,
    }
}

/// A chat as this account sees it; `None` for what nobody can address.
pub(crate) fn peer_of_chat(chat: &enums::Chat) -> Option<Peer> {
    match chat {
        enums::Chat::Channel(channel) => Some(peer_of_channel(channel)),
        enums::Chat::Chat(chat) => Some(peer_of_group(chat)),
        enums::Chat::ChannelForbidden(channel) => {
            Some(closed(PeerId::channel(channel.id), channel.access_hash, &channel.title))
        }
        enums::Chat::Forbidden(chat) => Some(closed(PeerId::group(chat.id), 0, &chat.title)),
        enums::Chat::Empty(_) | enums::Chat::Community(_) | enums::Chat::CommunityForbidden(_) => None,
    }
}

fn closed(id: PeerId, access_hash: i64, title: &str) -> Peer {
    Peer {
        id,
        access_hash,
        title: title.to_owned(),
        readable: false,
        postable: Some(false),
        protected: false,
        slow_mode_secs: None,
    }
}

fn peer_of_channel(channel: &types::Channel) -> Peer {
    let public = channel.username.is_some() || channel.usernames.as_ref().is_some_and(|names| !names.is_empty());
    let hidden = banned(channel.banned_rights.as_ref(), |rights| rights.view_messages);
    let posts = admin(channel.admin_rights.as_ref()).is_some_and(|rights| rights.post_messages);
    let silenced = banned(channel.banned_rights.as_ref(), |rights| rights.send_messages);
    let all_silenced = banned(channel.default_banned_rights.as_ref(), |rights| rights.send_messages);
    let staff = channel.creator || channel.admin_rights.is_some();
    let postable = if channel.broadcast {
        channel.creator || posts
    } else {
        !channel.left && (staff || !silenced && !all_silenced)
    };
    Peer {
        id: PeerId::channel(channel.id),
        access_hash: channel.access_hash.unwrap_or_default(),
        title: channel.title.clone(),
        readable: (!channel.left || public) && !hidden,
        postable: Some(postable),
        protected: channel.noforwards,
        slow_mode_secs: None,
    }
}

fn peer_of_group(chat: &types::Chat) -> Peer {
    let all_silenced = banned(chat.default_banned_rights.as_ref(), |rights| rights.send_messages);
    let staff = chat.creator || chat.admin_rights.is_some();
    Peer {
        id: PeerId::group(chat.id),
        access_hash: 0,
        title: chat.title.clone(),
        readable: !chat.left,
        postable: Some(!chat.left && !chat.deactivated && (staff || !all_silenced)),
        protected: chat.noforwards,
        slow_mode_secs: None,
    }
}

/// A user as this account sees it.
pub(crate) fn peer_of_user(user: &enums::User) -> Option<Peer> {
    let enums::User::User(user) = user else { return None };
    Some(Peer {
        id: PeerId::user(user.id),
        access_hash: user.access_hash.unwrap_or_default(),
        title: user_name(user),
        readable: !user.deleted,
        // Whether somebody lets this account write to them, only trying tells.
        postable: if user.is_self { Some(true) } else { user.deleted.then_some(false) },
        protected: false,
        slow_mode_secs: None,
    })
}

/// First and last name.
pub(crate) fn user_name(user: &types::User) -> String {
    let parts = [user.first_name.as_deref(), user.last_name.as_deref()];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn admin(rights: Option<&enums::ChatAdminRights>) -> Option<&types::ChatAdminRights> {
    rights.map(|rights| match rights {
        enums::ChatAdminRights::Rights(rights) => rights,
    })
}

fn banned(rights: Option<&enums::ChatBannedRights>, right: fn(&types::ChatBannedRights) -> bool) -> bool {
    rights.is_some_and(|rights| match rights {
        enums::ChatBannedRights::Rights(rights) => right(rights),
    })
}

/// How calls name a peer.
pub(crate) fn input_peer(id: PeerId, access_hash: i64) -> enums::InputPeer {
    match id.kind() {
        PeerKind::User(user_id) => types::InputPeerUser { user_id, access_hash }.into(),
        PeerKind::Group(chat_id) => types::InputPeerChat { chat_id }.into(),
        PeerKind::Channel(channel_id) => types::InputPeerChannel { channel_id, access_hash }.into(),
    }
}

/// How `channels.*` calls name a channel.
pub(crate) fn input_channel(channel_id: i64, access_hash: i64) -> enums::InputChannel {
    types::InputChannel { channel_id, access_hash }.into()
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
