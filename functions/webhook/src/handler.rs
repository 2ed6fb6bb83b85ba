//! The handler of updates: each is taken once, decided by the pure dialogue, committed, and answered.
//!
//! The order of effects, and what a death after each does:
//! 1. What changes others' items (wishes, accounts) is done; a death here has it done again, which changes nothing.
//! 2. One transaction takes the update: its mark, the new state of the dialogue, and what the dialogue creates (a task,
//!    an inquiry). A death here leaves it unanswered: the next delivery shows what the mark says, and does nothing else.
//! 3. Answers are shown, jobs are queued, and the mark says so. A death before the mark shows once more; a job that was not
//!    queued is found by the hosts' sweeper.
//!
//! Two updates at once meet in the dialogue's version: the second reads again and decides on top of the first. Whoever is
//! delivered an update that somebody else is still answering fails, and so is delivered it later.

mod answer;
mod known;
mod logins;
mod transaction;

use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use transfer::admin::AdminError;
use transfer::bot::{Bot, BotError, Incoming};
use transfer::clock::Clock;
use transfer::dialogue::{self, Next};
use transfer::ids::ChatId;
use transfer::queue::{Queue, QueueError};
use transfer::seal::{SealError, Sealer};
use transfer::submit::SubmitError;
use transfer::table::item::TakenUpdate;
use transfer::table::{CommitError, Item, Key, Table, TableError};

use crate::handler::answer::Answering;
pub(crate) use crate::handler::answer::settled;
use crate::handler::known::Known;
pub(crate) use crate::handler::known::heard;

/// How often an update is decided again because others wrote meanwhile.
const CONFLICTS_MAX: u32 = 20;
/// An update that somebody took is left to that somebody for so long, unless that failed: longer than any front waits
/// for the handler.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Answers updates. Nothing is kept between two of them.
pub struct Handler {
    /// Where everything stands.
    pub table: Arc<dyn Table>,
    /// Through which hosts are called.
    pub queue: Arc<dyn Queue>,
    /// With which it answers.
    pub bot: Arc<dyn Bot>,
    /// The time.
    pub clock: Clock,
    /// Whose updates are taken; all others are met with silence.
    pub admins: Vec<ChatId>,
    /// The zone of admins who chose none.
    pub zone: TimeZone,
    /// With which secrets are sealed before they are stored; nothing here can open them.
    pub sealer: Sealer,
}

/// Why an update was not handled; it is to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Reading failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Writing failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A task could not be changed.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// An account could not be changed.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A secret could not be sealed, and was not stored.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No job could be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The answer could not be shown.
    #[error(transparent)]
    Bot(#[from] BotError),
    /// Another delivery of the update is being answered.
    #[error("another delivery of this update is being answered right now")]
    Busy,
    /// Others wrote to the dialogue again and again.
    #[error("the dialogue is written to by others all the time")]
    Contended,
}

impl Handler {
    /// Handles an update.
    ///
    /// # Errors
    /// It is to be delivered again; what was done already is not done twice.
    pub fn handle(&self, incoming: Incoming) -> Pin<Box<dyn Future<Output = Result<(), HandleError>> + Send + '_>> {
        // In a box, so that all the dialogues are compiled here, and not anew in each program that has a front for them.
        Box::pin(self.obey(incoming))
    }

    async fn obey(&self, incoming: Incoming) -> Result<(), HandleError> {
        if !self.admins.contains(&incoming.chat) {
            tracing::warn!(chat = %incoming.chat, update = %incoming.id, "somebody who is no admin wrote to the bot");
            return Ok(());
        }
        for _ in 0..CONFLICTS_MAX {
            let known = Known::read(self, &incoming).await?;
            if let Some((taken, version)) = known.taken.clone() {
                return self.again(&incoming, known, taken, version).await;
            }
            let mut next = self.decide(&incoming, &known);
            let logins = known.seal(&mut next, &self.sealer)?;
            let word = self.perform(&incoming, &mut next, known.now).await?.or(next.word);
            let transaction = known.transaction(&incoming, &next, logins);
            let committed = self.table.commit(transaction.writes).await;
            let taken = match committed {
                Ok(()) => transaction.taken,
                Err(CommitError::Conflict(_)) => continue,
                // The next look says whether the mark is ours.
                Err(CommitError::Unknown(_)) if self.is_taken_as(&transaction.taken).await? => transaction.taken,
                Err(CommitError::Unknown(_)) => continue,
                Err(error @ CommitError::Refused(_)) => return Err(error.into()),
            };
            let answering = Answering::new(self, &incoming, known.after(&incoming, &next));
            return answering.answer(taken, 1, word).await;
        }
        Err(HandleError::Contended)
    }

    fn decide(&self, incoming: &Incoming, known: &Known) -> Next {
        let context = known.context(incoming.chat);
        dialogue::next(&known.dialogue, &incoming.what, &context)
    }

    /// An update that was taken before.
    async fn again(
        &self,
        incoming: &Incoming,
        known: Known,
        taken: TakenUpdate,
        version: u64,
    ) -> Result<(), HandleError> {
        if taken.done {
            return Ok(());
        }
        if !taken.failed && known.now.duration_since(taken.at).abs() < ANSWERED_WITHIN {
            return Err(HandleError::Busy);
        }
        let taken = TakenUpdate { at: known.now, failed: false, ..taken };
        // Of several deliveries at once, one answers.
        match self.table.commit(vec![transaction::mark(taken.clone(), version)]).await {
            Ok(()) => {}
            Err(CommitError::Conflict(_)) => return Err(HandleError::Busy),
            Err(error) => return Err(error.into()),
        }
        Answering::new(self, incoming, known).answer(taken, version + 1, None).await
    }

    async fn is_taken_as(&self, ours: &TakenUpdate) -> Result<bool, HandleError> {
        let stored = self.table.get(&Key::update(ours.id)).await?;
        Ok(stored.is_some_and(|record| matches!(record.item, Item::Update(taken) if taken == *ours)))
    }
}
