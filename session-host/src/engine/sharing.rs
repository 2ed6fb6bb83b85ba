//! Accounts that several hosts want.
//!
//! A host whose tasks wait for an account of another host says so in its HOST item, which it renews anyway. The holder
//! reads the HOST items every 2 s, and when a task gives such an account back it closes it and lets go of it *for* the next
//! host that wants it, in the order of the hosts' ids: so hosts take turns at batch ends as the tasks of one host do. The
//! others leave it alone for a while; if the one it was meant for does not come, it is anybody's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use transfer::account::Account;
use transfer::clock::Clock;
use transfer::ids::{AccountId, HostId};
use transfer::lease::Host;
use transfer::table::{Item, List};

use super::Shared;

/// A wish that no task repeated for so long is over. Tasks that wait repeat theirs every 5 s.
const WISH_LASTS: Duration = Duration::from_secs(15);
/// How long an account is left to the host that it was let go for: three looks of a task that waits.
const MEANT_FOR: Duration = Duration::from_secs(15);

/// What this host wants of others, and others of it.
pub(crate) struct Sharing {
    own: HostId,
    clock: Clock,
    state: Mutex<State>,
    /// There is a new wish: the HOST item should say so at once.
    pub(crate) news: Notify,
}

#[derive(Default)]
struct State {
    /// Accounts that tasks here wait for, and when one last said so.
    wishes: BTreeMap<AccountId, Duration>,
    /// Which other hosts want an account.
    wanted_by: BTreeMap<AccountId, BTreeSet<HostId>>,
    /// Under which epoch an account was let go for somebody else, and when that was first seen.
    meant: BTreeMap<AccountId, (u64, Duration)>,
}

impl Sharing {
    /// Nobody wants anything.
    pub(crate) fn new(own: HostId, clock: Clock) -> Self {
        Self { own, clock, state: Mutex::default(), news: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task waits for this account, which is with another host.
    pub(crate) fn wish(&self, account: &AccountId) {
        let now = self.clock.uptime();
        if self.state().wishes.insert(account.clone(), now).is_none() {
            self.news.notify_one();
        }
    }

    /// The account is here: the wish is granted, and what others were heard to want of it before may be over. Whoever still
    /// wants it says so in the next look.
    pub(crate) fn granted(&self, account: &AccountId) {
        let mut state = self.state();
        state.wanted_by.remove(account);
        if state.wishes.remove(account).is_some() {
            self.news.notify_one();
        }
    }

    /// What this host wants at this moment, for its HOST item.
    pub(crate) fn wishes(&self) -> Vec<AccountId> {
        let now = self.clock.uptime();
        let mut state = self.state();
        state.wishes.retain(|_, said| now.saturating_sub(*said) < WISH_LASTS);
        state.wishes.keys().cloned().collect()
    }

    fn heard(&self, hosts: &[Host]) {
        let mut wanted_by: BTreeMap<AccountId, BTreeSet<HostId>> = BTreeMap::new();
        for host in hosts.iter().filter(|host| host.id != self.own) {
            for account in &host.wants {
                wanted_by.entry(account.clone()).or_default().insert(host.id.clone());
            }
        }
        self.state().wanted_by = wanted_by;
    }

    /// What other hosts want.
    pub(crate) fn wanted(&self) -> Vec<AccountId> {
        self.state().wanted_by.keys().cloned().collect()
    }

    /// For whom an account of this host should be let go: the next host after this one that wants it.
    pub(crate) fn next_host(&self, account: &AccountId) -> Option<HostId> {
        let state = self.state();
        let hosts = state.wanted_by.get(account)?;
        hosts.iter().find(|host| **host > self.own).or_else(|| hosts.first()).cloned()
    }

    /// Whether a free account is meant for another host, which may still come.
    pub(crate) fn is_meant_for_other(&self, account: &Account) -> bool {
        let mut state = self.state();
        if account.let_go_for.as_ref().is_none_or(|host| *host == self.own) {
            state.meant.remove(&account.id);
            return false;
        }
        let now = self.clock.uptime();
        let meant = state.meant.entry(account.id.clone()).or_insert((account.lease_epoch, now));
        if meant.0 != account.lease_epoch {
            *meant = (account.lease_epoch, now);
        }
        now.saturating_sub(meant.1) < MEANT_FOR
    }
}

/// Reads what other hosts want. A look that fails is made up for by the next.
pub(crate) async fn look_around(shared: &Shared) {
    let records = match shared.ports.table.list(List::Hosts).await {
        Ok(records) => records,
        Err(error) => {
            tracing::warn!(%error, "what other hosts want could not be read");
            return;
        }
    };
    let mut hosts = Vec::new();
    for record in records {
        let Item::Host(host) = record.item else { continue };
        // The dead want nothing.
        if !shared.hosts_seen.is_silent(&host.incarnation, Some(host.renewal)) {
            hosts.push(host);
        }
    }
    shared.sharing.heard(&hosts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn sharing(own: &str) -> Sharing {
        Sharing::new(own.into(), Clock::starting_at(Timestamp::UNIX_EPOCH))
    }

    fn host(id: &str, wants: &[&str]) -> Host {
        Host {
            id: id.into(),
            incarnation: format!("{id}-1").as_str().into(),
            renewal: 1,
            renewed_at: Timestamp::UNIX_EPOCH,
            program_version: String::new(),
            accounts_held: 0,
            only_account: None,
            wants: wants.iter().map(|id| AccountId::from(*id)).collect(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_take_turns_in_the_order_of_their_ids() {
        let hosts = [host("x", &["a"]), host("y", &["a"]), host("z", &["a", "b"])];
        let next = |own: &str, account: &str| {
            let sharing = sharing(own);
            sharing.heard(&hosts);
            sharing.next_host(&account.into()).map(|host| host.0)
        };
        assert_eq!(next("x", "a").as_deref(), Some("y"));
        assert_eq!(next("y", "a").as_deref(), Some("z"));
        assert_eq!(next("z", "a").as_deref(), Some("x"));
        assert_eq!(next("z", "b"), None, "its own wish does not count");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_meant_for_another_host_is_left_to_it_for_a_while() {
        let sharing = sharing("x");
        let mut account = Account::new("a".into(), "+1".into(), Timestamp::UNIX_EPOCH, jiff::civil::date(2026, 1, 1));
        assert!(!sharing.is_meant_for_other(&account));
        account.let_go_for = Some("y".into());
        assert!(sharing.is_meant_for_other(&account));
        tokio::time::advance(MEANT_FOR).await;
        assert!(!sharing.is_meant_for_other(&account), "it did not come");
        account.lease_epoch += 1;
        assert!(sharing.is_meant_for_other(&account), "it came, and was let go for another time");
        account.let_go_for = Some("x".into());
        assert!(!sharing.is_meant_for_other(&account));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_ends_by_itself() {
        let sharing = sharing("x");
        sharing.wish(&"a".into());
        assert_eq!(sharing.wishes(), ["a".into()]);
        tokio::time::advance(WISH_LASTS).await;
        assert_eq!(sharing.wishes(), []);
    }
}
