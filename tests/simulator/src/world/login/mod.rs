//! Who is signed in on which key, and the three ways to get there: a code, a QR token, an authorisation brought from
//! another data centre - each followed by the password where there is one.
//!
//! What must stay true: a key is signed in as one user at most; a code, token or password proof works once.

mod code;
mod password;
mod token;
mod transfer;

pub use code::{CodeState, CodeWay, Codes, SentCode};
pub use password::{PasswordChallenge, PasswordProof, Passwords};
pub(crate) use token::base64url;
pub use token::{LoginToken, Tokens};
pub use transfer::Exports;

use super::{AuthKeyId, Rpc, RpcError, UserId, World};
use serde::Serialize;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Login state of the world.
#[derive(Debug, Default)]
pub struct Login {
    /// Data centres and where they listen; `help.getConfig` tells them.
    pub dcs: Vec<(i32, SocketAddr)>,
    pub codes: Codes,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub exports: Exports,
    keys: HashMap<AuthKeyId, KeyState>,
    nudged: Vec<AuthKeyId>,
}

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyState {
    SignedIn(UserId),
    /// The first step is done, the password is awaited.
    PasswordAwaited(UserId),
    /// Somebody ended it: what every call is answered with.
    Ended(RpcError),
}

/// A key on which somebody is signed in, or about to be: what its owner's list of devices shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Session {
    pub auth_key: AuthKeyId,
    /// The password was not given yet.
    pub password_pending: bool,
}

/// What login has to know of a user.
#[derive(Debug, Clone)]
pub struct Account {
    pub user: UserId,
    pub home_dc: i32,
    pub password: Option<String>,
    pub banned: bool,
}

/// What a first step led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedIn {
    As(UserId),
    PasswordNeeded,
}

impl SignedIn {
    /// As calls answer it: the user, or 401 `SESSION_PASSWORD_NEEDED`.
    pub fn user(self) -> Rpc<UserId> {
        match self {
            SignedIn::As(user) => Ok(user),
            SignedIn::PasswordNeeded => Err(RpcError::new(401, "SESSION_PASSWORD_NEEDED")),
        }
    }
}

impl Login {
    /// Who is signed in on this key.
    #[must_use]
    pub fn user(&self, key: AuthKeyId) -> Option<UserId> {
        match self.keys.get(&key) {
            Some(KeyState::SignedIn(user)) => Some(*user),
            _ => None,
        }
    }

    /// Who is signed in, or waits for his password to be asked.
    #[must_use]
    pub fn user_or_awaited(&self, key: AuthKeyId) -> Option<UserId> {
        match self.keys.get(&key) {
            Some(KeyState::SignedIn(user) | KeyState::PasswordAwaited(user)) => Some(*user),
            _ => None,
        }
    }

    /// Who gave a code or token and owes the password.
    #[must_use]
    pub fn awaited(&self, key: AuthKeyId) -> Option<UserId> {
        match self.keys.get(&key) {
            Some(KeyState::PasswordAwaited(user)) => Some(*user),
            _ => None,
        }
    }

    /// Why this key's session was ended, if it was.
    #[must_use]
    pub fn ended(&self, key: AuthKeyId) -> Option<&RpcError> {
        match self.keys.get(&key) {
            Some(KeyState::Ended(error)) => Some(error),
            _ => None,
        }
    }

    /// The keys on which `user` is signed in.
    #[must_use]
    pub fn keys_of(&self, user: UserId) -> Vec<AuthKeyId> {
        let signed_in = self.keys.iter().filter(|(_, state)| **state == KeyState::SignedIn(user));
        let mut keys: Vec<_> = signed_in.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }

    /// Every session of `user`, half-done ones included.
    #[must_use]
    pub fn sessions_of(&self, user: UserId) -> Vec<Session> {
        let sessions = self.keys.iter().filter_map(|(key, state)| match state {
            KeyState::SignedIn(of) if *of == user => Some(Session { auth_key: *key, password_pending: false }),
            KeyState::PasswordAwaited(of) if *of == user => Some(Session { auth_key: *key, password_pending: true }),
            _ => None,
        });
        let mut sessions: Vec<_> = sessions.collect();
        sessions.sort_unstable_by_key(|session| session.auth_key);
        sessions
    }

    /// Signs `user` in on this key, whoever was before.
    pub fn sign_in(&mut self, key: AuthKeyId, user: UserId) {
        self.keys.insert(key, KeyState::SignedIn(user));
    }

    /// Nobody is signed in on this key any more.
    pub fn forget_key(&mut self, key: AuthKeyId) {
        self.keys.remove(&key);
    }

    /// Ends this key's session: from now on every call hears `error`, until somebody signs in again.
    pub fn end(&mut self, key: AuthKeyId, error: RpcError) {
        self.keys.insert(key, KeyState::Ended(error));
    }

    /// Ends all sessions of `user` but the one of `except`: they hear 401 `SESSION_REVOKED`.
    pub fn revoke_others(&mut self, user: UserId, except: Option<AuthKeyId>) {
        for key in self.keys_of(user) {
            if Some(key) != except {
                self.end(key, RpcError::new(401, "SESSION_REVOKED"));
            }
        }
    }

    /// A message with this text was sent in some chat: codes in it are no secret any more.
    pub fn text_sent(&mut self, text: &str) {
        self.codes.text_sent(text);
    }

    /// Keys that are to hear `updateLoginToken`, since the last time.
    pub fn take_nudged(&mut self) -> Vec<AuthKeyId> {
        std::mem::take(&mut self.nudged)
    }
}

impl World {
    /// What login has to know of a user.
    #[must_use]
    pub fn account(&self, user: UserId) -> Option<Account> {
        self.users.get(&user).map(|it| Account {
            user,
            home_dc: it.home_dc,
            password: it.password.clone(),
            banned: it.state == super::user::AccountState::Banned,
        })
    }

    /// The first step of signing in is done: signed in, unless there is a password.
    fn first_step(&mut self, key: AuthKeyId, account: &Account) -> SignedIn {
        let (state, result) = match account.password {
            Some(_) => (KeyState::PasswordAwaited(account.user), SignedIn::PasswordNeeded),
            None => (KeyState::SignedIn(account.user), SignedIn::As(account.user)),
        };
        self.login.keys.insert(key, state);
        result
    }

    /// Logs the key out.
    pub fn log_out(&mut self, key: AuthKeyId) {
        self.login.forget_key(key);
    }

    pub(crate) fn drawn<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        rand::RngCore::fill_bytes(&mut self.rng, &mut bytes);
        bytes
    }
}
