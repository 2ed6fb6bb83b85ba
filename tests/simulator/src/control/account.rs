//! Accounts: login codes, QR tokens, ready sessions, states.

use super::{Control, DONE, Done, Refused, Reply, body};
use crate::world::login::{SentCode, Session, base64url};
use crate::world::user::AccountState;
use crate::world::{RpcError, UserId};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Json;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(super) struct CodesQuery {
    phone: Option<String>,
}

pub(super) async fn codes(State(control): State<Control>, Query(query): Query<CodesQuery>) -> Json<Vec<SentCode>> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let wanted = query.phone.as_deref().map(digits);
    let codes = control.shared.with_world(|world| world.login.codes.all().to_vec());
    let fits = |code: &SentCode| wanted.as_ref().is_none_or(|wanted| digits(&code.phone) == *wanted);
    Json(codes.into_iter().filter(fits).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QrBody {
    user: UserId,
    /// What the QR code says, `tg://login?token=...`, or its base64url alone; the newest token on show when left out.
    #[serde(default)]
    token: Option<String>,
}

pub(super) async fn accept_qr(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let QrBody { user, token } = body(&bytes)?;
    let token = match token.as_deref() {
        None => None,
        Some(text) => Some(
            base64url(text.trim_start_matches("tg://login?token="))
                .ok_or_else(|| Refused::bad("the token is not base64url"))?,
        ),
    };
    let accepted = control.shared.with_world(|world| match token {
        Some(token) => world.accept_login_token(user, &token),
        None => world.accept_newest_login_token(user),
    });
    let say = |error: RpcError| format!("the token was not accepted ({error}): is one on show, and is {user} a user?");
    accepted.map_err(|error| Refused::bad(say(error)))?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MintBody {
    user: UserId,
}

#[derive(Serialize)]
pub(super) struct Minted {
    dc: i32,
    /// 256 bytes, in hex.
    auth_key: String,
}

pub(super) async fn mint(State(control): State<Control>, bytes: Bytes) -> Reply<Minted> {
    let MintBody { user } = body(&bytes)?;
    let nobody = || Refused::missing(format!("there is no user {user}: add it with POST /scenario first"));
    let key = control.shared.mint_session(user).ok_or_else(nobody)?;
    let dc =
        control.shared.with_world(|world| world.account(user).map(|account| account.home_dc)).ok_or_else(nobody)?;
    let auth_key = key.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Json(Minted { dc, auth_key }))
}

/// Where an account is signed in, or about to be.
pub(super) async fn sessions(State(control): State<Control>, Path(user): Path<i64>) -> Json<Vec<Session>> {
    Json(control.shared.with_world(|world| world.login.sessions_of(UserId(user))))
}

/// Its owner ends every session of it, in the app's settings.
pub(super) async fn sign_out(State(control): State<Control>, Path(user): Path<i64>) -> Json<Done> {
    control.shared.with_world(|world| world.login.revoke_others(UserId(user), None));
    DONE
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateBody {
    state: AccountState,
}

pub(super) async fn state(State(control): State<Control>, Path(user): Path<i64>, bytes: Bytes) -> Reply<Done> {
    let StateBody { state } = body(&bytes)?;
    let found = control.shared.with_world(|world| {
        let user = world.users.get_mut(&UserId(user))?;
        user.state = state;
        Some(())
    });
    found.ok_or_else(|| Refused::missing(format!("there is no user {user}")))?;
    Ok(DONE)
}
