//! Deliberate faults, one at a time: each must be noticed by the oracle, and none may be seen where there is none.
//!
//! A proof by runs is worth what it would notice. Each fault is planted where a real change could make the same mistake
//! (`transfer::mutant`); the seeds are run from 0 until one breaks a promise. A fault that survives them all means that a
//! promise is not watched, or that the runs never come near it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the table is what people want to see; all of this is test code"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use simulation::{Fault, Options, run};
use transfer::mutant::{Mutant, set};

/// A fault that so many seeds do not show counts as unseen. Most need less than fifty.
const SEEDS: u64 = 1_000;
/// Seeds that must show nothing without a fault.
const CONTROL_SEEDS: u64 = 300;
const THREADS: usize = 2;

/// How a fault was noticed.
struct Caught {
    seeds: u64,
    by: &'static str,
}

fn options() -> Options {
    Options { faults: Fault::ALL.iter().copied().collect(), trace: false }
}

fn hunt(mutant: Option<Mutant>, seeds: u64) -> Option<Caught> {
    set(mutant);
    let options = options();
    let caught = (0..seeds).find_map(|seed| {
        let violation = run(seed, &options).violations.into_iter().next()?;
        Some(Caught { seeds: seed + 1, by: violation.invariant.name() })
    });
    set(None);
    caught
}

fn hunt_all() -> Vec<(Mutant, Option<Caught>)> {
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(mutant) = Mutant::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = hunt(Some(*mutant), SEEDS);
                    rows.lock().unwrap().push((*mutant, caught));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(mutant, _)| *mutant);
    rows
}

#[test]
fn every_deliberate_fault_is_noticed_and_none_is_seen_without_one() {
    if let Some(seen) = hunt(None, CONTROL_SEEDS) {
        panic!("seed {} breaks '{}' without any deliberate fault", seen.seeds - 1, seen.by);
    }
    let rows = hunt_all();
    println!("{:<24} {:>6}  {:<20} what is wrong, and the promise", "fault", "seeds", "noticed by");
    for (mutant, caught) in &rows {
        let (seeds, by) =
            caught.as_ref().map_or_else(|| ("-".to_owned(), "NOBODY"), |caught| (caught.seeds.to_string(), caught.by));
        println!("{:<24} {seeds:>6}  {by:<20} {}", mutant.name(), mutant.meaning());
    }
    let unseen: Vec<&str> =
        rows.iter().filter(|(_, caught)| caught.is_none()).map(|(mutant, _)| mutant.name()).collect();
    println!("{} of {} noticed, each within {SEEDS} seeds", rows.len() - unseen.len(), rows.len());
    assert!(unseen.is_empty(), "{SEEDS} seeds do not show {unseen:?}");
    assert_eq!(rows.len(), Mutant::ALL.len());
}
