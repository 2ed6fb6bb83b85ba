//! Idle accounts are asked whether their session is still good, so that a loss is known before the account is needed.
//!
//! One account at a time, three a minute at most, each under its lease and never while it has to wait. Whatever an account
//! does says the same: only one of which nobody heard for [`HostConfig::check_idle_after`] is asked. A refusal goes the way
//! of every refusal: the state is written down, and the look for alarms tells the admins once.
//!
//! [`HostConfig::check_idle_after`]: super::HostConfig::check_idle_after

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use transfer::account::{AccountState, Member, MethodClass};
use transfer::ids::AccountId;
use transfer::mutated;

use super::marks::Marks;
use super::pool::{self, Hold, Reach};
use super::{Halt, Shared};
use crate::telegram::{CallError, OpenError};

/// Between two checks.
const CHECKS_APART: Duration = Duration::from_secs(20);
/// The longest time between two looks: accounts come, and others are given back.
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// How long an account that could not be asked is left alone.
const UNASKED_PAUSE: Duration = Duration::from_secs(600);

/// Checks idle accounts until it is dropped.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub(crate) async fn run(shared: Arc<Shared>) {
    // Accounts that could not be asked, and until when (uptime) they are left alone.
    let mut unasked: BTreeMap<AccountId, Duration> = BTreeMap::new();
    loop {
        let pause = match look(&shared, &mut unasked).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "a check of idle accounts broke off");
                CHECKS_APART
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Checks one account, if one is due; tells when to look again.
async fn look(shared: &Shared, unasked: &mut BTreeMap<AccountId, Duration>) -> Result<Duration, Halt> {
    if shared.button.is_pressed() {
        return Ok(LOOK_EVERY);
    }
    let uptime = shared.ports.clock.uptime();
    unasked.retain(|_, until| *until > uptime);
    let members = pool::members(shared).await?;
    let now = shared.ports.clock.now();
    let idle = SignedDuration::try_from(shared.config.check_idle_after).unwrap_or(SignedDuration::MAX);
    let due_at = |member: &Member| {
        let heard = shared.pool.checked_at(&member.account).max(member.account.last_used);
        heard.unwrap_or(member.account.since).saturating_add(idle).unwrap_or(Timestamp::MAX)
    };
    let mut candidates: Vec<(Timestamp, &Member)> = members
        .all
        .iter()
        .filter(|member| is_idle(member, now) && !members.busy.contains(&member.account.id))
        .filter(|member| !unasked.contains_key(&member.account.id))
        .map(|member| (due_at(member), member))
        .collect();
    candidates.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.account.id.cmp(&other.account.id)));
    let Some((at, member)) = candidates.first() else { return Ok(LOOK_EVERY) };
    if *at > now {
        return Ok(shared.ports.clock.until(*at).clamp(CHECKS_APART, LOOK_EVERY));
    }
    let id = member.account.id.clone();
    if !check(shared, &id).await? {
        unasked.insert(id, uptime + UNASKED_PAUSE);
    }
    Ok(CHECKS_APART)
}

/// Whether it could be asked: it works, stays, and need not wait for anything.
fn is_idle(member: &Member, now: Timestamp) -> bool {
    let classes = [MethodClass::Write, MethodClass::Read, MethodClass::Resolve];
    let waits = classes.iter().any(|class| member.account.waits.until(*class, now).is_some());
    let works = member.profile.enabled && member.profile.leaving.is_none();
    works && member.account.state == AccountState::Ready && (!waits || mutated!(CheckedInWait))
}

/// Asks one account who it is; tells whether that was found out.
async fn check(shared: &Shared, id: &AccountId) -> Result<bool, Halt> {
    shared.fence.check()?;
    let mut hold = match pool::reach(shared, id).await? {
        Reach::Held(hold) => hold,
        Reach::Busy | Reach::Gone => return Ok(false),
    };
    // It was chosen from a list that may be behind; what counts is what was read just now.
    let now = shared.ports.clock.now();
    let account = transfer::account::Account { waits: shared.pool.waits(&hold.account), ..hold.account.clone() };
    if !is_idle(&Member { account, profile: hold.profile.clone() }, now) {
        pool::give_back(shared, *hold).await;
        return Ok(false);
    }
    let mut marks = Marks::default();
    let found = ask(shared, &mut hold, &mut marks).await;
    marks.note_down(shared, &mut hold).await;
    pool::release(shared, *hold, shared.sharing.next_host(id)).await;
    found
}

async fn ask(shared: &Shared, hold: &mut Hold, marks: &mut Marks) -> Result<bool, Halt> {
    let id = hold.account.id.clone();
    let answer = match pool::connected(shared, hold).await {
        Ok(connection) => {
            shared.fence.check()?;
            connection.whoami().await
        }
        Err(OpenError::Refused(refusal)) => Err(CallError::Refused(refusal)),
        Err(OpenError::Unreachable(_) | OpenError::ClockSkew { .. }) => return Ok(false),
        Err(error @ OpenError::NoSession { .. }) => {
            marks.lose(AccountState::SignedOut, error.to_string());
            return Ok(true);
        }
    };
    match answer {
        Ok(()) => {
            tracing::debug!(account = %id, "an idle account is well");
            Ok(true)
        }
        Err(CallError::Uncertain(why)) => {
            tracing::info!(account = %id, why, "an idle account could not be asked; it is asked again later");
            marks.uncertain = true;
            Ok(false)
        }
        Err(CallError::Refused(refusal)) => {
            let effect = marks.refused(shared, &id, &refusal, MethodClass::Read);
            tracing::warn!(account = %id, %refusal, ?effect, "an idle account was refused");
            Ok(effect.is_some())
        }
    }
}
