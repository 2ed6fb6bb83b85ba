//! Telegram's errors: a code and an upper-case name.

use std::fmt;

/// What a refused call is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    pub code: i32,
    pub message: String,
}

/// What a call of the world gives.
pub type Rpc<T> = Result<T, RpcError>;

impl RpcError {
    /// Any error.
    #[must_use]
    pub fn new(code: i32, message: impl Into<String>) -> RpcError {
        RpcError { code, message: message.into() }
    }

    /// 400: the request is wrong.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> RpcError {
        RpcError::new(400, message)
    }

    /// 403: the caller may not.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> RpcError {
        RpcError::new(403, message)
    }

    /// 420 `FLOOD_WAIT_X`.
    #[must_use]
    pub fn flood_wait(secs: i64) -> RpcError {
        RpcError::new(420, format!("FLOOD_WAIT_{secs}"))
    }

    /// 401: nobody is signed in on this key.
    #[must_use]
    pub fn unregistered() -> RpcError {
        RpcError::new(401, "AUTH_KEY_UNREGISTERED")
    }

    /// 406: the key was in use from two places at once.
    #[must_use]
    pub fn key_duplicated() -> RpcError {
        RpcError::new(406, "AUTH_KEY_DUPLICATED")
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)
    }
}

impl std::error::Error for RpcError {}
