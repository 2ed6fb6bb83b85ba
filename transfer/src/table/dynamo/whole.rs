//! A whole table, every bot's part of it: read and written as it is stored, without guards. For backup and restore,
//! which see to it that nobody else writes where that matters.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, TableStatus, WriteRequest};

use super::super::TableError;
use super::attributes::AttributeMap;
use super::stored::StoredItem;
use super::{failure, schema};

/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a call is sent at most. Every write here may be made twice.
const ATTEMPTS: u32 = 5;
/// Writes in one BatchWriteItem (DynamoDB's limit).
const BATCH_WRITE_MAX: usize = 25;
/// How often what BatchWriteItem left out is sent again, with a longer pause each time: a minute and a half in all.
const BATCH_WRITE_ATTEMPTS: u32 = 18;
/// The longest of those pauses.
const BATCH_WRITE_PAUSE_MAX: Duration = Duration::from_secs(8);
/// Requests that reading a table may take: 1 MB each, a terabyte.
const PAGES_MAX: usize = 1_000_000;

/// What is to be done to one key.
#[derive(Debug, Clone, PartialEq)]
pub enum WholeWrite {
    /// Stores the item in place of whatever stands there.
    Put(StoredItem),
    /// Removes what stands under the item's key.
    Delete(StoredItem),
}

/// What a table is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its state in the service's word; `ACTIVE` is good.
    pub status: String,
    /// Whether its key is ours, `pk` and `sk`.
    pub key_fits: bool,
    /// Names of the indexes that it has.
    pub indexes: Vec<String>,
    /// Names of the indexes that it should have and has not.
    pub indexes_missing: Vec<String>,
}

/// A DynamoDB table as a whole.
#[derive(Debug, Clone)]
pub struct WholeTable {
    client: Client,
    table_name: String,
}

impl WholeTable {
    /// The table of this name. Retries and timeouts of `client` are replaced.
    pub fn new(client: &Client, table_name: impl Into<String>) -> Self {
        let config = client
            .config()
            .to_builder()
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build());
        Self { client: Client::from_conf(config.build()), table_name: table_name.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.table_name
    }

    /// Reads every item once, in no order, a page at a time. Consistent item by item, not as a whole.
    ///
    /// # Errors
    /// The service failed, or `each` did.
    pub async fn scan<E: From<TableError>>(&self, mut each: impl FnMut(StoredItem) -> Result<(), E>) -> Result<(), E> {
        let mut start = None;
        for _page in 0..PAGES_MAX {
            let scan = self.client.scan().table_name(&self.table_name).consistent_read(true);
            let page = scan.set_exclusive_start_key(start).send().await.map_err(failure::of_read)?;
            for item in page.items.unwrap_or_default() {
                each(StoredItem(item))?;
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(());
            }
        }
        Err(TableError::Failed(format!("the table {} did not end after {PAGES_MAX} pages", self.table_name)).into())
    }

    /// Reads the items of one partition, by the key as it is stored, ascending, consistently.
    ///
    /// # Errors
    /// The service failed.
    pub async fn partition(&self, pk: &str) -> Result<Vec<StoredItem>, TableError> {
        let mut items = Vec::new();
        let mut start = None;
        for _page in 0..PAGES_MAX {
            let query = self.client.query().table_name(&self.table_name).consistent_read(true);
            let query = query.key_condition_expression("pk = :pk");
            let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
            let page = query.set_exclusive_start_key(start).send().await.map_err(failure::of_read)?;
            items.extend(page.items.unwrap_or_default().into_iter().map(StoredItem));
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(items);
            }
        }
        Err(TableError::Failed(format!("a partition of {} did not end after {PAGES_MAX} pages", self.table_name)))
    }

    /// Reads one item, by the key as it is stored, consistently.
    ///
    /// # Errors
    /// The service failed.
    pub async fn get(&self, (pk, sk): (&str, &str)) -> Result<Option<StoredItem>, TableError> {
        let key = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
            ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
        ]);
        let get = self.client.get_item().table_name(&self.table_name).set_key(Some(key)).consistent_read(true);
        let found = get.send().await.map_err(failure::of_read)?;
        Ok(found.item.filter(|item| !item.is_empty()).map(StoredItem))
    }

    /// Does these writes, each to another key, in any order. Cut off in the middle, some are done and some are not;
    /// doing all of them again does no harm.
    ///
    /// # Errors
    /// The service failed.
    pub async fn write(&self, writes: Vec<WholeWrite>) -> Result<(), TableError> {
        let requests: Result<Vec<WriteRequest>, TableError> = writes.into_iter().map(request).collect();
        for part in requests?.chunks(BATCH_WRITE_MAX) {
            let mut left = part.to_vec();
            let mut pause = Duration::from_millis(50);
            for _attempt in 0..BATCH_WRITE_ATTEMPTS {
                let batch = self.client.batch_write_item().request_items(&self.table_name, left);
                let answer = batch.send().await.map_err(failure::of_read)?;
                left = answer.unprocessed_items.and_then(|mut all| all.remove(&self.table_name)).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(BATCH_WRITE_PAUSE_MAX);
            }
            if !left.is_empty() {
                return Err(TableError::Failed("the table does not take all items: it is throttled".to_owned()));
            }
        }
        Ok(())
    }

    /// What the table is like.
    ///
    /// # Errors
    /// There is no such table, or the service failed.
    pub async fn describe(&self) -> Result<Description, TableError> {
        let described = self.client.describe_table().table_name(&self.table_name).send().await;
        let table = described.map_err(failure::of_read)?.table;
        let table = table.ok_or_else(|| TableError::Failed(format!("{} is not described", self.table_name)))?;
        let keys: Vec<&str> = table.key_schema().iter().map(|element| element.attribute_name.as_str()).collect();
        let indexes: Vec<String> =
            table.global_secondary_indexes().iter().filter_map(|index| index.index_name.clone()).collect();
        let wanted = [schema::DUE_INDEX, schema::LISTED_INDEX].into_iter();
        let missing = wanted.filter(|name| !indexes.iter().any(|there| there == name)).map(str::to_owned).collect();
        let status = table.table_status().cloned().unwrap_or(TableStatus::Creating);
        Ok(Description {
            status: status.as_str().to_owned(),
            key_fits: keys == ["pk", "sk"],
            indexes,
            indexes_missing: missing,
        })
    }
}

fn request(write: WholeWrite) -> Result<WriteRequest, TableError> {
    let built = match write {
        WholeWrite::Put(StoredItem(item)) => PutRequest::builder()
            .set_item(Some(item))
            .build()
            .map(|put| WriteRequest::builder().put_request(put).build()),
        WholeWrite::Delete(StoredItem(mut item)) => {
            let key: AttributeMap = ["pk", "sk"].into_iter().filter_map(|name| item.remove_entry(name)).collect();
            DeleteRequest::builder()
                .set_key(Some(key))
                .build()
                .map(|delete| WriteRequest::builder().delete_request(delete).build())
        }
    };
    built.map_err(|error| TableError::Failed(error.to_string()))
}
