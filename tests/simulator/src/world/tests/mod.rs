//! The rules, told as stories over the in-process front.

mod forward;
mod mailbox;
mod surroundings;
mod updates;

use super::chat::{AdminRights, Chat, ChatKind, Role};
use super::forward::ForwardRequest;
use super::message::{Extra, Media, Service};
use super::post::Draft;
use super::quirks::Quirks;
use super::user::User;
use super::{Actor, ChatId, Message, MessageId, UserId, World};
use crate::time::{Clock, SimTime};

const ADA: Actor = Actor { user: UserId(1), auth_key: super::AuthKeyId(0), session: super::SessionId(0) };
const BEN: Actor = Actor { user: UserId(2), auth_key: super::AuthKeyId(0), session: super::SessionId(0) };
const SOURCE: ChatId = ChatId(-1_001_500_000_001);
const TARGET: ChatId = ChatId(-1_001_500_000_002);
const GROUP: ChatId = ChatId(-77);

/// Ada owns a source channel of these drafts and a target; Ben reads the one and posts in the other.
fn world(drafts: &[Draft]) -> World {
    let mut world = World::new(1, Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.quirks = Quirks::plain();
    world.add_user(User::new(UserId(1), "+11", "Ada"));
    world.add_user(User::new(UserId(2), "+22", "Ben"));
    for (id, kind) in [(SOURCE, ChatKind::Broadcast), (TARGET, ChatKind::Broadcast), (GROUP, ChatKind::Basic)] {
        let mut chat = Chat::new(id, kind, "a chat", 1_600_000_000);
        chat.put(UserId(1), Role::Creator, SimTime(0));
        let admin = Role::Admin(AdminRights::default());
        chat.put(UserId(2), if id == TARGET { admin } else { Role::Member }, SimTime(0));
        world.add_chat(chat);
    }
    world.post(&ADA, SOURCE, drafts);
    world.take_pushes();
    world
}

fn texts(count: usize) -> Vec<Draft> {
    (1..=count).map(|n| Draft::text(&format!("text {n}"))).collect()
}

fn photo(group: i64, caption: &str) -> Draft {
    let extra = Extra { media: Some(Media::Photo { id: 900 + group }), ..Extra::default() };
    Draft { group, extra: Some(Box::new(extra)), ..Draft::text(caption) }
}

fn service() -> Draft {
    let extra = Extra { service: Some(Service::PinMessage), ..Extra::default() };
    Draft { extra: Some(Box::new(extra)), ..Draft::default() }
}

/// A forward of these ids; the random id of `n` is `1000 + n`.
fn request(ids: &[i32]) -> ForwardRequest {
    let randoms = ids.iter().map(|id| 1_000 + i64::from(*id)).collect();
    ForwardRequest::new(SOURCE, TARGET, ids.iter().copied().map(MessageId).collect(), randoms)
}

fn in_target(world: &World) -> Vec<Message> {
    world.chat(TARGET).unwrap().history.all().map(std::borrow::Cow::into_owned).collect()
}

fn refusal<T: std::fmt::Debug>(done: super::Done<T>) -> String {
    done.result.unwrap_err().message
}
