//! The handler of updates.
