//! Changing the key under which secrets are sealed, while everything goes on.
//!
//! First the new key is in the ring, then it is what whoever seals finds, then everything that stands in the table is sealed
//! anew, each item over the version that was read. If the process dies in between, everything still opens, and the next run
//! goes on. A key leaves the ring last, in a later run: only when nothing in the table is sealed under it, and when it has
//! not been the current one for [`RETIRED_AFTER`], so that nobody holds anything any more that he read or sealed before.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use session_host::vault::VaultError;
use transfer::seal::{KeyId, SealError, Sealed, SecretKind};
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};

use crate::keys::{Keys, KeysError};

/// A job is tried for less than this, and a login is abandoned sooner: whoever still holds a secret that was sealed under a key
/// that was replaced so long ago will not use it any more.
pub const RETIRED_AFTER: Duration = Duration::from_hours(1);
/// How often an item is sealed anew on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 50;
/// What is due at the same time and may hold secrets: logins, of which few are under way.
const DUE_MAX: u32 = 10_000;

/// What came of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Under which key everything is sealed now.
    pub current: KeyId,
    /// How many secrets were sealed anew.
    pub resealed: usize,
    /// Keys that left the ring.
    pub retired: Vec<KeyId>,
    /// Keys that stay for a while, in case somebody still holds something sealed under them.
    pub kept: Vec<KeyId>,
}

/// Why keys were not changed. What was done until then stays, and everything still opens.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The ring.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Something does not open.
    #[error("{item}: {source}")]
    Unopened {
        /// Where it stands.
        item: Key,
        /// Why.
        source: VaultError,
    },
    /// It could not be sealed.
    #[error(transparent)]
    Unsealed(#[from] SealError),
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Others wrote to it again and again.
    #[error("{0} is written to by others all the time; try again")]
    Contended(Key),
}

/// Adds a key, unless an earlier run did and was not finished; seals everything under it; retires what may be.
///
/// # Errors
/// See [`RotationError`].
pub async fn rotate(keys: &Keys, table: &dyn Table, now: SystemTime) -> Result<Rotated, RotationError> {
    let mut retired = retire(keys, table, now).await?;
    let current = keys.vault().current().map_err(KeysError::from)?.id().clone();
    let is_unfinished = used(table).await?.iter().any(|id| *id != current);
    let current = if is_unfinished { current } else { keys.add_key()?.id().clone() };
    keys.publish()?;
    let resealed = reseal(keys, table, &current).await?;
    retired.extend(retire(keys, table, now).await?);
    let kept = keys.vault().keys().map_err(KeysError::from)?.into_iter().filter(|id| *id != current).collect();
    Ok(Rotated { current, resealed, retired, kept })
}

/// Under which keys something in the table is sealed.
///
/// # Errors
/// The table failed.
pub async fn used(table: &dyn Table) -> Result<BTreeSet<KeyId>, TableError> {
    let mut used = BTreeSet::new();
    for key in places(table).await? {
        let Some(Record { mut item, .. }) = table.get(&key).await? else { continue };
        used.extend(secrets(&mut item).into_iter().map(|(_, sealed)| sealed.key_id.clone()));
    }
    Ok(used)
}

/// Takes out of the ring what nothing needs any more.
async fn retire(keys: &Keys, table: &dyn Table, now: SystemTime) -> Result<Vec<KeyId>, RotationError> {
    if current_since(keys).and_then(|since| now.duration_since(since).ok()).is_none_or(|age| age < RETIRED_AFTER) {
        return Ok(Vec::new());
    }
    let vault = keys.vault();
    let current = vault.current().map_err(KeysError::from)?.id().clone();
    let used = used(table).await?;
    let mut retired = Vec::new();
    for id in vault.keys().map_err(KeysError::from)? {
        if id != current && !used.contains(&id) {
            vault.retire(&id).map_err(KeysError::from)?;
            retired.push(id);
        }
    }
    Ok(retired)
}

/// Since when the current key is what whoever seals finds.
fn current_since(keys: &Keys) -> Option<SystemTime> {
    std::fs::metadata(keys.dir().join("sealing.key")).and_then(|metadata| metadata.modified()).ok()
}

/// Seals what is not sealed under the current key. Twice: what somebody put there while the first walk went on is found by
/// the second.
async fn reseal(keys: &Keys, table: &dyn Table, current: &KeyId) -> Result<usize, RotationError> {
    let mut resealed = 0;
    for _walk in 0..2 {
        for place in places(table).await? {
            resealed += reseal_one(keys, table, &place, current).await?;
        }
    }
    Ok(resealed)
}

async fn reseal_one(keys: &Keys, table: &dyn Table, place: &Key, current: &KeyId) -> Result<usize, RotationError> {
    for _ in 0..CONFLICTS_MAX {
        let Some(Record { mut item, version }) = table.get(place).await? else { return Ok(0) };
        let mut resealed = 0;
        for (kind, sealed) in secrets(&mut item) {
            if sealed.key_id == *current {
                continue;
            }
            let unopened = |source| RotationError::Unopened { item: place.clone(), source };
            let plain = keys.vault().open(sealed, kind, place).map_err(unopened)?;
            *sealed = keys.sealer().seal(&plain, kind, place)?;
            resealed += 1;
        }
        if resealed == 0 {
            return Ok(0);
        }
        match table.commit(vec![Write::Put { item, guard: Guard::Version(version) }]).await {
            Ok(()) => return Ok(resealed),
            // Somebody used it meanwhile, or the answer was lost: what stands there is looked at again.
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(RotationError::Contended(place.clone()))
}

/// Where secrets may stand: the session of every account, and every login that is not over.
async fn places(table: &dyn Table) -> Result<Vec<Key>, TableError> {
    let mut places = Vec::new();
    for record in table.list(List::Accounts).await? {
        if let Item::Account(account) = record.item {
            places.push(Key::session(&account.id));
        }
    }
    for record in table.due(Timestamp::MAX, DUE_MAX).await? {
        if let Item::Login(login) = record.item {
            places.push(Key::login(&login.id));
        }
    }
    Ok(places)
}

fn secrets(item: &mut Item) -> Vec<(SecretKind, &mut Sealed)> {
    match item {
        Item::Session(session) => vec![(SecretKind::Session, &mut session.sealed)],
        Item::Login(login) => login.secrets_mut(),
        _ => Vec::new(),
    }
}
