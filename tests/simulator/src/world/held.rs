//! Forwards that the server has accepted and carries out later.
//!
//! The account's state and the flood model are asked when the call arrives, the rules of both chats when it is carried
//! out. In between its random ids are in flight: whoever repeats them is answered `RANDOM_ID_DUPLICATE`.

use super::audit::Outcome;
use super::call::{About, Actor, Done, Ticket};
use super::faults::{ReplyShape, WireFault};
use super::forward::{ForwardRequest, Forwarded};
use super::{Rpc, RpcError, World};

/// A forward on its way through the server.
#[derive(Debug)]
pub struct Held {
    actor: Actor,
    request: ForwardRequest,
    ticket: Ticket,
    audit: u64,
}

impl World {
    /// Accepts a forward. Its audit entry stays open until [`World::carry_out`].
    ///
    /// # Errors
    /// The call's end, if it was refused at once or answered as a repeat.
    pub fn accept_forward(&mut self, actor: &Actor, request: ForwardRequest) -> Result<Held, Box<Done<Forwarded>>> {
        if self.is_repeat(actor.user, &request) {
            return Err(Box::new(self.call_forward(actor, &request)));
        }
        let about = About::of("messages.forwardMessages").to(Some(request.to)).from(Some(request.from));
        let mut admitted = Ticket::default();
        let done = self.call(actor, about.count(request.ids.len()), |world, ticket| {
            let earlier = world.admit_forward(actor.user, &request, ticket)?;
            admitted = *ticket;
            Ok(earlier.unwrap_or_default())
        });
        if done.result.is_err() {
            let now = self.now();
            self.audit_end(done.audit, now);
            return Err(Box::new(done));
        }
        if let Some(entry) = self.audit.entry_mut(done.audit) {
            entry.outcome = Outcome::Open;
        }
        let ids = request.random_ids.iter().map(|id| (actor.user, request.to, *id));
        self.in_flight.extend(ids);
        Ok(Held { actor: *actor, request, ticket: admitted, audit: done.audit })
    }

    /// Carries out what was accepted; nobody hears of it, so the audit calls it lost.
    pub fn carry_out(&mut self, held: Held) -> Done<Forwarded> {
        let Held { actor, request, mut ticket, audit } = held;
        for id in &request.random_ids {
            self.in_flight.remove(&(actor.user, request.to, *id));
        }
        let result: Rpc<Forwarded> = match self.users.contains_key(&actor.user) {
            true => self.apply_forward(&actor, &request, &mut ticket),
            false => Err(RpcError::unregistered()),
        };
        let now = self.now();
        if let Some(entry) = self.audit.entry_mut(audit) {
            entry.outcome = Outcome::Lost { fault: "applied_late", applied: result.is_ok() };
            entry.applied = ticket.applied;
        }
        self.audit_end(audit, now);
        Done { result, wire: WireFault::CutAfter, shape: ReplyShape::Normal, audit }
    }
}

impl Held {
    /// Its audit entry.
    #[must_use]
    pub fn audit(&self) -> u64 {
        self.audit
    }
}
