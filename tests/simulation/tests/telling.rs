//! What owners and admins are told: in a chat that keeps what was said, beside real runs of the engine.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use simulation::{ACCOUNT_IDS, Stage};
use simulator::world::UserId;
use simulator::world::floods::Script;
use simulator::world::generated::Mix;
use simulator::world::user::AccountState as Standing;
use transfer::bot::Bot;
use transfer::bot::memory::MemoryBot;
use transfer::ids::{BotMessageId, ChatId, TaskId};
use transfer::pace::Pace;
use transfer::submit;
use transfer::table::item::Report;
use transfer::table::{Item, Key, Table};
use transfer::task::{Task, TaskState};

const ADMIN: ChatId = ChatId(501);

/// A stage whose hosts have a bot.
async fn stage(messages: i32, accounts: usize) -> (Stage, Arc<MemoryBot>) {
    let mut stage = Stage::new(messages, Mix::default(), accounts).await;
    let bot = Arc::new(MemoryBot::new());
    stage.bot = Some(bot.clone() as Arc<dyn Bot>);
    stage.admins = vec![ADMIN];
    (stage, bot)
}

async fn submit(stage: &Stage, change: impl FnOnce(&mut Task)) -> TaskId {
    let mut task = Task { owner: Some(ADMIN), ..stage.task("t") };
    change(&mut task);
    submit::submit(stage.table.as_ref(), stage.queue.as_ref(), &task).await.unwrap();
    task.id
}

fn texts(bot: &MemoryBot) -> Vec<String> {
    bot.chat(ADMIN).into_iter().map(|(_, screen)| screen.html).collect()
}

async fn report(stage: &Stage, id: &TaskId) -> Report {
    match stage.table.get(&Key::report(id)).await.unwrap().map(|record| record.item) {
        Some(Item::Report(report)) => report,
        other => panic!("no report: {other:?}"),
    }
}

/// Lets time pass until everything of the task is told.
async fn until_told(stage: &Stage, id: &TaskId) -> Report {
    for _ in 0..2_000 {
        let told = report(stage, id).await;
        if told.open_since.is_none() {
            return told;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never told: {:?}", report(stage, id).await);
}

fn shown(bot: &MemoryBot, message: Option<BotMessageId>) -> String {
    let chat = bot.chat(ADMIN);
    let shown = chat.into_iter().find(|(id, _)| Some(*id) == message);
    shown.expect("the progress message stands there").1.html
}

#[tokio::test(start_paused = true)]
async fn one_message_shows_the_progress_and_the_end_is_told_once() {
    let (mut stage, bot) = stage(600, 1).await;
    let id = submit(&stage, |task| task.pace = Pace { forward_rate_ms: 300, ..Pace::none() }).await;
    let _host = stage.start_host("h", true);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let running = texts(&bot);
    assert_eq!(running.len(), 1, "{running:?}");
    assert!(
        running[0].contains("🚀") && running[0].contains("▰") && running[0].contains("account 7001"),
        "{}",
        running[0]
    );
    let task = stage.until_settled("t").await;
    assert!(matches!(task.state, TaskState::Done { .. }));
    let told = until_told(&stage, &id).await;
    assert_eq!((told.state.as_deref(), told.told), (Some("done"), task.checkpoint.events));
    let texts = texts(&bot);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(shown(&bot, told.message).starts_with("✅"));
    assert!(texts[1].contains("Took"), "{}", texts[1]);
    // A transfer of several minutes, told with an edit every five seconds at most.
    assert!((10..60).contains(&bot.edits()), "{}", bot.edits());
    stage.assert_exactly_once();
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_pauses_and_a_resumption_are_told() {
    let (mut stage, bot) = stage(300, 1).await;
    let id = submit(&stage, |task| (task.batch_len, task.pause_after_batch) = (100, true)).await;
    let _host = stage.start_host("h", true);
    stage.until_settled("t").await;
    let told = until_told(&stage, &id).await;
    assert!(shown(&bot, told.message).starts_with("⏸️"));
    assert_eq!(texts(&bot).iter().filter(|text| text.contains("batch 1 is done")).count(), 2, "{:?}", texts(&bot));
    submit::resume(stage.table.as_ref(), stage.queue.as_ref(), &id, stage.clock.now()).await.unwrap();
    assert!(report(&stage, &id).await.open_since.is_some());
    stage.until("t", |task| task.checkpoint.batches == 2).await;
    let again = until_told(&stage, &id).await;
    assert_eq!(again.message, told.message, "the same message goes on");
    assert!(texts(&bot).iter().any(|text| text.contains("batch 2 is done")), "{:?}", texts(&bot));
}

#[tokio::test(start_paused = true)]
async fn a_pause_by_the_function_is_shown_though_no_host_was_at_it() {
    let (mut stage, bot) = stage(300, 1).await;
    let id = submit(&stage, |_| {}).await;
    let now = stage.clock.now();
    submit::wish(stage.table.as_ref(), &id, transfer::task::Wish::Pause, None, now).await.unwrap();
    let _host = stage.start_host("h", false);
    let told = until_told(&stage, &id).await;
    assert_eq!(told.state.as_deref(), Some("paused"));
    assert!(shown(&bot, told.message).starts_with("⏸️"));
    assert_eq!(texts(&bot).len(), 1, "the admin's own pause is no news");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_dies_before_telling_leaves_it_to_the_next() {
    let (mut stage, bot) = stage(100, 1).await;
    let id = submit(&stage, |_| {}).await;
    let host = stage.start_host_with("h", false, |mut ports| {
        ports.bot = Some(Arc::new(Mute));
        ports
    });
    stage.until_settled("t").await;
    host.kill().await;
    assert!(report(&stage, &id).await.open_since.is_some());
    let _host = stage.start_host("i", false);
    let told = until_told(&stage, &id).await;
    assert!(shown(&bot, told.message).starts_with("✅"));
    assert_eq!(texts(&bot).iter().filter(|text| text.contains("Took")).count(), 1, "{:?}", texts(&bot));
}

#[tokio::test(start_paused = true)]
async fn the_shortest_wait_is_told_when_all_accounts_are_limited() {
    let (mut stage, bot) = stage(300, 2).await;
    for (account, wait) in [(ACCOUNT_IDS[0], 900), (ACCOUNT_IDS[1], 400)] {
        let script = Script {
            account: Some(UserId(account)),
            method: Some("messages.forwardMessages".into()),
            times: 1,
            after: 0,
            code: 420,
            message: format!("FLOOD_WAIT_{wait}"),
        };
        stage.world().floods.script(script);
    }
    let id = submit(&stage, |_| {}).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let limited: Vec<String> =
        texts(&bot).into_iter().filter(|text| text.contains("all accounts are limited")).collect();
    assert_eq!(limited.len(), 1, "{:?}", texts(&bot));
    assert!(limited[0].contains("6 min"), "the shorter of the two: {}", limited[0]);
    stage.until_settled("t").await;
    until_told(&stage, &id).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_left_is_told_to_admins_once_until_it_is_back() {
    let (mut stage, bot) = stage(300, 3).await;
    stage.world().users.get_mut(&UserId(ACCOUNT_IDS[0])).unwrap().state = Standing::Banned;
    submit(&stage, |_| {}).await;
    let _host = stage.start_host("h", true);
    stage.until_settled("t").await;
    tokio::time::sleep(Duration::from_secs(200)).await;
    let lost = || texts(&bot).iter().filter(|text| text.contains("<b>account 7001</b> left the pool")).count();
    assert_eq!(lost(), 1, "{:?}", texts(&bot));
}

/// A bot that never answers.
struct Mute;

#[async_trait::async_trait]
impl Bot for Mute {
    async fn send(&self, _: ChatId, _: &transfer::bot::Screen) -> Result<BotMessageId, transfer::bot::BotError> {
        std::future::pending().await
    }

    async fn edit(&self, _: ChatId, _: BotMessageId, _: &transfer::bot::Screen) -> Result<(), transfer::bot::BotError> {
        std::future::pending().await
    }

    async fn send_photo(
        &self,
        _: ChatId,
        _: &transfer::bot::Picture,
        _: &transfer::bot::Screen,
    ) -> Result<BotMessageId, transfer::bot::BotError> {
        std::future::pending().await
    }

    async fn edit_photo(
        &self,
        _: ChatId,
        _: BotMessageId,
        _: &transfer::bot::Picture,
        _: &transfer::bot::Screen,
    ) -> Result<(), transfer::bot::BotError> {
        std::future::pending().await
    }

    async fn delete(&self, _: ChatId, _: BotMessageId) -> Result<(), transfer::bot::BotError> {
        Ok(())
    }

    async fn answer(&self, _: &transfer::bot::PressId, _: Option<&str>) -> Result<(), transfer::bot::BotError> {
        Ok(())
    }

    async fn set_commands(
        &self,
        _: &[transfer::bot::CommandHint],
        _: Option<&str>,
    ) -> Result<(), transfer::bot::BotError> {
        Ok(())
    }
}

mod inquiries {
    use transfer::bot::Screen;
    use transfer::ids::InquiryId;
    use transfer::inquiry::{Answer, Inquiry, Obstacle, Preview, Question};
    use transfer::queue::{Job, Queue};
    use transfer::selection::Selection;
    use transfer::submit::NewTask;
    use transfer::table::{Guard, Write};
    use transfer::text::Language;

    use super::*;

    async fn ask(stage: &Stage, bot: &MemoryBot, change: impl FnOnce(&mut NewTask)) -> InquiryId {
        let task = stage.task("draft");
        let mut draft = NewTask::new(task.id, task.nonce, task.source.address, task.target.address);
        change(&mut draft);
        let message = bot.send(ADMIN, &Screen { html: "looking".into(), buttons: Vec::new() }).await.unwrap();
        let inquiry = Inquiry {
            id: InquiryId("i".into()),
            chat: ADMIN,
            message: Some(message),
            language: Language::En,
            zone: None,
            question: Question::Preview { draft: Box::new(draft) },
            asked_at: stage.clock.now(),
            seq: 1,
            answer: None,
        };
        let (id, job) = (inquiry.id.clone(), Job::inquiry(inquiry.id.clone(), 1));
        let item = Item::Inquiry(Box::new(inquiry));
        stage.table.commit(vec![Write::Put { item, guard: Guard::Absent }]).await.unwrap();
        stage.queue.send(&job).await.unwrap();
        id
    }

    async fn answer(stage: &Stage, id: &InquiryId) -> Answer {
        for _ in 0..4_000 {
            let record = stage.table.get(&Key::inquiry(id)).await.unwrap().unwrap();
            let Item::Inquiry(inquiry) = record.item else { panic!("an inquiry") };
            if let Some(answer) = inquiry.answer {
                return answer;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("never answered");
    }

    fn found(answer: Answer) -> Preview {
        match answer {
            Answer::Preview(preview) => *preview,
            other @ Answer::Impossible { .. } => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_range_is_counted_and_a_long_one_extrapolated() {
        let (mut stage, bot) = stage(1_500, 2).await;
        let _host = stage.start_host("h", true);
        let id = ask(&stage, &bot, |_| {}).await;
        let preview = found(answer(&stage, &id).await);
        let (content, _) = stage.carriable();
        assert!(preview.matching.exact);
        assert_eq!(preview.matching.number, content.len() as u64);
        assert_eq!((preview.accounts_able, preview.accounts_other), (2, 0));
        assert!(texts(&bot)[0].contains("Matching messages"), "{:?}", texts(&bot));
        let (mut stage, bot) = super::stage(20_000, 1).await;
        let _host = stage.start_host("h", true);
        let id = ask(&stage, &bot, |_| {}).await;
        let preview = found(answer(&stage, &id).await);
        let content = stage.carriable().0.len() as u64;
        assert!(!preview.matching.exact);
        assert!(preview.matching.number.abs_diff(content) * 10 < content, "{} of {content}", preview.matching.number);
        assert!(texts(&bot)[0].contains('≈'), "{:?}", texts(&bot));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_in_the_way_is_said() {
        let (mut stage, bot) = stage(100, 1).await;
        let _host = stage.start_host("h", true);
        let id = ask(&stage, &bot, |draft| draft.source = "@nobody_knows".parse().unwrap()).await;
        let reason = Obstacle::UnknownChat { address: "@nobody_knows".into() };
        assert_eq!(answer(&stage, &id).await, Answer::Impossible { reason });
        let (mut stage, bot) = super::stage(100, 1).await;
        let _host = stage.start_host("h", true);
        let never = Selection { keyword: Some("never written by anybody".into()), ..Selection::everything() };
        let id = ask(&stage, &bot, |draft| draft.selection = never).await;
        let nothing = answer(&stage, &id).await;
        assert!(matches!(nothing, Answer::Impossible { reason: Obstacle::NothingMatches { .. } }), "{nothing:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_at_work_is_asked_on_the_connection_that_is_open() {
        let (mut stage, bot) = stage(900, 1).await;
        submit(&stage, |task| task.pace = Pace { forward_rate_ms: 20, ..Pace::none() }).await;
        let _host = stage.start_host("h", true);
        stage.until("t", |task| task.checkpoint.chunks > 0).await;
        let id = ask(&stage, &bot, |_| {}).await;
        let preview = found(answer(&stage, &id).await);
        assert_eq!(preview.accounts_able, 1);
        stage.until_settled("t").await;
        stage.assert_exactly_once();
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_host_answered_in_time_is_said_once_to_have_expired() {
        let (mut stage, bot) = stage(100, 1).await;
        let id = ask(&stage, &bot, |_| {}).await;
        tokio::time::sleep(Duration::from_secs(1_900)).await;
        let _one = stage.start_host("h", false);
        let _other = stage.start_host("i", false);
        assert_eq!(answer(&stage, &id).await, Answer::Impossible { reason: Obstacle::Expired });
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(texts(&bot).len(), 1, "{:?}", texts(&bot));
        assert!(texts(&bot)[0].contains("not answered in time"), "{:?}", texts(&bot));
    }
}
