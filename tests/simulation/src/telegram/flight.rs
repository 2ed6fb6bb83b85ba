//! A request on its way, at the server, and its reply on the way back. Whoever asked may be long gone.

use std::sync::Arc;
use std::time::Duration;

use simulator::world::audit::{Entry, Outcome};
use simulator::world::forward::{ForwardRequest, Forwarded};
use simulator::world::{Actor, ChatId, Done, ReplyShape, RpcError, WireFault, World};
use tokio::sync::oneshot;
use tokio::time::sleep;
use transfer::refusal::{Meaning, Refusal};

use super::line::Line;
use super::strike::Strike;
use super::{Front, ONE_WAY};
use crate::fault::Fault;

/// What reaches the process.
#[derive(Debug)]
pub(super) enum Reply<T> {
    /// An answer.
    Answer {
        result: Result<T, RpcError>,
        /// Its shape is one that can be used.
        usable: bool,
        /// Its entry in the audit; a call that names a peer by a wrong hash has none.
        audit: Option<u64>,
    },
    /// Nothing, ever.
    Silence,
}

/// By which hashes a call names its peers.
pub(super) type Access = Vec<(ChatId, i64)>;

/// A call that changes nothing.
pub(super) async fn read<T: Send>(
    line: Arc<Line>,
    method: &'static str,
    access: Access,
    act: impl FnOnce(&mut World, &Actor) -> Done<T> + Send,
    reply: oneshot::Sender<Reply<T>>,
) {
    sleep(ONE_WAY).await;
    if !line.is_open() {
        return;
    }
    let front = &line.front;
    let decided = {
        let mut world = front.world();
        check(&world, &line.actor, &access).map(|()| {
            Strike::on_read(&front.faults, &mut world, line.actor.user, method);
            act(&mut world, &line.actor)
        })
    };
    if let Ok(done) = &decided {
        front.tell(|| read_story(front, done.audit));
    }
    back(&line, decided, reply).await;
}

/// `messages.forwardMessages`.
pub(super) async fn forward(
    line: Arc<Line>,
    access: Access,
    request: ForwardRequest,
    reply: oneshot::Sender<Reply<Forwarded>>,
) {
    sleep(ONE_WAY).await;
    if !line.is_open() {
        return;
    }
    let (front, actor) = (&line.front, line.actor);
    let checked = check(&front.world(), &actor, &access);
    if let Err(error) = checked {
        back(&line, Err(error), reply).await;
        return;
    }
    front.witness.forwarding(&front.process, actor.user, &request);
    let (strike, in_flight) = {
        let mut world = front.world();
        let strike = Strike::on_forward(&front.faults, &mut world, actor.user, &request);
        (strike, world.is_in_flight(actor.user, &request))
    };
    match strike {
        Strike::Late(by) => late(&line, request, by, reply).await,
        Strike::None => {
            let done = front.world().call_forward(&actor, &request);
            if in_flight && done.result.as_ref().is_err_and(|error| error.message == "RANDOM_ID_DUPLICATE") {
                front.faults.struck(Fault::DuplicateInFlight);
            }
            if front.faults.has(Fault::BadMessage) && done.result.as_ref().is_err_and(is_about_a_message) {
                front.faults.struck(Fault::BadMessage);
            }
            front.tell(|| story(front, &request, done.audit));
            back(&line, Ok(done), reply).await;
        }
    }
}

/// Whether one of the messages is the cause.
fn is_about_a_message(error: &RpcError) -> bool {
    let meaning = Refusal::parse(error.code, &error.message).meaning();
    matches!(meaning, Meaning::BadMessage | Meaning::KindForbidden)
}

/// The server has the call, the connection is lost, and the call is carried out later.
async fn late(line: &Arc<Line>, request: ForwardRequest, by: Duration, reply: oneshot::Sender<Reply<Forwarded>>) {
    let front = &line.front;
    let user = line.actor.user;
    let range = ids(&request);
    let accepted = front.world().accept_forward(&line.actor, request);
    drop(reply);
    line.cut();
    let held = match accepted {
        Ok(held) => held,
        Err(done) => {
            front.tell(|| format!("account {user} forwards {range}: refused, and cut before it heard of it"));
            tell_witness(front, done.audit);
            return;
        }
    };
    front.tell(|| format!("account {user} forwards {range}: cut; it will be applied in {by:.1?}"));
    sleep(by).await;
    let done = front.world().carry_out(held);
    front.tell(|| match &done.result {
        Ok(made) => format!("account {user} forwarded {range}: applied late, {}", made.ids.len()),
        Err(error) => format!("account {user} forwarded {range}: not applied, {}", error.message),
    });
    tell_witness(front, done.audit);
}

fn check(world: &World, actor: &Actor, access: &[(ChatId, i64)]) -> Result<(), RpcError> {
    access.iter().try_for_each(|(chat, hash)| world.check_access(actor.user, *chat, *hash))
}

fn tell_witness(front: &Front, audit: u64) {
    let entry = front.world().audit.entry(audit).cloned();
    if let Some(entry) = entry {
        front.witness.called(&front.process, &entry);
    }
}

/// The way back, with what the wire does to the reply.
async fn back<T>(line: &Line, decided: Result<Done<T>, RpcError>, reply: oneshot::Sender<Reply<T>>) {
    let front = &line.front;
    let answer = match decided {
        Err(error) => Reply::Answer { result: Err(error), usable: true, audit: None },
        Ok(done) => {
            tell_witness(front, done.audit);
            match done.wire {
                WireFault::None | WireFault::InternalAfter => {}
                WireFault::Delay(by) => sleep(by).await,
                WireFault::CutBefore | WireFault::CutAfter | WireFault::TransportError(_) => {
                    line.cut();
                    return;
                }
                WireFault::Stall | WireFault::StallBefore => {
                    answer(reply, Reply::Silence);
                    return;
                }
            }
            // A refusal is no `Updates`: there is nothing strange it could be.
            let usable = done.shape == ReplyShape::Normal || done.result.is_err();
            Reply::Answer { result: done.result, usable, audit: Some(done.audit) }
        }
    };
    if line.is_open() {
        sleep(ONE_WAY).await;
        self::answer(reply, answer);
    }
}

/// Whoever asked may be gone.
fn answer<T>(reply: oneshot::Sender<Reply<T>>, with: Reply<T>) {
    drop(reply.send(with));
}

fn ids(request: &ForwardRequest) -> String {
    match (request.ids.as_slice(), request.ids.len()) {
        ([], _) => "nothing".into(),
        ([one], _) => format!("{one}"),
        ([first, .., last], count) => format!("{first}..{last} ({count})"),
    }
}

fn story(front: &Front, request: &ForwardRequest, audit: u64) -> String {
    let world = front.world();
    let target = world.chat(request.to).map_or("somebody", |chat| chat.title.as_str());
    let Some(entry) = world.audit.entry(audit) else { return String::new() };
    let user = entry.account.map_or(0, |user| user.0);
    let repeat = if entry.repeat { " again" } else { "" };
    format!("account {user} forwards {} -> {target}{repeat}: {}", ids(request), outcome(entry))
}

fn read_story(front: &Front, audit: u64) -> String {
    let world = front.world();
    let Some(entry) = world.audit.entry(audit) else { return String::new() };
    let user = entry.account.map_or(0, |user| user.0);
    let of = entry.source.and_then(|chat| world.chat(chat)).map_or("", |chat| chat.title.as_str());
    format!("account {user} asks {} {of}: {}", entry.method, entry.outcome_text())
}

fn outcome(entry: &Entry) -> String {
    let words = match &entry.outcome {
        Outcome::Open => "not decided yet".into(),
        Outcome::Ok => format!("ok {}", entry.applied),
        Outcome::Partial => format!("ok {} of {}", entry.applied, entry.count),
        Outcome::Refused(name) => name.to_string(),
        Outcome::Lost { fault, applied: true } => format!("applied {}, then {fault}", entry.applied),
        Outcome::Lost { fault, applied: false } => format!("not applied, {fault}"),
    };
    if entry.during_wait.is_some() { format!("{words}, during a wait") } else { words }
}
