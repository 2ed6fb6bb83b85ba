//! The states of a task, under any sequence of events.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use transfer::task::{TaskEvent, TaskState};

fn instant() -> impl Strategy<Value = Timestamp> {
    (0_i64..2_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn event() -> impl Strategy<Value = TaskEvent> {
    use TaskEvent as E;
    let reason = || ".{0,12}";
    prop_oneof![
        4 => Just(E::Claim),
        2 => Just(E::Yield),
        2 => (instant(), reason()).prop_map(|(until, reason)| E::Wait { until, reason }),
        1 => reason().prop_map(|reason| E::Pause { reason }),
        3 => Just(E::Resume),
        1 => reason().prop_map(|reason| E::Park { reason }),
        1 => reason().prop_map(|reason| E::Fail { reason }),
        1 => Just(E::Finish),
        1 => Just(E::Cancel),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_024) })]

    #[test]
    fn every_event_leads_somewhere_or_is_refused_and_changes_nothing(events in vec((event(), instant()), 0..30)) {
        let mut state = TaskState::Ready { since: Timestamp::UNIX_EPOCH };
        for (event, now) in events {
            let before = state.clone();
            match state.next(event.clone(), now) {
                Ok(after) => {
                    prop_assert!(!before.is_over(), "{before} was the end");
                    let started = matches!(before, TaskState::Running { .. });
                    // Only who works on a task can wait, park, fail, finish or yield.
                    let of_worker = matches!(
                        event,
                        TaskEvent::Yield | TaskEvent::Wait { .. } | TaskEvent::Park { .. } | TaskEvent::Fail { .. } | TaskEvent::Finish
                    );
                    prop_assert!(started || !of_worker, "{before} cannot {event}");
                    if let (TaskEvent::Wait { until, .. }, due) = (&event, after.due_at()) {
                        prop_assert_eq!(due, Some(*until));
                    }
                    state = after;
                }
                Err(error) => {
                    prop_assert_eq!((&error.state, &error.event), (&before, &event));
                    let told = error.to_string();
                    prop_assert!(told.contains(before.word()) && told.contains(&event.to_string()), "{told}");
                }
            }
            // Due is what a host may claim; what is not over can always be cancelled; the table keeps all of it.
            prop_assert_eq!(state.due_at().is_some(), state.next(TaskEvent::Claim, now).is_ok());
            prop_assert_eq!(state.is_over(), state.next(TaskEvent::Cancel, now).is_err());
            let stored = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(&serde_json::from_str::<TaskState>(&stored).unwrap(), &state);
        }
    }
}
