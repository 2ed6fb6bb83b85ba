//! Logins as the handler meets them: read before an update is decided, written with it, shown after it.
//!
//! What must stay true: what an admin wrote is sealed, bound to the login's item, before anything is stored; each write
//! stands over the version that was read, so that two presses at once both count, in order; a job is sent only after the
//! message was shown, because the host edits that message next.

use std::collections::BTreeMap;

use transfer::dialogue::action::{Action, NewApi, NewLogin, Told};
use transfer::dialogue::notice::Word;
use transfer::dialogue::press::Press;
use transfer::dialogue::view::View;
use transfer::dialogue::{Dialogue, Next};
use transfer::ids::{BotMessageId, LoginId};
use transfer::login::{Login, LoginEvent, LoginState, OwnApi, Turn};
use transfer::queue::Job;
use transfer::screen::login;
use transfer::seal::{SealError, Sealer, SecretKind};
use transfer::table::{CommitError, Guard, Item, Key, Table, TableError, Write};
use transfer::text::Locale;

use super::HandleError;
use super::answer::Answering;
use super::known::Known;

/// Logins that one chat keeps in mind; who begins more has forgotten the first.
const OPEN_MAX: usize = 8;
/// How often a login is shown again because it changed while it was being shown.
const SHOWN_MAX: u32 = 4;

/// The logins of the chat, and the one that a button belongs to, with their versions.
pub(super) async fn read(
    table: &dyn Table,
    dialogue: &Dialogue,
    press: Option<&Press>,
) -> Result<(Vec<Login>, BTreeMap<LoginId, u64>), TableError> {
    let (mut logins, mut versions) = (Vec::new(), BTreeMap::new());
    let pressed = press.and_then(Press::login).filter(|id| !dialogue.logins.contains(id));
    for id in dialogue.logins.iter().chain(pressed) {
        if let Some((login, version)) = one(table, id).await? {
            versions.insert(id.clone(), version);
            logins.push(login);
        }
    }
    Ok((logins, versions))
}

async fn one(table: &dyn Table, id: &LoginId) -> Result<Option<(Login, u64)>, TableError> {
    let record = table.get(&Key::login(id)).await?;
    Ok(record.and_then(|record| match record.item {
        Item::Login(login) => Some((*login, record.version)),
        _ => None,
    }))
}

impl Known {
    /// Seals what the decision brought in clear: into the conversation's state, and into the logins that it writes.
    pub(super) fn seal(&self, next: &mut Next, sealer: &Sealer) -> Result<Vec<Write>, SealError> {
        let mut writes = Vec::new();
        let mut late = false;
        for action in std::mem::take(&mut next.actions) {
            match action {
                Action::KeepApi(api) => {
                    if let transfer::dialogue::State::Adding(adding) = &next.state {
                        let api = sealed_api(&api, &adding.login, sealer)?;
                        next.state.keep_api(api);
                    }
                }
                Action::BeginLogin(begun) => {
                    let login = begin(&begun, sealer)?;
                    next.actions.push(Action::BeginLogin(Box::new(NewLogin {
                        login: login.clone(),
                        api: None,
                        phone: None,
                    })));
                    writes.push(Write::Put { item: Item::Login(Box::new(login)), guard: Guard::Absent });
                }
                Action::TellLogin(id, told) => match self.told(&id, &told, sealer)? {
                    Some(write) => writes.push(write),
                    None => late = true,
                },
                other => next.actions.push(other),
            }
        }
        if late {
            next.word = Some(Word::Late);
        }
        Ok(writes)
    }

    /// The login after what its admin did; `None` if it takes that no more.
    fn told(&self, id: &LoginId, told: &Told, sealer: &Sealer) -> Result<Option<Write>, SealError> {
        let (Some(login), Some(version)) =
            (self.logins.iter().find(|login| login.id == *id), self.login_versions.get(id))
        else {
            return Ok(None);
        };
        let seal = |secret: &str, kind| sealer.seal(secret.as_bytes(), kind, &Key::login(id));
        let event = match told {
            Told::Digit(digit) => LoginEvent::Digit(seal(digit.expose(), SecretKind::Digit)?),
            Told::Erase => LoginEvent::Erase,
            Told::Complete => LoginEvent::Complete,
            Told::Resend => LoginEvent::Resend,
            Told::CodeWritten => LoginEvent::CodeWritten,
            Told::Password(password) => LoginEvent::Password(seal(password.expose(), SecretKind::Password)?),
            Told::Cancel => LoginEvent::Cancel,
        };
        let Ok(mut after) = login.next(event, self.now) else { return Ok(None) };
        if after.state.turn() == Turn::Host {
            // A job of its own: the queue takes the same number twice for the same job.
            after.seq += 1;
        }
        Ok(Some(Write::Put { item: Item::Login(Box::new(after)), guard: Guard::Version(*version) }))
    }

    /// The logins that the chat keeps in mind afterwards.
    pub(super) fn logins_after(&self, next: &Next) -> Vec<LoginId> {
        let is_open = |login: &&Login| login.state.turn() != Turn::Nobody;
        let open = self.logins.iter().filter(is_open).map(|login| login.id.clone());
        let open: Vec<LoginId> = open.filter(|id| self.dialogue.logins.contains(id)).collect();
        let begun = next.actions.iter().filter_map(|action| match action {
            Action::BeginLogin(begun) => Some(begun.login.id.clone()),
            _ => None,
        });
        let all: Vec<LoginId> = open.into_iter().chain(begun).collect();
        all[all.len().saturating_sub(OPEN_MAX)..].to_vec()
    }
}

fn begin(begun: &NewLogin, sealer: &Sealer) -> Result<Login, SealError> {
    let id = &begun.login.id;
    let api = begun.api.as_ref().map(|api| sealed_api(api, id, sealer)).transpose()?;
    let phone =
        begun.phone.as_ref().map(|phone| sealer.seal(phone.expose().as_bytes(), SecretKind::Phone, &Key::login(id)));
    let login = begun.login.clone();
    Ok(Login { api: api.or(login.api), phone: phone.transpose()?, ..login })
}

fn sealed_api(api: &NewApi, login: &LoginId, sealer: &Sealer) -> Result<OwnApi, SealError> {
    let hash = sealer.seal(api.hash.expose().as_bytes(), SecretKind::ApiHash, &Key::login(login))?;
    Ok(OwnApi { id: api.id, hash })
}

impl Answering<'_> {
    /// Shows a login as it stands, notes which message shows it, and calls a host if it is a host's turn.
    pub(super) async fn show_login(&self, id: &LoginId, place: Option<BotMessageId>) -> Result<(), HandleError> {
        let table = self.handler.table.as_ref();
        let mut place = place;
        let mut shown = None;
        for _ in 0..SHOWN_MAX {
            let Some((login, version)) = one(table, id).await? else { return Ok(()) };
            if shown == Some(version) {
                break;
            }
            shown = Some(version);
            if !login.message_is_picture {
                let now = self.handler.clock.now();
                let screen = screen(&login, self.known.hosts_alive, &self.known.locale, now);
                let message = self.put(login.message.or_else(|| place.take()), &screen).await?;
                if message.is_some() && message != login.message {
                    let item = Item::Login(Box::new(Login { message, ..login.clone() }));
                    match table.commit(vec![Write::Put { item, guard: Guard::Version(version) }]).await {
                        Ok(()) => shown = Some(version + 1),
                        Err(CommitError::Conflict(_)) => {
                            // Somebody wrote meanwhile: the same message is noted on top of that.
                            place = message;
                            continue;
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            if login.state.turn() == Turn::Host && !matches!(login.state, LoginState::Limited { .. }) {
                self.handler.queue.send(&Job::login(id.clone(), login.seq)).await?;
            }
        }
        Ok(())
    }

    /// A login is shown in its own message, wherever the press or the word came from.
    pub(super) fn login_of(view: &View) -> Option<&LoginId> {
        match view {
            View::Login { id } => Some(id),
            _ => None,
        }
    }
}

fn screen(login: &Login, hosts_alive: bool, locale: &Locale, now: jiff::Timestamp) -> transfer::bot::Screen {
    if login.state.turn() == Turn::Host && !hosts_alive {
        return login::without_host(login, locale, now);
    }
    login::screen(login, locale, now)
}
