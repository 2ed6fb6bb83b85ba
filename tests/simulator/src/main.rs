//! The simulator alone: `simulator [SCENARIO.json [FIRST_PORT]]`. Prints where its data centres listen and its RSA key,
//! and serves until it is ended.

use anyhow::{Context, anyhow};
use simulator::scenario::Scenario;
use simulator::server::{Config, Simulator};
use simulator::time::Clock;
use simulator::world::World;
use std::io::Write;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let world = match arguments.next() {
        Some(path) => world(&path)?,
        None => World::new(1, Clock::real()),
    };
    let first_port: u16 = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let ports = (0..5).map(|dc| if first_port == 0 { 0 } else { first_port + dc }).collect();
    let simulator = Simulator::start(Config { ports, ..Config::new(world) }).await?;
    let mut out = std::io::stdout().lock();
    for (dc, address) in simulator.dcs() {
        writeln!(out, "dc {dc} {address}")?;
    }
    let rsa = simulator.rsa();
    writeln!(out, "fingerprint {}\n{}", rsa.fingerprint, rsa.pem)?;
    drop(out);
    std::future::pending().await
}

fn world(path: &str) -> anyhow::Result<World> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the scenario {path}"))?;
    let world = Scenario::from_json(&text).and_then(|scenario| scenario.build(Clock::real()));
    world.map_err(|reason| anyhow!("{path} is no scenario: {reason}"))
}
