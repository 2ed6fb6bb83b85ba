//! Alarms: each is told once to every admin, not again while it stands, and again after its condition was over.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use simulation::{ACCOUNT_IDS, Stage, TARGET};
use simulator::world::UserId;
use simulator::world::chat::{Banned, ChatKind, Role};
use simulator::world::generated::Mix;
use simulator::world::message::Kind;
use transfer::account::Account;
use transfer::bot::Bot;
use transfer::bot::memory::MemoryBot;
use transfer::ids::{AccountId, ChatId, TaskId};
use transfer::queue::{Job, Queue};
use transfer::submit;
use transfer::table::memory::MemoryTable;
use transfer::table::{CommitError, Item, Key, List, Record, Table, TableError, Write};
use transfer::task::{Task, TaskState};

const ADMINS: [ChatId; 2] = [ChatId(501), ChatId(502)];

/// A stage whose hosts have a bot, and two admins.
async fn stage(messages: i32, mix: Mix, accounts: usize) -> (Stage, Arc<MemoryBot>) {
    let mut stage = Stage::new(messages, mix, accounts).await;
    let bot = Arc::new(MemoryBot::new());
    stage.bot = Some(bot.clone() as Arc<dyn Bot>);
    stage.admins = ADMINS.to_vec();
    (stage, bot)
}

/// Checks how many alarms with these words each admin was told.
#[track_caller]
fn assert_told(bot: &MemoryBot, words: &str, times: usize) {
    for admin in ADMINS {
        let texts: Vec<String> = bot.chat(admin).into_iter().map(|(_, screen)| screen.html).collect();
        assert_eq!(texts.iter().filter(|text| text.contains(words)).count(), times, "{admin}: {texts:?}");
    }
}

async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

async fn change_account(stage: &Stage, id: i64, change: impl FnOnce(&mut Account, Timestamp)) {
    let record = stage.table.get(&Key::account(&AccountId(id.to_string()))).await.unwrap().unwrap();
    let Item::Account(mut account) = record.item else { panic!("an account") };
    change(&mut account, stage.clock.now());
    stage.put(vec![Item::Account(account)]).await;
}

/// The account may not write for so long.
async fn limit(stage: &Stage, id: i64, wait: SignedDuration) {
    change_account(stage, id, |account, now| account.waits.write = Some(now + wait)).await;
}

#[tokio::test(start_paused = true)]
async fn few_accounts() {
    const WORDS: &str = "Only 1 of 2 accounts are available";
    let (mut stage, bot) = stage(10, Mix::default(), 2).await;
    let host = stage.start_host("h", true);
    minutes(2).await;
    assert_told(&bot, "accounts are available", 0);
    // A wait that is over soon wakes nobody.
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_mins(4)).await;
    minutes(6).await;
    assert_told(&bot, "accounts are available", 0);
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_mins(60)).await;
    minutes(10).await;
    assert_told(&bot, WORDS, 1);
    // Neither another life of the host nor another host tells it again.
    host.kill().await;
    let _host = stage.start_host("h", true);
    let _other = stage.start_host("i", false);
    minutes(20).await;
    assert_told(&bot, WORDS, 1);
    minutes(60).await;
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_mins(60)).await;
    minutes(10).await;
    assert_told(&bot, WORDS, 2);
}

#[tokio::test(start_paused = true)]
async fn one_account_alone_is_not_few() {
    let (mut stage, bot) = stage(10, Mix::default(), 1).await;
    let _host = stage.start_host("h", true);
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_mins(60)).await;
    minutes(10).await;
    assert_told(&bot, "accounts are available", 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_flood() {
    const WORDS: &str = "<b>account 7001</b> is limited until";
    let (mut stage, bot) = stage(10, Mix::default(), 4).await;
    let host = stage.start_host("h", true);
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_mins(359)).await;
    minutes(5).await;
    assert_told(&bot, WORDS, 0);
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_hours(7)).await;
    minutes(5).await;
    assert_told(&bot, WORDS, 1);
    host.kill().await;
    let _host = stage.start_host("h", true);
    // Less than six hours are left, and then more again: it is the same flood.
    minutes(120).await;
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_hours(8)).await;
    minutes(60).await;
    assert_told(&bot, WORDS, 1);
    minutes(8 * 60).await;
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_hours(7)).await;
    minutes(5).await;
    assert_told(&bot, WORDS, 2);
    // The admin resets it, and Telegram says it again.
    change_account(&stage, ACCOUNT_IDS[0], |account, now| {
        account.waits = transfer::account::Waits::default();
        account.waits_reset_at = Some(now);
    })
    .await;
    minutes(5).await;
    limit(&stage, ACCOUNT_IDS[0], SignedDuration::from_hours(7)).await;
    minutes(5).await;
    assert_told(&bot, WORDS, 3);
}

/// Whether the target takes text from members.
fn take_text(stage: &Stage, takes: bool) {
    let mut world = stage.world();
    let now = world.now();
    let kinds = if takes { [].into() } else { [Kind::Text].into() };
    let target = world.chats.get_mut(&TARGET).unwrap();
    target.kind = ChatKind::Supergroup;
    target.default_banned = Banned { kinds, ..Banned::default() };
    target.put(UserId(ACCOUNT_IDS[0]), Role::Member, now);
}

/// Lets the next batches be carried, and everything of them be told.
async fn carry(stage: &Stage, id: &TaskId, batches: u32) {
    for _ in 0..batches {
        let before = stage.read_task(&id.0).await;
        if matches!(before.state, TaskState::Paused { .. }) {
            submit::resume(stage.table.as_ref(), stage.queue.as_ref(), id, stage.clock.now()).await.unwrap();
        }
        let next = |task: &Task| task.checkpoint.batches > before.checkpoint.batches && task.state.due_at().is_none();
        stage.until(&id.0, next).await;
        minutes(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_skipped() {
    const WORDS: &str = "matching messages were skipped";
    let (mut stage, bot) = stage(1_600, Mix::text_only(), 1).await;
    take_text(&stage, false);
    let task = Task { owner: Some(ADMINS[0]), batch_len: 15, pause_after_batch: true, ..stage.task("t") };
    submit::submit(stage.table.as_ref(), stage.queue.as_ref(), &task).await.unwrap();
    let host = stage.start_host("h", true);
    carry(&stage, &task.id, 1).await;
    // All of them, and yet too few to say anything.
    assert_told(&bot, WORDS, 0);
    carry(&stage, &task.id, 1).await;
    assert_told(&bot, WORDS, 1);
    host.kill().await;
    let _host = stage.start_host("h", true);
    carry(&stage, &task.id, 1).await;
    assert_told(&bot, WORDS, 1);
    take_text(&stage, true);
    carry(&stage, &task.id, 75).await;
    assert_told(&bot, WORDS, 1);
    take_text(&stage, false);
    carry(&stage, &task.id, 12).await;
    let counts = stage.read_task("t").await.checkpoint.counts;
    assert!(counts.skipped * 10 > counts.matched, "{counts:?}");
    assert_told(&bot, WORDS, 2);
}

/// A table that does not give out one task, as long as that is wanted.
struct Withholding {
    inner: Arc<MemoryTable>,
    withholds: Arc<AtomicBool>,
}

#[async_trait]
impl Table for Withholding {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        if self.withholds.load(Ordering::Relaxed) && *key == Key::task(&TaskId::from("t")) {
            return Err(TableError::Failed("withheld".to_owned()));
        }
        self.inner.get(key).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        self.inner.partition(pk, sk_prefix).await
    }

    async fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        self.inner.due(until, limit).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        self.inner.list(list).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.inner.commit(writes).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_poison_job() {
    const WORDS: &str = "A job failed as often as it may: t";
    let (mut stage, bot) = stage(300, Mix::default(), 1).await;
    let withholds = Arc::new(AtomicBool::new(true));
    let (inner, flag) = (stage.table.clone(), withholds.clone());
    let _host = stage.start_host_with("h", false, |mut ports| {
        ports.table = Arc::new(Withholding { inner, withholds: flag });
        ports
    });
    let task = Task { batch_len: 100, pause_after_batch: true, ..stage.task("t") };
    stage.submit(task.clone()).await;
    minutes(7).await;
    assert_told(&bot, WORDS, 0);
    minutes(10).await;
    assert_told(&bot, WORDS, 1);
    // Its next job fails as well: the same alarm.
    stage.queue.send(&Job::batch(task.id.clone(), 1, 99)).await.unwrap();
    minutes(17).await;
    assert_told(&bot, WORDS, 1);
    assert_eq!(stage.queue.dead_letters().len(), 2);
    withholds.store(false, Ordering::Relaxed);
    stage.until("t", |task| matches!(task.state, TaskState::Paused { .. })).await;
    minutes(1).await;
    withholds.store(true, Ordering::Relaxed);
    submit::resume(stage.table.as_ref(), stage.queue.as_ref(), &task.id, stage.clock.now()).await.unwrap();
    minutes(17).await;
    assert_told(&bot, WORDS, 2);
}

#[tokio::test(start_paused = true)]
async fn a_host_gone() {
    const WORDS: &str = "Host <b>h</b> gives no sign of life";
    let (mut stage, bot) = stage(10, Mix::default(), 1).await;
    let gone = stage.start_host("h", false);
    let witness = stage.start_host("i", false);
    let _other = stage.start_host("j", false);
    minutes(5).await;
    gone.kill().await;
    minutes(1).await;
    assert_told(&bot, WORDS, 0);
    minutes(10).await;
    assert_told(&bot, WORDS, 1);
    // Whoever begins to look has seen nobody move yet: that is no sign of life.
    witness.stop().await.unwrap();
    let _witness = stage.start_host("i", false);
    let _newcomer = stage.start_host("k", false);
    minutes(10).await;
    assert_told(&bot, WORDS, 1);
    let back = stage.start_host("h", false);
    minutes(5).await;
    assert_told(&bot, WORDS, 1);
    back.kill().await;
    minutes(5).await;
    assert_told(&bot, WORDS, 2);
    // One that is stopped says so, and is not missed.
    let back = stage.start_host("h", false);
    minutes(5).await;
    back.stop().await.unwrap();
    minutes(5).await;
    assert_told(&bot, WORDS, 2);
}
