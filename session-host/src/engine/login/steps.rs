//! What a host does at Telegram in each state of a login. Nothing here commits; what the owner said is opened for the one call
//! that needs it, and wiped after it.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use transfer::login::{ABANDONED_AFTER, CodeTrouble, LoginEvent, LoginFailure, LoginState, Turn, Way};
use transfer::seal::{Sealed, SecretKind};

use super::held::Held;
use super::{Reception, scanning};
use crate::engine::{Halt, Shared};
use crate::exchange::ExchangeError;
use crate::login::{AfterCode, LoginError, Progress, SignIn, SignedIn, Standing};
use crate::telegram::setup::{ApiCredentials, Setup};

/// What came of a step.
pub(super) enum Stepped {
    /// This is to be committed.
    Happened(LoginEvent, Option<Progress>),
    /// Telegram said yes.
    SignedIn(Box<SignIn>, Box<SignedIn>),
    /// What stands in the table changed, or the host stops.
    Overtaken,
}

/// Why a step came to nothing.
pub(super) enum Stuck {
    /// Telegram was not reached.
    Unreachable(String),
    /// The host cannot go on.
    Halt(Halt),
}

impl From<Halt> for Stuck {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

type Step = Result<Stepped, Stuck>;

fn happened(event: LoginEvent) -> Stepped {
    Stepped::Happened(event, None)
}

fn failed(why: LoginFailure) -> Stepped {
    happened(LoginEvent::Failed(why))
}

/// Takes the step that the login's state asks for.
pub(super) async fn step(shared: &Arc<Shared>, reception: &Reception, held: &mut Held) -> Step {
    shared.fence.check()?;
    let setup = match own_setup(reception, held) {
        Ok(setup) => setup,
        Err(why) => return Ok(failed(why)),
    };
    if is_abandoned(held, shared.ports.clock.now()) {
        return clean_up(shared, reception, held, setup, LoginFailure::Abandoned).await;
    }
    match held.login.state.clone() {
        LoginState::Asked | LoginState::Limited { resending: None, .. } => match held.login.way {
            Way::Qr => {
                let begun = SignIn::begin(setup, &shared.ports.clock).await;
                let Ok(sign_in) = begun else { return begun.map_or_else(told, |_| Ok(Stepped::Overtaken)) };
                let progress = sign_in.progress();
                sign_in.close().await;
                Ok(Stepped::Happened(LoginEvent::Shown, Some(progress)))
            }
            Way::Code => first_code(shared, reception, held, setup).await,
        },
        LoginState::Limited { resending: Some(_), .. } | LoginState::Resend { .. } => {
            let sign_in = match resume(shared, reception, held, setup).await? {
                Ok(sign_in) => sign_in,
                Err(stepped) => return Ok(stepped),
            };
            another_code(sign_in).await
        }
        LoginState::Scan { since } => scanning::scan(shared, reception, held, setup, since).await,
        LoginState::CodeGiven { .. } => given_code(shared, reception, held, setup).await,
        LoginState::PasswordGiven { .. } => given_password(shared, reception, held, setup).await,
        LoginState::Cancelled => clean_up(shared, reception, held, setup, LoginFailure::Cancelled).await,
        // Not a host's turn: the claim would not have taken it, unless it is abandoned.
        LoginState::Code { .. } | LoginState::Password { .. } | LoginState::Done { .. } | LoginState::Failed { .. } => {
            Ok(Stepped::Overtaken)
        }
    }
}

/// The way to Telegram, with the account's own application where it has one.
fn own_setup(reception: &Reception, held: &Held) -> Result<Setup, LoginFailure> {
    let mut setup = reception.setup.clone();
    if let Some(own) = &held.login.api {
        let hash = open(reception, held, &own.hash, SecretKind::ApiHash)?;
        setup.api = ApiCredentials { id: own.id, hash };
    }
    Ok(setup)
}

/// Opens one secret of the login.
fn open(reception: &Reception, held: &Held, sealed: &Sealed, kind: SecretKind) -> Result<SecretString, LoginFailure> {
    let unopened = |why: String| {
        tracing::error!(login = %held.login.id, why, "what an admin said cannot be opened");
        LoginFailure::Unopened
    };
    let bytes = reception.vault.open(sealed, kind, &held.key()).map_err(|error| unopened(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_no_text| unopened("it is no text".to_owned()))?;
    Ok(SecretString::from(text))
}

/// Nobody touched it for too long, whoever's turn it was. A wait that Telegram wants is not the admin's fault, and a QR code has
/// a time of its own.
fn is_abandoned(held: &Held, now: Timestamp) -> bool {
    let login = &held.login;
    let since = match &login.state {
        LoginState::Limited { until, .. } => (*until).max(login.touched_at),
        LoginState::Cancelled | LoginState::Scan { .. } => return false,
        _ => login.touched_at,
    };
    let over = since.saturating_add(ABANDONED_AFTER).unwrap_or(Timestamp::MAX);
    login.state.turn() != Turn::Nobody && now >= over
}

/// Goes on with the login's key; or what is to be committed because that cannot be done.
pub(super) async fn resume(
    shared: &Shared,
    reception: &Reception,
    held: &Held,
    setup: Setup,
) -> Result<Result<SignIn, Stepped>, Stuck> {
    let Some(sealed) = &held.login.progress else { return Ok(Err(failed(LoginFailure::CodeExpired))) };
    let opened = reception.vault.open(sealed, SecretKind::Progress, &held.key());
    let progress = match opened.map(|bytes| Progress::from_text(&bytes)) {
        Ok(Ok(progress)) => progress,
        Ok(Err(_)) | Err(_) => {
            tracing::error!(login = %held.login.id, "the progress of a login cannot be opened");
            return Ok(Err(failed(LoginFailure::Unopened)));
        }
    };
    shared.fence.check()?;
    match SignIn::resume(setup, &shared.ports.clock, progress).await {
        Ok(sign_in) => Ok(Ok(sign_in)),
        Err(error) => told(error).map(Err),
    }
}

async fn first_code(shared: &Arc<Shared>, reception: &Reception, held: &Held, setup: Setup) -> Step {
    let Some(phone) = &held.login.phone else { return Ok(failed(LoginFailure::BadPhone)) };
    let phone = match open(reception, held, phone, SecretKind::Phone) {
        Ok(phone) => phone,
        Err(why) => return Ok(failed(why)),
    };
    let mut sign_in = match SignIn::begin(setup, &shared.ports.clock).await {
        Ok(sign_in) => sign_in,
        Err(error) => return told(error),
    };
    shared.fence.check()?;
    let sent = sign_in.send_code(&phone).await;
    let progress = sign_in.progress();
    sign_in.close().await;
    match sent {
        Ok(sent) => Ok(Stepped::Happened(LoginEvent::CodeSent(sent), Some(progress))),
        Err(LoginError::Flood { secs }) => Ok(happened(LoginEvent::Limited(shared.wait_until(secs)))),
        Err(error) => told(error),
    }
}

/// By the next way; where there is none or the last code is worthless, from the beginning.
async fn another_code(mut sign_in: SignIn) -> Step {
    let sent = match sign_in.resend().await {
        Err(LoginError::ExpiredCode | LoginError::NoOtherWay) => sign_in.send_again().await,
        sent => sent,
    };
    let (progress, now) = (sign_in.progress(), sign_in.now());
    sign_in.close().await;
    match sent {
        Ok(sent) => Ok(Stepped::Happened(LoginEvent::CodeSent(sent), Some(progress))),
        Err(LoginError::Flood { secs }) => Ok(happened(LoginEvent::Limited(after(now, secs)))),
        Err(error) => told(error),
    }
}

fn after(now: Timestamp, secs: u64) -> Timestamp {
    let wait = jiff::SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

async fn given_code(shared: &Arc<Shared>, reception: &Reception, held: &Held, setup: Setup) -> Step {
    let mut code = zeroize::Zeroizing::new(String::new());
    for digit in &held.login.digits {
        use secrecy::ExposeSecret;
        match open(reception, held, digit, SecretKind::Digit) {
            Ok(digit) => code.push_str(digit.expose_secret()),
            Err(why) => return Ok(failed(why)),
        }
    }
    let mut sign_in = match resume(shared, reception, held, setup).await? {
        Ok(sign_in) => sign_in,
        Err(stepped) => return Ok(stepped),
    };
    shared.fence.check()?;
    let answer = match sign_in.code(&SecretString::from(code.as_str())).await {
        // Used already? A process that died after it would have left that behind.
        Err(LoginError::ExpiredCode) => match sign_in.standing().await {
            Ok(Standing::In(signed_in)) => Ok(AfterCode::Done(signed_in)),
            Ok(Standing::Password { hint }) => Ok(AfterCode::Password { hint }),
            Ok(Standing::Out) => Err(LoginError::ExpiredCode),
            Err(error) => Err(error),
        },
        answer => answer,
    };
    match answer {
        Ok(AfterCode::Done(signed_in)) => return Ok(Stepped::SignedIn(Box::new(sign_in), Box::new(signed_in))),
        Err(LoginError::ExpiredCode) => return another_code(sign_in).await,
        _ => {}
    }
    let progress = sign_in.progress();
    sign_in.close().await;
    match answer {
        Ok(AfterCode::Password { hint }) => {
            Ok(Stepped::Happened(LoginEvent::PasswordNeeded { hint, was_wrong: false }, Some(progress)))
        }
        Err(LoginError::WrongCode) => Ok(happened(LoginEvent::CodeRefused(CodeTrouble::Wrong))),
        Err(LoginError::Flood { secs }) => Ok(happened(LoginEvent::Limited(shared.wait_until(secs)))),
        Err(error) => told(error),
        Ok(AfterCode::Done(_)) => Ok(Stepped::Overtaken),
    }
}

async fn given_password(shared: &Arc<Shared>, reception: &Reception, held: &Held, setup: Setup) -> Step {
    let Some(sealed) = &held.login.password else { return Ok(failed(LoginFailure::Unopened)) };
    let password = match open(reception, held, sealed, SecretKind::Password) {
        Ok(password) => password,
        Err(why) => return Ok(failed(why)),
    };
    let mut sign_in = match resume(shared, reception, held, setup).await? {
        Ok(sign_in) => sign_in,
        Err(stepped) => return Ok(stepped),
    };
    shared.fence.check()?;
    let answer = sign_in.password(&password).await;
    drop(password);
    match answer {
        Ok(signed_in) => return Ok(Stepped::SignedIn(Box::new(sign_in), Box::new(signed_in))),
        Err(LoginError::Refused(_)) => {
            if let Ok(Standing::In(signed_in)) = sign_in.standing().await {
                return Ok(Stepped::SignedIn(Box::new(sign_in), Box::new(signed_in)));
            }
            take_back(held, &mut sign_in).await;
        }
        // Another password may follow, or another try.
        Err(LoginError::WrongPassword { .. } | LoginError::Unreachable(_)) => {}
        // The login ends with this, and its key with the login.
        Err(_) => take_back(held, &mut sign_in).await,
    }
    sign_in.close().await;
    match answer {
        Err(LoginError::WrongPassword { hint }) => Ok(happened(LoginEvent::PasswordNeeded { hint, was_wrong: true })),
        Err(LoginError::Flood { .. }) => Ok(failed(LoginFailure::TooManyAttempts)),
        Err(error) => told(error),
        Ok(_) => Ok(Stepped::Overtaken),
    }
}

/// Takes back what can be: nobody waits for it.
async fn take_back(held: &Held, sign_in: &mut SignIn) {
    if let Err(error) = sign_in.take_back().await {
        tracing::warn!(login = %held.login.id, %error, "what a login left at telegram was not taken back");
    }
}

/// Takes back at Telegram what was begun there: the code, or the session of somebody who was faster than the admin's change of
/// mind.
async fn clean_up(shared: &Arc<Shared>, reception: &Reception, held: &Held, setup: Setup, why: LoginFailure) -> Step {
    if held.login.progress.is_none() {
        return Ok(failed(why));
    }
    let mut sign_in = match resume(shared, reception, held, setup).await {
        Ok(Ok(sign_in)) => sign_in,
        // A key that Telegram forgot, or nobody can open, is clean.
        Ok(Err(_)) => return Ok(failed(why)),
        Err(stuck) => return Err(stuck),
    };
    let cleaned = sign_in.take_back().await;
    sign_in.close().await;
    match cleaned {
        Err(LoginError::Unreachable(why)) => Err(Stuck::Unreachable(why)),
        Err(error) => {
            tracing::warn!(login = %held.login.id, %error, "what a login left at telegram was not taken back");
            Ok(failed(why))
        }
        Ok(()) => Ok(failed(why)),
    }
}

/// What an error ends the login with.
pub(super) fn told(error: LoginError) -> Step {
    let why = match error {
        LoginError::Unreachable(why) => return Err(Stuck::Unreachable(why)),
        LoginError::BadPhone => LoginFailure::BadPhone,
        LoginError::Banned => LoginFailure::Banned,
        LoginError::NoAccount => LoginFailure::NoAccount,
        LoginError::Flood { .. } | LoginError::TooManyAttempts => LoginFailure::TooManyAttempts,
        LoginError::WrongCode | LoginError::ExpiredCode | LoginError::NoOtherWay => LoginFailure::CodeExpired,
        LoginError::BadApi => LoginFailure::BadApi,
        LoginError::Unsupported(what) => LoginFailure::Unsupported { what: what.to_owned() },
        LoginError::Exchange(ExchangeError::ClockSkew { skew_secs }) => LoginFailure::ClockOff { skew_secs },
        LoginError::Refused(refusal) => LoginFailure::Refused { text: refusal.text().to_owned() },
        error @ (LoginError::Exchange(_) | LoginError::Forgotten | LoginError::WrongPassword { .. }) => {
            LoginFailure::Refused { text: error.to_string() }
        }
    };
    Ok(failed(why))
}
