//! What is to be written so that a table is again what a backup holds. A pure decision, taken anew by each restore, so
//! that one that was cut off is finished by the next.
//!
//! - **Tasks** are as in the backup, and those that it does not know are removed. An unfinished task that stands in the
//!   table exactly as in the backup did nothing since: it is left alone with all its rows, and goes on by itself. Every
//!   other unfinished task went on after the backup, or nobody knows: it is parked as restored, because what it delivered
//!   since is not written down any more.
//! - **Accounts** keep the later waits, the larger charge of today, the session that works now. Those that came since
//!   stay (only their session here can sign them out); those that left since are not brought back (their session is dead).
//! - **Hosts, updates, questions and logins** of back then are over: none of them is brought back.
//! - **Versions and epochs** only grow, so that whatever a forgotten process still holds fits nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use transfer::account::{Account, Day, Waits};
use transfer::event::Event;
use transfer::table::dynamo::{StoredItem, WholeWrite};
use transfer::table::item::{EventRecord, Report};
use transfer::table::{CommitError, Item, Record, TableError};
use transfer::task::{Restored, Task, TaskState};

use super::file::Backup;

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// The writes; none where nothing is to change.
    pub writes: Vec<WholeWrite>,
    /// What they come to.
    pub sum: Sum,
}

/// What a restore comes to, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Tasks of the backup.
    pub tasks: usize,
    /// Of those, unfinished and unchanged: they go on by themselves.
    pub going_on: usize,
    /// Of those, unfinished and put back: parked.
    pub parked: usize,
    /// Tasks of the table that the backup does not know: removed.
    pub tasks_removed: usize,
    /// Accounts of the table that the backup does not know: kept.
    pub accounts_kept: usize,
    /// Accounts of the backup that left since: not brought back.
    pub accounts_left: usize,
    /// Items of the table that only newer code can read: removed or replaced.
    pub unreadable: usize,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// An item of the backup that cannot be read, though all were checked.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An item that cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What becomes of an item of the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is put back.
    PutBack,
    /// It is put back where the table has none of its own.
    FillIn,
    /// It is not brought back.
    Leave,
}

/// What becomes of an item of the table that the backup does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Stays,
    Goes,
}

/// Decides.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(backup: &Backup, present: &[StoredItem], now: Timestamp) -> Result<Plan, PlanError> {
    let case = Case::new(backup, present, now);
    let mut plan = Plan { writes: Vec::new(), sum: case.sum() };
    let mut known = BTreeSet::new();
    for stored in &backup.items {
        if case.way(&stored.record()?.item, stored) != Way::Leave {
            known.insert(stored.key());
        }
        plan.writes.extend(case.back(stored)?.into_iter().map(WholeWrite::Put));
    }
    // Rows that the plan itself makes.
    let made: BTreeSet<(String, String)> = plan.writes.iter().map(owned_key).collect();
    for stored in present {
        let is_made = || made.contains(&(stored.key().0.to_owned(), stored.key().1.to_owned()));
        if !known.contains(&stored.key()) && !is_made() && case.beyond(stored) == Beyond::Goes {
            plan.writes.push(WholeWrite::Delete(stored.clone()));
        }
    }
    Ok(plan)
}

fn owned_key(write: &WholeWrite) -> (String, String) {
    let (WholeWrite::Put(item) | WholeWrite::Delete(item)) = write;
    (item.key().0.to_owned(), item.key().1.to_owned())
}

struct Case<'a> {
    backup: &'a Backup,
    now: Timestamp,
    present: BTreeMap<(&'a str, &'a str), &'a StoredItem>,
    /// Partitions of tasks that did nothing since the backup.
    unchanged: BTreeSet<&'a str>,
    /// Partitions of tasks that the backup knows.
    tasks: BTreeSet<&'a str>,
    /// Partitions of accounts that the backup knows.
    accounts: BTreeSet<&'a str>,
    /// Partitions of accounts that left since.
    left: BTreeSet<&'a str>,
}

impl<'a> Case<'a> {
    fn new(backup: &'a Backup, present: &'a [StoredItem], now: Timestamp) -> Self {
        let present: BTreeMap<_, _> = present.iter().map(|stored| (stored.key(), stored)).collect();
        let tasks = || backup.items.iter().filter(|stored| stored.kind() == "task");
        let is_unchanged = |stored: &&StoredItem| {
            !is_over(stored) && present.get(&stored.key()).is_some_and(|there| *there == *stored)
        };
        let unchanged = tasks().filter(is_unchanged).map(|stored| stored.key().0).collect();
        let tasks = tasks().map(|stored| stored.key().0).collect();
        let gone = present.values().filter(|stored| stored.kind() == "gone").map(|stored| stored.key().0);
        let left = gone.filter(|pk| !present.contains_key(&(*pk, "ACCOUNT"))).collect();
        let accounts = backup.items.iter().filter(|stored| stored.kind() == "account");
        let accounts = accounts.map(|stored| stored.key().0).collect();
        Self { backup, now, present, unchanged, tasks, accounts, left }
    }

    fn sum(&self) -> Sum {
        let tasks = self.backup.items.iter().filter(|stored| stored.kind() == "task");
        let unfinished = tasks.filter(|stored| !is_over(stored)).count();
        let accounts = |stored: &&StoredItem| stored.kind() == "account";
        let of_backup: BTreeSet<_> = self.backup.items.iter().filter(accounts).map(StoredItem::key).collect();
        let there = self.present.values();
        Sum {
            tasks: self.tasks.len(),
            going_on: self.unchanged.len(),
            parked: unfinished - self.unchanged.len(),
            tasks_removed: there
                .clone()
                .filter(|stored| stored.kind() == "task" && !self.tasks.contains(stored.key().0))
                .count(),
            accounts_kept: there
                .clone()
                .filter(|stored| stored.kind() == "account" && !of_backup.contains(&stored.key()))
                .filter(|stored| stored.record().is_ok())
                .count(),
            accounts_left: of_backup.iter().filter(|(pk, _)| self.left.contains(pk)).count(),
            unreadable: there.filter(|stored| stored.record().is_err()).count(),
        }
    }

    /// The item that stands there, if this code can read it.
    fn there(&self, stored: &StoredItem) -> Option<Record> {
        self.present.get(&stored.key())?.record().ok()
    }

    /// The writes that bring an item of the backup back.
    fn back(&self, stored: &StoredItem) -> Result<Vec<StoredItem>, PlanError> {
        let there = self.present.get(&stored.key()).copied();
        if self.unchanged.contains(stored.key().0) || there == Some(stored) && !self.is_unfinished(stored) {
            return Ok(Vec::new());
        }
        let Record { item, version } = stored.record()?;
        // Above whatever anybody may still hold of it.
        let version = there.map_or(version, |there| there.version().max(version) + 1);
        match (self.way(&item, stored), item) {
            (Way::Leave, _) => Ok(Vec::new()),
            (Way::FillIn, _) if self.there(stored).is_some() => Ok(Vec::new()),
            (_, Item::Task(task)) if !task.state.is_over() => self.parked(*task, stored, version + 1),
            (_, Item::Account(account)) => {
                let item = Item::Account(self.remembering(account, stored));
                Ok(vec![StoredItem::of(&item, version, stored)?])
            }
            (_, Item::Report(report)) => {
                let item = Item::Report(self.untold(report, stored));
                Ok(vec![StoredItem::of(&item, version, stored)?])
            }
            (Way::PutBack | Way::FillIn, _) => Ok(vec![stored.clone().with_version(version)]),
        }
    }

    /// Whether the backup has the account itself.
    fn backs_up_account(&self, stored: &StoredItem) -> bool {
        self.accounts.contains(stored.key().0)
    }

    fn is_unfinished(&self, stored: &StoredItem) -> bool {
        stored.kind() == "task" && !is_over(stored)
    }

    fn way(&self, item: &Item, stored: &StoredItem) -> Way {
        let has_left = self.left.contains(stored.key().0);
        match item {
            Item::Host(_) | Item::Update(_) | Item::Inquiry(_) | Item::Login(_) | Item::Installation(_) => Way::Leave,
            Item::Account(_) | Item::Profile(_) | Item::Session(_) | Item::Day(_) | Item::Peer(_) if has_left => {
                Way::Leave
            }
            // It came back before the backup, and remembers by itself; alone it would tell the next try that it left.
            Item::Gone(_) if self.backs_up_account(stored) => Way::Leave,
            // What stands there is newer, and right: a session that was made anew, a panic that is over.
            Item::Session(_) | Item::Day(_) | Item::Peer(_) | Item::Gone(_) | Item::Dialogue(_) | Item::Panic(_) => {
                Way::FillIn
            }
            Item::Account(_)
            | Item::Profile(_)
            | Item::Task(_)
            | Item::Command(_)
            | Item::Batch(_)
            | Item::Chunk(_)
            | Item::Skip(_)
            | Item::Event(_)
            | Item::TargetLock(_)
            | Item::Settings(_)
            | Item::Recent(_)
            | Item::Report(_)
            | Item::Alert(_) => Way::PutBack,
        }
    }

    fn beyond(&self, stored: &StoredItem) -> Beyond {
        let Ok(Record { item, .. }) = stored.record() else { return Beyond::Goes };
        match item {
            Item::Host(_) => Beyond::Goes,
            Item::Task(_)
            | Item::Command(_)
            | Item::Batch(_)
            | Item::Chunk(_)
            | Item::Skip(_)
            | Item::Event(_)
            | Item::Report(_) => {
                if self.unchanged.contains(stored.key().0) {
                    Beyond::Stays
                } else {
                    Beyond::Goes
                }
            }
            // A lock whose task is gone holds nobody off, but the next one of the target should find its own.
            Item::TargetLock(lock) => {
                let task = format!("{}TASK#{}", stored.bot(), lock.task);
                if self.tasks.contains(task.as_str()) { Beyond::Stays } else { Beyond::Goes }
            }
            Item::Account(_)
            | Item::Profile(_)
            | Item::Day(_)
            | Item::Peer(_)
            | Item::Session(_)
            | Item::Gone(_)
            | Item::Dialogue(_)
            | Item::Settings(_)
            | Item::Recent(_)
            | Item::Update(_)
            | Item::Inquiry(_)
            | Item::Alert(_)
            | Item::Login(_)
            | Item::Panic(_)
            | Item::Installation(_) => Beyond::Stays,
        }
    }

    /// The task, parked as restored, and the event that tells of it.
    fn parked(&self, mut task: Task, stored: &StoredItem, version: u64) -> Result<Vec<StoredItem>, PlanError> {
        let there = self.present.get(&stored.key());
        let epoch = there.and_then(|there| there.field::<u64>("lease_epoch")).unwrap_or_default();
        let seq = there.and_then(|there| there.field::<u64>("seq")).unwrap_or_default();
        let earlier = task.restored.as_ref().map(|restored| restored.backed_up_at);
        let backed_up_at = earlier.map_or(self.backup.header.at, |at| at.min(self.backup.header.at));
        let reason = Restored::reason(backed_up_at);
        task.restored = Some(Restored { backed_up_at, at: self.now });
        task.state = TaskState::Parked { reason: reason.clone() };
        task.lease = None;
        task.lease_epoch = task.lease_epoch.max(epoch) + 1;
        task.seq = task.seq.max(seq) + 1;
        // Its fate is unknown like that of everything after it.
        task.checkpoint.intent = None;
        task.checkpoint.events += 1;
        let event = Event::State { state: "parked".to_owned(), reason: Some(reason) };
        let event = EventRecord { task: task.id.clone(), ordinal: task.checkpoint.events, at: self.now, event };
        let mut items = vec![StoredItem::of(&Item::Event(event), 1, stored)?];
        items.push(StoredItem::of(&Item::Task(Box::new(task)), version, stored)?);
        Ok(items)
    }

    /// The message is where it is now, and there is something to tell.
    fn untold(&self, report: Report, stored: &StoredItem) -> Report {
        let message = match self.there(stored) {
            Some(Record { item: Item::Report(there), .. }) => there.message.or(report.message),
            _ => report.message,
        };
        Report { message, open_since: Some(self.now), ..report }
    }

    /// The account of the backup with what it may not forget, in nobody's hands.
    fn remembering(&self, account: Account, stored: &StoredItem) -> Account {
        let there = self.present.get(&stored.key());
        let gone = self.present.get(&(stored.key().0, "GONE"));
        let mut account = Account { lease: None, lease_epoch: account.lease_epoch + 1, let_go_for: None, ..account };
        for known in [there, gone].into_iter().flatten() {
            // Field by field: newer code may have written the rest in a way that this code does not know.
            let waits: Waits = known.field("waits").unwrap_or_default();
            account.waits = account.waits.merged(&waits);
            if let Some(day) = known.field::<Day>("today") {
                account.today = later(account.today, day);
            }
            let joined: Vec<Timestamp> = known.field("joined_at").unwrap_or_default();
            account.joined_at.extend(joined);
            account.joined_at.sort_unstable();
            account.joined_at.dedup();
            let closed: Option<Timestamp> = known.field("closed_at");
            account.closed_at = account.closed_at.max(closed);
            let epoch: u64 = known.field("lease_epoch").unwrap_or_default();
            account.lease_epoch = account.lease_epoch.max(epoch + 1);
        }
        account
    }
}

/// The later day; of the same day, the larger charge.
fn later(one: Day, other: Day) -> Day {
    match one.date.cmp(&other.date) {
        std::cmp::Ordering::Less => other,
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Equal if one.charged >= other.charged => one,
        std::cmp::Ordering::Equal => other,
    }
}

fn is_over(task: &StoredItem) -> bool {
    matches!(task.record(), Ok(Record { item: Item::Task(task), .. }) if task.state.is_over())
}

#[cfg(test)]
mod tests;
