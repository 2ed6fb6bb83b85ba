//! What must be known before the first chunk: an account that can, peers, the end of the range, and the target's top.

use jiff::{SignedDuration, Timestamp};
use transfer::event::Event;
use transfer::ids::MessageId;
use transfer::message::Message;
use transfer::task::Checkpoint;

use super::accounts::Purpose;
use super::peers::Seen;
use super::{Run, Step};
use crate::engine::Halt;
use crate::telegram::{CallError, Connection, Newest, Peer};
use transfer::account::MethodClass;

/// An album younger than this may still be growing.
const ALBUM_SETTLES: SignedDuration = SignedDuration::from_secs(60);
/// How far below the newest message its album's first member is looked for.
const ALBUM_REACH: i32 = 50;

impl Run {
    /// Sees to it that everything is known that the next chunk needs; `Some(step)` when something else comes first.
    pub(super) async fn be_ready(&mut self) -> Result<Option<Step>, Halt> {
        if let Some(step) = self.hold_account(Purpose::Carry { room: self.room }).await? {
            return Ok(Some(step));
        }
        let (source, target) = match self.peers().await? {
            Seen::Both(source, target) => (source, target),
            Seen::Not(step) => return Ok(Some(step)),
        };
        if let Some(step) = self.may_carry(&source, &target).await? {
            return Ok(Some(step));
        }
        if self.task.last_id.is_some() && self.target_locked {
            return Ok(None);
        }
        self.task.source.peer = Some(source.id);
        self.task.source.title = Some(source.title.clone());
        self.task.target.peer = Some(target.id);
        self.task.target.title = Some(target.title.clone());
        self.dirty = true;
        if source.id == target.id {
            let reason = "source and target are the same chat: choose another target".to_owned();
            return self.park(reason).await.map(Some);
        }
        if !(source.id.ids_are_shared() && target.id.ids_are_shared()) && self.task.bound_to.is_none() {
            // Message ids of private chats and basic groups mean something to one account only.
            self.task.bound_to = self.hold.as_ref().map(|hold| hold.account.id.clone());
        }
        if let Some(step) = self.lock_target(&target).await? {
            return Ok(Some(step));
        }
        if self.task.last_id.is_none() {
            return self.freeze(&source).await;
        }
        Ok(None)
    }

    /// Freezes where the task begins and ends.
    async fn freeze(&mut self, source: &Peer) -> Result<Option<Step>, Halt> {
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Some(step)),
        };
        let frozen = self.range(connection.as_ref(), source).await;
        let (first, last, count) = match frozen {
            Ok(frozen) => frozen,
            Err(CallError::Refused(refusal)) => {
                if self.account_effect(&refusal, MethodClass::Read).is_none()
                    && let Some(hold) = &self.hold
                {
                    let why = format!("cannot read {}: {}", source.title, refusal.text());
                    self.not_for_peer.insert(hold.account.id.clone(), why);
                }
                return self.drop_account().await.map(Some);
            }
            Err(CallError::Uncertain(why)) => return self.unanswered(&why).await.map(Some),
        };
        self.task.last_id = Some(last);
        self.task.checkpoint = Checkpoint {
            cursor: first,
            target_floor: self.task.checkpoint.target_floor,
            target_pts: self.task.checkpoint.target_pts,
            events: self.task.checkpoint.events,
            ..Checkpoint::default()
        };
        self.stage_event(Event::Started { in_range: Some(count) });
        tracing::info!(task = %self.task.id, first = first.0, last = last.0, count, "the range is fixed");
        Ok(None)
    }

    /// The cursor to begin at, the last id, and how many messages the source has.
    async fn range(
        &self,
        connection: &dyn Connection,
        source: &Peer,
    ) -> Result<(MessageId, MessageId, u64), CallError> {
        let selection = &self.task.selection;
        let newest = connection.newest(source, None).await?;
        let mut last = self.settled_end(connection, source, &newest).await?;
        if let Some(limit) = selection.last_id() {
            last = last.min(limit);
        }
        let mut begin = MessageId(selection.first_id().0.saturating_sub(1).max(0));
        if let Some(date) = selection.first_date() {
            let before = connection.newest(source, Some(date)).await?.message;
            begin = begin.max(before.map_or(MessageId(0), |message| message.id));
        }
        Ok((begin.min(last), last, newest.count))
    }

    /// The newest id, or the one before a young album: the task never ends inside an album.
    async fn settled_end(
        &self,
        connection: &dyn Connection,
        source: &Peer,
        newest: &Newest,
    ) -> Result<MessageId, CallError> {
        let Some(message) = &newest.message else { return Ok(MessageId(0)) };
        let Some(album) = message.album.filter(|_| self.is_young(message.date)) else { return Ok(message.id) };
        let below = MessageId((message.id.0 - ALBUM_REACH).max(0));
        let page = connection.history(source, below, 100).await?;
        let first =
            page.iter().find(|member: &&Message| member.album == Some(album)).map_or(message.id, |member| member.id);
        Ok(MessageId(first.0 - 1))
    }

    fn is_young(&self, date: Timestamp) -> bool {
        self.now().duration_since(date) < ALBUM_SETTLES
    }
}
