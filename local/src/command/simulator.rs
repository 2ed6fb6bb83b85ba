//! `ferry simulator`: the simulated Telegram alone, for people who develop against it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use simulator::scenario::Scenario;
use simulator::time::Clock as SimulatorClock;
use simulator::world::{UserId, World};
use transfer::clock::Clock;
use transfer::table::Table;

use crate::demo::stage::{Plan, SourceMix, flood_model, flood_model_scaled};
use crate::engines::{EngineAddresses, Engines};
use crate::failure::Failure;
use crate::host::BOT_ID;
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::simulation::{Ports, Simulation};
use crate::terminal::Terminal;
use session_host::interruption::interrupted;

/// What is written is its owner's alone.
const PRIVATE: u32 = 0o600;
/// How often new login codes are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Options of `ferry simulator`.
#[derive(Debug, Args)]
pub struct SimulatorOptions {
    /// The first data centre's port; the other four follow. Any free ones if left out
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// The control API's port; any free one if left out
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    control_port: u16,
    /// The Bot API's port; any free one if left out
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    bot_api_port: u16,
    /// A world of your own, as JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["history", "messages", "accounts"])]
    scenario: Option<PathBuf>,
    /// A Telegram Desktop export (result.json) as @source
    #[arg(long, value_name = "FILE", conflicts_with = "messages")]
    history: Option<PathBuf>,
    /// Message ids in @source
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(i32).range(0..))]
    messages: i32,
    /// What @source holds: everything, or texts alone
    #[arg(long, value_name = "MIX", default_value = "everything")]
    mix: SourceMix,
    /// Accounts that may read @source and post in @target
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100))]
    accounts: usize,
    /// Flood limits: none, reported, or BUCKET:WAIT_SECS
    #[arg(long, value_name = "MODEL", default_value = "reported")]
    flood: String,
    /// From which everything random is drawn
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Seconds of flood waits that pass in one real second [default: for reported 900, shared
    /// by the accounts; otherwise 1]
    #[arg(long, value_name = "FACTOR")]
    scale: Option<f64>,
    /// Put the pool into table and queue of an emulator of AWS instead of embedded ones
    #[arg(long, value_name = "URL")]
    engines: Option<String>,
    /// Where to write the public key, ferry.toml and signed-in accounts; a new temporary directory if left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// A port in use, a broken file, a directory that cannot be written.
pub async fn run(options: SimulatorOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    log.start(None)?;
    let (world, accounts) = options.world()?;
    let ports = Ports { first: options.port, control: options.control_port, bot_api: options.bot_api_port };
    let simulation = Simulation::start(world, ports)?;
    let dir = match &options.data {
        Some(dir) => {
            options.prepare(&simulation, &accounts, dir).await?;
            dir.clone()
        }
        None => {
            let dir = tempfile::Builder::new().prefix("ferry-simulator-").tempdir();
            let dir = dir.map_err(|error| Failure::Input(format!("no temporary directory: {error}")))?;
            // If this fails, the directory goes with it.
            options.prepare(&simulation, &accounts, dir.path()).await?;
            dir.keep()
        }
    };
    introduce(&simulation, &accounts, &dir, terminal);
    tell_codes(&simulation, terminal).await
}

impl SimulatorOptions {
    fn world(&self) -> Result<(World, Vec<UserId>), Failure> {
        if let Some(file) = &self.scenario {
            let named = |why: &dyn std::fmt::Display| Failure::Input(format!("{}: {why}", file.display()));
            let json = std::fs::read_to_string(file).map_err(|error| named(&error))?;
            let scenario = Scenario::from_json(&json).map_err(|why| named(&why))?;
            let world = scenario.build(SimulatorClock::real()).map_err(|why| named(&why))?;
            let accounts = world.users.values().filter(|user| !user.phone.is_empty() && !user.bot);
            let accounts = accounts.map(|user| user.id).collect();
            return Ok((world, accounts));
        }
        let floods = match self.scale {
            None => flood_model(&self.flood, self.accounts)?,
            Some(scale) if scale.is_finite() && scale > 0.0 => flood_model_scaled(&self.flood, scale)?,
            Some(scale) => return Err(Failure::Input(format!("{scale} is no time scale: it must be above 0"))),
        };
        let plan = match &self.history {
            None => Plan::generated(self.seed, self.accounts, self.messages, self.mix, floods),
            Some(file) => Plan::exported(self.seed, self.accounts, file, floods)?,
        };
        Ok((plan.world, plan.accounts))
    }

    fn addresses(&self) -> Option<EngineAddresses> {
        let url = self.engines.clone()?;
        Some(EngineAddresses { dynamodb: url.clone(), sqs: url })
    }

    /// Writes what `ferry transfer` needs: the server's key, a configuration, and a pool that is signed in.
    async fn prepare(&self, simulation: &Simulation, accounts: &[UserId], dir: &Path) -> Result<(), Failure> {
        let data_dir = dir.join("ferry-data");
        let engines = match self.addresses() {
            None => Engines::start(&data_dir).await?,
            Some(addresses) => Engines::attach(&data_dir, &addresses).await?,
        };
        let keys = Keys::at(&data_dir);
        let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
        let filled = match keys.ready(&data_dir, &table, Clock::system().now()).await {
            Ok(()) => simulation.fill_pool(accounts, &keys, &table, None, &TimeZone::system()).await,
            Err(error) => Err(error.into()),
        };
        engines.stop().await;
        filled?;
        for (name, text) in [
            ("simulator.pem", simulation.rsa().pem.clone()),
            ("ferry.toml", configuration(simulation, self.addresses().as_ref())),
        ] {
            let path = dir.join(name);
            // A configuration holds an API hash: for its owner alone, also if the file stood there before.
            let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(PRIVATE).open(&path);
            let written = opened.and_then(|mut file| {
                file.set_permissions(Permissions::from_mode(PRIVATE))?;
                file.write_all(text.as_bytes())
            });
            written.map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))?;
        }
        Ok(())
    }
}

fn configuration(simulation: &Simulation, engines: Option<&EngineAddresses>) -> String {
    let mut text = String::from(
        "# For ferry, against this simulator.\ndata_dir = \"ferry-data\"\n\n[api]\nid = 12345\nhash = \"any\"\n\n\
         [telegram]\nrsa_key_file = \"simulator.pem\"\n[telegram.dcs]\n",
    );
    for (dc, address) in simulation.dcs() {
        let line = writeln!(text, "{dc} = \"{address}\"");
        line.expect("writing to a string cannot fail");
    }
    if let Some(EngineAddresses { dynamodb, sqs }) = engines {
        let section = writeln!(text, "\n[engines]\ndynamodb = \"{dynamodb}\"\nsqs = \"{sqs}\"");
        section.expect("writing to a string cannot fail");
    }
    text
}

fn introduce(simulation: &Simulation, accounts: &[UserId], dir: &Path, terminal: &Terminal) {
    for (dc, address) in simulation.dcs() {
        terminal.line(format!("DC {dc}: {address}"));
    }
    terminal.line(format!("Control API: http://{}", simulation.control()));
    terminal.line(format!("Bot API: http://{}", simulation.bot_api()));
    terminal.line(format!("RSA public key: {}", dir.join("simulator.pem").display()));
    let phones: BTreeMap<UserId, String> = simulation.with_world(|world| {
        let known = |id: &UserId| Some((*id, world.users.get(id)?.phone.clone()));
        accounts.iter().filter_map(known).collect()
    });
    let phones: Vec<&str> = phones.values().map(String::as_str).collect();
    terminal.line(format!("Accounts: {}", phones.join(", ")));
    let config = dir.join("ferry.toml");
    terminal.line(format!("Try: ferry transfer --config {} --from @source --to @target", config.display()));
    terminal.line("Ctrl-C ends it. Login codes appear here.");
}

/// Shows codes as they are sent, until Ctrl-C or SIGTERM.
async fn tell_codes(simulation: &Simulation, terminal: &Terminal) -> Result<(), Failure> {
    let mut told = 0;
    let mut ending = std::pin::pin!(interrupted());
    loop {
        tokio::select! {
            heard = &mut ending => return heard.map_err(|error| Failure::failed(&error)),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let codes: Vec<(String, String)> = simulation.with_world(|world| {
            let new = world.login.codes.all().iter().skip(told);
            new.map(|sent| (sent.phone.clone(), sent.code.clone())).collect()
        });
        told += codes.len();
        for (phone, code) in codes {
            terminal.line(format!("Login code for {phone}: {code}"));
        }
    }
}
