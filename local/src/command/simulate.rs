//! `ferry simulate`: the real engine through seeded failures, in virtual time.
//!
//! Prints what was run, what went wrong on purpose, what came up, and which promise broke. A seed repeats itself, so a
//! violation is told with the command that shows it again.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use simulation::{Fault, Options, Plan, simulate};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Seeds with a violation after which no more are begun: the first few say enough.
const FAILURES_MAX: usize = 20;
/// More threads than this help nobody.
const JOBS_MAX: i64 = 256;

/// Options of `ferry simulate`.
#[derive(Debug, Args)]
pub struct SimulateOptions {
    /// Seeds, the last one not included
    #[arg(long, value_name = "FROM..TO", default_value = "0..1000")]
    seeds: Seeds,
    /// Only these faults, with commas between; `none` for none. Without it: all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Option<Vec<FaultName>>,
    /// Writes the story of the one seed there
    #[arg(long, value_name = "FILE", conflicts_with = "rows_min")]
    trace: Option<PathBuf>,
    /// Threads; as many as there are cores if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=JOBS_MAX))]
    jobs: Option<u16>,
    /// Fails if any fault, answer or way of settling came up less often than this
    #[arg(long, value_name = "N", default_value_t = 0)]
    rows_min: u64,
}

/// A range of seeds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "this is no range of seeds: write FROM..TO, for example 0..1000".to_owned();
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_not_a_number| wrong());
        let (from, to) = (number(from)?, number(to)?);
        if from >= to {
            return Err("it holds no seed: the second number is not included".to_owned());
        }
        Ok(Self(from..to))
    }
}

/// A fault by its name, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FaultName(Option<Fault>);

impl FromStr for FaultName {
    type Err = simulation::UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "none" { Ok(Self(None)) } else { Ok(Self(Some(name.parse()?))) }
    }
}

/// Runs the seeds and prints the table.
///
/// # Errors
/// A seed broke a promise, something came up too seldom, or the story cannot be written.
pub async fn run(options: SimulateOptions, terminal: &Terminal) -> Result<(), Failure> {
    let terminal = terminal.clone();
    // Each run has a runtime of its own, with a clock of its own: not on a thread of this one.
    let ended = tokio::task::spawn_blocking(move || run_seeds(options, &terminal)).await;
    ended.unwrap_or_else(|error| Err(Failure::failed(&error)))
}

fn run_seeds(options: SimulateOptions, terminal: &Terminal) -> Result<(), Failure> {
    let faults = chosen(options.faults)?;
    let Seeds(seeds) = options.seeds;
    if let Some(file) = options.trace {
        if seeds.end - seeds.start != 1 {
            let text =
                format!("--trace writes the story of one seed: add --seeds {0}..{1}", seeds.start, seeds.start + 1);
            return Err(Failure::Input(text));
        }
        return story(seeds.start, &Options { faults, trace: true }, &file, terminal);
    }
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let jobs = options.jobs.map_or_else(cores, usize::from);
    let summary = simulate(seeds, &Options { faults, trace: false }, jobs, FAILURES_MAX);
    for line in summary.to_string().lines() {
        terminal.line(line);
    }
    if !summary.violations.is_empty() {
        return Err(Failure::Failed(format!("{} seeds broke a promise", summary.violations.len())));
    }
    let rare = summary.rarer_than(options.rows_min);
    if rare.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("came up less than {} times: {}", options.rows_min, rare.join(", "))))
}

fn chosen(named: Option<Vec<FaultName>>) -> Result<BTreeSet<Fault>, Failure> {
    let Some(named) = named else { return Ok(Fault::ALL.iter().copied().collect()) };
    let faults: BTreeSet<Fault> = named.iter().filter_map(|name| name.0).collect();
    if !faults.is_empty() && named.contains(&FaultName(None)) {
        return Err(Failure::Input("--faults: 'none' stands alone".to_owned()));
    }
    Ok(faults)
}

fn story(seed: u64, options: &Options, file: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let unwritten = |error| Failure::Input(format!("cannot write the story to {}: {error}", file.display()));
    // Before the run: what cannot be written need not be run.
    let mut to = std::fs::File::create(file).map_err(unwritten)?;
    let report = simulation::run(seed, options);
    let text = format!("{:#?}\n\n{}", Plan::of(seed, &options.faults), report.trace);
    std::io::Write::write_all(&mut to, text.as_bytes()).map_err(unwritten)?;
    terminal.line(format!("the story of seed {seed} stands in {}", file.display()));
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
    fn faults_are_named_all_or_none() {
        let names = |names: &[&str]| chosen(Some(names.iter().map(|name| name.parse().unwrap()).collect()));
        assert_eq!(chosen(None).unwrap().len(), Fault::ALL.len());
        assert_eq!(names(&["none"]), Ok(BTreeSet::new()));
        assert_eq!(names(&["kill", "flood", "kill"]), Ok([Fault::Kill, Fault::Flood].into()));
        assert!(names(&["kill", "none"]).is_err());
        assert!("kil".parse::<FaultName>().unwrap_err().to_string().contains("queue-drop"));
    }
}
