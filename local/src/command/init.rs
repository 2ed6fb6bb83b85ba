//! `ferry init`: writes a configuration file with comments, and in it what the person or the flags say about the bot, after
//! it was checked with Telegram.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use transfer::bot::BotError;
use transfer::bot::telegram::{Identity, TelegramBot, TelegramSettings};
use transfer::ids::ChatId;

use crate::configuration::{FILE_DEFAULT, TEMPLATE};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How often an admin may be asked to press Start.
const STARTS_MAX: u32 = 5;

/// Options of `ferry init`.
#[derive(Debug, Args)]
pub struct InitOptions {
    /// Where to write it
    #[arg(value_name = "FILE", default_value = FILE_DEFAULT)]
    file: PathBuf,
    /// The application's id, from <https://my.telegram.org/apps>
    #[arg(long, value_name = "ID")]
    api_id: Option<i32>,
    /// A file with the application's hash in it
    #[arg(long, value_name = "FILE")]
    api_hash_file: Option<PathBuf>,
    /// A file with the bot's token in it, as @BotFather told it; on a command line others could read it
    #[arg(long, value_name = "FILE", requires = "admin")]
    token_file: Option<PathBuf>,
    /// Who may command the bot, by Telegram user id; may be repeated
    #[arg(long, value_name = "ID", requires = "token_file")]
    admin: Vec<i64>,
    /// Another Bot API than Telegram's own
    #[arg(long, value_name = "URL")]
    bot_api: Option<String>,
    /// Ask nothing: write what the flags say, or the template
    #[arg(short, long)]
    yes: bool,
}

/// What goes into the template.
#[derive(Default)]
struct Answers {
    api: Option<(i32, SecretString)>,
    bot: Option<BotAnswers>,
}

struct BotAnswers {
    token: SecretString,
    admins: Vec<i64>,
    api: Option<String>,
}

/// Writes the file, unless there is one.
///
/// # Errors
/// There is one, it cannot be written, or Telegram does not know the bot or the admin.
pub async fn run(options: &InitOptions, terminal: &Terminal) -> Result<(), Failure> {
    let path = options.file.display();
    if options.file.exists() {
        return Err(Failure::Input(format!("{path} exists already, and is left as it is")));
    }
    let flags = options.api_id.is_some() || options.token_file.is_some();
    let answers = if options.yes || flags || !io::stdin().is_terminal() {
        options.answers(terminal).await?
    } else {
        asked(terminal, options.bot_api.clone()).await?
    };
    write(&options.file, &filled(&answers))?;
    let application = answers.api.map_or("Fill in api id and hash, then: ", |_filled_in| "Next: ");
    let served = if answers.bot.is_some() { ", then: ferry serve" } else { "" };
    terminal.line(format!("Wrote {path}. {application}ferry account add{served}"));
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let path = file.display();
    // It holds secrets, now or later.
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::Input(format!("{path} exists already, and is left as it is")),
        _ => Failure::Input(format!("cannot write {path}: {error}")),
    })
}

impl InitOptions {
    async fn answers(&self, terminal: &Terminal) -> Result<Answers, Failure> {
        let api = match (self.api_id, &self.api_hash_file) {
            (Some(id), Some(file)) => Some((id, secret(file)?)),
            (None, None) => None,
            _ => return Err(Failure::Input("--api-id and --api-hash-file go together".to_owned())),
        };
        let Some(token_file) = &self.token_file else { return Ok(Answers { api, bot: None }) };
        let answers = BotAnswers { token: secret(token_file)?, admins: self.admin.clone(), api: self.bot_api.clone() };
        let (bot, identity) = known(&answers.token, answers.api.clone()).await?;
        terminal.line(format!("The bot is @{}", identity.username));
        for admin in &answers.admins {
            bot.reach(ChatId(*admin)).await.map_err(|error| unreachable(*admin, &identity, &error))?;
        }
        Ok(Answers { api, bot: Some(answers) })
    }
}

fn secret(file: &Path) -> Result<SecretString, Failure> {
    let read = std::fs::read_to_string(file);
    let text = read.map_err(|error| Failure::Input(format!("cannot read {}: {error}", file.display())))?;
    Ok(SecretString::from(text.trim().to_owned()))
}

/// The bot of this token, once Telegram says that there is one.
async fn known(token: &SecretString, api: Option<String>) -> Result<(TelegramBot, Identity), Failure> {
    let settings = TelegramSettings { token: token.clone(), api, proxy: None };
    let bot = TelegramBot::new(&settings).map_err(|error| Failure::input(&error))?;
    match bot.identity().await {
        Ok(identity) => Ok((bot, identity)),
        Err(BotError::Refused(_) | BotError::Gone(_)) => {
            Err(Failure::Input("telegram knows no bot with this token: copy it once more from @BotFather".to_owned()))
        }
        Err(error @ (BotError::Failed(_) | BotError::RetryAfter { .. })) => Err(Failure::failed(&error)),
    }
}

/// Why the bot cannot write to an admin, and what to do.
fn unreachable(admin: i64, identity: &Identity, error: &BotError) -> Failure {
    match error {
        BotError::Gone(_) | BotError::Refused(_) => Failure::Input(format!(
            "the bot may not write to {admin}: Telegram lets it write only to people who wrote to it first. Open \
             https://t.me/{} as that person, press Start, and try again",
            identity.username
        )),
        BotError::Failed(_) | BotError::RetryAfter { .. } => Failure::failed(error),
    }
}

async fn asked(terminal: &Terminal, bot_api: Option<String>) -> Result<Answers, Failure> {
    let answered = |answer: io::Result<String>| answer.map_err(|error| Failure::Input(format!("no answer: {error}")));
    terminal.line("Enter alone leaves a question for later.");
    let id = answered(terminal.ask("Application id, from https://my.telegram.org/apps"))?;
    let api = match id.as_str() {
        "" => None,
        id => {
            let id = id.parse().map_err(|_no_number| Failure::Input(format!("{id:?} is no application id")))?;
            Some((id, SecretString::from(answered(terminal.ask_secret("Application hash"))?)))
        }
    };
    let token = answered(terminal.ask_secret("The bot's token, from @BotFather"))?;
    if token.is_empty() {
        return Ok(Answers { api, bot: None });
    }
    let token = SecretString::from(token);
    let (bot, identity) = known(&token, bot_api.clone()).await?;
    let link = format!("https://t.me/{}", identity.username);
    let mut admin = None;
    for _ in 0..STARTS_MAX {
        let question = format!("Your Telegram user id; if you do not know it, press Start in {link}, then Enter here");
        let told = answered(terminal.ask(&question))?;
        let id = if told.is_empty() { last_writer(&bot, terminal).await? } else { told.parse().ok() };
        let Some(id) = id else {
            terminal.line("Nobody's id yet.");
            continue;
        };
        match bot.reach(ChatId(id)).await {
            Ok(()) => {
                admin = Some(id);
                break;
            }
            Err(error) => terminal.line(unreachable(id, &identity, &error).line()),
        }
    }
    let Some(admin) = admin else {
        return Err(Failure::Input(format!("no admin was found: open {link}, press Start, and run ferry init again")));
    };
    terminal.line(format!("@{} will obey {admin} alone", identity.username));
    Ok(Answers { api, bot: Some(BotAnswers { token, admins: vec![admin], api: bot_api }) })
}

/// Who wrote to the bot last. Nothing is confirmed: the bot will still see it.
async fn last_writer(bot: &TelegramBot, terminal: &Terminal) -> Result<Option<i64>, Failure> {
    let updates = bot.updates(None, 0).await.map_err(|error| match error {
        BotError::Refused(why) => Failure::Input(format!("the bot is in use elsewhere ({why}): name your id instead")),
        other => Failure::failed(&other),
    })?;
    let writer = updates.into_iter().rev().find_map(|update| update.incoming).map(|incoming| incoming.chat.0);
    // Anybody may write to a bot: whom it will obey is not decided by who was the last.
    let Some(id) = writer else { return Ok(None) };
    let is_them = terminal.ask(&format!("{id} wrote to the bot last. Is that you? [y/N]"));
    let is_them = is_them.map_err(|error| Failure::Input(format!("no answer: {error}")))?;
    Ok(matches!(is_them.trim(), "y" | "Y" | "yes").then_some(id))
}

/// The template with the answers in it. What is not known stays a comment.
fn filled(answers: &Answers) -> String {
    let mut text = TEMPLATE.to_owned();
    if let Some((id, hash)) = &answers.api {
        text = text.replace("id = 0\n", &format!("id = {id}\n"));
        text = text.replace("hash = \"\"", &format!("hash = {}", quoted(hash.expose_secret())));
    }
    if let Some(bot) = &answers.bot {
        let token = format!("[bot]\ntoken = {}\n", quoted(bot.token.expose_secret()));
        text = text.replace("# [bot]\n# token = \"123456789:AAF7...\"\n", &token);
        text = text.replace("# admins = [123456789]", &format!("admins = {:?}", bot.admins));
        if let Some(api) = &bot.api {
            text = text.replace("# api = \"http://127.0.0.1:8081\"", &format!("api = {}", quoted(api)));
        }
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;

    #[test]
    fn what_is_written_is_a_configuration() {
        let bot = BotAnswers {
            token: SecretString::from("123:abcdefgh_-1"),
            admins: vec![5, 6],
            api: Some("http://127.0.0.1:1".to_owned()),
        };
        let answers = Answers { api: Some((7, SecretString::from("ab\"c"))), bot: Some(bot) };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ferry.toml");
        write(&file, &filled(&answers)).unwrap();
        let configuration = Configuration::load(&file).unwrap();
        assert_eq!((configuration.setup.api.id, configuration.setup.api.hash.expose_secret()), (7, "ab\"c"));
        let bot = configuration.bot.unwrap();
        assert_eq!(bot.admins.chats(), [ChatId(5), ChatId(6)]);
        assert_eq!(bot.telegram.api.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(filled(&Answers::default()), TEMPLATE);
    }
}
