//! Accounts: login codes, QR tokens, ready sessions, states.

use super::{Control, DONE, Done, Refused, Reply, body};
use crate::world::login::SentCode;
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
    /// Base64url as in `tg://login?token=`; the newest token on show when left out.
    #[serde(default)]
    token: Option<String>,
}

pub(super) async fn accept_qr(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let QrBody { user, token } = body(&bytes)?;
    let token = match token.as_deref() {
        None => None,
        Some(text) => Some(base64url(text).ok_or_else(|| Refused::bad("the token is not base64url"))?),
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

/// Decodes base64url, padded or not.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xFF).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_read_with_and_without_padding() {
        assert_eq!(base64url("_-8="), Some(vec![0xFF, 0xEF]));
        assert_eq!(base64url("aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(base64url("a b"), None);
    }
}
