//! What Telegram answers to a login that it does not let on, in the words of whoever logs in.

use transfer::refusal::{Meaning, Refusal};

use crate::exchange::ExchangeError;
use crate::telegram::CallError;

/// Why a login failed, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No such number.
    #[error("telegram does not know this phone number; write it with its country code, such as +441234567890")]
    BadPhone,
    /// The number or the account is banned.
    #[error("telegram has banned this phone number")]
    Banned,
    /// No account has this number.
    #[error("there is no telegram account with this phone number; sign up in an official app first")]
    NoAccount,
    /// Another digit.
    #[error("the code is wrong; look again and type it once more")]
    WrongCode,
    /// Too late, guessed at too often, or sent in a chat.
    #[error("the code has expired (a code that was sent in a chat expires at once); start again")]
    ExpiredCode,
    /// There is no other way to send a code.
    #[error("telegram has no other way to send this code; wait for it, or start again")]
    NoOtherWay,
    /// The password is wrong.
    #[error("the password is wrong{}", hint.as_ref().map(|hint| format!(" (its hint: {hint})")).unwrap_or_default())]
    WrongPassword {
        /// The owner's hint.
        hint: Option<String>,
    },
    /// A wait.
    #[error("too many attempts; telegram wants {secs} s of rest before the next one")]
    Flood {
        /// How long.
        secs: u64,
    },
    /// Too many attempts, and nobody says for how long.
    #[error("too many attempts with this phone number; try again in a day")]
    TooManyAttempts,
    /// The application is unknown.
    #[error("telegram does not know this api_id with this api_hash; see https://my.telegram.org/apps")]
    BadApi,
    /// Another way to log in is demanded.
    #[error("telegram wants {0} for this login, which ferry cannot do; log in with an official app first")]
    Unsupported(&'static str),
    /// The key of a login that was put down is not known any more.
    #[error("telegram has forgotten this login; start again")]
    Forgotten,
    /// Anything else that Telegram says.
    #[error("telegram refused the login: {0}")]
    Refused(Refusal),
    /// No connection, or it was lost on the way.
    #[error("no connection to telegram: {0}; try again")]
    Unreachable(String),
    /// This machine's clock, or a server that is not Telegram.
    #[error(transparent)]
    Exchange(ExchangeError),
}

pub(super) fn migration(error: &CallError) -> Option<i32> {
    match error {
        CallError::Refused(refusal) => match refusal.meaning() {
            Meaning::Migrate { dc } => Some(dc),
            _ => None,
        },
        CallError::Uncertain(_) => None,
    }
}

pub(super) fn is_password_needed(error: &CallError) -> bool {
    matches!(error, CallError::Refused(refusal) if refusal.text() == "SESSION_PASSWORD_NEEDED")
}

pub(super) fn login_error(error: CallError) -> LoginError {
    let refusal = match error {
        CallError::Refused(refusal) => refusal,
        CallError::Uncertain(why) => return LoginError::Unreachable(why),
    };
    match (refusal.text(), refusal.meaning()) {
        (_, Meaning::FloodWait { secs }) => LoginError::Flood { secs },
        (_, Meaning::Banned) | ("PHONE_NUMBER_BANNED", _) => LoginError::Banned,
        ("PHONE_NUMBER_INVALID", _) => LoginError::BadPhone,
        ("PHONE_NUMBER_UNOCCUPIED", _) => LoginError::NoAccount,
        ("PHONE_NUMBER_FLOOD" | "PHONE_PASSWORD_FLOOD", _) => LoginError::TooManyAttempts,
        ("PHONE_CODE_INVALID" | "PHONE_CODE_EMPTY", _) => LoginError::WrongCode,
        ("PHONE_CODE_EXPIRED" | "PHONE_CODE_HASH_EMPTY", _) => LoginError::ExpiredCode,
        ("SEND_CODE_UNAVAILABLE", _) => LoginError::NoOtherWay,
        ("API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD", _) => LoginError::BadApi,
        _ => LoginError::Refused(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do() {
        let text = |code, name| login_error(CallError::Refused(Refusal::parse(code, name))).to_string();
        assert!(text(420, "FLOOD_WAIT_86").contains("86 s"));
        assert!(text(400, "PHONE_NUMBER_BANNED").contains("banned"));
        assert!(text(400, "PHONE_CODE_EXPIRED").contains("start again"));
        assert!(text(406, "SEND_CODE_UNAVAILABLE").contains("no other way"));
        assert!(text(406, "PHONE_PASSWORD_FLOOD").contains("too many"));
        assert!(text(400, "API_ID_INVALID").contains("my.telegram.org"));
        assert!(text(400, "SOMETHING_NEW").contains("SOMETHING_NEW"));
        let wrong = LoginError::WrongPassword { hint: Some("pet".to_owned()) };
        assert!(wrong.to_string().ends_with("(its hint: pet)"));
    }
}
