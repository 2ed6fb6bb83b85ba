//! What the contract cannot show, because no engine here does it: lost answers, throttling, transactions in each other's
//! way; and items that this code did not write. A loopback server answers every call the same way and counts them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::attributes::{OURS, fixed_width};
use super::*;
use crate::aws::local_config;
use crate::contract::samples;
use crate::table::Item;

/// Answers every request with the same status and body; without a status it closes the connection instead.
struct Canned {
    table: DynamoTable,
    requests: tokio::sync::watch::Receiver<u32>,
    _server: JoinSet<()>,
}

async fn canned(status: Option<u16>, body: &'static str) -> Canned {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (count, requests) = tokio::sync::watch::channel(0);
    let mut server = JoinSet::new();
    server.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while request(&mut stream).await {
                count.send_modify(|count| *count += 1);
                let Some(status) = status else { break };
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\n");
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let table = DynamoTable::new(&Client::new(&local_config(&endpoint)), "t", 1);
    Canned { table, requests, _server: server }
}

/// Reads one request; `false` when the connection has ended.
async fn request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    loop {
        let mut byte = [0];
        if stream.read_exact(&mut byte).await.is_err() {
            return false;
        }
        read.push(byte[0]);
        if read.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8(read).unwrap().to_lowercase();
            let body_len =
                head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
            return stream.read_exact(&mut vec![0; body_len]).await.is_ok();
        }
    }
}

fn locks(count: i64) -> Vec<Write> {
    (1..=count)
        .map(|target| Write::Put { item: Item::TargetLock(samples::lock(target, "t")), guard: Guard::Absent })
        .collect()
}

/// What one write and two writes come to, each sent once.
async fn commits(status: Option<u16>, body: &'static str) -> [CommitError; 2] {
    let canned = canned(status, body).await;
    let errors = [canned.table.commit(locks(1)).await.unwrap_err(), canned.table.commit(locks(2)).await.unwrap_err()];
    assert_eq!(*canned.requests.borrow(), 2, "a commit must be sent once");
    errors
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_nothing_is_sent_again() {
    for (status, body) in [
        (None, ""),
        (Some(500), r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"x"}"#),
        (Some(503), "not even JSON"),
        (Some(200), "{ cut off"),
        (Some(408), "no DynamoDB error"),
    ] {
        for error in commits(status, body).await {
            assert!(matches!(error, CommitError::Unknown(_)), "{status:?} {body}: {error:?}");
        }
    }
}

#[tokio::test]
async fn throttling_and_nonsense_are_refusals() {
    for body in [
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"x"}"#,
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x"}"#,
        r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"too large"}"#,
    ] {
        for error in commits(Some(400), body).await {
            assert!(matches!(error, CommitError::Refused(_)), "{body}: {error:?}");
        }
    }
}

#[tokio::test]
async fn transactions_in_each_others_way_are_conflicts() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"x"}"#;
    let [one, _] = commits(Some(400), body).await;
    assert!(matches!(one, CommitError::Conflict(_)), "{one:?}");
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"x",
        "CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"x"}]}"#;
    let [_, several] = commits(Some(400), body).await;
    assert!(matches!(several, CommitError::Conflict(_)), "{several:?}");
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"x",
        "CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError","Message":"x"}]}"#;
    let [_, several] = commits(Some(400), body).await;
    assert!(matches!(several, CommitError::Refused(_)), "{several:?}");
}

#[tokio::test]
async fn a_read_is_sent_again() {
    let canned = canned(Some(500), "{}").await;
    let read = canned.table.get(&Key::target(crate::ids::PeerId(1))).await;
    assert!(matches!(read, Err(TableError::Failed(_))), "{read:?}");
    assert_eq!(*canned.requests.borrow(), READ_ATTEMPTS);
}

#[test]
fn no_item_has_a_field_of_our_names() {
    for item in samples::one_of_each() {
        let fields: HashMap<String, AttributeValue> = serde_dynamo::to_item(&item).unwrap();
        let taken: Vec<_> = OURS.iter().filter(|name| fields.contains_key(**name)).collect();
        assert!(taken.is_empty(), "{taken:?} of {item:?}");
    }
}

#[test]
fn items_can_be_read_in_the_console() {
    let task = Item::Task(Box::new(samples::held_task("t1", 4, Some(8))));
    let stored = Attributes::new(42).item(&task, 3).unwrap();
    let text = |name: &str| stored[name].as_s().unwrap().as_str();
    let number = |name: &str| stored[name].as_n().unwrap().as_str();
    assert_eq!((text("pk"), text("sk"), text("item")), ("BOT#42#TASK#t1", "TASK", "task"));
    assert_eq!((text("due_list"), text("due_at")), ("BOT#42#DUE", "2023-11-14T22:13:21.123456789Z"));
    assert_eq!((text("list"), text("list_key")), ("BOT#42#TASKS", "running#t1"));
    assert_eq!((number("version"), number("schema"), number("lease_epoch"), number("intent_id")), ("3", "2", "4", "8"));
}

#[test]
fn what_other_code_wrote_is_not_guessed_at() {
    let attributes = Attributes::new(42);
    let stored = attributes.item(&Item::TargetLock(samples::lock(1, "t")), 1).unwrap();
    let why = |name: &str, value: Option<AttributeValue>| {
        let mut changed = stored.clone();
        match value {
            Some(value) => changed.insert(name.to_owned(), value),
            None => changed.remove(name),
        };
        match attributes.record(changed) {
            Err(TableError::Unreadable { why, .. }) => why,
            other => panic!("{name} should make it unreadable, not {other:?}"),
        }
    };
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    assert!(why("schema", text("2")).contains("no schema"));
    assert_eq!(why("schema", None), "it has no schema");
    assert_eq!(why("version", text("1")), "it has no version");
    assert!(why("item", text("spaceship")).contains("spaceship"));
    assert!(why("task", None).contains("task"));
    assert!(why("sk", text("ELSEWHERE")).contains("LOCK"));
    let mut newer = stored.clone();
    newer.insert("schema".to_owned(), AttributeValue::N("4294967297".to_owned()));
    let error = attributes.record(newer).unwrap_err().to_string();
    assert!(error.contains("schema 4294967297") && error.contains("deploy that version again"), "{error}");
    assert!(attributes.record(stored.clone()).is_ok());
}

#[test]
fn text_order_is_time_order() {
    let texts = [0, 1, 1_000_000, 500_000_000, 999_999_999]
        .map(|nanos| fixed_width(Timestamp::new(1_700_000_000, nanos).unwrap()));
    assert!(texts.is_sorted(), "{texts:?}");
}
