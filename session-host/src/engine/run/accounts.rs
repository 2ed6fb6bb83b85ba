//! Which account carries the next chunk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use transfer::account::{AccountState, Counters, Member, MethodClass};
use transfer::event::Event;
use transfer::ids::AccountId;
use transfer::intent::Intent;
use transfer::mutated;
use transfer::pool::{Choice, Need, choose, turns};
use transfer::refusal::Refusal;
use transfer::verdict::{AccountEffect, Attempt, verdict};

use super::{AccountDelta, Left, Run, Step};
use crate::engine::Halt;
use crate::engine::pool::{self, Hold, Reach};
use crate::telegram::{Connection, OpenError};

/// For how long a task stands in the line before it lets another task have its permit, if there are more tasks.
const STANDS_MAX: Duration = Duration::from_secs(60);
/// How long a task waits for its turn before it looks at the pool again.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// The same while another host has the account: nobody tells when that one lets go.
const ELSEWHERE_WAIT: Duration = Duration::from_secs(2);
/// How long an account that cannot be used for another reason than a wait is left out of this run's choice.
const EXCLUDED_FOR: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

/// What an account is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// To carry a chunk: it must have this much of its budget left.
    Carry { room: u32 },
    /// To read the target for settling. Nothing is written, and nobody sleeps longer than until then.
    Settle { until: Timestamp },
}

impl Purpose {
    fn class(self) -> MethodClass {
        match self {
            Self::Carry { .. } => MethodClass::Write,
            Self::Settle { .. } => MethodClass::Read,
        }
    }

    fn room(self) -> u32 {
        match self {
            Self::Carry { room } => room,
            Self::Settle { .. } => 0,
        }
    }

    fn wakes_at(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Carry { .. } => at,
            Self::Settle { until } => at.min(until),
        }
    }
}

impl Run {
    /// Sees to it that a capable account is held and connected; `Some(step)` when that needs something else first.
    pub(super) async fn hold_account(&mut self, purpose: Purpose) -> Result<Option<Step>, Halt> {
        if self.hold_is_good(purpose) {
            return Ok(None);
        }
        // What was staged belongs to the account that is given back now.
        self.stage_day();
        self.commit().await?;
        self.give_back().await;
        self.wish_read = None;
        let now = self.now();
        self.excluded.retain(|_, until| *until > now);
        if let Some(taken) = self.take_rested(purpose).await? {
            return Ok(taken.err());
        }
        let mut members = pool::members(&self.shared).await?;
        members.busy.extend(self.shared.line.before(&self.task.id));
        for member in &mut members.all {
            self.see_waits(member, purpose);
        }
        let (today, midnight) = self.shared.today();
        let not_for_peer = self.not_for_peer_ids();
        let need = self.need(purpose, &not_for_peer, &members.busy, midnight);
        match choose(&members.all, &need, now, today) {
            Choice::Use(id) => self.take(&id, purpose).await,
            Choice::WaitUntil { at, why } => {
                let at = purpose.wakes_at(at);
                if self.shared.ports.clock.until(at) > TURN_WAIT {
                    // It keeps its number, and holds nobody up meanwhile.
                    self.standing = None;
                }
                if self.excluded.is_empty() {
                    self.stage_event(Event::AllLimited { wake_at: at });
                }
                tracing::info!(task = %self.task.id, wake_at = %at, why, "every account has to wait");
                self.wait(at, &why).await.map(Some)
            }
            Choice::WaitForTurn { or_at } => {
                let wait = or_at.map_or(TURN_WAIT, |at| self.shared.ports.clock.until(at).min(TURN_WAIT));
                let turns = turns(&members.all, &need, now, today);
                let elsewhere: Vec<&AccountId> = turns.intersection(&members.elsewhere).collect();
                elsewhere.iter().for_each(|account| self.shared.sharing.wish(account));
                let wait = if elsewhere.is_empty() { wait } else { wait.min(ELSEWHERE_WAIT) };
                self.wait_for_turn(turns, wait).await.map(Some)
            }
            Choice::Exhausted(reason) => self.park(self.why_nobody_can(&reason)).await.map(Some),
        }
    }

    /// Whoever may not read cannot carry either, and whoever is left out is as good as waiting.
    fn see_waits(&self, member: &mut Member, purpose: Purpose) {
        let waits = &mut member.account.waits;
        for until in [waits.read, self.excluded.get(&member.account.id).copied()].into_iter().flatten() {
            waits.extend(purpose.class(), until);
        }
    }

    fn need<'a>(
        &'a self,
        purpose: Purpose,
        not_for_peer: &'a BTreeSet<AccountId>,
        busy: &'a BTreeSet<AccountId>,
        midnight: Timestamp,
    ) -> Need<'a> {
        Need {
            checkpoint_account: self.task.checkpoint.account.as_ref(),
            // Whoever is told to work with one account is not asked for its group.
            group: self.task.group.as_deref().filter(|_| self.shared.config.only_account.is_none()),
            bound_to: self.task.bound_to.as_ref(),
            not_for_peer,
            busy,
            room: purpose.room(),
            class: purpose.class(),
            midnight,
        }
    }

    /// Takes the account that carried last, if it rests here and can go on: the choice would fall on it whatever the others
    /// are like, so nobody asks the table for them.
    async fn take_rested(&mut self, purpose: Purpose) -> Result<Option<Result<(), Step>>, Halt> {
        let Some(id) = self.task.checkpoint.account.clone() else { return Ok(None) };
        let busy = self.shared.line.before(&self.task.id);
        let rests = self.shared.pool.rests(&id, self.shared.ports.clock.uptime());
        if !rests || busy.contains(&id) || self.excluded.contains_key(&id) {
            return Ok(None);
        }
        let Reach::Held(hold) = pool::reach(&self.shared, &id).await? else { return Ok(None) };
        let mut member = Member { account: hold.account.clone(), profile: hold.profile.clone() };
        member.account.waits = self.shared.pool.waits(&member.account);
        self.see_waits(&mut member, purpose);
        let (today, midnight) = self.shared.today();
        let not_for_peer = self.not_for_peer_ids();
        let need = self.need(purpose, &not_for_peer, &busy, midnight);
        if choose(&[member], &need, self.now(), today) != Choice::Use(id) {
            pool::give_back(&self.shared, *hold).await;
            return Ok(None);
        }
        self.have(hold);
        Ok(Some(self.connection().await?.map(drop)))
    }

    fn have(&mut self, hold: Box<Hold>) {
        self.hold = Some(hold);
        self.delta = AccountDelta::default();
        self.leave_line();
    }

    /// Stands in the line for these accounts. A host that is full lets other tasks have the permit after a while, unless
    /// this one is the next: its turn comes.
    async fn wait_for_turn(&mut self, accounts: BTreeSet<AccountId>, at_most: Duration) -> Result<Step, Halt> {
        let uptime = self.shared.ports.clock.uptime();
        self.standing = Some(self.shared.line.stand(&self.task.id, accounts, uptime));
        let since = *self.stands_since.get_or_insert(uptime);
        let is_full = self.shared.at_work.is_full(self.shared.config.tasks_max);
        if is_full && uptime.saturating_sub(since) >= STANDS_MAX && !self.shared.line.is_first(&self.task.id) {
            return self.requeue().await;
        }
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => {}
            () = self.shared.pool.turn_ended(at_most) => {}
        }
        Ok(Step::Again)
    }

    /// An account is held: whoever stands in the line next is not held up any more.
    fn leave_line(&mut self) {
        self.standing = None;
        self.stands_since = None;
        self.shared.line.leave(&self.task.id);
    }

    fn why_nobody_can(&self, reason: &str) -> String {
        let mut whole = reason.to_owned();
        for (account, why) in &self.not_for_peer {
            whole.push_str(&format!("; account {account}: {why}"));
        }
        whole
    }

    /// Whether the account in hand may do this now.
    fn hold_is_good(&self, purpose: Purpose) -> bool {
        let Some(hold) = &self.hold else { return false };
        let now = self.now();
        let id = &hold.account.id;
        let waits = self.shared.pool.waits(&hold.account);
        let today = self.shared.today().0;
        let charged = if hold.account.today.date == today { i64::from(hold.account.today.charged) } else { 0 };
        let charged = (charged + self.delta.charged).max(0);
        let within_budget =
            hold.profile.daily_budget.is_none_or(|budget| charged + i64::from(purpose.room()) <= i64::from(budget));
        let stays = hold.profile.leaving.is_none() || mutated!(LeavingChosen);
        hold.profile.enabled
            && stays
            && hold.account.state == AccountState::Ready
            && self.delta.state.is_none()
            && waits.until(purpose.class(), now).is_none()
            && waits.until(MethodClass::Read, now).is_none()
            && within_budget
            && !self.not_for_peer.contains_key(id)
            && !self.excluded.contains_key(id)
    }

    /// What is left of the held account's budget today.
    pub(super) fn budget_left(&self) -> u32 {
        let Some(hold) = &self.hold else { return 0 };
        let Some(budget) = hold.profile.daily_budget else { return u32::MAX };
        let today = self.shared.today().0;
        let charged = if hold.account.today.date == today { i64::from(hold.account.today.charged) } else { 0 };
        u32::try_from((i64::from(budget) - charged - self.delta.charged).max(0)).unwrap_or(u32::MAX)
    }

    /// Takes an account that was chosen.
    async fn take(&mut self, id: &AccountId, purpose: Purpose) -> Result<Option<Step>, Halt> {
        match pool::reach(&self.shared, id).await? {
            Reach::Held(hold) => {
                self.have(hold);
                // It was chosen from a list that may be behind; what counts is what was read just now.
                if !self.hold_is_good(purpose) {
                    self.give_back().await;
                    self.exclude(id);
                    return Ok(Some(Step::Again));
                }
                Ok(self.connection().await?.err())
            }
            Reach::Busy | Reach::Gone => {
                self.exclude(id);
                Ok(Some(Step::Again))
            }
        }
    }

    pub(super) fn exclude(&mut self, id: &AccountId) {
        let until = self.now().saturating_add(EXCLUDED_FOR).unwrap_or(Timestamp::MAX);
        self.excluded.insert(id.clone(), until);
    }

    /// The held account's connection; what to do next when there is none to be had.
    pub(super) async fn connection(&mut self) -> Result<Result<Arc<dyn Connection>, Step>, Halt> {
        self.shared.fence.check()?;
        let Some(hold) = &mut self.hold else { return Ok(Err(Step::Again)) };
        match pool::connected(&self.shared, hold).await {
            Ok(connection) => {
                // Opening took time: whoever calls on it asks the fence again.
                self.shared.fence.check()?;
                Ok(Ok(connection))
            }
            Err(OpenError::Unreachable(why)) => {
                self.left = Some(Left { reason: format!("no connection: {why}"), wait_secs: None });
                self.drop_account().await.map(Err)
            }
            Err(OpenError::Refused(refusal)) => {
                self.account_effect(&refusal, MethodClass::Read);
                self.drop_account().await.map(Err)
            }
            Err(error @ OpenError::NoSession { .. }) => {
                self.delta.state = Some((AccountState::SignedOut, error.to_string()));
                self.tell_of_loss(&error.to_string());
                self.drop_account().await.map(Err)
            }
            Err(error @ OpenError::ClockSkew { .. }) => self.park(error.to_string()).await.map(Err),
        }
    }

    /// Leaves the held account: commits what is known of it, closes it, gives it back.
    pub(super) async fn drop_account(&mut self) -> Result<Step, Halt> {
        self.commit().await?;
        if let Some(hold) = &mut self.hold {
            pool::close(hold).await;
            let id = hold.account.id.clone();
            self.exclude(&id);
        }
        self.give_back().await;
        Ok(Step::Again)
    }

    /// What a refusal means for the held account, whatever it means for the task. Returns the wait it was given.
    pub(super) fn account_effect(&mut self, refusal: &Refusal, class: MethodClass) -> Option<u64> {
        let Some(hold) = &self.hold else { return None };
        let id = hold.account.id.clone();
        let effect = verdict(refusal, Attempt::First).account;
        let mut wait = None;
        match effect {
            AccountEffect::Fine => {}
            AccountEffect::Cooling { secs } => {
                let until = self.shared.wait_until(secs);
                self.shared.pool.note_wait(&id, class, until);
                if !mutated!(WaitNotCommitted) {
                    self.delta.waits.push((class, until));
                }
                self.delta.counters.add(Counters { forwarded: 0, floods: 1, flood_wait_secs: secs });
                self.task.checkpoint.counts.floods += 1;
                self.stage_event(Event::Flood { account: id.clone(), wait_secs: secs, until });
                tracing::info!(task = %self.task.id, account = %id, wait_secs = secs, ?class, "flood wait");
                wait = Some(secs);
            }
            AccountEffect::Becomes(state) => {
                self.delta.state = Some((state, refusal.text().to_owned()));
                self.tell_of_loss(refusal.text());
            }
            AccountEffect::NotForThisPeer => {
                self.forget_peers();
                // Whoever was put out may join again; a look at the peers tells.
                if !self.may_still_join(&id) {
                    self.not_for_peer.insert(id, refusal.text().to_owned());
                }
            }
            AccountEffect::ChangeDc(dc) => {
                self.delta.state =
                    Some((AccountState::SignedOut, format!("the account lives in DC {dc}: log in again")));
                self.tell_of_loss(refusal.text());
            }
        }
        self.left = Some(Left { reason: refusal.text().to_owned(), wait_secs: wait });
        wait
    }

    fn tell_of_loss(&mut self, reason: &str) {
        let Some(hold) = &self.hold else { return };
        let account = hold.account.id.clone();
        tracing::error!(task = %self.task.id, %account, reason, "an account left the pool");
        self.stage_event(Event::AccountLost { account, reason: reason.to_owned() });
    }

    /// Writes down that another account carries on.
    pub(super) fn note_change(&mut self) {
        let Some(hold) = &self.hold else { return };
        let to = hold.account.id.clone();
        let from = self.task.checkpoint.account.replace(to.clone());
        let left = self.left.take();
        if from.is_none() || from.as_ref() == Some(&to) {
            return;
        }
        let left = left.unwrap_or(Left { reason: "the other one is not free".into(), wait_secs: None });
        self.task.checkpoint.counts.changes += 1;
        tracing::info!(
            task = %self.task.id, from = from.as_ref().map(tracing::field::display), %to, reason = left.reason,
            wait_secs = left.wait_secs, "account changed"
        );
        self.stage_event(Event::AccountChanged { from, to, reason: left.reason, wait_secs: left.wait_secs });
    }

    /// Holds the very account that made an intent, whatever its priority; `Some(step)` when it cannot be had now.
    pub(super) async fn hold_maker(&mut self, intent: &Intent) -> Result<Option<Step>, Halt> {
        if self.hold.as_ref().is_some_and(|hold| hold.account.id == intent.account) {
            return Ok(None);
        }
        self.commit().await?;
        self.give_back().await;
        if !pool::is_ours(&self.shared, &intent.account) {
            let reason = format!(
                "account {} has to settle a chunk, and this host works with one account alone: start it with the pool",
                intent.account
            );
            return self.park(reason).await.map(Some);
        }
        match pool::reach(&self.shared, &intent.account).await? {
            Reach::Held(hold) => {
                self.have(hold);
                Ok(None)
            }
            Reach::Busy => {
                self.shared.sharing.wish(&intent.account);
                self.wait_for_turn(BTreeSet::from([intent.account.clone()]), TURN_WAIT).await.map(Some)
            }
            Reach::Gone => {
                let reason = format!(
                    "account {} was removed while a chunk of it was uncertain; look at the target, then cancel or repeat",
                    intent.account
                );
                self.park(reason).await.map(Some)
            }
        }
    }
}
