//! One MTProto session: which of a client's messages may be taken, and what of ours it has yet to acknowledge.
//!
//! Synchronous; the switchboard owns it, one per session id of a key. What must stay true: a message id is taken at most
//! once, our ids only grow, and a content message is kept until it is acknowledged (or pushed out by
//! `KEPT_LEN_MAX` newer ones).
//!
//! Source: <https://core.telegram.org/mtproto/service_messages_about_messages>.

use super::message::{Message, Request};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Ids of this many messages are remembered; what is older than all of them cannot be judged (code 20).
const REMEMBERED_LEN_MAX: usize = 2_000;
/// Unacknowledged messages kept for re-sending.
const KEPT_LEN_MAX: usize = 500;
/// A client's clock may be this far ahead ...
const AHEAD_SECS_MAX: i64 = 30;
/// ... or behind.
const BEHIND_SECS_MAX: i64 = 300;

/// Codes of `bad_msg_notification`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMessage {
    IdTooLow = 16,
    IdTooHigh = 17,
    IdBits = 18,
    ContainerIdKnown = 19,
    TooOld = 20,
    SeqNoTooLow = 32,
    SeqNoTooHigh = 33,
    SeqNoNotEven = 34,
    SeqNoNotOdd = 35,
}

/// May a message be handled?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Fresh,
    /// It was handled before: say so again, do nothing.
    Known,
    Refused(BadMessage),
}

/// A message of ours, ready to be sealed. Re-sent, it keeps id and number.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub id: i64,
    pub seq_no: i32,
    pub body: Arc<[u8]>,
}

/// What kind of message a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers a client's message: id is 1 modulo 4.
    Answer { content: bool },
    /// Sent of our own accord: id is 3 modulo 4; always content.
    Push,
}

#[derive(Debug)]
struct Kept {
    message: Outgoing,
    answers: Option<i64>,
    sent_at: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Session {
    received: BTreeMap<i64, i32>,
    floor: i64,
    last_id: i64,
    content_sent: i32,
    kept: BTreeMap<i64, Kept>,
    /// `invokeWithoutUpdates` was said: this session hears of none.
    pub without_updates: bool,
}

impl Session {
    /// Judges the id and number of a whole packet's message (a container or a single one) against the clock, then as
    /// [`Session::admit_inner`] does.
    pub fn admit(&mut self, message: &Message<'_>, form: &Form, now_secs: i64) -> Admission {
        let sent_secs = message.id >> 32;
        if message.id % 4 != 0 {
            return Admission::Refused(BadMessage::IdBits);
        }
        if sent_secs > now_secs + AHEAD_SECS_MAX {
            return Admission::Refused(BadMessage::IdTooHigh);
        }
        if sent_secs < now_secs - BEHIND_SECS_MAX {
            return Admission::Refused(BadMessage::IdTooLow);
        }
        self.admit_inner(message, form)
    }

    /// Judges a message of a container: its time does not matter, because clients re-send old ones in new containers.
    pub fn admit_inner(&mut self, message: &Message<'_>, form: &Form) -> Admission {
        if message.id % 4 != 0 {
            return Admission::Refused(BadMessage::IdBits);
        }
        if self.received.contains_key(&message.id) {
            return match form {
                Form::Container => Admission::Refused(BadMessage::ContainerIdKnown),
                Form::Single { .. } => Admission::Known,
            };
        }
        if message.id <= self.floor {
            return Admission::Refused(BadMessage::TooOld);
        }
        if let Some(bad) = self.misnumbered(message, form) {
            return Admission::Refused(bad);
        }
        self.received.insert(message.id, message.seq_no);
        if self.received.len() > REMEMBERED_LEN_MAX
            && let Some((oldest, _)) = self.received.pop_first()
        {
            self.floor = oldest;
        }
        Admission::Fresh
    }

    fn misnumbered(&self, message: &Message<'_>, form: &Form) -> Option<BadMessage> {
        let odd = |seq_no: i32| seq_no & 1 == 1;
        match (form.is_content(), odd(message.seq_no)) {
            (Some(false), true) => return Some(BadMessage::SeqNoNotEven),
            (Some(true), false) => return Some(BadMessage::SeqNoNotOdd),
            _ => {}
        }
        let wrong = |lower: i32, higher: i32| lower > higher || (lower == higher && odd(lower));
        let before = self.received.range(..message.id).next_back();
        if before.is_some_and(|(_, seq_no)| wrong(*seq_no, message.seq_no)) {
            return Some(BadMessage::SeqNoTooLow);
        }
        let after = self.received.range(message.id..).next();
        after.is_some_and(|(_, seq_no)| wrong(message.seq_no, *seq_no)).then_some(BadMessage::SeqNoTooHigh)
    }

    /// Gives a body its id and number. `clock` is the unix time as a message id has it (seconds in the upper half).
    pub fn send(&mut self, body: Arc<[u8]>, kind: Kind, answers: Option<i64>, clock: i64, now: Instant) -> Outgoing {
        let (rest, content) = match kind {
            Kind::Answer { content } => (1, content),
            Kind::Push => (3, true),
        };
        let base = (clock & !3).max((self.last_id & !3) + 4);
        self.last_id = base + rest;
        let seq_no = self.content_sent.wrapping_mul(2) | i32::from(content);
        let message = Outgoing { id: self.last_id, seq_no, body };
        if content {
            self.content_sent = self.content_sent.wrapping_add(1);
            self.kept.insert(message.id, Kept { message: message.clone(), answers, sent_at: now });
            if self.kept.len() > KEPT_LEN_MAX {
                self.kept.pop_first();
            }
        }
        message
    }

    /// The client has these; they need not be sent again.
    pub fn acknowledged(&mut self, ids: &[i64]) {
        for id in ids {
            self.kept.remove(id);
        }
    }

    /// What was sent before `before` and never acknowledged, oldest first; counted as sent `now`.
    pub fn overdue(&mut self, before: Instant, now: Instant) -> Vec<Outgoing> {
        let mut overdue = Vec::new();
        for kept in self.kept.values_mut().filter(|kept| kept.sent_at <= before) {
            kept.sent_at = now;
            overdue.push(kept.message.clone());
        }
        overdue
    }

    /// When the oldest unacknowledged message was sent.
    pub fn oldest_sent_at(&self) -> Option<Instant> {
        self.kept.values().map(|kept| kept.sent_at).min()
    }

    /// Our messages of these ids, as far as they are kept.
    pub fn kept(&self, ids: &[i64]) -> Vec<Outgoing> {
        ids.iter().filter_map(|id| self.kept.get(id)).map(|kept| kept.message.clone()).collect()
    }

    /// The kept answer to a client's message.
    pub fn answer_to(&self, request_id: i64) -> Option<Outgoing> {
        self.kept.values().find(|kept| kept.answers == Some(request_id)).map(|kept| kept.message.clone())
    }

    /// Drops the kept answer to a client's message, so that it is not sent again.
    pub fn drop_answer(&mut self, request_id: i64) -> Option<Outgoing> {
        let id = self.answer_to(request_id)?.id;
        self.kept.remove(&id).map(|kept| kept.message)
    }

    /// `msgs_state_info`: one byte per id. Source: the page above, "Message Status".
    pub fn states(&self, ids: &[i64]) -> Vec<u8> {
        let newest = self.received.last_key_value().map_or(0, |(id, _)| *id);
        ids.iter()
            .map(|id| match id {
                id if self.received.contains_key(id) => 4,
                id if *id <= self.floor => 1,
                id if *id > newest => 3,
                _ => 2,
            })
            .collect()
    }
}

/// What a message is, as far as its number goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Container,
    Single { content: Option<bool> },
}

impl Form {
    pub fn of(request: &Request) -> Form {
        Form::Single { content: request.is_content() }
    }

    fn is_content(&self) -> Option<bool> {
        match self {
            Form::Container => Some(false),
            Form::Single { content } => *content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_SECS: i64 = 1_800_000_000;
    const CALL: Form = Form::Single { content: Some(true) };

    fn message(offset_secs: i64, seq_no: i32) -> Message<'static> {
        Message { id: (NOW_SECS + offset_secs) << 32, seq_no, body: &[] }
    }

    #[test]
    fn ids_are_judged_by_the_clock_and_their_low_bits() {
        let mut session = Session::default();
        let mut admit = |message: &Message<'_>| session.admit(message, &CALL, NOW_SECS);
        assert_eq!(admit(&message(31, 1)), Admission::Refused(BadMessage::IdTooHigh));
        assert_eq!(admit(&message(-301, 1)), Admission::Refused(BadMessage::IdTooLow));
        let odd = Message { id: message(0, 1).id + 1, ..message(0, 1) };
        assert_eq!(admit(&odd), Admission::Refused(BadMessage::IdBits));
        assert_eq!(admit(&message(0, 1)), Admission::Fresh);
        assert_eq!(admit(&message(0, 1)), Admission::Known);
    }

    #[test]
    fn a_container_may_not_reuse_an_id() {
        let mut session = Session::default();
        assert_eq!(session.admit(&message(0, 1), &CALL, NOW_SECS), Admission::Fresh);
        let refused = Admission::Refused(BadMessage::ContainerIdKnown);
        assert_eq!(session.admit(&message(0, 2), &Form::Container, NOW_SECS), refused);
    }

    #[test]
    fn numbers_must_grow_with_the_ids_and_tell_content_from_service() {
        let mut session = Session::default();
        let mut admit = |message: &Message<'_>, form: &Form| session.admit(message, form, NOW_SECS);
        assert_eq!(admit(&message(10, 5), &CALL), Admission::Fresh);
        assert_eq!(admit(&message(11, 5), &CALL), Admission::Refused(BadMessage::SeqNoTooLow));
        assert_eq!(admit(&message(9, 7), &CALL), Admission::Refused(BadMessage::SeqNoTooHigh));
        assert_eq!(admit(&message(12, 6), &CALL), Admission::Refused(BadMessage::SeqNoNotOdd));
        assert_eq!(admit(&message(12, 7), &Form::Container), Admission::Refused(BadMessage::SeqNoNotEven));
        assert_eq!(admit(&message(9, 3), &CALL), Admission::Fresh);
        assert_eq!(admit(&message(13, 6), &Form::Container), Admission::Fresh);
    }

    #[test]
    fn forgotten_ids_are_too_old_to_be_judged() {
        let mut session = Session::default();
        let at = |i: i32| Message { id: message(0, 0).id + i64::from(i) * 4, seq_no: i * 2 + 1, body: &[] };
        for i in 0..=2_000 {
            assert_eq!(session.admit(&at(i), &CALL, NOW_SECS), Admission::Fresh);
        }
        assert_eq!(session.admit(&at(0), &CALL, NOW_SECS), Admission::Refused(BadMessage::TooOld));
        assert_eq!(session.admit(&at(1), &CALL, NOW_SECS), Admission::Known);
    }

    #[test]
    fn content_is_kept_until_it_is_acknowledged() {
        let mut session = Session::default();
        let now = Instant::now();
        let clock = NOW_SECS << 32;
        let answer = session.send(Arc::from([1]), Kind::Answer { content: true }, Some(40), clock, now);
        let pong = session.send(Arc::from([2]), Kind::Answer { content: false }, None, clock, now);
        let push = session.send(Arc::from([3]), Kind::Push, None, clock, now);
        assert_eq!((answer.id % 4, pong.id % 4, push.id % 4), (1, 1, 3));
        assert_eq!((answer.seq_no, pong.seq_no, push.seq_no), (1, 2, 3));
        assert!(answer.id < pong.id && pong.id < push.id);
        assert_eq!(session.answer_to(40).map(|message| message.id), Some(answer.id));

        let resent: Vec<i64> = session.overdue(now, now).iter().map(|message| message.id).collect();
        assert_eq!(resent, [answer.id, push.id]);
        session.acknowledged(&[answer.id]);
        let resent: Vec<i64> = session.overdue(now, now).iter().map(|message| message.id).collect();
        assert_eq!(resent, [push.id]);
    }
}
