//! `ferry account`: accounts join the pool, and are listed.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use secrecy::SecretString;
use session_host::admission::{Admission, admit};
use session_host::login::{AfterCode, LoginError, SignIn, SignedIn};
use transfer::clock::Clock;
use transfer::table::Table;

use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::failure::Failure;
use crate::host::BOT_ID;
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::pool::{self, DAILY_BUDGET_DEFAULT};
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
            What::Add(adding) => add(adding, &configuration, &table, terminal).await,
            What::List => list(table.as_ref(), terminal).await,
        },
    };
    engines.stop().await;
    ended
}

async fn add(
    adding: AddOptions,
    configuration: &Configuration,
    table: &Arc<dyn Table>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let clock = Clock::system();
    let keys = Keys::at(&configuration.data_dir);
    keys.ready(&configuration.data_dir, table, clock.now()).await?;
    let members = pool::members(table.as_ref()).await.map_err(|error| Failure::failed(&error))?;
    let begun = SignIn::begin(configuration.setup.clone(), &clock).await;
    let mut sign_in = begun.map_err(|error| Failure::input(&error))?;
    let admission = Admission {
        label: adding.label,
        priority: adding.priority.unwrap_or_else(|| pool::priority(members.len())),
        daily_budget: Some(adding.daily_budget).filter(|budget| *budget > 0),
        ..Admission::default()
    };
    let ended = match log_in(&mut sign_in, terminal).await {
        Err(failure) => Err(failure),
        Ok(signed_in) => {
            let (now, sessions) = (clock.now(), keys.sessions(table.clone()));
            let today = now.to_zoned(configuration.zone.clone()).date();
            let admitted = admit(table.as_ref(), &sessions, &signed_in, &admission, now, today).await;
            if admitted.is_err()
                && let Err(error) = sign_in.log_out().await
            {
                tracing::warn!(%error, "a login that was not kept is still open; end it in Telegram's settings");
            }
            admitted.map_err(|error| Failure::input(&error))
        }
    };
    sign_in.close().await;
    terminal.line(format!("{} is in the pool.", ended?.label));
    Ok(())
}

async fn log_in(sign_in: &mut SignIn, terminal: &Terminal) -> Result<SignedIn, Failure> {
    let asked = |answer: std::io::Result<String>| {
        answer.map(SecretString::from).map_err(|error| Failure::Input(format!("no answer: {error}")))
    };
    let phone = asked(terminal.ask("Phone number, with country code"))?;
    let sent = sign_in.send_code(&phone).await.map_err(|error| Failure::input(&error))?;
    terminal.line(format!("Telegram sent a code: {:?}", sent.by));
    let mut attempts = 0;
    let outcome = loop {
        // A code that is typed where others see it is still no secret of long life, but it is not shown either.
        let code = asked(terminal.ask_secret("Code"))?;
        match sign_in.code(&code).await {
            Err(error @ LoginError::WrongCode) if attempts + 1 < ATTEMPTS_MAX => {
                attempts += 1;
                terminal.line(error.to_string());
            }
            outcome => break outcome.map_err(|error| Failure::input(&error))?,
        }
    };
    let hint = match outcome {
        AfterCode::Done(signed_in) => return Ok(signed_in),
        AfterCode::Password { hint } => hint.map_or_else(String::new, |hint| format!(" (hint: {hint})")),
    };
    let mut attempts = 0;
    loop {
        let password = asked(terminal.ask_secret(&format!("Two-step password{hint}")))?;
        match sign_in.password(&password).await {
            Err(error @ LoginError::WrongPassword { .. }) if attempts + 1 < ATTEMPTS_MAX => {
                attempts += 1;
                terminal.line(error.to_string());
            }
            outcome => return outcome.map_err(|error| Failure::input(&error)),
        }
    }
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
