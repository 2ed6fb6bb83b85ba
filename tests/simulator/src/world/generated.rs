//! A history that is a function of seed and id: a million messages that cost nothing until they are looked at.
//!
//! Ids are cut in blocks of ten, so that an album (at most ten members) lies in one block and a message can be made
//! without its neighbours.

use super::message::{Document, DocumentKind, Extra, Forward, Media, Poll, Reply, Service};
use super::{ChatId, Message, MessageId, UserId, message::Text};
use crate::world::seed::{draw, mix};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const BLOCK: i32 = 10;
/// Seconds between two generated messages.
const GAP_SECS: i32 = 20;

/// How often what occurs, in thousandths of messages (albums: of blocks of ten ids). What is left is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mix {
    pub album: u32,
    pub photo: u32,
    pub video: u32,
    pub document: u32,
    pub audio: u32,
    pub voice: u32,
    pub sticker: u32,
    pub poll: u32,
    pub reply: u32,
    pub forward: u32,
    pub service: u32,
    pub hole: u32,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix {
            album: 250,
            photo: 120,
            video: 60,
            document: 40,
            audio: 20,
            voice: 20,
            sticker: 20,
            poll: 10,
            reply: 60,
            forward: 60,
            service: 10,
            hole: 40,
        }
    }
}

impl Mix {
    /// Nothing but texts, without holes: for speed.
    #[must_use]
    pub fn text_only() -> Mix {
        Mix {
            album: 0,
            photo: 0,
            video: 0,
            document: 0,
            audio: 0,
            voice: 0,
            sticker: 0,
            poll: 0,
            reply: 0,
            forward: 0,
            service: 0,
            hole: 0,
        }
    }
}

/// The function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    pub seed: u64,
    pub chat: ChatId,
    pub by: UserId,
    pub count: i32,
    pub first_date: i32,
    pub mix: Mix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Hole,
    Service,
    Album { group: i64, video: bool },
    Document(DocumentKind),
    Photo,
    Poll,
    Reply,
    Forward,
    Text,
}

impl Generated {
    /// The message with this id, unless it is a hole or beyond the end.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<Message> {
        let slot = self.slot(id)?;
        if slot == Slot::Hole {
            return None;
        }
        let seed = mix(self.seed, u64::from(id.0.unsigned_abs()));
        let date = self.date(id);
        let mut message = Message::text(id, self.chat, self.by, date, Text::Generated(seed));
        match slot {
            Slot::Hole | Slot::Text => {}
            Slot::Service => {
                message.text = Text::Empty;
                message.extra = Some(Box::new(Extra { service: Some(Service::PinMessage), ..Extra::default() }));
            }
            Slot::Album { group, video } => {
                message.group = group;
                if !(id.0 - 1).rem_euclid(BLOCK).eq(&0) {
                    message.text = Text::Empty;
                }
                let media_id = media_id(seed);
                message.extra_mut().media = Some(if video {
                    Media::Document(Document::of(DocumentKind::Video, media_id))
                } else {
                    Media::Photo { id: media_id }
                });
            }
            Slot::Document(kind) => {
                if kind == DocumentKind::Sticker {
                    message.text = Text::Empty;
                }
                message.extra_mut().media = Some(Media::Document(Document::of(kind, media_id(seed))));
            }
            Slot::Photo => message.extra_mut().media = Some(Media::Photo { id: media_id(seed) }),
            Slot::Poll => {
                message.text = Text::Empty;
                message.extra_mut().media = Some(Media::Poll(Arc::new(Poll {
                    id: media_id(seed),
                    question: text(seed),
                    answers: vec!["yes".into(), "no".into()],
                    quiz: false,
                    public_voters: false,
                    closed: false,
                })));
            }
            Slot::Reply => {
                let to = MessageId((id.0 - 1 - (seed % 5) as i32 % id.0.max(1)).max(1));
                message.extra_mut().reply = Some(Reply { to: Some(to), topic: None });
            }
            Slot::Forward => {
                let post = MessageId(1 + i32::try_from(seed % 9_000).unwrap_or(0));
                message.forward = Forward::Post { channel: ELSEWHERE, post, date: date - 1_000 };
            }
        }
        Some(message)
    }

    /// Messages that are no holes.
    #[must_use]
    pub fn visible(&self) -> usize {
        if self.mix.hole == 0 {
            return usize::try_from(self.count).unwrap_or(0);
        }
        (1..=self.count).filter(|id| self.exists(MessageId(*id))).count()
    }

    /// There is a message with this id.
    #[must_use]
    pub fn exists(&self, id: MessageId) -> bool {
        self.slot(id).is_some_and(|slot| slot != Slot::Hole)
    }

    /// The smallest id whose date is not before `date` (one past the end if none).
    #[must_use]
    pub fn first_at(&self, date: i32) -> MessageId {
        let steps =
            (i64::from(date) - i64::from(self.first_date) + i64::from(GAP_SECS) - 1).div_euclid(i64::from(GAP_SECS));
        MessageId(i32::try_from((steps + 1).clamp(1, i64::from(self.count) + 1)).unwrap_or(1))
    }

    /// The date of the last id.
    #[must_use]
    pub fn last_date(&self) -> i32 {
        self.date(MessageId(self.count))
    }

    fn date(&self, id: MessageId) -> i32 {
        self.first_date.saturating_add((id.0 - 1).saturating_mul(GAP_SECS))
    }

    fn slot(&self, id: MessageId) -> Option<Slot> {
        if id.0 < 1 || id.0 > self.count {
            return None;
        }
        let block = (id.0 - 1) / BLOCK;
        let place = (id.0 - 1) % BLOCK;
        let of_block = mix(self.seed ^ 0xA1B0, u64::from(block.unsigned_abs()));
        let whole = (block + 1) * BLOCK <= self.count;
        if whole && draw(of_block, 1_000) < u64::from(self.mix.album) {
            let size = 2 + i32::try_from(draw(of_block >> 20, 9)).unwrap_or(0);
            if place < size {
                let group = i64::from_le_bytes((of_block | 1).to_le_bytes());
                return Some(Slot::Album { group, video: of_block & 0x100 != 0 && place % 2 == 1 });
            }
        }
        let drawn = draw(mix(self.seed ^ 0x51, u64::from(id.0.unsigned_abs())), 1_000);
        let shares = [
            (self.mix.hole, Slot::Hole),
            (self.mix.service, Slot::Service),
            (self.mix.photo, Slot::Photo),
            (self.mix.video, Slot::Document(DocumentKind::Video)),
            (self.mix.document, Slot::Document(DocumentKind::File)),
            (self.mix.audio, Slot::Document(DocumentKind::Audio)),
            (self.mix.voice, Slot::Document(DocumentKind::Voice)),
            (self.mix.sticker, Slot::Document(DocumentKind::Sticker)),
            (self.mix.poll, Slot::Poll),
            (self.mix.reply, Slot::Reply),
            (self.mix.forward, Slot::Forward),
        ];
        let mut upto = 0;
        for (share, slot) in shares {
            upto += u64::from(share);
            if drawn < upto {
                return Some(slot);
            }
        }
        Some(Slot::Text)
    }
}

/// The channel that generated forwards name (bare id); worlds that use them have one.
pub const ELSEWHERE: i64 = 1_400_000_001;

fn media_id(seed: u64) -> i64 {
    i64::from_le_bytes((seed >> 2).to_le_bytes()) | 1
}

/// A text of a few words.
#[must_use]
pub fn text(seed: u64) -> String {
    const WORDS: [&str; 16] = [
        "harbour",
        "morning",
        "tide",
        "list",
        "crossing",
        "cabin",
        "ticket",
        "north",
        "rope",
        "late",
        "north-west",
        "deck",
        "cargo",
        "signal",
        "bridge",
        "island",
    ];
    let mut out = String::with_capacity(48);
    let mut rest = seed;
    for n in 0..(3 + seed % 4) {
        if n > 0 {
            out.push(' ');
        }
        rest = mix(rest, n);
        out.push_str(WORDS[usize::try_from(draw(rest, 16)).unwrap_or(0)]);
    }
    out.push_str(" #");
    out.push_str(&(seed % 1_000_000).to_string());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(count: i32) -> Generated {
        Generated {
            seed: 7,
            chat: ChatId::channel(1),
            by: UserId(1),
            count,
            first_date: 1_600_000_000,
            mix: Mix::default(),
        }
    }

    #[test]
    fn has_everything_and_albums_of_two_to_ten() {
        let source = generated(5_000);
        let all: Vec<Message> = (1..=5_000).filter_map(|id| source.message(MessageId(id))).collect();
        assert_eq!(all.len(), source.visible());
        assert!(all.len() < 5_000, "there are holes");
        let mut sizes = std::collections::BTreeMap::<i64, usize>::new();
        for message in all.iter().filter(|m| m.group != 0) {
            *sizes.entry(message.group).or_default() += 1;
        }
        assert!(!sizes.is_empty());
        assert!(sizes.values().all(|size| (2..=10).contains(size)), "{sizes:?}");
        let kinds: std::collections::BTreeSet<_> = all.iter().map(Message::kind).collect();
        assert!(kinds.len() >= 8, "{kinds:?}");
        assert!(all.iter().any(|m| m.forward.is_some()) && all.iter().any(|m| m.reply().is_some()));
    }

    #[test]
    fn finds_the_first_id_of_a_date() {
        let source = generated(100);
        for date in 1_599_999_990..1_600_002_100 {
            let naive = (1..=100).find(|id| source.date(MessageId(*id)) >= date).unwrap_or(101);
            assert_eq!(source.first_at(date).0, naive, "at {date}");
        }
    }
}
