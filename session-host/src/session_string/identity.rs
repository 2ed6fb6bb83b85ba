//! Asking Telegram whose a session is, before it enters anywhere.
//!
//! One connection, one call (`users.getUsers` self), closed before anything else happens. Nobody else may be connected
//! with the same key meanwhile: Telegram would end the session for good.

use grammers_tl_types::{enums, functions};
use transfer::clock::Clock;
use transfer::ids::AccountId;
use transfer::refusal::{Meaning, Refusal};

use crate::exchange::ExchangeError;
use crate::session::{AuthKey, Session};
use crate::telegram::CallError;
use crate::telegram::convert::user_name;
use crate::telegram::grammers::{DialError, Wire};
use crate::telegram::server_clock::ServerClock;
use crate::telegram::setup::Setup;

/// Why a session does not enter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Telegram ended it, or never knew its key.
    #[error("telegram does not know this session any more ({0}): make a new one, or log in with ferry account add")]
    SignedOut(Refusal),
    /// It was used twice at once.
    #[error("this session was in use in two places at once, and telegram ended it: log in with ferry account add")]
    Duplicated,
    /// The account is gone.
    #[error("telegram has banned or deleted this account ({0})")]
    Banned(Refusal),
    /// It is a bot.
    #[error("this session is of a bot, and bots cannot read history: use the session of a person's account")]
    Bot,
    /// The account lives elsewhere.
    #[error("this account lives in data centre {dc} now: make a new session, or log in with ferry account add")]
    Moved {
        /// Where.
        dc: i32,
    },
    /// The string named somebody else.
    #[error("the session names user {named}, and telegram says that it is user {found}: it is damaged")]
    Another {
        /// Who it says that it is.
        named: i64,
        /// Who it is.
        found: i64,
    },
    /// Anything else that Telegram says.
    #[error("telegram refused the session: {0}")]
    Refused(Refusal),
    /// This machine's clock.
    #[error("the clock of this machine is off by {0} s: set it, and try again")]
    ClockOff(i64),
    /// Not reached.
    #[error("no connection to telegram: {0}; try again")]
    Unreachable(String),
}

/// Asks Telegram whose the key of a DC is. `setup` names the application that is to use it, `named` whose it is said to be.
///
/// # Errors
/// See [`IdentityError`].
pub async fn identify(
    setup: &Setup,
    dc: i32,
    key: &AuthKey,
    named: Option<i64>,
    clock: &Clock,
) -> Result<Session, IdentityError> {
    let address = setup.dcs.get(&dc).copied();
    let address = address.ok_or_else(|| IdentityError::Unreachable(format!("no address of DC {dc} is configured")))?;
    ServerClock::default().check(setup, address, clock).await.map_err(|error| match error {
        ExchangeError::ClockSkew { skew_secs } => IdentityError::ClockOff(skew_secs),
        other => IdentityError::Unreachable(crate::exchange::told(&other)),
    })?;
    let wire = Wire::dial(setup, dc, address, key, clock).await.map_err(|error| match error {
        DialError::UnknownKey => IdentityError::SignedOut(Refusal::parse(401, "AUTH_KEY_UNREGISTERED")),
        DialError::Refused(refusal) => refused(refusal),
        DialError::Unreachable(why) => IdentityError::Unreachable(why),
    })?;
    let request = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
    let answer = wire.call(&request, setup.patience.read).await;
    wire.close().await;
    let users = answer.map_err(|error| match error {
        CallError::Refused(refusal) => refused(refusal),
        CallError::Uncertain(why) => IdentityError::Unreachable(why),
    })?;
    let user = users.into_iter().find_map(|user| match user {
        enums::User::User(user) if user.is_self => Some(user),
        _ => None,
    });
    let user =
        user.ok_or_else(|| IdentityError::Unreachable("telegram did not say whose the session is".to_owned()))?;
    if user.bot {
        return Err(IdentityError::Bot);
    }
    if let Some(named) = named.filter(|named| *named != user.id) {
        return Err(IdentityError::Another { named, found: user.id });
    }
    let mut session = Session::new(AccountId(user.id.to_string()), user.id, dc, key.clone());
    session.phone_masked = user.phone.as_deref().map_or_else(String::new, crate::login::masked);
    session.name = user_name(&user);
    Ok(session)
}

fn refused(refusal: Refusal) -> IdentityError {
    match refusal.meaning() {
        Meaning::SessionDead => IdentityError::Duplicated,
        Meaning::SignedOut => IdentityError::SignedOut(refusal),
        Meaning::Banned => IdentityError::Banned(refusal),
        Meaning::Migrate { dc } => IdentityError::Moved { dc },
        _ => IdentityError::Refused(refusal),
    }
}
