//! One task at a time per target, and where the target stood before this task wrote.

use jiff::SignedDuration;
use transfer::account::MethodClass;
use transfer::mutated;
use transfer::table::item::TargetLock;
use transfer::table::{Guard, Item, Key, Record, Write};
use transfer::task::Task;

use super::{Run, Step};
use crate::engine::Halt;
use crate::engine::store::{Committed, expect_item};
use crate::telegram::{CallError, Peer};

/// How long a task waits before it looks again whether the target is free.
const TARGET_WAIT: SignedDuration = SignedDuration::from_secs(60);

impl Run {
    /// Takes the target for this task, and notes where the target stands; `Some(step)` when another task writes there.
    pub(super) async fn lock_target(&mut self, target: &Peer) -> Result<Option<Step>, Halt> {
        if self.target_locked {
            return Ok(None);
        }
        let key = Key::target(target.id);
        let item = Item::TargetLock(TargetLock { target: target.id, task: self.task.id.clone() });
        let guard = match expect_item!(self.shared.store.get(&key).await?, TargetLock, key) {
            // Its own is written again, once a run: whoever read it while this task rested must not take it now.
            Some((lock, version)) if lock.task == self.task.id => Guard::Version(version),
            Some((lock, version)) => {
                if let Some(holder) = self.live_holder(&lock).await? {
                    let until = self.now().saturating_add(TARGET_WAIT).unwrap_or(jiff::Timestamp::MAX);
                    let reason = format!("task {} ({}) writes to the same target", holder.id, holder.title);
                    return self.sleep_until(until, reason).await.map(Some);
                }
                Guard::Version(version)
            }
            None => Guard::Absent,
        };
        let version = guard.version_to_write();
        let stands = |now: Option<&Record>| now.is_some_and(|now| now.version == version && now.item == item);
        let write = Write::Put { item: item.clone(), guard };
        if self.shared.store.commit(&[write], &key, stands).await? == Committed::Conflict {
            return Ok(Some(Step::Again));
        }
        self.target_locked = true;
        self.note_top(target).await
    }

    /// The task that holds the lock, unless it rests, is over, or was deleted.
    async fn live_holder(&self, lock: &TargetLock) -> Result<Option<Box<Task>>, Halt> {
        let key = Key::task(&lock.task);
        let holder = expect_item!(self.shared.store.get(&key).await?, Task, key);
        // A task that rests has settled what it began: it takes the target again when it goes on.
        if mutated!(TargetLockIgnored) {
            return Ok(None);
        }
        let holds = |task: &Task| task.state.due_at().is_some() || task.checkpoint.intent.is_some();
        Ok(holder.map(|(task, _)| task).filter(|task| holds(task)))
    }

    /// Everything up to the target's present top is not this task's next chunk.
    pub(super) async fn note_top(&mut self, target: &Peer) -> Result<Option<Step>, Halt> {
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Some(step)),
        };
        match connection.newest(target, None).await {
            Ok(newest) => {
                let top = newest.message.map(|message| message.id).unwrap_or_default();
                let checkpoint = &mut self.task.checkpoint;
                checkpoint.target_floor = checkpoint.target_floor.max(top);
                checkpoint.target_pts = newest.pts;
                // It is written with the next intent, and noted anew by a run that has none.
                Ok(None)
            }
            Err(CallError::Refused(refusal)) => {
                self.target_locked = false;
                if self.account_effect(&refusal, MethodClass::Read).is_none() {
                    // A target that cannot be read cannot be audited either: evidence would be missing when it counts.
                    if let Some(hold) = &self.hold {
                        let why = format!("cannot read {}: {}", target.title, refusal.text());
                        self.not_for_peer.insert(hold.account.id.clone(), why);
                    }
                }
                self.drop_account().await.map(Some)
            }
            Err(CallError::Uncertain(why)) => {
                self.target_locked = false;
                self.unanswered(&why).await.map(Some)
            }
        }
    }
}
