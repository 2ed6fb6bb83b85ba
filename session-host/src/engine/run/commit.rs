//! The one place where a run writes: task, account and what goes with them, all or nothing.

use transfer::account::Account;
use transfer::event::Event;
use transfer::mutated;
use transfer::table::item::{DayRecord, EventRecord};
use transfer::table::{Guard, Item, Key, Record, Write};

use super::{AccountDelta, Run};
use crate::engine::store::{Committed, expect_item};
use crate::engine::{Halt, measures, pool};

/// How often a commit is tried anew after the admin or another process wrote the account in between.
const CONFLICTS_MAX: u32 = 8;

impl Run {
    /// Commits whatever is staged; returns at once when nothing is.
    pub(super) async fn commit(&mut self) -> Result<(), Halt> {
        if !self.dirty && self.staged.is_empty() && self.delta.is_empty() {
            return Ok(());
        }
        let key = Key::task(&self.task.id);
        let (version, epoch) = (self.version, self.task.lease_epoch);
        // Nobody but the holder of this epoch writes the task, so a higher version under it is this commit.
        let stands =
            |now: Option<&Record>| now.is_some_and(|now| now.version > version && now.item.lease_epoch() == epoch);
        for _ in 0..CONFLICTS_MAX {
            self.shared.fence.check()?;
            let account = self.changed_account();
            let writes = self.writes(account.as_ref());
            if self.shared.store.commit(&writes, &key, stands).await? == Committed::Yes {
                self.committed(account);
                return Ok(());
            }
            self.after_conflict(&key).await?;
        }
        Err(Halt::Unavailable(format!("{key} could not be committed for conflicts with other writers")))
    }

    fn changed_account(&self) -> Option<Account> {
        let hold = self.hold.as_ref().filter(|_| !self.delta.is_empty())?;
        Some(self.delta.applied_to(&hold.account, self.now(), self.shared.today().0))
    }

    fn writes(&self, account: Option<&Account>) -> Vec<Write> {
        let mut writes = Vec::with_capacity(3 + self.staged.len());
        writes.push(Write::Put {
            item: Item::Task(self.task.clone()),
            guard: Guard::Held { epoch: self.task.lease_epoch, intent: self.committed_intent, version: self.version },
        });
        if let (Some(account), Some(hold)) = (account, &self.hold) {
            writes.push(Write::Put { item: Item::Account(account.clone()), guard: Guard::Version(hold.version) });
            if hold.account.today.date != account.today.date {
                // The day has turned: what stands in the account is the whole of yesterday.
                let yesterday = day_record(&hold.account);
                if !self.staged.iter().any(|staged| staged.key() == yesterday.key()) {
                    writes.push(yesterday);
                }
            }
        }
        writes.extend(self.staged.iter().cloned());
        writes
    }

    fn committed(&mut self, account: Option<Account>) {
        self.version += 1;
        self.committed_intent = self.task.checkpoint.intent.as_ref().map(|intent| intent.id);
        self.shared.reporter.hear(&self.task, &self.staged);
        self.staged.clear();
        self.dirty = false;
        if let (Some(account), Some(hold)) = (account, &mut self.hold) {
            measures::committed(&self.delta.counters);
            hold.account = account;
            hold.version += 1;
            self.delta = AccountDelta::default();
        }
    }

    /// Finds out whose write was in the way. The account may have been edited; the task may have been taken.
    async fn after_conflict(&mut self, key: &Key) -> Result<(), Halt> {
        let found = expect_item!(self.shared.store.get(key).await?, Task, key);
        if mutated!(LostAnswerRedone)
            && let Some((task, version)) = &found
        {
            self.version = *version;
            self.committed_intent = task.checkpoint.intent.as_ref().map(|intent| intent.id);
        }
        let ours =
            found.is_some_and(|(task, version)| version == self.version && task.lease_epoch == self.task.lease_epoch);
        if !ours {
            return Err(Halt::LeaseLost(format!("{key} was taken by another run")));
        }
        let Some(hold) = &mut self.hold else { return Ok(()) };
        match pool::read_member(&self.shared, &hold.account.id).await? {
            Some((account, version, profile)) if account.lease_epoch == hold.account.lease_epoch => {
                hold.account = account;
                hold.version = version;
                hold.profile = profile;
                Ok(())
            }
            _ => Err(Halt::LeaseLost(format!("account {} was taken by another host", hold.account.id))),
        }
    }

    /// Adds the held account's day to the next commit. A copy of the account's own counters, which are guarded and
    /// written with every chunk: for statistics the end of a turn is soon enough.
    pub(super) fn stage_day(&mut self) {
        if let Some(account) = self.changed_account() {
            self.stage_write(day_record(&account));
        } else if let Some(day) = self.hold.as_ref().map(|hold| day_record(&hold.account)) {
            self.stage_write(day);
        }
    }

    /// Adds an event to the next commit.
    pub(super) fn stage_event(&mut self, event: Event) {
        self.task.checkpoint.events += 1;
        let record =
            EventRecord { task: self.task.id.clone(), ordinal: self.task.checkpoint.events, at: self.now(), event };
        self.stage(Item::Event(record));
    }

    /// Adds an item that only this task's holder writes to the next commit.
    pub(super) fn stage(&mut self, item: Item) {
        self.stage_write(Write::Put { item, guard: Guard::None });
        self.dirty = true;
    }

    /// A commit holds one write for each key: the newer takes the older one's place.
    pub(super) fn stage_write(&mut self, write: Write) {
        let key = write.key();
        self.staged.retain(|staged| staged.key() != key);
        self.staged.push(write);
    }
}

fn day_record(account: &Account) -> Write {
    let (date, counters) = (account.today.date, account.today.counters);
    Write::Put { item: Item::Day(DayRecord { account: account.id.clone(), date, counters }), guard: Guard::None }
}
