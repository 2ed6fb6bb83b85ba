//! The file that a run's report goes to, as JSON.

use std::fs::OpenOptions;
use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;

/// That the report can be written is found out before the work, not after it; an earlier report stays until then.
pub(super) fn check(path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let is_new = !path.exists();
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened
        .and_then(|_file| if is_new { std::fs::remove_file(path) } else { Ok(()) })
        .map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))
}

/// Writes it.
pub(super) fn write(path: Option<&Path>, report: &impl Serialize) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_string_pretty(report).map_err(|error| Failure::failed(&error))?;
    let written = std::fs::write(path, json + "\n");
    written.map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}
