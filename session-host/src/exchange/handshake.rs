//! The rules of the key exchange, step by step: what to ask next, and what of the answer to refuse.
//!
//! Each step consumes the one before it, so that none can be left out. Nothing here touches a socket or a clock.

use grammers_crypto::{aes, generate_key_data_from_nonce};
use grammers_tl_types::{Cursor, Deserializable, Serializable, enums, functions, types};
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

use super::ExchangeError;
use super::dh::Group;
use super::factors::factors;
use super::rsa_key::RsaKeys;
use crate::session::AuthKey;

/// Before anything was said.
pub(crate) struct Start {
    nonce: [u8; 16],
}

/// Begins an exchange.
pub(crate) fn start() -> Start {
    Start { nonce: random() }
}

impl Start {
    /// What to ask first.
    pub(crate) fn request(&self) -> functions::ReqPqMulti {
        functions::ReqPqMulti { nonce: self.nonce }
    }

    /// Solves the server's challenge.
    pub(crate) fn on_challenge(
        self,
        challenge: &enums::ResPq,
        keys: &RsaKeys,
        dc: i32,
    ) -> Result<(Asked, functions::ReqDhParams), ExchangeError> {
        let enums::ResPq::Pq(challenge) = challenge;
        if challenge.nonce != self.nonce {
            return Err(ExchangeError::Nonce("resPQ"));
        }
        let known = keys.known(&challenge.server_public_key_fingerprints);
        let key = known.ok_or_else(|| ExchangeError::UnknownKey(challenge.server_public_key_fingerprints.clone()))?;
        let mut pq = challenge.pq.iter().skip_while(|byte| **byte == 0);
        let pq = pq.try_fold(0_u64, |n, byte| n.checked_mul(256).map(|n| n + u64::from(*byte)));
        let (p, q) = pq.and_then(factors).ok_or(ExchangeError::Factors)?;

        let asked = Asked { nonce: self.nonce, server_nonce: challenge.server_nonce, new_nonce: random() };
        let inner = enums::PQInnerData::Dc(types::PQInnerDataDc {
            pq: challenge.pq.clone(),
            p: minimal(p),
            q: minimal(q),
            nonce: asked.nonce,
            server_nonce: asked.server_nonce,
            new_nonce: asked.new_nonce,
            dc,
        })
        .to_bytes();
        if inner.len() > 144 {
            return Err(ExchangeError::Factors);
        }
        let request = functions::ReqDhParams {
            nonce: asked.nonce,
            server_nonce: asked.server_nonce,
            p: minimal(p),
            q: minimal(q),
            public_key_fingerprint: key.fingerprint(),
            encrypted_data: key.seal(&inner, &random()).ok_or(ExchangeError::Malformed("the RSA key"))?,
        };
        Ok((asked, request))
    }
}

/// The challenge is solved; the server's half of Diffie-Hellman is awaited.
pub(crate) struct Asked {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
}

impl Asked {
    /// Opens and checks the server's half.
    pub(crate) fn on_params(self, params: enums::ServerDhParams) -> Result<Handshake, ExchangeError> {
        let sealed = match params {
            enums::ServerDhParams::Fail(fail) => {
                self.check(&fail.nonce, &fail.server_nonce, "server_DH_params_fail")?;
                if fail.new_nonce_hash != Sha1::digest(self.new_nonce)[4..] {
                    return Err(ExchangeError::NewNonceHash);
                }
                return Err(ExchangeError::ParamsRefused);
            }
            enums::ServerDhParams::Ok(ok) => {
                self.check(&ok.nonce, &ok.server_nonce, "server_DH_params_ok")?;
                ok.encrypted_answer
            }
        };
        let (key, iv) = generate_key_data_from_nonce(&self.server_nonce, &self.new_nonce);
        let inner = open(sealed, &key, &iv)?;
        self.check(&inner.nonce, &inner.server_nonce, "server_DH_inner_data")?;
        let group = Group::checked(&inner.dh_prime, inner.g)?;
        let g_a = BigUint::from_bytes_be(&inner.g_a);
        group.check_range(&g_a, "g_a")?;
        Ok(Handshake { asked: self, group, g_a, seal: (key, iv), server_time: inner.server_time, retry: 0, key: None })
    }

    fn check(&self, nonce: &[u8; 16], server_nonce: &[u8; 16], what: &'static str) -> Result<(), ExchangeError> {
        if *nonce == self.nonce && *server_nonce == self.server_nonce {
            Ok(())
        } else {
            Err(ExchangeError::Nonce(what))
        }
    }
}

/// Decrypts `server_DH_inner_data` and checks the hash in front of it.
fn open(mut sealed: Vec<u8>, key: &[u8; 32], iv: &[u8; 32]) -> Result<types::ServerDhInnerData, ExchangeError> {
    const WHAT: &str = "server_DH_inner_data";
    if sealed.len() < 32 || !sealed.len().is_multiple_of(16) {
        return Err(ExchangeError::Malformed(WHAT));
    }
    aes::ige_decrypt(&mut sealed, key, iv);
    let (digest, content) = sealed.split_at(20);
    let mut cursor = Cursor::from_slice(content);
    let inner = enums::ServerDhInnerData::deserialize(&mut cursor);
    // Of an answer that does not decode nothing can be hashed: somebody else's key, or no answer at all.
    let enums::ServerDhInnerData::Data(inner) = inner.map_err(|_undecodable| ExchangeError::AnswerHash)?;
    let end = cursor.pos();
    if Sha1::digest(&content[..end])[..] != *digest || content.len() - end > 15 {
        return Err(ExchangeError::AnswerHash);
    }
    Ok(inner)
}

/// Both halves are known; the server must prove that it holds the same key.
pub(crate) struct Handshake {
    asked: Asked,
    group: Group,
    g_a: BigUint,
    seal: ([u8; 32], [u8; 32]),
    server_time: i32,
    /// `retry_id`: zero at first, then the hash of the key that was refused.
    retry: i64,
    key: Option<AuthKey>,
}

/// What the server says to a proposal.
pub(crate) enum Answer {
    /// The key is good.
    Agreed(AuthKey),
    /// Its id is taken: propose another.
    Again,
}

impl Handshake {
    /// The server's clock, unix seconds.
    pub(crate) fn server_time(&self) -> i32 {
        self.server_time
    }

    /// Draws an exponent and makes the client's half of it.
    pub(crate) fn propose(&mut self) -> Result<functions::SetClientDhParams, ExchangeError> {
        let exponent = BigUint::from_bytes_be(&random::<256>());
        let g_b = self.group.public(&exponent);
        self.group.check_range(&g_b, "g_b")?;
        self.key = Some(AuthKey::new(pad_256(&self.group.shared(&self.g_a, &exponent))));
        let (nonce, server_nonce) = (self.asked.nonce, self.asked.server_nonce);
        let inner = enums::ClientDhInnerData::Data(types::ClientDhInnerData {
            nonce,
            server_nonce,
            retry_id: self.retry,
            g_b: g_b.to_bytes_be(),
        })
        .to_bytes();
        let mut sealed = Sha1::digest(&inner).to_vec();
        sealed.extend_from_slice(&inner);
        let padding: [u8; 16] = random();
        sealed.extend_from_slice(&padding[..(16 - sealed.len() % 16) % 16]);
        aes::ige_encrypt(&mut sealed, &self.seal.0, &self.seal.1);
        Ok(functions::SetClientDhParams { nonce, server_nonce, encrypted_data: sealed })
    }

    /// Checks the server's proof.
    pub(crate) fn on_answer(&mut self, answer: &enums::SetClientDhParamsAnswer) -> Result<Answer, ExchangeError> {
        use enums::SetClientDhParamsAnswer as A;
        const WHAT: &str = "Set_client_DH_params_answer";
        let key = self.key.take().ok_or(ExchangeError::Malformed(WHAT))?;
        let (nonce, server_nonce, proof, number) = match answer {
            A::DhGenOk(ok) => (&ok.nonce, &ok.server_nonce, &ok.new_nonce_hash1, 1),
            A::DhGenRetry(retry) => (&retry.nonce, &retry.server_nonce, &retry.new_nonce_hash2, 2),
            A::DhGenFail(fail) => (&fail.nonce, &fail.server_nonce, &fail.new_nonce_hash3, 3),
        };
        self.asked.check(nonce, server_nonce, WHAT)?;
        if *proof != key.nonce_hash(&self.asked.new_nonce, number) {
            return Err(ExchangeError::NewNonceHash);
        }
        match answer {
            A::DhGenOk(_) => Ok(Answer::Agreed(key)),
            A::DhGenRetry(_) => {
                self.retry = key.aux_hash();
                Ok(Answer::Again)
            }
            A::DhGenFail(_) => Err(ExchangeError::Failed),
        }
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Big endian without leading zeros: Telegram answers -404 to anything longer.
fn minimal(number: u32) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

fn pad_256(number: &BigUint) -> [u8; 256] {
    let bytes = number.to_bytes_be();
    let mut out = [0; 256];
    out[256 - bytes.len()..].copy_from_slice(&bytes);
    out
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
