//! An account is to leave the pool.

use jiff::Timestamp;

use crate::account::{Leaving, Profile};
use crate::ids::{AccountId, ChatId};
use crate::queue::{Job, Queue};
use crate::table::{CommitError, Guard, Item, Key, Record, Table, Write};

use super::{AdminError, CONFLICTS_MAX};

/// Marks an account as leaving: no task chooses it any more, and a host signs it out at Telegram and erases it. `told` is
/// the chat that hears how it ended; without `queue` a host finds it by itself, within a minute.
///
/// The mark is committed before the job is sent. If the process dies in between, the sweeper finds the account due. Asked
/// again, the job is sent again, and whoever asked last is told.
///
/// # Errors
/// There is no such account, or the table failed. [`AdminError::Queue`]: it leaves all the same, a little later.
pub async fn leave(
    table: &dyn Table,
    queue: Option<&dyn Queue>,
    id: &AccountId,
    told: Option<ChatId>,
    now: Timestamp,
) -> Result<(), AdminError> {
    let key = Key::profile(id);
    for _ in 0..CONFLICTS_MAX {
        let Some(Record { item: Item::Profile(profile), version }) = table.get(&key).await? else {
            return Err(AdminError::Unknown(id.clone()));
        };
        let earlier = profile.leaving.as_ref();
        let leaving = Leaving {
            since: earlier.map_or(now, |earlier| earlier.since),
            told: told.or_else(|| earlier.and_then(|earlier| earlier.told)),
            seq: earlier.map_or(0, |earlier| earlier.seq) + 1,
        };
        let job = Job::leaving(id.clone(), leaving.seq);
        let item = Item::Profile(Profile { leaving: Some(leaving), ..profile });
        match table.commit(vec![Write::Put { item, guard: Guard::Version(version) }]).await {
            Ok(()) => {
                if let Some(queue) = queue {
                    queue.send(&job).await?;
                }
                return Ok(());
            }
            // Read again: asked for twice is asked for once.
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended(id.clone()))
}
