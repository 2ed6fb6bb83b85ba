//! The real engine against the simulator's world, in one process, in virtual time.
//!
//! The world is the one that the sockets serve; [`InProcess`] is its second front. Table and queue are the ones in memory.
//! Tokio's paused clock drives everything, so that a day of waiting takes milliseconds and a run repeats itself.

mod admin;
mod bot;
mod calm;
mod churn;
mod draw;
mod engines;
mod fault;
mod hosts;
mod killing;
mod oracle;
mod plan;
mod process;
mod run;
mod setting;
mod source;
mod stage;
mod suite;
mod telegram;
mod trace;

pub use draw::Draw;
pub use fault::{Fault, Faults, Tally, UnknownFault};
pub use killing::{KillPoint, Side};
pub use oracle::{Coverage, Invariant, Oracle, Violation, WatchedTask};
pub use plan::{AccountPlan, Moment, Plan, SourcePlan, TargetPlan, TaskPlan};
pub use process::Process;
pub use run::{Options, Report, run, run_plan};
pub use stage::{ACCOUNT_IDS, Delivered, HostHandle, SOURCE, Stage, TARGET};
pub use suite::{Summary, simulate};
pub use telegram::{InProcess, Witness};
pub use trace::Trace;
