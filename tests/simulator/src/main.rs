//! The simulator alone: `simulator [SCENARIO.json [FIRST_PORT]] [--control-port PORT] [--bot-api-port PORT]`.
//!
//! Prints where its data centres, its control API and its Bot API listen (0, or no option: on any free port) and its RSA
//! key, and serves until it is ended.

use anyhow::{Context, anyhow, bail};
use simulator::scenario::Scenario;
use simulator::server::{Config, Simulator};
use simulator::time::Clock;
use simulator::world::World;
use simulator::{bot_api, control};
use std::io::Write;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

#[derive(Default)]
struct Options {
    scenario: Option<String>,
    first_port: u16,
    control_port: u16,
    bot_api_port: u16,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
        let mut options = Options::default();
        let mut plain = 0;
        while let Some(argument) = arguments.next() {
            let port = |text: Option<String>| -> anyhow::Result<u16> {
                let text = text.with_context(|| format!("{argument} needs a port"))?;
                text.parse().with_context(|| format!("{argument} {text}: that is no port"))
            };
            match argument.as_str() {
                "--control-port" => options.control_port = port(arguments.next())?,
                "--bot-api-port" => options.bot_api_port = port(arguments.next())?,
                other if other.starts_with("--") => bail!("there is no option {other}"),
                _ if plain == 0 => options.scenario = Some(argument.clone()),
                _ if plain == 1 => options.first_port = port(Some(argument.clone()))?,
                other => bail!("too many arguments: {other}"),
            }
            plain += usize::from(!argument.starts_with("--"));
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let world = match &options.scenario {
        Some(path) => world(path)?,
        None => World::new(1, Clock::real()),
    };
    let first = options.first_port;
    let ports = (0..5).map(|dc| if first == 0 { 0 } else { first + dc }).collect();
    let simulator = Simulator::start(Config { ports, ..Config::new(world) }).await?;
    let control = listener(options.control_port).await?;
    let bot_api = listener(options.bot_api_port).await?;
    let mut out = std::io::stdout().lock();
    for (dc, address) in simulator.dcs() {
        writeln!(out, "dc {dc} {address}")?;
    }
    let rsa = simulator.rsa();
    writeln!(out, "fingerprint {}\n{}", rsa.fingerprint, rsa.pem)?;
    writeln!(out, "control http://{}", control.local_addr()?)?;
    writeln!(out, "bot-api http://{}", bot_api.local_addr()?)?;
    drop(out);
    tokio::select! {
        ended = control::serve(&simulator, control) => ended?,
        ended = bot_api::serve(&simulator, bot_api) => ended?,
    }
    Ok(())
}

async fn listener(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| format!("cannot listen on port {port}"))
}

fn world(path: &str) -> anyhow::Result<World> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the scenario {path}"))?;
    let world = Scenario::from_json(&text).and_then(|scenario| scenario.build(Clock::real()));
    world.map_err(|reason| anyhow!("{path} is no scenario: {reason}"))
}
