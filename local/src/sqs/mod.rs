//! SQS for one machine: the part of its awsJson protocol that Ferry uses, over SQLite.
//!
//! FIFO queues only. Whatever is not supported is refused with one of SQS's own errors, never ignored.

mod attributes;
pub mod doubling;
mod request;
pub mod server;
pub mod store;
mod wire;
