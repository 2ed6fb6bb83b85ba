//! Gathering the evidence: from the simulated world and from the ledger in the table.

use std::collections::BTreeSet;

use simulator::world::audit::{Entry, Outcome};
use simulator::world::message::Message;
use simulator::world::{ChatId, World};
use transfer::ids::TaskId;
use transfer::table::{Item, Table, TableError};

use super::{Call, Content, Copied, Evidence, Original};

/// What is refused with everything around it says nothing about a single message; an album has at most so many.
const UNIT_LEN_MAX: u32 = 10;
/// Refusals that concern the caller, or a call whose outcome is open, and no message.
const NO_MESSAGE: [&str; 5] = ["USER_DEACTIVATED", "SESSION_", "AUTH_KEY_", "FROZEN_", "RANDOM_ID_DUPLICATE"];

/// What the world saw of a transfer of everything in `source`. The rest of the evidence is the caller's.
pub fn observe(world: &World, source: ChatId, target: ChatId) -> Evidence {
    let originals = world.chat(source).into_iter().flat_map(|chat| chat.history.all());
    let original = |message: &Message| Original { id: message.id.0, album: message.group, content: content(message) };
    let selected = originals.map(|message| original(&message)).collect();
    let created = world.chat(target).into_iter().flat_map(|chat| chat.all_created());
    let copies = created
        .map(|message| Copied {
            of: message.source.filter(|(chat, _)| *chat == source).map(|(_, id)| id.0),
            album: message.group,
        })
        .collect();
    let calls = world.audit.entries().iter().map(call).collect();
    let carrying = world.audit.entries().iter().filter(|entry| is_forward(entry) && entry.source == Some(source));
    let refused = carrying.map(refused).sum();
    Evidence { selected, refused, copies, calls, ..Evidence::default() }
}

fn content(message: &Message) -> Content {
    if message.deleted {
        Content::Deleted
    } else if message.service().is_some() {
        Content::Service
    } else {
        Content::Carriable
    }
}

/// How many messages of this forward the server did not carry at most, for reasons of theirs: it left them out, or it
/// refused them alone. A wait is none.
fn refused(entry: &Entry) -> u64 {
    let refused = match &entry.outcome {
        // What was carried before is not told of a repeat.
        _ if entry.repeat => 0,
        _ if entry.was_applied() => entry.count.saturating_sub(entry.applied),
        Outcome::Refused(name) => {
            let is_wait = entry.wait_until.is_some() || name.contains("_WAIT_");
            let is_the_callers = NO_MESSAGE.iter().any(|prefix| name.starts_with(prefix));
            if is_wait || is_the_callers || entry.count > UNIT_LEN_MAX { 0 } else { entry.count }
        }
        Outcome::Open | Outcome::Ok | Outcome::Partial | Outcome::Lost { .. } => 0,
    };
    u64::from(refused)
}

/// A call as the server logged it.
pub fn call(entry: &Entry) -> Call {
    Call {
        account: entry.account.map_or(0, |account| account.0),
        session: entry.session.0,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::judge;
    use simulator::scenario::{self, SOURCE, TARGET};
    use simulator::time::Clock;
    use simulator::world::generated::Mix;

    fn entry(count: u32, applied: u32, outcome: Outcome) -> Entry {
        let mut world = scenario::transfer(7, 1, 10, Mix::default(), Clock::real());
        let account = *world.users.keys().next().unwrap();
        let about = simulator::world::About::of("messages.forwardMessages");
        let (key, session) = (simulator::world::AuthKeyId(1), simulator::world::SessionId(1));
        world.open_audit(Some(account), key, session, about);
        Entry { count, applied, outcome, ..world.audit.entries()[0].clone() }
    }

    #[test]
    fn a_ledger_of_everything_excuses_service_messages_alone() {
        let world = scenario::transfer(7, 1, 2_000, Mix::default(), Clock::real());
        let seen = observe(&world, SOURCE, TARGET);
        let service = seen.selected.iter().filter(|original| original.content == Content::Service).count() as u64;
        let skipped = seen.selected.iter().map(|original| original.id).collect();
        let report = judge(&Evidence { skipped, ..seen });
        assert!(service > 0 && report.selected > 1_000, "{report:?}");
        assert_eq!((report.skipped, report.skipped_service), (service, service));
        assert_eq!(report.missing, report.selected - service);
    }

    #[test]
    fn refusals_are_of_single_messages_and_no_waits() {
        let said = |name: &str| Outcome::Refused(name.into());
        assert_eq!(refused(&entry(1, 0, said("MEDIA_EMPTY"))), 1);
        assert_eq!(refused(&entry(10, 0, said("CHAT_SEND_POLL_FORBIDDEN"))), 10);
        assert_eq!(refused(&entry(100, 0, said("MEDIA_EMPTY"))), 0, "nobody knows which of them");
        assert_eq!(refused(&entry(1, 0, said("FLOOD_WAIT_30"))), 0);
        assert_eq!(refused(&entry(1, 0, said("SESSION_REVOKED"))), 0);
        assert_eq!(refused(&entry(100, 98, Outcome::Partial)), 2);
        assert_eq!(refused(&entry(100, 98, Outcome::Lost { fault: "cut_after", applied: true })), 2);
        assert_eq!(refused(&entry(100, 0, Outcome::Lost { fault: "cut_before", applied: false })), 0);
        assert_eq!(refused(&Entry { repeat: true, ..entry(100, 98, Outcome::Partial) }), 0);
    }
}
