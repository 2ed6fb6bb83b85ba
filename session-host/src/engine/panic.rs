//! The panic button: every account is signed out at Telegram and erased, at once.
//!
//! Every host looks at the item every few seconds. While it stands open, a host drops its runs wherever they are, closes
//! its connections, starts nothing, parks the tasks that nobody else has, and signs out and erases one account after the
//! other that it can take. Nothing is settled first: a task whose chunk is uncertain says so when it is resumed. Leases
//! order the hosts as ever; whoever finds nothing left, twice in a row, closes the item. Each step may run twice, and a
//! death anywhere leaves the item open for the next look. Waits are obeyed: an account that has to wait is signed out then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use transfer::event::Event;
use transfer::ids::TaskId;
use transfer::login::LoginEvent;
use transfer::table::item::{EventRecord, Panic};
use transfer::table::{Guard, Item, Key, List, Record, Write};
use transfer::task::TaskEvent;

use super::leaving::{self, SignedOut};
use super::run::Ended;
use super::store::{Committed, expect_item};
use super::{Halt, Shared, hosts_seen, pool};

/// How often this host looks at the button.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks in a row that must find nothing left: lists are eventually consistent.
const EMPTY_LOOKS: u32 = 2;
/// Due items among which logins are looked for.
const LOGINS_MAX: u32 = 1_000;
/// Why tasks park.
const REASON: &str = "the panic button was pressed: every account is signed out; add accounts, then resume";

/// The button as this host saw it last.
pub(crate) struct Button {
    pressed: watch::Sender<bool>,
    news: Notify,
}

impl Default for Button {
    fn default() -> Self {
        Self { pressed: watch::Sender::new(false), news: Notify::new() }
    }
}

impl Button {
    /// Whether it is pressed, as far as this host knows.
    pub(crate) fn is_pressed(&self) -> bool {
        *self.pressed.borrow()
    }

    /// Returns when it is pressed.
    pub(crate) async fn pressed(&self) {
        // The sender lives as long as this.
        drop(self.pressed.subscribe().wait_for(|pressed| *pressed).await.map(drop));
    }
}

/// A job says that somebody pressed it: look at once.
pub(crate) fn look_at_once(shared: &Shared) -> Ended {
    shared.button.news.notify_one();
    Ended::Decided
}

/// Looks at the button until it is dropped.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut empty_looks = 0;
    loop {
        match look(&shared, empty_looks).await {
            Ok(empty) => empty_looks = if empty { empty_looks + 1 } else { 0 },
            Err(error) => tracing::warn!(%error, "a look at the panic button broke off"),
        }
        tokio::select! {
            biased;
            () = shared.button.news.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Does what is to be done; tells whether nothing was left.
async fn look(shared: &Arc<Shared>, empty_looks: u32) -> Result<bool, Halt> {
    let key = Key::panic();
    let found = expect_item!(shared.store.get(&key).await?, Panic, key);
    let Some((panic, version)) = found.filter(|(panic, _)| panic.done_at.is_none()) else {
        shared.button.pressed.send_replace(false);
        return Ok(false);
    };
    // The runs are dropped by their jobs. Whatever they had open is closed here, so it is taken hold of before.
    let open = shared.pool.open_connections();
    if !shared.button.pressed.send_replace(true) {
        tracing::error!("the panic button was pressed: every account is signed out and erased");
    }
    for connection in open.into_iter().chain(shared.pool.open_connections()) {
        connection.close().await;
    }
    pool::close_all(shared).await;
    let nobody_comes = end_logins(shared).await?;
    let nothing_to_park = park_all(shared).await?;
    let nobody_left = sign_all_out(shared).await?;
    let empty = nobody_comes && nothing_to_park && nobody_left;
    if empty && empty_looks + 1 >= EMPTY_LOOKS {
        close(shared, panic, version).await?;
    }
    Ok(empty)
}

/// Parks every task that would go on and is in nobody else's hands; tells whether there was none.
async fn park_all(shared: &Shared) -> Result<bool, Halt> {
    let mut none = true;
    for record in shared.store.list(List::Tasks).await? {
        let Item::Task(task) = record.item else { continue };
        if task.state.due_at().is_some() {
            none = false;
            park(shared, &task.id).await?;
        }
    }
    Ok(none)
}

async fn park(shared: &Shared, id: &TaskId) -> Result<(), Halt> {
    let key = Key::task(id);
    let Some((mut task, version)) = expect_item!(shared.store.get(&key).await?, Task, key) else { return Ok(()) };
    let is_due = task.state.due_at().is_some();
    if !is_due || shared.running.contains(id) || !hosts_seen::may_take(shared, task.lease.as_ref()).await? {
        return Ok(());
    }
    let now = shared.ports.clock.now();
    let illegal = |error: transfer::task::IllegalTransition| Halt::Corrupt(error.to_string());
    task.next(TaskEvent::Claim, now).map_err(illegal)?;
    task.next(TaskEvent::Park { reason: REASON.to_owned() }, now).map_err(illegal)?;
    task.lease = None;
    task.lease_epoch += 1;
    if let Some(intent) = &mut task.checkpoint.intent {
        // A resumed task settles anew, with its whole hour.
        intent.uncertain_since = None;
    }
    task.checkpoint.events += 1;
    let event = Event::State { state: task.state.word().into(), reason: Some(REASON.to_owned()) };
    let record = EventRecord { task: id.clone(), ordinal: task.checkpoint.events, at: now, event };
    let event = Write::Put { item: Item::Event(record), guard: Guard::None };
    let epoch = task.lease_epoch;
    let writes = [Write::Put { item: Item::Task(task.clone()), guard: Guard::Version(version) }, event.clone()];
    let stands = |now: Option<&Record>| now.is_some_and(|now| now.item.lease_epoch() == epoch);
    shared.fence.check()?;
    if shared.store.commit(&writes, &key, stands).await? == Committed::Yes {
        shared.reporter.hear(&task, &[event]);
    }
    Ok(())
}

/// Signs out and erases whatever this host can take; tells whether no account was left.
async fn sign_all_out(shared: &Shared) -> Result<bool, Halt> {
    let mut none = true;
    for record in shared.store.list(List::Accounts).await? {
        let Item::Account(account) = record.item else { continue };
        none = false;
        if !pool::is_ours(shared, &account.id) {
            continue;
        }
        match leaving::sign_out(shared, &account.id).await? {
            SignedOut::Erased(how) => {
                tracing::warn!(account = %account.id, ?how, "an account is signed out and erased");
            }
            SignedOut::NotYet(why) => {
                tracing::warn!(account = %account.id, ?why, "an account is not signed out yet");
            }
        }
    }
    Ok(none)
}

/// Logins that are under way do not bring another account in; tells whether there was none.
async fn end_logins(shared: &Shared) -> Result<bool, Halt> {
    let mut none = true;
    let now = shared.ports.clock.now();
    let due = shared.ports.table.due(jiff::Timestamp::MAX, LOGINS_MAX).await;
    for record in due.map_err(|error| Halt::Unavailable(error.to_string()))? {
        let Item::Login(login) = record.item else { continue };
        let Ok(cancelled) = login.next(LoginEvent::Cancel, now) else { continue };
        none = false;
        let item = Item::Login(Box::new(cancelled));
        let key = item.key();
        shared.fence.check()?;
        let version = record.version;
        let stands = |now: Option<&Record>| now.is_some_and(|now| now.version > version);
        // On a conflict somebody took a step with it: it is found again at the next look.
        shared.store.commit(&[Write::Put { item, guard: Guard::Version(version) }], &key, stands).await?;
    }
    Ok(none)
}

/// Nothing is left.
async fn close(shared: &Shared, panic: Panic, version: u64) -> Result<(), Halt> {
    shared.fence.check()?;
    let at = shared.ports.clock.now();
    let item = Item::Panic(Panic { done_at: Some(at), ..panic });
    let key = Key::panic();
    let stands = |now: Option<&Record>| now.is_some_and(|now| now.version == version + 1 && now.item == item);
    let write = Write::Put { item: item.clone(), guard: Guard::Version(version) };
    if shared.store.commit(&[write], &key, stands).await? == Committed::Yes {
        tracing::warn!("every account is signed out and erased");
        leaving::tell_all(shared, at).await;
    }
    Ok(())
}
