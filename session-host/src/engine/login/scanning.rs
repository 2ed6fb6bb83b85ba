//! A QR code on show: fresh whenever Telegram has a new one, until it is scanned, or for too long.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use transfer::login::{LoginEvent, LoginFailure, LoginState, SCANNED_WITHIN};
use zeroize::Zeroizing;

use super::held::Held;
use super::steps::{Stepped, Stuck, resume, told};
use super::{Reception, showing};
use crate::engine::Shared;
use crate::login::{LoginError, Scan, SignIn, SignedIn, Standing};
use crate::telegram::setup::Setup;

/// How often Telegram is asked whether the code was scanned. It gives the same token for 30 s.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Waits of Telegram's that are sat out while the code stays on show.
const WAITED_SECS_MAX: u64 = 15;

/// Shows codes and waits. The lease is kept meanwhile.
pub(super) async fn scan(
    shared: &Arc<Shared>,
    reception: &Reception,
    held: &mut Held,
    setup: Setup,
    since: Timestamp,
) -> Result<Stepped, Stuck> {
    let mut sign_in = match resume(shared, reception, held, setup).await? {
        Ok(sign_in) => sign_in,
        Err(stepped) => return Ok(stepped),
    };
    // Scanned while nobody looked?
    let stepped = match sign_in.standing().await {
        Ok(Standing::In(signed_in)) => return Ok(Stepped::SignedIn(Box::new(sign_in), Box::new(signed_in))),
        Ok(Standing::Password { hint }) => {
            Ok(Stepped::Happened(LoginEvent::PasswordNeeded { hint, was_wrong: false }, None))
        }
        Ok(Standing::Out) => match wait(shared, reception, held, &mut sign_in, since).await {
            Ok(Waited::In(signed_in)) => return Ok(Stepped::SignedIn(Box::new(sign_in), signed_in)),
            Ok(Waited::Stepped(stepped)) => Ok(stepped),
            Err(stuck) => Err(stuck),
        },
        Err(error) => told(error),
    };
    sign_in.close().await;
    stepped
}

enum Waited {
    In(Box<SignedIn>),
    Stepped(Stepped),
}

async fn wait(
    shared: &Arc<Shared>,
    reception: &Reception,
    held: &mut Held,
    sign_in: &mut SignIn,
    since: Timestamp,
) -> Result<Waited, Stuck> {
    let over = since.saturating_add(SCANNED_WITHIN).unwrap_or(since);
    let mut shown: Option<Zeroizing<String>> = None;
    loop {
        shared.fence.check()?;
        let mut pause = LOOK_EVERY;
        match sign_in.token().await {
            Ok(Scan::Done(signed_in)) => return Ok(Waited::In(Box::new(signed_in))),
            Ok(Scan::Password { hint }) => {
                let event = LoginEvent::PasswordNeeded { hint, was_wrong: false };
                return Ok(Waited::Stepped(Stepped::Happened(event, Some(sign_in.progress()))));
            }
            Ok(Scan::Moved) => {
                // Kept before the token is used: whoever goes on finds the key that is signed in.
                let progress = held.sealed(reception, &sign_in.progress())?;
                if !held.keep(shared, &progress).await? {
                    return Ok(Waited::Stepped(Stepped::Overtaken));
                }
                continue;
            }
            Ok(Scan::Show { url, .. }) => {
                if shared.ports.clock.now() >= over {
                    let failed = LoginEvent::Failed(LoginFailure::Abandoned);
                    return Ok(Waited::Stepped(Stepped::Happened(failed, None)));
                }
                if shown.as_deref() != Some(&*url) && showing::picture(shared, held, &url).await {
                    shown = Some(url);
                }
            }
            // A longer wait is committed, so that no host asks before it is over, and the admin is told.
            Err(LoginError::Flood { secs }) if secs > WAITED_SECS_MAX => {
                let limited = LoginEvent::Limited(shared.wait_until(secs));
                return Ok(Waited::Stepped(Stepped::Happened(limited, None)));
            }
            Err(LoginError::Flood { secs }) => pause = pause.max(Duration::from_secs(secs)),
            Err(error) => return told(error).map(Waited::Stepped),
        }
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(Waited::Stepped(Stepped::Overtaken)),
            () = tokio::time::sleep(pause) => {}
        }
        if !held.refresh(shared).await? || !matches!(held.login.state, LoginState::Scan { .. }) {
            return Ok(Waited::Stepped(Stepped::Overtaken));
        }
    }
}
