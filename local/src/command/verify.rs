//! `ferry verify`: whether this installation works, part by part.

use std::path::PathBuf;

use clap::Args;
use transfer::clock::Clock;

use super::backup::RELEASE;
use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::failure::Failure;
use crate::host::BOT_ID;
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::terminal::Terminal;
use crate::verify::{self, Part, State, data, host, telegram};

/// Options of `ferry verify`.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
}

/// Looks at each part and tells how it is.
///
/// # Errors
/// The configuration cannot be read, or a part failed.
pub async fn run(options: VerifyOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let configuration = Configuration::load(&options.config)?;
    let now = Clock::system().now();
    let mut parts = vec![Part::ok("configuration", options.config.display().to_string())];
    let directory = if configuration.data_dir.exists() {
        data::directory(&configuration.data_dir)
    } else {
        let found = format!("{} is not there yet", configuration.data_dir.display());
        Part::warning("data directory", found, "it is made by the first command that needs it")
    };
    let usable = directory.state == State::Ok || directory.state == State::Warning && configuration.data_dir.exists();
    parts.push(directory);
    // Before this process writes a line of its own.
    parts.push(data::log(&configuration.data_dir, now));
    let mut runs = false;
    if usable {
        log.start(Some(&configuration.data_dir.join("ferry.log")))?;
        runs = on_engines(&configuration, &mut parts).await;
    }
    parts.extend(telegram::parts(configuration.bot.as_ref(), runs, now).await);
    for line in verify::lines(&parts) {
        terminal.line(line);
    }
    let failed = parts.iter().filter(|part| part.state == State::Failed).count();
    if failed == 0 { Ok(()) } else { Err(Failure::Failed(format!("{failed} of {} parts failed", parts.len()))) }
}

/// What needs table and queue; says whether another process works on them.
async fn on_engines(configuration: &Configuration, parts: &mut Vec<Part>) -> bool {
    let engines = match configuration.engines_or_beside().await {
        Ok(engines) => engines,
        Err(error) => {
            parts.push(Part::failed("table", Failure::from(error).line(), ""));
            return false;
        }
    };
    let table = engines.table(BOT_ID);
    parts.push(data::table(&engines).await);
    parts.push(data::schema(&table).await);
    parts.push(data::keys(&Keys::at(&configuration.data_dir), &table).await);
    parts.extend(data::queue(&engines).await);
    let runs = engines.is_beside();
    parts.push(host::host(&table, runs, RELEASE).await);
    parts.push(data::accounts(&table).await);
    engines.stop().await;
    runs
}
