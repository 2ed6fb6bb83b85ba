//! An account that logged in enters the pool, or is turned away.
//!
//! What makes it a member - what hosts know of it, what the admin set, its sealed session - is written in one commit: nothing is
//! ever half added. An account that works already is not replaced: a second key would put the first one at risk, and nobody asked for
//! it. One that was signed out comes back with its name, priority and statistics. Whoever is turned away is still logged in at
//! Telegram, and whoever brought it logs it out.

use jiff::Timestamp;
use jiff::civil::Date;
use transfer::account::{AccountState, Counters, Member};
use transfer::admin::{self, Joining, LABEL_LEN_MAX, joined};
use transfer::ids::AccountId;
use transfer::table::{CommitError, Key, Table, TableError, Write};

use crate::login::SignedIn;
use crate::session::{SessionError, Sessions};

/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 8;

/// What is to be set for an account that is new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// What to call it; its name at Telegram if left out.
    pub label: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// Messages a day; `None`: no limit.
    pub daily_budget: Option<u32>,
    /// The account that is to log in again, and no other.
    pub again: Option<AccountId>,
    /// What it did elsewhere before, where that is to be counted.
    pub totals: Option<Counters>,
}

/// An account that is in the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Which.
    pub account: AccountId,
    /// What it is called.
    pub label: String,
    /// Whether it was in the pool before.
    pub is_back: bool,
}

/// Why an account was turned away. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// It is a bot.
    #[error("this is a bot: bots cannot read other channels' history, so the pool takes accounts of people alone")]
    Bot,
    /// It is in the pool, and works, or is about to leave.
    #[error("this account is in the pool already, as {label}; remove it first, or log another one in")]
    InPool {
        /// What it is called.
        label: String,
    },
    /// Another account logged in than the one that was to.
    #[error("{wanted} was to log in again, but {found} did; use the phone of {wanted}")]
    Another {
        /// What the one is called.
        wanted: String,
        /// The other's name at Telegram.
        found: String,
    },
    /// Its session could not be sealed, or the table failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Others wrote to it again and again.
    #[error("account {0} is written to by others all the time; try again")]
    Contended(AccountId),
}

/// What has to be written so that an account is in the pool, for a commit with other writes.
///
/// # Errors
/// It is turned away, or the table cannot be read.
pub async fn prepare(
    table: &dyn Table,
    sessions: &Sessions,
    signed_in: &SignedIn,
    admission: &Admission,
    now: Timestamp,
    today: Date,
) -> Result<(Admitted, Vec<Write>), NotAdmitted> {
    if signed_in.is_bot {
        return Err(NotAdmitted::Bot);
    }
    let session = &signed_in.session;
    let account = &session.account;
    if let Some(again) = admission.again.as_ref().filter(|again| *again != account) {
        let wanted = admin::member(table, again).await?.map_or_else(|| again.to_string(), |it| it.profile.label);
        return Err(NotAdmitted::Another { wanted, found: session.name.clone() });
    }
    if let Some(member) = admin::member(table, account).await?
        && (member.profile.leaving.is_some() || works(table, &member).await?)
    {
        return Err(NotAdmitted::InPool { label: member.profile.label });
    }
    let label = admission.label.as_deref().unwrap_or(&session.name);
    let joining = Joining {
        id: account.clone(),
        phone_masked: session.phone_masked.clone(),
        label: fitting(label).unwrap_or_else(|| account.to_string()),
        priority: admission.priority,
        daily_budget: admission.daily_budget,
        totals: admission.totals,
    };
    let join = joined(table, joining, now, today).await?;
    let mut writes = join.writes;
    writes.push(sessions.write(session, now).await?);
    Ok((Admitted { account: account.clone(), label: join.label, is_back: join.is_back }, writes))
}

/// Puts an account into the pool, or back.
///
/// # Errors
/// It is turned away, or the table failed.
pub async fn admit(
    table: &dyn Table,
    sessions: &Sessions,
    signed_in: &SignedIn,
    admission: &Admission,
    now: Timestamp,
    today: Date,
) -> Result<Admitted, NotAdmitted> {
    let mut sent = None;
    for _ in 0..CONFLICTS_MAX {
        if let Some((admitted, mark)) = sent.take()
            && is_written(table, &mark).await?
        {
            return Ok(admitted);
        }
        let (admitted, writes) = prepare(table, sessions, signed_in, admission, now, today).await?;
        let mark = writes.last().cloned();
        match table.commit(writes).await {
            Ok(()) => return Ok(admitted),
            Err(CommitError::Conflict(_)) => {}
            // Nobody else seals the same bytes: what stands there tells whether it was written.
            Err(CommitError::Unknown(_)) => sent = mark.map(|mark| (admitted, mark)),
            Err(error @ CommitError::Refused(_)) => return Err(error.into()),
        }
    }
    Err(NotAdmitted::Contended(signed_in.session.account.clone()))
}

/// Whether it needs no login: its session is there, and Telegram took it last. A frozen account and one in quarantine are signed
/// in all the same.
async fn works(table: &dyn Table, member: &Member) -> Result<bool, TableError> {
    let is_signed_in = match member.account.state {
        AccountState::Ready | AccountState::Frozen | AccountState::Quarantined => true,
        AccountState::SignedOut | AccountState::SessionDead | AccountState::Banned => false,
    };
    Ok(is_signed_in && table.get(&Key::session(&member.account.id)).await?.is_some())
}

async fn is_written(table: &dyn Table, mark: &Write) -> Result<bool, TableError> {
    let Write::Put { item, .. } = mark else { return Ok(false) };
    Ok(table.get(&item.key()).await?.is_some_and(|record| record.item == *item))
}

/// A name that fits the lists; `None` if nothing is left of it.
fn fitting(name: &str) -> Option<String> {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let fitting: String = words.chars().take(LABEL_LEN_MAX).collect();
    (!fitting.is_empty()).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use transfer::seal::Sealer;
    use transfer::table::memory::MemoryTable;
    use transfer::table::{Guard, Item, Record};

    use super::*;
    use crate::session::{AuthKey, Session};
    use crate::vault::Vault;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    struct Pool {
        _dir: tempfile::TempDir,
        table: Arc<MemoryTable>,
        sessions: Sessions,
    }

    impl Pool {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let vault = Vault::create(dir.path().join("ring.json")).unwrap();
            let table = Arc::new(MemoryTable::new());
            let sessions = Sessions::new(table.clone(), Sealer::fixed(vault.current().unwrap()), vault);
            Self { _dir: dir, table, sessions }
        }

        async fn admit(&self, signed_in: &SignedIn, admission: &Admission) -> Result<Admitted, NotAdmitted> {
            let today = jiff::civil::date(1970, 1, 1);
            admit(self.table.as_ref(), &self.sessions, signed_in, admission, NOW, today).await
        }

        async fn set(&self, id: &str, state: AccountState) {
            let record = self.table.get(&Key::account(&id.into())).await.unwrap().unwrap();
            let Item::Account(mut account) = record.item else { panic!("no account") };
            account.state = state;
            let write = Write::Put { item: Item::Account(account), guard: Guard::Version(record.version) };
            self.table.commit(vec![write]).await.unwrap();
        }
    }

    fn signed_in(id: i64, key: u8) -> SignedIn {
        let session = Session::new(id.to_string().as_str().into(), id, 2, AuthKey::new([key; 256]));
        SignedIn { session: Session { name: format!("Name of {id}"), ..session }, is_bot: false }
    }

    fn admission() -> Admission {
        Admission { priority: 5, daily_budget: Some(9), ..Admission::default() }
    }

    #[tokio::test]
    async fn account_profile_and_session_are_written_together_or_not_at_all() {
        let pool = Pool::new();
        let admitted = pool.admit(&signed_in(7, 1), &admission()).await.unwrap();
        assert_eq!((admitted.label.as_str(), admitted.is_back), ("Name of 7", false));
        for key in [Key::account(&"7".into()), Key::profile(&"7".into()), Key::session(&"7".into())] {
            assert!(matches!(pool.table.get(&key).await.unwrap(), Some(Record { version: 1, .. })), "{key}");
        }
        let bot = SignedIn { is_bot: true, ..signed_in(8, 1) };
        assert!(matches!(pool.admit(&bot, &admission()).await, Err(NotAdmitted::Bot)));
        assert_eq!(pool.table.get(&Key::account(&"8".into())).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_account_that_works_is_not_replaced_and_one_that_is_signed_out_comes_back() {
        let pool = Pool::new();
        pool.admit(&signed_in(7, 1), &Admission { label: Some("Ann".into()), ..admission() }).await.unwrap();
        for state in [AccountState::Ready, AccountState::Quarantined, AccountState::Frozen] {
            pool.set("7", state).await;
            let refused = pool.admit(&signed_in(7, 2), &admission()).await.unwrap_err();
            assert!(matches!(&refused, NotAdmitted::InPool { label } if label == "Ann"), "{refused}");
        }
        assert_eq!(pool.sessions.load(&"7".into()).await.unwrap().home_key().unwrap().expose()[0], 1);
        for state in [AccountState::SignedOut, AccountState::SessionDead, AccountState::Banned] {
            pool.set("7", state).await;
            let again = Admission { again: Some("7".into()), priority: 99, ..Admission::default() };
            let back = pool.admit(&signed_in(7, 3), &again).await.unwrap();
            assert_eq!((back.label.as_str(), back.is_back), ("Ann", true));
        }
        let member = admin::member(pool.table.as_ref(), &"7".into()).await.unwrap().unwrap();
        assert_eq!((member.profile.priority, member.account.state), (5, AccountState::Ready));
        assert_eq!(pool.sessions.load(&"7".into()).await.unwrap().home_key().unwrap().expose()[0], 3);
        // A session that was erased has to be brought again, whatever the account's state says.
        pool.sessions.remove(&"7".into()).await.unwrap();
        assert!(pool.admit(&signed_in(7, 4), &admission()).await.unwrap().is_back);
    }

    #[tokio::test]
    async fn another_account_than_the_one_that_was_asked_for_is_turned_away() {
        let pool = Pool::new();
        pool.admit(&signed_in(7, 1), &Admission { label: Some("Ann".into()), ..admission() }).await.unwrap();
        let again = Admission { again: Some("7".into()), ..admission() };
        let refused = pool.admit(&signed_in(8, 1), &again).await.unwrap_err();
        assert!(
            matches!(&refused, NotAdmitted::Another { wanted, found } if wanted == "Ann" && found == "Name of 8"),
            "{refused}"
        );
        assert_eq!(pool.table.get(&Key::account(&"8".into())).await.unwrap(), None);
    }

    #[test]
    fn names_fit_the_lists() {
        assert_eq!(fitting("  Ann\n  B "), Some("Ann B".to_owned()));
        assert_eq!(fitting(&"x".repeat(200)).unwrap().len(), LABEL_LEN_MAX);
        assert_eq!(fitting(" \n"), None);
    }
}
