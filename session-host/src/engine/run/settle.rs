//! Settling an intent whose call may have been carried out.
//!
//! First the byte-identical call from the same account, up to three times; Telegram keeps used random ids for ever, so
//! a repeat can do no harm. No error to a repeat says anything about the first call. Then the target is read, twice;
//! what is found is delivered, what is provably not there goes to another account, and everything else parks within
//! the hour. Nothing here guesses.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use transfer::account::{AccountState, MethodClass};
use transfer::event::{Event, Settlement as How};
use transfer::ids::{MessageId, RandomId};
use transfer::intent::{Intent, Outcome, Skip, SkipReason};
use transfer::lease::HOLDER_STOPS;
use transfer::message::Message;
use transfer::mutated;
use transfer::refusal::{Meaning, Refusal};
use transfer::sequence::IdSequence;
use transfer::settle::{Evidence, Settlement, settle};
use transfer::verdict::{AccountEffect, Attempt, TaskEffect, verdict};

use super::accounts::Purpose;
use super::attempt::pair;
use super::peers::Seen;
use super::{Left, Run, Step};
use crate::engine::{Halt, pool};
use crate::telegram::{CallError, Connection, Difference, Forwarded, Peer};

/// Repeats before the target is read.
const REPEATS_MAX: u32 = 3;
/// A repeat that would have to wait longer than this is not waited for: the target is read instead.
const REPEAT_WAIT_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How long the first account's connections must have been closed before its chunk is taken over. Stated assumption:
/// nothing that was sent before applies later than that.
const CLOSED_FOR: SignedDuration = SignedDuration::from_secs(120);
/// How long the server keeps a connection that says nothing (`ping_delay_disconnect`).
const SILENT_CONNECTION: Duration = Duration::from_secs(75);
/// An uncertain intent is settled, taken over or parked within this.
const SETTLED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Whoever settles looks at least every ten minutes; after this long nobody did.
const NOBODY_LOOKED: SignedDuration = SignedDuration::from_mins(20);
/// Steps of settling that go without a pause: repeat, read, decide.
const SETTLE_STEPS_AT_ONCE: u32 = 6;
/// From then on each step waits a second more than the one before, up to this.
const SETTLE_PAUSE_MAX_SECS: u32 = 25;
/// The pause between two readings of the target, and between repeats (times their number).
const READING_PAUSE: SignedDuration = SignedDuration::from_secs(20);
const REPEAT_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// Pages of the target that a reading looks at: a chunk and a hundred times as many strangers.
const TARGET_PAGES_MAX: u32 = 100;
/// Between the two equal readings.
const STABLE_PAUSE: Duration = Duration::from_secs(1);

impl Run {
    /// A call was answered by nothing that says what it did: its connection is closed, the intent stays open.
    pub(super) async fn uncertain(&mut self, why: &str) -> Result<Step, Halt> {
        let now = self.now();
        tracing::warn!(task = %self.task.id, why, "nobody knows whether a chunk was carried out; it will be settled");
        if let Some(hold) = &mut self.hold {
            pool::close(hold).await;
        }
        self.reader = None;
        self.delta.closed_at = Some(now);
        if mutated!(UncertainMovesOn)
            && let Some(intent) = self.task.checkpoint.intent.clone()
        {
            self.withdraw(&intent);
            self.exclude(&intent.account);
        }
        if let Some(intent) = &mut self.task.checkpoint.intent {
            intent.uncertain_since.get_or_insert(now);
        }
        self.dirty = true;
        self.commit().await?;
        Ok(Step::Again)
    }

    /// One step towards settling the open intent.
    pub(super) async fn settle_step(&mut self) -> Result<Step, Halt> {
        let Some(intent) = self.task.checkpoint.intent.clone() else { return Ok(Step::Again) };
        let now = self.now();
        if mutated!(InheritedIntentDropped) && intent.made_by != self.shared.config.incarnation {
            self.withdraw(&intent);
            self.commit().await?;
            return Ok(Step::Again);
        }
        let since = tried_since(&intent, now);
        if let Some(open) = &mut self.task.checkpoint.intent {
            open.uncertain_since = Some(since);
            open.looked_at = Some(now);
            self.dirty = true;
        }
        if now.duration_since(since) >= SETTLED_WITHIN {
            return self.give_up("it could not be settled within an hour").await;
        }
        self.settle_steps += 1;
        if let Some(over) = self.settle_steps.checked_sub(SETTLE_STEPS_AT_ONCE).filter(|over| *over > 0) {
            // Something fails again and again: slower each time, so that nobody is hammered.
            let pause = SignedDuration::from_secs(i64::from(over.min(SETTLE_PAUSE_MAX_SECS)));
            // Who pauses holds nobody up: two tasks that need the same reader would wait for each other's pauses.
            self.standing = None;
            self.wait(now.saturating_add(pause).unwrap_or(Timestamp::MAX), "settling an uncertain chunk").await?;
            if self.shared.stop.is_cancelled() {
                return Ok(Step::Again);
            }
        }
        if let Some(step) = self.hold_maker(&intent).await? {
            return Ok(step);
        }
        let now = self.now();
        match self.repeat_at(&intent, now) {
            Some(at) if at <= now => self.repeat(&intent).await,
            Some(at) => self.wait(at, "a repeat of the uncertain chunk").await,
            None => self.read_target(&intent, &[]).await,
        }
    }

    /// When the identical call may be made again; `None`: not at all, or not soon enough.
    fn repeat_at(&self, intent: &Intent, now: Timestamp) -> Option<Timestamp> {
        let hold = self.hold.as_ref()?;
        if intent.repeats >= REPEATS_MAX || hold.account.state != AccountState::Ready || self.delta.state.is_some() {
            return None;
        }
        if self.not_for_peer.contains_key(&hold.account.id) {
            return None;
        }
        let pause =
            REPEAT_PAUSE.checked_mul(i32::try_from(intent.repeats).unwrap_or(i32::MAX)).unwrap_or(REPEAT_WAIT_MAX);
        let last = intent.tried_at.unwrap_or(Timestamp::MIN);
        let after_pause = last.saturating_add(pause).unwrap_or(now);
        let waits = self.shared.pool.waits(&hold.account);
        let asked = [waits.until(MethodClass::Write, now), waits.until(MethodClass::Read, now)];
        // Slow mode is the peer's wait: it stands in the pace.
        let asked = asked.into_iter().flatten().chain(self.task.checkpoint.pace.next_at).max();
        let at = asked.map_or(after_pause, |until| after_pause.max(until)).max(now);
        (at.duration_since(now) <= REPEAT_WAIT_MAX).then_some(at)
    }

    /// The byte-identical call from the same account.
    async fn repeat(&mut self, intent: &Intent) -> Result<Step, Halt> {
        let (source, target) = match self.peers().await? {
            Seen::Both(source, target) => (source, target),
            Seen::Not(step) => return Ok(step),
        };
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(step),
        };
        // A life that did not make the intent cannot know whether a wait was received and lost with the one that did.
        let blind = intent.made_by != self.shared.config.incarnation;
        if let Some(open) = &mut self.task.checkpoint.intent {
            open.repeats += 1;
            open.tried_at = Some(self.shared.ports.clock.now());
            open.made_by = self.shared.config.incarnation.clone();
        }
        self.task.checkpoint.counts.blind_repeats += u64::from(blind);
        self.dirty = true;
        self.commit().await?;
        self.shared.fence.check()?;
        tracing::info!(task = %self.task.id, account = %intent.account, chunk = intent.id, blind, "repeating a chunk");
        let mut forward = self.forward_of(intent, source, target);
        if mutated!(FreshRandomIds) {
            forward.random_ids.iter_mut().for_each(|id| id.0 ^= i64::from(intent.repeats) + 1);
        }
        let answer = connection.forward(&forward).await;
        let now = self.now();
        if let Some(open) = &mut self.task.checkpoint.intent {
            open.tried_at = Some(now);
        }
        match answer {
            Ok(forwarded) => self.repeat_answered(intent, forwarded).await,
            Err(CallError::Refused(refusal)) if refusal.meaning() == Meaning::RandomIdDuplicate => {
                if mutated!(DuplicateIsDelivery) {
                    let delivered = intent.ids.iter().zip((intent.target_floor.0 + 1..).map(MessageId)).collect();
                    self.finish_settling(intent, Outcome { delivered, skipped: Vec::new() }, How::Repeated);
                    return Ok(Step::Again);
                }
                // It says "already applied", or "under way": the target confirms which.
                self.read_target(intent, &[]).await
            }
            Err(CallError::Refused(refusal)) => {
                self.account_effect(&refusal, MethodClass::Write);
                if mutated!(RepeatRefusalBelieved) {
                    self.withdraw(intent);
                }
                if let TaskEffect::WaitForPeer { secs } = verdict(&refusal, Attempt::First).task {
                    self.task.checkpoint.pace.next_at = Some(self.shared.wait_until(secs));
                    self.dirty = true;
                }
                self.commit().await?;
                Ok(Step::Again)
            }
            Err(CallError::Uncertain(why)) => self.uncertain(&why).await,
        }
    }

    /// Ids that even the repeat does not name may have been carried by the first call: the target tells.
    async fn repeat_answered(&mut self, intent: &Intent, forwarded: Forwarded) -> Result<Step, Halt> {
        let (delivered, missing) = pair(intent, &forwarded.new_ids);
        if !missing.is_empty() {
            return self.read_target(intent, &forwarded.new_ids).await;
        }
        self.finish_settling(intent, Outcome { delivered, skipped: Vec::new() }, How::Repeated);
        Ok(Step::Again)
    }

    fn finish_settling(&mut self, intent: &Intent, outcome: Outcome, how: How) {
        self.settle_steps = 0;
        tracing::info!(task = %self.task.id, chunk = intent.id, ?how, "the chunk is settled");
        self.stage_event(Event::Settled { account: intent.account.clone(), how });
        self.settled(intent, outcome);
    }

    /// Reads the target above where it stood before the call, and decides by what is there.
    /// `known` is what the repeat itself told.
    async fn read_target(&mut self, intent: &Intent, known: &[(RandomId, MessageId)]) -> Result<Step, Halt> {
        let (source, target) = match self.reading_peers(intent).await? {
            Ok(peers) => peers,
            Err(step) => return Ok(step),
        };
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(step),
        };
        if let Some(open) = &mut self.task.checkpoint.intent {
            open.readings += 1;
        }
        self.dirty = true;
        let read = self.evidence(connection.as_ref(), intent, &source, &target, known).await;
        let (messages, evidence) = match read {
            Ok(read) => read,
            Err(CallError::Refused(refusal)) => {
                self.account_effect(&refusal, MethodClass::Read);
                return self.look_again("the target cannot be read now").await;
            }
            Err(CallError::Uncertain(why)) => return self.uncertain(&why).await,
        };
        let settlement = settle(&messages, intent, &evidence);
        // Whoever read: what is decided now is entered for the account that made the call.
        if !matches!(settlement, Settlement::Ambiguous(_))
            && let Some(step) = self.hold_maker(intent).await?
        {
            return Ok(step);
        }
        match settlement {
            Settlement::Delivered { delivered, missing } => {
                let skipped = if missing.is_empty() {
                    Vec::new()
                } else {
                    vec![Skip { ids: IdSequence::from_vec(missing), reason: SkipReason::Undetermined }]
                };
                self.finish_settling(intent, Outcome { delivered, skipped }, How::Found);
                Ok(Step::Again)
            }
            Settlement::NotThere => self.not_there(intent).await,
            Settlement::Ambiguous(why) => {
                if intent.readings < REPEATS_MAX {
                    return self.look_again(&why).await;
                }
                self.give_up(&why).await
            }
        }
    }

    /// Who reads: the account that made the call where it still can, else any other that is capable.
    async fn reading_peers(&mut self, intent: &Intent) -> Result<Result<(Peer, Peer), Step>, Halt> {
        let maker_reads = self.hold.as_ref().is_some_and(|hold| {
            hold.account.id == intent.account
                && hold.account.state == AccountState::Ready
                && self.delta.state.is_none()
                && !self.not_for_peer.contains_key(&hold.account.id)
                && self.read_wait().is_none_or(|until| until.duration_since(self.now()) <= REPEAT_WAIT_MAX)
        });
        if !maker_reads {
            // Nothing of the maker may be open while somebody else decides.
            if self.hold.as_ref().is_some_and(|hold| hold.account.id == intent.account) {
                self.drop_account().await?;
            }
            if let Some(step) = self.hold_account(Purpose::Settle { until: self.looks_again_by() }).await? {
                return Ok(Err(step));
            }
        }
        if let Some(until) = self.read_wait() {
            let until = until.min(self.looks_again_by());
            return self.wait(until, "the target may not be read before").await.map(Err);
        }
        Ok(match self.peers().await? {
            Seen::Both(source, target) => Ok((source, target)),
            Seen::Not(step) => Err(step),
        })
    }

    async fn evidence(
        &self,
        connection: &dyn Connection,
        intent: &Intent,
        source: &Peer,
        target: &Peer,
        known: &[(RandomId, MessageId)],
    ) -> Result<(Vec<Message>, Evidence), CallError> {
        let ids: Vec<MessageId> = intent.ids.iter().collect();
        let messages = connection.messages(source, &ids).await?;
        let by_maker = self.hold.as_ref().is_some_and(|hold| hold.account.id == intent.account);
        let difference = match connection.difference(target, intent.target_pts).await {
            // A channel whose differences this account may not ask for: its messages have to do.
            Err(CallError::Refused(refusal)) if is_about_the_peer(&refusal) => {
                Difference { new_ids: Vec::new(), deleted: Vec::new(), complete: false, pts: intent.target_pts }
            }
            difference => difference?,
        };
        let mut new_ids = if by_maker && !mutated!(DeletionsForgotten) { difference.new_ids } else { Vec::new() };
        new_ids.extend_from_slice(known);
        let (target_messages, complete, stable) = if pair(intent, &new_ids).1.is_empty() {
            // Every message is named by its random id: there is nothing left to look for.
            (Vec::new(), true, true)
        } else {
            let (first, complete) = read_above(connection, target, intent.target_floor).await?;
            tokio::time::sleep(STABLE_PAUSE).await;
            let (second, _) = read_above(connection, target, intent.target_floor).await?;
            let stable = first == second;
            (second, complete, stable)
        };
        let nothing_deleted = !difference.deleted.iter().any(|id| *id > intent.target_floor);
        let evidence = Evidence {
            new_ids,
            target: target_messages,
            complete,
            stable,
            deletions_excluded: difference.complete && nothing_deleted,
            source: source.id,
            sender: intent.account.0.parse().ok().map(transfer::ids::PeerId::user),
        };
        Ok((messages, evidence))
    }

    /// Provably not in the target: another account may take it, once nothing of the first one can apply any more.
    async fn not_there(&mut self, intent: &Intent) -> Result<Step, Halt> {
        let now = self.now();
        // Without a record of the closing, the last attempt and the uncertainty's beginning bound it.
        let closed = self.hold.as_ref().and_then(|hold| hold.account.closed_at);
        let tried_at = self.task.checkpoint.intent.as_ref().and_then(|open| open.tried_at);
        // An attempt is written down before it is made. Another life could make it until its right to act ended, and if
        // it stood still in that moment, for as long as the server kept its connection.
        let made_here = intent.made_by == self.shared.config.incarnation;
        let by_then = |at: Timestamp| at.saturating_add(HOLDER_STOPS + SILENT_CONNECTION).unwrap_or(at);
        let tried_at = tried_at.map(|at| if made_here { at } else { by_then(at) });
        let closed_at = closed.max(intent.uncertain_since).max(tried_at).unwrap_or(now);
        let free_at = closed_at.saturating_add(CLOSED_FOR).unwrap_or(Timestamp::MAX);
        if free_at > now && !mutated!(TakeoverAtOnce) {
            return self.wait(free_at, "an uncertain chunk's connection must be closed for 120 s").await;
        }
        self.left = Some(Left { reason: "its chunk was uncertain and is not in the target".into(), wait_secs: None });
        self.withdraw(intent);
        // The charge stays with the account that made the call: it may have cost it, and the budget is a promise.
        self.delta.charged = 0;
        self.stage_event(Event::Settled { account: intent.account.clone(), how: How::TakenOver });
        self.commit().await?;
        Ok(Step::Again)
    }

    /// Nobody sleeps longer than this while an intent is open: there may be another way by then, or the hour is over.
    fn looks_again_by(&self) -> Timestamp {
        let now = self.now();
        let since = self.task.checkpoint.intent.as_ref().and_then(|intent| intent.uncertain_since).unwrap_or(now);
        let over = since.saturating_add(SETTLED_WITHIN).unwrap_or(Timestamp::MAX);
        now.saturating_add(REPEAT_WAIT_MAX).unwrap_or(Timestamp::MAX).min(over.max(now))
    }

    /// Until when the reading account may not read.
    fn read_wait(&self) -> Option<Timestamp> {
        let hold = self.hold.as_ref()?;
        self.shared.pool.waits(&hold.account).until(MethodClass::Read, self.now())
    }

    async fn look_again(&mut self, why: &str) -> Result<Step, Halt> {
        let until = self.now().saturating_add(READING_PAUSE).unwrap_or(Timestamp::MAX);
        self.wait(until, why).await
    }

    async fn give_up(&mut self, why: &str) -> Result<Step, Halt> {
        let (ids, floor) = self.task.checkpoint.intent.as_ref().map_or_else(
            || (String::new(), MessageId(0)),
            |intent| (serde_json::to_string(&intent.ids).unwrap_or_default(), intent.target_floor),
        );
        let reason = format!(
            "it is uncertain whether messages {ids} arrived: {why}. Look at the target above message {floor}; resume \
             to check again, or cancel"
        );
        if let Some(intent) = &mut self.task.checkpoint.intent {
            // A resumed task begins to settle anew.
            intent.uncertain_since = None;
            intent.repeats = 0;
            intent.readings = 0;
        }
        self.park(reason).await
    }
}

/// Since when somebody tries to settle the intent. The hour is one of trying: where every host was down, or the clock was
/// set, it begins anew, so that nothing is given up that nobody looked at.
fn tried_since(intent: &Intent, now: Timestamp) -> Timestamp {
    let Some(since) = intent.uncertain_since.filter(|since| *since <= now) else { return now };
    let looked_at = intent.looked_at.unwrap_or(since);
    if now.duration_since(looked_at) > NOBODY_LOOKED { now } else { since }
}

/// A refusal that says nothing about the account's standing or waits.
fn is_about_the_peer(refusal: &Refusal) -> bool {
    matches!(verdict(refusal, Attempt::First).account, AccountEffect::Fine | AccountEffect::NotForThisPeer)
}

/// Everything in the target above `floor`, ascending, and whether that is all of it.
async fn read_above(
    connection: &dyn Connection,
    target: &Peer,
    floor: MessageId,
) -> Result<(Vec<Message>, bool), CallError> {
    let mut all = Vec::new();
    let mut after = floor;
    for _ in 0..TARGET_PAGES_MAX {
        let page = connection.history(target, after, 100).await?;
        let Some(last) = page.last() else { return Ok((all, true)) };
        after = last.id;
        all.extend(page);
    }
    Ok((all, false))
}
