//! QR login: a token that one key shows and somebody signed in elsewhere accepts.
//!
//! Source: <https://core.telegram.org/api/qr-login>.

use crate::time::SimTime;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};

/// A token may be shown for so long.
const TOKEN_MILLIS: i64 = 30 * 1000;

/// The tokens that are not used yet.
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

    fn take(&mut self, bytes: &[u8]) -> Option<Token> {
        let index = self.open.iter().position(|token| token.bytes == bytes)?;
        Some(self.open.remove(index))
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
        // An accepted token is kept past its time: its owner may be slow to ask.
        tokens.retain(|token| token.accepted_by.is_some() || token.expires_at > now);
        if let Some(index) = tokens.iter().position(|token| token.key == key && token.accepted_by.is_some()) {
            let (token, accepted_by) = (tokens[index].bytes, tokens[index].accepted_by);
            let account = accepted_by.and_then(|user| self.account(user));
            let account = account.ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
            if account.home_dc != dc {
                return Ok(LoginToken::MigrateTo { dc: account.home_dc, token });
            }
            self.login.tokens.open.remove(index);
            return self.first_step(key, &account).user().map(LoginToken::SignedIn);
        }
        if let Some(token) = tokens.iter().find(|token| token.key == key && token.except == except) {
            return Ok(LoginToken::Show { token: token.bytes, expires_at: token.expires_at });
        }
        let expires_at = now.plus_millis(TOKEN_MILLIS);
        let bytes = self.drawn();
        let except = except.to_vec();
        self.login.tokens.open.push(Token { bytes, key, except, expires_at, accepted_by: None });
        Ok(LoginToken::Show { token: bytes, expires_at })
    }

    /// `auth.importLoginToken`: brings an accepted token to the data centre of its user.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID`, 401 `SESSION_PASSWORD_NEEDED`.
    pub fn import_login_token(&mut self, dc: i32, key: AuthKeyId, token: &[u8]) -> Rpc<LoginToken> {
        let invalid = || RpcError::bad("AUTH_TOKEN_INVALID");
        let open = self.login.tokens.open.iter().find(|open| open.bytes == token).ok_or_else(invalid)?;
        let account = open.accepted_by.and_then(|user| self.account(user)).ok_or_else(invalid)?;
        if account.home_dc != dc {
            return Ok(LoginToken::MigrateTo { dc: account.home_dc, token: open.bytes });
        }
        self.login.tokens.take(token);
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

    /// As if `user` had scanned the newest QR code on show.
    ///
    /// # Errors
    /// `AUTH_TOKEN_INVALID` if none is on show, else as [`World::accept_login_token`].
    pub fn accept_newest_login_token(&mut self, user: UserId) -> Rpc<()> {
        let newest = self.login.tokens.on_show(self.now()).first().copied();
        self.accept_login_token(user, &newest.unwrap_or_default())
    }
}
