//! A process that dies at every gap between two effects of a chunk, and its successor too: all points alone, and all pairs.
//!
//! An effect is a commit, a queue call, the opening of a connection, or a forward; each is either not applied, or applied and
//! its reply lost, or applied and its reply seen. The next life is one of the same host (which has the dead one's lock file) or
//! of another one (which waits for the dead one's silence). Nothing may be lost, doubled, out of order or torn.

use simulation::{KillPoint, Side, Stage};
use simulator::world::floods::FloodModel;
use simulator::world::generated::Mix;
use transfer::task::{Task, TaskState};

/// Fewer effects than this in the larger world mean that the test does not see them all.
const ALONE_MIN: u32 = 50;
/// The same in the small world: jobs received and deleted, leases, the intent, the connection, the call, the outcome.
const FIRST_MIN: u32 = 10;
/// The same for pairs.
const PAIRS_MIN: u32 = 200;

/// How the next process comes to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    /// The same place, with the dead one's lock file.
    SameHost,
    /// Another place, after the dead one's silence.
    OtherHost,
}

/// How large the world is.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// One chunk, one account.
    OneChunk,
    /// Several chunks, batches that end in the middle of things, a change of account by a flood wait.
    Several,
}

async fn stage(size: Size, repeat_answers_duplicate: bool) -> Stage {
    let (messages, accounts, batch_len) = match size {
        Size::OneChunk => (30, 1, 500),
        Size::Several => (480, 2, 130),
    };
    let stage = Stage::new(messages, Mix::default(), accounts).await;
    if let Size::Several = size {
        stage.world().floods.reset(FloodModel::fixed(150, 20, 1.0));
    }
    stage.world().quirks.repeat_answers_duplicate = repeat_answers_duplicate;
    stage.submit(Task { batch_len, ..stage.task("t") }).await;
    stage
}

impl Recovery {
    /// Starts the life after `deaths` deaths, and lets it run until it dies at the point or the task is over; tells
    /// whether it died.
    async fn live_until(self, stage: &mut Stage, point: &KillPoint, deaths: usize) -> bool {
        let handle = stage.start_host_with(self.host(deaths), self == Self::SameHost, |ports| point.arm(ports));
        tokio::select! {
            biased;
            () = point.reached() => {}
            _ = stage.until_settled("t") => {}
        }
        handle.kill().await;
        point.was_reached()
    }

    fn host(self, deaths: usize) -> &'static str {
        match self {
            Self::SameHost => "a",
            Self::OtherHost => ["a", "b", "c"][deaths],
        }
    }

    async fn finish_and_check(self, stage: &mut Stage, deaths: usize, what: &str) {
        let _host = stage.start_host(self.host(deaths), self == Self::SameHost);
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
}

/// How many effects a life has that nobody kills, until the task is over.
async fn effects_of(size: Size, recovery: Recovery, duplicate: bool) -> u32 {
    let mut stage = stage(size, duplicate).await;
    let never = KillPoint::never();
    assert!(!recovery.live_until(&mut stage, &never, 0).await);
    never.effects()
}

/// Dies once, at every effect of the larger world; tells how many there were.
async fn alone(recovery: Recovery, side: Side, duplicate: bool) -> u32 {
    let effects = effects_of(Size::Several, recovery, duplicate).await;
    for at in 1..=effects {
        let what = format!("effect {at} of {effects}, {side:?}, {recovery:?}, duplicate {duplicate}");
        let mut stage = stage(Size::Several, duplicate).await;
        assert!(recovery.live_until(&mut stage, &KillPoint::new(at, side), 0).await, "{what}: not met");
        recovery.finish_and_check(&mut stage, 1, &what).await;
    }
    effects
}

/// Dies at every effect of the small world, and again at every effect of the life that recovers, until that has nothing
/// more to do; tells how many first deaths and how many pairs there were.
async fn in_pairs(recovery: Recovery, first_side: Side, duplicate: bool) -> (u32, u32) {
    let effects = effects_of(Size::OneChunk, recovery, duplicate).await;
    let mut pairs = 0;
    for first in 1..=effects {
        for second_side in Side::ALL {
            for second in 1.. {
                let what = format!("{first} {first_side:?}, then {second} {second_side:?}, {recovery:?}");
                let mut stage = stage(Size::OneChunk, duplicate).await;
                assert!(
                    recovery.live_until(&mut stage, &KillPoint::new(first, first_side), 0).await,
                    "{what}: not met"
                );
                let died = recovery.live_until(&mut stage, &KillPoint::new(second, second_side), 1).await;
                recovery.finish_and_check(&mut stage, 2, &what).await;
                if !died {
                    break;
                }
                pairs += 1;
            }
        }
    }
    (effects, pairs)
}

macro_rules! deaths {
    ($($name:ident: $recovery:ident, $side:ident;)*) => {
        mod alone {
            use super::*;
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                for duplicate in [false, true] {
                    let effects = alone(Recovery::$recovery, Side::$side, duplicate).await;
                    println!("{}: {effects} points, each alone", stringify!($name));
                    assert!(effects >= ALONE_MIN, "only {effects} effects were met");
                }
            })*
        }

        mod in_pairs {
            use super::*;
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                for duplicate in [false, true] {
                    let (effects, pairs) = in_pairs(Recovery::$recovery, Side::$side, duplicate).await;
                    println!("{}: {effects} points, {pairs} pairs", stringify!($name));
                    assert!(effects >= FIRST_MIN && pairs >= PAIRS_MIN, "only {effects} effects, {pairs} pairs were met");
                }
            })*
        }
    };
}

deaths! {
    not_applied_recovered_by_the_same_host: SameHost, Before;
    reply_lost_recovered_by_the_same_host: SameHost, ReplyLost;
    reply_seen_recovered_by_the_same_host: SameHost, ReplySeen;
    not_applied_recovered_by_another_host: OtherHost, Before;
    reply_lost_recovered_by_another_host: OtherHost, ReplyLost;
    reply_seen_recovered_by_another_host: OtherHost, ReplySeen;
}
