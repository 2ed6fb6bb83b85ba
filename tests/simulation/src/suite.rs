//! Many seeds, on as many threads as there are cores, and the table that says what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::fault::{Fault, Tally};
use crate::oracle::{Coverage, Violation};
use crate::run::{Options, Report, run};

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many were run.
    pub seeds: u64,
    /// Messages delivered.
    pub messages: u64,
    /// How often each fault struck.
    pub faults: Tally,
    /// What came up.
    pub coverage: Coverage,
    /// The first violation of each seed that had one, by seed.
    pub violations: BTreeMap<u64, Violation>,
    /// In the worlds' time.
    pub virtual_time: Duration,
    /// In ours.
    pub took: Duration,
    /// Cores that were used.
    pub jobs: usize,
    /// In which states tasks ended.
    pub ends: BTreeMap<&'static str, u64>,
    /// The faults that the seeds might turn on.
    allowed: BTreeSet<Fault>,
    /// Messages of each run, for the median.
    sizes: Vec<u64>,
}

impl Summary {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.messages += report.delivered;
        self.sizes.push(report.delivered);
        for (fault, times) in report.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        self.coverage.merge(&report.coverage);
        if let Some(first) = report.violations.into_iter().next() {
            self.violations.insert(report.seed, first);
        }
        self.virtual_time += report.virtual_time;
        for (end, times) in report.ends {
            *self.ends.entry(end).or_default() += times;
        }
    }

    /// Seeds a second, on each core.
    pub fn per_second_and_core(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let (seeds, jobs) = (self.seeds as f64, self.jobs.max(1) as f64);
        seeds / self.took.as_secs_f64().max(0.001) / jobs
    }

    /// What has to come up and came up less often than this, each with how often.
    pub fn rarer_than(&self, least: u64) -> Vec<String> {
        let struck = |fault: &Fault| self.faults.get(fault).copied().unwrap_or(0);
        let faults = Fault::ALL.iter().map(|fault| (fault.name().to_owned(), struck(fault)));
        let rare = faults.filter(|(_, times)| *times < least).chain(self.coverage.rarer_than(least));
        rare.map(|(what, times)| format!("{what} ({times})")).collect()
    }

    /// The options of the program that bring the same faults about.
    fn faults_option(&self) -> String {
        if self.allowed.len() == Fault::ALL.len() {
            return String::new();
        }
        let names: Vec<&str> = self.allowed.iter().map(|fault| fault.name()).collect();
        format!(" --faults {}", if names.is_empty() { "none".to_owned() } else { names.join(",") })
    }

    /// The median of the messages of a run.
    pub fn median(&self) -> u64 {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        sizes.get(sizes.len() / 2).copied().unwrap_or(0)
    }
}

/// Runs seeds on `jobs` threads. After `failures_max` seeds with a violation no more are begun.
pub fn simulate(seeds: Range<u64>, options: &Options, jobs: usize, failures_max: usize) -> Summary {
    let begun = Instant::now();
    let summary = Mutex::new(Summary { jobs, allowed: options.faults.clone(), ..Summary::default() });
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let lock = || summary.lock().unwrap_or_else(PoisonError::into_inner);
                    if seed >= seeds.end || lock().violations.len() >= failures_max {
                        return;
                    }
                    let report = run(seed, options);
                    lock().add(report);
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.took = begun.elapsed();
    summary
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seeds                {:>12}", self.seeds)?;
        writeln!(f, "messages delivered   {:>12}  (median of a run {})", self.messages, self.median())?;
        let hours = self.virtual_time.as_secs_f64() / 3600.0;
        writeln!(f, "virtual time         {hours:>12.1} h")?;
        writeln!(
            f,
            "real time            {:>12.1} s  ({:.1} seeds/s on each of {} cores)",
            self.took.as_secs_f64(),
            self.per_second_and_core(),
            self.jobs
        )?;
        for (end, times) in &self.ends {
            writeln!(f, "tasks {end:<14} {times:>12}")?;
        }
        writeln!(f, "\nfaults that struck")?;
        for fault in Fault::ALL {
            writeln!(f, "  {:<22} {:>10}", fault.name(), self.faults.get(fault).copied().unwrap_or(0))?;
        }
        writeln!(f, "\n{}", self.coverage)?;
        writeln!(f, "violations           {:>12}", self.violations.len())?;
        for (seed, violation) in &self.violations {
            writeln!(f, "  seed {seed}: {violation}")?;
            let faults = self.faults_option();
            writeln!(f, "    again: ferry simulate --seeds {seed}..{}{faults} --trace story-{seed}.txt", seed + 1)?;
        }
        Ok(())
    }
}
