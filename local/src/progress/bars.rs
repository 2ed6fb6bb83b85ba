//! Progress on a terminal: one bar for the transfer, one line for each account.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::rate::Rate;
use super::{Snapshot, words};
use crate::terminal::Terminal;

/// More accounts than this would scroll the bar away.
const ACCOUNTS_MAX: usize = 12;

pub(super) struct Bars {
    terminal: Terminal,
    area: MultiProgress,
    task: ProgressBar,
    accounts: Vec<ProgressBar>,
}

impl Bars {
    pub(super) fn new(terminal: &Terminal, area: &MultiProgress) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}");
        let task = area.add(ProgressBar::new(1));
        if let Ok(style) = style {
            task.set_style(style);
        }
        terminal.set_drawn(true);
        Self { terminal: terminal.clone(), area: area.clone(), task, accounts: Vec::new() }
    }

    pub(super) fn show(&mut self, snapshot: &Snapshot, rate: &Rate, now: Timestamp) {
        let ids = |id: i32| u64::try_from(id).unwrap_or(0);
        if let Some(last_id) = snapshot.task.last_id {
            self.task.set_length(ids(last_id.0).max(1));
        }
        self.task.set_position(ids(snapshot.task.checkpoint.cursor.0));
        self.task.set_message(words::task(snapshot, rate));
        while self.accounts.len() < snapshot.members.len().min(ACCOUNTS_MAX) {
            let line = self.area.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("  {msg}") {
                line.set_style(style);
            }
            self.accounts.push(line);
        }
        for (line, member) in self.accounts.iter().zip(&snapshot.members) {
            let state = words::account(member, &snapshot.task, now);
            let forwarded = words::grouped(member.account.total.forwarded);
            line.set_message(format!("{:<16} {forwarded:>9}  {state}", member.profile.label));
        }
    }
}

/// However it ends, the bars go, and lines have the terminal to themselves again.
impl Drop for Bars {
    fn drop(&mut self) {
        for line in self.accounts.iter().chain([&self.task]) {
            line.finish_and_clear();
        }
        self.terminal.set_drawn(false);
    }
}
