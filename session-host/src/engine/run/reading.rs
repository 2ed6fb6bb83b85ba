//! From pages to the next chunk.

use transfer::account::MethodClass;
use transfer::chunk::{Chunk, Cut, Limit, Passed, cut};
use transfer::ids::MessageId;
use transfer::task::TaskEvent;

use super::reader::{Page, Reader};
use super::{Left, Run, Step};
use crate::engine::Halt;
use crate::telegram::{CallError, Peer};

/// Failed reads in a row after which the task is parked: something is wrong that waiting does not mend.
pub(super) const READ_FAILURES_MAX: u32 = 20;
/// The pause after a failed read grows by a second with each failure, up to this.
const READ_PAUSE_MAX_SECS: u32 = 10;

/// What reading led to.
pub(super) enum Next {
    Chunk(Chunk),
    Other(Step),
}

impl Run {
    /// Reads until the next chunk can be cut.
    pub(super) async fn next_chunk(&mut self, source: &Peer) -> Result<Next, Halt> {
        loop {
            let batch_left = self.task.batch_len.saturating_sub(self.task.checkpoint.batch_used);
            let budget_left = self.budget_left();
            let limit = Limit {
                chunk: self.shared.config.chunk_len_max.min(batch_left.max(1)),
                hard: batch_left.min(budget_left),
                units: self.units_max(),
            };
            match cut(&self.buffer, self.reached_end, &self.task.selection, &self.task.checkpoint.ahead, limit) {
                Cut::NeedMore => {
                    if let Some(step) = self.read_more(source).await? {
                        return Ok(Next::Other(step));
                    }
                }
                Cut::Chunk(chunk) => return Ok(Next::Chunk(chunk)),
                Cut::Passed(passed) => {
                    // A long way without anything to carry: the admin is heard on it too.
                    self.pass(passed);
                    self.commit().await?;
                    self.wish_read = None;
                    return Ok(Next::Other(Step::Again));
                }
                Cut::NoRoom { needs } => return self.no_room(needs, batch_left, budget_left).await.map(Next::Other),
                Cut::Exhausted(rest) => {
                    self.pass(rest);
                    return self.end(TaskEvent::Finish).await.map(Next::Other);
                }
            }
        }
    }

    fn units_max(&self) -> Option<u32> {
        if self.task.checkpoint.one_unit {
            return Some(1);
        }
        self.task.checkpoint.narrow.map(|narrow| narrow.units)
    }

    /// A unit does not fit: into the batch, into the account's budget, or - an album - into any batch of this task.
    async fn no_room(&mut self, needs: u32, batch_left: u32, budget_left: u32) -> Result<Step, Halt> {
        if needs > budget_left {
            // `hold_account` asks for this much room from now on, and finds another account or midnight.
            self.room = needs;
            return Ok(Step::Again);
        }
        if self.task.checkpoint.batch_used == 0 {
            // An album longer than a whole batch: the batch grows, the album is never divided.
            self.task.batch_len = needs.max(batch_left);
            self.dirty = true;
            return Ok(Step::Again);
        }
        self.end_batch().await
    }

    /// Moves past messages of which none is carried.
    fn pass(&mut self, passed: Passed) {
        let skipped: usize = passed.skips.iter().map(|skip| skip.ids.len()).sum();
        self.stage_skips(passed.skips);
        let checkpoint = &mut self.task.checkpoint;
        checkpoint.counts.scanned += u64::from(passed.scanned);
        checkpoint.counts.matched += skipped as u64;
        checkpoint.counts.skipped += skipped as u64;
        checkpoint.cursor = passed.cursor_after.unwrap_or(checkpoint.cursor);
        checkpoint.ahead = passed.ahead_after;
        self.dirty = true;
        self.forget_decided();
    }

    /// Drops from the buffer what lies at or below the cursor.
    pub(super) fn forget_decided(&mut self) {
        let cursor = self.task.checkpoint.cursor;
        let decided = self.buffer.partition_point(|message| message.id <= cursor);
        self.buffer.drain(..decided);
        if self.task.checkpoint.narrow.is_some_and(|narrow| cursor >= narrow.until) {
            self.task.checkpoint.narrow = None;
        }
    }

    async fn read_more(&mut self, source: &Peer) -> Result<Option<Step>, Halt> {
        let after = self.buffer.last().map_or(self.task.checkpoint.cursor, |message| message.id);
        if self.reader.is_none() {
            let connection = match self.connection().await? {
                Ok(connection) => connection,
                Err(step) => return Ok(Some(step)),
            };
            let last = self.task.last_id.unwrap_or(MessageId(i32::MAX));
            let polite = self.task.pace != transfer::pace::Pace::none();
            self.reader = Some(Reader::start(connection, source.clone(), after, last, polite));
        }
        let Some(reader) = &mut self.reader else { return Ok(Some(Step::Again)) };
        let page = match reader.ready() {
            Some(page) => page,
            None => {
                // Reading takes time: nothing stays uncommitted meanwhile.
                self.commit().await?;
                let Some(reader) = &mut self.reader else { return Ok(Some(Step::Again)) };
                tokio::select! {
                    biased;
                    () = self.shared.stop.cancelled() => return Ok(Some(Step::Again)),
                    page = reader.next() => page,
                }
            }
        };
        match page {
            Page::Messages(messages) => {
                self.read_failures = 0;
                for message in messages {
                    if self.task.selection.ends_before(&message) {
                        self.reached_end = true;
                        self.reader = None;
                        break;
                    }
                    self.buffer.push(message);
                }
                Ok(None)
            }
            Page::End => {
                self.reached_end = true;
                Ok(None)
            }
            Page::Failed(error) => self.read_failed(error).await.map(Some),
        }
    }

    async fn read_failed(&mut self, error: CallError) -> Result<Step, Halt> {
        self.reader = None;
        self.read_failures += 1;
        if self.read_failures > READ_FAILURES_MAX {
            return self.park(format!("the source cannot be read: {error}; resume to try again")).await;
        }
        match error {
            CallError::Refused(refusal) => {
                let wait = self.account_effect(&refusal, MethodClass::Read);
                if wait.is_none() && self.delta.state.is_none() {
                    // It said no to reading: not this account, whatever it says.
                    if let Some(hold) = &self.hold {
                        let why = format!("cannot read the source: {}", refusal.text());
                        self.not_for_peer.insert(hold.account.id.clone(), why);
                    }
                }
            }
            CallError::Uncertain(why) => {
                self.left = Some(Left { reason: format!("reading broke off: {why}"), wait_secs: None });
                // A read does no harm: the same account goes on with a new connection, if one can be had.
                self.commit().await?;
                if let Some(hold) = &mut self.hold {
                    crate::engine::pool::close(hold).await;
                }
                let pause = jiff::SignedDuration::from_secs(i64::from(self.read_failures.min(READ_PAUSE_MAX_SECS)));
                let until = self.now().saturating_add(pause).unwrap_or(jiff::Timestamp::MAX);
                return self.wait(until, "reading broke off").await;
            }
        }
        self.drop_account().await
    }
}
