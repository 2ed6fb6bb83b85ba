//! What goes wrong on purpose.

use std::time::Duration;

/// What the wire does to a call, apart from its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WireFault {
    #[default]
    None,
    /// Not applied; the connection is closed without a reply.
    CutBefore,
    /// Applied; the connection is closed without a reply.
    CutAfter,
    /// Applied; the reply comes this much later.
    Delay(Duration),
    /// Applied, never answered; the connection stays open and silent.
    Stall,
    /// Not applied, never answered.
    StallBefore,
    /// Not applied; a transport error such as -404 or -429.
    TransportError(i32),
    /// Applied, and answered with a 500 (`Answer::body` holds it).
    InternalAfter,
}

/// What the world or the control API asks of the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum WireCommand {
    /// New salts for every key; old ones get `bad_server_salt`.
    RotateSalts,
    /// Message ids and dates of the session layer run this many milliseconds ahead.
    ClockSkew { millis: i64 },
    /// Close the connections of this key (all connections when `None`).
    Kick { auth_key: Option<super::AuthKeyId> },
}
