//! Jobs that cannot be worked on, through the SDK and the real host: they come five times, go to the dead letters with
//! what they said, and the admin and the log are told why. Nobody acknowledges them away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ferry::demo::stage::{Plan, SourceMix, Stage};
use ferry::host::{Audience, Life};
use serde_json::{Value, json};
use simulator::world::floods::FloodModel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::bot::memory::MemoryBot;
use transfer::ids::{ChatId, TaskId};
use transfer::queue::{Delivery, Job, Queue as _};

use super::proxy::{Answer, Call, Fate, Proxy, Warden};
use super::stand::queue_at;

const ADMIN: ChatId = ChatId(6_000_000_001);
/// Longer than it takes five times to come again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Minutes are a second here: what is received stays invisible for that long, whatever was asked for.
#[derive(Default)]
struct Hasty {
    received: AtomicBool,
}

impl Warden for Hasty {
    fn fate(&self, call: &mut Call) -> Fate {
        if call.operation == "ReceiveMessage" {
            self.received.store(true, Ordering::Relaxed);
            let mut asked: Value = serde_json::from_slice(&call.body).unwrap();
            asked["VisibilityTimeout"] = json!(1);
            call.body = asked.to_string().into_bytes();
        }
        Fate::Passed
    }

    fn answered(&self, _call: &Call, _answer: &mut Answer) {}
}

#[tokio::test]
async fn poison_is_kept_for_a_person_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan::generated(1, 1, 10, SourceMix::Text, FloodModel::none());
    let stage = Stage::set(plan, dir.path()).await.unwrap();
    let hasty = Arc::new(Hasty::default());
    let proxy = Proxy::before(stage.engines.sqs_endpoint(), hasty.clone()).await.unwrap();
    let queue = queue_at(&stage.engines, &proxy);
    let bot = Arc::new(MemoryBot::new());
    let audience = Audience { bot: Some(bot.clone()), admins: vec![ADMIN] };
    let life = Life { queue: Arc::new(queue), audience, ..stage.life() };
    let stop = CancellationToken::new();
    let mut host = JoinSet::new();
    host.spawn(life.live(stop.clone()));
    let dead = stage.engines.queue().dead_letters().await.unwrap();

    // A host that starts throws away what is in the queue, and receives after that.
    until("the host", async || hasty.received.load(Ordering::Relaxed)).await;
    // Two messages that are no jobs, and a job about a task that newer code wrote.
    let sqs = SqsClient::new(&local_config(stage.engines.sqs_endpoint()));
    for (n, body) in ["{\"v\":1,\"ta", "somebody else's words"].into_iter().enumerate() {
        let send = sqs.send_message().queue_url(stage.engines.queue().url()).message_body(body);
        let send = send.message_group_id(format!("g{n}")).message_deduplication_id(format!("d{n}"));
        send.send().await.unwrap();
    }
    let dynamo = DynamoClient::new(&local_config(stage.engines.dynamo_endpoint()));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = dynamo.put_item().table_name(stage.engines.table_name()).item("pk", text("BOT#0#TASK#newer"));
    let put = put.item("sk", text("TASK")).item("schema", AttributeValue::N("99".to_owned()));
    put.send().await.unwrap();
    let job = Job::batch(TaskId::from("newer"), 1, 1);
    stage.queue.send(&job).await.unwrap();

    let mut letters: Vec<Delivery> = Vec::new();
    until("three dead letters", async || {
        let received = dead.receive(10, Duration::from_secs(600), Duration::from_secs(1)).await.unwrap();
        letters.extend(received);
        letters.len() == 3
    })
    .await;
    let mut bodies: Vec<String> = letters.iter().map(|letter| letter.body.clone()).collect();
    bodies.sort();
    let mut expected =
        ["{\"v\":1,\"ta".to_owned(), "somebody else's words".to_owned(), serde_json::to_string(&job).unwrap()];
    expected.sort();
    assert_eq!(bodies, expected);
    until("three alarms in the chat", async || bot.chat(ADMIN).len() == 3).await;
    let told: Vec<String> = bot.chat(ADMIN).into_iter().map(|(_, screen)| screen.html).collect();
    let reason = |words: &str| told.iter().filter(|html| html.contains(words)).count();
    assert_eq!(reason("is no job"), 2, "{told:?}");
    assert_eq!(reason("schema 99"), 1, "{told:?}");
    assert!(told.iter().all(|html| html.contains("dead-letter queue")), "{told:?}");
    // Whoever looks for it in the dead letters knows which of them is meant.
    for letter in &letters {
        assert_eq!(reason(&letter.id), 1, "{told:?}");
    }
    stop.cancel();
    while let Some(ended) = host.join_next().await {
        ended.unwrap().unwrap();
    }
    stage.engines.stop().await;
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come within {} s", PATIENCE.as_secs());
}
