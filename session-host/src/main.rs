//! The session host as a program of its own, for AWS: it reads its environment, wires settings, clients and engine, and works until
//! it is told to stop. `session-host --check-health` asks the host on the same machine whether it may act.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_kms::Client as KmsClient;
use session_host::engine::{CHECK_IDLE_AFTER, HostConfig, Ports, Reception, SessionHost};
use session_host::session::Sessions;
use session_host::settings::{HEALTH_PORT, HEALTH_PORT_DEFAULT, KEYS, Settings};
use session_host::telegram::GrammersTelegram;
use session_host::vault::Vault;
use session_host::vault::wrapped::Kms;
use session_host::{core_dumps, health, interruption};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::aws::{DynamoClient, SqsClient, aws_config};
use transfer::bot::telegram::TelegramBot;
use transfer::clock::Clock;
use transfer::environment::Environment;
use transfer::ids::{HostId, Incarnation};
use transfer::installation;
use transfer::measuring::Measuring;
use transfer::queue::sqs::SqsQueue;
use transfer::seal::Sealer;
use transfer::table::dynamo::DynamoTable;

/// The one thing that can be said on the command line.
const CHECK_HEALTH: &str = "--check-health";
/// Transfers that one host works on at the same time.
const TASKS_MAX: usize = 16;
/// Messages in one forward call; Telegram allows no more.
const CHUNK_LEN_MAX: u32 = 100;
/// How often the metrics are written out: CloudWatch keeps one figure a minute.
const MEASURED_EVERY: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        [CHECK_HEALTH] => return checked(),
        _ => {
            return told("usage: session-host [--check-health]; everything else is said by environment variables");
        }
    }
    tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_writer(std::io::stderr).init();
    match lived() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the host ends: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the host's configuration is its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn checked() -> ExitCode {
    let port = Environment::new(variable).number(HEALTH_PORT).ok().flatten().unwrap_or(HEALTH_PORT_DEFAULT);
    match health::ask(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => told(&format!("the host is not well: {error}")),
    }
}

#[expect(clippy::print_stderr, reason = "a command of a moment has no log")]
fn told(line: &str) -> ExitCode {
    eprintln!("{line}");
    ExitCode::from(2)
}

fn lived() -> anyhow::Result<()> {
    core_dumps::forbid().context("core dumps, which could hold secrets, cannot be forbidden")?;
    let settings = Settings::read(variable)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(live(settings))
}

async fn live(settings: Settings) -> anyhow::Result<()> {
    let address = health::address(settings.health_port);
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {address}, where health is told: set {HEALTH_PORT}"))?;
    let namespace = settings.metrics.clone();
    let measuring = namespace.map(|namespace| Measuring::start(namespace, settings.stage.clone())).transpose()?;
    let release = settings.release.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    let stop = CancellationToken::new();
    let host = host(settings, release.clone(), stop.clone()).await?;
    let mut beside = JoinSet::new();
    beside.spawn(health::tell(listener, host.vitality()));
    beside.spawn(async move {
        match interruption::interrupted().await {
            Ok(()) => tracing::info!("told to stop: calls in flight end, then everything is given back"),
            Err(error) => tracing::error!(%error, "signals cannot be listened to; the host stops"),
        }
        stop.cancel();
        std::future::pending::<()>().await;
    });
    if let Some(measuring) = measuring {
        beside.spawn(write_out_for_ever(measuring));
    }
    tracing::info!(release, "the host begins");
    let ended = host.run().await;
    beside.shutdown().await;
    if let Some(measuring) = measuring {
        measuring.write_out();
    }
    ended.context("the host had to give up")
}

async fn host(settings: Settings, release: String, stop: CancellationToken) -> anyhow::Result<SessionHost> {
    let aws = aws_config().await;
    let kms = Kms::new(&KmsClient::new(&aws), settings.stage);
    let vault: Vault = settings.keys.open(|wrapped| kms.unwrap_key(wrapped), KEYS).await?;
    let sealer = Sealer::fixed(vault.current()?);
    let table = Arc::new(DynamoTable::new(&DynamoClient::new(&aws), settings.table, settings.bot_id));
    let clock = Clock::system();
    installation::enter(table.as_ref(), &release, clock.now()).await?;
    let sessions = Sessions::new(table.clone(), sealer.clone(), vault.clone());
    let telegram = GrammersTelegram::new(settings.setup.clone(), sessions.clone(), clock.clone());
    let config = HostConfig {
        // A place in AWS is used once: whatever comes after this process is another one.
        id: HostId(format!("aws-{}", uuid::Uuid::new_v4().simple())),
        incarnation: Incarnation(uuid::Uuid::new_v4().to_string()),
        release,
        exclusive: false,
        alone: false,
        tasks_max: TASKS_MAX,
        chunk_len_max: CHUNK_LEN_MAX,
        zone: settings.zone,
        admins: settings.admins,
        only_account: None,
        check_idle_after: CHECK_IDLE_AFTER,
    };
    let ports = Ports {
        telegram: Arc::new(telegram),
        table,
        queue: Arc::new(SqsQueue::new(&SqsClient::new(&aws), settings.queue_url)),
        bot: Some(Arc::new(TelegramBot::new(&settings.telegram)?)),
        reception: Some(Reception { setup: settings.setup, sessions, sealer, vault }),
        clock,
    };
    Ok(SessionHost::new(config, ports, stop))
}

#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
async fn write_out_for_ever(measuring: Measuring) {
    loop {
        tokio::time::sleep(MEASURED_EVERY).await;
        measuring.write_out();
    }
}
