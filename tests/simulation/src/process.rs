//! One life of a host as the rest of the world sees it: alive, standing still, or dead.
//!
//! Whatever a host asks of the world passes its process on the way out and on the way in. A process that stands still sends
//! nothing and hears nothing until it goes on; a dead one never does. What was handed to the kernel before (a request that
//! was written, a connection that is open) belongs to the world and lives by the world's rules.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use transfer::clock::Clock;
use transfer::ids::{HostId, Incarnation};

/// One life of a host. Clones are the same life.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    host: HostId,
    incarnation: Incarnation,
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    dead: bool,
    frozen_since: Option<Instant>,
    /// It stood still at some time.
    was_frozen: bool,
}

impl Process {
    /// A process that has just begun.
    pub fn new(host: HostId, incarnation: Incarnation, clock: Clock) -> Self {
        let inner = Inner { host, incarnation, clock, state: Mutex::default(), changed: Notify::new() };
        Self(Arc::new(inner))
    }

    /// Where it runs.
    pub fn host(&self) -> &HostId {
        &self.0.host
    }

    /// Which life this is.
    pub fn incarnation(&self) -> &Incarnation {
        &self.0.incarnation
    }

    /// Its machine's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns as soon as the process can send or hear; never, if it is dead.
    pub async fn awake(&self) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = self.state();
                if !state.dead && state.frozen_since.is_none() {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Whether it will never do anything again.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// For how long it has been standing still.
    pub fn frozen_for(&self) -> Option<Duration> {
        self.state().frozen_since.map(|since| since.elapsed())
    }

    /// Whether it ever stood still.
    pub fn was_frozen(&self) -> bool {
        self.state().was_frozen
    }

    /// From now on it stands still.
    pub fn freeze(&self) {
        let mut state = self.state();
        state.frozen_since.get_or_insert_with(Instant::now);
        state.was_frozen = true;
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.state().frozen_since = None;
        self.0.changed.notify_waiters();
    }

    /// It is dead: nothing of it is sent or heard any more.
    pub fn kill(&self) {
        self.state().dead = true;
    }
}
