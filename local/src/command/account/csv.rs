//! An export of the original's table `userbot_sessions`, as CSV with a header.
//!
//! Columns are found by name, whatever the case and whatever stands between the words; only the session is needed. A row that
//! makes no sense is told with its line, and says nothing about the others.

use std::path::Path;

use session_host::telegram::setup::ApiCredentials;
use transfer::account::Counters;
use zeroize::Zeroizing;

use crate::failure::Failure;

const NAME: [&str; 4] = ["name", "label", "sessionname", "accountname"];
const API_ID: [&str; 1] = ["apiid"];
const API_HASH: [&str; 1] = ["apihash"];
const SESSION: [&str; 4] = ["sessionstring", "session", "stringsession", "userbotsession"];
const ACTIVE: [&str; 3] = ["isactive", "active", "enabled"];
const PRIORITY: [&str; 1] = ["priority"];
const FORWARDED: [&str; 5] = ["totalforwarded", "totalforwards", "totalfilesforwarded", "totalfiles", "forwardedcount"];
const FLOODS: [&str; 4] = ["totalfloods", "floodcount", "totalfloodcount", "floodwaitcount"];
const FLOOD_SECS: [&str; 4] = ["totalfloodwaitseconds", "totalfloodwaitsecs", "floodwaitseconds", "totalwaitseconds"];

/// One account of the file.
pub(super) struct Row {
    /// Where it begins.
    pub(super) line: u64,
    /// What it says, or what is wrong with it.
    pub(super) read: Result<Listed, String>,
}

/// An account as the original knew it.
pub(super) struct Listed {
    pub(super) session: Zeroizing<String>,
    pub(super) name: Option<String>,
    pub(super) api: Option<ApiCredentials>,
    pub(super) is_active: bool,
    pub(super) priority: i32,
    pub(super) totals: Counters,
}

/// Reads a file.
pub(super) fn rows(file: &Path) -> Result<Vec<Row>, Failure> {
    let text = super::secrets::in_file(file)?;
    parsed(&text).map_err(|why| Failure::Input(format!("{}: {why}", file.display())))
}

fn parsed(text: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    // The reader's own errors quote nothing but places.
    let header = reader.headers().map_err(|error| format!("no CSV: {error}"))?.clone();
    let columns = Columns::of(&header);
    if columns.session.is_none() {
        // Of a file without a header the first line is an account: nothing of it is told.
        return Err("its first line names no column session_string; export it with a header".to_owned());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let row = match record {
            Ok(record) => Row { line: record.position().map_or(0, csv::Position::line), read: columns.read(&record) },
            Err(error) => Row {
                line: error.position().map_or(0, csv::Position::line),
                read: Err("it is no row of a CSV file".to_owned()),
            },
        };
        rows.push(row);
    }
    Ok(rows)
}

/// Where each thing stands.
struct Columns {
    name: Option<usize>,
    api_id: Option<usize>,
    api_hash: Option<usize>,
    session: Option<usize>,
    active: Option<usize>,
    priority: Option<usize>,
    forwarded: Option<usize>,
    floods: Option<usize>,
    flood_secs: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Self {
        let plain: Vec<String> = header
            .iter()
            .map(|name| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase())
            .collect();
        let at = |names: &[&str]| names.iter().find_map(|name| plain.iter().position(|column| column == name));
        Self {
            name: at(&NAME),
            api_id: at(&API_ID),
            api_hash: at(&API_HASH),
            session: at(&SESSION),
            active: at(&ACTIVE),
            priority: at(&PRIORITY),
            forwarded: at(&FORWARDED),
            floods: at(&FLOODS),
            flood_secs: at(&FLOOD_SECS),
        }
    }

    fn read(&self, record: &csv::StringRecord) -> Result<Listed, String> {
        let field = |column: Option<usize>| column.and_then(|column| record.get(column)).filter(|text| !is_null(text));
        let session = field(self.session).ok_or("it has no session")?;
        let number = |column, name: &str| match field(column) {
            None => Ok(0),
            Some(text) => text.parse::<u64>().map_err(|_no_number| format!("its {name} is no number")),
        };
        let api = match (field(self.api_id), field(self.api_hash)) {
            (Some(id), Some(hash)) => {
                let id = id.parse::<i32>().ok().filter(|id| *id > 0).ok_or("its api_id is no application's id")?;
                Some(ApiCredentials { id, hash: hash.to_owned().into() })
            }
            (None, None) => None,
            (Some(_), None) => return Err("it has an api_id and no api_hash".to_owned()),
            (None, Some(_)) => return Err("it has an api_hash and no api_id".to_owned()),
        };
        let priority = match field(self.priority) {
            None => 0,
            Some(text) => text.parse::<i32>().map_err(|_no_number| "its priority is no number")?,
        };
        Ok(Listed {
            session: Zeroizing::new(session.to_owned()),
            name: field(self.name).map(str::to_owned),
            api,
            is_active: is_true(field(self.active).unwrap_or("true"))?,
            priority,
            totals: Counters {
                forwarded: number(self.forwarded, "number of forwarded files")?,
                floods: number(self.floods, "number of floods")?,
                flood_wait_secs: number(self.flood_secs, "number of seconds")?,
            },
        })
    }
}

/// How databases write that there is nothing.
fn is_null(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("null") || text == r"\N"
}

fn is_true(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" => Ok(true),
        "false" | "f" | "0" | "no" | "n" => Ok(false),
        _ => Err("its is_active is neither true nor false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn rows_are_read_whatever_the_columns_order_and_bad_ones_are_told_by_line() {
        let text = "id,Session_String,NAME,api_id,api_hash,is_active,priority,total_forwarded,flood_count,created_at\n\
            1,1aaa,\"Ada, first\",5,abc,t,10,1200,3,2024\n\
            2,1bbb,,,,false,,NULL,,\n\
            3,,Cleo,5,abc,t,1,0,0,\n\
            4,1ddd,Dan,x,abc,t,1,0,0,\n\
            5,1eee,Eve,5,,t,1,0,0,\n\
            6,1fff,\"Two\nlines\",5,abc,maybe,1,0,0,\n\
            7,1ggg,Gus,5,abc,1,high,0,0,\n";
        let rows = parsed(text).unwrap();
        let ada = rows[0].read.as_ref().ok().unwrap();
        assert_eq!((ada.name.as_deref(), ada.session.as_str(), ada.priority), (Some("Ada, first"), "1aaa", 10));
        assert_eq!(ada.totals, Counters { forwarded: 1200, floods: 3, flood_wait_secs: 0 });
        assert_eq!(ada.api.as_ref().unwrap().hash.expose_secret(), "abc");
        let second = rows[1].read.as_ref().ok().unwrap();
        assert_eq!((second.name.as_deref(), second.is_active, second.api.is_none()), (None, false, true));
        let wrong: Vec<_> = rows[2..].iter().map(|row| (row.line, row.read.as_ref().err().unwrap().as_str())).collect();
        assert_eq!(
            wrong,
            [
                (4, "it has no session"),
                (5, "its api_id is no application's id"),
                (6, "it has an api_id and no api_hash"),
                (7, "its is_active is neither true nor false"),
                (9, "its priority is no number"),
            ]
        );
        assert!(parsed("name,priority\nAda,1\n").err().unwrap().contains("session_string"));
        let without_header = parsed("7,1planted,Ada,5,abc\n").err().unwrap();
        assert!(!without_header.contains("planted"), "{without_header}");
    }
}
