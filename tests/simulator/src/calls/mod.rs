//! The TL front: one decoded request in, one serialized answer out. Thin translations over `world`; no rule lives here.

pub mod auth;

use crate::world::{AuthKeyId, Push, RpcError, SessionId, UserId, WireCommand, WireFault, World};

/// Who calls, as the session layer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub auth_key: AuthKeyId,
    pub session: SessionId,
    pub dc: i32,
    /// The layer that `unwrap` found, or the one remembered for this key.
    pub layer: i32,
    pub user: Option<UserId>,
    pub connection: u64,
}

/// What to send back, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: Result<Vec<u8>, RpcError>,
    pub wire: WireFault,
    /// The audit entry to close with `World::audit_end` when the reply was written or the connection died.
    pub audit: Option<u64>,
}

impl Answer {
    /// An answer that the wire leaves alone.
    #[must_use]
    pub fn plain(body: Result<Vec<u8>, RpcError>) -> Answer {
        Answer { body, wire: WireFault::None, audit: None }
    }
}

/// What the wrappers around a request said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrapped {
    /// `invokeWithLayer`: to be remembered for the key.
    pub layer: Option<i32>,
    /// `initConnection`: device and application.
    pub client: Option<String>,
    /// `invokeWithoutUpdates`: this session wants none.
    pub without_updates: bool,
    /// Where the request itself starts in the body.
    pub start: usize,
}

/// Strips `invokeWithLayer`, `initConnection`, `invokeWithoutUpdates`, `invokeAfterMsg(s)` and takes note of them.
///
/// # Errors
/// `INPUT_REQUEST_INVALID` when the wrappers themselves do not decode.
pub fn unwrap(_body: &[u8]) -> Result<Wrapped, RpcError> {
    Ok(Wrapped::default())
}

/// Answers one request (`body` may still carry its wrappers). Never panics, whatever the bytes.
pub fn handle(_world: &mut World, _caller: &Caller, _body: &[u8]) -> Answer {
    Answer::plain(Err(RpcError::bad("METHOD_INVALID")))
}

/// The updates queued since the last call.
pub fn take_pushes(world: &mut World) -> Vec<Push> {
    world.take_pushes()
}

/// What faults and rules ask of the wire since the last call.
pub fn take_wire_commands(world: &mut World) -> Vec<WireCommand> {
    std::mem::take(&mut world.wire_commands)
}

/// A complete serialized `Updates` for the sessions of `push.to`.
#[must_use]
pub fn encode_push(_world: &World, _push: &Push, _layer: i32) -> Vec<u8> {
    Vec::new()
}
