//! What programs in AWS are told by their environment: variables that function and hosts share, and how a variable is read.
//!
//! Read once, at the start. A mistake names its variable, never what stands in it: that may be a secret.

use std::str::FromStr;

use jiff::tz::TimeZone;

/// The bot's token.
pub const BOT_TOKEN: &str = "FERRY_BOT_TOKEN";
/// Another Bot API than Telegram's own.
pub const BOT_API: &str = "FERRY_BOT_API";
/// Which bot's part of the table; 0 where there is one bot.
pub const BOT_ID: &str = "FERRY_BOT_ID";
/// Telegram user ids of the admins, with commas between.
pub const ADMINS: &str = "FERRY_ADMINS";
/// The table's name.
pub const TABLE: &str = "FERRY_TABLE";
/// The queue's address.
pub const QUEUE_URL: &str = "FERRY_QUEUE_URL";
/// The zone of admins who chose none.
pub const ZONE: &str = "FERRY_ZONE";
/// The installation's name: several can live in one AWS account.
pub const STAGE: &str = "FERRY_STAGE";
/// Which release was deployed; any text.
pub const RELEASE: &str = "FERRY_RELEASE";
/// The CloudWatch namespace of the metrics; without it there are none.
pub const METRICS: &str = "FERRY_METRICS";

/// Gives the variables of an environment.
#[derive(Debug, Clone, Copy)]
pub struct Environment<F>(F);

/// Why a variable cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unset {
    /// It is not there, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is no number, or a list that is none.
    #[error("{0} is no number, or no list of numbers with commas between")]
    NoNumber(&'static str),
    /// There is no such zone.
    #[error("{ZONE} names no time zone; write one such as Europe/London")]
    Zone,
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// The environment in which `variable` gives what stands under a name.
    pub fn new(variable: F) -> Self {
        Self(variable)
    }

    /// What stands there; `None` if nothing or only blanks do.
    pub fn given(&self, name: &str) -> Option<String> {
        self.0(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// What must stand there.
    ///
    /// # Errors
    /// Nothing does.
    pub fn needed(&self, name: &'static str) -> Result<String, Unset> {
        self.given(name).ok_or(Unset::Missing(name))
    }

    /// A number.
    ///
    /// # Errors
    /// What stands there is none.
    pub fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Unset> {
        self.given(name).map(|text| text.parse().map_err(|_no_number| Unset::NoNumber(name))).transpose()
    }

    /// Numbers with commas between; none at all where nothing stands there.
    ///
    /// # Errors
    /// One of them is none.
    pub fn numbers(&self, name: &'static str) -> Result<Vec<i64>, Unset> {
        let text = self.given(name).unwrap_or_default();
        let numbers = text.split(',').map(str::trim).filter(|number| !number.is_empty());
        numbers.map(|number| number.parse().map_err(|_no_number| Unset::NoNumber(name))).collect()
    }

    /// The installation's zone; UTC where none is named.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn zone(&self) -> Result<TimeZone, Unset> {
        self.given(ZONE).map_or(Ok(TimeZone::UTC), |zone| TimeZone::get(&zone)).map_err(|_unknown| Unset::Zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &'static str) -> Environment<impl Fn(&str) -> Option<String>> {
        Environment::new(move |_name: &str| Some(text.to_owned()))
    }

    #[test]
    fn blanks_are_nothing_and_lists_may_have_them() {
        assert_eq!(environment("  ").needed(TABLE), Err(Unset::Missing(TABLE)));
        assert_eq!(environment("  ").numbers(ADMINS), Ok(Vec::new()));
        assert_eq!(environment(" 5, 6,").numbers(ADMINS), Ok(vec![5, 6]));
        assert_eq!(environment("5").number::<i64>(BOT_ID), Ok(Some(5)));
        assert_eq!(environment("").number::<i64>(BOT_ID), Ok(None));
        assert_eq!(environment("").zone(), Ok(TimeZone::UTC));
    }

    #[test]
    fn a_mistake_names_its_variable_and_not_what_stands_there() {
        let mistakes = [
            environment("planted").number::<i64>(BOT_ID).unwrap_err(),
            environment("5;planted").numbers(ADMINS).unwrap_err(),
            environment("planted").zone().unwrap_err(),
        ];
        for (mistake, name) in mistakes.into_iter().zip([BOT_ID, ADMINS, ZONE]) {
            let told = mistake.to_string();
            assert!(told.contains(name) && !told.contains("planted"), "{told}");
        }
    }
}
