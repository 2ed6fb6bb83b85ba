//! What a button means, and how that is written into its 64 bytes.
//!
//! Written as words with colons between: `task:<id>`, `pause:<id>`. It comes back from outside: whatever is no press of
//! this version is `None`, and the shell says that the button is of an old message.

use std::fmt;

use crate::ids::{AccountId, LoginId, TaskId};
use crate::pace::Preset;
use crate::text::Language;

/// What a button means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Show the main menu.
    Menu,
    /// Show the help.
    Help,
    /// Begin a new transfer.
    NewTransfer,
    /// Show a page of the tasks.
    Tasks(u32),
    /// Show a task.
    Task(TaskId),
    /// Pause it.
    Pause(TaskId),
    /// Let it go on.
    Resume(TaskId),
    /// Ask whether to cancel it.
    AskCancel(TaskId),
    /// Cancel it.
    Cancel(TaskId),
    /// Show the choice of paces.
    AskPace(TaskId),
    /// Give it this pace.
    SetPace(TaskId, Preset),
    /// Ask for values of its pace.
    CustomPace(TaskId),
    /// Carry again what was skipped.
    RetrySkipped(TaskId),
    /// Show a page of what was skipped.
    Skipped(TaskId, u32),
    /// Do the same once more as a new task.
    RepeatTask(TaskId),
    /// Show the pool's menu.
    Pool,
    /// Show a page of the accounts.
    Accounts(u32),
    /// Show an account.
    Account(AccountId),
    /// Let it be chosen.
    Enable(AccountId),
    /// Let it not be chosen.
    Disable(AccountId),
    /// Ask for its priority.
    AskPriority(AccountId),
    /// Ask for its label.
    AskLabel(AccountId),
    /// Ask whether to forget its waits.
    AskReset(AccountId),
    /// Forget its waits.
    Reset(AccountId),
    /// Ask whether to delete it.
    AskDelete(AccountId),
    /// Delete it.
    Delete(AccountId),
    /// Ask for its group.
    AskGroup(AccountId),
    /// Log it in again.
    LoginAgain(AccountId),
    /// Ask how an account is to be added.
    AddAccount,
    /// A digit of a login's code.
    Digit(LoginId, u8),
    /// Take the last digit back.
    Erase(LoginId),
    /// The code is complete.
    Complete(LoginId),
    /// Have another code sent.
    Resend(LoginId),
    /// End a login.
    CancelLogin(LoginId),
    /// Ask whether to sign every account out.
    AskPanic,
    /// Ask once more.
    AskPanicAgain,
    /// Sign every account out.
    Panic,
    /// Show the statistics.
    Statistics,
    /// Show the settings.
    Settings,
    /// Speak this language.
    Speak(Language),
    /// Ask for the zone.
    AskZone,
    /// A step of the wizard: what follows `w:`.
    Step(String),
    /// Nothing: a button that only shows something.
    Nothing,
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Menu => f.write_str("menu"),
            Self::Help => f.write_str("help"),
            Self::NewTransfer => f.write_str("new"),
            Self::Tasks(page) => write!(f, "tasks:{page}"),
            Self::Task(id) => write!(f, "task:{id}"),
            Self::Pause(id) => write!(f, "pause:{id}"),
            Self::Resume(id) => write!(f, "resume:{id}"),
            Self::AskCancel(id) => write!(f, "cancel?:{id}"),
            Self::Cancel(id) => write!(f, "cancel:{id}"),
            Self::AskPace(id) => write!(f, "pace?:{id}"),
            Self::SetPace(id, preset) => write!(f, "pace:{id}:{preset}"),
            Self::CustomPace(id) => write!(f, "pace+:{id}"),
            Self::RetrySkipped(id) => write!(f, "retry:{id}"),
            Self::Skipped(id, page) => write!(f, "skips:{id}:{page}"),
            Self::RepeatTask(id) => write!(f, "again:{id}"),
            Self::Pool => f.write_str("pool"),
            Self::Accounts(page) => write!(f, "accounts:{page}"),
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Enable(id) => write!(f, "enable:{id}"),
            Self::Disable(id) => write!(f, "disable:{id}"),
            Self::AskPriority(id) => write!(f, "priority?:{id}"),
            Self::AskLabel(id) => write!(f, "label?:{id}"),
            Self::AskReset(id) => write!(f, "reset?:{id}"),
            Self::Reset(id) => write!(f, "reset:{id}"),
            Self::AskDelete(id) => write!(f, "delete?:{id}"),
            Self::Delete(id) => write!(f, "delete:{id}"),
            Self::AskGroup(id) => write!(f, "group?:{id}"),
            Self::LoginAgain(id) => write!(f, "login:{id}"),
            Self::AddAccount => f.write_str("add"),
            Self::Digit(id, digit) => write!(f, "digit:{id}:{digit}"),
            Self::Erase(id) => write!(f, "erase:{id}"),
            Self::Complete(id) => write!(f, "complete:{id}"),
            Self::Resend(id) => write!(f, "resend:{id}"),
            Self::CancelLogin(id) => write!(f, "stop:{id}"),
            Self::AskPanic => f.write_str("panic?"),
            Self::AskPanicAgain => f.write_str("panic??"),
            Self::Panic => f.write_str("panic!"),
            Self::Statistics => f.write_str("stats"),
            Self::Settings => f.write_str("settings"),
            Self::Speak(language) => write!(f, "speak:{language}"),
            Self::AskZone => f.write_str("zone?"),
            Self::Step(step) => write!(f, "w:{step}"),
            Self::Nothing => f.write_str("-"),
        }
    }
}

impl Press {
    /// The press that this data means; `None` if it is none of this version.
    pub fn parse(data: &str) -> Option<Self> {
        let (word, rest) = data.split_once(':').map_or((data, None), |(word, rest)| (word, Some(rest)));
        match rest {
            None => Self::plain(word),
            Some(rest) => Self::about(word, rest),
        }
    }

    /// The transfer that it is about.
    pub fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Task(id)
            | Self::Pause(id)
            | Self::Resume(id)
            | Self::AskCancel(id)
            | Self::Cancel(id)
            | Self::AskPace(id)
            | Self::SetPace(id, _)
            | Self::CustomPace(id)
            | Self::RetrySkipped(id)
            | Self::Skipped(id, _)
            | Self::RepeatTask(id) => Some(id),
            _ => None,
        }
    }

    /// The account that it is about.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(id)
            | Self::Enable(id)
            | Self::Disable(id)
            | Self::AskPriority(id)
            | Self::AskLabel(id)
            | Self::AskReset(id)
            | Self::Reset(id)
            | Self::AskDelete(id)
            | Self::Delete(id)
            | Self::AskGroup(id)
            | Self::LoginAgain(id) => Some(id),
            _ => None,
        }
    }

    /// The login that it is about.
    pub fn login(&self) -> Option<&LoginId> {
        match self {
            Self::Digit(id, _) | Self::Erase(id) | Self::Complete(id) | Self::Resend(id) | Self::CancelLogin(id) => {
                Some(id)
            }
            _ => None,
        }
    }

    fn plain(word: &str) -> Option<Self> {
        Some(match word {
            "menu" => Self::Menu,
            "help" => Self::Help,
            "new" => Self::NewTransfer,
            "pool" => Self::Pool,
            "add" => Self::AddAccount,
            "stats" => Self::Statistics,
            "settings" => Self::Settings,
            "zone?" => Self::AskZone,
            "panic?" => Self::AskPanic,
            "panic??" => Self::AskPanicAgain,
            "panic!" => Self::Panic,
            "-" => Self::Nothing,
            _ => return None,
        })
    }

    fn about(word: &str, rest: &str) -> Option<Self> {
        let task = || TaskId::from(rest);
        let account = || AccountId::from(rest);
        let login = || LoginId::from(rest);
        Some(match word {
            "tasks" => Self::Tasks(rest.parse().ok()?),
            "task" => Self::Task(task()),
            "pause" => Self::Pause(task()),
            "resume" => Self::Resume(task()),
            "cancel?" => Self::AskCancel(task()),
            "cancel" => Self::Cancel(task()),
            "pace?" => Self::AskPace(task()),
            "pace" => {
                let (id, preset) = rest.rsplit_once(':')?;
                Self::SetPace(TaskId::from(id), preset.parse().ok()?)
            }
            "pace+" => Self::CustomPace(task()),
            "retry" => Self::RetrySkipped(task()),
            "skips" => {
                let (id, page) = rest.rsplit_once(':')?;
                Self::Skipped(TaskId::from(id), page.parse().ok()?)
            }
            "again" => Self::RepeatTask(task()),
            "accounts" => Self::Accounts(rest.parse().ok()?),
            "account" => Self::Account(account()),
            "enable" => Self::Enable(account()),
            "disable" => Self::Disable(account()),
            "priority?" => Self::AskPriority(account()),
            "label?" => Self::AskLabel(account()),
            "reset?" => Self::AskReset(account()),
            "reset" => Self::Reset(account()),
            "delete?" => Self::AskDelete(account()),
            "delete" => Self::Delete(account()),
            "group?" => Self::AskGroup(account()),
            "login" => Self::LoginAgain(account()),
            "digit" => {
                let (id, digit) = rest.rsplit_once(':')?;
                Self::Digit(LoginId::from(id), digit.parse().ok().filter(|digit| *digit <= 9)?)
            }
            "erase" => Self::Erase(login()),
            "complete" => Self::Complete(login()),
            "resend" => Self::Resend(login()),
            "stop" => Self::CancelLogin(login()),
            "speak" => Self::Speak(rest.parse().ok()?),
            "w" => Self::Step(rest.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::BUTTON_DATA_LEN_MAX;

    #[test]
    fn every_press_survives_its_data_and_fits_under_a_button() {
        let task = || TaskId("00000000-0000-4000-8000-000000000000".to_owned());
        let account = || AccountId("9223372036854775807".to_owned());
        let login = || LoginId("00000000-0000-4000-8000-000000000000".to_owned());
        for press in [
            Press::Menu,
            Press::Help,
            Press::NewTransfer,
            Press::Tasks(u32::MAX),
            Press::Task(task()),
            Press::Pause(task()),
            Press::Resume(task()),
            Press::AskCancel(task()),
            Press::Cancel(task()),
            Press::AskPace(task()),
            Press::SetPace(task(), Preset::Medium),
            Press::CustomPace(task()),
            Press::RetrySkipped(task()),
            Press::Skipped(task(), u32::MAX),
            Press::RepeatTask(task()),
            Press::Pool,
            Press::Accounts(7),
            Press::Account(account()),
            Press::Enable(account()),
            Press::Disable(account()),
            Press::AskPriority(account()),
            Press::AskLabel(account()),
            Press::AskReset(account()),
            Press::Reset(account()),
            Press::AskDelete(account()),
            Press::Delete(account()),
            Press::AskGroup(account()),
            Press::LoginAgain(account()),
            Press::AddAccount,
            Press::Digit(login(), 9),
            Press::Erase(login()),
            Press::Complete(login()),
            Press::Resend(login()),
            Press::CancelLogin(login()),
            Press::AskPanic,
            Press::AskPanicAgain,
            Press::Panic,
            Press::Statistics,
            Press::Settings,
            Press::Speak(Language::Zh),
            Press::AskZone,
            Press::Step("back".to_owned()),
            Press::Nothing,
        ] {
            let data = press.to_string();
            assert!(data.len() <= BUTTON_DATA_LEN_MAX, "{data}");
            assert_eq!(Press::parse(&data), Some(press));
        }
    }

    #[test]
    fn rubbish_is_no_press() {
        for data in [
            "",
            ":",
            "tasks:",
            "tasks:-1",
            "pace:x",
            "pace:x:huge",
            "speak:fr",
            "fly:1",
            "menu:1",
            "digit:x",
            "digit:x:10",
        ] {
            assert_eq!(Press::parse(data), None, "{data}");
        }
    }
}
