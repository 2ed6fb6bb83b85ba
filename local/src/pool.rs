//! The pool on this machine: what accounts get when nobody says otherwise, and what a dead life of a host left of them.

use transfer::account::{Account, Member, Profile};
pub use transfer::admin::{DAILY_BUDGET_DEFAULT, JoinError, Joining, join, members};
use transfer::ids::HostId;
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, Write};

/// What accounts get when nobody says otherwise, in the order in which they are added.
const PRIORITIES: [i32; 5] = [10, 5, 3, 2, 1];

/// The priority of the n-th account (from 0).
pub fn priority(n: usize) -> i32 {
    PRIORITIES.get(n).copied().unwrap_or(0)
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
    use jiff::Timestamp;
    use transfer::lease::Lease;
    use transfer::table::memory::MemoryTable;

    use super::*;

    fn joining(id: &str, priority: i32) -> Joining {
        let label = format!("Account {id}");
        Joining {
            id: id.into(),
            phone_masked: "+1…01".to_owned(),
            label,
            priority,
            daily_budget: Some(9),
            totals: None,
        }
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
