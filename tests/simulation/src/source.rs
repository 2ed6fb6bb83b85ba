//! Sources that reach the corners: albums of 2 to 10 with strangers' messages between their members, holes, service
//! messages, equal texts, forwards of forwards.

use std::sync::Arc;

use simulator::world::history::History;
use simulator::world::message::{
    Document, DocumentKind, Extra, Forward, ForwardHeader, Media, Message, Poll, Reply, Service, Text,
};
use simulator::world::{ChatId, MessageId, UserId};

use crate::draw::Draw;

/// The texts of a source that says the same thing again and again.
const SAME_TEXTS: [&str; 3] = ["again", "and again", "once more"];

/// How often what occurs in a source, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Habits {
    album: u32,
    between: u32,
    hole: u32,
    service: u32,
    media: u32,
    same_text: u32,
    forwarded: u32,
}

impl Habits {
    fn drawn(draw: &mut Draw) -> Self {
        let mut share = |of: &[u32]| draw.pick(of).copied().unwrap_or(0);
        Self {
            album: share(&[0, 60, 150, 400]),
            between: share(&[0, 0, 150, 400]),
            hole: share(&[0, 40, 300]),
            service: share(&[0, 10, 100]),
            media: share(&[0, 200, 600]),
            same_text: share(&[0, 0, 100, 900]),
            forwarded: share(&[0, 60, 400]),
        }
    }
}

/// Somebody's half-posted album.
struct Album {
    group: i64,
    left: u64,
    began: i32,
}

/// A history of about `messages` messages that ends at `last_date`.
pub(crate) fn history(draw: &mut Draw, chat: ChatId, by: UserId, messages: u64, last_date: i32) -> History {
    let habits = Habits::drawn(draw);
    let mut history = History::default();
    let mut album: Option<Album> = None;
    // At most half a minute between two of them.
    let mut date = last_date - 30 * i32::try_from(messages).unwrap_or(i32::MAX) - 60;
    let mut id = 0;
    for number in 0..messages {
        id += 1;
        if draw.chance(habits.hole) {
            id += 1 + i32::try_from(draw.below(4)).unwrap_or(0);
        }
        let in_album = album.is_some();
        date += i32::try_from(draw.below(if in_album { 3 } else { 30 })).unwrap_or(0);
        let member = match &mut album {
            // A stranger's message in the middle of it.
            Some(_) if draw.chance(habits.between) => None,
            Some(open) if date - open.began < 50 => {
                open.left -= 1;
                Some(open.group)
            }
            _ if messages - number > 1 && draw.chance(habits.album) => {
                let begun = Album { group: group(draw), left: draw.between(1, 9), began: date };
                let group = begun.group;
                album = Some(begun);
                Some(group)
            }
            _ => None,
        };
        if album.as_ref().is_some_and(|open| open.left == 0 || date - open.began >= 50) {
            album = None;
        }
        let message = Message {
            id: MessageId(id),
            date,
            chat,
            by,
            text: Text::Empty,
            random_id: 0,
            group: member.unwrap_or(0),
            source: None,
            forward: Forward::None,
            extra: None,
            silent: false,
            noforwards: false,
            deleted: false,
        };
        history.push(filled(draw, &habits, message));
    }
    history
}

fn group(draw: &mut Draw) -> i64 {
    i64::try_from(draw.below(1 << 60)).unwrap_or(0) | 1
}

fn filled(draw: &mut Draw, habits: &Habits, mut message: Message) -> Message {
    let in_album = message.group != 0;
    if !in_album && draw.chance(habits.service) {
        message.extra = Some(Box::new(Extra { service: Some(Service::PinMessage), ..Extra::default() }));
        return message;
    }
    if in_album || draw.chance(habits.media) {
        let media = media(draw, in_album, habits.same_text);
        message.extra = Some(Box::new(Extra { media: Some(media), ..Extra::default() }));
    }
    let silent_media = message.extra.is_some() && draw.chance(600);
    if !silent_media {
        let same = draw.chance(habits.same_text);
        let words = if same {
            (*draw.pick(&SAME_TEXTS).unwrap_or(&"again")).to_owned()
        } else {
            format!("message {} of {}", message.id.0, draw.below(1_000_000))
        };
        message.text = Text::new(&words);
    }
    if !in_album && draw.chance(60) && message.id.0 > 1 {
        let to = MessageId(1 + i32::try_from(draw.below(u64::from(message.id.0.unsigned_abs()) - 1)).unwrap_or(0));
        message.extra_mut().reply = Some(Reply { to: Some(to), topic: None });
    }
    if draw.chance(habits.forwarded) {
        let header = ForwardHeader {
            from: None,
            name: Some(Arc::from(*draw.pick(&["Ada", "Ben"]).unwrap_or(&"Ada"))),
            date: message.date - 1000,
            post: None,
            post_author: None,
        };
        message.forward = Forward::Other(Box::new(header));
    }
    message
}

fn media(draw: &mut Draw, in_album: bool, same: u32) -> Media {
    let id = if draw.chance(same) { 11 } else { i64::try_from(draw.below(1 << 60)).unwrap_or(0) | 1 };
    let document = |kind, mime: &str| {
        Media::Document(Document { id, kind, mime: Arc::from(mime), file_name: None, size: 1000, duration_secs: 3 })
    };
    match draw.below(if in_album { 2 } else { 6 }) {
        0 => Media::Photo { id },
        1 => document(DocumentKind::Video, "video/mp4"),
        2 => document(DocumentKind::File, "application/pdf"),
        3 => document(DocumentKind::Audio, "audio/mpeg"),
        4 => document(DocumentKind::Voice, "audio/ogg"),
        _ => {
            let poll = Poll {
                id,
                question: "Which?".into(),
                answers: vec!["this".into(), "that".into()],
                quiz: false,
                // A channel refuses polls with public voters: the chunk is halved down to it.
                public_voters: draw.chance(100),
                closed: false,
            };
            Media::Poll(Arc::new(poll))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn albums_are_of_two_to_ten_and_some_have_strangers_between() {
        let mut sizes: BTreeMap<i64, usize> = BTreeMap::new();
        let mut torn = 0;
        for seed in 0..200 {
            let mut draw = Draw::of(seed, "source");
            let history = history(&mut draw, ChatId(-1), UserId(1), 80, 1_700_000_000);
            let all: Vec<(i32, i64)> = history.all().map(|message| (message.id.0, message.group)).collect();
            for (_, group) in all.iter().filter(|(_, group)| *group != 0) {
                *sizes.entry(*group).or_default() += 1;
            }
            torn += all.windows(3).filter(|w| w[0].1 != 0 && w[1].1 != w[0].1 && w[2].1 == w[0].1).count();
        }
        assert!(sizes.len() > 500 && torn > 50, "{} albums, {torn} with strangers between", sizes.len());
        assert!(sizes.values().all(|size| *size <= 10), "{sizes:?}");
    }
}
