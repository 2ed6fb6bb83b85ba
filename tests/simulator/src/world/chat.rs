//! Channels, supergroups and basic groups: members, rights, topics, and (channels) the history they share.

use super::history::History;
use super::message::Kind;
use super::{ChatId, MessageId, Rpc, RpcError, UserId};
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A chat that is not private.
#[derive(Debug)]
pub struct Chat {
    pub id: ChatId,
    pub kind: ChatKind,
    pub title: String,
    pub about: String,
    /// Lower case, without `@`. A chat with a username is public: anybody may read it.
    pub username: Option<String>,
    pub date: i32,
    pub members: BTreeMap<UserId, Member>,
    /// What nobody but admins may send.
    pub default_banned: Banned,
    /// Protected content.
    pub noforwards: bool,
    pub signatures: bool,
    pub slow_mode_secs: i32,
    /// Hash of `t.me/+hash`.
    pub invite: Option<String>,
    /// Whoever wants to join has to be let in by an admin.
    pub join_request: bool,
    /// Who asked to be let in.
    pub asked: BTreeSet<UserId>,
    pub topics: BTreeMap<MessageId, Topic>,
    pub history: History,
    pub pts: i32,
    /// The pts that the log starts after.
    pub log_from: i32,
    pub log: Vec<ChannelEvent>,
    pub(crate) last_post: BTreeMap<UserId, SimTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Only admins post; posts are the channel's own.
    Broadcast,
    Supergroup,
    /// A supergroup with topics.
    Forum,
    /// Message ids count per account.
    Basic,
}

/// A topic of a forum; its id is that of the service message that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    pub title: String,
    #[serde(default)]
    pub closed: bool,
    #[serde(default)]
    pub deleted: bool,
}

/// Somebody's place in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub role: Role,
    pub joined: i32,
    pub read_upto: MessageId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Creator,
    Admin(AdminRights),
    Member,
    /// Still inside, but may not send some or all of it.
    Restricted(Banned),
    /// Kicked out for good.
    Banned,
    Left,
}

/// What an admin may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Telegram's flags, each on its own")]
pub struct AdminRights {
    pub post_messages: bool,
    pub edit_messages: bool,
    pub delete_messages: bool,
    pub invite_users: bool,
    pub pin_messages: bool,
    pub manage_topics: bool,
}

impl Default for AdminRights {
    fn default() -> AdminRights {
        AdminRights {
            post_messages: true,
            edit_messages: true,
            delete_messages: true,
            invite_users: true,
            pin_messages: true,
            manage_topics: true,
        }
    }
}

/// What somebody may not send: everything, or some kinds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Banned {
    pub everything: bool,
    pub kinds: BTreeSet<Kind>,
    /// Unix seconds; 0 is for ever.
    pub until: i32,
}

/// A numbered step of a channel's update sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEvent {
    /// The channel's pts after this event.
    pub pts: i32,
    pub kind: ChannelChange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelChange {
    New(MessageId),
    Edited(MessageId),
    Deleted(Box<[MessageId]>),
}

impl Chat {
    /// An empty chat without members.
    #[must_use]
    pub fn new(id: ChatId, kind: ChatKind, title: &str, date: i32) -> Chat {
        Chat {
            id,
            kind,
            title: title.to_owned(),
            about: String::new(),
            username: None,
            date,
            members: BTreeMap::new(),
            default_banned: Banned::default(),
            noforwards: false,
            signatures: false,
            slow_mode_secs: 0,
            invite: None,
            join_request: false,
            asked: BTreeSet::new(),
            topics: BTreeMap::new(),
            history: History::default(),
            pts: 1,
            log_from: 1,
            log: Vec::new(),
            last_post: BTreeMap::new(),
        }
    }

    /// The same chat with this history; its update log starts behind it.
    #[must_use]
    pub fn with_history(mut self, history: History) -> Chat {
        self.pts = history.last_id().0.max(1);
        self.log_from = self.pts;
        self.history = history;
        self
    }

    /// Somebody's role; `Left` for strangers.
    #[must_use]
    pub fn role(&self, user: UserId) -> &Role {
        self.members.get(&user).map_or(&Role::Left, |member| &member.role)
    }

    /// Inside the chat, whatever the rights.
    #[must_use]
    pub fn is_member(&self, user: UserId) -> bool {
        !matches!(self.role(user), Role::Left | Role::Banned)
    }

    /// Creator or admin.
    #[must_use]
    pub fn is_admin(&self, user: UserId) -> bool {
        matches!(self.role(user), Role::Creator | Role::Admin(_))
    }

    /// Everybody who gets its updates.
    pub fn insiders(&self) -> impl Iterator<Item = UserId> {
        self.members.iter().filter(|(_, m)| !matches!(m.role, Role::Left | Role::Banned)).map(|(id, _)| *id)
    }

    /// Puts somebody in (or changes the role).
    pub fn put(&mut self, user: UserId, role: Role, now: SimTime) {
        let joined = now.unix_secs();
        let member = Member { role: role.clone(), joined, read_upto: MessageId(0) };
        self.members.entry(user).and_modify(|member| member.role = role).or_insert(member);
    }

    /// May this account read it?
    ///
    /// # Errors
    /// `CHANNEL_PRIVATE` for the banned, and for strangers to a private chat.
    pub fn may_read(&self, user: UserId) -> Rpc<()> {
        match self.role(user) {
            Role::Banned => Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left if self.username.is_none() => Err(RpcError::bad("CHANNEL_PRIVATE")),
            Role::Left | Role::Creator | Role::Admin(_) | Role::Member | Role::Restricted(_) => Ok(()),
        }
    }

    /// May this account write here at all?
    ///
    /// # Errors
    /// `CHANNEL_PRIVATE`, `CHAT_ADMIN_REQUIRED` (a broadcast channel), `CHAT_WRITE_FORBIDDEN`, `USER_BANNED_IN_CHANNEL`.
    pub fn may_write(&self, user: UserId, now: SimTime) -> Rpc<()> {
        self.may_read(user)?;
        let broadcast = self.kind == ChatKind::Broadcast;
        match self.role(user) {
            Role::Creator => Ok(()),
            Role::Admin(rights) if broadcast && !rights.post_messages => Err(RpcError::bad("CHAT_ADMIN_REQUIRED")),
            Role::Admin(_) => Ok(()),
            Role::Member | Role::Restricted(_) if broadcast => Err(RpcError::bad("CHAT_ADMIN_REQUIRED")),
            Role::Restricted(banned) if banned.holds(now) && banned.everything => {
                Err(RpcError::bad("USER_BANNED_IN_CHANNEL"))
            }
            Role::Member | Role::Restricted(_) if self.default_banned.everything => {
                Err(RpcError::forbidden("CHAT_WRITE_FORBIDDEN"))
            }
            Role::Member | Role::Restricted(_) => Ok(()),
            Role::Left | Role::Banned => Err(RpcError::forbidden("CHAT_WRITE_FORBIDDEN")),
        }
    }

    /// May this account send this kind here?
    ///
    /// # Errors
    /// `CHAT_SEND_PHOTOS_FORBIDDEN` and its like.
    pub fn may_send(&self, user: UserId, kind: Kind, now: SimTime) -> Rpc<()> {
        let own = match self.role(user) {
            Role::Creator | Role::Admin(_) => return Ok(()),
            Role::Restricted(banned) => banned.holds(now) && banned.kinds.contains(&kind),
            Role::Member | Role::Banned | Role::Left => false,
        };
        if own || self.default_banned.kinds.contains(&kind) {
            return Err(RpcError::forbidden(forbidden_name(kind)));
        }
        Ok(())
    }

    /// Slow mode: seconds that this account still has to wait before its next message.
    #[must_use]
    pub fn slow_mode_left_secs(&self, user: UserId, now: SimTime) -> i64 {
        if self.slow_mode_secs <= 0 || self.is_admin(user) {
            return 0;
        }
        let Some(last) = self.last_post.get(&user) else { return 0 };
        let left = i64::from(self.slow_mode_secs) * 1000 - now.since(*last);
        if left <= 0 { 0 } else { (left + 999) / 1000 }
    }

    /// Numbers and logs a change of the channel.
    pub(crate) fn log(&mut self, count: i32, kind: ChannelChange) -> i32 {
        self.pts += count;
        self.log.push(ChannelEvent { pts: self.pts, kind });
        self.pts
    }
}

impl Banned {
    fn holds(&self, now: SimTime) -> bool {
        self.until == 0 || self.until > now.unix_secs()
    }
}

fn forbidden_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Service | Kind::Contact | Kind::Geo => "CHAT_SEND_PLAIN_FORBIDDEN",
        Kind::Photo => "CHAT_SEND_PHOTOS_FORBIDDEN",
        Kind::Video => "CHAT_SEND_VIDEOS_FORBIDDEN",
        Kind::Document => "CHAT_SEND_DOCS_FORBIDDEN",
        Kind::Audio => "CHAT_SEND_AUDIOS_FORBIDDEN",
        Kind::Voice => "CHAT_SEND_VOICES_FORBIDDEN",
        Kind::Sticker => "CHAT_SEND_STICKERS_FORBIDDEN",
        Kind::Animation => "CHAT_SEND_GIFS_FORBIDDEN",
        Kind::VideoMessage => "CHAT_SEND_ROUNDVIDEOS_FORBIDDEN",
        Kind::Poll => "CHAT_SEND_POLL_FORBIDDEN",
    }
}
