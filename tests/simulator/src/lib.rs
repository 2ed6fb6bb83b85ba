//! A Telegram that fits on a laptop: one synchronous [`world`] with its rules, and three fronts to it - real MTProto
//! over sockets ([`wire`], [`calls`]), the HTTP Bot API ([`bot_api`]), and plain Rust calls for deterministic simulation.
//!
//! What must stay true: the world reads no clock, randomness or socket of its own; whatever a client sends, the
//! server answers it or closes that connection, and never falls over.

mod arithmetic;
pub mod bot_api;
pub mod calls;
pub mod control;
pub mod export;
pub mod scenario;
pub mod server;
pub mod time;
pub mod wire;
pub mod world;
