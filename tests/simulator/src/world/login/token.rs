//! QR login: a token that one key shows and somebody signed in elsewhere accepts.
//!
//! Source: <https://core.telegram.org/api/qr-login>.

use crate::time::SimTime;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};

/// A token may be shown for so long.
const TOKEN_MILLIS: i64 = 30 * 1000;

/// Tokens that were over so long ago are nobody's any more.
const KEPT_MILLIS: i64 = 10 * 60 * 1000;
/// What a QR code shows before the token.
const URL: &str = "tg://login?token=";

/// The tokens that are not used yet, and those of the last minutes.
#[derive(Debug, Default)]
pub struct Tokens {
    open: Vec<Token>,
}

#[derive(Debug)]
struct Token {
    bytes: [u8; 32],
    /// Who shows it.
    key: AuthKeyId,
    except: Vec<UserId>,
    expires_at: SimTime,
    accepted_by: Option<UserId>,
    /// It signed somebody in: it is worth nothing any more.
    used: bool,
}

/// What a key that asks for a token hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginToken {
    Show {
        token: [u8; 32],
        expires_at: SimTime,
    },
    /// Accepted by a user of another data centre: to be imported there.
    MigrateTo {
        dc: i32,
        token: [u8; 32],
    },
    SignedIn(UserId),
}

impl Tokens {
    /// Tokens on show at `now`, newest first.
    #[must_use]
    pub fn on_show(&self, now: SimTime) -> Vec<[u8; 32]> {
        let live = self.open.iter().rev().filter(|token| token.accepted_by.is_none() && token.expires_at > now);
        live.map(|token| token.bytes).collect()
    }

    fn use_up(&mut self, bytes: &[u8]) {
        for token in self.open.iter_mut().filter(|token| token.bytes == bytes) {
            token.used = true;
        }
    }
}

impl World {
    /// `auth.exportLoginToken`: a token to show, or what became of the one shown before.
    ///
    /// # Errors
    /// 401 `SESSION_PASSWORD_NEEDED`.
    pub fn export_login_token(&mut self, dc: i32, key: AuthKeyId, except: &[UserId]) -> Rpc<LoginToken> {
        let now = self.now();
        if let Some(user) = self.login.user(key) {
            return Ok(LoginToken::SignedIn(user));
        }
        let tokens = &mut self.login.tokens.open;
        // An accepted token works past its time: its owner may be slow to ask.
        tokens.retain(|token| token.expires_at.plus_millis(KEPT_MILLIS) > now);
        let accepted = tokens.iter().find(|token| token.key == key && token.accepted_by.is_some() && !token.used);
        if let Some((token, accepted_by)) = accepted.map(|token| (token.bytes, token.accepted_by)) {
            let account = accepted_by.and_then(|user| self.account(user));
            let account = account.ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
            if account.home_dc != dc {
                return Ok(LoginToken::MigrateTo { dc: account.home_dc, token });
            }
            self.login.tokens.use_up(&token);
            return self.first_step(key, &account).user().map(LoginToken::SignedIn);
        }
        let on_show = |token: &&Token| token.key == key && token.except == except && !token.used;
        if let Some(token) = tokens.iter().filter(on_show).find(|token| token.expires_at > now) {
            return Ok(LoginToken::Show { token: token.bytes, expires_at: token.expires_at });
        }
        let expires_at = now.plus_millis(TOKEN_MILLIS);
        let bytes = self.drawn();
        let except = except.to_vec();
        self.login.tokens.open.push(Token { bytes, key, except, expires_at, accepted_by: None, used: false });
        Ok(LoginToken::Show { token: bytes, expires_at })
    }

    /// `auth.importLoginToken`: brings an accepted token to the data centre of its user.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID`, `AUTH_TOKEN_EXPIRED`, `AUTH_TOKEN_ALREADY_ACCEPTED` if it was used, 401
    /// `SESSION_PASSWORD_NEEDED`.
    pub fn import_login_token(&mut self, dc: i32, key: AuthKeyId, token: &[u8]) -> Rpc<LoginToken> {
        let invalid = || RpcError::bad("AUTH_TOKEN_INVALID");
        let open = self.login.tokens.open.iter().find(|open| open.bytes == token).ok_or_else(invalid)?;
        if open.used {
            return Err(RpcError::bad("AUTH_TOKEN_ALREADY_ACCEPTED"));
        }
        if open.accepted_by.is_none() && open.expires_at <= self.now() {
            return Err(RpcError::bad("AUTH_TOKEN_EXPIRED"));
        }
        let account = open.accepted_by.and_then(|user| self.account(user)).ok_or_else(invalid)?;
        if account.home_dc != dc {
            return Ok(LoginToken::MigrateTo { dc: account.home_dc, token: open.bytes });
        }
        self.login.tokens.use_up(token);
        self.first_step(key, &account).user().map(LoginToken::SignedIn)
    }

    /// `auth.acceptLoginToken` by `user`: whoever shows the token hears `updateLoginToken`.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID`, `AUTH_TOKEN_EXPIRED`, `AUTH_TOKEN_ALREADY_ACCEPTED`, `AUTH_TOKEN_EXCEPTION`.
    pub fn accept_login_token(&mut self, user: UserId, token: &[u8]) -> Rpc<()> {
        let now = self.now();
        let open = self.login.tokens.open.iter_mut().find(|open| open.bytes == token);
        let open = open.ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
        if open.accepted_by.is_some() {
            return Err(RpcError::bad("AUTH_TOKEN_ALREADY_ACCEPTED"));
        }
        if open.expires_at <= now {
            return Err(RpcError::bad("AUTH_TOKEN_EXPIRED"));
        }
        if open.except.contains(&user) {
            return Err(RpcError::bad("AUTH_TOKEN_EXCEPTION"));
        }
        open.accepted_by = Some(user);
        self.login.nudged.push(open.key);
        Ok(())
    }

    /// `user`'s phone scans a QR code, whose text this is, and its owner says yes.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID` for a text that is no login, else as [`World::accept_login_token`].
    pub fn scan(&mut self, user: UserId, text: &str) -> Rpc<()> {
        let token = text.trim().strip_prefix(URL).and_then(base64url);
        let token = token.ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
        self.accept_login_token(user, &token)
    }

    /// As if `user` had scanned the newest QR code on show.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID` if none is on show, else as [`World::accept_login_token`].
    pub fn accept_newest_login_token(&mut self, user: UserId) -> Rpc<()> {
        let newest = self.login.tokens.on_show(self.now()).first().copied();
        self.accept_login_token(user, &newest.unwrap_or_default())
    }
}

/// Decodes base64url, padded or not.
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
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
