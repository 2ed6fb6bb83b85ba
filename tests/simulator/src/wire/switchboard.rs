//! What outlives a connection: keys with their salts and sessions, and which connection speaks for which session.
//!
//! Synchronous, behind one lock that is held for moments only (never while sealing or opening). Where both locks are
//! needed, the world's is taken first.

use super::crypto::{AuthKey, Entropy};
use super::message::{Envelope, Request, rpc_result};
use super::session::{Form, Kind, Outgoing, Session};
use super::turn::Turn;
use crate::time::Clock;
use crate::world::{AuthKeyId, RpcError, SessionId};
use grammers_tl_types::{Serializable, enums, types};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// A TCP connection, numbered from 1 in the order of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How the session layer behaves where servers may differ.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Two sessions of one key that speak on two open connections kill the key.
    pub auth_key_duplicated: bool,
    /// How long a rotated salt is still taken; zero: not at all.
    pub old_salt_grace: Duration,
    /// A content message that was not acknowledged for so long is sent again.
    pub resend_after: Duration,
    /// Answers of at least so many bytes are packed.
    pub gzip_len_min: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            auth_key_duplicated: false,
            old_salt_grace: Duration::ZERO,
            // Telethon acknowledges with its next request or its ping, which comes every 60 s.
            resend_after: Duration::from_secs(75),
            gzip_len_min: usize::MAX,
        }
    }
}

/// What others want of a connection.
#[derive(Debug)]
pub enum Notice {
    Push { auth_key: AuthKeyId, session: SessionId, body: Arc<[u8]> },
    Close,
}

/// A message with all it takes to seal it.
#[derive(Clone)]
pub struct Sealable {
    key: Arc<AuthKey>,
    salt: i64,
    session: SessionId,
    message: Outgoing,
}

impl Sealable {
    pub fn seal(&self, entropy: &mut Entropy) -> Vec<u8> {
        let Outgoing { id, seq_no, body } = &self.message;
        let len = u32::try_from(body.len()).expect("answers are shorter than 4 GB");
        let mut header = [0; 32];
        header[..8].copy_from_slice(&self.salt.to_le_bytes());
        header[8..16].copy_from_slice(&self.session.0.to_le_bytes());
        header[16..24].copy_from_slice(&id.to_le_bytes());
        header[24..28].copy_from_slice(&seq_no.to_le_bytes());
        header[28..].copy_from_slice(&len.to_le_bytes());
        self.key.seal(&[&header, body], entropy)
    }
}

/// What a packet leads to, in order.
pub enum Effect {
    Send(Sealable),
    Call {
        request_id: i64,
        body: Vec<u8>,
    },
    /// Close the connection unless the same is asked again before.
    DisconnectIn(Duration),
    /// The key was destroyed by its owner.
    Forget,
}

/// A listening session, for pushes.
pub struct Listener {
    pub auth_key: AuthKeyId,
    pub session: SessionId,
    pub layer: i32,
    line: UnboundedSender<Notice>,
}

impl Listener {
    /// Hands the connection a push. If it is closing, the push is lost, as it would be in reality.
    pub fn push(&self, body: Arc<[u8]>) {
        drop(self.line.send(Notice::Push { auth_key: self.auth_key, session: self.session, body }));
    }
}

pub(super) struct KeyEntry {
    key: Arc<AuthKey>,
    dc: i32,
    pub(super) salt: i64,
    previous_salt: Option<(i64, Instant)>,
    layer: i32,
    pub(super) sessions: HashMap<SessionId, SessionEntry>,
    /// Killed by duplicate use: open connections hear so, new ones do not find the key.
    duplicated: bool,
}

#[derive(Default)]
pub(super) struct SessionEntry {
    pub(super) state: Session,
    line: Option<ConnectionId>,
    /// `new_session_created` was said.
    announced: bool,
}

struct Line {
    sender: UnboundedSender<Notice>,
    /// The last key and session that spoke on it.
    identity: Option<(AuthKeyId, SessionId)>,
}

/// See the module.
#[derive(Default)]
pub struct Switchboard {
    pub settings: Settings,
    /// How far the session layer's clock is ahead of the machine's.
    pub skew_millis: i64,
    keys: HashMap<AuthKeyId, KeyEntry>,
    lines: BTreeMap<ConnectionId, Line>,
}

impl Switchboard {
    pub fn new(settings: Settings) -> Switchboard {
        Switchboard { settings, ..Switchboard::default() }
    }

    fn now_millis(&self) -> i64 {
        Clock::Real { skew_millis: self.skew_millis }.now().0
    }

    /// Unix time of the session layer.
    pub fn now_secs(&self) -> i32 {
        i32::try_from(self.now_millis() / 1000).unwrap_or(i32::MAX)
    }

    /// The same as message ids have it: seconds in the upper half, their fraction below.
    fn now_id(&self) -> i64 {
        let millis = self.now_millis();
        ((millis / 1000) << 32) | (((millis % 1000) << 32) / 1000)
    }

    pub fn add_key(&mut self, key: AuthKey, dc: i32, salt: i64) {
        let entry = KeyEntry {
            dc,
            salt,
            previous_salt: None,
            layer: 0,
            sessions: HashMap::new(),
            duplicated: false,
            key: Arc::new(key),
        };
        self.keys.insert(entry.key.id, entry);
    }

    pub fn forget_key(&mut self, id: AuthKeyId) {
        self.keys.remove(&id);
    }

    pub fn forget_all_keys(&mut self) {
        self.keys.clear();
    }

    /// The key of this id, if the DC and connection may use it.
    pub fn key(&self, id: AuthKeyId, dc: i32, connection: ConnectionId) -> Option<Arc<AuthKey>> {
        let entry = self.keys.get(&id).filter(|entry| entry.dc == dc)?;
        let known_here = self.lines.get(&connection).and_then(|line| line.identity).is_some_and(|(key, _)| key == id);
        (!entry.duplicated || known_here).then(|| entry.key.clone())
    }

    /// New salts for every key; the old ones are taken for as long as the settings say.
    pub fn rotate_salts(&mut self, entropy: &mut Entropy, now: Instant) {
        let until = now + self.settings.old_salt_grace;
        for entry in self.keys.values_mut() {
            entry.previous_salt = Some((std::mem::replace(&mut entry.salt, entropy.int64()), until));
        }
    }

    pub fn connect(&mut self, id: ConnectionId, sender: UnboundedSender<Notice>) {
        self.lines.insert(id, Line { sender, identity: None });
    }

    pub fn disconnect(&mut self, id: ConnectionId) {
        self.lines.remove(&id);
    }

    /// Closes the connections of a key, or all.
    pub fn kick(&self, auth_key: Option<AuthKeyId>) {
        for line in self.lines.values() {
            if auth_key.is_none() || line.identity.map(|(key, _)| key) == auth_key {
                drop(line.sender.send(Notice::Close));
            }
        }
    }

    /// Does another session of this key speak on another open connection?
    pub fn contested(&self, connection: ConnectionId, auth_key: AuthKeyId, session: SessionId) -> bool {
        self.settings.auth_key_duplicated
            && self.keys.get(&auth_key).is_some_and(|entry| !entry.duplicated)
            && self.lines.iter().any(|(id, line)| {
                *id != connection && line.identity.is_some_and(|(key, other)| key == auth_key && other != session)
            })
    }

    /// Kills a key for good: whoever calls with it hears `AUTH_KEY_DUPLICATED`, new connections do not find it.
    pub fn kill_duplicated(&mut self, connection: ConnectionId, auth_key: AuthKeyId, session: SessionId) {
        if let Some(entry) = self.keys.get_mut(&auth_key) {
            entry.duplicated = true;
        }
        if let Some(line) = self.lines.get_mut(&connection) {
            line.identity = Some((auth_key, session));
        }
    }

    pub fn is_duplicated(&self, auth_key: AuthKeyId) -> bool {
        self.keys.get(&auth_key).is_some_and(|entry| entry.duplicated)
    }

    /// Takes note of what wrappers said; gives the layer to answer in.
    pub fn remember(
        &mut self,
        auth_key: AuthKeyId,
        session: SessionId,
        layer: Option<i32>,
        without_updates: bool,
    ) -> i32 {
        let Some(entry) = self.keys.get_mut(&auth_key) else { return layer.unwrap_or_default() };
        if let Some(session) = entry.sessions.get_mut(&session) {
            session.state.without_updates |= without_updates;
        }
        entry.layer = layer.unwrap_or(entry.layer);
        entry.layer
    }

    /// The sessions of these keys that are connected and want updates.
    pub fn listeners(&self, keys: &[AuthKeyId], except: Option<(AuthKeyId, SessionId)>) -> Vec<Listener> {
        let mut listeners = Vec::new();
        for (auth_key, entry) in keys.iter().filter_map(|key| self.keys.get_key_value(key)) {
            for (session, SessionEntry { state, line, .. }) in &entry.sessions {
                let Some(line) = line.and_then(|id| self.lines.get(&id)) else { continue };
                let identity = (*auth_key, *session);
                if line.identity == Some(identity) && except != Some(identity) && !state.without_updates {
                    let line = line.sender.clone();
                    listeners.push(Listener { auth_key: *auth_key, session: *session, layer: entry.layer, line });
                }
            }
        }
        listeners
    }

    /// Gives a body its place in a session. `None` if the key or session is gone.
    pub fn stamp(
        &mut self,
        auth_key: AuthKeyId,
        session: SessionId,
        body: Arc<[u8]>,
        kind: Kind,
        answers: Option<i64>,
        now: Instant,
    ) -> Option<Sealable> {
        let clock = self.now_id();
        let entry = self.keys.get_mut(&auth_key)?;
        let message = entry.sessions.get_mut(&session)?.state.send(body, kind, answers, clock, now);
        Some(entry.sealable(session, message))
    }

    /// An answer to a call, result or error.
    pub fn stamp_answer(
        &mut self,
        auth_key: AuthKeyId,
        session: SessionId,
        request_id: i64,
        answer: &Result<Vec<u8>, RpcError>,
        now: Instant,
    ) -> Option<Sealable> {
        let body = match answer {
            Ok(body) => rpc_result(request_id, body, self.settings.gzip_len_min),
            Err(error) => rpc_result(request_id, &rpc_error(error), usize::MAX),
        };
        let kind = Kind::Answer { content: true };
        self.stamp(auth_key, session, body.into(), kind, Some(request_id), now)
    }

    /// What waits too long for its acknowledgement on this connection.
    pub fn overdue(&mut self, connection: ConnectionId, now: Instant) -> Vec<Sealable> {
        let Some((auth_key, session)) = self.lines.get(&connection).and_then(|line| line.identity) else {
            return Vec::new();
        };
        let Some(before) = now.checked_sub(self.settings.resend_after) else { return Vec::new() };
        self.keys.get_mut(&auth_key).map(|entry| entry.overdue(session, before, now)).unwrap_or_default()
    }

    /// Takes one packet of a client.
    pub fn receive(
        &mut self,
        connection: ConnectionId,
        auth_key: AuthKeyId,
        envelope: &Envelope<'_>,
        entropy: &mut Entropy,
        now: Instant,
    ) -> Result<Vec<Effect>, super::message::Malformed> {
        let (session, message) = (envelope.session, envelope.message);
        let (now_secs, clock) = (self.now_secs(), self.now_id());
        let Some(entry) = self.keys.get_mut(&auth_key) else { return Ok(Vec::new()) };
        let contents = message.contents()?;
        let single = if contents.is_none() { Some(Request::parse(message.body)?) } else { None };
        let form = single.as_ref().map_or(Form::Container, Form::of);

        let former = entry.sessions.entry(session).or_default().line.replace(connection);
        let mut turn = Turn { entry, session, clock, now, now_secs, effects: Vec::new() };
        if !turn.entry.takes_salt(envelope.salt, now) {
            turn.bad_salt(&message);
        } else {
            let announced = &mut turn.entry.sessions.entry(session).or_default().announced;
            if !std::mem::replace(announced, true) {
                turn.new_session(&message, entropy.int64());
            } else if former.is_some_and(|former| former != connection && !self.lines.contains_key(&former)) {
                let unheard = turn.entry.overdue(session, now, now);
                turn.effects.extend(unheard.into_iter().map(Effect::Send));
            }
            let admission = turn.state().admit(&message, &form, i64::from(now_secs));
            if turn.admitted(admission, &message) {
                if let Some(request) = single {
                    turn.request(&message, request)?;
                }
                for inner in contents.unwrap_or_default() {
                    let request = Request::parse(inner.body)?;
                    let admission = turn.state().admit_inner(&inner, &Form::of(&request));
                    if turn.admitted(admission, &inner) {
                        turn.request(&inner, request)?;
                    }
                }
            }
        }
        let effects = turn.effects;
        if let Some(line) = self.lines.get_mut(&connection) {
            line.identity = Some((auth_key, session));
        }
        Ok(effects)
    }
}

impl KeyEntry {
    fn takes_salt(&self, salt: i64, now: Instant) -> bool {
        salt == self.salt || self.previous_salt.is_some_and(|(previous, until)| salt == previous && now < until)
    }

    pub(super) fn sealable(&self, session: SessionId, message: Outgoing) -> Sealable {
        Sealable { key: self.key.clone(), salt: self.salt, session, message }
    }

    fn overdue(&mut self, session: SessionId, before: Instant, now: Instant) -> Vec<Sealable> {
        let overdue = self.sessions.get_mut(&session).map(|entry| entry.state.overdue(before, now));
        overdue.unwrap_or_default().into_iter().map(|message| self.sealable(session, message)).collect()
    }
}

fn rpc_error(error: &RpcError) -> Vec<u8> {
    let (error_code, error_message) = (error.code, error.message.clone());
    enums::RpcError::Error(types::RpcError { error_code, error_message }).to_bytes()
}
