//! `ferry transfer`: a transfer against any server, from asking to the last message, in one process.
//!
//! The same command goes on where it stopped: a task with the same source, target, selection and style that is not over
//! is resumed. Other tasks of the data directory are paused, so that a command does what it says and nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use session_host::session::{Session, Sessions};
use session_host::telegram::GrammersTelegram;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{MessageId, Nonce, TaskId};
use transfer::message::Kind;
use transfer::pace::Preset;
use transfer::queue::Queue;
use transfer::selection::{Range, Selection};
use transfer::submit::{self, NewTask};
use transfer::table::{Guard, Item, List, Table, Write};
use transfer::task::{Style, Task, TaskEvent, TaskState, Wish};

use crate::configuration::{Configuration, FILE_DEFAULT};
use crate::failure::Failure;
use crate::host::{Audience, BOT_ID, Life, Who};
use crate::keys::Keys;
use crate::logging::LogOptions;
use crate::pool;
use crate::preflight::{self, Route};
use crate::progress::words::grouped;
use crate::progress::{Watch, rests};
use crate::single::{self, Single};
use crate::terminal::Terminal;
use session_host::interruption::interrupted;

/// Options of `ferry transfer`.
#[derive(Debug, Args)]
#[command(after_help = single::HELP)]
pub struct TransferOptions {
    /// Source: @name, a t.me link, or a number such as -1001234567890
    #[arg(long, value_name = "PEER", allow_hyphen_values = true)]
    from: String,
    /// Target, written the same way
    #[arg(long, value_name = "PEER", allow_hyphen_values = true)]
    to: String,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = FILE_DEFAULT)]
    config: PathBuf,
    /// Which messages.
    #[command(flatten)]
    selection: SelectionOptions,
    /// Without "forwarded from"
    #[arg(long)]
    drop_author: bool,
    /// Without captions; goes with --drop-author
    #[arg(long)]
    drop_captions: bool,
    /// Without notifications
    #[arg(long)]
    silent: bool,
    /// Into this topic of the target, by its first message's id
    #[arg(long, value_name = "ID")]
    topic: Option<i32>,
    /// small, medium, large or none
    #[arg(long, value_name = "PRESET", default_value = "small")]
    pace: String,
    /// Stop after so many messages; the same command goes on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_limit: Option<u32>,
    /// From now on, messages a day for each account
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    daily_budget: Option<u32>,
}

/// Which messages.
#[derive(Debug, Args)]
struct SelectionOptions {
    /// Only these kinds: photo, video, document, audio, voice, sticker, poll, text
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Only messages that contain this, in any case
    #[arg(long, value_name = "TEXT")]
    keyword: Option<String>,
    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["ids", "from_id"])]
    since: Option<Date>,
    /// Up to the end of this day
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["ids", "from_id"])]
    until: Option<Date>,
    /// Ids from A to B, both included
    #[arg(long, value_name = "A-B", conflicts_with = "from_id")]
    ids: Option<String>,
    /// This id and everything after it
    #[arg(long, value_name = "ID")]
    from_id: Option<i32>,
}

/// Carries, or goes on carrying.
///
/// # Errors
/// Bad input, or the transfer could not be finished.
pub async fn run(options: TransferOptions, log: &LogOptions, terminal: &Terminal) -> Result<(), Failure> {
    let configuration = Configuration::load(&options.config)?;
    let asked = options.ask(&configuration.zone)?;
    let engines = configuration.engines().await?;
    let default_log = configuration.data_dir.join("ferry.log");
    let ended = match log.start(Some(&default_log)) {
        Err(failure) => Err(failure),
        Ok(()) => {
            let carrying = Carrying {
                table: Arc::new(engines.table(BOT_ID)),
                queue: Arc::new(engines.queue()),
                clock: Clock::system(),
                configuration: &configuration,
                options: &options,
                terminal,
            };
            carrying.carry(asked).await
        }
    };
    engines.stop().await;
    ended
}

impl TransferOptions {
    fn ask(&self, zone: &TimeZone) -> Result<Task, Failure> {
        let peer = |text: &str| text.parse::<PeerAddress>().map_err(|error| Failure::input(&error));
        let preset = self.pace.parse::<Preset>().map_err(|error| Failure::input(&error))?;
        let (id, nonce) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let asked = NewTask {
            topic: self.topic.map(MessageId),
            selection: self.selection.selection(zone)?,
            style: Style { drop_author: self.drop_author, drop_captions: self.drop_captions, silent: self.silent },
            pace: preset.pace(),
            batch_len: self.batch_limit.unwrap_or_else(|| preset.batch_len()),
            pause_after_batch: self.batch_limit.is_some(),
            ..NewTask::new(TaskId(id.to_string()), Nonce(*nonce.as_bytes()), peer(&self.from)?, peer(&self.to)?)
        };
        asked.build(Clock::system().now()).map_err(|error| Failure::input(&error))
    }
}

impl SelectionOptions {
    fn selection(&self, zone: &TimeZone) -> Result<Selection, Failure> {
        let kinds = self.kinds.iter().map(|word| kind(word)).collect::<Result<_, _>>()?;
        let range = match (&self.ids, self.from_id) {
            (Some(ids), _) => id_range(ids)?,
            (None, Some(from)) => Range::From(MessageId(from)),
            (None, None) if self.since.is_none() && self.until.is_none() => Range::Everything,
            (None, None) => {
                let begins = |day: Date| day.to_zoned(zone.clone()).map(|zoned| zoned.timestamp());
                let ends = |day: Date| day.tomorrow().and_then(begins);
                let from = self.since.map_or(Ok(Timestamp::UNIX_EPOCH), begins);
                let until = self.until.map_or(Ok(Timestamp::MAX), ends);
                let wrong = |error: jiff::Error| Failure::Input(format!("the dates make no sense: {error}"));
                let (from, until) = (from.map_err(wrong)?, until.map_err(wrong)?);
                Range::Dates { from, until: until.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(until) }
            }
        };
        Ok(Selection { range, kinds, keyword: self.keyword.clone(), only: None })
    }
}

fn kind(word: &str) -> Result<Kind, Failure> {
    serde_json::from_value(serde_json::Value::String(word.trim().to_lowercase())).map_err(|_unknown| {
        Failure::Input(format!("{word:?} is no kind: photo, video, document, audio, voice, sticker, poll, text"))
    })
}

fn id_range(text: &str) -> Result<Range, Failure> {
    let ends = text.split_once('-').and_then(|(from, until)| {
        Some(Range::Ids { from: MessageId(from.trim().parse().ok()?), until: MessageId(until.trim().parse().ok()?) })
    });
    ends.ok_or_else(|| Failure::Input(format!("{text:?} is no range of message ids; write one such as 100-2500")))
}

struct Carrying<'a> {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    clock: Clock,
    configuration: &'a Configuration,
    options: &'a TransferOptions,
    terminal: &'a Terminal,
}

impl Carrying<'_> {
    async fn carry(&self, asked: Task) -> Result<(), Failure> {
        let table = self.table.as_ref();
        let only = match Single::of_environment()? {
            Some(single) => {
                let (setup, zone) = (&self.configuration.setup, self.configuration.zone.clone());
                let today = self.clock.now().to_zoned(zone).date();
                Some(single.enter(table, setup, &self.clock, today, self.terminal).await?)
            }
            None => None,
        };
        let members = match &only {
            Some(session) => single::member(table, session).await?,
            None => pool::members(table).await.map_err(|error| Failure::failed(&error))?,
        };
        if members.is_empty() {
            return Err(Failure::Input("there are no accounts: add one with ferry account add".to_owned()));
        }
        let earlier = self.earlier(&asked).await?;
        if earlier.is_none() {
            let keys = Keys::at(&self.configuration.data_dir);
            keys.ready(&self.configuration.data_dir, &self.table, self.clock.now()).await?;
            let sessions = only.clone().map_or_else(|| keys.sessions(self.table.clone()), Sessions::only);
            let telegram = GrammersTelegram::new(self.configuration.setup.clone(), sessions, self.clock.clone());
            let route = Route { source: &asked.source.address, target: &asked.target.address };
            preflight::check(&telegram, table, &members, &route, &self.clock).await?;
        }
        if let Some(budget) = self.options.daily_budget {
            pool::set_budget(table, &members, budget).await.map_err(|error| Failure::failed(&error))?;
        }
        self.set_others_aside(earlier.as_ref().unwrap_or(&asked)).await?;
        let id = match earlier {
            Some(task) => self.go_on(task, &asked).await?,
            None => {
                let submitted = submit::submit(table, self.queue.as_ref(), &asked).await;
                submitted.map_err(|error| Failure::failed(&error))?;
                asked.id
            }
        };
        let task = self.work(&id, only).await?;
        self.tell(&task)
    }

    /// The task that the same command began and did not finish.
    async fn earlier(&self, asked: &Task) -> Result<Option<Task>, Failure> {
        let same = |task: &Task| {
            !task.state.is_over()
                && (&task.source.address, &task.target.address) == (&asked.source.address, &asked.target.address)
                && (task.target.topic, &task.selection, task.style)
                    == (asked.target.topic, &asked.selection, asked.style)
        };
        let tasks = self.tasks().await?;
        Ok(tasks.into_iter().filter(same).max_by_key(|task| task.created_at))
    }

    async fn tasks(&self) -> Result<Vec<Task>, Failure> {
        let records = self.table.list(List::Tasks).await.map_err(|error| Failure::failed(&error))?;
        let tasks = records.into_iter().filter_map(|record| match record.item {
            Item::Task(task) => Some(*task),
            _ => None,
        });
        Ok(tasks.collect())
    }

    async fn go_on(&self, task: Task, asked: &Task) -> Result<TaskId, Failure> {
        let (table, queue, now) = (self.table.as_ref(), self.queue.as_ref(), self.clock.now());
        let delivered = grouped(task.checkpoint.counts.delivered);
        self.terminal.line(format!("Going on after {delivered} delivered messages"));
        if task.pace != asked.pace {
            let wished = submit::wish(table, &task.id, Wish::Run, Some(asked.pace), now).await;
            wished.map_err(|error| Failure::failed(&error))?;
        }
        submit::resume(table, queue, &task.id, now).await.map_err(|error| Failure::failed(&error))?;
        Ok(task.id)
    }

    /// Pauses what would go on by itself beside the task that was asked for.
    async fn set_others_aside(&self, asked: &Task) -> Result<(), Failure> {
        for task in self.tasks().await? {
            if task.id != asked.id && !rests(&task.state) {
                self.pause(&task.id, "another transfer was started; its own command goes on with it").await?;
            }
        }
        Ok(())
    }

    /// Pauses a task that nobody works on: no host lives, because this process holds the data directory.
    async fn pause(&self, id: &TaskId, reason: &str) -> Result<(), Failure> {
        let key = transfer::table::Key::task(id);
        let record = self.table.get(&key).await.map_err(|error| Failure::failed(&error))?;
        let Some((mut task, version)) = record.and_then(|record| match record.item {
            Item::Task(task) => Some((task, record.version)),
            _ => None,
        }) else {
            return Ok(());
        };
        if rests(&task.state) {
            return Ok(());
        }
        let paused = task.next(TaskEvent::Pause { reason: reason.to_owned() }, self.clock.now());
        paused.map_err(|error| Failure::failed(&error))?;
        task.lease = None;
        let write = Write::Put { item: Item::Task(task), guard: Guard::Version(version) };
        self.table.commit(vec![write]).await.map_err(|error| Failure::failed(&error))
    }

    /// Runs a host until the task rests or somebody presses Ctrl-C. Gives the task as it stands then.
    async fn work(&self, id: &TaskId, only: Option<Session>) -> Result<Task, Failure> {
        let stop = CancellationToken::new();
        let life = Life {
            who: Who::only(),
            setup: self.configuration.setup.clone(),
            keys: Keys::at(&self.configuration.data_dir),
            only,
            table: self.table.clone(),
            queue: self.queue.clone(),
            zone: self.configuration.zone.clone(),
            data_dir: self.configuration.data_dir.clone(),
            audience: Audience::default(),
        };
        let mut host = JoinSet::new();
        host.spawn(life.live(stop.clone()));
        let (table, zone) = (self.table.as_ref(), &self.configuration.zone);
        let watch = Watch { table, task: id, terminal: self.terminal, clock: &self.clock, zone };
        let never = CancellationToken::new();
        let followed = tokio::select! {
            followed = watch.follow(&never) => followed.map(Some),
            heard = interrupted() => match heard {
                Ok(()) => {
                    self.terminal.line("Stopping after the call in flight; Ctrl-C once more stops at once");
                    Ok(None)
                }
                Err(error) => Err(Failure::failed(&error)),
            },
            ended = host.join_next() => {
                let why = match ended {
                    Some(Ok(Err(failure))) => failure.line().to_owned(),
                    Some(Err(panic)) => panic.to_string(),
                    Some(Ok(Ok(()))) | None => "without a word".to_owned(),
                };
                return Err(Failure::Failed(format!("the host ended: {why}")));
            }
        };
        stop.cancel();
        tokio::select! {
            () = async { while host.join_next().await.is_some() {} } => {}
            _again = interrupted() => {
                return Err(Failure::Interrupted("stopped at once; the same command goes on".to_owned()));
            }
        }
        match followed? {
            Some(task) => Ok(task),
            None => {
                self.pause(id, "stopped with Ctrl-C; the same command goes on").await?;
                Err(Failure::Interrupted("stopped; everything is saved, and the same command goes on".to_owned()))
            }
        }
    }

    fn tell(&self, task: &Task) -> Result<(), Failure> {
        let counts = &task.checkpoint.counts;
        match &task.state {
            TaskState::Done { .. } if counts.matched == 0 => {
                Err(Failure::Input(format!("nothing in {} matches the selection", task.source.address)))
            }
            TaskState::Done { .. } => {
                self.terminal.line(format!(
                    "Done: {} delivered, {} skipped, {} floods, {} changes of account",
                    grouped(counts.delivered),
                    grouped(counts.skipped),
                    counts.floods,
                    counts.changes
                ));
                Ok(())
            }
            TaskState::Paused { .. } if task.pause_after_batch => {
                self.terminal.line("The batch is done; the same command goes on with the next.");
                Ok(())
            }
            TaskState::Paused { reason } | TaskState::Failed { reason } => Err(Failure::Failed(reason.clone())),
            // Parked before anything was carried: what was asked for cannot be done.
            TaskState::Parked { reason } if counts.delivered == 0 => Err(Failure::Input(reason.clone())),
            TaskState::Parked { reason } => Err(Failure::Failed(reason.clone())),
            TaskState::Ready { .. }
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::Cancelled { .. } => Err(Failure::Failed(format!("the transfer is {}", task.state))),
        }
    }
}
