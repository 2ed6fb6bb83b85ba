//! What another process needs to handle updates beside this one: lines for a shell. Secrets are not among them: they
//! stand in files of mode 0600, and the lines read them from there.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use transfer::environment::{ADMINS, BOT_API, BOT_TOKEN, QUEUE_URL, TABLE, ZONE};
use transfer::seal::SealingKey;
use webhook::settings::{SEALING_KEY, WEBHOOK_SECRET};

use crate::configuration::{BotConfiguration, Configuration};
use crate::engines::Engines;
use crate::failure::Failure;

/// Nobody else reads the secrets.
const MODE: u32 = 0o600;

/// Where the secrets stand.
pub(super) struct Secrets {
    token: PathBuf,
    webhook: PathBuf,
}

/// Writes the bot's token and the webhook's secret; without one in the configuration, the one of an earlier start or a new
/// one.
///
/// # Errors
/// The files cannot be written.
pub(super) fn save_secrets(dir: &Path, bot: &BotConfiguration) -> Result<Secrets, Failure> {
    // The lines are used wherever the other process is started.
    let dir = dir.canonicalize().unwrap_or_else(|_unresolvable| dir.to_owned());
    let secrets = Secrets { token: dir.join("bot.token"), webhook: dir.join("webhook.secret") };
    save(&secrets.token, &bot.telegram.token)?;
    match &bot.webhook {
        Some(webhook) => save(&secrets.webhook, &webhook.secret)?,
        None if keep(&secrets.webhook)? => {}
        None => {
            let drawn = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            save(&secrets.webhook, &SecretString::from(drawn))?;
        }
    }
    Ok(secrets)
}

fn save(path: &Path, secret: &SecretString) -> Result<(), Failure> {
    let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(MODE).open(path);
    let written = opened.and_then(|mut file| {
        close_to_others(&file)?;
        file.write_all(secret.expose_secret().as_bytes())
    });
    written.map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))
}

/// Whether a secret of an earlier start stands there. An empty file is none: a start was cut off, or the disk was full.
fn keep(path: &Path) -> Result<bool, Failure> {
    let kept = match File::open(path) {
        Ok(file) => io::read_to_string(&file).and_then(|secret| {
            close_to_others(&file)?;
            Ok(!secret.trim().is_empty())
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    kept.map_err(|error| Failure::Input(format!("cannot read {}: {error}", path.display())))
}

/// The mode given at opening is that of new files only.
fn close_to_others(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(MODE))
}

/// The lines, for a POSIX shell.
pub(super) fn exports(
    engines: &Engines,
    configuration: &Configuration,
    bot: &BotConfiguration,
    key: &SealingKey,
    secrets: &Secrets,
) -> Vec<String> {
    let admins: Vec<String> = bot.admins.chats().iter().map(ToString::to_string).collect();
    let mut lines = vec![
        export("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamo_endpoint()),
        export("AWS_ENDPOINT_URL_SQS", engines.sqs_endpoint()),
        // The embedded engines believe any credentials, but requests are signed with some.
        export("AWS_ACCESS_KEY_ID", "ferry"),
        export("AWS_SECRET_ACCESS_KEY", "ferry"),
        export("AWS_REGION", "us-east-1"),
        export(TABLE, engines.table_name()),
        export(QUEUE_URL, engines.queue().url()),
        export(ADMINS, &admins.join(",")),
        // The public half: with it one can seal and never open.
        export(SEALING_KEY, &key.to_string()),
    ];
    lines.extend(configuration.zone.iana_name().map(|zone| export(ZONE, zone)));
    lines.extend(bot.telegram.api.as_deref().map(|api| export(BOT_API, api)));
    lines.push(read_from(BOT_TOKEN, &secrets.token));
    lines.push(read_from(WEBHOOK_SECRET, &secrets.webhook));
    lines
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}", quoted(value))
}

fn read_from(name: &str, path: &Path) -> String {
    format!("export {name}=\"$(cat {})\"", quoted(&path.display().to_string()))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_value_as_it_is() {
        assert_eq!(export("A", "it's $x"), r"export A='it'\''s $x'");
        assert_eq!(read_from("B", Path::new("/a b/c")), "export B=\"$(cat '/a b/c')\"");
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_that_others_could_read_is_closed_to_them() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["saved", "kept"] {
            std::fs::write(dir.path().join(name), "an earlier one").unwrap();
            std::fs::set_permissions(dir.path().join(name), Permissions::from_mode(0o644)).unwrap();
        }
        let (saved, kept) = (dir.path().join("saved"), dir.path().join("kept"));
        save(&saved, &SecretString::from("new")).unwrap();
        assert!(keep(&kept).unwrap());
        assert_eq!((mode(&saved), mode(&kept)), (0o600, 0o600));
        assert_eq!(std::fs::read_to_string(&saved).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "an earlier one");
    }

    #[test]
    fn an_empty_file_and_none_at_all_are_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("webhook.secret");
        assert!(!keep(&path).unwrap());
        std::fs::write(&path, "\n").unwrap();
        assert!(!keep(&path).unwrap());
    }
}
