//! The table in a file, and back again.
//!
//! What must stay true: a file is whole or not there; nothing in it is secret in clear (what was sealed stays sealed, the
//! key ring is not in it); nothing of the table is touched before all of the file was read and found good; whoever is
//! put back to an earlier moment delivers nothing twice and forgets no wait ([`plan`]).

pub mod file;
pub mod hosts;
pub mod plan;
pub mod restore;
pub mod take;
