//! Chats: what stands in them, and what an admin would do.

use super::{Control, DONE, Done, Refused, Reply, body};
use crate::world::chat::ChatKind;
use crate::world::message::Kind;
use crate::world::{Actor, ChatId, Created, Message, MessageId, UserId, World};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Json;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct ChatView {
    id: ChatId,
    kind: ChatKind,
    title: String,
    username: Option<String>,
    members: usize,
    messages: usize,
    last_id: MessageId,
    pts: i32,
    noforwards: bool,
}

pub(super) async fn list(State(control): State<Control>) -> Json<Vec<ChatView>> {
    Json(control.shared.with_world(|world| {
        let views = world.chats.values().map(|chat| ChatView {
            id: chat.id,
            kind: chat.kind,
            title: chat.title.clone(),
            username: chat.username.clone(),
            members: chat.insiders().count(),
            messages: chat.history.len(),
            last_id: chat.history.last_id(),
            pts: chat.pts,
            noforwards: chat.noforwards,
        });
        views.collect()
    }))
}

#[derive(Deserialize)]
pub(super) struct MessagesQuery {
    #[serde(default)]
    from: i32,
    limit: Option<usize>,
    /// Whose mailbox, in private chats and basic groups.
    viewer: Option<UserId>,
}

#[derive(Serialize)]
pub(super) struct MessageView {
    id: MessageId,
    date: i32,
    by: UserId,
    kind: Kind,
    text: String,
    /// As text: it is too large for a number in some languages.
    grouped_id: Option<String>,
    random_id: Option<String>,
    reply_to: Option<MessageId>,
    topic: Option<MessageId>,
    forwarded_from: Option<ChatId>,
    forwarded_post: Option<MessageId>,
    source: Option<(ChatId, MessageId)>,
    media_id: Option<String>,
}

/// At most so many messages in one answer, unless asked otherwise.
const PAGE: usize = 10_000;

/// Oldest first, from an id on.
pub(super) async fn messages(
    State(control): State<Control>,
    Path(id): Path<i64>,
    Query(query): Query<MessagesQuery>,
) -> Reply<Vec<MessageView>> {
    let chat = ChatId(id);
    let limit = query.limit.unwrap_or(PAGE);
    let from = MessageId(query.from);
    let found = control.shared.with_world(|world| {
        if chat.is_channel() {
            let history = &world.chat(chat).ok_or_else(|| no_chat(chat))?.history;
            return Ok(history.newer(from).take(limit).filter_map(|id| history.get(id)).map(|m| view(&m)).collect());
        }
        let viewer = query.viewer.ok_or_else(|| {
            Refused::bad(format!("chat {chat} has other message ids for every account: say whose with ?viewer=USER"))
        })?;
        in_mailbox(world, viewer, chat, from, limit)
            .ok_or_else(|| Refused::missing(format!("there is no user {viewer}")))
    });
    found.map(Json)
}

fn in_mailbox(world: &World, viewer: UserId, chat: ChatId, from: MessageId, limit: usize) -> Option<Vec<MessageView>> {
    let mailbox = &world.users.get(&viewer)?.mailbox;
    let ids = mailbox.by_chat.get(&chat).map_or(&[][..], Vec::as_slice).iter().filter(|id| **id >= from);
    Some(ids.filter_map(|id| mailbox.history.get(*id)).take(limit).map(|message| view(&message)).collect())
}

fn view(message: &Message) -> MessageView {
    let big = |number: i64| Some(number).filter(|number| *number != 0).map(|number| number.to_string());
    MessageView {
        id: message.id,
        date: message.date,
        by: message.by,
        kind: message.kind(),
        text: message.text.as_str().into_owned(),
        grouped_id: big(message.group),
        random_id: big(message.random_id),
        reply_to: message.reply().and_then(|reply| reply.to),
        topic: message.reply().and_then(|reply| reply.topic),
        forwarded_from: message.forward.named(),
        forwarded_post: message.forward.post(),
        source: message.source,
        media_id: message.media().and_then(crate::world::message::Media::id).and_then(big),
    }
}

fn no_chat(chat: ChatId) -> Refused {
    Refused::missing(format!("there is no chat {chat}: GET /chats lists them; channels look like -1001500000001"))
}

pub(super) async fn created(State(control): State<Control>, Path(id): Path<i64>) -> Reply<Vec<Created>> {
    let chat = ChatId(id);
    let all = control.shared.with_world(|world| world.chat(chat).map(|chat| chat.all_created().collect()));
    all.map(Json).ok_or_else(|| no_chat(chat))
}

#[derive(Deserialize)]
pub(super) struct DeleteQuery {
    ids: String,
}

pub(super) async fn delete(
    State(control): State<Control>,
    Path(id): Path<i64>,
    Query(query): Query<DeleteQuery>,
) -> Reply<Done> {
    let chat = ChatId(id);
    let ids: Result<Vec<MessageId>, _> = query.ids.split(',').map(|id| id.trim().parse().map(MessageId)).collect();
    let ids = ids.map_err(|error| Refused::bad(format!("ids '{}' have to look like 1,2,3: {error}", query.ids)))?;
    let done = control.shared.with_world(|world| {
        let found = world.chat(chat).ok_or_else(|| no_chat(chat))?;
        let admin = found.members.keys().find(|user| found.is_admin(**user)).copied();
        let admin = admin.ok_or_else(|| Refused::bad(format!("chat {chat} has no admin who could delete")))?;
        world.delete_in_channel(&Actor::of(admin), chat, &ids).map_err(|error| Refused::bad(error.to_string()))
    });
    done.map(|_| DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProtectBody {
    chat: ChatId,
    #[serde(default = "on")]
    on: bool,
}

fn on() -> bool {
    true
}

pub(super) async fn protect(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let ProtectBody { chat, on } = body(&bytes)?;
    let found = control.shared.with_world(|world| {
        let chat = world.chats.get_mut(&chat)?;
        chat.noforwards = on;
        Some(())
    });
    found.ok_or_else(|| no_chat(chat))?;
    Ok(DONE)
}
