//! `ferry`: reads the command line, does what it says, and tells how it ended.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use ferry::command::Program;
use ferry::failure::Failure;
use ferry::terminal::Terminal;

fn main() -> ExitCode {
    let program = Program::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failure::failed(&error)),
    };
    match runtime.block_on(program.run(&Terminal::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    // Nobody may be listening any more; the exit status tells as well.
    drop(writeln!(std::io::stderr(), "ferry: {}", failure.line()));
    ExitCode::from(failure.status())
}
