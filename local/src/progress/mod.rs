//! What a person sees of a transfer while it runs, read from the table: it works alike for a host in this process and
//! one in another.

mod bars;
mod lines;
pub mod rate;
pub mod words;

use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use transfer::account::Member;
use transfer::clock::Clock;
use transfer::ids::TaskId;
use transfer::table::item::EventRecord;
use transfer::table::{Item, Key, Record, Table};
use transfer::task::{Task, TaskState};

use crate::failure::Failure;
use crate::pool;
use crate::terminal::Terminal;
use bars::Bars;
use lines::Lines;
use rate::Rate;
use words::Names;

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks in a row that may fail before the table is given up.
const FAILURES_MAX: u32 = 25;

/// The table as it stands.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The transfer.
    pub task: Task,
    /// The pool, the first choice first.
    pub members: Vec<Member>,
    /// What happened since the last look.
    pub news: Vec<EventRecord>,
    /// When it was looked.
    pub at: jiff::Timestamp,
}

/// Somebody who looks.
pub struct Watch<'a> {
    /// Where.
    pub table: &'a dyn Table,
    /// At what.
    pub task: &'a TaskId,
    /// For whom.
    pub terminal: &'a Terminal,
    /// With which clock.
    pub clock: &'a Clock,
    /// In which zone times are told.
    pub zone: &'a TimeZone,
}

enum Display {
    Bars(Bars),
    Lines(Lines),
}

impl Watch<'_> {
    /// Shows the transfer until it is over, paused or parked, or until `stop`. Gives the task as it stands then.
    ///
    /// # Errors
    /// The table cannot be read, or there is no such task.
    pub async fn follow(&self, stop: &CancellationToken) -> Result<Task, Failure> {
        let mut display = match self.terminal.bars() {
            Some(bars) => Display::Bars(Bars::new(self.terminal, bars)),
            None => Display::Lines(Lines::default()),
        };
        let mut rate = Rate::default();
        let mut seen = self.last_event().await?;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = 0;
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                _ = look.tick() => false,
            };
            let snapshot = match self.look(&seen).await {
                Ok(snapshot) => snapshot,
                Err(failure) if stopped || failures == FAILURES_MAX => return Err(failure),
                Err(_) => {
                    failures += 1;
                    continue;
                }
            };
            failures = 0;
            seen = snapshot.news.last().map_or(seen, |event| Some((event.at, event.ordinal)));
            rate.note(self.clock.uptime(), &snapshot.task);
            let names = Names::new(&snapshot.members);
            for event in &snapshot.news {
                if let Some(text) = words::event(&event.event, &snapshot.task.selection, &names, self.zone) {
                    self.terminal.line(text);
                }
            }
            let over = stopped || rests(&snapshot.task.state);
            match &mut display {
                Display::Bars(bars) => bars.show(&snapshot, &rate, self.clock.now()),
                Display::Lines(lines) => lines.show(self.terminal, &snapshot, &rate, self.clock, over),
            }
            if over {
                if let Display::Bars(bars) = display {
                    drop(bars);
                    self.terminal.line(words::line(&snapshot, &rate));
                }
                return Ok(snapshot.task);
            }
        }
    }

    async fn look(&self, seen: &Option<(jiff::Timestamp, u64)>) -> Result<Snapshot, Failure> {
        let table = |error: transfer::table::TableError| Failure::failed(&error);
        let record = self.table.get(&Key::task(self.task)).await.map_err(table)?;
        let Some(Record { item: Item::Task(task), .. }) = record else {
            return Err(Failure::Failed(format!("task {} is not in the table", self.task)));
        };
        let members = pool::members(self.table).await.map_err(table)?;
        let events = self.events().await?;
        let news =
            events.into_iter().filter(|event| seen.is_none_or(|seen| (event.at, event.ordinal) > seen)).collect();
        Ok(Snapshot { task: *task, members, news, at: self.clock.now() })
    }

    async fn events(&self) -> Result<Vec<EventRecord>, Failure> {
        let records = self.table.partition(&format!("TASK#{}", self.task), "EVENT#").await;
        let records = records.map_err(|error| Failure::failed(&error))?;
        let events = records.into_iter().filter_map(|record| match record.item {
            Item::Event(event) => Some(event),
            _ => None,
        });
        Ok(events.collect())
    }

    /// What happened before somebody looked was told then.
    async fn last_event(&self) -> Result<Option<(jiff::Timestamp, u64)>, Failure> {
        Ok(self.events().await?.last().map(|event| (event.at, event.ordinal)))
    }
}

/// Nothing more happens by itself.
pub fn rests(state: &TaskState) -> bool {
    state.due_at().is_none()
}
