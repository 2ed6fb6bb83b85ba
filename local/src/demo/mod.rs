//! The demonstration: everything on this machine, against a simulated Telegram, with an audit at the end.

pub mod admin;
pub mod host_process;
pub mod kills;
pub mod stage;
pub mod story;
pub mod summary;
