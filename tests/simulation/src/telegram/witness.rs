//! Who is told what happens between processes and Telegram.

use simulator::world::audit::Entry;
use simulator::world::forward::ForwardRequest;
use simulator::world::{SessionId, UserId};

use crate::process::Process;

/// Sees everything at the moment it happens; the world is not locked then.
pub trait Witness: Send + Sync {
    /// The server has accepted a connection of this auth key. It may refuse the key right after.
    fn opened(&self, by: &Process, account: UserId, session: SessionId);

    /// The server has closed the connection, or seen it closed.
    fn closed(&self, session: SessionId);

    /// The world has decided a call. A forward that is carried out late is told when that happens, by a process that may
    /// be dead by then and on a connection that is closed; its entry has the time at which it arrived.
    fn called(&self, by: &Process, entry: &Entry);

    /// A forward has arrived and is about to be decided.
    fn forwarding(&self, by: &Process, account: UserId, request: &ForwardRequest);

    /// The reply has reached whoever asked, in a process that is alive and does not stand still.
    fn heard(&self, by: &Process, audit_seq: u64);
}

/// Sees nothing.
pub(super) struct Nobody;

impl Witness for Nobody {
    fn opened(&self, _by: &Process, _account: UserId, _session: SessionId) {}

    fn closed(&self, _session: SessionId) {}

    fn called(&self, _by: &Process, _entry: &Entry) {}

    fn forwarding(&self, _by: &Process, _account: UserId, _request: &ForwardRequest) {}

    fn heard(&self, _by: &Process, _audit_seq: u64) {}
}
