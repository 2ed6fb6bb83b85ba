//! Alarms: what every admin is told once, while it lasts.

use jiff::Timestamp;

use super::{NAME_LEN_MAX, REASON_LEN_MAX, TITLE_LEN_MAX, button, text};
use crate::account::AccountState;
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::ids::{AccountId, HostId, TaskId};
use crate::text::{Locale, grouped};

/// Something every admin should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// Fewer than two accounts are available, of a pool that has more.
    FewAccounts {
        /// How many are.
        available: u32,
        /// Of how many.
        of: u32,
    },
    /// An account has to wait for hours.
    LongFlood {
        /// Which.
        account: AccountId,
        /// What it is called.
        label: String,
        /// Until when.
        until: Timestamp,
    },
    /// More than a tenth of what a task selected was skipped.
    ManySkipped {
        /// Which task.
        task: TaskId,
        /// What it is called.
        title: String,
        /// How many were skipped.
        skipped: u64,
        /// Of how many.
        matched: u64,
    },
    /// An account left the pool by itself.
    AccountLost {
        /// Which.
        account: AccountId,
        /// What it is called.
        label: String,
        /// What became of it.
        state: AccountState,
        /// Telegram's word.
        reason: String,
    },
    /// A job failed as often as it may.
    PoisonJob {
        /// Which.
        job: String,
        /// Why.
        reason: String,
    },
    /// A host gives no sign of life.
    HostGone {
        /// Which.
        host: HostId,
        /// When it gave the last, by its own clock.
        last_seen: Timestamp,
    },
}

impl Alert {
    /// What kind of thing it is, and about whom: the key under which it stands while it lasts.
    pub fn key(&self) -> (&'static str, String) {
        match self {
            Self::FewAccounts { .. } => (kind::FEW_ACCOUNTS, "pool".to_owned()),
            Self::LongFlood { account, .. } => (kind::LONG_FLOOD, account.to_string()),
            Self::ManySkipped { task, .. } => (kind::MANY_SKIPPED, task.to_string()),
            Self::AccountLost { account, .. } => (kind::ACCOUNT_LOST, account.to_string()),
            Self::PoisonJob { job, .. } => (kind::POISON_JOB, job.clone()),
            Self::HostGone { host, .. } => (kind::HOST_GONE, host.to_string()),
        }
    }

    /// The message.
    pub fn screen(&self, locale: &Locale) -> Screen {
        let (html, press) = match self {
            Self::FewAccounts { available, of } => {
                let arguments = [("available", (*available).into()), ("of", (*of).into())];
                (locale.say("alert-few-accounts", &arguments), Some(Press::Accounts(0)))
            }
            Self::LongFlood { account, label, until } => {
                let arguments = [("account", text(label, NAME_LEN_MAX)), ("until", locale.time(*until).into())];
                (locale.say("alert-long-flood", &arguments), Some(Press::Account(account.clone())))
            }
            Self::ManySkipped { task, title, skipped, matched } => {
                let arguments = [
                    ("title", text(title, TITLE_LEN_MAX)),
                    ("skipped", grouped(*skipped).into()),
                    ("matched", grouped(*matched).into()),
                ];
                (locale.say("alert-many-skipped", &arguments), Some(Press::Skipped(task.clone(), 0)))
            }
            Self::AccountLost { account, label, state, reason } => {
                let arguments = [
                    ("account", text(label, NAME_LEN_MAX)),
                    ("what", locale.say(lost(*state), &[]).into()),
                    ("reason", text(reason, REASON_LEN_MAX)),
                ];
                (locale.say("alert-account-lost", &arguments), Some(Press::Account(account.clone())))
            }
            Self::PoisonJob { job, reason } => {
                let arguments = [("job", text(job, TITLE_LEN_MAX)), ("reason", text(reason, REASON_LEN_MAX))];
                (locale.say("alert-poison-job", &arguments), None)
            }
            Self::HostGone { host, last_seen } => {
                let arguments =
                    [("host", text(&host.to_string(), NAME_LEN_MAX)), ("at", locale.time(*last_seen).into())];
                (locale.say("alert-host-gone", &arguments), None)
            }
        };
        let again = match self {
            Self::AccountLost { account, state: AccountState::SignedOut | AccountState::SessionDead, .. } => {
                Some(vec![button(locale, "alert-button-login", &Press::LoginAgain(account.clone()))])
            }
            _ => None,
        };
        let look = press.map(|press| vec![button(locale, "progress-press-look", &press)]);
        Screen { html, buttons: again.into_iter().chain(look).collect() }
    }
}

/// The kinds of alarms, as they stand in keys.
pub mod kind {
    /// See [`super::Alert::FewAccounts`].
    pub const FEW_ACCOUNTS: &str = "few-accounts";
    /// See [`super::Alert::LongFlood`].
    pub const LONG_FLOOD: &str = "long-flood";
    /// See [`super::Alert::ManySkipped`].
    pub const MANY_SKIPPED: &str = "many-skipped";
    /// See [`super::Alert::AccountLost`].
    pub const ACCOUNT_LOST: &str = "account-lost";
    /// See [`super::Alert::PoisonJob`].
    pub const POISON_JOB: &str = "poison-job";
    /// See [`super::Alert::HostGone`].
    pub const HOST_GONE: &str = "host-gone";
}

fn lost(state: AccountState) -> &'static str {
    match state {
        AccountState::Ready => "alert-lost-ready",
        AccountState::SignedOut => "alert-lost-signed-out",
        AccountState::SessionDead => "alert-lost-session-dead",
        AccountState::Frozen => "alert-lost-frozen",
        AccountState::Quarantined => "alert-lost-quarantined",
        AccountState::Banned => "alert-lost-banned",
    }
}
