//! Ports that die at a given effect: before it is applied, or after it was applied, before or after the reply is seen.
//!
//! An effect is a commit, a queue call, the opening of a connection, or a forward. Reading changes nothing, a receive that
//! brings nothing neither, and that a host shows that it lives has no part in a chunk: none of them counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use session_host::engine::Ports;
use session_host::telegram::{
    CallError, Connection, Difference, Forward, Forwarded, Joined, Newest, OpenError, Peer, Telegram,
};
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, MessageId, PeerId};
use transfer::message::Message;
use transfer::queue::{Delivery, Job, Queue, QueueError, Receipt};
use transfer::table::{CommitError, Item, Key, List, Record, Table, TableError, Write};

/// On which side of the effect the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The effect does not happen.
    Before,
    /// The effect happens, and nobody learns of it.
    ReplyLost,
    /// The effect happens and the process learns of it; that is its last moment.
    ReplySeen,
}

impl Side {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Before, Self::ReplyLost, Self::ReplySeen];
}

/// Where the process dies.
#[derive(Debug, Clone)]
pub struct KillPoint {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    effects: AtomicU32,
    at: u32,
    side: Side,
    dead: CancellationToken,
}

impl KillPoint {
    /// Dies at the `at`th effect, from 1.
    pub fn new(at: u32, side: Side) -> Self {
        let inner = Inner { effects: AtomicU32::new(0), at, side, dead: CancellationToken::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Returns when the point was reached.
    pub async fn reached(&self) {
        self.inner.dead.cancelled().await;
    }

    /// Whether the point was reached.
    pub fn was_reached(&self) -> bool {
        self.inner.dead.is_cancelled()
    }

    /// A life that dies at no effect: it counts them.
    pub fn never() -> Self {
        Self::new(u32::MAX, Side::Before)
    }

    /// How many effects there were until now.
    pub fn effects(&self) -> u32 {
        self.inner.effects.load(Ordering::SeqCst)
    }

    /// The same ports, mortal.
    pub fn arm(&self, ports: Ports) -> Ports {
        Ports {
            telegram: Arc::new(MortalTelegram { inner: ports.telegram, point: self.clone() }),
            table: Arc::new(Mortal { inner: ports.table, point: self.clone() }),
            queue: Arc::new(Mortal { inner: ports.queue, point: self.clone() }),
            bot: ports.bot,
            reception: ports.reception,
            clock: ports.clock,
        }
    }

    /// Whether the next effect is the one at which it dies.
    fn dies_next(&self) -> bool {
        self.effects() + 1 == self.inner.at
    }

    /// Performs an effect, unless the process is dead, or dies now.
    async fn effect<T>(&self, act: impl Future<Output = T> + Send) -> T {
        let number = self.inner.effects.fetch_add(1, Ordering::SeqCst) + 1;
        if self.was_reached() {
            std::future::pending::<()>().await;
        }
        if number != self.inner.at {
            return act.await;
        }
        match self.inner.side {
            Side::Before => {}
            Side::ReplyLost => drop(act.await),
            Side::ReplySeen => {
                let reply = act.await;
                // Whatever it goes on to do, it has no effect any more.
                self.inner.dead.cancel();
                return reply;
            }
        }
        self.inner.dead.cancel();
        std::future::pending().await
    }
}

struct Mortal<P: ?Sized> {
    inner: Arc<P>,
    point: KillPoint,
}

#[async_trait]
impl Table for Mortal<dyn Table> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        self.inner.get(key).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        self.inner.partition(pk, sk_prefix).await
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        self.inner.due(until, limit).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        self.inner.list(list).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let shows_life = writes.iter().all(|write| matches!(write, Write::Put { item: Item::Host(_), .. }));
        if shows_life && !self.point.was_reached() {
            return self.inner.commit(writes).await;
        }
        self.point.effect(self.inner.commit(writes)).await
    }
}

#[async_trait]
impl Queue for Mortal<dyn Queue> {
    async fn send(&self, job: &Job) -> Result<(), QueueError> {
        self.point.effect(self.inner.send(job)).await
    }

    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let received = self.inner.receive(max, visibility, wait).await?;
        if received.is_empty() && !self.point.was_reached() {
            return Ok(received);
        }
        if self.point.dies_next() && self.point.inner.side == Side::Before {
            // It was not received: whoever asks next gets it.
            for delivery in &received {
                self.inner.extend(&delivery.receipt, Duration::ZERO).await?;
            }
        }
        self.point.effect(async { Ok(received) }).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.point.effect(self.inner.extend(receipt, visibility)).await
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.point.effect(self.inner.delete(receipt)).await
    }

    async fn purge(&self) -> Result<(), QueueError> {
        self.point.effect(self.inner.purge()).await
    }
}

struct MortalTelegram {
    inner: Arc<dyn Telegram>,
    point: KillPoint,
}

#[async_trait]
impl Telegram for MortalTelegram {
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError> {
        let connection = self.point.effect(self.inner.open(account)).await?;
        Ok(Box::new(MortalConnection { inner: connection, point: self.point.clone() }))
    }
}

struct MortalConnection {
    inner: Box<dyn Connection>,
    point: KillPoint,
}

/// Reading changes nothing: only the forward is an effect.
#[async_trait]
impl Connection for MortalConnection {
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError> {
        self.inner.resolve(address).await
    }

    async fn look(&self, peer: PeerId, access_hash: i64) -> Result<Peer, CallError> {
        self.inner.look(peer, access_hash).await
    }

    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError> {
        self.inner.history(peer, after, limit).await
    }

    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError> {
        self.inner.newest(peer, before).await
    }

    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError> {
        self.inner.messages(peer, ids).await
    }

    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError> {
        self.point.effect(self.inner.forward(forward)).await
    }

    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
        self.inner.difference(peer, pts).await
    }

    async fn whoami(&self) -> Result<(), CallError> {
        self.inner.whoami().await
    }

    async fn join(&self, address: &PeerAddress) -> Result<Joined, CallError> {
        self.point.effect(self.inner.join(address)).await
    }

    async fn log_out(&self) -> Result<(), CallError> {
        self.point.effect(self.inner.log_out()).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
