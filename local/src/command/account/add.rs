//! `ferry account add`: an account logs in, with a QR code in the terminal or with phone number and code.
//!
//! Nothing is kept until Telegram said yes. An account that the pool does not take is logged out again at once.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use session_host::admission::{Admission, admit};
use session_host::login::{AfterCode, LoginError, Scan, SignIn, SignedIn};
use session_host::qr;
use session_host::session::Sessions;
use session_host::telegram::setup::Setup;
use transfer::login::{CodeSent, CodeWay};

use super::named;
use super::secrets::{asked, asked_secretly, own_api};
use crate::command::desk::Desk;
use crate::failure::Failure;
use crate::pool::{self, DAILY_BUDGET_DEFAULT};

/// Wrong codes and passwords in a row that are forgiven; Telegram forgives not many more.
const ATTEMPTS_MAX: u32 = 3;
/// How often it is looked whether a QR code was scanned.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// For how long QR codes are shown.
const SCANNED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Options of `ferry account add`.
#[derive(Debug, Args)]
pub(super) struct AddOptions {
    /// Show a QR code at once, instead of asking for a phone number
    #[arg(long)]
    qr: bool,
    /// What to call it; its name at Telegram if left out
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Accounts of higher priority go first
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    priority: Option<i32>,
    /// Messages a day; 0: no limit
    #[arg(long, value_name = "N", default_value_t = DAILY_BUDGET_DEFAULT)]
    daily_budget: u32,
    /// The account of the pool that logs in again, and no other: name, priority and statistics stay
    #[arg(long, value_name = "ACCOUNT")]
    again: Option<String>,
    /// An application of the account's own, instead of the configuration's
    #[arg(long, value_name = "ID")]
    api_id: Option<i32>,
    /// A file with that application's hash in it
    #[arg(long, value_name = "FILE")]
    api_hash_file: Option<PathBuf>,
}

/// Logs an account in.
pub(super) async fn add(desk: &Desk, options: AddOptions) -> Result<(), Failure> {
    let sessions = desk.sessions().await?;
    let again = match &options.again {
        Some(name) => Some(named::find(desk, name).await?.account.id),
        None => None,
    };
    let members = desk.members().await?;
    let admission = Admission {
        label: options.label,
        priority: options.priority.unwrap_or_else(|| pool::priority(members.len())),
        daily_budget: Some(options.daily_budget).filter(|budget| *budget > 0),
        again,
        totals: None,
    };
    let own = own_api(options.api_id, options.api_hash_file.as_deref())?;
    let mut setup = desk.configuration.setup.clone();
    if let Some(api) = &own {
        setup.api = api.clone();
    }
    let phone = if options.qr {
        String::new()
    } else {
        asked(&desk.terminal, "Phone number with country code, or Enter alone for a QR code")?
    };
    let mut sign_in = begun(setup, desk).await?;
    let signed_in = if phone.is_empty() {
        by_qr(desk, &mut sign_in).await
    } else {
        by_code(desk, &mut sign_in, &SecretString::from(phone)).await
    };
    let ended = match signed_in {
        Ok(mut signed_in) => {
            signed_in.session.api = own;
            admitted(desk, &sessions, &sign_in, &signed_in, &admission).await
        }
        Err(error) => {
            // So that a code that nobody uses is worth nothing, and no session is left that nobody knows of.
            if let Err(error) = sign_in.take_back().await {
                tracing::info!(%error, "what a login that failed left at telegram was not taken back");
            }
            Err(error)
        }
    };
    sign_in.close().await;
    ended
}

async fn begun(setup: Setup, desk: &Desk) -> Result<SignIn, Failure> {
    SignIn::begin(setup, &desk.clock).await.map_err(|error| failed(&error))
}

fn failed(error: &LoginError) -> Failure {
    Failure::input(error)
}

async fn admitted(
    desk: &Desk,
    sessions: &Sessions,
    sign_in: &SignIn,
    signed_in: &SignedIn,
    admission: &Admission,
) -> Result<(), Failure> {
    let (now, today, _) = desk.now();
    match admit(desk.table.as_ref(), sessions, signed_in, admission, now, today).await {
        Ok(admitted) => {
            let words = if admitted.is_back { "is back in the pool" } else { "is in the pool" };
            desk.terminal.line(format!("{} {words}.", admitted.label));
            Ok(())
        }
        Err(error) => {
            if let Err(error) = sign_in.log_out().await {
                tracing::warn!(%error, "an account that was turned away is still logged in; end it in Telegram's settings");
                desk.terminal.line("It is still logged in at Telegram: end that session in Telegram's settings.");
            }
            Err(Failure::input(&error))
        }
    }
}

async fn by_code(desk: &Desk, sign_in: &mut SignIn, phone: &SecretString) -> Result<SignedIn, Failure> {
    let mut sent = sign_in.send_code(phone).await.map_err(|error| failed(&error))?;
    tell_sent(desk, &sent);
    let mut attempts = 0;
    loop {
        // A code that is typed where others see it is still no secret of long life, but it is not shown either.
        let code = asked_secretly(&desk.terminal, "Code; Enter alone has another one sent")?;
        if code.expose_secret().trim().is_empty() {
            match resent(desk, sign_in, &sent).await? {
                Some(again) => sent = again,
                None => continue,
            }
            tell_sent(desk, &sent);
            continue;
        }
        match sign_in.code(&code).await {
            Ok(AfterCode::Done(signed_in)) => return Ok(signed_in),
            Ok(AfterCode::Password { hint }) => return with_password(desk, sign_in, hint).await,
            Err(error @ LoginError::WrongCode) if attempts + 1 < ATTEMPTS_MAX => {
                attempts += 1;
                desk.terminal.line(error.to_string());
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// Another code, once Telegram lets us have one; `None` where it is too early or there is no other way.
async fn resent(desk: &Desk, sign_in: &mut SignIn, sent: &CodeSent) -> Result<Option<CodeSent>, Failure> {
    if let Some((_, from)) = sent.next
        && desk.clock.now() < from
    {
        let secs = from.duration_since(desk.clock.now()).as_secs() + 1;
        desk.terminal.line(format!("Telegram sends another code in {secs} s at the earliest."));
        return Ok(None);
    }
    match sign_in.resend().await {
        Ok(sent) => Ok(Some(sent)),
        Err(error @ LoginError::NoOtherWay) => {
            desk.terminal.line(error.to_string());
            Ok(None)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn tell_sent(desk: &Desk, sent: &CodeSent) {
    let how = match sent.by {
        CodeWay::App => "in the Telegram app",
        CodeWay::Sms => "by SMS",
        CodeWay::Call => "by a phone call",
        CodeWay::MissedCall => "as the last digits of a number that calls",
        CodeWay::Email => "by e-mail",
        CodeWay::Fragment => "on fragment.com",
    };
    desk.terminal.line(format!("Telegram sent a code: {how}"));
}

async fn by_qr(desk: &Desk, sign_in: &mut SignIn) -> Result<SignedIn, Failure> {
    desk.terminal.line(
        "On your phone: Telegram, Settings, Devices, Link Desktop Device; scan this. It changes every half minute.",
    );
    let ends_at = desk.clock.now().saturating_add(SCANNED_WITHIN).unwrap_or(Timestamp::MAX);
    let mut shown_until = Timestamp::UNIX_EPOCH;
    while desk.clock.now() < ends_at {
        match sign_in.token().await.map_err(|error| failed(&error))? {
            Scan::Show { url, expires_at } => {
                if desk.clock.now() >= shown_until {
                    let blocks = qr::blocks(&url).map_err(|error| Failure::failed(&error))?;
                    desk.terminal.line(blocks);
                    shown_until = expires_at;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Scan::Moved => {}
            Scan::Password { hint } => return with_password(desk, sign_in, hint).await,
            Scan::Done(signed_in) => return Ok(signed_in),
        }
    }
    Err(Failure::Input("nobody scanned the code: run ferry account add again".to_owned()))
}

async fn with_password(desk: &Desk, sign_in: &mut SignIn, hint: Option<String>) -> Result<SignedIn, Failure> {
    let hint = hint.map_or_else(String::new, |hint| format!(" (hint: {hint})"));
    let mut attempts = 0;
    loop {
        let password = asked_secretly(&desk.terminal, &format!("Two-step password{hint}"))?;
        match sign_in.password(&password).await {
            Err(error @ LoginError::WrongPassword { .. }) if attempts + 1 < ATTEMPTS_MAX => {
                attempts += 1;
                desk.terminal.line(error.to_string());
            }
            outcome => return outcome.map_err(|error| failed(&error)),
        }
    }
}
