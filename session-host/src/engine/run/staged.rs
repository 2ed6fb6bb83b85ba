//! What a chunk changes of its account, until it is committed.

use jiff::Timestamp;
use jiff::civil::Date;
use transfer::account::{Account, AccountState, Counters, MethodClass};

/// Changes to an account that go into the next commit. Kept apart from the account, so that they can be applied again
/// when somebody else wrote the account in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountDelta {
    /// Messages charged to today's budget, or given back.
    pub(super) charged: i64,
    /// What it did.
    pub(super) counters: Counters,
    /// Waits it was given.
    pub(super) waits: Vec<(MethodClass, Timestamp)>,
    /// The state that Telegram put it in, and Telegram's word.
    pub(super) state: Option<(AccountState, String)>,
    /// A chunk was given to it then.
    pub(super) used_at: Option<Timestamp>,
    /// Its connection was closed then with a call uncertain.
    pub(super) closed_at: Option<Timestamp>,
}

impl AccountDelta {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The account with the changes.
    pub(super) fn applied_to(&self, account: &Account, now: Timestamp, today: Date) -> Account {
        let mut account = account.clone();
        let day = account.day_mut(today);
        let charged = i64::from(day.charged) + self.charged;
        day.charged = u32::try_from(charged.max(0)).unwrap_or(u32::MAX);
        day.counters.add(self.counters);
        account.total.add(self.counters);
        for (class, until) in &self.waits {
            account.waits.extend(*class, *until);
        }
        if let Some((state, reason)) = &self.state {
            account.state = *state;
            account.reason = Some(reason.clone());
            account.since = now;
        }
        account.last_used = self.used_at.or(account.last_used);
        account.closed_at = self.closed_at.or(account.closed_at);
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::ids::AccountId;

    #[test]
    fn what_was_charged_yesterday_is_not_given_back_today() {
        let now = Timestamp::UNIX_EPOCH;
        let (monday, tuesday) = (jiff::civil::date(2026, 1, 5), jiff::civil::date(2026, 1, 6));
        let account = Account::new(AccountId::from("1"), "+1".into(), now, monday);
        let charge = AccountDelta { charged: 100, ..AccountDelta::default() };
        let account = charge.applied_to(&account, now, monday);
        assert_eq!(account.today.charged, 100);
        let refund = AccountDelta { charged: -100, ..AccountDelta::default() };
        assert_eq!(refund.applied_to(&account, now, tuesday).today.charged, 0);
    }
}
