//! An account is erased.

use crate::ids::{AccountId, TaskId};
use crate::lease::Lease;
use crate::table::item::GoneAccount;
use crate::table::{COMMIT_WRITES_MAX, CommitError, Guard, Item, Key, List, Table, TableError, Write};

use super::{AdminError, Both, CONFLICTS_MAX, read};

/// Deletes an account without a word to Telegram, where it stays signed in: what hosts know of it, what the admin set, its
/// session, its days, and what it knows of peers. [`super::leave`] has a host sign it out first.
///
/// Only an account that no host holds is deleted: whoever makes an intent with it holds it first, and taking it changes
/// the version that guards the deletion. So no chunk can become uncertain with an account that is gone. If the process
/// dies after the first commit, the account is gone, and its days stay until this runs again.
///
/// # Errors
/// It is in use, a chunk of it is unsettled, or the table failed. An account that is gone is no error.
pub async fn delete(table: &dyn Table, id: &AccountId) -> Result<(), AdminError> {
    for _ in 0..CONFLICTS_MAX {
        let Some(both) = read(table, id).await? else { return erase_rest(table, id).await };
        if both.account.lease.is_some() {
            return Err(AdminError::Connected(id.clone()));
        }
        if let Some(task) = unsettled(table, id).await? {
            return Err(AdminError::Unsettled { account: id.clone(), task });
        }
        match table.commit(erasing(&both)).await {
            Ok(()) => return erase_rest(table, id).await,
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended(id.clone()))
}

/// Erases an account that `holder` holds, and closed. `false`: somebody else holds it now, and nothing was erased. What
/// outlives it ([`GoneAccount`]) is written in the same commit. If the process dies after that commit, days and peers stay
/// until an account of this id is erased again; they do no harm, and tell nothing but numbers.
///
/// # Errors
/// The table failed. An account that is gone is no error.
pub async fn erase(table: &dyn Table, id: &AccountId, holder: &Lease) -> Result<bool, AdminError> {
    for _ in 0..CONFLICTS_MAX {
        let Some(both) = read(table, id).await? else { return erase_rest(table, id).await.map(|()| true) };
        if both.account.lease.as_ref() != Some(holder) {
            return Ok(false);
        }
        match table.commit(erasing(&both)).await {
            Ok(()) => return erase_rest(table, id).await.map(|()| true),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended(id.clone()))
}

/// The one commit with which an account is gone: whoever reads half of it would take it for one that is being added.
fn erasing(both: &Both) -> Vec<Write> {
    let id = &both.account.id;
    vec![
        Write::Delete { key: Key::account(id), guard: Guard::Version(both.account_version) },
        Write::Delete { key: Key::profile(id), guard: Guard::Version(both.profile_version) },
        Write::Delete { key: Key::session(id), guard: Guard::None },
        Write::Put { item: Item::Gone(GoneAccount::of(&both.account)), guard: Guard::None },
    ]
}

/// The task whose open chunk only this account can settle.
///
/// # Errors
/// The table failed.
pub async fn unsettled(table: &dyn Table, id: &AccountId) -> Result<Option<TaskId>, TableError> {
    for record in table.list(List::Tasks).await? {
        let Item::Task(task) = record.item else { continue };
        let intent = task.checkpoint.intent.as_ref();
        if !task.state.is_over() && intent.is_some_and(|intent| intent.account == *id) {
            return Ok(Some(task.id));
        }
    }
    Ok(None)
}

/// Days and peers of an account that is gone. Nobody else writes them then.
async fn erase_rest(table: &dyn Table, id: &AccountId) -> Result<(), AdminError> {
    let pk = Key::account(id).pk;
    let mut keys = Vec::new();
    for prefix in ["DAY#", "PEER#"] {
        keys.extend(table.partition(&pk, prefix).await?.into_iter().map(|record| record.item.key()));
    }
    for keys in keys.chunks(COMMIT_WRITES_MAX) {
        let writes = keys.iter().map(|key| Write::Delete { key: key.clone(), guard: Guard::None }).collect();
        match table.commit(writes).await {
            // What was not erased is erased when the deletion is asked for again; it does no harm until then.
            Ok(()) | Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Ok(())
}
