//! `ferry host`: a session host in a process of its own, for the demo, which kills it.

use std::path::PathBuf;

use clap::Args;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::host::HostFile;
use crate::logging::LogOptions;

/// Options of `ferry host`.
#[derive(Debug, Args)]
pub struct HostOptions {
    /// What to run
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs until SIGTERM, or until standard input ends: then whoever started it is gone.
///
/// # Errors
/// The file is no host file, another host lives on the same data, or the host had to give up.
pub async fn run(options: HostOptions, log: &LogOptions) -> Result<(), Failure> {
    log.start(None)?;
    let life = HostFile::load(&options.config)?.life()?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Failure::failed(&error))?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut listener = tokio::task::JoinSet::new();
    listener.spawn(async move {
        let mut rest = Vec::new();
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = stdin.read_to_end(&mut rest) => {}
        }
        told.cancel();
    });
    let ended = life.live(stop).await;
    if let Err(failure) = &ended {
        // Nobody reads what this process says.
        tracing::error!(why = failure.line(), "the host ended");
    }
    ended
}
