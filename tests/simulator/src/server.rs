//! The simulator as a running server: listeners, the shared world, its end.
