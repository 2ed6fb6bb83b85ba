//! `ferry account`: accounts join the pool, and are listed.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use secrecy::SecretString;
use session_host::login::{AfterCode, LoggedIn, Login, LoginError};
use session_host::session::Sessions;
use transfer::clock::Clock;
use transfer::table::Table;

use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::failure::Failure;
use crate::host::BOT_ID;
use crate::logging::LogOptions;
use crate::pool::{self, DAILY_BUDGET_DEFAULT, Joining};
use crate::progress::words::{grouped, standing};
use crate::terminal::Terminal;

/// Wrong codes and passwords in a row that are forgiven; Telegram forgives not many more.
const ATTEMPTS_MAX: u32 = 3;

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

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
enum What {
    /// Log an account in and put it into the pool; phone, code and password are asked for
    Add(AddOptions),
    /// List the pool
    List,
}

/// Options of `ferry account add`.
#[derive(Debug, Args)]
struct AddOptions {
    /// What to call it; its name at Telegram if left out
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Accounts of higher priority go first
    #[arg(long, value_name = "N")]
    priority: Option<i32>,
    /// Messages a day; 0: no limit
    #[arg(long, value_name = "N", default_value_t = DAILY_BUDGET_DEFAULT)]
    daily_budget: u32,
}

/// Does it.
///
/// # Errors
/// Bad configuration, data in use, or Telegram refused the login.
pub async fn run(options: AccountOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let configuration = Configuration::load(&options.config)?;
    let engines = configuration.engines().await?;
    let default_log = configuration.data_dir.join("ferry.log");
    let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
    let ended = match log.start(Some(&default_log)) {
        Err(failure) => Err(failure),
        Ok(()) => match options.what {
            What::Add(adding) => add(adding, &configuration, table.as_ref(), terminal).await,
            What::List => list(table.as_ref(), terminal).await,
        },
    };
    engines.stop().await;
    ended
}

async fn add(
    adding: AddOptions,
    configuration: &Configuration,
    table: &dyn Table,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let members = pool::members(table).await.map_err(|error| Failure::failed(&error))?;
    let account = log_in(configuration, terminal).await?;
    let clock = Clock::system();
    let now = clock.now();
    let label = adding.label.unwrap_or_else(|| account.name.clone());
    let joining = Joining {
        id: account.account,
        phone_masked: account.phone_masked,
        priority: adding.priority.unwrap_or_else(|| pool::priority(members.len())),
        daily_budget: Some(adding.daily_budget).filter(|budget| *budget > 0),
        label: label.clone(),
    };
    let joined = pool::join(table, joining, now, now.to_zoned(configuration.zone.clone()).date()).await;
    joined.map_err(|error| Failure::failed(&error))?;
    terminal.line(format!("{label} is in the pool."));
    Ok(())
}

async fn log_in(configuration: &Configuration, terminal: &Terminal) -> Result<LoggedIn, Failure> {
    let asked = |answer: std::io::Result<String>| {
        answer.map(SecretString::from).map_err(|error| Failure::Input(format!("no answer: {error}")))
    };
    let phone = asked(terminal.ask("Phone number, with country code"))?;
    let sessions = Sessions::new(configuration.sessions_dir());
    let started = Login::start(configuration.setup.clone(), sessions, &Clock::system(), phone).await;
    let (mut login, sent) = started.map_err(|error| Failure::input(&error))?;
    terminal.line(format!("Telegram sent a code: {}", sent.how));
    let mut attempts = 0;
    let outcome = loop {
        // A code that is typed where others see it is still no secret of long life, but it is not shown either.
        let code = asked(terminal.ask_secret("Code"))?;
        match login.code(&code).await {
            Err(error @ LoginError::WrongCode) if attempts + 1 < ATTEMPTS_MAX => {
                attempts += 1;
                terminal.line(error.to_string());
            }
            outcome => break outcome,
        }
    };
    let done = match outcome.map_err(|error| Failure::input(&error)) {
        Ok(AfterCode::Done(account)) => Ok(account),
        Ok(AfterCode::Password { hint }) => {
            let hint = hint.map_or_else(String::new, |hint| format!(" (hint: {hint})"));
            let mut attempts = 0;
            loop {
                let password = asked(terminal.ask_secret(&format!("Two-step password{hint}")))?;
                match login.password(&password).await {
                    Err(error @ LoginError::WrongPassword { .. }) if attempts + 1 < ATTEMPTS_MAX => {
                        attempts += 1;
                        terminal.line(error.to_string());
                    }
                    outcome => break outcome.map_err(|error| Failure::input(&error)),
                }
            }
        }
        Err(failure) => Err(failure),
    };
    login.close().await;
    done
}

async fn list(table: &dyn Table, terminal: &Terminal) -> Result<(), Failure> {
    let members = pool::members(table).await.map_err(|error| Failure::failed(&error))?;
    if members.is_empty() {
        terminal.line("The pool is empty. Add an account with: ferry account add");
    }
    let now = Clock::system().now();
    for member in &members {
        terminal.line(format!(
            "{:<20} {:<10} priority {:>3}  {:>9} forwarded  {:>4} floods  {}",
            member.profile.label,
            member.account.phone_masked,
            member.profile.priority,
            grouped(member.account.total.forwarded),
            member.account.total.floods,
            standing(member, now)
        ));
    }
    Ok(())
}
