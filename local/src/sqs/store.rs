//! Queues and messages in one SQLite file; knows nothing of HTTP, and is told what time it is.
//!
//! Every method is one transaction, on disk when it returns (WAL, synchronous=FULL). What must stay true: a group with
//! an invisible message gives out nothing; a receipt is good for one delivery, while its visibility lasts; a
//! deduplication id is remembered for five minutes, whatever became of its message.
//!
//! Times are milliseconds since 1970: SQLite counts in 64-bit integers.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::attributes::{Attributes, BadAttribute, Redrive, Texts};
use super::doubling::Doubling;

/// For how long a second message with the same deduplication id is taken for the first.
const DEDUPLICATION_MILLIS: i64 = 300_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queue (
        name TEXT PRIMARY KEY, attributes TEXT NOT NULL, created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
        group_id TEXT NOT NULL, deduplication_id TEXT NOT NULL, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
        receives INTEGER NOT NULL, first_received_at INTEGER, receipt TEXT
    );
    CREATE INDEX IF NOT EXISTS message_in_group ON message (queue, group_id, visible_at);
    CREATE INDEX IF NOT EXISTS message_visible ON message (queue, visible_at);
    CREATE INDEX IF NOT EXISTS message_sent ON message (queue, sent_at);
    CREATE TABLE IF NOT EXISTS deduplication (
        queue TEXT NOT NULL, id TEXT NOT NULL, message_id TEXT NOT NULL, sequence INTEGER NOT NULL,
        until INTEGER NOT NULL, PRIMARY KEY (queue, id)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS deduplication_until ON deduplication (until);
";

/// Visible messages, in order, of groups of which nothing is in flight.
const RECEIVABLE: &str = "
    SELECT id, message_id, body, group_id, deduplication_id, sent_at, receives, first_received_at FROM message AS m
    WHERE queue = ?1 AND visible_at <= ?2 AND NOT EXISTS (
        SELECT 1 FROM message AS other
        WHERE other.queue = ?1 AND other.group_id = m.group_id AND other.visible_at > ?2
    ) ORDER BY id LIMIT ?3";

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No queue of that name.
    #[error("The specified queue does not exist.")]
    NoQueue,
    /// There is one with other attributes.
    #[error("A queue already exists with the same name and a different value for attribute {0}.")]
    NameTaken(String),
    /// The attributes make no sense.
    #[error(transparent)]
    Attribute(#[from] BadAttribute),
    /// Not a receipt that this store wrote.
    #[error("The input receipt handle is invalid.")]
    NoReceipt,
    /// Its delivery is over.
    #[error("Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")]
    ReceiptExpired,
    /// The disk is full, the file broken, or worse.
    #[error("the queue's file failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file holds what this code cannot read.
    #[error("the queue's file holds attributes that are no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A message to send.
#[derive(Debug, Clone)]
pub(super) struct NewMessage {
    pub(super) body: String,
    pub(super) group_id: String,
    pub(super) deduplication_id: String,
}

/// What became of it: its id and place, or those of the message that it repeats.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) message_id: String,
    pub(super) sequence: i64,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Received {
    pub(super) message_id: String,
    pub(super) body: String,
    pub(super) group_id: String,
    pub(super) deduplication_id: String,
    pub(super) sequence: i64,
    pub(super) sent_at: i64,
    pub(super) first_received_at: i64,
    pub(super) receives: u32,
    pub(super) receipt: String,
}

/// What a receive brought.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reception {
    pub(super) received: Vec<Received>,
    /// How many messages went to the dead letters instead.
    pub(super) buried: usize,
}

/// A queue as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Queue {
    pub(super) attributes: Attributes,
    pub(super) created_at: i64,
    pub(super) modified_at: i64,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: u64,
    pub(super) in_flight: u64,
}

/// The file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    doubling: Option<Doubling>,
}

impl Store {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// It cannot be written, or is no SQLite file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, doubling: None })
    }

    /// Whether messages are delivered more than once; they are not at first.
    pub fn set_doubling(&mut self, doubling: Option<Doubling>) {
        self.doubling = doubling;
    }

    /// Makes a queue; making it again with attributes that it has is no error.
    pub(super) fn create_queue(&mut self, name: &str, texts: Texts, now: i64) -> Result<(), StoreError> {
        let attributes = Attributes::parse(texts)?;
        let transaction = self.begin()?;
        match queue(&transaction, name) {
            Ok(existing) => {
                let shown = existing.attributes.shown(name);
                match attributes.texts.iter().find(|(attribute, value)| shown.get(*attribute) != Some(*value)) {
                    Some((attribute, _)) => return Err(StoreError::NameTaken(attribute.clone())),
                    None => return Ok(()),
                }
            }
            Err(StoreError::NoQueue) => {}
            Err(other) => return Err(other),
        }
        transaction.execute(
            "INSERT INTO queue (name, attributes, created_at, modified_at) VALUES (?1, ?2, ?3, ?3)",
            params![name, serde_json::to_string(&attributes.texts)?, now],
        )?;
        Ok(transaction.commit()?)
    }

    pub(super) fn set_attributes(&mut self, name: &str, texts: Texts, now: i64) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        let mut merged = queue(&transaction, name)?.attributes.texts;
        merged.extend(texts);
        let attributes = Attributes::parse(merged)?;
        transaction.execute(
            "UPDATE queue SET attributes = ?2, modified_at = ?3 WHERE name = ?1",
            params![name, serde_json::to_string(&attributes.texts)?, now],
        )?;
        Ok(transaction.commit()?)
    }

    pub(super) fn queue(&self, name: &str) -> Result<Queue, StoreError> {
        queue(&self.connection, name)
    }

    pub(super) fn queue_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT name FROM queue ORDER BY name")?;
        let names: Result<Vec<String>, _> = select.query_map([], |row| row.get(0))?.collect();
        Ok(names?.into_iter().filter(|name| name.starts_with(prefix)).collect())
    }

    pub(super) fn delete_queue(&mut self, name: &str) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        queue(&transaction, name)?;
        transaction.execute("DELETE FROM message WHERE queue = ?1", [name])?;
        transaction.execute("DELETE FROM deduplication WHERE queue = ?1", [name])?;
        transaction.execute("DELETE FROM queue WHERE name = ?1", [name])?;
        Ok(transaction.commit()?)
    }

    /// Throws away all messages. Deduplication ids stay.
    pub(super) fn purge(&mut self, name: &str) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        queue(&transaction, name)?;
        transaction.execute("DELETE FROM message WHERE queue = ?1", [name])?;
        Ok(transaction.commit()?)
    }

    pub(super) fn counts(&self, name: &str, now: i64) -> Result<Counts, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT count(*) FILTER (WHERE visible_at <= ?2), count(*) FILTER (WHERE visible_at > ?2)
             FROM message WHERE queue = ?1",
        )?;
        Ok(select.query_row(params![name, now], |row| Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)? }))?)
    }

    /// Sends a message. Also throws away what the queue has kept for longer than it should.
    pub(super) fn send(&mut self, name: &str, message: &NewMessage, now: i64) -> Result<Sent, StoreError> {
        let transaction = self.begin()?;
        let kept_since = now - i64::from(queue(&transaction, name)?.attributes.retention_secs) * 1000;
        transaction
            .prepare_cached("DELETE FROM message WHERE queue = ?1 AND sent_at < ?2")?
            .execute(params![name, kept_since])?;
        transaction.prepare_cached("DELETE FROM deduplication WHERE until <= ?1")?.execute([now])?;
        let sent = insert(&transaction, name, message, now)?;
        transaction.commit()?;
        Ok(sent)
    }

    /// Receives up to `max` messages and moves those that failed too often to the dead letters.
    pub(super) fn receive(
        &mut self,
        name: &str,
        max: u32,
        visibility_secs: Option<u32>,
        now: i64,
    ) -> Result<Reception, StoreError> {
        // Waiting receivers look often: a look that finds nothing must not write.
        let any = "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND visible_at <= ?2)";
        let queue = self.queue(name)?;
        if !self.connection.prepare_cached(any)?.query_row(params![name, now], |row| row.get::<_, bool>(0))? {
            return Ok(Reception::default());
        }
        let visible_at = now + i64::from(visibility_secs.unwrap_or(queue.attributes.visibility_secs)) * 1000;
        let doubling = self.doubling.clone();
        let transaction = self.begin()?;
        let buried = match &queue.attributes.redrive {
            Some(redrive) => bury(&transaction, name, redrive, now)?,
            None => 0,
        };
        let mut received: Vec<Received> = transaction
            .prepare_cached(RECEIVABLE)?
            .query_map(params![name, now, max], |row| received_from(row, now))?
            .collect::<Result<_, _>>()?;
        for message in &mut received {
            message.receipt = format!("{}.{}", message.sequence, Uuid::new_v4().simple());
            let moment = doubling.as_ref().map(|doubling| doubling.moment(message.sequence, message.receives));
            let visible_at = moment.map_or(visible_at, |moment| visible_at.min(now + moment));
            transaction
                .prepare_cached(
                    "UPDATE message SET visible_at = ?2, receives = ?3, first_received_at = ?4, receipt = ?5
                     WHERE id = ?1",
                )?
                .execute(params![
                    message.sequence,
                    visible_at,
                    message.receives,
                    message.first_received_at,
                    message.receipt
                ])?;
        }
        transaction.commit()?;
        if let Some(doubling) = &doubling {
            doubling.note(received.iter().filter(|message| message.receives > 1).count());
        }
        Ok(Reception { received, buried })
    }

    /// When the next message in flight becomes visible by itself.
    pub(super) fn next_visible_at(&self, name: &str, now: i64) -> Result<Option<i64>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT min(visible_at) FROM message WHERE queue = ?1 AND visible_at > ?2")?;
        Ok(select.query_row(params![name, now], |row| row.get(0))?)
    }

    /// Deletes what was received; a message that is gone already is no error.
    pub(super) fn delete(&mut self, name: &str, receipt: &str, now: i64) -> Result<(), StoreError> {
        // Of a message that is delivered twice the second delivery is still to come.
        let receives_min = if self.doubling.is_some() { 2 } else { 0 };
        let transaction = self.begin()?;
        queue(&transaction, name)?;
        if let Some(id) = delivered(&transaction, name, receipt, now)? {
            transaction
                .prepare_cached("DELETE FROM message WHERE id = ?1 AND receives >= ?2")?
                .execute(params![id, receives_min])?;
        }
        Ok(transaction.commit()?)
    }

    /// Keeps a received message invisible for that long from now.
    pub(super) fn change_visibility(
        &mut self,
        name: &str,
        receipt: &str,
        secs: u32,
        now: i64,
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        queue(&transaction, name)?;
        let id = delivered(&transaction, name, receipt, now)?.ok_or(StoreError::ReceiptExpired)?;
        transaction
            .prepare_cached("UPDATE message SET visible_at = ?2 WHERE id = ?1")?
            .execute(params![id, now + i64::from(secs) * 1000])?;
        Ok(transaction.commit()?)
    }

    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

fn queue(connection: &Connection, name: &str) -> Result<Queue, StoreError> {
    let mut select =
        connection.prepare_cached("SELECT attributes, created_at, modified_at FROM queue WHERE name = ?1")?;
    let found = select.query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let (texts, created_at, modified_at) = found.ok_or(StoreError::NoQueue)?;
    Ok(Queue { attributes: Attributes::parse(serde_json::from_str(&texts)?)?, created_at, modified_at })
}

/// Unless it was sent in the last minutes.
fn insert(transaction: &Transaction<'_>, name: &str, message: &NewMessage, now: i64) -> Result<Sent, StoreError> {
    let earlier = transaction
        .prepare_cached("SELECT message_id, sequence FROM deduplication WHERE queue = ?1 AND id = ?2 AND until > ?3")?
        .query_row(params![name, message.deduplication_id, now], |row| {
            Ok(Sent { message_id: row.get(0)?, sequence: row.get(1)? })
        })
        .optional()?;
    if let Some(earlier) = earlier {
        return Ok(earlier);
    }
    let message_id = Uuid::new_v4().to_string();
    transaction
        .prepare_cached(
            "INSERT INTO message (queue, message_id, body, group_id, deduplication_id, sent_at, visible_at, receives)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0)",
        )?
        .execute(params![name, message_id, message.body, message.group_id, message.deduplication_id, now])?;
    let sequence = transaction.last_insert_rowid();
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO deduplication (queue, id, message_id, sequence, until) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![name, message.deduplication_id, message_id, sequence, now + DEDUPLICATION_MILLIS])?;
    Ok(Sent { message_id, sequence })
}

/// Moves to the dead letters what was received as often as it may be and is visible again. If their queue is gone, the
/// messages stay: SQS too goes on delivering them.
fn bury(transaction: &Transaction<'_>, name: &str, redrive: &Redrive, now: i64) -> Result<usize, StoreError> {
    let buried = transaction
        .prepare_cached(
            "UPDATE message SET queue = ?3, visible_at = ?2, receives = 0, receipt = NULL, first_received_at = NULL
             WHERE queue = ?1 AND visible_at <= ?2 AND receives >= ?4 AND EXISTS (SELECT 1 FROM queue WHERE name = ?3)",
        )?
        .execute(params![name, now, redrive.queue, redrive.receives_max])?;
    Ok(buried)
}

fn received_from(row: &Row<'_>, now: i64) -> rusqlite::Result<Received> {
    Ok(Received {
        sequence: row.get(0)?,
        message_id: row.get(1)?,
        body: row.get(2)?,
        group_id: row.get(3)?,
        deduplication_id: row.get(4)?,
        sent_at: row.get(5)?,
        receives: row.get::<_, u32>(6)? + 1,
        first_received_at: row.get::<_, Option<i64>>(7)?.unwrap_or(now),
        receipt: String::new(),
    })
}

/// The message that this receipt was given for, while it is good; `None` if the message is deleted.
fn delivered(transaction: &Transaction<'_>, name: &str, receipt: &str, now: i64) -> Result<Option<i64>, StoreError> {
    let id: i64 = receipt.split_once('.').and_then(|(id, _)| id.parse().ok()).ok_or(StoreError::NoReceipt)?;
    let found = transaction
        .prepare_cached("SELECT receipt, visible_at FROM message WHERE id = ?1 AND queue = ?2")?
        .query_row(params![id, name], |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    match found {
        None => Ok(None),
        Some((stored, visible_at)) if stored.as_deref() == Some(receipt) && visible_at > now => Ok(Some(id)),
        Some(_) => Err(StoreError::ReceiptExpired),
    }
}

#[cfg(test)]
mod tests;
