//! Fuzz targets for what a client sends and for the export files that people bring.
//!
//! Whatever comes is answered or refused, and asks for no more memory than it brings. Each target runs as an ordinary
//! test for about a second, longer with `BOLERO_RANDOM_TEST_TIME_MS`. A failure prints the `BOLERO_RANDOM_SEED` that
//! repeats it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "fuzz/bot_api.rs"]
mod bot_api;
#[path = "fuzz/exchange.rs"]
mod exchange;
#[path = "fuzz/export.rs"]
mod export;
#[path = "fuzz/wire.rs"]
mod wire;
