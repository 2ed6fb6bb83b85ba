//! The server's half of MTProto 2.0's message encryption.
//!
//! Source: <https://core.telegram.org/mtproto/description>. The offsets into the key are 0 for what a client wrote and
//! 8 for what a server writes.

use crate::arithmetic::{sha1, sha256};
use crate::world::AuthKeyId;
use grammers_crypto::aes;
use rand::{RngCore, SeedableRng, rngs::StdRng};

/// Randomness of the wire: nonces, keys, paddings. It is drawn from the system, because two simulators must not share
/// keys; nothing that the world decides depends on it.
pub struct Entropy(StdRng);

impl Entropy {
    pub fn from_system() -> Entropy {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system has randomness");
        Entropy(StdRng::from_seed(seed))
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub fn int64(&mut self) -> i64 {
        i64::from_le_bytes(self.bytes())
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// An authorisation key: 256 bytes that one client and the server share.
pub struct AuthKey {
    pub bytes: [u8; 256],
    pub id: AuthKeyId,
}

impl AuthKey {
    pub fn new(bytes: [u8; 256]) -> AuthKey {
        let digest = sha1(&[&bytes]);
        let id = i64::from_le_bytes(*digest.last_chunk().expect("a digest has more than 8 bytes"));
        AuthKey { bytes, id: AuthKeyId(id) }
    }

    /// `new_nonce_hash1`, 2 or 3, by `number`, as the end of a key exchange has it.
    pub fn nonce_hash(&self, new_nonce: &[u8; 32], number: u8) -> [u8; 16] {
        let aux_hash = &sha1(&[&self.bytes])[..8];
        let digest = sha1(&[new_nonce, &[number], aux_hash]);
        *digest.last_chunk().expect("a digest has more than 16 bytes")
    }

    /// Opens what stands behind the key id of a client's packet: message key and ciphertext. `None` if it is not
    /// encrypted with this key.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (message_key, ciphertext) = sealed.split_first_chunk::<16>()?;
        if ciphertext.len() < 48 || !ciphertext.len().is_multiple_of(16) {
            return None;
        }
        let (key, iv) = self.derive(message_key, 0);
        let mut plain = ciphertext.to_vec();
        aes::ige_decrypt(&mut plain, &key, &iv);
        (sha256(&[&self.bytes[88..120], &plain])[8..24] == message_key[..]).then_some(plain)
    }

    /// Seals `parts`, one after the other, for a client: key id, message key and ciphertext.
    pub fn seal(&self, parts: &[&[u8]], entropy: &mut Entropy) -> Vec<u8> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let padding_len = 12 + (16 - (len + 12) % 16) % 16;
        let mut sealed = Vec::with_capacity(24 + len + padding_len);
        sealed.extend_from_slice(&self.id.0.to_le_bytes());
        sealed.extend_from_slice(&[0; 16]);
        parts.iter().for_each(|part| sealed.extend_from_slice(part));
        sealed.resize(24 + len + padding_len, 0);
        entropy.fill(&mut sealed[24 + len..]);
        let large = sha256(&[&self.bytes[96..128], &sealed[24..]]);
        let message_key: &[u8; 16] = large[8..24].first_chunk().expect("16 bytes were cut");
        sealed[8..24].copy_from_slice(message_key);
        let (key, iv) = self.derive(message_key, 8);
        aes::ige_encrypt(&mut sealed[24..], &key, &iv);
        sealed
    }

    fn derive(&self, message_key: &[u8; 16], offset: usize) -> ([u8; 32], [u8; 32]) {
        let a = sha256(&[message_key, &self.bytes[offset..offset + 36]]);
        let b = sha256(&[&self.bytes[40 + offset..76 + offset], message_key]);
        let (mut key, mut iv) = ([0; 32], [0; 32]);
        key[..8].copy_from_slice(&a[..8]);
        key[8..24].copy_from_slice(&b[8..24]);
        key[24..].copy_from_slice(&a[24..]);
        iv[..8].copy_from_slice(&b[..8]);
        iv[8..24].copy_from_slice(&a[8..24]);
        iv[24..].copy_from_slice(&b[24..]);
        (key, iv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammers_crypto::{DequeBuffer, decrypt_data_v2, encrypt_data_v2};

    #[test]
    fn grammers_opens_what_is_sealed_and_is_opened_in_turn() {
        let mut entropy = Entropy::from_system();
        let key = AuthKey::new(entropy.bytes());
        let theirs = grammers_crypto::AuthKey::from_bytes(key.bytes);
        for len in [0_usize, 4, 12, 16, 20, 1000] {
            let plain = vec![5; len.max(16)];
            let mut sealed = key.seal(&[&plain[..8], &plain[8..]], &mut entropy);
            let opened = decrypt_data_v2(&mut sealed, &theirs).unwrap();
            assert_eq!(opened[..plain.len()], plain);
            assert!((12..=1024).contains(&(opened.len() - plain.len())));

            let mut buffer = DequeBuffer::with_capacity(4096, 4096);
            buffer.extend(vec![6; 32 + len]);
            encrypt_data_v2(&mut buffer, &theirs);
            let opened = key.open(&buffer[..][8..]).unwrap();
            assert_eq!(opened[..32 + len], vec![6; 32 + len]);
        }
    }

    #[test]
    fn a_changed_byte_is_not_opened() {
        let key = AuthKey::new([3; 256]);
        assert!(key.open(&[0; 80]).is_none());
        assert!(key.open(&[0; 17]).is_none());
        assert!(key.open(&[]).is_none());
    }
}
