//! One pool member: what hosts learn of it, and what the admin sets for it.
//!
//! The two stand in two items with one writer each (`ACCOUNT`: the host that holds the lease; `PROFILE`: the admin), so
//! that an admin who renames an account never makes an outcome's commit fail.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ChatId, HostId, UpdateId};
use crate::lease::Lease;

/// Chats that an account joins within [`JOINS_WITHIN`] at most: Telegram takes those who join many for spammers.
pub const JOINS_MAX: usize = 5;
/// See [`JOINS_MAX`].
pub const JOINS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What hosts know of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// Enough of the phone number to recognise it: `+44…21`.
    pub phone_masked: String,
    /// Whether Telegram lets it work.
    pub state: AccountState,
    /// Telegram's word for why, when it may not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// Until when it may not call, by class of methods.
    #[serde(default)]
    pub waits: Waits,
    /// When a chunk was last given to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
    /// Since it was added.
    #[serde(default)]
    pub total: Counters,
    /// Today's, in the admin's zone; of another day as soon as `today.date` is not today.
    pub today: Day,
    /// Who holds its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Grows with every taking of the lease.
    #[serde(default)]
    pub lease_epoch: u64,
    /// For whom its holder let it go: a host that waited for it. Others leave it alone for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub let_go_for: Option<HostId>,
    /// When its connections were last closed by a holder that may have left a call uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// When Telegram last confirmed that its session is good: by any call, or by the check of an idle account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// When it joined chats lately, oldest first: Telegram does not like many in an hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined_at: Vec<Timestamp>,
    /// When the admin forgot its waits last: whoever remembers some of before does not wait for them any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_reset_at: Option<Timestamp>,
    /// The waits that were forgotten then, and no others.
    #[serde(default)]
    pub waits_forgotten: Waits,
    /// By which update, so that a delivery that comes again forgets nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_reset_by: Option<UpdateId>,
}

/// Whether Telegram lets an account work. Waits are apart: they end by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It may work.
    Ready,
    /// Its session was ended: log in again.
    SignedOut,
    /// Its session was used twice at once and is dead for good: log in again.
    SessionDead,
    /// Telegram froze it.
    Frozen,
    /// `PEER_FLOOD`: rests until the admin lifts it.
    Quarantined,
    /// Telegram banned or deleted it.
    Banned,
}

/// The classes of methods that have flood waits of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodClass {
    /// Forwarding and sending.
    Write,
    /// History, messages by id, differences.
    Read,
    /// Names and invite links.
    Resolve,
}

/// Until when an account may not call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// For [`MethodClass::Write`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Timestamp>,
    /// For [`MethodClass::Read`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Timestamp>,
    /// For [`MethodClass::Resolve`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<Timestamp>,
}

/// What an account has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages that Telegram confirmed.
    pub forwarded: u64,
    /// Flood waits it was given.
    pub floods: u64,
    /// The sum of those waits.
    pub flood_wait_secs: u64,
}

/// One day of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The day, in the admin's zone.
    pub date: Date,
    /// Messages given to it, confirmed or still open: what the daily budget is charged with.
    pub charged: u32,
    /// What it did that day.
    pub counters: Counters,
}

/// What the admin sets for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The account.
    pub id: AccountId,
    /// What the admin calls it.
    pub label: String,
    /// Higher goes first.
    pub priority: i32,
    /// Tasks may be bound to a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it may be chosen.
    pub enabled: bool,
    /// Messages a day; `None`: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_budget: Option<u32>,
    /// That it is to leave the pool: it is not chosen any more, and a host signs it out and erases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Leaving>,
}

/// That an account is to leave the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Since when.
    pub since: Timestamp,
    /// Whom to tell; `None`: whoever asked looks for himself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ChatId>,
    /// Counts its jobs.
    pub seq: u64,
}

/// A pool member as the pool's decisions see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What hosts know.
    pub account: Account,
    /// What the admin set.
    pub profile: Profile,
}

impl Waits {
    /// Until when this class may not call; `None` when it may at `now`.
    pub fn until(&self, class: MethodClass, now: Timestamp) -> Option<Timestamp> {
        let until = match class {
            MethodClass::Write => self.write,
            MethodClass::Read if mutated!(ReadWaitIgnored) => None,
            MethodClass::Read => self.read,
            MethodClass::Resolve => self.resolve,
        };
        until.filter(|until| *until > now)
    }

    /// Notes a wait; a shorter one never replaces a longer one.
    pub fn extend(&mut self, class: MethodClass, until: Timestamp) {
        let slot = match class {
            MethodClass::Write => &mut self.write,
            MethodClass::Read => &mut self.read,
            MethodClass::Resolve => &mut self.resolve,
        };
        *slot = Some(slot.map_or(until, |old| old.max(until)));
    }

    /// Without those that are among the forgotten ones: no later than these.
    #[must_use]
    pub fn without(&self, forgotten: &Self) -> Self {
        let left = |wait: Option<Timestamp>, forgotten: Option<Timestamp>| wait.filter(|wait| Some(*wait) > forgotten);
        Self {
            write: left(self.write, forgotten.write),
            read: left(self.read, forgotten.read),
            resolve: left(self.resolve, forgotten.resolve),
        }
    }

    /// The later of both, class by class.
    #[must_use]
    pub fn merged(mut self, other: &Self) -> Self {
        for (class, until) in
            [(MethodClass::Write, other.write), (MethodClass::Read, other.read), (MethodClass::Resolve, other.resolve)]
        {
            if let Some(until) = until {
                self.extend(class, until);
            }
        }
        self
    }
}

impl Counters {
    /// Adds what a chunk or a flood brought.
    pub fn add(&mut self, other: Self) {
        self.forwarded = self.forwarded.saturating_add(other.forwarded);
        self.floods = self.floods.saturating_add(other.floods);
        self.flood_wait_secs = self.flood_wait_secs.saturating_add(other.flood_wait_secs);
    }
}

impl Day {
    /// A day on which nothing happened yet.
    pub fn new(date: Date) -> Self {
        Self { date, charged: 0, counters: Counters::default() }
    }
}

impl Account {
    /// A new account.
    pub fn new(id: AccountId, phone_masked: String, now: Timestamp, today: Date) -> Self {
        Self {
            id,
            phone_masked,
            state: AccountState::Ready,
            reason: None,
            since: now,
            waits: Waits::default(),
            last_used: None,
            total: Counters::default(),
            today: Day::new(today),
            lease: None,
            lease_epoch: 0,
            let_go_for: None,
            closed_at: None,
            checked_at: None,
            joined_at: Vec::new(),
            waits_reset_at: None,
            waits_forgotten: Waits::default(),
            waits_reset_by: None,
        }
    }

    /// When it may join a chat again; `None`: now.
    pub fn may_join_at(&self, now: Timestamp) -> Option<Timestamp> {
        if mutated!(JoinsUncounted) {
            return None;
        }
        // A clock that was set back must not make joins of the future last for ever.
        let recent = self.joined_at.iter().filter(|at| now.duration_since(**at).abs() < JOINS_WITHIN);
        let recent: Vec<Timestamp> = recent.copied().collect();
        let oldest = recent.len().checked_sub(JOINS_MAX).and_then(|first| recent.get(first))?;
        oldest.saturating_add(JOINS_WITHIN).ok()
    }

    /// Notes that it joins a chat now. What is too old to count is forgotten.
    pub fn joins(&mut self, now: Timestamp) {
        self.joined_at.retain(|at| now.duration_since(*at).abs() < JOINS_WITHIN);
        self.joined_at.push(now);
    }

    /// Today's counters, begun anew when the day has turned.
    pub fn day_mut(&mut self, today: Date) -> &mut Day {
        if self.today.date != today {
            self.today = Day::new(today);
        }
        &mut self.today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_by_themselves_and_never_shrink() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut waits = Waits::default();
        waits.extend(MethodClass::Write, at(10));
        waits.extend(MethodClass::Write, at(5));
        assert_eq!(waits.until(MethodClass::Write, at(9)), Some(at(10)));
        assert_eq!(waits.until(MethodClass::Write, at(10)), None);
        assert_eq!(waits.until(MethodClass::Read, at(0)), None);
        let mut other = Waits::default();
        other.extend(MethodClass::Write, at(7));
        other.extend(MethodClass::Read, at(20));
        let merged = waits.merged(&other);
        assert_eq!((merged.write, merged.read, merged.resolve), (Some(at(10)), Some(at(20)), None));
    }

    #[test]
    fn an_account_joins_five_chats_an_hour() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut account = Account::new("a".into(), "+44…21".to_owned(), at(0), jiff::civil::date(1970, 1, 1));
        for second in [10, 20, 30, 40, 50] {
            assert_eq!(account.may_join_at(at(second)), None);
            account.joins(at(second));
        }
        assert_eq!(account.may_join_at(at(60)), Some(at(3610)));
        assert_eq!(account.may_join_at(at(3610)), None);
        account.joins(at(3610));
        assert_eq!((account.may_join_at(at(3611)), account.joined_at.len()), (Some(at(3620)), 5));
    }

    #[test]
    fn a_new_day_begins_at_nothing() {
        let date = jiff::civil::date(2024, 5, 1);
        let mut account = Account::new("a".into(), "+44…21".to_owned(), Timestamp::UNIX_EPOCH, date);
        account.day_mut(date).charged = 7;
        assert_eq!(account.day_mut(date).charged, 7);
        assert_eq!(*account.day_mut(date.tomorrow().unwrap()), Day::new(date.tomorrow().unwrap()));
    }
}
