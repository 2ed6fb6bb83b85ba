//! Users, chats, messages and updates as the Bot API shows them, to one bot.

use super::entity;
use crate::world::bots::updates::{Happening, Update};
use crate::world::chat::ChatKind;
use crate::world::keyboard::{Keyboard, Press};
use crate::world::message::{Forward, ForwardHeader, Media, Message};
use crate::world::{ChatId, MessageId, Peer, UserId, World};
use serde_json::{Map, Value, json};

/// A `User`.
#[must_use]
pub fn user(world: &World, id: UserId) -> Value {
    let Some(user) = world.users.get(&id) else {
        return json!({ "id": id, "is_bot": false, "first_name": "" });
    };
    let mut view = json!({ "id": id, "is_bot": user.bot, "first_name": user.first_name });
    put(&mut view, "last_name", Some(user.last_name.as_str()).filter(|name| !name.is_empty()));
    put(&mut view, "username", user.username.as_deref());
    put(&mut view, "language_code", user.language_code.as_deref());
    if user.premium {
        view["is_premium"] = Value::from(true);
    }
    view
}

/// A `Chat`.
#[must_use]
pub fn chat(world: &World, id: ChatId) -> Value {
    if let Peer::User(user) = id.peer() {
        let mut view = json!({ "id": id, "type": "private" });
        if let Some(user) = world.users.get(&user) {
            view["first_name"] = Value::from(user.first_name.as_str());
            put(&mut view, "last_name", Some(user.last_name.as_str()).filter(|name| !name.is_empty()));
            put(&mut view, "username", user.username.as_deref());
        }
        return view;
    }
    let Some(chat) = world.chat(id) else { return json!({ "id": id, "type": "channel", "title": "" }) };
    let kind = match chat.kind {
        ChatKind::Broadcast => "channel",
        ChatKind::Supergroup | ChatKind::Forum => "supergroup",
        ChatKind::Basic => "group",
    };
    let mut view = json!({ "id": id, "type": kind, "title": chat.title });
    put(&mut view, "username", chat.username.as_deref());
    view
}

/// A `Message`, as it stands in the bot's mailbox.
#[must_use]
pub fn message(world: &World, bot: UserId, message: &Message) -> Value {
    let mut view = json!({
        "message_id": message.id,
        "from": user(world, message.by),
        "chat": chat(world, message.chat),
        "date": message.date,
    });
    let extra = message.extra.as_deref();
    put(&mut view, "edit_date", extra.and_then(|extra| extra.edit_date));
    put(&mut view, "forward_origin", forward_origin(world, &message.forward));
    let text = message.text.as_str();
    let given = extra.map_or(&[][..], |extra| extra.entities.as_slice());
    let found: Vec<Value> = entity::with_found(&text, given).iter().map(entity::view).collect();
    let (text_field, entities_field) =
        if message.media().is_some() { ("caption", "caption_entities") } else { ("text", "entities") };
    if !text.is_empty() {
        view[text_field] = Value::from(text.as_ref());
    }
    if !found.is_empty() {
        view[entities_field] = Value::from(found);
    }
    media(world, message, &mut view);
    if let Some(to) = message.reply().and_then(|reply| reply.to).and_then(|to| replied(world, bot, to)) {
        view["reply_to_message"] = to;
    }
    put(&mut view, "reply_markup", message.keyboard().map(keyboard));
    if message.noforwards {
        view["has_protected_content"] = Value::from(true);
    }
    view
}

fn replied(world: &World, owner: UserId, to: MessageId) -> Option<Value> {
    let found = world.mailbox_message(owner, to)?;
    let mut view = message_bare(world, &found);
    put(&mut view, "reply_markup", found.keyboard().map(keyboard));
    Some(view)
}

fn message_bare(world: &World, message: &Message) -> Value {
    json!({
        "message_id": message.id,
        "from": user(world, message.by),
        "chat": chat(world, message.chat),
        "date": message.date,
        "text": message.text.as_str(),
    })
}

/// Photos and documents; what else people send to bots is told as a text that has none.
fn media(world: &World, message: &Message, view: &mut Value) {
    match message.media() {
        Some(Media::Photo { id }) => view["photo"] = photo(world, *id),
        Some(Media::Document(document)) => {
            view["document"] = json!({
                "file_id": format!("document-{}", document.id),
                "file_unique_id": format!("u{}", document.id),
                "file_name": document.file_name.as_deref(),
                "mime_type": document.mime.as_ref(),
                "file_size": document.size,
            });
        }
        Some(Media::Contact { phone, first_name, .. }) => {
            view["contact"] = json!({ "phone_number": phone, "first_name": first_name });
        }
        Some(Media::Geo { latitude, longitude }) => {
            view["location"] = json!({ "latitude": latitude, "longitude": longitude });
        }
        Some(Media::Poll(_)) | None => {}
    }
}

/// One size: the simulator scales nothing.
fn photo(world: &World, id: i64) -> Value {
    let file = world.bots.files.get(&id);
    let (width, height, size) = file.map_or((800, 600, 60_000), |it| (it.width, it.height, it.bytes.len()));
    let (file_id, unique) = (file_id(id), format!("u{id}"));
    json!([{ "file_id": file_id, "file_unique_id": unique, "width": width, "height": height, "file_size": size }])
}

/// How a bot names a photo.
#[must_use]
pub fn file_id(photo: i64) -> String {
    format!("photo-{photo}")
}

/// The photo that a bot names.
#[must_use]
pub fn photo_of(file_id: &str) -> Option<i64> {
    file_id.strip_prefix("photo-")?.parse().ok()
}

fn forward_origin(world: &World, forward: &Forward) -> Option<Value> {
    let header = match forward {
        Forward::None => return None,
        Forward::Post { channel, post, date } => ForwardHeader {
            from: Some(ChatId::channel(*channel)),
            post: Some(*post),
            date: *date,
            ..ForwardHeader::default()
        },
        Forward::Other(header) => (**header).clone(),
    };
    let date = header.date;
    let Some(from) = header.from else {
        let name = header.name.as_deref().unwrap_or_default();
        return Some(json!({ "type": "hidden_user", "sender_user_name": name, "date": date }));
    };
    Some(match (from.peer(), header.post) {
        (Peer::User(sender), _) => json!({ "type": "user", "sender_user": user(world, sender), "date": date }),
        (Peer::Channel(_), Some(post)) => {
            let mut view = json!({ "type": "channel", "chat": chat(world, from), "message_id": post, "date": date });
            put(&mut view, "author_signature", header.post_author.as_deref());
            view
        }
        (Peer::Channel(_) | Peer::Group(_), _) => {
            json!({ "type": "chat", "sender_chat": chat(world, from), "date": date })
        }
    })
}

/// An `InlineKeyboardMarkup`.
#[must_use]
pub fn keyboard(keyboard: &Keyboard) -> Value {
    let rows = keyboard.rows.iter().map(|row| {
        let buttons = row.iter().map(|button| match &button.press {
            Press::Callback(data) => json!({ "text": button.text, "callback_data": data }),
            Press::Url(url) => json!({ "text": button.text, "url": url }),
        });
        Value::from(buttons.collect::<Vec<_>>())
    });
    json!({ "inline_keyboard": rows.collect::<Vec<_>>() })
}

/// An `Update`.
#[must_use]
pub fn update(world: &World, bot: UserId, update: &Update) -> Value {
    let what = match &update.happening {
        Happening::Message(it) | Happening::Edited(it) => message(world, bot, it),
        Happening::Callback { id, user: who, message: under, data } => json!({
            "id": id.to_string(),
            "from": user(world, *who),
            "message": message(world, bot, under),
            // A hash of the chat, the same as long as the chat is.
            "chat_instance": format!("{}", world.access_hash(bot, ChatId::user(*who))),
            "data": data,
        }),
        Happening::Membership { user: who, blocked } => {
            let status = |blocked: bool| match blocked {
                true => json!({ "user": user(world, bot), "status": "kicked", "until_date": 0 }),
                false => json!({ "user": user(world, bot), "status": "member" }),
            };
            json!({
                "chat": chat(world, ChatId::user(*who)),
                "from": user(world, *who),
                "date": update.at.unix_secs(),
                "old_chat_member": status(!*blocked),
                "new_chat_member": status(*blocked),
            })
        }
    };
    let mut view = Map::new();
    view.insert("update_id".into(), Value::from(update.id));
    view.insert(update.happening.field().into(), what);
    Value::Object(view)
}

fn put(view: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        view[name] = value.into();
    }
}
