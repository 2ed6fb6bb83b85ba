//! Whatever comes in, only that connection ends.

use crate::client::{address, exchange, random, refusal, run};
use crate::raw::{PATIENCE, Raw, Silence, ping};
use crate::{ALICE, start};
use grammers_client::tl::{Serializable, functions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use simulator::wire::switchboard::Settings;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Writes bytes and waits for the server to close, having closed one's own half.
async fn throw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // the server may close before it has read everything
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    drop(read.expect("the server does not close"));
    answer
}

#[test]
fn rubbish_in_the_framing_or_the_exchange_ends_that_connection_only() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(start(Settings::default()));
    let address = address(&simulator, 2);
    let starts = prop::sample::select(vec![vec![], vec![0xef], vec![0xee; 4], vec![0xdd; 4]]);
    // an intermediate packet with a well-formed head of a plain message, then anything
    let plain = prop::collection::vec(any::<u8>(), 4..120).prop_map(|mut body| {
        body.truncate(body.len() / 4 * 4);
        let constructors = [0xbe7e_8ef1_u32, 0xd712_e4be, 0xf504_5f1f, 0x6046_9778];
        let constructor: u32 = constructors[usize::from(body[0]) % 4];
        body[..4].copy_from_slice(&constructor.to_le_bytes());
        let len = u32::try_from(body.len()).unwrap();
        [&[0xee; 4][..], &(len + 20).to_le_bytes(), &[0; 8], &[4; 8], &len.to_le_bytes(), &body].concat()
    });
    let anything =
        (starts, prop::collection::vec(any::<u8>(), 0..400)).prop_map(|(start, bytes)| [start, bytes].concat());
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&prop_oneof![anything, plain], |bytes| {
            runtime.block_on(throw(address, &bytes));
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        exchange(address, simulator.rsa()).await.unwrap();
    });
}

#[tokio::test]
async fn rubbish_inside_the_encryption_is_answered_or_ends_the_connection() {
    let simulator = start(Settings::default()).await;
    let key = simulator.mint_session(ALICE).unwrap();
    let constructors = [0x73f1_f8dc_u32, 0x3072_cfa1, 0x62d6_b459, 0xda9b_0d0d, 0xc1cd_5ea9, 0xf342_7b8c, 0x8d52_a951];
    for (round, session) in (0..100_usize).zip(1..) {
        let mut raw = Raw::open(address(&simulator, 2), key, session).await;
        let noise: [u8; 64] = random();
        let body = [&constructors[round % constructors.len()].to_le_bytes()[..], &noise].concat();
        raw.call(&body).await;
        raw.send(&ping(1)).await;
        // either the ping is answered, or the connection is over
        loop {
            match raw.hear_any().await {
                Ok(heard) if heard.constructor == crate::raw::PONG => break,
                Ok(_) => {}
                Err(Silence::Closed | Silence::TransportError(_)) => break,
            }
        }
    }
    let me = run(&simulator, 2, key).client.get_me().await.unwrap();
    assert_eq!(me.first_name(), Some("Alice"));
}

#[tokio::test]
async fn packets_of_an_unknown_key_are_answered_with_404() {
    let simulator = start(Settings::default()).await;
    let mut raw = Raw::connect(address(&simulator, 2), random(), 1).await;
    raw.send(&ping(1)).await;
    assert_eq!(raw.hear_end().await, Silence::TransportError(-404));
}

#[tokio::test]
async fn an_unknown_call_is_refused_and_noted() {
    let simulator = start(Settings::default()).await;
    let running = run(&simulator, 2, simulator.mint_session(ALICE).unwrap());
    let call = functions::folders::EditPeerFolders { folder_peers: vec![] };
    assert!(call.to_bytes().len() > 4);
    let refused = refusal(running.client.invoke(&call).await);
    assert!(refused.starts_with("400 "), "{refused}");
}
