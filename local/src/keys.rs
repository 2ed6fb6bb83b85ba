//! The key ring of this machine, and what guards it at the start.
//!
//! Both halves stand in `keys/` of the data directory: the private keys in `ring.json`, for their owner alone, and the public
//! half of the current one in `sealing.key`, which is all that whoever seals needs. They are made at the first use. A ring
//! that is missing while the table holds something sealed is never made anew: whoever restored half a backup is told so
//! before anything is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use session_host::session::{Session, SessionError, Sessions};
use session_host::vault::{Vault, VaultError, replace_file};
use transfer::ids::AccountId;
use transfer::login::ABANDONED_AFTER;
use transfer::seal::{Sealed, Sealer, SealingKey};
use transfer::table::{Item, Key, List, Record, Table, TableError};

use crate::failure::Failure;

/// So much of what is due is looked at.
const DUE_LEN: u32 = 1_000;

/// Where sealed secrets come from and go to.
#[derive(Debug, Clone)]
pub struct Keys {
    dir: PathBuf,
    vault: Vault,
    sealer: Sealer,
}

/// Why nothing can be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The ring is missing, unreadable or damaged.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The ring is another installation's, or an older one.
    #[error(
        "the sessions in the table were sealed under key {key} ({accounts} accounts), which is not in the key ring {}: \
         put the key ring that belongs to this data back; nothing was changed", ring.display()
    )]
    Unfit {
        /// The key that is missing.
        key: String,
        /// How many accounts need it.
        accounts: usize,
        /// The ring.
        ring: PathBuf,
    },
    /// A session of an older version could not be taken over.
    #[error("cannot take over the session {}: {why}", path.display())]
    Old {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The table could not be looked at.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The public half could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Keys {
    /// Those of a data directory. Nothing is looked at yet: see [`Self::ready`].
    pub fn at(data_dir: &Path) -> Self {
        Self::in_dir(&data_dir.join("keys"))
    }

    /// Those in a directory of their own.
    pub fn in_dir(dir: &Path) -> Self {
        let (vault, sealer) = (Vault::at(dir.join("ring.json")), Sealer::file(&dir.join("sealing.key")));
        Self { dir: dir.to_owned(), vault, sealer }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The private keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What seals.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The sessions that are sealed in this table.
    pub fn sessions(&self, table: Arc<dyn Table>) -> Sessions {
        Sessions::new(table, self.sealer.clone(), self.vault.clone())
    }

    /// Looks whether the ring fits what the table holds, makes it if nothing was ever sealed, and takes over the sessions
    /// that older versions kept in files of their own. May be done at each start; if the process dies on the way, it is
    /// done again.
    ///
    /// # Errors
    /// See [`KeysError`]; nothing was changed.
    pub async fn ready(&self, data_dir: &Path, table: &Arc<dyn Table>, now: Timestamp) -> Result<(), KeysError> {
        let sealed = sealed(table.as_ref()).await?;
        if !self.vault.path().exists() {
            if !sealed.is_empty() || is_login_under_way(table.as_ref(), now).await? {
                return Err(VaultError::Missing(self.vault.path().to_owned()).into());
            }
            Vault::create(self.vault.path())?;
        }
        self.publish()?;
        for secret in &sealed {
            if !self.vault.holds(&secret.key_id)? {
                let accounts = sealed.iter().filter(|other| other.key_id == secret.key_id).count();
                let (key, ring) = (secret.key_id.0.clone(), self.vault.path().to_owned());
                return Err(KeysError::Unfit { key, accounts, ring });
            }
        }
        self.take_over(&data_dir.join("sessions"), table, now).await
    }

    /// Adds a key and seals with it from now on. The ring first: what is sealed under the new key can be opened from
    /// the first moment.
    ///
    /// # Errors
    /// Ring or public half cannot be written.
    pub fn add_key(&self) -> Result<SealingKey, KeysError> {
        let key = self.vault.add_key()?;
        self.publish()?;
        Ok(key)
    }

    /// Puts the current key's public half where whoever seals looks for it.
    ///
    /// # Errors
    /// The ring cannot be read, or the file not be written.
    pub fn publish(&self) -> Result<(), KeysError> {
        let path = self.dir.join("sealing.key");
        let line = format!("{}\n", self.vault.current()?);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == line) {
            return Ok(());
        }
        replace_file(&path, line.as_bytes()).map_err(|source| KeysError::Unwritable { path, source })
    }

    /// Seals what older versions kept in plain files, and removes each file once its session stands in the table.
    async fn take_over(&self, dir: &Path, table: &Arc<dyn Table>, now: Timestamp) -> Result<(), KeysError> {
        let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
        let sessions = self.sessions(table.clone());
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let old = |why: String| KeysError::Old { path: path.clone(), why };
            let text = std::fs::read_to_string(&path).map_err(|error| old(error.to_string()))?;
            let session = Session::from_text(&zeroize::Zeroizing::new(text)).map_err(old)?;
            self.take_over_one(&sessions, table.as_ref(), &session, now)
                .await
                .map_err(|error| old(error.to_string()))?;
            std::fs::remove_file(&path).map_err(|error| old(error.to_string()))?;
            tracing::info!(account = %session.account, "a session was sealed, and its old file removed");
        }
        // Anything else that lies there is not ours to remove.
        drop(std::fs::remove_dir(dir));
        Ok(())
    }

    async fn take_over_one(
        &self,
        sessions: &Sessions,
        table: &dyn Table,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        // Sealed before, and not removed: what stands in the table may be newer.
        if table.get(&Key::session(&session.account)).await?.is_some() {
            return Ok(());
        }
        sessions.save(session, now).await
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::input(&error)
    }
}

/// Every session in the table.
async fn sealed(table: &dyn Table) -> Result<Vec<Sealed>, TableError> {
    let mut sealed = Vec::new();
    for account in accounts(table).await? {
        if let Some(Record { item: Item::Session(session), .. }) = table.get(&Key::session(&account)).await? {
            sealed.push(session.sealed);
        }
    }
    Ok(sealed)
}

/// Whether an admin said something to a login that only the ring can open.
async fn is_login_under_way(table: &dyn Table, now: Timestamp) -> Result<bool, TableError> {
    let soon = now.saturating_add(ABANDONED_AFTER).unwrap_or(Timestamp::MAX);
    let mut due = table.due(soon, DUE_LEN).await?.into_iter();
    Ok(due.any(|record| match record.item {
        Item::Login(mut login) => !login.secrets_mut().is_empty(),
        _ => false,
    }))
}

async fn accounts(table: &dyn Table) -> Result<Vec<AccountId>, TableError> {
    let records = table.list(List::Accounts).await?;
    let accounts = records.into_iter().filter_map(|record| match record.item {
        Item::Account(account) => Some(account.id),
        _ => None,
    });
    Ok(accounts.collect())
}

#[cfg(test)]
mod tests {
    use session_host::session::AuthKey;
    use transfer::account::Account;
    use transfer::table::memory::MemoryTable;
    use transfer::table::{Guard, Write};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn session() -> Session {
        Session::new("7".into(), 7, 2, AuthKey::new([0x5a; 256]))
    }

    async fn pool() -> Arc<dyn Table> {
        let table = MemoryTable::new();
        let account = Account::new("7".into(), "+1…01".to_owned(), NOW, jiff::civil::date(1970, 1, 1));
        table.commit(vec![Write::Put { item: Item::Account(account), guard: Guard::Absent }]).await.unwrap();
        Arc::new(table)
    }

    #[tokio::test]
    async fn the_ring_is_made_at_the_first_use_and_never_again_beside_what_was_sealed() {
        let (dir, table) = (tempfile::tempdir().unwrap(), pool().await);
        let keys = Keys::at(dir.path());
        keys.ready(dir.path(), &table, NOW).await.unwrap();
        keys.sessions(table.clone()).save(&session(), NOW).await.unwrap();
        keys.ready(dir.path(), &table, NOW).await.unwrap();
        let ring = keys.dir().join("ring.json");
        std::fs::rename(&ring, dir.path().join("aside")).unwrap();
        let missing = Keys::at(dir.path()).ready(dir.path(), &table, NOW).await.unwrap_err();
        assert!(matches!(missing, KeysError::Vault(VaultError::Missing(_))), "{missing}");
        assert!(!ring.exists(), "a ring that opens nothing would only hide what is missing");
        Vault::create(&ring).unwrap();
        let unfit = Keys::at(dir.path()).ready(dir.path(), &table, NOW).await.unwrap_err();
        assert!(matches!(unfit, KeysError::Unfit { accounts: 1, .. }), "{unfit}");
        std::fs::rename(dir.path().join("aside"), &ring).unwrap();
        let keys = Keys::at(dir.path());
        keys.ready(dir.path(), &table, NOW).await.unwrap();
        assert_eq!(keys.sessions(table).load(&"7".into()).await.unwrap().user_id, 7);
    }

    #[tokio::test]
    async fn a_new_key_is_used_from_the_moment_it_is_there_also_after_a_crash_on_the_way() {
        let (dir, table) = (tempfile::tempdir().unwrap(), pool().await);
        let keys = Keys::at(dir.path());
        keys.ready(dir.path(), &table, NOW).await.unwrap();
        let second = keys.add_key().unwrap();
        assert_eq!(*keys.sealer().key().unwrap(), second);
        // Dead between the ring and the public half.
        let third = keys.vault().add_key().unwrap();
        assert_eq!(*keys.sealer().key().unwrap(), second);
        Keys::at(dir.path()).ready(dir.path(), &table, NOW).await.unwrap();
        assert_eq!(*keys.sealer().key().unwrap(), third);
    }

    #[tokio::test]
    async fn sessions_in_plain_files_are_sealed_once_and_removed() {
        let (dir, table) = (tempfile::tempdir().unwrap(), pool().await);
        let old = dir.path().join("sessions");
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join("7.json"), session().to_text().as_bytes()).unwrap();
        let keys = Keys::at(dir.path());
        keys.ready(dir.path(), &table, NOW).await.unwrap();
        assert!(!old.exists());
        assert_eq!(keys.sessions(table.clone()).load(&"7".into()).await.unwrap().home_dc, 2);
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join("8.json"), "{").unwrap();
        let refused = keys.ready(dir.path(), &table, NOW).await.unwrap_err();
        assert!(matches!(refused, KeysError::Old { .. }) && old.join("8.json").exists(), "{refused}");
    }
}
