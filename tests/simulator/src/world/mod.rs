//! The world: users, chats, messages and the rules that Telegram keeps about them.
//!
//! Rules live here in the world's own types; `calls` translates TL to them, the deterministic simulation calls them
//! directly ([`front`]). What must stay true: one owner, synchronous, no clock but [`World::now`], no randomness but the
//! seeded one, no I/O. Whatever was ever created stays, so that audits can be made of it.

pub mod audit;
pub mod bots;
pub mod call;
pub mod chat;
pub mod connections;
pub mod error;
pub mod faults;
pub mod floods;
pub mod forward;
pub mod front;
pub mod generated;
pub mod held;
pub mod history;
pub mod ids;
pub mod keyboard;
pub mod login;
pub mod membership;
pub mod message;
pub mod post;
pub mod quirks;
pub mod reading;
pub mod resolve;
pub mod revise;
pub mod search;
pub mod seed;
pub mod send;
pub mod updates;
pub mod user;

pub use call::{About, Actor, Done, Ticket};
pub use error::{Rpc, RpcError};
pub use faults::{ReplyShape, WireCommand, WireFault};
pub use ids::{AuthKeyId, ChatId, MessageId, Peer, SessionId, UserId};
pub use message::Message;
pub use updates::{Push, WorldUpdate};

use crate::time::{Clock, SimTime};
use chat::Chat;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use user::User;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub clock: Clock,
    pub seed: u64,
    pub rng: ChaCha8Rng,
    pub users: BTreeMap<UserId, User>,
    pub chats: BTreeMap<ChatId, Chat>,
    pub quirks: quirks::Quirks,
    pub floods: floods::Floods,
    pub faults: faults::Faults,
    pub audit: audit::Audit,
    pub login: login::Login,
    pub bots: bots::Bots,
    /// Messages that nobody can forward, and the error that says so (`MEDIA_EMPTY` and the like).
    pub unforwardable: BTreeMap<(ChatId, MessageId), &'static str>,
    pub(crate) connections: connections::Connections,
    /// Random ids of forwards that were accepted and are not carried out yet.
    pub(crate) in_flight: BTreeSet<(UserId, ChatId, i64)>,
    /// Off where nobody takes pushes, so that they do not pile up.
    pub pushes_on: bool,
    pub(crate) random_ids: HashMap<(UserId, ChatId, i64), MessageId>,
    pub(crate) twins: HashMap<u64, Vec<(UserId, MessageId)>>,
    pub(crate) last_twin: u64,
    pub(crate) pushes: Vec<Push>,
    pub(crate) wire_commands: Vec<WireCommand>,
}

impl World {
    /// An empty world; all that is drawn comes from `seed`.
    #[must_use]
    pub fn new(seed: u64, clock: Clock) -> World {
        World {
            clock,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            users: BTreeMap::new(),
            chats: BTreeMap::new(),
            quirks: quirks::Quirks::drawn(seed),
            floods: floods::Floods::default(),
            faults: faults::Faults::default(),
            audit: audit::Audit::default(),
            login: login::Login::default(),
            bots: bots::Bots::default(),
            unforwardable: BTreeMap::new(),
            connections: connections::Connections::default(),
            in_flight: BTreeSet::new(),
            pushes_on: true,
            random_ids: HashMap::new(),
            twins: HashMap::new(),
            last_twin: 0,
            pushes: Vec::new(),
            wire_commands: Vec::new(),
        }
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// Adds (or replaces) a user.
    pub fn add_user(&mut self, user: User) {
        self.users.insert(user.id, user);
    }

    /// Adds (or replaces) a chat.
    pub fn add_chat(&mut self, chat: Chat) {
        self.chats.insert(chat.id, chat);
    }

    /// What faults and rules ask of the wire since the last call.
    pub fn take_wire_commands(&mut self) -> Vec<WireCommand> {
        std::mem::take(&mut self.wire_commands)
    }

    /// A chat for audits.
    #[must_use]
    pub fn chat(&self, id: ChatId) -> Option<&Chat> {
        self.chats.get(&id)
    }

    /// The user with this phone number; anything but digits is ignored.
    #[must_use]
    pub fn user_by_phone(&self, phone: &str) -> Option<&User> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let wanted = digits(phone);
        self.users.values().find(|user| !user.phone.is_empty() && digits(&user.phone) == wanted)
    }
}

/// A message as audits see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Created {
    pub id: MessageId,
    /// Unix seconds.
    pub at: i32,
    pub by: UserId,
    /// What it is a copy of.
    pub source: Option<(ChatId, MessageId)>,
    /// Album; 0 if none.
    pub group: i64,
    pub random_id: i64,
    pub deleted: bool,
}

impl Chat {
    /// Every message ever created here after the generated ones, deleted ones included, oldest first. Channels and
    /// supergroups only: the others keep theirs in mailboxes.
    pub fn all_created(&self) -> impl Iterator<Item = Created> {
        self.history.appended().iter().map(|message| Created {
            id: message.id,
            at: message.date,
            by: message.by,
            source: message.source,
            group: message.group,
            random_id: message.random_id,
            deleted: message.deleted,
        })
    }
}

#[cfg(test)]
mod tests;
