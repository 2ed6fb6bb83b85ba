//! What callers ask for. Each request names every parameter that is supported; any other is refused, so that nothing is
//! silently left undone. Values are checked here, as SQS checks them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::attributes::{Texts, VISIBILITY_SECS_MAX, WAIT_SECS_MAX};
use super::store::NewMessage;
use super::wire::{Fault, hex};

/// A body may have 1 MiB; so may a batch.
const BODY_LEN_MAX: usize = 1024 * 1024;
const BATCH_ENTRIES_MAX: usize = 10;
const NAME_LEN_MAX: usize = 80;
const ID_LEN_MAX: usize = 128;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateQueue {
    pub(super) queue_name: String,
    #[serde(default)]
    pub(super) attributes: Texts,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetQueueUrl {
    pub(super) queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListQueues {
    #[serde(default)]
    pub(super) queue_name_prefix: String,
}

/// DeleteQueue and PurgeQueue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OfQueue {
    pub(super) queue_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetQueueAttributes {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetQueueAttributes {
    pub(super) queue_url: String,
    pub(super) attributes: Texts,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SendMessage {
    pub(super) queue_url: String,
    message_body: String,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ReceiveMessage {
    pub(super) queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The name that this parameter had before.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteMessage {
    pub(super) queue_url: String,
    pub(super) receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeMessageVisibility {
    pub(super) queue_url: String,
    pub(super) receipt_handle: String,
    visibility_timeout: i64,
}

/// The batches of the three calls before, by their entries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Batch<E> {
    pub(super) queue_url: String,
    entries: Vec<E>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SendEntry {
    id: String,
    message_body: String,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteEntry {
    id: String,
    pub(super) receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeEntry {
    id: String,
    pub(super) receipt_handle: String,
    visibility_timeout: i64,
}

/// What the entries of all batches have.
pub(super) trait Entry {
    /// Unique in its batch.
    fn id(&self) -> &str;
    /// What counts against the limit of the whole batch.
    fn body_len(&self) -> usize {
        0
    }
}

impl Entry for SendEntry {
    fn id(&self) -> &str {
        &self.id
    }
    fn body_len(&self) -> usize {
        self.message_body.len()
    }
}

impl Entry for DeleteEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Entry for ChangeEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl<E: Entry> Batch<E> {
    /// Does each entry by itself; some may fail.
    pub(super) fn each(&self, mut act: impl FnMut(&E) -> Result<Value, Fault>) -> Result<Value, Fault> {
        let ids: BTreeSet<&str> = self.entries.iter().map(Entry::id).collect();
        let is_id = |id: &&str| {
            (1..=NAME_LEN_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if self.entries.is_empty() {
            let code = "AWS.SimpleQueueService.EmptyBatchRequest";
            return Err(Fault::new("EmptyBatchRequest", code, "There should be at least one entry in the request."));
        }
        if self.entries.len() > BATCH_ENTRIES_MAX {
            let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
            return Err(Fault::new("TooManyEntriesInBatchRequest", code, "A request holds at most 10 entries."));
        }
        if ids.len() < self.entries.len() {
            let code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
            return Err(Fault::new("BatchEntryIdsNotDistinct", code, "Two or more entries have the same Id."));
        }
        if !ids.iter().all(is_id) {
            let code = "AWS.SimpleQueueService.InvalidBatchEntryId";
            return Err(Fault::new("InvalidBatchEntryId", code, "An Id has 1 to 80 letters, digits, - and _."));
        }
        if self.entries.iter().map(Entry::body_len).sum::<usize>() > BODY_LEN_MAX {
            let code = "AWS.SimpleQueueService.BatchRequestTooLong";
            return Err(Fault::new("BatchRequestTooLong", code, "A batch holds at most 1048576 bytes."));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            match act(entry) {
                Ok(mut done) => {
                    done["Id"] = entry.id().into();
                    successful.push(done);
                }
                Err(fault) => failed.push(fault.entry(entry.id())),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }
}

impl CreateQueue {
    /// FIFO queues alone, with names as SQS wants them.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let Some(stem) = self.queue_name.strip_suffix(".fifo") else {
            return Err(Fault::unsupported("Only FIFO queues are supported here; their names end in .fifo."));
        };
        if self.attributes.get("FifoQueue").map(String::as_str) != Some("true") {
            return Err(Fault::invalid("QueueName", "A name ending in .fifo needs the attribute FifoQueue."));
        }
        let plain = stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if stem.is_empty() || !plain || self.queue_name.len() > NAME_LEN_MAX {
            return Err(Fault::invalid("QueueName", "Can only include 1 to 80 alphanumeric characters, - and _."));
        }
        Ok(())
    }
}

impl SendMessage {
    pub(super) fn message(&self, content_based: bool) -> Result<NewMessage, Fault> {
        let deduplication_id = self.message_deduplication_id.as_deref();
        message(&self.message_body, self.message_group_id.as_deref(), deduplication_id, content_based)
    }
}

impl SendEntry {
    pub(super) fn message(&self, content_based: bool) -> Result<NewMessage, Fault> {
        let deduplication_id = self.message_deduplication_id.as_deref();
        message(&self.message_body, self.message_group_id.as_deref(), deduplication_id, content_based)
    }
}

fn message(
    body: &str,
    group_id: Option<&str>,
    deduplication_id: Option<&str>,
    content_based: bool,
) -> Result<NewMessage, Fault> {
    if body.is_empty() || body.len() > BODY_LEN_MAX {
        return Err(Fault::invalid("MessageBody", "Message must have 1 to 1048576 bytes."));
    }
    // What XML 1.0 allows.
    let is_valid = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    if !body.chars().all(is_valid) {
        return Err(Fault::plain("InvalidMessageContents", "Invalid characters found."));
    }
    let group_id = checked_id("MessageGroupId", group_id.ok_or_else(|| Fault::missing("MessageGroupId"))?)?;
    let deduplication_id = match deduplication_id {
        Some(given) => checked_id("MessageDeduplicationId", given)?,
        None if content_based => hex(&Sha256::digest(body.as_bytes())),
        None => {
            let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                       provided explicitly";
            return Err(Fault::plain("InvalidParameterValue", why));
        }
    };
    Ok(NewMessage { body: body.to_owned(), group_id, deduplication_id })
}

fn checked_id(parameter: &str, id: &str) -> Result<String, Fault> {
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && (1..=ID_LEN_MAX).contains(&id.len()) {
        Ok(id.to_owned())
    } else {
        Err(Fault::invalid(parameter, "Can only include 1 to 128 alphanumeric and punctuation characters."))
    }
}

/// What a receive asks for, within SQS's bounds.
pub(super) struct Asked {
    pub(super) max: u32,
    pub(super) visibility_secs: Option<u32>,
    pub(super) wait_secs: Option<u32>,
}

impl ReceiveMessage {
    pub(super) fn asked(&self) -> Result<Asked, Fault> {
        let given = |parameter, value: Option<i64>, min, max| {
            value.map(|value| bounded(parameter, value, min, max)).transpose()
        };
        Ok(Asked {
            max: given("MaxNumberOfMessages", self.max_number_of_messages, 1, 10)?.unwrap_or(1),
            visibility_secs: given("VisibilityTimeout", self.visibility_timeout, 0, VISIBILITY_SECS_MAX)?,
            wait_secs: given("WaitTimeSeconds", self.wait_time_seconds, 0, WAIT_SECS_MAX)?,
        })
    }

    /// Whether the answer should tell this attribute of messages.
    pub(super) fn wants(&self, attribute: &str) -> bool {
        let mut names = self.attribute_names.iter().chain(&self.message_system_attribute_names);
        names.any(|asked| asked == "All" || asked == attribute)
    }
}

impl ChangeMessageVisibility {
    pub(super) fn secs(&self) -> Result<u32, Fault> {
        bounded("VisibilityTimeout", self.visibility_timeout, 0, VISIBILITY_SECS_MAX)
    }
}

impl ChangeEntry {
    pub(super) fn secs(&self) -> Result<u32, Fault> {
        bounded("VisibilityTimeout", self.visibility_timeout, 0, VISIBILITY_SECS_MAX)
    }
}

fn bounded(parameter: &str, value: i64, min: u32, max: u32) -> Result<u32, Fault> {
    let within = u32::try_from(value).ok().filter(|value| (min..=max).contains(value));
    within.ok_or_else(|| Fault::invalid(parameter, &format!("Must be between {min} and {max}, if provided.")))
}
