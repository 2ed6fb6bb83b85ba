//! Items as DynamoDB's attributes, and guards as its condition expressions.
//!
//! The item's own fields are top-level attributes beside ours ([`OURS`]), with full names and ISO-8601 times, so that a
//! person can read the table in the console. Index attributes exist only where the item is due or listed: both indexes
//! are sparse.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::super::item::SCHEMA;
use super::super::{CommitError, Guard, Item, Key, List, Record, TableError};
use super::migration;

/// The attributes that are not the item's own. (`lease_epoch`, which guards look at, is a field of the items that have
/// a lease.)
pub(super) const OURS: [&str; 10] =
    ["pk", "sk", "schema", "version", "intent_id", "due_list", "due_at", "list", "list_key", EXPIRES];
/// Seconds since 1970: the attribute by which DynamoDB removes what expired.
pub const EXPIRES: &str = "expires_at_epoch_secs";

pub(super) type AttributeMap = HashMap<String, AttributeValue>;

/// Translates for one bot.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    prefix: String,
}

impl Attributes {
    pub(super) fn new(bot_id: i64) -> Self {
        Self::with_prefix(format!("BOT#{bot_id}#"))
    }

    /// For the bot with this prefix.
    pub(super) fn with_prefix(prefix: String) -> Self {
        Self { prefix }
    }

    pub(super) fn pk(&self, pk: &str) -> AttributeValue {
        AttributeValue::S(format!("{}{pk}", self.prefix))
    }

    pub(super) fn due_list(&self) -> AttributeValue {
        self.pk("DUE")
    }

    pub(super) fn list(&self, list: List) -> AttributeValue {
        self.pk(list.name())
    }

    pub(super) fn key(&self, key: &Key) -> AttributeMap {
        HashMap::from([("pk".to_owned(), self.pk(&key.pk)), ("sk".to_owned(), AttributeValue::S(key.sk.clone()))])
    }

    /// The key that a table key means; `None` if it is none of this bot's.
    pub(super) fn key_of(&self, table_key: &AttributeMap) -> Option<Key> {
        let text = |name: &str| table_key.get(name)?.as_s().ok();
        Some(Key { pk: text("pk")?.strip_prefix(&self.prefix)?.to_owned(), sk: text("sk")?.clone() })
    }

    /// The item as it is stored with this version.
    pub(super) fn item(&self, item: &Item, version: u64) -> Result<AttributeMap, CommitError> {
        let key = item.key();
        let mut attributes: AttributeMap = serde_dynamo::to_item(item)
            .map_err(|error| CommitError::Refused(format!("{key} cannot be written as attributes: {error}")))?;
        attributes.extend(self.key(&key));
        let mut set = |name: &str, value: AttributeValue| attributes.insert(name.to_owned(), value);
        set("schema", AttributeValue::N(SCHEMA.to_string()));
        set("version", AttributeValue::N(version.to_string()));
        if let Some(intent) = item.intent_id() {
            set("intent_id", AttributeValue::N(intent.to_string()));
        }
        if let Some(due_at) = item.due_at() {
            set("due_list", self.due_list());
            set("due_at", AttributeValue::S(fixed_width(due_at)));
        }
        if let Some(expires_at) = item.expires_at() {
            set(EXPIRES, AttributeValue::N(expires_at.as_second().to_string()));
        }
        if let Some((list, list_key)) = item.listed() {
            set("list", self.list(list));
            set("list_key", AttributeValue::S(list_key));
        }
        Ok(attributes)
    }

    /// What was stored.
    pub(super) fn record(&self, mut attributes: AttributeMap) -> Result<Record, TableError> {
        let mut ours: AttributeMap = HashMap::with_capacity(OURS.len());
        for name in OURS {
            ours.extend(attributes.remove_entry(name));
        }
        let text = |name: &str| ours.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        let number = |name: &str| ours.get(name).and_then(|value| value.as_n().ok()?.parse::<u64>().ok());
        let pk = text("pk");
        let key = Key { pk: pk.strip_prefix(&self.prefix).unwrap_or(pk).to_owned(), sk: text("sk").to_owned() };
        let unreadable = |why: String| TableError::Unreadable { key: key.clone(), why };
        let schema = match number("schema").map(|schema| (schema, u32::try_from(schema))) {
            Some((_, Ok(schema))) if schema <= SCHEMA => schema,
            Some((schema, _)) => {
                let release = attributes.get("release").and_then(|value| value.as_s().ok()).cloned();
                return Err(TableError::Newer { key: key.clone(), schema, release: release.unwrap_or_default() });
            }
            None => return Err(unreadable("it has no schema".to_owned())),
        };
        let version = number("version").ok_or_else(|| unreadable("it has no version".to_owned()))?;
        let attributes = migration::upgraded(attributes, schema);
        let item: Item = serde_dynamo::from_item(attributes).map_err(|error| unreadable(error.to_string()))?;
        if item.key() != key {
            return Err(unreadable(format!("its fields belong to {}", item.key())));
        }
        Ok(Record { item, version })
    }
}

/// The table's key in what an index gives.
pub(super) fn table_key(mut named: AttributeMap) -> Option<AttributeMap> {
    Some(HashMap::from([named.remove_entry("pk")?, named.remove_entry("sk")?]))
}

/// Text order is time order: always nine decimals.
pub(super) fn fixed_width(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// A condition expression with what it refers to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Condition {
    pub(super) expression: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<AttributeMap>,
}

impl Condition {
    pub(super) fn of(guard: &Guard) -> Self {
        match guard {
            Guard::None => Self::default(),
            Guard::Absent => Self { expression: Some("attribute_not_exists(pk)".to_owned()), ..Self::default() },
            Guard::Version(version) => Self::equal(&[("version", *version)]),
            Guard::Held { epoch, intent: None, version } => {
                Self::equal(&[("version", *version), ("lease_epoch", *epoch)])
            }
            Guard::Held { epoch, intent: Some(intent), version } => {
                Self::equal(&[("version", *version), ("lease_epoch", *epoch), ("intent_id", *intent)])
            }
        }
    }

    /// Every attribute has its number. An attribute that is missing equals nothing.
    fn equal(numbers: &[(&str, u64)]) -> Self {
        let terms: Vec<String> = numbers.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let names = numbers.iter().map(|(name, _)| (format!("#{name}"), (*name).to_owned())).collect();
        let values =
            numbers.iter().map(|(name, number)| (format!(":{name}"), AttributeValue::N(number.to_string()))).collect();
        Self { expression: Some(terms.join(" AND ")), names: Some(names), values: Some(values) }
    }
}
