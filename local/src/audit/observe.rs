//! Gathering the evidence: from the simulated world and from the ledger in the table.

use std::collections::BTreeSet;

use simulator::world::audit::Entry;
use simulator::world::{ChatId, World};
use transfer::ids::TaskId;
use transfer::table::{Item, Table, TableError};

use super::{Call, Copied, Evidence, Original};

/// What the world saw of a transfer of everything in `source`. The rest of the evidence is the caller's.
pub fn observe(world: &World, source: ChatId, target: ChatId) -> Evidence {
    let originals = world.chat(source).into_iter().flat_map(|chat| chat.history.all());
    let visible = originals.filter(|message| !message.deleted);
    let selected = visible.map(|message| Original { id: message.id.0, album: message.group }).collect();
    let created = world.chat(target).into_iter().flat_map(|chat| chat.all_created());
    let copies = created
        .map(|message| Copied {
            of: message.source.filter(|(chat, _)| *chat == source).map(|(_, id)| id.0),
            album: message.group,
        })
        .collect();
    let calls = world.audit.entries().iter().map(call).collect();
    Evidence { selected, copies, calls, ..Evidence::default() }
}

/// A call as the server logged it.
pub fn call(entry: &Entry) -> Call {
    Call {
        account: entry.account.map_or(0, |account| account.0),
        at_ms: entry.at.0,
        ended_ms: entry.ended.map(|ended| ended.0),
        forward: is_forward(entry),
        applied: if entry.was_applied() && !entry.repeat { entry.applied } else { 0 },
        wait_until_ms: entry.wait_until.map(|until| until.0),
        during_wait: entry.during_wait.is_some(),
    }
}

/// Whether the call was a forward.
pub fn is_forward(entry: &Entry) -> bool {
    entry.method == "messages.forwardMessages"
}

/// The source ids in the task's skip ledger.
///
/// # Errors
/// The table failed.
pub async fn ledger(table: &dyn Table, task: &TaskId) -> Result<BTreeSet<i32>, TableError> {
    let rows = table.partition(&format!("TASK#{task}"), "SKIP#").await?;
    let ids = rows.into_iter().flat_map(|row| match row.item {
        Item::Skip(skip) => skip.ids.as_slice().to_vec(),
        _ => Vec::new(),
    });
    Ok(ids.map(|id| id.0).collect())
}
