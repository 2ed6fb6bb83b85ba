//! The log of every call: who, when, what, how it ended, and whether the caller was told to wait at the time.
//!
//! What the tests believe instead of what a host says about itself. Entries are never changed but to be closed.

use super::{AuthKeyId, ChatId, SessionId, UserId};
use crate::time::SimTime;
use serde::Serialize;

/// All calls, in order.
#[derive(Debug, Default)]
pub struct Audit {
    entries: Vec<Entry>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: u64,
    pub at: SimTime,
    pub account: Option<UserId>,
    pub auth_key: AuthKeyId,
    pub session: SessionId,
    /// As in the schema: `messages.forwardMessages`.
    pub method: &'static str,
    pub target: Option<ChatId>,
    pub source: Option<ChatId>,
    /// Ids in the request.
    pub count: u32,
    /// Messages made (or found again, for a repeat).
    pub applied: u32,
    /// It named random ids that were used before.
    pub repeat: bool,
    pub outcome: Outcome,
    /// Milliseconds that the account still had to wait when it called.
    pub during_wait: Option<i64>,
    /// The wait that this call was answered with.
    pub wait_until: Option<SimTime>,
    /// When the reply was written or the connection died.
    pub ended: Option<SimTime>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Not answered yet.
    #[default]
    Open,
    Ok,
    /// Fewer messages than asked for.
    Partial,
    Refused(Box<str>),
    /// Applied or not, as the flag says; the caller did not hear of it.
    Lost {
        fault: &'static str,
        applied: bool,
    },
}

/// An entry as the control API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct EntryView {
    pub seq: u64,
    pub at_ms: i64,
    pub account: Option<UserId>,
    pub auth_key: AuthKeyId,
    pub session: SessionId,
    pub method: &'static str,
    pub target: Option<ChatId>,
    pub source: Option<ChatId>,
    pub count: u32,
    pub applied: u32,
    pub repeat: bool,
    pub outcome: String,
    pub during_wait: bool,
    pub wait_left_ms: Option<i64>,
    pub wait_until_ms: Option<i64>,
    pub ended_ms: Option<i64>,
}

impl Audit {
    /// Opens an entry.
    pub(crate) fn open(&mut self, mut entry: Entry) -> u64 {
        entry.seq = self.entries.len() as u64;
        let seq = entry.seq;
        self.entries.push(entry);
        seq
    }

    /// An entry to fill in.
    pub(crate) fn entry_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(seq).ok()?)
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One entry.
    #[must_use]
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(seq).ok()?)
    }

    /// The entries from `seq` on.
    #[must_use]
    pub fn since(&self, seq: u64) -> &[Entry] {
        let from = usize::try_from(seq).unwrap_or(usize::MAX).min(self.entries.len());
        &self.entries[from..]
    }

    /// Calls that came though the account had been told to wait.
    pub fn during_wait(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.during_wait.is_some())
    }

    /// Closes an entry: its reply was written, or its connection died.
    pub fn end(&mut self, seq: u64, now: SimTime) {
        if let Some(entry) = self.entry_mut(seq) {
            entry.ended.get_or_insert(now);
        }
    }
}

impl Entry {
    /// `ok`, `partial 98/100`, `FLOOD_WAIT_30`, `cut_after` ...
    #[must_use]
    pub fn outcome_text(&self) -> String {
        match &self.outcome {
            Outcome::Open => "open".to_owned(),
            Outcome::Ok => "ok".to_owned(),
            Outcome::Partial => format!("partial {}/{}", self.applied, self.count),
            Outcome::Refused(name) => name.to_string(),
            Outcome::Lost { fault, .. } => (*fault).to_owned(),
        }
    }

    /// The call changed the world.
    #[must_use]
    pub fn was_applied(&self) -> bool {
        matches!(self.outcome, Outcome::Ok | Outcome::Partial | Outcome::Lost { applied: true, .. })
    }

    /// For the control API.
    #[must_use]
    pub fn view(&self) -> EntryView {
        EntryView {
            seq: self.seq,
            at_ms: self.at.0,
            account: self.account,
            auth_key: self.auth_key,
            session: self.session,
            method: self.method,
            target: self.target,
            source: self.source,
            count: self.count,
            applied: self.applied,
            repeat: self.repeat,
            outcome: self.outcome_text(),
            during_wait: self.during_wait.is_some(),
            wait_left_ms: self.during_wait,
            wait_until_ms: self.wait_until.map(|at| at.0),
            ended_ms: self.ended.map(|at| at.0),
        }
    }
}
