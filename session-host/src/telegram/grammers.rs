//! grammers, and all that is peculiar to it: the only file that names its client types.
//!
//! [`Wire`] is one connection with one key. What must stay true:
//!
//! - It connects once. grammers' pool reconnects silently at the next call; [`OneConnection`] gives the address and key
//!   away once and knows no DC afterwards.
//! - It never changes a key. On transport error -404 grammers makes a new one and would store it over the good one;
//!   storing is refused, and the error is told as what it is.
//! - Nothing is called before its own `ping_delay_disconnect` was answered. grammers repeats that ping every 60 s.
//! - Every call ends: answer, refusal, or [`CallError::Uncertain`]. Nothing is retried and no wait is slept through.
//! - [`Wire::close`] returns when its tasks have ended.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex as SyncMutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grammers_mtproto::transport::Error as TransportError;
use grammers_mtsender::{ConnectionParams, InvocationError, NoRetries, RpcError, SenderPool, SenderPoolHandle};
use grammers_session::types::{DcOption, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session as Storage};
use grammers_tl_types::{Deserializable, RemoteCall, Serializable, enums, functions};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;
use transfer::clock::Clock;
use transfer::refusal::{Meaning, Refusal};

use super::CallError;
use super::server_clock::JumpGuard;
use super::setup::Setup;
use crate::session::AuthKey;

/// After so long without a ping the server closes the connection: what grammers itself uses.
const DISCONNECT_DELAY_SECS: i32 = 75;
/// How long the runner may take to end by itself. It ends at once, unless it is still connecting; then it is aborted.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// Updates are not read at all; the channel must have some size.
const UPDATES_KEPT: NonZeroUsize = NonZeroUsize::MIN;

/// One connection.
pub(crate) struct Wire {
    handle: SenderPoolHandle,
    dc: i32,
    runner: Mutex<JoinSet<()>>,
    /// Nothing more is sent.
    down: AtomicBool,
    guard: JumpGuard,
}

/// Why a connection could not be opened.
#[derive(Debug)]
pub(crate) enum DialError {
    /// -404: the server does not know the key.
    UnknownKey,
    /// An error to the very first calls.
    Refused(Refusal),
    /// Everything else.
    Unreachable(String),
}

impl Wire {
    /// Connects to `dc` with `key` and gets one ping answered.
    pub(crate) async fn dial(
        setup: &Setup,
        dc: i32,
        address: SocketAddr,
        key: &AuthKey,
        clock: &Clock,
    ) -> Result<Self, DialError> {
        let option = Arc::new(OneConnection::new(dc, address, key));
        let pool = SenderPool::with_configuration(Arc::clone(&option), setup.api.id, parameters(setup, address));
        drop(pool.updates);
        let mut runner = JoinSet::new();
        runner.spawn(pool.runner.run());
        let handle = pool.handle.thin;
        let guard = JumpGuard::new(clock);
        let wire = Self { handle, dc, runner: Mutex::new(runner), down: AtomicBool::new(false), guard };

        let ping_id = random_id();
        let ping = functions::PingDelayDisconnect { ping_id, disconnect_delay: DISCONNECT_DELAY_SECS }.to_bytes();
        let answer = timeout(setup.patience.open, wire.handle.raw_invoke_in_dc(dc, ping)).await;
        let error = match answer {
            Ok(Ok(body)) => match enums::Pong::from_bytes(&body) {
                Ok(enums::Pong::Pong(pong)) if pong.ping_id == ping_id => return Ok(wire),
                Ok(_) | Err(_) => DialError::Unreachable("the first ping was answered with something else".to_owned()),
            },
            Ok(Err(_)) if option.key_refused.load(Ordering::SeqCst) => DialError::UnknownKey,
            Ok(Err(error)) => dial_error(error),
            Err(_elapsed) => DialError::Unreachable(format!("no answer within {:?}", setup.patience.open)),
        };
        wire.close().await;
        Err(error)
    }

    /// One call.
    pub(crate) async fn call<R: RemoteCall>(&self, request: &R, within: Duration) -> Result<R::Return, CallError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(CallError::Uncertain("the connection is closed".to_owned()));
        }
        if let Some(skew_secs) = self.guard.jumped() {
            self.down.store(true, Ordering::SeqCst);
            return Err(CallError::Uncertain(format!("the clock of this machine jumped by {skew_secs} s")));
        }
        let answer = timeout(within, self.handle.raw_invoke_in_dc(self.dc, request.to_bytes())).await;
        let error = match answer {
            Ok(Ok(body)) => match R::Return::from_bytes(&body) {
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(CallError::Uncertain(format!("the answer does not decode: {error}"))),
            },
            Ok(Err(InvocationError::Rpc(error))) => return Err(refused(&error)),
            Ok(Err(InvocationError::Deserialize(error))) => {
                return Err(CallError::Uncertain(format!("the answer does not decode: {error}")));
            }
            Ok(Err(InvocationError::InvalidDc)) => "the connection was lost".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => format!("no answer within {within:?}"),
        };
        // The call may still be queued or under way: nothing else may go out behind it.
        self.down.store(true, Ordering::SeqCst);
        Err(CallError::Uncertain(error))
    }

    /// Ends the connection. When this returns, no task of it is left, and nothing will be sent any more.
    pub(crate) async fn close(&self) {
        self.down.store(true, Ordering::SeqCst);
        self.handle.quit();
        let mut runner = self.runner.lock().await;
        if timeout(CLOSE_PATIENCE, ended(&mut runner)).await.is_err() {
            runner.abort_all();
            ended(&mut runner).await;
        }
    }
}

async fn ended(runner: &mut JoinSet<()>) {
    while let Some(end) = runner.join_next().await {
        if let Err(error) = end
            && error.is_panic()
        {
            tracing::warn!("grammers' runner panicked; its connection is closed");
        }
    }
}

/// What the server learns of this program. grammers' own default asks the operating system, and tells.
fn parameters(setup: &Setup, address: SocketAddr) -> ConnectionParams {
    ConnectionParams {
        device_model: "Ferry".to_owned(),
        system_version: std::env::consts::OS.to_owned(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system_lang_code: "en".to_owned(),
        lang_code: "en".to_owned(),
        proxy_url: setup.proxy.as_ref().map(|proxy| proxy.expose_url().to_owned()),
        use_ipv6: address.is_ipv6(),
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: UPDATES_KEPT,
        __non_exhaustive: (),
    }
}

fn dial_error(error: InvocationError) -> DialError {
    match error {
        // An exchange of grammers' own begins only after -404: the key was given.
        InvocationError::Authentication(_) | InvocationError::Transport(TransportError::BadStatus { status: 404 }) => {
            DialError::UnknownKey
        }
        InvocationError::Rpc(error) => match refused(&error) {
            CallError::Refused(refusal) => DialError::Refused(refusal),
            CallError::Uncertain(why) => DialError::Unreachable(why),
        },
        InvocationError::Transport(TransportError::BadStatus { status: 429 }) => {
            DialError::Unreachable("telegram answers -429: too many connections from this address".to_owned())
        }
        other => DialError::Unreachable(other.to_string()),
    }
}

/// An error in Telegram's words. Telegram's own failures (500, and its negative codes) leave open what happened.
fn refused(error: &RpcError) -> CallError {
    let refusal = Refusal::parse(error.code, &original_name(error));
    match refusal.meaning() {
        Meaning::Internal => CallError::Uncertain(refusal.to_string()),
        Meaning::FloodWait { .. }
        | Meaning::SlowMode { .. }
        | Meaning::PeerFlood
        | Meaning::Frozen
        | Meaning::NotForThisPeer
        | Meaning::KindForbidden
        | Meaning::SourceProtected
        | Meaning::BadMessage
        | Meaning::TopicClosed
        | Meaning::PaymentRequired { .. }
        | Meaning::PremiumRequired
        | Meaning::SignedOut
        | Meaning::SessionDead
        | Meaning::Banned
        | Meaning::Migrate { .. }
        | Meaning::RandomIdDuplicate
        | Meaning::Unknown => CallError::Refused(refusal),
    }
}

/// grammers cuts `_31` out of `FLOOD_WAIT_31`: put it back at the end, where Telegram has it, unless nothing was cut.
fn original_name(error: &RpcError) -> String {
    match error.value {
        Some(value) if !error.name.contains(&value.to_string()) => format!("{}_{value}", error.name),
        Some(_) | None => error.name.clone(),
    }
}

fn random_id() -> i64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    i64::from_le_bytes(bytes)
}

/// grammers' view of the session: one DC, for one connection.
struct OneConnection {
    dc: i32,
    key: AuthKey,
    option: SyncMutex<Option<DcOption>>,
    key_refused: AtomicBool,
}

/// grammers wanted to store another key than the one it was given.
#[derive(Debug, thiserror::Error)]
#[error("the server does not know the key, and another one is not taken")]
struct KeyChange;

impl OneConnection {
    fn new(dc: i32, address: SocketAddr, key: &AuthKey) -> Self {
        let (ipv4, ipv6) = match address {
            SocketAddr::V4(ipv4) => (ipv4, SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0)),
            SocketAddr::V6(ipv6) => (SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), ipv6),
        };
        let option = DcOption { id: dc, ipv4, ipv6, auth_key: Some(*key.expose()) };
        let option = SyncMutex::new(Some(option));
        Self { dc, key: key.clone(), option, key_refused: AtomicBool::new(false) }
    }
}

/// A value that is there already.
fn ready<T: Send + 'static, E: Send + 'static>(value: Result<T, E>) -> BoxFuture<'static, Result<T, E>> {
    Box::pin(std::future::ready(value))
}

impl Storage for OneConnection {
    type Error = KeyChange;

    fn home_dc_id(&self) -> Result<i32, KeyChange> {
        Ok(self.dc)
    }

    fn set_home_dc_id(&self, _dc: i32) -> BoxFuture<'_, Result<(), KeyChange>> {
        ready(Ok(()))
    }

    /// Address and key, once. From then on there is no such DC: a second connection fails, and the addresses that
    /// `help.getConfig` brings are merged into nothing.
    fn dc_option(&self, dc: i32) -> Result<Option<DcOption>, KeyChange> {
        let mut option = self.option.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(if dc == self.dc { option.take() } else { None })
    }

    fn set_dc_option(&self, option: &DcOption) -> BoxFuture<'_, Result<(), KeyChange>> {
        let changed = option.id == self.dc && option.auth_key.is_some_and(|key| key != *self.key.expose());
        if changed {
            self.key_refused.store(true, Ordering::SeqCst);
        }
        ready(if changed { Err(KeyChange) } else { Ok(()) })
    }

    fn peer(&self, _peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, KeyChange>> {
        ready(Ok(None))
    }

    fn cache_peer(&self, _peer: PeerInfo) -> BoxFuture<'_, Result<(), KeyChange>> {
        ready(Ok(()))
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, KeyChange>> {
        ready(Ok(UpdatesState::default()))
    }

    fn set_update_state(&self, _update: UpdateState) -> BoxFuture<'_, Result<(), KeyChange>> {
        ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammers_tl_types::types;

    fn meaning(code: i32, name: &str) -> CallError {
        refused(&RpcError::from(types::RpcError { error_code: code, error_message: name.to_owned() }))
    }

    #[test]
    fn errors_keep_telegrams_words() {
        for (code, name) in [
            (420, "FLOOD_WAIT_31"),
            (420, "FLOOD_WAIT_3"),
            (420, "FROZEN_METHOD_INVALID"),
            (420, "2FA_CONFIRM_WAIT_300"),
            (303, "PHONE_MIGRATE_4"),
            (400, "CHANNEL_INVALID"),
            (500, "RANDOM_ID_DUPLICATE"),
        ] {
            let CallError::Refused(refusal) = meaning(code, name) else { panic!("{name} is uncertain") };
            assert_eq!((refusal.code(), refusal.text()), (code, name));
        }
    }

    #[test]
    fn telegrams_own_failures_are_uncertain() {
        for (code, name) in [(500, "INTERNAL"), (-503, "Timeout"), (500, "WORKER_BUSY_TOO_LONG_RETRY")] {
            assert!(matches!(meaning(code, name), CallError::Uncertain(_)), "{name}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_given_away_once_and_its_key_never_changes() {
        let key = AuthKey::new([7; 256]);
        let storage = OneConnection::new(2, "127.0.0.1:443".parse().unwrap(), &key);
        assert!(storage.dc_option(3).unwrap().is_none());
        let mut option = storage.dc_option(2).unwrap().expect("the first asks and gets it");
        assert!(storage.dc_option(2).unwrap().is_none());
        assert!(storage.set_dc_option(&option).await.is_ok());
        assert!(storage.dc_option(2).unwrap().is_none(), "storing brings it back");
        option.auth_key = Some([8; 256]);
        assert!(storage.set_dc_option(&option).await.is_err());
        assert!(storage.key_refused.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panic_in_the_runner_is_an_uncertain_call_and_close_still_returns() {
        let key = AuthKey::new([7; 256]);
        let storage = Arc::new(OneConnection::new(2, "127.0.0.1:9".parse().unwrap(), &key));
        let pool = SenderPool::new(storage, 1);
        let mut runner = JoinSet::new();
        runner.spawn(async move {
            let _runner = pool.runner;
            // By now the call is queued; grammers panics on answers that are too short.
            tokio::task::yield_now().await;
            panic!("as if an answer had three bytes");
        });
        let wire = Wire {
            handle: pool.handle.thin,
            dc: 2,
            runner: Mutex::new(runner),
            down: AtomicBool::new(false),
            guard: JumpGuard::new(&Clock::system()),
        };
        for _ in 0..2 {
            let answer = wire.call(&functions::updates::GetState {}, Duration::from_secs(30)).await;
            assert!(matches!(answer, Err(CallError::Uncertain(_))), "{answer:?}");
        }
        wire.close().await;
    }
}
