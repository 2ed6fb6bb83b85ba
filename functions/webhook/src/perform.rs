//! What an admin wants done to items that others write to as well: wishes, paces, accounts. Done before the update is taken,
//! and idempotent: a delivery that comes again after a death does it once more and changes nothing.

use jiff::Timestamp;
use transfer::admin::{self, AdminError};
use transfer::bot::BotError;
use transfer::bot::Incoming;
use transfer::dialogue::Next;
use transfer::dialogue::action::Action;
use transfer::dialogue::notice::{Notice, Word};
use transfer::dialogue::view::View;
use transfer::submit::{self, SubmitError};

use crate::handler::{HandleError, Handler, settled};

impl Handler {
    /// Performs what is to be performed before the update is taken; the word says what it came to, where that is not what
    /// was wanted.
    pub(crate) async fn perform(
        &self,
        incoming: &Incoming,
        next: &mut Next,
        now: Timestamp,
    ) -> Result<Option<Word>, HandleError> {
        let (table, queue) = (self.table.as_ref(), self.queue.as_ref());
        let mut word = None;
        let mut unremoved = false;
        for action in &next.actions {
            let came_to = match action {
                Action::Wish(id, wish) => task_word(submit::wish(table, id, *wish, None, now).await)?,
                Action::Resume(id) => task_word(submit::resume(table, queue, id, now).await.map(drop))?,
                Action::SetPace(id, pace) => task_word(submit::repace(table, id, *pace, now).await)?,
                Action::Retry { of, nonce } => {
                    task_word(submit::retry_skipped(table, queue, of, *nonce, now).await.map(drop))?
                }
                Action::Enable(id, enabled) => account_word(admin::set_enabled(table, id, *enabled).await)?,
                Action::Priority(id, priority) => account_word(admin::set_priority(table, id, *priority).await)?,
                Action::Label(id, label) => account_word(admin::set_label(table, id, label).await)?,
                Action::ResetWaits(id) => account_word(admin::reset_waits(table, id, Some(incoming.id), now).await)?,
                Action::Group(id, group) => account_word(admin::set_group(table, id, group.as_deref()).await)?,
                Action::Delete(id) => {
                    account_word(admin::leave(table, Some(queue), id, Some(incoming.chat), now).await)?
                }
                Action::Panic => account_word(admin::panic(table, Some(queue), Some(incoming.chat), now).await)?,
                Action::RemoveMessage => {
                    if let Some(message) = incoming.message {
                        let removed = self.bot.delete(incoming.chat, message).await;
                        unremoved = matches!(removed, Err(BotError::Refused(_)));
                        settled(removed)?;
                    }
                    None
                }
                Action::Ask(_)
                | Action::Withdraw(_)
                | Action::Submit(_)
                | Action::Remember(_)
                | Action::Speak(_)
                | Action::SetZone(_)
                | Action::KeepApi(_)
                | Action::BeginLogin(_)
                | Action::TellLogin(..) => None,
            };
            word = word.or(came_to);
        }
        if unremoved {
            next.shows.push(View::Notice { notice: Notice::NotRemoved });
        }
        Ok(word)
    }
}

fn task_word(done: Result<(), SubmitError>) -> Result<Option<Word>, HandleError> {
    match done {
        Ok(()) => Ok(None),
        Err(SubmitError::Unknown(_)) => Ok(Some(Word::Gone)),
        Err(SubmitError::Illegal(_) | SubmitError::NotOver(_)) => Ok(Some(Word::NotNow)),
        Err(SubmitError::Restored { .. }) => Ok(Some(Word::Restored)),
        Err(SubmitError::NothingToRetry(_)) => Ok(Some(Word::NothingToRetry)),
        Err(SubmitError::TooManyToRetry { .. }) => Ok(Some(Word::TooManyToRetry)),
        Err(error @ SubmitError::Queue(_)) => {
            // It stands in the table, and the sweeper finds it.
            tracing::warn!(%error, "a job was not queued");
            Ok(None)
        }
        Err(error @ (SubmitError::Table(_) | SubmitError::Commit(_) | SubmitError::Contended(_))) => Err(error.into()),
    }
}

fn account_word(done: Result<(), AdminError>) -> Result<Option<Word>, HandleError> {
    match done {
        Ok(()) => Ok(None),
        Err(AdminError::Unknown(_)) => Ok(Some(Word::AccountGone)),
        Err(AdminError::Connected(_) | AdminError::Unsettled { .. }) => Ok(Some(Word::AccountBusy)),
        Err(AdminError::BadLabel | AdminError::BadPriority | AdminError::BadGroup) => Ok(Some(Word::NotNow)),
        Err(error @ AdminError::Queue(_)) => {
            // It stands in the table, and the sweeper finds it.
            tracing::warn!(%error, "a job was not queued");
            Ok(None)
        }
        Err(error @ (AdminError::Table(_) | AdminError::Commit(_) | AdminError::Contended(_))) => Err(error.into()),
    }
}
