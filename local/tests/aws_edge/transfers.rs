//! Whole transfers by the real host, with the AWS edge at its worst: each kind of fault strikes, drawn from a seed, and the
//! audit finds every message once, in order, albums whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferry::audit::observe::{ledger, observe};
use ferry::audit::{Evidence, Report, judge};
use ferry::demo::stage::{Plan, SourceMix, Stage, flood_model};
use ferry::engines::Engines;
use ferry::host::Life;
use ferry::sqs::doubling::Doubling;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use simulator::scenario::TARGET;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::aws::{DynamoClient, local_config};
use transfer::clock::Clock;
use transfer::ids::{Nonce, TaskId};
use transfer::pace::Pace;
use transfer::submit::{self, NewTask};
use transfer::table::dynamo::DynamoTable;
use transfer::table::{Item, Key};
use transfer::task::{Task, TaskState};

use super::faults::{EXPIRED, Fault, QUEUE_THROTTLED, RECEIPT_EXPIRED, leave_out};
use super::proxy::{Answer, Call, Fate, Loss, Proxy, Warden};
use super::stand::queue_at;

/// Of a thousand calls, so many are struck.
const PERMILLE: u32 = 120;
/// A call that is met with silence takes 5 s: so many are enough.
const SILENCES_MAX: u32 = 2;
/// Longer than any of these transfers.
const PATIENCE: Duration = Duration::from_secs(150);
/// Lives of the host: one that may not act any more ends, and is started again, as its service does it in AWS.
const LIVES_MAX: u32 = 8;
const MESSAGES: i32 = 2_500;
const BATCH_LEN: u32 = 300;

const WRITES: [Fault; 14] = [
    Fault::Refused("ProvisionedThroughputExceededException"),
    Fault::Refused("ThrottlingException"),
    Fault::Refused("RequestLimitExceeded"),
    Fault::Refused("TransactionConflictException"),
    Fault::Refused(EXPIRED),
    Fault::Unclear("TransactionInProgressException"),
    Fault::Server("InternalServerError"),
    Fault::Server("ServiceUnavailable"),
    Fault::Lost(true, Loss::Cut),
    Fault::Lost(false, Loss::Cut),
    Fault::Lost(true, Loss::Half),
    Fault::Lost(true, Loss::Status(503)),
    Fault::Lost(true, Loss::Silence),
    Fault::Lost(false, Loss::Silence),
];
const TRANSACTIONS: [Fault; 3] = [
    Fault::Cancelled("TransactionConflict"),
    Fault::Cancelled("ThrottlingError"),
    Fault::Cancelled("ProvisionedThroughputExceeded"),
];
const READS: [Fault; 6] = [
    Fault::Refused("ThrottlingException"),
    Fault::Refused(EXPIRED),
    Fault::Server("InternalServerError"),
    Fault::Lost(true, Loss::Cut),
    Fault::Lost(false, Loss::Half),
    Fault::Lost(true, Loss::Status(500)),
];
const JOBS: [Fault; 6] = [
    QUEUE_THROTTLED,
    Fault::Queue("ExpiredToken", "The security token included in the request is expired"),
    Fault::Lost(true, Loss::Cut),
    Fault::Lost(false, Loss::Cut),
    Fault::Lost(true, Loss::Half),
    Fault::Lost(true, Loss::Status(500)),
];

/// Which faults an operation can meet.
fn faults_of(operation: &str) -> Vec<Fault> {
    match operation {
        "PutItem" | "DeleteItem" => WRITES.to_vec(),
        "TransactWriteItems" => [&WRITES[..], &TRANSACTIONS].concat(),
        "BatchGetItem" => [&READS[..], &[Fault::LeftOut]].concat(),
        "GetItem" | "Query" => READS.to_vec(),
        "DeleteMessage" | "ChangeMessageVisibility" => [&JOBS[..], &[RECEIPT_EXPIRED]].concat(),
        "SendMessage" | "ReceiveMessage" => JOBS.to_vec(),
        _ => Vec::new(),
    }
}

/// Strikes at random: of the faults that an operation can meet, one of those that it met least.
struct Weather {
    state: Mutex<State>,
}

struct State {
    rng: ChaCha8Rng,
    met: BTreeMap<(String, String), u32>,
    silences: u32,
}

impl Weather {
    fn of(seed: u64) -> Arc<Self> {
        let state = State { rng: ChaCha8Rng::seed_from_u64(seed), met: BTreeMap::new(), silences: 0 };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn met(&self) -> BTreeMap<(String, String), u32> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).met.clone()
    }
}

impl State {
    fn draw(&mut self, operation: &str) -> Option<Fault> {
        if self.rng.random_range(0..1_000) >= PERMILLE {
            return None;
        }
        let mut faults = faults_of(operation);
        faults.retain(|fault| self.silences < SILENCES_MAX || !matches!(fault, Fault::Lost(_, Loss::Silence)));
        let times = |fault: &Fault| self.met.get(&(operation.to_owned(), format!("{fault:?}"))).copied().unwrap_or(0);
        let least = faults.iter().map(times).min()?;
        faults.retain(|fault| times(fault) == least);
        let fault = faults[self.rng.random_range(0..faults.len())];
        if matches!(fault, Fault::Lost(_, Loss::Silence)) {
            self.silences += 1;
        }
        Some(fault)
    }

    fn note(&mut self, operation: &str, fault: Fault) {
        *self.met.entry((operation.to_owned(), format!("{fault:?}"))).or_default() += 1;
    }
}

impl Warden for Weather {
    fn fate(&self, call: &mut Call) -> Fate {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.draw(&call.operation) {
            // Those depend on the answer.
            None | Some(Fault::LeftOut) => Fate::Passed,
            Some(fault) => {
                state.note(&call.operation, fault);
                fault.fate(call)
            }
        }
    }

    fn answered(&self, call: &Call, answer: &mut Answer) {
        if call.operation == "BatchGetItem" && leave_out(answer) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.note(&call.operation, Fault::LeftOut);
        }
    }
}

struct Story {
    seed: u64,
    report: Report,
    met: BTreeMap<(String, String), u32>,
    lives: u32,
    doubled: u64,
}

/// One transfer, from the request to the audit.
async fn carried(seed: u64) -> Story {
    let dir = tempfile::tempdir().unwrap();
    let doubling = Doubling::within(1_500);
    let engines = Engines::start_with(dir.path(), Some(doubling.clone())).await.unwrap();
    let floods = flood_model("900:1", 2).unwrap();
    let plan = Plan::generated(seed, 2, MESSAGES, SourceMix::Everything, floods);
    let stage = Stage::set_on(engines, plan, dir.path()).await.unwrap();
    let weather = Weather::of(seed);
    let dynamo = Proxy::before(stage.engines.dynamo_endpoint(), weather.clone()).await.unwrap();
    let sqs = Proxy::before(stage.engines.sqs_endpoint(), weather.clone()).await.unwrap();
    let client = DynamoClient::new(&local_config(dynamo.endpoint()));
    let table = Arc::new(DynamoTable::new(&client, stage.engines.table_name(), ferry::host::BOT_ID));
    let queue = Arc::new(queue_at(&stage.engines, &sqs));

    let named = |name: &str| PeerAddress::Username(name.to_owned());
    let task = NewTask {
        pace: Pace::none(),
        batch_len: BATCH_LEN,
        ..NewTask::new(TaskId::from("t"), Nonce([7; 16]), named("source"), named("target"))
    };
    let task = task.build(Clock::system().now()).unwrap();
    submit::submit(stage.table.as_ref(), stage.queue.as_ref(), &task).await.unwrap();

    let stop = CancellationToken::new();
    let live = || Life { table: table.clone(), queue: queue.clone(), ..stage.life() }.live(stop.clone());
    let mut host = JoinSet::new();
    host.spawn(live());
    let (mut lives, mut ends_at_ms) = (1, Vec::new());
    let ended = tokio::time::timeout(PATIENCE, async {
        loop {
            let task = now(&stage, &task.id).await;
            if task.state.is_over() || matches!(task.state, TaskState::Parked { .. }) {
                return task.state;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
                Some(ended) = host.join_next() => {
                    ends_at_ms.push(Clock::system().now().as_millisecond());
                    lives += 1;
                    assert!(lives <= LIVES_MAX, "seed {seed}: the host ends again and again: {:?}", ended.unwrap().err());
                    host.spawn(live());
                }
            }
        }
    })
    .await;
    stop.cancel();
    while host.join_next().await.is_some() {}
    let ended = ended.unwrap_or_else(|_| panic!("seed {seed}: not over after {} s", PATIENCE.as_secs()));
    assert!(matches!(ended, TaskState::Done { .. }), "seed {seed}: {ended:?}");

    let skipped = ledger(stage.table.as_ref(), &task.id).await.unwrap();
    let seen = stage.simulation.with_world(|world| observe(world, stage.source, TARGET));
    let accounts = stage.accounts.iter().map(|account| account.0).collect();
    let report = judge(&Evidence { skipped, accounts, kills_at_ms: ends_at_ms, ..seen });
    let counts = now(&stage, &task.id).await.checkpoint.counts;
    assert_eq!(counts.delivered, report.delivered, "seed {seed}: what is counted is what arrived");
    stage.engines.stop().await;
    Story { seed, report, met: weather.met(), lives, doubled: doubling.count() }
}

async fn now(stage: &Stage, id: &TaskId) -> Task {
    match stage.table.get(&Key::task(id)).await.unwrap().map(|record| record.item) {
        Some(Item::Task(task)) => *task,
        other => panic!("{other:?} is no task"),
    }
}

/// The seeds of a run; `FERRY_EDGE_SEED` is one to repeat.
#[expect(clippy::disallowed_methods, reason = "it belongs to no program: whoever repeats a run names its seed")]
fn seeds() -> Vec<u64> {
    std::env::var("FERRY_EDGE_SEED").map_or_else(|_| vec![1, 2, 3], |seed| vec![seed.parse().unwrap()])
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what was met is told with the result")]
async fn transfers_survive_the_worst_of_aws() {
    let mut running = JoinSet::new();
    for seed in seeds() {
        running.spawn(carried(seed));
    }
    let mut met: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut doubled = 0;
    while let Some(story) = running.join_next().await {
        let story = story.unwrap();
        let seed = story.seed;
        assert_eq!(
            story.report.broken(),
            None,
            "repeat it: FERRY_EDGE_SEED={seed} cargo test -p ferry --test aws_edge transfers"
        );
        assert!(story.report.delivered > 2_000, "seed {seed}: {} delivered", story.report.delivered);
        eprintln!("seed {seed}: {} delivered, {} lives", story.report.delivered, story.lives);
        doubled += story.doubled;
        for (fault, times) in story.met {
            *met.entry(fault).or_default() += times;
        }
    }
    for ((operation, fault), times) in &met {
        eprintln!("{operation} {fault}: {times}");
    }
    assert!(doubled > 0, "no job was delivered twice");
    // A run that met nothing proves nothing.
    for operation in ["TransactWriteItems", "PutItem", "GetItem", "ReceiveMessage"] {
        for fault in faults_of(operation) {
            let fault = format!("{fault:?}");
            let seen = met.contains_key(&(operation.to_owned(), fault.clone())) || fault.contains("Silence");
            assert!(seen, "{operation} never met {fault}");
        }
    }
    assert!(met.keys().any(|(_, fault)| fault.contains("Silence")), "nobody was met with silence");
    assert!(met.keys().any(|(_, fault)| fault.contains("LeftOut")), "no list came in pieces");
    assert!(met.contains_key(&("DeleteMessage".to_owned(), format!("{RECEIPT_EXPIRED:?}"))), "no receipt expired");
}
