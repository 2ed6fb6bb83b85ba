//! The list of tasks.

use crate::bot::{Button, Screen};
use crate::dialogue::press::Press;
use crate::ids::ChatId;
use crate::task::Task;
use crate::text::{Locale, Value, escaped, grouped};

use super::task::percent;
use super::{Page, Sheet, plain, title};

/// Tasks on a page.
const PER_PAGE: usize = 8;

/// A task as the list shows it.
#[derive(Debug, Clone)]
pub struct TaskRow {
    /// The task.
    pub task: Task,
    /// Messages in its range, where that is known.
    pub in_range: Option<u64>,
}

/// Those of the tasks that this admin may see, newest first.
pub fn of_owner(mut tasks: Vec<Task>, chat: ChatId) -> Vec<Task> {
    tasks.retain(|task| task.owner.is_none_or(|owner| owner == chat));
    tasks.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
    tasks
}

/// Those of them that this page shows, and the page that it really is.
pub fn on_page(tasks: &[Task], page: u32) -> &[Task] {
    let page = Page::of(page, tasks.len(), PER_PAGE);
    tasks.get(page.first..).map_or(&[], |rest| &rest[..rest.len().min(PER_PAGE)])
}

/// A page of the list: `rows` are those of the page, `len` is how many tasks there are.
pub fn tasks(rows: &[TaskRow], len: usize, page: u32, locale: &Locale) -> Screen {
    let page = Page::of(page, len, PER_PAGE);
    let mut sheet = Sheet::new(locale);
    if rows.is_empty() {
        sheet.say("tasks-empty", &[]);
        sheet.row([("tasks-button-new", Press::NewTransfer)]);
        sheet.row([("button-menu", Press::Menu)]);
        return sheet.finish();
    }
    let count = u64::try_from(len).unwrap_or(u64::MAX);
    sheet.say("tasks-title", &[("count", grouped(count).into())]);
    for row in rows.iter().take(PER_PAGE) {
        let task = &row.task;
        let percent = percent(task, row.in_range).to_string();
        let state = locale.say(&format!("task-state-{}", task.state.word()), &[]);
        let arguments = [
            ("title", title(&task.title).into()),
            ("state", Value::Html(state.clone().into())),
            ("percent", percent.clone().into()),
            ("delivered", grouped(task.checkpoint.counts.delivered).into()),
            ("created", locale.time(task.created_at).into()),
        ];
        sheet.gap();
        sheet.say("tasks-row", &arguments);
        let icon = locale.say(&format!("tasks-icon-{}", task.state.word()), &[]);
        let arguments = [("icon", icon.into()), ("title", title(&task.title).into()), ("percent", percent.into())];
        let text = plain(&locale.say("tasks-row-button", &arguments));
        sheet.buttons.push(vec![Button { text, data: Press::Task(task.id.clone()).to_string() }]);
    }
    sheet.pages(&page, Press::Tasks);
    sheet.row([("tasks-button-new", Press::NewTransfer), ("task-button-refresh", Press::Tasks(page.number))]);
    sheet.row([("button-menu", Press::Menu)]);
    sheet.finish()
}

/// What a task is called in a sentence: its title, short and escaped.
pub fn name(task: &Task) -> String {
    escaped(&title(&task.title))
}
