//! The admin of a run: submits, pauses, resumes, cancels, paces, and edits the pool, through the code that the bot will use.

use std::sync::Arc;
use std::time::Duration;

use transfer::ids::{AccountId, TaskId};
use transfer::inquiry::Inquiry;
use transfer::pace::Pace;
use transfer::queue::{Job, Queue};
use transfer::submit;
use transfer::table::memory::MemoryTable;
use transfer::table::{Guard, Item, Key, Table, Write};
use transfer::task::{Task, Wish};

use crate::engines::{Network, RemoteQueue, RemoteTable};
use crate::fault::{Fault, Faults};
use crate::hosts::Surroundings;
use crate::process::Process;
use crate::trace::Trace;

/// Somebody at a desk whose network never fails: what happens there is the bot's business.
pub(crate) struct Admin {
    desk: Process,
    table: RemoteTable,
    queue: RemoteQueue,
    stored: Arc<MemoryTable>,
    trace: Trace,
}

impl Admin {
    pub(crate) fn new(desk: Process, around: &Surroundings) -> Self {
        let network = Network { process: desk.clone(), faults: Faults::none(), trace: around.trace.clone() };
        Self {
            desk,
            table: RemoteTable { inner: around.table.clone(), oracle: around.oracle.clone(), network: network.clone() },
            queue: RemoteQueue { inner: around.queue.clone(), network },
            stored: around.table.clone(),
            trace: around.trace.clone(),
        }
    }

    /// Who the admin is to the table.
    pub(crate) fn desk(&self) -> &Process {
        &self.desk
    }

    /// Submits a task.
    pub(crate) async fn submit(&self, task: &Task) {
        self.trace.line("admin", || format!("submits {}: {} to {}", task.id, task.source.address, task.target.address));
        if let Err(error) = submit::submit(&self.table, &self.queue, task).await {
            self.trace.line("admin", || format!("is told: {error}"));
        }
    }

    /// Asks something that only a host can find out.
    pub(crate) async fn ask(&self, inquiry: Inquiry) {
        self.trace.line("admin", || format!("asks {}", inquiry.id));
        let job = Job::inquiry(inquiry.id.clone(), inquiry.seq);
        let item = Item::Inquiry(Box::new(inquiry));
        let asked = self.table.commit(vec![Write::Put { item, guard: Guard::Absent }]).await;
        debug_assert!(asked.is_ok(), "the desk's network never fails");
        drop(self.queue.send(&job).await);
    }

    /// Wishes something of a task; tells whether there was anything to wish.
    pub(crate) async fn wish(&self, id: &TaskId, fault: Fault, choice: u64) -> bool {
        let now = self.desk.clock().now();
        self.trace.line("admin", || format!("{fault}s {id}"));
        let pace = Pace { forward_rate_ms: choice % 300, ..Pace::none() };
        let done = match fault {
            Fault::Pause => submit::wish(&self.table, id, Wish::Pause, None, now).await,
            Fault::Cancel => submit::wish(&self.table, id, Wish::Cancel, None, now).await,
            Fault::Repace => submit::wish(&self.table, id, Wish::Run, Some(pace), now).await,
            _ => submit::resume(&self.table, &self.queue, id, now).await.map(drop),
        };
        if let Err(error) = &done {
            self.trace.line("admin", || format!("is told: {error}"));
        }
        done.is_ok()
    }

    /// Disables or enables an account, or changes its priority; tells whether that changed anything.
    pub(crate) async fn edit_account(&self, id: i64, fault: Fault, choice: u64) -> bool {
        let key = Key::profile(&AccountId(id.to_string()));
        let Ok(Some(record)) = self.stored.get(&key).await else { return false };
        let Item::Profile(mut profile) = record.item else { return false };
        let before = profile.clone();
        profile.enabled = fault != Fault::Disable;
        if profile.enabled && choice % 2 == 1 {
            profile.priority = i32::try_from(choice % 5).unwrap_or(0);
        }
        if profile == before {
            return false;
        }
        self.trace
            .line("admin", || format!("account {id}: enabled {}, priority {}", profile.enabled, profile.priority));
        let write = Write::Put { item: Item::Profile(profile), guard: Guard::Version(record.version) };
        let committed = self.table.commit(vec![write]).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        committed.is_ok()
    }
}
