//! A login under this host's lease: what is committed of it.

use transfer::ids::LoginId;
use transfer::login::{Login, LoginEvent, LoginState, Turn};
use transfer::seal::{Sealed, SecretKind};
use transfer::table::{Guard, Item, Key, Record, Write};

use super::Reception;
use crate::engine::store::{Committed, expect_item};
use crate::engine::{Halt, Shared, hosts_seen};
use crate::login::Progress;

/// How often a commit is tried on top of what others wrote.
const CONFLICTS_MAX: u32 = 12;

/// A login whose lease is ours.
pub(super) struct Held {
    pub(super) login: Box<Login>,
    pub(super) version: u64,
}

/// Takes the lease of a login that is due, unless somebody else works on it.
pub(super) async fn claim(shared: &Shared, id: &LoginId) -> Result<Option<Held>, Halt> {
    for _ in 0..CONFLICTS_MAX {
        let Some((mut login, version)) = read(shared, id).await? else { return Ok(None) };
        if login.due_at().is_none_or(|due| due > shared.ports.clock.now()) {
            return Ok(None);
        }
        if !hosts_seen::may_take(shared, login.lease.as_ref()).await? {
            return Ok(None);
        }
        login.lease = Some(shared.lease());
        login.lease_epoch += 1;
        let mut held = Held { login, version };
        if held.put(shared, Vec::new()).await? {
            return Ok(Some(held));
        }
    }
    Err(contended(id))
}

async fn read(shared: &Shared, id: &LoginId) -> Result<Option<(Box<Login>, u64)>, Halt> {
    let key = Key::login(id);
    Ok(expect_item!(shared.store.get(&key).await?, Login, key))
}

fn contended(id: &LoginId) -> Halt {
    Halt::Unavailable(format!("login {id} is written by others all the time"))
}

impl Held {
    pub(super) fn key(&self) -> Key {
        Key::login(&self.login.id)
    }

    /// Seals where it stands at Telegram.
    pub(super) fn sealed(&self, reception: &Reception, progress: &Progress) -> Result<Sealed, Halt> {
        let sealed = reception.sealer.seal(progress.to_text().as_bytes(), SecretKind::Progress, &self.key());
        sealed.map_err(|error| Halt::Unavailable(error.to_string()))
    }

    /// Commits what happened; the lease goes back unless the next step is a host's at once. An event that makes no sense any more
    /// - the admin was faster - changes nothing.
    pub(super) async fn happened(
        &mut self,
        shared: &Shared,
        event: LoginEvent,
        progress: Option<Sealed>,
    ) -> Result<(), Halt> {
        for _ in 0..CONFLICTS_MAX {
            let Some(next) = self.after(event.clone(), progress.clone(), shared) else {
                // Cancelled meanwhile: what was begun at Telegram is taken back with this.
                if let Some(progress) = progress.filter(|_| self.login.state == LoginState::Cancelled) {
                    self.keep(shared, &progress).await?;
                }
                return Ok(());
            };
            let mut next = Self { login: next, version: self.version };
            if next.put(shared, Vec::new()).await? {
                *self = next;
                return Ok(());
            }
            if !self.refresh(shared).await? {
                return Ok(());
            }
        }
        Err(contended(&self.login.id))
    }

    /// The login after an event; `None` if that makes no sense any more.
    pub(super) fn after(&self, event: LoginEvent, progress: Option<Sealed>, shared: &Shared) -> Option<Box<Login>> {
        let next = self.login.next(event, shared.ports.clock.now());
        let mut next = next.inspect_err(|why| tracing::info!(login = %self.login.id, %why, "late")).ok()?;
        let goes_on = next.state.turn() == Turn::Host && !matches!(next.state, LoginState::Limited { .. });
        if !goes_on {
            next.lease = None;
        }
        if next.state.turn() != Turn::Nobody && progress.is_some() {
            next.progress = progress;
        }
        Some(Box::new(next))
    }

    /// Keeps where it stands at Telegram, without anything else.
    pub(super) async fn keep(&mut self, shared: &Shared, progress: &Sealed) -> Result<bool, Halt> {
        Ok(self.is_ours(shared) && self.change(shared, |login| login.progress = Some(progress.clone())).await?)
    }

    fn is_ours(&self, shared: &Shared) -> bool {
        self.login.lease.as_ref() == Some(&shared.lease())
    }

    /// Gives the lease back, if it is ours still.
    pub(super) async fn release(&mut self, shared: &Shared) -> Result<(), Halt> {
        if self.is_ours(shared) {
            self.change(shared, |login| login.lease = None).await?;
        }
        Ok(())
    }

    /// Whether it could be shown or not: nobody owes that any more.
    pub(super) async fn told(&mut self, shared: &Shared) -> Result<(), Halt> {
        if self.is_ours(shared) {
            self.change(shared, |login| (login.untold, login.lease) = (false, None)).await?;
        }
        Ok(())
    }

    /// Changes something that no event changes. False: it is not ours any more, or gone.
    pub(super) async fn change(
        &mut self,
        shared: &Shared,
        change: impl Fn(&mut Login) + Send + Sync,
    ) -> Result<bool, Halt> {
        for _ in 0..CONFLICTS_MAX {
            let mut changed = Self { login: self.login.clone(), version: self.version };
            change(&mut changed.login);
            if changed.put(shared, Vec::new()).await? {
                *self = changed;
                return Ok(true);
            }
            if !self.refresh(shared).await? {
                return Ok(false);
            }
        }
        Err(contended(&self.login.id))
    }

    /// Reads what others wrote meanwhile. False: somebody else works on it, or it is gone.
    pub(super) async fn refresh(&mut self, shared: &Shared) -> Result<bool, Halt> {
        let Some((login, version)) = read(shared, &self.login.id).await? else { return Ok(false) };
        let ours = login.lease_epoch == self.login.lease_epoch;
        (self.login, self.version) = (login, version);
        Ok(ours)
    }

    /// Writes it over the version that was read, with other writes. False: somebody was faster.
    pub(super) async fn put(&mut self, shared: &Shared, mut with: Vec<Write>) -> Result<bool, Halt> {
        shared.fence.check()?;
        let (item, version) = (Item::Login(self.login.clone()), self.version);
        with.push(Write::Put { item: item.clone(), guard: Guard::Version(version) });
        let stands = |now: Option<&Record>| now.is_some_and(|now| now.version == version + 1 && now.item == item);
        let written = shared.store.commit(&with, &self.key(), stands).await? == Committed::Yes;
        if written {
            self.version = version + 1;
        }
        Ok(written)
    }
}
