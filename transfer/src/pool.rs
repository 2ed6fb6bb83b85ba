//! Which account goes next.
//!
//! The account of the checkpoint goes on as long as it may, so that a change is always caused by something; otherwise
//! the highest priority, among equals one that was never used, then the least recently used, then by id so that every
//! host chooses alike. Waits are compared with `now`: one that is over is over, nobody has to clear it.

pub mod standing;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{AccountState, Member, MethodClass};
use crate::ids::AccountId;

/// More names are not listed in a reason.
const NAMES_MAX: usize = 5;

/// What the task needs an account for.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The account that carried the last chunk.
    pub checkpoint_account: Option<&'a AccountId>,
    /// Only accounts of this group.
    pub group: Option<&'a str>,
    /// Only this account, because message ids are its own.
    pub bound_to: Option<&'a AccountId>,
    /// Accounts that cannot read the source or write to the target.
    pub not_for_peer: &'a BTreeSet<AccountId>,
    /// Accounts that other tasks or hosts hold just now.
    pub busy: &'a BTreeSet<AccountId>,
    /// Messages that the day's budget must still have room for; 0 when nothing is written.
    pub room: u32,
    /// Which methods it will call.
    pub class: MethodClass,
    /// When the next day begins in the admin's zone, and every budget with it.
    pub midnight: Timestamp,
}

/// Who goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This account, now.
    Use(AccountId),
    /// Nobody before then.
    WaitUntil {
        /// The earliest instant at which one may.
        at: Timestamp,
        /// For people: who it is and what it waits for.
        why: String,
    },
    /// An account that may is with another task.
    WaitForTurn {
        /// When one that is not, may; the sooner of the two is worth waiting for.
        or_at: Option<Timestamp>,
    },
    /// Nobody, however long one waits: what the admin has to do.
    Exhausted(String),
}

/// Why an account is out of the question, however long one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unfit {
    NotForPeer,
    BudgetTooSmall,
    Quarantined,
    SignedOut,
    SessionDead,
    Frozen,
    Banned,
    Disabled,
    Leaving,
    OtherGroup,
    NotTheOne,
}

impl Member {
    /// What the day's budget leaves; `None`: there is no limit.
    pub fn budget_left(&self, today: Date) -> Option<u32> {
        let charged = if self.account.today.date == today { self.account.today.charged } else { 0 };
        self.profile.daily_budget.map(|budget| budget.saturating_sub(charged))
    }

    fn unfit(&self, need: &Need<'_>) -> Option<Unfit> {
        if need.bound_to.is_some_and(|bound| *bound != self.account.id) {
            return Some(Unfit::NotTheOne);
        }
        if need.group.is_some_and(|group| self.profile.group.as_deref() != Some(group)) {
            return Some(Unfit::OtherGroup);
        }
        if self.profile.leaving.is_some() && !mutated!(LeavingChosen) {
            return Some(Unfit::Leaving);
        }
        if !self.profile.enabled {
            return Some(Unfit::Disabled);
        }
        match self.account.state {
            AccountState::Ready => {}
            AccountState::SignedOut => return Some(Unfit::SignedOut),
            AccountState::SessionDead => return Some(Unfit::SessionDead),
            AccountState::Frozen => return Some(Unfit::Frozen),
            AccountState::Quarantined => return Some(Unfit::Quarantined),
            AccountState::Banned => return Some(Unfit::Banned),
        }
        if need.not_for_peer.contains(&self.account.id) {
            return Some(Unfit::NotForPeer);
        }
        self.profile.daily_budget.is_some_and(|budget| budget < need.room).then_some(Unfit::BudgetTooSmall)
    }

    /// When it may go and what it waits for until then; `None`: now.
    fn free_at(&self, need: &Need<'_>, now: Timestamp, today: Date) -> Option<(Timestamp, &'static str)> {
        let flood = self.account.waits.until(need.class, now).map(|until| (until, "its flood wait ends"));
        let spent = self.budget_left(today).is_some_and(|left| left < need.room);
        let rest = spent.then_some((need.midnight, "its daily budget begins anew"));
        flood.into_iter().chain(rest).max_by_key(|(at, _)| *at)
    }
}

/// Chooses an account. `today` is the date in the admin's zone.
pub fn choose(members: &[Member], need: &Need<'_>, now: Timestamp, today: Date) -> Choice {
    let fit: Vec<&Member> = members.iter().filter(|member| member.unfit(need).is_none()).collect();
    if fit.is_empty() {
        return Choice::Exhausted(exhausted(members, need));
    }
    let (waiting, free): (Vec<&Member>, Vec<&Member>) =
        fit.into_iter().partition(|member| member.free_at(need, now, today).is_some());
    let (busy, idle): (Vec<&Member>, Vec<&Member>) =
        free.into_iter().partition(|member| need.busy.contains(&member.account.id));
    let next = idle.into_iter().min_by_key(|member| {
        let of_checkpoint = need.checkpoint_account == Some(&member.account.id);
        // `None`, never used, sorts before any time.
        (!of_checkpoint, Reverse(member.profile.priority), member.account.last_used, &member.account.id)
    });
    if let Some(next) = next {
        return Choice::Use(next.account.id.clone());
    }
    let earliest = waiting
        .iter()
        .filter_map(|member| member.free_at(need, now, today).map(|(at, what)| (at, &member.profile.label, what)));
    let earliest = if mutated!(WakesAtTheLast) { earliest.max() } else { earliest.min() };
    match earliest {
        Some((at, label, what)) if busy.is_empty() => {
            Choice::WaitUntil { at, why: format!("every account is limited; {label} is the first: then {what}") }
        }
        earliest => Choice::WaitForTurn { or_at: earliest.map(|(at, ..)| at) },
    }
}

fn exhausted(members: &[Member], need: &Need<'_>) -> String {
    let mut unfit: BTreeMap<Unfit, Vec<&str>> = BTreeMap::new();
    for member in members {
        if let Some(why) = member.unfit(need) {
            unfit.entry(why).or_default().push(&member.profile.label);
        }
    }
    // Accounts that the task does not ask for are not the trouble, unless there are no others.
    let asked_for: Vec<String> = unfit
        .iter()
        .filter(|(why, _)| !matches!(why, Unfit::OtherGroup | Unfit::NotTheOne))
        .map(|(why, labels)| format!("{}: {}", why.advice(need), names(labels)))
        .collect();
    if !asked_for.is_empty() {
        return format!("no account can go on: {}", asked_for.join("; "));
    }
    match (need.bound_to, need.group) {
        (Some(bound), _) => format!(
            "account {bound} is not in the pool, and message ids of the source are that account's own: add it again"
        ),
        (None, Some(group)) => format!("no account is in group {group:?}: put one there, or change the task's group"),
        (None, None) => "the pool is empty: add an account".to_owned(),
    }
}

/// The accounts that could carry on now, were they not in other hands: those that are worth standing in line for.
pub fn turns(members: &[Member], need: &Need<'_>, now: Timestamp, today: Date) -> BTreeSet<AccountId> {
    let free = |member: &&Member| member.unfit(need).is_none() && member.free_at(need, now, today).is_none();
    let ids = members.iter().filter(free).map(|member| &member.account.id);
    ids.filter(|id| need.busy.contains(id)).cloned().collect()
}

fn names(labels: &[&str]) -> String {
    let shown = labels.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
    match labels.len().checked_sub(NAMES_MAX) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

impl Unfit {
    fn advice(self, need: &Need<'_>) -> String {
        match self {
            Self::NotForPeer => "let these read the source and post in the target".to_owned(),
            Self::BudgetTooSmall => {
                format!("raise the daily budget of these, {} messages have to fit at once", need.room)
            }
            Self::Quarantined => {
                "Telegram complained of these (PEER_FLOOD), lift the quarantine when it is time".to_owned()
            }
            Self::SignedOut => "log in again with these".to_owned(),
            Self::SessionDead => "log in again with these, their session was used twice at once".to_owned(),
            Self::Frozen => "Telegram froze these, appeal in its app".to_owned(),
            Self::Banned => "Telegram banned or deleted these, replace them".to_owned(),
            Self::Disabled => "enable one of these".to_owned(),
            Self::Leaving => "these leave the pool".to_owned(),
            Self::OtherGroup => "these are in another group".to_owned(),
            Self::NotTheOne => "these are not the account the task is bound to".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
