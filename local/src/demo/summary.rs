//! What the demonstration says at its end.

use std::collections::BTreeMap;

use crate::audit::Report;
use crate::progress::words::grouped;

/// A run with all defaults shows at least so much, or it shows nothing.
const MESSAGES_MIN: u64 = 5_000;
const FLOODS_MIN: u64 = 6;
const CHANGES_MIN: u64 = 4;

/// The audit in a few lines. `labels`: what the accounts are called.
pub fn lines(report: &Report, labels: &BTreeMap<i64, String>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "Audit of the target and of the server's log:".to_owned(),
        format!(
            "  selected {}, delivered {}, skipped {}{}",
            grouped(report.selected),
            grouped(report.delivered),
            grouped(report.skipped),
            // Others were skipped for other reasons, which stand in the log.
            if report.skipped > 0 && report.skipped_service == report.skipped {
                " (service messages cannot be forwarded)"
            } else {
                ""
            }
        ),
        format!(
            "  missing {}, duplicated {}, out of order {}, albums split {}, calls during a wait {}",
            report.missing, report.duplicated, report.out_of_order, report.albums_split, report.calls_during_wait
        ),
        format!(
            "  {} floods, {} changes of account, {} calls, {:.1} s, {:.0} messages/s, efficiency {:.2}",
            report.floods,
            report.changes,
            grouped(report.calls),
            report.elapsed_secs,
            report.messages_per_sec,
            report.efficiency
        ),
    ];
    if report.kills > 0 {
        lines.push(format!("  the host was killed {} times; blind repeats {}", report.kills, report.blind_repeats));
    }
    for account in &report.accounts {
        let label = labels.get(&account.account).cloned().unwrap_or_else(|| account.account.to_string());
        lines.push(format!("  {label}: {} forwarded, {} floods", grouped(account.forwarded), account.floods));
    }
    lines
}

/// What a run with all defaults failed to show; `None` if it showed enough.
pub fn too_little(report: &Report) -> Option<String> {
    let shown = [
        (report.delivered, MESSAGES_MIN, "messages"),
        (report.floods, FLOODS_MIN, "floods"),
        (report.changes, CHANGES_MIN, "changes of account"),
    ];
    let lacking: Vec<String> = shown
        .iter()
        .filter(|(seen, least, _)| seen < least)
        .map(|(seen, least, what)| format!("{seen} {what} (at least {least} expected)"))
        .collect();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Evidence, judge};

    #[test]
    fn a_run_that_shows_too_little_says_what_lacks() {
        let report = Report { delivered: 5_000, floods: 6, changes: 3, ..judge(&Evidence::default()) };
        assert_eq!(too_little(&report).as_deref(), Some("3 changes of account (at least 4 expected)"));
        assert_eq!(too_little(&Report { changes: 4, ..report }), None);
    }
}
