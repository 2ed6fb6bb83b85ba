//! Credentials that expire before their time: the provider is asked again, and work goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use transfer::aws::{DynamoClient, SqsClient, local_config, renewing};
use transfer::clock::Clock;
use transfer::contract::samples;
use transfer::ids::TaskId;
use transfer::queue::sqs::SqsQueue;
use transfer::queue::{Job, Queue as _};
use transfer::table::dynamo::DynamoTable;
use transfer::table::{CommitError, Guard, Item, Table as _, TableError, Write};

use super::faults::{EXPIRED, Fault};
use super::proxy::{Answer, Call, Fate, Proxy, Warden, field};
use super::stand::Stand;

/// A role: each time it is asked it gives other credentials, good for hours by its own word.
#[derive(Debug, Clone, Default)]
struct Role {
    asked: Arc<AtomicU32>,
    /// From this time on it gives none.
    silent_from: Option<u32>,
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let time = self.asked.fetch_add(1, Ordering::Relaxed);
        if self.silent_from.is_some_and(|from| time >= from) {
            return future::ProvideCredentials::ready(Err(CredentialsError::provider_timed_out(Duration::from_secs(
                1,
            ))));
        }
        let end = SystemTime::from(Clock::system().now()) + Duration::from_secs(6 * 3600);
        let (key, token) = (format!("KEY{time}"), Some("token".to_owned()));
        future::ProvideCredentials::ready(Ok(Credentials::new(key, "secret", token, Some(end), "role")))
    }
}

/// AWS, for which credentials before a certain one have expired.
#[derive(Default)]
struct Expiry {
    good_from: AtomicU32,
    refused: AtomicU32,
}

impl Warden for Expiry {
    fn fate(&self, call: &mut Call) -> Fate {
        let signed = field(&call.head, "authorization").unwrap();
        let key = signed.split("Credential=KEY").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
        if key.parse::<u32>().unwrap() >= self.good_from.load(Ordering::Relaxed) {
            return Fate::Passed;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let fault = if field(&call.head, "x-amz-target").unwrap().starts_with("AmazonSQS") {
            Fault::Queue("ExpiredToken", "The security token included in the request is expired")
        } else {
            Fault::Refused(EXPIRED)
        };
        fault.fate(call)
    }

    fn answered(&self, _call: &Call, _answer: &mut Answer) {}
}

/// A configuration as AWS programs have it, towards this machine.
fn config(endpoint: &str, role: &Role) -> SdkConfig {
    let signed = SharedCredentialsProvider::new(role.clone());
    renewing(local_config(endpoint).into_builder().credentials_provider(signed).build(), Clock::system())
}

fn lock(target: i64) -> Write {
    Write::Put { item: Item::TargetLock(samples::lock(target, "t1")), guard: Guard::Absent }
}

#[tokio::test]
async fn fresh_credentials_are_asked_for_when_the_old_ones_expire() {
    let stand = Stand::new().await;
    let (role, expiry) = (Role::default(), Arc::new(Expiry::default()));
    let dynamo = Proxy::before(stand.engines.dynamo_endpoint(), expiry.clone()).await.unwrap();
    let client = DynamoClient::new(&config(dynamo.endpoint(), &role));
    let table = DynamoTable::new(&client, stand.engines.table_name(), 1);
    table.commit(vec![lock(1)]).await.unwrap();
    assert!(table.get(&lock(1).key()).await.unwrap().is_some());
    assert_eq!(role.asked.load(Ordering::Relaxed), 1, "credentials that are good are kept");

    // Each kind of call fails once, changes nothing, and the next goes through.
    expiry.good_from.store(1, Ordering::Relaxed);
    let commit = table.commit(vec![lock(2)]).await;
    assert!(matches!(commit, Err(CommitError::Refused(_))), "{commit:?}");
    table.commit(vec![lock(2)]).await.unwrap();
    expiry.good_from.store(2, Ordering::Relaxed);
    let read = table.get(&lock(2).key()).await;
    assert!(matches!(read, Err(TableError::Failed(_))), "{read:?}");
    assert!(table.get(&lock(2).key()).await.unwrap().is_some());
    assert_eq!(role.asked.load(Ordering::Relaxed), 3);
    assert_eq!(expiry.refused.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_queue_asks_for_fresh_credentials_too() {
    let stand = Stand::new().await;
    let (role, expiry) = (Role::default(), Arc::new(Expiry::default()));
    let sqs = Proxy::before(stand.engines.sqs_endpoint(), expiry.clone()).await.unwrap();
    let queue = SqsQueue::new(&SqsClient::new(&config(sqs.endpoint(), &role)), stand.engines.queue().url());
    let job = |seq| Job::batch(TaskId::from("t1"), 1, seq);
    queue.send(&job(1)).await.unwrap();
    expiry.good_from.store(1, Ordering::Relaxed);
    queue.send(&job(2)).await.unwrap_err();
    queue.send(&job(2)).await.unwrap();
    assert_eq!(role.asked.load(Ordering::Relaxed), 2);
    let received = queue.receive(10, Duration::from_secs(60), Duration::from_secs(5)).await.unwrap();
    assert_eq!(received[0].job().unwrap(), job(1));
}

/// A provider that has nothing better to give does not take away what may still be good.
#[tokio::test]
async fn a_silent_provider_leaves_the_credentials_of_before() {
    let stand = Stand::new().await;
    let (role, expiry) = (Role { silent_from: Some(1), ..Role::default() }, Arc::new(Expiry::default()));
    let dynamo = Proxy::before(stand.engines.dynamo_endpoint(), expiry.clone()).await.unwrap();
    let client = DynamoClient::new(&config(dynamo.endpoint(), &role));
    let table = DynamoTable::new(&client, stand.engines.table_name(), 1);
    table.commit(vec![lock(1)]).await.unwrap();
    expiry.good_from.store(1, Ordering::Relaxed);
    table.commit(vec![lock(2)]).await.unwrap_err();
    table.commit(vec![lock(2)]).await.unwrap_err();
    // AWS takes them again: it was wrong, or its clock was.
    expiry.good_from.store(0, Ordering::Relaxed);
    table.commit(vec![lock(2)]).await.unwrap();
    assert!(role.asked.load(Ordering::Relaxed) >= 2, "the provider is asked each time");
}
