//! Progress without a terminal: a line at most every second, and only when something changed.

use std::time::Duration;

use transfer::clock::Clock;

use super::rate::Rate;
use super::{Snapshot, words};
use crate::terminal::Terminal;

const LINE_EVERY: Duration = Duration::from_secs(1);

/// When the last line was written, and what it told.
#[derive(Default)]
pub(super) struct Lines {
    last: Option<(Duration, u64)>,
}

impl Lines {
    pub(super) fn show(
        &mut self,
        terminal: &Terminal,
        snapshot: &Snapshot,
        rate: &Rate,
        clock: &Clock,
        last_one: bool,
    ) {
        let now = clock.uptime();
        let counts = &snapshot.task.checkpoint.counts;
        let decided = counts.delivered + counts.skipped;
        let is_due = self.last.is_none_or(|(at, told)| now.saturating_sub(at) >= LINE_EVERY && told != decided);
        if !(is_due || last_one) || snapshot.task.last_id.is_none() {
            return;
        }
        self.last = Some((now, decided));
        let accounts: Vec<String> = snapshot
            .members
            .iter()
            .map(|member| format!("{}: {}", member.profile.label, words::account(member, &snapshot.task, clock.now())))
            .collect();
        terminal.line(format!("{}  [{}]", words::line(snapshot, rate), accounts.join("; ")));
    }
}
