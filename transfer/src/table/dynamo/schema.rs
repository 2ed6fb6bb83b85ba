//! The table itself: its key and its two indexes.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableStatus,
};

use super::super::TableError;
use super::failure;

/// What is due, sorted by when.
pub(super) const DUE_INDEX: &str = "due";
/// What is there, by list.
pub(super) const LISTED_INDEX: &str = "listed";

/// Every attribute that is part of a key, in pairs of partition and sort key: the table, then the indexes.
const KEYS: [(&str, &str); 3] = [("pk", "sk"), ("due_list", "due_at"), ("list", "list_key")];
/// How often, and how far apart, a new table is asked whether it is ready: a minute in all. DynamoDB takes about ten
/// seconds, the embedded engine none.
const READY_LOOKS: u32 = 240;
const READY_LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn create(client: &Client, table_name: &str) -> Result<(), TableError> {
    let request = describe(client.create_table().table_name(table_name))
        .map_err(|error| TableError::Failed(error.to_string()))?;
    match request.send().await {
        Ok(_) => {}
        Err(error) if matches!(error.as_service_error(), Some(CreateTableError::ResourceInUseException(_))) => {}
        Err(error) => return Err(failure::of_read(error)),
    }
    for _look in 0..READY_LOOKS {
        let described = client.describe_table().table_name(table_name).send().await.map_err(failure::of_read)?;
        if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(READY_LOOK_EVERY).await;
    }
    Err(TableError::Failed(format!("the table {table_name} did not become active within a minute")))
}

fn describe(mut request: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, BuildError> {
    for name in KEYS.into_iter().flat_map(|(partition, sort)| [partition, sort]) {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()?;
        request = request.attribute_definitions(attribute);
    }
    let [table, due, listed] = KEYS;
    for (index_name, keys) in [(DUE_INDEX, due), (LISTED_INDEX, listed)] {
        // Keys alone: a write that changes neither list nor time, such as every chunk's, does not touch the index.
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(index_name)
            .set_key_schema(Some(key_schema(keys)?))
            .projection(keys_only)
            .build()?;
        request = request.global_secondary_indexes(index);
    }
    Ok(request.set_key_schema(Some(key_schema(table)?)).billing_mode(BillingMode::PayPerRequest))
}

fn key_schema((partition, sort): (&str, &str)) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, key_type)| KeySchemaElement::builder().attribute_name(name).key_type(key_type).build())
        .collect()
}
