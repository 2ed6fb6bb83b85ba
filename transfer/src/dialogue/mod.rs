//! The conversation with an admin: a pure state machine.
//!
//! [`next`] takes where a chat stands and what its person did, and gives where it stands then and what is to be done.
//! It reads nothing and does nothing: the shell that serves the webhook commits the new state together with the update's
//! mark, performs the actions, and shows the views. Buttons carry a [`press::Press`]; those of a step of the wizard count
//! on the message that shows that step only.

pub mod menu;
pub mod press;
pub mod screen;
pub mod view;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{BotMessageId, ChatId};

/// After so long without a word, a conversation begins anew.
pub const EXPIRES_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// Where one chat stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The chat.
    pub chat: ChatId,
    /// What is expected next.
    pub state: State,
    /// The message whose buttons count for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// When the person said something last.
    pub at: Timestamp,
}

/// What is expected next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Nothing: commands and menus only.
    #[default]
    Idle,
}
