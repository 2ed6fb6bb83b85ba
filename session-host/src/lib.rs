//! The session host: it holds the accounts' MTProto connections, takes jobs from the queue, forwards, changes account
//! on flood errors, and writes back what happened.

pub mod admission;
pub mod engine;
pub mod exchange;
pub mod login;
pub mod qr;
pub mod session;
pub mod session_string;
pub mod telegram;
pub mod vault;
