//! Changing keys: whatever dies on the way, everything opens afterwards, and the next run goes on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ferry::keys::Keys;
use ferry::rotation::{RETIRED_AFTER, RotationError, rotate, used};
use jiff::Timestamp;
use session_host::session::{AuthKey, Session};
use transfer::account::Account;
use transfer::ids::{AccountId, ChatId, LoginId};
use transfer::login::{Login, LoginState, Way};
use transfer::seal::SecretKind;
use transfer::table::memory::MemoryTable;
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};
use transfer::text::Language;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const ACCOUNTS: i64 = 3;
/// One for each session, one for the login.
const ITEMS: usize = 4;

/// A table before or after whose n-th commit the process dies.
struct Mortal {
    table: Arc<MemoryTable>,
    left: AtomicUsize,
    after: bool,
}

#[async_trait]
impl Table for Mortal {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        self.table.get(key).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        self.table.partition(pk, sk_prefix).await
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        self.table.due(until, limit).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        self.table.list(list).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let dies = self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        if dies && !self.after {
            pending::<()>().await;
        }
        let committed = self.table.commit(writes).await;
        if dies {
            pending::<()>().await;
        }
        committed
    }
}

fn session(id: i64) -> Session {
    let key = AuthKey::new([u8::try_from(id).unwrap(); 256]);
    Session::new(AccountId(id.to_string()), id, 2, key)
}

fn login(keys: &Keys) -> Login {
    let id = LoginId::from("l");
    let seal = |secret: &str, kind| keys.sealer().seal(secret.as_bytes(), kind, &Key::login(&id)).unwrap();
    Login {
        phone: Some(seal("a phone", SecretKind::Phone)),
        digits: vec![seal("4", SecretKind::Digit)],
        password: None,
        progress: Some(seal("a progress", SecretKind::Progress)),
        id: id.clone(),
        chat: ChatId(5),
        message: None,
        message_is_picture: false,
        language: Language::En,
        zone: None,
        way: Way::Code,
        label: None,
        priority: 0,
        again: None,
        api: None,
        phone_masked: None,
        state: LoginState::Asked,
        begun_at: NOW,
        touched_at: NOW,
        untold: false,
        seq: 1,
        lease: None,
        lease_epoch: 0,
    }
}

struct Installation {
    dir: tempfile::TempDir,
    table: Arc<MemoryTable>,
}

impl Installation {
    async fn new() -> Self {
        let installation = Self { dir: tempfile::tempdir().unwrap(), table: Arc::new(MemoryTable::new()) };
        let keys = installation.ready().await;
        for id in 1..=ACCOUNTS {
            let account = Account::new(session(id).account, String::new(), NOW, jiff::civil::date(1970, 1, 1));
            installation.put(Item::Account(account)).await;
            keys.sessions(installation.table.clone()).save(&session(id), NOW).await.unwrap();
        }
        installation.put(Item::Login(Box::new(login(&keys)))).await;
        installation
    }

    async fn put(&self, item: Item) {
        self.table.commit(vec![Write::Put { item, guard: Guard::None }]).await.unwrap();
    }

    /// The keys as a new process finds them.
    async fn ready(&self) -> Keys {
        let keys = Keys::at(self.dir.path());
        let table: Arc<dyn Table> = self.table.clone();
        keys.ready(self.dir.path(), &table, NOW).await.unwrap();
        keys
    }

    async fn opens(&self) {
        let keys = self.ready().await;
        for id in 1..=ACCOUNTS {
            let loaded = keys.sessions(self.table.clone()).load(&session(id).account).await.unwrap();
            assert_eq!(loaded.home_key().unwrap().expose(), session(id).home_key().unwrap().expose());
        }
        let place = Key::login(&LoginId::from("l"));
        let Some(Record { item: Item::Login(mut login), .. }) = self.table.get(&place).await.unwrap() else {
            panic!("no login")
        };
        let opened: Vec<_> = login
            .secrets_mut()
            .into_iter()
            .map(|(kind, sealed)| String::from_utf8(keys.vault().open(sealed, kind, &place).unwrap().to_vec()).unwrap())
            .collect();
        assert_eq!(opened, ["a phone", "4", "a progress"]);
    }
}

fn far() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(40 * 365 * 86_400) * 10
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_dies_at_any_commit_goes_on_and_everything_opens() {
    for after in [false, true] {
        for n in 1..=ITEMS {
            let installation = Installation::new().await;
            let first = installation.ready().await.vault().current().unwrap().id().clone();
            let mortal = Mortal { table: installation.table.clone(), left: AtomicUsize::new(n), after };
            let keys = installation.ready().await;
            let died =
                tokio::time::timeout(Duration::from_secs(1), rotate(&keys, &mortal, SystemTime::UNIX_EPOCH)).await;
            assert!(died.is_err(), "it was to die at commit {n}");
            installation.opens().await;
            let keys = installation.ready().await;
            let second = keys.vault().current().unwrap().id().clone();
            assert_ne!(first, second);
            let is_done = after && n == ITEMS;
            let rotated = rotate(&keys, installation.table.as_ref(), SystemTime::UNIX_EPOCH).await.unwrap();
            assert_eq!(rotated.current == second, !is_done, "an unfinished rotation goes on with its own key");
            assert_eq!(used(installation.table.as_ref()).await.unwrap(), [rotated.current.clone()].into());
            assert!(rotated.retired.is_empty() && rotated.kept.contains(&first), "too early to let a key go");
            installation.opens().await;
        }
    }
}

#[tokio::test]
async fn an_old_key_leaves_when_nothing_needs_it_and_time_has_passed() {
    let installation = Installation::new().await;
    let keys = installation.ready().await;
    let first = keys.vault().current().unwrap().id().clone();
    let rotated = rotate(&keys, installation.table.as_ref(), SystemTime::UNIX_EPOCH).await.unwrap();
    assert_eq!((rotated.resealed, rotated.kept), (6, vec![first.clone()]));
    let later = far() + RETIRED_AFTER;
    let again = rotate(&keys, installation.table.as_ref(), later).await.unwrap();
    assert!(again.retired.contains(&first), "{again:?}");
    installation.opens().await;
}

#[tokio::test]
async fn what_does_not_open_stops_the_rotation_and_names_its_place() {
    let installation = Installation::new().await;
    let keys = installation.ready().await;
    let place = Key::session(&session(2).account);
    let Some(Record { item: Item::Session(mut record), .. }) = installation.table.get(&place).await.unwrap() else {
        panic!("no session")
    };
    record.sealed.ciphertext = record.sealed.encapsulated.clone();
    installation.put(Item::Session(record)).await;
    let error = rotate(&keys, installation.table.as_ref(), SystemTime::UNIX_EPOCH).await.unwrap_err();
    assert!(matches!(&error, RotationError::Unopened { item, .. } if *item == place), "{error}");
}
