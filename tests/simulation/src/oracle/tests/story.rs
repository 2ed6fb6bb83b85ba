//! A world with one task, and hosts that do what a test tells them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use simulator::time::{Clock as SimClock, SimTime};
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::forward::ForwardRequest;
use simulator::world::history::History;
use simulator::world::message::{Extra, Media, Message as Posted, Service, Text};
use simulator::world::quirks::Quirks;
use simulator::world::user::User;
use simulator::world::{self, Actor, AuthKeyId, ChatId, SessionId, UserId, World};
use transfer::account::{Account, Profile};
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{AccountId, HostId, Incarnation, MessageId, Nonce, PeerId, TaskId};
use transfer::intent::{Intent, Skip, SkipReason};
use transfer::lease::{Host, Lease};
use transfer::pace::Pace;
use transfer::random_id::{RandomIds, derive};
use transfer::selection::Selection;
use transfer::sequence::IdSequence;
use transfer::table::item::{ChunkRecord, SkipRecord, TargetLock};
use transfer::table::memory::MemoryTable;
use transfer::table::{Guard, Item, Table, Write};
use transfer::task::{Checkpoint, Command, Endpoint, Style, Task, TaskState, Wish};

use crate::oracle::{Invariant, Oracle, WatchedTask, lock};
use crate::process::Process;
use crate::telegram::Witness;

pub(super) const SOURCE: ChatId = ChatId(-1_001_000_000_001);
pub(super) const TARGET: ChatId = ChatId(-1_001_000_000_002);
pub(super) const ANN: i64 = 7001;
pub(super) const BOB: i64 = 7002;
const BEGIN_SECS: i64 = 1_790_000_000;
/// 1 and 2 are texts, 3 and 5 an album with the stranger 4 between, 6 is a service message, 7 to 9 are texts.
pub(super) const LAST: i32 = 9;

/// A task between two chats, and what became of it.
pub(super) struct Story {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) oracle: Oracle,
    pub(super) table: MemoryTable,
    pub(super) clock: Clock,
    pub(super) task: Task,
    pub(super) accounts: Vec<Account>,
    pub(super) host: Process,
    sessions: i64,
}

fn begin() -> Timestamp {
    Timestamp::from_second(BEGIN_SECS).unwrap()
}

pub(super) fn message(id: i32, group: i64) -> Posted {
    let date = i32::try_from(BEGIN_SECS).unwrap() - 1000 + id;
    let mut message = Posted::text(world::MessageId(id), SOURCE, UserId(7000), date, Text::new("text"));
    message.group = group;
    if group != 0 {
        message.extra = Some(Box::new(Extra { media: Some(Media::Photo { id: i64::from(id) }), ..Extra::default() }));
    }
    if id == 6 {
        message.extra = Some(Box::new(Extra { service: Some(Service::PinMessage), ..Extra::default() }));
    }
    message
}

fn world() -> World {
    let now = SimTime(BEGIN_SECS * 1000);
    let mut world = World::new(1, SimClock::tokio_from(now));
    world.quirks = Quirks::plain();
    world.pushes_on = false;
    let mut history = History::default();
    for id in 1..=LAST {
        history.push(message(id, if id == 3 || id == 5 { 77 } else { 0 }));
    }
    let mut source = Chat::new(SOURCE, ChatKind::Broadcast, "Source", 0).with_history(history);
    let mut target = Chat::new(TARGET, ChatKind::Broadcast, "Target", 0);
    for id in [ANN, BOB] {
        world.add_user(User::new(UserId(id), &format!("+1{id}"), "Account"));
        source.put(UserId(id), Role::Member, now);
        target.put(UserId(id), Role::Admin(AdminRights::default()), now);
    }
    world.add_chat(source);
    world.add_chat(target);
    world
}

fn task(nonce: Nonce) -> Task {
    let endpoint = |chat: ChatId| Endpoint {
        address: PeerAddress::Id(PeerId(chat.0)),
        peer: Some(PeerId(chat.0)),
        title: None,
        topic: None,
    };
    Task {
        id: TaskId::from("t"),
        title: "t".into(),
        description: None,
        owner: None,
        created_at: begin(),
        source: endpoint(SOURCE),
        target: endpoint(TARGET),
        selection: Selection::everything(),
        style: Style::default(),
        pace: Pace::none(),
        batch_len: 500,
        pause_after_batch: false,
        group: None,
        join: false,
        bound_to: None,
        nonce,
        state: TaskState::Ready { since: begin() },
        last_id: None,
        checkpoint: Checkpoint::default(),
        seq: 1,
        lease: None,
        lease_epoch: 0,
        restored: None,
    }
}

impl Story {
    /// The task is claimed by a host that renews, its range fixed, its target locked; the host has both accounts.
    pub(super) async fn begun() -> Self {
        let world = Arc::new(Mutex::new(world()));
        let nonce = Nonce([7; 16]);
        let watched = WatchedTask {
            id: TaskId::from("t"),
            nonce,
            source: SOURCE,
            target: TARGET,
            selection: Selection::everything(),
            style: Style::default(),
        };
        let oracle = Oracle::watching(world.clone(), vec![watched], &[ANN, BOB], false);
        let clock = Clock::starting_at(begin());
        let host = process("a", "a-1", &clock);
        let today = jiff::civil::date(2026, 9, 21);
        let account = |id: i64| {
            let mut account = Account::new(AccountId(id.to_string()), String::new(), begin(), today);
            account.lease = Some(lease(&host));
            account
        };
        let accounts = vec![account(ANN), account(BOB)];
        let table = MemoryTable::new();
        let mut story = Self { world, oracle, table, clock, task: task(nonce), accounts, host, sessions: 0 };
        story.renew().await;
        story.profile(ANN, true, None).await;
        story.profile(BOB, true, None).await;
        let accounts = story.accounts.clone();
        story.put(accounts.into_iter().map(Item::Account).collect()).await;
        let lock = TargetLock { target: PeerId(TARGET.0), task: story.task.id.clone() };
        story.put(vec![Item::TargetLock(lock)]).await;
        story.task.lease = Some(lease(&story.host));
        story.task.state = TaskState::Running { since: begin() };
        story.task.last_id = Some(MessageId(LAST));
        story.commit(Vec::new()).await;
        story
    }

    /// Commits items as the host.
    pub(super) async fn put(&self, items: Vec<Item>) {
        self.put_by(&self.host, items).await;
    }

    pub(super) async fn put_by(&self, by: &Process, items: Vec<Item>) {
        let writes: Vec<Write> = items.into_iter().map(|item| Write::Put { item, guard: Guard::None }).collect();
        self.table.commit(writes.clone()).await.unwrap();
        self.oracle.committed(by.incarnation(), &writes, &|_| None);
    }

    pub(super) async fn renew(&self) {
        self.renew_as(&self.host).await;
    }

    pub(super) async fn renew_as(&self, process: &Process) {
        let host = Host {
            id: process.host().clone(),
            incarnation: process.incarnation().clone(),
            renewal: 1,
            renewed_at: begin(),
            program_version: String::new(),
            accounts_held: 0,
            only_account: None,
            wants: Vec::new(),
        };
        self.put_by(process, vec![Item::Host(host)]).await;
    }

    pub(super) async fn profile(&self, id: i64, enabled: bool, daily_budget: Option<u32>) {
        let id = AccountId(id.to_string());
        let profile =
            Profile { id, label: String::new(), priority: 0, group: None, enabled, daily_budget, leaving: None };
        self.put(vec![Item::Profile(profile)]).await;
    }

    pub(super) async fn wish(&self, wish: Wish) {
        let command = Command { task: self.task.id.clone(), wish, pace: None };
        self.put(vec![Item::Command(command)]).await;
    }

    /// Commits the task as it is, with other items.
    pub(super) async fn commit(&self, mut items: Vec<Item>) {
        items.push(Item::Task(Box::new(self.task.clone())));
        self.put(items).await;
    }

    /// The intent of a chunk.
    pub(super) fn intent(&self, account: i64, ids: &[i32]) -> Intent {
        let peers = (PeerId(SOURCE.0), PeerId(TARGET.0));
        let random = |id: &i32| derive(&self.task.nonce, peers.0, MessageId(*id), peers.1, None);
        Intent {
            id: self.task.checkpoint.chunks + 1,
            account: AccountId(account.to_string()),
            ids: ids.iter().map(|id| MessageId(*id)).collect(),
            random_ids: RandomIds(ids.iter().map(random).collect()),
            style: Style::default(),
            units: Vec::new(),
            cursor_after: MessageId(0),
            ahead_after: Vec::new(),
            scanned: 0,
            skips: Vec::new(),
            target_floor: MessageId(0),
            target_pts: 0,
            made_by: self.host.incarnation().clone(),
            made_at: self.clock.now(),
            repeats: 0,
            tried_at: None,
            readings: 0,
            uncertain_since: None,
            looked_at: None,
        }
    }

    /// Commits an intent.
    pub(super) async fn intend(&mut self, account: i64, ids: &[i32]) {
        self.task.checkpoint.intent = Some(self.intent(account, ids));
        self.commit(Vec::new()).await;
    }

    /// A connection of an account.
    pub(super) fn open(&mut self, account: i64) -> Actor {
        let host = self.host.clone();
        self.open_by(&host, account)
    }

    pub(super) fn open_by(&mut self, by: &Process, account: i64) -> Actor {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        self.oracle.opened(by, UserId(account), session);
        Actor { user: UserId(account), auth_key: AuthKeyId(account), session }
    }

    /// The request that the open intent stands for.
    pub(super) fn request(&self, ids: &[i32]) -> ForwardRequest {
        let intent = self.intent(ANN, ids);
        let random_ids = intent.random_ids.0.iter().map(|random| random.0).collect();
        ForwardRequest::new(SOURCE, TARGET, ids.iter().map(|id| world::MessageId(*id)).collect(), random_ids)
    }

    /// The world decides a forward; its number in the audit.
    pub(super) fn forward(&self, actor: &Actor, request: &ForwardRequest) -> u64 {
        self.forward_by(&self.host.clone(), actor, request)
    }

    pub(super) fn forward_by(&self, by: &Process, actor: &Actor, request: &ForwardRequest) -> u64 {
        self.oracle.forwarding(by, actor.user, request);
        let done = lock(&self.world).call_forward(actor, request);
        self.tell(by, done.audit);
        done.audit
    }

    /// Tells the oracle of a call.
    pub(super) fn tell(&self, by: &Process, audit: u64) {
        let entry = lock(&self.world).audit.entries()[usize::try_from(audit).unwrap()].clone();
        self.oracle.called(by, &entry);
    }

    /// An open intent is called, heard, and decided with this cursor.
    pub(super) async fn carry(&mut self, actor: &Actor, ids: &[i32], cursor: i32, ahead: &[i32]) {
        self.intend(actor.user.0, ids).await;
        let call = self.forward(actor, &self.request(ids));
        self.oracle.heard(&self.host, call);
        self.decide(actor.user.0, ids, cursor, ahead).await;
    }

    /// The outcome of the open intent, as if all had arrived.
    pub(super) async fn decide(&mut self, account: i64, ids: &[i32], cursor: i32, ahead: &[i32]) {
        let made: Vec<MessageId> = {
            let world = lock(&self.world);
            let of = |id: &i32| {
                let mut made = world.chat(TARGET).unwrap().all_created();
                made.find(|made| made.source == Some((SOURCE, world::MessageId(*id)))).map(|made| MessageId(made.id.0))
            };
            ids.iter().map(|id| of(id).unwrap_or_default()).collect()
        };
        let checkpoint = &mut self.task.checkpoint;
        checkpoint.chunks += 1;
        checkpoint.intent = None;
        checkpoint.cursor = MessageId(cursor);
        checkpoint.ahead = ahead.iter().map(|id| MessageId(*id)).collect();
        checkpoint.counts.delivered += ids.len() as u64;
        checkpoint.counts.matched += ids.len() as u64;
        let row = ChunkRecord {
            task: self.task.id.clone(),
            number: checkpoint.chunks,
            account: AccountId(account.to_string()),
            source: ids.iter().map(|id| MessageId(*id)).collect(),
            target: IdSequence::from_vec(made),
            at: begin(),
        };
        let account = self.accounts.iter_mut().find(|view| view.id.0 == account.to_string()).unwrap();
        account.total.forwarded += ids.len() as u64;
        let account = account.clone();
        self.commit(vec![Item::Chunk(row), Item::Account(account)]).await;
    }

    /// Puts ids in the ledger, with the cursor behind them.
    pub(super) async fn skip(&mut self, ids: &[i32], reason: SkipReason, cursor: i32) {
        let skip = Skip { ids: ids.iter().map(|id| MessageId(*id)).collect(), reason };
        self.task.checkpoint.cursor = MessageId(cursor);
        self.task.checkpoint.ahead.clear();
        self.task.checkpoint.counts.skipped += ids.len() as u64;
        self.task.checkpoint.counts.matched += ids.len() as u64;
        let row = SkipRecord::new(&self.task.id, skip, None, begin());
        self.commit(vec![Item::Skip(row)]).await;
    }

    /// The task is done; the run ends.
    pub(super) async fn finish(&mut self) {
        self.task.state = TaskState::Done { at: begin() };
        self.commit(Vec::new()).await;
        self.oracle.finish(&self.table);
    }

    /// Everything as it should be, up to the cursor 7.
    pub(super) async fn most(&mut self, actor: &Actor) {
        self.carry(actor, &[1, 2, 3, 5], 3, &[5]).await;
        self.carry(actor, &[4], 5, &[]).await;
        self.skip(&[6], SkipReason::Service, 6).await;
    }

    pub(super) fn broken(&self) -> Vec<Invariant> {
        self.oracle.violations().iter().map(|violation| violation.invariant).collect()
    }

    #[track_caller]
    pub(super) fn assert_whole(&self) {
        assert_eq!(self.oracle.violations(), []);
    }

    /// This was broken, among others.
    #[track_caller]
    pub(super) fn assert_broken(&self, invariant: Invariant) {
        assert!(self.broken().contains(&invariant), "{invariant} was not seen: {:?}", self.oracle.violations());
    }
}

pub(super) fn process(host: &str, incarnation: &str, clock: &Clock) -> Process {
    Process::new(HostId::from(host), Incarnation::from(incarnation), clock.clone())
}

pub(super) fn lease(process: &Process) -> Lease {
    Lease { host: process.host().clone(), incarnation: process.incarnation().clone() }
}

/// Time passes.
pub(super) async fn pass(secs: u64) {
    tokio::time::advance(Duration::from_secs(secs)).await;
}
