//! The table in memory, for simulation and tests: the port's semantics and nothing else.
//!
//! One mutex orders all commits, so each is all or nothing by construction. The indexes are computed on reading, which
//! makes them consistent; callers must not rely on that (the port promises less).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{COMMIT_WRITES_MAX, CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};

/// A table that dies with the process.
#[derive(Debug, Default)]
pub struct MemoryTable {
    records: Mutex<BTreeMap<Key, Record>>,
}

impl MemoryTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that is stored, by key: for auditors and for comparing two runs.
    pub fn snapshot(&self) -> BTreeMap<Key, Record> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Record>> {
        // A commit applies its writes by infallible inserts and removals: a poisoned map is still whole.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sorted_by<S: Ord>(&self, sort: impl Fn(&Item) -> Option<S>) -> Vec<Record> {
        let records = self.lock();
        let mut found: Vec<(S, &Key, &Record)> =
            records.iter().filter_map(|(key, record)| Some((sort(&record.item)?, key, record))).collect();
        found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        found.into_iter().map(|(_, _, record)| record.clone()).collect()
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        Ok(self.lock().get(key).cloned())
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        let first = Key { pk: pk.to_owned(), sk: sk_prefix.to_owned() };
        let records = self.lock();
        let rest = records.range((Bound::Included(first), Bound::Unbounded));
        Ok(rest
            .take_while(|(key, _)| key.pk == pk && key.sk.starts_with(sk_prefix))
            .map(|(_, record)| record.clone())
            .collect())
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        let mut due = self.sorted_by(|item| item.due_at().filter(|due_at| *due_at <= until));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(due)
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        Ok(self.sorted_by(|item| item.listed().filter(|(of, _)| *of == list).map(|(_, list_key)| list_key)))
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        if writes.len() > COMMIT_WRITES_MAX {
            return Err(CommitError::Refused(format!("{} writes, {COMMIT_WRITES_MAX} are possible", writes.len())));
        }
        let mut keys = BTreeSet::new();
        if let Some(twice) = writes.iter().map(Write::key).find(|key| !keys.insert(key.clone())) {
            return Err(CommitError::Refused(format!("two writes to {twice}")));
        }
        let mut records = self.lock();
        if let Some(refused) = writes.iter().find(|write| !holds(write.guard(), records.get(&write.key()))) {
            return Err(CommitError::Conflict(format!("{} is not as {:?}", refused.key(), refused.guard())));
        }
        for write in writes {
            match write {
                Write::Put { item, guard } => {
                    let version = guard.version_to_write();
                    records.insert(item.key(), Record { item, version });
                }
                Write::Delete { key, .. } => {
                    records.remove(&key);
                }
                Write::Check { .. } => {}
            }
        }
        Ok(())
    }
}

fn holds(guard: &Guard, stored: Option<&Record>) -> bool {
    match (guard, stored) {
        (Guard::None, _) | (Guard::Absent, None) => true,
        (Guard::Absent, Some(_)) | (Guard::Version(_) | Guard::Held { .. }, None) => false,
        (Guard::Version(version), Some(record)) => record.version == *version,
        (Guard::Held { epoch, intent, version }, Some(record)) => {
            record.version == *version
                && record.item.lease_epoch() == *epoch
                && intent.is_none_or(|intent| record.item.intent_id() == Some(intent))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::table::Subject;

    #[expect(clippy::unused_async, reason = "the contract waits for its engines")]
    async fn fresh() -> (Subject, ()) {
        (Arc::new(MemoryTable::new()), ())
    }

    crate::table_contract!(fresh);
}
