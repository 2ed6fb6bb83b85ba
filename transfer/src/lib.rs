//! The domain of Ferry: tasks, chunks, pool, verdicts, pace, table and queue.
//!
//! Decisions here are synchronous functions of state, event and time; they return enums, and the session host and the
//! webhook obey them. This crate knows neither grammers nor Lambda; the AWS SDK appears in `aws.rs`,
//! `table/dynamo.rs` and `queue/sqs.rs` alone.
#![warn(missing_docs)]

/// Whether the deliberate fault of this name is at work: never, unless the feature `mutants` is on.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutated {
    ($name:ident) => {
        $crate::mutant::is_present($crate::mutant::Mutant::$name)
    };
}
/// Whether the deliberate fault of this name is at work: never, unless the feature `mutants` is on.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutated {
    ($name:ident) => {
        false
    };
}

pub mod account;
pub mod address;
pub mod admin;
pub mod aws;
pub mod bot;
pub mod chunk;
pub mod clock;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod dialogue;
pub mod environment;
pub mod event;
pub mod ids;
pub mod inquiry;
pub mod intent;
pub mod lease;
pub mod login;
#[cfg(feature = "cloudwatch")]
pub mod measuring;
pub mod message;
#[cfg(feature = "mutants")]
pub mod mutant;
pub mod pace;
pub mod pool;
pub mod progress;
pub mod queue;
pub mod random_id;
pub mod refusal;
pub mod screen;
pub mod seal;
pub mod selection;
pub mod sequence;
pub mod settle;
pub mod submit;
pub mod table;
pub mod task;
pub mod tell;
pub mod text;
pub mod verdict;
