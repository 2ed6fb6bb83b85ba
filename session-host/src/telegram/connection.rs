//! An account's connection and how it is opened: sessions, clock and wire put together behind the port.

use std::collections::HashMap;
use std::sync::Mutex as SyncMutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use grammers_tl_types::{RemoteCall, enums, functions, types};
use jiff::Timestamp;
use tokio::sync::Mutex;
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{AccountId, MessageId, PeerId};
use transfer::message::Message;
use transfer::refusal::Refusal;
use transfer::table::TableError;

use super::grammers::{DialError, Wire};
use super::peers::KnownPeers;
use super::server_clock::ServerClock;
use super::setup::{Patience, Setup};
use super::{
    CallError, Connection, Difference, Forward, Forwarded, Joined, Newest, OpenError, Peer, Telegram, differing,
    forwarding, membership, peers, reading,
};
use crate::exchange::ExchangeError;
use crate::session::{Session, SessionError, Sessions};

/// -404 in a row after which a key is given up. One alone can be a server's bad moment.
const UNKNOWN_KEY_MAX: u32 = 3;

/// Telegram, by way of grammers.
pub struct GrammersTelegram {
    setup: Setup,
    sessions: Sessions,
    clock: Clock,
    server_clock: ServerClock,
    /// How often in a row an account's key was answered with -404.
    unknown_keys: SyncMutex<HashMap<AccountId, u32>>,
}

impl GrammersTelegram {
    /// `clock` must be the machine's own: grammers reads no other.
    pub fn new(setup: Setup, sessions: Sessions, clock: Clock) -> Self {
        let unknown_keys = SyncMutex::default();
        Self { setup, sessions, clock, server_clock: ServerClock::default(), unknown_keys }
    }

    async fn dial(&self, session: &Session) -> Result<AccountConnection, OpenError> {
        let no_session = |why: String| OpenError::NoSession { account: session.account.clone(), why };
        let dc = session.home_dc;
        let key = session.home_key().ok_or_else(|| no_session(format!("it has no key of DC {dc}")))?;
        let address = self.setup.dcs.get(&dc).copied();
        let address = address.ok_or_else(|| no_session(format!("no address of DC {dc} is configured")))?;
        self.server_clock.check(&self.setup, address, &self.clock).await.map_err(open_error)?;
        let own = session.api.as_ref().map(|api| Setup { api: api.clone(), ..self.setup.clone() });
        let setup = own.as_ref().unwrap_or(&self.setup);
        let dialled = Wire::dial(setup, dc, address, key, &self.clock).await;
        let wire = dialled.map_err(|error| self.dial_error(&session.account, error))?;
        self.unknown_keys().remove(&session.account);
        Ok(AccountConnection { wire, patience: self.setup.patience, known_peers: Mutex::default() })
    }

    fn dial_error(&self, account: &AccountId, error: DialError) -> OpenError {
        match error {
            DialError::Refused(refusal) => OpenError::Refused(refusal),
            DialError::Unreachable(why) => OpenError::Unreachable(why),
            DialError::UnknownKey => {
                let mut unknown = self.unknown_keys();
                let times = unknown.entry(account.clone()).or_default();
                *times += 1;
                if *times < UNKNOWN_KEY_MAX {
                    let why = format!("telegram does not know this session's key (-404, {times} of {UNKNOWN_KEY_MAX})");
                    return OpenError::Unreachable(why);
                }
                // Telegram has no words for it: the nearest are those of a session that was ended.
                OpenError::Refused(Refusal::parse(401, "AUTH_KEY_UNREGISTERED"))
            }
        }
    }

    fn unknown_keys(&self) -> std::sync::MutexGuard<'_, HashMap<AccountId, u32>> {
        self.unknown_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_error(error: ExchangeError) -> OpenError {
    match error {
        ExchangeError::ClockSkew { skew_secs } => OpenError::ClockSkew { skew_secs },
        other => OpenError::Unreachable(crate::exchange::told(&other)),
    }
}

#[async_trait]
impl Telegram for GrammersTelegram {
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError> {
        let loaded = self.sessions.load(account).await;
        let session = loaded.map_err(|error| unloaded(account, &error))?;
        Ok(Box::new(self.dial(&session).await?))
    }
}

/// A table that does not answer says nothing about the session in it: the account must neither leave the pool for that nor
/// be erased as if nobody were signed in.
fn unloaded(account: &AccountId, error: &SessionError) -> OpenError {
    let why = error.to_string();
    match error {
        SessionError::Table(TableError::Failed(_)) => OpenError::Unreachable(format!("its session is not read: {why}")),
        _ => OpenError::NoSession { account: account.clone(), why },
    }
}

/// One connection of one account.
pub(crate) struct AccountConnection {
    wire: Wire,
    patience: Patience,
    pub(crate) known_peers: Mutex<KnownPeers>,
}

impl AccountConnection {
    /// A call that changes nothing.
    pub(crate) async fn read<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        self.call(request, self.patience.read).await
    }

    /// Where the account's own updates stand.
    pub(crate) async fn state(&self) -> Result<types::updates::State, CallError> {
        let enums::updates::State::State(state) = self.read(&functions::updates::GetState {}).await?;
        Ok(state)
    }

    async fn call<R: RemoteCall>(&self, request: &R, within: Duration) -> Result<R::Return, CallError> {
        self.wire.call(request, within).await
    }
}

#[async_trait]
impl Connection for AccountConnection {
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError> {
        peers::resolve(self, address).await
    }

    async fn look(&self, peer: PeerId, access_hash: i64) -> Result<Peer, CallError> {
        peers::look(self, peer, access_hash).await
    }

    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError> {
        reading::history(self, peer, after, limit).await
    }

    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError> {
        reading::newest(self, peer, before).await
    }

    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError> {
        reading::messages(self, peer, ids).await
    }

    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError> {
        let answer = self.call(&forwarding::request(forward), self.patience.write).await?;
        forwarding::answer(forward, answer)
    }

    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
        differing::difference(self, peer, pts).await
    }

    async fn whoami(&self) -> Result<(), CallError> {
        membership::whoami(self).await
    }

    async fn join(&self, address: &PeerAddress) -> Result<Joined, CallError> {
        membership::join(self, address).await
    }

    async fn log_out(&self) -> Result<(), CallError> {
        self.call(&functions::auth::LogOut {}, self.patience.write).await.map(drop)
    }

    async fn close(&self) {
        self.wire.close().await;
    }
}
