//! Accounts that an admin adds in the chat, through the whole of `ferry serve` over sockets; and that no secret of it stands
//! anywhere afterwards.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adding;
mod canary;
mod leak;
mod leaving;
mod program;
mod scanner;
mod stage;
