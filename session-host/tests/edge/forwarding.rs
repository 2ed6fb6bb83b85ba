//! Forwards: exactly once by random id, floods at once, differences.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use session_host::telegram::{CallError, Connection, Peer};
use simulator::world::faults::Fault;
use simulator::world::floods::Script;
use simulator::world::generated::Mix;
use transfer::ids::{MessageId, RandomId};
use transfer::refusal::Meaning;

use crate::rig::{ANN, BEN, Rig, forward, named, world};

async fn both(connection: &dyn Connection) -> (Peer, Peer) {
    (named(connection, "source").await, named(connection, "target").await)
}

fn ids(range: std::ops::RangeInclusive<i32>) -> Vec<MessageId> {
    range.map(MessageId).collect()
}

#[tokio::test]
async fn a_hundred_go_in_one_call_and_a_repeat_changes_nothing() {
    let rig = Rig::with(world(Mix::text_only())).await;
    let ann = rig.open(ANN).await;
    let (source, target) = both(&*ann).await;
    let call = forward(&source, &target, &ids(1..=100));
    let first = ann.forward(&call).await.unwrap();
    let random_ids: Vec<RandomId> = first.new_ids.iter().map(|(random_id, _)| *random_id).collect();
    assert_eq!(random_ids, call.random_ids);
    assert!(first.new_ids.is_sorted_by_key(|(_, id)| *id) && first.pts.is_some());
    assert_eq!(rig.delivered(), 100);
    match ann.forward(&call).await {
        Ok(again) => {
            let set = |forwarded: &session_host::telegram::Forwarded| {
                forwarded.new_ids.iter().copied().collect::<HashSet<_>>()
            };
            assert_eq!(set(&again), set(&first));
        }
        Err(CallError::Refused(refusal)) => assert_eq!(refusal.meaning(), Meaning::RandomIdDuplicate),
        Err(error) => panic!("{error}"),
    }
    assert_eq!(rig.delivered(), 100);
    let copies = ann.history(&target, MessageId(0), 100).await.unwrap();
    let posts: Vec<_> =
        copies.iter().map(|copy| copy.origin.as_ref().and_then(|origin| origin.post).unwrap()).collect();
    assert_eq!(posts, call.ids);
}

#[tokio::test]
async fn ids_that_were_not_forwarded_have_no_new_id() {
    let rig = Rig::with(world(Mix::text_only())).await;
    let ann = rig.open(ANN).await;
    let (source, target) = both(&*ann).await;
    rig.fault("messages.forwardMessages", Fault::MissingIds { count: 3 });
    let done = ann.forward(&forward(&source, &target, &ids(1..=20))).await.unwrap();
    assert_eq!((done.new_ids.len(), rig.delivered()), (17, 17));
}

#[tokio::test]
async fn a_flood_wait_surfaces_at_once_with_its_seconds() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let (source, target) = both(&*ann).await;
    for (code, message, meaning) in [
        (420, "FLOOD_WAIT_31", Meaning::FloodWait { secs: 31 }),
        (420, "FLOOD_WAIT_2", Meaning::FloodWait { secs: 2 }),
        (420, "SLOWMODE_WAIT_17", Meaning::SlowMode { secs: 17 }),
        (400, "PEER_FLOOD", Meaning::PeerFlood),
        (400, "CHAT_FORWARDS_RESTRICTED", Meaning::SourceProtected),
        (303, "USER_MIGRATE_4", Meaning::Migrate { dc: 4 }),
        (500, "RANDOM_ID_DUPLICATE", Meaning::RandomIdDuplicate),
    ] {
        let method = Some("messages.forwardMessages".to_owned());
        let script = Script { account: None, method, times: 1, after: 0, code, message: message.to_owned() };
        rig.simulator.with_world(|world| world.floods.script(script));
        let started = Instant::now();
        let refused = ann.forward(&forward(&source, &target, &ids(1..=2))).await;
        let Err(CallError::Refused(refusal)) = refused else { panic!("{message}: {refused:?}") };
        assert_eq!((refusal.meaning(), refusal.text()), (meaning, message));
        assert!(started.elapsed() < Duration::from_millis(1500), "{message} was slept through");
    }
    assert_eq!(rig.delivered(), 0);
}

#[tokio::test]
async fn a_difference_tells_what_became_of_own_random_ids() {
    let rig = Rig::with(world(Mix::text_only())).await;
    let ann = rig.open(ANN).await;
    let (source, target) = both(&*ann).await;
    let before = ann.newest(&target, None).await.unwrap().pts;
    let call = forward(&source, &target, &ids(1..=100));
    let done = ann.forward(&call).await.unwrap();
    let more = ann.forward(&forward(&source, &target, &ids(101..=150))).await.unwrap();
    let difference = ann.difference(&target, before).await.unwrap();
    assert!(difference.complete && difference.deleted.is_empty(), "{difference:?}");
    assert_eq!(Some(difference.pts), more.pts);
    let told: HashSet<_> = difference.new_ids.into_iter().collect();
    assert!(done.new_ids.iter().chain(&more.new_ids).all(|new| told.contains(new)));
    let nothing = ann.difference(&target, difference.pts).await.unwrap();
    assert!(nothing.complete && nothing.new_ids.is_empty());
}

#[tokio::test]
async fn reading_and_forwarding_overlap_on_one_connection() {
    let rig = Rig::with(world(Mix::text_only())).await;
    let ben = rig.open(BEN).await;
    let (source, target) = both(&*ben).await;
    for start in [1, 101, 201] {
        let call = forward(&source, &target, &ids(start..=start + 99));
        let (forwarded, page) = tokio::join!(ben.forward(&call), ben.history(&source, MessageId(start), 100));
        assert_eq!((forwarded.unwrap().new_ids.len(), page.unwrap().len()), (100, 100));
    }
    assert_eq!(rig.delivered(), 300);
}
