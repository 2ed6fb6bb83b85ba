//! An account that logged in enters the pool: its items and the login's end are one commit. Whoever is turned away is logged out
//! at Telegram first, so that no key that is signed in is forgotten.

use std::sync::Arc;

use transfer::admin::DAILY_BUDGET_DEFAULT;
use transfer::login::{LoginEvent, LoginFailure};

use super::Reception;
use super::held::Held;
use super::steps::Stuck;
use crate::admission::{Admission, NotAdmitted, prepare};
use crate::engine::{Halt, Shared};
use crate::login::{LoginError, SignIn, SignedIn};

/// How often a commit is tried on top of what others wrote.
const CONFLICTS_MAX: u32 = 12;

/// Puts it into the pool, or turns it away.
pub(super) async fn admit(
    shared: &Arc<Shared>,
    reception: &Reception,
    held: &mut Held,
    sign_in: &SignIn,
    mut signed_in: SignedIn,
) -> Result<(), Stuck> {
    if held.login.api.is_some() {
        signed_in.session.api = Some(sign_in.api().clone());
    }
    let admission = Admission {
        label: held.login.label.clone(),
        priority: held.login.priority,
        daily_budget: Some(DAILY_BUDGET_DEFAULT),
        again: held.login.again.clone(),
        totals: None,
    };
    for _ in 0..CONFLICTS_MAX {
        let (now, (today, _)) = (shared.ports.clock.now(), shared.today());
        let table = shared.ports.table.as_ref();
        let prepared = prepare(table, &reception.sessions, &signed_in, &admission, now, today).await;
        let (admitted, writes) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return turn_away(shared, held, sign_in, error).await,
        };
        let done = LoginEvent::Done { account: admitted.account.clone(), label: admitted.label };
        // Cancelled meanwhile: the next step finds the key signed in, and logs it out.
        let Some(login) = held.after(done, None, shared) else { return Ok(()) };
        let mut next = Held { login, version: held.version };
        if next.put(shared, writes).await? {
            *held = next;
            tracing::info!(account = %admitted.account, "an account logged in and is in the pool");
            shared.due.notify_one();
            return Ok(());
        }
        if !held.refresh(shared).await? {
            return Ok(());
        }
    }
    Err(Halt::Unavailable(format!("login {} is written by others all the time", held.login.id)).into())
}

async fn turn_away(shared: &Arc<Shared>, held: &mut Held, sign_in: &SignIn, error: NotAdmitted) -> Result<(), Stuck> {
    let why = match error {
        NotAdmitted::Bot => LoginFailure::Bot,
        NotAdmitted::InPool { label } => LoginFailure::InPool { label },
        NotAdmitted::Another { wanted, found } => LoginFailure::Another { wanted, found },
        // It stays signed in, and another host goes on from there.
        error => return Err(Halt::Unavailable(error.to_string()).into()),
    };
    shared.fence.check()?;
    match sign_in.log_out().await {
        Ok(()) => {}
        Err(LoginError::Unreachable(why)) => return Err(Stuck::Unreachable(why)),
        Err(error) => tracing::warn!(login = %held.login.id, %error, "an account that was turned away stays logged in"),
    }
    held.happened(shared, LoginEvent::Failed(why), None).await?;
    Ok(())
}
