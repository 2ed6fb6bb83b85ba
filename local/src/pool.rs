//! The pool on this machine: the two items that make a session a member, and what a dead life of a host left of them.

use jiff::Timestamp;
use jiff::civil::Date;
use transfer::account::{Account, AccountState, Member, Profile};
pub use transfer::admin::members;
use transfer::ids::{AccountId, HostId};
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};

/// What accounts get when nobody says otherwise, in the order in which they are added.
const PRIORITIES: [i32; 5] = [10, 5, 3, 2, 1];
/// Messages a day and account, unless the admin says otherwise.
pub const DAILY_BUDGET_DEFAULT: u32 = 1_250;

/// An account that is to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Its id.
    pub id: AccountId,
    /// Enough of the phone number to recognise it.
    pub phone_masked: String,
    /// What the admin calls it.
    pub label: String,
    /// Higher goes first.
    pub priority: i32,
    /// Messages a day; `None`: no limit.
    pub daily_budget: Option<u32>,
}

/// The table did not take the account, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The priority of the n-th account (from 0).
pub fn priority(n: usize) -> i32 {
    PRIORITIES.get(n).copied().unwrap_or(0)
}

/// Adds an account, or makes one that is there already ready again: it was logged in anew. What the admin set for it
/// stays.
///
/// # Errors
/// The table failed.
pub async fn join(table: &dyn Table, joining: Joining, now: Timestamp, today: Date) -> Result<(), JoinError> {
    let Joining { id, phone_masked, label, priority, daily_budget } = joining;
    let stored = table.get(&Key::account(&id)).await?;
    let account = match stored {
        Some(Record { item: Item::Account(account), version }) => {
            let renewed = Account { state: AccountState::Ready, reason: None, since: now, phone_masked, ..account };
            Write::Put { item: Item::Account(renewed), guard: Guard::Version(version) }
        }
        Some(_) | None => {
            let account = Account::new(id.clone(), phone_masked, now, today);
            Write::Put { item: Item::Account(account), guard: Guard::Absent }
        }
    };
    let mut writes = vec![account];
    if table.get(&Key::profile(&id)).await?.is_none() {
        let profile = Profile { id, label, priority, group: None, enabled: true, daily_budget };
        writes.push(Write::Put { item: Item::Profile(profile), guard: Guard::Absent });
    }
    Ok(table.commit(writes).await?)
}

/// Sets how many messages a day each account may carry.
///
/// # Errors
/// The table failed.
pub async fn set_budget(table: &dyn Table, members: &[Member], budget: u32) -> Result<(), JoinError> {
    for member in members {
        let key = Key::profile(&member.profile.id);
        if let Some(Record { item: Item::Profile(profile), version }) = table.get(&key).await? {
            let item = Item::Profile(Profile { daily_budget: Some(budget), ..profile });
            table.commit(vec![Write::Put { item, guard: Guard::Version(version) }]).await?;
        }
    }
    Ok(())
}

/// Frees the accounts that an earlier life of this host held, so that its neighbours need not wait out its silence. Only for
/// whoever holds the host's lock file: that life is over. An account that somebody took meanwhile is left alone.
///
/// # Errors
/// The table failed.
pub async fn free_of(table: &dyn Table, host: &HostId) -> Result<(), JoinError> {
    for record in table.list(List::Accounts).await? {
        let Item::Account(account) = record.item else { continue };
        if account.lease.as_ref().is_none_or(|lease| lease.host != *host) {
            continue;
        }
        let item = Item::Account(Account { lease: None, ..account });
        match table.commit(vec![Write::Put { item, guard: Guard::Version(record.version) }]).await {
            // An answer that was lost: it is free, or stays for a while longer.
            Ok(()) | Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::lease::Lease;
    use transfer::table::memory::MemoryTable;

    fn joining(id: &str, priority: i32) -> Joining {
        let label = format!("Account {id}");
        Joining { id: id.into(), phone_masked: "+1…01".to_owned(), label, priority, daily_budget: Some(9) }
    }

    #[tokio::test]
    async fn an_account_that_joins_again_is_ready_and_keeps_what_the_admin_set() {
        let table = MemoryTable::new();
        let now = Timestamp::UNIX_EPOCH;
        let today = jiff::civil::date(1970, 1, 1);
        join(&table, joining("1", 5), now, today).await.unwrap();
        join(&table, joining("2", 10), now, today).await.unwrap();
        let record = table.get(&Key::account(&"1".into())).await.unwrap().unwrap();
        let Item::Account(account) = record.item else { panic!("no account") };
        let dead = Account { state: AccountState::SignedOut, ..account };
        let write = Write::Put { item: Item::Account(dead), guard: Guard::Version(record.version) };
        table.commit(vec![write]).await.unwrap();
        join(&table, joining("1", 99), now, today).await.unwrap();
        let members = members(&table).await.unwrap();
        let seen: Vec<_> = members.iter().map(|m| (m.account.id.0.as_str(), m.profile.priority)).collect();
        assert_eq!(seen, [("2", 10), ("1", 5)]);
        assert!(members.iter().all(|member| member.account.state == AccountState::Ready));
    }

    #[tokio::test]
    async fn a_host_frees_what_its_earlier_life_held_and_nothing_else() {
        let table = MemoryTable::new();
        let (now, today) = (Timestamp::UNIX_EPOCH, jiff::civil::date(1970, 1, 1));
        for (id, host) in [("1", "a"), ("2", "b")] {
            join(&table, joining(id, 5), now, today).await.unwrap();
            let record = table.get(&Key::account(&id.into())).await.unwrap().unwrap();
            let Item::Account(account) = record.item else { panic!("no account") };
            let lease = Some(Lease { host: host.into(), incarnation: "earlier".into() });
            let item = Item::Account(Account { lease, ..account });
            table.commit(vec![Write::Put { item, guard: Guard::Version(record.version) }]).await.unwrap();
        }
        free_of(&table, &"a".into()).await.unwrap();
        let held: Vec<_> = members(&table).await.unwrap().iter().map(|m| m.account.lease.is_some()).collect();
        assert_eq!(held, [false, true]);
    }
}
