//! What lies in the data directory: space, table, schema, queue, keys, log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use transfer::account::AccountState;
use transfer::admin;
use transfer::installation;
use transfer::seal::SecretKind;
use transfer::table::{Item, Key, Table};

use super::Part;
use crate::engines::Engines;
use crate::keys::Keys;

/// Below this, a transfer of a day may not find room for its rows and the log.
const FREE_MIB_MIN: u64 = 200;
/// Below this, nothing can be relied on.
const FREE_MIB_FEWEST: u64 = 20;
/// How far back the log is read.
const LOG_BYTES: u64 = 256 << 10;
/// Errors of this time are told.
const LOG_SINCE: SignedDuration = SignedDuration::from_hours(24);
/// Characters of an error that are shown.
const ERROR_LEN_SHOWN: usize = 160;

/// Whether files can be written, and how many.
pub fn directory(dir: &Path) -> Part {
    const NAME: &str = "data directory";
    let shown = dir.display();
    // Written and removed: modes and mounts say less.
    if let Err(error) = tempfile::tempfile_in(dir) {
        return Part::failed(NAME, format!("{shown} cannot be written: {error}"), "make it writable for this user");
    }
    let free = match rustix::fs::statvfs(dir) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize) >> 20,
        Err(error) => return Part::failed(NAME, format!("{shown}: {error}"), "look at the disk"),
    };
    let found = format!("{shown}, {free} MiB free");
    match free {
        ..FREE_MIB_FEWEST => Part::failed(NAME, found, "make room on this disk"),
        FREE_MIB_FEWEST..FREE_MIB_MIN => Part::warning(NAME, found, "make room on this disk soon"),
        _ => Part::ok(NAME, found),
    }
}

/// The table: that it answers, with its keys and both indexes.
pub async fn table(engines: &Engines) -> Part {
    const NAME: &str = "table";
    match engines.whole_table().describe().await {
        Err(error) => Part::failed(NAME, error, "restore a backup if its file is broken"),
        Ok(is) if is.status != "ACTIVE" => {
            Part::failed(NAME, format!("it is {}", is.status), "wait, then verify again")
        }
        Ok(is) if !is.key_fits => Part::failed(NAME, "its key is not pk and sk", "it is none of ferry's: use another"),
        Ok(is) if !is.indexes_missing.is_empty() => {
            let missing = is.indexes_missing.join(", ");
            Part::failed(NAME, format!("without index {missing}"), "restore a backup into a new data directory")
        }
        Ok(is) => Part::ok(NAME, format!("answers; indexes {}", is.indexes.join(", "))),
    }
}

/// Whether this version may work on what stands in the table.
pub async fn schema(table: &dyn Table) -> Part {
    const NAME: &str = "schema";
    if let Err(error) = installation::look(table).await {
        return Part::failed(NAME, error, "");
    }
    match table.get(&Key::installation()).await {
        Ok(Some(record)) => match record.item {
            Item::Installation(is) => {
                Part::ok(NAME, format!("{}, written by release {}", is.newest_schema, is.release))
            }
            _ => Part::failed(NAME, "another item stands in its place", "restore a backup"),
        },
        Ok(None) => Part::ok(NAME, "none yet: no host of this version has worked on it"),
        Err(error) => Part::failed(NAME, error, ""),
    }
}

/// The queue: a job through a queue beside it, and what went to the dead letters.
pub async fn queue(engines: &Engines) -> Vec<Part> {
    let round = match engines.probe_queue().await {
        Ok(()) => Part::ok("queue", "a job went in and came out"),
        Err(error) => Part::failed("queue", error, "restart ferry serve"),
    };
    let dead = async { engines.queue().dead_letters().await?.count().await };
    let dead = match dead.await {
        Ok(0) => Part::ok("dead letters", "none"),
        Ok(count) => {
            let advice = "each failed five times: look for its task in ferry.log";
            Part::warning("dead letters", format!("{count} jobs"), advice)
        }
        Err(error) => Part::failed("dead letters", error, "restart ferry serve"),
    };
    vec![round, dead]
}

/// The key ring, and that it opens every sealed session.
pub async fn keys(keys: &Keys, table: &dyn Table) -> Part {
    const NAME: &str = "key ring";
    let ring = keys.vault().path().display().to_string();
    let members = match admin::members(table).await {
        Ok(members) => members,
        Err(error) => return Part::failed(NAME, error, ""),
    };
    if !keys.vault().path().exists() {
        return if members.is_empty() {
            Part::ok(NAME, "none yet: it is made when the first secret is sealed")
        } else {
            Part::failed(NAME, format!("{ring} is missing"), "put it back: without it every account must log in again")
        };
    }
    if let Err(error) = keys.vault().current() {
        return Part::failed(NAME, error, "");
    }
    let mut opened = 0;
    let mut closed = Vec::new();
    for member in &members {
        let key = Key::session(&member.account.id);
        match table.get(&key).await {
            Ok(Some(record)) => {
                let Item::Session(session) = record.item else { continue };
                // What is inside is not looked at, and forgotten at once.
                match keys.vault().open(&session.sealed, SecretKind::Session, &key) {
                    Ok(_secret) => opened += 1,
                    Err(error) => closed.push(format!("{}: {error}", member.profile.label)),
                }
            }
            Ok(None) => {}
            Err(error) => return Part::failed(NAME, error, ""),
        }
    }
    if closed.is_empty() {
        return Part::ok(NAME, format!("{ring} opens all {opened} sealed sessions"));
    }
    Part::failed(NAME, closed.join("; "), "put the ring of back then there, or log in again with these")
}

/// How many accounts can work.
pub async fn accounts(table: &dyn Table) -> Part {
    const NAME: &str = "accounts";
    let members = match admin::members(table).await {
        Ok(members) => members,
        Err(error) => return Part::failed(NAME, error, ""),
    };
    let is_ready = |member: &&transfer::account::Member| {
        member.account.state == AccountState::Ready && member.profile.enabled && member.profile.leaving.is_none()
    };
    let ready = members.iter().filter(is_ready).count();
    let found = format!("{ready} of {} ready", members.len());
    match (ready, members.len()) {
        (_, 0) => Part::warning(NAME, "the pool is empty", "ferry account add"),
        (0, _) => Part::failed(NAME, found, "see ferry account list"),
        (ready, all) if ready < all => Part::warning(NAME, found, "see ferry account list"),
        _ => Part::ok(NAME, found),
    }
}

/// Errors that the log tells of lately: one line for a person to begin with.
pub fn log(dir: &Path, now: Timestamp) -> Part {
    const NAME: &str = "log";
    let path = dir.join("ferry.log");
    let text = match tail(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Part::ok(NAME, "none yet"),
        Err(error) => return Part::failed(NAME, format!("{}: {error}", path.display()), "make it readable"),
    };
    let errors: Vec<&str> = text.lines().filter(|line| is_recent_error(line, now)).collect();
    match errors.last() {
        None => Part::ok(NAME, "no errors within 24 hours"),
        Some(last) => {
            let shown: String = last.chars().take(ERROR_LEN_SHOWN).collect();
            let advice = format!("read {}", path.display());
            Part::warning(NAME, format!("{} errors within 24 hours, the last: {shown}", errors.len()), advice)
        }
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let len = fs::metadata(path)?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Both formats of the log: for people, and as JSON.
fn is_recent_error(line: &str, now: Timestamp) -> bool {
    let (at, is_error) = match serde_json::from_str::<BTreeMap<String, serde_json::Value>>(line) {
        Ok(fields) => {
            let text = |name: &str| fields.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            (text("timestamp"), text("level") == "ERROR")
        }
        Err(_for_people) => {
            let mut words = line.split_whitespace();
            (words.next().unwrap_or_default().to_owned(), words.next() == Some("ERROR"))
        }
    };
    is_error && at.parse::<Timestamp>().is_ok_and(|at| now.duration_since(at) < LOG_SINCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_last_day_are_found_in_both_formats() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        for (line, is) in [
            ("2026-03-02T11:59:00.123456Z ERROR ferry::host: it broke", true),
            ("2026-03-01T11:59:00.123456Z ERROR ferry::host: it broke yesterday", false),
            ("2026-03-02T11:59:00.123456Z  WARN ferry::host: ERROR is a word", false),
            (r#"{"timestamp":"2026-03-02T11:59:00Z","level":"ERROR","message":"it broke"}"#, true),
            (r#"{"timestamp":"2026-03-02T11:59:00Z","level":"INFO","message":"ERROR"}"#, false),
            ("cut off in the mid", false),
        ] {
            assert_eq!(is_recent_error(line, now), is, "{line}");
        }
    }
}
