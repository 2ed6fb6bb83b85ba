//! Answers to an update that was taken: the press, the screens, the jobs; and the mark that all of that is done.

use transfer::bot::{BotError, Incoming, Said, Screen};
use transfer::dialogue::State;
use transfer::dialogue::notice::Word;
use transfer::dialogue::press::Press;
use transfer::dialogue::view::View;
use transfer::ids::{BotMessageId, InquiryId, TaskId};
use transfer::inquiry::Inquiry;
use transfer::queue::Job;
use transfer::table::item::TakenUpdate;
use transfer::table::{CommitError, Guard, Item, Key, Write};
use transfer::task::TaskState;

use super::known::{self, Known};
use super::transaction::{mark, pressed};
use super::{HandleError, Handler};
use crate::views::{self, ViewContext};

/// How often a message's id is written on top of what others wrote meanwhile.
const CONFLICTS_MAX: u32 = 5;

/// The answer to one update.
pub(super) struct Answering<'a> {
    pub(super) handler: &'a Handler,
    incoming: &'a Incoming,
    pub(super) known: Known,
}

impl<'a> Answering<'a> {
    pub(super) fn new(handler: &'a Handler, incoming: &'a Incoming, mut known: Known) -> Self {
        known.locale = known::locale(handler, &known.settings);
        Self { handler, incoming, known }
    }

    /// Shows everything and marks it done, or marks that it failed.
    pub(super) async fn answer(self, taken: TakenUpdate, version: u64, word: Option<Word>) -> Result<(), HandleError> {
        let shown = self.show(&taken.shows, word).await;
        let after = TakenUpdate { done: shown.is_ok(), failed: shown.is_err(), ..taken };
        if let Err(error) = self.handler.table.commit(vec![mark(after, version)]).await {
            // Shown it is, whatever the mark says; if not, the next delivery waits a while.
            tracing::warn!(update = %self.incoming.id, %error, "the mark of an answered update was not written");
        }
        shown
    }

    async fn show(&self, shows: &[View], word: Option<Word>) -> Result<(), HandleError> {
        if let Said::Pressed { press, .. } = &self.incoming.what {
            let word = word.map(|word| word.say(&self.known.locale));
            settled(self.handler.bot.answer(press, word.as_deref()).await)?;
        }
        let mut place = pressed(self.incoming);
        let under_report = self.under_report().await?;
        if under_report.is_some() {
            // That message is the host's: what is put there would be gone with the next edit.
            place = None;
        }
        for view in shows {
            if matches!((&under_report, view), (Some(Press::Pause(_) | Press::Resume(_)), View::Task { .. })) {
                // The progress shows it.
                continue;
            }
            if let Some(login) = Self::login_of(view) {
                self.show_login(login, place.take()).await?;
                continue;
            }
            let inquiry = self.awaited(view).await?;
            if matches!(inquiry, Some(None)) {
                // The preview stands there already, or is not wanted any more.
                continue;
            }
            let screen = self.screen(view).await?;
            let message = self.put(place.take(), &screen).await?;
            if *view == View::Step
                && let Some(message) = message
            {
                self.remember(message, inquiry.flatten()).await?;
            }
            if let View::Created { id, .. } = view {
                self.begin(id).await?;
            }
        }
        Ok(())
    }

    /// What was pressed, if that was a button under a task's progress.
    async fn under_report(&self) -> Result<Option<Press>, HandleError> {
        let Said::Pressed { message, data, .. } = &self.incoming.what else { return Ok(None) };
        let press = Press::parse(data);
        let Some(id) = press.as_ref().and_then(Press::task) else { return Ok(None) };
        let stored = self.handler.table.get(&Key::report(id)).await?;
        let shows_it = |item: &Item| matches!(item, Item::Report(report) if report.message == Some(*message));
        Ok(press.filter(|_| stored.is_some_and(|record| shows_it(&record.item))))
    }

    async fn screen(&self, view: &View) -> Result<Screen, HandleError> {
        let context = ViewContext {
            table: self.handler.table.as_ref(),
            chat: self.incoming.chat,
            locale: &self.known.locale,
            now: self.known.now,
            hosts_alive: self.known.hosts_alive,
            dialogue: &self.known.dialogue,
            recent: &self.known.recent,
            groups: &self.known.groups,
        };
        Ok(views::render(view, &context).await?)
    }

    /// The inquiry that the view waits for: `None` if it waits for none, `Some(None)` if that one needs no showing.
    async fn awaited(&self, view: &View) -> Result<Option<Option<(Inquiry, u64)>>, HandleError> {
        match (view, &self.known.dialogue.state) {
            (View::Step, State::Wizard(wizard)) => match &wizard.asked {
                Some(asked) => Ok(Some(self.unanswered(&asked.inquiry).await?)),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    async fn unanswered(&self, id: &InquiryId) -> Result<Option<(Inquiry, u64)>, HandleError> {
        let stored = known::inquiry(self.handler.table.as_ref(), id).await?;
        Ok(stored.filter(|(inquiry, _)| inquiry.answer.is_none()))
    }

    /// Puts the screen in place of what the pressed message shows, or sends it. `None`: there is nobody to show it to.
    pub(super) async fn put(
        &self,
        place: Option<BotMessageId>,
        screen: &Screen,
    ) -> Result<Option<BotMessageId>, HandleError> {
        let (bot, chat) = (&self.handler.bot, self.incoming.chat);
        if let Some(place) = place
            && settled(bot.edit(chat, place, screen).await)?.is_some()
        {
            return Ok(Some(place));
        }
        settled(bot.send(chat, screen).await)
    }

    /// Notes which message shows the step, and lets a host look where the step is the preview.
    async fn remember(&self, message: BotMessageId, inquiry: Option<(Inquiry, u64)>) -> Result<(), HandleError> {
        if self.known.dialogue.message != Some(message) {
            let dialogue = transfer::dialogue::Dialogue { message: Some(message), ..self.known.dialogue.clone() };
            let guard = self.known.dialogue_guard.clone();
            self.note(Write::Put { item: Item::Dialogue(Box::new(dialogue)), guard }).await?;
        }
        let Some((mut inquiry, mut version)) = inquiry else { return Ok(()) };
        for _ in 0..CONFLICTS_MAX {
            if inquiry.message == Some(message) {
                break;
            }
            let item = Item::Inquiry(Box::new(Inquiry { message: Some(message), ..inquiry.clone() }));
            if self.note(Write::Put { item, guard: Guard::Version(version) }).await? {
                break;
            }
            match self.unanswered(&inquiry.id).await? {
                Some(read) => (inquiry, version) = read,
                None => return Ok(()),
            }
        }
        Ok(self.handler.queue.send(&Job::inquiry(inquiry.id, inquiry.seq)).await?)
    }

    /// Whether it was written; `false` means that somebody else wrote there, and that is right too.
    async fn note(&self, write: Write) -> Result<bool, HandleError> {
        match self.handler.table.commit(vec![write]).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a new task's first job. The same job sent twice is one.
    async fn begin(&self, id: &TaskId) -> Result<(), HandleError> {
        let stored = self.handler.table.get(&Key::task(id)).await?;
        let Some(Item::Task(task)) = stored.map(|record| record.item) else { return Ok(()) };
        if task.seq == 1 && matches!(task.state, TaskState::Ready { .. }) {
            self.handler.queue.send(&Job::batch(id.clone(), task.checkpoint.batches + 1, task.seq)).await?;
        }
        Ok(())
    }
}

/// What came of speaking: `None` where there is nobody to tell, which no later attempt changes.
pub(crate) fn settled<T>(said: Result<T, BotError>) -> Result<Option<T>, HandleError> {
    match said {
        Ok(value) => Ok(Some(value)),
        Err(error @ (BotError::Gone(_) | BotError::Refused(_))) => {
            tracing::warn!(%error, "an admin could not be told");
            Ok(None)
        }
        Err(error @ (BotError::RetryAfter { .. } | BotError::Failed(_))) => Err(error.into()),
    }
}
