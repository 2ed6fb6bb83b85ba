//! Table and queue as a host reaches them: behind a network, with everything that AWS's documents allow to happen.
//!
//! A request that has left the process is carried out whatever becomes of the process: it lives in a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use transfer::queue::memory::MemoryQueue;
use transfer::queue::{Delivery, Job, Queue, QueueError, Receipt};
use transfer::table::memory::MemoryTable;
use transfer::table::{CommitError, Item, Key, List, Record, Table, TableError, Write};

use crate::fault::{Fault, Faults};
use crate::oracle::Oracle;
use crate::process::Process;
use crate::trace::Trace;

/// One way of a request or an answer.
const ONE_WAY: Duration = Duration::from_millis(1);
/// After so long without an answer the client gives a request up.
const CLIENT_TIMEOUT_MS: u64 = 5_000;
/// A table that is slow takes up to so long.
const SLOW_MS: u64 = 8_000;
/// A job that is late comes up to so much later.
const LATE_MS: u64 = 120_000;

/// What stands between a process and its engines.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) process: Process,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
}

impl Network {
    /// Carries a request out in a task of its own, and brings its answer to the process.
    pub(crate) async fn request<T: Send + 'static>(&self, act: impl Future<Output = T> + Send + 'static) -> T {
        let process = self.process.clone();
        let carried_out = left(async move {
            process.awake().await;
            tokio::time::sleep(ONE_WAY).await;
            act.await
        });
        let Ok(answer) = carried_out.await else {
            // Only the end of the whole run ends such a task.
            return std::future::pending().await;
        };
        tokio::time::sleep(ONE_WAY).await;
        self.process.awake().await;
        answer
    }

    pub(crate) async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.faults.between(1, most_ms))).await;
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        self.trace.line(&self.process.incarnation().0, what);
    }
}

/// Something that has left its process: it happens whatever becomes of that.
#[expect(clippy::disallowed_methods, reason = "nobody owns what is under way in a network")]
fn left<T: Send + 'static>(what: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(what)
}

/// The table as one process reaches it.
pub(crate) struct RemoteTable {
    pub(crate) inner: Arc<MemoryTable>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) network: Network,
}

impl RemoteTable {
    async fn read<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> String + Send,
        read: impl Future<Output = Result<T, TableError>> + Send + 'static,
    ) -> Result<T, TableError> {
        if self.network.faults.strikes(Fault::TableReadFails) {
            self.network.pause(CLIENT_TIMEOUT_MS).await;
            self.network.process.awake().await;
            self.network.tell(|| format!("cannot read {}", what()));
            return Err(TableError::Failed("no answer".into()));
        }
        self.network.request(read).await
    }
}

#[async_trait]
impl Table for RemoteTable {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        let (inner, wanted) = (self.inner.clone(), key.clone());
        self.read(|| key.to_string(), async move { inner.get(&wanted).await }).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        let (inner, pk, sk_prefix) = (self.inner.clone(), pk.to_owned(), sk_prefix.to_owned());
        let what = pk.clone();
        self.read(|| what, async move { inner.partition(&pk, &sk_prefix).await }).await
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        let inner = self.inner.clone();
        self.read(|| "what is due".into(), async move { inner.due(until, limit).await }).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        let inner = self.inner.clone();
        self.read(|| format!("{list:?}"), async move { inner.list(list).await }).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let (inner, oracle, network) = (self.inner.clone(), self.oracle.clone(), self.network.clone());
        self.network.request(async move { carry_out(&inner, &oracle, &network, writes).await }).await
    }
}

async fn carry_out(
    table: &MemoryTable,
    oracle: &Oracle,
    network: &Network,
    writes: Vec<Write>,
) -> Result<(), CommitError> {
    let faults = &network.faults;
    let what = || writes.iter().map(told).collect::<Vec<_>>().join(", ");
    if faults.strikes(Fault::TableSlow) {
        network.pause(SLOW_MS).await;
    }
    if faults.strikes(Fault::TableThrottle) {
        network.tell(|| format!("commit throttled: {}", what()));
        return Err(CommitError::Refused("throttled".into()));
    }
    if faults.strikes(Fault::TableConflict) {
        network.tell(|| format!("commit in conflict with nobody: {}", what()));
        return Err(CommitError::Conflict("another transaction was under way".into()));
    }
    if faults.strikes(Fault::TableTimeoutBefore) {
        network.tell(|| format!("commit lost on the way: {}", what()));
        network.pause(CLIENT_TIMEOUT_MS).await;
        return Err(CommitError::Unknown("no answer in time".into()));
    }
    let committed = commit(table, oracle, &network.process, &writes).await;
    match &committed {
        Ok(()) => network.tell(|| format!("commits {}", what())),
        Err(error) => network.tell(|| format!("commit refused ({error}): {}", what())),
    }
    // An answer that is lost says nothing about what it would have said.
    if faults.strikes(Fault::TableTimeoutAfter) {
        network.tell(|| "the answer to that commit is lost".into());
        network.pause(CLIENT_TIMEOUT_MS).await;
        return Err(CommitError::Unknown("no answer in time".into()));
    }
    committed
}

/// Commits and tells the oracle; nothing else happens in between, because nothing here waits.
pub(crate) async fn commit(
    table: &MemoryTable,
    oracle: &Oracle,
    by: &Process,
    writes: &[Write],
) -> Result<(), CommitError> {
    let mut before = BTreeMap::new();
    for write in writes {
        let key = write.key();
        if let Ok(Some(record)) = table.get(&key).await {
            before.insert(key, record);
        }
    }
    table.commit(writes.to_vec()).await?;
    oracle.committed(by.incarnation(), writes, &|key| before.get(key).cloned());
    Ok(())
}

/// A write in a few words.
fn told(write: &Write) -> String {
    match write {
        Write::Put { item: Item::Task(task), .. } => {
            let checkpoint = &task.checkpoint;
            let intent = checkpoint.intent.as_ref().map_or_else(String::new, |intent| {
                format!(" intent {} by {} of {:?}", intent.id, intent.account, intent.ids.as_slice())
            });
            format!("{} {} cursor {}{intent}", task.id, task.state.word(), checkpoint.cursor.0)
        }
        Write::Put { item: Item::Account(account), .. } => {
            let lease = account.lease.as_ref().map_or("nobody", |lease| lease.incarnation.0.as_str());
            format!("account {} {:?} held by {lease}", account.id, account.state)
        }
        Write::Put { item, .. } => item.key().to_string(),
        Write::Delete { key, .. } => format!("deletes {key}"),
        Write::Check { key, .. } => format!("checks {key}"),
    }
}

/// The queue as one process reaches it.
pub(crate) struct RemoteQueue {
    pub(crate) inner: Arc<MemoryQueue>,
    pub(crate) network: Network,
}

impl RemoteQueue {
    /// Lets a call fail, before or after it was applied.
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        act: impl Future<Output = Result<T, QueueError>> + Send + 'static,
    ) -> Result<T, QueueError> {
        let faults = &self.network.faults;
        if !faults.strikes(Fault::QueueFails) {
            return self.network.request(act).await;
        }
        let applied = faults.between(0, 1) == 1;
        self.network.tell(|| format!("the queue fails to {what}, {}", if applied { "applied" } else { "not applied" }));
        if applied {
            drop(self.network.request(act).await);
        }
        self.network.pause(CLIENT_TIMEOUT_MS).await;
        self.network.process.awake().await;
        Err(QueueError::Failed("no answer".into()))
    }
}

#[async_trait]
impl Queue for RemoteQueue {
    async fn send(&self, job: &Job) -> Result<(), QueueError> {
        let faults = &self.network.faults;
        if faults.strikes(Fault::QueueDrop) {
            self.network.tell(|| format!("job {} of {} is dropped", job.seq, job.group()));
            return Ok(());
        }
        let late = match (faults.strikes(Fault::QueueLate), faults.strikes(Fault::QueueOutOfOrder)) {
            (true, _) => Some(faults.between(1_000, LATE_MS)),
            (false, true) => Some(faults.between(5, 3_000)),
            (false, false) => None,
        };
        let (inner, job) = (self.inner.clone(), job.clone());
        if let Some(late_ms) = late {
            self.network.tell(|| format!("job {} of {} comes {late_ms} ms late", job.seq, job.group()));
            drop(left(async move {
                tokio::time::sleep(Duration::from_millis(late_ms)).await;
                // A queue in memory accepts every job.
                drop(inner.send(&job).await);
            }));
            return Ok(());
        }
        self.call("send", async move { inner.send(&job).await }).await
    }

    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        // Not in a task of its own: whoever hangs up while it waits receives nothing.
        self.network.process.awake().await;
        let received = self.inner.receive(max, visibility, wait).await?;
        self.network.process.awake().await;
        if !received.is_empty() && self.network.faults.strikes(Fault::QueueFails) {
            self.network.tell(|| "a delivery is lost on the way".into());
            return Err(QueueError::Failed("no answer".into()));
        }
        for delivery in &received {
            self.network.tell(|| format!("receives {}", delivery.body));
            if self.network.faults.strikes(Fault::QueueTwice) {
                let (inner, receipt) = (self.inner.clone(), delivery.receipt.clone());
                let again = Duration::from_millis(self.network.faults.between(1, 20_000));
                drop(left(async move {
                    tokio::time::sleep(again).await;
                    inner.expire(&receipt);
                }));
            }
        }
        Ok(received)
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let (inner, receipt) = (self.inner.clone(), receipt.clone());
        self.call("extend", async move { inner.extend(&receipt, visibility).await }).await
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let (inner, receipt) = (self.inner.clone(), receipt.clone());
        self.call("delete", async move { inner.delete(&receipt).await }).await
    }

    async fn purge(&self) -> Result<(), QueueError> {
        let inner = self.inner.clone();
        self.call("purge", async move { inner.purge().await }).await
    }
}
