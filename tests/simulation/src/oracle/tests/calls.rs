//! Connections, calls, waits and leases.

use simulator::world::audit::{Entry, Outcome};
use simulator::world::floods::Script;
use simulator::world::{SessionId, UserId};
use transfer::account::MethodClass;
use transfer::table::Item;

use super::story::{ANN, Story, TARGET, lease, pass, process};
use crate::oracle::{Invariant, lock};
use crate::telegram::Witness;

/// The next forward of Ann is answered with a wait of a minute.
fn flood(story: &Story) {
    lock(&story.world).floods.script(Script {
        account: Some(UserId(ANN)),
        method: None,
        times: 1,
        after: 0,
        code: 420,
        message: "FLOOD_WAIT_60".into(),
    });
}

#[tokio::test(start_paused = true)]
async fn a_call_during_a_wait_that_was_heard() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1]).await;
    flood(&story);
    let told = story.forward(&ann, &story.request(&[1]));
    story.oracle.heard(&story.host, told);
    pass(10).await;
    let early = story.forward(&ann, &story.request(&[1]));
    story.assert_whole();
    story.oracle.heard(&story.host, early);
    assert_eq!(story.broken(), [Invariant::Wait]);
    assert_eq!(story.oracle.coverage().of("answers to a First", "flood wait"), 1);
    assert_eq!(story.oracle.latest_wait(), story.clock.now() + jiff::SignedDuration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_nobody_heard_exempts_the_repeat() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1]).await;
    flood(&story);
    story.forward(&ann, &story.request(&[1]));
    let blind = story.forward(&ann, &story.request(&[1]));
    // The connection of the first was closed before; here only the wait is of interest.
    story.oracle.heard(&story.host, blind);
    assert!(!story.broken().contains(&Invariant::Wait));
    assert_eq!(story.oracle.coverage().of("other", "calls in a wait nobody knew"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_died_with_who_heard_it_exempts_and_one_that_was_committed_does_not() {
    for committed in [false, true] {
        let mut story = Story::begun().await;
        let ann = story.open(ANN);
        story.intend(ANN, &[1]).await;
        flood(&story);
        let told = story.forward(&ann, &story.request(&[1]));
        story.oracle.heard(&story.host, told);
        if committed {
            let until = story.clock.now() + jiff::SignedDuration::from_secs(60);
            story.accounts[0].waits.extend(MethodClass::Write, until);
            story.put(vec![Item::Account(story.accounts[0].clone())]).await;
        }
        story.host.kill();
        story.oracle.died(&story.host);
        story.oracle.closed(ann.session);
        let next = process("a", "a-2", &story.clock);
        story.renew_as(&next).await;
        story.task.lease = Some(lease(&next));
        story.put_by(&next, vec![Item::Task(Box::new(story.task.clone()))]).await;
        let ann = story.open_by(&next, ANN);
        let repeat = story.forward_by(&next, &ann, &story.request(&[1]));
        story.oracle.heard(&next, repeat);
        assert_eq!(story.broken(), if committed { vec![Invariant::Wait] } else { Vec::new() });
        assert_eq!(story.oracle.coverage().of("answers to a Repeat", "flood wait"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_connection() {
    let mut story = Story::begun().await;
    let first = story.open(ANN);
    story.oracle.closed(first.session);
    story.open(ANN);
    story.assert_whole();
    story.open(ANN);
    assert_eq!(story.broken(), [Invariant::OneConnection]);
}

fn read(seq: u64, session: SessionId) -> Entry {
    Entry {
        seq,
        at: simulator::time::SimTime(0),
        account: Some(UserId(ANN)),
        auth_key: simulator::world::AuthKeyId(ANN),
        session,
        method: "messages.getHistory",
        target: None,
        source: None,
        count: 0,
        applied: 0,
        repeat: false,
        outcome: Outcome::Ok,
        during_wait: None,
        wait_until: None,
        ended: None,
    }
}

#[tokio::test(start_paused = true)]
async fn two_calls_of_one_class_at_a_time() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.oracle.called(&story.host, &read(1000, ann.session));
    story.oracle.heard(&story.host, 1000);
    story.oracle.called(&story.host, &read(1001, ann.session));
    story.assert_whole();
    story.oracle.called(&story.host, &read(1002, ann.session));
    assert_eq!(story.broken(), [Invariant::OneCallPerClass]);
}

#[tokio::test(start_paused = true)]
async fn a_forward_without_an_intent() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.forward(&ann, &story.request(&[1]));
    assert_eq!(story.broken(), [Invariant::IntentFirst]);
}

#[tokio::test(start_paused = true)]
async fn a_forward_after_its_intent_was_closed() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1], 1, &[]).await;
    // It may have been long on its way; one that is heard was not.
    let late = story.forward(&ann, &story.request(&[1]));
    story.assert_whole();
    story.oracle.heard(&story.host, late);
    assert_eq!(story.broken(), [Invariant::IntentFirst]);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_with_other_flags_or_other_ids() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1, 2]).await;
    let first = story.request(&[1, 2]);
    let told = story.forward(&ann, &first);
    story.oracle.heard(&story.host, told);
    let mut silent = first.clone();
    silent.silent = true;
    let told = story.forward(&ann, &silent);
    story.oracle.heard(&story.host, told);
    story.assert_broken(Invariant::ByteIdentical);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_with_fresh_random_ids() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1, 2]).await;
    let mut fresh = story.request(&[1, 2]);
    fresh.random_ids = vec![5, 6];
    story.forward(&ann, &fresh);
    assert_eq!(story.broken(), [Invariant::ByteIdentical]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_from_a_host_that_lives() {
    for (secs, broken) in [(50, vec![Invariant::LeaseFence]), (101, Vec::new())] {
        let mut story = Story::begun().await;
        pass(secs).await;
        let thief = process("b", "b-1", &story.clock);
        story.renew_as(&thief).await;
        story.task.lease = Some(lease(&thief));
        story.put_by(&thief, vec![Item::Task(Box::new(story.task.clone()))]).await;
        assert_eq!(story.broken(), broken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_forward_long_after_the_last_renewal() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1]).await;
    pass(30).await;
    let late = story.forward(&ann, &story.request(&[1]));
    story.oracle.heard(&story.host, late);
    assert_eq!(story.broken(), [Invariant::LeaseFence]);
}

#[tokio::test(start_paused = true)]
async fn a_forward_by_who_has_no_lease() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1]).await;
    let other = process("b", "b-1", &story.clock);
    story.renew_as(&other).await;
    let stolen = story.forward_by(&other, &ann, &story.request(&[1]));
    story.oracle.heard(&other, stolen);
    assert_eq!(story.broken(), [Invariant::LeaseFence]);
}

#[tokio::test(start_paused = true)]
async fn the_sixth_join_within_an_hour() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    let join = |story: &Story| {
        let done = lock(&story.world).call_join(&ann, TARGET);
        story.tell(&story.host, done.audit);
        story.oracle.heard(&story.host, done.audit);
    };
    for _ in 0..5 {
        join(&story);
        pass(10).await;
    }
    pass(3_555).await;
    join(&story);
    story.assert_whole();
    join(&story);
    assert_eq!(story.broken(), [Invariant::Joins]);
}
