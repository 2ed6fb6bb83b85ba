//! `ferry demo`: a whole transfer on this machine, against a simulated Telegram, audited at its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use simulator::scenario::TARGET;
use simulator::world::faults::{Fault, FaultRate};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{Nonce, TaskId};
use transfer::pace::{Pace, Preset};
use transfer::submit::{self, NewTask};
use transfer::task::{Task, TaskState};
use transfer::text::Language;

use super::data_dir::DataDir;
use super::report_file;
use crate::audit::observe::{ledger, observe};
use crate::audit::{self, Evidence, Report};
use crate::demo::admin::{self, Admin};
use crate::demo::kills::{self, Killing};
use crate::demo::stage::{self, Plan, SourceMix, Stage};
use crate::demo::story::{self, Wanted};
use crate::demo::summary;
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::progress::Watch;
use crate::progress::words::grouped;
use crate::serve::{self, Front};
use crate::terminal::Terminal;
use session_host::interruption::interrupted;

/// No bucket of the `reported` model holds more than 3,300 messages, so that this many meet at least six floods whatever
/// the seed; 4 % of the ids are holes and 1 % service messages.
const MESSAGES_DEFAULT: i32 = 24_000;
const ACCOUNTS_DEFAULT: usize = 3;
const SEED_DEFAULT: u64 = 7;
const ACCOUNTS_MAX: usize = 100;
/// How long the reply to a forward takes while the host is killed: on loopback alone a call is over before death finds it.
pub(super) const REPLY_MILLIS: u64 = 60;
/// Longer than any demonstration: a host that is not to be killed.
const NEVER: Duration = Duration::from_secs(7 * 24 * 3600);

/// Options of `ferry demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Message ids in the source channel [default: 24000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    messages: Option<i32>,
    /// Accounts in the pool [default: 3]
    #[arg(long, value_name = "N")]
    accounts: Option<usize>,
    /// From which everything random is drawn
    #[arg(long, value_name = "N", default_value_t = SEED_DEFAULT)]
    seed: u64,
    /// Flood limits: none, reported (20 to 50 minutes become seconds), or BUCKET:WAIT_SECS
    #[arg(long, value_name = "MODEL", default_value = "reported")]
    flood: String,
    /// A Telegram Desktop export (result.json) as the source channel
    #[arg(long, value_name = "FILE", conflicts_with = "messages")]
    history: Option<PathBuf>,
    /// What the source channel holds: everything, or texts alone
    #[arg(long, value_name = "MIX", default_value = "everything", conflicts_with = "history")]
    mix: SourceMix,
    /// Where to keep table, queue, sessions and log; a new temporary directory if left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// small, medium, large or none
    #[arg(long, value_name = "PRESET", default_value = "none")]
    pace: String,
    /// Pause after so many messages; the demo resumes by itself
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_limit: Option<u32>,
    /// Messages a day and account; no limit if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    daily_budget: Option<u32>,
    /// Run the host as a process of its own and kill it 0.5 to 1.5 times so long after its first call, again and again;
    /// replies then take 60 ms, as from afar, so that death strikes calls in flight
    #[arg(long, value_name = "MILLIS", value_parser = clap::value_parser!(u64).range(1..=600_000))]
    kill_every: Option<u64>,
    /// Run the host as a process of its own and leave it alone: to measure it
    #[arg(long, conflicts_with = "kill_every")]
    own_process: bool,
    /// Play it through the bot: an admin asks for the transfer in a chat, watches it, pauses it, lets it go on
    #[arg(long, conflicts_with_all = ["kill_every", "own_process", "batch_limit"])]
    bot: bool,
    /// The language of that chat: en or zh
    #[arg(long, value_name = "LANGUAGE", default_value_t = Language::En, requires = "bot")]
    lang: Language,
    /// Write the audit's report there, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the demonstration.
///
/// # Errors
/// Bad options; or the audit found that a promise was broken.
pub async fn run(options: DemoOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let pace = options.pace.parse::<Preset>().map_err(|error| Failure::input(&error))?.pace();
    let plan = options.plan()?;
    report_file::check(options.report.as_deref())?;
    if log.log_file.is_some() {
        // A file that cannot be written is told before anything else is made.
        log.start(None)?;
    }
    let data = DataDir::choose(options.data.as_deref(), "ferry-demo-")?;
    let data_dir = data.path();
    let log_file = log.log_file.clone().unwrap_or_else(|| data_dir.join("ferry.log"));
    let stage = Stage::set(plan, data_dir).await?;
    let logging = if log.log_file.is_none() { log.start(Some(&log_file)) } else { Ok(()) };
    let ended = match logging {
        Ok(()) => {
            let data_dir = data.keep();
            let demo = Demo { options: &options, stage: &stage, terminal, clock: Clock::system(), pace, log_file };
            let outcome = demo.play().await;
            terminal.line(format!("Data and log: {}", data_dir.display()));
            outcome.and_then(|report| demo.verdict(&report))
        }
        Err(failure) => Err(failure),
    };
    stage.engines.stop().await;
    ended
}

impl DemoOptions {
    fn accounts(&self) -> Result<usize, Failure> {
        match self.accounts.unwrap_or(ACCOUNTS_DEFAULT) {
            n @ 1..=ACCOUNTS_MAX => Ok(n),
            n => Err(Failure::Input(format!("{n} accounts: choose 1 to {ACCOUNTS_MAX}"))),
        }
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let floods = stage::flood_model(&self.flood, self.accounts()?)?;
        let messages = self.messages.unwrap_or(MESSAGES_DEFAULT);
        let mut plan = match &self.history {
            None => Plan::generated(self.seed, self.accounts()?, messages, self.mix, floods),
            Some(file) => Plan::exported(self.seed, self.accounts()?, file, floods)?,
        };
        if self.kill_every.is_some() {
            let method = Some("messages.forwardMessages".to_owned());
            let fault = Fault::Delay { millis: REPLY_MILLIS };
            plan.world.faults.rates.push(FaultRate { method, permille: 1_000, fault });
        }
        if self.bot {
            admin::cast(&mut plan.world, self.lang);
        }
        Ok(Plan { daily_budget: self.daily_budget, ..plan })
    }

    /// Nothing was changed that decides how much there is to see.
    fn all_defaults(&self) -> bool {
        self.messages.is_none()
            && self.accounts.is_none()
            && self.history.is_none()
            && self.flood == "reported"
            && self.daily_budget.is_none()
            && self.mix == SourceMix::Everything
    }
}

struct Demo<'a> {
    options: &'a DemoOptions,
    stage: &'a Stage,
    terminal: &'a Terminal,
    clock: Clock,
    pace: Pace,
    log_file: PathBuf,
}

impl Demo<'_> {
    async fn play(&self) -> Result<Report, Failure> {
        let messages = self
            .stage
            .simulation
            .with_world(|world| world.chat(self.stage.source).map_or(0, |chat| chat.history.len()));
        let count = |n: usize| grouped(u64::try_from(n).unwrap_or(u64::MAX));
        self.terminal.line(format!(
            "Carrying {} messages from @source to @target with {} accounts, flood limits: {}",
            count(messages),
            self.stage.accounts.len(),
            self.options.flood
        ));
        let (task, kills_at_ms) = if self.options.bot {
            (self.through_the_bot().await?, Vec::new())
        } else {
            let task = self.submit().await?;
            let kills_at_ms = self.carried(&task, messages).await?;
            (task, kills_at_ms)
        };
        let report = self.audit(&task, kills_at_ms).await?;
        report_file::write(self.options.report.as_deref(), &report)?;
        Ok(report)
    }

    /// Has the task worked on to its end; gives when hosts were killed.
    async fn carried(&self, task: &TaskId, messages: usize) -> Result<Vec<i64>, Failure> {
        match self.options.kill_every {
            None if self.options.own_process => self.with_killed_hosts(task, NEVER, messages).await,
            None => {
                self.with_host(task).await?;
                Ok(Vec::new())
            }
            Some(millis) => self.with_killed_hosts(task, Duration::from_millis(millis), messages).await,
        }
    }

    /// The conversation, while bot and host are served as they are on any machine.
    async fn through_the_bot(&self) -> Result<TaskId, Failure> {
        let configuration = self.stage.configuration()?;
        let admin = Admin::new(self.stage.simulation.shared(), self.terminal);
        let stop = CancellationToken::new();
        let pace = self.options.pace.parse::<Preset>().map_err(|error| Failure::input(&error))?;
        let wanted = Wanted { pace, changes_before_pause: 2 };
        let serving = serve::serve_on(&self.stage.engines, &configuration, Front::Own, self.terminal, &stop);
        let mut serving = std::pin::pin!(serving);
        let told = tokio::select! {
            // It ends when it is told to, or because something is wrong.
            served = &mut serving => return served.and(Err(Failure::Failed("the bot was not served".to_owned()))),
            told = story::play(&admin, self.stage.table.as_ref(), &wanted) => told,
            heard = interrupted() => {
                Err(heard.map_or_else(|error| Failure::failed(&error), |()| Failure::Failed("interrupted".to_owned())))
            }
        };
        stop.cancel();
        let served = serving.await;
        told.and_then(|task| served.map(|()| task))
    }

    async fn submit(&self) -> Result<TaskId, Failure> {
        let named = |name: &str| PeerAddress::Username(name.to_owned());
        let nonce = Nonce(*uuid::Uuid::new_v4().as_bytes());
        let asked = NewTask {
            pace: self.pace,
            batch_len: self.options.batch_limit.unwrap_or(transfer::task::BATCH_LEN_UNLIMITED),
            pause_after_batch: self.options.batch_limit.is_some(),
            ..NewTask::new(TaskId::from("demo"), nonce, named("source"), named("target"))
        };
        let task = asked.build(self.clock.now()).map_err(|error| Failure::input(&error))?;
        let submitted = submit::submit(self.stage.table.as_ref(), self.stage.queue.as_ref(), &task).await;
        submitted.map_err(|error| Failure::failed(&error))?;
        Ok(task.id)
    }

    /// The host in this process.
    async fn with_host(&self, task: &TaskId) -> Result<(), Failure> {
        let stop = CancellationToken::new();
        let mut host = JoinSet::new();
        host.spawn(self.stage.life().live(stop.clone()));
        let followed = tokio::select! {
            followed = self.follow(task, &stop) => followed,
            ended = host.join_next() => {
                let why = match ended {
                    Some(Ok(Err(failure))) => failure.line().to_owned(),
                    Some(Err(panic)) => panic.to_string(),
                    Some(Ok(Ok(()))) | None => "without a word".to_owned(),
                };
                return Err(Failure::Failed(format!("the host ended: {why}")));
            }
        };
        stop.cancel();
        while host.join_next().await.is_some() {}
        followed
    }

    /// The host in processes of its own, which are killed.
    async fn with_killed_hosts(&self, task: &TaskId, every: Duration, messages: usize) -> Result<Vec<i64>, Failure> {
        let over = CancellationToken::new();
        let killing = Killing { every, seed: self.options.seed, messages, log_file: self.log_file.clone() };
        let follow = async {
            let followed = self.follow(task, &over).await;
            over.cancel();
            followed
        };
        let killed = async {
            let killed = kills::keep_killing(self.stage, &killing, &over).await;
            over.cancel();
            killed
        };
        let (followed, killed) = tokio::join!(follow, killed);
        let killed = killed?;
        followed.map(|()| killed)
    }

    /// Shows the transfer until it is over, and resumes it when a batch has ended.
    async fn follow(&self, id: &TaskId, stop: &CancellationToken) -> Result<(), Failure> {
        let (table, queue) = (self.stage.table.as_ref(), self.stage.queue.as_ref());
        let watch = Watch { table, task: id, terminal: self.terminal, clock: &self.clock, zone: &self.stage.zone };
        loop {
            let task = tokio::select! {
                followed = watch.follow(stop) => followed?,
                heard = interrupted() => {
                    heard.map_err(|error| Failure::failed(&error))?;
                    return Err(Failure::Failed("interrupted".to_owned()));
                }
            };
            match task.state {
                TaskState::Paused { .. } if task.pause_after_batch => {
                    self.terminal.line("resuming after the batch");
                    let resumed = submit::resume(table, queue, id, self.clock.now()).await;
                    resumed.map_err(|error| Failure::failed(&error))?;
                }
                state => return rested(&Task { state, ..task }),
            }
        }
    }

    async fn audit(&self, task: &TaskId, kills_at_ms: Vec<i64>) -> Result<Report, Failure> {
        let skipped = ledger(self.stage.table.as_ref(), task).await.map_err(|error| Failure::failed(&error))?;
        let seen = self.stage.simulation.with_world(|world| observe(world, self.stage.source, TARGET));
        let evidence = Evidence {
            skipped,
            accounts: self.stage.accounts.iter().map(|account| account.0).collect(),
            kills_at_ms,
            pace: (self.pace != Pace::none()).then_some(self.pace),
            daily_budget: self.options.daily_budget,
            ..seen
        };
        Ok(audit::judge(&evidence))
    }

    fn verdict(&self, report: &Report) -> Result<(), Failure> {
        let names: BTreeMap<i64, String> = self
            .stage
            .simulation
            .with_world(|world| world.users.iter().map(|(id, user)| (id.0, user.first_name.clone())).collect());
        for line in summary::lines(report, &names) {
            self.terminal.line(line);
        }
        if let Some(broken) = report.broken() {
            return Err(Failure::Failed(format!("the audit failed: {broken}")));
        }
        if self.options.all_defaults()
            && let Some(lacking) = summary::too_little(report)
        {
            return Err(Failure::Failed(format!("the demonstration showed too little: {lacking}")));
        }
        self.terminal.line("Everything arrived once, in order, albums whole, and nobody called during a wait.");
        self.terminal.line(match self.options.kill_every {
            None => "Next, kill it while it works: ferry demo --messages 20000 --accounts 4 --kill-every 300",
            Some(_) => "Next, use it: ferry init, ferry account add, ferry transfer --from @source --to @target",
        });
        Ok(())
    }
}

/// A task that rests is done, or something is wrong.
fn rested(task: &Task) -> Result<(), Failure> {
    match &task.state {
        TaskState::Done { .. } => Ok(()),
        TaskState::Parked { reason } | TaskState::Failed { reason } | TaskState::Paused { reason } => {
            Err(Failure::Failed(format!("the transfer is {}: {reason}", task.state)))
        }
        state => Err(Failure::Failed(format!("the transfer is {state}"))),
    }
}
