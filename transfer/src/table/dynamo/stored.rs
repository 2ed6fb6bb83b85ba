//! Items as they are stored, whoever wrote them: for backups, and for whoever must look at a table of another schema.
//!
//! As text, an item is one line of JSON in DynamoDB's own notation (`{"pk":{"S":"…"},"version":{"N":"3"},…}`), names in
//! order, so that equal items are equal lines.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::{CommitError, Item, Record, TableError};
use super::attributes::{AttributeMap, Attributes};

/// Nesting that no item of ours comes near; deeper text is not read.
const DEPTH_MAX: u32 = 32;

/// One item with all its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredItem(pub(super) AttributeMap);

/// Why a line is no item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no item in DynamoDB's notation: {0}")]
pub struct NoItem(String);

impl StoredItem {
    /// The item of a line.
    ///
    /// # Errors
    /// The line is something else.
    pub fn from_line(line: &str) -> Result<Self, NoItem> {
        let value: Value = serde_json::from_str(line).map_err(|error| NoItem(error.to_string()))?;
        let Value::Object(fields) = value else { return Err(NoItem("it is no object".to_owned())) };
        let attributes = attributes(fields, 0)?;
        let stored = Self(attributes);
        if stored.text("pk").is_empty() || stored.text("sk").is_empty() {
            return Err(NoItem("it has no key".to_owned()));
        }
        Ok(stored)
    }

    /// The item as a line, without its end.
    ///
    /// # Errors
    /// An attribute of a kind that this code does not know.
    pub fn to_line(&self) -> Result<String, NoItem> {
        Ok(Value::Object(object(&self.0)?).to_string())
    }

    /// The item as this code would store it, in the part of the table in which `beside` stands.
    ///
    /// # Errors
    /// A field that no attribute can hold.
    pub fn of(item: &Item, version: u64, beside: &Self) -> Result<Self, CommitError> {
        beside.part().item(item, version).map(Self)
    }

    /// The item of one bot's part of the table, as this code would store it.
    ///
    /// # Errors
    /// A field that no attribute can hold.
    pub fn of_bot(bot_id: i64, item: &Item, version: u64) -> Result<Self, CommitError> {
        Attributes::new(bot_id).item(item, version).map(Self)
    }

    /// The item of the part of the table whose partition keys begin so, see [`Self::bot`].
    ///
    /// # Errors
    /// A field that no attribute can hold.
    pub fn of_part(bot: &str, item: &Item, version: u64) -> Result<Self, CommitError> {
        Attributes::with_prefix(bot.to_owned()).item(item, version).map(Self)
    }

    /// What it is, in the present shape.
    ///
    /// # Errors
    /// This code cannot read it.
    pub fn record(&self) -> Result<Record, TableError> {
        self.part().record(self.0.clone())
    }

    /// One field of it, whatever the rest is like: of an item that newer code wrote, all that can be saved.
    pub fn field<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_dynamo::from_attribute_value(self.0.get(name)?.clone()).ok()
    }

    /// Partition and sort key as they are stored.
    pub fn key(&self) -> (&str, &str) {
        (self.text("pk"), self.text("sk"))
    }

    /// The partition key without the bot's prefix.
    pub fn partition(&self) -> &str {
        let pk = self.text("pk");
        pk.strip_prefix(self.prefix()).unwrap_or(pk)
    }

    /// What kind of item it is, in one word.
    pub fn kind(&self) -> &str {
        self.text("item")
    }

    /// The bot's part of the table that it stands in, as all its partition keys begin.
    pub fn bot(&self) -> &str {
        self.prefix()
    }

    /// The schema under which it was written; 0 where none is named.
    pub fn schema(&self) -> u64 {
        self.number("schema")
    }

    /// How often it was written.
    pub fn version(&self) -> u64 {
        self.number("version")
    }

    /// The same, written so often.
    #[must_use]
    pub fn with_version(mut self, version: u64) -> Self {
        self.0.insert("version".to_owned(), AttributeValue::N(version.to_string()));
        self
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or(0)
    }

    /// `BOT#<id>#`.
    fn prefix(&self) -> &str {
        let pk = self.text("pk");
        let end = pk.match_indices('#').nth(1).map_or(0, |(at, _)| at + 1);
        if pk.starts_with("BOT#") { &pk[..end] } else { "" }
    }

    fn part(&self) -> Attributes {
        Attributes::with_prefix(self.prefix().to_owned())
    }
}

fn object(attributes: &AttributeMap) -> Result<Map<String, Value>, NoItem> {
    attributes.iter().map(|(name, value)| Ok((name.clone(), value_of(value)?))).collect()
}

fn value_of(value: &AttributeValue) -> Result<Value, NoItem> {
    Ok(match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::Null(is) => json!({ "NULL": is }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(value_of).collect::<Result<Vec<_>, _>>()? }),
        AttributeValue::M(map) => json!({ "M": object(map)? }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        other => return Err(NoItem(format!("{other:?} is of an unknown kind"))),
    })
}

fn attributes(fields: Map<String, Value>, depth: u32) -> Result<AttributeMap, NoItem> {
    fields.into_iter().map(|(name, value)| Ok((name, attribute(value, depth)?))).collect()
}

fn attribute(value: Value, depth: u32) -> Result<AttributeValue, NoItem> {
    let wrong = |what: &str| NoItem(format!("{what} is expected to be another kind of value"));
    if depth > DEPTH_MAX {
        return Err(NoItem("it is nested deeper than any item".to_owned()));
    }
    let Value::Object(fields) = value else { return Err(wrong("an attribute")) };
    let mut fields = fields.into_iter();
    let (Some((kind, value)), None) = (fields.next(), fields.next()) else { return Err(wrong("an attribute")) };
    let texts = |value: Value| serde_json::from_value::<Vec<String>>(value).map_err(|_unfit| wrong("a set"));
    Ok(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text),
        ("N", Value::String(number)) => AttributeValue::N(number),
        ("BOOL", Value::Bool(is)) => AttributeValue::Bool(is),
        ("NULL", Value::Bool(is)) => AttributeValue::Null(is),
        ("B", Value::String(text)) => AttributeValue::B(Blob::new(STANDARD.decode(text).map_err(|_unfit| wrong("B"))?)),
        ("L", Value::Array(list)) => {
            AttributeValue::L(list.into_iter().map(|value| attribute(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        ("M", Value::Object(fields)) => AttributeValue::M(attributes(fields, depth + 1)?),
        ("SS", value) => AttributeValue::Ss(texts(value)?),
        ("NS", value) => AttributeValue::Ns(texts(value)?),
        (kind, _) => return Err(wrong(kind)),
    })
}
