//! Holds the features of the workspace's dependencies together; see its Cargo.toml.
