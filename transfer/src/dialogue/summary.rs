//! A transfer that is asked for, in a few lines: what the admin confirms.

use super::wizard::{KINDS, kind_name};
use crate::message::Kind;
use crate::pace::Pace;
use crate::selection::Range;
use crate::submit::NewTask;
use crate::task::BATCH_LEN_UNLIMITED;
use crate::text::{Locale, Value, grouped};

/// The lines, as markup. `source` and `target` are what the chats are called.
pub fn lines(draft: &NewTask, source: &str, target: &str, locale: &Locale) -> String {
    let line = |name: &str, value: String| locale.say(name, &[("value", Value::Html(value.into()))]);
    let text = |value: &str| crate::text::escaped(value);
    let author = if draft.style.drop_author { "wizard-author-hidden" } else { "wizard-author-kept" };
    let mut lines = vec![
        line("summary-title", text(&draft.title)),
        line("summary-source", text(source)),
        line("summary-target", text(target)),
        line("summary-range", range(&draft.selection.range, locale)),
        line("summary-kinds", kinds(draft.selection.kinds.iter().copied(), locale)),
    ];
    if let Some(keyword) = &draft.selection.keyword {
        lines.push(line("summary-keyword", text(keyword)));
    }
    lines.push(line("summary-author", locale.say(author, &[])));
    lines.push(line("summary-pace", pace(&draft.pace, locale)));
    lines.push(line("summary-batch", batch(draft.batch_len, draft.pause_after_batch, locale)));
    if let Some(description) = &draft.description {
        lines.push(line("summary-description", text(description)));
    }
    lines.join("\n")
}

/// A range in words.
pub fn range(range: &Range, locale: &Locale) -> String {
    match range {
        Range::Everything => locale.say("range-everything", &[]),
        Range::Dates { from, until } => {
            let (from, until) = (locale.date(*from), locale.date(*until));
            locale.say("range-dates", &[("from", from.into()), ("until", until.into())])
        }
        Range::Ids { from, until } => {
            locale.say("range-ids", &[("from", from.to_string().into()), ("until", until.to_string().into())])
        }
        Range::From(from) => locale.say("range-from", &[("from", from.to_string().into())]),
    }
}

/// Kinds in words; none means all.
pub fn kinds(kinds: impl Iterator<Item = Kind>, locale: &Locale) -> String {
    let mut chosen: Vec<Kind> = kinds.collect();
    if chosen.is_empty() {
        return locale.say("kinds-all", &[]);
    }
    chosen.sort_by_key(|kind| KINDS.iter().position(|other| other == kind));
    let names = chosen.into_iter().map(|kind| locale.say(&format!("kind-{}", kind_name(kind)), &[]));
    names.collect::<Vec<_>>().join(&locale.say("list-comma", &[]))
}

/// A pace in words.
pub fn pace(pace: &Pace, locale: &Locale) -> String {
    if *pace == Pace::none() {
        return locale.say("pace-none", &[]);
    }
    let rate = seconds(pace.forward_rate_ms);
    let mut parts = vec![locale.say("pace-rate", &[("secs", rate.into())])];
    for (name, files, pause_ms) in [
        ("pace-pause", pace.pause_after_files, pace.pause_duration_ms),
        ("pace-long-pause", pace.long_pause_after_files, pace.long_pause_ms),
    ] {
        if files > 0 && pause_ms > 0 {
            let files = grouped(u64::from(files));
            parts.push(locale.say(name, &[("files", files.into()), ("secs", seconds(pause_ms).into())]));
        }
    }
    parts.join(&locale.say("list-comma", &[]))
}

/// A batch limit, and what happens after it, in words.
pub fn batch(batch_len: u32, pause_after_batch: bool, locale: &Locale) -> String {
    if batch_len >= BATCH_LEN_UNLIMITED && !pause_after_batch {
        return locale.say("batch-unlimited", &[]);
    }
    let name = if pause_after_batch { "batch-then-pause" } else { "batch-then-on" };
    locale.say(name, &[("files", grouped(u64::from(batch_len)).into())])
}

/// Milliseconds as seconds, without zeros that say nothing.
fn seconds(ms: u64) -> String {
    let (whole, rest) = (ms / 1_000, ms % 1_000);
    if rest == 0 {
        return grouped(whole);
    }
    format!("{}.{}", grouped(whole), format!("{rest:03}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::pace::Preset;
    use crate::text::Language;

    #[test]
    fn a_pace_is_told_in_seconds() {
        let locale = Locale { language: Language::En, zone: TimeZone::UTC };
        let said = pace(&Preset::Small.pace(), &locale);
        assert!(said.contains("1.5") && said.contains("50") && said.contains("90"), "{said}");
        assert_eq!(seconds(1_050), "1.05");
        assert_eq!(seconds(3_600_000), "3,600");
    }
}
