//! The real engine against the simulator's world, in one process, in virtual time.
//!
//! The world is the one that the sockets serve; [`InProcess`] is its second front. Table and queue are the ones in memory.
//! Tokio's paused clock drives everything, so that a day of waiting takes milliseconds and a run repeats itself.

mod draw;
mod fault;
mod killing;
mod process;
mod stage;
mod telegram;
mod trace;

pub use draw::Draw;
pub use fault::{Fault, Faults, Tally, UnknownFault};
pub use killing::{KillPoint, Side};
pub use process::Process;
pub use stage::{ACCOUNT_IDS, Delivered, HostHandle, SOURCE, Stage, TARGET};
pub use telegram::{InProcess, Witness};
pub use trace::Trace;
