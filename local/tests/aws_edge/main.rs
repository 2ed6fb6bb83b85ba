//! What AWS does to its callers, done to ours at HTTP level: between the AWS SDK with our judgement of its errors and the
//! embedded engines stands a proxy that refuses, throttles, cuts off and forgets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capacity;
mod credentials;
mod faults;
mod mapping;
mod poison;
mod proxy;
mod stand;
mod transfers;
