//! `ferry init`: writes a configuration file with comments.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;

use crate::configuration::{FILE_DEFAULT, TEMPLATE};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Options of `ferry init`.
#[derive(Debug, Args)]
pub struct InitOptions {
    /// Where to write it
    #[arg(value_name = "FILE", default_value = FILE_DEFAULT)]
    file: PathBuf,
}

/// Writes the file, unless there is one.
///
/// # Errors
/// There is one, or it cannot be written.
pub fn run(options: &InitOptions, terminal: &Terminal) -> Result<(), Failure> {
    let path = options.file.display();
    // It will hold a secret.
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&options.file);
    let written = opened.and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::Input(format!("{path} exists already, and is left as it is")),
        _ => Failure::Input(format!("cannot write {path}: {error}")),
    })?;
    terminal.line(format!("Wrote {path}. Fill in api id and hash, then: ferry account add"));
    Ok(())
}
