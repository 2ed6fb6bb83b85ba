//! The engine: takes jobs, works on tasks, keeps leases. Everything it knows of the world comes through the ports.
//!
//! One host runs several things side by side: it renews its HOST item (`fence`), re-queues what is due (`sweeper`), takes
//! jobs from the queue (`consumer`), lets go of accounts that nobody uses (`pool`), and, where there is a bot, tells owners
//! how their tasks are getting on (`reporter`) and admins what is wrong (`alerts`). A job is worked on by a `run::Run`,
//! which owns its task for as long as it has the lease.

mod alerts;
mod chats;
mod consumer;
mod fence;
mod halt;
mod health;
mod heard;
mod hosts_seen;
mod inquiry;
mod leaving;
mod line;
mod login;
mod marks;
mod measures;
mod one_call;
mod panic;
mod pool;
mod reporter;
mod run;
mod sharing;
mod store;
mod sweeper;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::bot::Bot;
use transfer::clock::Clock;
use transfer::ids::{AccountId, ChatId, HostId, Incarnation};
use transfer::lease::Lease;
use transfer::queue::Queue;
use transfer::table::Table;

use crate::telegram::Telegram;
use alerts::Alerts;
use chats::Chats;
use consumer::{AtWork, Consumer};
use fence::Fence;
pub use halt::Halt;
use hosts_seen::HostsSeen;
use line::Line;
pub use login::Reception;
use pool::Pool;
use reporter::Reporter;
use sharing::Sharing;
use store::Store;
use sweeper::Sweeper;

/// The edges of the world, and the clock.
#[derive(Clone)]
pub struct Ports {
    /// Telegram.
    pub telegram: Arc<dyn Telegram>,
    /// The table.
    pub table: Arc<dyn Table>,
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// The bot that tells admins what happens; `None` where nobody talks to one.
    pub bot: Option<Arc<dyn Bot>>,
    /// What it takes to log accounts in; `None` where that is left to others.
    pub reception: Option<Reception>,
    /// Wall time and uptime.
    pub clock: Clock,
}

/// Who this host is and how much it takes on.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The place where it runs.
    pub id: HostId,
    /// This life of it; never used before.
    pub incarnation: Incarnation,
    /// Which release of the program it is; for people.
    pub release: String,
    /// Whether it holds the lock file of the only place where hosts of this id run. Then whatever an earlier life
    /// held is free at once.
    pub exclusive: bool,
    /// Whether no other host takes jobs from this queue. Then the queue is begun anew at the start.
    pub alone: bool,
    /// Tasks worked on at the same time.
    pub tasks_max: usize,
    /// Messages in a forward call at most (Telegram allows 100).
    pub chunk_len_max: u32,
    /// The admin's zone: daily budgets begin anew at its midnight.
    pub zone: TimeZone,
    /// Who is told what concerns the whole installation.
    pub admins: Vec<ChatId>,
    /// The only account that this host works with; the pool is left alone meanwhile.
    pub only_account: Option<AccountId>,
    /// How long nobody heard of an account before Telegram is asked whether its session is still good:
    /// [`CHECK_IDLE_AFTER`], unless somebody has no time to wait for that.
    pub check_idle_after: Duration,
}

/// How long an account may be idle before its session is checked.
pub const CHECK_IDLE_AFTER: Duration = Duration::from_secs(6 * 3600);

/// What the parts of a host share.
pub(crate) struct Shared {
    pub(crate) ports: Ports,
    pub(crate) config: HostConfig,
    pub(crate) store: Store,
    pub(crate) fence: Arc<Fence>,
    pub(crate) hosts_seen: HostsSeen,
    pub(crate) pool: Arc<Pool>,
    pub(crate) line: Line,
    pub(crate) sharing: Sharing,
    pub(crate) chats: Chats,
    pub(crate) reporter: Reporter,
    pub(crate) alerts: Alerts,
    pub(crate) unanswered: inquiry::Unanswered,
    pub(crate) logins: login::Logins,
    pub(crate) departures: leaving::Departures,
    pub(crate) button: panic::Button,
    pub(crate) running: run::RunningTasks,
    pub(crate) at_work: AtWork,
    /// Ends whatever waits, when the host is told to stop.
    pub(crate) stop: CancellationToken,
    /// Wakes the sweeper before its time.
    pub(crate) due: tokio::sync::Notify,
}

impl Shared {
    /// The lease that this life of this host writes.
    pub(crate) fn lease(&self) -> Lease {
        Lease { host: self.config.id.clone(), incarnation: self.config.incarnation.clone() }
    }

    /// When a wait that was just received is over.
    pub(crate) fn wait_until(&self, secs: u64) -> jiff::Timestamp {
        let wait = jiff::SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
        self.ports.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX)
    }

    /// Today in the admin's zone, and when it ends.
    pub(crate) fn today(&self) -> (jiff::civil::Date, jiff::Timestamp) {
        let now = self.ports.clock.now();
        let local = now.to_zoned(self.config.zone.clone());
        let midnight =
            local.tomorrow().and_then(|day| day.start_of_day()).map_or(jiff::Timestamp::MAX, |day| day.timestamp());
        (local.date(), midnight)
    }
}

/// Tells whether a host may act at this moment.
#[derive(Clone)]
pub struct Vitality(Arc<Fence>);

impl Vitality {
    /// Whether it renewed its sign of life lately enough. Not before it begins, and never again once it was too late.
    pub fn may_act(&self) -> bool {
        self.0.holds()
    }
}

/// A session host.
pub struct SessionHost {
    shared: Arc<Shared>,
}

impl SessionHost {
    /// A host that does nothing yet. Cancelling `stop` ends it cleanly.
    pub fn new(config: HostConfig, ports: Ports, stop: CancellationToken) -> Self {
        let store = Store::new(ports.table.clone());
        let fence = Arc::new(Fence::new(ports.clock.clone()));
        let hosts_seen = HostsSeen::new(ports.clock.clone());
        let pool = Arc::new(Pool::new());
        let line = Line::default();
        let sharing = Sharing::new(config.id.clone(), ports.clock.clone());
        let chats = Chats::new(ports.bot.clone(), ports.clock.clone(), fence.clone(), config.zone.clone());
        let reporter = Reporter::new(chats.exist());
        let running = run::RunningTasks::default();
        let due = tokio::sync::Notify::new();
        Self {
            shared: Arc::new(Shared {
                ports,
                config,
                store,
                fence,
                hosts_seen,
                pool,
                line,
                sharing,
                chats,
                reporter,
                alerts: Alerts::default(),
                unanswered: inquiry::Unanswered::default(),
                logins: login::Logins::default(),
                departures: leaving::Departures::default(),
                button: panic::Button::default(),
                running,
                at_work: AtWork::default(),
                stop,
                due,
            }),
        }
    }

    /// Tells whether this host may act, also while it runs.
    pub fn vitality(&self) -> Vitality {
        Vitality(self.shared.fence.clone())
    }

    /// Works until it is told to stop, then finishes the calls in flight, commits, closes, and lets go of its leases.
    ///
    /// # Errors
    /// The table cannot be reached at the start, or this life lost its right to act and must not go on.
    pub fn run(self) -> Pin<Box<dyn Future<Output = Result<(), Halt>> + Send>> {
        // In a box, so that everything a host does is compiled here, and not anew in each program that starts one.
        Box::pin(self.work())
    }

    async fn work(self) -> Result<(), Halt> {
        let shared = self.shared;
        fence::renew(&shared).await?;
        let mut parts = JoinSet::new();
        // However long the beginning takes, the right to act is kept; should it fail, that ends with the parts.
        parts.spawn(fence::keep(shared.clone()));
        if shared.config.alone {
            sweeper::begin_anew(&shared).await?;
        }
        parts.spawn(Sweeper::new(shared.clone()).run());
        parts.spawn(pool::let_go_of_idle(shared.clone()));
        parts.spawn(reporter::run(shared.clone()));
        parts.spawn(alerts::run(shared.clone()));
        parts.spawn(inquiry::run(shared.clone()));
        parts.spawn(leaving::run(shared.clone()));
        parts.spawn(panic::run(shared.clone()));
        parts.spawn(health::run(shared.clone()));
        let mut logins = JoinSet::new();
        logins.spawn(login::run(shared.clone()));
        let ended = Consumer::new(shared.clone()).run().await;
        if ended.is_err() {
            logins.abort_all();
        }
        // Each step sees the stop by itself, and gives its login back.
        while logins.join_next().await.is_some() {}
        pool::close_all(&shared).await;
        parts.shutdown().await;
        fence::withdraw(&shared).await;
        ended
    }
}
