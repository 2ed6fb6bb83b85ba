//! One connection: what the process believes of it, and what the server does.
//!
//! What must stay true: what waits to be sent is gone when [`Line::close`] returns; the server hears of a close after
//! all that was sent before it; the witness is told once that a connection is closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use session_host::exchange::CLOCK_SKEW_MAX_SECS;
use simulator::world::Actor;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use transfer::clock::Clock;

use super::{Front, ONE_WAY};

/// How often grammers pings.
const PING_EVERY: Duration = Duration::from_secs(60);
/// After so long without a ping the server closes the connection: what the pings ask for.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// The last word of a connection comes behind everything that was sent on it.
const FAREWELL: Duration = Duration::from_millis(21);

/// One connection of one account.
pub(super) struct Line {
    pub(super) front: Arc<Front>,
    pub(super) actor: Actor,
    /// The process sends nothing more on it.
    down: AtomicBool,
    /// The process has closed it, or its kernel has.
    hung_up: AtomicBool,
    /// The server has closed it, or seen it closed, or it was cut.
    pub(super) lost: CancellationToken,
    /// What a process that stands still has not sent yet.
    unsent: Mutex<JoinSet<()>>,
    wall_minus_uptime_secs: i64,
}

impl Line {
    pub(super) fn new(front: &Arc<Front>, actor: Actor) -> Arc<Self> {
        let line = Arc::new(Self {
            front: Arc::clone(front),
            actor,
            down: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            lost: CancellationToken::new(),
            unsent: Mutex::default(),
            wall_minus_uptime_secs: front.clock.as_ref().map_or(0, wall_minus_uptime_secs),
        });
        let mut lines = front.lines();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line));
        line
    }

    /// The server holds it for open.
    pub(super) fn is_open(&self) -> bool {
        self.front.world().is_connected(self.actor.session)
    }

    /// Why the process may not send on it.
    pub(super) fn refuses(&self) -> Option<&'static str> {
        let jumped = self.front.clock.as_ref().is_some_and(|clock| {
            (wall_minus_uptime_secs(clock) - self.wall_minus_uptime_secs).abs() > CLOCK_SKEW_MAX_SECS
        });
        if jumped {
            self.goes_down();
            return Some("the clock of this machine jumped");
        }
        self.down.load(Ordering::SeqCst).then_some("the connection is closed")
    }

    /// The process will send nothing more on it.
    pub(super) fn goes_down(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    fn unsent(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends something as soon as the process can.
    pub(super) fn send(&self, flight: impl Future<Output = ()> + Send + 'static) {
        let process = &self.front.process;
        if process.frozen_for().is_none() && !process.is_dead() {
            self.front.fly(flight);
            return;
        }
        let front = Arc::clone(&self.front);
        self.unsent().spawn(async move {
            front.process.awake().await;
            front.fly(flight);
        });
    }

    /// The server closes it, for whatever reason.
    pub(super) fn closed_by_server(&self) {
        if self.front.world().disconnect(self.actor.session) {
            self.front.witness.closed(self.actor.session);
        }
        self.lost.cancel();
    }

    /// The process closes it, or its kernel does. Nothing unsent will be sent.
    pub(super) fn hang_up(self: &Arc<Self>) {
        self.goes_down();
        self.unsent().abort_all();
        if self.hung_up.swap(true, Ordering::SeqCst) || self.lost.is_cancelled() {
            return;
        }
        let line = Arc::clone(self);
        self.front.fly(async move {
            sleep(FAREWELL).await;
            line.closed_by_server();
        });
    }

    /// Closes it; when this returns, nothing of it is left in the process.
    pub(super) async fn close(self: &Arc<Self>) {
        self.front.process.awake().await;
        self.hang_up();
        let mut unsent = std::mem::take(&mut *self.unsent());
        unsent.shutdown().await;
    }

    /// Whoever had it let go of it without a word. A process that stands still does not even do that.
    pub(super) fn let_go(self: &Arc<Self>) {
        let process = &self.front.process;
        if process.frozen_for().is_none() || process.is_dead() {
            self.hang_up();
            return;
        }
        self.goes_down();
        let line = Arc::clone(self);
        self.front.fly(async move {
            tokio::select! {
                biased;
                () = line.lost.cancelled() => {}
                () = line.front.process.awake() => line.hang_up(),
            }
        });
    }

    /// Pings come as long as the process lives and moves; the server closes what is silent.
    pub(super) async fn kept_alive(self: Arc<Self>) {
        let mut heard_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.lost.cancelled() => return,
                () = sleep_until(heard_at + PING_EVERY) => {}
            }
            tokio::select! {
                biased;
                () = self.lost.cancelled() => return,
                () = self.front.process.awake() => heard_at = Instant::now(),
                () = sleep_until(heard_at + SILENCE_MAX) => break,
            }
        }
        let user = self.actor.user;
        self.front.tell(|| format!("the server closes the connection of account {user}: it hears no ping"));
        self.closed_by_server();
    }

    /// It is lost on the way: both ends learn of it, the other end 20 ms later.
    pub(super) fn cut(&self) {
        self.closed_by_server();
    }

    /// Returns when the process can know that it is lost.
    pub(super) async fn lost_here(&self) {
        self.lost.cancelled().await;
        sleep(ONE_WAY).await;
    }
}

fn wall_minus_uptime_secs(clock: &Clock) -> i64 {
    clock.now().as_second() - i64::try_from(clock.uptime().as_secs()).unwrap_or(i64::MAX / 4)
}
