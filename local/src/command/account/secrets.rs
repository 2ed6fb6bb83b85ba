//! Secrets that people give to commands: typed without being shown, or in a file.

use std::path::Path;

use secrecy::SecretString;
use session_host::telegram::setup::ApiCredentials;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Asks for something that may be seen.
pub(super) fn asked(terminal: &Terminal, question: &str) -> Result<String, Failure> {
    terminal.ask(question).map_err(no_answer)
}

/// Asks for something that is not shown while it is typed.
pub(super) fn asked_secretly(terminal: &Terminal, question: &str) -> Result<SecretString, Failure> {
    terminal.ask_secret(question).map(SecretString::from).map_err(no_answer)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn no_answer(error: std::io::Error) -> Failure {
    Failure::Input(format!("no answer: {error}"))
}

/// What stands in a file, without the space around it.
pub(super) fn in_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = read.map_err(|error| Failure::Input(format!("cannot read {}: {error}", file.display())))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// An application of the account's own, where one was named.
pub(super) fn own_api(id: Option<i32>, hash_file: Option<&Path>) -> Result<Option<ApiCredentials>, Failure> {
    match (id, hash_file) {
        (None, None) => Ok(None),
        (Some(id), Some(file)) if id > 0 => {
            Ok(Some(ApiCredentials { id, hash: SecretString::from(in_file(file)?.to_string()) }))
        }
        (Some(id), Some(_)) => Err(Failure::Input(format!("{id} is no application's id"))),
        (None, Some(_)) | (Some(_), None) => Err(Failure::Input("--api-id and --api-hash-file go together".to_owned())),
    }
}
