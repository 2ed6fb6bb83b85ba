//! Screens with data: a [`View`] names what to show, and here the data that belongs to it is read and rendered.
//!
//! Reading is all that happens here. What is shown may be older than what a button did a moment ago, never newer than
//! the table.

mod pool;
mod tasks;

use jiff::Timestamp;
use transfer::bot::Screen;
use transfer::dialogue::view::View;
use transfer::dialogue::{self, Dialogue, menu};
use transfer::ids::ChatId;
use transfer::screen::{account, settings};
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
    /// The groups of the pool's accounts, where the wizard offers them.
    pub groups: &'a [String],
}

/// The screen for a view.
///
/// # Errors
/// The table could not be read; nothing was shown.
pub async fn render(view: &View, context: &ViewContext<'_>) -> Result<Screen, TableError> {
    let step = dialogue::screen::StepContext {
        locale: context.locale,
        recent: context.recent,
        now: context.now,
        hosts_alive: context.hosts_alive,
        groups: context.groups,
    };
    let screen = match view {
        View::Menu => menu::menu(context.locale),
        View::Help => menu::help(context.locale),
        View::Step => dialogue::screen::step(&context.dialogue.state, &step),
        View::Notice { notice } => dialogue::screen::notice(notice, context.locale),
        View::Created { id, title } => dialogue::screen::created(id, title, &step),
        View::Tasks { page } => tasks::list(context, *page).await?,
        View::Task { id } => tasks::page(context, id).await?,
        View::TaskCancel { id } => tasks::cancel(context, id).await?,
        View::TaskPace { id } => tasks::pace(context, id).await?,
        View::Skipped { id, page } => tasks::ledger(context, id, *page).await?,
        View::Pool => pool::menu(context).await?,
        View::Accounts { page } => pool::list(context, *page).await?,
        View::Account { id } => pool::one(context, id, pool::About::Page).await?,
        View::AccountDelete { id } => pool::one(context, id, pool::About::Delete).await?,
        View::AccountReset { id } => pool::one(context, id, pool::About::Reset).await?,
        View::AccountImport | View::AccountAdd => account::import(context.locale),
        View::Login { id } => pool::login(context, id).await?,
        View::Panic { again } => settings::panic_question(*again, context.locale),
        View::Panicking => settings::panicking(context.hosts_alive, context.locale),
        View::Statistics => pool::figures(context).await?,
        View::Settings => settings::settings(context.locale, context.now),
    };
    Ok(screen)
}

#[cfg(test)]
mod tests;
