//! An account joins the pool, or comes back to it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{Account, AccountState, Counters, Profile};
use crate::ids::AccountId;
use crate::table::{CommitError, Guard, Item, Key, Record, Table, TableError, Write};

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
    /// What it did elsewhere before, where that is to be counted.
    pub totals: Option<Counters>,
}

/// The writes that let an account join, for a commit with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// They.
    pub writes: Vec<Write>,
    /// What it is called: an account that comes back keeps its name.
    pub label: String,
    /// Whether it was in the pool before.
    pub is_back: bool,
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

/// What has to be written so that an account joins, or is ready again because it logged in anew. What the admin set for it stays,
/// and what it did, and the waits that Telegram gave it.
///
/// # Errors
/// The table cannot be read.
pub async fn joined(table: &dyn Table, joining: Joining, now: Timestamp, today: Date) -> Result<Join, TableError> {
    let Joining { id, phone_masked, label, priority, daily_budget, totals } = joining;
    let account = match table.get(&Key::account(&id)).await? {
        Some(Record { item: Item::Account(account), version }) => {
            let since = if account.state == AccountState::Ready { account.since } else { now };
            let state = AccountState::Ready;
            let renewed = Account { state, reason: None, since, phone_masked, checked_at: Some(now), ..account };
            Write::Put { item: Item::Account(renewed), guard: Guard::Version(version) }
        }
        Some(_) | None => {
            let account = Account { checked_at: Some(now), ..Account::new(id.clone(), phone_masked, now, today) };
            let account = Account { total: totals.unwrap_or_default(), ..account };
            // It may have left a while ago: its waits are Telegram's, and the day's budget is the day's.
            let account = match table.get(&Key::gone(&id)).await? {
                Some(Record { item: Item::Gone(gone), .. }) => gone.remembered_by(account),
                Some(_) | None => account,
            };
            Write::Put { item: Item::Account(account), guard: Guard::Absent }
        }
    };
    let is_back = matches!(account.guard(), Guard::Version(_));
    let mut writes = vec![account];
    let label = match table.get(&Key::profile(&id)).await? {
        Some(Record { item: Item::Profile(profile), .. }) => profile.label,
        Some(_) | None => {
            let label_given = label.clone();
            let profile = Profile { id, label, priority, group: None, enabled: true, daily_budget, leaving: None };
            writes.push(Write::Put { item: Item::Profile(profile), guard: Guard::Absent });
            label_given
        }
    };
    Ok(Join { writes, label, is_back })
}

/// Lets an account join whose session is kept already.
///
/// # Errors
/// The table failed.
pub async fn join(table: &dyn Table, joining: Joining, now: Timestamp, today: Date) -> Result<(), JoinError> {
    let join = joined(table, joining, now, today).await?;
    Ok(table.commit(join.writes).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::members;
    use crate::table::memory::MemoryTable;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn joining(id: &str, priority: i32) -> Joining {
        let (label, totals) = (format!("Account {id}"), Some(Counters { forwarded: 7, ..Counters::default() }));
        Joining { id: id.into(), phone_masked: "+1…01".to_owned(), label, priority, daily_budget: Some(9), totals }
    }

    #[tokio::test]
    async fn an_account_that_comes_back_is_ready_and_keeps_what_the_admin_set_and_what_it_did() {
        let table = MemoryTable::new();
        let today = jiff::civil::date(1970, 1, 1);
        join(&table, joining("1", 5), NOW, today).await.unwrap();
        join(&table, joining("2", 10), NOW, today).await.unwrap();
        let record = table.get(&Key::account(&"1".into())).await.unwrap().unwrap();
        let Item::Account(account) = record.item else { panic!("no account") };
        let lost = Account { state: AccountState::SignedOut, reason: Some("gone".to_owned()), ..account };
        let write = Write::Put { item: Item::Account(lost), guard: Guard::Version(record.version) };
        table.commit(vec![write]).await.unwrap();
        let again = Joining { label: "another".to_owned(), totals: None, ..joining("1", 99) };
        let join = joined(&table, again, NOW, today).await.unwrap();
        assert_eq!((join.label.as_str(), join.is_back), ("Account 1", true));
        table.commit(join.writes).await.unwrap();
        let members = members(&table).await.unwrap();
        assert_eq!(members.iter().map(|member| member.account.id.0.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        let back = &members[1];
        assert_eq!((back.account.state, back.account.reason.as_deref()), (AccountState::Ready, None));
        assert_eq!((back.profile.priority, back.profile.label.as_str()), (5, "Account 1"));
        assert_eq!(back.account.total.forwarded, 7);
    }
}
