//! Callback queries: a button was pressed, and somebody waits for what the bot says to it.

use super::updates::Happening;
use crate::time::SimTime;
use crate::world::{ChatId, MessageId, Rpc, RpcError, UserId, World};
use serde::Serialize;

/// Who pressed a button waits so long for an answer.
pub const ANSWER_SECS_MAX: u64 = 10;
/// The bot may answer so long. Telegram's own limit is not documented; reports go from a quarter of a minute up.
const QUERY_MILLIS_MAX: i64 = 60_000;
/// `answerCallbackQuery`'s text.
const TEXT_LEN_MAX: usize = 200;

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub id: i64,
    pub user: UserId,
    pub at: SimTime,
    pub answer: Option<CallbackAnswer>,
}

/// What the bot said to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CallbackAnswer {
    pub text: Option<String>,
    /// A window to be closed, not a passing note.
    pub alert: bool,
    pub url: Option<String>,
}

impl World {
    /// A user presses a button under a bot's message, by the user's own id of it. Gives the number of the query.
    ///
    /// Clients may send any data, also of buttons that are gone or never were.
    ///
    /// # Errors
    /// `MESSAGE_ID_INVALID` (there is no such message, or it is not a bot's), `DATA_INVALID` (longer than 64 bytes).
    pub fn press_button(&mut self, user: UserId, bot: UserId, message: MessageId, data: &str) -> Rpc<i64> {
        let invalid = || RpcError::bad("MESSAGE_ID_INVALID");
        let chat = ChatId::user(bot);
        let seen = self.mailbox_message(user, message).filter(|it| it.chat == chat && it.by == bot);
        seen.ok_or_else(invalid)?;
        if data.is_empty() || data.len() > super::speak::DATA_LEN_MAX {
            return Err(RpcError::bad("DATA_INVALID"));
        }
        let twin = self.twin_of(user, message).ok_or_else(invalid)?;
        let own = self.in_mailbox(bot, twin).ok_or_else(invalid)?;
        let message = self.mailbox_message(bot, own).ok_or_else(invalid)?.into_owned();
        self.bots.last_callback += 1;
        let id = 4_000_000_000_000_000_000 + self.bots.last_callback;
        let at = self.now();
        let it = self.bots.get_mut(bot).ok_or_else(invalid)?;
        it.callbacks.insert(id, Callback { id, user, at, answer: None });
        let happening = Happening::Callback { id, user, message: Box::new(message), data: data.to_owned() };
        self.bot_happening(bot, happening);
        Ok(id)
    }

    /// `answerCallbackQuery`.
    ///
    /// # Errors
    /// `QUERY_ID_INVALID` for unknown, answered and old ones; `MESSAGE_TOO_LONG`.
    pub fn answer_callback(&mut self, bot: UserId, id: i64, answer: CallbackAnswer) -> Rpc<()> {
        let now = self.now();
        let invalid = || RpcError::bad("QUERY_ID_INVALID");
        if answer.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_LEN_MAX) {
            return Err(RpcError::bad("MESSAGE_TOO_LONG"));
        }
        let bot = self.bots.get_mut(bot).ok_or_else(invalid)?;
        let callback = bot.callbacks.get_mut(&id).ok_or_else(invalid)?;
        if callback.answer.is_some() || now.since(callback.at) > QUERY_MILLIS_MAX {
            return Err(invalid());
        }
        callback.answer = Some(answer);
        Ok(())
    }

    /// What the bot said to a query, as far as it has.
    #[must_use]
    pub fn callback_answer(&self, bot: UserId, id: i64) -> Option<CallbackAnswer> {
        self.bots.get(bot)?.callbacks.get(&id)?.answer.clone()
    }
}
