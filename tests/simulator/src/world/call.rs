//! What surrounds every call, whichever front it comes from: audit entry, faults, account state, scripts, flood model.
//!
//! Order: the entry is opened; a fault that loses the request ends it; then the account's state, scripted answers, the
//! flood model, the rules, and last what a fault does to the reply. Calls that send do their flood check themselves
//! (`World::charge_send`), because it may come before or after the check of random ids.

use super::audit::{Entry, Outcome};
use super::faults::{ReplyShape, WireCommand};
use super::floods::{Class, Refusal};
use super::user::AccountState;
use super::{AuthKeyId, ChatId, Rpc, RpcError, SessionId, UserId, WireFault, World};
use crate::time::SimTime;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub user: UserId,
    pub auth_key: AuthKeyId,
    pub session: SessionId,
}

/// What the audit notes about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    pub method: &'static str,
    pub target: Option<ChatId>,
    pub source: Option<ChatId>,
    pub count: u32,
}

/// What a call in progress carries along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket {
    /// Ids that a fault leaves out.
    pub missing: u32,
    /// To be noted in the audit.
    pub applied: u32,
    pub repeat: bool,
    pub(crate) wait_until: Option<SimTime>,
}

/// How a call ended.
#[derive(Debug)]
pub struct Done<T> {
    pub result: Rpc<T>,
    pub wire: WireFault,
    pub shape: ReplyShape,
    pub audit: u64,
}

impl<T> Done<T> {
    /// The same end of a call with another result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Done<U> {
        Done { result: self.result.map(change), wire: self.wire, shape: self.shape, audit: self.audit }
    }
}

impl Actor {
    /// An account without a connection: scenarios and in-process callers.
    #[must_use]
    pub fn of(user: UserId) -> Actor {
        Actor { user, auth_key: AuthKeyId(0), session: SessionId(0) }
    }
}

impl About {
    /// A method without peers.
    #[must_use]
    pub fn of(method: &'static str) -> About {
        About { method, target: None, source: None, count: 0 }
    }

    /// The same about a chat.
    #[must_use]
    pub fn to(self, target: Option<ChatId>) -> About {
        About { target, ..self }
    }

    /// The same out of a chat.
    #[must_use]
    pub fn from(self, source: Option<ChatId>) -> About {
        About { source, ..self }
    }

    /// The same with so many ids.
    #[must_use]
    pub fn count(self, count: usize) -> About {
        About { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }
}

/// The flood class of a method.
#[must_use]
pub fn class_of(method: &str) -> Class {
    match method {
        "messages.forwardMessages"
        | "messages.sendMessage"
        | "messages.sendMedia"
        | "messages.sendMultiMedia"
        | "messages.editMessage" => Class::Write,
        "messages.getHistory"
        | "messages.search"
        | "messages.getMessages"
        | "channels.getMessages"
        | "messages.getSearchCounters"
        | "messages.getDialogs"
        | "messages.getReplies" => Class::Read,
        "contacts.resolveUsername"
        | "contacts.resolvePhone"
        | "messages.checkChatInvite"
        | "messages.importChatInvite"
        | "channels.joinChannel" => Class::Resolve,
        _ => Class::Other,
    }
}

impl World {
    /// Runs one call of an account with everything around it.
    pub fn call<T>(
        &mut self,
        actor: &Actor,
        about: About,
        act: impl FnOnce(&mut World, &mut Ticket) -> Rpc<T>,
    ) -> Done<T> {
        let now = self.now();
        let class = class_of(about.method);
        let audit = self.open_audit(Some(actor.user), actor.auth_key, actor.session, about);
        let plan = self.faults.plan(Some(actor.user), about.method, &mut self.rng);
        if plan.rotate_salts {
            self.wire_commands.push(WireCommand::RotateSalts);
        }
        if let Some(millis) = plan.skew_millis {
            self.wire_commands.push(WireCommand::ClockSkew { millis });
        }
        let mut ticket = Ticket { missing: plan.missing, ..Ticket::default() };
        let mut result = if plan.wire.is_before() {
            Err(RpcError::new(500, "REQUEST_LOST"))
        } else {
            self.gate(actor.user, about.method, class, now, &mut ticket).and_then(|()| act(self, &mut ticket))
        };
        // A refusal is told as it is: the 500 comes only after a call that was carried out.
        let lost = plan.wire.lost().filter(|_| plan.wire != WireFault::InternalAfter || result.is_ok());
        let outcome = match (lost, &result) {
            (Some(fault), done) => Outcome::Lost { fault, applied: done.is_ok() },
            (None, Err(error)) => Outcome::Refused(error.message.clone().into_boxed_str()),
            (None, Ok(_)) if ticket.applied > 0 && ticket.applied < about.count => Outcome::Partial,
            (None, Ok(_)) => Outcome::Ok,
        };
        if let Some(entry) = self.audit.entry_mut(audit) {
            entry.outcome = outcome;
            entry.applied = ticket.applied;
            entry.repeat = ticket.repeat;
            entry.wait_until = ticket.wait_until;
        }
        if plan.wire == WireFault::InternalAfter && result.is_ok() {
            result = Err(RpcError::new(500, "INTERNAL_SERVER_ERROR"));
        }
        Done { result, wire: plan.wire, shape: plan.shape, audit }
    }

    /// Notes a call in the audit, still open. Calls outside of [`World::call`] (login) set the outcome themselves.
    pub fn open_audit(
        &mut self,
        account: Option<UserId>,
        auth_key: AuthKeyId,
        session: SessionId,
        about: About,
    ) -> u64 {
        let now = self.now();
        let class = class_of(about.method);
        let until = account.and_then(|account| self.floods.wait_until(account, class, now));
        self.audit.open(Entry {
            seq: 0,
            at: now,
            account,
            auth_key,
            session,
            method: about.method,
            target: about.target,
            source: about.source,
            count: about.count,
            applied: 0,
            repeat: false,
            outcome: Outcome::Open,
            during_wait: until.map(|until| until.since(now)),
            wait_until: None,
            ended: None,
        })
    }

    /// Sets how a call that [`World::open_audit`] opened ended.
    pub fn audit_outcome<T>(&mut self, seq: u64, result: &Rpc<T>) {
        if let Some(entry) = self.audit.entry_mut(seq) {
            entry.outcome = match result {
                Ok(_) => Outcome::Ok,
                Err(error) => Outcome::Refused(error.message.clone().into_boxed_str()),
            };
        }
    }

    /// The caller had still so many milliseconds to wait when a call of logging in came.
    pub(crate) fn audit_wait(&mut self, seq: u64, left_millis: Option<i64>) {
        if let Some(entry) = self.audit.entry_mut(seq) {
            entry.during_wait = entry.during_wait.or(left_millis);
        }
    }

    /// The reply was written, or its connection died.
    pub fn audit_end(&mut self, seq: u64, now: SimTime) {
        self.audit.end(seq, now);
    }

    /// The flood check of calls that send.
    ///
    /// # Errors
    /// `FLOOD_WAIT_X`.
    pub(crate) fn charge_send(&mut self, user: UserId, count: usize, ticket: &mut Ticket) -> Rpc<()> {
        let now = self.now();
        if let Some(refusal) = self.floods.early(user, Class::Write, now) {
            return Err(self.refused(user, refusal, ticket));
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let charged = self.floods.charge_messages(user, count, now, &mut self.rng);
        charged.map_err(|refusal| self.refused(user, refusal, ticket))
    }

    fn gate(&mut self, user: UserId, method: &str, class: Class, now: SimTime, ticket: &mut Ticket) -> Rpc<()> {
        let state = self.users.get(&user).ok_or_else(RpcError::unregistered)?.state;
        match state {
            AccountState::Banned => return Err(RpcError::new(401, "USER_DEACTIVATED_BAN")),
            AccountState::Revoked => return Err(RpcError::new(401, "SESSION_REVOKED")),
            AccountState::Unregistered => return Err(RpcError::unregistered()),
            AccountState::KeyDuplicated => return Err(RpcError::key_duplicated()),
            AccountState::Frozen if class == Class::Write => return Err(RpcError::new(420, "FROZEN_METHOD_INVALID")),
            AccountState::PeerFlood if class == Class::Write => return Err(RpcError::bad("PEER_FLOOD")),
            AccountState::Active | AccountState::Frozen | AccountState::PeerFlood => {}
        }
        if let Some(refusal) = self.floods.scripted(user, method, class, now) {
            return Err(self.refused(user, refusal, ticket));
        }
        if class != Class::Write
            && let Some(refusal) = self.floods.early(user, class, now)
        {
            return Err(self.refused(user, refusal, ticket));
        }
        let charged = self.floods.charge_call(user, class, now, &mut self.rng);
        charged.map_err(|refusal| self.refused(user, refusal, ticket))
    }

    fn refused(&mut self, user: UserId, refusal: Refusal, ticket: &mut Ticket) -> RpcError {
        ticket.wait_until = refusal.wait_until;
        if refusal.ban
            && let Some(user) = self.users.get_mut(&user)
        {
            user.state = AccountState::Banned;
        }
        refusal.error
    }
}
