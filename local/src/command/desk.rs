//! What commands of a moment work with: table, queue and key ring of an installation, also while another process serves it.
//!
//! Where no other process works on the data directory, this one holds its lock: no host lives, and none can begin meanwhile.
//! Otherwise it works through that process's engines, and takes an account only by its lease, as hosts do among each other.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use session_host::session::Sessions;
use transfer::account::Member;
use transfer::admin::{self, AdminError};
use transfer::clock::Clock;
use transfer::installation;
use transfer::queue::Queue;
use transfer::table::dynamo::WholeTable;
use transfer::table::{Table, TableError};

use crate::configuration::Configuration;
use crate::engines::Engines;
use crate::failure::Failure;
use crate::host::BOT_ID;
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::terminal::Terminal;

/// An installation, open for one command.
pub(super) struct Desk {
    pub(super) configuration: Configuration,
    pub(super) table: Arc<dyn Table>,
    pub(super) keys: Keys,
    pub(super) clock: Clock,
    pub(super) terminal: Terminal,
    engines: Engines,
}

impl Desk {
    /// Opens the installation that this configuration describes.
    pub(super) async fn open(config: &Path, log: &LogOptions, terminal: &Terminal) -> Result<Self, Failure> {
        let configuration = Configuration::load(config)?;
        let engines = configuration.engines_or_beside().await?;
        let desk = Self {
            table: Arc::new(engines.table(BOT_ID)),
            keys: Keys::at(&configuration.data_dir),
            clock: Clock::system(),
            terminal: terminal.clone(),
            configuration,
            engines,
        };
        let allowed = installation::look(desk.table.as_ref()).await.map_err(|error| Failure::input(&error));
        let started = allowed.and_then(|()| log.start(Some(&desk.configuration.data_dir.join("ferry.log"))));
        match started {
            Ok(()) => Ok(desk),
            Err(failure) => {
                desk.close().await;
                Err(failure)
            }
        }
    }

    /// Gives the installation free.
    pub(super) async fn close(self) {
        self.engines.stop().await;
    }

    /// Whether no other process works on this data directory.
    pub(super) fn is_alone(&self) -> bool {
        self.engines.is_alone()
    }

    /// The table as it is stored.
    pub(super) fn whole_table(&self) -> WholeTable {
        self.engines.whole_table()
    }

    pub(super) fn queue(&self) -> impl Queue {
        self.engines.queue()
    }

    /// The sessions, once the key ring is known to fit what the table holds.
    pub(super) async fn sessions(&self) -> Result<Sessions, Failure> {
        self.keys.ready(&self.configuration.data_dir, &self.table, self.clock.now()).await?;
        Ok(self.keys.sessions(self.table.clone()))
    }

    pub(super) async fn members(&self) -> Result<Vec<Member>, Failure> {
        admin::members(self.table.as_ref()).await.map_err(|error| table_failed(&error))
    }

    /// Now, today in the admin's zone, and when today ends.
    pub(super) fn now(&self) -> (Timestamp, Date, Timestamp) {
        let now = self.clock.now();
        let here = now.to_zoned(self.configuration.zone.clone());
        let midnight = here.tomorrow().and_then(|day| day.start_of_day()).map_or(Timestamp::MAX, |day| day.timestamp());
        (now, here.date(), midnight)
    }
}

pub(super) fn table_failed(error: &TableError) -> Failure {
    Failure::failed(error)
}

/// What was asked for makes no sense, or something failed on the way.
pub(super) fn admin_failed(error: &AdminError) -> Failure {
    match error {
        AdminError::Table(_) | AdminError::Commit(_) | AdminError::Contended(_) | AdminError::Queue(_) => {
            Failure::failed(error)
        }
        _ => Failure::input(error),
    }
}
