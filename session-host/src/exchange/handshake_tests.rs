//! A server by hand, which lies in one place at a time.

use super::*;
use crate::exchange::dh::tests::prime;

/// What the server sends; tests spoil one field of it.
struct Server {
    secret: BigUint,
    inner: types::ServerDhInnerData,
    key: ([u8; 32], [u8; 32]),
    spoil_hash: bool,
}

fn challenge(start: &Start) -> types::ResPq {
    types::ResPq {
        nonce: start.nonce,
        server_nonce: [7; 16],
        pq: (1_229_739_323_u64 * 1_402_015_859).to_be_bytes().to_vec(),
        server_public_key_fingerprints: vec![1, -3_414_540_481_677_951_611],
    }
}

fn solve(start: Start, challenge: types::ResPq) -> Result<(Asked, functions::ReqDhParams), ExchangeError> {
    start.on_challenge(&enums::ResPq::Pq(challenge), &RsaKeys::telegram(), 2)
}

fn asked() -> Asked {
    let start = start();
    let challenge = challenge(&start);
    solve(start, challenge).unwrap().0
}

impl Server {
    fn to(asked: &Asked) -> Self {
        let secret = BigUint::from_bytes_be(&random::<256>());
        let inner = types::ServerDhInnerData {
            nonce: asked.nonce,
            server_nonce: asked.server_nonce,
            g: 3,
            dh_prime: prime().to_bytes_be(),
            g_a: pad_256(&BigUint::from(3_u8).modpow(&secret, &prime())).to_vec(),
            server_time: 1_700_000_000,
        };
        let key = generate_key_data_from_nonce(&asked.server_nonce, &asked.new_nonce);
        Self { secret, inner, key, spoil_hash: false }
    }

    fn params(&self, asked: &Asked) -> enums::ServerDhParams {
        let inner = enums::ServerDhInnerData::Data(self.inner.clone()).to_bytes();
        let mut answer = Sha1::digest(&inner).to_vec();
        answer[0] ^= u8::from(self.spoil_hash);
        answer.extend_from_slice(&inner);
        answer.resize(answer.len().next_multiple_of(16), 0);
        aes::ige_encrypt(&mut answer, &self.key.0, &self.key.1);
        let (nonce, server_nonce) = (asked.nonce, asked.server_nonce);
        enums::ServerDhParams::Ok(types::ServerDhParamsOk { nonce, server_nonce, encrypted_answer: answer })
    }

    /// The key as the server computes it, and the `retry_id` that the client sent.
    fn key(&self, request: functions::SetClientDhParams) -> (AuthKey, i64) {
        let mut sealed = request.encrypted_data;
        aes::ige_decrypt(&mut sealed, &self.key.0, &self.key.1);
        let enums::ClientDhInnerData::Data(inner) = enums::ClientDhInnerData::from_bytes(&sealed[20..]).unwrap();
        let shared = BigUint::from_bytes_be(&inner.g_b).modpow(&self.secret, &prime());
        (AuthKey::new(pad_256(&shared)), inner.retry_id)
    }
}

fn ok(handshake: &Handshake, key: &AuthKey) -> types::DhGenOk {
    let Asked { nonce, server_nonce, new_nonce } = &handshake.asked;
    types::DhGenOk { nonce: *nonce, server_nonce: *server_nonce, new_nonce_hash1: key.nonce_hash(new_nonce, 1) }
}

/// An exchange that has come to `Handshake`, with the server that it talks to.
fn offered() -> (Handshake, Server) {
    let asked = asked();
    let server = Server::to(&asked);
    let params = server.params(&asked);
    (asked.on_params(params).unwrap(), server)
}

fn refusal_of_params(change: impl FnOnce(&mut Server)) -> ExchangeError {
    let asked = asked();
    let mut server = Server::to(&asked);
    change(&mut server);
    let params = server.params(&asked);
    asked.on_params(params).err().expect("spoilt parameters were accepted")
}

#[test]
fn both_sides_end_with_the_same_key() {
    let (mut handshake, server) = offered();
    assert_eq!(handshake.server_time(), 1_700_000_000);
    let (key, retry_id) = server.key(handshake.propose().unwrap());
    assert_eq!(retry_id, 0);
    let answer = enums::SetClientDhParamsAnswer::DhGenOk(ok(&handshake, &key));
    let Ok(Answer::Agreed(agreed)) = handshake.on_answer(&answer) else { panic!("not agreed") };
    assert_eq!(agreed.expose(), key.expose());
}

#[test]
fn a_spoilt_challenge_is_refused() {
    type Change = fn(&mut types::ResPq);
    let refusal = |change: Change| {
        let start = start();
        let mut challenge = challenge(&start);
        change(&mut challenge);
        solve(start, challenge).err().expect("a spoilt challenge was accepted")
    };
    assert!(matches!(refusal(|c| c.nonce[3] ^= 1), ExchangeError::Nonce("resPQ")));
    let unknown = refusal(|c| c.server_public_key_fingerprints = vec![5, 6]);
    assert!(matches!(unknown, ExchangeError::UnknownKey(shown) if shown == [5, 6]));
    assert!(matches!(refusal(|c| c.pq = vec![0xff; 9]), ExchangeError::Factors));
    assert!(matches!(refusal(|c| c.pq = vec![]), ExchangeError::Factors));
    assert!(matches!(refusal(|c| c.pq = 1_000_000_007_u64.to_be_bytes().to_vec()), ExchangeError::Factors));
}

#[test]
fn a_challenge_is_answered_with_its_factors_smaller_first() {
    let start = start();
    let challenge = challenge(&start);
    let (_, request) = solve(start, challenge).unwrap();
    assert_eq!(request.p, 1_229_739_323_u32.to_be_bytes());
    assert_eq!(request.q, 1_402_015_859_u32.to_be_bytes());
    assert_eq!(request.encrypted_data.len(), 256);
}

#[test]
fn spoilt_parameters_are_refused() {
    use ExchangeError as E;
    assert!(matches!(refusal_of_params(|s| s.inner.nonce[0] ^= 1), E::Nonce("server_DH_inner_data")));
    assert!(matches!(refusal_of_params(|s| s.inner.server_nonce[0] ^= 1), E::Nonce("server_DH_inner_data")));
    assert!(matches!(refusal_of_params(|s| s.spoil_hash = true), E::AnswerHash));
    assert!(matches!(refusal_of_params(|s| s.key.0[0] ^= 1), E::AnswerHash));
    assert!(matches!(refusal_of_params(|s| s.inner.dh_prime[200] ^= 1), E::Prime));
    assert!(matches!(refusal_of_params(|s| s.inner.g = 1), E::Generator(1)));
    assert!(matches!(refusal_of_params(|s| s.inner.g = -3), E::Generator(-3)));
    assert!(matches!(refusal_of_params(|s| s.inner.g_a = vec![1]), E::Range("g_a")));
    let p_minus_1 = (prime() - 1_u8).to_bytes_be();
    assert!(matches!(refusal_of_params(|s| s.inner.g_a = p_minus_1), E::Range("g_a")));
}

#[test]
fn parameters_for_another_exchange_are_refused() {
    let asked = asked();
    let mut params = Server::to(&asked).params(&asked);
    let enums::ServerDhParams::Ok(ok) = &mut params else { panic!("ok was built") };
    ok.server_nonce[1] ^= 1;
    assert!(matches!(asked.on_params(params), Err(ExchangeError::Nonce("server_DH_params_ok"))));
}

#[test]
fn an_answer_of_odd_length_is_malformed() {
    let asked = asked();
    let mut params = Server::to(&asked).params(&asked);
    let enums::ServerDhParams::Ok(ok) = &mut params else { panic!("ok was built") };
    ok.encrypted_answer.pop();
    assert!(matches!(asked.on_params(params), Err(ExchangeError::Malformed(_))));
}

#[test]
fn a_servers_refusal_counts_only_with_its_proof() {
    for (spoil, expected_refused) in [(0, true), (1, false)] {
        let asked = asked();
        let mut new_nonce_hash: [u8; 16] = Sha1::digest(asked.new_nonce)[4..].try_into().unwrap();
        new_nonce_hash[0] ^= spoil;
        let fail = types::ServerDhParamsFail { nonce: asked.nonce, server_nonce: asked.server_nonce, new_nonce_hash };
        let refusal = asked.on_params(enums::ServerDhParams::Fail(fail)).err().unwrap();
        assert_eq!(matches!(refusal, ExchangeError::ParamsRefused), expected_refused);
        assert_eq!(matches!(refusal, ExchangeError::NewNonceHash), !expected_refused);
    }
}

#[test]
fn a_wrong_proof_of_the_key_is_refused() {
    let (mut handshake, server) = offered();
    let (key, _) = server.key(handshake.propose().unwrap());
    let mut answer = ok(&handshake, &key);
    answer.new_nonce_hash1[5] ^= 1;
    let refusal = handshake.on_answer(&enums::SetClientDhParamsAnswer::DhGenOk(answer)).err();
    assert!(matches!(refusal, Some(ExchangeError::NewNonceHash)));

    let (mut handshake, server) = offered();
    let (key, _) = server.key(handshake.propose().unwrap());
    let mut answer = ok(&handshake, &key);
    answer.nonce[5] ^= 1;
    let refusal = handshake.on_answer(&enums::SetClientDhParamsAnswer::DhGenOk(answer)).err();
    assert!(matches!(refusal, Some(ExchangeError::Nonce(_))));
}

#[test]
fn another_try_uses_another_exponent_and_names_the_refused_key() {
    let (mut handshake, server) = offered();
    let (first, _) = server.key(handshake.propose().unwrap());
    let retry = types::DhGenRetry {
        nonce: handshake.asked.nonce,
        server_nonce: handshake.asked.server_nonce,
        new_nonce_hash2: first.nonce_hash(&handshake.asked.new_nonce, 2),
    };
    let answer = handshake.on_answer(&enums::SetClientDhParamsAnswer::DhGenRetry(retry));
    assert!(matches!(answer, Ok(Answer::Again)));
    let (second, retry_id) = server.key(handshake.propose().unwrap());
    assert_eq!(retry_id, first.aux_hash());
    assert_ne!(first.expose(), second.expose());
    let answer = enums::SetClientDhParamsAnswer::DhGenOk(ok(&handshake, &second));
    assert!(matches!(handshake.on_answer(&answer), Ok(Answer::Agreed(_))));
}

#[test]
fn a_failure_counts_only_with_its_proof() {
    for (number, proven) in [(3, true), (1, false)] {
        let (mut handshake, server) = offered();
        let (key, _) = server.key(handshake.propose().unwrap());
        let fail = types::DhGenFail {
            nonce: handshake.asked.nonce,
            server_nonce: handshake.asked.server_nonce,
            new_nonce_hash3: key.nonce_hash(&handshake.asked.new_nonce, number),
        };
        let refusal = handshake.on_answer(&enums::SetClientDhParamsAnswer::DhGenFail(fail)).err().unwrap();
        assert_eq!(matches!(refusal, ExchangeError::Failed), proven);
    }
}
