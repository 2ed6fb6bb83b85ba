//! What goes wrong on purpose: for the next calls that match, or at a rate drawn from the seed.

use super::seed::draw;
use super::{AuthKeyId, UserId};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the wire does to a call, apart from its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WireFault {
    #[default]
    None,
    /// Not applied; the connection is closed without a reply.
    CutBefore,
    /// Applied; the connection is closed without a reply.
    CutAfter,
    /// Applied; the reply comes this much later.
    Delay(Duration),
    /// Applied, never answered; the connection stays open and silent.
    Stall,
    /// Not applied, never answered.
    StallBefore,
    /// Not applied; a transport error such as -404 or -429.
    TransportError(i32),
    /// Applied, and answered with a 500 (`Answer::body` holds it).
    InternalAfter,
}

/// What the reply itself looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyShape {
    #[default]
    Normal,
    /// `Updates` with a constructor in it that nobody knows.
    UnknownConstructor,
    /// Another kind of `Updates`, which says nothing about the ids.
    OtherUpdates,
}

/// What the world or the control API asks of the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WireCommand {
    /// New salts for every key; old ones get `bad_server_salt`.
    RotateSalts,
    /// Message ids and dates of the session layer run this many milliseconds ahead.
    ClockSkew { millis: i64 },
    /// Close the connections of this key (all connections when `None`).
    Kick { auth_key: Option<AuthKeyId> },
}

/// One thing that can go wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    CutBefore,
    CutAfter,
    Delay {
        millis: u64,
    },
    Stall,
    StallBefore,
    TransportError {
        code: i32,
    },
    InternalAfter,
    /// So many ids of a forward are left out, and get no `updateMessageID`.
    MissingIds {
        count: u32,
    },
    UnknownConstructor,
    OtherUpdates,
    RotateSalts,
    ClockSkew {
        millis: i64,
    },
}

/// "The next `times` calls that match go wrong like this."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultScript {
    /// Everybody when left out.
    #[serde(default)]
    pub account: Option<UserId>,
    /// As in the schema; every method when left out.
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default = "once")]
    pub times: u32,
    /// So many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    #[serde(flatten)]
    pub fault: Fault,
}

/// "So many in a thousand calls go wrong like this."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRate {
    #[serde(default)]
    pub method: Option<String>,
    pub permille: u32,
    #[serde(flatten)]
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

/// All that is to go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    pub scripts: Vec<FaultScript>,
    pub rates: Vec<FaultRate>,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    pub wire: WireFault,
    pub shape: ReplyShape,
    pub missing: u32,
    pub rotate_salts: bool,
    pub skew_millis: Option<i64>,
}

impl Faults {
    /// The plan for one call; scripts are used up, one per call.
    pub(crate) fn plan(&mut self, account: Option<UserId>, method: &str, rng: &mut impl RngCore) -> Plan {
        let mut plan = Plan::default();
        let named = |name: &Option<String>| name.as_deref().is_none_or(|name| name == method);
        let hit = self.scripts.iter_mut().position(|script| {
            let fits = named(&script.method) && script.account.is_none_or(|who| Some(who) == account);
            if fits && script.after > 0 {
                script.after -= 1;
                return false;
            }
            fits
        });
        if let Some(at) = hit {
            plan.add(self.scripts[at].fault);
            self.scripts[at].times = self.scripts[at].times.saturating_sub(1);
            if self.scripts[at].times == 0 {
                self.scripts.remove(at);
            }
            return plan;
        }
        for rate in self.rates.iter().filter(|rate| named(&rate.method)) {
            if draw(rng.next_u64(), 1000) < u64::from(rate.permille) {
                plan.add(rate.fault);
            }
        }
        plan
    }
}

impl Plan {
    fn add(&mut self, fault: Fault) {
        match fault {
            Fault::CutBefore => self.wire = WireFault::CutBefore,
            Fault::CutAfter => self.wire = WireFault::CutAfter,
            Fault::Delay { millis } => self.wire = WireFault::Delay(Duration::from_millis(millis)),
            Fault::Stall => self.wire = WireFault::Stall,
            Fault::StallBefore => self.wire = WireFault::StallBefore,
            Fault::TransportError { code } => self.wire = WireFault::TransportError(code),
            Fault::InternalAfter => self.wire = WireFault::InternalAfter,
            Fault::MissingIds { count } => self.missing = count,
            Fault::UnknownConstructor => self.shape = ReplyShape::UnknownConstructor,
            Fault::OtherUpdates => self.shape = ReplyShape::OtherUpdates,
            Fault::RotateSalts => self.rotate_salts = true,
            Fault::ClockSkew { millis } => self.skew_millis = Some(millis),
        }
    }
}

impl WireFault {
    /// The call must not reach the world.
    #[must_use]
    pub fn is_before(self) -> bool {
        matches!(self, WireFault::CutBefore | WireFault::StallBefore | WireFault::TransportError(_))
    }

    /// What the audit calls it, if the caller hears nothing or a lie.
    #[must_use]
    pub fn lost(self) -> Option<&'static str> {
        match self {
            WireFault::None | WireFault::Delay(_) => None,
            WireFault::CutBefore => Some("cut_before"),
            WireFault::CutAfter => Some("cut_after"),
            WireFault::Stall => Some("stall"),
            WireFault::StallBefore => Some("stall_before"),
            WireFault::TransportError(_) => Some("transport_error"),
            WireFault::InternalAfter => Some("internal_after"),
        }
    }
}
