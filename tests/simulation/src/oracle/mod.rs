//! The oracle: it knows the world, sees every commit and every call, and says when an invariant is broken.
//!
//! The truth is the simulator's world: what was ever created in a target, which wait was given, what the source holds. The
//! table says what Ferry believes. The oracle never asks the engine. It is told of things in the order in which they
//! happen ([`Witness`]), and locks the world only in a commit and at the end.
//!
//! What must stay true: no false alarms. Where the truth is not known to it (when a late call was sent, what a life that
//! stood still had on its way) it is lenient, and says so beside the check.

mod calls;
mod commits;
mod coverage;
mod delivery;
mod ending;
mod expected;
mod forwards;
mod intents;
mod invariant;
mod lives;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use simulator::world::audit::Entry;
use simulator::world::forward::ForwardRequest;
use simulator::world::{ChatId, MessageId, SessionId, UserId, World};
use transfer::ids::{Incarnation, Nonce, TaskId};
use transfer::selection::Selection;
use transfer::table::memory::MemoryTable;
use transfer::table::{Key, Record, Write};
use transfer::task::Style;

use crate::fault::Fault;
use crate::plan::Plan;
use crate::process::Process;
use crate::telegram::Witness;

pub use coverage::Coverage;
pub use invariant::{Invariant, Violation};

use state::State;

/// A task as the oracle has to know it beforehand.
#[derive(Debug, Clone)]
pub struct WatchedTask {
    /// Its id.
    pub id: TaskId,
    /// From which its random ids derive.
    pub nonce: Nonce,
    /// From where.
    pub source: ChatId,
    /// To where.
    pub target: ChatId,
    /// Which messages.
    pub selection: Selection,
    /// The flags of its calls.
    pub style: Style,
}

/// Watches one run.
pub struct Oracle {
    world: Arc<Mutex<World>>,
    state: Mutex<State>,
}

impl Oracle {
    /// Watches the run of a plan.
    pub fn new(world: Arc<Mutex<World>>, plan: &Plan) -> Self {
        let tasks = plan.tasks.iter().map(|task| WatchedTask {
            id: TaskId::from(task.id.as_str()),
            nonce: Nonce(task.nonce),
            source: task.source,
            target: task.target,
            selection: task.selection.clone(),
            style: task.style,
        });
        let accounts: Vec<i64> = plan.accounts.iter().map(|account| account.id).collect();
        let oracle = Self::watching(world, tasks.collect(), &accounts, plan.rates.contains_key(&Fault::ClockJump));
        oracle.state().rights_change = plan.rates.contains_key(&Fault::WriteForbidden);
        oracle
    }

    /// Watches these tasks and accounts. With `clock_jumps` what hangs on wall time is not judged.
    pub fn watching(world: Arc<Mutex<World>>, tasks: Vec<WatchedTask>, accounts: &[i64], clock_jumps: bool) -> Self {
        let state = State::new(&lock(&world), tasks, accounts, clock_jumps);
        Self { world, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A commit succeeded: `before` is what stood under the keys that it wrote.
    pub fn committed(&self, by: &Incarnation, writes: &[Write], before: &dyn Fn(&Key) -> Option<Record>) {
        let mut state = self.state();
        if state.only_renewal(writes) {
            return;
        }
        // The world is locked first wherever both are.
        drop(state);
        let world = lock(&self.world);
        state = self.state();
        state.committed(&world, by, writes, before);
    }

    /// The run deleted or edited a message of a source.
    pub fn source_changed(&self, chat: ChatId, id: MessageId) {
        self.state().source_changed(chat, id.0);
    }

    /// A process is dead.
    pub fn died(&self, by: &Process) {
        self.state().lives.died(by);
    }

    /// A process begins to stand still.
    pub fn frozen(&self, by: &Process) {
        let mut state = self.state();
        let now = state.now();
        state.lives.frozen(by, now);
    }

    /// The end of the run: whatever can only be said now.
    pub fn finish(&self, table: &MemoryTable) {
        let world = lock(&self.world);
        self.state().finish(&world, &table.snapshot());
    }

    /// The run itself saw an invariant broken.
    pub fn violated(&self, invariant: Invariant, text: String) {
        self.state().violated(invariant, text);
    }

    /// The end of the last wait that any account was ever given.
    pub fn latest_wait(&self) -> Timestamp {
        self.state().latest_wait()
    }

    /// What was broken, in the order in which it was seen.
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    /// The first of them.
    pub fn first(&self) -> Option<Violation> {
        self.state().violations.first().cloned()
    }

    /// What came up.
    pub fn coverage(&self) -> Coverage {
        self.state().coverage.clone()
    }
}

impl Witness for Oracle {
    fn opened(&self, by: &Process, account: UserId, session: SessionId) {
        self.state().opened(by, account, session);
    }

    fn closed(&self, session: SessionId) {
        self.state().closed(session);
    }

    fn called(&self, by: &Process, entry: &Entry) {
        self.state().called(by, entry);
    }

    fn forwarding(&self, by: &Process, account: UserId, request: &ForwardRequest) {
        self.state().forwarding(by, account, request);
    }

    fn heard(&self, by: &Process, audit_seq: u64) {
        self.state().heard(by, audit_seq);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids as people read them: `1-4,7`.
fn told(ids: impl IntoIterator<Item = i32>) -> String {
    let ids: transfer::sequence::IdSequence = ids.into_iter().map(transfer::ids::MessageId).collect();
    ids.to_string()
}

/// What was noted by key.
type Noted<K, V> = BTreeMap<K, V>;
