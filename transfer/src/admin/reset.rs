//! An account's waits are forgotten because the admin says so.

use jiff::{SignedDuration, Timestamp};

use crate::account::{Account, AccountState, Waits};
use crate::ids::{AccountId, UpdateId};
use crate::table::{CommitError, Guard, Item, Table, Write};

use super::{AdminError, CONFLICTS_MAX, read};

/// Forgets the waits of an account, and lifts its quarantine or what Ferry knows of a freeze that Telegram lifted after an
/// appeal: if it was not lifted, Telegram says so again. The mark that stays ([`Account::waits_reset_at`]) tells hosts
/// that remember the waits to forget them as well, and auditors why calls went out earlier. An account with nothing to
/// forget is left alone.
///
/// If the process dies before the commit nothing happened, after it everything did. Done again for the same update, it
/// changes nothing: waits that came since are not forgotten with those that the admin saw.
///
/// # Errors
/// There is no such account, or the table failed.
pub async fn reset_waits(
    table: &dyn Table,
    id: &AccountId,
    by: Option<UpdateId>,
    now: Timestamp,
) -> Result<(), AdminError> {
    for _ in 0..CONFLICTS_MAX {
        let Some(both) = read(table, id).await? else { return Err(AdminError::Unknown(id.clone())) };
        if by.is_some() && both.account.waits_reset_by == by {
            return Ok(());
        }
        let Some(account) = reset(both.account, by, now) else { return Ok(()) };
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
fn reset(account: Account, by: Option<UpdateId>, now: Timestamp) -> Option<Account> {
    let lifted = matches!(account.state, AccountState::Quarantined | AccountState::Frozen);
    let Waits { write, read, resolve } = account.waits;
    let waits = [write, read, resolve].into_iter().flatten().any(|until| until > now);
    if !lifted && !waits {
        return None;
    }
    // Marks only grow, whatever clocks wrote them.
    let after = account.waits_reset_at.map(|last| last.saturating_add(SignedDuration::from_millis(1)).unwrap_or(last));
    let account = Account {
        waits: Waits::default(),
        waits_reset_at: Some(after.map_or(now, |after| after.max(now))),
        waits_forgotten: account.waits,
        waits_reset_by: by,
        ..account
    };
    Some(match lifted {
        true => Account { state: AccountState::Ready, reason: None, since: now, ..account },
        false => account,
    })
}
