//! Where a login stands, as text that is sealed between two steps. Everything in it is secret, and wiped when dropped.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::session::{AuthKey, hex, unhex};

/// The form that this version writes; it reads this and older ones.
const SCHEMA: u32 = 1;

/// Where a login stands.
#[derive(Clone)]
pub struct Progress {
    pub(super) dc: i32,
    pub(super) key: AuthKey,
    pub(super) phone: Option<SecretString>,
    pub(super) code_hash: Option<SecretString>,
    /// A token that was scanned, and is to be brought to this DC.
    pub(super) token: Option<Zeroizing<Vec<u8>>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u32,
    dc: i32,
    key: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_hash: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<Zeroizing<String>>,
}

/// The text is no progress: damaged, or of a newer version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the progress of a login cannot be read; begin it again")]
pub struct BadProgress;

impl Progress {
    pub(super) fn new(dc: i32, key: AuthKey) -> Self {
        Self { dc, key, phone: None, code_hash: None, token: None }
    }

    /// Whether a code was sent that can be taken back.
    pub fn has_code(&self) -> bool {
        self.code_hash.is_some()
    }

    /// As it is sealed.
    pub fn to_text(&self) -> Zeroizing<String> {
        let secret = |secret: &SecretString| Zeroizing::new(secret.expose_secret().to_owned());
        let stored = Stored {
            schema: SCHEMA,
            dc: self.dc,
            key: hex(self.key.expose()),
            phone: self.phone.as_ref().map(secret),
            code_hash: self.code_hash.as_ref().map(secret),
            token: self.token.as_ref().map(|token| Zeroizing::new(URL_SAFE_NO_PAD.encode(token))),
        };
        Zeroizing::new(serde_json::to_string(&stored).expect("numbers and texts can be written"))
    }

    /// From what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// It is damaged, or of a newer version.
    pub fn from_text(text: &[u8]) -> Result<Self, BadProgress> {
        let stored: Stored = serde_json::from_slice(text).map_err(|_quotes_it| BadProgress)?;
        if stored.schema > SCHEMA {
            return Err(BadProgress);
        }
        let secret = |text: Zeroizing<String>| SecretString::from(text.as_str());
        let token = stored.token.map(|token| URL_SAFE_NO_PAD.decode(token.as_bytes()).map(Zeroizing::new));
        Ok(Self {
            dc: stored.dc,
            key: unhex(&stored.key).ok_or(BadProgress)?,
            phone: stored.phone.map(secret),
            code_hash: stored.code_hash.map(secret),
            token: token.transpose().map_err(|_no_base64| BadProgress)?,
        })
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress(at DC {})", self.dc)
    }
}

/// What a QR code says (source: <https://core.telegram.org/api/qr-login>).
pub(super) fn token_url(token: &[u8]) -> Zeroizing<String> {
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(token));
    Zeroizing::new(format!("tg://login?token={}", *token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            phone: Some("+447700900021".into()),
            code_hash: Some("hash".into()),
            token: Some(Zeroizing::new(vec![1, 2, 255])),
            ..Progress::new(4, AuthKey::new([0x5a; 256]))
        }
    }

    #[test]
    fn a_progress_survives_its_text_and_stays_out_of_debug() {
        for progress in [progress(), Progress::new(2, AuthKey::new([7; 256]))] {
            let text = progress.to_text();
            assert_eq!(*Progress::from_text(text.as_bytes()).unwrap().to_text(), *text);
            assert_eq!(format!("{progress:?}"), format!("Progress(at DC {})", progress.dc));
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused_and_what_is_read_is_written_the_same() {
        let good = progress().to_text();
        bolero::check!().with_type::<(Vec<u8>, usize, u8)>().for_each(|(bytes, place, with)| {
            let mut changed = good.as_bytes().to_vec();
            let at = place % changed.len();
            changed[at] = *with;
            for text in [bytes.as_slice(), &changed, &good.as_bytes()[..at]] {
                if let Ok(read) = Progress::from_text(text) {
                    let again = read.to_text();
                    assert_eq!(*Progress::from_text(again.as_bytes()).unwrap().to_text(), *again);
                }
            }
        });
    }
}
