//! Who tells of a task, and what was told: the REPORT item.
//!
//! Its holder's reporter tells of a task; whoever finds one left open takes it over, in the version that was seen. Whatever
//! is written here is guarded by that version, so of two that tell one goes on.

use std::time::Duration;

use transfer::ids::TaskId;
use transfer::table::item::{EventRecord, Report};
use transfer::table::{Guard, Item, Key, Record, Write};
use transfer::task::TaskState;

use super::{EDIT_EVERY, Telling, Then};
use crate::engine::reporter::rests;
use crate::engine::store::{Committed, expect_item};
use crate::engine::{Halt, Shared};

/// After so long others may think that this host is gone: less than they leave it.
const CLAIM_LASTS: Duration = Duration::from_secs(20);

impl Telling {
    /// Reads what was told before; `false`: this is somebody else's business.
    pub(super) async fn begin(&mut self, shared: &Shared) -> Result<bool, Halt> {
        let Some(owner) = self.task.owner else { return Ok(false) };
        let (report, version) = match read_report(shared, &self.task.id).await? {
            Some(found) => found,
            None => {
                let report = Report {
                    task: self.task.id.clone(),
                    chat: owner,
                    message: None,
                    told: 0,
                    state: None,
                    open_since: Some(shared.ports.clock.now()),
                };
                if !commit(shared, &report, Guard::Absent).await? {
                    return Err(Halt::Unavailable("the report was written by somebody else".into()));
                }
                (report, 1)
            }
        };
        let mut report = (report, version);
        if let Some(seen) = self.found {
            // Of several sweepers that found it, one takes it.
            if version != seen {
                return Ok(false);
            }
            report.0.open_since = Some(shared.ports.clock.now());
            if !commit(shared, &report.0, Guard::Version(version)).await? {
                return Ok(false);
            }
            report.1 += 1;
        }
        self.told = report.0.told;
        let heard: Vec<EventRecord> = self.events.drain(..).collect();
        self.untold.clear();
        (self.heard_up_to, self.skipped) = (0, 0);
        let task_key = Key::task(&self.task.id);
        let stored = shared.ports.table.partition(&task_key.pk, "EVENT#").await;
        for record in stored.map_err(|error| Halt::Unavailable(error.to_string()))? {
            if let Item::Event(record) = record.item {
                self.hear_event(record);
            }
        }
        heard.into_iter().for_each(|record| self.hear_event(record));
        if report.0.message.is_some() {
            // Another life may have edited it a moment ago.
            self.edit_at = shared.ports.clock.uptime() + EDIT_EVERY;
        }
        self.report = Some(report);
        self.claimed_at = shared.ports.clock.uptime();
        Ok(true)
    }

    /// A task that its run let go may be with another host by now, whose reporter tells of it.
    pub(super) async fn belongs_to_another(&mut self, shared: &Shared) -> Result<bool, Halt> {
        self.overtaken = false;
        if self.task.lease.is_some() || shared.running.contains(&self.task.id) {
            return Ok(false);
        }
        let key = Key::task(&self.task.id);
        let Some((task, _)) = expect_item!(shared.store.get(&key).await?, Task, key) else { return Ok(true) };
        // Whoever took it since tells what came of that, also when it gave the lease back already.
        let elsewhere = task.lease_epoch != self.task.lease_epoch
            || task.lease.as_ref().is_some_and(|lease| *lease != shared.lease());
        if !elsewhere {
            self.task = task;
        }
        Ok(elsewhere)
    }

    /// Whoever was held up for long may have been taken for dead by another host, which tells in its place.
    pub(super) async fn is_still_ours(&mut self, shared: &Shared) -> Result<bool, Halt> {
        let now = shared.ports.clock.uptime();
        if self.task.lease.is_some() || now.saturating_sub(self.claimed_at) < CLAIM_LASTS {
            return Ok(true);
        }
        let at = shared.ports.clock.now();
        self.try_write(shared, |report| report.open_since = report.open_since.map(|_| at)).await
    }

    /// A task that goes on has an open report: whatever ends it is told, also if this host dies.
    pub(super) async fn open(&mut self, shared: &Shared) -> Result<(), Halt> {
        let is_shut = self.report.as_ref().is_some_and(|(report, _)| report.open_since.is_none());
        if is_shut && !rests(&self.task) {
            let now = shared.ports.clock.now();
            self.write(shared, |report| report.open_since = Some(now)).await?;
        }
        Ok(())
    }

    /// Notes that everything was told when the task rests or sleeps; a task at work is told of with the next news.
    pub(super) async fn close(&mut self, shared: &Shared) -> Result<Then, Halt> {
        if self.overtaken {
            // An admin who cancels what rests writes task and report at once: looked at again, before it is called told.
            return Ok(Then::At(shared.ports.clock.uptime()));
        }
        let Some((report, _)) = &self.report else { return Ok(Then::News) };
        let sleeps = matches!(self.task.state, TaskState::Waiting { .. });
        let told = self.task.checkpoint.events.max(self.told);
        if rests(&self.task) {
            let word = self.task.state.word();
            let closed = self.try_write(shared, |report| {
                report.told = told;
                report.state = Some(word.to_owned());
                report.open_since = None;
            });
            if closed.await? {
                return Ok(Then::Over);
            }
            // Somebody opened it anew: the task may go on.
            let key = Key::task(&self.task.id);
            if let Some((task, _)) = expect_item!(shared.store.get(&key).await?, Task, key) {
                self.task = task;
            }
            return Ok(Then::At(shared.ports.clock.uptime() + EDIT_EVERY));
        }
        if sleeps && report.told < told {
            self.write(shared, |report| report.told = told).await?;
        }
        // Nobody here has the task any more: what happens to it next, a run or the sweeper hears of.
        Ok(if self.task.lease.is_none() { Then::Over } else { Then::News })
    }

    /// Changes the report, whoever else writes it.
    pub(super) async fn write(&mut self, shared: &Shared, change: impl Fn(&mut Report)) -> Result<(), Halt> {
        for _ in 0..8 {
            if self.try_write(shared, &change).await? {
                return Ok(());
            }
        }
        Err(Halt::Unavailable("the report is written by others all the time".into()))
    }

    /// Changes the report unless somebody else wrote it; then it was read again.
    async fn try_write(&mut self, shared: &Shared, change: impl Fn(&mut Report)) -> Result<bool, Halt> {
        let Some((report, version)) = &mut self.report else { return Ok(true) };
        let mut changed = report.clone();
        change(&mut changed);
        if commit(shared, &changed, Guard::Version(*version)).await? {
            (*report, *version) = (changed, *version + 1);
            self.claimed_at = shared.ports.clock.uptime();
            return Ok(true);
        }
        self.overtaken = true;
        self.report = read_report(shared, &self.task.id).await?;
        if self.report.is_none() {
            return Err(Halt::Unavailable("the report was removed".into()));
        }
        Ok(false)
    }
}

async fn read_report(shared: &Shared, task: &TaskId) -> Result<Option<(Report, u64)>, Halt> {
    let key = Key::report(task);
    Ok(expect_item!(shared.store.get(&key).await?, Report, key))
}

/// Stores the report; `false` when somebody else was first.
async fn commit(shared: &Shared, report: &Report, guard: Guard) -> Result<bool, Halt> {
    shared.fence.check()?;
    let item = Item::Report(report.clone());
    let key = item.key();
    let version = guard.version_to_write();
    let stands = |now: Option<&Record>| now.is_some_and(|now| now.version == version && now.item == item);
    let committed = shared.store.commit(&[Write::Put { item: item.clone(), guard }], &key, stands).await?;
    Ok(committed == Committed::Yes)
}
