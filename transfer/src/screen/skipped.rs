//! The skip ledger of a task: what was not carried, by reason.

use std::collections::BTreeMap;

use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::ids::MessageId;
use crate::intent::SkipReason;
use crate::sequence::IdSequence;
use crate::table::item::SkipRecord;
use crate::task::Task;
use crate::text::{Locale, Value, escaped, grouped};

use super::event::skip_reason;
use super::{Page, Sheet, title};

/// Lines of ids on a page.
const PER_PAGE: usize = 10;
/// Runs of ids (`17`, `20-45`) in a line. A run has up to 21 characters.
const RUNS_PER_LINE: usize = 10;

/// A page of the ledger.
pub fn skipped(task: &Task, ledger: &[SkipRecord], page: u32, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    let groups = by_reason(ledger);
    let lines: Vec<(usize, String)> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, (_, ids))| lines_of(ids).into_iter().map(move |line| (group, line)))
        .collect();
    let total: u64 = groups.iter().map(|(_, ids)| ids.len() as u64).sum();
    let arguments = [("title", title(&task.title).into()), ("count", Value::from(grouped(total)))];
    sheet.say(if total == 0 { "tasks-skipped-none" } else { "tasks-skipped-title" }, &arguments);
    let page = Page::of(page, lines.len(), PER_PAGE);
    let mut shown = None;
    for (group, line) in lines.iter().skip(page.first).take(PER_PAGE) {
        if shown.replace(*group) != Some(*group) {
            let (reason, ids) = &groups[*group];
            let why = Value::Html(skip_reason(reason, locale).into());
            sheet.gap();
            sheet.say("tasks-skipped-reason", &[("why", why), ("count", grouped(ids.len() as u64).into())]);
        }
        sheet.line(&format!("<code>{}</code>", escaped(line)));
    }
    sheet.pages(&page, |page| Press::Skipped(task.id.clone(), page));
    if total > 0 && task.state.is_over() {
        sheet.row([("task-button-retry", Press::RetrySkipped(task.id.clone()))]);
    }
    sheet.row([("tasks-button-back", Press::Task(task.id.clone()))]);
    sheet.finish()
}

/// The ids of each reason, ascending; the reasons in the order in which they are declared.
fn by_reason(ledger: &[SkipRecord]) -> Vec<(SkipReason, Vec<MessageId>)> {
    let mut groups: BTreeMap<&SkipReason, Vec<MessageId>> = BTreeMap::new();
    for row in ledger {
        groups.entry(&row.reason).or_default().extend(row.ids.iter());
    }
    let sorted = groups.into_iter().map(|(reason, mut ids)| {
        ids.sort_unstable();
        ids.dedup();
        (reason.clone(), ids)
    });
    sorted.collect()
}

fn lines_of(ids: &[MessageId]) -> Vec<String> {
    let runs = IdSequence::from_vec(ids.to_vec()).to_string();
    let runs: Vec<&str> = runs.split(',').filter(|run| !run.is_empty()).collect();
    runs.chunks(RUNS_PER_LINE).map(|line| line.join(", ")).collect()
}
