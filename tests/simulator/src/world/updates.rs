//! What other sessions must hear, and the logs from which a difference is answered.
//!
//! What must stay true: a client that applies pushes or differences in order of pts misses nothing and sees nothing twice.
//! Telegram tells the sender of a message its random id (`updateMessageID`) again in differences: here every created
//! message keeps author and random id, and a difference names them to their author alone.

use super::chat::ChannelChange;
use super::user::MailboxChange;
use super::{AuthKeyId, ChatId, MessageId, Rpc, RpcError, SessionId, UserId, World};
use std::sync::Arc;

/// One update for every live session of `to`, but `except`.
#[derive(Debug, Clone)]
pub struct Push {
    pub to: UserId,
    pub except: Option<(AuthKeyId, SessionId)>,
    pub update: Arc<WorldUpdate>,
}

/// A new message and the pts that it has in its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEvent {
    pub id: MessageId,
    pub pts: i32,
}

/// What happened. Ids and chats are those of the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldUpdate {
    New {
        chat: ChatId,
        events: Vec<NewEvent>,
    },
    Edited {
        chat: ChatId,
        id: MessageId,
        pts: i32,
    },
    /// `chat` is a channel, or `None` for a mailbox.
    Deleted {
        chat: Option<ChatId>,
        ids: Vec<MessageId>,
        pts: i32,
        count: i32,
    },
    ReadInbox {
        chat: ChatId,
        upto: MessageId,
        unread: i32,
        pts: i32,
        count: i32,
    },
    ReadOutbox {
        chat: ChatId,
        upto: MessageId,
        pts: i32,
        count: i32,
    },
    /// Something no client can decode (a fault).
    Unknown,
}

/// Where an account's own sequence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub pts: i32,
    pub date: i32,
    pub unread: i32,
}

/// What an account or a channel has to say since a pts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Where the caller stands after applying this.
    pub pts: i32,
    /// There is nothing more after this.
    pub last: bool,
    pub new: Vec<NewEvent>,
    /// Random ids of those new messages that the caller sent.
    pub own: Vec<(MessageId, i64)>,
    pub others: Vec<WorldUpdate>,
    /// The log does not reach back that far.
    pub too_long: bool,
}

/// At most so many events in one difference.
const DIFFERENCE_MAX: usize = 1_000;

impl World {
    /// What is to be pushed since the last call, in order.
    pub fn take_pushes(&mut self) -> Vec<Push> {
        std::mem::take(&mut self.pushes)
    }

    pub(crate) fn push(&mut self, to: UserId, except: Option<(AuthKeyId, SessionId)>, update: Arc<WorldUpdate>) {
        if self.pushes_on {
            self.pushes.push(Push { to, except, update });
        }
    }

    /// `updates.getState`.
    #[must_use]
    pub fn state(&self, user: UserId) -> State {
        let pts = self.users.get(&user).map_or(1, |user| user.mailbox.pts.max(1));
        State { pts, date: self.now().unix_secs(), unread: 0 }
    }

    /// An account's own events after `pts`.
    #[must_use]
    pub fn difference(&self, user: UserId, pts: i32) -> Difference {
        let Some(mailbox) = self.users.get(&user).map(|user| &user.mailbox) else { return Difference::default() };
        let from = mailbox.log.partition_point(|event| event.pts <= pts);
        let events = &mailbox.log[from..(from + DIFFERENCE_MAX).min(mailbox.log.len())];
        let last = from + events.len() == mailbox.log.len();
        let now_at = if last { mailbox.pts.max(1) } else { events.last().map_or(pts, |event| event.pts) };
        let mut out = Difference { pts: now_at, last, ..Difference::default() };
        for event in events {
            match &event.kind {
                MailboxChange::New(id) => {
                    let Some(message) = mailbox.history.get(*id) else { continue };
                    out.new.push(NewEvent { id: *id, pts: event.pts });
                    if message.by == user && message.random_id != 0 {
                        out.own.push((*id, message.random_id));
                    }
                }
                MailboxChange::Edited(id) => {
                    if let Some(message) = mailbox.history.get(*id) {
                        out.others.push(WorldUpdate::Edited { chat: message.chat, id: *id, pts: event.pts });
                    }
                }
                MailboxChange::Deleted(ids) => out.others.push(WorldUpdate::Deleted {
                    chat: None,
                    ids: ids.clone(),
                    pts: event.pts,
                    count: event.count,
                }),
                MailboxChange::ReadInbox { chat, upto } => out.others.push(WorldUpdate::ReadInbox {
                    chat: *chat,
                    upto: *upto,
                    unread: 0,
                    pts: event.pts,
                    count: event.count,
                }),
                MailboxChange::ReadOutbox { chat, upto } => out.others.push(WorldUpdate::ReadOutbox {
                    chat: *chat,
                    upto: *upto,
                    pts: event.pts,
                    count: event.count,
                }),
            }
        }
        out
    }

    /// A channel's events after `pts`, at most `limit`.
    ///
    /// # Errors
    /// `CHANNEL_INVALID`, `CHANNEL_PRIVATE`, `PERSISTENT_TIMESTAMP_INVALID`.
    pub fn channel_difference(&self, user: UserId, chat: ChatId, pts: i32, limit: usize) -> Rpc<Difference> {
        let channel = self.chats.get(&chat).filter(|_| chat.is_channel());
        let channel = channel.ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        channel.may_read(user)?;
        if pts < 1 || pts > channel.pts {
            return Err(RpcError::bad("PERSISTENT_TIMESTAMP_INVALID"));
        }
        if pts < channel.log_from {
            return Ok(Difference { pts: channel.pts, last: true, too_long: true, ..Difference::default() });
        }
        let from = channel.log.partition_point(|event| event.pts <= pts);
        let events = &channel.log[from..(from + limit.clamp(1, DIFFERENCE_MAX)).min(channel.log.len())];
        let last = from + events.len() == channel.log.len();
        let now_at = if last { channel.pts } else { events.last().map_or(pts, |event| event.pts) };
        let mut out = Difference { pts: now_at, last, ..Difference::default() };
        for event in events {
            match &event.kind {
                ChannelChange::New(id) => {
                    let Some(message) = channel.history.get(*id) else { continue };
                    out.new.push(NewEvent { id: *id, pts: event.pts });
                    if message.by == user && message.random_id != 0 {
                        out.own.push((*id, message.random_id));
                    }
                }
                ChannelChange::Edited(id) if channel.history.get(*id).is_some() => {
                    out.others.push(WorldUpdate::Edited { chat, id: *id, pts: event.pts });
                }
                ChannelChange::Edited(_) => {}
                ChannelChange::Deleted(ids) => out.others.push(WorldUpdate::Deleted {
                    chat: Some(chat),
                    ids: ids.to_vec(),
                    pts: event.pts,
                    count: i32::try_from(ids.len()).unwrap_or(i32::MAX),
                }),
            }
        }
        Ok(out)
    }
}
