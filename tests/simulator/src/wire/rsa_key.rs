//! The server's RSA key: its own, one made new, or one given as PEM, published in the forms that clients want, and used to open the
//! one message of a key exchange that is encrypted with it.
//!
//! Both paddings are taken: RSA_PAD (grammers, mtcute, TDLib) and the SHA-1 of older clients (Telethon). Source:
//! <https://core.telegram.org/mtproto/auth_key>.

use super::crypto::Entropy;
use crate::arithmetic::{pad_256, sha1, sha256};
use grammers_crypto::aes;
use grammers_tl_types::{Cursor, Deserializable, Serializable, enums};
use num_bigint::BigUint;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey, LineEnding};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};

const OWN_KEY: &str = include_str!("simulator.pem");

/// The private key with what is published of it.
pub struct RsaKey {
    modulus: BigUint,
    private_exponent: BigUint,
    pub public: RsaPublic,
}

/// What a client is configured with.
#[derive(Clone, Debug)]
pub struct RsaPublic {
    /// PKCS#1, "BEGIN RSA PUBLIC KEY".
    pub pem: String,
    /// Decimal.
    pub modulus: String,
    /// Decimal.
    pub exponent: String,
    pub fingerprint: i64,
}

/// Why a given key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RsaKeyError {
    #[error("the RSA key is not a PKCS#1 PEM private key")]
    Unreadable(#[source] rsa::pkcs1::Error),
    #[error("the RSA key could not be made")]
    Generate(#[source] rsa::Error),
    #[error("the RSA key has {0} bytes instead of 256")]
    Size(usize),
    #[error("the RSA public key could not be written as PEM")]
    Publish(#[source] rsa::pkcs1::Error),
}

impl RsaKey {
    /// The simulator's own key, the same at every start: whoever configured it once need not do so again. It stands in the
    /// source, because it protects nothing.
    pub fn own() -> Result<RsaKey, RsaKeyError> {
        RsaKey::from_pem(OWN_KEY)
    }

    /// A new key of 2048 bits; takes some tenths of a second.
    pub fn generate() -> Result<RsaKey, RsaKeyError> {
        let key = rsa::RsaPrivateKey::new(&mut Generator(Entropy::from_system()), 2048);
        RsaKey::new(&key.map_err(RsaKeyError::Generate)?)
    }

    /// "BEGIN RSA PRIVATE KEY", 2048 bits.
    pub fn from_pem(pem: &str) -> Result<RsaKey, RsaKeyError> {
        RsaKey::new(&rsa::RsaPrivateKey::from_pkcs1_pem(pem).map_err(RsaKeyError::Unreadable)?)
    }

    fn new(key: &rsa::RsaPrivateKey) -> Result<RsaKey, RsaKeyError> {
        if key.size() != 256 {
            return Err(RsaKeyError::Size(key.size()));
        }
        let (modulus, exponent) = (key.n().to_bytes_be(), key.e().to_bytes_be());
        let digest = sha1(&[&modulus.to_bytes(), &exponent.to_bytes()]);
        let public = RsaPublic {
            pem: key.to_public_key().to_pkcs1_pem(LineEnding::LF).map_err(RsaKeyError::Publish)?,
            modulus: BigUint::from_bytes_be(&modulus).to_string(),
            exponent: BigUint::from_bytes_be(&exponent).to_string(),
            fingerprint: i64::from_le_bytes(*digest.last_chunk().expect("a digest has more than 8 bytes")),
        };
        Ok(RsaKey {
            modulus: BigUint::from_bytes_be(&modulus),
            private_exponent: BigUint::from_bytes_be(&key.d().to_bytes_be()),
            public,
        })
    }

    /// Opens `encrypted_data` of `req_DH_params`. `None` if neither padding fits.
    pub fn open(&self, encrypted: &[u8]) -> Option<enums::PQInnerData> {
        let number = BigUint::from_bytes_be(encrypted);
        if number >= self.modulus {
            return None;
        }
        let block = pad_256(&number.modpow(&self.private_exponent, &self.modulus));
        open_sha1(&block).or_else(|| open_rsa_pad(&block))
    }
}

/// A zero byte, SHA-1 of the data, the data, anything up to 256 bytes.
fn open_sha1(block: &[u8; 256]) -> Option<enums::PQInnerData> {
    let ([0], rest) = block.split_first_chunk::<1>()? else { return None };
    let (digest, content) = rest.split_first_chunk::<20>()?;
    let mut cursor = Cursor::from_slice(content);
    let inner = enums::PQInnerData::deserialize(&mut cursor).ok()?;
    (sha1(&[&content[..cursor.pos()]]) == *digest).then_some(inner)
}

/// A key masked with the hash of what it encrypts: the data, padded, turned round, with its hash behind it.
fn open_rsa_pad(block: &[u8; 256]) -> Option<enums::PQInnerData> {
    let (masked_key, encrypted) = block.split_first_chunk::<32>()?;
    let mask = sha256(&[encrypted]);
    let key: [u8; 32] = std::array::from_fn(|i| masked_key[i] ^ mask[i]);
    let mut plain = encrypted.to_vec();
    aes::ige_decrypt(&mut plain, &key, &[0; 32]);
    let (padded, digest) = plain.split_at_mut(192);
    padded.reverse();
    if sha256(&[&key, padded]) != *digest {
        return None;
    }
    enums::PQInnerData::from_bytes(padded).ok()
}

/// `rsa` draws from an older generation of the traits.
struct Generator(Entropy);

impl rsa::rand_core::CryptoRng for Generator {}

impl rsa::rand_core::RngCore for Generator {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammers_tl_types::types;

    #[test]
    fn both_paddings_are_opened_and_nothing_else() {
        let key = RsaKey::generate().unwrap();
        let inner = enums::PQInnerData::Dc(types::PQInnerDataDc {
            pq: vec![1; 8],
            p: vec![2; 4],
            q: vec![3; 4],
            nonce: [4; 16],
            server_nonce: [5; 16],
            new_nonce: [6; 32],
            dc: 2,
        });
        let bytes = inner.to_bytes();
        let exponent: BigUint = key.public.exponent.parse().unwrap();
        let encrypt = |block: &[u8]| BigUint::from_bytes_be(block).modpow(&exponent, &key.modulus).to_bytes_be();

        let public = grammers_crypto::rsa::Key::new(&key.public.modulus, &key.public.exponent).unwrap();
        let rsa_pad = grammers_crypto::rsa::encrypt_hashed(&bytes, &public, &[9; 224]);
        assert_eq!(key.open(&rsa_pad), Some(inner.clone()));

        let mut block = [&[0][..], &sha1(&[&bytes]), &bytes].concat();
        block.resize(256, 7);
        assert_eq!(key.open(&encrypt(&block)), Some(inner));

        block[30] ^= 1;
        assert_eq!(key.open(&encrypt(&block)), None);
        assert_eq!(key.open(&[255; 256]), None);
        assert_eq!(key.open(&[]), None);
    }

    #[test]
    fn a_key_comes_back_from_its_pem() {
        use rsa::pkcs1::EncodeRsaPrivateKey;
        let key = rsa::RsaPrivateKey::new(&mut Generator(Entropy::from_system()), 2048).unwrap();
        let pem = key.to_pkcs1_pem(LineEnding::LF).unwrap();
        let read = RsaKey::from_pem(&pem).unwrap();
        assert_eq!(read.public.fingerprint, RsaKey::new(&key).unwrap().public.fingerprint);
        assert!(RsaKey::from_pem("nothing").is_err());
    }
}
