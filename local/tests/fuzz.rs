//! Fuzz targets for the configuration file.
//!
//! Whatever stands in it is taken or told in one line, without a secret. Each target runs as an ordinary test for about a
//! second, longer with `BOLERO_RANDOM_TEST_TIME_MS`. A failure prints the `BOLERO_RANDOM_SEED` that repeats it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use bolero::check;
use ferry::configuration::{Configuration, TEMPLATE};
use std::fs;
use std::path::{Path, PathBuf};

/// What must never be quoted.
const SECRETS: [&str; 2] = ["hunter2hunter2", "c0ffee00c0ffee00"];

const PIECES: [&str; 32] = [
    "data_dir",
    "zone",
    "proxy",
    "[api]",
    "[telegram]",
    "[telegram.dcs]",
    "id",
    "hash",
    "rsa_key_file",
    "1",
    "-1",
    "2",
    " = ",
    "=",
    "\n",
    "\"",
    "\"\"\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "\"x\"",
    "\"Europe/London\"",
    "\"127.0.0.1:443\"",
    "\"socks5://u:p@h:1\"",
    "\"hash\"",
    "99999999999999999999",
    "2024-01-01",
    "\\u0000",
];

fn good() -> String {
    TEMPLATE
        .replace("id = 0", "id = 5")
        .replace("hash = \"\"", "hash = \"c0ffee00c0ffee00\"")
        .replace("# proxy = \"socks5://user:password@", "proxy = \"socks5://user:hunter2hunter2@")
}

/// A file of its own for each target.
struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ferry.toml");
        Self { _dir: dir, path }
    }
}

fn load(path: &Path, content: &[u8]) -> bool {
    fs::write(path, content).unwrap();
    match Configuration::load(path) {
        Ok(configuration) => {
            let shown = format!("{configuration:?}");
            assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
            assert!(configuration.setup.dcs.keys().all(|dc| *dc > 0) && !configuration.setup.dcs.is_empty());
            true
        }
        Err(failure) => {
            let line = failure.line();
            assert!(!line.contains('\n') && line.contains("ferry.toml"), "{line}");
            assert!(SECRETS.iter().all(|secret| !line.contains(secret)), "{line}");
            false
        }
    }
}

#[test]
fn any_bytes_are_a_configuration_or_told() {
    let place = Place::new();
    check!().for_each(|bytes: &[u8]| {
        load(&place.path, bytes);
    });
}

#[test]
fn plausible_pieces_are_a_configuration_or_told() {
    let place = Place::new();
    check!().with_type::<Vec<u8>>().for_each(|choices| {
        let text: String = choices.iter().map(|choice| PIECES[usize::from(*choice) % PIECES.len()]).collect();
        load(&place.path, text.as_bytes());
    });
}

#[test]
fn a_damaged_configuration_is_taken_or_told_without_its_secrets() {
    let place = Place::new();
    let good = good();
    assert!(load(&place.path, good.as_bytes()), "the undamaged one is taken");
    check!().with_type::<Vec<(u16, u8, u8)>>().for_each(|damages| {
        let mut bytes = good.clone().into_bytes();
        for (place, how, byte) in damages.iter().take(4) {
            let place = usize::from(*place) % bytes.len();
            match how % 4 {
                0 => bytes[place] = *byte,
                1 => drop(bytes.drain(place..=place)),
                2 => bytes.insert(place, *byte),
                _ => {
                    let piece = PIECES[usize::from(*byte) % PIECES.len()];
                    drop(bytes.splice(place..place, piece.bytes()));
                }
            }
        }
        load(&place.path, &bytes);
    });
}
