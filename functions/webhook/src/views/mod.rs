//! Screens with data: a [`View`] names what to show, and here the data that belongs to it is read and rendered.
//!
//! Reading is all that happens here. What is shown may be older than what a button did a moment ago, never newer than
//! the table.

use jiff::Timestamp;
use transfer::bot::Screen;
use transfer::dialogue::view::View;
use transfer::dialogue::{self, Dialogue, menu};
use transfer::ids::ChatId;
use transfer::table::{Table, TableError};
use transfer::text::Locale;

/// What the views need besides their own names.
pub struct ViewContext<'a> {
    /// Where the data stands.
    pub table: &'a dyn Table,
    /// Who looks.
    pub chat: ChatId,
    /// In which language, with times of which zone.
    pub locale: &'a Locale,
    /// When.
    pub now: Timestamp,
    /// Whether a host renewed itself within the last minute.
    pub hosts_alive: bool,
    /// Where the conversation stands, with the chats that were named last.
    pub dialogue: &'a Dialogue,
    /// The chats that this admin named last, newest first.
    pub recent: &'a [transfer::table::item::RecentPeer],
}

/// The screen for a view.
///
/// # Errors
/// The table could not be read; nothing was shown.
#[expect(clippy::unused_async, reason = "the views of tasks and accounts read the table")]
pub async fn render(view: &View, context: &ViewContext<'_>) -> Result<Screen, TableError> {
    let step = dialogue::screen::StepContext {
        locale: context.locale,
        recent: context.recent,
        now: context.now,
        hosts_alive: context.hosts_alive,
    };
    let screen = match view {
        View::Menu => menu::menu(context.locale),
        View::Help => menu::help(context.locale),
        View::Step => dialogue::screen::step(&context.dialogue.state, &step),
        View::Notice { notice } => dialogue::screen::notice(notice, context.locale),
        View::Created { id, title } => dialogue::screen::created(id, title, &step),
        View::Tasks { .. }
        | View::Task { .. }
        | View::TaskCancel { .. }
        | View::TaskPace { .. }
        | View::Skipped { .. }
        | View::Pool
        | View::Accounts { .. }
        | View::Account { .. }
        | View::AccountDelete { .. }
        | View::AccountReset { .. }
        | View::AccountAdd
        | View::Statistics
        | View::Settings => menu::menu(context.locale),
    };
    Ok(screen)
}
