//! The table in DynamoDB, or behind any endpoint that speaks its protocol.
//!
//! Conditions carry every guard; nothing relies on ClientRequestToken (it lives ten minutes, and less in engines that
//! forget it when they die). **A commit is sent once**: a second sending by the SDK could meet the first one's own write
//! and call it a conflict. So a lost answer is [`CommitError::Unknown`], and the caller reads again. Reads are retried.

mod attributes;
mod failure;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem};
use jiff::Timestamp;

pub use self::attributes::EXPIRES;
use self::attributes::{AttributeMap, Attributes, Condition};
use super::{COMMIT_WRITES_MAX, CommitError, Guard, Key, List, Record, Table, TableError, Write};

/// How long one call may take. DynamoDB answers within tens of milliseconds; a host has 15 s from renewal to renewal.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a read is sent at most.
const READ_ATTEMPTS: u32 = 3;
/// Requests that one query may take: 1 MB each, far more than any partition holds.
const PAGES_MAX: usize = 10_000;
/// Items in one BatchGetItem (DynamoDB's limit).
const BATCH_GET_MAX: usize = 100;
/// How often what BatchGetItem left out is asked for again.
const BATCH_GET_ATTEMPTS: u32 = 10;

/// One bot's part of a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    reader: Client,
    writer: Client,
    table_name: String,
    attributes: Attributes,
}

impl DynamoTable {
    /// The part of `table_name` that belongs to `bot_id`. Retries and timeouts of `client` are replaced.
    pub fn new(client: &Client, table_name: impl Into<String>, bot_id: i64) -> Self {
        let timeout = TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build();
        let with_retries = |retries: RetryConfig| {
            let config = client.config().to_builder().retry_config(retries).timeout_config(timeout.clone());
            Client::from_conf(config.build())
        };
        Self {
            reader: with_retries(RetryConfig::standard().with_max_attempts(READ_ATTEMPTS)),
            writer: with_retries(RetryConfig::disabled()),
            table_name: table_name.into(),
            attributes: Attributes::new(bot_id),
        }
    }

    /// Creates the table with its indexes unless it exists, and waits until it can be used. For one machine and for
    /// tests; in AWS the template does it.
    ///
    /// # Errors
    /// The service refused, or the table did not become active within a minute.
    pub async fn create_table(&self) -> Result<(), TableError> {
        schema::create(&self.reader, &self.table_name).await
    }

    fn query(&self) -> QueryFluentBuilder {
        self.reader.query().table_name(&self.table_name)
    }

    /// All pages of a query, or as many as bring `limit` items.
    async fn read(&self, query: QueryFluentBuilder, limit: usize) -> Result<Vec<AttributeMap>, TableError> {
        let mut items = Vec::new();
        let mut start = None;
        for _page in 0..PAGES_MAX {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(failure::of_read)?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
        Err(TableError::Failed(format!("a query of {} did not end after {PAGES_MAX} pages", self.table_name)))
    }

    /// The items that an index names, in the index's order. What was deleted since is left out.
    async fn named(&self, names: Vec<AttributeMap>) -> Result<Vec<Record>, TableError> {
        let keys: Vec<AttributeMap> = names.into_iter().filter_map(attributes::table_key).collect();
        let mut found = HashMap::with_capacity(keys.len());
        for part in keys.chunks(BATCH_GET_MAX) {
            let mut left = part.to_vec();
            for _attempt in 0..BATCH_GET_ATTEMPTS {
                let request = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
                let request = request.map_err(|error| TableError::Failed(error.to_string()))?;
                let batch = self.reader.batch_get_item().request_items(&self.table_name, request);
                let mut answer = batch.send().await.map_err(failure::of_read)?;
                let items = answer.responses.as_mut().and_then(|tables| tables.remove(&self.table_name));
                for item in items.unwrap_or_default() {
                    let record = self.attributes.record(item)?;
                    found.insert(record.item.key(), record);
                }
                let unprocessed = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table_name));
                left = unprocessed.map(|table| table.keys).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(TableError::Failed(
                    "the table does not give all items at once: it is throttled".to_owned(),
                ));
            }
        }
        Ok(keys.iter().filter_map(|key| found.remove(&self.attributes.key_of(key)?)).collect())
    }

    async fn commit_one(&self, write: Write) -> Result<(), CommitError> {
        match write {
            Write::Put { item, guard } => {
                let condition = Condition::of(&guard);
                let put = self.writer.put_item().table_name(&self.table_name);
                put.set_item(Some(self.attributes.item(&item, guard.version_to_write())?))
                    .set_condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values)
                    .send()
                    .await
                    .map_err(failure::of_put)?;
            }
            Write::Delete { key, guard } => {
                let condition = Condition::of(&guard);
                let delete = self.writer.delete_item().table_name(&self.table_name);
                delete
                    .set_key(Some(self.attributes.key(&key)))
                    .set_condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values)
                    .send()
                    .await
                    .map_err(failure::of_delete)?;
            }
            check @ Write::Check { .. } => self.commit_several(vec![check]).await?,
        }
        Ok(())
    }

    async fn commit_several(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let keys: Vec<Key> = writes.iter().map(Write::key).collect();
        let items: Result<Vec<_>, _> = writes.into_iter().map(|write| self.transact_item(write)).collect();
        let commit = self.writer.transact_write_items().set_transact_items(Some(items?));
        commit.send().await.map_err(|error| failure::of_commit(error, &keys))?;
        Ok(())
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, CommitError> {
        let condition = Condition::of(write.guard());
        let built = match write {
            Write::Put { item, guard } => Put::builder()
                .table_name(&self.table_name)
                .set_item(Some(self.attributes.item(&item, guard.version_to_write())?))
                .set_condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .build()
                .map(|put| TransactWriteItem::builder().put(put)),
            Write::Delete { key, .. } => Delete::builder()
                .table_name(&self.table_name)
                .set_key(Some(self.attributes.key(&key)))
                .set_condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .build()
                .map(|delete| TransactWriteItem::builder().delete(delete)),
            Write::Check { key, .. } => ConditionCheck::builder()
                .table_name(&self.table_name)
                .set_key(Some(self.attributes.key(&key)))
                .set_condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .build()
                .map(|check| TransactWriteItem::builder().condition_check(check)),
        };
        built.map(|item| item.build()).map_err(|error| CommitError::Refused(error.to_string()))
    }
}

#[async_trait]
impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        let get = self.reader.get_item().table_name(&self.table_name).set_key(Some(self.attributes.key(key)));
        let found = get.consistent_read(true).send().await.map_err(failure::of_read)?;
        found.item.filter(|item| !item.is_empty()).map(|item| self.attributes.record(item)).transpose()
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        let mut values = HashMap::from([(":pk".to_owned(), self.attributes.pk(pk))]);
        let condition = if sk_prefix.is_empty() {
            "pk = :pk"
        } else {
            values.insert(":sk".to_owned(), AttributeValue::S(sk_prefix.to_owned()));
            "pk = :pk AND begins_with(sk, :sk)"
        };
        let query = self.query().consistent_read(true).key_condition_expression(condition);
        let items = self.read(query.set_expression_attribute_values(Some(values)), usize::MAX).await?;
        items.into_iter().map(|item| self.attributes.record(item)).collect()
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        let query = self
            .query()
            .index_name(schema::DUE_INDEX)
            .key_condition_expression("due_list = :list AND due_at <= :until")
            .expression_attribute_values(":list", self.attributes.due_list())
            .expression_attribute_values(":until", AttributeValue::S(attributes::fixed_width(until)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX).max(1));
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.named(self.read(query, usize::try_from(limit).unwrap_or(usize::MAX)).await?).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        let query = self
            .query()
            .index_name(schema::LISTED_INDEX)
            .key_condition_expression("#list = :list")
            .expression_attribute_names("#list", "list")
            .expression_attribute_values(":list", self.attributes.list(list));
        self.named(self.read(query, usize::MAX).await?).await
    }

    async fn commit(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        if writes.len() > COMMIT_WRITES_MAX {
            return Err(CommitError::Refused(format!("{} writes, {COMMIT_WRITES_MAX} are possible", writes.len())));
        }
        let mut keys = BTreeSet::new();
        if let Some(twice) = writes.iter().map(Write::key).find(|key| !keys.insert(key.clone())) {
            return Err(CommitError::Refused(format!("two writes to {twice}")));
        }
        // A check of nothing holds, and DynamoDB refuses it.
        writes.retain(|write| !matches!(write, Write::Check { guard: Guard::None, .. }));
        match writes.len() {
            0 => Ok(()),
            1 => self.commit_one(writes.remove(0)).await,
            _ => self.commit_several(writes).await,
        }
    }
}
