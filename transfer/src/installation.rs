//! Which code may work on a table.
//!
//! Whoever starts a host enters first: the item `INSTALLATION/SCHEMA` says under which schema the newest host wrote, and
//! code that knows less leaves the table alone, because it would lose what it does not know. The number only grows. It
//! costs one read where nothing changes, and one write guarded by version where something does, so of hosts that start
//! at once each sees what the other wrote.

use jiff::Timestamp;

use crate::table::item::{Installation, SCHEMA};
use crate::table::{CommitError, Guard, Item, Key, Record, Table, TableError, Write};

/// How often the item is read again after somebody else wrote it. Hosts that start write it once each.
const CONFLICTS_MAX: u32 = 20;

/// Why this code may not work on the table.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// Newer code worked on it.
    #[error(
        "the table was written by a newer version (schema {schema}, release {release}); this one knows {SCHEMA}: deploy \
         that release again, or restore a backup made before it"
    )]
    Newer {
        /// The schema it wrote.
        schema: u64,
        /// What it calls itself.
        release: String,
    },
    /// A restore did not end.
    #[error("a restore of the table was begun at {0:.0} and did not end: run it once more, with the same file")]
    Restoring(Timestamp),
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Others write it again and again.
    #[error("others write {0} all the time; try again")]
    Contended(Key),
}

/// Enters: writes down that this code works on the table from now on, unless it stands there already.
///
/// # Errors
/// This code may not; nothing was written.
pub async fn enter(table: &dyn Table, release: &str, now: Timestamp) -> Result<(), EnterError> {
    let key = Key::installation();
    for _ in 0..CONFLICTS_MAX {
        let stored = read(table, &key).await?;
        let (present, guard) = match stored {
            None => (None, Guard::Absent),
            Some((installation, version)) => (Some(installation), Guard::Version(version)),
        };
        if let Some(present) = present {
            allows(&present)?;
            if present.newest_schema == SCHEMA && present.release == release {
                return Ok(());
            }
        }
        let entered =
            Installation { newest_schema: SCHEMA, release: release.to_owned(), at: now, restoring_since: None };
        match table.commit(vec![Write::Put { item: Item::Installation(entered), guard }]).await {
            Ok(()) => return Ok(()),
            // Read again: what stands there says who was first.
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(EnterError::Contended(key))
}

/// Looks whether this code may work on the table, and writes nothing: for commands of a moment.
///
/// # Errors
/// It may not.
pub async fn look(table: &dyn Table) -> Result<(), EnterError> {
    let stored = read(table, &Key::installation()).await?;
    stored.map_or(Ok(()), |(installation, _)| allows(&installation))
}

fn allows(present: &Installation) -> Result<(), EnterError> {
    if present.newest_schema > SCHEMA {
        let (schema, release) = (u64::from(present.newest_schema), present.release.clone());
        return Err(EnterError::Newer { schema, release });
    }
    present.restoring_since.map_or(Ok(()), |since| Err(EnterError::Restoring(since)))
}

async fn read(table: &dyn Table, key: &Key) -> Result<Option<(Installation, u64)>, EnterError> {
    match table.get(key).await {
        Ok(Some(Record { item: Item::Installation(installation), version })) => Ok(Some((installation, version))),
        Ok(None) => Ok(None),
        Ok(Some(_)) => Err(EnterError::Contended(key.clone())),
        Err(TableError::Newer { schema, release, .. }) => Err(EnterError::Newer { schema, release }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::table::memory::MemoryTable;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    async fn stored(table: &MemoryTable) -> Option<(Installation, u64)> {
        read(table, &Key::installation()).await.unwrap()
    }

    async fn put(table: &MemoryTable, newest_schema: u32, restoring_since: Option<Timestamp>) {
        let item = Installation { newest_schema, release: "r9".to_owned(), at: NOW, restoring_since };
        table.commit(vec![Write::Put { item: Item::Installation(item), guard: Guard::None }]).await.unwrap();
    }

    #[tokio::test]
    async fn the_second_start_of_a_release_writes_nothing() {
        let table = MemoryTable::new();
        for release in ["r1", "r1", "r2", "r2"] {
            enter(&table, release, NOW).await.unwrap();
        }
        let (installation, version) = stored(&table).await.unwrap();
        assert_eq!((installation.newest_schema, installation.release.as_str(), version), (SCHEMA, "r2", 2));
    }

    #[tokio::test]
    async fn code_that_knows_less_stays_out_and_says_what_to_do() {
        let table = MemoryTable::new();
        put(&table, SCHEMA + 1, None).await;
        let refused = enter(&table, "r1", NOW).await.unwrap_err().to_string();
        assert!(refused.contains("release r9") && refused.contains("restore a backup"), "{refused}");
        assert_eq!(stored(&table).await.unwrap().0.newest_schema, SCHEMA + 1);
    }

    #[tokio::test]
    async fn nobody_enters_a_table_that_is_half_restored() {
        let table = MemoryTable::new();
        put(&table, SCHEMA, Some(NOW)).await;
        assert!(matches!(enter(&table, "r9", NOW).await, Err(EnterError::Restoring(_))));
    }

    #[tokio::test]
    async fn hosts_that_start_at_once_all_enter() {
        let table = Arc::new(MemoryTable::new());
        let mut hosts = tokio::task::JoinSet::new();
        for host in 0..8 {
            let table = table.clone();
            hosts.spawn(async move { enter(table.as_ref(), &format!("r{}", host % 2), NOW).await });
        }
        while let Some(entered) = hosts.join_next().await {
            entered.unwrap().unwrap();
        }
        assert_eq!(stored(&table).await.unwrap().0.newest_schema, SCHEMA);
    }
}
