//! Ferry on one machine: the engines that stand for AWS here, and the program's commands.

pub mod audit;
pub mod command;
pub mod configuration;
pub mod demo;
pub mod engines;
pub mod failure;
pub mod file_modes;
pub mod host;
pub mod keys;
pub mod logging;
pub mod pool;
pub mod preflight;
pub mod progress;
pub mod rotation;
pub mod serve;
pub mod simulation;
pub mod single;
pub mod soak;
pub mod sqs;
pub mod terminal;
