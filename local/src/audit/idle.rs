//! How much of the time was lost without need.
//!
//! Avoidable is the time in which no forward was in flight though a capable account was out of its wait and the pace
//! allowed a call. The clock runs from the first call to the end of the last forward.

use jiff::Timestamp;
use transfer::pace::PaceState;

use super::Evidence;

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Idle {
    /// From the first call to the end of the last forward.
    pub elapsed_ms: i64,
    /// Lost without need.
    pub avoidable_ms: i64,
}

/// What keeps a forward from being needed or possible, while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    InFlight,
    Pace,
    /// This account (by its place in the list) may not call.
    Barred(usize),
}

/// Measures the evidence.
pub fn measure(evidence: &Evidence) -> Idle {
    let forwards = || evidence.calls.iter().filter(|call| call.forward);
    let start_ms = evidence.calls.iter().map(|call| call.at_ms).min();
    let end_ms = forwards().map(|call| call.ended_ms.unwrap_or(call.at_ms)).max();
    let (Some(start_ms), Some(end_ms)) = (start_ms, end_ms) else { return Idle::default() };
    // Each span is a pair of edges; between two edges nothing changes.
    let mut edges: Vec<(i64, i32, Reason)> = Vec::new();
    for (from_ms, until_ms, reason) in spans(evidence, end_ms) {
        let (from_ms, until_ms) = (from_ms.clamp(start_ms, end_ms), until_ms.clamp(start_ms, end_ms));
        if from_ms < until_ms {
            edges.extend([(from_ms, 1, reason), (until_ms, -1, reason)]);
        }
    }
    edges.sort_unstable_by_key(|(at_ms, ..)| *at_ms);
    let (mut in_flight, mut pace) = (0, 0);
    let mut barred = vec![0_i32; evidence.accounts.len()];
    let mut avoidable_ms = 0;
    let mut now_ms = start_ms;
    for (at_ms, step, reason) in edges.into_iter().chain([(end_ms, 0, Reason::Pace)]) {
        let somebody_could = barred.contains(&0);
        if in_flight == 0 && pace == 0 && somebody_could {
            avoidable_ms += at_ms - now_ms;
        }
        now_ms = at_ms;
        match reason {
            Reason::InFlight => in_flight += step,
            Reason::Pace => pace += step,
            Reason::Barred(n) => barred[n] += step,
        }
    }
    Idle { elapsed_ms: end_ms - start_ms, avoidable_ms }
}

/// All spans in which something speaks against another forward.
fn spans(evidence: &Evidence, end_ms: i64) -> Vec<(i64, i64, Reason)> {
    let mut spans = Vec::new();
    let mut paced = PaceState::default();
    let mut carried = vec![0_u64; evidence.accounts.len()];
    for call in evidence.calls.iter().filter(|call| call.forward) {
        let ended_ms = call.ended_ms.unwrap_or(end_ms);
        spans.push((call.at_ms, ended_ms, Reason::InFlight));
        let place = evidence.accounts.iter().position(|account| *account == call.account);
        if let (Some(n), Some(until_ms)) = (place, call.wait_until_ms) {
            spans.push((call.at_ms, until_ms, Reason::Barred(n)));
        }
        if let (Some(n), Some(budget)) = (place, evidence.daily_budget) {
            let before = carried[n];
            carried[n] += u64::from(call.applied);
            if before < u64::from(budget) && carried[n] >= u64::from(budget) {
                spans.push((ended_ms, end_ms, Reason::Barred(n)));
            }
        }
        if let (Some(pace), Ok(at), true) = (&evidence.pace, Timestamp::from_millisecond(ended_ms), call.applied > 0) {
            paced = pace.after(&paced, call.applied, at);
            if let Some(next_at) = paced.next_at {
                spans.push((ended_ms, next_at.as_millisecond(), Reason::Pace));
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Call, judge};
    use transfer::pace::Pace;

    fn forward(account: i64, from_ms: i64, until_ms: i64) -> Call {
        let ended_ms = Some(until_ms);
        Call { account, at_ms: from_ms, ended_ms, forward: true, applied: 100, ..Call::default() }
    }

    fn flooded(account: i64, at_ms: i64, wait_until_ms: i64) -> Call {
        Call { applied: 0, wait_until_ms: Some(wait_until_ms), ..forward(account, at_ms, at_ms + 5) }
    }

    fn evidence(accounts: &[i64], calls: Vec<Call>) -> Evidence {
        Evidence { accounts: accounts.to_vec(), calls, ..Evidence::default() }
    }

    #[test]
    fn a_busy_scheduler_scores_one() {
        let calls = (0..100).map(|n| forward(1, n * 10, n * 10 + 10)).collect();
        let idle = measure(&evidence(&[1], calls));
        assert_eq!(idle, Idle { elapsed_ms: 1_000, avoidable_ms: 0 });
    }

    #[test]
    fn a_scheduler_that_sleeps_through_floods_scores_badly() {
        // Account 1 is told to wait 30 s; account 2 could go on, and nobody asks it.
        let calls = vec![forward(1, 0, 10_000), flooded(1, 10_000, 40_000), forward(1, 40_000, 50_000)];
        let slept = evidence(&[1, 2], calls.clone());
        assert!(judge(&slept).efficiency < 0.8, "{}", judge(&slept).efficiency);
        // With one account there was nothing else to do.
        assert!(judge(&evidence(&[1], calls)).efficiency > 0.99);
        // And one that goes on with the other is as good as can be.
        let rotated = vec![
            forward(1, 0, 10_000),
            flooded(1, 10_000, 40_000),
            forward(2, 10_005, 40_000),
            forward(1, 40_000, 50_000),
        ];
        assert!(judge(&evidence(&[1, 2], rotated)).efficiency > 0.99);
    }

    #[test]
    fn oversleeping_a_wait_is_avoidable_and_the_wait_is_not() {
        let calls = vec![forward(1, 0, 1_000), flooded(1, 1_000, 11_000), forward(1, 13_000, 14_000)];
        assert_eq!(measure(&evidence(&[1], calls)), Idle { elapsed_ms: 14_000, avoidable_ms: 2_000 });
    }

    #[test]
    fn what_the_pace_asks_for_is_not_idle() {
        let rate = Pace { forward_rate_ms: 10, pause_after_files: 0, long_pause_after_files: 0, ..Pace::default() };
        let calls = vec![forward(1, 0, 100), forward(1, 1_500, 1_600)];
        let without = evidence(&[1], calls);
        assert_eq!(measure(&without).avoidable_ms, 1_400);
        assert_eq!(measure(&Evidence { pace: Some(rate), ..without }).avoidable_ms, 400);
    }

    #[test]
    fn a_spent_budget_is_not_idle() {
        let calls = vec![forward(1, 0, 100), forward(2, 600, 700)];
        let without = evidence(&[1], calls);
        assert_eq!(measure(&without).avoidable_ms, 500);
        assert_eq!(measure(&Evidence { daily_budget: Some(100), ..without }).avoidable_ms, 0);
    }
}
