//! The questions before an account logs in: how, what to call it, how it ranks, with which application, which number.
//!
//! What must stay true: what is secret here never stands in the state in clear. The number leaves with
//! [`Action::BeginLogin`], the application's hash with that or, where the number is asked after it, with
//! [`Action::KeepApi`]; the shell seals both before anything is stored. A message with either is removed, whether it was
//! understood or not.

mod screen;

use serde::{Deserialize, Serialize};

use super::action::{Action, NewApi, NewLogin};
use super::input;
use super::notice::{Notice, Word};
use super::secret::Secret;
use super::view::View;
use super::{Context, Next, State};
use crate::account::Member;
use crate::ids::{AccountId, LoginId};
use crate::login::{Login, LoginState, OwnApi, Way};

pub(crate) use screen::screen;

/// An account that is being added, before its login begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adding {
    /// What is asked now.
    pub step: AddingStep,
    /// The login that will begin: what is sealed is bound to it.
    pub login: LoginId,
    /// The account that logs in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<AccountId>,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// What to call it; `None`: its name at Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its priority.
    #[serde(default)]
    pub priority: i32,
    /// An application of its own, sealed by the shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<OwnApi>,
    /// Why the last input was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddingStep {
    /// How it logs in.
    Way,
    /// What to call it.
    Label,
    /// How it ranks.
    Priority,
    /// Whether it has an application of its own.
    Api,
    /// Its phone number.
    Phone,
}

impl Adding {
    /// A new account.
    pub(super) fn begin(login: LoginId) -> Self {
        Self { step: AddingStep::Way, login, again: None, way: None, label: None, priority: 0, api: None, notice: None }
    }

    /// An account of the pool that logs in again: it keeps its name and its rank.
    pub(super) fn again(login: LoginId, member: &Member) -> Self {
        Self {
            again: Some(member.account.id.clone()),
            label: Some(member.profile.label.clone()),
            priority: member.profile.priority,
            ..Self::begin(login)
        }
    }

    /// What the person wrote.
    pub(super) fn written(mut self, text: &str, context: &Context<'_>) -> Next {
        self.notice = None;
        match self.step {
            AddingStep::Way => self.refused(Notice::PressButtons),
            AddingStep::Label => match input::label(text) {
                Some(label) => {
                    self.label = Some(label);
                    self.at(AddingStep::Priority)
                }
                None => self.refused(Notice::NoLabel),
            },
            AddingStep::Priority => match input::priority(text) {
                Some(priority) => {
                    self.priority = priority;
                    self.at(AddingStep::Api)
                }
                None => self.refused(Notice::NoPriority),
            },
            AddingStep::Api => match input::api(text) {
                Some((id, hash)) => self.with_api(Some(NewApi { id, hash: Secret::new(hash) }), context),
                None => self.refused(Notice::NoApi),
            }
            .doing(Action::RemoveMessage),
            AddingStep::Phone => match input::phone(text) {
                Some(phone) => self.begun(None, Some(&phone), context),
                None => self.refused(Notice::NoPhone),
            }
            .doing(Action::RemoveMessage),
        }
    }

    /// A button of the step.
    pub(super) fn pressed(mut self, word: &str, context: &Context<'_>) -> Next {
        let notice = self.notice.take();
        match (self.step, word) {
            (_, "cancel") => Next::notice(State::Idle, Notice::Cancelled),
            (_, "back") => self.back(),
            (AddingStep::Way, "way:qr") => self.chosen(Way::Qr, context),
            (AddingStep::Way, "way:code") => self.chosen(Way::Code, context),
            (AddingStep::Way, "way:string") => Next::showing(State::Idle, View::AccountImport),
            (AddingStep::Label, "label:-") => {
                self.label = None;
                self.at(AddingStep::Priority)
            }
            (AddingStep::Priority, "priority:0") => {
                self.priority = 0;
                self.at(AddingStep::Api)
            }
            (AddingStep::Api, "api:-") => {
                self.api = None;
                self.with_api(None, context)
            }
            _ => Next::step(State::Adding(Box::new(Self { notice, ..self }))).saying(Word::Late),
        }
    }

    /// Something that is no text.
    pub(super) fn refused(self, notice: Notice) -> Next {
        Next::step(State::Adding(Box::new(Self { notice: Some(notice), ..self })))
    }

    fn at(self, step: AddingStep) -> Next {
        Next::step(State::Adding(Box::new(Self { step, ..self })))
    }

    fn back(self) -> Next {
        match self.step {
            AddingStep::Way => match self.again {
                Some(id) => Next::showing(State::Idle, View::Account { id }),
                None => Next::showing(State::Idle, View::Pool),
            },
            AddingStep::Phone if self.again.is_some() => self.at(AddingStep::Way),
            AddingStep::Label => self.at(AddingStep::Way),
            AddingStep::Priority => self.at(AddingStep::Label),
            AddingStep::Api => self.at(AddingStep::Priority),
            AddingStep::Phone => self.at(AddingStep::Api),
        }
    }

    fn chosen(mut self, way: Way, context: &Context<'_>) -> Next {
        self.way = Some(way);
        match (self.again.is_some(), way) {
            (false, _) => self.at(AddingStep::Label),
            (true, Way::Code) => self.at(AddingStep::Phone),
            (true, Way::Qr) => self.begun(None, None, context),
        }
    }

    fn with_api(self, api: Option<NewApi>, context: &Context<'_>) -> Next {
        if self.way == Some(Way::Qr) {
            return self.begun(api, None, context);
        }
        let next = self.at(AddingStep::Phone);
        match api {
            Some(api) => next.doing(Action::KeepApi(api)),
            None => next,
        }
    }

    /// The login begins.
    fn begun(self, api: Option<NewApi>, phone: Option<&str>, context: &Context<'_>) -> Next {
        let login = Login {
            id: self.login.clone(),
            chat: context.chat,
            message: None,
            message_is_picture: false,
            language: context.locale.language,
            zone: context.zone_name.map(str::to_owned),
            way: if phone.is_some() { Way::Code } else { Way::Qr },
            label: self.label,
            priority: self.priority,
            again: self.again,
            api: self.api,
            phone: None,
            phone_masked: phone.map(input::masked),
            state: LoginState::Asked,
            digits: Vec::new(),
            password: None,
            progress: None,
            begun_at: context.now,
            touched_at: context.now,
            untold: false,
            seq: 1,
            lease: None,
            lease_epoch: 0,
        };
        let begun = NewLogin { login, api, phone: phone.map(Secret::new) };
        let next =
            Next::showing(State::Idle, View::Login { id: self.login }).doing(Action::BeginLogin(Box::new(begun)));
        if context.hosts_alive { next } else { next.saying(Word::NoHost) }
    }
}
