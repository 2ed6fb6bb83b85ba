//! The `Telegram` port over the world itself: no sockets, no bytes, the same rules.
//!
//! What the wire would do to a call happens here too: a call that was lost before or after it was applied, a reply that
//! comes late or never, a 500. Every call takes 40 ms of virtual time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use session_host::telegram::{
    CallError, Connection, Difference, Forward, Forwarded, Newest, OpenError, Peer, Telegram,
};
use simulator::world::chat::{ChatKind, Role};
use simulator::world::forward::ForwardRequest;
use simulator::world::history::Window;
use simulator::world::message::{Forward as Forwarding, Kind as SimKind, Message as SimMessage};
use simulator::world::{self, Actor, Done, ReplyShape, RpcError, WireFault, World, WorldUpdate};
use simulator::world::{AuthKeyId, ChatId, SessionId, UserId};
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, GroupedId, MessageId, PeerId, RandomId};
use transfer::message::{Body, Kind, Message, Origin};
use transfer::refusal::Refusal;

/// How long a call takes, half of it each way.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// After so long without an answer the host gives a call up.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Opens connections to the world.
#[derive(Clone)]
pub struct InProcess {
    world: Arc<Mutex<World>>,
    sessions: Arc<Mutex<i64>>,
}

impl InProcess {
    /// A front of this world.
    pub fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world, sessions: Arc::default() }
    }
}

#[async_trait]
impl Telegram for InProcess {
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError> {
        tokio::time::sleep(ROUND_TRIP).await;
        let no_session = |why: &str| OpenError::NoSession { account: account.clone(), why: why.into() };
        let Ok(number) = account.0.parse() else { return Err(no_session("its id is no number")) };
        let session = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            *sessions += 1;
            SessionId(*sessions)
        };
        let actor = Actor { user: UserId(number), auth_key: AuthKeyId(number), session };
        Ok(Box::new(InProcessConnection { world: self.world.clone(), actor }))
    }
}

struct InProcessConnection {
    world: Arc<Mutex<World>>,
    actor: Actor,
}

impl InProcessConnection {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call as the wire would: there and back, with what the fault plan does to it.
    async fn call<T: Send>(&self, act: impl FnOnce(&mut World, &Actor) -> Done<T> + Send) -> Result<T, CallError> {
        tokio::time::sleep(ROUND_TRIP / 2).await;
        let done = act(&mut self.world(), &self.actor);
        match done.wire {
            WireFault::None | WireFault::InternalAfter => {}
            WireFault::Delay(by) => tokio::time::sleep(by).await,
            WireFault::CutBefore | WireFault::CutAfter | WireFault::TransportError(_) => {
                return Err(CallError::Uncertain("the connection was cut".into()));
            }
            WireFault::Stall | WireFault::StallBefore => {
                tokio::time::sleep(CALL_TIMEOUT).await;
                return Err(CallError::Uncertain("no answer in time".into()));
            }
        }
        tokio::time::sleep(ROUND_TRIP / 2).await;
        if done.shape != ReplyShape::Normal {
            return Err(CallError::Uncertain("the reply cannot be used".into()));
        }
        done.result.map_err(|error| refused(&error))
    }

    /// A call that the world has no front for: it has only to exist and be allowed.
    async fn look_at(&self, id: ChatId) -> Result<Peer, CallError> {
        tokio::time::sleep(ROUND_TRIP).await;
        let world = self.world();
        world.check_peer(self.actor.user, id).map_err(|error| refused(&error))?;
        Ok(peer(&world, self.actor.user, id))
    }
}

#[async_trait]
impl Connection for InProcessConnection {
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError> {
        let id = match address {
            PeerAddress::Username(name) => self.call(|world, actor| world.call_resolve(actor, name)).await?,
            PeerAddress::Invite(hash) => {
                tokio::time::sleep(ROUND_TRIP).await;
                self.world().invite(hash).map_err(|error| refused(&error))?
            }
            PeerAddress::Id(id) => ChatId(id.0),
        };
        self.look_at(id).await
    }

    async fn look(&self, id: PeerId, access_hash: i64) -> Result<Peer, CallError> {
        self.world().check_access(self.actor.user, ChatId(id.0), access_hash).map_err(|error| refused(&error))?;
        self.look_at(ChatId(id.0)).await
    }

    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError> {
        let (chat, above) = (ChatId(peer.id.0), world::MessageId(after.0));
        let limit = i32::try_from(limit).unwrap_or(100);
        let page = self.call(|world, actor| world.call_history_up(actor, chat, above, limit)).await?;
        Ok(page.iter().map(message).collect())
    }

    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError> {
        let chat = ChatId(peer.id.0);
        let offset_date = before.map_or(0, |date| i32::try_from(date.as_second()).unwrap_or(i32::MAX));
        let window = Window { offset_date, limit: 1, ..Window::default() };
        let page = self.call(|world, actor| world.call_history(actor, chat, window)).await?;
        let world = self.world();
        let (count, pts) = world.chat(chat).map_or((0, 0), |chat| (chat.history.len() as u64, chat.pts));
        Ok(Newest { message: page.first().map(message), count, pts })
    }

    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError> {
        let chat = ChatId(peer.id.0);
        let asked: Vec<world::MessageId> = ids.iter().map(|id| world::MessageId(id.0)).collect();
        let found = self.call(|world, actor| world.call_messages(actor, chat, &asked)).await?;
        Ok(found.iter().zip(ids).map(|(found, id)| found.as_ref().map_or_else(|| empty(*id), message)).collect())
    }

    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError> {
        let ids = forward.ids.iter().map(|id| world::MessageId(id.0)).collect();
        let random_ids = forward.random_ids.iter().map(|id| id.0).collect();
        let (from, to) = (ChatId(forward.source.id.0), ChatId(forward.target.id.0));
        let request = ForwardRequest {
            drop_author: forward.style.drop_author,
            drop_media_captions: forward.style.drop_captions,
            silent: forward.style.silent,
            topic: forward.topic.map(|topic| world::MessageId(topic.0)),
            ..ForwardRequest::new(from, to, ids, random_ids)
        };
        let done = self.call(|world, actor| world.call_forward(actor, &request)).await?;
        let new_ids = done.ids.iter().map(|(random, id)| (RandomId(*random), MessageId(id.0))).collect();
        Ok(Forwarded { new_ids, pts: done.events.last().map(|event| event.pts) })
    }

    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
        let chat = ChatId(peer.id.0);
        let mut whole = Difference { new_ids: Vec::new(), deleted: Vec::new(), complete: true, pts };
        loop {
            let from = whole.pts;
            let part = self.call(|world, actor| world.call_channel_difference(actor, chat, from)).await?;
            whole.new_ids.extend(part.own.iter().map(|(id, random)| (RandomId(*random), MessageId(id.0))));
            for other in &part.others {
                if let WorldUpdate::Deleted { ids, .. } = other {
                    whole.deleted.extend(ids.iter().map(|id| MessageId(id.0)));
                }
            }
            whole.pts = part.pts;
            whole.complete &= !part.too_long;
            if part.last || part.too_long {
                return Ok(whole);
            }
        }
    }

    async fn close(&self) {}
}

fn refused(error: &RpcError) -> CallError {
    if error.code == 500 && error.message != "RANDOM_ID_DUPLICATE" {
        return CallError::Uncertain(error.message.clone());
    }
    CallError::Refused(Refusal::parse(error.code, &error.message))
}

fn peer(world: &World, viewer: UserId, id: ChatId) -> Peer {
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

fn empty(id: MessageId) -> Message {
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

fn message(message: &SimMessage) -> Message {
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
        sender: None,
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
