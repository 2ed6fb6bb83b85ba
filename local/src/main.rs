//! `ferry`: reads the command line, does what it says, and tells how it ended.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use ferry::command::Program;
use ferry::failure::Failure;
use ferry::file_modes;
use ferry::terminal::Terminal;
use session_host::core_dumps;

/// No command was given: all of them are shown.
const NEEDS_HELP: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn main() -> ExitCode {
    let program = match Program::try_parse() {
        Ok(program) => program,
        // Help, wanted or for want of a command, and the version.
        Err(error) if !error.use_stderr() || error.kind() == NEEDS_HELP => error.exit(),
        Err(error) => return failed(&misread(&error)),
    };
    file_modes::close_to_others();
    if let Err(error) = core_dumps::forbid() {
        return failed(&Failure::Failed(format!("core dumps, which could hold secrets, cannot be forbidden: {error}")));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failure::failed(&error)),
    };
    let ended = runtime.block_on(program.run(&Terminal::stdout()));
    // A thread that still reads standard input is not waited for: whoever holds the other end may never close it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

/// What is wrong with the command line, in one line instead of clap's many.
fn misread(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let parts = text.lines().take_while(|line| !line.is_empty() && !line.starts_with("Usage:"));
    let line = parts.map(str::trim).collect::<Vec<_>>().join(" ");
    Failure::Input(format!("{}; try --help", line.trim_start_matches("error: ")))
}

fn failed(failure: &Failure) -> ExitCode {
    // Nobody may be listening any more; the exit status tells as well.
    drop(writeln!(std::io::stderr(), "ferry: {}", failure.line()));
    ExitCode::from(failure.status())
}
