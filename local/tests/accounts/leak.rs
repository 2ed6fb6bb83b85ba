//! Where a secret shows that must not: in files, in what was logged or printed, in the chat.
//!
//! A secret is looked for as it is, in hexadecimal, and in base64 of both alphabets at each of the three places where it
//! can begin in what is encoded. What is found is told by the secret's name and the place, never by the secret.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones would be found by chance.
const LEN_MIN: usize = 8;

/// A secret that was planted.
#[derive(Clone)]
pub(crate) struct Canary {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    pub(crate) fn new(name: &'static str, secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        assert!(secret.len() >= LEN_MIN, "{name} is too short to be looked for");
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
        for lead in 0..3 {
            forms.extend([encoded(&STANDARD_NO_PAD, secret, lead), encoded(&URL_SAFE_NO_PAD, secret, lead)]);
        }
        forms.sort_unstable();
        forms.dedup();
        Self { name, forms }
    }

    /// Every form in which it is looked for.
    pub(crate) fn forms(&self) -> &[Vec<u8>] {
        &self.forms
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| contains(bytes, form))
    }
}

/// The digits of base64 that the secret alone decides when so many bytes stand before it.
fn encoded(engine: &impl Engine, secret: &[u8], lead: usize) -> Vec<u8> {
    let mut bytes = vec![0; lead];
    bytes.extend_from_slice(secret);
    let text = engine.encode(&bytes).into_bytes();
    let (from, to) = ((lead * 8).div_ceil(6), bytes.len() * 8 / 6);
    text[from..to].to_vec()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return false };
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// Names of the secrets that stand in these bytes.
pub(crate) fn in_bytes(place: &str, bytes: &[u8], canaries: &[Canary]) -> Vec<String> {
    canaries.iter().filter(|it| it.is_in(bytes)).map(|it| format!("{} in {place}", it.name)).collect()
}

/// The same for every file below a directory, but for those that are named.
pub(crate) fn in_files(dir: &Path, but: &[PathBuf], canaries: &[Canary]) -> Vec<String> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if !but.contains(&path) {
                found.extend(in_bytes(&path.display().to_string(), &std::fs::read(&path).unwrap(), canaries));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"planted-\xff\xfe-secret";

    #[test]
    fn a_secret_is_found_in_every_form_and_at_every_place() {
        let canary = [Canary::new("it", SECRET)];
        for lead in 0..7 {
            let mut plain = vec![b'x'; lead];
            plain.extend_from_slice(SECRET);
            plain.extend_from_slice(b"yz");
            let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
            let forms = [
                plain.clone(),
                STANDARD_NO_PAD.encode(&plain).into_bytes(),
                URL_SAFE_NO_PAD.encode(&plain).into_bytes(),
                hex.to_uppercase().into_bytes(),
                hex.into_bytes(),
            ];
            for form in forms {
                assert_eq!(in_bytes("a log", &form, &canary), ["it in a log"], "after {lead}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_not_found() {
        let canary = [Canary::new("it", SECRET)];
        assert_eq!(in_bytes("a log", b"planted-secret, planted-\xff\xfe-secre", &canary), [""; 0]);
        assert_eq!(in_bytes("a log", b"", &canary), [""; 0]);
    }
}
