//! The rules that show behind the ports alone: how items, indexes, pages and reasons look to whoever speaks DynamoDB's and
//! SQS's own protocols. People read the table in the console, DynamoDB removes by an attribute, and the SDK's errors are
//! judged by what stands in them: an engine that is another here would have us test against its own habits.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TimeToLiveSpecification, TransactWriteItem};

use super::samples;
use crate::ids::{TaskId, UpdateId};
use crate::queue::sqs::SqsQueue;
use crate::queue::{Job, Queue as _, RECEIVES_MAX};
use crate::table::dynamo::{DynamoTable, EXPIRES};
use crate::table::item::TakenUpdate;
use crate::table::{Guard, Item, Table as _, Write};
use crate::task::TaskState;

/// Table and queue under test, with the way past the port.
pub struct Subject {
    /// The client with which `table` was made.
    pub dynamo: Client,
    /// The table's name.
    pub table_name: String,
    /// The part of bot 1 of it.
    pub table: DynamoTable,
    /// An empty queue, made by [`SqsQueue::create`].
    pub queue: SqsQueue,
    /// Where this engine is known not to be as AWS is. Each rule asks for its own alone, and notices when it is mended.
    pub deviations: &'static [Deviation],
}

/// Where an engine is not as AWS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// ministack 1.5.33: BatchGetItem answers with everything, however large. DynamoDB ends at 16 MB.
    BatchOfAnyLength,
}

type Attributes = HashMap<String, AttributeValue>;

const LONG: Duration = Duration::from_secs(120);

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl Subject {
    async fn commit(&self, items: Vec<Item>) {
        let writes = items.into_iter().map(|item| Write::Put { item, guard: Guard::Absent }).collect();
        self.table.commit(writes).await.expect("the commit succeeds");
    }

    async fn stored(&self, item: &Item) -> Attributes {
        let key = item.key();
        let get = self.dynamo.get_item().table_name(&self.table_name).consistent_read(true);
        let get = get.key("pk", text(&format!("BOT#1#{}", key.pk))).key("sk", text(&key.sk));
        get.send().await.expect("the item can be read").item.expect("the item is there")
    }

    /// What an index holds of one of its lists.
    async fn index(&self, name: &str, list: &str, of: &str) -> Vec<Attributes> {
        let query = self.dynamo.query().table_name(&self.table_name).index_name(name);
        let query = query.key_condition_expression("#list = :list").expression_attribute_names("#list", list);
        let answer = query.expression_attribute_values(":list", text(of)).send().await;
        answer.expect("the index can be read").items.unwrap_or_default()
    }

    /// An item that is none of ours, with room in it.
    fn large(sk: usize, len: usize) -> Attributes {
        HashMap::from([
            ("pk".to_owned(), text("LARGE")),
            ("sk".to_owned(), text(&format!("{sk:03}"))),
            ("words".to_owned(), AttributeValue::S("x".repeat(len))),
        ])
    }

    async fn put_large(&self, count: usize, len: usize) {
        for sk in 0..count {
            let put = self.dynamo.put_item().table_name(&self.table_name).set_item(Some(Self::large(sk, len)));
            put.send().await.expect("the item can be written");
        }
    }
}

/// TTL takes numbers of whole seconds since 1970 and nothing else, of an attribute whose name the template writes too.
pub async fn an_item_expires_at_a_number_of_seconds(subject: Subject) {
    let at = samples::instant(7);
    let update = Item::Update(TakenUpdate { id: UpdateId(1), at, shows: Vec::new(), done: true, failed: false });
    let lock = Item::TargetLock(samples::lock(1, "t1"));
    subject.commit(vec![update.clone(), lock.clone()]).await;
    let expires = update.expires_at().expect("a taken update expires");
    let stored = subject.stored(&update).await;
    assert_eq!(stored.get(EXPIRES), Some(&AttributeValue::N(expires.as_second().to_string())));
    assert_eq!(subject.stored(&lock).await.get(EXPIRES), None, "a lock stays");
    let by = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true).build().expect("it is complete");
    let client = &subject.dynamo;
    let update = client.update_time_to_live().table_name(&subject.table_name).time_to_live_specification(by);
    update.send().await.expect("the table removes what expired by this attribute");
    let described = client.describe_time_to_live().table_name(&subject.table_name).send().await;
    let described = described.expect("the table says by what it removes").time_to_live_description;
    assert_eq!(described.and_then(|by| by.attribute_name).as_deref(), Some(EXPIRES));
}

/// What is neither due nor listed costs no index anything, and what is costs only its keys.
pub async fn indexes_are_sparse_and_hold_keys_alone(subject: Subject) {
    let waiting = TaskState::Waiting { wake_at: samples::instant(5), reason: "flood".to_owned() };
    let due = Item::Task(Box::new(samples::task("t1", waiting)));
    let paused = Item::Task(Box::new(samples::task("t2", TaskState::Paused { reason: "admin".to_owned() })));
    subject.commit(vec![due, paused, Item::TargetLock(samples::lock(1, "t1"))]).await;
    let names = |items: &[Attributes]| -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = Vec::new();
        for item in items {
            let mut names: Vec<String> = item.keys().cloned().collect();
            names.sort();
            all.push(names);
        }
        all
    };
    let due = subject.index("due", "due_list", "BOT#1#DUE").await;
    assert_eq!(names(&due), [["due_at", "due_list", "pk", "sk"]]);
    assert_eq!(due[0]["pk"], text("BOT#1#TASK#t1"));
    let listed = subject.index("listed", "list", "BOT#1#TASKS").await;
    assert_eq!(names(&listed), [["list", "list_key", "pk", "sk"]; 2]);
}

/// One reason for each item, in the order of the items: that is how a conflict is told from a table that is too busy.
pub async fn a_cancelled_transaction_names_each_reason_in_its_place(subject: Subject) {
    let put = |sk: usize, absent: bool| {
        let put = Put::builder().table_name(&subject.table_name).set_item(Some(Subject::large(sk, 1)));
        let put = if absent { put.condition_expression("attribute_not_exists(pk)") } else { put };
        TransactWriteItem::builder().put(put.build().expect("it is complete")).build()
    };
    subject.put_large(3, 1).await;
    let items = vec![put(0, false), put(1, true), put(5, true), put(2, true)];
    let answer = subject.dynamo.transact_write_items().set_transact_items(Some(items)).send().await;
    let error = answer.expect_err("two of the conditions do not hold").into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("{error:?} is no cancellation");
    };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("nothing")).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"]);
}

/// Sixteen megabytes are one answer; the other keys are named, and can be asked for again.
pub async fn a_batch_that_is_too_large_names_what_it_left_out(subject: Subject) {
    const COUNT: usize = 48;
    subject.put_large(COUNT, 380_000).await;
    let mut left: Vec<Attributes> = (0..COUNT)
        .map(|sk| HashMap::from([("pk".to_owned(), text("LARGE")), ("sk".to_owned(), text(&format!("{sk:03}")))]))
        .collect();
    let mut found = Vec::new();
    let mut answers = 0;
    while !left.is_empty() {
        assert!(answers < COUNT, "the batch never ends");
        let keys = KeysAndAttributes::builder().set_keys(Some(left)).build().expect("it is complete");
        let batch = subject.dynamo.batch_get_item().request_items(&subject.table_name, keys);
        let answer = batch.send().await.expect("the items can be read");
        let items = answer.responses.and_then(|mut tables| tables.remove(&subject.table_name)).unwrap_or_default();
        found.extend(items.into_iter().filter_map(|mut item| item.remove("sk")?.as_s().ok().cloned()));
        let unprocessed = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&subject.table_name));
        left = unprocessed.map(|table| table.keys).unwrap_or_default();
        answers += 1;
    }
    found.sort();
    assert_eq!(found, (0..COUNT).map(|sk| format!("{sk:03}")).collect::<Vec<_>>());
    let ends = !subject.deviations.contains(&Deviation::BatchOfAnyLength);
    assert_eq!(answers > 1, ends, "18 MB came in {answers} answers");
}

/// One megabyte of items, and the key of the last: whoever does not go on from there has lost the rest.
pub async fn a_page_ends_at_a_megabyte_and_says_where(subject: Subject) {
    subject.put_large(12, 100_000).await;
    let query = subject.dynamo.query().table_name(&subject.table_name).key_condition_expression("pk = :pk");
    let answer = query.expression_attribute_values(":pk", text("LARGE")).send().await.expect("the page can be read");
    let items = answer.items.unwrap_or_default();
    assert!(items.len() < 12, "1.2 MB came in one page");
    let end = answer.last_evaluated_key.expect("the page says where it ends");
    assert_eq!(end.get("sk"), items.last().and_then(|item| item.get("sk")));
}

/// A person who looks there finds the job that failed, under the name that log and chat gave.
pub async fn a_dead_letter_is_what_was_sent(subject: Subject) {
    let job = Job::batch(TaskId::from("t1"), 1, 1);
    subject.queue.send(&job).await.expect("the job can be sent");
    let mut id = String::new();
    for attempt in 1..=RECEIVES_MAX {
        let received = subject.queue.receive(1, LONG, Duration::from_secs(15)).await.expect("it can be received");
        assert_eq!(received[0].attempt, attempt);
        assert!(attempt == 1 || received[0].id == id, "the message changed its name");
        id.clone_from(&received[0].id);
        subject.queue.extend(&received[0].receipt, Duration::ZERO).await.expect("it can be given back");
    }
    let received = subject.queue.receive(1, LONG, Duration::from_secs(1)).await.expect("the queue answers");
    assert_eq!(received, [], "it does not come a sixth time");
    let dead = subject.queue.dead_letters().await.expect("there are dead letters");
    let letters = dead.receive(10, LONG, Duration::from_secs(15)).await.expect("they can be received");
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].job().expect("the body is the job"), &letters[0].id), (job, &id));
}
