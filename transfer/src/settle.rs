//! Settling: whether an uncertain call was carried out, by the evidence that the target holds.
//!
//! There are two kinds of evidence. `updateMessageID` through the sending account's own difference names each message
//! by its random id: it proves. Without it, the target's messages are matched in order against what the call would
//! have made of the source: origin, grouping, kind, media, text and sender. That match must be complete, and the only
//! possible one. Everything else is [`Settlement::Ambiguous`]: it never guesses, the admin is asked.

mod matching;

use crate::ids::{MessageId, PeerId, RandomId};
use crate::intent::Intent;
use crate::message::{Body, Kind, Message, Origin};
use crate::task::Style;

use matching::Matching;

/// What was read to settle an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `updateMessageID` from the sending account's `getDifference`; empty where it can no longer read.
    pub new_ids: Vec<(RandomId, MessageId)>,
    /// Everything in the target above [`Intent::target_floor`], ascending.
    pub target: Vec<Message>,
    /// The reading reached the target's newest message.
    pub complete: bool,
    /// Two readings, apart in time, were equal.
    pub stable: bool,
    /// Nothing can have been deleted from the target since the call.
    pub deletions_excluded: bool,
    /// The source.
    pub source: PeerId,
    /// As whom the sending account posts, where the target shows that.
    pub sender: Option<PeerId>,
}

/// What the evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The call was carried out.
    Delivered {
        /// Source ids with their target ids, in the intent's order.
        delivered: Vec<(MessageId, MessageId)>,
        /// Source ids that are certainly not there: gone before the call, or left out of it.
        missing: Vec<MessageId>,
    },
    /// It was not carried out: another account may take the chunk.
    NotThere,
    /// The evidence does not decide: why, for the admin.
    Ambiguous(String),
}

/// Settles an intent. `source` holds its messages as re-read, in its order; what is gone has [`Body::Empty`].
pub fn settle(source: &[Message], intent: &Intent, evidence: &Evidence) -> Settlement {
    let settlement = by_evidence(source, intent, evidence);
    if mutated!(AmbiguousIsAbsent) && matches!(settlement, Settlement::Ambiguous(_)) {
        return Settlement::NotThere;
    }
    if mutated!(AmbiguousIsDelivered) && matches!(settlement, Settlement::Ambiguous(_)) {
        let delivered = intent.ids.iter().zip((intent.target_floor.0 + 1..).map(MessageId)).collect();
        return Settlement::Delivered { delivered, missing: Vec::new() };
    }
    settlement
}

fn by_evidence(source: &[Message], intent: &Intent, evidence: &Evidence) -> Settlement {
    if source.len() != intent.ids.len() || !source.iter().map(|message| message.id).eq(intent.ids.iter()) {
        return Settlement::Ambiguous("the source was not re-read message by message".to_owned());
    }
    let proven = proven(intent, evidence);
    if proven.iter().all(Option::is_some) {
        let delivered = intent.ids.iter().zip(proven).filter_map(|(id, new)| Some((id, new?))).collect();
        return Settlement::Delivered { delivered, missing: Vec::new() };
    }
    if !evidence.complete {
        return Settlement::Ambiguous("the target could not be read to its newest message".to_owned());
    }
    if !evidence.stable {
        return Settlement::Ambiguous("the target changed between two readings".to_owned());
    }
    Case { source, intent, evidence, proven }.decide()
}

/// What `updateMessageID` says of each id of the intent.
fn proven(intent: &Intent, evidence: &Evidence) -> Vec<Option<MessageId>> {
    let new_id =
        |random_id: &RandomId| evidence.new_ids.iter().find(|(known, _)| known == random_id).map(|(_, id)| *id);
    let mut proven: Vec<Option<MessageId>> = intent.random_ids.0.iter().map(new_id).collect();
    proven.resize(intent.ids.len(), None);
    proven
}

struct Case<'a> {
    source: &'a [Message],
    intent: &'a Intent,
    evidence: &'a Evidence,
    proven: Vec<Option<MessageId>>,
}

impl Case<'_> {
    fn decide(&self) -> Settlement {
        let applied = self.proven.iter().any(Option::is_some);
        let gone = |index: usize| self.source[index].body == Body::Empty;
        // What is left to find, and where it could be. What is gone from the source can be recognised by its origin
        // alone, if at all.
        let sought: Vec<usize> = (0..self.source.len()).filter(|index| self.proven[*index].is_none()).collect();
        let candidates: Vec<Vec<bool>> = sought
            .iter()
            .map(|index| self.evidence.target.iter().map(|found| self.could_be(*index, found)).collect())
            .collect();
        let matching = Matching::of(&candidates);
        if !matching.unique {
            return self.ambiguous("the same content was posted more often than the call would have", &matching.pairs);
        }
        let mut new_ids = self.proven.clone();
        for (row, column) in &matching.pairs {
            new_ids[sought[*row]] = Some(self.evidence.target[*column].id);
        }
        let unmatched: Vec<usize> = sought.iter().copied().filter(|index| new_ids[*index].is_none()).collect();
        for index in &unmatched {
            let row = sought.iter().position(|other| other == index).unwrap_or_default();
            if candidates[row].contains(&true) {
                return self
                    .ambiguous("messages stand in another order than the call would have left them", &matching.pairs);
            }
            if gone(*index) && self.could_be_unseen(*index, &new_ids) {
                return self.ambiguous("a message is gone from the source and cannot be recognised", &matching.pairs);
            }
        }
        if matching.pairs.is_empty() && !applied {
            if self.lookalike() {
                return self.ambiguous("what is there was edited, or posted under another name", &matching.pairs);
            }
            return if self.evidence.deletions_excluded || mutated!(DeletionsForgotten) {
                Settlement::NotThere
            } else {
                Settlement::Ambiguous("nothing is there, but it may have been deleted since".to_owned())
            };
        }
        if !applied && unmatched.iter().any(|index| !gone(*index)) {
            return self.ambiguous("only a part is there", &matching.pairs);
        }
        if !self.albums_are_whole(&new_ids) {
            return self.ambiguous("albums are not grouped as the call would have grouped them", &matching.pairs);
        }
        let ids = || self.intent.ids.iter().zip(&new_ids);
        Settlement::Delivered {
            delivered: ids().filter_map(|(id, new)| new.map(|new| (id, new))).collect(),
            missing: ids().filter(|(_, new)| new.is_none()).map(|(id, _)| id).collect(),
        }
    }

    fn ambiguous(&self, why: &str, pairs: &[(usize, usize)]) -> Settlement {
        let found = pairs.len() + self.proven.iter().flatten().count();
        Settlement::Ambiguous(format!("{why}: {found} of {} messages were recognised", self.intent.ids.len()))
    }

    /// Whether anything above the floor comes from the same messages, though not as the call would have left it: edited
    /// since, or sent in another name. Absence is concluded only without any such trace.
    fn lookalike(&self) -> bool {
        let above = self.evidence.target.iter().filter(|found| found.id > self.intent.target_floor);
        above.into_iter().any(|found| self.source.iter().any(|message| self.is_trace(found, message)))
    }

    fn is_trace(&self, found: &Message, message: &Message) -> bool {
        let names = found.origin.as_ref().is_some_and(|origin| {
            let original = origin.peer == Some(self.evidence.source) && origin.post == Some(message.id);
            let of_its_author =
                message.origin.is_none() && origin.date == message.date && origin.peer != Some(self.evidence.source);
            original || of_its_author || message.origin.as_ref() == Some(origin)
        });
        let same_media = found.media.is_some() && found.media == message.media;
        // Without a header a text that was edited since looks like any other of ours.
        let headless = self.intent.style.drop_author && found.origin.is_none();
        let may_be_edited = headless && self.may_be_ours(found) && found.body == message.body;
        names || same_media || may_be_edited
    }

    /// Whether the sender is us, or not to be seen.
    fn may_be_ours(&self, found: &Message) -> bool {
        match (self.evidence.sender, found.sender) {
            (Some(us), Some(sender)) => us == sender,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether `found` could be what the call made of the source message at `index`.
    fn could_be(&self, index: usize, found: &Message) -> bool {
        let message = &self.source[index];
        if !self.is_free(index, found, &self.proven) {
            return false;
        }
        let Body::Content(kind) = message.body else {
            return self.names(found, message.id);
        };
        let alone = || self.unit_len(index) == 1;
        found.body == message.body
            && found.media == message.media
            && has_text(found, message, kind, self.intent.style)
            && (message.album.is_some() || found.album.is_none())
            && self.has_origin(found, message)
            && (found.album.is_some() == message.album.is_some() || alone())
    }

    /// Whether anything that nothing accounts for could be what the call made of a message that is gone since.
    fn could_be_unseen(&self, index: usize, new_ids: &[Option<MessageId>]) -> bool {
        self.evidence.target.iter().any(|found| {
            let header = found.origin.as_ref();
            let fits = if self.intent.style.drop_author {
                header.is_none()
            } else {
                header.is_some_and(|origin| origin.peer != Some(self.evidence.source) || origin.post.is_none())
            };
            fits && self.is_free(index, found, new_ids)
        })
    }

    /// Whether `found` is accounted for by no other message of the call, by the right sender, and between what the
    /// neighbours became.
    fn is_free(&self, index: usize, found: &Message, new_ids: &[Option<MessageId>]) -> bool {
        let (before, after) = (&new_ids[..index], &new_ids[index + 1..]);
        self.may_be_ours(found)
            && matches!(found.body, Body::Content(_))
            && found.id > self.intent.target_floor
            && before.iter().flatten().all(|id| *id < found.id)
            && after.iter().flatten().all(|id| *id > found.id)
    }

    fn has_origin(&self, found: &Message, message: &Message) -> bool {
        match (&found.origin, &message.origin) {
            (origin, _) if self.intent.style.drop_author => origin.is_none(),
            (None, _) => false,
            // A forward keeps its first origin.
            (Some(found), Some(first)) => found == first,
            (Some(origin), None) => origin.date == message.date && self.is_original(origin, message),
        }
    }

    /// Whether the header names a message that was first posted in the source.
    fn is_original(&self, origin: &Origin, message: &Message) -> bool {
        match origin.peer {
            Some(peer) if peer == self.evidence.source => origin.post.is_none_or(|post| post == message.id),
            Some(peer) => message.sender == Some(peer),
            // Somebody who hides the account is shown by name.
            None => origin.name.is_some(),
        }
    }

    /// Whether the header names exactly this message of the source.
    fn names(&self, found: &Message, id: MessageId) -> bool {
        let exactly = |origin: &Origin| origin.peer == Some(self.evidence.source) && origin.post == Some(id);
        !self.intent.style.drop_author && found.origin.as_ref().is_some_and(exactly)
    }

    fn unit_len(&self, index: usize) -> usize {
        self.units().find(|unit| unit.contains(&index)).map_or(1, |unit| unit.len())
    }

    /// The units, by positions in the intent.
    fn units(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.intent.units.iter().scan(0, |begin, len| {
            let unit = *begin..*begin + usize::from(*len);
            *begin = unit.end;
            Some(unit)
        })
    }

    /// Whether each album of the call is one album in the target, and no two are the same.
    fn albums_are_whole(&self, new_ids: &[Option<MessageId>]) -> bool {
        let album_of =
            |id: &MessageId| self.evidence.target.iter().find(|found| found.id == *id).and_then(|found| found.album);
        let mut seen = Vec::new();
        for unit in self.units() {
            let mut albums: Vec<_> =
                new_ids.get(unit).unwrap_or_default().iter().flatten().filter_map(album_of).collect();
            albums.dedup();
            match albums.as_slice() {
                [] => {}
                [album] if !seen.contains(album) => seen.push(*album),
                [..] => return false,
            }
        }
        true
    }
}

fn has_text(found: &Message, message: &Message, kind: Kind, style: Style) -> bool {
    if style.drop_captions && kind != Kind::Text { found.text.is_empty() } else { found.text == message.text }
}

#[cfg(test)]
mod tests;
