//! Buttons that mean the same wherever they stand: menus, and what is done to transfers, accounts and settings.

use super::action::Action;
use super::adding::Adding;
use super::awaited::Awaited;
use super::notice::Word;
use super::press::Press;
use super::view::View;
use super::wizard::Wizard;
use super::{Context, Next, Seen, State, asked, login};
use crate::ids::{AccountId, TaskId};
use crate::task::Wish;

/// Does what the button says. A button that only shows something leaves a transfer that is being asked for as it is.
pub(crate) fn pressed(state: State, press: &Press, context: &Context<'_>) -> Next {
    let state = match state {
        State::Awaits { .. } | State::Adding(_) => State::Idle,
        state @ (State::Idle | State::Wizard(_) | State::Expired(_)) => state,
    };
    if let Some(id) = press.task() {
        return match &context.task {
            Seen::Foreign => Next::word(state, Word::Foreign),
            Seen::None | Seen::Gone => Next::word(state, Word::Gone),
            Seen::Task(_) => about_task(state, press, id, context),
        };
    }
    if let Some(id) = press.account() {
        return about_account(state, press, id, context);
    }
    if let Some(id) = press.login() {
        return login::pressed(state, press, id, context);
    }
    match press {
        Press::Menu => Next::showing(state, View::Menu),
        Press::Help => Next::showing(state, View::Help),
        Press::NewTransfer => Next::step(State::Wizard(Box::default())),
        Press::Tasks(page) => Next::showing(state, View::Tasks { page: *page }),
        Press::Pool => Next::showing(state, View::Pool),
        Press::Accounts(page) => Next::showing(state, View::Accounts { page: *page }),
        Press::AddAccount => Next::step(State::Adding(Box::new(Adding::begin(context.fresh.login.clone())))),
        Press::Statistics => Next::showing(state, View::Statistics),
        Press::Settings => Next::showing(state, View::Settings),
        Press::Speak(language) => {
            Next::showing(state, View::Settings).doing(Action::Speak(*language)).saying(Word::Saved)
        }
        Press::AskZone => Next::step(State::Awaits { input: Awaited::Zone, notice: None }),
        Press::AskPanic => Next::showing(state, View::Panic { again: false }),
        Press::AskPanicAgain => Next::showing(state, View::Panic { again: true }),
        Press::Panic => Next::showing(state, View::Panicking).doing(Action::Panic),
        _ => Next { state, actions: Vec::new(), shows: Vec::new(), word: None },
    }
}

fn about_task(state: State, press: &Press, id: &TaskId, context: &Context<'_>) -> Next {
    let page = |state| Next::showing(state, View::Task { id: id.clone() });
    match press {
        Press::Pause(_) => page(state).doing(Action::Wish(id.clone(), Wish::Pause)).saying(Word::Pausing),
        Press::Resume(_) => {
            let word = if context.hosts_alive { Word::Resumed } else { Word::ResumedWithoutHost };
            page(state).doing(Action::Resume(id.clone())).saying(word)
        }
        Press::AskCancel(_) => Next::showing(state, View::TaskCancel { id: id.clone() }),
        Press::Cancel(_) => page(state).doing(Action::Wish(id.clone(), Wish::Cancel)).saying(Word::Cancelling),
        Press::AskPace(_) => Next::showing(state, View::TaskPace { id: id.clone() }),
        Press::SetPace(_, preset) => {
            page(state).doing(Action::SetPace(id.clone(), preset.pace())).saying(Word::PaceSet)
        }
        Press::CustomPace(_) => Next::step(State::Awaits { input: Awaited::Pace { task: id.clone() }, notice: None }),
        Press::Skipped(_, skipped_page) => Next::showing(state, View::Skipped { id: id.clone(), page: *skipped_page }),
        Press::RetrySkipped(_) => {
            page(state).doing(Action::Retry { of: id.clone(), nonce: context.fresh.nonce }).saying(Word::Retried)
        }
        Press::RepeatTask(_) => match &context.task {
            Seen::Task(task) => asked(Box::new(Wizard::repeating(task)), context),
            Seen::None | Seen::Gone | Seen::Foreign => Next::word(state, Word::Gone),
        },
        _ => page(state),
    }
}

fn about_account(state: State, press: &Press, id: &AccountId, context: &Context<'_>) -> Next {
    let page = |state| Next::showing(state, View::Account { id: id.clone() });
    let awaits = |input| Next::step(State::Awaits { input, notice: None });
    match press {
        Press::Enable(_) => page(state).doing(Action::Enable(id.clone(), true)).saying(Word::Saved),
        Press::Disable(_) => page(state).doing(Action::Enable(id.clone(), false)).saying(Word::Saved),
        Press::AskPriority(_) => awaits(Awaited::Priority { account: id.clone() }),
        Press::AskLabel(_) => awaits(Awaited::Label { account: id.clone() }),
        Press::AskGroup(_) => awaits(Awaited::Group { account: id.clone() }),
        Press::LoginAgain(_) => match &context.account {
            Some(member) => Next::step(State::Adding(Box::new(Adding::again(context.fresh.login.clone(), member)))),
            None => Next::word(state, Word::AccountGone),
        },
        Press::AskReset(_) => Next::showing(state, View::AccountReset { id: id.clone() }),
        Press::Reset(_) => page(state).doing(Action::ResetWaits(id.clone())).saying(Word::Saved),
        Press::AskDelete(_) => Next::showing(state, View::AccountDelete { id: id.clone() }),
        Press::Delete(_) => page(state).doing(Action::Delete(id.clone())).saying(Word::Leaving),
        _ => page(state),
    }
}
