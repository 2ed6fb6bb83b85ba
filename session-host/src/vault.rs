//! The key ring: the private keys that open what was sealed ([`transfer::seal`]).
//!
//! On one machine it stands in one file, readable by its owner alone, and is replaced as a whole: after a crash there is the
//! old file or the new one. A vault that meets the name of a key that it does not know reads the file again, because another
//! process may have added it. In AWS a host is handed its ring at the start ([`wrapped`]) and keeps it in memory alone.
//! Several keys can be in a ring, so that everything can be sealed anew while the system runs; one is current. Keys are wiped
//! when dropped, and never appear in `Debug`.

pub mod wrapped;

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hpke::{Deserializable, Kem, OpModeR, Serializable, single_shot_open};
use serde::{Deserialize, Serialize};
use transfer::seal::{INFO, KeyId, SealAead, SealKdf, SealKem, Sealed, SealingKey, SecretKind};
use transfer::table::Key;
use zeroize::Zeroizing;

/// The form of the file that this version writes; it reads this and older ones.
const SCHEMA: u32 = 1;

/// A key ring, in a file or in memory.
#[derive(Clone)]
pub struct Vault {
    /// The file; of a ring in memory, where it came from.
    path: PathBuf,
    is_file: bool,
    ring: Arc<Mutex<Option<Ring>>>,
}

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
struct Ring {
    schema: u32,
    current: KeyId,
    keys: Vec<Private>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Private {
    id: KeyId,
    /// 32 bytes, in base64.
    private_key: Zeroizing<String>,
}

/// Why the ring cannot be used, or a secret not be opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such file.
    #[error("the key ring {} is missing: without it nothing that was sealed can be read; put it back", .0.display())]
    Missing(PathBuf),
    /// There is one, and another was to be made.
    #[error("there is a key ring in {} already; it is not replaced", .0.display())]
    Exists(PathBuf),
    /// Others could read it.
    #[error("{} may be read by others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is damaged, or of a newer version.
    #[error("{} is no key ring: {why}", path.display())]
    BadRing {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The disk said no.
    #[error("the key ring {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was sealed under another key.
    #[error(
        "it was sealed under key {}, which is not in the key ring {}: put the key ring with that key back",
        id.0, path.display()
    )]
    WrongKey {
        /// The missing key.
        id: KeyId,
        /// The ring.
        path: PathBuf,
    },
    /// The key is there, and does not open it.
    #[error("what was sealed under key {} is damaged, or was moved from where it belongs", .0.0)]
    Damaged(KeyId),
    /// It stands in no file.
    #[error("the key ring was handed over by {}, and is changed where that comes from", .0.display())]
    Fixed(PathBuf),
    /// The current key cannot be given up.
    #[error("key {} is the current one: add another before it is retired", .0.0)]
    Current(KeyId),
}

impl Vault {
    /// The ring in this file, which is read when it is needed first.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_file: true, ring: Arc::default() }
    }

    /// A ring in memory, which came from `origin` (a name for error texts).
    fn handed_over(origin: &str, ring: Ring) -> Result<Self, VaultError> {
        let vault = Self { path: PathBuf::from(origin), is_file: false, ring: Arc::default() };
        vault.checked(&ring)?;
        *vault.known() = Some(ring);
        Ok(vault)
    }

    /// Makes the file, with one new key. What stands there is never replaced.
    ///
    /// # Errors
    /// There is one already, or the disk said no.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let vault = Self::at(path);
        let _lock = vault.lock()?;
        if vault.path.exists() {
            return Err(VaultError::Exists(vault.path));
        }
        let key = Private::new();
        vault.store(Ring { schema: SCHEMA, current: key.id.clone(), keys: vec![key] })?;
        Ok(vault)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a secret of an item. The result is wiped when dropped.
    ///
    /// # Errors
    /// Its key is not in the ring, it is damaged or was moved, or the ring cannot be read.
    pub fn open(&self, sealed: &Sealed, kind: SecretKind, item: &Key) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let damaged = || VaultError::Damaged(sealed.key_id.clone());
        let private = self.private(&sealed.key_id)?.decoded().ok_or_else(|| self.bad("a key has not 32 bytes"))?;
        let encapsulated = STANDARD.decode(&sealed.encapsulated).map_err(|_no_base64| damaged())?;
        let encapsulated = <SealKem as Kem>::EncappedKey::from_bytes(&encapsulated).map_err(|_no_point| damaged())?;
        let ciphertext = STANDARD.decode(&sealed.ciphertext).map_err(|_no_base64| damaged())?;
        let opened = single_shot_open::<SealAead, SealKdf, SealKem>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            INFO,
            &ciphertext,
            &kind.bound_to(item),
        );
        opened.map(Zeroizing::new).map_err(|_refused| damaged())
    }

    /// The key under which everything is sealed now.
    ///
    /// # Errors
    /// The ring cannot be read.
    pub fn current(&self) -> Result<SealingKey, VaultError> {
        let ring = self.read()?;
        let private = ring.find(&ring.current).and_then(Private::decoded);
        let public = SealKem::sk_to_pk(&private.ok_or_else(|| self.bad("its current key is missing"))?).to_bytes();
        SealingKey::from_bytes(&public).map_err(|_unfit| self.bad("its current key is none"))
    }

    /// The names of all keys in the ring, the oldest first.
    ///
    /// # Errors
    /// The ring cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyId>, VaultError> {
        Ok(self.read()?.keys.iter().map(|key| key.id.clone()).collect())
    }

    /// Whether the ring can open what was sealed under this key.
    ///
    /// # Errors
    /// The ring cannot be read.
    pub fn holds(&self, id: &KeyId) -> Result<bool, VaultError> {
        match self.private(id) {
            Ok(_) => Ok(true),
            Err(VaultError::WrongKey { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Adds a new key, and makes it the current one. Everything that was sealed before can still be opened. If the process
    /// dies on the way, the ring is as it was.
    ///
    /// # Errors
    /// The ring cannot be read or written.
    pub fn add_key(&self) -> Result<SealingKey, VaultError> {
        let _lock = self.lock()?;
        let mut ring = self.read()?;
        let key = Private::new();
        ring.current = key.id.clone();
        ring.keys.push(key);
        self.store(ring)?;
        self.current()
    }

    /// Takes a key out of the ring. Nothing may be sealed under it any more: that could never be opened again. A key that
    /// is not there is retired already.
    ///
    /// # Errors
    /// It is the current one, or the ring cannot be read or written.
    pub fn retire(&self, id: &KeyId) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let mut ring = self.read()?;
        if ring.current == *id {
            return Err(VaultError::Current(id.clone()));
        }
        ring.keys.retain(|key| key.id != *id);
        self.store(ring)
    }

    fn known(&self) -> MutexGuard<'_, Option<Ring>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn private(&self, id: &KeyId) -> Result<Private, VaultError> {
        let known = self.known().as_ref().and_then(|ring| ring.find(id).cloned());
        if let Some(key) = known {
            return Ok(key);
        }
        let wrong = || VaultError::WrongKey { id: id.clone(), path: self.path.clone() };
        self.read()?.find(id).cloned().ok_or_else(wrong)
    }

    fn bad(&self, why: &str) -> VaultError {
        VaultError::BadRing { path: self.path.clone(), why: why.to_owned() }
    }

    fn failed(&self) -> impl Fn(io::Error) -> VaultError {
        let path = self.path.clone();
        move |source| VaultError::Io { path: path.clone(), source }
    }

    /// Reads the file, and keeps what it says. A ring in memory is what it is.
    fn read(&self) -> Result<Ring, VaultError> {
        let path = &self.path;
        if !self.is_file {
            return self.known().clone().ok_or_else(|| VaultError::Missing(path.clone()));
        }
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode() & 0o777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::Missing(path.clone())),
            Err(source) => return Err(self.failed()(source)),
        };
        if mode & 0o077 != 0 {
            return Err(VaultError::Open { path: path.clone(), mode });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(self.failed())?);
        // serde's error would quote what it stumbled over, which may be a key: only its place is told.
        let place = |error: serde_json::Error| format!("not valid at line {}, column {}", error.line(), error.column());
        let ring: Ring = serde_json::from_str(&text).map_err(|error| self.bad(&place(error)))?;
        self.checked(&ring)?;
        *self.known() = Some(ring.clone());
        Ok(ring)
    }

    fn checked(&self, ring: &Ring) -> Result<(), VaultError> {
        if ring.schema > SCHEMA {
            return Err(self.bad(&format!("it was written by a newer version (schema {})", ring.schema)));
        }
        if ring.find(&ring.current).is_none() {
            return Err(self.bad("its current key is missing"));
        }
        if let Some(unfit) = ring.keys.iter().find(|key| key.name().as_ref() != Some(&key.id)) {
            return Err(self.bad(&format!("key {} is not what its name says", unfit.id.0)));
        }
        Ok(())
    }

    fn store(&self, ring: Ring) -> Result<(), VaultError> {
        let text = serde_json::to_string_pretty(&ring).map_err(|_unwritable| self.bad("it cannot be written"))?;
        replace_file(&self.path, Zeroizing::new(text).as_bytes()).map_err(self.failed())?;
        *self.known() = Some(ring);
        Ok(())
    }

    /// One process changes the ring at a time.
    fn lock(&self) -> Result<File, VaultError> {
        if !self.is_file {
            return Err(VaultError::Fixed(self.path.clone()));
        }
        if let Some(dir) = self.path.parent().filter(|dir| !dir.exists()) {
            fs::create_dir_all(dir).map_err(self.failed())?;
            fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(self.failed())?;
        }
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        let file = file.map_err(self.failed())?;
        file.lock().map_err(self.failed())?;
        Ok(file)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vault").field(&self.path).finish()
    }
}

impl Ring {
    fn find(&self, id: &KeyId) -> Option<&Private> {
        self.keys.iter().find(|key| key.id == *id)
    }
}

impl Private {
    fn new() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).expect("the system has randomness");
        let (private, public) = SealKem::derive_keypair(&*seed);
        let id = SealingKey::from_bytes(&public.to_bytes()).expect("the key was just made").id().clone();
        let bytes = Zeroizing::new(private.to_bytes().to_vec());
        Self { id, private_key: Zeroizing::new(STANDARD.encode(&*bytes)) }
    }

    fn decoded(&self) -> Option<<SealKem as Kem>::PrivateKey> {
        let bytes = Zeroizing::new(STANDARD.decode(self.private_key.as_bytes()).ok()?);
        <SealKem as Kem>::PrivateKey::from_bytes(&bytes).ok()
    }

    /// The name that follows from the key.
    fn name(&self) -> Option<KeyId> {
        let public = SealKem::sk_to_pk(&self.decoded()?).to_bytes();
        SealingKey::from_bytes(&public).ok().map(|key| key.id().clone())
    }
}

/// Puts a file, for its owner alone, in place of another: written beside it, synced, renamed over it. After a crash there is the
/// old one or the new one.
///
/// # Errors
/// The disk said no; the old one stays.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // What is left of it may hold a key; that it cannot be removed either adds nothing to the error.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    drop(fs::remove_file(path));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
