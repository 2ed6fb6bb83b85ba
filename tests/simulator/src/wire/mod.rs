//! The socket half: transports, key exchange, and the MTProto 2.0 session layer.
//!
//! Bytes come up through [`transport`] (framing), then either [`exchange`] (before there is a key) or [`message`] and
//! [`session`] (what MTProto itself asks of every message); all of these are synchronous and know no sockets.
//! [`switchboard`] holds what outlives a connection, [`connection`] is the only task there is per client.

pub mod connection;
pub mod crypto;
pub mod exchange;
pub mod message;
pub mod rsa_key;
pub mod session;
pub mod switchboard;
pub mod transport;
mod turn;
