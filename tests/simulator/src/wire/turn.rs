//! What one packet of a client leads to: refusals, service answers, calls to be made - gathered in order.

use super::message::{Malformed, Message, Request, rpc_result};
use super::session::{Admission, BadMessage, Kind, Session};
use super::switchboard::{Effect, KeyEntry};
use crate::world::SessionId;
use grammers_tl_types::{RawVec, Serializable, enums, types};
use std::time::Duration;
use tokio::time::Instant;

/// One packet being handled: everything it leads to is gathered here.
pub(super) struct Turn<'a> {
    pub(super) entry: &'a mut KeyEntry,
    pub(super) session: SessionId,
    pub(super) clock: i64,
    pub(super) now: Instant,
    pub(super) now_secs: i32,
    pub(super) effects: Vec<Effect>,
}

impl Turn<'_> {
    pub(super) fn state(&mut self) -> &mut Session {
        &mut self.entry.sessions.entry(self.session).or_default().state
    }

    fn send(&mut self, body: Vec<u8>, kind: Kind) {
        let (clock, now) = (self.clock, self.now);
        let message = self.state().send(body.into(), kind, None, clock, now);
        let sealable = self.entry.sealable(self.session, message);
        self.effects.push(Effect::Send(sealable));
    }

    /// A service answer, which nobody acknowledges.
    fn service(&mut self, answer: &impl Serializable) {
        self.send(answer.to_bytes(), Kind::Answer { content: false });
    }

    pub(super) fn bad_salt(&mut self, message: &Message<'_>) {
        let new_server_salt = self.entry.salt;
        self.service(&enums::BadMsgNotification::BadServerSalt(types::BadServerSalt {
            bad_msg_id: message.id,
            bad_msg_seqno: message.seq_no,
            error_code: 48,
            new_server_salt,
        }));
    }

    pub(super) fn new_session(&mut self, message: &Message<'_>, unique_id: i64) {
        let server_salt = self.entry.salt;
        let created = types::NewSessionCreated { first_msg_id: message.id, unique_id, server_salt };
        self.send(enums::NewSession::Created(created).to_bytes(), Kind::Push);
    }

    /// Answers for what may not be handled; true for what may.
    pub(super) fn admitted(&mut self, admission: Admission, message: &Message<'_>) -> bool {
        match admission {
            Admission::Fresh => return true,
            Admission::Known => match self.state().answer_to(message.id) {
                Some(answer) => {
                    let sealable = self.entry.sealable(self.session, answer);
                    self.effects.push(Effect::Send(sealable));
                }
                None => self.service(&enums::MsgsAck::Ack(types::MsgsAck { msg_ids: vec![message.id] })),
            },
            Admission::Refused(code) => self.refuse(message, code),
        }
        false
    }

    fn refuse(&mut self, message: &Message<'_>, code: BadMessage) {
        self.service(&enums::BadMsgNotification::Notification(types::BadMsgNotification {
            bad_msg_id: message.id,
            bad_msg_seqno: message.seq_no,
            error_code: code as i32,
        }));
    }

    pub(super) fn request(&mut self, message: &Message<'_>, request: Request) -> Result<(), Malformed> {
        match request {
            Request::Ack(ids) => self.state().acknowledged(&ids),
            Request::Nothing => {}
            Request::Ping { ping_id, disconnect_secs } => {
                self.service(&enums::Pong::Pong(types::Pong { msg_id: message.id, ping_id }));
                if let Some(secs) = disconnect_secs {
                    let delay = Duration::from_secs(u64::try_from(secs).unwrap_or_default());
                    self.effects.push(Effect::DisconnectIn(delay));
                }
            }
            Request::FutureSalts { count } => self.future_salts(message, count),
            Request::State { ids } => {
                let info = self.state().states(&ids);
                self.service(&enums::MsgsStateInfo::Info(types::MsgsStateInfo { req_msg_id: message.id, info }));
            }
            Request::Resend { ids } => self.resend(message, &ids),
            Request::DestroySession(session_id) => self.destroy_session(session_id),
            Request::DestroyAuthKey => {
                self.service(&enums::DestroyAuthKeyRes::DestroyAuthKeyOk);
                self.effects.push(Effect::Forget);
            }
            Request::DropAnswer { id } => self.drop_answer(message, id),
            Request::Call(body) => self.effects.push(Effect::Call { request_id: message.id, body }),
        }
        Ok(())
    }

    /// One salt for every hour that is asked for: it stays until it is rotated. The first one is valid already; clients
    /// wait in vain, or spin, on one that is not.
    fn future_salts(&mut self, message: &Message<'_>, count: i32) {
        const HOUR_SECS: i32 = 3600;
        let (since, salt) = (self.now_secs - HOUR_SECS / 2, self.entry.salt);
        let salts = (0..count.clamp(1, 64)).map(|hour| types::FutureSalt {
            valid_since: since + hour * HOUR_SECS,
            valid_until: since + (hour + 2) * HOUR_SECS,
            salt,
        });
        let (req_msg_id, now) = (message.id, self.now_secs);
        let salts = types::FutureSalts { req_msg_id, now, salts: RawVec(salts.collect()) };
        self.service(&enums::FutureSalts::Salts(salts));
    }

    fn resend(&mut self, message: &Message<'_>, ids: &[i64]) {
        let kept = self.state().kept(ids);
        if kept.len() < ids.len() {
            let info = self.state().states(ids);
            self.service(&enums::MsgsStateInfo::Info(types::MsgsStateInfo { req_msg_id: message.id, info }));
        }
        let session = self.session;
        self.effects.extend(kept.into_iter().map(|kept| Effect::Send(self.entry.sealable(session, kept))));
    }

    fn destroy_session(&mut self, session_id: SessionId) {
        let destroyed = session_id != self.session && self.entry.sessions.remove(&session_id).is_some();
        let session_id = session_id.0;
        self.service(&if destroyed {
            enums::DestroySessionRes::DestroySessionOk(types::DestroySessionOk { session_id })
        } else {
            enums::DestroySessionRes::DestroySessionNone(types::DestroySessionNone { session_id })
        });
    }

    fn drop_answer(&mut self, message: &Message<'_>, id: i64) {
        let dropped = match self.state().drop_answer(id) {
            Some(answer) => enums::RpcDropAnswer::RpcAnswerDropped(types::RpcAnswerDropped {
                msg_id: answer.id,
                seq_no: answer.seq_no,
                bytes: i32::try_from(answer.body.len()).unwrap_or(i32::MAX),
            }),
            None => enums::RpcDropAnswer::RpcAnswerUnknown,
        };
        let body = rpc_result(message.id, &dropped.to_bytes(), usize::MAX);
        self.send(body, Kind::Answer { content: true });
    }
}
