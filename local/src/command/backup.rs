//! `ferry backup`: the table in a file, also while a ferry serves.

use std::path::{Path, PathBuf};

use clap::Args;
use transfer::aws::{DynamoClient, aws_config};
use transfer::clock::Clock;
use transfer::table::dynamo::WholeTable;

use super::desk::Desk;
use crate::backup::file::FileError;
use crate::backup::take::{TakeError, Taken, take};
use crate::configuration::FILE_DEFAULT;
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// What calls itself so in what it writes.
pub(super) const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Options of `ferry backup`.
#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The file to write; it must not be there yet
    file: PathBuf,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// Back up this DynamoDB table instead, with credentials, region and endpoint from where AWS programs look for them
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    table: Option<String>,
}

/// Makes a backup.
///
/// # Errors
/// The file is there already or cannot be written, or the table cannot be read; no file is left.
pub async fn run(options: BackupOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(name) = options.table {
        log.start(None)?;
        let taken = make(&elsewhere(name).await, &options.file).await?;
        say(terminal, &options.file, taken);
        terminal.line("The private keys that open the sessions are not in it: they are where the host gets them from.");
        return Ok(());
    }
    let desk = Desk::open(&options.config, log, terminal).await?;
    let made = make(&desk.whole_table(), &options.file).await;
    let ring = desk.keys.vault().path().to_owned();
    desk.close().await;
    say(terminal, &options.file, made?);
    let ring = ring.display();
    terminal
        .line(format!("The key ring that opens its sessions is not in it: keep {ring} apart from it, and as safe."));
    Ok(())
}

/// A table that is not of this machine.
pub(super) async fn elsewhere(name: String) -> WholeTable {
    WholeTable::new(&DynamoClient::new(&aws_config().await), name)
}

async fn make(table: &WholeTable, file: &Path) -> Result<Taken, Failure> {
    take(table, file, RELEASE, Clock::system().now()).await.map_err(|error| match &error {
        TakeError::File(FileError::Exists(_)) => Failure::input(&error),
        TakeError::File(_) | TakeError::Table(_) => Failure::failed(&error),
    })
}

fn say(terminal: &Terminal, file: &Path, taken: Taken) {
    let Taken { items, tasks } = taken;
    terminal.line(format!("{}: {items} items, {tasks} tasks. Nothing secret stands in it in clear.", file.display()));
}
