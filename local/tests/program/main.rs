//! The program as people run it: its built binary, its exit status, its words.

mod bad_input;
mod demo;
mod ferry;
mod transfer;
