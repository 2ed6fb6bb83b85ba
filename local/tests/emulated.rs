//! An emulator of AWS that nobody here wrote keeps the contract of the ports too: no habit of our own engines is taken for
//! AWS's.
//!
//! `tests/run --only contract-emulated` starts it and says where it is. Without that these tests are not run, and are
//! counted as skipped. Each has a table and a queue of its own.
//!
//! The emulator is ministack 1.5.33. Where it is not as AWS is ([`Deviation`]), the rule says so in its place, and holds the
//! others to AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::contract::aws::Deviation;
use transfer::contract::{aws, queue, table};
use transfer::queue::sqs::SqsQueue;
use transfer::queue::{Delivery, Job, Queue, QueueError, Receipt};
use transfer::table::dynamo::DynamoTable;

/// What speaks DynamoDB's protocol, and what speaks SQS's.
const DYNAMODB: &str = "FERRY_TEST_DYNAMODB";
const SQS: &str = "FERRY_TEST_SQS";

#[expect(
    clippy::disallowed_methods,
    reason = "it belongs to no program: whoever runs the tests says where the emulator is"
)]
fn endpoint(variable: &str) -> String {
    let named = std::env::var(variable);
    named.unwrap_or_else(|_| panic!("{variable} names no emulator: tests/run --only contract-emulated starts one"))
}

/// Of this test alone.
fn name() -> String {
    format!("ferry-{}", uuid::Uuid::new_v4().simple())
}

async fn fresh() -> aws::Subject {
    let dynamo = DynamoClient::new(&local_config(&endpoint(DYNAMODB)));
    let sqs = SqsClient::new(&local_config(&endpoint(SQS)));
    let table_name = name();
    let table = DynamoTable::new(&dynamo, &table_name, 1);
    table.create_table().await.unwrap();
    let queue = SqsQueue::create(&sqs, &name()).await.unwrap();
    aws::Subject { dynamo, table_name, table, queue, deviations: &[Deviation::BatchOfAnyLength] }
}

mod table_rules {
    use super::*;

    async fn fresh() -> (table::Subject, ()) {
        (Arc::new(super::fresh().await.table), ())
    }

    transfer::table_contract!(
        #[ignore = "needs an emulator"]
        fresh
    );
}

mod queue_rules {
    use super::*;

    async fn fresh() -> (queue::Subject, ()) {
        (Arc::new(Forgetful { queue: super::fresh().await.queue, deleted: Mutex::default() }), ())
    }

    transfer::queue_contract!(
        #[ignore = "needs an emulator"]
        fresh
    );
}

mod aws_rules {
    use super::*;

    async fn fresh() -> (aws::Subject, ()) {
        (super::fresh().await, ())
    }

    transfer::aws_contract!(
        #[ignore = "needs an emulator"]
        fresh
    );
}

/// ministack 1.5.33 does not know the receipt of a message that was deleted with it, and says so; to SQS deleting twice is no
/// error. The receipts of other messages it judges itself.
struct Forgetful {
    queue: SqsQueue,
    deleted: Mutex<Vec<Receipt>>,
}

#[async_trait]
impl Queue for Forgetful {
    async fn send(&self, job: &Job) -> Result<(), QueueError> {
        self.queue.send(job).await
    }

    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.queue.receive(max, visibility, wait).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.queue.extend(receipt, visibility).await
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        match self.queue.delete(receipt).await {
            Err(QueueError::ReceiptExpired) if self.deleted.lock().unwrap().contains(receipt) => Ok(()),
            Ok(()) => {
                self.deleted.lock().unwrap().push(receipt.clone());
                Ok(())
            }
            failed => failed,
        }
    }

    async fn purge(&self) -> Result<(), QueueError> {
        self.queue.purge().await
    }
}
