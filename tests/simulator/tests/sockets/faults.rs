//! What the wire does to a call on purpose, and that the audit knows when each ended.

use crate::client::address;
use crate::raw::{MSGS_ACK, RPC_RESULT, Raw, Silence, ping};
use crate::{ALICE, start};
use grammers_client::tl::{Serializable, enums, functions};
use simulator::server::Simulator;
use simulator::wire::switchboard::Settings;
use simulator::world::faults::{Fault, FaultScript};
use std::time::{Duration, Instant};

fn get_me() -> Vec<u8> {
    functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] }.to_bytes()
}

/// Alice's next `users.getUsers` goes wrong like this.
async fn alice_with(fault: Fault) -> (Simulator, Raw) {
    let simulator = start(Settings::default()).await;
    let method = Some("users.getUsers".to_owned());
    let script = FaultScript { account: None, method, times: 1, after: 0, fault };
    simulator.with_world(|world| world.faults.scripts.push(script));
    let key = simulator.mint_session(ALICE).unwrap();
    let mut raw = Raw::open(address(&simulator, 2), key, 5).await;
    raw.call(&get_me()).await;
    (simulator, raw)
}

/// Outcome of the last call in the audit, once it has ended.
async fn ended(simulator: &Simulator) -> String {
    let started = Instant::now();
    loop {
        let last = simulator.with_world(|world| world.audit.entries().last().unwrap().clone());
        if last.ended.is_some() {
            return last.outcome_text();
        }
        assert!(started.elapsed() < crate::raw::PATIENCE, "the call never ended: {last:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cut_connection_ends_without_an_answer() {
    for (fault, outcome) in [(Fault::CutBefore, "cut_before"), (Fault::CutAfter, "cut_after")] {
        let (simulator, mut raw) = alice_with(fault).await;
        loop {
            match raw.hear_any().await {
                Ok(heard) => assert_ne!(heard.constructor, RPC_RESULT),
                Err(silence) => break assert_eq!(silence, Silence::Closed),
            }
        }
        assert_eq!(ended(&simulator).await, outcome);
    }
}

#[tokio::test]
async fn a_delayed_answer_is_acknowledged_at_once_and_comes_later() {
    let before = Instant::now();
    let (simulator, mut raw) = alice_with(Fault::Delay { millis: 300 }).await;
    raw.hear(MSGS_ACK).await;
    // others are served meanwhile
    raw.call(&functions::help::GetConfig {}.to_bytes()).await;
    let config = raw.hear(RPC_RESULT).await;
    assert_eq!(config.i64_at(0), raw.last_id);
    let late = raw.hear(RPC_RESULT).await;
    assert!(late.i64_at(0) < raw.last_id && before.elapsed() >= Duration::from_millis(300));
    assert_eq!(ended(&simulator).await, "ok");
}

#[tokio::test]
async fn a_stalled_connection_stays_open_and_silent() {
    let (simulator, mut raw) = alice_with(Fault::Stall).await;
    raw.hear(crate::raw::NEW_SESSION).await;
    raw.send(&ping(1)).await;
    let heard = tokio::time::timeout(Duration::from_millis(300), raw.hear_any()).await;
    assert!(heard.is_err(), "{heard:?}");
    let open = simulator.with_world(|world| world.audit.entries().last().unwrap().ended);
    assert_eq!(open, None);
    drop(raw);
    assert_eq!(ended(&simulator).await, "stall");
}

#[tokio::test]
async fn a_transport_error_is_told_and_ends_the_connection() {
    let (_simulator, mut raw) = alice_with(Fault::TransportError { code: -429 }).await;
    assert_eq!(raw.hear_end().await, Silence::TransportError(-429));
}
