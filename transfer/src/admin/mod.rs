//! What admins do to accounts: enable, disable, name, rank, group, forget a wait, let go, and sign all of them out at once.
//!
//! Each reads, decides and commits, and reads again on a conflict. Each may run twice: what is already as it was asked for
//! is left alone. What an admin sets stands in `PROFILE`, so it is never in a host's way; only what a host learnt
//! ([`reset_waits`]) and the account's end ([`delete`]) touch `ACCOUNT`, guarded by its version: a host that wrote
//! meanwhile is read again, and a host whose commit meets ours commits on top of it.

mod delete;
mod join;
mod leave;
mod panic;
mod reset;

use std::collections::BTreeMap;

use crate::account::{Account, Member, Profile};
use crate::ids::{AccountId, TaskId};
use crate::queue::QueueError;
use crate::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};

pub use delete::{delete, erase, unsettled};
pub use join::{DAILY_BUDGET_DEFAULT, Join, JoinError, Joining, join, joined};
pub use leave::leave;
pub use panic::panic;
pub use reset::reset_waits;

/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 20;
/// Labels are shown in lists and on buttons.
pub const LABEL_LEN_MAX: usize = 64;
/// Groups are shown beside labels.
pub const GROUP_LEN_MAX: usize = 32;
/// Priorities are compared with each other, nobody needs larger ones.
pub const PRIORITY_MAX: i32 = 1_000;

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// There is no such account.
    #[error("there is no account {0} in the pool")]
    Unknown(AccountId),
    /// A label is there to be read.
    #[error("a name has 1 to {LABEL_LEN_MAX} characters")]
    BadLabel,
    /// A priority that nobody needs.
    #[error("a priority lies between -{PRIORITY_MAX} and {PRIORITY_MAX}")]
    BadPriority,
    /// A host is connected with it.
    #[error("a host is connected with account {0}: disable it, wait a minute, and delete it then")]
    Connected(AccountId),
    /// A chunk that it may have carried is uncertain, and only it can tell.
    #[error("account {account} has to settle a chunk of task {task} first: let that go on, or cancel it")]
    Unsettled {
        /// The account.
        account: AccountId,
        /// The task.
        task: TaskId,
    },
    /// A group's name is there to be read.
    #[error("a group's name has 1 to {GROUP_LEN_MAX} characters")]
    BadGroup,
    /// What was asked for stands in the table; a host finds it by itself, within a minute.
    #[error("it is noted, but its job was not queued; a host will find it: {0}")]
    Queue(#[from] QueueError),
    /// Others wrote to it again and again.
    #[error("account {0} is written to by others all the time; try again")]
    Contended(AccountId),
}

/// The pool, in the order in which accounts are chosen when nothing else speaks for one.
///
/// # Errors
/// The table failed.
pub async fn members(table: &dyn Table) -> Result<Vec<Member>, TableError> {
    let mut accounts = BTreeMap::new();
    let mut profiles = BTreeMap::new();
    for record in table.list(List::Accounts).await? {
        match record.item {
            Item::Account(account) => drop(accounts.insert(account.id.clone(), account)),
            Item::Profile(profile) => drop(profiles.insert(profile.id.clone(), profile)),
            _ => {}
        }
    }
    // An account is added in one commit; the index may show the halves one after the other.
    let paired = accounts.into_iter().filter_map(|(id, account)| Some((account, profiles.remove(&id)?)));
    let mut members: Vec<Member> = paired.map(|(account, profile)| Member { account, profile }).collect();
    members.sort_by(|a, b| b.profile.priority.cmp(&a.profile.priority).then_with(|| a.account.id.cmp(&b.account.id)));
    Ok(members)
}

/// One account of the pool.
///
/// # Errors
/// The table failed.
pub async fn member(table: &dyn Table, id: &AccountId) -> Result<Option<Member>, TableError> {
    Ok(read(table, id).await?.map(|read| Member { account: read.account, profile: read.profile }))
}

/// Lets an account be chosen, or not. A chunk that is under way is settled first.
///
/// # Errors
/// There is no such account, or the table failed.
pub async fn set_enabled(table: &dyn Table, id: &AccountId, enabled: bool) -> Result<(), AdminError> {
    change_profile(table, id, |profile| Profile { enabled, ..profile }).await
}

/// Sets an account's priority: higher goes first.
///
/// # Errors
/// It is out of bounds, there is no such account, or the table failed.
pub async fn set_priority(table: &dyn Table, id: &AccountId, priority: i32) -> Result<(), AdminError> {
    if !(-PRIORITY_MAX..=PRIORITY_MAX).contains(&priority) {
        return Err(AdminError::BadPriority);
    }
    change_profile(table, id, |profile| Profile { priority, ..profile }).await
}

/// Puts an account into a group, or into none. Tasks may be bound to a group.
///
/// # Errors
/// The name is empty or too long, there is no such account, or the table failed.
pub async fn set_group(table: &dyn Table, id: &AccountId, group: Option<&str>) -> Result<(), AdminError> {
    let group = group.map(|name| readable(name, GROUP_LEN_MAX).ok_or(AdminError::BadGroup)).transpose()?;
    change_profile(table, id, |profile| Profile { group: group.clone(), ..profile }).await
}

/// A name without space around it; `None` if nobody could read it.
fn readable(name: &str, len_max: usize) -> Option<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_good = (1..=len_max).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    is_good.then_some(name)
}

/// Sets what an account is called. Space around it is dropped.
///
/// # Errors
/// It is empty or too long, there is no such account, or the table failed.
pub async fn set_label(table: &dyn Table, id: &AccountId, label: &str) -> Result<(), AdminError> {
    let label = readable(label, LABEL_LEN_MAX).ok_or(AdminError::BadLabel)?;
    change_profile(table, id, |profile| Profile { label: label.clone(), ..profile }).await
}

async fn change_profile(
    table: &dyn Table,
    id: &AccountId,
    change: impl Fn(Profile) -> Profile + Send,
) -> Result<(), AdminError> {
    let key = Key::profile(id);
    for _ in 0..CONFLICTS_MAX {
        let Some(Record { item: Item::Profile(profile), version }) = table.get(&key).await? else {
            return Err(AdminError::Unknown(id.clone()));
        };
        let changed = change(profile.clone());
        if changed == profile {
            return Ok(());
        }
        let write = Write::Put { item: Item::Profile(changed), guard: Guard::Version(version) };
        match table.commit(vec![write]).await {
            Ok(()) => return Ok(()),
            // Read again: what stands there says whether it was written.
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended(id.clone()))
}

/// Both halves of an account, with their versions.
struct Both {
    account: Account,
    account_version: u64,
    profile: Profile,
    profile_version: u64,
}

async fn read(table: &dyn Table, id: &AccountId) -> Result<Option<Both>, TableError> {
    let Some(Record { item: Item::Profile(profile), version: profile_version }) = table.get(&Key::profile(id)).await?
    else {
        return Ok(None);
    };
    let Some(Record { item: Item::Account(account), version: account_version }) = table.get(&Key::account(id)).await?
    else {
        return Ok(None);
    };
    Ok(Some(Both { account, account_version, profile, profile_version }))
}

#[cfg(test)]
mod tests;
