use super::*;
use crate::world::faults::{Fault, FaultScript, ReplyShape, WireFault};
use crate::world::floods::{FloodModel, Script};
use crate::world::user::AccountState;
use std::time::Duration;

fn fault(world: &mut World, fault: Fault) {
    let method = Some("messages.forwardMessages".to_owned());
    world.faults.scripts.push(FaultScript { account: None, method, times: 1, after: 0, fault });
}

#[test]
fn a_flood_refuses_without_effect_and_the_audit_sees_early_calls() {
    let mut world = world(&texts(10));
    world.floods.model = FloodModel::fixed(5, 30, 1.0);
    world.call_forward(&BEN, &request(&[1, 2, 3])).result.unwrap();
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[4, 5, 6]))), "FLOOD_WAIT_30");
    assert_eq!(in_target(&world).len(), 3);
    world.call_history(&BEN, SOURCE, Default::default()).result.unwrap();
    assert_eq!(world.audit.during_wait().count(), 0, "reading is another class");
    world.clock.advance(Duration::from_secs(29));
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[4, 5, 6]))), "FLOOD_WAIT_30");
    let early = world.audit.entries().last().unwrap();
    assert_eq!(early.during_wait, Some(1_000));
    world.call_forward(&ADA, &request(&[4])).result.unwrap();
    world.clock.advance(Duration::from_secs(30));
    world.call_forward(&BEN, &request(&[4, 5, 6])).result.unwrap();
    assert_eq!(world.audit.during_wait().count(), 1);
}

#[test]
fn a_repeat_meets_the_flood_before_or_after_its_random_ids() {
    for before in [true, false] {
        let mut world = world(&texts(3));
        world.quirks.flood_check_before_duplicates = before;
        world.floods.model = FloodModel::fixed(3, 30, 1.0);
        world.call_forward(&BEN, &request(&[1, 2, 3])).result.unwrap();
        let again = world.call_forward(&BEN, &request(&[1, 2, 3])).result;
        assert_eq!(again.is_err(), before);
    }
}

#[test]
fn faults_before_do_not_apply_and_faults_after_do() {
    let cases = [
        (Fault::CutBefore, WireFault::CutBefore, 0),
        (Fault::StallBefore, WireFault::StallBefore, 0),
        (Fault::TransportError { code: -404 }, WireFault::TransportError(-404), 0),
        (Fault::CutAfter, WireFault::CutAfter, 2),
        (Fault::Stall, WireFault::Stall, 2),
        (Fault::InternalAfter, WireFault::InternalAfter, 2),
        (Fault::Delay { millis: 5 }, WireFault::Delay(Duration::from_millis(5)), 2),
    ];
    for (what, wire, made) in cases {
        let mut world = world(&texts(2));
        fault(&mut world, what);
        let done = world.call_forward(&BEN, &request(&[1, 2]));
        assert_eq!((done.wire, in_target(&world).len()), (wire, made));
        assert_eq!(world.audit.entries()[0].was_applied(), made > 0);
        assert_eq!(world.call_forward(&BEN, &request(&[1, 2])).result.unwrap().ids.len(), 2);
        assert_eq!(in_target(&world).len(), 2, "{what:?}: exactly once with a repeat");
    }
}

#[test]
fn ids_can_go_missing_and_replies_can_be_odd() {
    let mut world = world(&texts(10));
    fault(&mut world, Fault::MissingIds { count: 2 });
    assert_eq!(world.call_forward(&BEN, &request(&[1, 2, 3, 4, 5])).result.unwrap().ids.len(), 3);
    assert_eq!(in_target(&world).len(), 3);
    fault(&mut world, Fault::UnknownConstructor);
    let done = world.call_forward(&BEN, &request(&[6]));
    assert_eq!((done.shape, done.result.is_ok()), (ReplyShape::UnknownConstructor, true));
}

#[test]
fn the_state_of_an_account_answers_for_it() {
    let mut world = world(&texts(1));
    let cases = [
        (AccountState::Frozen, "FROZEN_METHOD_INVALID", true),
        (AccountState::PeerFlood, "PEER_FLOOD", true),
        (AccountState::Banned, "USER_DEACTIVATED_BAN", false),
        (AccountState::Revoked, "SESSION_REVOKED", false),
        (AccountState::Unregistered, "AUTH_KEY_UNREGISTERED", false),
        (AccountState::KeyDuplicated, "AUTH_KEY_DUPLICATED", false),
    ];
    for (state, name, reads) in cases {
        world.users.get_mut(&UserId(2)).unwrap().state = state;
        assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), name);
        assert_eq!(world.call_me(&BEN).result.is_ok(), reads);
    }
}

#[test]
fn scripted_answers_arm_waits_and_pass_the_world_by() {
    let mut world = world(&texts(2));
    world.floods.script(Script {
        account: None,
        method: Some("messages.forwardMessages".into()),
        times: 1,
        after: 0,
        code: 420,
        message: "FLOOD_PREMIUM_WAIT_12".into(),
    });
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "FLOOD_PREMIUM_WAIT_12");
    let until = world.audit.entries()[0].wait_until.unwrap();
    assert_eq!(until.since(world.now()), 12_000);
    assert!(in_target(&world).is_empty());
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let run = || {
        let mut world = world(&[photo(5, ""), photo(5, ""), photo(6, ""), photo(6, "")]);
        world.floods.model = FloodModel::reported(1.0);
        for n in 1..=60 {
            let randoms = (0..4).map(|k| n * 10 + k).collect();
            let _refused =
                world.call_forward(&BEN, &ForwardRequest { random_ids: randoms, ..request(&[1, 2, 3, 4]) }).result;
        }
        let outcomes: Vec<String> =
            world.audit.entries().iter().map(crate::world::audit::Entry::outcome_text).collect();
        (in_target(&world), outcomes)
    };
    assert_eq!(run(), run());
}
