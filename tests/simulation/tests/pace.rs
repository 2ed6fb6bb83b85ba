//! Pauses of the pace: a host sleeps through them with the task in hand, and nobody has to wait for that.

use std::time::Duration;

use simulation::{ACCOUNT_IDS, HostHandle, Stage};
use simulator::world::generated::Mix;
use transfer::ids::TaskId;
use transfer::pace::Pace;
use transfer::queue::Queue;
use transfer::submit;
use transfer::table::{Item, Key, Record, Table};
use transfer::task::{Task, TaskState, Wish};

const FORWARD: &str = "messages.forwardMessages";
/// What a chunk of 100 costs here: longer than a task waits without anybody being told, shorter than a host sleeps.
const PAUSE_MS: u64 = 240_000;

fn pause_of(millis: u64) -> Pace {
    Pace { pause_after_files: 100, pause_duration_ms: millis, ..Pace::none() }
}

async fn submit_paced(stage: &Stage, pace: Pace) {
    stage.submit(Task { pace, ..stage.task("t") }).await;
}

/// A host that has carried the first of three chunks, and sleeps with the task.
async fn asleep() -> (Stage, HostHandle) {
    let mut stage = Stage::new(300, Mix::text_only(), 1).await;
    submit_paced(&stage, pause_of(PAUSE_MS)).await;
    let host = stage.start_host("h", false);
    let at_rest = |task: &Task| task.checkpoint.intent.is_none() && task.checkpoint.counts.delivered > 0;
    stage.until("t", at_rest).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let task = stage.read_task("t").await;
    assert!(task.pauses_until(stage.clock.now()).is_some() && task.lease.is_some(), "{:?}", task.state);
    (stage, host)
}

async fn wish(stage: &Stage, wish: Wish) {
    let wished = submit::wish(stage.table.as_ref(), &TaskId::from("t"), wish, None, stage.clock.now()).await;
    wished.expect("the table in memory takes a wish");
}

fn assert_done(stage: &Stage, task: &Task) {
    assert!(matches!(task.state, TaskState::Done { .. }), "{:?}", task.state);
    stage.assert_exactly_once();
}

/// The shortest time between two chunks.
fn shortest_pause_ms(stage: &Stage) -> i64 {
    let calls = stage.calls(FORWARD);
    calls.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).min().expect("there were two chunks")
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_task_needs_no_job_to_go_on() {
    let (stage, _host) = asleep().await;
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_eq!(task.seq, 1, "no job but the first");
    assert!(shortest_pause_ms(&stage) >= i64::try_from(PAUSE_MS).unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_the_admin_wishes_of_a_sleeping_task_is_done_within_ten_seconds() {
    for (wished, word) in [(Wish::Pause, "paused"), (Wish::Cancel, "cancelled")] {
        let (stage, _host) = asleep().await;
        wish(&stage, wished).await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        let task = stage.read_task("t").await;
        assert_eq!((task.state.word(), task.lease), (word, None));
        assert_eq!(stage.delivered().len(), 100);
        if wished == Wish::Pause {
            let now = stage.clock.now();
            submit::resume(stage.table.as_ref(), stage.queue.as_ref(), &task.id, now).await.unwrap();
            let task = stage.until_settled("t").await;
            assert_done(&stage, &task);
            assert!(
                shortest_pause_ms(&stage) >= i64::try_from(PAUSE_MS).unwrap(),
                "resuming does not cut the pause short"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_stops_in_its_sleep_hands_the_task_on() {
    let (mut stage, host) = asleep().await;
    host.stop().await.unwrap();
    let left = stage.read_task("t").await;
    assert_eq!((left.lease, left.state.word()), (None, "ready"));
    let _other = stage.start_host("i", false);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert!(shortest_pause_ms(&stage) >= i64::try_from(PAUSE_MS).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_dies_in_its_sleep_costs_no_more_time_than_the_pause_has_left() {
    let (mut stage, host) = asleep().await;
    host.kill().await;
    // As long as a job stays out of sight.
    tokio::time::sleep(Duration::from_secs(121)).await;
    let jobs = stage.queue.receive(1, Duration::from_secs(1), Duration::ZERO).await.unwrap();
    assert!(jobs.is_empty(), "the job was deleted when the sleep began");
    let _other = stage.start_host("i", false);
    stage.until("t", |task| task.checkpoint.counts.delivered > 100).await;
    let calls = stage.calls(FORWARD);
    let pause_ms = calls[1].at.0 - calls[0].at.0;
    // Its 100 s of silence are over before the pause is.
    assert!(pause_ms < i64::try_from(PAUSE_MS).unwrap() + 10_000, "{pause_ms} ms");
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
}

/// Where every chunk is followed by a pause, tasks take turns there: the end of a batch is one more item, and no job.
#[tokio::test(start_paused = true)]
async fn a_task_that_sleeps_goes_on_over_the_ends_of_batches() {
    for batch_len in [100, 150] {
        let mut stage = Stage::new(300, Mix::text_only(), 1).await;
        stage.submit(Task { pace: pause_of(PAUSE_MS), batch_len, ..stage.task("t") }).await;
        let _host = stage.start_host("h", false);
        let task = stage.until_settled("t").await;
        assert_done(&stage, &task);
        assert_eq!((task.seq, task.lease_epoch), (1, 1), "one job and one run");
        assert_eq!(task.checkpoint.batches, 300 / batch_len);
    }
}

/// One that pauses no more gives its account up at the ends of batches like any other.
#[tokio::test(start_paused = true)]
async fn a_task_that_sleeps_no_more_takes_turns_at_the_ends_of_batches() {
    let mut stage = Stage::new(400, Mix::text_only(), 1).await;
    stage.submit(Task { pace: pause_of(PAUSE_MS), batch_len: 100, ..stage.task("t") }).await;
    let _host = stage.start_host("h", false);
    stage.until("t", |task| task.checkpoint.batches == 1).await;
    let (id, none, now) = (TaskId::from("t"), Some(Pace::none()), stage.clock.now());
    submit::wish(stage.table.as_ref(), &id, Wish::Run, none, now).await.unwrap();
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    // It slept in the second batch, and no more.
    assert_eq!((task.seq, task.checkpoint.batches), (3, 4));
}

/// Nobody comes back for the account of a task that was paused: it is let go of like any that rests.
#[tokio::test(start_paused = true)]
async fn the_account_of_a_task_that_was_paused_in_its_sleep_is_free_soon() {
    let (stage, _host) = asleep().await;
    let held = async || match stage.table.get(&Key::account(&ACCOUNT_IDS[0].to_string().as_str().into())).await.unwrap()
    {
        Some(Record { item: Item::Account(account), .. }) => account.lease.is_some(),
        other => panic!("{other:?}"),
    };
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(held().await, "the task comes back for it");
    wish(&stage, Wish::Pause).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(!held().await);
}

/// Longer pauses are left to the table: a host holds no task, account or job through an hour.
#[tokio::test(start_paused = true)]
async fn a_long_pause_is_not_slept_through() {
    let mut stage = Stage::new(200, Mix::text_only(), 1).await;
    submit_paced(&stage, pause_of(3_600_000)).await;
    let _host = stage.start_host("h", false);
    let waiting = stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    assert_eq!(waiting.lease, None);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
}
