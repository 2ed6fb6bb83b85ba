//! What each step of the conversation shows.

use jiff::Timestamp;

use super::State;
use crate::bot::Screen;
use crate::dialogue::menu;
use crate::table::item::RecentPeer;
use crate::text::Locale;

/// What a step's screen needs besides the state.
pub struct StepContext<'a> {
    /// How to speak.
    pub locale: &'a Locale,
    /// The chats that were named last, newest first.
    pub recent: &'a [RecentPeer],
    /// When.
    pub now: Timestamp,
    /// Whether a host renewed itself within the last minute.
    pub hosts_alive: bool,
}

/// The screen of the present step; the menu if there is none.
pub fn step(state: &State, context: &StepContext<'_>) -> Screen {
    match state {
        State::Idle => menu::menu(context.locale),
    }
}
