//! The panic button: wherever the hosts are, every account is signed out and erased, tasks park, and nothing goes on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use jiff::tz::TimeZone;
use simulation::{ACCOUNT_IDS, HostHandle, Stage};
use simulator::world::UserId;
use simulator::world::generated::Mix;
use simulator::world::user::AccountState;
use transfer::admin::{self, Joining};
use transfer::ids::{AccountId, Nonce, TaskId};
use transfer::pace::Pace;
use transfer::queue::Queue;
use transfer::submit;
use transfer::table::{Item, Key, List, Table};
use transfer::task::{Task, TaskState};

const FORWARD: &str = "messages.forwardMessages";

async fn press(stage: &Stage, queue: Option<&dyn Queue>) {
    admin::panic(stage.table.as_ref(), queue, None, stage.clock.now()).await.unwrap();
}

async fn is_done(stage: &Stage) -> bool {
    let record = stage.table.get(&Key::panic()).await.unwrap();
    matches!(record.map(|record| record.item), Some(Item::Panic(panic)) if panic.done_at.is_some())
}

/// Lets time pass until nothing is left, and checks that.
async fn until_done(stage: &Stage, within: Duration) {
    let waited = async {
        while !is_done(stage).await {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    assert!(tokio::time::timeout(within, waited).await.is_ok(), "it is not done within {within:?}");
    assert!(stage.table.list(List::Accounts).await.unwrap().is_empty(), "every account is erased");
    for account in ACCOUNT_IDS {
        let session = Key::session(&AccountId(account.to_string()));
        assert!(stage.table.get(&session).await.unwrap().is_none());
    }
    for user in stage.world().users.values().filter(|user| ACCOUNT_IDS.contains(&user.id.0)) {
        assert_eq!(user.state, AccountState::Unregistered, "account {} is signed out", user.id.0);
    }
}

async fn assert_parked(stage: &Stage, task: &str) {
    let TaskState::Parked { reason } = stage.read_task(task).await.state else {
        panic!("{:?}", stage.read_task(task).await.state)
    };
    assert!(reason.contains("panic button"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn one_host_drops_everything_at_once() {
    let mut stage = Stage::new(5_000, Mix::text_only(), 3).await;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
    press(&stage, Some(stage.queue.as_ref())).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let calls = stage.calls(FORWARD).len();
    until_done(&stage, Duration::from_secs(60)).await;
    assert_eq!(stage.calls(FORWARD).len(), calls, "nothing is forwarded any more");
    assert_parked(&stage, "t").await;
}

#[tokio::test(start_paused = true)]
async fn without_a_job_and_with_two_hosts_each_drops_its_own() {
    let mut stage = Stage::new(5_000, Mix::text_only(), 4).await;
    let pace = Pace { forward_rate_ms: 20, ..Pace::none() };
    let other = Task { nonce: Nonce([9; 16]), pace, ..stage.task("other") };
    stage.submit(Task { pace, ..stage.task("t") }).await;
    stage.submit(other).await;
    let _hosts = [stage.start_host("x", false), stage.start_host("y", false)];
    stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
    press(&stage, None).await;
    until_done(&stage, Duration::from_secs(60)).await;
    assert_parked(&stage, "t").await;
    assert_parked(&stage, "other").await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_died_is_outlived() {
    let mut stage = Stage::new(5_000, Mix::text_only(), 2).await;
    stage.submit(stage.task("t")).await;
    let host = stage.start_host("x", false);
    stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
    host.kill().await;
    let _other = stage.start_host("y", false);
    press(&stage, Some(stage.queue.as_ref())).await;
    until_done(&stage, Duration::from_secs(300)).await;
    assert_parked(&stage, "t").await;
}

/// Killed at every moment of it, the next life does the rest.
#[tokio::test(start_paused = true)]
async fn whenever_the_host_dies_the_next_life_goes_on() {
    for millis in [1, 10, 21, 45, 70, 100, 130, 170, 220, 300, 400, 5_050, 5_200] {
        let mut stage = Stage::new(5_000, Mix::text_only(), 3).await;
        stage.submit(stage.task("t")).await;
        let host: HostHandle = stage.start_host("h", true);
        stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
        press(&stage, Some(stage.queue.as_ref())).await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        host.kill().await;
        let _host = stage.start_host("h", true);
        until_done(&stage, Duration::from_secs(300)).await;
        assert_parked(&stage, "t").await;
    }
}

/// An account that has to wait is signed out when it may call, and not before.
#[tokio::test(start_paused = true)]
async fn a_wait_is_obeyed_all_the_same() {
    let mut stage = Stage::new(10, Mix::text_only(), 1).await;
    let id = AccountId(ACCOUNT_IDS[0].to_string());
    let mut account = admin::member(stage.table.as_ref(), &id).await.unwrap().unwrap().account;
    let until = stage.clock.now() + jiff::SignedDuration::from_mins(10);
    account.waits.read = Some(until);
    stage.put(vec![Item::Account(account)]).await;
    press(&stage, None).await;
    let _host = stage.start_host("h", true);
    tokio::time::sleep(Duration::from_secs(540)).await;
    assert!(stage.calls("auth.logOut").is_empty());
    until_done(&stage, Duration::from_secs(120)).await;
    assert!(stage.clock.now() >= until);
    assert_eq!(stage.world().users.get(&UserId(ACCOUNT_IDS[0])).unwrap().state, AccountState::Unregistered);
}

/// The owner logs all of them in anew: other sessions of the same accounts.
async fn log_in_again(stage: &Stage, accounts: usize) {
    let now = stage.clock.now();
    for account in &ACCOUNT_IDS[..accounts] {
        stage.world().users.get_mut(&UserId(*account)).unwrap().state = AccountState::Active;
        let joining = Joining {
            id: AccountId(account.to_string()),
            phone_masked: "+1…02".to_owned(),
            label: account.to_string(),
            priority: i32::try_from(account % 10).unwrap(),
            daily_budget: None,
            totals: None,
        };
        admin::join(stage.table.as_ref(), joining, now, now.to_zoned(TimeZone::UTC).date()).await.unwrap();
    }
}

/// Whatever the chunk in flight came to: its account can tell, also under a new session.
#[tokio::test(start_paused = true)]
async fn accounts_that_come_back_settle_what_was_in_flight() {
    let mut open = 0;
    for millis in [0, 1, 3, 7, 15, 30, 45, 60, 80, 110, 150] {
        let mut stage = Stage::new(2_000, Mix::text_only(), 2).await;
        stage.submit(stage.task("t")).await;
        let _host = stage.start_host("h", true);
        stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        press(&stage, Some(stage.queue.as_ref())).await;
        until_done(&stage, Duration::from_secs(60)).await;
        assert_parked(&stage, "t").await;
        open += usize::from(stage.read_task("t").await.checkpoint.intent.is_some());
        log_in_again(&stage, 2).await;
        let (table, queue) = (stage.table.as_ref(), stage.queue.as_ref());
        submit::resume(table, queue, &TaskId::from("t"), stage.clock.now()).await.unwrap();
        let task = stage.until_settled("t").await;
        assert!(matches!(task.state, TaskState::Done { .. }), "after {millis} ms: {:?}", task.state);
        stage.assert_exactly_once();
        stage.assert_no_call_during_a_wait();
    }
    assert!(open > 0, "no chunk was in flight when it was pressed: this shows nothing");
}
