//! What can be shown to an admin. A view names what to show, and the shell reads the data that belongs to it.

use serde::{Deserialize, Serialize};

use crate::dialogue::notice::Notice;
use crate::ids::{AccountId, LoginId, TaskId};

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub enum View {
    /// The main menu.
    Menu,
    /// What Ferry can do, and how.
    Help,
    /// The present step of the conversation, or the menu if there is none.
    Step,
    /// The tasks, newest first.
    Tasks {
        /// Which page, from 0.
        page: u32,
    },
    /// One task's page.
    Task {
        /// Which.
        id: TaskId,
    },
    /// The question whether a task is really to be cancelled.
    TaskCancel {
        /// Which.
        id: TaskId,
    },
    /// The choice of another pace for a task.
    TaskPace {
        /// Which.
        id: TaskId,
    },
    /// The skip ledger of a task.
    Skipped {
        /// Of which task.
        id: TaskId,
        /// Which page, from 0.
        page: u32,
    },
    /// The pool's menu: totals and four buttons.
    Pool,
    /// The accounts.
    Accounts {
        /// Which page, from 0.
        page: u32,
    },
    /// One account's page.
    Account {
        /// Which.
        id: AccountId,
    },
    /// The question whether an account is really to be deleted.
    AccountDelete {
        /// Which.
        id: AccountId,
    },
    /// The question whether an account's flood state is really to be reset, and what that risks.
    AccountReset {
        /// Which.
        id: AccountId,
    },
    /// How session strings are imported.
    AccountImport,
    /// How accounts are added; asked step by step since.
    AccountAdd,
    /// A login that is under way, or was.
    Login {
        /// Which.
        id: LoginId,
    },
    /// The question whether every account is really to be signed out.
    Panic {
        /// Whether it was answered once already.
        again: bool,
    },
    /// That every account is being signed out.
    Panicking,
    /// The pool's statistics.
    Statistics,
    /// Language and zone.
    Settings,
    /// A few words, and where to go from there.
    Notice {
        /// Which.
        notice: Notice,
    },
    /// That a transfer was asked for.
    Created {
        /// Which.
        id: TaskId,
        /// What the admin calls it.
        title: String,
    },
}
