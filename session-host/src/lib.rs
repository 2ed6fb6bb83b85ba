//! The session host: it holds the accounts' MTProto connections, takes jobs from the queue, forwards, changes account
//! on flood errors, and writes back what happened.

pub mod admission;
pub mod core_dumps;
pub mod engine;
pub mod exchange;
pub mod health;
pub mod interruption;
pub mod login;
pub mod qr;
pub mod session;
pub mod session_string;
pub mod settings;
pub mod telegram;
pub mod vault;
