//! The end of a run: is everything there, and do counters and rows say what stands there?

use std::collections::BTreeMap;

use simulator::world::World;
use transfer::ids::{AccountId, TaskId};
use transfer::intent::SkipReason;
use transfer::table::item::ChunkRecord;
use transfer::table::{Item, Key, Record};
use transfer::task::{Task, TaskState};

use super::expected::Expect;
use super::state::{State, TaskView};
use super::{Invariant, told};

/// The table's end, sorted.
#[derive(Default)]
struct Rows<'t> {
    tasks: BTreeMap<&'t TaskId, &'t Task>,
    ledger: BTreeMap<&'t TaskId, BTreeMap<i32, &'t SkipReason>>,
    ledger_len: BTreeMap<&'t TaskId, u64>,
    chunks: BTreeMap<&'t TaskId, Vec<&'t ChunkRecord>>,
    accounts: BTreeMap<&'t AccountId, u64>,
}

impl<'t> Rows<'t> {
    fn of(table: &'t BTreeMap<Key, Record>) -> Self {
        let mut rows = Self::default();
        for record in table.values() {
            match &record.item {
                Item::Task(task) => drop(rows.tasks.insert(&task.id, task)),
                Item::Skip(row) => {
                    *rows.ledger_len.entry(&row.task).or_default() += row.ids.len() as u64;
                    let ledger = rows.ledger.entry(&row.task).or_default();
                    ledger.extend(row.ids.iter().map(|id| (id.0, &row.reason)));
                }
                Item::Chunk(chunk) => rows.chunks.entry(&chunk.task).or_default().push(chunk),
                Item::Account(account) => drop(rows.accounts.insert(&account.id, account.total.forwarded)),
                _ => {}
            }
        }
        rows
    }
}

impl State {
    pub(super) fn finish(&mut self, world: &World, table: &BTreeMap<Key, Record>) {
        self.look_at_targets(world);
        let mut rows = Rows::of(table);
        let mut broken = Vec::new();
        for (id, view) in &mut self.tasks {
            let Some(task) = rows.tasks.get(id) else { continue };
            let source = self.sources.entry(view.plan.source).or_default();
            let end = End {
                task,
                ledger: rows.ledger.get(id).cloned().unwrap_or_default(),
                ledger_len: rows.ledger_len.get(id).copied().unwrap_or(0),
                chunks: rows.chunks.get(id).cloned().unwrap_or_default(),
            };
            if let Some(window) = view.window {
                TaskView::expect(&mut view.expected, source, &view.plan, window);
            }
            broken.extend(end.lost(view));
            broken.extend(end.twice(view));
            broken.extend(end.beyond(view));
            broken.extend(end.miscounted(view));
            broken.extend(end.misnumbered(view));
        }
        rows.accounts.retain(|id, _| self.accounts.get(*id).is_none_or(|view| !view.was_gone));
        broken.extend(misattributed(&rows));
        for (invariant, text) in broken {
            self.violated(invariant, text);
        }
    }
}

/// A task at its end.
struct End<'t> {
    task: &'t Task,
    ledger: BTreeMap<i32, &'t SkipReason>,
    ledger_len: u64,
    chunks: Vec<&'t ChunkRecord>,
}

type Broken = Option<(Invariant, String)>;

impl End<'_> {
    /// What is neither in the target nor in the ledger: of everything, if the task is done; else up to its cursor.
    fn lost(&self, view: &TaskView) -> Broken {
        let done = matches!(self.task.state, TaskState::Done { .. });
        let until = if done { i32::MAX } else { self.task.checkpoint.cursor.0 };
        if done && view.window.is_none() {
            let text = format!("{} is done and never fixed what it carries", self.task.id);
            return Some((Invariant::NothingLost, text));
        }
        let must = view.expected.iter().flatten().filter(|(id, expect)| **id <= until && **expect == Expect::Must);
        let decided = |id: &i32| view.created.contains_key(id) || self.ledger.contains_key(id);
        let lost: Vec<i32> = must.map(|(id, _)| *id).filter(|id| !decided(id)).collect();
        let text = || {
            format!(
                "{} is {} at {}, and {} is neither in the target nor in the ledger",
                self.task.id,
                self.task.state,
                self.task.checkpoint.cursor,
                told(lost.iter().copied())
            )
        };
        (!lost.is_empty()).then(|| (Invariant::NothingLost, text()))
    }

    /// What is in the target, and in the ledger as not carried. `Undetermined` says just that: it may be there.
    fn twice(&self, view: &TaskView) -> Broken {
        let sure = self.ledger.iter().filter(|(_, reason)| ***reason != SkipReason::Undetermined);
        let both: Vec<i32> = sure.map(|(id, _)| *id).filter(|id| view.created.contains_key(id)).collect();
        let text = || format!("{}: {} was carried, and stands in the ledger", self.task.id, told(both.iter().copied()));
        (!both.is_empty()).then(|| (Invariant::ExactlyOnce, text()))
    }

    /// What is in the target though the task has not come to it.
    fn beyond(&self, view: &TaskView) -> Broken {
        let checkpoint = &self.task.checkpoint;
        let open = |id: i32| {
            checkpoint.intent.as_ref().is_some_and(|intent| intent.ids.iter().any(|open| open.0 == id))
                || checkpoint.ahead.iter().any(|ahead| ahead.0 == id)
                || self.ledger.contains_key(&id)
        };
        let above = view.created.keys().copied().filter(|id| *id > checkpoint.cursor.0 && !open(*id));
        let above: Vec<i32> = above.collect();
        let text = || {
            format!(
                "{} is {} at {}, yet {} was carried",
                self.task.id,
                self.task.state,
                checkpoint.cursor,
                told(above.iter().copied())
            )
        };
        (!above.is_empty()).then(|| (Invariant::IntentKept, text()))
    }

    /// Counts against target and ledger.
    fn miscounted(&self, view: &TaskView) -> Broken {
        let counts = self.task.checkpoint.counts;
        let open = |id: &i32| {
            let intent = self.task.checkpoint.intent.as_ref();
            intent.is_some_and(|intent| intent.ids.iter().any(|open| open.0 == *id))
        };
        let delivered = view.created.keys().filter(|id| !self.ledger.contains_key(id) && !open(id)).count() as u64;
        let right = counts.delivered == delivered
            && counts.skipped == self.ledger_len
            && self.ledger_len == self.ledger.len() as u64
            && counts.matched == counts.delivered + counts.skipped;
        let text = || {
            format!(
                "{} counts {} matched, {} delivered, {} skipped; {delivered} stand in the target, {} ({} rows' ids) in \
                 the ledger",
                self.task.id,
                counts.matched,
                counts.delivered,
                counts.skipped,
                self.ledger.len(),
                self.ledger_len
            )
        };
        (!right).then(|| (Invariant::Counters, text()))
    }

    /// Chunk rows against the target: which became which.
    fn misnumbered(&self, view: &TaskView) -> Broken {
        let mut rows: BTreeMap<i32, i32> = BTreeMap::new();
        for chunk in &self.chunks {
            for (source, target) in chunk.source.iter().zip(chunk.target.iter()) {
                if let Some(other) = rows.insert(source.0, target.0) {
                    let text = format!("{}: rows say that {source} became {other} and {target}", self.task.id);
                    return Some((Invariant::Counters, text));
                }
            }
        }
        for (id, target) in &rows {
            let made = view.created.get(id).map(|made| made.target);
            if made != Some(*target) {
                let made = made.map_or_else(|| "nothing".to_owned(), |made| made.to_string());
                let text = format!("{}: a row says that {id} became {target}; it became {made}", self.task.id);
                return Some((Invariant::Counters, text));
            }
        }
        let counted = self.task.checkpoint.counts.delivered;
        let text = || format!("{} counts {counted} delivered; its rows name {}", self.task.id, rows.len());
        (counted != rows.len() as u64).then(|| (Invariant::Counters, text()))
    }
}

/// What accounts count against the rows that name them.
fn misattributed(rows: &Rows<'_>) -> Broken {
    let mut carried: BTreeMap<&AccountId, u64> = BTreeMap::new();
    for chunk in rows.chunks.values().flatten() {
        *carried.entry(&chunk.account).or_default() += chunk.source.len() as u64;
    }
    let counted = |id: &AccountId| carried.get(id).copied().unwrap_or(0);
    let (id, total) = rows.accounts.iter().find(|(id, total)| **total != counted(id))?;
    let text = format!("account {id} counts {total} messages; the rows of its chunks name {}", counted(id));
    Some((Invariant::Counters, text))
}
