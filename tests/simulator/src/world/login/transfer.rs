//! Authorisations taken from one data centre to another.
//!
//! Source: <https://core.telegram.org/method/auth.exportAuthorization>.

use super::SignedIn;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};

/// Exported and not imported yet.
#[derive(Debug, Default)]
pub struct Exports {
    open: Vec<Export>,
}

#[derive(Debug)]
struct Export {
    user: UserId,
    dc: i32,
    bytes: [u8; 64],
}

impl World {
    /// `auth.exportAuthorization`, for data centre `to`.
    ///
    /// # Errors
    /// `DC_ID_INVALID`; 401 `AUTH_KEY_UNREGISTERED`.
    pub fn export_authorization(&mut self, dc: i32, key: AuthKeyId, to: i32) -> Rpc<(UserId, [u8; 64])> {
        let user = self.login.user(key).ok_or_else(RpcError::unregistered)?;
        if to == dc || !self.login.dcs.iter().any(|(dc, _)| *dc == to) {
            return Err(RpcError::bad("DC_ID_INVALID"));
        }
        let bytes = self.drawn();
        self.login.exports.open.push(Export { user, dc: to, bytes });
        Ok((user, bytes))
    }

    /// `auth.importAuthorization`.
    ///
    /// # Errors
    /// `AUTH_BYTES_INVALID`.
    pub fn import_authorization(&mut self, dc: i32, key: AuthKeyId, user: UserId, bytes: &[u8]) -> Rpc<SignedIn> {
        let open = &mut self.login.exports.open;
        let index = open.iter().position(|it| it.user == user && it.dc == dc && it.bytes == bytes);
        open.swap_remove(index.ok_or_else(|| RpcError::bad("AUTH_BYTES_INVALID"))?);
        self.login.sign_in(key, user);
        Ok(SignedIn::As(user))
    }
}
