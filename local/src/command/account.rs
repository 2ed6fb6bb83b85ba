//! `ferry account`: accounts join the pool, are looked after, and leave it. All of it works beside a `ferry serve`.

mod add;
mod check;
mod csv;
mod export;
mod import;
mod list;
pub(super) mod named;
pub(super) mod remove;
mod secrets;
pub(super) mod taken;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use transfer::admin;

use super::desk::{Desk, admin_failed};
use crate::configuration::FILE_DEFAULT;
use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// Options of `ferry account`.
#[derive(Debug, Args)]
pub struct AccountOptions {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// What to do
    #[command(subcommand)]
    what: What,
}

/// What can be done with accounts. Accounts are named by id, label, or the last digits of their phone number.
#[derive(Debug, Subcommand)]
enum What {
    /// Log an account in and put it into the pool: with a QR code, or with phone number and code
    Add(add::AddOptions),
    /// Put accounts into the pool that are logged in already, by their session strings
    Import(import::ImportOptions),
    /// List the pool
    List(list::ListOptions),
    /// Ask Telegram whether sessions are still good
    Check(check::CheckOptions),
    /// Let an account be chosen again
    Enable(Which),
    /// Choose an account no more; what it is doing is finished first
    Disable(Which),
    /// Set which account goes first
    Priority {
        /// Which
        account: String,
        /// Accounts of higher priority go first
        #[arg(value_name = "N", allow_hyphen_values = true)]
        priority: i32,
    },
    /// Set what an account is called
    Label {
        /// Which
        account: String,
        /// Its new name
        name: String,
    },
    /// Put an account into a group, to which tasks can be bound
    Group {
        /// Which
        account: String,
        /// The group; none if left out
        group: Option<String>,
    },
    /// Sign an account out at Telegram, then erase it here
    Remove(remove::RemoveOptions),
    /// Seal an account's session for another installation, and print it as one line
    Export(export::ExportOptions),
}

/// One account.
#[derive(Debug, Args)]
struct Which {
    /// Which
    account: String,
}

/// Does it.
///
/// # Errors
/// Bad configuration or input, or Telegram refused.
pub async fn run(options: AccountOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let desk = Desk::open(&options.config, log, terminal).await?;
    let ended = act(&desk, options.what).await;
    desk.close().await;
    ended
}

async fn act(desk: &Desk, what: What) -> Result<(), Failure> {
    let table = desk.table.as_ref();
    match what {
        What::Add(options) => add::add(desk, options).await,
        What::Import(options) => import::import(desk, &options).await,
        What::List(options) => list::list(desk, &options).await,
        What::Check(options) => check::check(desk, &options).await,
        What::Remove(options) => remove::remove(desk, &options).await,
        What::Export(options) => export::export(desk, &options).await,
        What::Enable(which) => {
            let member = named::find(desk, &which.account).await?;
            let set = admin::set_enabled(table, &member.account.id, true).await;
            told(desk, set, format!("{} may be chosen.", member.profile.label))
        }
        What::Disable(which) => {
            let member = named::find(desk, &which.account).await?;
            let set = admin::set_enabled(table, &member.account.id, false).await;
            told(desk, set, format!("{} is not chosen any more.", member.profile.label))
        }
        What::Priority { account, priority } => {
            let member = named::find(desk, &account).await?;
            let set = admin::set_priority(table, &member.account.id, priority).await;
            told(desk, set, format!("{} has priority {priority}.", member.profile.label))
        }
        What::Label { account, name } => {
            let member = named::find(desk, &account).await?;
            let set = admin::set_label(table, &member.account.id, &name).await;
            told(desk, set, format!("{} is called {name} now.", member.profile.label))
        }
        What::Group { account, group } => {
            let member = named::find(desk, &account).await?;
            let set = admin::set_group(table, &member.account.id, group.as_deref()).await;
            let words = group.map_or_else(|| "is in no group".to_owned(), |group| format!("is in group {group}"));
            told(desk, set, format!("{} {words}.", member.profile.label))
        }
    }
}

fn told(desk: &Desk, set: Result<(), admin::AdminError>, line: String) -> Result<(), Failure> {
    set.map_err(|error| admin_failed(&error))?;
    desk.terminal.line(line);
    Ok(())
}
