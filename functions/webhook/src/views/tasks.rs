//! The data of the screens about tasks.

use jiff::{SignedDuration, Timestamp};
use transfer::admin;
use transfer::bot::Screen;
use transfer::event::Event;
use transfer::ids::TaskId;
use transfer::screen::event::Names;
use transfer::screen::task::{Begun, EVENTS_SHOWN, Lately, TaskData};
use transfer::screen::tasks::{TaskRow, of_owner, on_page};
use transfer::screen::{skipped, task, tasks};
use transfer::table::item::{ChunkRecord, EventRecord, SkipRecord};
use transfer::table::{Item, Key, List, Record, Table, TableError};
use transfer::task::{Command, Task, TaskState};

use super::ViewContext;

/// The rate is told of the last chunks, at most so many: each is a read.
const CHUNKS_READ_MAX: u64 = 12;
/// And of the last while only.
const LATELY: SignedDuration = SignedDuration::from_mins(30);

pub(super) async fn list(context: &ViewContext<'_>, page: u32) -> Result<Screen, TableError> {
    let records = context.table.list(List::Tasks).await?;
    let all = records.into_iter().filter_map(|record| match record.item {
        Item::Task(task) => Some(*task),
        _ => None,
    });
    let all = of_owner(all.collect(), context.chat);
    let mut rows = Vec::new();
    for task in on_page(&all, page) {
        let is_done = matches!(task.state, TaskState::Done { .. });
        let begun = if is_done { None } else { begun(&events(context.table, &task.id).await?) };
        rows.push(TaskRow { task: task.clone(), in_range: begun.and_then(|begun| begun.in_range) });
    }
    Ok(tasks::tasks(&rows, all.len(), page, context.locale))
}

pub(super) async fn page(context: &ViewContext<'_>, id: &TaskId) -> Result<Screen, TableError> {
    let Some(shown) = own(context, id).await? else { return Ok(task::unknown(context.locale)) };
    let mut events = events(context.table, id).await?;
    let begun = begun(&events);
    let lately = lately(context, &shown, &events, begun).await?;
    let data = TaskData {
        command: command(context.table, id).await?,
        names: Names::of_members(&admin::members(context.table).await?),
        begun,
        lately,
        events: events.split_off(events.len().saturating_sub(EVENTS_SHOWN)),
        hosts_alive: context.hosts_alive,
        task: shown,
    };
    Ok(task::task(&data, context.locale, context.now))
}

pub(super) async fn cancel(context: &ViewContext<'_>, id: &TaskId) -> Result<Screen, TableError> {
    let Some(shown) = own(context, id).await? else { return Ok(task::unknown(context.locale)) };
    Ok(task::cancel(&shown, context.locale))
}

pub(super) async fn pace(context: &ViewContext<'_>, id: &TaskId) -> Result<Screen, TableError> {
    let Some(shown) = own(context, id).await? else { return Ok(task::unknown(context.locale)) };
    let command = command(context.table, id).await?;
    Ok(task::pace(&shown, command.as_ref(), context.locale))
}

pub(super) async fn ledger(context: &ViewContext<'_>, id: &TaskId, page: u32) -> Result<Screen, TableError> {
    let Some(shown) = own(context, id).await? else { return Ok(task::unknown(context.locale)) };
    let records = context.table.partition(&Key::task(id).pk, "SKIP#").await?;
    let rows = records.into_iter().filter_map(|record| match record.item {
        Item::Skip(row) => Some(row),
        _ => None,
    });
    let rows: Vec<SkipRecord> = rows.collect();
    Ok(skipped::skipped(&shown, &rows, page, context.locale))
}

/// The task, if this admin may see it.
async fn own(context: &ViewContext<'_>, id: &TaskId) -> Result<Option<Task>, TableError> {
    let Some(Record { item: Item::Task(task), .. }) = context.table.get(&Key::task(id)).await? else {
        return Ok(None);
    };
    Ok(task.owner.is_none_or(|owner| owner == context.chat).then_some(*task))
}

async fn command(table: &dyn Table, id: &TaskId) -> Result<Option<Command>, TableError> {
    Ok(match table.get(&Key::command(id)).await? {
        Some(Record { item: Item::Command(command), .. }) => Some(command),
        Some(_) | None => None,
    })
}

/// What happened to a task, oldest first.
async fn events(table: &dyn Table, id: &TaskId) -> Result<Vec<EventRecord>, TableError> {
    let records = table.partition(&Key::task(id).pk, "EVENT#").await?;
    let events = records.into_iter().filter_map(|record| match record.item {
        Item::Event(event) => Some(event),
        _ => None,
    });
    Ok(events.collect())
}

fn begun(events: &[EventRecord]) -> Option<Begun> {
    events.iter().find_map(|record| match record.event {
        Event::Started { in_range } => Some(Begun { at: record.at, in_range }),
        _ => None,
    })
}

/// What the last chunks carried, as far as they are of the last while and of the time since the task rested.
async fn lately(
    context: &ViewContext<'_>,
    task: &Task,
    events: &[EventRecord],
    begun: Option<Begun>,
) -> Result<Option<Lately>, TableError> {
    let (TaskState::Ready { since } | TaskState::Running { since }) = &task.state else { return Ok(None) };
    let Some(begun) = begun else { return Ok(None) };
    // A task that goes on tells so by no event: the one of its rest is the last of its kind, and this turn came after it.
    let rested = events.iter().rev().find_map(|record| match &record.event {
        Event::State { .. } => Some(record.at),
        _ => None,
    });
    let earliest = context.now.saturating_sub(LATELY).unwrap_or(Timestamp::MIN).max(begun.at);
    let earliest = match rested {
        Some(rested) if rested >= earliest => rested.max(*since),
        Some(_) | None => earliest,
    };
    let mut chunks = Vec::new();
    let last = task.checkpoint.chunks;
    let first = last.saturating_sub(CHUNKS_READ_MAX) + 1;
    for number in (first..=last).rev() {
        // A chunk of which nothing arrived has no record.
        let Some(chunk) = chunk(context.table, &task.id, number).await? else { continue };
        if chunk.at <= earliest {
            return Ok(Lately::of(&chunks, Some(earliest)));
        }
        chunks.push((chunk.at, chunk.source.len() as u64));
    }
    Ok(Lately::of(&chunks, (first == 1).then_some(earliest)))
}

async fn chunk(table: &dyn Table, id: &TaskId, number: u64) -> Result<Option<ChunkRecord>, TableError> {
    Ok(match table.get(&Key::chunk(id, number)).await? {
        Some(Record { item: Item::Chunk(chunk), .. }) => Some(chunk),
        Some(_) | None => None,
    })
}
