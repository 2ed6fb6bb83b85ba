//! Logging an account in with phone, code and password: what `ferry account add` asks in the terminal.
//!
//! A small state machine: [`Login::start`] has a code sent, [`Login::code`] gives it, [`Login::password`] follows where
//! the account has one. A wrong code or password may be tried again on the same `Login`. Codes and passwords are secrets
//! here as everywhere; nothing of a login is kept until Telegram said yes, and what is kept then is one session file. If
//! the process dies on the way, Telegram has a key that nobody is signed in with, or one session more in its list, which
//! the owner can end there.

use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{enums, functions, types};
use num_bigint::BigUint;
use secrecy::{ExposeSecret, SecretString};
use transfer::clock::Clock;
use transfer::ids::AccountId;
use transfer::refusal::{Meaning, Refusal};

use crate::exchange::{ExchangeError, ExchangeWith, dh::Group, exchange, told};
use crate::session::{AuthKey, Session, SessionError, Sessions};
use crate::telegram::CallError;
use crate::telegram::convert::user_name;
use crate::telegram::grammers::{DialError, Wire};
use crate::telegram::setup::Setup;

/// Where to begin when nobody knows where an account lives; Telegram sends us on.
const FIRST_DC: i32 = 2;
/// Telegram sends us on once. More is a circle.
const MOVES_MAX: u32 = 3;

/// A login that waits for its code or password.
pub struct Login {
    setup: Setup,
    sessions: Sessions,
    wire: Wire,
    dc: i32,
    key: AuthKey,
    phone: SecretString,
    code_hash: SecretString,
}

/// How the code reaches the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSent {
    /// In words: "in the Telegram app".
    pub how: &'static str,
    /// How many digits it has, where Telegram says.
    pub len: Option<i32>,
}

/// What comes after a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterCode {
    /// The account has a password.
    Password {
        /// The owner's hint for it.
        hint: Option<String>,
    },
    /// It is logged in.
    Done(LoggedIn),
}

/// An account whose session is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// By this name it is known from now on.
    pub account: AccountId,
    /// Its user id.
    pub user_id: i64,
    /// Enough of the phone number to recognise it.
    pub phone_masked: String,
    /// The name that Telegram shows.
    pub name: String,
}

/// Why a login failed, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No such number.
    #[error("telegram does not know this phone number; write it with its country code, such as +441234567890")]
    BadPhone,
    /// The number is banned.
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
    /// The password is wrong.
    #[error("the password is wrong{}", hint.as_ref().map(|hint| format!(" (its hint: {hint})")).unwrap_or_default())]
    WrongPassword {
        /// The owner's hint.
        hint: Option<String>,
    },
    /// Too many attempts.
    #[error("too many attempts; telegram wants {secs} s of rest before the next one")]
    Flood {
        /// How long.
        secs: u64,
    },
    /// The application is unknown.
    #[error("telegram does not know this api_id with this api_hash; see https://my.telegram.org/apps")]
    BadApi,
    /// Another way to log in is demanded.
    #[error("telegram wants {0} for this login, which ferry cannot do; log in with an official app first")]
    Unsupported(&'static str),
    /// Anything else that Telegram says.
    #[error("telegram refused the login: {0}")]
    Refused(Refusal),
    /// No connection, or it was lost on the way.
    #[error("no connection to telegram: {0}; try again")]
    Unreachable(String),
    /// This machine's clock.
    #[error(transparent)]
    Exchange(ExchangeError),
    /// The session could not be saved; the login was ended again at Telegram.
    #[error("the login succeeded but could not be kept, and was ended again: {0}")]
    NotSaved(SessionError),
}

impl Login {
    /// Agrees on a key, has a code sent, and follows the account to the DC where it lives.
    ///
    /// # Errors
    /// See [`LoginError`]; nothing is kept.
    pub async fn start(
        setup: Setup,
        sessions: Sessions,
        clock: &Clock,
        phone: SecretString,
    ) -> Result<(Self, CodeSent), LoginError> {
        let mut dc = FIRST_DC;
        for _move in 0..MOVES_MAX {
            let (wire, key) = dial(&setup, dc, clock).await?;
            match wire.call(&send_code(&setup, &phone), setup.patience.write).await {
                Ok(sent) => {
                    let (how, hash) = match sent_how(sent) {
                        Ok(sent) => sent,
                        Err(error) => return Err(closed(&wire, error).await),
                    };
                    return Ok((Self { setup, sessions, wire, dc, key, phone, code_hash: hash }, how));
                }
                Err(error) => match migration(&error) {
                    Some(next) => {
                        wire.close().await;
                        dc = next;
                    }
                    None => return Err(closed(&wire, login_error(error)).await),
                },
            }
        }
        Err(LoginError::Unreachable("telegram sends us from one DC to the next".to_owned()))
    }

    /// Gives the code.
    ///
    /// # Errors
    /// [`LoginError::WrongCode`] may be tried again; after everything else a new login is needed.
    pub async fn code(&mut self, code: &SecretString) -> Result<AfterCode, LoginError> {
        let request = functions::auth::SignIn {
            phone_number: self.phone.expose_secret().to_owned(),
            phone_code_hash: self.code_hash.expose_secret().to_owned(),
            phone_code: Some(code.expose_secret().trim().to_owned()),
            email_verification: None,
        };
        match self.wire.call(&request, self.setup.patience.write).await {
            Ok(authorization) => self.finish(authorization).await.map(AfterCode::Done),
            Err(CallError::Refused(refusal)) if refusal.text() == "SESSION_PASSWORD_NEEDED" => {
                Ok(AfterCode::Password { hint: self.challenge().await?.hint })
            }
            Err(error) => Err(login_error(error)),
        }
    }

    /// Proves the password (SRP: it does not leave this machine).
    ///
    /// # Errors
    /// [`LoginError::WrongPassword`] may be tried again, until Telegram has enough.
    pub async fn password(&mut self, password: &SecretString) -> Result<LoggedIn, LoginError> {
        let challenge = self.challenge().await?;
        let hint = challenge.hint.clone();
        let proof = prove(challenge, password.clone()).await?;
        match self.wire.call(&functions::auth::CheckPassword { password: proof }, self.setup.patience.write).await {
            Ok(authorization) => self.finish(authorization).await,
            Err(CallError::Refused(refusal)) if refusal.text() == "PASSWORD_HASH_INVALID" => {
                Err(LoginError::WrongPassword { hint })
            }
            Err(error) => Err(login_error(error)),
        }
    }

    /// Ends a login, finished or not.
    pub async fn close(self) {
        self.wire.close().await;
    }

    async fn challenge(&self) -> Result<types::account::Password, LoginError> {
        let answer = self.wire.call(&functions::account::GetPassword {}, self.setup.patience.read).await;
        let enums::account::Password::Password(challenge) = answer.map_err(login_error)?;
        Ok(challenge)
    }

    /// Keeps the session. One that cannot be kept is ended at Telegram, so that no key lies about that nobody knows of.
    async fn finish(&self, authorization: enums::auth::Authorization) -> Result<LoggedIn, LoginError> {
        let user = match authorization {
            enums::auth::Authorization::Authorization(authorization) => authorization.user,
            enums::auth::Authorization::SignUpRequired(_) => return Err(LoginError::NoAccount),
        };
        let enums::User::User(user) = user else {
            return Err(LoginError::Unsupported("an account without a user"));
        };
        let phone = user.phone.as_deref().unwrap_or(self.phone.expose_secret());
        let logged_in = LoggedIn {
            account: AccountId(user.id.to_string()),
            user_id: user.id,
            phone_masked: masked(phone),
            name: user_name(&user),
        };
        let mut session = Session::new(logged_in.account.clone(), user.id, self.dc, self.key.clone());
        session.phone_masked.clone_from(&logged_in.phone_masked);
        session.name.clone_from(&logged_in.name);
        if let Err(error) = self.sessions.save(&session).await {
            let ended = self.wire.call(&functions::auth::LogOut {}, self.setup.patience.write).await;
            if let Err(error) = ended {
                tracing::warn!(%error, "a login that could not be saved is still open; end it in Telegram's settings");
            }
            return Err(LoginError::NotSaved(error));
        }
        Ok(logged_in)
    }
}

async fn dial(setup: &Setup, dc: i32, clock: &Clock) -> Result<(Wire, AuthKey), LoginError> {
    let unknown = || LoginError::Unreachable(format!("no address of DC {dc} is configured"));
    let address = setup.dcs.get(&dc).copied().ok_or_else(unknown)?;
    let with =
        ExchangeWith { dc, address, keys: &setup.keys, proxy: setup.proxy.as_ref(), within: setup.patience.open };
    let key = exchange(&with, clock).await.map_err(|error| match error {
        error @ (ExchangeError::Io { .. } | ExchangeError::Timeout(_)) => LoginError::Unreachable(told(&error)),
        error => LoginError::Exchange(error),
    })?;
    let wire = Wire::dial(setup, dc, address, &key, clock).await.map_err(|error| match error {
        DialError::UnknownKey => LoginError::Unreachable("telegram forgot the new key at once".to_owned()),
        DialError::Refused(refusal) => login_error(CallError::Refused(refusal)),
        DialError::Unreachable(why) => LoginError::Unreachable(why),
    })?;
    Ok((wire, key))
}

async fn closed(wire: &Wire, error: LoginError) -> LoginError {
    wire.close().await;
    error
}

fn send_code(setup: &Setup, phone: &SecretString) -> functions::auth::SendCode {
    let settings = types::CodeSettings {
        allow_flashcall: false,
        current_number: false,
        allow_app_hash: false,
        allow_missed_call: false,
        allow_firebase: false,
        unknown_number: false,
        logout_tokens: None,
        token: None,
        app_sandbox: None,
    };
    functions::auth::SendCode {
        phone_number: phone.expose_secret().to_owned(),
        api_id: setup.api.id,
        api_hash: setup.api.hash.expose_secret().to_owned(),
        settings: settings.into(),
    }
}

fn sent_how(sent: enums::auth::SentCode) -> Result<(CodeSent, SecretString), LoginError> {
    use enums::auth::SentCodeType as T;
    let sent = match sent {
        enums::auth::SentCode::Code(sent) => sent,
        enums::auth::SentCode::Success(_) => return Err(LoginError::Unsupported("a login without code")),
        enums::auth::SentCode::PaymentRequired(_) => return Err(LoginError::Unsupported("a payment")),
    };
    let (how, len) = match sent.r#type {
        T::App(app) => ("in the Telegram app", Some(app.length)),
        T::Sms(sms) => ("by SMS", Some(sms.length)),
        T::FragmentSms(sms) => ("on fragment.com", Some(sms.length)),
        T::FirebaseSms(sms) => ("by SMS", Some(sms.length)),
        T::SmsWord(_) => ("by SMS, as a word", None),
        T::SmsPhrase(_) => ("by SMS, as a phrase", None),
        T::Call(call) => ("by a phone call", Some(call.length)),
        T::MissedCall(call) => ("as the last digits of a number that calls", Some(call.length)),
        T::EmailCode(email) => ("by e-mail", Some(email.length)),
        T::FlashCall(_) => return Err(LoginError::Unsupported("a flash call")),
        T::SetUpEmailRequired(_) => return Err(LoginError::Unsupported("an e-mail address to be set up")),
    };
    Ok((CodeSent { how, len }, sent.phone_code_hash.into()))
}

/// The proof that the password is known. Takes some tenths of a second, so it is made beside the runtime.
async fn prove(
    challenge: types::account::Password,
    password: SecretString,
) -> Result<enums::InputCheckPasswordSrp, LoginError> {
    use enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow as Known;
    const UNKNOWN: LoginError = LoginError::Unsupported("a newer way of proving the password");
    let (Some(Known(algo)), Some(srp_b), Some(srp_id)) = (challenge.current_algo, challenge.srp_b, challenge.srp_id)
    else {
        return Err(UNKNOWN);
    };
    // With a weak group the proof would give the password away.
    let group = Group::checked(&algo.p, algo.g).map_err(LoginError::Exchange)?;
    group.check_range(&BigUint::from_bytes_be(&srp_b), "srp_B").map_err(LoginError::Exchange)?;
    let mut a = vec![0; 256];
    getrandom::fill(&mut a).expect("the system has randomness");
    let proof = tokio::task::spawn_blocking(move || {
        calculate_2fa(&algo.salt1, &algo.salt2, &algo.p, &algo.g, srp_b, a, password.expose_secret())
    });
    let (m1, g_a) = proof.await.map_err(|_panicked| UNKNOWN)?;
    Ok(types::InputCheckPasswordSrp { srp_id, a: g_a.to_vec(), m1: m1.to_vec() }.into())
}

fn migration(error: &CallError) -> Option<i32> {
    match error {
        CallError::Refused(refusal) => match refusal.meaning() {
            Meaning::Migrate { dc } => Some(dc),
            _ => None,
        },
        CallError::Uncertain(_) => None,
    }
}

fn login_error(error: CallError) -> LoginError {
    let refusal = match error {
        CallError::Refused(refusal) => refusal,
        CallError::Uncertain(why) => return LoginError::Unreachable(why),
    };
    match (refusal.text(), refusal.meaning()) {
        (_, Meaning::FloodWait { secs }) => LoginError::Flood { secs },
        (_, Meaning::Banned) => LoginError::Banned,
        ("PHONE_NUMBER_INVALID", _) => LoginError::BadPhone,
        ("PHONE_NUMBER_UNOCCUPIED", _) => LoginError::NoAccount,
        ("PHONE_CODE_INVALID" | "PHONE_CODE_EMPTY", _) => LoginError::WrongCode,
        ("PHONE_CODE_EXPIRED", _) => LoginError::ExpiredCode,
        ("API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD", _) => LoginError::BadApi,
        _ => LoginError::Refused(refusal),
    }
}

/// `+44…21`: country and last two digits.
fn masked(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 6 { "+…".to_owned() } else { format!("+{}…{}", &digits[..2], &digits[digits.len() - 2..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_recognised_but_not_told() {
        assert_eq!(masked("+44 7700 900021"), "+44…21");
        assert_eq!(masked("447700900021"), "+44…21");
        assert_eq!(masked("12345"), "+…");
        assert_eq!(masked(""), "+…");
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let text = |code, name| login_error(CallError::Refused(Refusal::parse(code, name))).to_string();
        assert!(text(420, "FLOOD_WAIT_86").contains("86 s"));
        assert!(text(400, "PHONE_NUMBER_BANNED").contains("banned"));
        assert!(text(400, "PHONE_CODE_EXPIRED").contains("start again"));
        assert!(text(400, "API_ID_INVALID").contains("my.telegram.org"));
        assert!(text(400, "SOMETHING_NEW").contains("SOMETHING_NEW"));
        let wrong = LoginError::WrongPassword { hint: Some("pet".to_owned()) };
        assert!(wrong.to_string().ends_with("(its hint: pet)"));
    }
}
