//! The program as people run it: its built binary, its exit status, its words.

#![expect(clippy::unwrap_used, reason = "all of this is test code, helpers included")]

mod accounts;
mod backup;
mod bad_input;
mod beside;
mod demo;
mod ferry;
mod logins;
mod simulate;
mod transfer;
