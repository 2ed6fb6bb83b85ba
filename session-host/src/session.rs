//! Sessions: the auth keys of an account, in memory and on disk.
//!
//! A session is full control of its account. It stands in one file per account, readable by its owner alone, and is
//! replaced as a whole: after a crash there is the old file or the new one. Keys are wiped when dropped and never
//! appear in `Debug`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use transfer::ids::AccountId;
use zeroize::Zeroizing;

/// The form of the files that this version writes; it reads this and older ones.
const SCHEMA: u32 = 1;

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
    /// Enough of the phone number to recognise it.
    pub phone_masked: String,
    /// The name that Telegram shows.
    pub name: String,
}

impl Session {
    /// One with the key of its home DC alone.
    pub fn new(account: AccountId, user_id: i64, home_dc: i32, key: AuthKey) -> Self {
        let keys = [(home_dc, key)].into();
        Self { account, user_id, home_dc, keys, phone_masked: String::new(), name: String::new() }
    }

    /// The key of the home DC.
    pub fn home_key(&self) -> Option<&AuthKey> {
        self.keys.get(&self.home_dc)
    }
}

/// The file's content. Keys are hexadecimal.
#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u32,
    account: AccountId,
    user_id: i64,
    home_dc: i32,
    keys: BTreeMap<i32, Zeroizing<String>>,
    #[serde(default)]
    phone_masked: String,
    #[serde(default)]
    name: String,
}

/// Why a session cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is none.
    #[error("account {0} is not logged in here; run: ferry account add")]
    Missing(AccountId),
    /// Others could read it.
    #[error("{} may be read by others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is damaged, or of a newer version.
    #[error("{} is no session: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The account's id cannot be a file name.
    #[error("{0:?} cannot be the name of a session")]
    BadName(String),
    /// The disk said no.
    #[error("session file {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The sessions of a directory.
#[derive(Debug, Clone)]
pub struct Sessions {
    dir: PathBuf,
}

impl Sessions {
    /// Those in `dir`, which is made (for its owner alone) at the first save.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// See [`SessionError`].
    #[expect(clippy::unused_async, reason = "sealed sessions will come from the table, over the network")]
    pub async fn load(&self, account: &AccountId) -> Result<Session, SessionError> {
        let path = self.path(account)?;
        let mode = match fs::metadata(&path) {
            Ok(metadata) => metadata.permissions().mode() & 0o777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SessionError::Missing(account.clone()));
            }
            Err(source) => return Err(SessionError::Io { path, source }),
        };
        if mode & 0o077 != 0 {
            return Err(SessionError::Open { path, mode });
        }
        let text = fs::read_to_string(&path).map(Zeroizing::new);
        let text = text.map_err(|source| SessionError::Io { path: path.clone(), source })?;
        let session = parse(&text).map_err(|why| SessionError::Damaged { path: path.clone(), why })?;
        if session.account != *account {
            return Err(SessionError::Damaged { path, why: format!("it is of account {}", session.account) });
        }
        Ok(session)
    }

    /// Writes one, replacing what was there: a temporary file, synced, renamed over the old one. If the process dies on
    /// the way, the old one stays.
    ///
    /// # Errors
    /// See [`SessionError`].
    #[expect(clippy::unused_async, reason = "sealed sessions will go to the table, over the network")]
    pub async fn save(&self, session: &Session) -> Result<(), SessionError> {
        let path = self.path(&session.account)?;
        self.write(&path, session).map_err(|source| SessionError::Io { path, source })
    }

    /// The accounts that have one, sorted.
    ///
    /// # Errors
    /// The directory cannot be read; one that does not exist has none.
    #[expect(clippy::unused_async, reason = "sealed sessions will come from the table, over the network")]
    pub async fn list(&self) -> Result<Vec<AccountId>, SessionError> {
        let failed = |source| SessionError::Io { path: self.dir.clone(), source };
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut accounts = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                accounts.push(AccountId::from(stem));
            }
        }
        accounts.sort();
        Ok(accounts)
    }

    /// Erases one. One that is not there is erased already.
    ///
    /// # Errors
    /// The disk said no.
    #[expect(clippy::unused_async, reason = "sealed sessions will be in the table, over the network")]
    pub async fn remove(&self, account: &AccountId) -> Result<(), SessionError> {
        let path = self.path(account)?;
        match fs::remove_file(&path) {
            Ok(()) => sync_dir(&self.dir).map_err(|source| SessionError::Io { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(SessionError::Io { path, source }),
        }
    }

    fn path(&self, account: &AccountId) -> Result<PathBuf, SessionError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if account.0.is_empty() || account.0.len() > 64 || !account.0.chars().all(plain) {
            return Err(SessionError::BadName(account.0.clone()));
        }
        Ok(self.dir.join(format!("{account}.json")))
    }

    fn write(&self, path: &Path, session: &Session) -> io::Result<()> {
        if !self.dir.exists() {
            fs::create_dir_all(&self.dir)?;
            fs::set_permissions(&self.dir, Permissions::from_mode(0o700))?;
        }
        let text = Zeroizing::new(serde_json::to_string_pretty(&Stored::from(session))?);
        let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
        let written = write_synced(&temporary, text.as_bytes()).and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = written {
            // What is left of it holds a key; that it cannot be removed either adds nothing to the error.
            drop(fs::remove_file(&temporary));
            return Err(error);
        }
        sync_dir(&self.dir)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    drop(fs::remove_file(path));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or removal last.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl From<&Session> for Stored {
    fn from(session: &Session) -> Self {
        Self {
            schema: SCHEMA,
            account: session.account.clone(),
            user_id: session.user_id,
            home_dc: session.home_dc,
            keys: session.keys.iter().map(|(dc, key)| (*dc, hex(key.expose()))).collect(),
            phone_masked: session.phone_masked.clone(),
            name: session.name.clone(),
        }
    }
}

fn parse(text: &str) -> Result<Session, String> {
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
    Ok(Session {
        account: stored.account,
        user_id: stored.user_id,
        home_dc: stored.home_dc,
        keys,
        phone_masked: stored.phone_masked,
        name: stored.name,
    })
}

fn hex(bytes: &[u8; 256]) -> Zeroizing<String> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = Zeroizing::new(String::with_capacity(512));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn unhex(text: &str) -> Option<AuthKey> {
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
            phone_masked: "+10…01".to_owned(),
            name: "Ann".to_owned(),
        }
    }

    fn sessions() -> (tempfile::TempDir, Sessions) {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(dir.path().join("sessions"));
        (dir, sessions)
    }

    #[tokio::test]
    async fn a_session_survives_its_file_and_can_be_listed_and_removed() {
        let (_dir, sessions) = sessions();
        assert_eq!(sessions.list().await.unwrap(), []);
        let session = session();
        sessions.save(&session).await.unwrap();
        sessions.save(&session).await.unwrap();
        let loaded = sessions.load(&session.account).await.unwrap();
        assert_eq!(loaded.home_key().unwrap().expose(), session.home_key().unwrap().expose());
        assert_eq!((loaded.user_id, loaded.home_dc, &loaded.name), (7_000_000_001, 2, &session.name));
        assert_eq!(sessions.list().await.unwrap(), std::slice::from_ref(&session.account));
        sessions.remove(&session.account).await.unwrap();
        sessions.remove(&session.account).await.unwrap();
        assert!(matches!(sessions.load(&session.account).await, Err(SessionError::Missing(_))));
        assert_eq!(fs::read_dir(&sessions.dir).unwrap().count(), 0, "something stayed behind");
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused() {
        let (_dir, sessions) = sessions();
        let session = session();
        sessions.save(&session).await.unwrap();
        let path = sessions.path(&session.account).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&sessions.dir).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = sessions.load(&session.account).await.unwrap_err();
        assert!(matches!(error, SessionError::Open { mode: 0o640, .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"));
    }

    #[tokio::test]
    async fn damaged_files_are_refused_without_quoting_a_key() {
        let (_dir, sessions) = sessions();
        let session = session();
        sessions.save(&session).await.unwrap();
        let path = sessions.path(&session.account).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let key = hex(session.home_key().unwrap().expose());
        let damages = [
            good[..good.len() / 2].to_owned(),
            good.replace(&key[..2], ""),
            good.replace("\"home_dc\": 2", "\"home_dc\": 3"),
            good.replace("\"schema\": 1", "\"schema\": 9"),
            good.replace("\"7000000001\"", "\"7000000002\""),
            good.replace("7000000001,", &format!("\"{}\",", &key[..])),
        ];
        for damaged in damages {
            assert_ne!(damaged, good);
            fs::write(&path, damaged).unwrap();
            let error = sessions.load(&session.account).await.unwrap_err();
            assert!(matches!(error, SessionError::Damaged { .. }), "{error}");
            assert!(!error.to_string().contains(&key[..8]), "{error}");
        }
    }

    #[tokio::test]
    async fn names_that_leave_the_directory_are_refused() {
        let (_dir, sessions) = sessions();
        for name in ["", "../x", "a/b", "a.b", "ä"] {
            assert!(matches!(sessions.load(&name.into()).await, Err(SessionError::BadName(_))), "{name}");
        }
    }

    #[test]
    fn keys_stay_out_of_debug() {
        let session = session();
        let text = format!("{session:?}");
        assert!(text.contains("AuthKey(…)") && !text.contains("5a5b") && !text.contains("90, 91"), "{text}");
    }
}
