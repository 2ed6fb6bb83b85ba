//! Takes the host's steps of logins that admins began in the chat.
//!
//! A step is: take the login's lease, go on from its sealed progress, ask Telegram, commit what it said, show it. Between two
//! steps nothing is kept in memory and no connection is open, so that any host can take the next one; while a QR code is on
//! show, the step lasts. Logins run beside the jobs and take no permit from them; two logins share nothing.
//!
//! If the process dies before a commit, another host finds the login due, goes on with the same key, and asks Telegram how far it
//! came ([`SignIn::standing`](crate::login::SignIn::standing)). What makes an account a member is committed together with the
//! login's end, so no login is ever done twice, and no account half added. If it dies between a commit and showing what that says, the
//! login is due until somebody showed it ([`Login::untold`]).

mod admitting;
mod held;
mod scanning;
mod showing;
mod steps;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use transfer::ids::LoginId;
use transfer::login::{Login, LoginEvent, LoginFailure, LoginState, Turn};
use transfer::seal::Sealer;

use super::run::Ended;
use super::{Halt, Shared, hosts_seen};
use crate::session::Sessions;
use crate::telegram::setup::Setup;
use crate::vault::Vault;
use held::Held;
use steps::{Stepped, Stuck};

/// Logins that one host works on at the same time.
const LOGINS_MAX: usize = 32;
/// How long a login may wait for the job that names it: the function shows its message before it sends that.
const JOB_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// How long a stopping host lets steps end.
const STOP_MAX: Duration = Duration::from_secs(15);
/// How often a step is tried when Telegram is not reached.
const TRIES_MAX: u32 = 5;
/// The pause before the next try; it doubles.
const PAUSE: Duration = Duration::from_secs(2);

/// What a host needs to log accounts in.
#[derive(Debug, Clone)]
pub struct Reception {
    /// The way to Telegram.
    pub setup: Setup,
    /// Where sessions are kept.
    pub sessions: Sessions,
    /// What seals the progress of logins.
    pub sealer: Sealer,
    /// What opens it, and what admins said.
    pub vault: Vault,
}

/// The logins of this host.
#[derive(Default)]
pub(crate) struct Logins {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Default)]
struct Inner {
    asked: VecDeque<LoginId>,
    /// Those at work, and whether they were asked for again meanwhile.
    running: BTreeMap<LoginId, bool>,
}

/// The mark that a login is at work here; ends with the work, however that ends.
struct Running {
    shared: Arc<Shared>,
    id: LoginId,
}

impl Logins {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, id: &LoginId) {
        let mut inner = self.inner();
        if let Some(again) = inner.running.get_mut(id) {
            *again = true;
        } else if !inner.asked.contains(id) {
            inner.asked.push_back(id.clone());
        }
        drop(inner);
        self.news.notify_one();
    }

    fn is_here(&self, id: &LoginId) -> bool {
        let inner = self.inner();
        inner.running.contains_key(id) || inner.asked.contains(id)
    }

    fn take(&self) -> Option<LoginId> {
        let mut inner = self.inner();
        let id = inner.asked.pop_front()?;
        inner.running.insert(id.clone(), false);
        Some(id)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let again = self.shared.logins.inner().running.remove(&self.id);
        if again == Some(true) {
            self.shared.logins.ask(&self.id);
        }
    }
}

/// A login's job: its next step is taken beside the jobs, and the job is done with that.
pub(crate) fn work_on(shared: &Arc<Shared>, id: &LoginId) -> Ended {
    if reception(shared).is_none() {
        // A host that talks to nobody leaves it to those that do: their sweepers find it.
        return Ended::HeldElsewhere;
    }
    shared.logins.ask(id);
    Ended::Decided
}

/// Takes up a login that is due and that nobody works on. Tells when it will be due, if that is later.
pub(crate) async fn look_after(shared: &Shared, login: &Login) -> Result<Option<Timestamp>, Halt> {
    let (Some(due), Some(_)) = (login.due_at(), reception(shared)) else { return Ok(None) };
    let now = shared.ports.clock.now();
    // A wait that is over has no job: nothing is lost that could still come.
    let has_job = login.state.turn() == Turn::Host && !matches!(login.state, LoginState::Limited { .. });
    let due = if login.lease.is_none() && has_job {
        due.max(login.touched_at.saturating_add(JOB_WITHIN).unwrap_or(due))
    } else {
        due
    };
    if due > now {
        return Ok(Some(due));
    }
    if !shared.logins.is_here(&login.id) && hosts_seen::may_take(shared, login.lease.as_ref()).await? {
        tracing::info!(login = %login.id, state = login.state.word(), "a login that nobody works on is taken up");
        shared.logins.ask(&login.id);
    }
    Ok(None)
}

/// Works on logins until the host stops or may not act any more.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut carried = JoinSet::new();
    loop {
        while carried.len() < LOGINS_MAX
            && let Some(id) = shared.logins.take()
        {
            let running = Running { shared: shared.clone(), id };
            carried.spawn(async move {
                tokio::select! {
                    biased;
                    () = running.shared.fence.lost() => {}
                    () = carry(&running.shared, &running.id) => {}
                }
                drop(running);
            });
        }
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            () = shared.fence.lost() => break,
            Some(joined) = carried.join_next(), if !carried.is_empty() => report_panic(joined),
            () = shared.logins.news.notified() => {}
        }
    }
    let all = async { while carried.join_next().await.map(report_panic).is_some() {} };
    if tokio::time::timeout(STOP_MAX, all).await.is_err() {
        tracing::warn!("a step of a login was still going on: another host goes on from what is committed");
    }
    carried.shutdown().await;
}

fn report_panic(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined
        && error.is_panic()
    {
        tracing::error!(%error, "a step of a login ended in a panic; it is taken up again");
    }
}

fn reception(shared: &Shared) -> Option<&Reception> {
    shared.ports.reception.as_ref().filter(|_| shared.chats.exist())
}

/// Takes steps for as long as it is a host's turn.
async fn carry(shared: &Arc<Shared>, id: &LoginId) {
    let Some(reception) = reception(shared) else { return };
    let (mut tried, mut pause) = (0, PAUSE);
    loop {
        if shared.stop.is_cancelled() {
            return;
        }
        let mut held = match held::claim(shared, id).await {
            Ok(Some(held)) => held,
            Ok(None) => return,
            Err(error) => return tracing::warn!(login = %id, %error, "a login was not taken up"),
        };
        if held.login.untold && held.login.state.turn() != Turn::Host {
            // Whoever found it out died over showing it. Once more, and no more: the chat may be gone.
            showing::show(shared, &mut held).await;
            if let Err(error) = held.told(shared).await {
                tracing::warn!(login = %id, %error, "a login may be shown once more");
            }
            return;
        }
        match take_step(shared, reception, &mut held).await {
            Ok(()) => (tried, pause) = (0, PAUSE),
            Err(Stuck::Halt(error)) => return tracing::warn!(login = %id, %error, "a step of a login broke off"),
            Err(Stuck::Unreachable(why)) => {
                tracing::warn!(login = %id, why, "telegram was not reached for a login");
                tried += 1;
                if tried >= TRIES_MAX {
                    let failed = LoginEvent::Failed(LoginFailure::Unreachable);
                    if let Err(error) = held.happened(shared, failed, None).await {
                        return tracing::warn!(login = %id, %error, "a step of a login broke off");
                    }
                    showing::show(shared, &mut held).await;
                    return;
                }
                tokio::select! {
                    () = shared.stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause *= 2;
            }
        }
    }
}

/// One step: what Telegram says is committed, and shown.
async fn take_step(shared: &Arc<Shared>, reception: &Reception, held: &mut Held) -> Result<(), Stuck> {
    match steps::step(shared, reception, held).await? {
        Stepped::Happened(event, progress) => {
            let progress = progress.map(|progress| held.sealed(reception, &progress)).transpose()?;
            held.happened(shared, event, progress).await?;
        }
        Stepped::SignedIn(sign_in, signed_in) => {
            let admitted = admitting::admit(shared, reception, held, &sign_in, *signed_in).await;
            sign_in.close().await;
            admitted?;
        }
        // The admin did something meanwhile, or the host stops: what stands in the table decides.
        Stepped::Overtaken => return Ok(held.release(shared).await?),
    }
    tracing::info!(login = %held.login.id, state = held.login.state.word(), "a login went on");
    if matches!(held.login.state, LoginState::Limited { .. }) {
        // The wait may be over before the sweeper would look.
        shared.due.notify_one();
    }
    if !matches!(held.login.state, LoginState::Scan { .. }) {
        showing::show(shared, held).await;
    }
    Ok(())
}
