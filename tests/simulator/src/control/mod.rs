//! The control API: HTTP on loopback.

pub use crate::world::WireCommand;
