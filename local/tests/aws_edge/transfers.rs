//! Whole transfers by the real host, with the AWS edge at its worst: each kind of fault strikes, drawn from a seed, and the
//! audit finds every message once, in order, albums whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferry::audit::observe::{ledger, observe};
use ferry::audit::{Evidence, Report, judge};
use ferry::demo::stage::{Plan, SourceMix, Stage, flood_model};
use ferry::engines::Engines;
use ferry::host::Life;
use ferry::sqs::doubling::Doubling;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use session_host::telegram::{GrammersTelegram, OpenError, Telegram as _};
use simulator::scenario::TARGET;
use simulator::world::floods::FloodModel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::account::AccountState;
use transfer::address::PeerAddress;
use transfer::aws::{DynamoClient, local_config};
use transfer::clock::Clock;
use transfer::ids::{AccountId, Nonce, TaskId};
use transfer::pace::Pace;
use transfer::submit::{self, NewTask};
use transfer::table::dynamo::DynamoTable;
use transfer::table::{Item, Key};
use transfer::task::{Task, TaskState};

use super::faults::{EXPIRED, Fault, QUEUE_THROTTLED, RECEIPT_EXPIRED, leave_out};
use super::proxy::{Answer, Call, Fate, Loss, Proxy, Warden};
use super::stand::{Next, queue_at};

/// Of a thousand calls, so many are struck.
const PERMILLE: u32 = 180;
/// A call that is met with silence takes 5 s: so many are enough.
const SILENCES_MAX: u32 = 4;
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

/// What struck, by operation and fault, in all transfers.
type Met = Arc<Mutex<BTreeMap<(String, String), u32>>>;

/// Strikes at random: of the faults that an operation can meet, one of those that were met least.
struct Weather {
    rng: Mutex<ChaCha8Rng>,
    met: Met,
}

impl Weather {
    fn of(seed: u64, met: Met) -> Arc<Self> {
        Arc::new(Self { rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed)), met })
    }

    fn met(&self) -> MutexGuard<'_, BTreeMap<(String, String), u32>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, operation: &str, fault: Fault) {
        *self.met().entry((operation.to_owned(), format!("{fault:?}"))).or_default() += 1;
    }

    fn draw(&self, operation: &str) -> Option<Fault> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        if rng.random_range(0..1_000) >= PERMILLE {
            return None;
        }
        let met = self.met();
        let silence = |fault: &Fault| matches!(fault, Fault::Lost(_, Loss::Silence));
        let silences: u32 =
            met.iter().filter(|((_, fault), _)| fault.contains("Silence")).map(|(_, times)| times).sum();
        let mut faults = faults_of(operation);
        faults.retain(|fault| silences < SILENCES_MAX || !silence(fault));
        let times = |fault: &Fault| met.get(&(operation.to_owned(), format!("{fault:?}"))).copied().unwrap_or(0);
        let least = faults.iter().map(times).min()?;
        faults.retain(|fault| times(fault) == least);
        Some(faults[rng.random_range(0..faults.len())])
    }
}

impl Warden for Weather {
    fn fate(&self, call: &mut Call) -> Fate {
        match self.draw(&call.operation) {
            // That depends on the answer.
            None | Some(Fault::LeftOut) => Fate::Passed,
            Some(fault) => {
                self.note(&call.operation, fault);
                fault.fate(call)
            }
        }
    }

    fn answered(&self, call: &Call, answer: &mut Answer) {
        if call.operation == "BatchGetItem" && leave_out(answer) {
            self.note(&call.operation, Fault::LeftOut);
        }
    }
}

struct Story {
    seed: u64,
    report: Report,
    lives: u32,
    doubled: u64,
}

/// One transfer, from the request to the audit.
async fn carried(seed: u64, met: Met) -> Story {
    let dir = tempfile::tempdir().unwrap();
    let doubling = Doubling::within(1_500);
    let engines = Engines::start_with(dir.path(), Some(doubling.clone())).await.unwrap();
    let floods = flood_model("900:1", 2).unwrap();
    let plan = Plan::generated(seed, 2, MESSAGES, SourceMix::Everything, floods);
    let stage = Stage::set_on(engines, plan, dir.path()).await.unwrap();
    let weather = Weather::of(seed, met);
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
                    let why = ended.unwrap().err();
                    tracing::warn!(?why, "a life of the host ended");
                    assert!(lives <= LIVES_MAX, "seed {seed}: the host ends again and again: {why:?}");
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
    for account in &stage.accounts {
        let key = Key::account(&AccountId(account.0.to_string()));
        let record = stage.table.get(&key).await.unwrap().unwrap();
        let Item::Account(account) = record.item else { panic!("{key} is no account") };
        assert_eq!(account.state, AccountState::Ready, "seed {seed}: AWS took an account away: {:?}", account.reason);
    }
    stage.engines.stop().await;
    Story { seed, report, lives, doubled: doubling.count() }
}

async fn now(stage: &Stage, id: &TaskId) -> Task {
    match stage.table.get(&Key::task(id)).await.unwrap().map(|record| record.item) {
        Some(Item::Task(task)) => *task,
        other => panic!("{other:?} is no task"),
    }
}

/// The seeds of a run; `FERRY_EDGE_SEED` is one to repeat, with the host's log.
#[expect(clippy::disallowed_methods, reason = "it belongs to no program: whoever repeats a run names its seed")]
fn seeds() -> Vec<u64> {
    let Ok(seed) = std::env::var("FERRY_EDGE_SEED") else { return vec![1, 2, 3] };
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    vec![seed.parse().unwrap()]
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what was met is told with the result")]
async fn transfers_survive_the_worst_of_aws() {
    let (seeds, met) = (seeds(), Met::default());
    let mut running = JoinSet::new();
    for seed in seeds.clone() {
        running.spawn(carried(seed, met.clone()));
    }
    let mut doubled = 0;
    while let Some(story) = running.join_next().await {
        let story = story.unwrap();
        let (seed, report) = (story.seed, story.report);
        let again = format!("repeat it: FERRY_EDGE_SEED={seed} cargo test -p ferry --test aws_edge transfers");
        assert_eq!(report.broken(), None, "{again}");
        assert!(report.delivered > 2_000, "{} delivered; {again}", report.delivered);
        eprintln!("seed {seed}: {} delivered, {} lives, {} s", report.delivered, story.lives, report.elapsed_secs);
        doubled += story.doubled;
    }
    let met = met.lock().unwrap().clone();
    for ((operation, fault), times) in &met {
        eprintln!("{operation} {fault}: {times}");
    }
    if seeds.len() > 1 {
        shown(&met, doubled);
    }
}

/// A run that met nothing proves nothing: each kind of fault struck where it matters.
fn shown(met: &BTreeMap<(String, String), u32>, doubled: u64) {
    assert!(doubled > 0, "no job was delivered twice");
    let commits = ["TransactWriteItems", "PutItem"];
    let jobs = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"];
    let struck = |operations: &[&str], fault: &Fault| {
        let fault = format!("{fault:?}");
        operations.iter().any(|operation| met.contains_key(&((*operation).to_owned(), fault.clone())))
    };
    for fault in WRITES.iter().filter(|fault| !matches!(fault, Fault::Lost(_, Loss::Silence))) {
        assert!(struck(&commits, fault), "no commit met {fault:?}");
    }
    assert!(struck(&commits, &WRITES[12]) || struck(&commits, &WRITES[13]), "no commit was met with silence");
    for fault in &TRANSACTIONS {
        assert!(struck(&["TransactWriteItems"], fault), "no transaction met {fault:?}");
    }
    for fault in &READS {
        assert!(struck(&["GetItem"], fault), "no read met {fault:?}");
    }
    for fault in &JOBS {
        assert!(struck(&jobs, fault), "no call to the queue met {fault:?}");
    }
    assert!(struck(&["BatchGetItem"], &Fault::LeftOut), "no list came in pieces");
    assert!(struck(&jobs, &RECEIPT_EXPIRED), "no receipt expired");
}

/// What AWS does while a session is read says nothing about the session: the account stays in the pool.
#[tokio::test]
async fn a_table_that_fails_takes_no_session_away() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::set(Plan::generated(1, 1, 1, SourceMix::Text, FloodModel::none()), dir.path()).await.unwrap();
    let account = AccountId(stage.accounts[0].0.to_string());
    for fault in [Fault::Refused(EXPIRED), Fault::Refused("AccessDeniedException"), Fault::Lost(true, Loss::Silence)] {
        let warden = Next::of("GetItem", [fault]);
        let proxy = Proxy::before(stage.engines.dynamo_endpoint(), warden).await.unwrap();
        let client = DynamoClient::new(&local_config(proxy.endpoint()));
        let table = Arc::new(DynamoTable::new(&client, stage.engines.table_name(), ferry::host::BOT_ID));
        let setup = stage.simulation.setup().unwrap();
        let telegram = GrammersTelegram::new(setup, stage.keys.sessions(table), Clock::system());
        let opened = telegram.open(&account).await.err();
        assert!(matches!(opened, Some(OpenError::Unreachable(_))), "{fault:?}: {opened:?}");
        telegram.open(&account).await.unwrap().close().await;
    }
    stage.engines.stop().await;
}
