//! The bot as a host reaches it: behind a network, with waits, failures and slow answers; and what must stay true of it.
//!
//! A life keeps at least 5 s between two edits of one message, and says nothing in a chat during a pause that it was asked for.
//! A life that follows knows nothing of that, so each life is judged by itself. In the end every owner was shown the
//! final state of every task, and every inquiry was answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use transfer::bot::memory::MemoryBot;
use transfer::bot::{Bot, BotError, CommandHint, Picture, PressId, Screen};
use transfer::ids::{BotMessageId, ChatId, Incarnation, InquiryId, TaskId};
use transfer::inquiry::{Inquiry, Question};
use transfer::submit::NewTask;
use transfer::table::{Item, Key, Table};
use transfer::task::TaskState;
use transfer::text::Language;

use crate::engines::Network;
use crate::fault::Fault;
use crate::oracle::{Invariant, Oracle};
use crate::run::Simulated;

/// The chat with the admin of a run.
pub(crate) const ADMIN: ChatId = ChatId(900);
/// Edits of one message keep so far apart.
const EDITS_APART: Duration = Duration::from_secs(5);
/// A pause that Telegram asks for is at most so long.
const PAUSE_SECS_MAX: u64 = 60;
/// A slow answer takes up to so long.
const SLOW_MS: u64 = 8_000;
/// Once nothing goes wrong any more, everything is told within so long. An inquiry may expire meanwhile.
const TOLD_WITHIN: Duration = Duration::from_secs(2_700);

/// What every life of a run says to.
#[derive(Clone, Default)]
pub(crate) struct Chat {
    pub(crate) told: Arc<MemoryBot>,
    lives: Arc<Mutex<Lives>>,
}

#[derive(Default)]
struct Lives {
    /// Until when a life was asked to say nothing.
    quiet: BTreeMap<Incarnation, Instant>,
    /// When a life edited a message last.
    edited: BTreeMap<(Incarnation, BotMessageId), Instant>,
}

/// The bot as one process reaches it.
pub(crate) struct RemoteBot {
    pub(crate) chat: Chat,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) network: Network,
}

impl RemoteBot {
    fn judge(&self, edits: Option<BotMessageId>) {
        let now = Instant::now();
        let life = self.network.process.incarnation().clone();
        let mut lives = self.chat.lives.lock().unwrap_or_else(PoisonError::into_inner);
        if lives.quiet.get(&life).is_some_and(|until| now < *until) {
            self.oracle.violated(Invariant::Told, format!("{life} speaks during a pause that it was asked for"));
        }
        let Some(message) = edits else { return };
        let before = lives.edited.insert((life.clone(), message), now);
        if before.is_some_and(|before| now.duration_since(before) < EDITS_APART) {
            let text = format!("{life} edits message {} twice within 5 s", message.0);
            self.oracle.violated(Invariant::Told, text);
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        edits: Option<BotMessageId>,
        act: impl Future<Output = Result<T, BotError>> + Send + 'static,
    ) -> Result<T, BotError> {
        let (network, faults) = (&self.network, &self.network.faults);
        network.process.awake().await;
        self.judge(edits);
        if faults.strikes(Fault::BotWaits) {
            let secs = faults.between(1, PAUSE_SECS_MAX);
            network.request(std::future::ready(())).await;
            network.tell(|| format!("the bot has to be quiet for {secs} s"));
            let until = Instant::now() + Duration::from_secs(secs);
            let mut lives = self.chat.lives.lock().unwrap_or_else(PoisonError::into_inner);
            lives.quiet.insert(network.process.incarnation().clone(), until);
            return Err(BotError::RetryAfter { secs });
        }
        if faults.strikes(Fault::BotFails) {
            let applied = faults.between(0, 1) == 1;
            network.tell(|| format!("the bot fails, {}", if applied { "applied" } else { "not applied" }));
            if applied {
                drop(network.request(act).await);
            }
            network.pause(SLOW_MS).await;
            network.process.awake().await;
            return Err(BotError::Failed("no answer".into()));
        }
        let answer = network.request(act).await;
        if faults.strikes(Fault::BotSlow) {
            network.pause(SLOW_MS).await;
            network.process.awake().await;
        }
        answer
    }
}

#[async_trait]
impl Bot for RemoteBot {
    async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, BotError> {
        let (told, screen) = (self.chat.told.clone(), screen.clone());
        self.network.tell(|| format!("says {:?}", screen.html.lines().next().unwrap_or_default()));
        self.call(None, async move { told.send(chat, &screen).await }).await
    }

    async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), BotError> {
        let (told, screen) = (self.chat.told.clone(), screen.clone());
        let shown = screen.html.lines().next().unwrap_or_default().to_owned();
        self.network.tell(|| format!("edits {}: {shown:?}", message.0));
        self.call(Some(message), async move { told.edit(chat, message, &screen).await }).await
    }

    async fn send_photo(&self, chat: ChatId, picture: &Picture, screen: &Screen) -> Result<BotMessageId, BotError> {
        let (told, picture, screen) = (self.chat.told.clone(), picture.clone(), screen.clone());
        self.network.tell(|| format!("shows {:?}", screen.html.lines().next().unwrap_or_default()));
        self.call(None, async move { told.send_photo(chat, &picture, &screen).await }).await
    }

    async fn edit_photo(
        &self,
        chat: ChatId,
        message: BotMessageId,
        picture: &Picture,
        screen: &Screen,
    ) -> Result<(), BotError> {
        let (told, picture, screen) = (self.chat.told.clone(), picture.clone(), screen.clone());
        let shown = screen.html.lines().next().unwrap_or_default().to_owned();
        self.network.tell(|| format!("shows anew {}: {shown:?}", message.0));
        self.call(Some(message), async move { told.edit_photo(chat, message, &picture, &screen).await }).await
    }

    async fn delete(&self, chat: ChatId, message: BotMessageId) -> Result<(), BotError> {
        let told = self.chat.told.clone();
        self.call(None, async move { told.delete(chat, message).await }).await
    }

    async fn answer(&self, press: &PressId, word: Option<&str>) -> Result<(), BotError> {
        self.chat.told.answer(press, word).await
    }

    async fn set_commands(&self, commands: &[CommandHint], language_code: Option<&str>) -> Result<(), BotError> {
        self.chat.told.set_commands(commands, language_code).await
    }
}

/// The icon of a state in the head of a progress message.
fn icon(state: &TaskState) -> &'static str {
    match state {
        TaskState::Ready { .. } | TaskState::Waiting { .. } => "⏳",
        TaskState::Running { .. } => "🚀",
        TaskState::Paused { .. } => "⏸",
        TaskState::Parked { .. } => "⚠",
        TaskState::Failed { .. } => "❌",
        TaskState::Done { .. } => "✅",
        TaskState::Cancelled { .. } => "🚫",
    }
}

impl Simulated {
    /// The admin asks for a preview of the first task's route.
    pub(crate) async fn ask(&mut self, number: usize) {
        let now = self.clock.now();
        let task = crate::setting::task(&self.plan.tasks[0], false, now);
        let draft = NewTask {
            selection: task.selection,
            ..NewTask::new("draft".into(), task.nonce, task.source.address, task.target.address)
        };
        let message = match number % 2 {
            0 => self.around.chat.told.send(ADMIN, &Screen { html: "looking".into(), buttons: Vec::new() }).await.ok(),
            _ => None,
        };
        let inquiry = Inquiry {
            id: inquiry_id(number),
            chat: ADMIN,
            message,
            language: Language::En,
            zone: None,
            question: Question::Preview { draft: Box::new(draft) },
            asked_at: now,
            seq: 1,
            answer: None,
        };
        self.admin.ask(inquiry).await;
    }

    /// Everything has to be told in the end: the states of tasks, and the answers to inquiries.
    pub(crate) async fn be_told(&mut self) {
        if !self.plan.bot || self.around.oracle.first().is_some() {
            return;
        }
        self.calm_down().await;
        let end = self.begun.elapsed() + TOLD_WITHIN;
        while let Some(untold) = self.untold().await {
            if self.begun.elapsed() > end {
                self.around.oracle.violated(Invariant::Told, untold);
                return;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
            self.look_after_hosts();
            self.start_hosts();
        }
        for task in self.tasks().await {
            if let Some(wrong) = self.shown_wrong(&task.id, &task.state).await {
                self.around.oracle.violated(Invariant::Told, wrong);
            }
        }
    }

    async fn untold(&self) -> Option<String> {
        for task in self.tasks().await {
            let report = self.around.table.get(&Key::report(&task.id)).await.ok().flatten();
            match report.map(|record| record.item) {
                Some(Item::Report(report)) if report.open_since.is_none() => {}
                other => return Some(format!("{} {:?} is not told: {other:?}", task.id, task.state)),
            }
        }
        for number in 0..self.asked {
            let inquiry = self.around.table.get(&Key::inquiry(&inquiry_id(number))).await.ok().flatten();
            match inquiry.map(|record| record.item) {
                Some(Item::Inquiry(inquiry)) if inquiry.answer.is_some() => {}
                other => return Some(format!("inquiry {number} is not answered: {other:?}")),
            }
        }
        None
    }

    async fn shown_wrong(&self, id: &TaskId, state: &TaskState) -> Option<String> {
        let report = self.around.table.get(&Key::report(id)).await.ok().flatten();
        let Some(Item::Report(report)) = report.map(|record| record.item) else { return None };
        let chat = self.around.chat.told.chat(ADMIN);
        let shown = chat.iter().find(|(message, _)| Some(*message) == report.message).map(|(_, screen)| &screen.html);
        if !shown.is_some_and(|html| html.starts_with(icon(state))) {
            return Some(format!("{id} is {}, its owner sees {shown:?}", state.word()));
        }
        let ended = format!("<b>{}</b> is done", id.0);
        let times = chat.iter().filter(|(_, screen)| screen.html.contains(&ended)).count();
        let is_done = matches!(state, TaskState::Done { .. });
        // Whoever dies between telling and noting it, or never hears that it was said, says it again.
        let may_repeat = self.plan.rates.keys().any(|fault| fault.may_say_twice());
        let right = if is_done { times == 1 || (times > 1 && may_repeat) } else { times == 0 };
        (!right).then(|| format!("the end of {id}, which is {}, was told {times} times", state.word()))
    }
}

fn inquiry_id(number: usize) -> InquiryId {
    InquiryId(format!("i{number}"))
}
