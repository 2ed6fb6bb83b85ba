//! The transfers of a soak: each from a source of its own to a target of its own, a new one whenever one is done.

use simulator::scenario::{FIRST_ACCOUNT, generated};
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::{ChatId, UserId, World};
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{Nonce, TaskId};
use transfer::pace::Preset;
use transfer::submit::{self, NewTask};
use transfer::table::{Item, Key};
use transfer::task::{Task, TaskState};

use crate::demo::stage::{SourceMix, Stage};
use crate::failure::Failure;

/// The bare ids of the channels begin here; the sources have the even ones.
const FIRST_CHANNEL: i64 = 1_600_000_000;

/// One transfer.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its task.
    pub task: TaskId,
    /// From where.
    pub source: ChatId,
    /// To where.
    pub target: ChatId,
}

/// All transfers of a soak.
pub struct Routes<'a> {
    stage: &'a Stage,
    seed: u64,
    messages_each: i32,
    clock: Clock,
    all: Vec<Route>,
    /// Those that are not over, by their place in the list.
    open: Vec<usize>,
}

/// What a look at the open transfers found.
#[derive(Debug, Default)]
pub struct Look {
    /// How many are under way.
    pub open: usize,
    /// How each that cannot go on by itself stands.
    pub stuck: Vec<String>,
}

impl<'a> Routes<'a> {
    /// None yet; each will have so many message ids in its source.
    pub fn new(stage: &'a Stage, seed: u64, messages_each: i32) -> Self {
        Self { stage, seed, messages_each, clock: Clock::system(), all: Vec::new(), open: Vec::new() }
    }

    /// Every transfer that was begun.
    pub fn all(&self) -> &[Route] {
        &self.all
    }

    /// Begins another transfer.
    ///
    /// # Errors
    /// Table or queue failed.
    pub async fn begin(&mut self) -> Result<(), Failure> {
        let n = i64::try_from(self.all.len()).unwrap_or(i64::MAX);
        let (source, target) = (ChatId::channel(FIRST_CHANNEL + 2 * n), ChatId::channel(FIRST_CHANNEL + 2 * n + 1));
        let (from, to) = (format!("source{n}"), format!("target{n}"));
        let seed = self.seed.wrapping_add(self.all.len() as u64);
        self.stage.simulation.with_world(|world| {
            let mut filled = channel(world, source, &from, &Role::Member, &self.stage.accounts);
            let now = world.now();
            filled = generated(seed, filled, FIRST_ACCOUNT, self.messages_each, SourceMix::Everything.mix(), now);
            let admin = Role::Admin(AdminRights::default());
            let empty = channel(world, target, &to, &admin, &self.stage.accounts);
            world.add_chat(filled);
            world.add_chat(empty);
        });
        let nonce = Nonce(*uuid::Uuid::new_v4().as_bytes());
        let id = TaskId(format!("soak-{n}"));
        let (from, to) = (PeerAddress::Username(from), PeerAddress::Username(to));
        let asked = NewTask { pace: Preset::None.pace(), ..NewTask::new(id, nonce, from, to) };
        let task = asked.build(self.clock.now()).map_err(|error| Failure::input(&error))?;
        let submitted = submit::submit(self.stage.table.as_ref(), self.stage.queue.as_ref(), &task).await;
        submitted.map_err(|error| Failure::failed(&error))?;
        self.open.push(self.all.len());
        self.all.push(Route { task: task.id, source, target });
        Ok(())
    }

    /// Looks how the open transfers stand; those that are done are open no more.
    ///
    /// # Errors
    /// The table failed.
    pub async fn look(&mut self) -> Result<Look, Failure> {
        let mut look = Look::default();
        for n in std::mem::take(&mut self.open) {
            let route = &self.all[n];
            let state = self.task(&route.task).await?.state;
            match state {
                TaskState::Done { .. } => {}
                TaskState::Ready { .. } | TaskState::Running { .. } | TaskState::Waiting { .. } => self.open.push(n),
                TaskState::Paused { .. }
                | TaskState::Parked { .. }
                | TaskState::Failed { .. }
                | TaskState::Cancelled { .. } => {
                    let reason = match &state {
                        TaskState::Paused { reason } | TaskState::Parked { reason } | TaskState::Failed { reason } => {
                            reason.as_str()
                        }
                        _ => "",
                    };
                    look.stuck.push(format!("{} is {state}: {reason}", route.task));
                    self.open.push(n);
                }
            }
        }
        look.open = self.open.len();
        Ok(look)
    }

    /// What the table says of a transfer.
    ///
    /// # Errors
    /// The table failed.
    pub async fn task(&self, id: &TaskId) -> Result<Box<Task>, Failure> {
        let read = self.stage.table.get(&Key::task(id)).await.map_err(|error| Failure::failed(&error))?;
        match read.map(|record| record.item) {
            Some(Item::Task(task)) => Ok(task),
            Some(_) | None => Err(Failure::Failed(format!("task {id} is not in the table any more"))),
        }
    }
}

/// A public channel in which all accounts have this role.
fn channel(world: &World, id: ChatId, username: &str, role: &Role, accounts: &[UserId]) -> Chat {
    let now = world.now();
    let mut chat = Chat::new(id, ChatKind::Broadcast, username, now.unix_secs().saturating_sub(86_400));
    chat.username = Some(username.to_owned());
    for account in accounts {
        chat.put(*account, role.clone(), now);
    }
    chat
}
