//! `ferry soak`: hosts in processes of their own, killed and frozen while they work, audited at the end.
//!
//! docs/soak.md says what it does and what its lines mean.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;
use simulator::scenario;
use simulator::time::Clock as SimulatorClock;
use simulator::world::faults::{Fault, FaultRate};
use simulator::world::generated::Mix;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::data_dir::DataDir;
use super::demo::REPLY_MILLIS;
use super::report_file;
use crate::demo::stage::{self, Plan, Stage};
use crate::engines::Engines;
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::progress::words::{grouped, short};
use crate::soak::findings::{self, Done, Findings};
use crate::soak::routes::Routes;
use crate::soak::strikes::Strikes;
use crate::soak::tally::Quota;
use crate::sqs::doubling::Doubling;
use crate::terminal::Terminal;
use session_host::interruption::interrupted;

/// A job comes again within this.
const DOUBLED_WITHIN_MILLIS: u32 = 1_500;
/// How often the transfers are looked at, and how often a line tells of them.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const TELL_EVERY: Duration = Duration::from_secs(10);
/// A soak in which nothing arrives and nobody is struck for so long is broken off: longer than a dead host's leases
/// stand, than a job stays invisible, and than nearly all waits of the shrunken flood model.
const STALL_MAX: Duration = Duration::from_secs(15 * 60);

/// Options of `ferry soak`.
#[derive(Debug, Args)]
pub struct SoakOptions {
    /// Message ids in the sources of the first transfers, together
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(i32).range(1..))]
    messages: i32,
    /// Transfers at a time; while hosts are still to be struck, a new one follows each that is done
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=100))]
    tasks: i32,
    /// Accounts in the pool
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100))]
    accounts: usize,
    /// Hosts side by side
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=10))]
    hosts: u64,
    /// How often a host is killed
    #[arg(long, value_name = "N", default_value_t = 500)]
    kills: u64,
    /// How often a host is frozen
    #[arg(long, value_name = "N", default_value_t = 10)]
    freezes: u64,
    /// For how long a host is frozen, at least and at most
    #[arg(long, value_name = "FROM..TO", default_value = "5..120", value_parser = span)]
    freeze_secs: (u64, u64),
    /// The mean time between a life's first forward and the blow, in milliseconds
    #[arg(long, value_name = "MILLIS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    kill_every: u64,
    /// From which everything random is drawn (real processes are not repeated to the letter by it)
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Flood limits: none, reported (20 to 50 minutes become seconds), or BUCKET:WAIT_SECS
    #[arg(long, value_name = "MODEL", default_value = "reported")]
    flood: String,
    /// Where to keep table, queue, sessions and logs; a new temporary directory if left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the findings there, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn span(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text:?} is no span of seconds: write one such as 5..120");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let whole = |text: &str| text.parse::<u64>().ok().filter(|secs| *secs <= 3_600);
    match (whole(from), whole(to)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        _ => Err(wrong()),
    }
}

/// Runs the soak.
///
/// # Errors
/// Bad options; the blows were not all dealt; or the audit found that a promise was broken.
pub async fn run(options: SoakOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let plan = options.plan()?;
    report_file::check(options.report.as_deref())?;
    let data = DataDir::choose(options.data.as_deref(), "ferry-soak-")?;
    std::fs::create_dir_all(data.path())
        .map_err(|error| Failure::Input(format!("cannot write {}: {error}", data.path().display())))?;
    log.start(Some(&data.path().join("ferry.log")))?;
    let doubling = Doubling::within(DOUBLED_WITHIN_MILLIS);
    let engines = Engines::start_with(data.path(), Some(doubling.clone())).await?;
    let stage = Stage::set_on(engines, plan, data.path()).await?;
    let data_dir = data.keep();
    terminal.line(format!("Data and logs: {}", data_dir.display()));
    let soak = Soak { options: &options, stage: &stage, terminal, doubling };
    let ended = Box::pin(soak.run()).await;
    stage.engines.stop().await;
    ended
}

impl SoakOptions {
    fn plan(&self) -> Result<Plan, Failure> {
        let floods = stage::flood_model(&self.flood, self.accounts)?;
        // The transfers' channels are added one by one.
        let mut world = scenario::transfer(self.seed, self.accounts, 0, Mix::default(), SimulatorClock::real());
        world.floods.model = floods;
        // On loopback alone a call is over before death finds it.
        let method = Some("messages.forwardMessages".to_owned());
        let fault = Fault::Delay { millis: REPLY_MILLIS };
        world.faults.rates.push(FaultRate { method, permille: 1_000, fault });
        let accounts = world.users.keys().copied().collect();
        Ok(Plan { world, source: scenario::SOURCE, accounts, daily_budget: None })
    }

    fn quota(&self) -> Quota {
        Quota { kills: self.kills, freezes: self.freezes, freeze_secs: self.freeze_secs }
    }
}

struct Soak<'a> {
    options: &'a SoakOptions,
    stage: &'a Stage,
    terminal: &'a Terminal,
    doubling: Doubling,
}

/// Why the transfers were followed no longer.
enum Ending {
    /// All is done.
    Done,
    /// Something is not as it should be.
    Broken(String),
}

impl Soak<'_> {
    async fn run(&self) -> Result<(), Failure> {
        let options = self.options;
        let every = Duration::from_millis(options.kill_every);
        let strikes = Strikes::new(self.stage, options.quota(), every, options.seed);
        let messages_each = (options.messages / options.tasks).max(1);
        let mut routes = Routes::new(self.stage, options.seed, messages_each);
        for _ in 0..options.tasks {
            routes.begin().await?;
        }
        let over = CancellationToken::new();
        let follow = async {
            let ending = tokio::select! {
                ending = self.follow(&mut routes, &strikes) => ending,
                heard = interrupted() => heard.map_err(|error| Failure::failed(&error)).map(|()| Ending::Broken("interrupted".to_owned())),
            };
            over.cancel();
            ending
        };
        let strike = async {
            let struck = try_join_all((1..=options.hosts).map(|n| strikes.on_host(n, &over))).await;
            over.cancel();
            struck
        };
        let (ending, struck) = tokio::join!(follow, strike);
        let unfinished = routes.look().await?.open as u64;
        let done = Done {
            seed: options.seed,
            hosts: options.hosts,
            tally: strikes.tally(),
            deliveries_doubled: self.doubling.count(),
            unfinished,
        };
        let found = findings::gather(self.stage, &routes, &done).await?;
        report_file::write(options.report.as_deref(), &found)?;
        for line in found.lines() {
            self.terminal.line(line);
        }
        struck?;
        self.verdict(&ending?, &found)
    }

    /// Keeps so many transfers under way until all blows were dealt, and then until the last one is done.
    async fn follow(&self, routes: &mut Routes<'_>, strikes: &Strikes<'_>) -> Result<Ending, Failure> {
        let started = Instant::now();
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut told_at, mut moved) = (started, (started, (0, 0)));
        loop {
            tick.tick().await;
            let look = routes.look().await?;
            if let Some(stuck) = look.stuck.first() {
                return Ok(Ending::Broken(stuck.clone()));
            }
            let tally = strikes.tally();
            let arrived: usize = routes.all().iter().map(|route| self.stage.arrived(route.target)).sum();
            let state = (arrived, tally.struck_at_ms.len());
            if moved.1 != state {
                moved = (Instant::now(), state);
            } else if moved.0.elapsed() > STALL_MAX {
                let for_how_long = short(STALL_MAX);
                return Ok(Ending::Broken(format!("nothing has moved for {for_how_long}")));
            }
            if told_at.elapsed() >= TELL_EVERY {
                told_at = Instant::now();
                self.terminal.line(format!(
                    "{:>10}  kills {}/{}, freezes {}/{}, transfers done {}, messages {}",
                    short(started.elapsed()),
                    tally.kills,
                    self.options.kills,
                    tally.freezes,
                    self.options.freezes,
                    routes.all().len() - look.open,
                    grouped(arrived as u64)
                ));
            }
            if strikes.is_enough() {
                if look.open == 0 && !tally.frozen {
                    return Ok(Ending::Done);
                }
            } else {
                let wanted = usize::try_from(self.options.tasks).unwrap_or(1);
                for _ in look.open..wanted {
                    routes.begin().await?;
                }
            }
        }
    }

    fn verdict(&self, ending: &Ending, found: &Findings) -> Result<(), Failure> {
        let broken = found.broken().map(|broken| format!("the audit failed: {broken}"));
        let ending = match ending {
            Ending::Done => None,
            Ending::Broken(why) => Some(why.clone()),
        };
        let too_few = (found.kills < self.options.kills || found.freezes < self.options.freezes)
            .then(|| format!("only {} kills and {} freezes", found.kills, found.freezes));
        let why: Vec<String> = [broken, ending, too_few].into_iter().flatten().collect();
        if !why.is_empty() {
            return Err(Failure::Failed(why.join("; ")));
        }
        self.terminal.line("Nothing was lost, doubled, out of order or torn, and nobody called during a wait.");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_nonsense_is_told() {
        assert_eq!(span("5..120"), Ok((5, 120)));
        assert_eq!(span("7..7"), Ok((7, 7)));
        for wrong in ["5", "9..5", "a..b", "1..99999", ".."] {
            assert!(span(wrong).unwrap_err().contains("5..120"), "{wrong}");
        }
    }
}
