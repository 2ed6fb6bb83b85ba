//! What must hold of the domain's decisions whatever the case is.
//!
//! The unit tests beside each decision say what it does; these draw the cases that nobody would think of, by rules said
//! in another way than the code says them. A failing case is shrunk and printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod addresses;
mod choosing;
mod cutting;
mod pacing;
mod random_ids;
mod sequences;
mod settling;
mod transitions;
mod verdicts;
