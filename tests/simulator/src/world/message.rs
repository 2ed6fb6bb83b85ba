//! What a message is: text, media, header of a forward, service action.
//!
//! A target keeps a real copy of everything that was forwarded to it, so the plain case is small: no heap of its own, and
//! what is rare lives behind one pointer ([`Extra`]).

use super::keyboard::Keyboard;
use super::{ChatId, MessageId, UserId, generated};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// One message, as its chat (or, in private chats and basic groups, one account's mailbox) holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    /// Unix seconds.
    pub date: i32,
    /// The chat as the owner of this copy sees it.
    pub chat: ChatId,
    /// The account that sent it, also where Telegram shows only the channel.
    pub by: UserId,
    pub text: Text,
    /// The random id of the sending call; 0 if it had none.
    pub random_id: i64,
    /// Album; 0 if it is in none.
    pub group: i64,
    /// For audits: the message that a forward copied, whatever its header says.
    pub source: Option<(ChatId, MessageId)>,
    pub forward: Forward,
    pub extra: Option<Box<Extra>>,
    pub silent: bool,
    pub noforwards: bool,
    /// Deleted messages stay, for audits; no call shows them.
    pub deleted: bool,
}

/// A text; generated ones are rendered when looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Text {
    #[default]
    Empty,
    Shared(Arc<str>),
    Generated(u64),
}

/// Where a forwarded message comes from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Forward {
    #[default]
    None,
    /// An original post of a channel.
    Post {
        channel: i64,
        post: MessageId,
        date: i32,
    },
    Other(Box<ForwardHeader>),
}

/// Any other header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForwardHeader {
    pub from: Option<ChatId>,
    pub name: Option<Arc<str>>,
    pub date: i32,
    pub post: Option<MessageId>,
    pub post_author: Option<Arc<str>>,
}

/// What most messages do not have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extra {
    pub media: Option<Media>,
    pub entities: Vec<Entity>,
    pub reply: Option<Reply>,
    pub service: Option<Service>,
    pub edit_date: Option<i32>,
    pub post_author: Option<Arc<str>>,
    pub pinned: bool,
    /// Buttons under a bot's message.
    pub keyboard: Option<Keyboard>,
}

/// What a message answers, and its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply {
    pub to: Option<MessageId>,
    pub topic: Option<MessageId>,
}

/// A styled part of a text; offset and length in UTF-16 units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    pub offset: i32,
    pub length: i32,
    #[serde(flatten)]
    pub kind: EntityKind,
}

/// The styles Telegram knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EntityKind {
    Bold,
    Italic,
    Underline,
    Strike,
    Spoiler,
    Code,
    Pre { language: String },
    Blockquote,
    Url,
    Email,
    Phone,
    Mention,
    Hashtag,
    Cashtag,
    BotCommand,
    BankCard,
    TextUrl { url: String },
    MentionName { user: UserId },
    CustomEmoji { document: i64 },
    Unknown,
}

/// What a message carries besides text.
#[derive(Debug, Clone, PartialEq)]
pub enum Media {
    Photo { id: i64 },
    Document(Document),
    Poll(Arc<Poll>),
    Contact { phone: String, first_name: String, last_name: String },
    Geo { latitude: f64, longitude: f64 },
}

/// A file, with what tells videos, songs and stickers apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub id: i64,
    pub kind: DocumentKind,
    pub mime: Arc<str>,
    pub file_name: Option<Arc<str>>,
    pub size: i64,
    pub duration_secs: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    File,
    Video,
    Animation,
    Audio,
    Voice,
    Sticker,
    VideoMessage,
}

/// A poll or a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    pub id: i64,
    pub question: String,
    pub answers: Vec<String>,
    #[serde(default)]
    pub quiz: bool,
    #[serde(default)]
    pub public_voters: bool,
    #[serde(default)]
    pub closed: bool,
}

/// Service messages: what happened in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Service {
    ChannelCreate { title: String },
    ChatCreate { title: String },
    TitleEdit { title: String },
    PinMessage,
    Join { users: Vec<UserId> },
    Leave { user: UserId },
    TopicCreate { title: String },
    HistoryClear,
    Other { text: String },
}

/// The kinds that filters, rights and selections tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Photo,
    Video,
    Document,
    Audio,
    Voice,
    Sticker,
    Animation,
    VideoMessage,
    Poll,
    Contact,
    Geo,
    Service,
}

impl Text {
    /// An owned text.
    #[must_use]
    pub fn new(text: &str) -> Text {
        if text.is_empty() { Text::Empty } else { Text::Shared(Arc::from(text)) }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> Cow<'_, str> {
        match self {
            Text::Empty => Cow::Borrowed(""),
            Text::Shared(text) => Cow::Borrowed(text),
            Text::Generated(seed) => Cow::Owned(generated::text(*seed)),
        }
    }

    /// No characters at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Text::Empty)
    }
}

impl Forward {
    /// The channel or person that the header names.
    #[must_use]
    pub fn named(&self) -> Option<ChatId> {
        match self {
            Forward::None => None,
            Forward::Post { channel, .. } => Some(ChatId::channel(*channel)),
            Forward::Other(header) => header.from,
        }
    }

    /// The post of the channel that the header names.
    #[must_use]
    pub fn post(&self) -> Option<MessageId> {
        match self {
            Forward::None => None,
            Forward::Post { post, .. } => Some(*post),
            Forward::Other(header) => header.post,
        }
    }

    /// There is a header.
    #[must_use]
    pub fn is_some(&self) -> bool {
        !matches!(self, Forward::None)
    }
}

impl Message {
    /// A bare text message; the rest is filled in by who makes it.
    #[must_use]
    pub fn text(id: MessageId, chat: ChatId, by: UserId, date: i32, text: Text) -> Message {
        Message {
            id,
            date,
            chat,
            by,
            text,
            random_id: 0,
            group: 0,
            source: None,
            forward: Forward::None,
            extra: None,
            silent: false,
            noforwards: false,
            deleted: false,
        }
    }

    /// Its media, if it has any.
    #[must_use]
    pub fn media(&self) -> Option<&Media> {
        self.extra.as_ref().and_then(|extra| extra.media.as_ref())
    }

    /// Its service action, if it is a service message.
    #[must_use]
    pub fn service(&self) -> Option<&Service> {
        self.extra.as_ref().and_then(|extra| extra.service.as_ref())
    }

    /// The buttons under it.
    #[must_use]
    pub fn keyboard(&self) -> Option<&Keyboard> {
        self.extra.as_ref().and_then(|extra| extra.keyboard.as_ref())
    }

    /// What it answers.
    #[must_use]
    pub fn reply(&self) -> Option<Reply> {
        self.extra.as_ref().and_then(|extra| extra.reply)
    }

    /// The rare parts, made if there are none.
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.service().is_some() {
            return Kind::Service;
        }
        match self.media() {
            None => Kind::Text,
            Some(media) => media.kind(),
        }
    }

    /// A link in its text, by entity or by look.
    #[must_use]
    pub fn has_link(&self) -> bool {
        let by_entity = self.extra.as_ref().is_some_and(|extra| {
            extra.entities.iter().any(|e| matches!(e.kind, EntityKind::Url | EntityKind::TextUrl { .. }))
        });
        by_entity || self.text.as_str().contains("://")
    }
}

impl Media {
    /// The kind of message this media makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Media::Photo { .. } => Kind::Photo,
            Media::Document(document) => document.kind.kind(),
            Media::Poll(_) => Kind::Poll,
            Media::Contact { .. } => Kind::Contact,
            Media::Geo { .. } => Kind::Geo,
        }
    }

    /// The number that stays the same in every copy.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        match self {
            Media::Photo { id } => Some(*id),
            Media::Document(document) => Some(document.id),
            Media::Poll(poll) => Some(poll.id),
            Media::Contact { .. } | Media::Geo { .. } => None,
        }
    }
}

impl DocumentKind {
    /// The kind of message a document of this kind makes.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            DocumentKind::File => Kind::Document,
            DocumentKind::Video => Kind::Video,
            DocumentKind::Animation => Kind::Animation,
            DocumentKind::Audio => Kind::Audio,
            DocumentKind::Voice => Kind::Voice,
            DocumentKind::Sticker => Kind::Sticker,
            DocumentKind::VideoMessage => Kind::VideoMessage,
        }
    }

    /// The usual MIME type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            DocumentKind::File => "application/pdf",
            DocumentKind::Video | DocumentKind::Animation | DocumentKind::VideoMessage => "video/mp4",
            DocumentKind::Audio => "audio/mpeg",
            DocumentKind::Voice => "audio/ogg",
            DocumentKind::Sticker => "image/webp",
        }
    }
}

impl Document {
    /// A document of a kind with the usual attributes.
    #[must_use]
    pub fn of(kind: DocumentKind, id: i64) -> Document {
        Document {
            id,
            kind,
            mime: Arc::from(kind.mime()),
            file_name: None,
            size: 1_000 + id.rem_euclid(100_000),
            duration_secs: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unremarkable_message_is_small() {
        assert!(size_of::<Message>() < 150, "{}", size_of::<Message>());
    }
}
