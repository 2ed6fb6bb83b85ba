//! What happens when somebody writes to the bot: an update is taken once, decided by the pure dialogue, committed, and
//! answered.
//!
//! The same [`handler::Handler`] serves the Lambda function, its local emulation and `ferry serve`.

pub mod gate;
pub mod handler;
mod perform;
pub mod receiver;
pub mod settings;
pub mod views;
