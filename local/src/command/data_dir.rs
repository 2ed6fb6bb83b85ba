//! Where a run that needs no directory of the person's keeps its data.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::Failure;

/// A directory that was asked for, or one that is removed unless it is kept.
pub(super) enum DataDir {
    Named(PathBuf),
    Temporary(TempDir),
}

impl DataDir {
    /// The directory of this name, or a new temporary one whose name begins like this.
    pub(super) fn choose(named: Option<&Path>, prefix: &str) -> Result<Self, Failure> {
        if let Some(dir) = named {
            return Ok(Self::Named(dir.to_owned()));
        }
        let dir = tempfile::Builder::new().prefix(prefix).tempdir();
        let dir = dir.map_err(|error| Failure::Input(format!("no temporary directory: {error}")))?;
        Ok(Self::Temporary(dir))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }

    pub(super) fn keep(self) -> PathBuf {
        match self {
            Self::Named(path) => path,
            Self::Temporary(dir) => dir.keep(),
        }
    }
}
