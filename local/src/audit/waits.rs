//! Calls during a wait: which of them the caller could have known of.
//!
//! A host that is killed after it received a wait, and before it could write it down, takes the knowledge with it; its
//! next life may call once more. That one call is exempt, once per wait. Everything else is a broken promise.

use std::collections::BTreeMap;

use super::Call;

/// A host that lives this long after an answer was written has committed what it says: a commit takes some
/// milliseconds, on a busy machine some tenths of a second.
const COMMIT_MS_MAX: i64 = 500;

/// What a process had sent before it was killed reaches the server up to so much later: it belongs to the world by then.
const UNDER_WAY_MS_MAX: i64 = 100;

/// Calls during waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Early {
    /// The caller knew of the wait.
    pub known: u64,
    /// The caller's memory had been killed.
    pub blind: u64,
}

/// The last wait that an account was given.
#[derive(Debug, Clone, Copy)]
struct Given {
    at_ms: i64,
    session: i64,
    ended_ms: Option<i64>,
    exempted: bool,
}

/// Judges the calls, in the order in which the server saw them.
pub fn judge(calls: &[Call], kills_at_ms: &[i64]) -> Early {
    let mut early = Early::default();
    let mut given: BTreeMap<i64, Given> = BTreeMap::new();
    for call in calls {
        if call.during_wait {
            let last = given.get_mut(&call.account);
            match last.filter(|last| !last.exempted && was_lost(last, call, kills_at_ms)) {
                Some(last) => {
                    last.exempted = true;
                    early.blind += 1;
                }
                None => {
                    early.known += 1;
                    tracing::error!(?call, given = ?given.get(&call.account), "a call during a wait that was known");
                }
            }
        }
        if call.wait_until_ms.is_some() {
            // The answer to an early call is heard too: whoever hears it knows.
            let ended_ms = call.ended_ms;
            let (at_ms, session) = (call.at_ms, call.session);
            given.insert(call.account, Given { at_ms, session, ended_ms, exempted: false });
        }
    }
    early
}

/// The receiver was killed before it could commit the wait, and before the call.
fn was_lost(given: &Given, call: &Call, kills_at_ms: &[i64]) -> bool {
    // Whoever goes on in the session that heard of the wait is alive, whoever else was killed.
    if given.session != 0 && given.session == call.session {
        return false;
    }
    let heard_ms = given.ended_ms.unwrap_or(given.at_ms).max(given.at_ms);
    let window = given.at_ms - UNDER_WAY_MS_MAX..=heard_ms + COMMIT_MS_MAX;
    kills_at_ms.iter().any(|kill| window.contains(kill) && *kill <= call.at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An account is told at 1,000 (heard at 1,020) to wait until 31,000, and calls again at these times.
    fn calls(early: &[i64]) -> Vec<Call> {
        let told = |at_ms: i64, during_wait| Call {
            account: 1,
            session: 0,
            at_ms,
            ended_ms: Some(at_ms + 20),
            forward: true,
            applied: 0,
            wait_until_ms: Some(at_ms + 30_000),
            during_wait,
        };
        std::iter::once(told(1_000, false)).chain(early.iter().map(|at_ms| told(*at_ms, true))).collect()
    }

    fn judged(early: &[i64], kills: &[i64]) -> (u64, u64) {
        let Early { known, blind } = judge(&calls(early), kills);
        (known, blind)
    }

    #[test]
    fn without_a_kill_every_early_call_is_a_broken_promise() {
        assert_eq!(judged(&[2_000, 3_000], &[]), (2, 0));
        assert_eq!(judged(&[], &[1_010]), (0, 0));
    }

    #[test]
    fn one_call_is_exempt_if_the_receiver_was_killed_before_it_could_commit() {
        assert_eq!(judged(&[2_000], &[1_010]), (0, 1), "killed while the answer was under way");
        assert_eq!(judged(&[2_000], &[1_100]), (0, 1), "killed before the commit");
        assert_eq!(judged(&[2_000], &[1_900]), (1, 0), "it had all the time to commit");
        assert_eq!(judged(&[2_000], &[910]), (0, 1), "killed while the call was under way to the server");
        assert_eq!(judged(&[2_000], &[890]), (1, 0), "killed before it can have called");
        assert_eq!(judged(&[2_000], &[2_001]), (1, 0), "killed after it called");
    }

    #[test]
    fn the_exemption_holds_once_per_wait() {
        assert_eq!(judged(&[2_000, 4_000], &[1_010]), (1, 1), "the second life heard the wait itself");
        assert_eq!(judged(&[2_000, 4_000], &[1_010, 2_010]), (0, 2), "and was killed as well");
    }

    #[test]
    fn a_kill_excuses_nobody_who_goes_on_in_the_same_session() {
        let in_sessions = |first, second| {
            let mut calls = calls(&[2_000]);
            (calls[0].session, calls[1].session) = (first, second);
            judge(&calls, &[1_010])
        };
        assert_eq!(in_sessions(7, 7), Early { known: 1, blind: 0 }, "another host was killed");
        assert_eq!(in_sessions(7, 8), Early { known: 0, blind: 1 });
    }

    #[test]
    fn waits_of_others_excuse_nobody() {
        let mut calls = calls(&[2_000]);
        calls[1].account = 2;
        assert_eq!(judge(&calls, &[1_010]), Early { known: 1, blind: 0 });
    }
}
