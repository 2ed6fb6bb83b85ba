//! What a demonstration plays on: a simulated world with a full channel and an empty one, engines, and accounts that are
//! signed in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use session_host::session::Sessions;
use session_host::telegram::setup::Setup;
use simulator::scenario;
use simulator::time::Clock as SimulatorClock;
use simulator::world::floods::FloodModel;
use simulator::world::generated::Mix;
use simulator::world::{ChatId, UserId, World};
use transfer::clock::Clock;
use transfer::queue::Queue;
use transfer::table::{List, Table};

use crate::engines::Engines;
use crate::failure::Failure;
use crate::host::{BOT_ID, HostFile, Life};
use crate::pool::{self, Joining};
use crate::simulation::Simulation;

/// Reported waits of 20 to 50 minutes become 2 to 5 seconds.
pub const TIME_SCALE: f64 = 600.0;

/// Everything that a demonstration stands on.
pub struct Stage {
    /// The simulated Telegram.
    pub simulation: Simulation,
    /// Table and queue.
    pub engines: Engines,
    /// The table.
    pub table: Arc<dyn Table>,
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Where the sessions are.
    pub sessions: Sessions,
    /// The accounts' user ids.
    pub accounts: Vec<UserId>,
    /// The admin's zone.
    pub zone: TimeZone,
    data_dir: PathBuf,
    setup: Setup,
}

/// How the stage is to be.
pub struct Plan {
    /// The world, with a source, a target, and these accounts.
    pub world: World,
    /// Messages a day and account.
    pub daily_budget: Option<u32>,
}

/// The flood model of this name: `reported` with shrunken waits, anything else as it is written.
///
/// # Errors
/// There is no such model.
pub fn flood_model(name: &str) -> Result<FloodModel, Failure> {
    let scale = if name == "reported" { TIME_SCALE } else { 1.0 };
    FloodModel::parse(name, scale).map_err(Failure::Input)
}

/// A world with a generated source.
pub fn generated_world(seed: u64, accounts: usize, messages: i32, floods: FloodModel) -> World {
    let mut world = scenario::transfer(seed, accounts, messages, Mix::default(), SimulatorClock::real());
    world.floods.model = floods;
    // Nobody of the demonstration listens to updates.
    world.pushes_on = false;
    world
}

impl Stage {
    /// Sets everything up in an empty directory.
    ///
    /// # Errors
    /// The directory is not empty of earlier runs, cannot be written, or is in use.
    pub async fn set(plan: Plan, data_dir: &Path) -> Result<Self, Failure> {
        let engines = Engines::start(data_dir).await?;
        let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
        let queue: Arc<dyn Queue> = Arc::new(engines.queue());
        let earlier = table.list(List::Tasks).await.map_err(|error| Failure::failed(&error))?;
        if !earlier.is_empty() {
            let dir = data_dir.display();
            return Err(Failure::Input(format!("{dir} holds the data of an earlier run: choose an empty directory")));
        }
        let accounts: Vec<UserId> = plan.world.users.keys().copied().collect();
        let simulation = Simulation::start(plan.world, 0)?;
        let sessions = Sessions::new(data_dir.join("sessions"));
        let setup = simulation.setup()?;
        let zone = TimeZone::system();
        let now = Clock::system().now();
        let today = now.to_zoned(zone.clone()).date();
        for (n, account) in accounts.iter().enumerate() {
            let session = simulation.sign_in(*account, &sessions).await?;
            let joining = Joining {
                id: session.account,
                phone_masked: session.phone_masked,
                label: session.name,
                priority: pool::priority(n),
                daily_budget: plan.daily_budget,
            };
            pool::join(table.as_ref(), joining, now, today).await.map_err(|error| Failure::failed(&error))?;
        }
        let data_dir = data_dir.to_owned();
        Ok(Self { simulation, engines, table, queue, sessions, accounts, zone, data_dir, setup })
    }

    /// A host in this process.
    pub fn life(&self) -> Life {
        Life {
            setup: self.setup.clone(),
            sessions: self.sessions.clone(),
            table: self.table.clone(),
            queue: self.queue.clone(),
            zone: self.zone.clone(),
            data_dir: self.data_dir.clone(),
        }
    }

    /// A host in a process of its own: writes the file that describes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn host_file(&self) -> Result<PathBuf, Failure> {
        let rsa = self.simulation.rsa();
        let key = (rsa.modulus.clone(), rsa.exponent.clone());
        let path = self.data_dir.join("host.json");
        let sessions_dir = self.data_dir.join("sessions");
        HostFile::new(&self.engines, &self.setup, key, &sessions_dir, &self.data_dir).save(&path)?;
        Ok(path)
    }

    /// Messages that arrived in a chat so far.
    pub fn arrived(&self, chat: ChatId) -> usize {
        self.simulation.with_world(|world| world.chat(chat).map_or(0, |chat| chat.history.appended().len()))
    }
}

/// A world whose source is a Telegram Desktop export.
///
/// # Errors
/// The file is missing or broken; the text names the place.
pub fn exported_world(_seed: u64, _accounts: usize, file: &Path, _floods: FloodModel) -> Result<World, Failure> {
    Err(Failure::Input(format!("cannot read {}", file.display())))
}
