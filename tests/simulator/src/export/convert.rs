//! One message of an export, as the world has messages.

use super::ExportedChat;
use super::read::Head;
use crate::world::chat::ChatKind;
use crate::world::message::{
    Document, DocumentKind, Entity, EntityKind, Extra, Forward, ForwardHeader, Kind, Media, Poll, Reply, Service, Text,
};
use crate::world::seed::{mix, signed};
use crate::world::{ChatId, Message, MessageId, UserId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const ALBUM_MAX: usize = 10;

/// Takes the messages of one chat, one after the other.
#[derive(Debug)]
pub(super) struct Converter {
    chat: ExportedChat,
    count: usize,
    /// How many of the last messages look like one album so far.
    run: usize,
}

/// What went wrong in the JSON itself, with the last message that was whole.
pub(super) fn after(converter: &Converter, error: &str) -> String {
    match converter.chat.messages.last() {
        Some(message) => format!("after message {} of chat '{}': {error}", message.id, converter.chat.title),
        None => format!("in the first message of chat '{}': {error}", converter.chat.title),
    }
}

type Field<T> = Result<T, String>;

impl Converter {
    pub(super) fn new(head: &Head) -> Field<Converter> {
        let title = head.name.clone().unwrap_or_else(|| "Deleted Account".to_owned());
        let bare = head.id.ok_or_else(|| format!("chat '{title}' has no 'id' before its 'messages'"))?;
        let name = head.kind.as_deref().ok_or_else(|| format!("chat '{title}' has no 'type' before its 'messages'"))?;
        let (id, kind) = match name {
            "personal_chat" | "bot_chat" | "saved_messages" | "replies" | "verification_codes" => {
                (ChatId::user(UserId(bare)), None)
            }
            "private_group" => (ChatId::group(bare), Some(ChatKind::Basic)),
            "private_supergroup" | "public_supergroup" => (ChatId::channel(bare), Some(ChatKind::Supergroup)),
            "private_channel" | "public_channel" => (ChatId::channel(bare), Some(ChatKind::Broadcast)),
            other => return Err(format!("chat '{title}': field 'type': '{other}' is not known")),
        };
        if bare <= 0 {
            return Err(format!("chat '{title}': field 'id': {bare} is not a chat's id"));
        }
        let mut people = BTreeMap::new();
        if kind.is_none() {
            people.insert(UserId(bare), title.clone());
        }
        let chat = ExportedChat { id, kind, title, messages: Vec::new(), people, channels: BTreeMap::new() };
        Ok(Converter { chat, count: 0, run: 0 })
    }

    /// Converts the next message.
    pub(super) fn add(&mut self, json: &Value) -> Field<()> {
        self.count += 1;
        let place = match json.get("id").and_then(Value::as_i64) {
            Some(id) => format!("message {id} of chat '{}'", self.chat.title),
            None => format!("message number {} of chat '{}'", self.count, self.chat.title),
        };
        let message = self.message(json).map_err(|reason| format!("{place}: {reason}"))?;
        // Groups that became supergroups carry their old messages under negative ids; those belong to another chat.
        let Some(mut message) = message else { return Ok(()) };
        if let Some(last) = self.chat.messages.last()
            && message.id <= last.id
        {
            return Err(format!("{place}: field 'id': it follows message {}, and ids have to grow", last.id));
        }
        self.join_album(&mut message);
        self.chat.messages.push(message);
        Ok(())
    }

    pub(super) fn finish(self) -> ExportedChat {
        self.chat
    }

    fn message(&mut self, json: &Value) -> Field<Option<Message>> {
        let id = number(json, "id")?.ok_or("field 'id' is missing")?;
        if id < 0 {
            return Ok(None);
        }
        if id == 0 {
            return Err("field 'id': ids start at 1".to_owned());
        }
        let id = i32::try_from(id).map_err(|error| format!("field 'id': {error}"))?;
        let by = self.author(json)?;
        let mut message = Message::text(MessageId(id), self.chat.id, by, date(json)?, Text::Empty);
        let mut extra = Extra::default();
        match text(json, "type")? {
            Some("message") => {
                let (text, entities) = styled(json)?;
                message.text = Text::new(&text);
                extra.entities = entities;
                extra.media = self.media(json, MessageId(id))?;
                message.forward = self.forward(json, message.date)?;
            }
            Some("service") => extra.service = Some(service(json)?),
            Some("unsupported") => extra.service = Some(Service::Other { text: "unsupported".to_owned() }),
            Some(other) => return Err(format!("field 'type': '{other}' is not known")),
            None => return Err("field 'type' is missing".to_owned()),
        }
        if let Some(to) = number(json, "reply_to_message_id")? {
            let to = i32::try_from(to).map_err(|error| format!("field 'reply_to_message_id': {error}"))?;
            extra.reply = Some(Reply { to: Some(MessageId(to)), topic: None });
        }
        extra.post_author = text(json, "author")?.map(Arc::from);
        extra.edit_date = match text(json, "edited_unixtime")? {
            Some(secs) => Some(secs.parse().map_err(|error| format!("field 'edited_unixtime': {error}"))?),
            None => None,
        };
        if extra != Extra::default() {
            message.extra = Some(Box::new(extra));
        }
        Ok(Some(message))
    }

    fn author(&mut self, json: &Value) -> Field<UserId> {
        let from = text(json, "from_id")?.or(text(json, "actor_id")?);
        let Some(id) = from.and_then(|from| from.strip_prefix("user")).and_then(|id| id.parse().ok()) else {
            // Posts of channels, and anonymous admins.
            return Ok(UserId(0));
        };
        let name = text(json, "from")?.or(text(json, "actor")?).unwrap_or("Deleted Account");
        self.chat.people.entry(UserId(id)).or_insert_with(|| name.to_owned());
        Ok(UserId(id))
    }

    fn forward(&mut self, json: &Value, date: i32) -> Field<Forward> {
        if json.get("forwarded_from").is_none() {
            return Ok(Forward::None);
        }
        let name = text(json, "forwarded_from")?;
        let id = text(json, "forwarded_from_id")?.unwrap_or("");
        let title = name.unwrap_or("Deleted Account");
        let user = id.strip_prefix("user").and_then(|id| id.parse().ok()).map(UserId);
        let channel = id.strip_prefix("channel").and_then(|id| id.parse().ok()).map(ChatId::channel);
        if let Some(user) = user {
            self.chat.people.entry(user).or_insert_with(|| title.to_owned());
        }
        if let Some(channel) = channel.filter(|channel| *channel != self.chat.id) {
            self.chat.channels.entry(channel).or_insert_with(|| title.to_owned());
        }
        let from = user.map(ChatId::user).or(channel);
        let name = from.is_none().then(|| Arc::from(title));
        Ok(Forward::Other(Box::new(ForwardHeader { from, name, date, post: None, post_author: None })))
    }

    fn media(&self, json: &Value, id: MessageId) -> Field<Option<Media>> {
        let bits = u64::from_le_bytes(self.chat.id.0.to_le_bytes());
        let media_id = signed(mix(bits, u64::from(id.0.unsigned_abs())) >> 2);
        if let Some(poll) = json.get("poll") {
            return Ok(Some(Media::Poll(Arc::new(poll_of(poll, media_id)?))));
        }
        if let Some(contact) = json.get("contact_information") {
            let part = |key| Ok::<_, String>(text(contact, key)?.unwrap_or("").to_owned());
            let (first_name, last_name) = (part("first_name")?, part("last_name")?);
            return Ok(Some(Media::Contact { phone: part("phone_number")?, first_name, last_name }));
        }
        if let Some(place) = json.get("location_information") {
            let part = |key: &str| {
                place
                    .get(key)
                    .and_then(Value::as_f64)
                    .ok_or(format!("field 'location_information.{key}': not a number"))
            };
            return Ok(Some(Media::Geo { latitude: part("latitude")?, longitude: part("longitude")? }));
        }
        let kind = match text(json, "media_type")? {
            Some("video_file") => DocumentKind::Video,
            Some("voice_message") => DocumentKind::Voice,
            Some("audio_file") => DocumentKind::Audio,
            Some("sticker") => DocumentKind::Sticker,
            Some("animation") => DocumentKind::Animation,
            Some("video_message") => DocumentKind::VideoMessage,
            Some(other) => return Err(format!("field 'media_type': '{other}' is not known")),
            None if json.get("photo").is_some() => return Ok(Some(Media::Photo { id: media_id })),
            None if json.get("file").is_some() => DocumentKind::File,
            None => return Ok(None),
        };
        let usual = Document::of(kind, media_id);
        let secs = number(json, "duration_seconds")?.unwrap_or(0);
        Ok(Some(Media::Document(Document {
            mime: text(json, "mime_type")?.map_or(usual.mime.clone(), Arc::from),
            file_name: text(json, "file_name")?.map(Arc::from),
            size: number(json, "file_size")?.unwrap_or(usual.size),
            duration_secs: i32::try_from(secs).unwrap_or(0),
            ..usual
        })))
    }

    /// Puts the message into the album of the one before it, if it looks like a member.
    fn join_album(&mut self, message: &mut Message) {
        let fits = self.chat.messages.last().is_some_and(|last| {
            last.id.0.saturating_add(1) == message.id.0
                && last.date == message.date
                && last.by == message.by
                && last.forward.named() == message.forward.named()
                && go_together(last.kind(), message.kind())
        });
        if !fits || self.run >= ALBUM_MAX {
            self.run = 1;
            return;
        }
        self.run += 1;
        if let Some(last) = self.chat.messages.last_mut() {
            if last.group == 0 {
                last.group = i64::from(last.id.0) | (1 << 40);
            }
            message.group = last.group;
        }
    }
}

fn go_together(a: Kind, b: Kind) -> bool {
    let visual = |kind| matches!(kind, Kind::Photo | Kind::Video);
    (visual(a) && visual(b)) || (a == b && matches!(a, Kind::Document | Kind::Audio))
}

fn date(json: &Value) -> Field<i32> {
    if let Some(secs) = text(json, "date_unixtime")? {
        return secs.parse().map_err(|error| format!("field 'date_unixtime': '{secs}': {error}"));
    }
    let date = text(json, "date")?.ok_or("field 'date_unixtime' is missing")?;
    let civil: jiff::civil::DateTime = date.parse().map_err(|error| format!("field 'date': {error}"))?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| format!("field 'date': {error}"))?;
    i32::try_from(zoned.timestamp().as_second()).map_err(|error| format!("field 'date': {error}"))
}

/// A text field; null counts as absent.
fn text<'a>(json: &'a Value, key: &str) -> Field<Option<&'a str>> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("field '{key}': expected a text, found {other}")),
    }
}

/// A whole number; null counts as absent.
fn number(json: &Value, key: &str) -> Field<Option<i64>> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            value.as_i64().map(Some).ok_or_else(|| format!("field '{key}': expected a whole number, found {value}"))
        }
    }
}

/// The text with its styles: a plain text, or parts of which some are objects.
fn styled(json: &Value) -> Field<(String, Vec<Entity>)> {
    let parts = match json.get("text") {
        None | Some(Value::Null) => return Ok((String::new(), Vec::new())),
        Some(Value::String(text)) => return Ok((text.clone(), Vec::new())),
        Some(Value::Array(parts)) => parts,
        Some(other) => return Err(format!("field 'text': expected a text or a list, found {other}")),
    };
    let (mut all, mut entities, mut offset) = (String::new(), Vec::new(), 0_i32);
    for part in parts {
        let piece = match part {
            Value::String(text) => text.as_str(),
            object => text(object, "text")?.ok_or_else(|| format!("field 'text': a part without 'text': {object}"))?,
        };
        let length = i32::try_from(piece.encode_utf16().count()).unwrap_or(i32::MAX);
        if let Some(kind) = style(part)? {
            entities.push(Entity { offset, length, kind });
        }
        offset = offset.saturating_add(length);
        all.push_str(piece);
    }
    Ok((all, entities))
}

fn style(part: &Value) -> Field<Option<EntityKind>> {
    let owned = |key| Ok::<_, String>(text(part, key)?.unwrap_or("").to_owned());
    Ok(Some(match text(part, "type")? {
        None | Some("plain") => return Ok(None),
        Some("bold") => EntityKind::Bold,
        Some("italic") => EntityKind::Italic,
        Some("underline") => EntityKind::Underline,
        Some("strikethrough") => EntityKind::Strike,
        Some("spoiler") => EntityKind::Spoiler,
        Some("code") => EntityKind::Code,
        Some("pre") => EntityKind::Pre { language: owned("language")? },
        Some("blockquote") => EntityKind::Blockquote,
        Some("link") => EntityKind::Url,
        Some("email") => EntityKind::Email,
        Some("phone") => EntityKind::Phone,
        Some("mention") => EntityKind::Mention,
        Some("hashtag") => EntityKind::Hashtag,
        Some("cashtag") => EntityKind::Cashtag,
        Some("bot_command") => EntityKind::BotCommand,
        Some("bank_card") => EntityKind::BankCard,
        Some("text_link") => EntityKind::TextUrl { url: owned("href")? },
        Some("mention_name") => EntityKind::MentionName { user: UserId(number(part, "user_id")?.unwrap_or(0)) },
        Some("custom_emoji") => EntityKind::CustomEmoji { document: 0 },
        Some(_) => EntityKind::Unknown,
    }))
}

fn poll_of(poll: &Value, id: i64) -> Field<Poll> {
    let answers = poll.get("answers").and_then(Value::as_array).ok_or("field 'poll.answers': not a list")?;
    let answers = answers.iter().map(|answer| Ok(text(answer, "text")?.unwrap_or("").to_owned()));
    Ok(Poll {
        id,
        question: text(poll, "question")?.unwrap_or("").to_owned(),
        answers: answers.collect::<Field<_>>()?,
        quiz: false,
        public_voters: false,
        closed: poll.get("closed").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn service(json: &Value) -> Field<Service> {
    let action = text(json, "action")?.ok_or("field 'action' is missing")?;
    let title = || Ok::<_, String>(text(json, "title")?.unwrap_or("").to_owned());
    Ok(match action {
        "create_channel" => Service::ChannelCreate { title: title()? },
        "create_group" => Service::ChatCreate { title: title()? },
        "edit_group_title" => Service::TitleEdit { title: title()? },
        "pin_message" => Service::PinMessage,
        "topic_created" => Service::TopicCreate { title: title()? },
        "clear_history" => Service::HistoryClear,
        other => Service::Other { text: other.to_owned() },
    })
}
