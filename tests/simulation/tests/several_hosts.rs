//! Hosts and tasks that want the same accounts: nobody starves, and nobody gives up what nobody looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use session_host::engine::{HostConfig, Ports, SessionHost};
use simulation::{ACCOUNT_IDS, InProcess, Stage, TARGET};
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::faults::{Fault, FaultScript};
use simulator::world::generated::Mix;
use simulator::world::{ChatId, UserId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::address::PeerAddress;
use transfer::ids::{HostId, Incarnation, Nonce};
use transfer::pace::Pace;
use transfer::task::{Endpoint, Task, TaskState};

const FORWARD: &str = "messages.forwardMessages";

/// A host that works on so many tasks at a time; dead when the set is dropped.
fn start(stage: &Stage, host: &str, tasks_max: usize) -> JoinSet<()> {
    let config = HostConfig {
        id: HostId::from(host),
        release: "test".to_owned(),
        incarnation: Incarnation(format!("{host}-1")),
        exclusive: false,
        alone: false,
        tasks_max,
        chunk_len_max: 100,
        zone: jiff::tz::TimeZone::UTC,
        admins: Vec::new(),
        only_account: None,
        check_idle_after: session_host::engine::CHECK_IDLE_AFTER,
    };
    let ports = Ports {
        telegram: Arc::new(InProcess::new(stage.world.clone())),
        table: stage.table.clone(),
        queue: stage.queue.clone(),
        bot: None,
        reception: None,
        clock: stage.clock.clone(),
    };
    let mut running = JoinSet::new();
    running.spawn(async move {
        let ended = SessionHost::new(config, ports, CancellationToken::new()).run().await;
        panic!("nobody stopped the host: {ended:?}");
    });
    running
}

/// Another target, in which the first `accounts` may post.
fn add_target(stage: &Stage, number: i64, accounts: usize) -> ChatId {
    let id = ChatId(TARGET.0 - number);
    let mut world = stage.world();
    let now = world.now();
    let mut chat = Chat::new(id, ChatKind::Broadcast, "Another target", 1_700_000_000);
    chat.username = Some(format!("target{number}"));
    for account in &ACCOUNT_IDS[..accounts] {
        chat.put(UserId(*account), Role::Admin(AdminRights::default()), now);
    }
    world.add_chat(chat);
    id
}

/// Tasks of small batches, each to a target of its own.
async fn submit(stage: &Stage, tasks: u8, accounts: usize) -> Vec<ChatId> {
    submit_with(stage, tasks, accounts, Pace::none()).await
}

async fn submit_with(stage: &Stage, tasks: u8, accounts: usize, pace: Pace) -> Vec<ChatId> {
    let mut targets = Vec::new();
    for number in 1..=tasks {
        targets.push(submit_one(stage, number, accounts, pace, 10).await);
    }
    targets
}

async fn submit_one(stage: &Stage, number: u8, accounts: usize, pace: Pace, batch_len: u32) -> ChatId {
    let chat = add_target(stage, i64::from(number), accounts);
    let address = PeerAddress::Username(format!("target{number}"));
    let target = Endpoint { address, peer: None, title: None, topic: None };
    let id = format!("t{number}");
    stage.submit(Task { target, pace, batch_len, nonce: Nonce([number; 16]), ..stage.task(&id) }).await;
    chat
}

/// When each target was written to, in ms since the first write anywhere.
fn writes(stage: &Stage) -> BTreeMap<ChatId, Vec<i64>> {
    let mut writes: BTreeMap<ChatId, Vec<i64>> = BTreeMap::new();
    let calls = stage.calls(FORWARD);
    let begin = calls.first().map_or(0, |call| call.at.0);
    for call in calls {
        writes.entry(call.target.expect("a forward has a target")).or_default().push(call.at.0 - begin);
    }
    writes
}

/// The longest time for which a task that was not done had no turn.
fn longest_pause_ms(writes: &[i64]) -> i64 {
    let first = writes.first().copied().unwrap_or(i64::MAX);
    writes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0).max(first)
}

async fn all_done(stage: &Stage, tasks: u8) {
    for number in 1..=tasks {
        let task = stage.until_settled(&format!("t{number}")).await;
        assert!(matches!(task.state, TaskState::Done { .. }), "t{number}: {:?}", task.state);
    }
}

/// An account that rests at a busy host is not kept from the task of another one: hosts take turns at batch ends.
#[tokio::test(start_paused = true)]
async fn hosts_that_want_one_account_take_turns() {
    let stage = Stage::new(1_000, Mix::text_only(), 1).await;
    let targets = submit(&stage, 3, 1).await;
    let _hosts = [start(&stage, "x", 1), start(&stage, "y", 1), start(&stage, "z", 1)];
    all_done(&stage, 3).await;
    let writes = writes(&stage);
    for target in targets {
        let pause_ms = longest_pause_ms(&writes[&target]);
        assert!(pause_ms < 60_000, "{target:?} had no turn for {pause_ms} ms");
    }
    stage.assert_no_call_during_a_wait();
}

/// An account that no task of its host needs is let go as soon as another host's task waits for it.
#[tokio::test(start_paused = true)]
async fn an_account_at_rest_goes_where_it_is_wanted() {
    let mut stage = Stage::new(100, Mix::text_only(), 1).await;
    stage.submit(stage.task("first")).await;
    let _first = stage.start_host("x", false);
    stage.until_settled("first").await;
    // The first host is full of nothing: it holds the account, and the second one gets the job.
    let target = submit(&stage, 1, 1).await[0];
    let _second = start(&stage, "y", 1);
    all_done(&stage, 1).await;
    assert!(!writes(&stage)[&target].is_empty());
}

/// More tasks than accounts, and more than the host takes on at a time: every one goes on.
#[tokio::test(start_paused = true)]
async fn with_more_tasks_than_accounts_and_permits_none_starves() {
    let stage = Stage::new(300, Mix::text_only(), 2).await;
    let targets = submit(&stage, 9, 2).await;
    let _host = start(&stage, "x", 3);
    all_done(&stage, 9).await;
    let writes = writes(&stage);
    for target in targets {
        let pause_ms = longest_pause_ms(&writes[&target]);
        assert!(pause_ms < 60_000, "{target:?} had no turn for {pause_ms} ms");
    }
}

/// More tasks than the host takes on at a time, all with long pauses: those that sleep make room for those that can go on.
#[tokio::test(start_paused = true)]
async fn tasks_that_sleep_make_room() {
    let stage = Stage::new(30, Mix::text_only(), 2).await;
    let pace = Pace { pause_after_files: 10, pause_duration_ms: 240_000, ..Pace::none() };
    let targets = submit_with(&stage, 9, 2, pace).await;
    let _host = start(&stage, "x", 3);
    all_done(&stage, 9).await;
    let writes = writes(&stage);
    for target in targets {
        let (first_ms, count) = (writes[&target][0], writes[&target].len());
        assert!(first_ms < 60_000, "{target:?} began after {first_ms} ms, when the pauses of others were not over");
        assert_eq!(count, 3);
        let pause_ms = longest_pause_ms(&writes[&target]);
        assert!((240_000..270_000).contains(&pause_ms), "{target:?} paused for {pause_ms} ms");
    }
}

/// A task that slept has no job any more; with no job in flight nothing but the order of things keeps its run apart from the
/// next, which it has to ask for when others need its place.
#[tokio::test(start_paused = true)]
async fn the_next_batch_of_a_task_that_slept_is_not_lost() {
    let stage = Stage::new(300, Mix::text_only(), 2).await;
    let pause_of = |millis| Pace { pause_after_files: 100, pause_duration_ms: millis, ..Pace::none() };
    submit_one(&stage, 1, 2, pause_of(240_000), 150).await;
    let _host = start(&stage, "x", 2);
    stage.until("t1", |task| task.checkpoint.counts.delivered == 100).await;
    // After the last look of that pause another task takes the other place, and keeps it through a short pause of its own.
    tokio::time::sleep(Duration::from_secs(235)).await;
    submit_one(&stage, 2, 2, pause_of(20_000), 500).await;
    let task = stage.until("t1", |task| task.checkpoint.batches == 1).await;
    assert_eq!(task.seq, 2, "the host is full");
    let task = stage.until("t1", |task| task.checkpoint.counts.delivered == 250).await;
    assert_eq!(task.seq, 2, "no job was sent again by the sweeper");
    all_done(&stage, 2).await;
}

/// An hour in which no host was up is no hour of trying: whoever comes back settles first.
#[tokio::test(start_paused = true)]
async fn an_uncertain_chunk_outlives_a_long_absence_of_all_hosts() {
    let mut stage = Stage::new(150, Mix::text_only(), 1).await;
    let fault = Fault::CutAfter;
    let script = FaultScript { account: None, method: Some(FORWARD.into()), times: 1, after: 0, fault };
    stage.world().faults.scripts.push(script);
    stage.submit(stage.task("t")).await;
    let host = stage.start_host("h", true);
    stage
        .until("t", |task| task.checkpoint.intent.as_ref().is_some_and(|intent| intent.uncertain_since.is_some()))
        .await;
    host.kill().await;
    tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(matches!(task.state, TaskState::Done { .. }), "{:?}", task.state);
    stage.assert_exactly_once();
}
