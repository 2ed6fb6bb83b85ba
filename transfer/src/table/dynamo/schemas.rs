//! What every schema wrote is still read: tables of each are kept as files under `transfer/tests/schemas`.

use std::collections::BTreeSet;

use super::stored::StoredItem;
use crate::contract::kinds;
use crate::table::Record;
use crate::table::item::SCHEMA;

/// Every schema with its file.
fn files() -> Vec<(u32, String)> {
    let read = |schema: u32| {
        let path = format!("{}/tests/schemas/{schema}.jsonl", env!("CARGO_MANIFEST_DIR"));
        (schema, std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    };
    (1..=SCHEMA).map(read).collect()
}

fn items(file: &str) -> Vec<StoredItem> {
    file.lines().map(|line| StoredItem::from_line(line).unwrap()).collect()
}

#[test]
fn each_file_holds_what_its_schema_wrote_and_every_kind_of_it() {
    for (schema, file) in files() {
        let items = items(&file);
        assert!(items.iter().all(|item| item.schema() == u64::from(schema)), "{schema}");
        let kinds: BTreeSet<usize> = items.iter().map(|item| kinds::kind(&item.record().unwrap().item).1).collect();
        // The first schema had no item of the installation.
        let all = kinds::kind(&kinds::every_kind()[0]).0 - usize::from(schema == 1);
        assert_eq!(kinds.len(), all, "schema {schema}: {kinds:?}");
    }
}

#[test]
fn what_an_older_schema_wrote_is_read_and_stored_anew_by_the_next_write() {
    for (schema, file) in files() {
        for stored in items(&file) {
            let Record { item, version } = stored.record().unwrap();
            assert_eq!(stored.version(), version);
            let written = StoredItem::of(&item, version + 1, &stored).unwrap();
            assert_eq!((written.schema(), written.key()), (u64::from(SCHEMA), stored.key()), "schema {schema}");
            assert_eq!(written.record().unwrap(), Record { item, version: version + 1 }, "schema {schema}");
        }
    }
}

#[test]
fn what_the_first_schema_wrote_means_what_it_meant() {
    let read: Vec<Record> = items(&files()[0].1).iter().map(|item| item.record().unwrap()).collect();
    insta::assert_debug_snapshot!(read);
}

#[test]
fn a_line_is_its_item() {
    let files = files();
    for line in files.iter().flat_map(|(_, file)| file.lines()) {
        assert_eq!(StoredItem::from_line(line).unwrap().to_line().unwrap(), line);
    }
}

#[test]
fn the_file_of_the_present_schema_knows_every_shape_that_is_written() {
    let (_, file) = files().pop().unwrap();
    let known: BTreeSet<&str> = file.lines().collect();
    let written =
        kinds::every_kind().into_iter().map(|item| StoredItem::of_bot(0, &item, 3).unwrap().to_line().unwrap());
    let missing: Vec<String> = written.filter(|line| !known.contains(line.as_str())).collect();
    assert!(
        missing.is_empty(),
        "items are stored in a new shape: can code of before read it without losing anything? then add these lines to \
         transfer/tests/schemas/{SCHEMA}.jsonl (the others stay); else raise SCHEMA, write a step, and begin a new file:\n{}",
        missing.join("\n")
    );
}
