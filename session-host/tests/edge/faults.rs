//! What a call may meet, and that nothing of it is taken for an answer.

use std::time::{Duration, Instant};

use session_host::telegram::{CallError, Connection, Telegram};
use simulator::world::WireCommand;
use simulator::world::faults::Fault;
use transfer::ids::MessageId;

use crate::rig::{ANN, BEN, Rig, forward, named};

const FORWARD: &str = "messages.forwardMessages";

async fn forward_five(connection: &dyn Connection) -> Result<usize, CallError> {
    let (source, target) = (named(connection, "source").await, named(connection, "target").await);
    let page = connection.history(&source, MessageId(0), 100).await.unwrap();
    let content = page.iter().filter(|message| matches!(message.body, transfer::message::Body::Content(_)));
    let ids: Vec<MessageId> =
        content.filter(|message| message.album.is_none()).map(|message| message.id).take(5).collect();
    connection.forward(&forward(&source, &target, &ids)).await.map(|done| done.new_ids.len())
}

/// After this error the call may have been applied, the connection is useless, and a new one repeats the call.
async fn uncertain_then_repeated(fault: Fault, applied: usize) {
    let rig = Rig::new().await.patience(Duration::from_secs(10), Duration::from_millis(700));
    let telegram = rig.telegram();
    let account = rig.session(ANN).await;
    let ann = telegram.open(&account).await.unwrap();
    rig.fault(FORWARD, fault);
    let answer = forward_five(&*ann).await;
    assert!(matches!(answer, Err(CallError::Uncertain(_))), "{fault:?}: {answer:?}");
    ann.close().await;
    assert_eq!(rig.delivered(), applied, "{fault:?}");
    let ann = telegram.open(&account).await.unwrap();
    match forward_five(&*ann).await {
        Ok(count) => assert_eq!(count, 5),
        // Telegram's other answer to a repeat.
        Err(CallError::Refused(refusal)) => assert_eq!(refusal.text(), "RANDOM_ID_DUPLICATE"),
        Err(error) => panic!("{fault:?}: {error}"),
    }
    assert_eq!(rig.delivered(), 5, "{fault:?}");
    ann.close().await;
}

#[tokio::test]
async fn a_connection_cut_before_the_call_was_applied_is_uncertain() {
    uncertain_then_repeated(Fault::CutBefore, 0).await;
}

#[tokio::test]
async fn a_connection_cut_after_the_call_was_applied_is_uncertain() {
    uncertain_then_repeated(Fault::CutAfter, 5).await;
}

#[tokio::test]
async fn a_500_after_the_call_was_applied_is_uncertain() {
    uncertain_then_repeated(Fault::InternalAfter, 5).await;
}

#[tokio::test]
async fn another_kind_of_updates_is_uncertain() {
    uncertain_then_repeated(Fault::OtherUpdates, 5).await;
}

#[tokio::test]
async fn an_unknown_constructor_in_the_answer_is_uncertain_and_kills_nothing() {
    uncertain_then_repeated(Fault::UnknownConstructor, 5).await;
}

#[tokio::test]
async fn silence_times_out_and_close_ends_the_connection() {
    for (fault, applied) in [(Fault::Stall, 5), (Fault::StallBefore, 0)] {
        uncertain_then_repeated(fault, applied).await;
    }
}

#[tokio::test]
async fn a_transport_error_is_uncertain() {
    uncertain_then_repeated(Fault::TransportError { code: 429 }, 0).await;
}

#[tokio::test]
async fn nothing_goes_out_after_an_uncertain_answer_or_close() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    rig.fault(FORWARD, Fault::CutAfter);
    assert!(forward_five(&*ann).await.is_err());
    // grammers would connect again here.
    let source = rig.open(BEN).await;
    let peer = named(&*source, "source").await;
    let after = ann.history(&peer, MessageId(0), 1).await;
    assert!(matches!(after, Err(CallError::Uncertain(_))), "{after:?}");
    ann.close().await;
    let closed = ann.history(&peer, MessageId(0), 1).await;
    assert!(matches!(closed, Err(CallError::Uncertain(_))), "{closed:?}");
}

#[tokio::test]
async fn a_kicked_connection_stays_down() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let peer = named(&*ann, "source").await;
    rig.simulator.command(WireCommand::Kick { auth_key: None });
    let mut answers = Vec::new();
    // The kick may come before or after the first call is sent; none may succeed after one failed.
    for _ in 0..5 {
        answers.push(ann.history(&peer, MessageId(0), 1).await.is_ok());
    }
    assert!(answers.is_sorted_by(|a, b| a >= b) && !answers[4], "{answers:?}");
}

#[tokio::test]
async fn closing_while_a_call_hangs_is_quick_and_ends_the_call() {
    let rig = Rig::new().await;
    let ann: std::sync::Arc<dyn Connection> = rig.open(ANN).await.into();
    let peer = named(&*ann, "source").await;
    rig.fault("messages.getHistory", Fault::Stall);
    let hanging = {
        let ann = std::sync::Arc::clone(&ann);
        async move { ann.history(&peer, MessageId(0), 1).await }
    };
    let started = Instant::now();
    let (answer, ()) = tokio::join!(hanging, async {
        // The call is in the simulator's audit as soon as it was received.
        while !rig.simulator.with_world(|world| format!("{:?}", world.audit).contains("messages.getHistory")) {
            tokio::task::yield_now().await;
        }
        ann.close().await;
    });
    assert!(matches!(answer, Err(CallError::Uncertain(_))), "{answer:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "close waited for the silent server");
}

#[tokio::test]
async fn salts_may_rotate_under_an_open_connection() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let peer = named(&*ann, "source").await;
    rig.simulator.command(WireCommand::RotateSalts);
    assert_eq!(ann.history(&peer, MessageId(0), 3).await.unwrap().len(), 3);
}
