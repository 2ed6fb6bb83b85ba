//! The line in which this host's tasks wait for accounts.
//!
//! A task that finds every account it could use in other hands gets a place. A freed account goes to the task that has
//! stood for it longest: nobody overtakes, so with more tasks than accounts none starves. A task that gives its permit up
//! while it waits keeps its number, but only those who stand there hold others up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use transfer::ids::{AccountId, TaskId};

/// A number that nobody used for so long is forgotten: its task went on elsewhere.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Who waits for which accounts. Clones are the same line.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    given_out: u64,
    by_task: BTreeMap<TaskId, Place>,
}

struct Place {
    number: u64,
    accounts: BTreeSet<AccountId>,
    /// Whether its task stands here now.
    present: bool,
    seen: Duration,
}

/// A task stands in the line for as long as this lives.
pub(crate) struct Standing {
    line: Line,
    task: TaskId,
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Some(place) = self.line.places().by_task.get_mut(&self.task) {
            place.present = false;
        }
    }
}

impl Line {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands in the line for these accounts, under the number that the task has, or a new one.
    pub(crate) fn stand(&self, task: &TaskId, accounts: BTreeSet<AccountId>, uptime: Duration) -> Standing {
        let mut places = self.places();
        places.by_task.retain(|_, place| uptime.saturating_sub(place.seen) < REMEMBERED);
        let number = places.by_task.get(task).map(|place| place.number);
        let number = number.unwrap_or_else(|| {
            places.given_out += 1;
            places.given_out
        });
        places.by_task.insert(task.clone(), Place { number, accounts, present: true, seen: uptime });
        Standing { line: self.clone(), task: task.clone() }
    }

    /// The task got what it stood for, or needs it no more: the next time it gets a new number.
    pub(crate) fn leave(&self, task: &TaskId) {
        self.places().by_task.remove(task);
    }

    /// The accounts for which others stand before this task.
    pub(crate) fn before(&self, task: &TaskId) -> BTreeSet<AccountId> {
        let places = self.places();
        let number = places.by_task.get(task).map_or(u64::MAX, |place| place.number);
        let earlier = places.by_task.values().filter(|place| place.present && place.number < number);
        earlier.flat_map(|place| place.accounts.iter().cloned()).collect()
    }

    /// Whether the task is the next for one of the accounts it stands for.
    pub(crate) fn is_first(&self, task: &TaskId) -> bool {
        let before = self.before(task);
        self.places().by_task.get(task).is_some_and(|place| place.accounts.iter().any(|id| !before.contains(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(ids: &[&str]) -> BTreeSet<AccountId> {
        ids.iter().map(|id| AccountId::from(*id)).collect()
    }

    #[test]
    fn nobody_overtakes_and_a_number_is_kept_through_an_absence() {
        let line = Line::default();
        let (first, second, new) = (TaskId::from("first"), TaskId::from("second"), TaskId::from("new"));
        let standing = line.stand(&first, accounts(&["a"]), Duration::ZERO);
        let _second = line.stand(&second, accounts(&["a", "b"]), Duration::ZERO);
        assert_eq!(line.before(&first), accounts(&[]));
        assert_eq!(line.before(&second), accounts(&["a"]));
        assert_eq!(line.before(&new), accounts(&["a", "b"]));
        assert!(line.is_first(&first) && line.is_first(&second), "each is the next for something");
        drop(standing);
        assert_eq!(line.before(&second), accounts(&[]), "who does not stand there holds nobody up");
        let _standing = line.stand(&first, accounts(&["a"]), Duration::from_secs(60));
        assert_eq!(line.before(&second), accounts(&["a"]), "and has its old place again");
        line.leave(&first);
        let _standing = line.stand(&first, accounts(&["a"]), Duration::from_secs(60));
        assert_eq!(line.before(&first), accounts(&["a", "b"]), "who had its turn begins at the end");
        assert!(!line.is_first(&first));
    }

    #[test]
    fn a_number_that_nobody_used_for_a_day_is_forgotten() {
        let line = Line::default();
        let (gone, other) = (TaskId::from("gone"), TaskId::from("other"));
        drop(line.stand(&gone, accounts(&["a"]), Duration::ZERO));
        let _other = line.stand(&other, accounts(&["a"]), REMEMBERED);
        let _gone = line.stand(&gone, accounts(&["a"]), REMEMBERED);
        assert_eq!(line.before(&gone), accounts(&["a"]));
    }
}
