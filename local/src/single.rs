//! Single-account mode: an account that the environment names, instead of the pool.
//!
//! While it is named, the pool is left alone: no account of it makes a call. What hosts learn of the account - waits, what it
//! did today, who holds it - stands in the table as for every other, and is there the next time; its session stands nowhere but
//! in the environment. The pool's own list shows it as disabled, so that nobody chooses it when the mode is over.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::SecretString;
use session_host::session::Session;
use session_host::session_string::identity::{IdentityError, identify};
use session_host::session_string::{SessionString, StringError};
use session_host::telegram::setup::{ApiCredentials, Setup};
use transfer::account::{Member, Profile};
use transfer::admin::{self, Joining, joined};
use transfer::clock::Clock;
use transfer::table::{CommitError, Item, Table, TableError, Write};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// What the variables are called; the others are those of the program that Ferry takes the place of.
const NAMES: [Names; 2] = [
    Names { api_id: "FERRY_API_ID", api_hash: "FERRY_API_HASH", session: "FERRY_SESSION" },
    Names { api_id: "USERBOT_API_ID", api_hash: "USERBOT_API_HASH", session: "USERBOT_SESSION" },
];
/// A variable of this name names a file with the value in it: an environment is seen by more than one thinks.
const FILE: &str = "_FILE";
/// Between two attempts to reach Telegram.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often a commit is tried on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 8;

/// What `--help` says of it.
pub const HELP: &str = "\
Single-account mode: with FERRY_SESSION (a session string of Telethon, gramjs, Pyrogram or mtcute) in the environment, this
account carries and the pool is left alone. FERRY_API_ID and FERRY_API_HASH name its application, if it is another than the
configuration's. FERRY_SESSION_FILE and FERRY_API_HASH_FILE name files instead. USERBOT_SESSION, USERBOT_API_ID and
USERBOT_API_HASH are accepted as well.";

struct Names {
    api_id: &'static str,
    api_hash: &'static str,
    session: &'static str,
}

/// The account that the environment names. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Single {
    string: SessionString,
    api: Option<ApiCredentials>,
    /// By which variable.
    by: &'static str,
}

impl Single {
    /// The account of this process's environment, if it names one.
    ///
    /// # Errors
    /// What it says makes no sense.
    #[expect(clippy::disallowed_methods, reason = "the variables of this mode are read here alone")]
    pub fn of_environment() -> Result<Option<Self>, Failure> {
        Self::read(|name| std::env::var(name).ok()).map_err(Failure::Input)
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        for names in NAMES {
            let Some(text) = value(&variable, names.session)? else { continue };
            let string =
                SessionString::read(&text).map_err(|error: StringError| format!("{}: {error}", names.session))?;
            let id = value(&variable, names.api_id)?;
            let hash = value(&variable, names.api_hash)?;
            let api = match (id, hash) {
                (None, None) => None,
                (Some(id), Some(hash)) => {
                    let id = id.parse::<i32>().ok().filter(|id| *id > 0);
                    let id = id.ok_or_else(|| format!("{} is no application's id", names.api_id))?;
                    Some(ApiCredentials { id, hash: SecretString::from(hash.to_string()) })
                }
                _ => return Err(format!("{} and {} go together", names.api_id, names.api_hash)),
            };
            return Ok(Some(Self { string, api, by: names.session }));
        }
        Ok(None)
    }

    /// Asks Telegram whose it is, and makes it known to the table. Waits for Telegram where it does not answer: machines
    /// start before their networks.
    ///
    /// # Errors
    /// Telegram does not take the session, or the table failed.
    pub async fn enter(
        &self,
        table: &dyn Table,
        setup: &Setup,
        clock: &Clock,
        today: Date,
        terminal: &Terminal,
    ) -> Result<Session, Failure> {
        let mut setup = setup.clone();
        if let Some(api) = &self.api {
            setup.api = api.clone();
        }
        let session = loop {
            let SessionString { dc, key, user_id, .. } = &self.string;
            match identify(&setup, *dc, key, *user_id, clock).await {
                Ok(session) => break Session { api: self.api.clone(), ..session },
                Err(error @ IdentityError::Unreachable(_)) => {
                    terminal.line(format!("{error}"));
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => return Err(Failure::Input(format!("{}: {error}", self.by))),
            }
        };
        make_known(table, &session, clock.now(), today).await?;
        terminal.line(format!("Working with {} alone ({}); the pool is left alone.", session.name, self.by));
        Ok(session)
    }
}

/// A variable's value, or what stands in the file that another names. Empty is none.
fn value(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<Zeroizing<String>>, String> {
    let full = |text: &String| !text.trim().is_empty();
    if let Some(text) = variable(name).filter(full) {
        return Ok(Some(Zeroizing::new(text.trim().to_owned())));
    }
    let Some(file) = variable(&format!("{name}{FILE}")).filter(full) else { return Ok(None) };
    let text = std::fs::read_to_string(Path::new(file.trim())).map(Zeroizing::new);
    let text = text.map_err(|error| format!("cannot read {name}{FILE} {}: {error}", file.trim()))?;
    Ok(Some(Zeroizing::new(text.trim().to_owned())))
}

async fn make_known(table: &dyn Table, session: &Session, now: Timestamp, today: Date) -> Result<(), Failure> {
    for _ in 0..CONFLICTS_MAX {
        let joining = Joining {
            id: session.account.clone(),
            phone_masked: session.phone_masked.clone(),
            label: session.name.clone(),
            priority: 0,
            daily_budget: None,
            totals: None,
        };
        let join = joined(table, joining, now, today).await.map_err(|error: TableError| Failure::failed(&error))?;
        match table.commit(join.writes.into_iter().map(unchosen).collect()).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
            Err(error @ CommitError::Refused(_)) => return Err(Failure::failed(&error)),
        }
    }
    Err(Failure::Failed(format!("account {} is written to by others all the time; try again", session.account)))
}

/// A new profile is of an account that the pool does not choose: it has no session of its own.
fn unchosen(write: Write) -> Write {
    match write {
        Write::Put { item: Item::Profile(profile), guard } => {
            Write::Put { item: Item::Profile(Profile { enabled: false, ..profile }), guard }
        }
        other => other,
    }
}

/// The one account as whoever looks before a transfer sees it: it works, whatever the pool's list says.
///
/// # Errors
/// The table failed.
pub async fn member(table: &dyn Table, session: &Session) -> Result<Vec<Member>, Failure> {
    let member = admin::member(table, &session.account).await.map_err(|error| Failure::failed(&error))?;
    let chosen = |member: Member| Member { profile: Profile { enabled: true, ..member.profile }, ..member };
    Ok(member.map(chosen).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE;
    use secrecy::ExposeSecret;
    use session_host::session::AuthKey;
    use transfer::account::AccountState;
    use transfer::table::memory::MemoryTable;

    use super::*;

    fn string() -> String {
        format!("1{}", URL_SAFE.encode([&[2, 127, 0, 0, 1, 1, 187][..], &[0x5a; 256]].concat()))
    }

    fn read(variables: &[(&str, &str)]) -> Result<Option<Single>, String> {
        Single::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn both_families_of_names_are_read_and_what_makes_no_sense_is_told_without_secrets() {
        let string = string();
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("FERRY_API_ID", "5"), ("FERRY_API_HASH", "abc")]).unwrap().is_none());
        assert!(read(&[("FERRY_SESSION", " ")]).unwrap().is_none());
        let single = read(&[("FERRY_SESSION", string.as_str())]).unwrap().unwrap();
        assert!(single.api.is_none() && single.string.dc == 2);
        let theirs = [("USERBOT_SESSION", string.as_str()), ("USERBOT_API_ID", "5"), ("USERBOT_API_HASH", "planted")];
        let single = read(&theirs).unwrap().unwrap();
        assert_eq!(single.api.as_ref().unwrap().hash.expose_secret(), "planted");
        assert!(!format!("{single:?}").contains("planted"));
        for (variables, words) in [
            ([("FERRY_SESSION", string.as_str()), ("FERRY_API_ID", "5")], "go together"),
            ([("FERRY_SESSION", "planted"), ("FERRY_API_ID", "5")], "FERRY_SESSION: this is no session string"),
            ([("FERRY_SESSION_FILE", "/nowhere/x"), ("FERRY_API_ID", "5")], "/nowhere/x"),
        ] {
            let error = read(&variables).unwrap_err();
            assert!(error.contains(words) && !error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_file_can_hold_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("session");
        std::fs::write(&file, format!("{}\n", string())).unwrap();
        assert!(read(&[("FERRY_SESSION_FILE", file.to_str().unwrap())]).unwrap().is_some());
    }

    #[tokio::test]
    async fn it_is_known_to_the_table_and_never_chosen_by_the_pool() {
        let table = MemoryTable::new();
        let session = Session::new("7".into(), 7, 2, AuthKey::new([1; 256]));
        let today = jiff::civil::date(1970, 1, 1);
        for _twice in 0..2 {
            make_known(&table, &session, Timestamp::UNIX_EPOCH, today).await.unwrap();
        }
        let members = admin::members(&table).await.unwrap();
        assert_eq!((members.len(), members[0].profile.enabled), (1, false));
        assert_eq!(members[0].account.state, AccountState::Ready);
        assert!(member(&table, &session).await.unwrap()[0].profile.enabled);
    }
}
