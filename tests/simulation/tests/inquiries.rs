//! Inquiries and the waits of the accounts that are asked: each wait is obeyed, and counted once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use session_host::telegram::{Connection, OpenError, Telegram};
use simulation::{ACCOUNT_IDS, Stage};
use simulator::world::UserId;
use simulator::world::floods::Script;
use simulator::world::generated::Mix;
use transfer::account::Account;
use transfer::bot::memory::MemoryBot;
use transfer::bot::{Bot, Screen};
use transfer::clock::Clock;
use transfer::ids::{AccountId, ChatId, InquiryId};
use transfer::inquiry::{Answer, Inquiry, Obstacle, Question};
use transfer::queue::{Job, Queue};
use transfer::refusal::Refusal;
use transfer::submit::NewTask;
use transfer::table::{Item, Key, Table};
use transfer::text::Language;

const ADMIN: ChatId = ChatId(501);
const WAIT_SECS: u64 = 600;

async fn stage() -> (Stage, Arc<MemoryBot>) {
    let mut stage = Stage::new(100, Mix::default(), 1).await;
    let bot = Arc::new(MemoryBot::new());
    stage.bot = Some(bot.clone() as Arc<dyn Bot>);
    (stage, bot)
}

/// Asks what a transfer would carry, and waits for the answer.
async fn ask(stage: &Stage, bot: &MemoryBot, id: &str) -> Answer {
    let task = stage.task("draft");
    let draft = NewTask::new(task.id, task.nonce, task.source.address, task.target.address);
    let message = bot.send(ADMIN, &Screen { html: "looking".into(), buttons: Vec::new() }).await.unwrap();
    let id = InquiryId(id.into());
    let inquiry = Inquiry {
        id: id.clone(),
        chat: ADMIN,
        message: Some(message),
        language: Language::En,
        zone: None,
        question: Question::Preview { draft: Box::new(draft) },
        asked_at: stage.clock.now(),
        seq: 1,
        answer: None,
    };
    stage.put(vec![Item::Inquiry(Box::new(inquiry))]).await;
    stage.queue.send(&Job::inquiry(id.clone(), 1)).await.unwrap();
    for _ in 0..300 {
        let record = stage.table.get(&Key::inquiry(&id)).await.unwrap().unwrap();
        let Item::Inquiry(inquiry) = record.item else { panic!("an inquiry") };
        if let Some(answer) = inquiry.answer {
            return answer;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never answered");
}

async fn account(stage: &Stage) -> Account {
    let key = Key::account(&AccountId(ACCOUNT_IDS[0].to_string()));
    let Item::Account(account) = stage.table.get(&key).await.unwrap().unwrap().item else { panic!("an account") };
    account
}

#[track_caller]
fn assert_limited(answer: &Answer) {
    assert!(matches!(answer, Answer::Impossible { reason: Obstacle::AllLimited { .. } }), "{answer:?}");
}

/// Refuses every connection with what is left of a wait.
struct Refusing {
    until: Timestamp,
    clock: Clock,
    inner: Arc<dyn Telegram>,
}

#[async_trait]
impl Telegram for Refusing {
    async fn open(&self, account: &AccountId) -> Result<Box<dyn Connection>, OpenError> {
        let left = self.until.duration_since(self.clock.now());
        if left > SignedDuration::ZERO {
            let text = format!("FLOOD_WAIT_{}", left.as_secs() + 1);
            return Err(OpenError::Refused(Refusal::parse(420, &text)));
        }
        self.inner.open(account).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_refuses_the_connection_is_obeyed_and_counted_once() {
    let (mut stage, bot) = stage().await;
    let clock = stage.clock.clone();
    let until = clock.now() + Duration::from_secs(WAIT_SECS);
    let _host = stage.start_host_with("h", true, |mut ports| {
        ports.telegram = Arc::new(Refusing { until, clock, inner: ports.telegram });
        ports
    });
    assert_limited(&ask(&stage, &bot, "i").await);
    assert_limited(&ask(&stage, &bot, "j").await);
    let account = account(&stage).await;
    assert_eq!(account.total.floods, 1);
    assert!(account.waits.read.is_some_and(|read| read >= until), "{:?}", account.waits);
    tokio::time::sleep(Duration::from_secs(WAIT_SECS)).await;
    assert!(matches!(ask(&stage, &bot, "k").await, Answer::Preview(_)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_resolving_that_is_known_is_no_new_flood() {
    let (mut stage, bot) = stage().await;
    stage.world().floods.script(Script {
        account: Some(UserId(ACCOUNT_IDS[0])),
        method: Some("contacts.resolveUsername".into()),
        times: 1,
        after: 0,
        code: 420,
        message: format!("FLOOD_WAIT_{WAIT_SECS}"),
    });
    let _host = stage.start_host("h", true);
    assert_limited(&ask(&stage, &bot, "i").await);
    assert_limited(&ask(&stage, &bot, "j").await);
    assert_eq!(account(&stage).await.total.floods, 1);
}
