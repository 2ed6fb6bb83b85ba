//! The real engine against the simulator's world, in one process, in virtual time.
//!
//! The world is the one that the sockets serve; [`InProcess`] is its second front. Table and queue are the ones in memory.
//! Tokio's paused clock drives everything, so that a day of waiting takes milliseconds and a run repeats itself.

mod killing;
mod stage;
mod telegram;

pub use killing::{KillPoint, Side};
pub use stage::{ACCOUNT_IDS, Delivered, HostHandle, SOURCE, Stage, TARGET};
pub use telegram::InProcess;
