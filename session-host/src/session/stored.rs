//! A session as text: what is sealed, and what older versions kept in files.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use transfer::ids::AccountId;
use zeroize::Zeroizing;

use super::{AuthKey, Session};
use crate::telegram::setup::ApiCredentials;

/// The form that this version writes; it reads this and older ones.
const SCHEMA: u32 = 1;

/// Keys are hexadecimal.
#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u32,
    account: AccountId,
    user_id: i64,
    home_dc: i32,
    keys: BTreeMap<i32, Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<StoredApi>,
    #[serde(default)]
    phone_masked: String,
    #[serde(default)]
    name: String,
}

#[derive(Serialize, Deserialize)]
struct StoredApi {
    id: i32,
    hash: Zeroizing<String>,
}

impl From<&Session> for Stored {
    fn from(session: &Session) -> Self {
        let api = session.api.as_ref();
        Self {
            schema: SCHEMA,
            account: session.account.clone(),
            user_id: session.user_id,
            home_dc: session.home_dc,
            keys: session.keys.iter().map(|(dc, key)| (*dc, hex(key.expose()))).collect(),
            api: api.map(|api| StoredApi { id: api.id, hash: api.hash.expose_secret().to_owned().into() }),
            phone_masked: session.phone_masked.clone(),
            name: session.name.clone(),
        }
    }
}

pub(super) fn write(session: &Session) -> Zeroizing<String> {
    let text = serde_json::to_string(&Stored::from(session));
    Zeroizing::new(text.expect("numbers and texts can be written"))
}

pub(super) fn read(text: &str) -> Result<Session, String> {
    // serde's error would quote what it stumbled over, which may be a key: only its place is told.
    let stored: Stored = serde_json::from_str(text)
        .map_err(|error| format!("not valid at line {}, column {}", error.line(), error.column()))?;
    if stored.schema > SCHEMA {
        return Err(format!("it was written by a newer version (schema {})", stored.schema));
    }
    let mut keys = BTreeMap::new();
    for (dc, text) in &stored.keys {
        keys.insert(*dc, unhex(text).ok_or_else(|| format!("the key of DC {dc} has not 256 bytes"))?);
    }
    if !keys.contains_key(&stored.home_dc) {
        return Err(format!("the key of its home DC {} is missing", stored.home_dc));
    }
    let api = stored.api.map(|api| ApiCredentials { id: api.id, hash: SecretString::from(api.hash.as_str()) });
    Ok(Session {
        account: stored.account,
        user_id: stored.user_id,
        home_dc: stored.home_dc,
        keys,
        api,
        phone_masked: stored.phone_masked,
        name: stored.name,
    })
}

/// 256 bytes in hexadecimal. Wiped when dropped.
pub(crate) fn hex(bytes: &[u8; 256]) -> Zeroizing<String> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = Zeroizing::new(String::with_capacity(512));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// A key from its hexadecimal form.
pub(crate) fn unhex(text: &str) -> Option<AuthKey> {
    let mut bytes = Zeroizing::new([0; 256]);
    if text.len() != 512 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(0..256) {
        *byte = u8::from_str_radix(&text[2 * pair..2 * pair + 2], 16).ok()?;
    }
    Some(AuthKey::new(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let key = AuthKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0x5a));
        Session {
            account: "7000000001".into(),
            user_id: 7_000_000_001,
            home_dc: 2,
            keys: [(2, key)].into(),
            api: Some(ApiCredentials { id: 5, hash: "an own hash".into() }),
            phone_masked: "+10…01".to_owned(),
            name: "Ann".to_owned(),
        }
    }

    #[test]
    fn a_session_survives_its_text() {
        let session = session();
        let text = write(&session);
        let back = read(&text).unwrap();
        assert_eq!(*write(&back), *text);
        assert_eq!(back.home_key().unwrap().expose(), session.home_key().unwrap().expose());
        assert_eq!((back.account, back.user_id, back.home_dc), (session.account, 7_000_000_001, 2));
        assert_eq!(back.api.unwrap().hash.expose_secret(), "an own hash");
    }

    #[test]
    fn damaged_texts_are_refused_without_quoting_a_key() {
        let session = session();
        let good = write(&session);
        let key = hex(session.home_key().unwrap().expose());
        let damages = [
            good[..good.len() / 2].to_owned(),
            good.replace(&key[..2], ""),
            good.replace("\"home_dc\":2", "\"home_dc\":3"),
            good.replace("\"schema\":1", "\"schema\":9"),
            good.replace("7000000001,", &format!("\"{}\",", &key[..])),
        ];
        for damaged in damages {
            assert_ne!(damaged, **good);
            let why = read(&damaged).unwrap_err();
            assert!(!why.contains(&key[..8]), "{why}");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let text = format!("{:?}", session());
        assert!(text.contains("AuthKey(…)") && !text.contains("5a5b") && !text.contains("90, 91"), "{text}");
        assert!(!text.contains("an own hash"), "{text}");
    }
}
