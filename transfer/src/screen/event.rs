//! What happened to a task, in words.

use std::collections::BTreeMap;

use crate::account::Member;
use crate::event::{Event, Settlement};
use crate::ids::AccountId;
use crate::intent::SkipReason;
use crate::text::{Locale, escaped, grouped};

use super::{label, reason, short};

/// Characters of Telegram's word for an error.
const ERROR_LEN_SHOWN: usize = 80;

/// What the accounts are called.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<AccountId, String>);

impl Names {
    /// By their labels.
    pub fn of_members(members: &[Member]) -> Self {
        Self(members.iter().map(|member| (member.account.id.clone(), label(&member.profile.label))).collect())
    }

    /// The label, or the id of an account that is not in the pool any more. Short, not escaped.
    pub fn of(&self, id: &AccountId) -> String {
        self.0.get(id).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| label(&id.0))
    }
}

/// An event as a line of markup, with its icon.
pub fn words(event: &Event, names: &Names, locale: &Locale) -> String {
    match event {
        Event::Started { in_range: Some(count) } => {
            locale.say("task-event-started", &[("count", grouped(*count).into())])
        }
        Event::Started { in_range: None } => locale.say("task-event-started-uncounted", &[]),
        Event::AccountChanged { from: None, to, .. } => {
            locale.say("task-event-account", &[("to", names.of(to).into())])
        }
        Event::AccountChanged { from: Some(from), to, reason, wait_secs } => {
            let why = match wait_secs {
                Some(secs) => locale.say("task-event-flooded", &[("wait", locale.duration(*secs).into())]),
                None => reason::words(reason, locale),
            };
            let arguments = [("from", names.of(from).into()), ("to", names.of(to).into()), ("why", html(why))];
            locale.say("task-event-account-changed", &arguments)
        }
        Event::Flood { account, wait_secs, until } => {
            let wait = locale.duration(*wait_secs);
            let until = locale.clock_time(*until);
            let arguments = [("account", names.of(account).into()), ("wait", wait.into()), ("until", until.into())];
            locale.say("task-event-flood", &arguments)
        }
        Event::AllLimited { wake_at } => {
            locale.say("task-event-all-limited", &[("wake", locale.time(*wake_at).into())])
        }
        Event::AccountLost { account, reason } => {
            let arguments = [("account", names.of(account).into()), ("reason", short(reason, ERROR_LEN_SHOWN).into())];
            locale.say("task-event-account-lost", &arguments)
        }
        Event::Skipped { messages, reason } => {
            let arguments =
                [("count", grouped(u64::from(*messages)).into()), ("why", html(skip_reason(reason, locale)))];
            locale.say("task-event-skipped", &arguments)
        }
        Event::Settled { account, how } => {
            let name = match how {
                Settlement::Repeated => "task-event-settled-repeated",
                Settlement::Found => "task-event-settled-found",
                Settlement::TakenOver => "task-event-settled-taken-over",
            };
            locale.say(name, &[("account", names.of(account).into())])
        }
        Event::BatchDone { batch } => locale.say("task-event-batch", &[("number", grouped(u64::from(*batch)).into())]),
        Event::State { state, reason } => {
            let state = state_word(state, locale);
            match reason {
                None => state,
                Some(reason) => {
                    let arguments = [("state", html(state)), ("why", html(reason::words(reason, locale)))];
                    locale.say("task-event-state", &arguments)
                }
            }
        }
    }
}

/// Why messages were not carried, as markup.
pub fn skip_reason(reason: &SkipReason, locale: &Locale) -> String {
    match reason {
        SkipReason::Service => locale.say("tasks-skip-service", &[]),
        SkipReason::Deleted => locale.say("tasks-skip-deleted", &[]),
        SkipReason::Refused => locale.say("tasks-skip-refused", &[]),
        SkipReason::Error(error) => locale.say("tasks-skip-error", &[("error", short(error, ERROR_LEN_SHOWN).into())]),
        SkipReason::Undetermined => locale.say("tasks-skip-undetermined", &[]),
    }
}

/// A state's icon and word, as markup. What is stored as a word may be of a later version: it is shown as it is.
pub fn state_word(word: &str, locale: &Locale) -> String {
    match word {
        "ready" | "running" | "waiting" | "paused" | "parked" | "failed" | "done" | "cancelled" => {
            locale.say(&format!("task-state-{word}"), &[])
        }
        other => escaped(&short(other, ERROR_LEN_SHOWN)),
    }
}

fn html(text: String) -> crate::text::Value<'static> {
    crate::text::Value::Html(text.into())
}
