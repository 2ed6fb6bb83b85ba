//! The MTProto edge over real sockets, against the simulator: what the engine is promised by the `Telegram` port.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod faults;
mod forwarding;
mod hosted;
mod login;
mod membership;
mod opening;
mod proxy;
mod reading;
mod rig;
