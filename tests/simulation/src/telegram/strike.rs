//! What strikes one call, drawn when it arrives. One thing at a time; where the world knows the fault, it is told to.

use std::time::Duration;

use session_host::telegram::setup::Patience;
use simulator::world::call::class_of;
use simulator::world::faults::{Fault as SimFault, FaultScript};
use simulator::world::floods::{Class, Script};
use simulator::world::forward::ForwardRequest;
use simulator::world::user::AccountState;
use simulator::world::{UserId, World};

use crate::fault::{Fault, Faults};

/// A call that was lost is carried out within this.
const LATE_MILLIS: u64 = 100_000;
/// The same when it is only slow.
const IN_FLIGHT_MILLIS: u64 = 30_000;
/// A reply comes at most this late.
const SLOW_MILLIS: u64 = 50_000;
/// An error that is in no list.
const UNKNOWN_ERROR: &str = "STARS_NOT_ALIGNED";

/// Refusals of a forward that nothing else in a run brings about, or hardly ever.
const ODD: [(i32, &str); 12] = [
    (406, "CHAT_FORWARDS_RESTRICTED"),
    (400, "TOPIC_CLOSED"),
    (403, "ALLOW_PAYMENT_REQUIRED_25"),
    (403, "PREMIUM_ACCOUNT_REQUIRED"),
    (406, "AUTH_KEY_DUPLICATED"),
    (303, "USER_MIGRATE_2"),
    (500, "INTERNAL_SERVER_ERROR"),
    (401, "USER_DEACTIVATED_BAN"),
    (401, "SESSION_REVOKED"),
    (420, "FROZEN_METHOD_INVALID"),
    (403, "CHAT_SEND_POLL_FORBIDDEN"),
    (420, "SLOWMODE_WAIT_7"),
];
/// Most of them end something: a run that goes on shows more.
const ODD_FIRST_MAX: u64 = 2;
/// The same with repeats, which are fewer.
const ODD_MAX: u64 = 6;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strike {
    /// Nothing but what the world's rules and scripts say.
    None,
    /// The connection is lost now, and the call is carried out later.
    Late(Duration),
}

impl Strike {
    /// What strikes a forward that has just arrived; the world is told what it knows to do.
    pub(super) fn on_forward(faults: &Faults, world: &mut World, user: UserId, request: &ForwardRequest) -> Self {
        const METHOD: &str = "messages.forwardMessages";
        let script = |world: &mut World, fault| push(world, user, METHOD, fault);
        let repeat = world.is_repeat(user, request);
        if let Some(fault) = of_any_call(faults) {
            script(world, fault);
        } else if !repeat && faults.strikes(Fault::AppliesLate) {
            return Self::Late(Duration::from_millis(faults.between(1, LATE_MILLIS)));
        } else if !repeat && faults.strikes(Fault::DuplicateInFlight) {
            return Self::Late(Duration::from_millis(faults.between(1, IN_FLIGHT_MILLIS)));
        } else if !repeat && faults.strikes(Fault::PartialResult) {
            let most = (request.ids.len() as u64).min(3);
            let count = u32::try_from(faults.between(1, most)).unwrap_or(1);
            script(world, SimFault::MissingIds { count });
        } else if faults.strikes(Fault::StrangeReply) {
            let unknown = faults.between(0, 1) == 0;
            script(world, if unknown { SimFault::UnknownConstructor } else { SimFault::OtherUpdates });
        } else if may_script(world, user, Class::Write) {
            let flood_applies = !repeat || world.quirks.flood_check_before_duplicates;
            if flood_applies && faults.strikes(Fault::Flood) {
                refuse(world, user, METHOD, 420, format!("FLOOD_WAIT_{}", wait_secs(faults)));
            } else if faults.strikes(Fault::UnknownError) {
                refuse(world, user, METHOD, 400, UNKNOWN_ERROR.into());
            } else if odd_strikes(faults, repeat) {
                let (code, word) = ODD[usize::try_from(faults.between(0, ODD.len() as u64 - 1)).unwrap_or(0)];
                refuse(world, user, METHOD, code, word.into());
            }
        }
        Self::None
    }

    /// What strikes any other call.
    pub(super) fn on_read(faults: &Faults, world: &mut World, user: UserId, method: &'static str) {
        if let Some(fault) = of_any_call(faults) {
            push(world, user, method, fault);
        } else if may_script(world, user, class_of(method)) && faults.strikes(Fault::ReadFlood) {
            refuse(world, user, method, 420, format!("FLOOD_WAIT_{}", wait_secs(faults)));
        }
    }
}

/// One First in six, three repeats in four: something has to be left for repeats, which are fewer.
fn odd_strikes(faults: &Faults, repeat: bool) -> bool {
    if !faults.has(Fault::OddRefusal) || !faults.is_on() {
        return false;
    }
    let so_far = faults.tally().get(&Fault::OddRefusal).copied().unwrap_or(0);
    let strikes = if repeat {
        so_far < ODD_MAX && faults.between(0, 3) > 0
    } else {
        so_far < ODD_FIRST_MAX && faults.between(0, 5) == 0
    };
    if strikes {
        faults.struck(Fault::OddRefusal);
    }
    strikes
}

/// How long the process waits for an answer to this method.
pub(super) fn patience(of: Patience, method: &str) -> Duration {
    if class_of(method) == Class::Write { of.write } else { of.read }
}

fn of_any_call(faults: &Faults) -> Option<SimFault> {
    let plain = [
        (Fault::CutBefore, SimFault::CutBefore),
        (Fault::CutAfter, SimFault::CutAfter),
        (Fault::Stall, SimFault::Stall),
        (Fault::StallBefore, SimFault::StallBefore),
        (Fault::InternalAfter, SimFault::InternalAfter),
    ];
    let struck = plain.into_iter().find(|(fault, _)| faults.strikes(*fault)).map(|(_, fault)| fault);
    struck.or_else(|| {
        let slow = faults.strikes(Fault::SlowReply);
        slow.then(|| SimFault::Delay { millis: faults.between(1, SLOW_MILLIS) })
    })
}

fn push(world: &mut World, user: UserId, method: &str, fault: SimFault) {
    let (account, method) = (Some(user), Some(method.to_owned()));
    world.faults.scripts.push(FaultScript { account, method, times: 1, after: 0, fault });
}

fn refuse(world: &mut World, user: UserId, method: &str, code: i32, message: String) {
    let (account, method) = (Some(user), Some(method.to_owned()));
    world.floods.script(Script { account, method, times: 1, after: 0, code, message });
}

/// Whether a scripted refusal would be this call's answer: not when the account is refused anyway, or has to wait.
fn may_script(world: &World, user: UserId, class: Class) -> bool {
    let state = world.users.get(&user).map(|user| user.state);
    let reaches = match state {
        Some(AccountState::Active) => true,
        Some(AccountState::Frozen | AccountState::PeerFlood) => class != Class::Write,
        _ => false,
    };
    reaches && world.floods.wait_until(user, class, world.now()).is_none()
}

/// Mostly under a minute, sometimes up to a quarter of an hour.
fn wait_secs(faults: &Faults) -> u64 {
    if faults.between(0, 4) > 0 { faults.between(1, 60) } else { faults.between(60, 900) }
}
