//! Inline keyboards: rows of buttons under a bot's message.

use serde::{Deserialize, Serialize};

/// Rows of buttons, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyboard {
    pub rows: Vec<Vec<Button>>,
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub text: String,
    #[serde(flatten)]
    pub press: Press,
}

/// What pressing a button does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Press {
    /// Sends these bytes (text, as far as the Bot API goes) to the bot.
    #[serde(rename = "data")]
    Callback(String),
    #[serde(rename = "url")]
    Url(String),
}

impl Keyboard {
    /// All buttons, row by row.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.rows.iter().flatten()
    }

    /// There is no button at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buttons().next().is_none()
    }

    /// The data of the first button with this text.
    #[must_use]
    pub fn data_of(&self, text: &str) -> Option<&str> {
        self.buttons().find(|button| button.text == text).and_then(|button| match &button.press {
            Press::Callback(data) => Some(data.as_str()),
            Press::Url(_) => None,
        })
    }
}
