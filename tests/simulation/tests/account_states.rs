//! Every state of an account: how it comes to it, what is said of it, that the admins are told once, and the way back.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use simulation::{ACCOUNT_IDS, Stage};
use simulator::world::UserId;
use simulator::world::floods::Script;
use simulator::world::generated::Mix;
use simulator::world::user::AccountState;
use transfer::account::{Member, MethodClass};
use transfer::admin::{self, Joining};
use transfer::bot::Bot;
use transfer::bot::memory::MemoryBot;
use transfer::ids::{AccountId, ChatId, TaskId};
use transfer::pool::standing::{Is, Standing, WayBack, standing};
use transfer::submit;
use transfer::table::{Item, Key, Table};
use transfer::task::{Task, TaskState};

const ADMIN: ChatId = ChatId(501);
const FORWARD: &str = "messages.forwardMessages";

fn id(number: usize) -> AccountId {
    AccountId(ACCOUNT_IDS[number].to_string())
}

/// A stage with a bot and an admin.
async fn stage(messages: i32, accounts: usize) -> (Stage, Arc<MemoryBot>) {
    let mut stage = Stage::new(messages, Mix::text_only(), accounts).await;
    let bot = Arc::new(MemoryBot::new());
    stage.bot = Some(bot.clone() as Arc<dyn Bot>);
    stage.admins = vec![ADMIN];
    (stage, bot)
}

async fn member(stage: &Stage, number: usize) -> Member {
    admin::member(stage.table.as_ref(), &id(number)).await.unwrap().expect("the account is in the pool")
}

/// Where an account stands, as the screens say it.
async fn stands(stage: &Stage, number: usize) -> Standing {
    let now = stage.clock.now();
    let local = now.to_zoned(TimeZone::UTC);
    let midnight = local.tomorrow().unwrap().start_of_day().unwrap().timestamp();
    standing(&member(stage, number).await, now, local.date(), midnight)
}

fn telegram_says(stage: &Stage, number: usize, state: AccountState) {
    stage.world().users.get_mut(&UserId(ACCOUNT_IDS[number])).unwrap().state = state;
}

/// The owner logs in again: a new session, the same account.
async fn log_in_again(stage: &Stage, number: usize) {
    telegram_says(stage, number, AccountState::Active);
    let now = stage.clock.now();
    let joining = Joining {
        id: id(number),
        phone_masked: "+1…02".to_owned(),
        label: "another label".to_owned(),
        priority: 1,
        daily_budget: Some(7),
        totals: None,
    };
    admin::join(stage.table.as_ref(), joining, now, now.to_zoned(TimeZone::UTC).date()).await.unwrap();
}

async fn resume(stage: &Stage, task: &str) {
    let id = TaskId::from(task);
    submit::resume(stage.table.as_ref(), stage.queue.as_ref(), &id, stage.clock.now()).await.unwrap();
}

async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

fn told(bot: &MemoryBot, words: &str) -> usize {
    bot.chat(ADMIN).iter().filter(|(_, screen)| screen.html.contains(words)).count()
}

#[track_caller]
fn assert_parked(task: &Task, words: &str) {
    let TaskState::Parked { reason } = &task.state else { panic!("{:?}", task.state) };
    assert!(reason.contains(words), "{reason}");
}

#[track_caller]
fn assert_done(stage: &Stage, task: &Task) {
    assert!(matches!(task.state, TaskState::Done { .. }), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
}

fn flood(stage: &Stage, secs: u32) {
    let script = Script {
        account: None,
        method: Some(FORWARD.to_owned()),
        times: 1,
        after: 0,
        code: 420,
        message: format!("FLOOD_WAIT_{secs}"),
    };
    stage.world().floods.script(script);
}

#[tokio::test(start_paused = true)]
async fn ready_in_use_and_ready_again() {
    let (mut stage, bot) = stage(300, 1).await;
    assert_eq!((stands(&stage, 0).await.is, stands(&stage, 0).await.way_back), (Is::Ready, WayBack::Nothing));
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
    assert_eq!(stands(&stage, 0).await.is, Is::InUse);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    minutes(2).await;
    assert_eq!(stands(&stage, 0).await.is, Is::Ready);
    assert!(member(&stage, 0).await.account.checked_at.is_some(), "ordinary work is a check too");
    assert_eq!(told(&bot, "left the pool"), 0);
}

#[tokio::test(start_paused = true)]
async fn cooling_until_the_wait_is_over() {
    let (mut stage, _bot) = stage(150, 1).await;
    flood(&stage, 300);
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let waiting = stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    let TaskState::Waiting { wake_at, .. } = waiting.state else { unreachable!() };
    let found = stands(&stage, 0).await;
    assert_eq!((found.is, found.until, found.way_back), (Is::Cooling, Some(wake_at), WayBack::Time));
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_ne!(stands(&stage, 0).await.is, Is::Cooling);
}

#[tokio::test(start_paused = true)]
async fn resting_until_midnight() {
    let (mut stage, _bot) = stage(150, 1).await;
    let mut profile = member(&stage, 0).await.profile;
    profile.daily_budget = Some(100);
    stage.put(vec![Item::Profile(profile)]).await;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    let found = stands(&stage, 0).await;
    assert_eq!((found.is, found.way_back), (Is::Resting, WayBack::Time));
    assert!(found.until.unwrap() > stage.clock.now());
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert!(stage.clock.now() >= found.until.unwrap());
}

/// What Telegram does to an account, how that is shown, and how the owner mends it.
async fn lost_and_mended(telegram: AccountState, is: Is, way_back: WayBack) {
    let (mut stage, bot) = stage(150, 1).await;
    telegram_says(&stage, 0, telegram);
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_parked(&task, "account 7001");
    let found = stands(&stage, 0).await;
    assert_eq!((found.is, found.way_back), (is, way_back));
    assert!(found.reason.is_some() && found.since.is_some(), "{found:?}");
    minutes(10).await;
    assert_eq!(told(&bot, "left the pool"), 1, "once, however often it is looked: {:?}", bot.chat(ADMIN));
    let before = member(&stage, 0).await;
    match way_back {
        WayBack::LogInAgain => log_in_again(&stage, 0).await,
        WayBack::Reset | WayBack::Appeal => {
            telegram_says(&stage, 0, AccountState::Active);
            admin::reset_waits(stage.table.as_ref(), &id(0), None, stage.clock.now()).await.unwrap();
        }
        WayBack::Nothing | WayBack::Time | WayBack::Enable | WayBack::Replace => unreachable!(),
    }
    let after = member(&stage, 0).await;
    assert_eq!((&after.profile, after.account.total), (&before.profile, before.account.total), "everything else stays");
    assert_eq!(after.account.reason, None);
    resume(&stage, "t").await;
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
}

#[tokio::test(start_paused = true)]
async fn signed_out_until_somebody_logs_in_again() {
    lost_and_mended(AccountState::Revoked, Is::SignedOut, WayBack::LogInAgain).await;
    lost_and_mended(AccountState::Unregistered, Is::SignedOut, WayBack::LogInAgain).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_session_until_somebody_logs_in_again() {
    lost_and_mended(AccountState::KeyDuplicated, Is::SessionDead, WayBack::LogInAgain).await;
}

#[tokio::test(start_paused = true)]
async fn frozen_until_the_appeal_is_granted() {
    lost_and_mended(AccountState::Frozen, Is::Frozen, WayBack::Appeal).await;
}

#[tokio::test(start_paused = true)]
async fn quarantined_until_the_admin_lifts_it() {
    lost_and_mended(AccountState::PeerFlood, Is::Quarantined, WayBack::Reset).await;
}

#[tokio::test(start_paused = true)]
async fn banned_for_good_and_replaced_by_another() {
    let (mut stage, bot) = stage(150, 2).await;
    telegram_says(&stage, 0, AccountState::Banned);
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    let found = stands(&stage, 0).await;
    assert_eq!((found.is, found.way_back), (Is::Banned, WayBack::Replace));
    minutes(10).await;
    assert_eq!(told(&bot, "left the pool"), 1);
    leave(&stage, 0).await;
    until_gone(&stage, 0).await;
    minutes(1).await;
    assert_eq!(told(&bot, "ended its session already"), 1, "{:?}", bot.chat(ADMIN));
}

#[tokio::test(start_paused = true)]
async fn disabled_until_the_admin_enables_it() {
    let (mut stage, bot) = stage(150, 1).await;
    admin::set_enabled(stage.table.as_ref(), &id(0), false).await.unwrap();
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_parked(&task, "enable one of these");
    assert_eq!((stands(&stage, 0).await.is, stands(&stage, 0).await.way_back), (Is::Disabled, WayBack::Enable));
    admin::set_enabled(stage.table.as_ref(), &id(0), true).await.unwrap();
    resume(&stage, "t").await;
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_eq!(told(&bot, "left the pool"), 0, "the admin knows that");
}

async fn leave(stage: &Stage, number: usize) {
    let queue = stage.queue.as_ref();
    admin::leave(stage.table.as_ref(), Some(queue), &id(number), Some(ADMIN), stage.clock.now()).await.unwrap();
}

async fn until_gone(stage: &Stage, number: usize) {
    for _ in 0..600 {
        if stage.table.get(&Key::account(&id(number))).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("it does not leave: {:?}", member(stage, number).await);
}

#[tokio::test(start_paused = true)]
async fn leaving_is_signed_out_and_erased_while_another_carries_on() {
    let (mut stage, bot) = stage(2_000, 2).await;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| task.checkpoint.counts.delivered > 0).await;
    leave(&stage, 0).await;
    assert_eq!(stands(&stage, 0).await.is, Is::Leaving);
    until_gone(&stage, 0).await;
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    let state = stage.world().users.get(&UserId(ACCOUNT_IDS[0])).unwrap().state;
    assert_eq!(state, AccountState::Unregistered, "its key is worthless");
    let rest = stage.table.partition(&Key::account(&id(0)).pk, "").await.unwrap();
    assert!(rest.iter().all(|record| matches!(record.item, Item::Gone(_))), "{rest:?}");
    minutes(1).await;
    assert_eq!(told(&bot, "signed out at Telegram"), 1, "{:?}", bot.chat(ADMIN));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_remembers_its_waits_and_its_day() {
    let (mut stage, _bot) = stage(150, 1).await;
    flood(&stage, 3_000);
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let waiting = stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    let TaskState::Waiting { wake_at, .. } = waiting.state else { unreachable!() };
    leave(&stage, 0).await;
    until_gone(&stage, 0).await;
    log_in_again(&stage, 0).await;
    let back = member(&stage, 0).await;
    assert_eq!(back.account.waits.until(MethodClass::Write, stage.clock.now()), Some(wake_at));
    assert_eq!((back.profile.label.as_str(), back.profile.daily_budget), ("another label", Some(7)));
    let early = stage.calls(FORWARD).len();
    minutes(20).await;
    assert_eq!(stage.calls(FORWARD).len(), early, "its wait is not over");
    stage.assert_no_call_during_a_wait();
}

#[tokio::test(start_paused = true)]
async fn whoever_alone_can_settle_a_chunk_stays_until_it_is_settled() {
    let (mut stage, bot) = stage(150, 2).await;
    stage.submit(stage.task("t")).await;
    let host = stage.start_host("h", true);
    stage.until("t", |task| task.checkpoint.intent.is_some()).await;
    host.kill().await;
    leave(&stage, 0).await;
    let task = stage.read_task("t").await;
    assert_eq!(task.checkpoint.intent.map(|intent| intent.account), Some(id(0)));
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    until_gone(&stage, 0).await;
    minutes(1).await;
    assert_eq!(told(&bot, "left the pool: signed out"), 1, "{:?}", bot.chat(ADMIN));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_unseen_is_known_within_six_hours() {
    let (mut stage, bot) = stage(10, 3).await;
    let _host = stage.start_host("h", true);
    minutes(60).await;
    assert!(stage.calls("users.getUsers").is_empty(), "nobody is idle yet");
    telegram_says(&stage, 1, AccountState::Revoked);
    minutes(6 * 60).await;
    assert_eq!(stage.calls("users.getUsers").len(), 3, "each once");
    assert_eq!((stands(&stage, 0).await.is, stands(&stage, 1).await.is), (Is::Ready, Is::SignedOut));
    assert_eq!(told(&bot, "left the pool"), 1);
    minutes(13 * 60).await;
    let asked = stage.calls("users.getUsers").len();
    assert_eq!(asked, 3 + 2 * 2, "whoever is lost is not asked again");
    assert_eq!(told(&bot, "left the pool"), 1);
}
