//! The outer shape of an export: one chat, or an account's list of chats. Walks it message by message.

use super::ExportedChat;
use super::convert::{self, Converter};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de::Error as _};
use serde_json::Value;
use std::fmt;

/// Why an export cannot be loaded, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the export cannot be read: {reason}")]
pub struct ExportError {
    /// What is wrong, with chat, message id, field, line and column as far as they are known.
    pub reason: String,
}

/// All chats of an export.
pub(super) fn chats(json: &[u8]) -> Result<Vec<ExportedChat>, ExportError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut chats = Vec::new();
    let walked = Top { chats: &mut chats }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|error| ExportError { reason: error.to_string() })?;
    if chats.is_empty() {
        let reason = "there is no chat in it: a result.json of Telegram Desktop has 'messages', or 'chats' with a 'list' \
                      (choose the machine-readable JSON format when exporting)";
        return Err(ExportError { reason: reason.to_owned() });
    }
    Ok(chats)
}

/// Either a chat, or an account with a list of chats.
struct Top<'a> {
    chats: &'a mut Vec<ExportedChat>,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export of Telegram Desktop")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut head = Head::default();
        let mut own = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "chats" | "left_chats" => map.next_value_seed(ChatList { chats: self.chats })?,
                "messages" => own = Some(map.next_value_seed(Messages { head: &head })?),
                _ => head.take(&key, &mut map)?,
            }
        }
        if let Some(converter) = own {
            self.chats.push(converter.finish());
        }
        Ok(())
    }
}

/// `{"about": ..., "list": [chat, ...]}`.
struct ChatList<'a> {
    chats: &'a mut Vec<ExportedChat>,
}

impl<'de> DeserializeSeed<'de> for ChatList<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ChatList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a 'list' of chats")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "list" {
                map.next_value_seed(List { chats: self.chats })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct List<'a> {
    chats: &'a mut Vec<ExportedChat>,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of chats")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Top { chats: self.chats })?.is_some() {}
        Ok(())
    }
}

/// What stands before the messages of a chat.
#[derive(Debug, Default, Clone)]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) id: Option<i64>,
}

impl Head {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "name" => self.name = map.next_value()?,
            "type" => self.kind = Some(map.next_value()?),
            "id" => self.id = Some(map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The messages of one chat, converted one by one.
struct Messages<'a> {
    head: &'a Head,
}

impl<'de> DeserializeSeed<'de> for Messages<'_> {
    type Value = Converter;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Converter, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_> {
    type Value = Converter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Converter, A::Error> {
        let mut converter = Converter::new(self.head).map_err(A::Error::custom)?;
        loop {
            match seq.next_element::<Value>() {
                Ok(Some(message)) => converter.add(&message).map_err(A::Error::custom)?,
                Ok(None) => return Ok(converter),
                Err(error) => return Err(A::Error::custom(convert::after(&converter, &error.to_string()))),
            }
        }
    }
}
