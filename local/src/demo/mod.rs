//! The demonstration: everything on this machine, against a simulated Telegram, with an audit at the end.

pub mod host_process;
pub mod kills;
pub mod stage;
pub mod summary;
