//! Which messages a task carries: a range, kinds of content, a keyword.
//!
//! A selection speaks of single messages. That an album goes whole as soon as one member matches is the business of
//! [`crate::chunk`]; here stands only that reading begins early and ends late enough to see such an album whole.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::MessageId;
use crate::message::{Body, Kind, Message};
use crate::sequence::IdSequence;

/// An album whose last member is in the range begins at most this many ids before it, unless strangers' messages lie
/// between its members.
const ALBUM_REACH: i32 = 9;
/// The members of one album are posted within this time.
const ALBUM_SPAN: SignedDuration = SignedDuration::from_secs(60);

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Where they are.
    pub range: Range,
    /// What they carry; empty: anything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<Kind>,
    /// What their text or caption contains, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
    /// These messages and no others, whatever else stands here: what an earlier task skipped. Ascending. Albums go as far as
    /// their members are among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<IdSequence>,
}

/// Which part of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// All of it.
    Everything,
    /// What was posted between two instants, both included.
    Dates {
        /// The first instant.
        from: Timestamp,
        /// The last instant.
        until: Timestamp,
    },
    /// The ids between two, both included.
    Ids {
        /// The first id.
        from: MessageId,
        /// The last id.
        until: MessageId,
    },
    /// This id and everything after it.
    From(MessageId),
}

/// A selection that could never select anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSelection {
    /// It ends before it begins.
    #[error("the range ends before it begins: {0}")]
    Backwards(String),
    /// Message ids begin at 1.
    #[error("{0} is no message id: they begin at 1")]
    NoId(MessageId),
    /// A list of ids that is none.
    #[error("the messages to carry are not named in ascending order, or there are none")]
    Only,
}

impl Selection {
    /// Every message.
    pub fn everything() -> Self {
        Self { range: Range::Everything, kinds: BTreeSet::new(), keyword: None, only: None }
    }

    /// These messages, and no others. The ids ascend.
    pub fn only(ids: IdSequence) -> Self {
        Self { only: Some(ids), ..Self::everything() }
    }

    /// Whether it could select anything.
    ///
    /// # Errors
    /// The range is empty whatever the history holds.
    pub fn validate(&self) -> Result<(), BadSelection> {
        if let Some(only) = &self.only {
            let ascends = only.as_slice().is_sorted_by(|before, after| before < after);
            let begins = only.first().is_some_and(|first| first.0 >= 1);
            return if ascends && begins { Ok(()) } else { Err(BadSelection::Only) };
        }
        match self.range {
            Range::Dates { from, until } if from > until => Err(BadSelection::Backwards(format!("{from} to {until}"))),
            Range::Ids { from, .. } | Range::From(from) if from.0 < 1 => Err(BadSelection::NoId(from)),
            Range::Ids { from, until } if from > until => Err(BadSelection::Backwards(format!("{from} to {until}"))),
            Range::Everything | Range::Dates { .. } | Range::Ids { .. } | Range::From(_) => Ok(()),
        }
    }

    /// Whether the message is selected by itself. A service message is when everything is, and then cannot be carried.
    pub fn matches(&self, message: &Message) -> bool {
        if let Some(only) = &self.only {
            return matches!(message.body, Body::Content(_)) && only.as_slice().binary_search(&message.id).is_ok();
        }
        let wanted = match message.body {
            Body::Content(kind) => {
                (self.kinds.is_empty() || self.kinds.contains(&kind)) && self.has_keyword(&message.text)
            }
            Body::Service => self.kinds.is_empty() && self.keyword().is_none(),
            Body::Empty => false,
        };
        wanted && self.contains(message)
    }

    /// Where reading begins: the first id that may have to be carried. Before `from`, because an album that
    /// reaches into the range goes whole.
    pub fn first_id(&self) -> MessageId {
        if let Some(first) = self.only.as_ref().and_then(IdSequence::first) {
            return first;
        }
        match self.range {
            Range::Everything | Range::Dates { .. } => MessageId(1),
            Range::Ids { from, .. } | Range::From(from) => MessageId(from.0.saturating_sub(ALBUM_REACH).max(1)),
        }
    }

    /// From which date on messages may have to be carried, so that reading can begin at the message of that date.
    pub fn first_date(&self) -> Option<Timestamp> {
        if self.only.is_some() {
            return None;
        }
        match self.range {
            Range::Dates { from, .. } => Some(from.saturating_sub(ALBUM_SPAN).unwrap_or(Timestamp::MIN)),
            Range::Everything | Range::Ids { .. } | Range::From(_) => None,
        }
    }

    /// The highest id that may have to be carried, where the range says so.
    pub fn last_id(&self) -> Option<MessageId> {
        if let Some(last) = self.only.as_ref().and_then(IdSequence::last) {
            return Some(last);
        }
        match self.range {
            Range::Ids { until, .. } => Some(MessageId(until.0.saturating_add(ALBUM_REACH))),
            Range::Everything | Range::Dates { .. } | Range::From(_) => None,
        }
    }

    /// Whether neither this message nor any after it can have to be carried: reading ends before it.
    pub fn ends_before(&self, message: &Message) -> bool {
        if let Some(last) = self.only.as_ref().and_then(IdSequence::last) {
            return message.id > last;
        }
        match self.range {
            Range::Everything | Range::From(_) => false,
            Range::Dates { until, .. } => {
                // A hole has no date.
                message.body != Body::Empty && message.date > until.saturating_add(ALBUM_SPAN).unwrap_or(Timestamp::MAX)
            }
            Range::Ids { until, .. } => message.id.0 > until.0.saturating_add(ALBUM_REACH),
        }
    }

    fn contains(&self, message: &Message) -> bool {
        match self.range {
            Range::Everything => true,
            Range::Dates { from, until } => (from..=until).contains(&message.date),
            Range::Ids { from, until } => (from..=until).contains(&message.id),
            Range::From(from) => message.id >= from,
        }
    }

    fn keyword(&self) -> Option<&str> {
        self.keyword.as_deref().map(str::trim).filter(|keyword| !keyword.is_empty())
    }

    fn has_keyword(&self, text: &str) -> bool {
        self.keyword().is_none_or(|keyword| folded(text).contains(&folded(keyword)))
    }
}

/// Text without case: upper case first, because that makes ß and ς what their other forms are.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i32, kind: Kind, text: &str) -> Message {
        Message {
            id: MessageId(id),
            date: Timestamp::from_second(i64::from(id) * 10).unwrap(),
            body: Body::Content(kind),
            album: None,
            text: text.to_owned(),
            media: None,
            origin: None,
            sender: None,
        }
    }

    fn keyword(keyword: &str) -> Selection {
        Selection { keyword: Some(keyword.to_owned()), ..Selection::everything() }
    }

    fn range(range: Range) -> Selection {
        Selection { range, ..Selection::everything() }
    }

    #[test]
    fn a_keyword_is_found_in_any_case_and_script() {
        for (word, text) in [
            ("report", "Annual REPORT 2024"),
            ("ПРИВЕТ", "всем привет!"),
            ("οδοσ", "ΟΔΟΣ"),
            ("ΟΔΟΣ", "η οδος"),
            ("strasse", "Hauptstraße"),
            ("报告", "年度报告"),
            ("  ", "anything"),
        ] {
            assert!(keyword(word).matches(&message(1, Kind::Text, text)), "{word} in {text}");
        }
        assert!(!keyword("report").matches(&message(1, Kind::Text, "repot")));
        assert!(!keyword("report").matches(&message(1, Kind::Photo, "")));
    }

    #[test]
    fn kinds_select_what_they_name_and_none_selects_all() {
        let some = Selection { kinds: [Kind::Photo, Kind::Video].into(), ..Selection::everything() };
        assert!(some.matches(&message(1, Kind::Video, "")));
        assert!(!some.matches(&message(1, Kind::Text, "")));
        assert!(Selection::everything().matches(&message(1, Kind::Other, "")));
    }

    #[test]
    fn service_messages_are_selected_with_everything_only() {
        let mut service = message(5, Kind::Text, "");
        service.body = Body::Service;
        assert!(Selection::everything().matches(&service));
        assert!(!range(Range::From(MessageId(6))).matches(&service));
        assert!(!keyword("x").matches(&service));
        assert!(!Selection { kinds: [Kind::Text].into(), ..Selection::everything() }.matches(&service));
        service.body = Body::Empty;
        assert!(!Selection::everything().matches(&service));
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it() {
        let instant = |second| Timestamp::from_second(second).unwrap();
        for selection in [
            range(Range::Ids { from: MessageId(20), until: MessageId(30) }),
            range(Range::Dates { from: instant(200), until: instant(300) }),
        ] {
            let matched: Vec<i32> = (1..60).filter(|id| selection.matches(&message(*id, Kind::Text, ""))).collect();
            assert_eq!(matched, (20..=30).collect::<Vec<_>>());
            assert!((1..=36).all(|id| !selection.ends_before(&message(id, Kind::Text, ""))));
            assert!(selection.ends_before(&message(40, Kind::Text, "")));
        }
    }

    #[test]
    fn reading_begins_early_enough_for_an_album_that_reaches_in() {
        assert_eq!(range(Range::From(MessageId(20))).first_id(), MessageId(11));
        assert_eq!(range(Range::From(MessageId(3))).first_id(), MessageId(1));
        assert_eq!(Selection::everything().first_id(), MessageId(1));
    }

    #[test]
    fn named_messages_are_selected_and_no_others() {
        let only = |ids: &[i32]| Selection::only(ids.iter().copied().map(MessageId).collect());
        let selection = Selection { keyword: Some("x".to_owned()), ..only(&[4, 9]) };
        let matched: Vec<i32> = (1..20).filter(|id| selection.matches(&message(*id, Kind::Text, ""))).collect();
        assert_eq!(matched, [4, 9], "whatever else stands in the selection");
        assert_eq!((selection.first_id(), selection.last_id()), (MessageId(4), Some(MessageId(9))));
        assert!(
            selection.ends_before(&message(10, Kind::Text, "")) && !selection.ends_before(&message(9, Kind::Text, ""))
        );
        let mut service = message(4, Kind::Text, "");
        service.body = Body::Service;
        assert!(!selection.matches(&service));
        assert!(selection.validate().is_ok());
        assert_eq!(
            [only(&[]), only(&[3, 3]), only(&[5, 4]), only(&[0])].map(|only| only.validate()),
            [const { Err(BadSelection::Only) }; 4]
        );
    }

    #[test]
    fn impossible_ranges_are_refused() {
        assert!(range(Range::Ids { from: MessageId(5), until: MessageId(4) }).validate().is_err());
        assert!(range(Range::From(MessageId(0))).validate().is_err());
        assert!(range(Range::Dates { from: Timestamp::MAX, until: Timestamp::MIN }).validate().is_err());
        assert!(range(Range::Ids { from: MessageId(4), until: MessageId(4) }).validate().is_ok());
    }

    #[test]
    fn a_selection_survives_its_json() {
        for selection in [
            keyword("x"),
            range(Range::From(MessageId(3))),
            range(Range::Ids { from: MessageId(1), until: MessageId(2) }),
            range(Range::Dates { from: Timestamp::UNIX_EPOCH, until: Timestamp::MAX }),
            Selection::only(vec![MessageId(3), MessageId(4), MessageId(9)].into()),
        ] {
            let text = serde_json::to_string(&selection).unwrap();
            assert_eq!(serde_json::from_str::<Selection>(&text).unwrap(), selection, "{text}");
        }
    }
}
