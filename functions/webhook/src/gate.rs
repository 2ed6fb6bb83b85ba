//! Who gets in: Telegram alone, and of those who write to the bot its admins alone. Pure.
//!
//! What must stay true: the secret is compared first, in constant time, and nothing of a body is read before that; what
//! was sent by anybody else than an admin changes nothing and is answered with silence; no content of a body is logged.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use transfer::bot::Incoming;
use transfer::bot::telegram::{Received, read};
use transfer::ids::ChatId;

/// The header in which Telegram sends the secret back
/// (source: <https://core.telegram.org/bots/api#setwebhook>).
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Bytes of an update; Telegram's are far smaller.
pub const BODY_LEN_MAX: usize = 1 << 20;
/// Characters of a secret that is worth the name; Telegram takes up to 256.
const SECRET_LEN_MIN: usize = 16;
const SECRET_LEN_MAX: usize = 256;

/// The people whom the bot obeys: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admins(BTreeSet<ChatId>);

/// The gate of a webhook.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Of the secret: equally long whatever is compared with it.
    digest: [u8; 32],
    admins: Admins,
}

/// The gate cannot be built: it would stand open, or never open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Nobody is listed.
    #[error("the list of admins is empty: name at least one Telegram user id, such as 123456789")]
    NoAdmins,
    /// An id that is no person's.
    #[error("{0} is no user's id: people have positive ones, such as 123456789")]
    NoPerson(i64),
    /// Anybody could guess it, or Telegram does not take it.
    #[error("the webhook's secret must have {SECRET_LEN_MIN} to {SECRET_LEN_MAX} characters of A-Z, a-z, 0-9, _ and -")]
    Secret,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not know the secret: it is not from Telegram.
    Stranger,
    /// Its body is longer than [`BODY_LEN_MAX`].
    TooLarge,
    /// Its body is no update.
    Unreadable,
}

impl Refused {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Stranger => 401,
            Self::TooLarge => 413,
            Self::Unreadable => 400,
        }
    }
}

impl Admins {
    /// A list of people by their ids.
    ///
    /// # Errors
    /// Nobody is in it, or something that is no person.
    pub fn new(ids: impl IntoIterator<Item = i64>) -> Result<Self, GateError> {
        let ids: BTreeSet<i64> = ids.into_iter().collect();
        if let Some(id) = ids.iter().find(|id| **id <= 0) {
            return Err(GateError::NoPerson(*id));
        }
        if ids.is_empty() {
            return Err(GateError::NoAdmins);
        }
        Ok(Self(ids.into_iter().map(ChatId).collect()))
    }

    /// Their private chats with the bot.
    pub fn chats(&self) -> Vec<ChatId> {
        self.0.iter().copied().collect()
    }

    /// What an admin did; `None` for what strangers did and for what Ferry does not understand.
    pub fn admit(&self, received: Received) -> Option<Incoming> {
        let Some(incoming) = received.incoming else {
            tracing::debug!(update = %received.id, "an update of a kind that means nothing here");
            return None;
        };
        if !self.0.contains(&incoming.chat) {
            // The id is what an admin needs who wants to let somebody in.
            tracing::warn!(user = %incoming.chat, update = %incoming.id, "somebody who is no admin wrote to the bot");
            return None;
        }
        Some(incoming)
    }
}

impl Gate {
    /// A gate that opens to this secret, for these people.
    ///
    /// # Errors
    /// A secret that protects nothing.
    pub fn new(secret: &SecretString, admins: Admins) -> Result<Self, GateError> {
        let secret = secret.expose_secret();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(SECRET_LEN_MIN..=SECRET_LEN_MAX).contains(&secret.len()) || !secret.bytes().all(fits) {
            return Err(GateError::Secret);
        }
        Ok(Self { digest: Sha256::digest(secret).into(), admins })
    }

    /// Whether the header's value is the secret; to be asked before the body is read.
    ///
    /// # Errors
    /// It is not.
    pub fn knock(&self, secret: Option<&[u8]>) -> Result<(), Refused> {
        let given: [u8; 32] = Sha256::digest(secret.unwrap_or_default()).into();
        if bool::from(given.ct_eq(&self.digest)) {
            return Ok(());
        }
        tracing::warn!(given = secret.is_some(), "a request without the webhook's secret was refused");
        Err(Refused::Stranger)
    }

    /// What an admin did, if that is what the request brings; `Ok(None)` is to be answered with 200 and nothing else.
    ///
    /// # Errors
    /// The request is refused; nothing is to be done.
    pub fn admit(&self, secret: Option<&[u8]>, body: &[u8]) -> Result<Option<Incoming>, Refused> {
        self.knock(secret)?;
        if body.len() > BODY_LEN_MAX {
            tracing::warn!(bytes = body.len(), "an update that is too large was refused");
            return Err(Refused::TooLarge);
        }
        match read(body) {
            Ok(received) => Ok(self.admins.admit(received)),
            Err(error) => {
                tracing::warn!(%error, bytes = body.len(), "what was sent with the secret is no update");
                Err(Refused::Unreadable)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "planted-secret_0123456789";

    fn gate() -> Gate {
        Gate::new(&SecretString::from(SECRET), Admins::new([5]).unwrap()).unwrap()
    }

    fn start(user: i64) -> Vec<u8> {
        format!(
            r#"{{"update_id":1,"message":{{"message_id":1,"date":1,"text":"/start",
                "chat":{{"id":{user},"type":"private","first_name":"A"}},
                "from":{{"id":{user},"is_bot":false,"first_name":"A"}}}}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn only_an_admin_through_telegram_gets_in() {
        let gate = gate();
        let admitted = gate.admit(Some(SECRET.as_bytes()), &start(5)).unwrap();
        assert_eq!(admitted.map(|incoming| incoming.chat), Some(ChatId(5)));
        assert_eq!(gate.admit(Some(SECRET.as_bytes()), &start(6)), Ok(None));
        let longer = format!("{SECRET}x");
        for wrong in [None, Some(""), Some("planted"), Some(&SECRET[1..]), Some(longer.as_str())] {
            assert_eq!(gate.admit(wrong.map(str::as_bytes), &start(5)), Err(Refused::Stranger), "{wrong:?}");
        }
    }

    #[test]
    fn the_secret_is_asked_for_before_the_body_is_read() {
        let (gate, huge) = (gate(), vec![b' '; BODY_LEN_MAX + 1]);
        assert_eq!(gate.admit(None, &huge), Err(Refused::Stranger));
        assert_eq!(gate.admit(None, b"{"), Err(Refused::Stranger));
        assert_eq!(gate.admit(Some(SECRET.as_bytes()), &huge), Err(Refused::TooLarge));
        assert_eq!(gate.admit(Some(SECRET.as_bytes()), b"{"), Err(Refused::Unreadable));
        let mut largest = start(5);
        largest.resize(BODY_LEN_MAX, b' ');
        assert!(gate.admit(Some(SECRET.as_bytes()), &largest).unwrap().is_some());
    }

    #[test]
    fn a_gate_that_would_stand_open_is_not_built() {
        assert_eq!(Admins::new([]), Err(GateError::NoAdmins));
        assert_eq!(Admins::new([5, -100]), Err(GateError::NoPerson(-100)));
        let admins = Admins::new([5]).unwrap();
        for secret in ["", "short", "with spaces in it, long enough", &"x".repeat(257)] {
            let built = Gate::new(&SecretString::from(secret), admins.clone());
            assert_eq!(built.map(drop), Err(GateError::Secret), "{secret:?}");
        }
    }

    #[test]
    fn the_secret_is_in_no_debug_output() {
        assert!(!format!("{:?}", gate()).contains("planted"));
    }
}
