//! Single values that the conversation asks for outside the wizard.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::input::{self, PaceInput};
use super::notice::{Notice, Word};
use super::view::View;
use super::{Next, State};
use crate::ids::{AccountId, TaskId};

/// Zones that are offered as buttons; every other one can be written.
pub(crate) const ZONES: [&str; 8] = [
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Dubai",
    "Europe/Moscow",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
];

/// Which value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "value", rename_all = "snake_case")]
pub enum Awaited {
    /// An account's priority.
    Priority {
        /// Whose.
        account: AccountId,
    },
    /// An account's label.
    Label {
        /// Whose.
        account: AccountId,
    },
    /// An account's group.
    Group {
        /// Whose.
        account: AccountId,
    },
    /// A transfer's pace.
    Pace {
        /// Whose.
        task: TaskId,
    },
    /// The admin's zone.
    Zone,
}

impl Awaited {
    /// What is shown once the value is known, or not wanted any more.
    fn view(&self) -> View {
        match self {
            Self::Priority { account } | Self::Label { account } | Self::Group { account } => {
                View::Account { id: account.clone() }
            }
            Self::Pace { task } => View::Task { id: task.clone() },
            Self::Zone => View::Settings,
        }
    }

    /// What the person wrote.
    pub(crate) fn written(self, text: &str) -> Next {
        let view = self.view();
        let action = match &self {
            Self::Priority { account } => input::priority(text)
                .map(|priority| Action::Priority(account.clone(), priority))
                .ok_or(Notice::NoPriority),
            Self::Label { account } => {
                input::label(text).map(|label| Action::Label(account.clone(), label)).ok_or(Notice::NoLabel)
            }
            Self::Group { account } => {
                input::group(text).map(|group| Action::Group(account.clone(), Some(group))).ok_or(Notice::NoGroup)
            }
            Self::Pace { task } => match input::pace(text) {
                PaceInput::Pace(pace) => Ok(Action::SetPace(task.clone(), pace)),
                PaceInput::TooSlow => Err(Notice::PaceTooSlow),
                PaceInput::None => Err(Notice::NoPace { text: Notice::quoted(text) }),
            },
            Self::Zone => zone(text.trim())
                .map(|name| Action::SetZone(Some(name)))
                .ok_or_else(|| Notice::NoZone { text: Notice::quoted(text) }),
        };
        match action {
            Ok(action) => Next::showing(State::Idle, view).doing(action),
            Err(notice) => Next::step(State::Awaits { input: self, notice: Some(notice) }),
        }
    }

    /// A button under the question.
    pub(crate) fn pressed(self, word: &str) -> Next {
        let view = self.view();
        match (&self, word.split_once(':')) {
            (_, None) if matches!(word, "cancel" | "back") => Next::showing(State::Idle, view),
            (Self::Group { account }, Some(("group", "-"))) => {
                Next::showing(State::Idle, view).doing(Action::Group(account.clone(), None)).saying(Word::Saved)
            }
            (Self::Zone, Some(("zone", "-"))) => {
                Next::showing(State::Idle, view).doing(Action::SetZone(None)).saying(Word::Saved)
            }
            (Self::Zone, Some(("zone", name))) if ZONES.contains(&name) => {
                Next::showing(State::Idle, view).doing(Action::SetZone(Some(name.to_owned()))).saying(Word::Saved)
            }
            _ => Next::step(State::Awaits { input: self, notice: None }).saying(Word::Late),
        }
    }
}

/// The zone's own name, if there is such a zone. What zones there are is a fact of the machine's database, which does
/// not change while a program runs.
fn zone(name: &str) -> Option<String> {
    let is_name = !name.is_empty() && name.len() <= 40 && name.is_ascii();
    let zone = TimeZone::get(name).ok().filter(|_| is_name)?;
    zone.iana_name().map(str::to_owned)
}
