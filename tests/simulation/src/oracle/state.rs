//! What the oracle has noted so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use simulator::time::{Clock, SimTime};
use simulator::world::forward::ForwardRequest;
use simulator::world::{ChatId, World};
use transfer::account::{AccountState, Waits};
use transfer::ids::{AccountId, Incarnation, MessageId, PeerId, TaskId};
use transfer::intent::{Intent, SkipReason};
use transfer::lease::Lease;
use transfer::random_id::derive;
use transfer::table::{Item, Write};
use transfer::task::Wish;

use super::calls::Calls;
use super::expected::{self, Expect, Source, Window};
use super::lives::Lives;
use super::{Coverage, Invariant, Violation, WatchedTask};

/// Everything noted.
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) clock_jumps: bool,
    /// Accounts lose the right to write without being refused anything first: who can carry is not certain.
    pub(super) rights_change: bool,
    pub(super) violations: Vec<Violation>,
    pub(super) coverage: Coverage,
    pub(super) tasks: BTreeMap<TaskId, TaskView>,
    pub(super) accounts: BTreeMap<AccountId, AccountView>,
    pub(super) pool: BTreeSet<i64>,
    pub(super) sources: BTreeMap<ChatId, Source>,
    /// How much of each target was looked at.
    pub(super) looked_at: BTreeMap<ChatId, usize>,
    /// What each random id stands for.
    pub(super) random: BTreeMap<i64, (TaskId, i32)>,
    /// The day on which a message was last charged: by account and random id.
    pub(super) charged: BTreeMap<(i64, i64), Date>,
    /// Messages created by an account of a day's charge.
    pub(super) created_on: BTreeMap<(i64, Date), u32>,
    /// The request that a random id of an account may have been carried out with.
    pub(super) bound: BTreeMap<(i64, i64), Arc<ForwardRequest>>,
    pub(super) locks: BTreeMap<PeerId, TaskId>,
    pub(super) lives: Lives,
    pub(super) calls: Calls,
}

/// What was noted of a task.
pub(super) struct TaskView {
    pub(super) plan: WatchedTask,
    pub(super) window: Option<Window>,
    /// What must become of each message; made anew when the source changes.
    pub(super) expected: Option<BTreeMap<i32, Expect>>,
    pub(super) cursor: i32,
    pub(super) ahead: BTreeSet<i32>,
    pub(super) delivered_count: u64,
    pub(super) skipped_count: u64,
    pub(super) lease: Option<Lease>,
    pub(super) open: Option<OpenIntent>,
    pub(super) past: Vec<OpenIntent>,
    pub(super) ledger: BTreeMap<i32, SkipReason>,
    pub(super) created: BTreeMap<i32, Made>,
    /// The furthest place that something was created at.
    pub(super) furthest: i32,
    /// The last id created of each album.
    pub(super) album_last: BTreeMap<i64, i32>,
    /// Albums: source to target, and back.
    pub(super) album_became: BTreeMap<i64, i64>,
    pub(super) album_was: BTreeMap<i64, i64>,
    pub(super) wish: Wish,
    /// Chunks begun since the wish.
    pub(super) begun_since_wish: u32,
    pub(super) state: &'static str,
}

/// A message in the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) target: i32,
    pub(super) by: i64,
    pub(super) group: i64,
}

/// A committed intent.
pub(super) struct OpenIntent {
    pub(super) intent: Intent,
    pub(super) account: i64,
    /// Calls that arrived.
    pub(super) calls: u32,
    /// When the last of them arrived.
    pub(super) last_call: Option<SimTime>,
    pub(super) closed: Option<SimTime>,
}

/// What was noted of an account.
pub(super) struct AccountView {
    pub(super) waits: Waits,
    pub(super) ready: bool,
    pub(super) lease: Option<Lease>,
    pub(super) enabled: bool,
    pub(super) group: Option<String>,
    /// The most that the admin ever allowed; `None`: no limit.
    pub(super) budget: Option<u32>,
    pub(super) budget_known: bool,
    /// Chunks begun since the admin disabled it.
    pub(super) begun_since_disabled: u32,
    /// When the admin last changed anything about it.
    pub(super) edited: SimTime,
    /// Telegram refused it something that is no wait.
    pub(super) refused: bool,
    /// It left the pool at some time; if it came back, its totals began anew.
    pub(super) was_gone: bool,
}

impl State {
    pub(super) fn new(world: &World, tasks: Vec<WatchedTask>, accounts: &[i64], clock_jumps: bool) -> Self {
        let mut state = Self {
            clock: world.clock.clone(),
            clock_jumps,
            rights_change: false,
            violations: Vec::new(),
            coverage: Coverage::default(),
            tasks: BTreeMap::new(),
            accounts: BTreeMap::new(),
            pool: accounts.iter().copied().collect(),
            sources: BTreeMap::new(),
            looked_at: BTreeMap::new(),
            random: BTreeMap::new(),
            charged: BTreeMap::new(),
            created_on: BTreeMap::new(),
            bound: BTreeMap::new(),
            locks: BTreeMap::new(),
            lives: Lives::default(),
            calls: Calls::default(),
        };
        for plan in tasks {
            expected::note(world, plan.source, state.sources.entry(plan.source).or_default());
            let made = world.chat(plan.target).map_or(0, |target| target.history.appended().len());
            state.looked_at.entry(plan.target).or_insert(made);
            state.tasks.insert(plan.id.clone(), TaskView::new(plan));
        }
        state.derive_random_ids();
        state
    }

    pub(super) fn now(&self) -> SimTime {
        self.clock.now()
    }

    pub(super) fn violated(&mut self, invariant: Invariant, text: String) {
        let at = self.now();
        self.violations.push(Violation { at, invariant, text });
    }

    /// Notes every random id that a task may use.
    fn derive_random_ids(&mut self) {
        for task in self.tasks.values() {
            let plan = &task.plan;
            let (source, target) = (PeerId(plan.source.0), PeerId(plan.target.0));
            let ids = self.sources.get(&plan.source).into_iter().flat_map(BTreeMap::keys);
            for id in ids {
                let random = derive(&plan.nonce, source, MessageId(*id), target, None);
                self.random.insert(random.0, (plan.id.clone(), *id));
            }
        }
    }

    /// The task whose intent or random ids these are.
    pub(super) fn task_of(&self, random_ids: &[i64]) -> Option<&TaskId> {
        self.random.get(random_ids.first()?).map(|(task, _)| task)
    }

    /// Whether a commit only renews a host: those are nine in ten.
    pub(super) fn only_renewal(&mut self, writes: &[Write]) -> bool {
        let [Write::Put { item: Item::Host(host), .. }] = writes else { return false };
        let now = self.now();
        self.lives.renewed(&host.id, &host.incarnation, now);
        true
    }

    /// Notes that a message of a source was deleted or edited.
    pub(super) fn source_changed(&mut self, chat: ChatId, id: i32) {
        if let Some(original) = self.sources.get_mut(&chat).and_then(|source| source.get_mut(&id)) {
            original.touched = true;
        }
        for task in self.tasks.values_mut().filter(|task| task.plan.source == chat) {
            task.expected = None;
        }
    }

    pub(super) fn latest_wait(&self) -> Timestamp {
        let latest = self.calls.latest_wait.max(SimTime(0));
        Timestamp::from_millisecond(latest.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn account(&mut self, id: &AccountId) -> &mut AccountView {
        if !self.accounts.contains_key(id) {
            self.accounts.insert(id.clone(), AccountView::new());
        }
        self.accounts.entry(id.clone()).or_insert_with(AccountView::new)
    }
}

impl TaskView {
    fn new(plan: WatchedTask) -> Self {
        Self {
            plan,
            window: None,
            expected: None,
            cursor: 0,
            ahead: BTreeSet::new(),
            delivered_count: 0,
            skipped_count: 0,
            lease: None,
            open: None,
            past: Vec::new(),
            ledger: BTreeMap::new(),
            created: BTreeMap::new(),
            furthest: 0,
            album_last: BTreeMap::new(),
            album_became: BTreeMap::new(),
            album_was: BTreeMap::new(),
            wish: Wish::Run,
            begun_since_wish: 0,
            state: "new",
        }
    }

    /// What must become of each message of the window.
    pub(super) fn expect<'a>(
        expected: &'a mut Option<BTreeMap<i32, Expect>>,
        source: &Source,
        plan: &WatchedTask,
        window: Window,
    ) -> &'a BTreeMap<i32, Expect> {
        expected.get_or_insert_with(|| expected::expected(source, &plan.selection, window))
    }

    /// Whether a message was created, or stands in the ledger.
    pub(super) fn is_decided(&self, id: i32) -> bool {
        self.created.contains_key(&id) || self.ledger.contains_key(&id)
    }

    /// The life that holds it.
    pub(super) fn holder(&self) -> Option<&Incarnation> {
        self.lease.as_ref().map(|lease| &lease.incarnation)
    }
}

impl OpenIntent {
    pub(super) fn new(intent: Intent) -> Self {
        let account = intent.account.0.parse().unwrap_or(0);
        Self { intent, account, calls: 0, last_call: None, closed: None }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = i32> + '_ {
        self.intent.ids.iter().map(|id| id.0)
    }

    /// Whether it is the same call.
    pub(super) fn is_same(&self, other: &Intent) -> bool {
        let mine = &self.intent;
        mine.id == other.id
            && mine.account == other.account
            && mine.ids == other.ids
            && mine.random_ids == other.random_ids
            && mine.style == other.style
    }
}

impl AccountView {
    fn new() -> Self {
        Self {
            waits: Waits::default(),
            ready: true,
            lease: None,
            enabled: true,
            group: None,
            budget: None,
            budget_known: false,
            begun_since_disabled: 0,
            edited: SimTime(0),
            refused: false,
            was_gone: false,
        }
    }

    /// Notes an account's state as committed.
    pub(super) fn note(&mut self, account: &transfer::account::Account) {
        self.waits = account.waits;
        self.ready = account.state == AccountState::Ready;
        if self.lease != account.lease {
            self.lease.clone_from(&account.lease);
        }
    }
}
