//! A process that dies at every single effect of a transfer, on either side of it, and at pairs of them.
//!
//! An effect is a commit, a queue call, the opening of a connection, or a forward. The world is small, so that every gap of
//! several chunks, of a batch's end and of a change of account is met.

use std::time::Duration;

use simulation::{KillPoint, Side, Stage};
use simulator::world::floods::FloodModel;
use simulator::world::generated::Mix;
use transfer::task::{Task, TaskState};

/// How the next process comes to act.
#[derive(Debug, Clone, Copy)]
enum Recovery {
    /// The same place, with the dead one's lock file.
    SameHost,
    /// Another place, after the dead one's silence.
    OtherHost,
}

async fn small_stage(repeat_answers_duplicate: bool) -> Stage {
    let stage = Stage::new(480, Mix::default(), 2).await;
    stage.world().floods.reset(FloodModel::fixed(150, 20, 1.0));
    stage.world().quirks.repeat_answers_duplicate = repeat_answers_duplicate;
    // Batches end in the middle of things.
    stage.submit(Task { batch_len: 130, ..stage.task("t") }).await;
    stage
}

/// Lets a host run until it dies at the point or the task is over; tells whether it died.
async fn live_until(stage: &mut Stage, point: &KillPoint, host: &str, exclusive: bool) -> bool {
    let handle = stage.start_host_with(host, exclusive, |ports| point.arm(ports));
    tokio::select! {
        () = point.reached() => {}
        _ = stage.until_settled("t") => {}
    }
    handle.kill().await;
    point.was_reached()
}

async fn finish_and_check(stage: &mut Stage, recovery: Recovery, what: &str) {
    let _host = match recovery {
        Recovery::SameHost => stage.start_host("a", true),
        Recovery::OtherHost => stage.start_host("b", false),
    };
    let begun = stage.clock.now();
    let task = stage.until_settled("t").await;
    assert!(matches!(task.state, TaskState::Done { .. }), "{what}: {:?}", task.state);
    stage.assert_exactly_once();
    let counts = task.checkpoint.counts;
    assert_eq!(counts.delivered, stage.delivered().len() as u64, "{what}: {counts:?}");
    // A wait that died with its receiver may be called into once; nothing else may.
    let early = stage.world().audit.during_wait().count() as u64;
    assert!(early <= counts.blind_repeats, "{what}: {early} calls during waits, {counts:?}");
    let took = stage.clock.now().duration_since(begun);
    assert!(took < jiff::SignedDuration::from_mins(12), "{what}: recovery took {took}");
}

#[tokio::test(start_paused = true)]
async fn death_at_every_effect_loses_and_repeats_nothing() {
    for recovery in [Recovery::SameHost, Recovery::OtherHost] {
        for side in [Side::Before, Side::After] {
            for duplicate in [false, true] {
                let mut at = 1;
                loop {
                    let mut stage = small_stage(duplicate).await;
                    let point = KillPoint::new(at, side);
                    if !live_until(&mut stage, &point, "a", matches!(recovery, Recovery::SameHost)).await {
                        break;
                    }
                    finish_and_check(&mut stage, recovery, &format!("effect {at}, {side:?}, {recovery:?}")).await;
                    at += 1;
                }
                assert!(at > 25, "only {at} effects were met");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_death_during_recovery_loses_and_repeats_nothing() {
    for side in [Side::Before, Side::After] {
        for first in 1..60 {
            for second in (1..24).step_by(3) {
                let mut stage = small_stage(first % 2 == 0).await;
                let point = KillPoint::new(first, Side::After);
                if !live_until(&mut stage, &point, "a", true).await {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(u64::from(second))).await;
                live_until(&mut stage, &KillPoint::new(second, side), "a", true).await;
                let what = format!("effects {first} and {second}, {side:?}");
                finish_and_check(&mut stage, Recovery::SameHost, &what).await;
            }
        }
    }
}
