//! Accounts leave the pool: what is open is settled, the account is signed out at Telegram, then erased.
//!
//! While a chunk of it may have been carried out and nobody knows, the account stays: it alone can tell, and its task settles
//! that first. Then its lease is taken, so that nobody makes an intent with it; it is looked again; it is signed out on a
//! connection of its own; the connection is closed; everything of it is erased in one commit. If the process dies before
//! the call, nothing happened; after the call, Telegram refuses the key the next time, and the account is erased then. What
//! cannot be done now is tried again by the sweeper: the profile is due until it is gone. Waits are obeyed here too.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use transfer::account::{AccountState, MethodClass};
use transfer::admin;
use transfer::ids::{AccountId, ChatId, TaskId};
use transfer::tell::departure::{Departure, Hindrance, How};

use super::marks::{Effect, Marks};
use super::pool::{self, Hold, Reach};
use super::run::Ended;
use super::{Halt, Shared, chats};
use crate::telegram::{CallError, OpenError};

/// How often it is looked again, in one job, when the account is in other hands.
const LOOKS_MAX: u32 = 6;
const TURN_WAIT: Duration = Duration::from_secs(5);
/// For how long whoever asked is tried to be told.
const INSIST: Duration = Duration::from_secs(60);

/// What this life did about accounts that leave.
#[derive(Default)]
pub(crate) struct Departures {
    /// Accounts that are worked on at this moment.
    under_way: Mutex<BTreeSet<AccountId>>,
    /// What stands in the way was told once.
    told: Mutex<BTreeSet<AccountId>>,
    /// Found due by the sweeper.
    due: Mutex<BTreeSet<AccountId>>,
    news: Notify,
}

impl Departures {
    /// The sweeper found these due. It does not wait for them.
    pub(crate) fn put(&self, due: Vec<AccountId>) {
        if !due.is_empty() {
            self.due.lock().unwrap_or_else(PoisonError::into_inner).extend(due);
            self.news.notify_one();
        }
    }

    fn take(&self) -> Option<AccountId> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}

/// What came of signing out.
pub(super) enum SignedOut {
    /// The account is erased.
    Erased(How),
    /// Not now.
    NotYet(Hindrance),
}

/// The mark that somebody here works on it.
struct UnderWay<'a>(&'a Departures, AccountId);

impl<'a> UnderWay<'a> {
    fn begin(departures: &'a Departures, id: &AccountId) -> Option<Self> {
        let first = departures.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        first.then(|| Self(departures, id.clone()))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Signs an account out and erases it, if it is to leave. What fails is tried again by the sweeper.
pub(crate) async fn work_on(shared: &Arc<Shared>, id: &AccountId) -> Result<Ended, Halt> {
    if !pool::is_ours(shared, id) {
        return Ok(Ended::HeldElsewhere);
    }
    let Some(_under_way) = UnderWay::begin(&shared.departures, id) else { return Ok(Ended::HeldElsewhere) };
    for _ in 0..LOOKS_MAX {
        let Some((_, _, profile)) = pool::read_member(shared, id).await? else { return Ok(Ended::NothingToDo) };
        let Some(leaving) = profile.leaving else { return Ok(Ended::NothingToDo) };
        let left = match unsettled(shared, id).await? {
            Some(task) => SignedOut::NotYet(Hindrance::Unsettled(task)),
            None => sign_out(shared, id).await?,
        };
        match left {
            SignedOut::Erased(how) => {
                tracing::info!(account = %id, ?how, "an account left the pool because the admin wanted it");
                tell(shared, leaving.told, &Departure::Gone { label: profile.label, how }).await;
                shared.departures.told.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
                return Ok(Ended::Decided);
            }
            SignedOut::NotYet(Hindrance::Busy) => {
                shared.sharing.wish(id);
                tokio::select! {
                    biased;
                    () = shared.stop.cancelled() => return Ok(Ended::HeldElsewhere),
                    () = shared.pool.turn_ended(TURN_WAIT) => {}
                }
            }
            SignedOut::NotYet(why) => {
                tracing::info!(account = %id, ?why, "an account cannot leave the pool yet");
                let first = shared.departures.told.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
                if first {
                    tell(shared, leaving.told, &Departure::NotYet { label: profile.label, why }).await;
                }
                return Ok(Ended::Decided);
            }
        }
    }
    Ok(Ended::HeldElsewhere)
}

/// Works on accounts that the sweeper found due, beside the sweep, until it is dropped.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let Some(id) = shared.departures.take() else {
            shared.departures.news.notified().await;
            continue;
        };
        let working = async {
            tokio::select! {
                biased;
                () = shared.button.pressed() => Ok(Ended::HeldElsewhere),
                ended = work_on(&shared, &id) => ended,
            }
        };
        if let Err(error) = working.await {
            tracing::warn!(account = %id, %error, "an account that is to leave was not looked after; it is tried again");
        }
    }
}

async fn unsettled(shared: &Shared, id: &AccountId) -> Result<Option<TaskId>, Halt> {
    let found = admin::unsettled(shared.ports.table.as_ref(), id).await;
    found.map_err(|error| Halt::Unavailable(error.to_string()))
}

/// Signs an account out at Telegram and erases it, under its lease.
pub(super) async fn sign_out(shared: &Shared, id: &AccountId) -> Result<SignedOut, Halt> {
    shared.fence.check()?;
    let mut hold = match pool::reach(shared, id).await? {
        Reach::Held(hold) => hold,
        Reach::Busy => return Ok(SignedOut::NotYet(Hindrance::Busy)),
        Reach::Gone => return Ok(SignedOut::Erased(How::WasOver)),
    };
    // Whoever had it a moment ago may have left a chunk open; from here on nobody makes another.
    if !shared.button.is_pressed() {
        match unsettled(shared, id).await {
            Ok(None) => {}
            Ok(Some(task)) => {
                pool::give_back(shared, *hold).await;
                return Ok(SignedOut::NotYet(Hindrance::Unsettled(task)));
            }
            Err(halt) => {
                // It may be connected, and nobody else would close that.
                pool::give_back(shared, *hold).await;
                return Err(halt);
            }
        }
    }
    let left = log_out(shared, &mut hold).await;
    pool::close(&mut hold).await;
    match left? {
        SignedOut::Erased(how) => Ok(match erase(shared, &mut hold).await? {
            true => SignedOut::Erased(how),
            false => SignedOut::NotYet(Hindrance::Busy),
        }),
        SignedOut::NotYet(why) => {
            pool::release(shared, *hold, None).await;
            Ok(SignedOut::NotYet(why))
        }
    }
}

/// The one call. `Erased` says that nothing is left to be signed out.
async fn log_out(shared: &Shared, hold: &mut Hold) -> Result<SignedOut, Halt> {
    let id = hold.account.id.clone();
    let now = shared.ports.clock.now();
    if let Some(until) = shared.pool.waits(&hold.account).until(MethodClass::Read, now) {
        return Ok(SignedOut::NotYet(Hindrance::Waits(until)));
    }
    let mut marks = Marks::default();
    let answer = match pool::connected(shared, hold).await {
        Ok(connection) => {
            shared.fence.check()?;
            connection.log_out().await
        }
        Err(OpenError::Refused(refusal)) => Err(CallError::Refused(refusal)),
        Err(error @ (OpenError::Unreachable(_) | OpenError::ClockSkew { .. })) => {
            Err(CallError::Uncertain(error.to_string()))
        }
        Err(OpenError::NoSession { .. }) => return Ok(SignedOut::Erased(How::NoSession)),
    };
    let left = match answer {
        Ok(()) => return Ok(SignedOut::Erased(How::SignedOut)),
        Err(CallError::Uncertain(why)) => Hindrance::Unreachable(why),
        Err(CallError::Refused(refusal)) => match marks.refused(shared, &id, &refusal, MethodClass::Read) {
            Some(Effect::Lost(AccountState::SignedOut | AccountState::SessionDead | AccountState::Banned)) => {
                return Ok(SignedOut::Erased(How::WasOver));
            }
            Some(Effect::Limited(until)) => Hindrance::Waits(until),
            Some(Effect::Lost(_)) | None => Hindrance::Unreachable(refusal.to_string()),
        },
    };
    marks.note_down(shared, hold).await;
    Ok(SignedOut::NotYet(left))
}

/// Erases a held account whose connection is closed. `false`: somebody else has it.
async fn erase(shared: &Shared, hold: &mut Hold) -> Result<bool, Halt> {
    shared.fence.check()?;
    if shared.pool.waits(&hold.account) != hold.account.waits {
        // What was received and not committed yet is remembered with the rest.
        pool::change(shared, hold, |_| ()).await?;
    }
    shared.fence.check()?;
    let erased = admin::erase(shared.ports.table.as_ref(), &hold.account.id, &shared.lease()).await;
    erased.map_err(|error| Halt::Unavailable(error.to_string()))
}

async fn tell(shared: &Shared, chat: Option<ChatId>, departure: &Departure) {
    let Some(chat) = chat.filter(|_| shared.chats.exist()) else { return };
    let locale = shared.chats.locale(&shared.store, chat).await;
    let until = shared.ports.clock.uptime() + INSIST;
    if let Err(why) = chats::insist(shared, chat, None, &departure.screen(&locale), until).await {
        tracing::warn!(%chat, ?why, "whoever let an account go was not told how it went");
    }
}

/// Tells all admins that every account is signed out.
pub(super) async fn tell_all(shared: &Shared, at: Timestamp) {
    for admin in &shared.config.admins {
        tell(shared, Some(*admin), &Departure::AllGone { at }).await;
    }
}
