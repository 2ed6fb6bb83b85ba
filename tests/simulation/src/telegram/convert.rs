//! The world's messages, peers and errors in the domain's words.

use jiff::Timestamp;
use session_host::telegram::{CallError, Peer};
use simulator::world::chat::{ChatKind, Role};
use simulator::world::message::{Forward as Forwarding, Kind as SimKind, Message as SimMessage};
use simulator::world::{self, ChatId, RpcError, UserId, World};
use transfer::ids::{GroupedId, MessageId, PeerId};
use transfer::message::{Body, Kind, Message, Origin};
use transfer::refusal::Refusal;

/// An error in Telegram's words; its own failures leave open what happened.
pub(super) fn refused(error: &RpcError) -> CallError {
    if error.code == 500 && error.message != "RANDOM_ID_DUPLICATE" {
        return CallError::Uncertain(error.message.clone());
    }
    CallError::Refused(Refusal::parse(error.code, &error.message))
}

/// A peer as this account sees it.
pub(super) fn peer(world: &World, viewer: UserId, id: ChatId) -> Peer {
    let access_hash = world.access_hash(viewer, id);
    let now = world.now();
    let Some(chat) = world.chat(id) else {
        return Peer {
            id: PeerId(id.0),
            access_hash,
            title: format!("user {id}"),
            readable: true,
            postable: Some(true),
            protected: false,
            slow_mode_secs: None,
        };
    };
    let postable = match (chat.kind, chat.role(viewer)) {
        (ChatKind::Broadcast, Role::Creator | Role::Admin(_)) => Some(chat.may_write(viewer, now).is_ok()),
        (ChatKind::Broadcast, _) => Some(false),
        (_, Role::Left | Role::Banned) => Some(false),
        (ChatKind::Supergroup | ChatKind::Forum | ChatKind::Basic, _) => None,
    };
    Peer {
        id: PeerId(id.0),
        access_hash,
        title: chat.title.clone(),
        readable: chat.may_read(viewer).is_ok(),
        postable,
        protected: chat.noforwards,
        slow_mode_secs: u32::try_from(chat.slow_mode_secs).ok().filter(|secs| *secs > 0),
    }
}

/// What Telegram says of an id that is gone.
pub(super) fn empty(id: MessageId) -> Message {
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

/// A message of the world. A broadcast's posts are its own: nobody sees who sent them.
pub(super) fn message(world: &World, message: &SimMessage) -> Message {
    let broadcast = world.chat(message.chat).is_some_and(|chat| chat.kind == ChatKind::Broadcast);
    let date = |secs: i32| Timestamp::from_second(i64::from(secs)).unwrap_or(Timestamp::UNIX_EPOCH);
    let origin = match &message.forward {
        Forwarding::None => None,
        Forwarding::Post { channel, post, date: at } => Some(Origin {
            peer: Some(PeerId::channel(*channel)),
            name: None,
            post: Some(MessageId(post.0)),
            date: date(*at),
        }),
        Forwarding::Other(header) => Some(Origin {
            peer: header.from.map(|from| PeerId(from.0)),
            name: header.name.as_deref().map(str::to_owned),
            post: header.post.map(|post| MessageId(post.0)),
            date: date(header.date),
        }),
    };
    Message {
        id: MessageId(message.id.0),
        date: date(message.date),
        body: body(message.kind()),
        album: (message.group != 0).then_some(GroupedId(message.group)),
        text: message.text.as_str().into_owned(),
        media: message.media().and_then(world::message::Media::id),
        origin,
        sender: (!broadcast).then(|| PeerId::user(message.by.0)),
    }
}

fn body(kind: SimKind) -> Body {
    Body::Content(match kind {
        SimKind::Service => return Body::Service,
        SimKind::Text => Kind::Text,
        SimKind::Photo => Kind::Photo,
        SimKind::Video | SimKind::Animation | SimKind::VideoMessage => Kind::Video,
        SimKind::Document => Kind::Document,
        SimKind::Audio => Kind::Audio,
        SimKind::Voice => Kind::Voice,
        SimKind::Sticker => Kind::Sticker,
        SimKind::Poll => Kind::Poll,
        SimKind::Contact | SimKind::Geo => Kind::Other,
    })
}
