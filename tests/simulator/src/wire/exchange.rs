//! The server's half of the key exchange, as a state machine: what a connection may say next, and what comes of it.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key>. Everything a client can get wrong is a fault that ends the
//! connection; the server never retries (`dh_gen_retry`) and never refuses a good client.

use super::crypto::{AuthKey, Entropy};
use super::rsa_key::RsaKey;
use crate::arithmetic::{GENERATOR, pad_256, prime, sha1};
use grammers_crypto::{aes, generate_key_data_from_nonce};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, enums, functions, types};
use num_bigint::BigUint;

/// Primes below 2^31 whose products a client has to take apart.
const PRIMES: [u64; 5] = [1_229_739_323, 1_402_015_859, 1_000_000_007, 1_073_741_789, 2_147_483_629];

/// How far a connection's key exchange has come.
#[derive(Default)]
pub enum Exchange {
    /// Nothing asked yet, or the last exchange is over.
    #[default]
    Idle,
    /// `resPQ` was sent.
    Challenged(Challenge),
    /// `server_DH_params_ok` was sent.
    Offered(Box<Offer>),
}

/// What the client must prove to have read.
pub struct Challenge {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    primes: (u64, u64),
}

/// The server's half of Diffie-Hellman.
pub struct Offer {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    secret: BigUint,
    expires_in_secs: Option<i32>,
}

/// What is to be done after a step.
pub enum Step {
    Reply(Vec<u8>),
    /// The exchange is over: answer, and know the key from now on.
    Done {
        reply: Vec<u8>,
        key: Box<AuthKey>,
        salt: i64,
        expires_in_secs: Option<i32>,
    },
    /// An acknowledgement; nothing to say.
    Nothing,
}

/// What was wrong with a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeFault {
    #[error("unencrypted message {0:#010x} does not belong here")]
    OutOfPlace(u32),
    #[error("the message is cut off or malformed")]
    Malformed,
    #[error("a nonce does not match")]
    Nonce,
    #[error("the fingerprint is not of this server's key")]
    Fingerprint,
    #[error("the factors are wrong")]
    Factors,
    #[error("the encrypted part does not open")]
    Sealed,
    #[error("the key is meant for DC {0}")]
    WrongDc(i32),
    #[error("g_b is out of range")]
    Range,
}

impl Exchange {
    /// Takes one unencrypted message. After a fault the exchange is idle again.
    pub fn step(&mut self, body: &[u8], server: &Server<'_>, entropy: &mut Entropy) -> Result<Step, ExchangeFault> {
        let constructor = u32::from_bytes(body).or(Err(ExchangeFault::Malformed))?;
        let arguments = &body[4..];
        match (constructor, std::mem::take(self)) {
            (functions::ReqPq::CONSTRUCTOR_ID | functions::ReqPqMulti::CONSTRUCTOR_ID, _) => {
                let nonce = <[u8; 16]>::from_bytes(arguments).or(Err(ExchangeFault::Malformed))?;
                let challenge = Challenge::new(nonce, entropy);
                let reply = challenge.reply(server.rsa);
                *self = Exchange::Challenged(challenge);
                Ok(Step::Reply(reply))
            }
            (functions::ReqDhParams::CONSTRUCTOR_ID, Exchange::Challenged(challenge)) => {
                let request = functions::ReqDhParams::from_bytes(arguments).or(Err(ExchangeFault::Malformed))?;
                let offer = challenge.accept(&request, server, entropy)?;
                let reply = offer.reply(server.now_secs, entropy);
                *self = Exchange::Offered(Box::new(offer));
                Ok(Step::Reply(reply))
            }
            (functions::SetClientDhParams::CONSTRUCTOR_ID, Exchange::Offered(offer)) => {
                let request = functions::SetClientDhParams::from_bytes(arguments).or(Err(ExchangeFault::Malformed))?;
                offer.accept(request)
            }
            (types::MsgsAck::CONSTRUCTOR_ID, before) => {
                *self = before;
                Ok(Step::Nothing)
            }
            (other, _) => Err(ExchangeFault::OutOfPlace(other)),
        }
    }
}

/// What a step needs to know of the server.
pub struct Server<'a> {
    pub rsa: &'a RsaKey,
    pub dc: i32,
    /// The server's clock, which the client takes over.
    pub now_secs: i32,
}

impl Challenge {
    fn new(nonce: [u8; 16], entropy: &mut Entropy) -> Challenge {
        let [choice] = entropy.bytes();
        let first = usize::from(choice) % PRIMES.len();
        let second = (first + 1 + usize::from(choice / 16) % (PRIMES.len() - 1)) % PRIMES.len();
        let (p, q) = (PRIMES[first].min(PRIMES[second]), PRIMES[first].max(PRIMES[second]));
        Challenge { nonce, server_nonce: entropy.bytes(), primes: (p, q) }
    }

    fn product(&self) -> Vec<u8> {
        (self.primes.0 * self.primes.1).to_be_bytes().to_vec()
    }

    fn reply(&self, rsa: &RsaKey) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let server_public_key_fingerprints = vec![rsa.public.fingerprint];
        let pq = types::ResPq { nonce, server_nonce, pq: self.product(), server_public_key_fingerprints };
        enums::ResPq::Pq(pq).to_bytes()
    }

    fn accept(
        &self,
        request: &functions::ReqDhParams,
        server: &Server<'_>,
        entropy: &mut Entropy,
    ) -> Result<Offer, ExchangeFault> {
        if (request.nonce, request.server_nonce) != (self.nonce, self.server_nonce) {
            return Err(ExchangeFault::Nonce);
        }
        if request.public_key_fingerprint != server.rsa.public.fingerprint {
            return Err(ExchangeFault::Fingerprint);
        }
        let inner = Inner::from(server.rsa.open(&request.encrypted_data).ok_or(ExchangeFault::Sealed)?);
        let same = |bytes: &[u8], number: u64| BigUint::from_bytes_be(bytes) == BigUint::from(number);
        let factors = [(&request.p, &request.q), (&inner.p, &inner.q)];
        if factors.iter().any(|(p, q)| !same(p, self.primes.0) || !same(q, self.primes.1))
            || !same(&inner.pq, self.primes.0 * self.primes.1)
        {
            return Err(ExchangeFault::Factors);
        }
        if inner.nonces != (self.nonce, self.server_nonce) {
            return Err(ExchangeFault::Nonce);
        }
        // Test servers are numbered from 10,000; media connections are negative.
        if let Some(dc) = inner.dc.filter(|dc| dc.unsigned_abs() % 10_000 != server.dc.unsigned_abs()) {
            return Err(ExchangeFault::WrongDc(dc));
        }
        Ok(Offer {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: inner.new_nonce,
            secret: BigUint::from_bytes_be(&entropy.bytes::<256>()),
            expires_in_secs: inner.expires_in_secs,
        })
    }
}

impl Offer {
    fn reply(&self, now_secs: i32, entropy: &mut Entropy) -> Vec<u8> {
        let prime = prime();
        let inner = enums::ServerDhInnerData::Data(types::ServerDhInnerData {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            g: i32::from(GENERATOR),
            dh_prime: pad_256(&prime).to_vec(),
            g_a: pad_256(&BigUint::from(GENERATOR).modpow(&self.secret, &prime)).to_vec(),
            server_time: now_secs,
        })
        .to_bytes();
        let mut answer = [&sha1(&[&inner])[..], &inner].concat();
        let padding: [u8; 16] = entropy.bytes();
        answer.extend_from_slice(&padding[..(16 - answer.len() % 16) % 16]);
        let (key, iv) = generate_key_data_from_nonce(&self.server_nonce, &self.new_nonce);
        aes::ige_encrypt(&mut answer, &key, &iv);
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        enums::ServerDhParams::Ok(types::ServerDhParamsOk { nonce, server_nonce, encrypted_answer: answer }).to_bytes()
    }

    fn accept(&self, request: functions::SetClientDhParams) -> Result<Step, ExchangeFault> {
        if (request.nonce, request.server_nonce) != (self.nonce, self.server_nonce) {
            return Err(ExchangeFault::Nonce);
        }
        let mut sealed = request.encrypted_data;
        if sealed.len() < 32 || !sealed.len().is_multiple_of(16) {
            return Err(ExchangeFault::Sealed);
        }
        let (key, iv) = generate_key_data_from_nonce(&self.server_nonce, &self.new_nonce);
        aes::ige_decrypt(&mut sealed, &key, &iv);
        let (digest, content) = sealed.split_at(20);
        let mut cursor = Cursor::from_slice(content);
        let enums::ClientDhInnerData::Data(inner) =
            enums::ClientDhInnerData::deserialize(&mut cursor).or(Err(ExchangeFault::Sealed))?;
        if sha1(&[&content[..cursor.pos()]]) != *digest {
            return Err(ExchangeFault::Sealed);
        }
        if (inner.nonce, inner.server_nonce) != (self.nonce, self.server_nonce) {
            return Err(ExchangeFault::Nonce);
        }
        let (prime, g_b) = (prime(), BigUint::from_bytes_be(&inner.g_b));
        let margin = BigUint::from(1_u8) << (2048 - 64);
        if g_b < margin || g_b > &prime - &margin {
            return Err(ExchangeFault::Range);
        }
        let key = Box::new(AuthKey::new(pad_256(&g_b.modpow(&self.secret, &prime))));
        let salt: [u8; 8] = std::array::from_fn(|i| self.new_nonce[i] ^ self.server_nonce[i]);
        let reply = enums::SetClientDhParamsAnswer::DhGenOk(types::DhGenOk {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce_hash1: key.nonce_hash(&self.new_nonce, 1),
        })
        .to_bytes();
        Ok(Step::Done { reply, key, salt: i64::from_le_bytes(salt), expires_in_secs: self.expires_in_secs })
    }
}

/// The four forms of `p_q_inner_data` as one.
struct Inner {
    pq: Vec<u8>,
    p: Vec<u8>,
    q: Vec<u8>,
    nonces: ([u8; 16], [u8; 16]),
    new_nonce: [u8; 32],
    dc: Option<i32>,
    expires_in_secs: Option<i32>,
}

impl From<enums::PQInnerData> for Inner {
    fn from(data: enums::PQInnerData) -> Inner {
        use enums::PQInnerData as Data;
        macro_rules! inner {
            ($data:ident, $dc:expr, $expires_in_secs:expr) => {
                Inner {
                    dc: $dc,
                    expires_in_secs: $expires_in_secs,
                    nonces: ($data.nonce, $data.server_nonce),
                    new_nonce: $data.new_nonce,
                    pq: $data.pq,
                    p: $data.p,
                    q: $data.q,
                }
            };
        }
        match data {
            Data::Data(data) => inner!(data, None, None),
            Data::Dc(data) => inner!(data, Some(data.dc), None),
            Data::Temp(data) => inner!(data, None, Some(data.expires_in)),
            Data::TempDc(data) => inner!(data, Some(data.dc), Some(data.expires_in)),
        }
    }
}
