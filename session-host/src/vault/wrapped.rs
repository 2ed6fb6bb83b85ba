//! A key ring whose private keys are wrapped by a key of KMS: what a host in AWS is handed at its start.
//!
//! The wrapped ring may lie in a secret store, in a task definition or in a backup: without the right to unwrap under this
//! installation's context nobody can use it. Unwrapped keys stay in memory.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use transfer::seal::KeyId;
use zeroize::Zeroizing;

use super::{Private, Ring, Vault, VaultError};

/// The encryption context's name under which an installation wraps its keys; the value is the installation's stage.
pub const CONTEXT: &str = "ferry";
/// How long unwrapping one key may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The ring as it is handed over, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedRing {
    /// The form of a ring; 1.
    schema: u32,
    /// Which key seals now.
    current: KeyId,
    /// All of them.
    keys: Vec<WrappedKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrappedKey {
    id: KeyId,
    /// KMS's ciphertext of the 32 bytes, in base64.
    wrapped_key: String,
}

/// Why a ring that was handed over cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WrappedError {
    /// It is no ring. What stands there is not quoted.
    #[error("{0} holds no wrapped key ring: infra/deploy puts one there")]
    NoRing(String),
    /// KMS said no, or nothing.
    #[error("key {} of the key ring cannot be unwrapped: {why}", id.0)]
    Refused {
        /// Which key.
        id: KeyId,
        /// What KMS said.
        why: String,
    },
    /// It was unwrapped, and is none.
    #[error(transparent)]
    Unfit(#[from] VaultError),
}

/// KMS, for one installation.
#[derive(Debug, Clone)]
pub struct Kms {
    client: Client,
    stage: String,
}

impl Kms {
    /// Unwraps what was wrapped for this stage. Timeouts of `client` are replaced.
    pub fn new(client: &Client, stage: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build();
        let client = Client::from_conf(client.config().to_builder().timeout_config(timeouts).build());
        Self { client, stage: stage.into() }
    }

    /// The bytes that were wrapped.
    ///
    /// # Errors
    /// With the reason, for a person.
    pub async fn unwrap_key(&self, wrapped: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, String> {
        let decrypt = self.client.decrypt().ciphertext_blob(Blob::new(wrapped));
        let decrypted = decrypt.encryption_context(CONTEXT, &self.stage).send().await;
        let decrypted = decrypted.map_err(|error| DisplayErrorContext(error).to_string())?;
        let plaintext = decrypted.plaintext.ok_or_else(|| "the answer holds no key".to_owned())?;
        Ok(Zeroizing::new(plaintext.into_inner()))
    }
}

impl WrappedRing {
    /// Reads it from `origin` (a name for error texts).
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str, origin: &str) -> Result<Self, WrappedError> {
        serde_json::from_str(text).map_err(|_broken| WrappedError::NoRing(origin.to_owned()))
    }

    /// The vault with all its keys, each unwrapped by `unwrap_key`. `origin` names it in error texts.
    ///
    /// # Errors
    /// A key cannot be unwrapped, or is not what its name says.
    pub async fn open<F>(self, unwrap_key: F, origin: &str) -> Result<Vault, WrappedError>
    where
        F: AsyncFn(Vec<u8>) -> Result<Zeroizing<Vec<u8>>, String>,
    {
        let mut keys = Vec::with_capacity(self.keys.len());
        for WrappedKey { id, wrapped_key } in self.keys {
            let refused = |why: String| WrappedError::Refused { id: id.clone(), why };
            let wrapped = STANDARD.decode(wrapped_key).map_err(|_no_base64| refused("it is no base64".to_owned()))?;
            let bytes = unwrap_key(wrapped).await.map_err(refused)?;
            keys.push(Private { id, private_key: Zeroizing::new(STANDARD.encode(&*bytes)) });
        }
        Ok(Vault::handed_over(origin, Ring { schema: self.schema, current: self.current, keys })?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use transfer::ids::AccountId;
    use transfer::seal::SecretKind;
    use transfer::table::Key;

    use super::*;

    /// Wrapping is adding one to each byte: what is not wrapped so gives another key.
    async fn minus_one(wrapped: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, String> {
        if wrapped.len() != 32 {
            return Err("InvalidCiphertextException".to_owned());
        }
        Ok(Zeroizing::new(wrapped.into_iter().map(|byte| byte.wrapping_sub(1)).collect()))
    }

    fn wrapped(key: &Private) -> String {
        let bytes = STANDARD.decode(key.private_key.as_bytes()).unwrap();
        STANDARD.encode(bytes.into_iter().map(|byte| byte.wrapping_add(1)).collect::<Vec<u8>>())
    }

    async fn opened(text: &str) -> Result<Vault, WrappedError> {
        WrappedRing::read(text, "FERRY_KEYS")?.open(minus_one, "FERRY_KEYS").await
    }

    #[tokio::test]
    async fn a_ring_that_was_handed_over_opens_what_its_keys_sealed_and_is_not_changed() {
        let (old, new) = (Private::new(), Private::new());
        let ring = json!({ "schema": 1, "current": new.id, "keys": [
            { "id": old.id, "wrapped_key": wrapped(&old) }, { "id": new.id, "wrapped_key": wrapped(&new) },
        ]});
        let vault = opened(&ring.to_string()).await.unwrap();
        assert_eq!(*vault.current().unwrap().id(), new.id);
        assert!(vault.holds(&old.id).unwrap() && !vault.holds(&KeyId("none".to_owned())).unwrap());
        let here = Key::session(&AccountId::from("1"));
        let sealed = vault.current().unwrap().seal(b"planted", SecretKind::Session, &here).unwrap();
        assert_eq!(*vault.open(&sealed, SecretKind::Session, &here).unwrap(), b"planted");
        let refused = vault.add_key().unwrap_err();
        assert!(matches!(refused, VaultError::Fixed(_)) && refused.to_string().contains("FERRY_KEYS"), "{refused}");
    }

    #[tokio::test]
    async fn every_unfit_ring_is_refused_without_quoting_it() {
        let (key, other) = (Private::new(), Private::new());
        let ring = |current: &KeyId, id: &KeyId, wrapped: &str| {
            json!({ "schema": 1, "current": current, "keys": [{ "id": id, "wrapped_key": wrapped }] }).to_string()
        };
        for (text, words) in [
            ("planted".to_owned(), "infra/deploy"),
            (json!({ "schema": 1, "current": key.id, "keys": [], "planted": 1 }).to_string(), "infra/deploy"),
            (ring(&key.id, &key.id, "planted!"), "base64"),
            (ring(&key.id, &key.id, "cGxhbnRlZA=="), "InvalidCiphertext"),
            (ring(&other.id, &key.id, &wrapped(&key)), "current key is missing"),
            (ring(&other.id, &other.id, &wrapped(&key)), "not what its name says"),
            (ring(&key.id, &key.id, &wrapped(&key)).replace("\"schema\":1", "\"schema\":9"), "newer version"),
        ] {
            let told = opened(&text).await.unwrap_err().to_string();
            assert!(told.contains(words) && !told.contains("planted"), "{told}");
        }
    }
}
