//! The program's commands, one file each: its options, and what it does.

pub mod account;
pub mod backup;
mod data_dir;
pub mod demo;
mod desk;
pub mod host;
pub mod init;
pub mod keys;
pub mod panic;
mod report_file;
pub mod restore;
pub mod serve;
pub mod simulate;
pub mod simulator;
pub mod soak;
pub mod transfer;
pub mod verify;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// Carries messages from one Telegram chat to another, in bulk, with a pool of your own accounts.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, propagate_version = true)]
pub struct Program {
    /// How to log.
    #[command(flatten)]
    pub log: LogOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show it all on this machine: a simulated Telegram, a transfer with flood waits, and an audit of the result
    Demo(demo::DemoOptions),
    /// Carry messages from one chat to another; the same command goes on where it stopped
    Transfer(transfer::TransferOptions),
    /// Add accounts to the pool, look after them, and remove them
    Account(account::AccountOptions),
    /// Show and change the key under which secrets are sealed
    Keys(keys::KeysOptions),
    /// Sign every account out at Telegram and erase it here, at once
    Panic(panic::PanicOptions),
    /// Serve the bot on this machine: what its admins write to it, and the transfers they ask for
    Serve(serve::ServeOptions),
    /// Look whether this installation works, part by part, also while ferry serves
    Verify(verify::VerifyOptions),
    /// Write the table to a file, also while ferry serves
    Backup(backup::BackupOptions),
    /// Put the table back to what a backup holds
    Restore(restore::RestoreOptions),
    /// Write a configuration file with comments
    Init(init::InitOptions),
    /// Run the simulated Telegram alone, to develop against it
    Simulator(simulator::SimulatorOptions),
    /// Run the real engine through seeded failures in virtual time, and check every promise
    Simulate(simulate::SimulateOptions),
    /// Kill and freeze real hosts while they work, against a simulated Telegram, and audit the result
    Soak(soak::SoakOptions),
    /// Run a session host that a file describes, until standard input ends
    #[command(hide = true)]
    Host(host::HostOptions),
}

impl Program {
    /// Does what was asked for.
    ///
    /// # Errors
    /// With the line for the person and the exit status.
    pub async fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        match self.command {
            Command::Demo(options) => demo::run(options, &self.log, terminal).await,
            Command::Transfer(options) => transfer::run(options, &self.log, terminal).await,
            Command::Account(options) => account::run(options, &self.log, terminal).await,
            Command::Keys(options) => keys::run(options, &self.log, terminal).await,
            Command::Panic(options) => panic::run(options, &self.log, terminal).await,
            Command::Serve(options) => serve::run(options, &self.log, terminal).await,
            Command::Verify(options) => verify::run(options, &self.log, terminal).await,
            Command::Backup(options) => backup::run(options, &self.log, terminal).await,
            Command::Restore(options) => restore::run(options, &self.log, terminal).await,
            Command::Init(options) => init::run(&options, terminal).await,
            Command::Simulator(options) => simulator::run(options, &self.log, terminal).await,
            Command::Simulate(options) => simulate::run(options, terminal).await,
            Command::Soak(options) => soak::run(options, &self.log, terminal).await,
            Command::Host(options) => host::run(options, &self.log).await,
        }
    }
}
