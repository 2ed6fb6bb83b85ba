//! The queue in memory, for simulation and tests: a FIFO queue as SQS has it, on the clock that is passed.
//!
//! What must stay true: a group with an invisible message gives out nothing; a receipt is good for one delivery only,
//! and only while its visibility lasts; a waiting receiver wakes by notification or at the moment when the next
//! message becomes visible, never by polling.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{DEDUPLICATION, Delivery, Job, Queue, QueueError, RECEIVE_MAX, RECEIVES_MAX, Receipt};
use crate::clock::Clock;

/// A queue that dies with the process.
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Clock,
    state: Mutex<State>,
    /// Something may have become visible.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were sent.
    messages: BTreeMap<u64, Message>,
    sent: u64,
    /// Deduplication ids, and until when (uptime) they are remembered.
    recent: BTreeMap<String, Duration>,
    dead_letters: Vec<String>,
}

#[derive(Debug)]
struct Message {
    group: String,
    body: String,
    /// Uptime from which it may be received.
    visible_at: Duration,
    attempt: u32,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default(), changed: Notify::new() }
    }

    /// The bodies of the dead letters, in the order in which they died.
    pub fn dead_letters(&self) -> Vec<String> {
        self.lock().dead_letters.clone()
    }

    /// The visibility of a delivery ends at once, as if its receiver had been too slow: the message is delivered again.
    pub fn expire(&self, receipt: &Receipt) {
        let now = self.clock.uptime();
        if let Ok(Some((_, message))) = self.lock().delivered(receipt, now) {
            message.visible_at = Duration::ZERO;
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn send(&mut self, job: &Job, body: String, now: Duration) {
        self.recent.retain(|_, until| *until > now);
        if self.recent.insert(job.deduplication_id(), now + DEDUPLICATION).is_some() {
            return;
        }
        self.sent += 1;
        self.messages.insert(self.sent, Message { group: job.group(), body, visible_at: Duration::ZERO, attempt: 0 });
    }

    fn receive(&mut self, max: u32, visibility: Duration, now: Duration) -> Vec<Delivery> {
        let max = usize::try_from(max.clamp(1, RECEIVE_MAX)).unwrap_or(1);
        let blocked: BTreeSet<String> = self.blocked(now).cloned().collect();
        let mut dead = Vec::new();
        let mut received = Vec::new();
        for (order, message) in self.messages.iter_mut().filter(|(_, message)| !blocked.contains(&message.group)) {
            if received.len() == max {
                break;
            }
            if message.attempt >= RECEIVES_MAX {
                dead.push(*order);
                continue;
            }
            message.attempt += 1;
            message.visible_at = now + visibility;
            let receipt = Receipt(format!("{order}.{}", message.attempt));
            let (id, body) = (order.to_string(), message.body.clone());
            received.push(Delivery { id, body, receipt, attempt: message.attempt });
        }
        for order in dead {
            self.dead_letters.extend(self.messages.remove(&order).map(|message| message.body));
        }
        received
    }

    /// Groups of which something is in flight.
    fn blocked(&self, now: Duration) -> impl Iterator<Item = &String> {
        self.messages.values().filter(move |message| message.visible_at > now).map(|message| &message.group)
    }

    /// When the next message that is in flight becomes visible.
    fn next_visible(&self, now: Duration) -> Option<Duration> {
        self.messages.values().map(|message| message.visible_at).filter(|visible_at| *visible_at > now).min()
    }

    /// The message of a receipt; `Ok(None)` when it was deleted.
    fn delivered(&mut self, receipt: &Receipt, now: Duration) -> Result<Option<(u64, &mut Message)>, QueueError> {
        let parts =
            receipt.0.split_once('.').and_then(|(order, attempt)| Some((order.parse().ok()?, attempt.parse().ok()?)));
        let Some((order, attempt)): Option<(u64, u32)> = parts else {
            return Err(QueueError::Failed(format!("{} is no receipt of this queue", receipt.0)));
        };
        match self.messages.get_mut(&order) {
            None => Ok(None),
            Some(message) if message.attempt == attempt && message.visible_at > now => Ok(Some((order, message))),
            Some(_) => Err(QueueError::ReceiptExpired),
        }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, job: &Job) -> Result<(), QueueError> {
        let body = serde_json::to_string(job).map_err(|error| QueueError::Failed(error.to_string()))?;
        self.lock().send(job, body, self.clock.uptime());
        self.changed.notify_waiters();
        Ok(())
    }

    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let give_up_at = self.clock.uptime() + wait;
        loop {
            // Registered before looking, so that a change between the look and the wait is not missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.clock.uptime();
            let next_look = {
                let mut state = self.lock();
                let received = state.receive(max, visibility, now);
                if !received.is_empty() || now >= give_up_at {
                    return Ok(received);
                }
                state.next_visible(now).map_or(give_up_at, |visible_at| visible_at.min(give_up_at))
            };
            // Either way the loop looks again: what woke it makes no difference.
            drop(tokio::time::timeout(next_look.saturating_sub(now), changed).await);
        }
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let now = self.clock.uptime();
        match self.lock().delivered(receipt, now)? {
            Some((_, message)) => message.visible_at = now + visibility,
            None => return Err(QueueError::ReceiptExpired),
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let now = self.clock.uptime();
        {
            let mut state = self.lock();
            let order = state.delivered(receipt, now)?.map(|(order, _)| order);
            if let Some(order) = order {
                state.messages.remove(&order);
            }
        }
        // The next of its group may go.
        self.changed.notify_waiters();
        Ok(())
    }

    async fn purge(&self) -> Result<(), QueueError> {
        self.lock().messages.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::contract::queue::Subject;
    use crate::ids::TaskId;

    fn queue() -> MemoryQueue {
        MemoryQueue::new(Clock::starting_at(Timestamp::UNIX_EPOCH))
    }

    #[expect(clippy::unused_async, reason = "the contract waits for its engines")]
    async fn fresh() -> (Subject, ()) {
        (Arc::new(queue()), ())
    }

    crate::queue_contract!(fresh, start_paused = true);

    fn job(seq: u64) -> Job {
        Job::batch(TaskId::from("t1"), 1, seq)
    }

    #[tokio::test(start_paused = true)]
    async fn a_seq_is_forgotten_after_five_minutes() {
        let queue = queue();
        for (advance, expected) in
            [(Duration::ZERO, 1), (DEDUPLICATION - Duration::from_secs(1), 1), (DEDUPLICATION, 2)]
        {
            tokio::time::advance(advance).await;
            queue.send(&job(1)).await.unwrap();
            assert_eq!(queue.lock().messages.len(), expected, "after {advance:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_receipt_expires_though_nobody_else_received() {
        let queue = queue();
        queue.send(&job(1)).await.unwrap();
        let delivery = queue.receive(1, Duration::from_secs(30), Duration::ZERO).await.unwrap().remove(0);
        tokio::time::advance(Duration::from_secs(30)).await;
        let deleted = queue.delete(&delivery.receipt).await;
        assert!(matches!(deleted, Err(QueueError::ReceiptExpired)), "{deleted:?}");
        assert!(matches!(queue.delete(&Receipt("x".to_owned())).await, Err(QueueError::Failed(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_fifth_failure_makes_a_dead_letter() {
        let queue = queue();
        queue.send(&job(1)).await.unwrap();
        for _ in 0..RECEIVES_MAX {
            queue.receive(1, Duration::from_secs(1), Duration::from_secs(5)).await.unwrap();
        }
        assert!(queue.dead_letters().is_empty());
        assert_eq!(queue.receive(1, Duration::from_secs(1), Duration::from_secs(5)).await.unwrap(), []);
        let dead: Job = serde_json::from_str(&queue.dead_letters()[0]).unwrap();
        assert_eq!(dead, job(1));
    }
}
