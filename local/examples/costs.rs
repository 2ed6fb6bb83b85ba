//! What Ferry asks AWS for, counted: every request by its operation, and the capacity units that the engine says it took.
//!
//! `cargo run --release -p ferry --example costs -- SCENARIO` plays one scenario through the real host and the AWS SDK, and
//! prints what was counted as one line of JSON; `tests/bench/run --only costs` plays all of them, computes what they
//! come to, and holds the result to its bounds.

#[expect(dead_code, reason = "the proxy of the tests; here it lets everything pass")]
#[path = "../tests/aws_edge/proxy.rs"]
mod proxy;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use ferry::demo::stage::{Plan, SourceMix, Stage};
use ferry::host::{Audience, BOT_ID, Life, Who};
use serde::Serialize;
use serde_json::{Value, json};
use simulator::scenario::TARGET;
use simulator::world::ChatId as SimulatedChat;
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::floods::FloodModel;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::aws::{DynamoClient, SqsClient, local_config};
use transfer::bot::memory::MemoryBot;
use transfer::clock::Clock;
use transfer::ids::{ChatId, HostId, Nonce, TaskId};
use transfer::pace::Pace;
use transfer::queue::sqs::SqsQueue;
use transfer::submit::{self, NewTask};
use transfer::table::dynamo::DynamoTable;
use transfer::table::{Item, Key};
use transfer::task::TaskState;

use self::proxy::{Answer, Call, Fate, Proxy, Warden};

const ACCOUNTS: usize = 8;
const ADMIN: ChatId = ChatId(6_000_000_001);
/// How long an idle host is looked at: four sweeps.
const IDLE: Duration = Duration::from_secs(120);
/// Longer than any scenario.
const PATIENCE: Duration = Duration::from_secs(2_400);
/// The operations that take write units.
const WRITES: [&str; 3] = ["PutItem", "DeleteItem", "TransactWriteItems"];

/// What is played.
struct Scenario {
    name: &'static str,
    tasks: u32,
    messages: i32,
    mix: SourceMix,
    pace: fn() -> Pace,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "idle", tasks: 0, messages: 1, mix: SourceMix::Text, pace: Pace::none },
    Scenario { name: "text", tasks: 1, messages: 20_000, mix: SourceMix::Text, pace: Pace::none },
    Scenario { name: "albums", tasks: 1, messages: 20_000, mix: SourceMix::Everything, pace: Pace::none },
    // What everyday use costs: at the default pace a chunk of 100 is followed by 230 s on average. Two lengths, because what a
    // task costs once would weigh too much: their difference, a batch of five chunks, is what a chunk costs.
    Scenario { name: "paced-short", tasks: 8, messages: 100, mix: SourceMix::Text, pace: Pace::default },
    Scenario { name: "paced-long", tasks: 8, messages: 600, mix: SourceMix::Text, pace: Pace::default },
];

#[derive(Debug, Default, Clone, Serialize)]
struct Counted {
    requests: BTreeMap<String, u64>,
    /// Requests that were answered with an error.
    refused: u64,
    /// Commits in which a host renewed its sign of life, and nothing else.
    renewals: u64,
    write_units: f64,
    read_units: f64,
    /// By operation.
    units: BTreeMap<String, f64>,
}

/// Counts, and asks the engine what each call took.
#[derive(Default)]
struct Meter {
    counted: Mutex<Counted>,
}

impl Warden for Meter {
    fn fate(&self, call: &mut Call) -> Fate {
        if call.head.contains("DynamoDB")
            && let Ok(Value::Object(mut asked)) = serde_json::from_slice(&call.body)
        {
            asked.insert("ReturnConsumedCapacity".to_owned(), json!("TOTAL"));
            call.body = Value::Object(asked).to_string().into_bytes();
        }
        Fate::Passed
    }

    fn answered(&self, call: &Call, answer: &mut Answer) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.requests.entry(call.operation.clone()).or_default() += 1;
        if answer.status != 200 {
            counted.refused += 1;
        }
        if call.operation == "PutItem" && puts_host(&call.body) {
            counted.renewals += 1;
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let units = |capacity: &Value| capacity["CapacityUnits"].as_f64().unwrap_or(0.0);
        let taken = match &body["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().map(units).sum(),
            one => units(one),
        };
        *counted.units.entry(call.operation.clone()).or_default() += taken;
        if WRITES.contains(&call.operation.as_str()) {
            counted.write_units += taken;
        } else {
            counted.read_units += taken;
        }
    }
}

fn puts_host(body: &[u8]) -> bool {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    asked["Item"]["pk"]["S"].as_str().is_some_and(|key| key.contains("#HOST#"))
}

impl Meter {
    fn take(&self) -> Counted {
        std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its figures are its purpose")]
async fn main() -> anyhow::Result<()> {
    let names = SCENARIOS.map(|scenario| scenario.name).join(", ");
    let asked = std::env::args().nth(1).with_context(|| format!("say which scenario: {names}"))?;
    let found = SCENARIOS.into_iter().find(|scenario| scenario.name == asked);
    let scenario = found.with_context(|| format!("there is no scenario {asked:?}; there are: {names}"))?;
    println!("{}", play(&scenario).await?);
    Ok(())
}

async fn play(scenario: &Scenario) -> anyhow::Result<Value> {
    let dir = tempfile::tempdir()?;
    let mut plan = Plan::generated(7, ACCOUNTS, scenario.messages, scenario.mix, FloodModel::none());
    // One task at a time writes to a target.
    for n in 1..=scenario.tasks {
        let now = plan.world.now();
        let id = SimulatedChat(TARGET.0 - i64::from(n));
        let mut target = Chat::new(id, ChatKind::Broadcast, "Target", now.unix_secs());
        target.username = Some(format!("target{n}"));
        for account in &plan.accounts {
            target.put(*account, Role::Admin(AdminRights::default()), now);
        }
        plan.world.add_chat(target);
    }
    let stage = Stage::set(plan, dir.path()).await.map_err(|failure| anyhow::anyhow!("{}", failure.line()))?;
    let meter = Arc::new(Meter::default());
    let dynamo = Proxy::before(stage.engines.dynamo_endpoint(), meter.clone()).await?;
    let sqs = Proxy::before(stage.engines.sqs_endpoint(), meter.clone()).await?;
    let table = DynamoClient::new(&local_config(dynamo.endpoint()));
    let table = Arc::new(DynamoTable::new(&table, stage.engines.table_name(), BOT_ID));
    let queue = SqsClient::new(&local_config(sqs.endpoint()));
    let queue = Arc::new(SqsQueue::new(&queue, stage.engines.queue().url()));
    let audience = Audience { bot: Some(Arc::new(MemoryBot::new())), admins: vec![ADMIN] };
    // As in AWS, where it cannot know that it is alone.
    let who = Who { id: HostId::from("host"), alone: false };
    let life = Life { who, table: table.clone(), queue: queue.clone(), audience, ..stage.life() };

    let stop = CancellationToken::new();
    let mut host = JoinSet::new();
    let began = Instant::now();
    let (mut tasks, mut delivered, mut chunks) = (Vec::new(), 0, 0);
    if scenario.tasks == 0 {
        host.spawn(life.live(stop.clone()));
        // Not its start: that is once.
        tokio::time::sleep(Duration::from_secs(5)).await;
        meter.take();
        tokio::time::sleep(IDLE).await;
    } else {
        for n in 1..=scenario.tasks {
            tasks.push(asked_for(scenario, n, &table, &queue).await?);
        }
        host.spawn(life.live(stop.clone()));
        tokio::time::timeout(PATIENCE, async {
            for task in &tasks {
                over(&stage, task, &mut host).await?;
            }
            anyhow::Ok(())
        })
        .await
        .context("the transfers are not over")??;
    }
    let (counted, elapsed) = (meter.take(), if tasks.is_empty() { IDLE } else { began.elapsed() });
    for task in &tasks {
        chunks += stage.table.partition(&format!("TASK#{task}"), "CHUNK#").await?.len();
        if let Some(Item::Task(task)) = stage.table.get(&Key::task(task)).await?.map(|record| record.item) {
            delivered += task.checkpoint.counts.delivered;
        }
    }
    stop.cancel();
    while host.join_next().await.is_some() {}
    stage.engines.stop().await;
    Ok(json!({
        "scenario": scenario.name,
        "secs": elapsed.as_secs_f64(),
        "accounts": ACCOUNTS,
        "messages": delivered,
        "chunks": chunks,
        "counted": counted,
    }))
}

/// A task, with its part of the source for itself and a target of its own.
async fn asked_for(scenario: &Scenario, n: u32, table: &DynamoTable, queue: &SqsQueue) -> anyhow::Result<TaskId> {
    let named = |name: &str| PeerAddress::Username(name.to_owned());
    let nonce = Nonce(u128::from(n).to_be_bytes());
    let pace = (scenario.pace)();
    let asked =
        NewTask { pace, ..NewTask::new(TaskId(format!("t{n}")), nonce, named("source"), named(&format!("target{n}"))) };
    let task = asked.build(Clock::system().now())?;
    submit::submit(table, queue, &task).await?;
    Ok(task.id)
}

async fn over(
    stage: &Stage,
    id: &TaskId,
    host: &mut JoinSet<Result<(), ferry::failure::Failure>>,
) -> anyhow::Result<()> {
    loop {
        ensure!(host.try_join_next().is_none(), "the host ended");
        let record = stage.table.get(&Key::task(id)).await?;
        match record.map(|record| record.item) {
            Some(Item::Task(task)) => match task.state {
                TaskState::Done { .. } => return Ok(()),
                TaskState::Parked { .. } | TaskState::Paused { .. } | TaskState::Failed { .. } => {
                    bail!("task {id} is {}", task.state)
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            _ => bail!("task {id} is gone"),
        }
    }
}
