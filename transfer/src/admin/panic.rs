//! The panic button.

use jiff::Timestamp;

use crate::ids::ChatId;
use crate::queue::{Job, Queue};
use crate::table::item::Panic;
use crate::table::{CommitError, Guard, Item, Key, Record, Table, Write};

use super::{AdminError, CONFLICTS_MAX};

/// Has every account signed out at Telegram and erased, at once: nothing is settled first, and tasks that could go on park.
/// Every host sees the item within seconds, with or without the job. While one panic is under way another one changes
/// nothing.
///
/// # Errors
/// The table failed. [`AdminError::Queue`]: it happens all the same.
pub async fn panic(
    table: &dyn Table,
    queue: Option<&dyn Queue>,
    by: Option<ChatId>,
    now: Timestamp,
) -> Result<(), AdminError> {
    let key = Key::panic();
    for _ in 0..CONFLICTS_MAX {
        let stored = match table.get(&key).await? {
            Some(Record { item: Item::Panic(panic), version }) => Some((panic, version)),
            Some(_) | None => None,
        };
        let guard = match &stored {
            Some((panic, _)) if panic.done_at.is_none() => return Ok(()),
            Some((_, version)) => Guard::Version(*version),
            None => Guard::Absent,
        };
        let seq = guard.version_to_write();
        let item = Item::Panic(Panic { by, at: now, done_at: None });
        match table.commit(vec![Write::Put { item, guard }]).await {
            Ok(()) => {
                if let Some(queue) = queue {
                    queue.send(&Job::panic(seq)).await?;
                }
                return Ok(());
            }
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(AdminError::Contended("all".into()))
}
