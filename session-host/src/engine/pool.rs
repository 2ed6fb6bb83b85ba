//! The accounts that this host holds: leases, open connections, turns.
//!
//! An account is in one of three places: free in the table, **resting** here (leased, connection open, no task), or in
//! a task's hands as a [`Hold`]. A task gives its hold back at the end of its turn and before it waits, so that no task
//! holds one account while it waits for another. Invariant: at most one connection of an account is open in this
//! process, because only the hold (or the resting place) has it, and a new one is opened only after the old was closed.
//!
//! Waits live twice: committed in the account's item, and here as soon as they are received, so that a commit that fails
//! never makes a live process forget a wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use transfer::account::{Account, Member, MethodClass, Profile, Waits};
use transfer::ids::{AccountId, HostId, PeerId};
use transfer::mutated;
use transfer::table::{Guard, Item, Key, List, Record, Write};

use super::heard::Heard;
use super::one_call::OneCall;
use super::store::{Committed, expect_item};
use super::{Halt, Shared, hosts_seen, sharing};
use crate::telegram::{Connection, OpenError, Peer};

/// How long a leased account without a task keeps its connection, so that the next batch finds it warm. One that a sleeping
/// task comes back for rests until then, and so much longer.
pub(crate) const REST_MAX: Duration = Duration::from_secs(20);
/// How often this host looks what others want of it.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long an account that could not be connected is left alone at first; doubles up to [`UNREACHABLE_PAUSE_MAX`].
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(1);
const UNREACHABLE_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often a change of an account is tried on top of what others wrote.
const CHANGES_MAX: u32 = 8;

/// The accounts of this host.
pub(crate) struct Pool {
    inner: Mutex<Inner>,
    /// Told whenever a turn ends.
    turn: Notify,
}

#[derive(Default)]
struct Inner {
    /// With the uptime at which they rested for long enough.
    resting: BTreeMap<AccountId, (Hold, Duration)>,
    busy: BTreeSet<AccountId>,
    waits: BTreeMap<AccountId, Heard>,
    /// When Telegram last answered an account with anything but a refusal.
    good: BTreeMap<AccountId, jiff::Timestamp>,
    /// Connections that were opened here, as long as somebody has them.
    open: BTreeMap<AccountId, Weak<dyn Connection>>,
    /// Accounts that cannot be connected at present: until when (uptime), and the last pause.
    unreachable: BTreeMap<AccountId, (Duration, Duration)>,
}

/// An account in a task's hands.
pub(crate) struct Hold {
    /// `None` while it rests.
    turn: Option<Turn>,
    pub(crate) account: Account,
    pub(crate) version: u64,
    pub(crate) profile: Profile,
    pub(crate) peers: BTreeMap<PeerId, Peer>,
    pub(crate) connection: Option<Arc<dyn Connection>>,
}

/// The mark that a task has the account; ends with the hold, however that ends.
struct Turn {
    pool: Arc<Pool>,
    account: AccountId,
}

impl Turn {
    fn begin(pool: &Arc<Pool>, account: &AccountId) -> Option<Self> {
        let first = pool.inner().busy.insert(account.clone());
        (first || mutated!(TurnIgnored)).then(|| Self { pool: pool.clone(), account: account.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pool.inner().busy.remove(&self.account);
        self.pool.turn.notify_waiters();
    }
}

/// What came of reaching for an account.
pub(crate) enum Reach {
    /// It is ours, for this turn.
    Held(Box<Hold>),
    /// Another task or another host has it.
    Busy,
    /// It left the table.
    Gone,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::default(), turn: Notify::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts this host holds.
    pub(crate) fn held_count(&self) -> u32 {
        let inner = self.inner();
        u32::try_from(inner.resting.len() + inner.busy.len()).unwrap_or(u32::MAX)
    }

    /// Notes a wait that was just received, before anything else is done with it.
    pub(crate) fn note_wait(&self, account: &AccountId, class: MethodClass, until: jiff::Timestamp) {
        self.inner().waits.entry(account.clone()).or_default().receive(class, until);
    }

    /// Notes that Telegram accepts the account's session: it has just answered a call.
    pub(crate) fn note_good(&self, account: &AccountId, now: jiff::Timestamp) {
        self.inner().good.insert(account.clone(), now);
    }

    /// When Telegram last confirmed the account's session, as the table or this process knows.
    pub(crate) fn checked_at(&self, account: &Account) -> Option<jiff::Timestamp> {
        account.checked_at.max(self.inner().good.get(&account.id).copied())
    }

    /// Connections of this process that somebody has in hand.
    pub(crate) fn open_connections(&self) -> Vec<Arc<dyn Connection>> {
        self.inner().open.values().filter_map(Weak::upgrade).collect()
    }

    /// Notes the waits that are committed: a connection makes no call during those either.
    fn note_waits(&self, account: &Account) {
        self.inner().waits.entry(account.id.clone()).or_default().read(account);
    }

    /// The account's waits as this process knows them: committed or received.
    pub(crate) fn waits(&self, account: &Account) -> Waits {
        self.inner().waits.entry(account.id.clone()).or_default().with(account)
    }

    /// Until when the account may not call methods of this class, as far as this life knows.
    pub(crate) fn known_wait(
        &self,
        account: &AccountId,
        class: MethodClass,
        now: jiff::Timestamp,
    ) -> Option<jiff::Timestamp> {
        self.inner().waits.get(account)?.until(class, now)
    }

    /// The connection of an account that somebody here has in hand. Whoever has the account closes it; calls on it are made
    /// one at a time like all others.
    pub(crate) fn open_connection(&self, account: &AccountId) -> Option<Arc<dyn Connection>> {
        self.inner().open.get(account)?.upgrade()
    }

    /// Returns when some task has given an account back, or after `at_most`.
    pub(crate) async fn turn_ended(&self, at_most: Duration) {
        // Whoever waits looks again afterwards anyway: a notification that is missed costs time, nothing else.
        tokio::select! {
            biased;
            () = self.turn.notified() => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    /// Whether the account rests here and may be connected now.
    pub(crate) fn rests(&self, account: &AccountId, uptime: Duration) -> bool {
        let inner = self.inner();
        let is_unreachable = inner.unreachable.get(account).is_some_and(|(until, _)| *until > uptime);
        inner.resting.contains_key(account) && !is_unreachable
    }

    /// Has an account that rests here do so until then (uptime), unless another host wants it.
    pub(crate) fn keep_resting_until(&self, account: &AccountId, until: Duration) {
        if let Some((_, rests_until)) = self.inner().resting.get_mut(account) {
            *rests_until = until;
        }
    }

    fn rest(&self, mut hold: Hold, until: Duration) {
        let turn = hold.turn.take();
        self.inner().resting.insert(hold.account.id.clone(), (hold, until));
        drop(turn);
    }

    fn mark_unreachable(&self, account: &AccountId, now: Duration) -> Duration {
        let mut inner = self.inner();
        let pause = inner
            .unreachable
            .get(account)
            .map_or(UNREACHABLE_PAUSE, |(_, last)| (*last * 2).min(UNREACHABLE_PAUSE_MAX));
        inner.unreachable.insert(account.clone(), (now + pause, pause));
        pause
    }
}

/// The pool as a task sees it.
pub(crate) struct Members {
    /// As it stands in the table, with the waits that this process knows.
    pub(crate) all: Vec<Member>,
    /// Who cannot be had now.
    pub(crate) busy: BTreeSet<AccountId>,
    /// Who of those is with another host, or on the way to one.
    pub(crate) elsewhere: BTreeSet<AccountId>,
}

/// Looks at the pool.
pub(crate) async fn members(shared: &Shared) -> Result<Members, Halt> {
    let mut accounts = BTreeMap::new();
    let mut profiles = BTreeMap::new();
    for record in shared.store.list(List::Accounts).await? {
        match record.item {
            Item::Account(account) => drop(accounts.insert(account.id.clone(), account)),
            Item::Profile(profile) => drop(profiles.insert(profile.id.clone(), profile)),
            other => return Err(Halt::Corrupt(format!("{} stands among the accounts", other.key()))),
        }
    }
    let mut members = Vec::new();
    let mut elsewhere = BTreeSet::new();
    for (id, mut account) in accounts {
        if !is_ours(shared, &id) {
            continue;
        }
        // An account is added in one commit; the index may show the halves one after the other.
        let Some(profile) = profiles.remove(&id).map(|profile| as_told(shared, profile)) else { continue };
        if !may_have(shared, &account).await? {
            elsewhere.insert(id);
        }
        account.waits = shared.pool.waits(&account);
        members.push(Member { account, profile });
    }
    let uptime = shared.ports.clock.uptime();
    let inner = shared.pool.inner();
    let mut busy: BTreeSet<AccountId> = elsewhere.union(&inner.busy).cloned().collect();
    busy.extend(inner.unreachable.iter().filter(|(_, (until, _))| *until > uptime).map(|(id, _)| id.clone()));
    drop(inner);
    members.sort_by(|a, b| a.account.id.cmp(&b.account.id));
    Ok(Members { all: members, busy, elsewhere })
}

/// Whether this host works with the account at all.
pub(crate) fn is_ours(shared: &Shared, id: &AccountId) -> bool {
    shared.config.only_account.as_ref().is_none_or(|only| only == id)
}

/// The only account of a host works, whatever the pool's list says of it.
fn as_told(shared: &Shared, profile: Profile) -> Profile {
    let enabled = profile.enabled || shared.config.only_account.as_ref() == Some(&profile.id);
    Profile { enabled, ..profile }
}

/// Whether this host may take an account as it stands in the table.
async fn may_have(shared: &Shared, account: &Account) -> Result<bool, Halt> {
    Ok(!shared.sharing.is_meant_for_other(account) && hosts_seen::may_take(shared, account.lease.as_ref()).await?)
}

/// Gives an account back: to rest here, or to the next host that wants it.
pub(crate) async fn give_back(shared: &Shared, hold: Hold) {
    if mutated!(LeaseBeforeClose) {
        let free = Account { lease: None, ..hold.account.clone() };
        drop(put_account(shared, &free, hold.version).await);
    }
    match shared.sharing.next_host(&hold.account.id) {
        Some(host) => release(shared, hold, Some(host)).await,
        None => shared.pool.rest(hold, shared.ports.clock.uptime() + REST_MAX),
    }
}

/// Takes an account for a turn: from where it rests, or by its lease.
pub(crate) async fn reach(shared: &Shared, id: &AccountId) -> Result<Reach, Halt> {
    let Some(turn) = Turn::begin(&shared.pool, id) else { return Ok(Reach::Busy) };
    let rested = shared.pool.inner().resting.remove(id).map(|(hold, _)| hold);
    let reach = match rested {
        Some(hold) => refresh(shared, hold, turn).await?,
        None => take_lease(shared, id, turn).await?,
    };
    if let Reach::Held(hold) = &reach {
        shared.sharing.granted(id);
        shared.pool.note_waits(&hold.account);
    }
    Ok(reach)
}

/// A rested account may have been edited, and another host may have taken it if this one was frozen.
async fn refresh(shared: &Shared, mut hold: Hold, turn: Turn) -> Result<Reach, Halt> {
    hold.turn = Some(turn);
    let found = match read_member(shared, &hold.account.id).await {
        Ok(found) => found,
        Err(halt) => {
            // Nobody has it from here on: it must be closed before the next turn can open another.
            close(&mut hold).await;
            return Err(halt);
        }
    };
    match found {
        Some((account, version, profile)) if account.lease.as_ref() == Some(&shared.lease()) => {
            hold.account = account;
            hold.version = version;
            hold.profile = profile;
            Ok(Reach::Held(Box::new(hold)))
        }
        found => {
            close(&mut hold).await;
            Ok(if found.is_some() { Reach::Busy } else { Reach::Gone })
        }
    }
}

async fn take_lease(shared: &Shared, id: &AccountId, turn: Turn) -> Result<Reach, Halt> {
    let Some((mut account, version, profile)) = read_member(shared, id).await? else { return Ok(Reach::Gone) };
    if !may_have(shared, &account).await? {
        return Ok(Reach::Busy);
    }
    account.lease = Some(shared.lease());
    account.let_go_for = None;
    if mutated!(BudgetForgotten) {
        account.today.charged = 0;
    }
    account.lease_epoch += 1;
    let version = match put_account(shared, &account, version).await? {
        Some(version) => version,
        None => return Ok(Reach::Busy),
    };
    Ok(Reach::Held(Box::new(Hold {
        turn: Some(turn),
        account,
        version,
        profile,
        peers: BTreeMap::new(),
        connection: None,
    })))
}

/// Reads both halves of an account.
pub(crate) async fn read_member(shared: &Shared, id: &AccountId) -> Result<Option<(Account, u64, Profile)>, Halt> {
    let (key, profile_key) = (Key::account(id), Key::profile(id));
    let (account, profile) = tokio::join!(shared.store.get(&key), shared.store.get(&profile_key));
    let account = expect_item!(account?, Account, key);
    let profile = expect_item!(profile?, Profile, profile_key);
    let found = account.zip(profile);
    Ok(found.map(|((account, version), (profile, _))| (account, version, as_told(shared, profile))))
}

/// Stores an account over `version`; `None` on a conflict.
pub(crate) async fn put_account(shared: &Shared, account: &Account, version: u64) -> Result<Option<u64>, Halt> {
    shared.fence.check()?;
    let write = Write::Put { item: Item::Account(account.clone()), guard: Guard::Version(version) };
    let stands = |now: Option<&Record>| {
        now.is_some_and(|record| record.version == version + 1 && record.item == Item::Account(account.clone()))
    };
    let committed = shared.store.commit(&[write], &Key::account(&account.id), stands).await?;
    Ok((committed == Committed::Yes).then_some(version + 1))
}

/// Changes a held account in the table, whoever wrote it meanwhile; waits that were received go along.
pub(crate) async fn change(
    shared: &Shared,
    hold: &mut Hold,
    change: impl Fn(&mut Account) + Send + Sync,
) -> Result<(), Halt> {
    for _ in 0..CHANGES_MAX {
        let mut account = hold.account.clone();
        account.waits = shared.pool.waits(&account);
        account.checked_at = shared.pool.checked_at(&account);
        change(&mut account);
        if let Some(version) = put_account(shared, &account, hold.version).await? {
            (hold.account, hold.version) = (account, version);
            return Ok(());
        }
        match read_member(shared, &hold.account.id).await? {
            Some((account, version, profile)) if account.lease_epoch == hold.account.lease_epoch => {
                (hold.account, hold.version, hold.profile) = (account, version, profile);
            }
            _ => return Err(Halt::LeaseLost(format!("account {} was taken by another host", hold.account.id))),
        }
    }
    Err(Halt::Unavailable(format!("account {} is written by others all the time", hold.account.id)))
}

/// The hold's connection, opened if there is none.
pub(crate) async fn connected(shared: &Shared, hold: &mut Hold) -> Result<Arc<dyn Connection>, OpenError> {
    if let Some(connection) = &hold.connection {
        return Ok(connection.clone());
    }
    let id = hold.account.id.clone();
    match shared.ports.telegram.open(&id).await {
        Ok(connection) => {
            let connection: Arc<dyn Connection> = Arc::new(OneCall::new(shared, id.clone(), connection));
            let mut inner = shared.pool.inner();
            inner.unreachable.remove(&id);
            inner.open.insert(id, Arc::downgrade(&connection));
            drop(inner);
            hold.connection = Some(connection.clone());
            Ok(connection)
        }
        Err(error) => {
            if let OpenError::Unreachable(why) = &error {
                let pause = shared.pool.mark_unreachable(&id, shared.ports.clock.uptime());
                tracing::warn!(account = %id, pause_secs = pause.as_secs(), why, "no connection; the account rests");
            }
            Err(error)
        }
    }
}

/// Closes the hold's connection; nothing of it is sent any more when this returns.
pub(crate) async fn close(hold: &mut Hold) {
    if let Some(connection) = hold.connection.take()
        && !mutated!(LeftOpen)
    {
        connection.close().await;
    }
}

/// Lets go of accounts that rested for long enough, or that another host wants.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub(crate) async fn let_go_of_idle(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        sharing::look_around(&shared).await;
        let_go_of_forgotten(&shared).await;
        let now = shared.ports.clock.uptime();
        let idle: Vec<AccountId> = {
            let inner = shared.pool.inner();
            let rested =
                inner.resting.iter().filter(|(id, (_, until))| now >= *until || shared.sharing.next_host(id).is_some());
            rested.map(|(id, _)| id.clone()).collect()
        };
        for id in idle {
            let Some(turn) = Turn::begin(&shared.pool, &id) else { continue };
            let rested = shared.pool.inner().resting.remove(&id);
            if let Some((mut hold, _)) = rested {
                hold.turn = Some(turn);
                let wanted_by = shared.sharing.next_host(&id);
                release(&shared, hold, wanted_by).await;
            }
        }
    }
}

/// Lets go of what others want and nothing here holds, though it stands in the table as this life's: a commit whose fate was
/// not found out left it so.
async fn let_go_of_forgotten(shared: &Shared) {
    for id in shared.sharing.wanted() {
        if shared.pool.inner().resting.contains_key(&id) {
            continue;
        }
        let Some(turn) = Turn::begin(&shared.pool, &id) else { continue };
        let Ok(Some((account, version, profile))) = read_member(shared, &id).await else { continue };
        if account.lease.as_ref() == Some(&shared.lease()) {
            let hold = Hold { turn: Some(turn), account, version, profile, peers: BTreeMap::new(), connection: None };
            release(shared, hold, shared.sharing.next_host(&id)).await;
        }
    }
}

/// Closes and releases everything that rests here; the tasks gave back what they held.
pub(crate) async fn close_all(shared: &Shared) {
    let resting = std::mem::take(&mut shared.pool.inner().resting);
    for (hold, _) in resting.into_values() {
        release(shared, hold, None).await;
    }
}

/// Closes the connection, *then* gives the lease back. If the process dies in between, the lease stays and others wait
/// for this life's silence: late, but never two connections.
pub(crate) async fn release(shared: &Shared, mut hold: Hold, wanted_by: Option<HostId>) {
    let id = hold.account.id.clone();
    close(&mut hold).await;
    let mut account = hold.account;
    if !mutated!(WaitNotCommitted) {
        account.waits = shared.pool.waits(&account);
    }
    account.checked_at = shared.pool.checked_at(&account);
    account.lease = None;
    account.let_go_for = wanted_by;
    match put_account(shared, &account, hold.version).await {
        Ok(Some(_)) => {}
        Ok(None) => tracing::debug!(account = %id, "the account was written by somebody else; its lease stays"),
        Err(error) => tracing::warn!(account = %id, %error, "the account's lease stays; it ends with this host"),
    }
}
