//! Where an account stands, for people: what it is doing or why it does not, since when, and the way back.
//!
//! One word per account. What keeps it out for longest is named first: an account that leaves is not shown as cooling, one
//! that Telegram signed out is not shown as disabled. What ends by itself says when.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{AccountState, Member, MethodClass};

/// Where an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In one word.
    pub is: Is,
    /// Telegram's word for it, where there is one.
    pub reason: Option<String>,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// Until when, where it ends by itself.
    pub until: Option<Timestamp>,
    /// What brings it back.
    pub way_back: WayBack,
}

/// What an account does, or what keeps it from doing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Is {
    /// It may be chosen.
    Ready,
    /// A host works with it.
    InUse,
    /// It waits, because Telegram said so.
    Cooling,
    /// Its daily budget is used up.
    Resting,
    /// Its session was ended.
    SignedOut,
    /// Its session was used twice at once.
    SessionDead,
    /// Telegram froze it.
    Frozen,
    /// `PEER_FLOOD`.
    Quarantined,
    /// Telegram banned or deleted it.
    Banned,
    /// The admin disabled it.
    Disabled,
    /// It is on its way out of the pool.
    Leaving,
}

/// What brings an account back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WayBack {
    /// It works.
    Nothing,
    /// Time alone: the wait ends, or a day begins.
    Time,
    /// Log in again: label, priority and statistics stay.
    LogInAgain,
    /// Appeal to Telegram in its app; then reset it.
    Appeal,
    /// Let it rest, then reset it.
    Reset,
    /// Enable it.
    Enable,
    /// Nothing does: put another account in its place, or add it again.
    Replace,
}

/// Where an account stands. `today` is the date in the admin's zone, `midnight` when that ends.
pub fn standing(member: &Member, now: Timestamp, today: Date, midnight: Timestamp) -> Standing {
    let account = &member.account;
    let plain = |is, way_back| Standing { is, reason: None, since: None, until: None, way_back };
    if let Some(leaving) = &member.profile.leaving {
        return Standing { since: Some(leaving.since), ..plain(Is::Leaving, WayBack::Replace) };
    }
    let lost = match account.state {
        AccountState::Ready => None,
        AccountState::SignedOut => Some((Is::SignedOut, WayBack::LogInAgain)),
        AccountState::SessionDead => Some((Is::SessionDead, WayBack::LogInAgain)),
        AccountState::Frozen => Some((Is::Frozen, WayBack::Appeal)),
        AccountState::Quarantined => Some((Is::Quarantined, WayBack::Reset)),
        AccountState::Banned => Some((Is::Banned, WayBack::Replace)),
    };
    if let Some((is, way_back)) = lost {
        return Standing { reason: account.reason.clone(), since: Some(account.since), ..plain(is, way_back) };
    }
    if !member.profile.enabled {
        return plain(Is::Disabled, WayBack::Enable);
    }
    // Whoever may not read cannot carry either; a wait for resolving stops nobody who knows his chats.
    let waits = [MethodClass::Write, MethodClass::Read].map(|class| account.waits.until(class, now));
    let cooling = waits.into_iter().flatten().max();
    let spent = member.budget_left(today) == Some(0);
    match (cooling, spent) {
        (Some(until), true) if until > midnight => Standing { until: Some(until), ..plain(Is::Cooling, WayBack::Time) },
        (_, true) => Standing { until: Some(midnight), ..plain(Is::Resting, WayBack::Time) },
        (Some(until), false) => Standing { until: Some(until), ..plain(Is::Cooling, WayBack::Time) },
        (None, false) if account.lease.is_some() => plain(Is::InUse, WayBack::Nothing),
        (None, false) => plain(Is::Ready, WayBack::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::account::{Account, Day, Leaving, Profile};
    use crate::lease::Lease;

    const TODAY: Date = date(1970, 1, 1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn member(change: impl FnOnce(&mut Member)) -> Standing {
        let account = Account::new("7".into(), "+44…21".to_owned(), at(1), TODAY);
        let profile = Profile {
            id: "7".into(),
            label: "Seven".to_owned(),
            priority: 0,
            group: None,
            enabled: true,
            daily_budget: Some(10),
            leaving: None,
        };
        let mut member = Member { account, profile };
        change(&mut member);
        standing(&member, at(100), TODAY, at(86_400))
    }

    #[test]
    fn every_state_says_what_it_is_and_how_it_ends() {
        let is = |standing: &Standing| (standing.is, standing.until, standing.way_back);
        assert_eq!(is(&member(|_| ())), (Is::Ready, None, WayBack::Nothing));
        let lease = Lease { host: "h".into(), incarnation: "i".into() };
        let used = member(|member| member.account.lease = Some(lease));
        assert_eq!(is(&used), (Is::InUse, None, WayBack::Nothing));
        let cooling = member(|member| member.account.waits.extend(MethodClass::Write, at(130)));
        assert_eq!(is(&cooling), (Is::Cooling, Some(at(130)), WayBack::Time));
        let over = member(|member| member.account.waits.extend(MethodClass::Write, at(100)));
        assert_eq!(over.is, Is::Ready, "a wait that is over is over");
        let resolving = member(|member| member.account.waits.extend(MethodClass::Resolve, at(999)));
        assert_eq!(resolving.is, Is::Ready);
        let spent = |member: &mut Member| member.account.today = Day { charged: 10, ..member.account.today };
        assert_eq!(is(&member(spent)), (Is::Resting, Some(at(86_400)), WayBack::Time));
        let disabled = member(|member| member.profile.enabled = false);
        assert_eq!(is(&disabled), (Is::Disabled, None, WayBack::Enable));
    }

    #[test]
    fn what_telegram_took_has_its_word_and_its_time() {
        let rows = [
            (AccountState::SignedOut, Is::SignedOut, WayBack::LogInAgain),
            (AccountState::SessionDead, Is::SessionDead, WayBack::LogInAgain),
            (AccountState::Frozen, Is::Frozen, WayBack::Appeal),
            (AccountState::Quarantined, Is::Quarantined, WayBack::Reset),
            (AccountState::Banned, Is::Banned, WayBack::Replace),
        ];
        for (state, is, way_back) in rows {
            let found = member(|member| {
                member.account.state = state;
                member.account.reason = Some("WORD".to_owned());
                member.account.since = at(50);
                member.profile.enabled = false;
            });
            let reason = Some("WORD".to_owned());
            assert_eq!(found, Standing { is, reason, since: Some(at(50)), until: None, way_back }, "{state:?}");
        }
    }

    #[test]
    fn what_lasts_longest_is_named() {
        let leaving = Some(Leaving { since: at(7), told: None, seq: 1 });
        let found = member(|member| {
            member.profile.leaving = leaving;
            member.account.state = AccountState::SignedOut;
        });
        assert_eq!((found.is, found.since), (Is::Leaving, Some(at(7))));
        let spent_and_cooling = |until| {
            member(move |member| {
                member.account.today.charged = 10;
                member.account.waits.extend(MethodClass::Read, at(until));
            })
        };
        assert_eq!((spent_and_cooling(200).is, spent_and_cooling(200).until), (Is::Resting, Some(at(86_400))));
        assert_eq!((spent_and_cooling(99_999).is, spent_and_cooling(99_999).until), (Is::Cooling, Some(at(99_999))));
    }
}
