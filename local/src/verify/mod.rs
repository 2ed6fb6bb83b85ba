//! Whether an installation on one machine works: each part in turn, with what to do where one does not.
//!
//! What must stay true: looking changes nothing that anybody uses (the queue is tried through a queue of its own), also
//! beside a ferry that serves; no part that fails hides the ones after it; nothing secret is shown.

pub mod data;
pub mod host;
pub mod telegram;

use std::fmt;

/// How one part was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where there is nothing to do.
    pub advice: String,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Failed,
}

impl Part {
    /// A part that is as it should be.
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), advice: String::new() }
    }

    /// A part that somebody should look at.
    pub fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Warning, found: found.into(), advice: advice.into() }
    }

    /// A part that does not work.
    pub fn failed(name: &'static str, found: impl fmt::Display, advice: impl Into<String>) -> Self {
        Self { name, state: State::Failed, found: found.to_string().replace('\n', " "), advice: advice.into() }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
        })
    }
}

/// The parts as a table for a person.
pub fn lines(parts: &[Part]) -> Vec<String> {
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or_default();
    let line = |part: &Part| {
        let advice = if part.advice.is_empty() { String::new() } else { format!(" -> {}", part.advice) };
        format!("{:width$}  {:7}  {}{advice}", part.name, part.state, part.found)
    };
    parts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_was_found_and_what_to_do() {
        let parts = [Part::ok("table", "2 items"), Part::failed("key ring", "it is\nmissing", "put it back")];
        assert_eq!(lines(&parts), ["table     ok       2 items", "key ring  FAILED   it is missing -> put it back"]);
    }
}
