//! Putting a table back to what a backup holds.
//!
//! The whole file is read and checked, and it is known what the restore comes to, before anything is written. Then, in this
//! order: the mark that a restore is under way (no host begins while it stands), all writes, the mark's removal. If the process dies
//! after any of these, the same command once more finishes: it decides anew, from what it finds.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use transfer::ids::HostId;
use transfer::table::dynamo::{StoredItem, WholeTable, WholeWrite};
use transfer::table::item::{Installation, SCHEMA};
use transfer::table::{CommitError, Item, TableError};

use super::file::{Backup, FileError};
use super::hosts;
use super::plan::{Plan, PlanError, Sum, plan};

/// Why a table was not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is no good; nothing was touched.
    #[error(transparent)]
    File(#[from] FileError),
    /// A host lives; nothing was touched.
    #[error("host {0} works on this table: stop it, then restore")]
    Host(HostId),
    /// The table cannot be read; nothing was touched.
    #[error("the table cannot be read, and nothing of it was changed: {0}")]
    Unread(#[from] TableError),
    /// Nothing can be decided; nothing was touched.
    #[error("the backup cannot be restored, and nothing was changed: {0}")]
    Plan(#[from] PlanError),
    /// Writing failed in the middle.
    #[error(
        "the restore was cut off ({0}); nothing works on the table until it is done: mend that, then run it once more"
    )]
    CutOff(TableError),
}

impl From<CommitError> for RestoreError {
    fn from(error: CommitError) -> Self {
        Self::Plan(error.into())
    }
}

/// A restore that was decided and not begun.
#[derive(Debug)]
pub struct Decided {
    backup: Backup,
    plan: Plan,
    /// The bots' parts of the table, each with the version of what stands there of the installation.
    parts: Vec<(String, u64)>,
}

impl Decided {
    /// Reads file and table, and decides. Changes nothing.
    ///
    /// # Errors
    /// The file is no good, or the table cannot be read.
    pub async fn of(file: &Path, table: &WholeTable, now: Timestamp) -> Result<Self, RestoreError> {
        let backup = Backup::read(file)?;
        let present = all(table).await?;
        let plan = plan(&backup, &present, now)?;
        let bots: BTreeSet<&str> =
            backup.items.iter().chain(&present).map(StoredItem::bot).filter(|bot| !bot.is_empty()).collect();
        let version = |bot: &str| {
            let stored = present.iter().find(|stored| stored.kind() == "installation" && stored.bot() == bot);
            (bot.to_owned(), stored.map_or(0, StoredItem::version))
        };
        let parts = bots.into_iter().map(version).collect();
        Ok(Self { backup, plan, parts })
    }

    /// When the backup was made.
    pub fn backed_up_at(&self) -> Timestamp {
        self.backup.header.at
    }

    /// What the restore comes to.
    pub fn sum(&self) -> &Sum {
        &self.plan.sum
    }

    /// Does it. `watch` says whether hosts may live that hold no lock which the caller holds.
    ///
    /// Decided anew once no host can begin any more: somebody may have worked while the question was on show.
    ///
    /// # Errors
    /// A host lives (nothing was touched), or the table failed on the way.
    pub async fn perform(
        self,
        table: &WholeTable,
        watch: bool,
        release: &str,
        now: Timestamp,
    ) -> Result<Sum, RestoreError> {
        if watch && let Some(host) = hosts::living(table).await? {
            return Err(RestoreError::Host(host));
        }
        let (begun, ended) = (self.marks(release, now, Some(now), 1)?, self.marks(release, now, None, 2)?);
        table.write(begun).await.map_err(RestoreError::CutOff)?;
        let present = all(table).await.map_err(RestoreError::CutOff)?;
        let Plan { writes, sum } = plan(&self.backup, &present, now)?;
        table.write(writes).await.map_err(RestoreError::CutOff)?;
        table.write(ended).await.map_err(RestoreError::CutOff)?;
        Ok(sum)
    }

    /// What is written down about the installation, in every part of the table.
    fn marks(
        &self,
        release: &str,
        now: Timestamp,
        restoring_since: Option<Timestamp>,
        later: u64,
    ) -> Result<Vec<WholeWrite>, CommitError> {
        let release = release.to_owned();
        let item = Item::Installation(Installation { newest_schema: SCHEMA, release, at: now, restoring_since });
        let mark =
            |(bot, version): &(String, u64)| StoredItem::of_part(bot, &item, version + later).map(WholeWrite::Put);
        self.parts.iter().map(mark).collect()
    }
}

async fn all(table: &WholeTable) -> Result<Vec<StoredItem>, TableError> {
    let mut all = Vec::new();
    table
        .scan(|stored| {
            all.push(stored);
            Ok::<(), TableError>(())
        })
        .await?;
    Ok(all)
}
