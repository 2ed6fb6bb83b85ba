//! What another process needs to handle updates beside this one: lines for a shell. Secrets are not among them: they
//! stand in files of mode 0600, and the lines read them from there.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use webhook::settings::{ADMINS, BOT_API, BOT_TOKEN, QUEUE_URL, TABLE, WEBHOOK_SECRET, ZONE};

use crate::configuration::{BotConfiguration, Configuration};
use crate::engines::Engines;
use crate::failure::Failure;

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
        None if secrets.webhook.exists() => {}
        None => {
            let drawn = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            save(&secrets.webhook, &SecretString::from(drawn))?;
        }
    }
    Ok(secrets)
}

fn save(path: &Path, secret: &SecretString) -> Result<(), Failure> {
    let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(secret.expose_secret().as_bytes()));
    written.map_err(|error| Failure::Input(format!("cannot write {}: {error}", path.display())))
}

/// The lines, for a POSIX shell.
pub(super) fn exports(
    engines: &Engines,
    configuration: &Configuration,
    bot: &BotConfiguration,
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
}
