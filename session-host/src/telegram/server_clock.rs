//! Is this machine's clock right? Asked before a saved key is used.
//!
//! With a clock that is more than 30 s ahead Telegram drops every message, and grammers sends them again in a tight
//! loop, for ever. So the host asks first, on a short connection of its own: a plain `req_pq_multi` costs the server
//! nothing and makes no key, and the id of its answer is the server's time. The answer is kept as a distance from
//! uptime, which does not jump, so that one question serves all accounts for some minutes and a wall clock that is moved
//! in the meantime is still found out.

use std::net::SocketAddr;
use std::time::Duration;

use grammers_tl_types::{Deserializable, Serializable, enums, functions};
use tokio::sync::Mutex;
use tokio::time::timeout;
use transfer::clock::Clock;

use super::setup::Setup;
use crate::exchange::plain::PlainConnection;
use crate::exchange::{ExchangeError, refuse_skew, skew_secs};

/// For so long a reading is used again: two quartz clocks drift apart by some 0.1 s in that time.
const READING_KEPT: Duration = Duration::from_mins(10);

/// The server's time as last read.
#[derive(Debug, Default)]
pub(crate) struct ServerClock {
    reading: Mutex<Option<Reading>>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Server's unix time minus uptime, in milliseconds.
    offset_millis: i64,
    /// When it was read, as uptime.
    at: Duration,
}

impl ServerClock {
    /// Whether wall time here and there are near enough. Concurrent callers wait for one question.
    pub(crate) async fn check(&self, setup: &Setup, address: SocketAddr, clock: &Clock) -> Result<(), ExchangeError> {
        let mut reading = self.reading.lock().await;
        let fresh = reading.filter(|reading| clock.uptime().saturating_sub(reading.at) < READING_KEPT);
        let known = match fresh {
            Some(known) => known,
            None => {
                let asked = timeout(setup.patience.open, ask(setup, address, clock)).await;
                asked.map_err(|_elapsed| ExchangeError::Timeout(address))??
            }
        };
        let there_millis = known.offset_millis + millis(clock.uptime());
        let verdict = refuse_skew(skew_secs(clock.now().as_millisecond(), there_millis));
        // A bad reading is not kept: the operator sets the clock and expects the next attempt to work.
        *reading = verdict.is_ok().then_some(known);
        verdict
    }
}

async fn ask(setup: &Setup, address: SocketAddr, clock: &Clock) -> Result<Reading, ExchangeError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).expect("the system has randomness");
    let mut line = PlainConnection::open(address, setup.proxy.as_ref()).await?;
    let sent = clock.uptime();
    let reply = line.request(&functions::ReqPqMulti { nonce }.to_bytes()).await?;
    let at = clock.uptime();
    let challenge = enums::ResPq::from_bytes(&reply.body).map_err(|_undecodable| ExchangeError::Malformed("resPQ"))?;
    let enums::ResPq::Pq(challenge) = challenge;
    if challenge.nonce != nonce {
        return Err(ExchangeError::Nonce("resPQ"));
    }
    // The server wrote it somewhere between: take the middle.
    Ok(Reading { offset_millis: reply.server_millis - millis(sent + at.saturating_sub(sent) / 2), at })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Notices that wall time was moved while a connection was open.
#[derive(Debug)]
pub(crate) struct JumpGuard {
    clock: Clock,
    wall_minus_uptime_millis: i64,
}

impl JumpGuard {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), wall_minus_uptime_millis: wall_minus_uptime(clock) }
    }

    /// The jump in seconds, if it is more than a connection survives.
    pub(crate) fn jumped(&self) -> Option<i64> {
        let skew_secs = skew_secs(wall_minus_uptime(&self.clock), self.wall_minus_uptime_millis);
        refuse_skew(skew_secs).is_err().then_some(skew_secs)
    }
}

fn wall_minus_uptime(clock: &Clock) -> i64 {
    clock.now().as_millisecond() - millis(clock.uptime())
}
