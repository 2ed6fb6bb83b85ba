//! What a demonstration plays on: a simulated world with a full channel and an empty one, engines, and accounts that are
//! signed in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use session_host::telegram::setup::Setup;
use simulator::export::{self, Loading};
use simulator::scenario;
use simulator::time::Clock as SimulatorClock;
use simulator::world::chat::Role;
use simulator::world::floods::FloodModel;
use simulator::world::generated::Mix;
use simulator::world::{ChatId, UserId, World};
use transfer::bot::telegram::TelegramSettings;
use transfer::clock::Clock;
use transfer::ids::HostId;
use transfer::queue::Queue;
use transfer::table::{List, Table};
use webhook::gate::Admins;

use super::admin;
use crate::configuration::{BotConfiguration, Configuration};
use crate::engines::Engines;
use crate::failure::Failure;
use crate::host::{Audience, BOT_ID, HostFile, Life, Who};
use crate::keys::Keys;
use crate::simulation::{Ports, Simulation};

/// Seconds of a reported wait that pass in one real second, for one account; with more, each waits less often, so that
/// its waits can last longer. With three, 20 to 50 minutes become 4 to 10 seconds.
const TIME_SCALE_OF_ONE: f64 = 900.0;

/// What a generated source channel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SourceMix {
    /// Albums, media, polls, replies, forwards, service messages and holes.
    Everything,
    /// Texts alone.
    Text,
}

impl SourceMix {
    /// As the simulator has it.
    pub fn mix(self) -> Mix {
        match self {
            Self::Everything => Mix::default(),
            Self::Text => Mix::text_only(),
        }
    }
}

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
    /// What opens the sessions.
    pub keys: Keys,
    /// The chat that is `@source`.
    pub source: ChatId,
    /// The accounts' user ids.
    pub accounts: Vec<UserId>,
    /// The admin's zone.
    pub zone: TimeZone,
    data_dir: PathBuf,
    setup: Setup,
}

/// How the stage is to be.
pub struct Plan {
    /// The world, with `@source` and `@target`.
    pub world: World,
    /// The chat that is `@source`.
    pub source: ChatId,
    /// Who is to be in the pool, the first choice first.
    pub accounts: Vec<UserId>,
    /// Messages a day and account.
    pub daily_budget: Option<u32>,
}

/// The flood model of this name: `reported` with shrunken waits, anything else as it is written.
///
/// # Errors
/// There is no such model.
pub fn flood_model(name: &str, accounts: usize) -> Result<FloodModel, Failure> {
    let accounts = f64::from(u32::try_from(accounts.max(1)).unwrap_or(u32::MAX));
    flood_model_scaled(name, if name == "reported" { (TIME_SCALE_OF_ONE / accounts).max(1.0) } else { 1.0 })
}

/// The flood model of this name, with its waits, gaps and refills divided by `scale`.
///
/// # Errors
/// There is no such model.
pub fn flood_model_scaled(name: &str, scale: f64) -> Result<FloodModel, Failure> {
    FloodModel::parse(name, scale).map_err(Failure::Input)
}

impl Plan {
    /// A generated source.
    pub fn generated(seed: u64, accounts: usize, messages: i32, mix: SourceMix, floods: FloodModel) -> Self {
        let mut world = scenario::transfer(seed, accounts, messages, mix.mix(), SimulatorClock::real());
        world.floods.model = floods;
        let accounts = world.users.keys().copied().collect();
        Self { world, source: scenario::SOURCE, accounts, daily_budget: None }
    }

    /// The largest channel or supergroup of a Telegram Desktop export as source.
    ///
    /// # Errors
    /// The file is missing or broken, and the text names the place; or it holds no channel.
    pub fn exported(seed: u64, accounts: usize, file: &Path, floods: FloodModel) -> Result<Self, Failure> {
        let named = |why: &dyn std::fmt::Display| Failure::Input(format!("{}: {why}", file.display()));
        let json = std::fs::read(file).map_err(|error| named(&error))?;
        let mut plan = Self::generated(seed, accounts, 0, SourceMix::Everything, floods);
        plan.world.chats.remove(&scenario::SOURCE);
        let members = plan.accounts.iter().map(|account| (*account, Role::Member)).collect();
        let loading = Loading { members, ..Loading::default() };
        let loaded = export::load(&mut plan.world, &json, &loading).map_err(|error| named(&error))?;
        let channels = loaded.iter().filter(|chat| chat.id.is_channel());
        let largest = channels.max_by_key(|chat| chat.messages);
        let largest = largest.ok_or_else(|| named(&"it holds no channel or supergroup"))?;
        if largest.messages == 0 {
            return Err(named(&"there are no messages in it"));
        }
        if let Some(chat) = plan.world.chats.get_mut(&largest.id) {
            chat.username = Some("source".to_owned());
        }
        plan.source = largest.id;
        Ok(plan)
    }
}

/// What of a stage stands on running engines.
struct Play {
    simulation: Simulation,
    setup: Setup,
    table: Arc<dyn Table>,
    keys: Keys,
    source: ChatId,
    accounts: Vec<UserId>,
    zone: TimeZone,
}

impl Play {
    async fn begin(plan: Plan, engines: &Engines, data_dir: &Path) -> Result<Self, Failure> {
        let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
        let earlier = table.list(List::Tasks).await.map_err(|error| Failure::failed(&error))?;
        if !earlier.is_empty() {
            let dir = data_dir.display();
            return Err(Failure::Input(format!("{dir} holds the data of an earlier run: choose an empty directory")));
        }
        let Plan { mut world, source, accounts, daily_budget } = plan;
        // Nobody of the demonstration listens to updates.
        world.pushes_on = false;
        let simulation = Simulation::start(world, Ports::default())?;
        let keys = Keys::at(data_dir);
        keys.ready(data_dir, &table, Clock::system().now()).await?;
        let setup = simulation.setup()?;
        let zone = TimeZone::system();
        simulation.fill_pool(&accounts, &keys, &table, daily_budget, &zone).await?;
        Ok(Self { simulation, setup, table, keys, source, accounts, zone })
    }
}

impl Stage {
    /// Sets everything up in an empty directory.
    ///
    /// # Errors
    /// The directory is not empty of earlier runs, cannot be written, or is in use.
    pub async fn set(plan: Plan, data_dir: &Path) -> Result<Self, Failure> {
        Self::set_on(Engines::start(data_dir).await?, plan, data_dir).await
    }

    /// The same on engines that were started in the directory already.
    ///
    /// # Errors
    /// The directory is not empty of earlier runs, or cannot be written.
    pub async fn set_on(engines: Engines, plan: Plan, data_dir: &Path) -> Result<Self, Failure> {
        match Play::begin(plan, &engines, data_dir).await {
            Ok(play) => {
                let Play { simulation, setup, table, keys, source, accounts, zone } = play;
                let (queue, data_dir) = (Arc::new(engines.queue()), data_dir.to_owned());
                Ok(Self { simulation, engines, table, queue, keys, source, accounts, zone, data_dir, setup })
            }
            Err(failure) => {
                // Whoever made the directory may remove it now.
                engines.stop().await;
                Err(failure)
            }
        }
    }

    /// A host in this process.
    pub fn life(&self) -> Life {
        Life {
            who: Who::only(),
            setup: self.setup.clone(),
            keys: self.keys.clone(),
            only: None,
            table: self.table.clone(),
            queue: self.queue.clone(),
            zone: self.zone.clone(),
            data_dir: self.data_dir.clone(),
            audience: Audience::default(),
        }
    }

    /// What `ferry serve` would read from a file: this world's Telegram, bot and admin.
    ///
    /// # Errors
    /// The bot's settings are none.
    pub fn configuration(&self) -> Result<Configuration, Failure> {
        let api = Some(format!("http://{}", self.simulation.bot_api()));
        let admins = Admins::new([admin::ADMIN.0]).map_err(|error| Failure::failed(&error))?;
        let telegram = TelegramSettings { token: admin::token(), api, proxy: None };
        Ok(Configuration {
            setup: self.setup.clone(),
            data_dir: self.data_dir.clone(),
            zone: self.zone.clone(),
            bot: Some(BotConfiguration { telegram, admins, webhook: None }),
            engines: None,
        })
    }

    /// A host in a process of its own: writes the file that describes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn host_file(&self) -> Result<PathBuf, Failure> {
        self.save_host_file(Who::only(), &self.data_dir)
    }

    /// One of several hosts in processes of their own: writes the file that describes it into a directory that only
    /// lives of this host use.
    ///
    /// # Errors
    /// The directory or the file cannot be written.
    pub fn neighbour_file(&self, id: &str) -> Result<PathBuf, Failure> {
        let dir = self.data_dir.join(id);
        std::fs::create_dir_all(&dir)
            .map_err(|error| Failure::Input(format!("cannot write {}: {error}", dir.display())))?;
        self.save_host_file(Who { id: HostId::from(id), alone: false }, &dir)
    }

    fn save_host_file(&self, who: Who, dir: &Path) -> Result<PathBuf, Failure> {
        let rsa = self.simulation.rsa();
        let key = (rsa.modulus.clone(), rsa.exponent.clone());
        let path = dir.join("host.json");
        HostFile::new(who, &self.engines, &self.setup, key, &self.keys, dir).save(&path)?;
        Ok(path)
    }

    /// Messages that arrived in a chat so far.
    pub fn arrived(&self, chat: ChatId) -> usize {
        self.simulation.with_world(|world| world.chat(chat).map_or(0, |chat| chat.history.appended().len()))
    }
}
