//! Sessions: the auth keys of an account. A session is full control of its account, so it is wiped when dropped, never
//! appears in `Debug`, and touches the table sealed alone ([`Sessions`]).

mod sealed;
mod stored;

use std::collections::BTreeMap;
use std::fmt;

use sha1::{Digest, Sha1};
use transfer::ids::AccountId;
use zeroize::Zeroizing;

use crate::telegram::setup::ApiCredentials;
pub use sealed::{SessionError, Sessions};
pub(crate) use stored::{hex, unhex};

/// What an account and one DC of Telegram share. Wiped when dropped.
#[derive(Clone)]
pub struct AuthKey(Box<Zeroizing<[u8; 256]>>);

impl AuthKey {
    /// From its 256 bytes.
    pub fn new(bytes: [u8; 256]) -> Self {
        Self(Box::new(Zeroizing::new(bytes)))
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8; 256] {
        &self.0
    }

    /// What proves the key in a key exchange: number 1 for "ok", 2 for "retry", 3 for "fail".
    pub(crate) fn nonce_hash(&self, new_nonce: &[u8; 32], number: u8) -> [u8; 16] {
        let digest = Sha1::new().chain_update(new_nonce).chain_update([number]).chain_update(self.aux()).finalize();
        *digest.last_chunk().expect("a SHA-1 digest has 20 bytes")
    }

    /// `auth_key_aux_hash`, which names a refused key.
    pub(crate) fn aux_hash(&self) -> i64 {
        i64::from_le_bytes(self.aux())
    }

    fn aux(&self) -> [u8; 8] {
        *Sha1::digest(self.expose()).first_chunk().expect("a SHA-1 digest has 20 bytes")
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey(…)")
    }
}

/// An account that is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The account.
    pub account: AccountId,
    /// Its user id at Telegram.
    pub user_id: i64,
    /// The DC where it lives.
    pub home_dc: i32,
    /// The key of each DC that it has talked to.
    pub keys: BTreeMap<i32, AuthKey>,
    /// The application that it logged in with; `None`: the installation's.
    pub api: Option<ApiCredentials>,
    /// Enough of the phone number to recognise it.
    pub phone_masked: String,
    /// The name that Telegram shows.
    pub name: String,
}

impl Session {
    /// One with the key of its home DC alone.
    pub fn new(account: AccountId, user_id: i64, home_dc: i32, key: AuthKey) -> Self {
        let keys = [(home_dc, key)].into();
        Self { account, user_id, home_dc, keys, api: None, phone_masked: String::new(), name: String::new() }
    }

    /// The key of the home DC.
    pub fn home_key(&self) -> Option<&AuthKey> {
        self.keys.get(&self.home_dc)
    }

    /// As it is sealed. Wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        stored::write(self)
    }

    /// From what [`Self::to_text`] wrote, and from the session files of versions that sealed nothing.
    ///
    /// # Errors
    /// What is wrong, without a word of the text.
    pub fn from_text(text: &str) -> Result<Self, String> {
        stored::read(text)
    }
}
