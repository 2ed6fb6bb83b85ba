//! What the function is told by its environment. Read once, when an instance starts; a mistake is one clear line, and the
//! instance ends.

use jiff::tz::TimeZone;
use secrecy::SecretString;
use transfer::bot::telegram::{SettingsError, TelegramSettings};
use transfer::environment::{self, ADMINS, BOT_API, BOT_ID, BOT_TOKEN, Environment, METRICS, QUEUE_URL, STAGE, TABLE};
use transfer::seal::SealingKey;

use crate::gate::{Admins, GateError};

/// What Telegram sends back in each delivery.
pub const WEBHOOK_SECRET: &str = "FERRY_WEBHOOK_SECRET";
/// The public key with which secrets are sealed.
pub const SEALING_KEY: &str = "FERRY_SEALING_KEY";

/// What the function needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The way to the bot.
    pub telegram: TelegramSettings,
    /// What Telegram sends back in each delivery.
    pub secret: SecretString,
    /// Whom the bot obeys.
    pub admins: Admins,
    /// The table's name.
    pub table: String,
    /// The queue's address.
    pub queue_url: String,
    /// The zone of admins who chose none.
    pub zone: TimeZone,
    /// The key with which secrets are sealed; it opens none.
    pub sealing_key: SealingKey,
    /// Which bot's part of the table; 0 where there is one bot.
    pub bot_id: i64,
    /// Namespace and stage under which CloudWatch keeps the metrics; `None`: there are none.
    pub metrics: Option<(String, String)>,
}

/// Why the function does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unset {
    /// A variable that hosts have too is missing or makes no sense.
    #[error(transparent)]
    Variable(#[from] environment::Unset),
    /// There is no way to keep a secret.
    #[error("{SEALING_KEY} is no public sealing key; ferry keys show prints it, 43 characters")]
    SealingKey,
    /// The gate would stand open.
    #[error("{ADMINS} or {WEBHOOK_SECRET} is unfit")]
    Gate(#[source] GateError),
    /// The bot cannot be reached with that.
    #[error("{BOT_TOKEN} or {BOT_API} is unfit")]
    Bot(#[source] SettingsError),
}

impl Settings {
    /// Reads them; `variable` gives a variable of the environment.
    ///
    /// # Errors
    /// The first that is missing or makes no sense.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        let environment = Environment::new(variable);
        let token = SecretString::from(environment.needed(BOT_TOKEN)?);
        let sealing_key = environment.needed(SEALING_KEY)?;
        Ok(Self {
            telegram: TelegramSettings { token, api: environment.given(BOT_API), proxy: None },
            secret: SecretString::from(environment.needed(WEBHOOK_SECRET)?),
            admins: Admins::new(environment.numbers(ADMINS)?).map_err(Unset::Gate)?,
            table: environment.needed(TABLE)?,
            queue_url: environment.needed(QUEUE_URL)?,
            zone: environment.zone()?,
            sealing_key: sealing_key.parse().map_err(|_no_key| Unset::SealingKey)?,
            bot_id: environment.number(BOT_ID)?.unwrap_or(0),
            metrics: match environment.given(METRICS) {
                Some(namespace) => Some((namespace, environment.needed(STAGE)?)),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use transfer::environment::ZONE;

    use super::*;

    fn good() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            (BOT_TOKEN, "123456:planted-SECRET_token"),
            (WEBHOOK_SECRET, "planted-SECRET-of-the-webhook"),
            (ADMINS, "5, 6"),
            (TABLE, "ferry"),
            (QUEUE_URL, "http://127.0.0.1:1/queue"),
            // Any 32 bytes are a public key of X25519.
            (SEALING_KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        ])
    }

    fn read(variables: &BTreeMap<&str, &str>) -> Result<Settings, Unset> {
        Settings::read(|name| variables.get(name).map(|text| (*text).to_owned()))
    }

    #[test]
    fn six_variables_are_enough() {
        let settings = read(&good()).unwrap();
        assert_eq!((settings.table.as_str(), settings.bot_id), ("ferry", 0));
        assert_eq!(settings.admins.chats().len(), 2);
        assert!(!format!("{settings:?}").contains("SECRET"));
    }

    #[test]
    fn every_mistake_names_its_variable_and_no_secret() {
        for (name, value) in [
            (BOT_TOKEN, ""),
            (WEBHOOK_SECRET, " "),
            (ADMINS, ""),
            (ADMINS, "5;6"),
            (ADMINS, "-100123"),
            (TABLE, ""),
            (QUEUE_URL, ""),
            (SEALING_KEY, ""),
            (SEALING_KEY, "planted"),
            (ZONE, "Atlantis"),
            (BOT_ID, "x"),
        ] {
            let mut variables = good();
            variables.insert(name, value);
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("planted"), "{name}={value:?}: {error}");
        }
    }
}
