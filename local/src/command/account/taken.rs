//! An account in a command's hands for a moment: nobody else connects with it meanwhile.
//!
//! It is taken as hosts take it, by the lease in its item. The lease names no living host: should this process die, others
//! wait 100 s before they take it, which is longer than anything here takes. Where no other process works on the data
//! directory, what a dead one held is taken at once.

use std::sync::Arc;

use transfer::account::Account;
use transfer::ids::{AccountId, HostId, Incarnation};
use transfer::lease::Lease;
use transfer::table::{CommitError, Guard, Item, Key, Record, Table, TableError, Write};

use crate::command::desk::{Desk, table_failed};
use crate::failure::Failure;

/// Who commands are among hosts.
const HOST_ID: &str = "terminal";
/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 20;

/// An account that is held.
pub(in crate::command) struct Taken {
    table: Arc<dyn Table>,
    pub(in crate::command) account: Account,
    pub(in crate::command) lease: Lease,
}

impl Taken {
    /// Takes an account; `None` while a host has it, or when it is gone.
    pub(in crate::command) async fn take(desk: &Desk, id: &AccountId) -> Result<Option<Self>, Failure> {
        let incarnation = Incarnation(uuid::Uuid::new_v4().to_string());
        let lease = Lease { host: HostId::from(HOST_ID), incarnation };
        for _ in 0..CONFLICTS_MAX {
            let Some((mut account, version)) = stored(desk.table.as_ref(), id).await.map_err(|e| table_failed(&e))?
            else {
                return Ok(None);
            };
            let is_mine = account.lease.as_ref() == Some(&lease);
            if account.lease.is_some() && !is_mine && !desk.is_alone() {
                return Ok(None);
            }
            if !is_mine {
                account.lease = Some(lease.clone());
                account.lease_epoch += 1;
                let write = Write::Put { item: Item::Account(account.clone()), guard: Guard::Version(version) };
                match desk.table.commit(vec![write]).await {
                    Ok(()) => {}
                    // What stands there says whether it was written.
                    Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => continue,
                    Err(error @ CommitError::Refused(_)) => return Err(Failure::failed(&error)),
                }
            }
            return Ok(Some(Self { table: desk.table.clone(), account, lease }));
        }
        Err(Failure::Failed(format!("account {id} is written to by others all the time; try again")))
    }

    /// Gives it back, with what was learnt of it.
    pub(in crate::command) async fn give_back(self, learn: impl Fn(&mut Account) + Send) -> Result<(), Failure> {
        let id = &self.account.id;
        for _ in 0..CONFLICTS_MAX {
            let found = stored(self.table.as_ref(), id).await.map_err(|error| table_failed(&error))?;
            let Some((mut account, version)) = found.filter(|(it, _)| it.lease.as_ref() == Some(&self.lease)) else {
                return Ok(());
            };
            learn(&mut account);
            account.lease = None;
            let write = Write::Put { item: Item::Account(account), guard: Guard::Version(version) };
            match self.table.commit(vec![write]).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
                Err(error @ CommitError::Refused(_)) => return Err(Failure::failed(&error)),
            }
        }
        Err(Failure::Failed(format!("account {id} is written to by others all the time; try again")))
    }
}

async fn stored(table: &dyn Table, id: &AccountId) -> Result<Option<(Account, u64)>, TableError> {
    Ok(match table.get(&Key::account(id)).await? {
        Some(Record { item: Item::Account(account), version }) => Some((account, version)),
        Some(_) | None => None,
    })
}
