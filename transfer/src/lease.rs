//! Who may act on a task or an account.
//!
//! A lease names an incarnation and has an epoch that grows with every taking. It has no expiry of its own: the
//! holder's HOST item says whether the holder lives (DESIGN, "Who may send"). Whoever finds a lease may take it when it
//! was released, when the holder's HOST item has not changed for [`HOST_SILENT`] on the observer's own uptime clock, or
//! when the observer holds the dead host's lock file.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, HostId, Incarnation};

/// How often a host renews its HOST item.
pub const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long after *sending* its last successful renewal a holder may still act.
pub const HOLDER_STOPS: Duration = Duration::from_secs(15);
/// How long a HOST item must stand unchanged before its leases may be taken: far above [`HOLDER_STOPS`] plus the
/// longest ping_delay_disconnect (75 s), after which Telegram itself has closed the dead host's connections.
pub const HOST_SILENT: Duration = Duration::from_secs(100);

/// Who holds something, and since which epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The host.
    pub host: HostId,
    /// Its life: a restarted host holds nothing that its earlier life held.
    pub incarnation: Incarnation,
}

/// A host's sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The host.
    pub id: HostId,
    /// Its present life.
    pub incarnation: Incarnation,
    /// Counts the renewals of this life; observers look whether it moves.
    pub renewal: u64,
    /// When it renewed last, by its own wall clock: for people, never for decisions.
    pub renewed_at: Timestamp,
    /// The version of the program.
    pub program_version: String,
    /// How many accounts it holds.
    pub accounts_held: u32,
    /// The only account it works with, named by its environment; the pool rests meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_account: Option<AccountId>,
    /// Accounts of other hosts that its tasks wait for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<AccountId>,
}
