//! `ferry account import`: accounts that are logged in already enter the pool by their session strings.
//!
//! Each session is checked with Telegram before it enters; nothing half added stays. A key that the pool has already is
//! noticed before anybody connects with it: Telegram ends a session that is used in two places at once.

use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret;
use session_host::admission::{Admission, admit};
use session_host::login::SignedIn;
use session_host::session::{AuthKey, Session, SessionError, Sessions};
use session_host::session_string::SessionString;
use session_host::session_string::identity::identify;
use session_host::telegram::setup::ApiCredentials;
use transfer::account::AccountState;
use transfer::admin;
use transfer::ids::AccountId;
use zeroize::Zeroizing;

use super::csv::{Listed, Row, rows};
use super::secrets::{asked_secretly, in_file, own_api};
use super::{export, named};
use crate::command::desk::{Desk, admin_failed};
use crate::failure::{Failure, told};
use crate::pool::{self, DAILY_BUDGET_DEFAULT};

/// Options of `ferry account import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Session strings of Telethon, gramjs, Pyrogram (2 and older) and mtcute are read, and lines of ferry account export.

--csv takes an export of a table userbot_sessions with a header. Columns, in any order and case: session_string (or session,
string_session); and where they are there, name (label, session_name, account_name), api_id and api_hash, is_active (active,
enabled), priority, total_forwarded (total_forwards, total_files_forwarded, total_files, forwarded_count), total_floods
(flood_count, total_flood_count, flood_wait_count), total_flood_wait_seconds (flood_wait_seconds, total_wait_seconds).

An imported session must not stay in use elsewhere: Telegram ends a session that is used in two places at once.")]
pub(super) struct ImportOptions {
    /// A file with the session string in it; asked for, without being shown, if left out
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    file: Option<PathBuf>,
    /// An export of the table userbot_sessions
    #[arg(long, value_name = "FILE", conflicts_with_all = ["label", "priority", "again", "api_id", "api_hash_file"])]
    csv: Option<PathBuf>,
    /// What to call it; its name at Telegram if left out
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Accounts of higher priority go first
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    priority: Option<i32>,
    /// Messages a day; 0: no limit
    #[arg(long, value_name = "N", default_value_t = DAILY_BUDGET_DEFAULT)]
    daily_budget: u32,
    /// The account of the pool whose session this is to be from now on: name, priority and statistics stay
    #[arg(long, value_name = "ACCOUNT")]
    again: Option<String>,
    /// The application that the session was made with, instead of the configuration's
    #[arg(long, value_name = "ID")]
    api_id: Option<i32>,
    /// A file with that application's hash in it
    #[arg(long, value_name = "FILE")]
    api_hash_file: Option<PathBuf>,
}

/// A session that somebody brought.
struct Brought {
    dc: i32,
    key: AuthKey,
    /// Whose it says that it is.
    user_id: Option<i64>,
    api: Option<ApiCredentials>,
}

/// What came of one.
enum Outcome {
    In { label: String, is_back: bool },
    There { label: String },
}

/// Imports one, or a file of them.
pub(super) async fn import(desk: &Desk, options: &ImportOptions) -> Result<(), Failure> {
    let sessions = desk.sessions().await?;
    match &options.csv {
        Some(file) => import_all(desk, &sessions, rows(file)?, options).await,
        None => import_one(desk, &sessions, options).await,
    }
}

async fn import_one(desk: &Desk, sessions: &Sessions, options: &ImportOptions) -> Result<(), Failure> {
    let text = match &options.file {
        Some(file) => in_file(file)?,
        None => {
            let typed =
                asked_secretly(&desk.terminal, "Session string, or a line of ferry account export (not shown)")?;
            Zeroizing::new(typed.expose_secret().trim().to_owned())
        }
    };
    let own = own_api(options.api_id, options.api_hash_file.as_deref())?;
    let brought = if export::is_line(&text) {
        Brought::sealed(&text, desk).map_err(Failure::Input)?
    } else {
        let read = SessionString::read(&text).map_err(|error| Failure::input(&error))?;
        if let Some(id) = read.api_id.filter(|id| own.is_none() && *id != desk.configuration.setup.api.id) {
            desk.terminal.line(format!(
                "This session was made with application {id}, and is used with the configuration's from now on; \
                 --api-id and --api-hash-file keep it."
            ));
        }
        Brought::read(read, own)
    };
    let again = match &options.again {
        Some(name) => Some(named::find(desk, name).await?.account.id),
        None => None,
    };
    let priority = match options.priority {
        Some(priority) => priority,
        None => pool::priority(desk.members().await?.len()),
    };
    let daily_budget = Some(options.daily_budget).filter(|budget| *budget > 0);
    let admission = Admission { label: options.label.clone(), priority, daily_budget, again, totals: None };
    match bring(desk, sessions, brought, &admission).await.map_err(Failure::Input)? {
        Outcome::In { label, is_back } => {
            let words = if is_back { "is back in the pool" } else { "is in the pool" };
            desk.terminal.line(format!("{label} {words}."));
            desk.terminal.line(WARNING);
            Ok(())
        }
        Outcome::There { label } => {
            Err(Failure::Input(format!("this session is in the pool already, as {label}; nothing was changed")))
        }
    }
}

const WARNING: &str =
    "Stop using this session everywhere else: Telegram ends a session that is used in two places at once.";

async fn import_all(desk: &Desk, sessions: &Sessions, rows: Vec<Row>, options: &ImportOptions) -> Result<(), Failure> {
    let (all, mut bad, mut came) = (rows.len(), 0, 0);
    for Row { line, read } in rows {
        let outcome = match read {
            Err(why) => Err(why),
            Ok(listed) => bring_listed(desk, sessions, listed, options.daily_budget).await,
        };
        match outcome {
            Ok(Outcome::In { label, .. }) => {
                came += 1;
                desk.terminal.line(format!("line {line}: {label} is in the pool"));
            }
            Ok(Outcome::There { label }) => {
                desk.terminal.line(format!("line {line}: it is in the pool already, as {label}"));
            }
            Err(why) => {
                bad += 1;
                desk.terminal.line(format!("line {line}: not imported: {why}"));
            }
        }
    }
    desk.terminal.line(format!("{came} of {all} accounts came into the pool."));
    if came > 0 {
        desk.terminal.line(WARNING);
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Failed(format!("{bad} of {all} rows were not imported"))) }
}

async fn bring_listed(desk: &Desk, sessions: &Sessions, listed: Listed, daily_budget: u32) -> Result<Outcome, String> {
    let read = SessionString::read(&listed.session).map_err(|error| error.to_string())?;
    let admission = Admission {
        label: listed.name,
        priority: listed.priority.clamp(-admin::PRIORITY_MAX, admin::PRIORITY_MAX),
        daily_budget: Some(daily_budget).filter(|budget| *budget > 0),
        again: None,
        totals: Some(listed.totals),
    };
    let own = listed.api.filter(|api| api.id != desk.configuration.setup.api.id);
    let (account, outcome) = bring_new(desk, sessions, Brought::read(read, own), &admission).await?;
    if let (Some(account), Outcome::In { is_back: false, .. }, false) = (account, &outcome, listed.is_active) {
        let disabled = admin::set_enabled(desk.table.as_ref(), &account, false).await;
        disabled.map_err(|error| admin_failed(&error).line().to_owned())?;
    }
    Ok(outcome)
}

impl Brought {
    fn read(read: SessionString, api: Option<ApiCredentials>) -> Self {
        Self { dc: read.dc, key: read.key, user_id: read.user_id, api }
    }

    fn sealed(line: &str, desk: &Desk) -> Result<Self, String> {
        let session = export::opened(line, desk.keys.vault())?;
        let key = session.home_key().cloned().ok_or("the sealed session is damaged: it has no key")?;
        Ok(Self { dc: session.home_dc, key, user_id: Some(session.user_id), api: session.api })
    }
}

async fn bring(desk: &Desk, sessions: &Sessions, brought: Brought, admission: &Admission) -> Result<Outcome, String> {
    bring_new(desk, sessions, brought, admission).await.map(|(_, outcome)| outcome)
}

/// Checks a session and puts it into the pool, unless it is there.
async fn bring_new(
    desk: &Desk,
    sessions: &Sessions,
    brought: Brought,
    admission: &Admission,
) -> Result<(Option<AccountId>, Outcome), String> {
    if let Some(label) = holder_of(desk, sessions, &brought.key).await? {
        return Ok((None, Outcome::There { label }));
    }
    let mut setup = desk.configuration.setup.clone();
    if let Some(api) = &brought.api {
        setup.api = api.clone();
    }
    let identified = identify(&setup, brought.dc, &brought.key, brought.user_id, &desk.clock).await;
    let session = identified.map_err(|error| error.to_string())?;
    let session = Session { api: brought.api, ..session };
    let (now, today, _) = desk.now();
    let signed_in = SignedIn { session, is_bot: false };
    let admitted = admit(desk.table.as_ref(), sessions, &signed_in, admission, now, today).await;
    let admitted = admitted.map_err(|error| told(&error))?;
    let outcome = Outcome::In { label: admitted.label, is_back: admitted.is_back };
    Ok((Some(admitted.account), outcome))
}

/// Whose key it is, if an account of the pool has it: that must not be connected with here.
async fn holder_of(desk: &Desk, sessions: &Sessions, key: &AuthKey) -> Result<Option<String>, String> {
    for member in desk.members().await.map_err(|failure| failure.line().to_owned())? {
        match sessions.load(&member.account.id).await {
            Ok(session) if session.keys.values().any(|known| known.expose() == key.expose()) => {
                if matches!(member.account.state, AccountState::SignedOut | AccountState::SessionDead) {
                    return Err(format!(
                        "it is the session of {}, which telegram has ended: log in again with ferry account add --again {}",
                        member.profile.label, member.account.id
                    ));
                }
                return Ok(Some(member.profile.label));
            }
            Ok(_) | Err(SessionError::Missing(_)) => {}
            Err(error) => return Err(told(&error)),
        }
    }
    Ok(None)
}
