//! Engines, and the SDK's clients in front of them with a proxy between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferry::engines::Engines;
use tempfile::TempDir;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::queue::sqs::SqsQueue;
use transfer::table::dynamo::DynamoTable;

use super::faults::{Fault, leave_out};
use super::proxy::{Answer, Call, Fate, Proxy, Warden};

/// Strikes the next calls of one operation, each with one fault, and remembers the operations of all calls.
pub(crate) struct Next {
    operation: &'static str,
    faults: Mutex<VecDeque<Fault>>,
    heard: Mutex<Vec<String>>,
}

impl Next {
    pub(crate) fn of(operation: &'static str, faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        Arc::new(Self { operation, faults: Mutex::new(faults.into_iter().collect()), heard: Mutex::default() })
    }

    fn faults(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is nothing left to strike with.
    pub(crate) fn is_done(&self) -> bool {
        self.faults().is_empty()
    }

    /// How often the operation was called.
    pub(crate) fn calls(&self) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|operation| *operation == self.operation).count()
    }
}

impl Warden for Next {
    fn fate(&self, call: &mut Call) -> Fate {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(call.operation.clone());
        if call.operation != self.operation {
            return Fate::Passed;
        }
        let mut faults = self.faults();
        match faults.front() {
            // It waits for the answer.
            Some(Fault::LeftOut) | None => Fate::Passed,
            Some(_) => faults.pop_front().map_or(Fate::Passed, |fault| fault.fate(call)),
        }
    }

    fn answered(&self, call: &Call, answer: &mut Answer) {
        let mut faults = self.faults();
        if call.operation == self.operation && faults.front() == Some(&Fault::LeftOut) && leave_out(answer) {
            faults.pop_front();
        }
    }
}

/// The embedded engines, in a directory of their own.
pub(crate) struct Stand {
    pub(crate) engines: Engines,
    _dir: TempDir,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engines = Engines::start(dir.path()).await.unwrap();
        Self { engines, _dir: dir }
    }

    /// The table behind a proxy; the proxy lives as long as the table is used.
    pub(crate) async fn table(&self, warden: Arc<dyn Warden>) -> (DynamoTable, Proxy) {
        let proxy = Proxy::before(self.engines.dynamo_endpoint(), warden).await.unwrap();
        let client = DynamoClient::new(&local_config(proxy.endpoint()));
        (DynamoTable::new(&client, self.engines.table_name(), 1), proxy)
    }

    /// The queue behind a proxy.
    pub(crate) async fn queue(&self, warden: Arc<dyn Warden>) -> (SqsQueue, Proxy) {
        let proxy = Proxy::before(self.engines.sqs_endpoint(), warden).await.unwrap();
        (queue_at(&self.engines, &proxy), proxy)
    }
}

/// The engines' queue, as it is reached through a proxy: a queue's URL says where it is.
pub(crate) fn queue_at(engines: &Engines, proxy: &Proxy) -> SqsQueue {
    let client = SqsClient::new(&local_config(proxy.endpoint()));
    SqsQueue::new(&client, engines.queue().url())
}
