//! Commands: what begins with a slash.

use super::notice::Notice;
use super::view::View;
use super::{Next, State};

/// Does what the command says. A command that only shows something leaves a transfer that is being asked for as it is.
pub(crate) fn obey(state: State, text: &str) -> Next {
    let word = text.split_whitespace().next().unwrap_or_default();
    // In groups, and from some clients, the bot's name follows.
    let command = word.split('@').next().unwrap_or_default().to_lowercase();
    let kept = match &state {
        State::Awaits { .. } => State::Idle,
        State::Idle | State::Wizard(_) | State::Expired(_) => state.clone(),
    };
    match command.as_str() {
        "/start" => Next::showing(State::Idle, View::Menu),
        "/help" => Next::showing(kept, View::Help),
        "/transfer" => Next::step(State::Wizard(Box::default())),
        "/tasks" => Next::showing(kept, View::Tasks { page: 0 }),
        "/session" | "/accounts" => Next::showing(kept, View::Pool),
        "/stats" => Next::showing(kept, View::Statistics),
        "/settings" => Next::showing(kept, View::Settings),
        "/cancel" => match state {
            State::Idle => Next::notice(State::Idle, Notice::NothingToCancel),
            State::Wizard(_) | State::Expired(_) | State::Awaits { .. } => Next::notice(State::Idle, Notice::Cancelled),
        },
        _ => Next::notice(state, Notice::UnknownCommand),
    }
}
