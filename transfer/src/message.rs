//! A message as Ferry sees it: what selection, cutting and settling need, and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{GroupedId, MessageId, PeerId};

/// One message of a chat, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id in the chat.
    pub id: MessageId,
    /// When it was posted.
    pub date: Timestamp,
    /// What it carries.
    pub body: Body,
    /// The album it belongs to.
    pub album: Option<GroupedId>,
    /// Text or caption.
    pub text: String,
    /// The id of its photo or document, which a forward keeps.
    pub media: Option<i64>,
    /// Where it was first posted, when it is a forward.
    pub origin: Option<Origin>,
    /// Who posted it, where the chat shows that.
    pub sender: Option<PeerId>,
}

/// What stands at a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Something that can be forwarded.
    Content(Kind),
    /// "X joined", "pinned a message": cannot be forwarded.
    Service,
    /// Nothing any more (`messageEmpty`).
    Empty,
}

/// Kinds of content a selection can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A photo.
    Photo,
    /// A video, a round video or an animation.
    Video,
    /// A file of any other type.
    Document,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A sticker.
    Sticker,
    /// A poll or quiz.
    Poll,
    /// Text alone, with or without a link preview.
    Text,
    /// A place, a contact, a game, dice …: carried when everything is selected.
    Other,
}

/// `fwd_from`: where a forwarded message was first posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The channel or user, unless hidden.
    pub peer: Option<PeerId>,
    /// The name shown when the user hides the account.
    pub name: Option<String>,
    /// The post's id in its channel.
    pub post: Option<MessageId>,
    /// When the original was posted.
    pub date: Timestamp,
}
