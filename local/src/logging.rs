//! Where the program's log goes, how it looks, and how much of it there is.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::failure::Failure;

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct LogOptions {
    /// Write the log to this file
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// How the log looks
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Log more; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

impl LogOptions {
    /// Starts logging, for the whole process. Without `--log-file` the log goes to `default`, or to standard error.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start(&self, default: Option<&Path>) -> Result<(), Failure> {
        let writer = match self.log_file.as_deref().or(default) {
            None => BoxMakeWriter::new(io::stderr),
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                let file = file.map_err(|error| {
                    Failure::Input(format!("cannot write the log file {}: {error}", path.display()))
                })?;
                BoxMakeWriter::new(Mutex::new(file))
            }
        };
        let ansi = self.log_file.is_none() && default.is_none() && io::IsTerminal::is_terminal(&io::stderr());
        let builder = tracing_subscriber::fmt().with_env_filter(self.filter()).with_writer(writer);
        let started = match self.log_format {
            LogFormat::Human => builder.with_ansi(ansi).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        started.map_err(|error| Failure::Failed(format!("the log cannot be started: {error}")))
    }

    /// Own code as asked for; libraries only when something is wrong, or when everything is asked for.
    fn filter(&self) -> EnvFilter {
        let (own, others) = match self.verbose {
            0 => ("info", "warn"),
            1 => ("debug", "warn"),
            _ => ("trace", "debug"),
        };
        EnvFilter::new(format!("{others},ferry={own},session_host={own},transfer={own},webhook={own},simulator={own}"))
    }
}
