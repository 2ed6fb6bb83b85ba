//! The `Telegram` port over the world itself: no sockets, no bytes, the same rules.
//!
//! The world decides; what is here is the way to it. A process asks ([`connection`]), a line carries what it sends
//! ([`line`]), and what has left the process is on its way whatever becomes of the process ([`flight`]), with what can
//! happen to it there ([`strike`]). A process that stands still sends nothing and hears nothing; a server that hears no
//! ping for 75 s closes the connection. Every way takes 20 ms of virtual time.

mod connection;
mod convert;
mod flight;
mod line;
mod strike;
#[cfg(test)]
mod tests;
mod witness;

pub use witness::Witness;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use session_host::exchange::CLOCK_SKEW_MAX_SECS;
use session_host::telegram::setup::Patience;
use session_host::telegram::{Connection, OpenError, Telegram};
use simulator::world::user::AccountState;
use simulator::world::{Actor, AuthKeyId, RpcError, UserId, World};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use transfer::clock::Clock;
use transfer::ids::{AccountId, HostId, Incarnation};
use transfer::refusal::Refusal;

use crate::fault::{Fault, Faults};
use crate::process::Process;
use crate::trace::Trace;
use connection::InProcessConnection;
use line::Line;
use witness::Nobody;

/// How long everything takes, one way.
const ONE_WAY: Duration = Duration::from_millis(20);
/// A connection that cannot be opened fails within this.
const OPEN_FAILS_MILLIS: u64 = 10_000;

/// Opens connections to the world. Clones are the same.
#[derive(Clone)]
pub struct InProcess(Arc<Front>);

/// What the connections of one process share.
struct Front {
    process: Process,
    /// The clock of its machine, if Telegram is to look at it.
    clock: Option<Clock>,
    world: Arc<Mutex<World>>,
    faults: Faults,
    witness: Arc<dyn Witness>,
    trace: Trace,
    patience: Patience,
    /// What has left the process: nothing that happens to the process ends it.
    flights: Mutex<JoinSet<()>>,
    lines: Mutex<Vec<Weak<Line>>>,
}

impl InProcess {
    /// A front of this world for processes that never stand still, and without faults.
    pub fn new(world: Arc<Mutex<World>>) -> Self {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let process = Process::new(HostId::from("here"), Incarnation::from("here"), clock);
        Self(Arc::new(Front::new(process, None, world, Faults::none(), Arc::new(Nobody), Trace::off())))
    }

    /// The front that one process has. All processes of a run meet in the world.
    pub fn of(
        process: Process,
        world: Arc<Mutex<World>>,
        faults: Faults,
        witness: Arc<dyn Witness>,
        trace: Trace,
    ) -> Self {
        let clock = process.clock().clone();
        Self(Arc::new(Front::new(process, Some(clock), world, faults, witness, trace)))
    }

    /// The process is dead, and its kernel closes its connections. What has left already may still be applied.
    pub fn process_died(&self) {
        let lines: Vec<Arc<Line>> = self.0.lines().iter().filter_map(Weak::upgrade).collect();
        for line in lines {
            line.hang_up();
        }
    }
}

impl Front {
    fn new(
        process: Process,
        clock: Option<Clock>,
        world: Arc<Mutex<World>>,
        faults: Faults,
        witness: Arc<dyn Witness>,
        trace: Trace,
    ) -> Self {
        let patience = Patience::default();
        let (flights, lines) = (Mutex::default(), Mutex::default());
        Self { process, clock, world, faults, witness, trace, patience, flights, lines }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Weak<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.trace.line(&self.process.incarnation().0, what);
    }

    /// Lets something happen on the way or at the server. At the end of everything there is no runtime, and it does not.
    fn fly(&self, flight: impl Future<Output = ()> + Send + 'static) {
        if Handle::try_current().is_err() {
            return;
        }
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(landed) = flights.try_join_next() {
            if let Err(error) = landed
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
        flights.spawn(flight);
    }

    /// Whether this machine's clock and the server's are near enough.
    fn check_clock(&self) -> Result<(), OpenError> {
        let Some(clock) = &self.clock else { return Ok(()) };
        let skew_secs = (clock.now().as_millisecond() - self.world().now().0) / 1000;
        if skew_secs.abs() > CLOCK_SKEW_MAX_SECS { Err(OpenError::ClockSkew { skew_secs }) } else { Ok(()) }
    }

    /// What the server says to the key of a new connection.
    fn admit(&self, line: &Line) -> Result<(), RpcError> {
        let (user, session) = (line.actor.user, line.actor.session);
        let state = self.world().users.get(&user).map(|user| user.state);
        if state == Some(AccountState::Active) && self.faults.strikes(Fault::KeyDuplicated) {
            self.world().kill_key(user);
        }
        self.world().admit_connection(user, session)?;
        let refused = match state {
            Some(AccountState::Revoked) => RpcError::new(401, "SESSION_REVOKED"),
            Some(AccountState::Unregistered) => RpcError::unregistered(),
            Some(AccountState::Banned) => RpcError::new(401, "USER_DEACTIVATED_BAN"),
            _ => return Ok(()),
        };
        // Now the first ping is refused, now the first call.
        if self.clock.is_some() && self.faults.between(0, 1) == 0 { Err(refused) } else { Ok(()) }
    }
}

#[async_trait]
impl Telegram for InProcess {
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError> {
        let front = &self.0;
        let no_session = |why: &str| OpenError::NoSession { account: account.clone(), why: why.into() };
        let Ok(number) = account.0.parse() else { return Err(no_session("its id is no number")) };
        front.process.awake().await;
        front.check_clock()?;
        let begun = Instant::now();
        if front.faults.strikes(Fault::OpenFails) {
            sleep(Duration::from_millis(front.faults.between(0, OPEN_FAILS_MILLIS))).await;
            front.process.awake().await;
            front.tell(|| format!("account {number} cannot connect"));
            return Err(OpenError::Unreachable("no answer".into()));
        }
        // The kernels greet each other; then the process sends its first ping.
        sleep(2 * ONE_WAY).await;
        front.process.awake().await;
        sleep(ONE_WAY).await;
        let (user, auth_key) = (UserId(number), AuthKeyId(number));
        let session = front.world().connect(auth_key, &front.process.host().0);
        // From here on whoever drops this future closes the connection.
        let connection = InProcessConnection::new(Line::new(front, Actor { user, auth_key, session }));
        front.witness.opened(&front.process, user, session);
        let line = connection.line();
        if let Err(error) = front.admit(line) {
            front.tell(|| format!("account {number} connects: {}", error.message));
            line.closed_by_server();
            sleep(ONE_WAY).await;
            front.process.awake().await;
            return Err(OpenError::Refused(Refusal::parse(error.code, &error.message)));
        }
        front.tell(|| format!("account {number} is connected"));
        front.fly(line.clone().kept_alive());
        sleep(ONE_WAY).await;
        front.process.awake().await;
        if begun.elapsed() > front.patience.open || !line.is_open() {
            return Err(OpenError::Unreachable("no answer in time".into()));
        }
        Ok(Box::new(connection))
    }
}
