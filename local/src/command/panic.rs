//! `ferry panic`: every account is signed out at Telegram and erased here, at once.

use std::path::PathBuf;

use clap::Args;
use transfer::admin;

use super::account::remove::leave;
use super::desk::{Desk, admin_failed};
use crate::configuration::FILE_DEFAULT;
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// Options of `ferry panic`.
#[derive(Debug, Args)]
pub struct PanicOptions {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

/// Signs everything out.
///
/// # Errors
/// Nobody said yes, or an account could not be signed out.
pub async fn run(options: PanicOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let desk = Desk::open(&options.config, log, terminal).await?;
    let ended = panic(&desk, options.yes).await;
    desk.close().await;
    ended
}

async fn panic(desk: &Desk, yes: bool) -> Result<(), Failure> {
    let members = desk.members().await?;
    if members.is_empty() {
        desk.terminal.line("The pool is empty: there is nothing to sign out.");
        return Ok(());
    }
    if !yes {
        let all = members.len();
        let question = format!("Sign all {all} accounts out at Telegram and erase them here? Transfers stop. [y/N]");
        let answer = desk.terminal.ask(&question).map_err(|error| Failure::Input(format!("no answer: {error}")))?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Failure::Input("nothing was done".to_owned()));
        }
    }
    if !desk.is_alone() {
        let asked = admin::panic(desk.table.as_ref(), Some(&desk.queue()), None, desk.clock.now()).await;
        asked.map_err(|error| admin_failed(&error))?;
        desk.terminal.line("The ferry that runs signs every account out and erases it now: see ferry account list.");
        return Ok(());
    }
    let sessions = desk.sessions().await?;
    let mut bad = 0;
    for member in &members {
        match leave(desk, &sessions, member).await {
            Ok(()) => desk.terminal.line(format!("{} is signed out and erased.", member.profile.label)),
            Err(failure) => {
                bad += 1;
                desk.terminal.line(failure.line());
            }
        }
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Failed(format!("{bad} of {} accounts are still there", members.len()))) }
}
