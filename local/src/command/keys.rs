//! `ferry keys`: the public key under which secrets are sealed, and changing it.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};

use super::desk::{Desk, table_failed};
use crate::configuration::FILE_DEFAULT;
use crate::failure::Failure;
use crate::keys::KeysError;
use crate::logging::LogOptions;
use crate::rotation;
use crate::terminal::Terminal;

/// Options of `ferry keys`.
#[derive(Debug, Args)]
pub struct KeysOptions {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// What to do
    #[command(subcommand)]
    what: What,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
enum What {
    /// Print the public key under which this installation seals its secrets, and which keys it has
    Show,
    /// Seal everything under a new key; what was begun and cut off is finished instead
    Rotate,
}

/// Does it.
///
/// # Errors
/// Bad configuration, a ring that is missing or does not fit, or the table failed.
pub async fn run(options: KeysOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let desk = Desk::open(&options.config, log, terminal).await?;
    let ended = match options.what {
        What::Show => show(&desk).await,
        What::Rotate => rotate(&desk).await,
    };
    desk.close().await;
    ended
}

async fn show(desk: &Desk) -> Result<(), Failure> {
    desk.sessions().await?;
    let failed = |error| Failure::from(KeysError::from(error));
    let current = desk.keys.vault().current().map_err(failed)?;
    let used = rotation::used(desk.table.as_ref()).await.map_err(|error| table_failed(&error))?;
    desk.terminal.line(current.to_string());
    for id in desk.keys.vault().keys().map_err(failed)? {
        let words = match (id == *current.id(), used.contains(&id)) {
            (true, _) => "current",
            (false, true) => "still in use: run ferry keys rotate",
            (false, false) => "not in use any more; leaves the ring with a later ferry keys rotate",
        };
        desk.terminal.line(format!("# key {}: {words}", id.0));
    }
    Ok(())
}

async fn rotate(desk: &Desk) -> Result<(), Failure> {
    desk.sessions().await?;
    #[expect(clippy::disallowed_methods, reason = "the age of a file is told by the machine's clock")]
    let now = SystemTime::now();
    let rotated = rotation::rotate(&desk.keys, desk.table.as_ref(), now).await;
    let rotated = rotated.map_err(|error| Failure::failed(&error))?;
    desk.terminal.line(format!("{} secrets were sealed anew, under key {}.", rotated.resealed, rotated.current.0));
    for id in &rotated.retired {
        desk.terminal.line(format!("Key {} left the ring: nothing needs it any more.", id.0));
    }
    for id in &rotated.kept {
        desk.terminal.line(format!("Key {} stays for now; ferry keys rotate an hour from now lets it go.", id.0));
    }
    Ok(())
}
