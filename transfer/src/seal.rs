//! Secrets are sealed before they touch table or queue, and whoever can seal can never open.
//!
//! Sealing is HPKE (RFC 9180; X25519, HKDF-SHA256, ChaCha20-Poly1305): it takes a public key alone, which is all that the
//! webhook function holds. The private half and everything that opens live with the session host. A sealed secret is bound
//! to the item it stands in and to what it is, so that nobody who can write to the table can move it elsewhere and have it
//! used there. It names its key, so that keys can be changed while the system runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable, single_shot_seal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::table::Key;

/// The suite; whoever opens must name the same.
pub type SealKem = X25519HkdfSha256;
/// The suite; whoever opens must name the same.
pub type SealKdf = HkdfSha256;
/// The suite; whoever opens must name the same.
pub type SealAead = ChaCha20Poly1305;
/// HPKE's `info`: what is sealed for another purpose does not open here.
pub const INFO: &[u8] = b"ferry sealed secret 1";

/// What a sealed secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// An account's auth keys, and the application it logged in with.
    Session,
    /// A phone number.
    Phone,
    /// The hash of an application of an account's own.
    ApiHash,
    /// One digit of a login code.
    Digit,
    /// A two-step password.
    Password,
    /// Where a login stands at Telegram: its key, and what the next call has to name.
    Progress,
}

/// A key's name: it follows from the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

/// The public half of a key: whoever has it can seal.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey {
    id: KeyId,
    public: <SealKem as Kem>::PublicKey,
}

/// A secret that only the holder of the private key can read. Its `Debug` shows the key's name and a length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Which key opens it.
    pub key_id: KeyId,
    /// HPKE's encapsulated key, in base64.
    pub encapsulated: String,
    /// The ciphertext with its tag, in base64.
    pub ciphertext: String,
}

/// Where the public key comes from.
#[derive(Clone)]
pub struct Sealer(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<SealingKey>),
    File(PathBuf),
}

/// Why something could not be sealed. It is not stored then.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The text is no public key.
    #[error("the sealing key is none: it has 43 characters of A-Z, a-z, 0-9, _ and -; print it with ferry keys show")]
    BadKey,
    /// The file with the public key cannot be read.
    #[error("cannot read the sealing key {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The cipher refused.
    #[error("the secret could not be sealed")]
    Cipher,
}

impl SecretKind {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Phone => "phone",
            Self::ApiHash => "api_hash",
            Self::Digit => "digit",
            Self::Password => "password",
            Self::Progress => "progress",
        }
    }

    /// HPKE's associated data of a secret of this kind in this item.
    pub fn bound_to(self, key: &Key) -> Vec<u8> {
        format!("{key}|{}", self.word()).into_bytes()
    }
}

impl SealingKey {
    /// From the 32 bytes of an X25519 public key.
    ///
    /// # Errors
    /// They are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let public = <SealKem as Kem>::PublicKey::from_bytes(bytes).map_err(|_unfit| SealError::BadKey)?;
        let digest = Sha256::digest(bytes);
        let id = digest.iter().take(6).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        Ok(Self { id: KeyId(id), public })
    }

    /// Its name.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Seals a secret of an item.
    ///
    /// # Errors
    /// The cipher refused: it never does for secrets of less than gigabytes.
    pub fn seal(&self, secret: &[u8], kind: SecretKind, item: &Key) -> Result<Sealed, SealError> {
        let sealed = single_shot_seal::<SealAead, SealKdf, SealKem>(
            &OpModeS::Base,
            &self.public,
            INFO,
            secret,
            &kind.bound_to(item),
        );
        let (encapsulated, ciphertext) = sealed.map_err(|_hpke| SealError::Cipher)?;
        Ok(Sealed {
            key_id: self.id.clone(),
            encapsulated: STANDARD.encode(encapsulated.to_bytes()),
            ciphertext: STANDARD.encode(ciphertext),
        })
    }
}

impl fmt::Display for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.public.to_bytes()))
    }
}

impl FromStr for SealingKey {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_no_base64| SealError::BadKey)?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} characters under key {})", self.ciphertext.len(), self.key_id.0)
    }
}

impl Sealer {
    /// Always this key.
    pub fn fixed(key: SealingKey) -> Self {
        Self(Source::Fixed(Arc::new(key)))
    }

    /// The key that stands in this file: looked at each time, so that a new key is used from the moment it stands there.
    pub fn file(path: &Path) -> Self {
        Self(Source::File(path.to_owned()))
    }

    /// The key of now.
    ///
    /// # Errors
    /// The file cannot be read or holds no key.
    pub fn key(&self) -> Result<Arc<SealingKey>, SealError> {
        match &self.0 {
            Source::Fixed(key) => Ok(key.clone()),
            Source::File(path) => {
                let read = std::fs::read_to_string(path);
                let text = read.map_err(|source| SealError::Unreadable { path: path.clone(), source })?;
                text.parse().map(Arc::new)
            }
        }
    }

    /// Seals a secret of an item under the key of now.
    ///
    /// # Errors
    /// There is no key, or the cipher refused.
    pub fn seal(&self, secret: &[u8], kind: SecretKind, item: &Key) -> Result<Sealed, SealError> {
        self.key()?.seal(secret, kind, item)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(key) => f.debug_tuple("Sealer").field(key).finish(),
            Source::File(path) => f.debug_tuple("Sealer").field(path).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hpke::{OpModeR, single_shot_open};

    use super::*;
    use crate::ids::AccountId;

    fn pair() -> (<SealKem as Kem>::PrivateKey, SealingKey) {
        let (private, public) = SealKem::derive_keypair(&[7; 32]);
        (private, SealingKey::from_bytes(&public.to_bytes()).unwrap())
    }

    fn open(sealed: &Sealed, kind: SecretKind, item: &Key) -> Option<Vec<u8>> {
        let encapsulated = STANDARD.decode(&sealed.encapsulated).unwrap();
        let encapsulated = <SealKem as Kem>::EncappedKey::from_bytes(&encapsulated).unwrap();
        let ciphertext = STANDARD.decode(&sealed.ciphertext).unwrap();
        let (mode, bound) = (OpModeR::Base, kind.bound_to(item));
        single_shot_open::<SealAead, SealKdf, SealKem>(&mode, &pair().0, &encapsulated, INFO, &ciphertext, &bound).ok()
    }

    #[test]
    fn a_secret_opens_where_it_belongs_and_nowhere_else() {
        let (_, key) = pair();
        let (here, there) = (Key::account(&AccountId::from("1")), Key::account(&AccountId::from("2")));
        let sealed = key.seal(b"planted", SecretKind::Phone, &here).unwrap();
        assert_eq!(open(&sealed, SecretKind::Phone, &here).as_deref(), Some(&b"planted"[..]));
        assert_eq!(open(&sealed, SecretKind::Phone, &there), None);
        assert_eq!(open(&sealed, SecretKind::Password, &here), None);
        let twice = key.seal(b"planted", SecretKind::Phone, &here).unwrap();
        assert_ne!(sealed.ciphertext, twice.ciphertext, "whoever reads the table must not see what is equal");
        let text = format!("{sealed:?} {}", serde_json::to_string(&sealed).unwrap());
        assert!(!text.contains("planted") && !text.contains(&STANDARD.encode("planted")), "{text}");
    }

    #[test]
    fn a_public_key_is_a_line_of_text() {
        let (_, key) = pair();
        assert_eq!(key.to_string().parse::<SealingKey>().unwrap(), key);
        assert_eq!(key.to_string().len(), 43);
        for wrong in ["", "x", &"A".repeat(42), &format!("{key}A")] {
            assert!(matches!(wrong.parse::<SealingKey>(), Err(SealError::BadKey)), "{wrong:?}");
        }
    }
}
