//! Ferry on one machine: the engines that stand for AWS here, and the program's commands.

pub mod engines;
pub mod sqs;
