//! Commands: what begins with a slash.

use super::notice::Notice;
use super::view::View;
use super::{Context, Next, State, login};

/// Does what the command says. A command that only shows something leaves a transfer that is being asked for as it is.
pub(crate) fn obey(state: State, text: &str, context: &Context<'_>) -> Next {
    let command = command(text);
    let kept = match &state {
        State::Awaits { .. } | State::Adding(_) => State::Idle,
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
            State::Idle => {
                login::cancel_last(context).unwrap_or_else(|| Next::notice(State::Idle, Notice::NothingToCancel))
            }
            State::Wizard(_) | State::Expired(_) | State::Awaits { .. } | State::Adding(_) => {
                Next::notice(State::Idle, Notice::Cancelled)
            }
        },
        _ => Next::notice(state, Notice::UnknownCommand),
    }
}

/// Whether the text is a command that is known: a password may begin with a slash, too.
pub(crate) fn is_known(text: &str) -> bool {
    let known = ["/start", "/help", "/transfer", "/tasks", "/session", "/accounts", "/stats", "/settings", "/cancel"];
    known.contains(&command(text).as_str())
}

/// The command's own word. In groups, and from some clients, the bot's name follows it.
fn command(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.split('@').next().unwrap_or_default().to_lowercase()
}
