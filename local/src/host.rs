//! One life of the session host: in this process, or described in a file for a process of its own.
//!
//! On one machine hosts of one data directory follow each other. The file `host.lock` says which one lives: whoever
//! holds it may take at once whatever an earlier life held, because that life is over.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use session_host::engine::{CHECK_IDLE_AFTER, Halt, HostConfig, Ports, Reception, SessionHost};
use session_host::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use session_host::session::{Session, Sessions};
use session_host::telegram::GrammersTelegram;
use session_host::telegram::setup::{ApiCredentials, Patience, Setup};
use tokio_util::sync::CancellationToken;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::bot::Bot;
use transfer::bot::telegram::{TelegramBot, TelegramSettings};
use transfer::clock::Clock;
use transfer::ids::{ChatId, HostId, Incarnation};
use transfer::queue::Queue;
use transfer::queue::sqs::SqsQueue;
use transfer::table::Table;
use transfer::table::dynamo::DynamoTable;

use crate::engines::Engines;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::pool;

/// The one place on a machine where its hosts run, unless somebody wants several.
const HOST_ID: &str = "local";
/// Transfers that one host works on at the same time.
const TASKS_MAX: usize = 16;
/// Messages in one forward call; Telegram allows no more.
const CHUNK_LEN_MAX: u32 = 100;
/// Several bots can share a table; on one machine there is one.
pub const BOT_ID: i64 = 0;

/// Which host a life is of.
#[derive(Debug, Clone)]
pub struct Who {
    /// The host. Hosts of different ids have different data directories.
    pub id: HostId,
    /// Whether no other host takes jobs from the queue: then it is begun anew with each life.
    pub alone: bool,
}

impl Who {
    /// The only host of this machine.
    pub fn only() -> Self {
        Self { id: HostId::from(HOST_ID), alone: true }
    }
}

/// Who is told what happens, and how.
#[derive(Clone, Default)]
pub struct Audience {
    /// The bot; `None` where nobody talks to one.
    pub bot: Option<Arc<dyn Bot>>,
    /// Who is told what concerns the whole installation.
    pub admins: Vec<ChatId>,
}

/// What a life needs.
pub struct Life {
    /// Of which host.
    pub who: Who,
    /// The way to Telegram.
    pub setup: Setup,
    /// What opens the accounts' sessions.
    pub keys: Keys,
    /// The only account that it works with, where the environment names one; the pool is left alone meanwhile.
    pub only: Option<Session>,
    /// The table.
    pub table: Arc<dyn Table>,
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// The admin's zone.
    pub zone: TimeZone,
    /// The directory of `host.lock`.
    pub data_dir: PathBuf,
    /// Whom it tells what happens, if anybody.
    pub audience: Audience,
}

impl Life {
    /// Lives until it is told to stop.
    ///
    /// # Errors
    /// Another host lives on the same data, or the host had to give up.
    pub async fn live(self, stop: CancellationToken) -> Result<(), Failure> {
        let lock = lock(&self.data_dir)?;
        if !self.who.alone {
            let freed = pool::free_of(self.table.as_ref(), &self.who.id).await;
            freed.map_err(|error| Failure::failed(&error))?;
        }
        let clock = Clock::system();
        self.keys.ready(&self.data_dir, &self.table, clock.now()).await?;
        let only_account = self.only.as_ref().map(|session| session.account.clone());
        let sessions = self.only.map_or_else(|| self.keys.sessions(self.table.clone()), Sessions::only);
        let reception = Reception {
            setup: self.setup.clone(),
            sessions: self.keys.sessions(self.table.clone()),
            sealer: self.keys.sealer().clone(),
            vault: self.keys.vault().clone(),
        };
        let telegram = Arc::new(GrammersTelegram::new(self.setup, sessions, clock.clone()));
        let config = HostConfig {
            id: self.who.id,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            incarnation: Incarnation(uuid::Uuid::new_v4().to_string()),
            exclusive: true,
            alone: self.who.alone,
            tasks_max: TASKS_MAX,
            chunk_len_max: CHUNK_LEN_MAX,
            zone: self.zone,
            admins: self.audience.admins,
            only_account,
            check_idle_after: CHECK_IDLE_AFTER,
        };
        let ports = Ports {
            telegram,
            table: self.table,
            queue: self.queue,
            bot: self.audience.bot,
            reception: Some(reception),
            clock,
        };
        let ended = SessionHost::new(config, ports, stop).run().await;
        drop(lock);
        ended.map_err(|halt: Halt| Failure::failed(&halt))
    }
}

fn lock(data_dir: &Path) -> Result<File, Failure> {
    let path = data_dir.join("host.lock");
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::Input(format!("another host works on {}: stop it first", data_dir.display())))
        }
        Err(TryLockError::Error(error)) => Err(Failure::Input(format!("cannot lock {}: {error}", path.display()))),
    }
}

/// A life as `ferry host --config FILE` reads it.
#[derive(Serialize, Deserialize)]
pub struct HostFile {
    host_id: String,
    alone: bool,
    dynamo_endpoint: String,
    table: String,
    sqs_endpoint: String,
    queue_url: String,
    api_id: i32,
    api_hash: String,
    dcs: BTreeMap<i32, SocketAddr>,
    /// Modulus and exponent, both decimal.
    rsa_keys: Vec<(String, String)>,
    /// Where the key ring is.
    keys_dir: PathBuf,
    data_dir: PathBuf,
    zone: Option<String>,
    /// The bot that tells what happens.
    #[serde(default)]
    bot: Option<HostBot>,
}

#[derive(Serialize, Deserialize)]
struct HostBot {
    token: String,
    api: Option<String>,
    admins: Vec<ChatId>,
}

impl HostFile {
    /// A host on these engines, for a server with this one key.
    pub fn new(
        who: Who,
        engines: &Engines,
        setup: &Setup,
        rsa_key: (String, String),
        keys: &Keys,
        data_dir: &Path,
    ) -> Self {
        Self {
            host_id: who.id.0,
            alone: who.alone,
            dynamo_endpoint: engines.dynamo_endpoint().to_owned(),
            table: engines.table_name().to_owned(),
            sqs_endpoint: engines.sqs_endpoint().to_owned(),
            queue_url: engines.queue().url().to_owned(),
            api_id: setup.api.id,
            api_hash: setup.api.hash.expose_secret().to_owned(),
            dcs: setup.dcs.clone(),
            rsa_keys: vec![rsa_key],
            keys_dir: keys.dir().to_owned(),
            data_dir: data_dir.to_owned(),
            zone: None,
            bot: None,
        }
    }

    /// The same, with a bot that tells these people what happens.
    #[must_use]
    pub fn told_by(self, bot: &TelegramSettings, admins: Vec<ChatId>) -> Self {
        let token = bot.token.expose_secret().to_owned();
        Self { bot: Some(HostBot { token, api: bot.api.clone(), admins }), ..self }
    }

    /// Writes it for its owner alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::failed(&error))?;
        let written = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
        let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))
    }

    /// Reads one.
    ///
    /// # Errors
    /// The file is missing or broken.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|error| Failure::Input(format!("cannot read {}: {error}", path.display())))?;
        // The text holds a secret: only the place of the fault is told.
        serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Failure::Input(format!("{} is no host file: line {line}, column {column}", path.display()))
        })
    }

    /// The life that it describes.
    ///
    /// # Errors
    /// A key or zone that is none.
    pub fn life(self) -> Result<Life, Failure> {
        let keys: Result<Vec<_>, _> =
            self.rsa_keys.iter().map(|(modulus, exponent)| RsaPublicKey::new(modulus, exponent)).collect();
        let keys = keys.map_err(|error| Failure::input(&error))?;
        let api = ApiCredentials { id: self.api_id, hash: SecretString::from(self.api_hash) };
        let patience = Patience::default();
        let dynamo = DynamoClient::new(&local_config(&self.dynamo_endpoint));
        let sqs = SqsClient::new(&local_config(&self.sqs_endpoint));
        Ok(Life {
            who: Who { id: HostId(self.host_id), alone: self.alone },
            setup: Setup { api, dcs: self.dcs, keys: RsaKeys::new(keys), proxy: None, patience },
            keys: Keys::in_dir(&self.keys_dir),
            only: None,
            table: Arc::new(DynamoTable::new(&dynamo, self.table, BOT_ID)),
            queue: Arc::new(SqsQueue::new(&sqs, self.queue_url)),
            zone: zone(self.zone.as_deref())?,
            data_dir: self.data_dir,
            audience: self.bot.map_or_else(|| Ok(Audience::default()), HostBot::audience)?,
        })
    }
}

impl HostBot {
    fn audience(self) -> Result<Audience, Failure> {
        let settings = TelegramSettings { token: SecretString::from(self.token), api: self.api, proxy: None };
        let bot = TelegramBot::new(&settings).map_err(|error| Failure::input(&error))?;
        Ok(Audience { bot: Some(Arc::new(bot)), admins: self.admins })
    }
}

/// The zone of this name, or the machine's.
///
/// # Errors
/// There is no zone of this name.
pub fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).map_err(|_unknown| {
            Failure::Input(format!("{name:?} is no time zone; write one such as Europe/London or UTC"))
        }),
    }
}
