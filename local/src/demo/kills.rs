//! A host that is killed again and again, and started again each time.
//!
//! A life is killed some time after its first forward call, so that death strikes anywhere between intent and outcome.
//! What must stay true: it ends. A life that carried nothing is followed by one that is left alone until it did.

use std::path::PathBuf;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use simulator::scenario;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::host_process::HostProcess;
use super::stage::Stage;
use crate::audit::observe::is_forward;
use crate::failure::Failure;

/// How often the server's log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Lives that may end by themselves before the demonstration gives up.
const DEATHS_MAX: u32 = 5;
/// At least so many kills are spread over a transfer, if each leaves it time.
const KILLS_WANTED: usize = 15;

/// How to kill.
pub struct Killing {
    /// The mean time between a life's first forward call and its end.
    pub every: Duration,
    /// From which the times are drawn.
    pub seed: u64,
    /// How many messages there are to carry.
    pub messages: usize,
    /// Where the hosts' log goes.
    pub log_file: PathBuf,
}

/// How a life ended.
enum End {
    Killed { at_ms: i64 },
    Over,
    ByItself,
}

/// Keeps a host alive, and kills it, until `over`. Gives the times of the kills in unix milliseconds.
///
/// # Errors
/// The host cannot be started, or ends by itself too often.
pub async fn keep_killing(stage: &Stage, killing: &Killing, over: &CancellationToken) -> Result<Vec<i64>, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::failed(&error))?;
    let config = stage.host_file()?;
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(killing.seed);
    let mut kills = Vec::new();
    let mut deaths = 0;
    let mut spare = false;
    while !over.is_cancelled() {
        let arrived = stage.arrived(scenario::TARGET);
        let ahead = arrived * KILLS_WANTED > (kills.len() + 1) * killing.messages;
        let factor = if ahead { 0.5 } else { draw.random_range(0.5..1.5) };
        let life = Life {
            stage,
            delay: killing.every.mul_f64(factor),
            // A life that is spared carries something first.
            until_arrived: spare.then_some(arrived),
        };
        let mut host = HostProcess::start(&program, &config, &killing.log_file)?;
        match life.watch(&mut host, over).await? {
            End::Killed { at_ms } => kills.push(at_ms),
            End::Over => break,
            End::ByItself => {
                deaths += 1;
                if deaths > DEATHS_MAX {
                    let log = killing.log_file.display();
                    return Err(Failure::Failed(format!("the host ends by itself again and again; its log: {log}")));
                }
            }
        }
        spare = stage.arrived(scenario::TARGET) == arrived;
    }
    Ok(kills)
}

struct Life<'a> {
    stage: &'a Stage,
    delay: Duration,
    until_arrived: Option<usize>,
}

impl Life<'_> {
    async fn watch(&self, host: &mut HostProcess, over: &CancellationToken) -> Result<End, Failure> {
        let mut from = self.stage.simulation.with_world(|world| world.audit.entries().len());
        let mut first_call: Option<Instant> = None;
        loop {
            tokio::select! {
                () = over.cancelled() => {
                    host.end().await?;
                    return Ok(End::Over);
                }
                () = host.ended() => return Ok(End::ByItself),
                () = sleep(LOOK_EVERY) => {}
            }
            if first_call.is_none() {
                let (called, upto) = self.stage.simulation.with_world(|world| {
                    let entries = world.audit.entries();
                    (entries[from..].iter().any(is_forward), entries.len())
                });
                from = upto;
                first_call = called.then(Instant::now);
            }
            let carried = self.until_arrived.is_none_or(|before| self.stage.arrived(scenario::TARGET) > before);
            if first_call.is_some_and(|at| at.elapsed() >= self.delay) && carried {
                host.kill().await?;
                return Ok(End::Killed { at_ms: self.stage.simulation.with_world(|world| world.now().0) });
            }
        }
    }
}
