//! The backup file: lines of JSON. First a header, then one line for each item as DynamoDB notes it, last a trailer that
//! says how many items there are and what the sum of all bytes before it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use transfer::table::dynamo::{NoItem, StoredItem};
use transfer::table::item::SCHEMA;

/// The notation of the file that this code writes and reads.
const NOTATION: u32 = 1;
/// DynamoDB holds no item of more than 400 KB; escaped, it is not longer than this.
const LINE_LEN_MAX: u64 = 4 << 20;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The file's notation.
    pub ferry_backup: u32,
    /// The newest schema of an item that may stand in it.
    pub schema: u32,
    /// The release that wrote it.
    pub release: String,
    /// When it was begun.
    pub at: Timestamp,
    /// The table's name.
    pub table: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    items: u64,
    sha256: String,
}

/// A file that was read whole and found good.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its first line.
    pub header: Header,
    /// What it holds.
    pub items: Vec<StoredItem>,
}

/// Why a file was not written, or is no good.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is one already.
    #[error("{0} is there already: choose another name, or move it away")]
    Exists(PathBuf),
    /// It cannot be written; nothing is left of it.
    #[error("cannot write {path}: {source}; nothing of it was kept")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{0} is no backup of ferry: its first line is no header")]
    NoBackup(PathBuf),
    /// Newer code wrote it.
    #[error("{path} was written by a newer version (release {release}): restore it with that release")]
    Newer {
        /// The file.
        path: PathBuf,
        /// What wrote it.
        release: String,
    },
    /// Its end is missing.
    #[error("{0} is cut off: its last line is missing; use another backup")]
    CutOff(PathBuf),
    /// It is not what was written.
    #[error("{path} is damaged ({why}): use another backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        why: String,
    },
}

/// A backup that is being written: nobody sees it under its name before it is whole.
pub struct Writing {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    sum: Sha256,
    items: u64,
}

impl Writing {
    /// Begins with the header. The file is its owner's alone.
    ///
    /// # Errors
    /// There is such a file already, or the directory cannot be written.
    pub fn begin(path: &Path, header: &Header) -> Result<Self, FileError> {
        if path.symlink_metadata().is_ok() {
            return Err(FileError::Exists(path.to_owned()));
        }
        let unwritable = |source| FileError::Unwritable { path: path.to_owned(), source };
        let file = tempfile::Builder::new().prefix(".ferry-backup-").suffix(".partial").tempfile_in(directory(path));
        let file = BufWriter::new(file.map_err(unwritable)?);
        let mut writing = Self { path: path.to_owned(), file, sum: Sha256::new(), items: 0 };
        writing.line(&json(header))?;
        Ok(writing)
    }

    /// Adds an item.
    ///
    /// # Errors
    /// The disk is full, or the item holds what no line can.
    pub fn add(&mut self, item: &StoredItem) -> Result<(), FileError> {
        let (path, (pk, sk)) = (&self.path, item.key());
        let damaged = |error: NoItem| FileError::Damaged { path: path.clone(), why: format!("{pk}/{sk}: {error}") };
        let line = item.to_line().map_err(damaged)?;
        self.items += 1;
        self.line(&line)
    }

    /// Ends with the trailer, and gives the file its name once the disk has all of it.
    ///
    /// # Errors
    /// The disk is full, or somebody else made such a file meanwhile.
    pub fn end(mut self) -> Result<u64, FileError> {
        let sha256 = hex(&self.sum.clone().finalize()[..]);
        let items = self.items;
        self.line(&json(&Trailer { items, sha256 }))?;
        let path = self.path;
        let unwritable = |source| FileError::Unwritable { path: path.clone(), source };
        let file = self.file.into_inner().map_err(|error| unwritable(error.into_error()))?;
        file.as_file().sync_all().map_err(unwritable)?;
        file.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(path.clone()),
            _ => unwritable(error.error),
        })?;
        File::open(directory(&path)).and_then(|dir| dir.sync_all()).map_err(unwritable)?;
        Ok(items)
    }

    fn line(&mut self, line: &str) -> Result<(), FileError> {
        self.sum.update(line.as_bytes());
        self.sum.update(b"\n");
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| FileError::Unwritable { path: self.path.clone(), source })
    }
}

impl Header {
    /// Of a backup that this code begins now.
    pub fn new(table: &str, release: &str, at: Timestamp) -> Self {
        Self { ferry_backup: NOTATION, schema: SCHEMA, release: release.to_owned(), at, table: table.to_owned() }
    }
}

impl Backup {
    /// Reads a file and checks all of it: header, every item, number and sum.
    ///
    /// # Errors
    /// It is not good, and why.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        let damaged = |why: String| FileError::Damaged { path: path.to_owned(), why };
        let mut lines = Lines { reader: BufReader::new(File::open(path).map_err(unreadable)?), number: 0 };
        let first = lines.next().map_err(unreadable)?;
        let header = first.as_deref().and_then(|line| serde_json::from_slice::<Header>(line).ok());
        let (Some(first), Some(header)) = (first, header) else { return Err(FileError::NoBackup(path.to_owned())) };
        if header.ferry_backup > NOTATION || header.schema > SCHEMA {
            return Err(FileError::Newer { path: path.to_owned(), release: header.release });
        }
        let mut sum = Sha256::new();
        sum.update(&first);
        let mut items = Vec::new();
        // The last line is known by nothing coming after it.
        let mut line = lines.next().map_err(unreadable)?.ok_or_else(|| FileError::CutOff(path.to_owned()))?;
        while let Some(next) = lines.next().map_err(unreadable)? {
            items.push(item(&line).map_err(|why| damaged(format!("line {}: {why}", lines.number - 1)))?);
            sum.update(&line);
            line = next;
        }
        let trailer = line.ends_with(b"\n").then(|| serde_json::from_slice::<Trailer>(&line).ok()).flatten();
        let trailer = trailer.ok_or_else(|| FileError::CutOff(path.to_owned()))?;
        if trailer.items != items.len() as u64 {
            return Err(damaged(format!("it has {} items of {}", items.len(), trailer.items)));
        }
        if trailer.sha256 != hex(&sum.finalize()[..]) {
            return Err(damaged("its sum is another than it should be".to_owned()));
        }
        Ok(Self { header, items })
    }
}

/// The item of a line, which this code can read.
fn item(line: &[u8]) -> Result<StoredItem, String> {
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let item = StoredItem::from_line(line).map_err(|error| error.to_string())?;
    item.record().map_err(|error| error.to_string())?;
    Ok(item)
}

struct Lines {
    reader: BufReader<File>,
    number: u64,
}

impl Lines {
    /// The next line with its end; `None` after the last one.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = io::Read::take(&mut self.reader, LINE_LEN_MAX).read_until(b'\n', &mut line)?;
        self.number += 1;
        Ok((read > 0).then_some(line))
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("no field of a header or trailer is a map with other keys than text")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes whatever is written to it");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use transfer::contract::kinds::every_kind;

    use super::*;

    fn header() -> Header {
        Header::new("t", "r1", Timestamp::UNIX_EPOCH)
    }

    fn written(dir: &Path) -> PathBuf {
        let path = dir.join("b.jsonl");
        let mut writing = Writing::begin(&path, &header()).unwrap();
        for item in every_kind() {
            writing.add(&StoredItem::of_bot(0, &item, 1).unwrap()).unwrap();
        }
        writing.end().unwrap();
        path
    }

    #[test]
    fn what_was_written_is_read_and_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let backup = Backup::read(&path).unwrap();
        assert_eq!((backup.header, backup.items.len()), (header(), every_kind().len()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half is left");
    }

    #[test]
    fn nothing_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Writing::begin(&path, &header()), Err(FileError::Exists(_))));
        let other = dir.path().join("other");
        let late = Writing::begin(&other, &header()).unwrap();
        std::fs::write(&other, "somebody was first").unwrap();
        assert!(matches!(late.end(), Err(FileError::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody was first");
    }

    #[test]
    fn a_file_that_was_cut_off_anywhere_or_changed_anywhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let whole = std::fs::read(written(dir.path())).unwrap();
        let path = dir.path().join("broken");
        // Prime steps: every kind of place comes up, in bounded time.
        for len in (0..whole.len()).step_by(1009).chain(whole.len() - 40..whole.len()) {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert!(Backup::read(&path).is_err(), "cut off after {len} of {} bytes", whole.len());
        }
        for at in (0..whole.len()).step_by(907) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let read = Backup::read(&path);
            assert!(read.is_err(), "byte {at} is another: {:?}", changed[at] as char);
        }
        let more = [whole.as_slice(), b"{}\n"].concat();
        std::fs::write(&path, more).unwrap();
        assert!(Backup::read(&path).is_err());
    }

    #[test]
    fn what_newer_code_wrote_is_left_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("newer");
        Writing::begin(&path, &Header { schema: SCHEMA + 1, ..header() }).unwrap().end().unwrap();
        let refused = Backup::read(&path).unwrap_err().to_string();
        assert!(refused.contains("release r1"), "{refused}");
    }
}
