//! Hosts of different ids that live side by side, and are killed or frozen while they work.
//!
//! A blow is aimed by the server's log: at a moment when an account that is leased to the host has a forward in flight, or
//! a little after, so that death strikes between intent and call, call and reply, reply and commit. One life in eight is
//! struck while it starts instead. What must stay true: it ends, and a life that carried nothing is followed by others that
//! are left alone until they call.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use simulator::world::UserId;
use simulator::world::audit::Entry;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use transfer::table::{Item, List};

use super::tally::{Quota, Strike, Tally};
use crate::audit::observe::is_forward;
use crate::demo::host_process::HostProcess;
use crate::demo::stage::Stage;
use crate::failure::Failure;

/// How often the server's log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// For how long it is believed which accounts a host has.
const LEASES_KEPT: Duration = Duration::from_millis(50);
/// How far the log is looked back for a call in flight: there is at most one for each account.
const ENTRIES_BACK: usize = 300;
/// A blow comes up to so long after a call was seen in flight: the reply takes 60 ms, then comes the commit.
const AFTER_CALL_MILLIS: u64 = 100;
/// A life that is struck at its start is so at most so long after it.
const START_MILLIS: u64 = 1_500;
/// A killed host is started again after up to so long.
const RESTART_MILLIS: u64 = 3_000;
/// Lives that may end by themselves before the soak gives up.
const DEATHS_MAX: u64 = 5;

/// Everything that is done to hosts.
pub struct Strikes<'a> {
    /// Where they work.
    pub stage: &'a Stage,
    /// How often what is done.
    pub quota: Quota,
    /// The mean time between a life's first forward and its end.
    pub every: Duration,
    /// From which everything is drawn.
    pub seed: u64,
    tally: Mutex<Tally>,
}

/// How a life ended.
enum End {
    Killed,
    /// By itself, after it had been frozen.
    GaveUp,
    ByItself,
    Over,
}

impl<'a> Strikes<'a> {
    /// Nothing is done yet.
    pub fn new(stage: &'a Stage, quota: Quota, every: Duration, seed: u64) -> Self {
        Self { stage, quota, every, seed, tally: Mutex::default() }
    }

    /// What was done so far.
    pub fn tally(&self) -> Tally {
        self.locked().clone()
    }

    /// Whether all of it was done.
    pub fn is_enough(&self) -> bool {
        self.locked().is_enough(&self.quota)
    }

    fn locked(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the `n`th host alive, and strikes it, until `over`.
    ///
    /// # Errors
    /// The host cannot be started, or ends by itself too often.
    pub async fn on_host(&self, n: u64, over: &CancellationToken) -> Result<(), Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::failed(&error))?;
        let id = format!("host-{n}");
        let config = self.stage.neighbour_file(&id)?;
        let log_file: PathBuf = config.with_file_name("host.log");
        let mut draw = ChaCha8Rng::seed_from_u64(self.seed.wrapping_mul(1_000).wrapping_add(n));
        while !over.is_cancelled() {
            let from = self.entries(<[Entry]>::len);
            let mut host = HostProcess::start(&program, &config, &log_file)?;
            let mut life = Life { strikes: self, id: &id, from, frozen: false, leased: None };
            match life.live(&mut host, &mut draw, over).await? {
                End::Over => break,
                End::Killed => {}
                End::GaveUp => self.locked().gave_up += 1,
                End::ByItself => {
                    let deaths = &mut self.locked().deaths;
                    *deaths += 1;
                    if *deaths > DEATHS_MAX {
                        let log = log_file.display();
                        return Err(Failure::Failed(format!(
                            "hosts end by themselves again and again; the log: {log}"
                        )));
                    }
                }
            }
            let pause = Duration::from_millis(draw.random_range(0..=RESTART_MILLIS));
            tokio::select! {
                () = over.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
        Ok(())
    }

    fn entries<T>(&self, look: impl FnOnce(&[Entry]) -> T) -> T {
        self.stage.simulation.with_world(|world| look(world.audit.entries()))
    }

    fn now_ms(&self) -> i64 {
        self.stage.simulation.with_world(|world| world.now().0)
    }
}

/// One life of one host.
struct Life<'a> {
    strikes: &'a Strikes<'a>,
    id: &'a str,
    /// Where the server's log stood when it began.
    from: usize,
    frozen: bool,
    /// The accounts that are leased to the host, and when that was looked up.
    leased: Option<(BTreeSet<UserId>, Instant)>,
}

impl Life<'_> {
    async fn live(
        &mut self,
        host: &mut HostProcess,
        draw: &mut ChaCha8Rng,
        over: &CancellationToken,
    ) -> Result<End, Failure> {
        loop {
            tokio::select! {
                () = over.cancelled() => {
                    host.end().await?;
                    return Ok(End::Over);
                }
                () = host.ended() => return Ok(if self.frozen { End::GaveUp } else { End::ByItself }),
                () = self.aim(draw) => {}
            }
            let in_flight = self.calls_now().await;
            let strike = {
                let now_ms = self.strikes.now_ms();
                self.strikes.locked().strike(&self.strikes.quota, draw, now_ms)
            };
            match strike {
                None => {}
                Some(Strike::Kill) => {
                    host.kill().await?;
                    let dead_at_ms = self.strikes.now_ms();
                    let mut tally = self.strikes.locked();
                    tally.kills_in_flight += u64::from(in_flight);
                    tally.struck_at_ms.push(dead_at_ms);
                    return Ok(End::Killed);
                }
                Some(Strike::Freeze(span)) => {
                    host.freeze()?;
                    tracing::info!(host = self.id, secs = span.as_secs_f64(), "frozen");
                    tokio::select! {
                        () = over.cancelled() => {}
                        () = sleep(span) => {}
                    }
                    host.thaw()?;
                    self.frozen = true;
                    self.strikes.locked().frozen = false;
                    // Whether it goes on or gives up is its own business: it is left alone until it calls again.
                    self.from = self.strikes.entries(<[Entry]>::len);
                }
            }
        }
    }

    /// Returns when the time has come to strike; never, when nothing is left to be done.
    async fn aim(&mut self, draw: &mut ChaCha8Rng) {
        let at_start = !self.frozen && draw.random_ratio(1, 8);
        let at_call = draw.random_ratio(3, 4);
        let delay = self.strikes.every.mul_f64(draw.random_range(0.0..2.0));
        let after_call = Duration::from_millis(draw.random_range(0..=AFTER_CALL_MILLIS));
        if at_start {
            sleep(Duration::from_millis(draw.random_range(0..=START_MILLIS))).await;
        } else {
            while !self.has_called().await {
                sleep(LOOK_EVERY).await;
            }
            sleep(delay).await;
            while at_call && !self.calls_now().await {
                sleep(LOOK_EVERY).await;
            }
            if at_call {
                sleep(after_call).await;
            }
        }
        while self.strikes.is_enough() {
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Whether an account of this host has called since its life began.
    async fn has_called(&mut self) -> bool {
        let accounts: BTreeSet<UserId> = self.strikes.entries(|entries| {
            let forwards = entries[self.from.min(entries.len())..].iter().filter(|entry| is_forward(entry));
            forwards.filter_map(|entry| entry.account).collect()
        });
        !accounts.is_empty() && !self.leased().await.is_disjoint(&accounts)
    }

    /// Whether a forward of this host is in flight.
    async fn calls_now(&mut self) -> bool {
        let accounts: BTreeSet<UserId> = self.strikes.entries(|entries| {
            let recent = entries.iter().rev().take(ENTRIES_BACK);
            recent
                .filter(|entry| is_forward(entry) && entry.ended.is_none())
                .filter_map(|entry| entry.account)
                .collect()
        });
        !accounts.is_empty() && !self.leased().await.is_disjoint(&accounts)
    }

    /// The accounts that are leased to this host.
    async fn leased(&mut self) -> &BTreeSet<UserId> {
        let known = self.leased.take().filter(|(_, at)| at.elapsed() < LEASES_KEPT);
        let leased = match known {
            Some(known) => known,
            None => (self.read_leases().await, Instant::now()),
        };
        &self.leased.insert(leased).0
    }

    async fn read_leases(&self) -> BTreeSet<UserId> {
        let records = match self.strikes.stage.table.list(List::Accounts).await {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(%error, "the leases were not read; the next look will tell");
                Vec::new()
            }
        };
        let mine = records.into_iter().filter_map(|record| match record.item {
            Item::Account(account) if account.lease.as_ref().is_some_and(|lease| lease.host.0 == self.id) => {
                account.id.0.parse().ok().map(UserId)
            }
            _ => None,
        });
        mine.collect()
    }
}
