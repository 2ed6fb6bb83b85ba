//! One call per method class at a time, on one connection.
//!
//! A call that was sent cannot be taken back: whoever stops waiting for it (a reader whose pages nobody wants any more)
//! leaves it under way. So each call runs to its end here, whoever waits for it, and holds its class until then; a wait
//! that its answer brings is noted at receipt; and what went before is looked at again when the class is free.

use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;
use transfer::account::MethodClass;
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{AccountId, MessageId, PeerId};
use transfer::message::Message;
use transfer::mutated;
use transfer::refusal::Refusal;
use transfer::verdict::{AccountEffect, Attempt, verdict};

use super::Shared;
use super::fence::Fence;
use super::pool::Pool;
use crate::telegram::{CallError, Connection, Difference, Forward, Forwarded, Joined, Newest, Peer};

/// How long calls may take to end once their connection is closed; they end at once.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A connection on which calls of one class do not overlap.
pub(crate) struct OneCall {
    connection: Arc<dyn Connection>,
    account: AccountId,
    fence: Arc<Fence>,
    pool: Arc<Pool>,
    clock: Clock,
    write: Arc<Mutex<()>>,
    read: Arc<Mutex<()>>,
    resolve: Arc<Mutex<()>>,
    under_way: SyncMutex<JoinSet<()>>,
}

impl OneCall {
    /// Wraps the connection of an account.
    pub(crate) fn new(shared: &Shared, account: AccountId, connection: Box<dyn Connection>) -> Self {
        Self {
            connection: Arc::from(connection),
            account,
            fence: shared.fence.clone(),
            pool: shared.pool.clone(),
            clock: shared.ports.clock.clone(),
            write: Arc::default(),
            read: Arc::default(),
            resolve: Arc::default(),
            under_way: SyncMutex::default(),
        }
    }

    fn under_way(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call when its class is free. Dropped before that, nothing was sent; dropped later, it goes on by itself.
    async fn call<T, F>(
        &self,
        class: MethodClass,
        act: impl FnOnce(Arc<dyn Connection>) -> F + Send,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CallError>> + Send + 'static,
    {
        let lane = match class {
            MethodClass::Write => &self.write,
            MethodClass::Read => &self.read,
            MethodClass::Resolve => &self.resolve,
        };
        let lane = if mutated!(CallsOverlap) { Arc::default() } else { lane.clone() };
        let free = lane.lock_owned().await;
        // The one before may have taken long, and brought a wait.
        self.fence.check().map_err(|halt| CallError::Uncertain(halt.to_string()))?;
        if let Some(until) = self.pool.known_wait(&self.account, class, self.clock.now())
            && !mutated!(CheckedInWait)
        {
            let secs = secs_until(until, self.clock.now());
            return Err(CallError::Refused(Refusal::parse(420, &format!("FLOOD_WAIT_{secs}"))));
        }
        let (tell, told) = oneshot::channel();
        let (pool, clock, account) = (self.pool.clone(), self.clock.clone(), self.account.clone());
        let calling = act(self.connection.clone());
        {
            let mut under_way = self.under_way();
            while under_way.try_join_next().is_some() {}
            under_way.spawn(async move {
                let answer = calling.await;
                match &answer {
                    Ok(_) => pool.note_good(&account, clock.now()),
                    Err(CallError::Refused(refusal)) if !mutated!(OrphanWaitLost) => {
                        note(&pool, &clock, &account, class, refusal);
                    }
                    Err(_) => {}
                }
                drop(free);
                // Nobody may be waiting any more.
                drop(tell.send(answer));
            });
        }
        told.await.unwrap_or_else(|_closed| Err(CallError::Uncertain("the connection was closed".into())))
    }
}

fn note(pool: &Pool, clock: &Clock, account: &AccountId, class: MethodClass, refusal: &Refusal) {
    if let AccountEffect::Cooling { secs } = verdict(refusal, Attempt::First).account {
        let wait = SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
        let now = clock.now();
        pool.note_wait(account, class, now.saturating_add(wait).unwrap_or(Timestamp::MAX));
    }
}

/// Whole seconds, rounded up.
fn secs_until(until: Timestamp, now: Timestamp) -> i64 {
    let left = until.duration_since(now);
    left.as_secs() + i64::from(left.subsec_nanos() > 0)
}

#[async_trait]
impl Connection for OneCall {
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError> {
        let address = address.clone();
        self.call(MethodClass::Resolve, |on| async move { on.resolve(&address).await }).await
    }

    async fn look(&self, peer: PeerId, access_hash: i64) -> Result<Peer, CallError> {
        self.call(MethodClass::Read, move |on| async move { on.look(peer, access_hash).await }).await
    }

    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError> {
        let peer = peer.clone();
        self.call(MethodClass::Read, move |on| async move { on.history(&peer, after, limit).await }).await
    }

    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError> {
        let peer = peer.clone();
        self.call(MethodClass::Read, move |on| async move { on.newest(&peer, before).await }).await
    }

    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError> {
        let (peer, ids) = (peer.clone(), ids.to_vec());
        self.call(MethodClass::Read, move |on| async move { on.messages(&peer, &ids).await }).await
    }

    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError> {
        let forward = forward.clone();
        self.call(MethodClass::Write, move |on| async move { on.forward(&forward).await }).await
    }

    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
        let peer = peer.clone();
        self.call(MethodClass::Read, move |on| async move { on.difference(&peer, pts).await }).await
    }

    async fn whoami(&self) -> Result<(), CallError> {
        self.call(MethodClass::Read, |on| async move { on.whoami().await }).await
    }

    /// Waits of joining are noted as waits of resolving: both are rare, and their waits are long and have nothing to do
    /// with those of forwarding and reading.
    async fn join(&self, address: &PeerAddress) -> Result<Joined, CallError> {
        let address = address.clone();
        self.call(MethodClass::Resolve, |on| async move { on.join(&address).await }).await
    }

    async fn log_out(&self) -> Result<(), CallError> {
        self.call(MethodClass::Read, |on| async move { on.log_out().await }).await
    }

    async fn close(&self) {
        // The connection itself sees to it that nothing more is sent, and ends what is still under way. An answer that came
        // just before is listened to: it may bring a wait.
        self.connection.close().await;
        let mut under_way = std::mem::take(&mut *self.under_way());
        let all = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, all).await.is_err() {
            tracing::warn!(account = %self.account, "calls did not end with their connection; they are dropped");
        }
        under_way.shutdown().await;
    }
}
