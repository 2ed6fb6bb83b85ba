//! An account's waits are forgotten because the admin says so.

use jiff::Timestamp;

use crate::account::{Account, AccountState, Waits};
use crate::ids::AccountId;
use crate::table::{CommitError, Guard, Item, Table, Write};

use super::{AdminError, CONFLICTS_MAX, read};

/// Forgets the waits of an account and lifts its quarantine. The mark that stays ([`Account::waits_reset_at`]) tells hosts
/// that remember the waits to forget them as well, and auditors why calls went out earlier. An account with nothing to
/// forget is left alone.
///
/// If the process dies before the commit nothing happened, after it everything did.
///
/// # Errors
/// There is no such account, or the table failed.
pub async fn reset_waits(table: &dyn Table, id: &AccountId, now: Timestamp) -> Result<(), AdminError> {
    for _ in 0..CONFLICTS_MAX {
        let Some(both) = read(table, id).await? else { return Err(AdminError::Unknown(id.clone())) };
        let Some(account) = reset(both.account, now) else { return Ok(()) };
        let write = Write::Put { item: Item::Account(account), guard: Guard::Version(both.account_version) };
        match table.commit(vec![write]).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended(id.clone()))
}

/// The account afterwards; `None` when there is nothing to forget.
fn reset(account: Account, now: Timestamp) -> Option<Account> {
    let quarantined = account.state == AccountState::Quarantined;
    let Waits { write, read, resolve } = account.waits;
    let waits = [write, read, resolve].into_iter().flatten().any(|until| until > now);
    if !quarantined && !waits {
        return None;
    }
    let account = Account { waits: Waits::default(), waits_reset_at: Some(now), ..account };
    Some(match quarantined {
        true => Account { state: AccountState::Ready, reason: None, since: now, ..account },
        false => account,
    })
}
