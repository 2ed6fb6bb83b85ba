//! The embedded engine counts capacity units as DynamoDB does: what Ferry costs (docs/costs.md) is computed from them.
//!
//! The figures are worked out by hand from DynamoDB's rules: a write unit for each KB begun, two in a transaction; a read unit
//! for each 4 KB begun, half of one where yesterday's answer would do; an index pays for what it holds, when that changes.

use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnConsumedCapacity, TransactWriteItem};
use transfer::aws::{DynamoClient, local_config};

use super::stand::Stand;

/// Bytes of the item without its words: the names and values of `pk` (2 + 1), `sk` (2 + 1), and the name `words` (5).
const BESIDE_WORDS: usize = 11;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// An item of exactly so many bytes.
fn item(sk: &str, len: usize) -> std::collections::HashMap<String, AttributeValue> {
    [("pk", "p"), ("sk", sk), ("words", &"x".repeat(len - BESIDE_WORDS))]
        .map(|(name, value)| (name.to_owned(), text(value)))
        .into()
}

#[tokio::test]
async fn units_are_dynamodbs() {
    let stand = Stand::new().await;
    let client = DynamoClient::new(&local_config(stand.engines.dynamo_endpoint()));
    let table = stand.engines.table_name();
    let total = ReturnConsumedCapacity::Total;

    for (sk, len, units) in [("a", 1_024, 1.0), ("b", 1_025, 2.0), ("c", 4_096, 4.0), ("d", 4_097, 5.0)] {
        let put = client.put_item().table_name(table).set_item(Some(item(sk, len)));
        let taken = put.return_consumed_capacity(total.clone()).send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!(taken.capacity_units, Some(units), "a write of {len} bytes");
    }
    for (sk, consistent, units) in [("c", true, 1.0), ("c", false, 0.5), ("d", true, 2.0), ("d", false, 1.0)] {
        let get = client.get_item().table_name(table).key("pk", text("p")).key("sk", text(sk));
        let get = get.consistent_read(consistent).return_consumed_capacity(total.clone());
        let taken = get.send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!(taken.capacity_units, Some(units), "a read of {sk}, consistent: {consistent}");
    }
    // 1,024 + 1,025 + 4,096 + 4,097 bytes are added up before they are rounded to 4 KB.
    let query = client.query().table_name(table).key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", text("p")).return_consumed_capacity(total.clone());
    assert_eq!(query.send().await.unwrap().consumed_capacity.unwrap().capacity_units, Some(1.5));

    let put = |sk: &str, len| {
        let put = Put::builder().table_name(table).set_item(Some(item(sk, len))).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let both = client.transact_write_items().transact_items(put("e", 1_024)).transact_items(put("f", 1_025));
    let taken = both.return_consumed_capacity(total.clone()).send().await.unwrap().consumed_capacity.unwrap();
    assert_eq!(taken[0].capacity_units, Some(6.0), "two and four");

    // In an index of keys alone: a unit when it comes in, nothing while its key stays, two when it moves.
    for (due_at, words, units) in [("1", 10, 2.0), ("1", 20, 1.0), ("2", 20, 3.0)] {
        let mut item = item("g", BESIDE_WORDS + words);
        item.extend([("due_list".to_owned(), text("l")), ("due_at".to_owned(), text(due_at))]);
        let put = client.put_item().table_name(table).set_item(Some(item));
        let taken = put.return_consumed_capacity(total.clone()).send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!(taken.capacity_units, Some(units), "due at {due_at}, {words} words");
    }
}
