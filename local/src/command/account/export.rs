//! `ferry account export`: a session sealed for another installation, as a line of text that only its key ring opens.
//!
//! The line is bound to the account that it names: it opens as that and as nothing else.

use clap::Args;
use session_host::session::Session;
use session_host::vault::Vault;
use transfer::ids::AccountId;
use transfer::seal::{KeyId, Sealed, SealingKey, SecretKind};
use transfer::table::Key;

use super::named;
use crate::command::desk::Desk;
use crate::failure::Failure;

/// What such a line begins with.
const MARK: &str = "ferry-session";

/// Options of `ferry account export`.
#[derive(Debug, Args)]
pub(super) struct ExportOptions {
    /// Which
    account: String,
    /// The other installation's public key, which its `ferry keys show` prints
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    to: String,
}

/// Prints the line.
pub(super) async fn export(desk: &Desk, options: &ExportOptions) -> Result<(), Failure> {
    let to = options.to.parse::<SealingKey>().map_err(|error| Failure::input(&error))?;
    let member = named::find(desk, &options.account).await?;
    let session = desk.sessions().await?.load(&member.account.id).await.map_err(|error| Failure::input(&error))?;
    let line = sealed_line(&session, &to).map_err(|error| Failure::failed(&error))?;
    desk.terminal.line(line);
    desk.terminal.line(format!(
        "# ferry account import there takes this line. Two places must not use one session: erase {} here first, with\n\
         # ferry account remove {} --stay-signed-in",
        member.profile.label, member.account.id
    ));
    Ok(())
}

/// A session that only the holder of the other half of `to` can open.
fn sealed_line(session: &Session, to: &SealingKey) -> Result<String, transfer::seal::SealError> {
    let item = Key::session(&session.account);
    let sealed = to.seal(session.to_text().as_bytes(), SecretKind::Session, &item)?;
    let Sealed { key_id, encapsulated, ciphertext } = sealed;
    Ok(format!("{MARK}:{}:{}:{encapsulated}:{ciphertext}", session.account, key_id.0))
}

/// Whether this is meant to be such a line.
pub(super) fn is_line(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Opens such a line.
///
/// # Errors
/// It is damaged, or was sealed for another installation.
pub(super) fn opened(line: &str, vault: &Vault) -> Result<Session, String> {
    let damaged = || "the sealed session is damaged: copy its whole line".to_owned();
    let mut parts = line.split(':').skip(1);
    let (Some(account), Some(key_id), Some(encapsulated), Some(ciphertext), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(damaged());
    };
    let account = AccountId::from(account);
    let sealed = Sealed {
        key_id: KeyId(key_id.to_owned()),
        encapsulated: encapsulated.to_owned(),
        ciphertext: ciphertext.to_owned(),
    };
    if !vault.holds(&sealed.key_id).map_err(|error| error.to_string())? {
        return Err(format!(
            "the session was sealed for key {key_id}, which this installation does not have: export it again, to the key \
             that ferry keys show prints here"
        ));
    }
    let bytes = vault.open(&sealed, SecretKind::Session, &Key::session(&account)).map_err(|_damaged| damaged())?;
    let text = std::str::from_utf8(&bytes).map_err(|_no_text| damaged())?;
    Session::from_text(text).ok().filter(|session| session.account == account).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use session_host::session::AuthKey;

    use super::*;

    #[test]
    fn a_line_opens_where_it_was_sealed_for_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("there.json")).unwrap();
        let other = Vault::create(dir.path().join("other.json")).unwrap();
        let session = Session::new("7".into(), 7, 2, AuthKey::new([0x5a; 256]));
        let line = sealed_line(&session, &vault.current().unwrap()).unwrap();
        assert!(is_line(&line) && line.lines().count() == 1 && !line.contains("5a5a"));
        assert_eq!(opened(&line, &vault).unwrap().home_key().unwrap().expose(), &[0x5a; 256]);
        assert!(opened(&line, &other).unwrap_err().contains("export it again"));
        let of_another = line.replacen(":7:", ":8:", 1);
        for broken in [&line[..line.len() - 9], of_another.as_str(), "ferry-session:7", "ferry-session"] {
            let error = opened(broken, &vault).unwrap_err();
            assert!(error.contains("damaged"), "{error}");
        }
    }
}
