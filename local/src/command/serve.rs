//! `ferry serve`: the bot on this machine, until somebody stops it.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::serve::{self, Front};
use crate::single::HELP;
use crate::terminal::Terminal;
use session_host::interruption::interrupted;

/// Options of `ferry serve`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ServeOptions {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// Let another process handle what people write, such as `cargo lambda watch`: print the lines that it needs
    #[arg(long)]
    no_webhook: bool,
}

/// Serves.
///
/// # Errors
/// Bad configuration, data in use, a wrong token, or a part failed.
pub async fn run(options: ServeOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let configuration = Configuration::load(&options.config)?;
    std::fs::create_dir_all(&configuration.data_dir)
        .map_err(|error| Failure::Input(format!("cannot write to {}: {error}", configuration.data_dir.display())))?;
    log.start(Some(&configuration.data_dir.join("ferry.log")))?;
    let front = if options.no_webhook { Front::Beside } else { Front::Own };
    let stop = CancellationToken::new();
    let serving = serve::serve(&configuration, front, terminal, &stop);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        heard = interrupted() => heard.map_err(|error| Failure::failed(&error))?,
    }
    terminal.line("Stopping after the call in flight; Ctrl-C once more stops at once");
    stop.cancel();
    tokio::select! {
        ended = serving => ended,
        _again = interrupted() => Err(Failure::Interrupted("stopped at once; ferry serve goes on".to_owned())),
    }
}
