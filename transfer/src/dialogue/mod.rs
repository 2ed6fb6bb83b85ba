//! The conversation with an admin: a pure state machine.
//!
//! [`next`] takes where a chat stands and what its person did, and gives where it stands then and what is to be done.
//! It reads nothing and does nothing: the shell that serves the webhook commits the new state together with the update's
//! mark, performs the actions, and shows the views. Buttons carry a [`press::Press`]; those of a step of the wizard count
//! on the message that shows that step only.

pub mod action;
pub mod adding;
pub mod awaited;
mod button;
mod command;
mod input;
mod login;
pub mod menu;
pub mod notice;
pub mod press;
pub mod screen;
pub mod secret;
pub mod summary;
pub mod view;
pub mod wizard;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::Member;
use crate::address::PeerAddress;
use crate::bot::Said;
use crate::dialogue::action::Action;
use crate::dialogue::adding::Adding;
use crate::dialogue::awaited::Awaited;
use crate::dialogue::notice::{Notice, Word};
use crate::dialogue::press::Press;
use crate::dialogue::view::View;
use crate::dialogue::wizard::{Moved, Place, Wizard};
use crate::ids::{BotMessageId, ChatId, InquiryId, LoginId, Nonce, TaskId};
use crate::inquiry::{Inquiry, Question};
use crate::login::{Login, OwnApi};
use crate::table::item::RecentPeer;
use crate::task::Task;
use crate::text::Locale;

pub use crate::dialogue::input::{looks_secret, masked};

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
    /// The logins that were begun here and are not known to be over, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<LoginId>,
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
    /// The next answer about a new transfer.
    Wizard(Box<Wizard>),
    /// Whether to go on with a transfer that was left standing.
    Expired(Box<Wizard>),
    /// One value.
    Awaits {
        /// Which.
        input: Awaited,
        /// Why the last one was not taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<Notice>,
    },
    /// The next answer about an account that is to be added.
    Adding(Box<Adding>),
}

/// What a decision may look at besides the dialogue.
#[derive(Debug)]
pub struct Context<'a> {
    /// The chat, and so the admin.
    pub chat: ChatId,
    /// When.
    pub now: Timestamp,
    /// How the admin is spoken to.
    pub locale: &'a Locale,
    /// The name of the admin's zone, where one was chosen.
    pub zone_name: Option<&'a str>,
    /// Whether a host renewed itself within the last minute.
    pub hosts_alive: bool,
    /// The chats that were named last, newest first.
    pub recent: &'a [RecentPeer],
    /// The transfer that the event is about.
    pub task: Seen,
    /// The titles of source and target, where a preview found them.
    pub found: Option<(String, String)>,
    /// The logins that are open in this chat, and the one that a button belongs to.
    pub logins: &'a [Login],
    /// The account that the event is about.
    pub account: Option<Member>,
    /// The groups of the pool's accounts.
    pub groups: &'a [String],
    /// Ids that were never used before.
    pub fresh: Fresh,
}

/// The transfer that an event is about, as its person may see it.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It is about none.
    None,
    /// There is no such transfer.
    Gone,
    /// It belongs to another admin.
    Foreign,
    /// This one.
    Task(Box<Task>),
}

/// Ids that were never used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// For a new transfer.
    pub task: TaskId,
    /// For a new transfer.
    pub nonce: Nonce,
    /// For a new preview.
    pub inquiry: InquiryId,
    /// For a new login.
    pub login: LoginId,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// Where the chat stands then.
    pub state: State,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// What is to be shown.
    pub shows: Vec<View>,
    /// The answer to a press.
    pub word: Option<Word>,
}

impl Dialogue {
    /// A chat in which nothing was said yet.
    pub fn new(chat: ChatId, now: Timestamp) -> Self {
        Self { chat, state: State::Idle, message: None, logins: Vec::new(), at: now }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > EXPIRES_AFTER
    }
}

impl State {
    /// The preview that is awaited or shown.
    pub fn inquiry(&self) -> Option<&InquiryId> {
        match self {
            Self::Wizard(wizard) | Self::Expired(wizard) => wizard.asked.as_ref().map(|asked| &asked.inquiry),
            Self::Idle | Self::Awaits { .. } | Self::Adding(_) => None,
        }
    }

    /// Puts the sealed application where [`Action::KeepApi`] wants it.
    pub fn keep_api(&mut self, api: OwnApi) {
        if let Self::Adding(adding) = self {
            adding.api = Some(api);
        }
    }
}

impl Next {
    fn showing(state: State, view: View) -> Self {
        Self { state, actions: Vec::new(), shows: vec![view], word: None }
    }

    fn step(state: State) -> Self {
        Self::showing(state, View::Step)
    }

    fn notice(state: State, notice: Notice) -> Self {
        Self::showing(state, View::Notice { notice })
    }

    fn word(state: State, word: Word) -> Self {
        Self { state, actions: Vec::new(), shows: Vec::new(), word: Some(word) }
    }

    fn saying(self, word: Word) -> Self {
        Self { word: Some(word), ..self }
    }

    fn doing(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }
}

/// What follows when this is said in a chat that stands there. Total: whatever comes is answered.
pub fn next(dialogue: &Dialogue, said: &Said, context: &Context<'_>) -> Next {
    let before = dialogue.state.inquiry().cloned();
    let mut next = decide(dialogue, said, context);
    // A preview that nobody looks at any more must not be put over what is shown instead.
    if let Some(inquiry) = before
        && next.state.inquiry() != Some(&inquiry)
    {
        next.actions.insert(0, Action::Withdraw(inquiry));
    }
    next
}

fn decide(dialogue: &Dialogue, said: &Said, context: &Context<'_>) -> Next {
    let expired = dialogue.is_expired(context.now);
    let state = match dialogue.state.clone() {
        State::Wizard(wizard) if expired => State::Expired(wizard),
        state => state,
    };
    if let Said::Text(text) = said
        && let Some(next) = secret(dialogue, &state, text, context)
    {
        return next;
    }
    match said {
        Said::Text(text) if text.trim_start().starts_with('/') => command::obey(state, text.trim(), context),
        Said::Pressed { message, data, .. } => {
            let counts = dialogue.message.is_none_or(|counting| counting == *message);
            let awaited_too_long = expired && matches!(state, State::Awaits { .. } | State::Adding(_));
            match Press::parse(data) {
                None => Next::word(state, Word::Old),
                Some(Press::Step(_)) if awaited_too_long => Next::step(State::Idle).saying(Word::Expired),
                Some(Press::Step(_)) if !counts => Next::word(state, Word::Old),
                Some(Press::Step(word)) => stepped(state, &word, context),
                Some(press) => button::pressed(state, &press, context),
            }
        }
        Said::Text(_) | Said::Forwarded(_) | Said::Other => told(state, said, expired, context),
    }
}

/// A text that must not stay in the chat, or that a login waits for.
fn secret(dialogue: &Dialogue, state: &State, text: &str, context: &Context<'_>) -> Option<Next> {
    let refused = |notice| Some(Next::notice(state.clone(), notice).doing(Action::RemoveMessage));
    if input::looks_bot_token(text) {
        return refused(Notice::BotToken);
    }
    if looks_secret(text) {
        return refused(Notice::Secret);
    }
    if command::is_known(text) { None } else { login::written(dialogue, state, text, context) }
}

/// Something that is neither a command nor a button.
fn told(state: State, said: &Said, expired: bool, context: &Context<'_>) -> Next {
    match (state, said) {
        (State::Expired(wizard), _) => Next::step(State::Expired(wizard)),
        (State::Awaits { .. } | State::Adding(_), _) if expired => Next::notice(State::Idle, Notice::Expired),
        (State::Idle, Said::Text(text)) => match PeerAddress::parse(text) {
            // A bare number may be anything.
            Ok((address, message)) if text.trim().parse::<i64>().is_err() => {
                begun_with(Place { address, title: None, message })
            }
            Ok(_) | Err(_) => Next::notice(State::Idle, Notice::NotUnderstood),
        },
        (State::Idle, Said::Forwarded(origin)) => match Place::of_origin(origin) {
            Some(place) => begun_with(place),
            None => Next::notice(State::Idle, Notice::NotText),
        },
        (State::Idle, _) => Next::notice(State::Idle, Notice::NotText),
        (State::Wizard(mut wizard), said) => {
            let moved = match said {
                Said::Text(text) => wizard.written(text, context),
                Said::Forwarded(origin) => wizard.forwarded(origin),
                Said::Other | Said::Pressed { .. } => wizard.refuse(Notice::NotText),
            };
            moved_on(wizard, moved, context)
        }
        (State::Awaits { input, .. }, Said::Text(text)) => input.written(text),
        (State::Awaits { input, .. }, _) => Next::step(State::Awaits { input, notice: Some(Notice::NotText) }),
        (State::Adding(adding), Said::Text(text)) => adding.written(text, context),
        (State::Adding(adding), _) => adding.refused(Notice::NotText),
    }
}

fn begun_with(place: Place) -> Next {
    Next::step(State::Wizard(Box::new(Wizard::with_source(place))))
}

/// A button of the step that is shown.
fn stepped(state: State, word: &str, context: &Context<'_>) -> Next {
    match (state, word) {
        (State::Idle, _) => Next::word(State::Idle, Word::Old),
        (State::Expired(wizard), "continue") => {
            if wizard.step == wizard::Step::Preview {
                return asked(wizard, context);
            }
            Next::step(State::Wizard(wizard))
        }
        (State::Expired(_), "cancel") => Next::notice(State::Idle, Notice::Cancelled),
        (State::Expired(wizard), _) => Next::step(State::Expired(wizard)).saying(Word::Expired),
        (State::Wizard(mut wizard), word) => {
            let moved = wizard.pressed(word, context);
            moved_on(wizard, moved, context)
        }
        (State::Awaits { input, .. }, word) => input.pressed(word),
        (State::Adding(adding), word) => adding.pressed(word, context),
    }
}

fn moved_on(mut wizard: Box<Wizard>, moved: Moved, context: &Context<'_>) -> Next {
    match moved {
        // The preview itself is the host's to show, and stays as it is.
        Moved::Shown if wizard.asked.is_some() => {
            wizard.notice = None;
            Next::notice(State::Wizard(wizard), Notice::PressPreview)
        }
        Moved::Shown => Next::step(State::Wizard(wizard)),
        Moved::Late if wizard.asked.is_some() => Next::word(State::Wizard(wizard), Word::Late),
        Moved::Late => Next::step(State::Wizard(wizard)).saying(Word::Late),
        Moved::Asked => asked(wizard, context).saying(if context.hosts_alive { Word::Looking } else { Word::NoHost }),
        Moved::Cancelled => Next::notice(State::Idle, Notice::Cancelled),
        Moved::Left => Next::showing(State::Idle, View::Menu),
        Moved::Confirmed => match wizard.confirmed(context.chat, context.now) {
            Ok(task) => created(&wizard, task, context),
            Err(_) => senseless(wizard),
        },
    }
}

/// Asks a host what the transfer would carry.
fn asked(mut wizard: Box<Wizard>, context: &Context<'_>) -> Next {
    wizard.notice = None;
    wizard.ask(&context.fresh);
    let Fresh { task, nonce, inquiry, .. } = context.fresh.clone();
    let Some(draft) = wizard.draft(task, nonce, context.chat).filter(|draft| draft.clone().build(context.now).is_ok())
    else {
        return senseless(wizard);
    };
    let inquiry = Inquiry {
        id: inquiry,
        chat: context.chat,
        message: None,
        language: context.locale.language,
        zone: context.zone_name.map(str::to_owned),
        question: Question::Preview { draft: Box::new(draft) },
        asked_at: context.now,
        seq: 1,
        answer: None,
    };
    Next::step(State::Wizard(wizard)).doing(Action::Ask(Box::new(inquiry)))
}

/// Through all the steps once more.
fn senseless(mut wizard: Box<Wizard>) -> Next {
    wizard.asked = None;
    wizard.step = wizard::Step::Source;
    wizard.refuse(Notice::Senseless);
    Next::step(State::Wizard(wizard))
}

fn created(wizard: &Wizard, task: Task, context: &Context<'_>) -> Next {
    let titles = context.found.clone().map_or((None, None), |(source, target)| (Some(source), Some(target)));
    let named = |place: &Option<Place>, title: Option<String>| {
        place.clone().map(|place| RecentPeer { address: place.address, title: title.or(place.title) })
    };
    let peers = [named(&wizard.target, titles.1), named(&wizard.source, titles.0)];
    let view = View::Created { id: task.id.clone(), title: task.title.clone() };
    Next::showing(State::Idle, view)
        .doing(Action::Submit(Box::new(task)))
        .doing(Action::Remember(peers.into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests;
