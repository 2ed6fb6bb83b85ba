//! The bot port: what Ferry says in a chat, and what comes from there.
//!
//! Whoever talks to admins - the webhook, and the host that edits what the webhook sent - does it through [`Bot`], and
//! nobody learns which library carries it. What must stay true: a screen fits Telegram's limits before it is sent
//! ([`TEXT_LEN_MAX`], [`BUTTON_DATA_LEN_MAX`]); an edit that changes nothing is no error; a wait that Telegram asks for is
//! told, never slept through here.

pub mod memory;
#[cfg(feature = "telegram")]
pub mod telegram;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{BotMessageId, ChatId, MessageId, PeerId, UpdateId};

/// Characters of a message after its markup is taken out (source: <https://core.telegram.org/bots/api#sendmessage>).
pub const TEXT_LEN_MAX: usize = 4_096;
/// Characters under a picture after the markup is taken out (source: <https://core.telegram.org/bots/api#sendphoto>).
pub const CAPTION_LEN_MAX: usize = 1_024;
/// Bytes of a button's data (source: <https://core.telegram.org/bots/api#inlinekeyboardbutton>).
pub const BUTTON_DATA_LEN_MAX: usize = 64;

/// The bot's own voice.
#[async_trait]
pub trait Bot: Send + Sync {
    /// Sends a message.
    async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, BotError>;
    /// Puts a screen in place of what a message shows. That it shows it already is no error.
    ///
    /// Only a text can take a text's place: Telegram refuses it for a message that is a picture.
    async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), BotError>;
    /// Sends a picture with a screen under it, whose text has at most [`CAPTION_LEN_MAX`] characters.
    async fn send_photo(&self, chat: ChatId, picture: &Picture, screen: &Screen) -> Result<BotMessageId, BotError>;
    /// Puts another picture and screen in place of what a picture message shows. That it shows them already is no error.
    async fn edit_photo(
        &self,
        chat: ChatId,
        message: BotMessageId,
        picture: &Picture,
        screen: &Screen,
    ) -> Result<(), BotError>;
    /// Removes a message. That it is gone already is no error.
    async fn delete(&self, chat: ChatId, message: BotMessageId) -> Result<(), BotError>;
    /// Ends the little clock on a pressed button, with a word or without. A press too old to be answered is no error.
    async fn answer(&self, press: &PressId, word: Option<&str>) -> Result<(), BotError>;
    /// Sets the menu of commands for people of this language (`None`: for everybody else).
    async fn set_commands(&self, commands: &[CommandHint], language_code: Option<&str>) -> Result<(), BotError>;
}

/// What one message shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Screen {
    /// Telegram's HTML; whatever people wrote is escaped in it.
    pub html: String,
    /// Rows of buttons under it.
    pub buttons: Vec<Vec<Button>>,
}

/// A PNG. It may show a way into an account, so its `Debug` tells its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(pub Vec<u8>);

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} bytes)", self.0.len())
    }
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub text: String,
    /// What comes back when it is pressed, at most [`BUTTON_DATA_LEN_MAX`] bytes.
    pub data: String,
}

/// One line of the menu of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandHint {
    /// Without the slash.
    pub command: String,
    /// What it does.
    pub description: String,
}

/// With which a press is answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PressId(pub String);

/// An update from an admin's private chat, as far as Ferry understands updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// The same in every delivery.
    pub id: UpdateId,
    /// The private chat, and so the person.
    pub chat: ChatId,
    /// The language of the person's Telegram, where it told (an IETF tag such as `zh-hans`).
    pub language_code: Option<String>,
    /// The message that the person sent, so that it can be removed; `None` for a press.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// What the person did.
    pub what: Said,
}

/// What a person did. Its `Debug` shows no words and no buttons: they may be a password, or the digits of a code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// Wrote something; a command begins with `/`.
    Text(String),
    /// Forwarded a message from a chat that tells its name.
    Forwarded(Origin),
    /// Sent something that is neither text nor forwarded from a chat: a picture, a contact, a message of a hidden sender.
    Other,
    /// Pressed a button.
    Pressed {
        /// With which the press is answered.
        press: PressId,
        /// The message that the button belongs to.
        message: BotMessageId,
        /// What the button carries. It comes from outside: it may be of an older version, or forged.
        data: String,
    },
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} characters)", text.chars().count()),
            Self::Forwarded(origin) => f.debug_tuple("Forwarded").field(origin).finish(),
            Self::Other => f.write_str("Other"),
            Self::Pressed { message, .. } => write!(f, "Pressed(on {message:?})"),
        }
    }
}

/// Where a forwarded message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The chat.
    pub peer: PeerId,
    /// Its public name, without `@`.
    pub username: Option<String>,
    /// Its title.
    pub title: String,
    /// The message's id there, where Telegram tells it (channels).
    pub message: Option<MessageId>,
    /// When it was posted there.
    pub date: Timestamp,
}

/// Why the bot could not say something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// `429`: nothing may be said to this chat before then.
    #[error("telegram wants a pause of {secs} s before the next message")]
    RetryAfter {
        /// How long.
        secs: u64,
    },
    /// Whoever should read it is not there: the chat or message is gone, or the person blocked the bot.
    #[error("there is nobody to tell: {0}")]
    Gone(String),
    /// Telegram does not take it; it will not the next time either.
    #[error("telegram refused what the bot said: {0}")]
    Refused(String),
    /// No answer, or a failure on the other side: it may have been said or not.
    #[error("the bot got no answer: {0}")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_did_stays_out_of_debug() {
        let (message, press) = (BotMessageId(7), PressId("1".to_owned()));
        for what in [Said::Text("planted".to_owned()), Said::Pressed { press, message, data: "planted".to_owned() }] {
            let said = Incoming { id: UpdateId(1), chat: ChatId(5), language_code: None, message: None, what };
            assert!(!format!("{said:?}").contains("planted"), "{said:?}");
        }
    }
}
