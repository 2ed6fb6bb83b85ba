//! Alarms to every admin, once each while they last.
//!
//! The ALERT item is committed before anybody is told, so that of several hosts one tells; it is removed when the condition
//! is over, so that it can be told again. If the process dies between commit and message, that one is not told: an alarm
//! that comes twice is worse than one that is missing, since the screens show the same facts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use transfer::account::{AccountState, MethodClass};
use transfer::ids::{HostId, Incarnation};
use transfer::lease::Host;
use transfer::queue::{Delivery, RECEIVES_MAX};
use transfer::table::item::AlertRecord;
use transfer::table::{Guard, Item, Key, List, Record, Write};
use transfer::tell::alert::{Alert, kind};

use super::chats;
use super::pool::{self, Members};
use super::store::Committed;
use super::{Halt, Shared, measures};

/// Fewer available accounts than this are too few, where the pool has more.
const ACCOUNTS_MIN: usize = 2;
/// A wait that is over sooner does not make an account unavailable: nobody should be woken for it.
const SHORT_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// A wait that is longer is told.
const LONG_FLOOD: SignedDuration = SignedDuration::from_hours(6);
/// For how long a message is tried.
const INSIST: std::time::Duration = std::time::Duration::from_secs(120);

/// The alarms that this host knows to stand, so that it reads the table for changes only.
#[derive(Default)]
pub(crate) struct Alerts {
    standing: Mutex<BTreeSet<(&'static str, String)>>,
    /// Alarms of conditions that were looked for in the table once: an earlier life may have raised them.
    looked: Mutex<BTreeSet<(&'static str, String)>>,
    /// The life and renewal of each other host, as they stood at the last look.
    renewals: Mutex<BTreeMap<HostId, (Incarnation, u64)>>,
    /// Committed, and not told yet.
    outbox: Mutex<VecDeque<Alert>>,
    news: Notify,
    /// Whether the pool had an account in this life.
    had_accounts: AtomicBool,
}

impl Alerts {
    fn stands(&self, key: &(&'static str, String)) -> bool {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn set(&self, key: (&'static str, String), stands: bool) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if stands {
            standing.insert(key);
        } else {
            standing.remove(&key);
        }
    }

    fn put(&self, alert: Alert) {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner).push_back(alert);
        self.news.notify_one();
    }

    fn take(&self) -> Option<Alert> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Whether the host renewed itself since the last look. Whoever looks for the first time does not know.
    fn moved(&self, host: &Host) -> bool {
        let now = (host.incarnation.clone(), host.renewal);
        let mut renewals = self.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        renewals.insert(host.id.clone(), now.clone()).is_some_and(|before| before != now)
    }

    fn looked(&self, key: &(&'static str, String)) -> bool {
        !self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
    }
}

fn is_on(shared: &Shared) -> bool {
    shared.chats.exist() && !shared.config.admins.is_empty()
}

/// Tells every admin, unless it was told and still lasts.
pub(crate) async fn raise(shared: &Shared, alert: &Alert) -> Result<(), Halt> {
    let (kind, subject) = alert.key();
    if !is_on(shared) || shared.alerts.stands(&(kind, subject.clone())) {
        return Ok(());
    }
    shared.fence.check()?;
    let at = shared.ports.clock.now();
    let record = AlertRecord { kind: kind.to_owned(), subject: subject.clone(), at };
    let key = Key::alert(kind, &subject);
    let write = Write::Put { item: Item::Alert(record.clone()), guard: Guard::Absent };
    let stands = |now: Option<&Record>| now.is_some_and(|now| now.item == Item::Alert(record.clone()));
    let committed = shared.store.commit(&[write], &key, stands).await?;
    shared.alerts.set((kind, subject), true);
    if committed == Committed::Conflict {
        return Ok(());
    }
    tracing::warn!(kind, subject = record.subject, "an alarm");
    shared.alerts.put(alert.clone());
    Ok(())
}

/// Tells what was raised, until it is dropped: whoever raises an alarm does not wait for the bot.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let Some(alert) = shared.alerts.take() else {
            shared.alerts.news.notified().await;
            continue;
        };
        for admin in &shared.config.admins {
            let locale = shared.chats.locale(&shared.store, *admin).await;
            let screen = alert.screen(&locale);
            let until = shared.ports.clock.uptime() + INSIST;
            let told = chats::insist(&shared, *admin, None, &screen, until).await;
            if let Err(why) = told {
                tracing::warn!(kind = alert.key().0, %admin, ?why, "an admin was not told of an alarm");
            }
        }
    }
}

/// The condition is over: the next time it is told again.
pub(crate) async fn clear(shared: &Shared, kind: &'static str, subject: &str) -> Result<(), Halt> {
    if !is_on(shared) {
        return Ok(());
    }
    let own = (kind, subject.to_owned());
    if shared.alerts.looked(&own) && !shared.alerts.stands(&own) {
        return Ok(());
    }
    let key = Key::alert(kind, subject);
    if shared.store.get(&key).await?.is_some() {
        shared.fence.check()?;
        // Any copy is as good as another: whoever deletes it says the same.
        let write = Write::Delete { key: key.clone(), guard: Guard::None };
        shared.store.commit(&[write], &key, |now: Option<&Record>| now.is_none()).await?;
    }
    shared.alerts.set(own, false);
    Ok(())
}

/// Looks at pool and hosts.
pub(crate) async fn look(shared: &Shared) -> Result<(), Halt> {
    if !is_on(shared) {
        return Ok(());
    }
    let members = pool::members(shared).await?;
    let now = shared.ports.clock.now();
    let (today, midnight) = shared.today();
    // That there is none is a fault where there were some, not where nobody has brought any yet.
    if !members.all.is_empty() || shared.alerts.had_accounts.load(Ordering::Relaxed) {
        shared.alerts.had_accounts.store(true, Ordering::Relaxed);
        measures::accounts(&members.all, now, today, midnight);
    }
    few_accounts(shared, &members, now).await?;
    each_account(shared, &members, now).await?;
    hosts(shared).await
}

async fn few_accounts(shared: &Shared, members: &Members, now: Timestamp) -> Result<(), Halt> {
    let enabled: Vec<_> =
        members.all.iter().filter(|member| member.profile.enabled && member.profile.leaving.is_none()).collect();
    let soon = now.saturating_add(SHORT_WAIT).unwrap_or(Timestamp::MAX);
    let available = enabled.iter().filter(|member| {
        let waits = &member.account.waits;
        let limited = [MethodClass::Write, MethodClass::Read].iter().any(|class| waits.until(*class, soon).is_some());
        member.account.state == AccountState::Ready && !limited
    });
    let available = available.count();
    if members.all.len() >= ACCOUNTS_MIN && available < ACCOUNTS_MIN {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        raise(shared, &Alert::FewAccounts { available: number(available), of: number(members.all.len()) }).await
    } else {
        clear(shared, kind::FEW_ACCOUNTS, "pool").await
    }
}

async fn each_account(shared: &Shared, members: &Members, now: Timestamp) -> Result<(), Halt> {
    // What becomes of an account that leaves is told to whoever let it go.
    for member in members.all.iter().filter(|member| member.profile.leaving.is_none()) {
        let account = &member.account;
        let id = account.id.clone();
        let waits = [account.waits.write, account.waits.read].into_iter().flatten();
        match waits.filter(|until| *until > now).max() {
            Some(until) if until.duration_since(now) > LONG_FLOOD => {
                let label = member.profile.label.clone();
                raise(shared, &Alert::LongFlood { account: id.clone(), label, until }).await?;
            }
            Some(_) => {}
            None => clear(shared, kind::LONG_FLOOD, &id.0).await?,
        }
        if account.state == AccountState::Ready {
            clear(shared, kind::ACCOUNT_LOST, &id.0).await?;
        } else {
            let reason = account.reason.clone().unwrap_or_default();
            let label = member.profile.label.clone();
            raise(shared, &Alert::AccountLost { account: id, label, state: account.state, reason }).await?;
        }
    }
    Ok(())
}

/// Hosts that stand in the table and do not move. One that was stopped cleanly took its item back.
async fn hosts(shared: &Shared) -> Result<(), Halt> {
    let mut hosts: BTreeMap<HostId, Host> = BTreeMap::new();
    for record in shared.store.list(List::Hosts).await? {
        if let Item::Host(host) = record.item
            && host.id != shared.config.id
        {
            hosts.insert(host.id.clone(), host);
        }
    }
    for (id, host) in hosts {
        let moved = shared.alerts.moved(&host);
        if shared.hosts_seen.is_silent(&host.incarnation, Some(host.renewal)) {
            raise(shared, &Alert::HostGone { host: id, last_seen: host.renewed_at }).await?;
        } else if moved {
            // Not silent for long enough is no sign of life: whoever has just begun to look would take an alarm back that
            // stands rightly, and it would be told again.
            clear(shared, kind::HOST_GONE, &id.0).await?;
        }
    }
    Ok(())
}

/// A job whose work failed: the last time it comes, a person has to look.
pub(crate) async fn job_failed(shared: &Shared, delivery: &Delivery, job: &str, why: &str) {
    if delivery.attempt < RECEIVES_MAX {
        return;
    }
    // The queue keeps no reason with a message: the message's id leads from here to the dead letter, and back.
    let alert = Alert::PoisonJob { job: job.to_owned(), reason: format!("message {}: {why}", delivery.id) };
    if let Err(error) = raise(shared, &alert).await {
        tracing::warn!(%error, "the admins were not told of a job that fails");
    }
}

/// A job was worked on to its end: should its kind fail once more as often as it may, that is told again.
pub(crate) async fn job_worked(shared: &Shared, job: &str) {
    if let Err(error) = clear(shared, kind::POISON_JOB, job).await {
        tracing::warn!(%error, job, "the alarm of a job that works again stays");
    }
}
