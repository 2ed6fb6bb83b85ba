//! One client's connection: the only task there is per client. It reads, lets the synchronous layers decide, and writes
//! everything that one read led to in a single write.
//!
//! What must stay true: whatever comes in, the worst that happens is the end of this connection.

use super::crypto::Entropy;
use super::exchange::{Exchange, Server, Step};
use super::message::Envelope;
use super::session::Kind;
use super::switchboard::{ConnectionId, Effect, Notice, Sealable};
use super::transport::Transport;
use crate::calls::Answer;
use crate::server::Shared;
use crate::world::bots::callback::ANSWER_SECS_MAX;
use crate::world::{AuthKeyId, RpcError, SessionId, WireFault};
use grammers_tl_types::{Serializable, enums, types};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A client that does not read for so long is given up.
const WRITE_SECS_MAX: u64 = 30;
/// A connection that has said nothing sensible for so long is closed.
const SILENT_START_SECS_MAX: u64 = 60;
/// The end of a client's former connection is read later than the first packet of its next one: so long a seeming
/// duplicate may be just that.
const CONTEST_MILLIS: u64 = 250;
/// How often to look whether a bot has answered.
const BOT_LOOK_MILLIS: u64 = 20;
const READ_LEN: usize = 64 << 10;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the client closed it")]
    Closed,
    #[error("the client's bytes make no sense: {0}")]
    Rubbish(String),
    #[error("a fault or a ping that was not renewed ended it")]
    Asked,
    #[error("input or output failed")]
    Io(#[from] std::io::Error),
    #[error("the client does not read")]
    Stuck,
}

/// See the module.
pub struct Connection {
    id: ConnectionId,
    dc: i32,
    shared: Arc<Shared>,
    notices: UnboundedReceiver<Notice>,
    transport: Transport,
    exchange: Exchange,
    entropy: Entropy,
    /// The first encrypted packet is awaited until then.
    start_by: Option<Instant>,
    /// `ping_delay_disconnect`: the next one is awaited until then.
    ping_by: Option<Instant>,
    resend_at: Instant,
    delayed: Vec<Delayed>,
    /// A stalled connection reads on and never speaks again.
    stalled: bool,
    out: Vec<u8>,
    /// Audit entries that end when `out` is written.
    open_audits: Vec<u64>,
    /// Audit entries of calls that will not be answered: they end with the connection.
    unanswered_audits: Vec<u64>,
}

/// An answer that a fault, or a bot that takes its time, holds back.
struct Delayed {
    at: Instant,
    /// A bot has time until then.
    give_up: Instant,
    auth_key: AuthKeyId,
    session: SessionId,
    request_id: i64,
    answer: Answer,
}

impl Connection {
    /// Serves a client until either side ends it.
    pub async fn serve(shared: Arc<Shared>, dc: i32, stream: TcpStream) {
        let (sender, notices) = unbounded_channel();
        let id = shared.connect(sender);
        let now = Instant::now();
        let mut connection = Connection {
            id,
            dc,
            notices,
            transport: Transport::default(),
            exchange: Exchange::default(),
            entropy: Entropy::from_system(),
            start_by: Some(now + Duration::from_secs(SILENT_START_SECS_MAX)),
            ping_by: None,
            resend_at: now + shared.resend_every,
            delayed: Vec::new(),
            stalled: false,
            out: Vec::new(),
            open_audits: Vec::new(),
            unanswered_audits: Vec::new(),
            shared,
        };
        let end = connection.run(stream).await;
        if let Err(end) = end {
            tracing::debug!(connection = id.0, dc, %end, "connection ended");
        }
    }

    async fn run(&mut self, mut stream: TcpStream) -> Result<(), End> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; READ_LEN];
        loop {
            let wake_at = self.wake_at();
            let done = tokio::select! {
                read = stream.read(&mut buffer) => match read? {
                    0 => return Err(End::Closed),
                    len => self.take(&buffer[..len]).await,
                },
                Some(notice) = self.notices.recv() => self.notice(notice),
                () = sleep_until(wake_at) => self.wake(Instant::now()),
            };
            // What was answered before the end still goes out.
            self.flush(&mut stream).await?;
            done?;
        }
    }

    async fn flush(&mut self, stream: &mut TcpStream) -> Result<(), End> {
        if !self.out.is_empty() {
            let write = stream.write_all(&self.out);
            timeout(Duration::from_secs(WRITE_SECS_MAX), write).await.or(Err(End::Stuck))??;
        }
        self.out.clear();
        if !self.open_audits.is_empty() {
            self.shared.end_audits(&std::mem::take(&mut self.open_audits));
        }
        Ok(())
    }

    fn wake_at(&self) -> Instant {
        let delayed = self.delayed.iter().map(|delayed| delayed.at);
        delayed.chain(self.start_by).chain(self.ping_by).chain([self.resend_at]).min().unwrap_or(self.resend_at)
    }

    fn wake(&mut self, now: Instant) -> Result<(), End> {
        if self.start_by.into_iter().chain(self.ping_by).any(|at| at <= now) {
            return Err(End::Asked);
        }
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.delayed).into_iter().partition(|it| it.at <= now);
        self.delayed = later;
        for mut delayed in due {
            if let Some(later) = delayed.answer.later {
                match self.shared.later(later) {
                    Some(body) => delayed.answer.body = Ok(body),
                    None if now < delayed.give_up => {
                        delayed.at = now + Duration::from_millis(BOT_LOOK_MILLIS);
                        self.delayed.push(delayed);
                        continue;
                    }
                    None => delayed.answer.body = Err(RpcError::bad("BOT_RESPONSE_TIMEOUT")),
                }
            }
            let Delayed { auth_key, session, request_id, answer, .. } = delayed;
            self.answer(auth_key, session, request_id, &answer);
        }
        if self.resend_at <= now {
            self.resend_at = now + self.shared.resend_every;
            let overdue = self.shared.switchboard().overdue(self.id, now);
            overdue.iter().for_each(|sealable| self.send(sealable));
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) -> Result<(), End> {
        match notice {
            Notice::Close => Err(End::Asked),
            Notice::Push { auth_key, session, body } => {
                let now = Instant::now();
                let stamped = self.shared.switchboard().stamp(auth_key, session, body, Kind::Push, None, now);
                stamped.iter().for_each(|sealable| self.send(sealable));
                Ok(())
            }
        }
    }

    fn send(&mut self, sealable: &Sealable) {
        if !self.stalled {
            let sealed = sealable.seal(&mut self.entropy);
            self.transport.frame(&sealed, &mut self.out);
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), End> {
        if self.stalled {
            return Ok(());
        }
        self.transport.feed(bytes);
        loop {
            let packet = self.transport.next_packet().map_err(|fault| End::Rubbish(fault.to_string()))?;
            let Some(packet) = packet else { return Ok(()) };
            let Some((id, rest)) = packet.split_first_chunk() else {
                return Err(End::Rubbish("a packet without a key id".into()));
            };
            match i64::from_le_bytes(*id) {
                0 => self.take_plain(rest)?,
                id => self.take_sealed(AuthKeyId(id), rest).await?,
            }
            if self.stalled {
                return Ok(());
            }
        }
    }

    /// A message before there is a key: id, length, body.
    fn take_plain(&mut self, rest: &[u8]) -> Result<(), End> {
        let body = rest.get(12..).filter(|body| body.len() >= 4);
        let body = body.ok_or_else(|| End::Rubbish("a plain message is cut off".into()))?;
        let now_secs = self.shared.switchboard().now_secs();
        let server = Server { rsa: &self.shared.rsa, dc: self.dc, now_secs };
        let step = self.exchange.step(body, &server, &mut self.entropy).map_err(|fault| {
            self.transport.frame_error(404, &mut self.out);
            End::Rubbish(fault.to_string())
        })?;
        let reply = match step {
            Step::Nothing => return Ok(()),
            Step::Reply(reply) => reply,
            Step::Done { reply, key, salt, expires_in_secs } => {
                tracing::debug!(connection = self.id.0, dc = self.dc, ?expires_in_secs, "new auth key");
                self.shared.switchboard().add_key(*key, self.dc, salt);
                reply
            }
        };
        let id = i64::from(now_secs) << 32 | 1;
        let len = u32::try_from(reply.len()).unwrap_or_default();
        let packet = [&[0; 8], &id.to_le_bytes()[..], &len.to_le_bytes(), &reply].concat();
        self.transport.frame(&packet, &mut self.out);
        Ok(())
    }

    async fn take_sealed(&mut self, id: AuthKeyId, rest: &[u8]) -> Result<(), End> {
        let key = self.shared.switchboard().key(id, self.dc, self.id);
        let Some(key) = key else {
            self.transport.frame_error(404, &mut self.out);
            return Err(End::Rubbish("nobody knows this auth key".into()));
        };
        let plain = key.open(rest).ok_or_else(|| End::Rubbish("a packet does not open".into()))?;
        let envelope = Envelope::parse(&plain).map_err(|fault| End::Rubbish(fault.to_string()))?;
        self.contest(id, envelope.session).await;
        let now = Instant::now();
        let received = self.shared.switchboard().receive(self.id, id, &envelope, &mut self.entropy, now);
        let effects = received.map_err(|fault| End::Rubbish(fault.to_string()))?;
        self.start_by = None;
        for effect in effects {
            match effect {
                Effect::Send(sealable) => self.send(&sealable),
                Effect::DisconnectIn(delay) => self.ping_by = Some(now + delay),
                Effect::Forget => self.shared.forget(id),
                Effect::Call { request_id, body } => self.call(id, envelope.session, request_id, &body)?,
            }
            if self.stalled {
                break;
            }
        }
        Ok(())
    }

    /// Waits out a former connection that is only just closing; kills the key if it is not.
    async fn contest(&self, auth_key: AuthKeyId, session: SessionId) {
        let deadline = Instant::now() + Duration::from_millis(CONTEST_MILLIS);
        while self.shared.switchboard().contested(self.id, auth_key, session) {
            if Instant::now() >= deadline {
                return self.shared.kill_duplicated(self.id, auth_key, session);
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn call(&mut self, auth_key: AuthKeyId, session: SessionId, request_id: i64, body: &[u8]) -> Result<(), End> {
        let answer = self.shared.call(self.id, self.dc, auth_key, session, body);
        let delayed = |delay: Duration, answer: Answer| {
            let at = Instant::now() + delay;
            Delayed { at, give_up: at + Duration::from_secs(ANSWER_SECS_MAX), auth_key, session, request_id, answer }
        };
        match answer.wire {
            WireFault::None if answer.later.is_some() => {
                self.acknowledge(auth_key, session, request_id);
                self.delayed.push(delayed(Duration::ZERO, answer));
            }
            WireFault::None | WireFault::InternalAfter => self.answer(auth_key, session, request_id, &answer),
            WireFault::Delay(delay) => {
                self.acknowledge(auth_key, session, request_id);
                self.delayed.push(delayed(delay, answer));
            }
            WireFault::CutBefore | WireFault::CutAfter => {
                self.unanswered_audits.extend(answer.audit);
                return Err(End::Asked);
            }
            WireFault::Stall | WireFault::StallBefore => {
                self.unanswered_audits.extend(answer.audit);
                self.stalled = true;
            }
            WireFault::TransportError(code) => {
                self.unanswered_audits.extend(answer.audit);
                self.transport.frame_error(code.saturating_abs(), &mut self.out);
                return Err(End::Asked);
            }
        }
        Ok(())
    }

    fn answer(&mut self, auth_key: AuthKeyId, session: SessionId, request_id: i64, answer: &Answer) {
        let now = Instant::now();
        let stamped = self.shared.switchboard().stamp_answer(auth_key, session, request_id, &answer.body, now);
        stamped.iter().for_each(|sealable| self.send(sealable));
        self.open_audits.extend(answer.audit);
    }

    /// Says that a call has come, where its answer takes time.
    fn acknowledge(&mut self, auth_key: AuthKeyId, session: SessionId, request_id: i64) {
        let body = enums::MsgsAck::Ack(types::MsgsAck { msg_ids: vec![request_id] }).to_bytes();
        let (kind, now) = (Kind::Answer { content: false }, Instant::now());
        let stamped = self.shared.switchboard().stamp(auth_key, session, body.into(), kind, None, now);
        stamped.iter().for_each(|sealable| self.send(sealable));
    }
}

impl Drop for Connection {
    /// However it ends: nobody pushes to it any more, and no call of it stays in flight.
    fn drop(&mut self) {
        self.shared.switchboard().disconnect(self.id);
        let delayed = self.delayed.iter().filter_map(|delayed| delayed.answer.audit);
        let audits: Vec<u64> =
            delayed.chain(self.open_audits.drain(..)).chain(self.unanswered_audits.drain(..)).collect();
        if !audits.is_empty() {
            self.shared.end_audits(&audits);
        }
    }
}
