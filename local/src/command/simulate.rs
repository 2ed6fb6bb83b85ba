//! `ferry simulate`: the real engine through seeded failures, in virtual time.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use simulation::{Fault, Options, Plan, Summary, run, simulate};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Seeds with a violation after which no more are begun: the first few say enough.
const FAILURES_MAX: usize = 20;

/// Options of `ferry simulate`.
#[derive(Debug, Args)]
pub struct SimulateOptions {
    /// Seeds, the last one not included
    #[arg(long, value_name = "FROM..TO", default_value = "0..1000")]
    seeds: Seeds,
    /// Only these faults, with commas between; `none` for none. Without it: all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Option<Vec<FaultName>>,
    /// Runs one seed and writes its story there
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Threads; as many as there are cores if left out
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// A range of seeds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no range of seeds: write FROM..TO, for example 0..1000");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_not_a_number| wrong());
        let (from, to) = (number(from)?, number(to)?);
        if from >= to {
            return Err(format!("{text:?} holds no seed: the second number is not included"));
        }
        Ok(Self(from..to))
    }
}

/// A fault by its name, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FaultName(Option<Fault>);

impl FromStr for FaultName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "none" {
            return Ok(Self(None));
        }
        name.parse().map(|fault| Self(Some(fault))).map_err(|error: simulation::UnknownFault| error.to_string())
    }
}

/// Runs the seeds and prints the table.
///
/// # Errors
/// A seed broke an invariant, or the story cannot be written.
pub fn run_seeds(options: SimulateOptions, terminal: &Terminal) -> Result<(), Failure> {
    let all: BTreeSet<Fault> = Fault::ALL.iter().copied().collect();
    let faults = options.faults.map_or(all, |named| named.into_iter().filter_map(|name| name.0).collect());
    let Seeds(seeds) = options.seeds;
    if let Some(file) = options.trace {
        return story(seeds.start, Options { faults, trace: true }, &file, terminal);
    }
    let jobs = options.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let summary: Summary = simulate(seeds, &Options { faults, trace: false }, jobs, FAILURES_MAX);
    for line in summary.to_string().lines() {
        terminal.line(line);
    }
    if summary.violations.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("{} seeds broke an invariant", summary.violations.len())))
}

fn story(seed: u64, options: Options, file: &std::path::Path, terminal: &Terminal) -> Result<(), Failure> {
    let report = run(seed, &options);
    let text = format!("{:#?}\n\n{}", Plan::of(seed, &options.faults), report.trace);
    std::fs::write(file, text)
        .map_err(|error| Failure::Input(format!("cannot write the story to {}: {error}", file.display())))?;
    terminal.line(&format!("the story of seed {seed} stands in {}", file.display()));
    match report.violations.first() {
        None => Ok(()),
        Some(violation) => Err(Failure::Failed(format!("seed {seed}: {violation}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_is_read_or_refused_with_an_example() {
        assert_eq!("3..10".parse(), Ok(Seeds(3..10)));
        assert!("3".parse::<Seeds>().unwrap_err().contains("0..1000"));
        assert!("a..b".parse::<Seeds>().unwrap_err().contains("0..1000"));
        assert!("5..5".parse::<Seeds>().unwrap_err().contains("no seed"));
    }

    #[test]
    fn a_fault_that_nobody_knows_is_answered_with_the_names() {
        assert_eq!("kill".parse(), Ok(FaultName(Some(Fault::Kill))));
        assert_eq!("none".parse(), Ok(FaultName(None)));
        assert!("kil".parse::<FaultName>().unwrap_err().contains("queue-drop"));
    }
}
