//! Whether a host works here, and of which version it is.

use std::time::Duration;

use transfer::ids::HostId;
use transfer::lease::{Host, RENEW_EVERY};
use transfer::table::{Item, Key, List, Record, Table};

use super::Part;

/// How long a host's next sign of life is waited for: two of them, for one that is late.
const WITHIN: Duration = RENEW_EVERY.saturating_mul(2);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const NAME: &str = "host";

/// Watches the hosts of this table. `runs` says that another process works on the data directory.
pub async fn host(table: &dyn Table, runs: bool, version: &str) -> Part {
    if !runs {
        return Part::ok(NAME, "no ferry runs here now");
    }
    let hosts = match table.list(List::Hosts).await {
        Ok(records) => records.into_iter().filter_map(host_of).collect::<Vec<_>>(),
        Err(error) => return Part::failed(NAME, error, ""),
    };
    let ends_at = tokio::time::Instant::now() + WITHIN;
    while tokio::time::Instant::now() < ends_at {
        for before in &hosts {
            match table.get(&Key::host(&before.id)).await {
                Ok(Some(record)) => {
                    if let Some(now) = host_of(record).filter(|now| is_later(now, before)) {
                        return told(&now.id, &now.program_version, version);
                    }
                }
                Ok(None) => {}
                Err(error) => return Part::failed(NAME, error, ""),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Part::warning(
        NAME,
        "another ferry has the data directory, and no host of it shows life",
        "is ferry serve starting?",
    )
}

fn is_later(now: &Host, before: &Host) -> bool {
    now.incarnation != before.incarnation || now.renewal > before.renewal
}

fn told(id: &HostId, running: &str, version: &str) -> Part {
    let found = format!("{id} lives, version {running}");
    if running == version {
        Part::ok(NAME, found)
    } else {
        Part::warning(NAME, format!("{found}, this program is {version}"), "restart ferry serve with this version")
    }
}

fn host_of(record: Record) -> Option<Host> {
    match record.item {
        Item::Host(host) => Some(host),
        _ => None,
    }
}
