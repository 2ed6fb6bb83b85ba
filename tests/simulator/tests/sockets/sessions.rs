//! The session layer: salts, ids, acknowledgements, re-sending, pings, keys that nobody knows or two use.

use crate::client::{address, connect, exchange, run};
use crate::raw::{
    BAD_MSG, BAD_SALT, MSGS_ACK, NEW_SESSION, PONG, RPC_RESULT, Raw, Silence, container, ping, ping_delay_disconnect,
};
use crate::{ALICE, start};
use grammers_client::tl::{Serializable, enums, functions, types};
use simulator::server::Simulator;
use simulator::wire::switchboard::Settings;
use simulator::world::WireCommand;
use std::time::Duration;

fn get_me() -> Vec<u8> {
    functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] }.to_bytes()
}

fn ack(ids: &[i64]) -> Vec<u8> {
    enums::MsgsAck::Ack(types::MsgsAck { msg_ids: ids.to_vec() }).to_bytes()
}

async fn alice(simulator: &Simulator, session: i64) -> (Raw, [u8; 256]) {
    let key = simulator.mint_session(ALICE).unwrap();
    (Raw::open(address(simulator, 2), key, session).await, key)
}

#[tokio::test]
async fn a_first_message_opens_a_session_and_every_answer_names_its_call() {
    let simulator = start(Settings::default()).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    let call = raw.call(&get_me()).await;
    let created = raw.hear(NEW_SESSION).await;
    assert_eq!((created.i64_at(0), created.i64_at(16)), (call, raw.salt));
    assert_eq!(created.id % 4, 3);
    let result = raw.hear(RPC_RESULT).await;
    assert_eq!((result.i64_at(0), result.id % 4, result.seq_no % 2), (call, 1, 1));
    assert!(result.id > created.id && result.seq_no > created.seq_no);
}

#[tokio::test]
async fn containers_and_packed_messages_are_taken() {
    let simulator = start(Settings::default()).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &get_me()).unwrap();
    let packed = [0x3072_cfa1_u32.to_bytes(), packed.finish().unwrap().to_bytes()].concat();
    let (first, second) = (raw.next_id(), raw.next_id());
    let (one, three) = (raw.next_seq_no(), raw.next_seq_no());
    raw.send(&container(&[(first, one, get_me()), (second, three, packed)])).await;
    let answered = [raw.hear(RPC_RESULT).await.i64_at(0), raw.hear(RPC_RESULT).await.i64_at(0)];
    assert_eq!(answered, [first, second]);
}

#[tokio::test]
async fn long_answers_are_packed_when_asked_for() {
    let simulator = start(Settings { gzip_len_min: 16, ..Settings::default() }).await;
    let key = simulator.mint_session(ALICE).unwrap();
    let mut raw = Raw::open(address(&simulator, 2), key, 5).await;
    raw.call(&get_me()).await;
    assert_eq!(raw.hear(RPC_RESULT).await.i32_at(8).cast_unsigned(), 0x3072_cfa1);
    let me = run(&simulator, 2, key).client.get_me().await.unwrap();
    assert_eq!(me.first_name(), Some("Alice"));
}

#[tokio::test]
async fn bad_ids_and_numbers_are_named() {
    let simulator = start(Settings::default()).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    let hour = 3600_i64 << 32;
    let now = raw.next_id();
    let calls = [(now - hour, 1, 16), (now + hour, 1, 17), (now + 1, 1, 18), (now, 2, 35)];
    for (id, seq_no, code) in calls {
        raw.send_as(id, seq_no, &get_me()).await;
        let bad = raw.hear(BAD_MSG).await;
        assert_eq!((bad.i64_at(0), bad.i32_at(8), bad.i32_at(12)), (id, seq_no, code));
    }
    raw.send_as(now, 7, &get_me()).await;
    raw.hear(RPC_RESULT).await;
    raw.send_as(now + 4, 5, &get_me()).await;
    assert_eq!(raw.hear(BAD_MSG).await.i32_at(12), 32);
    raw.send_as(now - 4, 9, &get_me()).await;
    assert_eq!(raw.hear(BAD_MSG).await.i32_at(12), 33);
    raw.send_as(now + 8, 9, &ack(&[])).await;
    raw.send_as(now + 12, 11, &get_me()).await;
    assert_eq!(raw.hear(RPC_RESULT).await.i64_at(0), now + 12, "an acknowledgement may be numbered as content");
}

#[tokio::test]
async fn a_repeated_message_is_handled_once() {
    let simulator = start(Settings::default()).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    let call = raw.call(&get_me()).await;
    let first = raw.hear(RPC_RESULT).await;
    let audit_len = simulator.with_world(|world| world.audit.entries().len());
    raw.send_as(call, 1, &get_me()).await;
    assert_eq!(raw.hear(RPC_RESULT).await, first);
    raw.send(&ack(&[first.id])).await;
    raw.send_as(call, 1, &get_me()).await;
    assert_eq!(raw.hear(MSGS_ACK).await.i64_at(8), call);
    assert_eq!(simulator.with_world(|world| world.audit.entries().len()), audit_len);
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let simulator = start(Settings { resend_after: Duration::from_millis(40), ..Settings::default() }).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    raw.call(&get_me()).await;
    let created = raw.hear(NEW_SESSION).await;
    let first = raw.hear(RPC_RESULT).await;
    assert_eq!(raw.hear(RPC_RESULT).await, first);
    raw.send(&ack(&[created.id, first.id])).await;
    // after the acknowledgement nothing comes again: a later ping is the next thing heard
    raw.send(&ping(77)).await;
    raw.hear(PONG).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    raw.send(&ping(78)).await;
    assert_eq!(raw.hear_any().await.unwrap().constructor, PONG);
}

#[tokio::test]
async fn what_was_lost_with_a_connection_comes_on_the_next() {
    let simulator = start(Settings::default()).await;
    let (mut raw, key) = alice(&simulator, 5).await;
    raw.call(&get_me()).await;
    let lost = raw.hear(RPC_RESULT).await;
    let (salt, last_id) = (raw.salt, raw.last_id);
    drop(raw);
    let mut again = Raw::connect(address(&simulator, 2), key, 5).await;
    (again.salt, again.last_id) = (salt, last_id);
    again.next_seq_no();
    // the server may learn of the end of the old connection after the first packet of the new one
    loop {
        again.send(&ping(1)).await;
        let heard = again.hear_any().await.unwrap();
        if heard == lost {
            break;
        }
    }
}

#[tokio::test]
async fn rotated_salts_are_refused_and_clients_follow() {
    let simulator = start(Settings::default()).await;
    let (mut raw, key) = alice(&simulator, 5).await;
    let running = run(&simulator, 2, key);
    running.client.get_me().await.unwrap();
    simulator.command(WireCommand::RotateSalts);
    raw.send(&ping(2)).await;
    let bad = raw.hear(BAD_SALT).await;
    assert_ne!(bad.i64_at(16), raw.salt);
    assert_eq!(running.client.get_me().await.unwrap().first_name(), Some("Alice"));
}

#[tokio::test]
async fn an_old_salt_may_be_taken_for_a_while() {
    let simulator = start(Settings { old_salt_grace: Duration::from_secs(60), ..Settings::default() }).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    simulator.command(WireCommand::RotateSalts);
    raw.send(&ping(2)).await;
    raw.hear(PONG).await;
}

#[tokio::test]
async fn a_ping_that_is_not_renewed_closes_the_connection() {
    let simulator = start(Settings::default()).await;
    let (mut raw, _) = alice(&simulator, 5).await;
    let before = std::time::Instant::now();
    raw.send(&ping_delay_disconnect(1, 1)).await;
    raw.hear(PONG).await;
    raw.send(&ping(2)).await;
    assert_eq!(raw.hear_end().await, Silence::Closed);
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn service_requests_are_answered() {
    let simulator = start(Settings::default()).await;
    let (mut raw, key) = alice(&simulator, 5).await;
    let mut other = Raw::open(address(&simulator, 2), key, 6).await;
    other.send(&ping(1)).await;
    other.hear(PONG).await;

    let salts = raw.send(&functions::GetFutureSalts { num: 3 }.to_bytes()).await;
    let heard = raw.hear(0xae50_0895).await;
    assert_eq!((heard.i64_at(0), heard.i32_at(12)), (salts, 3));
    let (since, salt) = (heard.i32_at(16), heard.i64_at(24));
    assert!(since <= heard.i32_at(8));
    assert_eq!(salt, raw.salt);

    let states = enums::MsgsStateReq::Req(types::MsgsStateReq { msg_ids: vec![salts, raw.last_id + (9 << 32), 1] });
    raw.send(&states.to_bytes()).await;
    assert_eq!(raw.hear(0x04de_b57d).await.rest[8..12], [3, 4, 3, 2]);

    raw.send(&functions::DestroySession { session_id: 6 }.to_bytes()).await;
    assert_eq!(raw.hear(0xe220_45fc).await.i64_at(0), 6);
    raw.send(&functions::DestroySession { session_id: 6 }.to_bytes()).await;
    assert_eq!(raw.hear(0x62d3_50c9).await.i64_at(0), 6);

    let call = raw.call(&get_me()).await;
    let result = raw.hear(RPC_RESULT).await;
    let drop = raw.call(&functions::RpcDropAnswer { req_msg_id: call }.to_bytes()).await;
    let dropped = raw.hear(RPC_RESULT).await;
    assert_eq!(
        (dropped.i64_at(0), dropped.i32_at(8).cast_unsigned(), dropped.i64_at(12)),
        (drop, 0xa43a_d8b7, result.id)
    );

    raw.send(&functions::DestroyAuthKey {}.to_bytes()).await;
    raw.hear(0xf660_e1d4).await;
    raw.send(&ping(3)).await;
    assert_eq!(raw.hear_end().await, Silence::TransportError(-404));
}

#[tokio::test]
async fn keys_are_known_in_their_own_data_centre_only() {
    let simulator = start(Settings::default()).await;
    let key = exchange(address(&simulator, 2), simulator.rsa()).await.unwrap();
    let mut raw = Raw::connect(address(&simulator, 3), key, 1).await;
    raw.send(&ping(1)).await;
    assert_eq!(raw.hear_end().await, Silence::TransportError(-404));
    Raw::open(address(&simulator, 2), key, 1).await;
}

#[tokio::test]
async fn two_sessions_of_a_key_on_two_connections_kill_it_where_that_is_watched() {
    let simulator = start(Settings { auth_key_duplicated: true, ..Settings::default() }).await;
    let (mut first, key) = alice(&simulator, 5).await;
    first.call(&get_me()).await;
    first.hear(RPC_RESULT).await;
    let mut second = Raw::connect(address(&simulator, 2), key, 6).await;
    second.salt = first.salt;
    second.call(&get_me()).await;
    for raw in [&mut second, &mut first] {
        raw.call(&get_me()).await;
        let refused = raw.hear(RPC_RESULT).await;
        assert_eq!((refused.i32_at(8).cast_unsigned(), refused.i32_at(12)), (0x2144_ca19, 406));
    }
    let mut later = Raw::connect(address(&simulator, 2), key, 7).await;
    later.send(&ping(1)).await;
    assert_eq!(later.hear_end().await, Silence::TransportError(-404));
    let noted = simulator
        .with_world(|world| world.audit.entries().iter().filter(|entry| entry.method == "AUTH_KEY_DUPLICATED").count());
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn a_new_session_after_the_old_connection_is_no_duplicate() {
    let simulator = start(Settings { auth_key_duplicated: true, ..Settings::default() }).await;
    let key = simulator.mint_session(ALICE).unwrap();
    for session in 1..30 {
        let mut raw = Raw::open(address(&simulator, 2), key, session).await;
        raw.call(&get_me()).await;
        assert_eq!(raw.hear(RPC_RESULT).await.i32_at(8).cast_unsigned(), 0x1cb5_c415);
    }
}

#[tokio::test]
async fn grammers_reconnects_after_it_was_kicked() {
    let simulator = start(Settings::default()).await;
    let running = run(&simulator, 2, simulator.mint_session(ALICE).unwrap());
    running.client.get_me().await.unwrap();
    simulator.command(WireCommand::Kick { auth_key: None });
    // the call in flight may be lost; the one after it is not
    drop(running.client.get_me().await);
    assert_eq!(running.client.get_me().await.unwrap().first_name(), Some("Alice"));
}

#[tokio::test]
async fn many_clients_exchange_keys_at_once() {
    let simulator = start(Settings::default()).await;
    let clients = futures_util::future::join_all((0..8).map(|_| connect(&simulator, 2))).await;
    for running in &clients {
        assert!(!running.client.is_authorized().await.unwrap());
    }
    simulator.stop().await;
}
