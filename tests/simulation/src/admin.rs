//! The admin of a run: submits, pauses, resumes, cancels, paces, and edits the pool, through the code that the bot will use.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use transfer::admin::{self, Joining};
use transfer::ids::{AccountId, TaskId};
use transfer::inquiry::Inquiry;
use transfer::pace::Pace;
use transfer::queue::{Job, Queue};
use transfer::submit;
use transfer::table::memory::MemoryTable;
use transfer::table::{Guard, Item, Key, Record, Table, Write};
use transfer::task::{Task, Wish};

use crate::engines::{Network, RemoteQueue, RemoteTable};
use crate::fault::{Fault, Faults};
use crate::hosts::Surroundings;
use crate::plan::AccountPlan;
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

    /// Lets an account go; tells whether there was one.
    pub(crate) async fn leave(&self, id: i64) -> bool {
        self.trace.line("admin", || format!("lets account {id} go"));
        let (account, now) = (AccountId(id.to_string()), self.desk.clock().now());
        admin::leave(&self.table, Some(&self.queue), &account, None, now).await.is_ok()
    }

    /// Presses the panic button.
    pub(crate) async fn panic(&self) {
        self.trace.line("admin", || "presses the panic button".into());
        let pressed = admin::panic(&self.table, Some(&self.queue), None, self.desk.clock().now()).await;
        debug_assert!(pressed.is_ok(), "the desk's network never fails");
    }

    /// Whether nothing of the account is in the pool.
    pub(crate) async fn is_gone(&self, id: i64) -> bool {
        let account = AccountId(id.to_string());
        let profile = self.stored.get(&Key::profile(&account)).await;
        let account = self.stored.get(&Key::account(&account)).await;
        matches!((profile, account), (Ok(None), Ok(None)))
    }

    /// Whether the account will be gone: it is to leave, or every account is.
    pub(crate) async fn is_leaving(&self, id: i64) -> bool {
        let profile = self.stored.get(&Key::profile(&AccountId(id.to_string()))).await;
        let leaves =
            matches!(profile, Ok(Some(Record { item: Item::Profile(profile), .. })) if profile.leaving.is_some());
        leaves || self.panics().await
    }

    /// Whether the panic button is pressed.
    pub(crate) async fn panics(&self) -> bool {
        let panic = self.stored.get(&Key::panic()).await;
        matches!(panic, Ok(Some(Record { item: Item::Panic(panic), .. })) if panic.done_at.is_none())
    }

    /// Adds an account again, as whoever logs in again does. What the pool remembers of it, it remembers by itself.
    pub(crate) async fn add_again(&self, plan: &AccountPlan) {
        self.trace.line("admin", || format!("adds account {} again", plan.id));
        let joining = Joining {
            id: AccountId(plan.id.to_string()),
            phone_masked: "+1…".into(),
            label: format!("account {}", plan.id),
            priority: plan.priority,
            daily_budget: plan.budget,
            totals: None,
        };
        let now = self.desk.clock().now();
        let today = now.to_zoned(TimeZone::UTC).date();
        let joined = admin::join(&self.table, joining, now, today).await;
        debug_assert!(joined.is_ok(), "the desk's network never fails");
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
