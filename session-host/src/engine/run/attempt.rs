//! A chunk's first call, and what its answer leads to.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use transfer::account::{Counters, MethodClass};
use transfer::chunk::Chunk;
use transfer::event::Event;
use transfer::ids::{MessageId, RandomId};
use transfer::intent::{Intent, Outcome, Skip, SkipReason};
use transfer::message::Body;
use transfer::mutated;
use transfer::random_id::{RandomIds, derive};
use transfer::refusal::Refusal;
use transfer::sequence::IdSequence;
use transfer::table::item::{ChunkRecord, SkipRecord};
use transfer::table::{Item, Key, Record};
use transfer::task::{Narrow, TaskEvent};
use transfer::verdict::{Attempt, TaskEffect, verdict};

use super::peers::Seen;
use super::reading::Next;
use super::{Run, Step};
use crate::engine::{Halt, measures};
use crate::telegram::{CallError, Forward, Forwarded, Peer};

/// Units in a row that Telegram refuses with an error nobody knows, before the task is parked.
const UNKNOWN_MAX: u32 = 3;

impl Run {
    /// Cuts the next chunk, writes it down, and makes its first call.
    pub(super) async fn carry_next_chunk(&mut self) -> Result<Step, Halt> {
        let (source, target) = match self.peers().await? {
            Seen::Both(source, target) => (source, target),
            Seen::Not(step) => return Ok(step),
        };
        let chunk = match self.next_chunk(&source).await? {
            Next::Chunk(chunk) => chunk,
            Next::Other(step) => return Ok(step),
        };
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(step),
        };
        self.note_change();
        let cut_at = self.shared.ports.clock.uptime();
        let Some(intent) = self.intend(chunk, &source, &target) else { return Ok(Step::Again) };
        if mutated!(OutcomeBeforeCall) {
            let top = self.task.checkpoint.target_floor.0;
            let delivered = intent.ids.iter().zip((top + 1..).map(MessageId)).collect();
            self.settled(&intent, Outcome { delivered, skipped: Vec::new() });
        }
        if !mutated!(IntentNotCommitted) {
            self.commit().await?;
        }
        self.shared.fence.check()?;
        let forward = self.forward_of(&intent, source.clone(), target);
        // What the admin wishes of the task and of the account is read while the call is under way, for the next intent.
        let (command, profile) = (Key::command(&self.task.id), Key::profile(&intent.account));
        let store = &self.shared.store;
        let (answer, wish, profile) =
            tokio::join!(connection.forward(&forward), store.get(&command), store.get(&profile));
        measures::chunk_answered(self.shared.ports.clock.uptime().saturating_sub(cut_at));
        self.wish_read = wish.ok();
        if let (Ok(Some(Record { item: Item::Profile(profile), .. })), Some(hold)) = (profile, &mut self.hold) {
            hold.profile = profile;
        }
        if mutated!(OutcomeBeforeCall) {
            return Ok(Step::Again);
        }
        match answer {
            Ok(forwarded) => self.answered(&intent, forwarded, &source).await,
            Err(CallError::Refused(refusal)) => self.first_refused(&intent, &refusal, &source).await,
            Err(CallError::Uncertain(why)) => self.uncertain(&why).await,
        }
    }

    /// Writes the chunk down in memory; the next commit makes it an intent.
    fn intend(&mut self, chunk: Chunk, source: &Peer, target: &Peer) -> Option<Intent> {
        let now = self.now();
        let hold = self.hold.as_ref()?;
        let (nonce, topic) = (self.task.nonce, self.task.target.topic);
        let random_ids =
            chunk.ids.iter().map(|id| derive(&nonce, source.id, *id, target.id, topic)).collect::<Vec<RandomId>>();
        let intent = Intent {
            id: self.task.checkpoint.chunks + 1,
            account: hold.account.id.clone(),
            ids: IdSequence::from_vec(chunk.ids),
            random_ids: RandomIds(random_ids),
            style: self.task.style,
            units: chunk.units,
            cursor_after: chunk.cursor_after,
            ahead_after: chunk.ahead_after,
            scanned: chunk.scanned,
            skips: chunk.skips,
            target_floor: self.task.checkpoint.target_floor,
            target_pts: self.task.checkpoint.target_pts,
            made_by: self.shared.config.incarnation.clone(),
            made_at: now,
            repeats: 0,
            tried_at: None,
            readings: 0,
            uncertain_since: None,
            looked_at: None,
        };
        if !mutated!(BudgetNotReserved) {
            self.delta.charged += i64::try_from(intent.ids.len()).unwrap_or(i64::MAX);
        }
        if mutated!(CursorAtIntent) {
            self.task.checkpoint.cursor = intent.cursor_after;
            self.task.checkpoint.ahead.clone_from(&intent.ahead_after);
            self.forget_decided();
        }
        if mutated!(CountedAtIntent) {
            self.task.checkpoint.counts.delivered += intent.ids.len() as u64;
        }
        self.delta.used_at = Some(now);
        self.task.checkpoint.intent = Some(intent.clone());
        self.dirty = true;
        self.room = 1;
        Some(intent)
    }

    /// The call that the intent stands for; the same bytes whoever makes it.
    pub(super) fn forward_of(&self, intent: &Intent, source: Peer, target: Peer) -> Forward {
        Forward {
            source,
            target,
            topic: self.task.target.topic,
            ids: intent.ids.as_slice().to_vec(),
            random_ids: intent.random_ids.0.clone(),
            style: intent.style,
        }
    }

    /// A complete answer to a first call. Ids without a new id were not forwarded: re-read them to say why.
    async fn answered(&mut self, intent: &Intent, forwarded: Forwarded, source: &Peer) -> Result<Step, Halt> {
        let (mut delivered, mut missing) = pair(intent, &forwarded.new_ids);
        if mutated!(PartialIsComplete) {
            let top = forwarded.new_ids.iter().map(|(_, id)| *id).max().unwrap_or_default();
            delivered.extend(missing.drain(..).map(|id| (id, top)));
        }
        if mutated!(MissingDropped) {
            missing.clear();
        }
        let skipped = if missing.is_empty() {
            Vec::new()
        } else {
            match self.why_missing(source, &missing).await? {
                Ok(skipped) => skipped,
                // It is known what arrived, not why the rest did not: settling says so.
                Err(step) => return Ok(step),
            }
        };
        if let Some(pts) = forwarded.pts {
            self.task.checkpoint.target_pts = pts;
        }
        self.task.checkpoint.unknown_in_row = 0;
        self.settled(intent, Outcome { delivered, skipped });
        Ok(Step::Again)
    }

    /// Gone is skipped as deleted, still there as refused.
    async fn why_missing(&mut self, source: &Peer, missing: &[MessageId]) -> Result<Result<Vec<Skip>, Step>, Halt> {
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Err(step)),
        };
        let reread = match connection.messages(source, missing).await {
            Ok(reread) => reread,
            Err(CallError::Refused(refusal)) => {
                self.account_effect(&refusal, MethodClass::Read);
                return self.uncertain(refusal.text()).await.map(Err);
            }
            Err(CallError::Uncertain(why)) => return self.uncertain(&why).await.map(Err),
        };
        let there = |id: &MessageId| reread.iter().any(|m| m.id == *id && !matches!(m.body, Body::Empty));
        let (refused, deleted): (Vec<MessageId>, Vec<MessageId>) = missing.iter().partition(|id| there(id));
        let skips = [(deleted, SkipReason::Deleted), (refused, SkipReason::Refused)];
        let skips = skips.into_iter().filter(|(ids, _)| !ids.is_empty());
        Ok(Ok(skips.map(|(ids, reason)| Skip { ids: IdSequence::from_vec(ids), reason }).collect()))
    }

    /// Stages the outcome: ledger, counts, cursor, account, pace. The next commit makes it true.
    pub(super) fn settled(&mut self, intent: &Intent, outcome: Outcome) {
        let now = self.now();
        let delivered = outcome.delivered.len();
        let mut skips = intent.skips.clone();
        skips.extend(outcome.skipped);
        let skipped: usize = skips.iter().map(|skip| skip.ids.len()).sum();
        let undetermined = skips.iter().filter(|skip| skip.reason == SkipReason::Undetermined);
        let undetermined: usize = undetermined.map(|skip| skip.ids.len()).sum();
        let (from, to): (Vec<MessageId>, Vec<MessageId>) = outcome.delivered.into_iter().unzip();
        let highest = to.iter().copied().max().unwrap_or_default();
        if delivered > 0 {
            self.stage(Item::Chunk(ChunkRecord {
                task: self.task.id.clone(),
                number: intent.id,
                account: intent.account.clone(),
                source: IdSequence::from_vec(from),
                target: IdSequence::from_vec(to),
                at: now,
            }));
        }
        self.stage_skips(skips);
        let messages = intent.ids.len();
        let checkpoint = &mut self.task.checkpoint;
        checkpoint.chunks = intent.id;
        checkpoint.cursor = intent.cursor_after;
        checkpoint.ahead = if mutated!(AheadForgotten) { Vec::new() } else { intent.ahead_after.clone() };
        checkpoint.counts.scanned += u64::from(intent.scanned);
        checkpoint.counts.matched += (delivered + skipped) as u64;
        if !mutated!(CountedAtIntent) {
            checkpoint.counts.delivered += delivered as u64;
        }
        checkpoint.counts.skipped += skipped as u64;
        checkpoint.batch_used += u32::try_from(messages).unwrap_or(u32::MAX);
        checkpoint.target_floor = checkpoint.target_floor.max(highest);
        checkpoint.intent = None;
        // What was not carried is given back to the budget; what was carried, or may have been, counts.
        let charged = i64::try_from(messages.saturating_sub(delivered + undetermined)).unwrap_or(0);
        self.delta.charged -= charged;
        self.delta.counters.add(Counters { forwarded: delivered as u64, floods: 0, flood_wait_secs: 0 });
        let sent = u32::try_from(messages).unwrap_or(u32::MAX);
        self.task.checkpoint.pace = self.task.pace.after(&self.task.checkpoint.pace, sent, now);
        self.dirty = true;
        self.forget_decided();
    }

    /// Adds rows to the skip ledger.
    pub(super) fn stage_skips(&mut self, skips: Vec<Skip>) {
        let now = self.now();
        let account = self.hold.as_ref().map(|hold| hold.account.id.clone());
        for skip in skips {
            // Service messages are no surprise; whatever else is missing, the admin should see.
            if skip.reason != SkipReason::Service {
                let messages = u32::try_from(skip.ids.len()).unwrap_or(u32::MAX);
                tracing::warn!(task = %self.task.id, messages, reason = ?skip.reason, "skipped");
                self.stage_event(Event::Skipped { messages, reason: skip.reason.clone() });
            }
            self.stage(Item::Skip(SkipRecord::new(&self.task.id, skip, account.clone(), now)));
        }
    }

    /// A first call that was refused cleanly was not carried out: the intent is withdrawn.
    async fn first_refused(&mut self, intent: &Intent, refusal: &Refusal, source: &Peer) -> Result<Step, Halt> {
        let effect = verdict(refusal, Attempt::First).task;
        if effect == TaskEffect::Uncertain {
            return self.uncertain(refusal.text()).await;
        }
        self.account_effect(refusal, MethodClass::Write);
        self.withdraw(intent);
        match effect {
            TaskEffect::AnotherAccount | TaskEffect::SameAccount => {
                self.commit().await?;
                Ok(Step::Again)
            }
            TaskEffect::WaitForPeer { secs } => self.slow_mode(intent, secs).await,
            TaskEffect::Halve => self.halve(intent, refusal, source, false).await,
            TaskEffect::Unknown => self.halve(intent, refusal, source, true).await,
            TaskEffect::Park => {
                let reason = format!("Telegram answers {}; mend that, then resume", refusal.text());
                self.park(reason).await
            }
            TaskEffect::Stop => {
                let reason = format!("Telegram answers {}; Ferry leaves protected content alone", refusal.text());
                self.end(TaskEvent::Fail { reason }).await
            }
            TaskEffect::Uncertain | TaskEffect::KeepIntent => self.uncertain(refusal.text()).await,
        }
    }

    /// The chunk was not carried out: its ids are free again, and so is its share of the budget.
    pub(super) fn withdraw(&mut self, intent: &Intent) {
        self.task.checkpoint.intent = None;
        self.delta.charged -= i64::try_from(intent.ids.len()).unwrap_or(0);
        self.dirty = true;
    }

    async fn slow_mode(&mut self, intent: &Intent, secs: u64) -> Result<Step, Halt> {
        if self.task.checkpoint.one_unit && intent.units.iter().any(|unit| *unit > 1) {
            let reason = "slow mode in the target refuses an album; ask an admin of the target to lift it, then resume";
            return self.park(reason.into()).await;
        }
        self.task.checkpoint.one_unit = true;
        self.dirty = true;
        let wait = SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
        let until = self.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
        self.task.checkpoint.pace.next_at = Some(self.task.checkpoint.pace.next_at.map_or(until, |at| at.max(until)));
        self.wait(until, "slow mode in the target").await
    }

    /// Finds the unit that Telegram refuses: half of the units, down to one, which is skipped with the reason.
    async fn halve(&mut self, intent: &Intent, refusal: &Refusal, source: &Peer, unknown: bool) -> Result<Step, Halt> {
        let units = u32::try_from(intent.units.len()).unwrap_or(u32::MAX);
        if units > 1 {
            let until = self.task.checkpoint.narrow;
            let until = until.map_or(intent.cursor_after, |narrow| narrow.until.max(intent.cursor_after));
            self.task.checkpoint.narrow = Some(Narrow { units: units / 2, until });
            self.dirty = true;
            self.commit().await?;
            return Ok(Step::Again);
        }
        if unknown {
            self.task.checkpoint.unknown_in_row += 1;
            if self.task.checkpoint.unknown_in_row >= UNKNOWN_MAX {
                self.task.checkpoint.unknown_in_row = 0;
                let reason = format!("Telegram answers {} again and again; look it up, then resume", refusal.text());
                return self.park(reason).await;
            }
        }
        // Nothing is open while this reads: the intent was withdrawn, and is committed as withdrawn first.
        self.commit().await?;
        let ids: Vec<MessageId> = intent.ids.iter().collect();
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(step),
        };
        let gone = match connection.messages(source, &ids).await {
            Ok(reread) => reread.iter().all(|message| matches!(message.body, Body::Empty)),
            Err(CallError::Refused(refusal)) => {
                self.account_effect(&refusal, MethodClass::Read);
                return self.drop_account().await;
            }
            Err(CallError::Uncertain(_)) => return self.drop_account().await,
        };
        let reason = if gone { SkipReason::Deleted } else { SkipReason::Error(refusal.text().to_owned()) };
        let mut skipped = vec![Skip { ids: intent.ids.clone(), reason }];
        if mutated!(RefusedDropped) {
            skipped.clear();
        }
        self.delta.charged += i64::try_from(ids.len()).unwrap_or(0);
        self.settled(intent, Outcome { delivered: Vec::new(), skipped });
        Ok(Step::Again)
    }
}

/// Which ids of the chunk arrived, and which did not.
pub(super) fn pair(
    intent: &Intent,
    new_ids: &[(RandomId, MessageId)],
) -> (Vec<(MessageId, MessageId)>, Vec<MessageId>) {
    let new: BTreeMap<RandomId, MessageId> = new_ids.iter().copied().collect();
    let mut delivered = Vec::with_capacity(intent.ids.len());
    let mut missing = Vec::new();
    for (id, random_id) in intent.ids.iter().zip(&intent.random_ids.0) {
        match new.get(random_id) {
            Some(target) => delivered.push((id, *target)),
            None => missing.push(id),
        }
    }
    (delivered, missing)
}
