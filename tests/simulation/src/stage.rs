//! A small world with a source, a target, accounts and hosts, for one story.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use session_host::engine::{Halt, HostConfig, Ports, SessionHost};
use simulator::time::{Clock as SimClock, SimTime};
use simulator::world::audit::Entry;
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::generated::{Generated, Mix};
use simulator::world::history::History;
use simulator::world::quirks::Quirks;
use simulator::world::user::User;
use simulator::world::{self, ChatId, UserId, World};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::account::{Account, Profile};
use transfer::address::PeerAddress;
use transfer::bot::Bot;
use transfer::clock::Clock;
use transfer::ids::{AccountId, ChatId as BotChatId, HostId, Incarnation, MessageId, Nonce, PeerId, TaskId};
use transfer::pace::Pace;
use transfer::queue::memory::MemoryQueue;
use transfer::queue::{Job, Queue};
use transfer::selection::Selection;
use transfer::table::memory::MemoryTable;
use transfer::table::{Guard, Item, Key, Table, Write};
use transfer::task::{Checkpoint, Endpoint, Style, Task, TaskState};

use crate::InProcess;

/// The source channel.
pub const SOURCE: ChatId = ChatId(-1_001_000_000_001);
/// The target channel.
pub const TARGET: ChatId = ChatId(-1_001_000_000_002);
/// The accounts that a stage can have.
pub const ACCOUNT_IDS: [i64; 8] = [7001, 7002, 7003, 7004, 7005, 7006, 7007, 7008];

const OWNER: UserId = UserId(7000);
/// When every story begins.
const BEGIN_SECS: i64 = 1_790_000_000;
/// No story takes longer than this, in virtual time.
const STORY_MAX: Duration = Duration::from_secs(48 * 3600);

/// The world, the engines, and the hosts at work in them.
pub struct Stage {
    /// The world behind the port.
    pub world: Arc<Mutex<World>>,
    /// The table.
    pub table: Arc<MemoryTable>,
    /// The queue.
    pub queue: Arc<MemoryQueue>,
    /// Virtual time.
    pub clock: Clock,
    /// The bot of every host that is started from now on.
    pub bot: Option<Arc<dyn Bot>>,
    /// Whom they tell of alarms.
    pub admins: Vec<BotChatId>,
    lives: u32,
}

/// A host at work; killed when dropped.
pub struct HostHandle {
    /// Ends it cleanly when cancelled.
    pub stop: CancellationToken,
    running: JoinSet<Result<(), Halt>>,
}

/// A message that stands (or stood) in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Of which source message it is a copy.
    pub source: i32,
    /// Its album in the target; 0 for none.
    pub group: i64,
    /// Who forwarded it.
    pub by: i64,
}

impl Stage {
    /// A source of `messages` ids in the given mix, an empty target, and the first `accounts` of [`ACCOUNT_IDS`], with
    /// falling priorities.
    pub async fn new(messages: i32, mix: Mix, accounts: usize) -> Self {
        let begin = Timestamp::from_second(BEGIN_SECS).unwrap_or(Timestamp::UNIX_EPOCH);
        let clock = Clock::starting_at(begin);
        let now = SimTime(BEGIN_SECS * 1000);
        let mut world = World::new(1, SimClock::tokio_from(now));
        world.quirks = Quirks::plain();
        world.pushes_on = false;
        world.add_user(User { id: OWNER, ..User::new(OWNER, "+10000000000", "Owner") });
        let first_date = i32::try_from(BEGIN_SECS).unwrap_or(i32::MAX) - 20 * messages - 3600;
        let generated = Generated { seed: 1, chat: SOURCE, by: OWNER, count: messages, first_date, mix };
        let source = Chat::new(SOURCE, ChatKind::Broadcast, "Source", first_date);
        let mut source = source.with_history(History::generated(generated));
        source.username = Some("source".into());
        let mut target = Chat::new(TARGET, ChatKind::Broadcast, "Target", first_date);
        target.username = Some("target".into());
        for id in &ACCOUNT_IDS[..accounts] {
            let user = UserId(*id);
            world.add_user(User::new(user, &format!("+1{id}"), "Account"));
            source.put(user, Role::Member, now);
            target.put(user, Role::Admin(AdminRights::default()), now);
        }
        world.add_chat(source);
        world.add_chat(target);
        let table = Arc::new(MemoryTable::new());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let stage =
            Self { world: Arc::new(Mutex::new(world)), table, queue, clock, bot: None, admins: Vec::new(), lives: 0 };
        for (rank, id) in ACCOUNT_IDS[..accounts].iter().enumerate() {
            stage.add_account(*id, 10 - i32::try_from(rank).unwrap_or(10)).await;
        }
        stage
    }

    /// The world, locked.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn add_account(&self, id: i64, priority: i32) {
        let (account, now) = (AccountId(id.to_string()), self.clock.now());
        let today = now.to_zoned(TimeZone::UTC).date();
        let profile = Profile {
            id: account.clone(),
            label: format!("account {id}"),
            priority,
            group: None,
            enabled: true,
            daily_budget: None,
            leaving: None,
        };
        let items = [Item::Account(Account::new(account, "+1…".into(), now, today)), Item::Profile(profile)];
        self.put(items.into()).await;
    }

    /// Writes items that nobody else writes at this moment.
    pub async fn put(&self, items: Vec<Item>) {
        let writes = items.into_iter().map(|item| Write::Put { item, guard: Guard::None }).collect();
        self.table.commit(writes).await.expect("the table in memory accepts unguarded writes");
    }

    /// A task from source to target, without a pace.
    pub fn task(&self, id: &str) -> Task {
        let endpoint =
            |name: &str| Endpoint { address: PeerAddress::Username(name.into()), peer: None, title: None, topic: None };
        Task {
            id: TaskId::from(id),
            title: format!("task {id}"),
            description: None,
            owner: None,
            created_at: self.clock.now(),
            source: endpoint("source"),
            target: endpoint("target"),
            selection: Selection::everything(),
            style: Style::default(),
            pace: Pace::none(),
            batch_len: 500,
            pause_after_batch: false,
            group: None,
            join: false,
            bound_to: None,
            nonce: Nonce([7; 16]),
            state: TaskState::Ready { since: self.clock.now() },
            last_id: None,
            checkpoint: Checkpoint::default(),
            seq: 1,
            lease: None,
            lease_epoch: 0,
        }
    }

    /// Commits a task and queues its first job.
    pub async fn submit(&self, task: Task) {
        let job = Job::batch(task.id.clone(), 1, task.seq);
        self.put(vec![Item::Task(Box::new(task))]).await;
        self.queue.send(&job).await.expect("the queue in memory accepts jobs");
    }

    /// Starts another life of a host. An exclusive host has the lock file that its earlier life had.
    pub fn start_host(&mut self, host: &str, exclusive: bool) -> HostHandle {
        self.start_host_with(host, exclusive, |ports| ports)
    }

    /// The same with ports that something stands in front of.
    pub fn start_host_with(&mut self, host: &str, exclusive: bool, ports: impl FnOnce(Ports) -> Ports) -> HostHandle {
        self.lives += 1;
        let config = HostConfig {
            id: HostId::from(host),
            release: "test".to_owned(),
            incarnation: Incarnation(format!("{host}-{}", self.lives)),
            exclusive,
            alone: exclusive,
            tasks_max: 8,
            chunk_len_max: 100,
            zone: TimeZone::UTC,
            admins: self.admins.clone(),
            only_account: None,
            check_idle_after: session_host::engine::CHECK_IDLE_AFTER,
        };
        let ports = ports(Ports {
            telegram: Arc::new(InProcess::new(self.world.clone())),
            table: self.table.clone(),
            queue: self.queue.clone(),
            bot: self.bot.clone(),
            reception: None,
            clock: self.clock.clone(),
        });
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(SessionHost::new(config, ports, stop.clone()).run());
        HostHandle { stop, running }
    }

    /// The task as committed.
    pub async fn read_task(&self, id: &str) -> Task {
        let record = self.table.get(&Key::task(&TaskId::from(id))).await.expect("reads from memory succeed");
        match record.map(|record| record.item) {
            Some(Item::Task(task)) => *task,
            other => panic!("no task {id}: {other:?}"),
        }
    }

    /// Lets time pass until the task is in a state that needs somebody, or over.
    pub async fn until_settled(&self, id: &str) -> Task {
        self.until(id, |task| task.state.due_at().is_none()).await
    }

    /// Lets time pass until the task is as wanted.
    pub async fn until(&self, id: &str, wanted: impl Fn(&Task) -> bool) -> Task {
        let poll = async {
            loop {
                let task = self.read_task(id).await;
                if wanted(&task) {
                    return task;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(STORY_MAX, poll).await {
            Ok(task) => task,
            Err(_elapsed) => panic!("nothing came of it in two days: {:?}", self.read_task(id).await.state),
        }
    }

    /// Everything that was ever created in the target, in order.
    pub fn delivered(&self) -> Vec<Delivered> {
        let world = self.world();
        let target = world.chat(TARGET).expect("the target exists");
        let copies = target.all_created().filter_map(|made| {
            let (_, source) = made.source?;
            Some(Delivered { source: source.0, group: made.group, by: made.by.0 })
        });
        copies.collect()
    }

    /// The ids of the source that can be carried, ascending; service messages apart.
    pub fn carriable(&self) -> (Vec<i32>, Vec<i32>) {
        let world = self.world();
        let source = world.chat(SOURCE).expect("the source exists");
        let (mut content, mut service) = (Vec::new(), Vec::new());
        for message in source.history.all().filter(|message| !message.deleted) {
            match message.kind() {
                world::message::Kind::Service => service.push(message.id.0),
                _ => content.push(message.id.0),
            }
        }
        (content, service)
    }

    /// The calls of a method.
    pub fn calls(&self, method: &str) -> Vec<Entry> {
        self.world().audit.entries().iter().filter(|entry| entry.method == method).cloned().collect()
    }

    /// Ids in the skip ledger, with the reason.
    pub async fn skipped(&self, id: &str) -> BTreeMap<i32, String> {
        let records = self.table.partition(&format!("TASK#{id}"), "SKIP#").await.expect("reads from memory succeed");
        let mut skipped = BTreeMap::new();
        for record in records {
            if let Item::Skip(row) = record.item {
                skipped.extend(row.ids.iter().map(|id| (id.0, format!("{:?}", row.reason))));
            }
        }
        skipped
    }

    /// Checks the promise: everything that can be carried stands in the target exactly once, in order, albums whole.
    pub fn assert_exactly_once(&self) {
        let sources: Vec<i32> = self.delivered().iter().map(|made| made.source).collect();
        let (content, _) = self.carriable();
        let mut sorted = sources.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), sources.len(), "duplicates: {:?}", doubles(&sources));
        assert_eq!(sorted, content, "exactly the source's messages");
        assert_eq!(sources, content, "in the source's order");
        self.assert_albums_whole();
    }

    fn assert_albums_whole(&self) {
        let delivered = self.delivered();
        let world = self.world();
        let source = world.chat(SOURCE).expect("the source exists");
        let mut albums: BTreeMap<i64, i64> = BTreeMap::new();
        for made in delivered {
            let original = source.history.any(world::MessageId(made.source)).expect("it is a copy of something");
            if original.group != 0 {
                assert_ne!(made.group, 0, "message {} lost its album", made.source);
                let group = *albums.entry(original.group).or_insert(made.group);
                assert_eq!(group, made.group, "message {} is in another part of its album", made.source);
            }
        }
    }

    /// Checks that nobody called while waiting.
    pub fn assert_no_call_during_a_wait(&self) {
        let early: Vec<Entry> = self.world().audit.during_wait().cloned().collect();
        assert!(early.is_empty(), "calls during a wait: {early:?}");
    }

    /// A peer as the domain names it.
    pub fn peer(chat: ChatId) -> PeerId {
        PeerId(chat.0)
    }

    /// A message id as the domain names it.
    pub fn id(id: i32) -> MessageId {
        MessageId(id)
    }
}

impl HostHandle {
    /// Kills the host: nothing of it happens any more, at whatever line it is.
    pub async fn kill(mut self) {
        self.running.shutdown().await;
    }

    /// Stops the host cleanly.
    pub async fn stop(mut self) -> Result<(), Halt> {
        self.stop.cancel();
        match self.running.join_next().await {
            Some(Ok(ended)) => ended,
            other => panic!("the host did not end as it should: {other:?}"),
        }
    }
}

fn doubles(ids: &[i32]) -> Vec<i32> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
}
