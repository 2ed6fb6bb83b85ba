//! What the function is told by its environment. Read once, when an instance starts; a mistake is one clear line, and the
//! instance ends.

use jiff::tz::TimeZone;
use secrecy::SecretString;
use transfer::bot::telegram::{SettingsError, TelegramSettings};
use transfer::seal::SealingKey;

use crate::gate::{Admins, GateError};

/// The bot's token.
pub const BOT_TOKEN: &str = "FERRY_BOT_TOKEN";
/// What Telegram sends back in each delivery.
pub const WEBHOOK_SECRET: &str = "FERRY_WEBHOOK_SECRET";
/// Telegram user ids with commas between.
pub const ADMINS: &str = "FERRY_ADMINS";
/// The table's name.
pub const TABLE: &str = "FERRY_TABLE";
/// The queue's address.
pub const QUEUE_URL: &str = "FERRY_QUEUE_URL";
/// The public key with which secrets are sealed.
pub const SEALING_KEY: &str = "FERRY_SEALING_KEY";
/// The zone of admins who chose none.
pub const ZONE: &str = "FERRY_ZONE";
/// Another Bot API than Telegram's own.
pub const BOT_API: &str = "FERRY_BOT_API";
/// Which bot's part of the table.
pub const BOT_ID: &str = "FERRY_BOT_ID";

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
}

/// Why the function does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unset {
    /// A variable is not there, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable is no number, or a list that is none.
    #[error("{0} is no number, or no list of numbers with commas between")]
    NoNumber(&'static str),
    /// There is no such zone.
    #[error("{ZONE} names no time zone; write one such as Europe/London")]
    Zone,
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
        let given = |name: &'static str| variable(name).map(|text| text.trim().to_owned()).filter(|t| !t.is_empty());
        let needed = |name: &'static str| given(name).ok_or(Unset::Missing(name));
        let token = SecretString::from(needed(BOT_TOKEN)?);
        let secret = SecretString::from(needed(WEBHOOK_SECRET)?);
        let ids = given(ADMINS).unwrap_or_default();
        let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
        let ids: Result<Vec<i64>, _> = ids.map(str::parse).collect();
        let ids = ids.map_err(|_no_number| Unset::NoNumber(ADMINS))?;
        let zone = given(ZONE).map_or(Ok(TimeZone::UTC), |zone| TimeZone::get(&zone));
        let bot_id = given(BOT_ID).map_or(Ok(0), |id| id.parse());
        Ok(Self {
            telegram: TelegramSettings { token, api: given(BOT_API), proxy: None },
            secret,
            admins: Admins::new(ids).map_err(Unset::Gate)?,
            table: needed(TABLE)?,
            queue_url: needed(QUEUE_URL)?,
            zone: zone.map_err(|_unknown| Unset::Zone)?,
            sealing_key: needed(SEALING_KEY)?.parse().map_err(|_no_key| Unset::SealingKey)?,
            bot_id: bot_id.map_err(|_no_number| Unset::NoNumber(BOT_ID))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
