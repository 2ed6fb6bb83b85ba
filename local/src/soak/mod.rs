//! The soak: real host processes that are killed and frozen while they work, on a queue that delivers everything more than
//! once, with an audit at the end.
//!
//! The deterministic simulation reaches far more interleavings; this shows that nothing of it depends on being simulated:
//! processes, signals, sockets, files and clocks are the real ones, the table and the queue those of one machine. What must
//! stay true: what is judged is the server's log and what stands in the targets.

pub mod findings;
pub mod routes;
pub mod strikes;
pub mod tally;
