//! Which account carries the next chunk, and what it knows of source and target.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use transfer::account::{AccountState, Counters, MethodClass};
use transfer::event::Event;
use transfer::ids::AccountId;
use transfer::intent::Intent;
use transfer::mutated;
use transfer::pool::{Choice, Need, choose, turns};
use transfer::refusal::Refusal;
use transfer::table::item::KnownPeer;
use transfer::table::{Item, Key};
use transfer::task::{Endpoint, TaskEvent};
use transfer::verdict::{AccountEffect, Attempt, verdict};

use super::reading::READ_FAILURES_MAX;
use super::{AccountDelta, Left, Run, Step};
use crate::engine::Halt;
use crate::engine::pool::{self, Reach};
use crate::engine::store::expect_item;
use crate::telegram::{CallError, Connection, OpenError, Peer};

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

/// Source and target as the held account sees them.
pub(super) enum Seen {
    Both(Peer, Peer),
    /// Not with this account, or not now: what to do next.
    Not(Step),
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
        let mut members = pool::members(&self.shared).await?;
        members.busy.extend(self.shared.line.before(&self.task.id));
        for member in &mut members.all {
            // Whoever may not read cannot carry either, and whoever is left out is as good as waiting.
            let waits = &mut member.account.waits;
            for until in [waits.read, self.excluded.get(&member.account.id).copied()].into_iter().flatten() {
                waits.extend(purpose.class(), until);
            }
        }
        let (today, midnight) = self.shared.today();
        let not_for_peer = self.not_for_peer_ids();
        let need = Need {
            checkpoint_account: self.task.checkpoint.account.as_ref(),
            group: self.task.group.as_deref(),
            bound_to: self.task.bound_to.as_ref(),
            not_for_peer: &not_for_peer,
            busy: &members.busy,
            room: purpose.room(),
            class: purpose.class(),
            midnight,
        };
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

    /// Stands in the line for these accounts. A host that is full lets other tasks have the permit after a while, unless
    /// this one is the next: its turn comes.
    async fn wait_for_turn(&mut self, accounts: BTreeSet<AccountId>, at_most: Duration) -> Result<Step, Halt> {
        let uptime = self.shared.ports.clock.uptime();
        self.standing = Some(self.shared.line.stand(&self.task.id, accounts, uptime));
        let since = *self.stands_since.get_or_insert(uptime);
        let is_full = self.shared.running.count() >= self.shared.config.tasks_max;
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
        hold.profile.enabled
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
                self.hold = Some(hold);
                self.delta = AccountDelta::default();
                self.leave_line();
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
                self.not_for_peer.insert(id, refusal.text().to_owned());
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

    /// Source and target as the held account sees them, resolved by itself.
    pub(super) async fn peers(&mut self) -> Result<Seen, Halt> {
        let source = self.task.source.clone();
        let target = self.task.target.clone();
        let source = match self.peer(&source).await? {
            Ok(peer) => peer,
            Err(step) => return Ok(Seen::Not(step)),
        };
        let target = match self.peer(&target).await? {
            Ok(peer) => peer,
            Err(step) => return Ok(Seen::Not(step)),
        };
        Ok(Seen::Both(source, target))
    }

    async fn peer(&mut self, endpoint: &Endpoint) -> Result<Result<Peer, Step>, Halt> {
        let known = self.hold.as_ref().and_then(|hold| hold.peers.get(&endpoint.peer?).cloned());
        if let Some(peer) = known {
            return Ok(Ok(peer));
        }
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Err(step)),
        };
        let seen = match self.known_hash(endpoint).await? {
            Some((peer, access_hash)) => (MethodClass::Read, connection.look(peer, access_hash).await),
            None => match self.resolve_wait() {
                Some(step) => return Ok(Err(step)),
                None => (MethodClass::Resolve, connection.resolve(&endpoint.address).await),
            },
        };
        match seen {
            (class, Ok(peer)) => {
                if class == MethodClass::Resolve {
                    self.remember(&peer);
                }
                if let Some(hold) = &mut self.hold {
                    hold.peers.insert(peer.id, peer.clone());
                }
                Ok(Ok(peer))
            }
            (class, Err(CallError::Refused(refusal))) => self.peer_refused(endpoint, &refusal, class).await.map(Err),
            (_, Err(CallError::Uncertain(why))) => self.unanswered(&why).await.map(Err),
        }
    }

    /// A look at a peer got no answer: another account, or the same a little later; but not for ever.
    pub(super) async fn unanswered(&mut self, why: &str) -> Result<Step, Halt> {
        self.read_failures += 1;
        if self.read_failures > READ_FAILURES_MAX {
            self.read_failures = 0;
            return self.park(format!("Telegram gives no usable answer: {why}; resume to try again")).await;
        }
        self.left = Some(Left { reason: format!("no answer: {why}"), wait_secs: None });
        self.drop_account().await
    }

    /// An account that may not resolve now is left out until it may: another one, or the same later, goes on.
    fn resolve_wait(&mut self) -> Option<Step> {
        let hold = self.hold.as_ref()?;
        let until = self.shared.pool.waits(&hold.account).until(MethodClass::Resolve, self.now())?;
        self.excluded.insert(hold.account.id.clone(), until);
        Some(Step::Again)
    }

    async fn peer_refused(&mut self, endpoint: &Endpoint, refusal: &Refusal, class: MethodClass) -> Result<Step, Halt> {
        let text = refusal.text().to_owned();
        let nobody = ["USERNAME_", "INVITE_HASH_", "INVITE_REQUEST_SENT"];
        if nobody.iter().any(|prefix| text.starts_with(prefix)) {
            let reason = format!("{} leads nowhere ({text}): check the name or link", endpoint.address);
            return self.park(reason).await;
        }
        self.account_effect(refusal, class);
        if let Some(hold) = &self.hold
            && verdict(refusal, Attempt::First).account == AccountEffect::Fine
        {
            let why = format!("cannot see {}: {text}", endpoint.address);
            self.not_for_peer.insert(hold.account.id.clone(), why);
        }
        self.drop_account().await
    }

    async fn known_hash(&self, endpoint: &Endpoint) -> Result<Option<(transfer::ids::PeerId, i64)>, Halt> {
        let (Some(hold), Some(peer)) = (&self.hold, endpoint.peer) else { return Ok(None) };
        let key = Key::peer(&hold.account.id, peer);
        let known = expect_item!(self.shared.store.get(&key).await?, Peer, key);
        Ok(known.map(|(known, _)| (peer, known.access_hash)))
    }

    /// Resolving has long waits of its own: what it told is kept.
    fn remember(&mut self, peer: &Peer) {
        let Some(hold) = &self.hold else { return };
        let known = KnownPeer {
            account: hold.account.id.clone(),
            peer: peer.id,
            access_hash: peer.access_hash,
            title: peer.title.clone(),
            unusable: None,
            checked_at: self.now(),
        };
        self.stage(Item::Peer(known));
    }

    /// Whether the source is protected, and whether this account can read it and post in the target; `Some(step)` when
    /// it cannot.
    pub(super) async fn may_carry(&mut self, source: &Peer, target: &Peer) -> Result<Option<Step>, Halt> {
        if source.protected {
            let reason = format!("{} is protected against forwarding; Ferry leaves it alone", source.title);
            return self.end(TaskEvent::Fail { reason }).await.map(Some);
        }
        let why = if !source.readable {
            format!("cannot read {}", source.title)
        } else if target.postable == Some(false) {
            format!("may not post in {}", target.title)
        } else {
            return Ok(None);
        };
        if let Some(hold) = &self.hold {
            self.not_for_peer.insert(hold.account.id.clone(), why);
        }
        self.forget_peers();
        self.drop_account().await.map(Some)
    }

    /// What was known of the peers was contradicted: the next run looks anew.
    fn forget_peers(&mut self) {
        if let Some(hold) = &mut self.hold {
            hold.peers.clear();
        }
    }

    /// Holds the very account that made an intent, whatever its priority; `Some(step)` when it cannot be had now.
    pub(super) async fn hold_maker(&mut self, intent: &Intent) -> Result<Option<Step>, Halt> {
        if self.hold.as_ref().is_some_and(|hold| hold.account.id == intent.account) {
            return Ok(None);
        }
        self.commit().await?;
        self.give_back().await;
        match pool::reach(&self.shared, &intent.account).await? {
            Reach::Held(hold) => {
                self.hold = Some(hold);
                self.delta = AccountDelta::default();
                self.leave_line();
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
