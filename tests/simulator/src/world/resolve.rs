//! Who may name whom: access hashes, usernames, phone numbers, invite links.

use super::seed::{mix, signed};
use super::{ChatId, Peer, Rpc, RpcError, UserId, World};

impl World {
    /// The access hash by which `viewer` names `peer`. Another account's does not work.
    #[must_use]
    pub fn access_hash(&self, viewer: UserId, peer: ChatId) -> i64 {
        let bits = |id: i64| u64::from_le_bytes(id.to_le_bytes());
        signed(mix(mix(self.seed ^ 0xACCE, bits(viewer.0)), bits(peer.0)))
    }

    /// The peer exists for this account at all (rights are another matter).
    ///
    /// # Errors
    /// `CHANNEL_INVALID`, `CHAT_ID_INVALID`, `PEER_ID_INVALID`.
    pub fn check_peer(&self, viewer: UserId, chat: ChatId) -> Rpc<()> {
        match chat.peer() {
            Peer::Channel(_) if self.chats.contains_key(&chat) => Ok(()),
            Peer::Channel(_) => Err(RpcError::bad("CHANNEL_INVALID")),
            Peer::Group(_) if self.chats.get(&chat).is_some_and(|group| group.is_member(viewer)) => Ok(()),
            Peer::Group(_) => Err(RpcError::bad("CHAT_ID_INVALID")),
            Peer::User(user) if self.users.contains_key(&user) => Ok(()),
            Peer::User(_) => Err(RpcError::bad("PEER_ID_INVALID")),
        }
    }

    /// Checks an access hash that came with a peer.
    ///
    /// # Errors
    /// `CHANNEL_INVALID` or `PEER_ID_INVALID`.
    pub fn check_access(&self, viewer: UserId, chat: ChatId, access_hash: i64) -> Rpc<()> {
        self.check_peer(viewer, chat)?;
        if access_hash == self.access_hash(viewer, chat) {
            return Ok(());
        }
        match chat.peer() {
            Peer::User(user) if user == viewer => Ok(()),
            Peer::User(_) => Err(RpcError::bad("PEER_ID_INVALID")),
            Peer::Channel(_) | Peer::Group(_) => Err(RpcError::bad("CHANNEL_INVALID")),
        }
    }

    /// `contacts.resolveUsername`.
    ///
    /// # Errors
    /// `USERNAME_INVALID`, `USERNAME_NOT_OCCUPIED`.
    pub fn resolve(&self, username: &str) -> Rpc<ChatId> {
        let name = username.trim_start_matches('@').to_lowercase();
        if name.is_empty() || name.len() > 32 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(RpcError::bad("USERNAME_INVALID"));
        }
        let chat = self.chats.values().find(|chat| chat.username.as_deref() == Some(&name)).map(|chat| chat.id);
        let user =
            || self.users.values().find(|user| user.username.as_deref() == Some(&name)).map(|u| ChatId::user(u.id));
        chat.or_else(user).ok_or_else(|| RpcError::bad("USERNAME_NOT_OCCUPIED"))
    }

    /// The chat behind an invite link's hash.
    ///
    /// # Errors
    /// `INVITE_HASH_EMPTY`, `INVITE_HASH_EXPIRED`.
    pub fn invite(&self, hash: &str) -> Rpc<ChatId> {
        let hash = hash.trim_start_matches('+');
        if hash.is_empty() {
            return Err(RpcError::bad("INVITE_HASH_EMPTY"));
        }
        let chat = self.chats.values().find(|chat| chat.invite.as_deref() == Some(hash));
        chat.map(|chat| chat.id).ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))
    }
}
