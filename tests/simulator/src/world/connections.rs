//! Which keys have a connection open at the server, and from where, for fronts that say so.
//!
//! Telegram's rule: a key that is in use from two places at once is dead for good (`AUTH_KEY_DUPLICATED`). Several
//! connections from one place are fine.

use super::user::AccountState;
use super::{AuthKeyId, Rpc, RpcError, SessionId, UserId, World};
use std::collections::BTreeMap;

/// The connections that the server holds for open.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: BTreeMap<SessionId, Open>,
    last: i64,
}

#[derive(Debug)]
struct Open {
    auth_key: AuthKeyId,
    from: Box<str>,
}

impl World {
    /// A connection of this key is open from now on.
    pub fn connect(&mut self, auth_key: AuthKeyId, from: &str) -> SessionId {
        self.connections.last += 1;
        let session = SessionId(self.connections.last);
        self.connections.open.insert(session, Open { auth_key, from: from.into() });
        session
    }

    /// What the first call on a connection that was just opened is answered with.
    ///
    /// # Errors
    /// `AUTH_KEY_DUPLICATED` if the key is in use elsewhere (and from now on always).
    pub fn admit_connection(&mut self, user: UserId, session: SessionId) -> Rpc<()> {
        let open = &self.connections.open;
        let elsewhere = open
            .get(&session)
            .is_some_and(|own| open.values().any(|other| other.auth_key == own.auth_key && other.from != own.from));
        if elsewhere {
            self.kill_key(user);
        }
        match self.users.get(&user).map(|user| user.state) {
            Some(AccountState::KeyDuplicated) => Err(RpcError::key_duplicated()),
            _ => Ok(()),
        }
    }

    /// The key of an account is dead for good.
    pub fn kill_key(&mut self, user: UserId) {
        if let Some(user) = self.users.get_mut(&user) {
            user.state = AccountState::KeyDuplicated;
        }
    }

    /// The connection is closed; whether it was open.
    pub fn disconnect(&mut self, session: SessionId) -> bool {
        self.connections.open.remove(&session).is_some()
    }

    /// Whether the server holds the connection for open.
    #[must_use]
    pub fn is_connected(&self, session: SessionId) -> bool {
        self.connections.open.contains_key(&session)
    }
}
