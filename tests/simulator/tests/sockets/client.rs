//! grammers, as a user of the simulator would run it: a key exchange of one's own, then the finished key.

use grammers_client::{Client, tl};
use grammers_crypto::{AuthKey, aes, generate_key_data_from_nonce, rsa};
use grammers_mtproto::{mtp, transport};
use grammers_mtsender::{ConnectionParams, InvocationError, NoRetries, Sender, SenderPool, ServerAddr};
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::DcOption;
use grammers_session::updates::UpdatesLike;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use simulator::server::Simulator;
use simulator::wire::rsa_key::RsaPublic;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use tl::{Deserializable, Serializable};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub(crate) fn address(simulator: &Simulator, dc: i32) -> SocketAddr {
    simulator.dcs().iter().find(|(id, _)| *id == dc).unwrap().1
}

/// The client's half of the key exchange, out of grammers' public pieces.
pub(crate) async fn exchange(address: SocketAddr, public: &RsaPublic) -> Result<[u8; 256], InvocationError> {
    let server = ServerAddr::Tcp { address };
    let mut sender = Sender::connect(transport::Full::new(), mtp::Plain::new(), server).await?;
    let key = rsa::Key::new(&public.modulus, &public.exponent).unwrap();
    let (nonce, new_nonce): ([u8; 16], [u8; 32]) = (random(), random());
    let tl::enums::ResPq::Pq(pq) = sender.invoke(&tl::functions::ReqPqMulti { nonce }).await?;
    assert_eq!((pq.nonce, &pq.server_public_key_fingerprints[..]), (nonce, &[public.fingerprint][..]));
    let server_nonce = pq.server_nonce;
    let (p, q) = grammers_crypto::factorize(u64::from_be_bytes(pq.pq[..].try_into().unwrap()));
    let bytes = |number: u64| BigUint::from(number).to_bytes_be();
    let inner = tl::types::PQInnerData { pq: pq.pq, p: bytes(p), q: bytes(q), nonce, server_nonce, new_nonce };
    let inner = tl::enums::PQInnerData::Data(inner).to_bytes();
    let request = tl::functions::ReqDhParams {
        nonce,
        server_nonce,
        p: bytes(p),
        q: bytes(q),
        public_key_fingerprint: public.fingerprint,
        encrypted_data: rsa::encrypt_hashed(&inner, &key, &random()),
    };
    let tl::enums::ServerDhParams::Ok(dh) = sender.invoke(&request).await? else { panic!("refused") };
    let (key, iv) = generate_key_data_from_nonce(&server_nonce, &new_nonce);
    let mut answer = dh.encrypted_answer;
    aes::ige_decrypt(&mut answer, &key, &iv);
    let mut cursor = tl::Cursor::from_slice(&answer[20..]);
    let tl::enums::ServerDhInnerData::Data(dh) = tl::enums::ServerDhInnerData::deserialize(&mut cursor).unwrap();
    assert_eq!(sha1(&answer[20..20 + cursor.pos()]), answer[..20]);
    assert_eq!((dh.nonce, dh.server_nonce), (nonce, server_nonce));
    let (prime, b) = (BigUint::from_bytes_be(&dh.dh_prime), BigUint::from_bytes_be(&random::<256>()));
    let g_b = BigUint::from(dh.g.cast_unsigned()).modpow(&b, &prime).to_bytes_be();
    let shared = BigUint::from_bytes_be(&dh.g_a).modpow(&b, &prime).to_bytes_be();
    let inner = tl::types::ClientDhInnerData { nonce, server_nonce, retry_id: 0, g_b };
    let inner = tl::enums::ClientDhInnerData::Data(inner).to_bytes();
    let mut encrypted_data = [&sha1(&inner)[..], &inner].concat();
    encrypted_data.resize(encrypted_data.len().next_multiple_of(16), 0);
    aes::ige_encrypt(&mut encrypted_data, &key, &iv);
    let answer = sender.invoke(&tl::functions::SetClientDhParams { nonce, server_nonce, encrypted_data }).await?;
    let tl::enums::SetClientDhParamsAnswer::DhGenOk(answer) = answer else { panic!("refused") };
    let mut key = [0; 256];
    key[256 - shared.len()..].copy_from_slice(&shared);
    assert_eq!(AuthKey::from_bytes(key).calc_new_nonce_hash(&new_nonce, 1), answer.new_nonce_hash1);
    Ok(key)
}

/// A grammers client, its updates, and the task that runs it (ended when this is dropped).
pub(crate) struct Running {
    pub(crate) client: Client,
    pub(crate) updates: Receiver<UpdatesLike>,
    _task: JoinSet<()>,
}

/// Starts grammers on a finished key of data centre `dc`; `layer` wrappers and all are its own.
pub(crate) fn run(simulator: &Simulator, dc: i32, key: [u8; 256]) -> Running {
    let mut data = SessionData { home_dc: dc, ..SessionData::default() };
    for (id, address) in simulator.dcs() {
        let SocketAddr::V4(ipv4) = *address else { panic!("loopback is IPv4 here") };
        let ipv6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, ipv4.port(), 0, 0);
        let auth_key = (*id == dc).then_some(key);
        data.dc_options.insert(*id, DcOption { id: *id, ipv4, ipv6, auth_key });
    }
    let session: Arc<MemorySession> = Arc::new(data.into());
    let parameters = ConnectionParams { retry_policy: Box::new(NoRetries), ..ConnectionParams::default() };
    let pool = SenderPool::with_configuration(session, 12345, parameters);
    let mut task = JoinSet::new();
    task.spawn(pool.runner.run());
    Running { client: Client::new(pool.handle), updates: pool.updates, _task: task }
}

/// Exchanges a key with a data centre and starts grammers on it.
pub(crate) async fn connect(simulator: &Simulator, dc: i32) -> Running {
    let key = exchange(address(simulator, dc), simulator.rsa()).await.unwrap();
    run(simulator, dc, key)
}

/// The name of the error that a call was refused with, as the server sent it.
pub(crate) fn refusal<T>(result: Result<T, InvocationError>) -> String {
    match result {
        Err(InvocationError::Rpc(error)) => match error.value {
            Some(value) => format!("{} {} {value}", error.code, error.name),
            None => format!("{} {}", error.code, error.name),
        },
        Err(other) => panic!("no refusal but {other}"),
        Ok(_) => panic!("no refusal but an answer"),
    }
}
