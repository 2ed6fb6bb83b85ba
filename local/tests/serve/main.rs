//! `ferry serve` over sockets: what Telegram and everybody else may send to it, and a whole transfer asked for in chat.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod abuse;
mod story;
