//! Conversations with the bot, written down as people see them: `>` is what the admin does, `<` what the bot shows, `[ ]`
//! are buttons, `( )` short answers to presses.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod logins;
mod mistakes;
mod repeats;
mod stage;
mod story;
