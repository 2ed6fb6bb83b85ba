//! The configuration file: how to reach Telegram, and where data lies on this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use secrecy::SecretString;
use serde::Deserialize;
use session_host::exchange::proxy::Proxy;
use session_host::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use session_host::telegram::setup::{ApiCredentials, Setup};
use transfer::bot::telegram::{TelegramBot, TelegramSettings};
use webhook::gate::{Admins, Gate};

use crate::engines::{EngineAddresses, Engines, EnginesError};
use crate::failure::Failure;
use crate::host;

/// The file's name when nobody says otherwise.
pub const FILE_DEFAULT: &str = "ferry.toml";

/// What `ferry init` writes.
pub const TEMPLATE: &str = r#"# Ferry's configuration. Lines that begin with # are comments; remove the # to change a setting.

# Where accounts, transfers and the log are kept, relative to this file. Sessions in it are full control of your
# accounts: keep it to yourself.
data_dir = "ferry-data"

# In which zone days begin (daily budgets) and dates are meant (--since, --until). The machine's if left out.
# zone = "Europe/London"

# All connections to Telegram go through this SOCKS5 proxy.
# proxy = "socks5://user:password@127.0.0.1:1080"

# Your application, from https://my.telegram.org/apps
[api]
id = 0
hash = ""

# One account instead of the pool: ferry serve and ferry transfer take it from the environment, not from here (FERRY_SESSION or
# FERRY_SESSION_FILE, and FERRY_API_ID with FERRY_API_HASH or FERRY_API_HASH_FILE; see their --help).

# The bot through which you command Ferry (ferry serve): token from @BotFather, and who may command it, by Telegram user id.
# [bot]
# token = "123456789:AAF7..."
# admins = [123456789]
# Another server than Telegram's own.
# api = "http://127.0.0.1:8081"
# By webhook instead of asking Telegram again and again: a proxy of yours passes what comes to the url on to this address.
# [bot.webhook]
# url = "https://ferry.example.org/telegram"
# listen = "127.0.0.1:8080"
# secret = "32 characters or so of A-Z, a-z, 0-9, _ and -"

# Another server than Telegram's own, such as `ferry simulator`.
# [telegram]
# rsa_key_file = "server.pem"
# [telegram.dcs]
# 1 = "127.0.0.1:4431"
# 2 = "127.0.0.1:4432"

# Another table and queue than the embedded ones: an emulator of AWS, to try things against.
# [engines]
# dynamodb = "http://127.0.0.1:4566"
# sqs = "http://127.0.0.1:4566"
"#;

/// The file's content; no `Debug`, because it holds secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    data_dir: PathBuf,
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    proxy: Option<String>,
    api: Api,
    #[serde(default)]
    telegram: Option<Server>,
    #[serde(default)]
    bot: Option<BotContent>,
    #[serde(default)]
    engines: Option<EngineAddresses>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BotContent {
    token: String,
    admins: Vec<i64>,
    #[serde(default)]
    api: Option<String>,
    #[serde(default)]
    webhook: Option<WebhookContent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookContent {
    url: String,
    listen: SocketAddr,
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    id: i32,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    rsa_key_file: PathBuf,
    dcs: BTreeMap<String, SocketAddr>,
}

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The way to Telegram.
    pub setup: Setup,
    /// Where data lies.
    pub data_dir: PathBuf,
    /// The admin's zone.
    pub zone: TimeZone,
    /// The bot, where there is one.
    pub bot: Option<BotConfiguration>,
    /// Table and queue; `None`: embedded ones in the data directory.
    pub engines: Option<EngineAddresses>,
}

/// The bot and whom it obeys.
#[derive(Debug, Clone)]
pub struct BotConfiguration {
    /// The way to it.
    pub telegram: TelegramSettings,
    /// Whom it obeys.
    pub admins: Admins,
    /// Where Telegram delivers; `None`: updates are fetched.
    pub webhook: Option<WebhookConfiguration>,
}

/// Where Telegram delivers.
#[derive(Debug, Clone)]
pub struct WebhookConfiguration {
    /// As Telegram sees it.
    pub url: String,
    /// Where it arrives on this machine.
    pub listen: SocketAddr,
    /// What Telegram sends back in each delivery.
    pub secret: SecretString,
}

impl Configuration {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// It is missing, broken, or says something that makes no sense.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::Input(format!(
                "there is no configuration {}: write one with ferry init, or name it with --config",
                path.display()
            )),
            _ => Failure::Input(format!("cannot read {}: {error}", path.display())),
        })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
            .map_err(|why| Failure::Input(format!("{}: {why}", path.display())))
    }

    fn parse(text: &str, dir: &Path) -> Result<Self, String> {
        // The error's own text would quote the line, which may hold a secret.
        let content: Content = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            format!("line {line}: {}", error.message().lines().next().unwrap_or_default())
        })?;
        let proxy = content.proxy.as_deref().map(str::parse::<Proxy>);
        if content.api.id <= 0 || content.api.hash.trim().is_empty() {
            return Err("api id and hash are missing: get them from https://my.telegram.org/apps".to_owned());
        }
        let api = ApiCredentials { id: content.api.id, hash: SecretString::from(content.api.hash) };
        let mut setup = Setup::telegram(api);
        setup.proxy = proxy.transpose().map_err(|error| error.to_string())?;
        if let Some(server) = content.telegram {
            setup.keys = RsaKeys::new(vec![rsa_key(&dir.join(server.rsa_key_file))?]);
            setup.dcs = dcs(server.dcs)?;
        }
        let zone = host::zone(content.zone.as_deref()).map_err(|failure| failure.line().to_owned())?;
        let bot = content.bot.map(|bot| bot.check(content.proxy.as_deref())).transpose()?;
        Ok(Self { setup, data_dir: dir.join(content.data_dir), zone, bot, engines: content.engines })
    }

    /// Table and queue, running.
    ///
    /// # Errors
    /// They do not start, or do not answer.
    pub async fn engines(&self) -> Result<Engines, EnginesError> {
        match &self.engines {
            None => Engines::start(&self.data_dir).await,
            Some(addresses) => Engines::attach(&self.data_dir, addresses).await,
        }
    }

    /// The same for a command of a moment, which may work beside the process that works on the data directory.
    ///
    /// # Errors
    /// They do not start, or do not answer.
    pub async fn engines_or_beside(&self) -> Result<Engines, EnginesError> {
        match self.engines().await {
            Err(EnginesError::Busy(_)) => Engines::beside(&self.data_dir, self.engines.as_ref()).await,
            engines => engines,
        }
    }
}

impl BotContent {
    fn check(self, proxy: Option<&str>) -> Result<BotConfiguration, String> {
        let admins = Admins::new(self.admins).map_err(|error| format!("bot.admins: {error}"))?;
        // A server of one's own is not behind the way to Telegram. Names are looked up by the proxy, not here.
        let proxy = proxy.filter(|_| self.api.is_none()).map(|proxy| proxy.replacen("socks5:", "socks5h:", 1));
        let telegram = TelegramSettings {
            token: SecretString::from(self.token.trim().to_owned()),
            api: self.api,
            proxy: proxy.map(SecretString::from),
        };
        TelegramBot::new(&telegram).map_err(|error| format!("bot: {error}"))?;
        let webhook = self.webhook.map(|webhook| webhook.check(&admins)).transpose()?;
        Ok(BotConfiguration { telegram, admins, webhook })
    }
}

impl WebhookContent {
    fn check(self, admins: &Admins) -> Result<WebhookConfiguration, String> {
        let secret = SecretString::from(self.secret);
        Gate::new(&secret, admins.clone()).map_err(|error| format!("bot.webhook: {error}"))?;
        Ok(WebhookConfiguration { url: self.url, listen: self.listen, secret })
    }
}

fn dcs(written: BTreeMap<String, SocketAddr>) -> Result<BTreeMap<i32, SocketAddr>, String> {
    let number = |(dc, address): (String, SocketAddr)| match dc.parse::<i32>() {
        Ok(dc) if dc > 0 => Ok((dc, address)),
        Ok(_) | Err(_) => Err(format!("{dc:?} is no number of a data centre")),
    };
    let dcs: BTreeMap<i32, SocketAddr> = written.into_iter().map(number).collect::<Result<_, _>>()?;
    if dcs.is_empty() { Err("telegram.dcs names no data centre".to_owned()) } else { Ok(dcs) }
}

fn rsa_key(path: &Path) -> Result<RsaPublicKey, String> {
    let pem = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let wrong = || format!("{} is no RSA public key of 2048 bits (BEGIN RSA PUBLIC KEY)", path.display());
    let key = rsa::RsaPublicKey::from_pkcs1_pem(&pem).map_err(|_unreadable| wrong())?;
    RsaPublicKey::new(&key.n().to_string(), &key.e().to_string()).map_err(|_unfit| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_api(text: &str) -> String {
        text.replace("id = 0", "id = 5").replace("hash = \"\"", "hash = \"abc\"")
    }

    #[test]
    fn the_template_is_a_configuration_once_the_application_is_filled_in() {
        let error = Configuration::parse(TEMPLATE, Path::new("/c")).unwrap_err();
        assert!(error.contains("my.telegram.org"), "{error}");
        let configuration = Configuration::parse(&with_api(TEMPLATE), Path::new("/c")).unwrap();
        assert_eq!(configuration.data_dir, Path::new("/c/ferry-data"));
        assert_eq!(configuration.setup.dcs.len(), 5);
    }

    const BOT: &str = "[bot]\ntoken = \"12345:planted-SECRET\"\nadmins = [5]\n[bot.webhook]\n\
        url = \"https://a.example/x\"\nlisten = \"127.0.0.1:1\"\nsecret = \"SECRET-of-the-webhook\"\n";

    #[test]
    fn the_templates_own_lines_about_the_bot_are_a_configuration() {
        let mut text = with_api(TEMPLATE);
        for line in ["[bot]", "token =", "admins =", "[bot.webhook]", "url =", "listen =", "secret ="] {
            text = text.replace(&format!("# {line}"), line);
        }
        let text = text.replace("32 characters or so of A-Z, a-z, 0-9, _ and -", "0123456789abcdef");
        let text = text.replace("AAF7...", "AAF7-abcdefgh");
        let bot = Configuration::parse(&text, Path::new("/c")).unwrap().bot.unwrap();
        assert_eq!(bot.admins.chats().len(), 1);
        assert_eq!(bot.webhook.unwrap().listen.port(), 8080);
    }

    #[test]
    fn a_bot_that_anybody_could_command_is_refused_without_its_secrets() {
        let good = with_api(TEMPLATE) + BOT;
        assert!(Configuration::parse(&good, Path::new("/c")).unwrap().bot.is_some());
        for (mistake, words) in [
            (good.replace("admins = [5]", "admins = []"), "bot.admins"),
            (good.replace("admins = [5]", "admins = [-1001]"), "bot.admins"),
            (good.replace("12345:planted", "planted"), "@BotFather"),
            (good.replace("SECRET-of-the-webhook", "SECRET"), "bot.webhook"),
            (good.replace("admins = [5]", "admins = \"5\""), "line"),
        ] {
            let error = Configuration::parse(&mistake, Path::new("/c")).unwrap_err();
            assert!(error.contains(words) && !error.contains("SECRET"), "{error}");
        }
        let shown = format!("{:?}", Configuration::parse(&good, Path::new("/c")).unwrap());
        assert!(!shown.contains("SECRET"), "{shown}");
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_without_secrets() {
        let good = with_api(TEMPLATE).replace("user:password", "user:hunter2");
        for (mistake, words) in [
            (good.replace("[api]", "colour = 1\n[api]"), "colour"),
            (good.replace("# zone = \"Europe/London\"", "zone = \"Atlantis\""), "Atlantis"),
            (good.replace("# proxy = \"socks5", "proxy = \"http"), "socks5://"),
            (good.replace("id = 5", "id = \"five\""), "line"),
            (good + "[telegram]\nrsa_key_file = \"none.pem\"\ndcs = { 1 = \"127.0.0.1:1\" }\n", "none.pem"),
        ] {
            let error = Configuration::parse(&mistake, Path::new("/nowhere")).unwrap_err();
            assert!(error.contains(words) && !error.contains("abc") && !error.contains("hunter2"), "{error}");
        }
    }
}
