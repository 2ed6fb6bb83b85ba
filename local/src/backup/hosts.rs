//! Whether a host lives on a table: its HOST item moves.

use std::time::Duration;

use transfer::ids::HostId;
use transfer::lease::RENEW_EVERY;
use transfer::table::TableError;
use transfer::table::dynamo::{StoredItem, WholeTable};

/// How long a host is watched: three of its renewals, so that one that is late is seen too.
pub const WATCHED_FOR: Duration = RENEW_EVERY.saturating_mul(3);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The first host that is seen to move; `None` once none did for [`WATCHED_FOR`]. Returns at once where there are none.
///
/// # Errors
/// The table cannot be read.
pub async fn living(table: &WholeTable) -> Result<Option<HostId>, TableError> {
    let mut hosts = Vec::new();
    table
        .scan(|stored| {
            if stored.kind() == "host" {
                hosts.push(stored);
            }
            Ok::<(), TableError>(())
        })
        .await?;
    let ends_at = tokio::time::Instant::now() + WATCHED_FOR;
    while !hosts.is_empty() && tokio::time::Instant::now() < ends_at {
        tokio::time::sleep(LOOK_EVERY).await;
        for host in &hosts {
            let now = table.get(host.key()).await?;
            if now.is_some_and(|now| mark(&now) != mark(host)) {
                return Ok(Some(HostId(host.partition().trim_start_matches("HOST#").to_owned())));
            }
        }
    }
    Ok(None)
}

/// What changes with each renewal, also of a host that newer code runs.
fn mark(host: &StoredItem) -> (Option<u64>, Option<String>, u64) {
    (host.field("renewal"), host.field("incarnation"), host.version())
}
