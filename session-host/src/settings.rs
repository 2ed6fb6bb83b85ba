//! What a host in AWS is told by its environment. Read once, at the start; a mistake is one clear line, and the host ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use transfer::bot::telegram::{SettingsError, TelegramSettings};
use transfer::environment::{
    self, ADMINS, BOT_API, BOT_ID, BOT_TOKEN, Environment, METRICS, QUEUE_URL, RELEASE, STAGE, TABLE,
};
use transfer::ids::ChatId;

use crate::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use crate::telegram::setup::{ApiCredentials, Setup};
use crate::vault::wrapped::{WrappedError, WrappedRing};

/// The application's number.
pub const API_ID: &str = "FERRY_API_ID";
/// Its secret.
pub const API_HASH: &str = "FERRY_API_HASH";
/// The key ring, wrapped.
pub const KEYS: &str = "FERRY_KEYS";
/// Another Telegram: addresses of its data centres, such as `1=127.0.0.1:4431,2=127.0.0.1:4432`.
pub const TELEGRAM_DCS: &str = "FERRY_TELEGRAM_DCS";
/// By which key that one is known: modulus and exponent, both decimal, with a colon between.
pub const TELEGRAM_KEY: &str = "FERRY_TELEGRAM_KEY";
/// On which port of loopback the host tells whether it may act.
pub const HEALTH_PORT: &str = "FERRY_HEALTH_PORT";
/// That port, where nothing else is said.
pub const HEALTH_PORT_DEFAULT: u16 = 8_087;

/// What a host needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The way to the bot that tells what happens.
    pub telegram: TelegramSettings,
    /// Who is told what concerns the whole installation.
    pub admins: Vec<ChatId>,
    /// The table's name.
    pub table: String,
    /// Which bot's part of it.
    pub bot_id: i64,
    /// The queue's address.
    pub queue_url: String,
    /// In which zone days begin.
    pub zone: TimeZone,
    /// The way to Telegram.
    pub setup: Setup,
    /// The key ring as it was handed over.
    pub keys: WrappedRing,
    /// The installation's name; its keys are wrapped for it.
    pub stage: String,
    /// Which release this is, where somebody said.
    pub release: Option<String>,
    /// The CloudWatch namespace of the metrics; `None`: there are none.
    pub metrics: Option<String>,
    /// On which port of loopback the host tells whether it may act.
    pub health_port: u16,
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum Unset {
    /// A variable that the function has too is missing or makes no sense.
    #[error(transparent)]
    Variable(#[from] environment::Unset),
    /// Nobody would be told anything.
    #[error("{ADMINS} names no user of Telegram: people have positive ids, such as 123456789")]
    Admins,
    /// The application has no such number.
    #[error("{API_ID} is no api_id of https://my.telegram.org/apps")]
    ApiId,
    /// The bot cannot be reached with that.
    #[error("{BOT_TOKEN} or {BOT_API} is unfit")]
    Bot(#[source] SettingsError),
    /// The ring is none.
    #[error(transparent)]
    Keys(#[from] WrappedError),
    /// The other Telegram's addresses make no sense.
    #[error("{TELEGRAM_DCS} lists no data centres: write 1=127.0.0.1:4431,2=127.0.0.1:4432")]
    Dcs,
    /// The other Telegram's key is none, or one of the two is missing.
    #[error(
        "{TELEGRAM_KEY} is no RSA key of 2048 bits, or {TELEGRAM_DCS} is missing: write modulus and exponent in decimal, \
         with a colon between"
    )]
    ServerKey,
}

impl Settings {
    /// Reads them; `variable` gives a variable of the environment.
    ///
    /// # Errors
    /// The first that is missing or makes no sense.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        let environment = Environment::new(variable);
        let admins = environment.numbers(ADMINS)?;
        if admins.is_empty() || admins.iter().any(|id| *id <= 0) {
            return Err(Unset::Admins);
        }
        let token = SecretString::from(environment.needed(BOT_TOKEN)?);
        let telegram = TelegramSettings { token, api: environment.given(BOT_API), proxy: None };
        transfer::bot::telegram::TelegramBot::new(&telegram).map_err(Unset::Bot)?;
        Ok(Self {
            telegram,
            admins: admins.into_iter().map(ChatId).collect(),
            table: environment.needed(TABLE)?,
            bot_id: environment.number(BOT_ID)?.unwrap_or(0),
            queue_url: environment.needed(QUEUE_URL)?,
            zone: environment.zone()?,
            setup: setup(&environment)?,
            keys: WrappedRing::read(&environment.needed(KEYS)?, KEYS)?,
            stage: environment.needed(STAGE)?,
            release: environment.given(RELEASE),
            metrics: environment.given(METRICS),
            health_port: environment.number(HEALTH_PORT)?.unwrap_or(HEALTH_PORT_DEFAULT),
        })
    }
}

fn setup<F: Fn(&str) -> Option<String>>(environment: &Environment<F>) -> Result<Setup, Unset> {
    let id = environment.number(API_ID)?.filter(|id| *id > 0).ok_or(Unset::ApiId)?;
    let mut setup = Setup::telegram(ApiCredentials { id, hash: SecretString::from(environment.needed(API_HASH)?) });
    match (environment.given(TELEGRAM_DCS), environment.given(TELEGRAM_KEY)) {
        (None, None) => {}
        (Some(dcs), Some(key)) => {
            setup.dcs = addresses(&dcs).ok_or(Unset::Dcs)?;
            let (modulus, exponent) = key.split_once(':').ok_or(Unset::ServerKey)?;
            let key = RsaPublicKey::new(modulus, exponent).map_err(|_unfit| Unset::ServerKey)?;
            setup.keys = RsaKeys::new(vec![key]);
        }
        (Some(_), None) | (None, Some(_)) => return Err(Unset::ServerKey),
    }
    Ok(setup)
}

/// `1=127.0.0.1:4431,2=…`
fn addresses(text: &str) -> Option<BTreeMap<i32, SocketAddr>> {
    let address = |part: &str| {
        let (dc, address) = part.split_once('=')?;
        Some((dc.trim().parse().ok().filter(|dc| *dc > 0)?, address.trim().parse().ok()?))
    };
    text.split(',').map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: &str = "{\"schema\":1,\"current\":\"k\",\"keys\":[]}";

    fn good() -> BTreeMap<&'static str, String> {
        let texts = [
            (BOT_TOKEN, "123456:planted-SECRET_token"),
            (ADMINS, "5, 6"),
            (TABLE, "ferry"),
            (QUEUE_URL, "http://127.0.0.1:1/queue"),
            (API_ID, "7"),
            (API_HASH, "planted-SECRET-hash"),
            (KEYS, RING),
            (STAGE, "prod"),
        ];
        texts.map(|(name, text)| (name, text.to_owned())).into()
    }

    fn read(variables: &BTreeMap<&str, String>) -> Result<Settings, Unset> {
        Settings::read(|name| variables.get(name).cloned())
    }

    #[test]
    fn eight_variables_are_enough_and_none_is_shown() {
        let settings = read(&good()).unwrap();
        assert_eq!((settings.admins.len(), settings.setup.dcs.len(), settings.metrics.as_ref()), (2, 5, None));
        assert!(!format!("{settings:?}").contains("SECRET"));
    }

    #[test]
    fn another_telegram_is_named_by_addresses_and_key_together() {
        let mut variables = good();
        variables.insert(TELEGRAM_DCS, "1=127.0.0.1:1, 2=127.0.0.1:2".to_owned());
        assert!(matches!(read(&variables), Err(Unset::ServerKey)));
        let modulus = (num_bigint::BigUint::from(1_u32) << 2047_u32) + 1_u32;
        variables.insert(TELEGRAM_KEY, format!("{modulus}:65537"));
        assert_eq!(read(&variables).unwrap().setup.dcs.len(), 2);
        for wrong in ["1", "0=127.0.0.1:1", "1=localhost", ""] {
            variables.insert(TELEGRAM_DCS, wrong.to_owned());
            assert!(read(&variables).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_mistake_names_its_variable_and_no_secret() {
        for (name, value) in [
            (BOT_TOKEN, ""),
            (BOT_TOKEN, "planted"),
            (ADMINS, ""),
            (ADMINS, "5;6"),
            (ADMINS, "-100123"),
            (TABLE, " "),
            (QUEUE_URL, ""),
            (API_ID, ""),
            (API_ID, "planted"),
            (API_ID, "-7"),
            (API_HASH, ""),
            (KEYS, ""),
            (KEYS, "planted"),
            (STAGE, ""),
            (HEALTH_PORT, "70000"),
            (BOT_ID, "planted"),
        ] {
            let mut variables = good();
            variables.insert(name, value.to_owned());
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("planted"), "{name}={value:?}: {error}");
        }
    }
}
