//! The waits of one account as this process knows them: committed, or received and perhaps not committed yet.
//!
//! What was heard is never forgotten, with one exception: the admin resets an account's waits. The mark of that stands in
//! the account beside the waits themselves and those that were forgotten, so a reading holds all or nothing. No clocks are
//! compared: a wait that is not among the forgotten ones stays.

use jiff::Timestamp;
use transfer::account::{Account, MethodClass, Waits};

/// What was heard of one account.
#[derive(Debug, Default)]
pub(super) struct Heard {
    waits: Waits,
    /// The last reset that was heard of.
    reset_at: Option<Timestamp>,
}

impl Heard {
    /// Notes a wait that was received just now.
    pub(super) fn receive(&mut self, class: MethodClass, until: Timestamp) {
        self.waits.extend(class, until);
    }

    /// Notes what is committed, as it was read.
    pub(super) fn read(&mut self, account: &Account) {
        self.waits = self.with(account);
    }

    /// The account's waits, with those that were received here.
    pub(super) fn with(&mut self, account: &Account) -> Waits {
        if account.waits_reset_at < self.reset_at {
            // An old reading: its waits were reset since.
            return self.waits;
        }
        if account.waits_reset_at > self.reset_at {
            self.reset_at = account.waits_reset_at;
            self.waits = self.waits.without(&account.waits_forgotten);
        }
        account.waits.merged(&self.waits)
    }

    /// Until when this class may not call; `None` when it may at `now`.
    pub(super) fn until(&self, class: MethodClass, now: Timestamp) -> Option<Timestamp> {
        self.waits.until(class, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: MethodClass = MethodClass::Write;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn forgotten(wait: i64, at_second: i64) -> Account {
        let mut account = account(None, Some(at_second));
        account.waits_forgotten.write = Some(at(wait));
        account
    }

    fn account(wait: Option<i64>, reset: Option<i64>) -> Account {
        let mut account = Account::new("1".into(), String::new(), at(0), jiff::civil::date(1970, 1, 1));
        account.waits.write = wait.map(at);
        account.waits_reset_at = reset.map(at);
        account
    }

    #[test]
    fn what_was_received_outlives_a_reading_that_does_not_know_it() {
        let mut heard = Heard::default();
        heard.receive(CLASS, at(100));
        heard.read(&account(None, None));
        heard.read(&account(Some(50), None));
        assert_eq!(heard.until(CLASS, at(20)), Some(at(100)));
        assert_eq!(heard.with(&account(Some(200), None)).write, Some(at(200)));
    }

    #[test]
    fn a_reset_forgets_what_came_before_it_and_nothing_after() {
        let mut heard = Heard::default();
        heard.receive(CLASS, at(100));
        heard.read(&forgotten(100, 15));
        assert_eq!(heard.until(CLASS, at(20)), None);
        // A reading from before the reset comes late.
        heard.read(&account(Some(100), None));
        assert_eq!(heard.until(CLASS, at(20)), None);
        heard.receive(CLASS, at(300));
        heard.read(&forgotten(300, 15));
        assert_eq!(heard.until(CLASS, at(22)), Some(at(300)), "the same reset counts once");
        heard.read(&forgotten(100, 20));
        assert_eq!(heard.until(CLASS, at(22)), Some(at(300)), "it was not among the forgotten ones");
        heard.read(&forgotten(300, 30));
        assert_eq!(heard.until(CLASS, at(31)), None);
    }

    #[test]
    fn what_others_committed_after_a_reset_counts() {
        let mut heard = Heard::default();
        heard.receive(CLASS, at(100));
        assert_eq!(heard.with(&account(Some(400), Some(15))).write, Some(at(400)));
    }
}
