//! Why a task rests or an account was left, in the reader's language.
//!
//! Reasons are stored as sentences (they stand in logs and at the terminal, too). Those that Ferry itself writes are known
//! here and said in the reader's language; what Telegram says stays in Telegram's words.

use crate::text::{Locale, Value};

use super::short;

/// Characters of a reason that is shown as it was written.
const REASON_LEN_SHOWN: usize = 400;
/// Characters of a part that is put into a sentence.
const PART_LEN_SHOWN: usize = 120;
/// A reason has no more parts than that in the reader's language; the others are left out.
const PARTS_MAX: usize = 6;

/// Sentences that Ferry writes: the name of the text that says the same, and the sentence with `{}` for what varies.
const SENTENCES: &[(&str, &str)] = &[
    ("task-reason-paused", "the admin paused it"),
    ("task-reason-batch", "batch {} is done; resume to go on"),
    ("task-reason-limited-flood", "every account is limited; {} is the first: then its flood wait ends"),
    ("task-reason-limited-budget", "every account is limited; {} is the first: then its daily budget begins anew"),
    ("task-reason-not-for-peer", "let these read the source and post in the target: {}"),
    ("task-reason-budget", "raise the daily budget of these, {} messages have to fit at once: {}"),
    ("task-reason-quarantined", "Telegram complained of these (PEER_FLOOD), lift the quarantine when it is time: {}"),
    ("task-reason-session-dead", "log in again with these, their session was used twice at once: {}"),
    ("task-reason-signed-out", "log in again with these: {}"),
    ("task-reason-frozen", "Telegram froze these, appeal in its app: {}"),
    ("task-reason-banned", "Telegram banned or deleted these, replace them: {}"),
    ("task-reason-disabled", "enable one of these: {}"),
    ("task-reason-group", "no account is in group {}: put one there, or change the task's group"),
    ("task-reason-empty-pool", "the pool is empty: add an account"),
    (
        "task-reason-not-in-pool",
        "account {} is not in the pool, and message ids of the source are that account's own: add it again",
    ),
    ("task-reason-account-says", "account {}: {}"),
    ("task-reason-mend", "Telegram answers {}; mend that, then resume"),
    ("task-reason-again", "Telegram answers {} again and again; look it up, then resume"),
    ("task-reason-protected", "{} is protected against forwarding; Ferry leaves it alone"),
    ("task-reason-protected-answer", "Telegram answers {}; Ferry leaves protected content alone"),
    (
        "task-reason-slow-album",
        "slow mode in the target refuses an album; ask an admin of the target to lift it, then resume",
    ),
    ("task-reason-same-chat", "source and target are the same chat: choose another target"),
    ("task-reason-nowhere", "{} leads nowhere ({}): check the name or link"),
    ("task-reason-unreadable", "the source cannot be read: {}; resume to try again"),
    ("task-reason-no-answer", "Telegram gives no usable answer: {}; resume to try again"),
    ("task-reason-target-taken", "task {} ({}) writes to the same target"),
    (
        "task-reason-uncertain",
        "it is uncertain whether messages {} arrived: {}. Look at the target above message {}; resume to check again, or cancel",
    ),
    (
        "task-reason-account-removed",
        "account {} was removed while a chunk of it was uncertain; look at the target, then cancel or repeat",
    ),
    (
        "task-reason-restored",
        "restored from a backup of {}; what it delivered after that is not written down. Cancel it, look up the last message of it in the target, and begin a new transfer after that one",
    ),
    ("task-reason-other-not-free", "the other one is not free"),
    ("task-reason-no-connection", "no connection: {}"),
    ("task-reason-reading-broke", "reading broke off: {}"),
    ("task-reason-not-in-target", "its chunk was uncertain and is not in the target"),
];

/// The parts of `no account can go on: …` are sentences of their own.
const NOBODY: &str = "no account can go on: ";

/// The reason as markup.
pub fn words(reason: &str, locale: &Locale) -> String {
    if let Some(parts) = reason.strip_prefix(NOBODY) {
        let parts: Vec<String> = parts.split("; ").take(PARTS_MAX).map(|part| sentence(part, locale)).collect();
        return locale.say(
            "task-reason-nobody",
            &[("why", Value::Html(parts.join(&locale.say("tasks-semicolon", &[])).into()))],
        );
    }
    sentence(reason, locale)
}

fn sentence(reason: &str, locale: &Locale) -> String {
    for (name, pattern) in SENTENCES {
        if let Some(parts) = captured(reason, pattern) {
            let arguments: Vec<(&str, Value<'_>)> = ["one", "two", "three"]
                .into_iter()
                .zip(parts.iter().map(|part| short(part, PART_LEN_SHOWN).into()))
                .collect();
            return locale.say(name, &arguments);
        }
    }
    crate::text::escaped(&short(reason, REASON_LEN_SHOWN))
}

/// What stands where the pattern has `{}`; `None` if the text is not of this pattern.
fn captured<'t>(text: &'t str, pattern: &str) -> Option<Vec<&'t str>> {
    let mut fixed = pattern.split("{}");
    let mut rest = text.strip_prefix(fixed.next()?)?;
    let mut parts = Vec::new();
    let fixed: Vec<&str> = fixed.collect();
    for (at, after) in fixed.iter().enumerate() {
        let is_last = at + 1 == fixed.len();
        let end = match (is_last, after.is_empty()) {
            (true, true) => rest.len(),
            (true, false) => rest.len() - after.len().min(rest.len()),
            (false, _) => rest.find(after)?,
        };
        if !rest.get(end..)?.starts_with(after) {
            return None;
        }
        parts.push(&rest[..end]);
        rest = &rest[end + after.len()..];
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::text::Language;

    fn zh() -> Locale {
        Locale { language: Language::Zh, zone: TimeZone::UTC }
    }

    #[test]
    fn what_varies_is_found_in_a_sentence() {
        assert_eq!(captured("the admin paused it", "the admin paused it"), Some(vec![]));
        assert_eq!(captured("batch 7 is done; resume to go on", "batch {} is done; resume to go on"), Some(vec!["7"]));
        assert_eq!(captured("@a leads nowhere (X_Y): check", "{} leads nowhere ({}): check"), Some(vec!["@a", "X_Y"]));
        assert_eq!(captured("batch é", "batch {} is done"), None);
        assert_eq!(captured("", "{}x"), None);
        assert_eq!(captured("the admin paused it!", "the admin paused it"), None);
    }

    #[test]
    fn every_sentence_has_a_text_in_which_nothing_is_lost() {
        for (name, pattern) in SENTENCES {
            let count = pattern.matches("{}").count();
            let reason = pattern.replacen("{}", "P1", 1).replacen("{}", "P2", 1).replacen("{}", "P3", 1);
            for language in Language::ALL {
                let said = words(&reason, &Locale { language, zone: TimeZone::UTC });
                assert_ne!(&said, name, "{language}");
                assert!((1..=count).all(|n| said.contains(&format!("P{n}"))), "{language} {name}: {said}");
            }
            let chinese = words(&reason, &zh());
            assert!(!chinese.is_ascii(), "{name} is not understood: {chinese}");
        }
    }

    #[test]
    fn what_nobody_knows_stays_as_it_was_and_is_escaped() {
        assert_eq!(words("a <b> of 2030", &zh()), "a &lt;b&gt; of 2030");
        let long = words(&"x".repeat(5_000), &zh());
        assert_eq!(long.chars().count(), REASON_LEN_SHOWN);
    }

    #[test]
    fn an_exhausted_pool_is_told_part_by_part() {
        let said = words("no account can go on: log in again with these: A, B; account 7: CHANNEL_PRIVATE", &zh());
        assert!(said.contains("A, B") && said.contains("CHANNEL_PRIVATE") && !said.contains("log in"), "{said}");
    }
}
