//! What an account can do for a draft, and how near it came.

use jiff::Timestamp;
use transfer::account::Member;
use transfer::inquiry::Obstacle;

use super::counting::Counted;

/// What one account can do.
pub(super) enum Finding {
    Able,
    Not(Obstacle),
    /// It has to wait until then.
    Limited(Timestamp),
    /// It has no connection.
    NoConnection,
    /// It left the pool.
    Lost,
    /// Somebody else has it.
    Busy,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) able: Vec<Member>,
    pub(super) others: u32,
    pub(super) counted: Option<Counted>,
    pub(super) titles: (String, String),
    pub(super) nearest: Option<Obstacle>,
    pub(super) limited: Option<Timestamp>,
    pub(super) busy: u32,
    pub(super) unreachable: bool,
}

/// From here on no other account could do better.
pub(super) const FINAL: u8 = 4;

/// How near an account came.
pub(super) fn rank(obstacle: &Obstacle) -> u8 {
    match obstacle {
        Obstacle::NoAccount | Obstacle::AllLimited { .. } | Obstacle::Unreachable | Obstacle::Expired => 0,
        Obstacle::UnknownChat { .. } => 1,
        Obstacle::Unreadable { .. } => 2,
        Obstacle::Unpostable { .. } => 3,
        Obstacle::Protected { .. } | Obstacle::SameChat { .. } | Obstacle::NothingMatches { .. } => FINAL,
    }
}
