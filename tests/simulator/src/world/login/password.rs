//! The second step: SRP, so that the password itself never travels.
//!
//! Source: <https://core.telegram.org/api/srp>; names of the numbers as there.

use crate::arithmetic::{GENERATOR, pad_256, prime, sha256};
use crate::time::SimTime;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};
use num_bigint::BigUint;
use std::collections::HashMap;

/// A challenge may be answered for so long.
const CHALLENGE_MILLIS: i64 = 10 * 60 * 1000;
/// After so many wrong passwords in a row ...
const WRONG_MAX: u32 = 5;
/// ... the account must wait.
const WRONG_WAIT_SECS: i64 = 60;
const ITERATIONS: u32 = 100_000;

/// Verifiers and open challenges.
#[derive(Debug, Default)]
pub struct Passwords {
    verifiers: HashMap<UserId, Verifier>,
    challenges: HashMap<AuthKeyId, Challenge>,
    wrong: HashMap<UserId, (u32, SimTime)>,
}

/// What a server keeps of a password: it takes 100,000 rounds to make, so it is made once.
#[derive(Debug, Clone)]
struct Verifier {
    password: String,
    salts: Salts,
    v: BigUint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Salts {
    salt1: Vec<u8>,
    salt2: Vec<u8>,
}

#[derive(Debug)]
struct Challenge {
    id: i64,
    at: SimTime,
    verifier: Verifier,
    b: BigUint,
    g_b: BigUint,
}

/// What a client needs to prove that it knows the password.
#[derive(Debug, Clone)]
pub struct PasswordChallenge {
    pub salt1: Vec<u8>,
    pub salt2: Vec<u8>,
    pub hint: Option<String>,
    /// Id and B of the open challenge; `None` if the account has no password.
    pub open: Option<(i64, [u8; 256])>,
}

/// What it sends in proof.
#[derive(Debug, Clone)]
pub struct PasswordProof {
    pub id: i64,
    pub a: Vec<u8>,
    pub m1: Vec<u8>,
}

impl World {
    /// `account.getPassword` of whoever is, or is about to be, signed in.
    ///
    /// # Errors
    /// 401 `AUTH_KEY_UNREGISTERED`.
    pub fn password_challenge(&mut self, key: AuthKeyId) -> Rpc<PasswordChallenge> {
        let user = self.login.user_or_awaited(key).ok_or_else(RpcError::unregistered)?;
        let salts = Salts { salt1: self.drawn::<16>().to_vec(), salt2: self.drawn::<16>().to_vec() };
        let Some(password) = self.account(user).and_then(|account| account.password) else {
            return Ok(PasswordChallenge { salt1: salts.salt1, salt2: salts.salt2, hint: None, open: None });
        };
        let known = self.login.passwords.verifiers.get(&user).filter(|known| known.password == password).cloned();
        let verifier = known.unwrap_or_else(|| Verifier { v: salts.verifier(&password), password, salts });
        self.login.passwords.verifiers.insert(user, verifier.clone());
        let b = BigUint::from_bytes_be(&self.drawn::<256>());
        let g_b = (multiplier() * &verifier.v + BigUint::from(GENERATOR).modpow(&b, &prime())) % prime();
        let id = i64::from_le_bytes(self.drawn());
        let Salts { salt1, salt2 } = verifier.salts.clone();
        let open = Some((id, pad_256(&g_b)));
        self.login.passwords.challenges.insert(key, Challenge { id, at: self.now(), verifier, b, g_b });
        let hint = self.users.get(&user).and_then(|user| user.password_hint.clone());
        Ok(PasswordChallenge { salt1, salt2, hint, open })
    }

    /// `auth.checkPassword`.
    ///
    /// # Errors
    /// `SRP_ID_INVALID` for a challenge that is not open, `PASSWORD_HASH_INVALID` for a wrong password, `FLOOD_WAIT_X`
    /// after several.
    pub fn check_password(&mut self, key: AuthKeyId, proof: &PasswordProof) -> Rpc<UserId> {
        let user = self.login.user_or_awaited(key).ok_or_else(RpcError::unregistered)?;
        let now = self.now();
        let (wrong, last) = self.login.passwords.wrong.get(&user).copied().unwrap_or_default();
        let wait_secs = WRONG_WAIT_SECS - now.since(last) / 1000;
        if wrong >= WRONG_MAX && wait_secs > 0 {
            return Err(RpcError::flood_wait(wait_secs));
        }
        let challenge = self.login.passwords.challenges.remove(&key);
        let challenge = challenge.filter(|it| it.id == proof.id && now.since(it.at) <= CHALLENGE_MILLIS);
        let challenge = challenge.ok_or_else(|| RpcError::bad("SRP_ID_INVALID"))?;
        if !challenge.is_met_by(proof) {
            self.login.passwords.wrong.insert(user, (wrong + 1, now));
            return Err(RpcError::bad("PASSWORD_HASH_INVALID"));
        }
        self.login.passwords.wrong.remove(&user);
        self.login.sign_in(key, user);
        Ok(user)
    }
}

impl Salts {
    /// v = g^x mod p, where x comes of the password in 100,000 rounds.
    fn verifier(&self, password: &str) -> BigUint {
        let salted = |data: &[u8], salt: &[u8]| sha256(&[salt, data, salt]);
        let first = salted(&salted(password.as_bytes(), &self.salt1), &self.salt2);
        let mut rounds = [0; 64];
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(&first, &self.salt1, ITERATIONS, &mut rounds);
        let x = BigUint::from_bytes_be(&salted(&rounds, &self.salt2));
        BigUint::from(GENERATOR).modpow(&x, &prime())
    }
}

/// k = H(p | g)
fn multiplier() -> BigUint {
    BigUint::from_bytes_be(&sha256(&[&pad_256(&prime()), &pad_256(&BigUint::from(GENERATOR))]))
}

impl Challenge {
    fn is_met_by(&self, proof: &PasswordProof) -> bool {
        let (p, a) = (prime(), BigUint::from_bytes_be(&proof.a));
        if a == BigUint::ZERO || a >= p {
            return false;
        }
        let (g_a, g_b) = (pad_256(&a), pad_256(&self.g_b));
        let u = BigUint::from_bytes_be(&sha256(&[&g_a, &g_b]));
        let shared = (a * self.verifier.v.modpow(&u, &p)).modpow(&self.b, &p);
        let (hash_p, hash_g) = (sha256(&[&pad_256(&p)]), sha256(&[&pad_256(&BigUint::from(GENERATOR))]));
        let mixed: [u8; 32] = std::array::from_fn(|i| hash_p[i] ^ hash_g[i]);
        let Salts { salt1, salt2 } = &self.verifier.salts;
        let key = sha256(&[&pad_256(&shared)]);
        sha256(&[&mixed, &sha256(&[salt1]), &sha256(&[salt2]), &g_a, &g_b, &key])[..] == proof.m1[..]
    }
}
