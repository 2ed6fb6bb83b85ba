//! The world: users, chats, messages and the rules that Telegram keeps about them.
//!
//! Rules live here in the world's own types; `calls` translates TL to them, the deterministic simulation calls them
//! directly. What must stay true: one owner, synchronous, no clock but [`World::now`], no randomness but the seeded one,
//! no I/O.

pub mod error;
pub mod faults;
pub mod ids;
pub mod login;
pub mod updates;

pub use error::{Rpc, RpcError};
pub use faults::{WireCommand, WireFault};
pub use ids::{AuthKeyId, ChatId, MessageId, Peer, SessionId, UserId};
pub use updates::{Push, WorldUpdate};

use crate::time::{Clock, SimTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub clock: Clock,
    pub seed: u64,
    pub rng: ChaCha8Rng,
    pub login: login::Login,
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
            login: login::Login::default(),
            pushes: Vec::new(),
            wire_commands: Vec::new(),
        }
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }
}
