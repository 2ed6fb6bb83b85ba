//! The Telegram port: what the engine asks of Telegram, in the domain's words.
//!
//! [`Telegram`] opens an account's one connection; [`Connection`] makes the calls. A connection connects once: after
//! any uncertain answer it is closed (its runner aborted *and joined*) and a new one is opened. Nothing here retries,
//! and nothing sleeps through a flood wait.

mod connection;
pub(crate) mod convert;
mod differing;
mod forwarding;
pub(crate) mod grammers;
mod membership;
mod peers;
mod reading;
pub(crate) mod server_clock;
pub mod setup;

pub use connection::GrammersTelegram;

use async_trait::async_trait;
use jiff::Timestamp;
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, MessageId, PeerId, RandomId};
use transfer::message::Message;
use transfer::refusal::Refusal;
use transfer::task::Style;

/// Opens connections.
#[async_trait]
pub trait Telegram: Send + Sync {
    /// Opens the connection of an account: TCP (through the proxy, if any), the saved auth key, and a
    /// `ping_delay_disconnect(75)` of this very connection answered. The caller holds the account's lease.
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError>;
}

/// One connection of one account. Calls of one method class must not overlap; those of different classes may.
#[async_trait]
pub trait Connection: Send + Sync {
    /// What the account can see of a peer that somebody named.
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError>;
    /// Looks again at a peer that was resolved before: rights, protection, slow mode.
    async fn look(&self, peer: PeerId, access_hash: i64) -> Result<Peer, CallError>;
    /// Up to `limit` (1 to 100) messages with ids above `after`, ascending. A short page is not the end, an empty one is.
    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError>;
    /// The newest message, or the newest posted before a time.
    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError>;
    /// Messages by id (1 to 100), in the order asked for; what is gone has an empty body.
    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError>;
    /// `messages.forwardMessages`, with exactly these ids, random ids and flags.
    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError>;
    /// What this account's own sendings became in `peer` since `pts`.
    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError>;
    /// Asks Telegram who this is: whether the session is still good.
    async fn whoami(&self) -> Result<(), CallError>;
    /// Joins a public chat by its name, or a private one by its invite. Whoever is inside already has joined.
    async fn join(&self, address: &PeerAddress) -> Result<Joined, CallError>;
    /// Signs the account out: its key is worthless from then on. The last call of a connection.
    async fn log_out(&self) -> Result<(), CallError>;
    /// Closes the connection; when this returns, nothing of it will be sent any more.
    async fn close(&self);
}

/// What came of joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The account is inside.
    Member,
    /// An admin of the chat has to let it in (`INVITE_REQUEST_SENT`).
    Requested,
}

/// A peer as one account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: PeerId,
    /// With which this account, and no other, addresses it.
    pub access_hash: i64,
    /// Its title or name.
    pub title: String,
    /// Whether this account may read its history.
    pub readable: bool,
    /// Whether this account may post there; `None`: only trying tells.
    pub postable: Option<bool>,
    /// Whether its content is protected against forwarding.
    pub protected: bool,
    /// Seconds between this account's messages there; told by [`Connection::look`] alone.
    pub slow_mode_secs: Option<u32>,
}

/// The newest message of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The message; `None` in an empty chat.
    pub message: Option<Message>,
    /// How many messages the chat has, as Telegram counts.
    pub count: u64,
    /// The peer's pts (channels), or the account's own (elsewhere).
    pub pts: i32,
}

/// One `messages.forwardMessages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// From where, as this account sees it.
    pub source: Peer,
    /// To where, as this account sees it.
    pub target: Peer,
    /// A topic of the target.
    pub topic: Option<MessageId>,
    /// Source ids, strictly ascending, at most 100.
    pub ids: Vec<MessageId>,
    /// One for each id.
    pub random_ids: Vec<RandomId>,
    /// The flags.
    pub style: Style,
}

/// A complete `Updates` in answer to a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// `updateMessageID`: which random id became which target id. An id without one was not forwarded.
    pub new_ids: Vec<(RandomId, MessageId)>,
    /// The target's pts after it, where the answer told.
    pub pts: Option<i32>,
}

/// What happened in a peer since a pts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Own sendings: which random id became which target id.
    pub new_ids: Vec<(RandomId, MessageId)>,
    /// Ids that were deleted since.
    pub deleted: Vec<MessageId>,
    /// Whether the difference was complete; Telegram may say "too long".
    pub complete: bool,
    /// The pts it ends at.
    pub pts: i32,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Telegram refused, in its own words.
    #[error("telegram refused: {0}")]
    Refused(Refusal),
    /// Timeout, I/O error, 500, undecodable or incomplete reply: nobody knows whether it was carried out. The
    /// connection must be closed.
    #[error("nobody knows whether the call was carried out: {0}")]
    Uncertain(String),
}

/// Why a connection could not be opened. Nothing was called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Telegram does not accept the session (any more).
    #[error("telegram does not accept the session: {0}")]
    Refused(Refusal),
    /// No connection, proxy down, no answer in time: try again later.
    #[error("no connection to telegram: {0}")]
    Unreachable(String),
    /// This host's clock is too far off; every connection would fail.
    #[error("the clock of this machine is {skew_secs} s off Telegram's; set it (NTP) and start again")]
    ClockSkew {
        /// Positive: this machine is ahead.
        skew_secs: i64,
    },
    /// There is no usable session for the account on this host.
    #[error("no session of account {account}: {why}")]
    NoSession {
        /// The account.
        account: AccountId,
        /// What is wrong.
        why: String,
    },
}
