//! The hosts of a run: started, killed, frozen, stopped, and started again.

use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use session_host::engine::{Halt, HostConfig, Ports, SessionHost};
use simulator::world::World;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::bot::Bot;
use transfer::clock::Clock;
use transfer::ids::{HostId, Incarnation};
use transfer::queue::memory::MemoryQueue;
use transfer::table::memory::MemoryTable;

use crate::bot::{ADMIN, Chat, RemoteBot};
use crate::engines::{Network, RemoteQueue, RemoteTable};
use crate::fault::Faults;
use crate::oracle::Oracle;
use crate::plan::Plan;
use crate::process::Process;
use crate::telegram::InProcess;
use crate::trace::Trace;

/// What every host of a run reaches.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) table: Arc<MemoryTable>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) chat: Chat,
}

/// A machine on which one host runs at a time.
pub(crate) struct Place {
    id: HostId,
    clock: Clock,
    lives: u32,
    config: HostConfig,
    surroundings: Surroundings,
    life: Option<Life>,
}

/// A host at work.
struct Life {
    process: Process,
    telegram: InProcess,
    stop: CancellationToken,
    running: JoinSet<Result<(), Halt>>,
}

impl Place {
    pub(crate) fn new(number: usize, plan: &Plan, clock: &Clock, surroundings: &Surroundings) -> Self {
        let name = ["a", "b", "c"].get(number).copied().unwrap_or("d");
        let config = HostConfig {
            id: HostId::from(name),
            release: "test".to_owned(),
            incarnation: Incarnation(name.into()),
            exclusive: plan.exclusive,
            alone: plan.exclusive,
            tasks_max: plan.tasks_max,
            chunk_len_max: plan.chunk_len_max,
            zone: TimeZone::UTC,
            admins: if plan.bot { vec![ADMIN] } else { Vec::new() },
            only_account: None,
            check_idle_after: plan.check_idle_after,
        };
        Self {
            id: HostId::from(name),
            clock: clock.of_another_machine(),
            lives: 0,
            config,
            surroundings: surroundings.clone(),
            life: None,
        }
    }

    /// The process that runs here, if one does.
    pub(crate) fn process(&self) -> Option<&Process> {
        self.life.as_ref().map(|life| &life.process)
    }

    /// The machine's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Starts a host, unless one runs.
    pub(crate) fn start(&mut self) {
        if self.life.is_some() {
            return;
        }
        self.lives += 1;
        let incarnation = Incarnation(format!("{}-{}", self.id, self.lives));
        let around = &self.surroundings;
        around.trace.line(&incarnation.0, || "starts".into());
        let process = Process::new(self.id.clone(), incarnation.clone(), self.clock.clone());
        let network = Network { process: process.clone(), faults: around.faults.clone(), trace: around.trace.clone() };
        let telegram = InProcess::of(
            process.clone(),
            around.world.clone(),
            around.faults.clone(),
            around.oracle.clone(),
            around.trace.clone(),
        );
        let ports = Ports {
            telegram: Arc::new(telegram.clone()),
            table: Arc::new(RemoteTable {
                inner: around.table.clone(),
                oracle: around.oracle.clone(),
                network: network.clone(),
            }),
            bot: self.config.admins.first().map(|_| {
                let (chat, oracle) = (around.chat.clone(), around.oracle.clone());
                Arc::new(RemoteBot { chat, oracle, network: network.clone() }) as Arc<dyn Bot>
            }),
            reception: None,
            queue: Arc::new(RemoteQueue { inner: around.queue.clone(), network }),
            clock: self.clock.clone(),
        };
        let stop = CancellationToken::new();
        let config = HostConfig { incarnation, ..self.config.clone() };
        let mut running = JoinSet::new();
        running.spawn(SessionHost::new(config, ports, stop.clone()).run());
        self.life = Some(Life { process, telegram, stop, running });
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        let Some(mut life) = self.life.take() else { return };
        self.surroundings.trace.line(&life.process.incarnation().0, || "is killed".into());
        life.process.kill();
        life.running.shutdown().await;
        life.telegram.process_died();
        self.surroundings.oracle.died(&life.process);
    }

    /// SIGTERM; the end comes when the host is ready.
    pub(crate) fn stop(&mut self) {
        if let Some(life) = &self.life {
            self.surroundings.trace.line(&life.process.incarnation().0, || "is told to stop".into());
            life.stop.cancel();
        }
    }

    /// SIGSTOP.
    pub(crate) fn freeze(&mut self) {
        if let Some(life) = &self.life {
            self.surroundings.trace.line(&life.process.incarnation().0, || "stands still".into());
            life.process.freeze();
            self.surroundings.oracle.frozen(&life.process);
        }
    }

    /// SIGCONT.
    pub(crate) fn thaw(&mut self) {
        if let Some(life) = &self.life
            && life.process.frozen_for().is_some()
        {
            self.surroundings.trace.line(&life.process.incarnation().0, || "goes on".into());
            life.process.thaw();
        }
    }

    /// Takes note of a host that ended by itself: how, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let ended = self.life.as_mut()?.running.try_join_next()?;
        let life = self.life.take()?;
        let how = match ended {
            Ok(Ok(())) => "has ended".to_owned(),
            Ok(Err(halt)) => format!("gives up: {halt}"),
            Err(error) => format!("PANICS: {error}"),
        };
        self.surroundings.trace.line(&life.process.incarnation().0, || how.clone());
        life.process.kill();
        life.telegram.process_died();
        self.surroundings.oracle.died(&life.process);
        Some(how)
    }
}
