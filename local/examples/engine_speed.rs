//! How fast the embedded engines are through the SDK, one caller at a time, every commit on disk when it is answered:
//! `cargo run --release -p ferry --example engine_speed [directory]`.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ferry::engines::Engines;
use transfer::contract::samples;
use transfer::queue::{Job, Queue};
use transfer::table::{Guard, Item, Table, Write};
use transfer::task::Task;

const ROUNDS: u64 = 1000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let dir = std::env::args_os().nth(1).map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let engines = Engines::start(&dir).await?;
    let (table, queue) = (engines.table(1), engines.queue());

    let chunk = |round: u64| {
        let mut task: Task = samples::held_task("speed", 1, Some(round));
        task.title = "x".repeat(500);
        vec![
            put(Item::Task(Box::new(task)), round),
            put(Item::Account(samples::account("4711")), round),
            put(Item::Event(samples::event("speed", round, &"x".repeat(500))), 1),
            put(Item::Event(samples::event("speed", round + ROUNDS, &"x".repeat(500))), 1),
        ]
    };
    let bytes: usize = chunk(1).iter().map(|write| format!("{write:?}").len()).sum();
    let started = Instant::now();
    for round in 1..=ROUNDS {
        table.commit(chunk(round)).await?;
    }
    report(&format!("commits of 4 items, about {bytes} bytes"), started.elapsed());

    let started = Instant::now();
    for round in 1..=ROUNDS {
        table.commit(vec![put(Item::TargetLock(samples::lock(1, "speed")), round)]).await?;
    }
    report("commits of 1 small item", started.elapsed());

    let key = Item::Account(samples::account("4711")).key();
    let started = Instant::now();
    for _round in 1..=ROUNDS {
        table.get(&key).await?;
    }
    report("reads", started.elapsed());

    let started = Instant::now();
    for seq in 1..=ROUNDS {
        queue.send(&Job::batch("speed".into(), 1, seq)).await?;
        for delivery in queue.receive(1, Duration::from_secs(60), Duration::ZERO).await? {
            queue.delete(&delivery.receipt).await?;
        }
    }
    report("jobs sent, received and deleted", started.elapsed());
    engines.stop().await;
    Ok(())
}

/// The first round writes what is absent, each later one the version before it.
fn put(item: Item, round: u64) -> Write {
    let guard = if round == 1 { Guard::Absent } else { Guard::Version(round - 1) };
    Write::Put { item, guard }
}

fn report(what: &str, elapsed: Duration) {
    let each = elapsed / u32::try_from(ROUNDS).unwrap_or(u32::MAX);
    println!("{what}: {each:?} each, {:.0} a second", 1.0 / each.as_secs_f64());
}
