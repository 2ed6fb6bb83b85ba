//! What came of a soak: everything that was done, and the judgement of it.

use std::collections::BTreeSet;

use serde::Serialize;
use simulator::world::audit::Outcome;
use transfer::event::{Event, Settlement};
use transfer::table::Item;

use super::routes::{Route, Routes};
use super::tally::Tally;
use crate::audit::copies::{self, Comparison};
use crate::audit::observe::{call, ledger, observe};
use crate::audit::{Call, Evidence, waits};
use crate::demo::stage::Stage;
use crate::failure::Failure;
use crate::progress::words::grouped;

/// The report. The names are those of the JSON file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// From which everything was drawn.
    pub seed: u64,
    /// Hosts side by side.
    pub hosts: u64,
    /// Hosts that were killed.
    pub kills: u64,
    /// Of these, so many with a forward in flight.
    pub kills_in_flight: u64,
    /// Hosts that were frozen.
    pub freezes: u64,
    /// Of these, so many gave up when they went on, because their time had run out.
    pub gave_up: u64,
    /// Hosts that ended by themselves for another reason.
    pub deaths: u64,
    /// Jobs that were delivered once more.
    pub deliveries_doubled: u64,
    /// Transfers.
    pub tasks: u64,
    /// Messages that were to be carried.
    pub selected: u64,
    /// Of those, in their target.
    pub delivered: u64,
    /// Of those, in the skip ledger and not in their target, and rightly so.
    pub skipped: u64,
    /// Flood waits that were given.
    pub floods: u64,
    /// Calls of all kinds.
    pub calls: u64,
    /// Repeats that a life made of a chunk that another had begun, by the hosts' own count.
    pub blind_repeats: u64,
    /// Of the calls, those during a wait whose receiver was struck before it could write it down.
    pub blind_calls: u64,
    /// Interrupted calls that were settled by making the same call again.
    pub settled_repeated: u64,
    /// ... by finding their messages in the target.
    pub settled_found: u64,
    /// ... by giving them to another account, since nothing of them was in the target.
    pub settled_taken_over: u64,
    /// From the first call to the last.
    pub elapsed_secs: f64,
    /// Messages that are neither in their target nor rightly in the ledger.
    pub missing: u64,
    /// Messages that are in a target once more than asked for.
    pub duplicated: u64,
    /// Messages behind one that belongs behind them.
    pub out_of_order: u64,
    /// Albums that arrived in pieces.
    pub albums_split: u64,
    /// Calls during a wait that the caller knew of.
    pub calls_during_wait: u64,
    /// Auth keys that two connections used at a time.
    pub keys_duplicated: u64,
    /// Transfers whose counts are not what stands in their target.
    pub miscounted: u64,
    /// Transfers that are not done.
    pub unfinished: u64,
}

/// What is known of a soak beside what the world and the table say.
#[derive(Debug, Clone)]
pub struct Done {
    /// From which everything was drawn.
    pub seed: u64,
    /// Hosts side by side.
    pub hosts: u64,
    /// What was done to them.
    pub tally: Tally,
    /// Jobs that were delivered once more.
    pub deliveries_doubled: u64,
    /// Transfers that are not done.
    pub unfinished: u64,
}

/// Looks at everything.
///
/// # Errors
/// The table failed.
pub async fn gather(stage: &Stage, routes: &Routes<'_>, done: &Done) -> Result<Findings, Failure> {
    let calls: Vec<Call> = stage.simulation.with_world(|world| world.audit.entries().iter().map(call).collect());
    let early = waits::judge(&calls, &done.tally.struck_at_ms);
    let mut found = Findings {
        seed: done.seed,
        hosts: done.hosts,
        kills: done.tally.kills,
        kills_in_flight: done.tally.kills_in_flight,
        freezes: done.tally.freezes,
        gave_up: done.tally.gave_up,
        deaths: done.tally.deaths,
        deliveries_doubled: done.deliveries_doubled,
        tasks: routes.all().len() as u64,
        floods: calls.iter().map(|call| u64::from(call.wait_until_ms.is_some() && !call.during_wait)).sum(),
        calls: calls.len() as u64,
        blind_calls: early.blind,
        calls_during_wait: early.known,
        keys_duplicated: keys_duplicated(stage),
        elapsed_secs: elapsed_secs(&calls),
        unfinished: done.unfinished,
        ..Findings::default()
    };
    for route in routes.all() {
        let compared = compare(stage, route).await?;
        found.add(&compared);
        let counts = routes.task(&route.task).await?.checkpoint.counts;
        found.blind_repeats += counts.blind_repeats;
        let agree = counts.delivered == compared.delivered && counts.skipped == compared.skipped;
        found.miscounted += u64::from(!agree);
        if !agree || compared.missing + compared.duplicated + compared.out_of_order + compared.albums_split > 0 {
            tracing::error!(task = %route.task, ?compared, ?counts, "the audit found a fault");
        }
        for event in events(stage, route).await? {
            match event {
                Event::Settled { how: Settlement::Repeated, .. } => found.settled_repeated += 1,
                Event::Settled { how: Settlement::Found, .. } => found.settled_found += 1,
                Event::Settled { how: Settlement::TakenOver, .. } => found.settled_taken_over += 1,
                _ => {}
            }
        }
    }
    Ok(found)
}

async fn compare(stage: &Stage, route: &Route) -> Result<Comparison, Failure> {
    let skipped = ledger(stage.table.as_ref(), &route.task).await.map_err(|error| Failure::failed(&error))?;
    let seen = stage.simulation.with_world(|world| observe(world, route.source, route.target));
    Ok(copies::compare(&Evidence { skipped, ..seen }))
}

async fn events(stage: &Stage, route: &Route) -> Result<Vec<Event>, Failure> {
    let rows = stage.table.partition(&format!("TASK#{}", route.task), "EVENT#").await;
    let rows = rows.map_err(|error| Failure::failed(&error))?;
    let events = rows.into_iter().filter_map(|row| match row.item {
        Item::Event(record) => Some(record.event),
        _ => None,
    });
    Ok(events.collect())
}

fn keys_duplicated(stage: &Stage) -> u64 {
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(name) if &**name == "AUTH_KEY_DUPLICATED");
    let keys: BTreeSet<i64> = stage.simulation.with_world(|world| {
        let entries = world.audit.entries().iter();
        entries.filter(|entry| refused(&entry.outcome)).map(|entry| entry.auth_key.0).collect()
    });
    keys.len() as u64
}

#[expect(clippy::cast_precision_loss, reason = "spans of a soak are far below 2^52 ms")]
fn elapsed_secs(calls: &[Call]) -> f64 {
    let first = calls.iter().map(|call| call.at_ms).min().unwrap_or_default();
    let last = calls.iter().map(|call| call.at_ms).max().unwrap_or_default();
    (last - first) as f64 / 1_000.0
}

impl Findings {
    fn add(&mut self, compared: &Comparison) {
        self.selected += compared.delivered + compared.skipped + compared.missing;
        self.delivered += compared.delivered;
        self.skipped += compared.skipped;
        self.missing += compared.missing;
        self.duplicated += compared.duplicated;
        self.out_of_order += compared.out_of_order;
        self.albums_split += compared.albums_split;
    }

    /// What must be zero.
    fn faults(&self) -> [(&'static str, u64); 9] {
        [
            ("missing", self.missing),
            ("duplicated", self.duplicated),
            ("out of order", self.out_of_order),
            ("albums split", self.albums_split),
            ("calls during a wait", self.calls_during_wait),
            ("keys used twice at a time", self.keys_duplicated),
            ("transfers miscounted", self.miscounted),
            ("transfers not done", self.unfinished),
            ("hosts that ended by themselves", self.deaths),
        ]
    }

    /// What is broken of what Ferry promises; `None` if nothing is.
    pub fn broken(&self) -> Option<String> {
        let found: Vec<String> =
            self.faults().iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what}: {n}")).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// The table, line by line.
    pub fn lines(&self) -> Vec<String> {
        let rows = [
            ("kills (SIGKILL)", self.kills),
            ("  with a forward in flight", self.kills_in_flight),
            ("freezes (SIGSTOP, SIGCONT)", self.freezes),
            ("  after which the host gave up", self.gave_up),
            ("deliveries of jobs beyond the first", self.deliveries_doubled),
            ("transfers", self.tasks),
            ("messages selected", self.selected),
            ("  delivered", self.delivered),
            ("  skipped", self.skipped),
            ("floods", self.floods),
            ("calls", self.calls),
            ("blind repeats", self.blind_repeats),
            ("  that met a wait nobody knew of", self.blind_calls),
            ("settled by the same call again", self.settled_repeated),
            ("settled by finding it in the target", self.settled_found),
            ("settled by another account", self.settled_taken_over),
        ];
        let line = |(what, n): &(&str, u64)| format!("  {what:<38} {:>10}", grouped(*n));
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        lines.push(format!("  {:<38} {:>8.0} s", "took", self.elapsed_secs));
        lines.push(String::new());
        lines.push("Audit of the targets and of the server's log:".to_owned());
        lines.extend(self.faults().iter().map(line));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_alone_breaks_the_promise() {
        assert_eq!(Findings { kills: 9, blind_calls: 1, ..Findings::default() }.broken(), None);
        let json = serde_json::to_value(Findings::default()).unwrap();
        let faults = [
            "missing",
            "duplicated",
            "out_of_order",
            "albums_split",
            "calls_during_wait",
            "keys_duplicated",
            "miscounted",
            "unfinished",
            "deaths",
        ];
        assert!(faults.iter().all(|fault| json.get(fault).is_some()));
        let one = |change: fn(&mut Findings)| {
            let mut found = Findings::default();
            change(&mut found);
            found.broken().unwrap()
        };
        assert_eq!(one(|found| found.missing = 1), "missing: 1");
        assert_eq!(one(|found| found.keys_duplicated = 2), "keys used twice at a time: 2");
        assert_eq!(one(|found| found.unfinished = 3), "transfers not done: 3");
    }
}
