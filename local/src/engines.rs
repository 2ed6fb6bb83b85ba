//! Table and queue on this machine: an embedded DynamoDB engine and our SQS endpoint, both on loopback, both durable in
//! files of one data directory. Everything above speaks to them through the AWS SDK, as it would to AWS.
//!
//! What must stay true: one process runs the engines of a data directory (it holds `lock` until they have stopped: two
//! engines could open one file). It writes down where they listen, for its owner alone, so that commands of a moment can
//! work beside it ([`Engines::beside`]). Each engine answers on a thread and runtime of its own, because it works
//! synchronously, behind one lock, and waits for the disk while it does. Kill -9 loses nothing that was answered.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use session_host::vault::replace_file;
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::clock::Clock;
use transfer::ids::TaskId;
use transfer::queue::sqs::SqsQueue;
use transfer::queue::{Job, Queue as _, QueueError, RECEIVE_MAX};
use transfer::table::TableError;
use transfer::table::dynamo::{DynamoTable, EXPIRES, WholeTable};

use crate::sqs::doubling::Doubling;
use crate::sqs::server;
use crate::sqs::store::{Store, StoreError};

/// The table on one machine, and the queue.
const NAME: &str = "ferry";
/// The queue through which it is found out whether queues work.
const PROBE_NAME: &str = "ferry-probe";
/// How long a probe's job may take to come out again, and when it is anybody's once more.
const PROBE_WITHIN: Duration = Duration::from_secs(2);
const PROBE_VISIBLE_AFTER: Duration = Duration::from_secs(30);
/// How often what expired is removed. Readers do not rely on it.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// How soon a sweep is tried again when the table is not there yet.
const SWEEP_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Where the engines listen, while they run.
const ADDRESSES_FILE: &str = "engines.json";
/// How long whoever holds the lock may take until its engines listen: a table that was not closed well is mended first.
const BESIDE_WITHIN: Duration = Duration::from_secs(20);
/// How often that is looked at.
const BESIDE_LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long an engine may take to finish what it is doing once it was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Why the engines did not start.
#[derive(Debug, thiserror::Error)]
pub enum EnginesError {
    /// The directory or a file in it cannot be written.
    #[error("cannot write to {path}: choose another data directory, or make this one writable")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else holds the lock.
    #[error("another ferry works on {0}: stop it, or choose another data directory")]
    Busy(PathBuf),
    /// The table's file is broken, or of a newer engine.
    #[error("cannot open the table in {path}: {why}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        why: String,
    },
    /// The queue's file is broken.
    #[error("cannot open the queue in {path}")]
    Queue {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: StoreError,
    },
    /// Somebody else holds the lock, and his engines cannot be reached.
    #[error("another ferry works on {path}, and does not answer ({why}): wait until it has started, or stop it")]
    Unanswered {
        /// The data directory.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// No port or no thread to be had.
    #[error("cannot serve on 127.0.0.1")]
    Serve(#[from] io::Error),
    /// The engine is there, but the table could not be made in it.
    #[error("the table does not work")]
    CreateTable(#[from] TableError),
    /// The endpoint is there, but the queue could not be made in it.
    #[error("the queue does not work")]
    CreateQueue(#[from] QueueError),
}

/// The running engines. Dropping them stops them, without waiting; [`Self::stop`] waits.
#[derive(Debug)]
pub struct Engines {
    dynamo_endpoint: String,
    sqs_endpoint: String,
    dynamo: DynamoClient,
    queue: SqsQueue,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
    place: Place,
    /// Of engines that are not ours; ours hold it in their threads.
    _lock: Option<Arc<File>>,
}

/// Whose the engines are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// This process runs them, for this data directory.
    Here(PathBuf),
    /// They run elsewhere, and no other process works on the data directory.
    Elsewhere,
    /// Another process works on the data directory.
    Beside,
}

/// Where engines run that are not embedded: an emulator of AWS, to try things against.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineAddresses {
    /// What speaks DynamoDB's protocol, such as `http://127.0.0.1:4566`.
    pub dynamodb: String,
    /// What speaks SQS's.
    pub sqs: String,
}

impl Engines {
    /// Starts both engines on free ports, with table and queue in them. Creates `data_dir` if need be.
    ///
    /// # Errors
    /// The directory cannot be written, is in use, or holds files that are none of ours.
    pub async fn start(data_dir: &Path) -> Result<Self, EnginesError> {
        Self::start_with(data_dir, None).await
    }

    /// The same, with a queue that delivers each message more than once.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(data_dir: &Path, doubling: Option<Doubling>) -> Result<Self, EnginesError> {
        let lock = Arc::new(lock(data_dir)?);
        let place = Place::Here(data_dir.to_owned());
        // Of a process that was killed: whatever listens there now is not ours.
        place.forget();
        let stop = CancellationToken::new();
        let (dynamo_endpoint, dynamo_thread) = start_dynamo(data_dir, &lock, &stop)?;
        let (sqs_endpoint, sqs_thread) = start_sqs(data_dir, doubling, &lock, &stop)?;
        // The threads hold the lock from here on.
        drop(lock);
        let dynamo = DynamoClient::new(&local_config(&dynamo_endpoint));
        // From here on a failure drops the engines, which stops them.
        let sqs = SqsClient::new(&local_config(&sqs_endpoint));
        let queue = SqsQueue::new(&sqs, String::new());
        let threads = vec![dynamo_thread, sqs_thread];
        let engines = Self { dynamo_endpoint, sqs_endpoint, dynamo, queue, stop, threads, place, _lock: None };
        let engines = engines.furnished(&sqs).await?;
        engines.tell(data_dir)?;
        Ok(engines)
    }

    /// Uses engines that run elsewhere, and makes table and queue in them unless they are there. The data directory is
    /// this process's alone all the same: sessions lie in it.
    ///
    /// # Errors
    /// The directory cannot be written or is in use, or the engines do not answer.
    pub async fn attach(data_dir: &Path, addresses: &EngineAddresses) -> Result<Self, EnginesError> {
        let lock = Some(Arc::new(lock(data_dir)?));
        Self::at(addresses, Place::Elsewhere, lock).await
    }

    /// Uses the engines with which another process works on this data directory, and leaves them running. For commands of
    /// a moment, which leave queue and host to that process.
    ///
    /// # Errors
    /// They do not answer.
    pub async fn beside(data_dir: &Path, addresses: Option<&EngineAddresses>) -> Result<Self, EnginesError> {
        let unanswered = |why: String| EnginesError::Unanswered { path: data_dir.to_owned(), why };
        let look = async {
            loop {
                let why = match addresses.cloned().map_or_else(|| told(data_dir), Ok) {
                    Err(why) => why,
                    Ok(addresses) => match Self::at(&addresses, Place::Beside, None).await {
                        Ok(engines) => return engines,
                        Err(error) => error.to_string(),
                    },
                };
                tracing::debug!(why, "the engines of the other ferry are not there yet");
                tokio::time::sleep(BESIDE_LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(BESIDE_WITHIN, look)
            .await
            .map_err(|_elapsed| unanswered(told(data_dir).err().unwrap_or_else(|| "its engines are silent".to_owned())))
    }

    async fn at(addresses: &EngineAddresses, place: Place, lock: Option<Arc<File>>) -> Result<Self, EnginesError> {
        let dynamo = DynamoClient::new(&local_config(&addresses.dynamodb));
        let sqs = SqsClient::new(&local_config(&addresses.sqs));
        let (dynamo_endpoint, sqs_endpoint) = (addresses.dynamodb.clone(), addresses.sqs.clone());
        let (queue, stop) = (SqsQueue::new(&sqs, String::new()), CancellationToken::new());
        let threads = Vec::new();
        let engines = Self { dynamo_endpoint, sqs_endpoint, dynamo, queue, stop, threads, place, _lock: lock };
        engines.furnished(&sqs).await
    }

    /// Writes down where the engines listen. They believe whoever reaches them: other users of the machine are not told.
    fn tell(&self, data_dir: &Path) -> Result<(), EnginesError> {
        let path = data_dir.join(ADDRESSES_FILE);
        let addresses = EngineAddresses { dynamodb: self.dynamo_endpoint.clone(), sqs: self.sqs_endpoint.clone() };
        let text = serde_json::to_vec(&addresses).map_err(io::Error::from)?;
        replace_file(&path, &text).map_err(|source| EnginesError::Directory { path, source })
    }

    /// Whether this process alone works with table and queue: no host lives, and none can begin.
    pub fn is_alone(&self) -> bool {
        matches!(self.place, Place::Here(_))
    }

    /// Whether another process works on this data directory.
    pub fn is_beside(&self) -> bool {
        self.place == Place::Beside
    }

    /// With table and queue in them.
    async fn furnished(mut self, sqs: &SqsClient) -> Result<Self, EnginesError> {
        self.table(0).create_table().await?;
        self.queue = SqsQueue::create(sqs, NAME).await?;
        Ok(self)
    }

    /// Where the DynamoDB engine listens, for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn dynamo_endpoint(&self) -> &str {
        &self.dynamo_endpoint
    }

    /// Where the SQS endpoint listens, for `AWS_ENDPOINT_URL_SQS`.
    pub fn sqs_endpoint(&self) -> &str {
        &self.sqs_endpoint
    }

    /// The table's name in the engine.
    pub fn table_name(&self) -> &str {
        NAME
    }

    /// One bot's part of the table.
    pub fn table(&self, bot_id: i64) -> DynamoTable {
        DynamoTable::new(&self.dynamo, NAME, bot_id)
    }

    /// All of the table, as it is stored.
    pub fn whole_table(&self) -> WholeTable {
        WholeTable::new(&self.dynamo, NAME)
    }

    /// The queue of jobs; [`SqsQueue::url`] says where.
    pub fn queue(&self) -> SqsQueue {
        self.queue.clone()
    }

    /// Sends a job through a queue of its own and takes it out again: the way that every job takes, past nobody's.
    ///
    /// # Errors
    /// The queue does not work.
    pub async fn probe_queue(&self) -> Result<(), QueueError> {
        let sqs = SqsClient::new(&local_config(&self.sqs_endpoint));
        let queue = SqsQueue::create(&sqs, PROBE_NAME).await?;
        let job = Job::batch(TaskId(uuid::Uuid::new_v4().to_string()), 1, 1);
        queue.send(&job).await?;
        for delivery in queue.receive(RECEIVE_MAX, PROBE_VISIBLE_AFTER, PROBE_WITHIN).await? {
            queue.delete(&delivery.receipt).await?;
            if serde_json::from_str::<Job>(&delivery.body).is_ok_and(|came| came == job) {
                return Ok(());
            }
        }
        Err(QueueError::Failed("a job that was sent did not come out again".to_owned()))
    }

    /// Stops both engines and gives the data directory free.
    pub async fn stop(mut self) {
        self.place.forget();
        self.stop.cancel();
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("an engine's thread had panicked");
                }
            }
        });
        if joined.await.is_err() {
            tracing::error!("the engines were not waited for");
        }
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        // Before the lock is given up: the next process may have written its own by then.
        if !self.stop.is_cancelled() {
            self.place.forget();
        }
        self.stop.cancel();
    }
}

impl Place {
    /// Nobody is to look for engines that do not listen any more. A file that stays is noticed by whoever reads it.
    fn forget(&self) {
        if let Self::Here(data_dir) = self {
            drop(fs::remove_file(data_dir.join(ADDRESSES_FILE)));
        }
    }
}

/// Where the engines of a data directory listen.
fn told(data_dir: &Path) -> Result<EngineAddresses, String> {
    let path = data_dir.join(ADDRESSES_FILE);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn lock(data_dir: &Path) -> Result<File, EnginesError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| EnginesError::Directory { path, source }
    };
    fs::create_dir_all(data_dir).map_err(unwritable(data_dir))?;
    let path = data_dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unwritable(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EnginesError::Busy(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(EnginesError::Directory { path, source }),
    }
}

type Started = (String, JoinHandle<()>);

fn start_dynamo(data_dir: &Path, lock: &Arc<File>, stop: &CancellationToken) -> Result<Started, EnginesError> {
    // WAL, and SQLite's default of synchronous=FULL.
    let path = data_dir.join("table.sqlite");
    let database = match path.to_str() {
        Some(text) => dynoxide::Database::new(text).map_err(|error| error.to_string()),
        None => Err("the path is no UTF-8".to_owned()),
    };
    let database = database.map_err(|why| EnginesError::Table { path, why })?;
    let stopped = stop.clone();
    Ok(serve("table", lock, stop, async move |listener| {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let swept = database.clone();
        tokio::select! {
            served = dynoxide::server::serve_with_shutdown(listener, database, stopped.cancelled_owned()) => {
                served.map_err(io::Error::other)
            }
            never = sweep_for_ever(swept) => match never {},
        }
    })?)
}

/// Removes what expired: the engine does not do that by itself.
#[expect(clippy::infinite_loop, reason = "it ends with the engine, which drops it")]
async fn sweep_for_ever(database: dynoxide::Database) -> Infallible {
    loop {
        let database = database.clone();
        // It waits for the disk, and lets requests in between pages.
        let swept = tokio::task::spawn_blocking(move || sweep(&database)).await;
        let pause = match swept {
            Ok(Ok(removed)) => {
                tracing::debug!(removed, "what expired was removed from the table");
                SWEEP_EVERY
            }
            // Before the table was made for the first time.
            Ok(Err(error)) => {
                tracing::debug!(%error, "what expired was not removed from the table");
                SWEEP_AGAIN_AFTER
            }
            Err(panic) => {
                tracing::error!(%panic, "removing what expired panicked; it is tried again");
                SWEEP_EVERY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

fn sweep(database: &dynoxide::Database) -> dynoxide::Result<usize> {
    database.update_time_to_live(UpdateTimeToLiveRequest {
        table_name: NAME.to_owned(),
        time_to_live_specification: TimeToLiveSpecification { attribute_name: EXPIRES.to_owned(), enabled: true },
    })?;
    database.sweep_ttl()
}

fn start_sqs(
    data_dir: &Path,
    doubling: Option<Doubling>,
    lock: &Arc<File>,
    stop: &CancellationToken,
) -> Result<Started, EnginesError> {
    let path = data_dir.join("queue.sqlite");
    let mut store = Store::open(&path).map_err(|source| EnginesError::Queue { path, source })?;
    store.set_doubling(doubling);
    let stopped = stop.clone();
    Ok(serve("queue", lock, stop, async move |listener| {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        server::serve(listener, store, Clock::system(), stopped).await
    })?)
}

/// Runs a server on a thread of its own, with the lock held until it has ended.
fn serve<S>(name: &'static str, lock: &Arc<File>, stop: &CancellationToken, server: S) -> io::Result<Started>
where
    S: AsyncFnOnce(TcpListener) -> io::Result<()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (lock, stop) = (Arc::clone(lock), stop.clone());
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let ended = runtime.block_on(async {
            let late = async {
                stop.cancelled().await;
                tokio::time::sleep(STOP_WITHIN).await;
            };
            tokio::select! {
                ended = server(listener) => ended,
                () = late => Ok(()),
            }
        });
        if let Err(error) = ended {
            tracing::error!(%error, engine = name, "an embedded engine failed; restart ferry");
        }
        // The connections' tasks hold the engine's file: they end with the runtime, before the lock is given up.
        drop(runtime);
        drop(lock);
    })?;
    Ok((format!("http://{address}"), thread))
}
