//! Telegram Desktop's export (`result.json`, machine-readable), of one chat or of a whole account, as chats of a world.
//!
//! Ids, dates, kinds, texts with their styles, replies, forwards and service messages are kept; files are not, only what
//! they were. Albums are not marked in an export: media of one sender in the same second, with ids in a row and of kinds
//! that go together, are taken for one, up to ten. Channels and supergroups become channels under their own ids; private
//! chats and basic groups go into the mailbox of one account, under its ids. Messages are read one by one, so that a large
//! export never stands in memory as JSON.

mod convert;
mod read;

pub use read::ExportError;

use crate::world::chat::{Chat, ChatKind, Role};
use crate::world::history::History;
use crate::world::user::{MailboxChange, User};
use crate::world::{ChatId, Message, UserId, World};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One chat as an export has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedChat {
    pub id: ChatId,
    /// `None` for private chats.
    pub kind: Option<ChatKind>,
    pub title: String,
    /// By id, oldest first.
    pub messages: Vec<Message>,
    /// Names of whoever wrote or was forwarded.
    pub people: BTreeMap<UserId, String>,
    /// Titles of channels that forwards name.
    pub channels: BTreeMap<ChatId, String>,
}

/// How an export is to be loaded.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    /// Who gets private chats and basic groups; they are left out without one.
    pub owner: Option<UserId>,
    /// Members of every channel that is loaded.
    pub members: Vec<(UserId, Role)>,
    /// Username of the channel, where the export has only one; with it the channel is public.
    pub username: Option<String>,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loaded {
    pub id: ChatId,
    pub title: String,
    pub messages: usize,
}

/// Reads an export's bytes.
///
/// # Errors
/// An [`ExportError`] that names the place.
pub fn parse(json: &[u8]) -> Result<Vec<ExportedChat>, ExportError> {
    read::chats(json)
}

/// Reads an export and puts its chats into a world.
///
/// # Errors
/// An [`ExportError`]; then the world is as it was.
pub fn load(world: &mut World, json: &[u8], loading: &Loading) -> Result<Vec<Loaded>, ExportError> {
    let chats = parse(json)?;
    let alone = chats.len() == 1;
    let mut loaded = Vec::new();
    let mut mailbox: Vec<Message> = Vec::new();
    for chat in chats {
        let (id, title, messages) = (chat.id, chat.title.clone(), chat.messages.len());
        add_people(world, &chat);
        match chat.kind {
            Some(kind @ (ChatKind::Broadcast | ChatKind::Supergroup | ChatKind::Forum)) => {
                let username = loading.username.clone().filter(|_| alone);
                add_channel(world, chat, kind, username, &loading.members);
            }
            Some(ChatKind::Basic) | None => {
                let Some(owner) = loading.owner else { continue };
                if chat.kind.is_some() {
                    add_group(world, &chat, owner);
                }
                mailbox.extend(chat.messages);
            }
        }
        loaded.push(Loaded { id, title, messages });
    }
    if let Some(owner) = loading.owner {
        fill_mailbox(world, owner, mailbox);
    }
    Ok(loaded)
}

fn add_people(world: &mut World, chat: &ExportedChat) {
    for (id, name) in &chat.people {
        if !world.users.contains_key(id) {
            world.add_user(User::new(*id, "", name));
        }
    }
    for (id, title) in &chat.channels {
        if world.chat(*id).is_none() {
            world.add_chat(Chat::new(*id, ChatKind::Broadcast, title, 0));
        }
    }
}

fn add_channel(
    world: &mut World,
    exported: ExportedChat,
    kind: ChatKind,
    username: Option<String>,
    members: &[(UserId, Role)],
) {
    let now = world.now();
    let date = exported.messages.first().map_or(0, |message| message.date);
    let mut history = History::default();
    for message in exported.messages {
        history.push(message);
    }
    let mut chat = Chat::new(exported.id, kind, &exported.title, date).with_history(history);
    chat.username = username;
    for (user, role) in members {
        chat.put(*user, role.clone(), now);
    }
    world.add_chat(chat);
}

fn add_group(world: &mut World, exported: &ExportedChat, owner: UserId) {
    let now = world.now();
    let date = exported.messages.first().map_or(0, |message| message.date);
    let mut group = Chat::new(exported.id, ChatKind::Basic, &exported.title, date);
    let members: BTreeSet<UserId> = exported.people.keys().copied().chain([owner]).collect();
    for user in members {
        group.put(user, Role::Member, now);
    }
    world.add_chat(group);
}

/// Ids count through all of an account's private chats and basic groups, so they go in by id. What the account has already
/// comes first; ids of the export that are not above it are left out.
fn fill_mailbox(world: &mut World, owner: UserId, mut messages: Vec<Message>) {
    let Some(user) = world.users.get_mut(&owner) else { return };
    messages.sort_by_key(|message| message.id);
    for message in messages {
        if message.id <= user.mailbox.history.last_id() {
            continue;
        }
        let (id, chat) = (message.id, message.chat);
        user.mailbox.history.push(message);
        user.mailbox.by_chat.entry(chat).or_default().push(id);
        user.mailbox.log(1, MailboxChange::New(id));
    }
}

#[cfg(test)]
mod tests;
