//! One run: a seed's world, its hosts at work in it, whatever goes wrong, and what must come of it.
//!
//! First everything may go wrong; then (at the plan's `faults_end`) faults stop, the admin puts right what an admin can
//! put right, and every task has to end, or to park with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use simulator::world::World;
use tokio::time::Instant;
use transfer::clock::Clock;
use transfer::ids::{HostId, Incarnation, TaskId};
use transfer::queue::memory::MemoryQueue;
use transfer::table::memory::MemoryTable;
use transfer::table::{Item, Key, Table};
use transfer::task::Task;

use crate::admin::Admin;
use crate::bot::{ADMIN, Chat};
use crate::engines;
use crate::fault::{Fault, Faults, Tally};
use crate::hosts::{Place, Surroundings};
use crate::oracle::{Coverage, Invariant, Oracle, Violation};
use crate::plan::{Moment, Plan};
use crate::process::Process;
use crate::setting;
use crate::trace::Trace;

/// How often the run looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the admin looks whether an account that is to come back is gone.
const RETURN_EVERY_MS: u64 = 30_000;
/// How to run a seed.
#[derive(Debug, Clone)]
pub struct Options {
    /// The faults that a seed may turn on.
    pub faults: BTreeSet<Fault>,
    /// Whether the story is kept.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { faults: Fault::ALL.iter().copied().collect(), trace: false }
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Messages that the pool's accounts made in the targets.
    pub delivered: u64,
    /// How often each fault struck.
    pub faults: Tally,
    /// What came up.
    pub coverage: Coverage,
    /// What was broken, in the order of time.
    pub violations: Vec<Violation>,
    /// How long it took in the world's time.
    pub virtual_time: Duration,
    /// In which states the tasks ended.
    pub ends: BTreeMap<&'static str, u64>,
    /// The story, if it was kept.
    pub trace: String,
}

/// Runs a seed.
pub fn run(seed: u64, options: &Options) -> Report {
    run_plan(Plan::of(seed, &options.faults), options)
}

/// Runs a plan.
pub fn run_plan(plan: Plan, options: &Options) -> Report {
    #[expect(clippy::expect_used, reason = "without a runtime there is nothing to be done")]
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O can always be built");
    runtime.block_on(async {
        let trace = if options.trace { Trace::on() } else { Trace::off() };
        let _logs = options.trace.then(|| trace.capture_logs());
        Box::pin(Simulated::new(plan, trace).await.live()).await
    })
}

/// What the run itself does at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    /// The admin submits a task.
    Submit(usize),
    /// The admin asks for a preview.
    Ask,
    /// What the plan wants.
    Moment(Moment),
    /// A host comes back.
    Start(usize),
    /// A host goes on.
    Thaw(usize),
    /// The admin adds an account again, if it is gone by then.
    Return(usize),
}

/// A run under way.
pub(crate) struct Simulated {
    pub(crate) plan: Plan,
    pub(crate) clock: Clock,
    pub(crate) begun: Instant,
    pub(crate) around: Surroundings,
    pub(crate) places: Vec<Place>,
    pub(crate) admin: Admin,
    pub(crate) agenda: BTreeMap<(Duration, u64), Next>,
    entries: u64,
    panics: Vec<String>,
    pub(crate) resumes: BTreeMap<String, u32>,
    /// Inquiries that were asked.
    pub(crate) asked: usize,
    /// Once nothing goes wrong any more: since when somebody is on the way out.
    pub(crate) leaving_since: Option<Duration>,
}

impl Simulated {
    async fn new(plan: Plan, trace: Trace) -> Self {
        let clock = Clock::starting_at(plan.begin);
        let world = Arc::new(Mutex::new(setting::world(&plan)));
        let table = Arc::new(MemoryTable::new());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let oracle = Arc::new(Oracle::new(world.clone(), &plan));
        let faults = Faults::new(plan.seed, plan.rates.clone());
        let around = Surroundings { world, table, queue, oracle, faults, trace, chat: Chat::default() };
        let desk = Process::new(HostId::from("admin"), Incarnation::from("admin"), clock.clone());
        let admin = Admin::new(desk, &around);
        let places = (0..plan.hosts).map(|number| Place::new(number, &plan, &clock, &around)).collect();
        let mut simulated = Self {
            plan,
            clock,
            begun: Instant::now(),
            around,
            places,
            admin,
            agenda: BTreeMap::new(),
            entries: 0,
            panics: Vec::new(),
            resumes: BTreeMap::new(),
            asked: 0,
            leaving_since: None,
        };
        simulated.prepare().await;
        simulated
    }

    async fn prepare(&mut self) {
        for writes in setting::pool(&self.plan).chunks(20) {
            let committed = engines::commit(&self.around.table, &self.around.oracle, self.admin.desk(), writes).await;
            debug_assert!(committed.is_ok(), "an empty table accepts everything");
        }
        let (tasks, moments) = (self.plan.tasks.clone(), self.plan.moments.clone());
        for (number, task) in tasks.iter().enumerate() {
            self.at(task.at, Next::Submit(number));
        }
        for (at, moment) in moments {
            self.at(at, Next::Moment(moment));
        }
        for at in self.plan.asks.clone() {
            self.at(at, Next::Ask);
        }
        for host in 0..self.places.len() {
            self.at(Duration::from_millis(37 * host as u64), Next::Start(host));
        }
    }

    fn at(&mut self, at: Duration, next: Next) {
        self.entries += 1;
        self.agenda.insert((at, self.entries), next);
    }

    fn after(&mut self, millis: u64, next: Next) {
        self.at(self.begun.elapsed() + Duration::from_millis(millis), next);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.around.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn live(mut self) -> Report {
        self.tell(|| "begins".to_owned());
        let stormy = self.plan.faults_end;
        if !self.until(stormy).await {
            self.calm_down().await;
            self.be_lively().await;
        }
        Box::pin(self.be_told()).await;
        for place in &mut self.places {
            place.kill().await;
        }
        self.report().await
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        self.around.trace.line("run", what);
    }

    /// Lets things happen until then; tells whether the run is over before.
    pub(crate) async fn until(&mut self, end: Duration) -> bool {
        loop {
            let now = self.begun.elapsed();
            if self.around.oracle.first().is_some() || !self.panics.is_empty() {
                return true;
            }
            if self.is_over().await {
                return true;
            }
            if now >= end {
                return false;
            }
            let due = self.agenda.first_key_value().map_or(Duration::MAX, |((at, _), _)| *at);
            if due <= now {
                if let Some((_, next)) = self.agenda.pop_first() {
                    self.act(next).await;
                }
                continue;
            }
            tokio::time::sleep(due.min(end).saturating_sub(now).min(LOOK_EVERY)).await;
            self.look_after_hosts();
        }
    }

    /// A host that gave up is started again, as a supervisor does; one that panicked is a defect.
    pub(crate) fn look_after_hosts(&mut self) {
        for host in 0..self.places.len() {
            if let Some(how) = self.places[host].ended() {
                if how.starts_with("PANICS") {
                    self.panics.push(how);
                }
                let back = if self.around.faults.is_on() { self.around.faults.between(100, 5_000) } else { 100 };
                self.after(back, Next::Start(host));
            }
        }
    }

    /// Starts whatever does not run.
    pub(crate) fn start_hosts(&mut self) {
        self.places.iter_mut().for_each(Place::start);
    }

    pub(crate) async fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for task in &self.plan.tasks {
            let read = self.around.table.get(&Key::task(&TaskId::from(task.id.as_str()))).await;
            if let Ok(Some(record)) = read
                && let Item::Task(task) = record.item
            {
                tasks.push(*task);
            }
        }
        tasks
    }

    async fn is_over(&self) -> bool {
        let tasks = self.tasks().await;
        tasks.len() == self.plan.tasks.len() && tasks.iter().all(|task| task.state.is_over())
    }

    async fn act(&mut self, next: Next) {
        match next {
            Next::Submit(number) => {
                let join = self.plan.rates.contains_key(&Fault::PutOut);
                let mut task = setting::task(&self.plan.tasks[number], join, self.clock.now());
                task.owner = self.plan.bot.then_some(ADMIN);
                self.admin.submit(&task).await;
            }
            Next::Ask => {
                self.ask(self.asked).await;
                self.asked += 1;
            }
            Next::Start(host) => self.places[host].start(),
            Next::Thaw(host) => self.places[host].thaw(),
            Next::Return(account) => {
                if !self.bring_back(account).await {
                    self.after(RETURN_EVERY_MS, Next::Return(account));
                }
            }
            Next::Moment(moment) => self.strike(moment).await,
        }
    }

    async fn strike(&mut self, moment: Moment) {
        match moment {
            Moment::Kill { host, back_ms } if self.places[host].process().is_some() => {
                self.around.faults.struck(Fault::Kill);
                self.places[host].kill().await;
                self.after(back_ms, Next::Start(host));
            }
            Moment::Restart { host } if self.places[host].process().is_some() => {
                self.around.faults.struck(Fault::Restart);
                self.places[host].stop();
            }
            Moment::Freeze { host, millis } if self.places[host].process().is_some() => {
                self.around.faults.struck(Fault::Freeze);
                self.places[host].freeze();
                self.after(millis, Next::Thaw(host));
            }
            Moment::Kill { .. } | Moment::Restart { .. } | Moment::Freeze { .. } => {}
            Moment::ClockJump { host, by } => {
                self.around.faults.struck(Fault::ClockJump);
                self.tell(|| format!("the clock of host {host} jumps by {by}"));
                self.places[host].clock().jump(by);
            }
            Moment::Wish { task, fault, choice } => {
                let id = TaskId::from(self.plan.tasks[task].id.as_str());
                if self.admin.wish(&id, fault, choice).await {
                    self.around.faults.struck(fault);
                }
            }
            Moment::Profile { account, fault, choice } => {
                if self.admin.edit_account(self.plan.accounts[account].id, fault, choice).await {
                    self.around.faults.struck(fault);
                }
            }
            Moment::Leave { account, back_ms } => {
                if self.admin.leave(self.plan.accounts[account].id).await {
                    self.around.faults.struck(Fault::Leave);
                    self.after(back_ms, Next::Return(account));
                }
            }
            Moment::Panic { back_ms } => {
                self.around.faults.struck(Fault::Panic);
                self.admin.panic().await;
                for account in 0..self.plan.accounts.len() {
                    self.after(back_ms, Next::Return(account));
                }
            }
            Moment::SlowMode { .. }
            | Moment::Account { .. }
            | Moment::Source { .. }
            | Moment::Target { .. }
            | Moment::PutOut { .. } => {
                let struck = crate::churn::strike(&self.plan, &self.around, moment);
                if let Some(fault) = struck {
                    self.around.faults.struck(fault);
                }
            }
        }
    }

    /// Adds an account again that is gone; tells whether there is nothing left to do about it.
    pub(crate) async fn bring_back(&mut self, account: usize) -> bool {
        let plan = self.plan.accounts[account].clone();
        if !self.admin.is_gone(plan.id).await {
            // It never left, or not yet.
            return !self.admin.is_leaving(plan.id).await;
        }
        crate::churn::signs_in(&self.around, plan.id);
        self.admin.add_again(&plan).await;
        true
    }

    async fn report(self) -> Report {
        let oracle = &self.around.oracle;
        let tasks = self.tasks().await;
        for panic in &self.panics {
            oracle.violated(Invariant::Liveness, panic.clone());
        }
        if oracle.first().is_none() {
            oracle.finish(&self.around.table);
        }
        let mut ends: BTreeMap<&'static str, u64> = BTreeMap::new();
        for task in &tasks {
            *ends.entry(task.state.word()).or_default() += 1;
        }
        let delivered = {
            let world = self.world();
            let made = self.plan.targets.iter().filter_map(|target| world.chat(target.chat));
            let accounts: BTreeSet<i64> = self.plan.accounts.iter().map(|account| account.id).collect();
            made.flat_map(|chat| chat.all_created()).filter(|made| accounts.contains(&made.by.0)).count() as u64
        };
        self.tell(|| format!("ends: {ends:?}, {delivered} delivered"));
        for violation in oracle.violations() {
            self.tell(|| format!("VIOLATION {violation}"));
        }
        Report {
            seed: self.plan.seed,
            delivered,
            faults: self.around.faults.tally(),
            coverage: oracle.coverage(),
            violations: oracle.violations(),
            virtual_time: self.begun.elapsed(),
            ends,
            trace: self.around.trace.text(),
        }
    }
}
