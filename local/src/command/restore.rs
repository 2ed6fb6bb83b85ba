//! `ferry restore`: the table as a backup holds it.

use std::path::PathBuf;

use clap::Args;
use transfer::clock::Clock;
use transfer::table::dynamo::WholeTable;

use super::backup::{RELEASE, elsewhere};
use crate::backup::plan::Sum;
use crate::backup::restore::{Decided, RestoreError};
use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::engines::{Engines, EnginesError};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// Options of `ferry restore`.
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The backup
    file: PathBuf,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// Restore this DynamoDB table instead, with credentials, region and endpoint from where AWS programs look for them
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    table: Option<String>,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

/// Restores.
///
/// # Errors
/// The file is no good, a host lives, nobody said yes (in each case nothing was changed), or the table failed on the way.
pub async fn run(options: RestoreOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(name) = &options.table {
        log.start(None)?;
        return put_back(&options, &elsewhere(name.clone()).await, true, terminal).await;
    }
    let configuration = Configuration::load(&options.config)?;
    let engines = configuration.engines().await.map_err(stop_it)?;
    let ended = on_this_machine(&options, log, &configuration, &engines, terminal).await;
    engines.stop().await;
    ended
}

/// Whoever holds the lock may be a host.
fn stop_it(error: EnginesError) -> Failure {
    match error {
        EnginesError::Busy(path) => {
            Failure::Input(format!("a ferry works on {}: stop it, then restore; nothing was changed", path.display()))
        }
        other => other.into(),
    }
}

async fn on_this_machine(
    options: &RestoreOptions,
    log: &LogOptions,
    configuration: &Configuration,
    engines: &Engines,
    terminal: &Terminal,
) -> Result<(), Failure> {
    log.start(Some(&configuration.data_dir.join("ferry.log")))?;
    // With the embedded engines the lock says that nobody else works; others may have hosts elsewhere.
    put_back(options, &engines.whole_table(), !engines.is_alone(), terminal).await?;
    let ring = Keys::at(&configuration.data_dir).vault().path().to_owned();
    if !ring.exists() {
        let ring = ring.display();
        terminal.line(format!("The key ring {ring} is missing: put the one of back then there before ferry serve."));
    }
    Ok(())
}

async fn put_back(
    options: &RestoreOptions,
    table: &WholeTable,
    watch: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let now = Clock::system().now();
    let decided = Decided::of(&options.file, table, now).await.map_err(|error| failure(&error))?;
    let at = format!("{:.0}", decided.backed_up_at());
    for line in lines(decided.sum()) {
        terminal.line(line);
    }
    if !options.yes {
        let question = format!("Put the table {} back to the backup of {at}? [y/N]", table.name());
        let answer = terminal.ask(&question).map_err(|error| Failure::Input(format!("no answer: {error}")))?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Failure::Input("nothing was done".to_owned()));
        }
    }
    decided.perform(table, watch, RELEASE, now).await.map_err(|error| failure(&error))?;
    terminal.line(format!("{} is as it was at {at}.", table.name()));
    Ok(())
}

/// What a restore comes to, for who has to say yes.
fn lines(sum: &Sum) -> Vec<String> {
    let Sum { tasks, going_on, parked, tasks_removed, accounts_kept, accounts_left, unreadable } = sum;
    let mut lines = vec![format!(
        "The backup has {tasks} tasks: {going_on} did nothing since and go on by themselves, {parked} are parked because \
         nobody wrote down what they delivered since."
    )];
    let others = [
        (*tasks_removed, "tasks that were asked for since are removed"),
        (*accounts_kept, "accounts that came since are kept"),
        (*accounts_left, "accounts that left since are not brought back"),
        (*unreadable, "items that only a newer version can read are replaced or removed"),
    ];
    lines.extend(others.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}.")));
    lines
}

fn failure(error: &RestoreError) -> Failure {
    match error {
        RestoreError::File(_) | RestoreError::Host(_) | RestoreError::Plan(_) => Failure::input(error),
        RestoreError::Unread(_) | RestoreError::CutOff(_) => Failure::failed(error),
    }
}
