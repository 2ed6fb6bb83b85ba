//! What an admin does to a login that is under way: presses of its keypad, a password, a code written where none belongs.
//!
//! Several logins may be under way in one chat. Buttons name theirs. A text answers the login that asked for a password
//! last, if nothing else was asked or done since; the shell hands over the logins that are open here.

use super::action::{Action, Told};
use super::input;
use super::notice::{Notice, Word};
use super::press::Press;
use super::secret::Secret;
use super::view::View;
use super::{Context, Dialogue, Next, State};
use crate::ids::LoginId;
use crate::login::{Login, LoginEvent, LoginState, Turn, Way};

/// A button of a login's message.
pub(super) fn pressed(state: State, press: &Press, id: &LoginId, context: &Context<'_>) -> Next {
    let Some(login) = context.logins.iter().find(|login| login.id == *id && login.chat == context.chat) else {
        return Next::word(state, Word::LoginGone);
    };
    let takes = |event| login.next(event, context.now).is_ok();
    let is_code = matches!(login.state, LoginState::Code { .. });
    let told = match press {
        Press::Digit(_, digit) if is_code => Told::Digit(Secret::new(digit.to_string())),
        Press::Erase(_) if takes(LoginEvent::Erase) => Told::Erase,
        Press::Complete(_) if takes(LoginEvent::Complete) => Told::Complete,
        Press::Complete(_) if is_code => return Next::word(state, Word::NoDigits),
        Press::Resend(_) if takes(LoginEvent::Resend) => Told::Resend,
        Press::Resend(_) if is_code => return Next::word(state, Word::ResendEarly),
        Press::CancelLogin(_) if takes(LoginEvent::Cancel) => return cancelled(state, login),
        _ => return Next::word(state, Word::Late),
    };
    let next = Next::showing(state, View::Login { id: id.clone() }).doing(Action::TellLogin(id.clone(), told));
    let ends_turn = !matches!(press, Press::Digit(..) | Press::Erase(_));
    if ends_turn && !context.hosts_alive { next.saying(Word::NoHost) } else { next }
}

/// A text, if that is a login's business.
pub(super) fn written(dialogue: &Dialogue, state: &State, text: &str, context: &Context<'_>) -> Option<Next> {
    let login = asking(dialogue, state, context)?;
    let here = |next: Next| next.doing(Action::RemoveMessage);
    let shown = || Next::showing(state.clone(), View::Login { id: login.id.clone() });
    match &login.state {
        LoginState::Password { .. } => {
            let told = Told::Password(Secret::new(text));
            Some(here(shown().doing(Action::TellLogin(login.id.clone(), told))))
        }
        LoginState::PasswordGiven { .. } => Some(here(Next::notice(state.clone(), Notice::PasswordBeingChecked))),
        LoginState::Code { .. } if input::looks_code(text) => {
            let mut next = shown().doing(Action::TellLogin(login.id.clone(), Told::CodeWritten));
            next.shows.push(View::Notice { notice: Notice::CodeWritten });
            Some(here(next))
        }
        _ if login.way == Way::Code && input::looks_code(text) => {
            Some(here(Next::notice(state.clone(), Notice::CodeWritten)))
        }
        _ => None,
    }
}

/// Ends the login that was touched last.
pub(super) fn cancel_last(context: &Context<'_>) -> Option<Next> {
    let open = context.logins.iter().filter(|login| {
        login.chat == context.chat && login.state.turn() != Turn::Nobody && login.state != LoginState::Cancelled
    });
    open.max_by_key(|login| login.touched_at).map(|login| cancelled(State::Idle, login))
}

fn cancelled(state: State, login: &Login) -> Next {
    let told = Action::TellLogin(login.id.clone(), Told::Cancel);
    Next::showing(state, View::Login { id: login.id.clone() }).doing(told).saying(Word::LoginCancelled)
}

/// The login that a text may answer: what waits for a password before what waits for a code, the last before others.
/// Where something else is being asked for, only a login that asked after the person's last word.
fn asking<'a>(dialogue: &Dialogue, state: &State, context: &Context<'a>) -> Option<&'a Login> {
    let rank = |login: &&Login| match login.state {
        LoginState::Password { .. } => 3,
        LoginState::PasswordGiven { .. } => 2,
        LoginState::Code { .. } => 1,
        _ => 0,
    };
    let listens = |login: &&Login| {
        let is_open = login.chat == context.chat && login.state.turn() != Turn::Nobody;
        is_open && (*state == State::Idle || login.touched_at >= dialogue.at)
    };
    context.logins.iter().filter(listens).max_by_key(|login| (rank(login), login.touched_at))
}
