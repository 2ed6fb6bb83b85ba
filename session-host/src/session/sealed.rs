//! The sessions of an installation: in the table, each sealed for the holder of the key ring.
//!
//! Whoever saves replaces what stands there, guarded by what was read: two writers never mix. A session that was sealed under a key
//! that is not in the ring is told as that, and is not touched.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use transfer::ids::AccountId;
use transfer::seal::{SealError, Sealer, SecretKind};
use transfer::table::item::SessionRecord;
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};

use super::Session;
use crate::vault::{Vault, VaultError};

/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 8;

/// Where sessions are.
#[derive(Clone)]
pub struct Sessions(Place);

#[derive(Clone)]
enum Place {
    Table { table: Arc<dyn Table>, sealer: Sealer, vault: Vault },
    Memory(Arc<Session>),
}

/// Why a session cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is none.
    #[error("account {0} is not logged in here; run: ferry account add")]
    Missing(AccountId),
    /// It cannot be opened.
    #[error("the session of account {account} cannot be opened: {source}")]
    Unopened {
        /// The account.
        account: AccountId,
        /// Why.
        source: VaultError,
    },
    /// What was sealed is damaged, or of a newer version.
    #[error("what is stored as the session of account {account} is none: {why}")]
    Damaged {
        /// The account.
        account: AccountId,
        /// What is wrong.
        why: String,
    },
    /// It cannot be sealed, so it is not stored.
    #[error(transparent)]
    Unsealed(#[from] SealError),
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Others wrote to it again and again.
    #[error("the session of account {0} is written to by others all the time; try again")]
    Contended(AccountId),
    /// The only session of this process stands in its environment.
    #[error("this process works with one account, which its environment names; it keeps no others")]
    Fixed,
}

impl Sessions {
    /// Those in this table, sealed with `sealer`, opened with `vault`.
    pub fn new(table: Arc<dyn Table>, sealer: Sealer, vault: Vault) -> Self {
        Self(Place::Table { table, sealer, vault })
    }

    /// This one alone, which is kept nowhere.
    pub fn only(session: Session) -> Self {
        Self(Place::Memory(Arc::new(session)))
    }

    /// Reads one.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn load(&self, account: &AccountId) -> Result<Session, SessionError> {
        let missing = || SessionError::Missing(account.clone());
        let (table, vault) = match &self.0 {
            Place::Memory(session) if session.account == *account => return Ok(Session::clone(session)),
            Place::Memory(_) => return Err(missing()),
            Place::Table { table, vault, .. } => (table, vault),
        };
        let key = Key::session(account);
        let (record, _) = stored(table.as_ref(), &key).await?.ok_or_else(missing)?;
        let unopened = |source| SessionError::Unopened { account: account.clone(), source };
        let damaged = |why: String| SessionError::Damaged { account: account.clone(), why };
        let bytes = vault.open(&record.sealed, SecretKind::Session, &key).map_err(unopened)?;
        let text = std::str::from_utf8(&bytes).map_err(|_no_text| damaged("it is no text".to_owned()))?;
        let session = Session::from_text(text).map_err(damaged)?;
        if session.account != *account {
            return Err(damaged(format!("it is of account {}", session.account)));
        }
        Ok(session)
    }

    /// Writes one, in place of what was there.
    ///
    /// # Errors
    /// See [`SessionError`]; the old one stays.
    pub async fn save(&self, session: &Session, now: Timestamp) -> Result<(), SessionError> {
        let Place::Table { table, .. } = &self.0 else { return Err(SessionError::Fixed) };
        for _ in 0..CONFLICTS_MAX {
            let write = self.write(session, now).await?;
            match table.commit(vec![write.clone()]).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Unknown(_)) => {
                    let now = table.get(&write.key()).await?;
                    if matches!((&now, &write), (Some(Record { item, .. }), Write::Put { item: ours, .. }) if item == ours)
                    {
                        return Ok(());
                    }
                }
                Err(error @ CommitError::Refused(_)) => return Err(error.into()),
            }
        }
        Err(SessionError::Contended(session.account.clone()))
    }

    /// The write that puts one, sealed, in place of what stands there now: for a commit with other writes.
    ///
    /// # Errors
    /// The table cannot be read, or it cannot be sealed.
    pub async fn write(&self, session: &Session, now: Timestamp) -> Result<Write, SessionError> {
        let Place::Table { table, sealer, .. } = &self.0 else { return Err(SessionError::Fixed) };
        let key = Key::session(&session.account);
        let guard = match stored(table.as_ref(), &key).await? {
            Some((_, version)) => Guard::Version(version),
            None => Guard::Absent,
        };
        let sealed = sealer.seal(session.to_text().as_bytes(), SecretKind::Session, &key)?;
        let item = Item::Session(SessionRecord { account: session.account.clone(), sealed, at: now });
        Ok(Write::Put { item, guard })
    }

    /// The accounts of the pool that have one, sorted.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list(&self) -> Result<Vec<AccountId>, SessionError> {
        let table = match &self.0 {
            Place::Memory(session) => return Ok(vec![session.account.clone()]),
            Place::Table { table, .. } => table,
        };
        let mut accounts = Vec::new();
        for record in table.list(List::Accounts).await? {
            let Item::Account(account) = record.item else { continue };
            if table.get(&Key::session(&account.id)).await?.is_some() {
                accounts.push(account.id);
            }
        }
        accounts.sort();
        Ok(accounts)
    }

    /// Erases one. One that is not there is erased already.
    ///
    /// # Errors
    /// The table said no.
    pub async fn remove(&self, account: &AccountId) -> Result<(), SessionError> {
        let Place::Table { table, .. } = &self.0 else { return Err(SessionError::Fixed) };
        Ok(table.commit(vec![Write::Delete { key: Key::session(account), guard: Guard::None }]).await?)
    }
}

async fn stored(table: &dyn Table, key: &Key) -> Result<Option<(SessionRecord, u64)>, TableError> {
    Ok(match table.get(key).await? {
        Some(Record { item: Item::Session(record), version }) => Some((record, version)),
        Some(_) | None => None,
    })
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Table { sealer, vault, .. } => f.debug_tuple("Sessions").field(sealer).field(vault).finish(),
            Place::Memory(session) => f.debug_tuple("Sessions").field(&session.account).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use transfer::table::memory::MemoryTable;

    use super::*;
    use crate::session::AuthKey;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn session() -> Session {
        let key = AuthKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0x5a));
        Session { name: "Ann".to_owned(), ..Session::new("7000000001".into(), 7_000_000_001, 2, key) }
    }

    fn sessions() -> (tempfile::TempDir, Arc<MemoryTable>, Vault, Sessions) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("ring.json")).unwrap();
        let table = Arc::new(MemoryTable::new());
        let sealer = Sealer::fixed(vault.current().unwrap());
        let sessions = Sessions::new(table.clone(), sealer, vault.clone());
        (dir, table, vault, sessions)
    }

    #[tokio::test]
    async fn a_session_survives_the_table_and_can_be_replaced_and_removed() {
        let (_dir, table, _, sessions) = sessions();
        let session = session();
        assert!(matches!(sessions.load(&session.account).await, Err(SessionError::Missing(_))));
        sessions.save(&session, NOW).await.unwrap();
        sessions.save(&Session { home_dc: 2, name: "Anne".to_owned(), ..session.clone() }, NOW).await.unwrap();
        let loaded = sessions.load(&session.account).await.unwrap();
        assert_eq!(loaded.home_key().unwrap().expose(), session.home_key().unwrap().expose());
        assert_eq!((loaded.user_id, loaded.home_dc, loaded.name.as_str()), (7_000_000_001, 2, "Anne"));
        let stored = format!("{:?}", table.get(&Key::session(&session.account)).await.unwrap());
        assert!(!stored.contains("Ann") && !stored.contains("5a5b"), "{stored}");
        sessions.remove(&session.account).await.unwrap();
        sessions.remove(&session.account).await.unwrap();
        assert!(matches!(sessions.load(&session.account).await, Err(SessionError::Missing(_))));
    }

    #[tokio::test]
    async fn another_ring_and_a_session_that_was_moved_are_told_apart() {
        let (dir, table, vault, sessions) = sessions();
        let session = session();
        sessions.save(&session, NOW).await.unwrap();
        let other = Vault::create(dir.path().join("other.json")).unwrap();
        let stranger = Sessions::new(table.clone(), Sealer::fixed(vault.current().unwrap()), other);
        let refused = stranger.load(&session.account).await.unwrap_err();
        assert!(matches!(refused, SessionError::Unopened { source: VaultError::WrongKey { .. }, .. }), "{refused}");
        let Some(Record { item: Item::Session(record), .. }) =
            table.get(&Key::session(&session.account)).await.unwrap()
        else {
            panic!("no session")
        };
        let moved = Item::Session(SessionRecord { account: "2".into(), ..record });
        table.commit(vec![Write::Put { item: moved, guard: Guard::Absent }]).await.unwrap();
        let refused = sessions.load(&"2".into()).await.unwrap_err();
        assert!(matches!(refused, SessionError::Unopened { source: VaultError::Damaged(_), .. }), "{refused}");
    }

    #[tokio::test]
    async fn the_only_session_of_a_process_is_there_and_no_other() {
        let session = session();
        let sessions = Sessions::only(session.clone());
        assert_eq!(sessions.load(&session.account).await.unwrap().user_id, session.user_id);
        assert_eq!(sessions.list().await.unwrap(), std::slice::from_ref(&session.account));
        assert!(matches!(sessions.load(&"2".into()).await, Err(SessionError::Missing(_))));
        assert!(matches!(sessions.save(&session, NOW).await, Err(SessionError::Fixed)));
    }
}
