//! Fuzz targets for what a server sends in a key exchange, and for the texts that people configure.
//!
//! A server that lies never gets a host to panic, to wait longer than it was told to, or to a key that the server does not
//! hold too. Each target runs as an ordinary test for about a second, longer with `BOLERO_RANDOM_TEST_TIME_MS`. A
//! failure prints the `BOLERO_RANDOM_SEED` that repeats it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bolero::check;
use grammers_crypto::{aes, generate_key_data_from_nonce};
use grammers_tl_types::{Deserializable, Serializable, enums, functions, types};
use num_bigint::BigUint;
use session_host::exchange::proxy::Proxy;
use session_host::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use session_host::exchange::{ExchangeError, ExchangeWith, exchange};
use session_host::session::AuthKey;
use sha1::{Digest, Sha1};
use simulator::wire::crypto::Entropy;
use simulator::wire::exchange::{Exchange, Server, Step};
use simulator::wire::rsa_key::RsaKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use transfer::clock::Clock;

/// An exchange with an honest server takes a small part of this.
const WITHIN: Duration = Duration::from_secs(20);

/// In which answer the server lies, how, where, and with what.
type Lie = (u8, u8, u16, u8, Vec<u8>);

struct Rig {
    runtime: Runtime,
    listener: TcpListener,
    rsa: RsaKey,
    keys: RsaKeys,
    clock: Clock,
}

impl Rig {
    fn new() -> AssertUnwindSafe<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let rsa = RsaKey::own().unwrap();
        let key = RsaPublicKey::new(&rsa.public.modulus, &rsa.public.exponent).unwrap();
        AssertUnwindSafe(Self { runtime, listener, rsa, keys: RsaKeys::new(vec![key]), clock: Clock::system() })
    }

    fn now_secs(&self) -> i32 {
        i32::try_from(self.clock.now().as_second()).unwrap()
    }

    /// One exchange: what the host has in the end, and what the server's side `serve` has.
    fn run<T>(&self, serve: impl AsyncFnOnce(TcpStream) -> T) -> (Result<AuthKey, ExchangeError>, T) {
        let address = self.listener.local_addr().unwrap();
        let with = ExchangeWith { dc: 2, address, keys: &self.keys, proxy: None, within: WITHIN };
        self.runtime.block_on(async {
            let served = async { serve(self.listener.accept().await.unwrap().0).await };
            tokio::join!(exchange(&with, &self.clock), served)
        })
    }
}

/// The next request's body; the announcement of the transport comes before the first.
async fn hear(stream: &mut TcpStream, first: bool) -> io::Result<Vec<u8>> {
    if first {
        assert_eq!(stream.read_u32().await?, 0xeeee_eeee);
    }
    let mut packet = vec![0; usize::try_from(stream.read_u32_le().await?).unwrap()];
    stream.read_exact(&mut packet).await?;
    Ok(packet.split_off(20))
}

/// An unencrypted packet as a good server writes it.
fn packet(now_secs: i32, body: &[u8]) -> Vec<u8> {
    let id = (i64::from(now_secs) << 32) | 1;
    let len = u32::try_from(body.len()).unwrap();
    [&[0; 8][..], &id.to_le_bytes(), &len.to_le_bytes(), body].concat()
}

fn framed(packet: &[u8]) -> Vec<u8> {
    [&u32::try_from(packet.len()).unwrap().to_le_bytes()[..], packet].concat()
}

/// What goes over the line in place of the good answer.
fn lied(body: &[u8], now_secs: i32, (_, how, place, change, noise): &Lie) -> Vec<u8> {
    let place = usize::from(*place);
    let good = packet(now_secs, body);
    match how % 8 {
        0 => {
            let mut body = body.to_vec();
            let place = place % body.len();
            body[place] ^= change;
            framed(&packet(now_secs, &body))
        }
        1 => framed(&packet(now_secs, noise)),
        2 => framed(&packet(now_secs, &body[..place % body.len()])),
        3 => framed(noise),
        4 => noise.clone(),
        5 => framed(&packet(now_secs, &[body, noise].concat())),
        6 => {
            let mut packet = good;
            packet[place % 20] ^= change;
            framed(&packet)
        }
        _ => framed(&good)[..place % (good.len() + 4)].to_vec(),
    }
}

/// A good server up to its lie, after which it hangs up. The key, if it came to one.
async fn serve_with_a_lie(mut stream: TcpStream, rig: &Rig, lie: &Lie) -> Option<[u8; 256]> {
    let (mut exchange, mut entropy) = (Exchange::default(), Entropy::from_system());
    let now_secs = rig.now_secs();
    let server = Server { rsa: &rig.rsa, dc: 2, now_secs };
    let mut agreed = None;
    for step in 0..3_u8 {
        let request = hear(&mut stream, step == 0).await.ok()?;
        let reply = match exchange.step(&request, &server, &mut entropy).expect("the host is a good client") {
            Step::Reply(reply) => reply,
            Step::Done { reply, key, .. } => {
                agreed = Some(key.bytes);
                reply
            }
            Step::Nothing => panic!("the host asks nothing else"),
        };
        let lies = lie.0 % 3 == step;
        let out = if lies { lied(&reply, now_secs, lie) } else { framed(&packet(now_secs, &reply)) };
        stream.write_all(&out).await.ok()?;
        if lies && step < 2 {
            // Whatever it is: a lie that does no harm (an added byte) still ends here.
            break;
        }
    }
    agreed
}

#[test]
fn a_server_that_lies_in_its_frames_gets_an_error_or_the_same_key() {
    let rig = Rig::new();
    check!().with_type::<Lie>().for_each(|lie| {
        let rig = &*rig;
        let (host, server) = rig.run(async |stream| serve_with_a_lie(stream, rig, lie).await);
        match host {
            Ok(key) => assert_eq!(Some(*key.expose()), server, "the host has a key that the server has not"),
            Err(ExchangeError::Timeout(_)) => panic!("it took the whole time"),
            Err(_) => {}
        }
    });
}

#[test]
fn an_honest_server_gets_its_key() {
    let rig = Rig::new();
    // The third answer with nothing added is the good one.
    let (host, server) = rig.run(async |stream| serve_with_a_lie(stream, &rig, &(2, 5, 0, 0, Vec::new())).await);
    assert_eq!(server, Some(*host.unwrap().expose()));
}

/// Which field of the server's half is wrong, and how.
type InnerLie = (u8, u8, u16, u8);

/// `p` as the host knows it, from an honest server.
fn prime() -> BigUint {
    let hex = b"C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F\
48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37\
20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64\
2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4\
A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754\
FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4\
E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F\
0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B";
    BigUint::parse_bytes(hex, 16).unwrap()
}

/// The sealed half with one thing wrong in it, or nothing.
fn sealed_half(mut inner: types::ServerDhInnerData, new_nonce: &[u8; 32], lie: &InnerLie) -> (Vec<u8>, bool) {
    let (field, how, place, change) = lie;
    let (server_nonce, good) = (inner.server_nonce, inner.clone());
    let flip = |bytes: &mut [u8]| bytes[usize::from(*place) % bytes.len()] ^= change;
    let p = prime();
    match field % 6 {
        0 => flip(&mut inner.nonce),
        1 => flip(&mut inner.server_nonce),
        2 => inner.g = [0, 1, -1, -3, 8, 9, i32::MIN, i32::MAX][usize::from(*how % 8)],
        3 => flip(&mut inner.dh_prime),
        4 => {
            let low: BigUint = (BigUint::from(1_u8) << 1984) - 1_u8;
            let bad = [BigUint::ZERO, BigUint::from(1_u8), low.clone(), &p - &low, &p - 1_u8, p.clone(), &p << 64];
            inner.g_a = bad[usize::from(*how) % bad.len()].to_bytes_be();
        }
        _ => inner.dh_prime.resize(usize::from(*place) % 300, 1),
    }
    let bytes = enums::ServerDhInnerData::Data(inner.clone()).to_bytes();
    let mut answer = [&Sha1::digest(&bytes)[..], &bytes].concat();
    answer.resize(answer.len().next_multiple_of(16), 0);
    let (key, iv) = generate_key_data_from_nonce(&server_nonce, new_nonce);
    aes::ige_encrypt(&mut answer, &key, &iv);
    (answer, inner == good)
}

/// A server that knows the key of the answer, and so can lie inside of it. Whether the host went on, and whether it was
/// right to.
async fn serve_with_a_lie_inside(mut stream: TcpStream, rig: &Rig, lie: &InnerLie) -> (bool, bool) {
    let now_secs = rig.now_secs();
    let request = hear(&mut stream, true).await.unwrap();
    let nonce: [u8; 16] = request[4..20].try_into().unwrap();
    let challenge = types::ResPq {
        nonce,
        server_nonce: [7; 16],
        pq: (1_229_739_323_u64 * 1_402_015_859).to_be_bytes().to_vec(),
        server_public_key_fingerprints: vec![rig.rsa.public.fingerprint],
    };
    let body = enums::ResPq::Pq(challenge).to_bytes();
    stream.write_all(&framed(&packet(now_secs, &body))).await.unwrap();
    let request = hear(&mut stream, false).await.unwrap();
    let request = functions::ReqDhParams::from_bytes(&request[4..]).unwrap();
    let Some(enums::PQInnerData::Dc(asked)) = rig.rsa.open(&request.encrypted_data) else {
        panic!("the host seals what this server opens");
    };
    let inner = types::ServerDhInnerData {
        nonce,
        server_nonce: [7; 16],
        g: 3,
        dh_prime: prime().to_bytes_be(),
        // A value in the middle of the range, whose logarithm nobody needs.
        g_a: (prime() >> 1_u8).to_bytes_be(),
        server_time: now_secs,
    };
    let (encrypted_answer, good) = sealed_half(inner, &asked.new_nonce, lie);
    let ok = types::ServerDhParamsOk { nonce, server_nonce: [7; 16], encrypted_answer };
    let body = enums::ServerDhParams::Ok(ok).to_bytes();
    stream.write_all(&framed(&packet(now_secs, &body))).await.unwrap();
    (hear(&mut stream, false).await.is_ok(), good)
}

#[test]
fn no_half_of_a_key_but_a_good_one_is_answered() {
    let rig = Rig::new();
    check!().with_type::<InnerLie>().for_each(|lie| {
        let rig = &*rig;
        let (host, (on, good)) = rig.run(async |stream| serve_with_a_lie_inside(stream, rig, lie).await);
        assert!(host.is_err(), "the server never proved its key");
        assert_eq!(on, good, "lie {lie:?}: the host went on: {on}");
    });
}

#[test]
fn configured_texts_are_read_or_refused() {
    check!().with_type::<(u8, Vec<u8>)>().for_each(|(kind, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        let text = match kind % 4 {
            0 => text.into_owned(),
            1 => format!("socks5://{text}"),
            2 => format!("socks5://{text}@host:1080"),
            _ => format!("socks5://user:hunter2@{text}:1080"),
        };
        if let Ok(proxy) = text.parse::<Proxy>() {
            let shown = format!("{proxy} {proxy:?}");
            assert!(shown.starts_with("socks5://") && !shown.contains("hunter2"), "{shown}");
        }
        let digits: String = bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        assert!(RsaPublicKey::new(&text, "65537").is_err() && RsaPublicKey::new(&digits, &text).is_err());
    });
}
