//! Logging an account in at Telegram: with a code, or by a QR code that the owner's phone scans, and with the two-step password
//! after either.
//!
//! A [`SignIn`] is one connection with one new key, and what Telegram wants named in the next call. It can be put down at
//! any step ([`SignIn::progress`]) and taken up by another process ([`SignIn::resume`]): key and hashes stay the same, so
//! nothing that the owner did is lost. Nothing here touches the table. Whoever gets a [`SignedIn`] keeps its session, or
//! logs it out again: a key that is signed in and that nobody knows of would stay in the owner's list of sessions for ever.

mod password;
mod progress;
mod refusing;

use std::fmt;

use grammers_tl_types::{RemoteCall, enums, functions, types};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use transfer::clock::Clock;
use transfer::ids::AccountId;
use transfer::login::{CodeSent, CodeWay};
use zeroize::Zeroizing;

use crate::exchange::{ExchangeError, ExchangeWith, exchange, told};
use crate::session::{AuthKey, Session};
use crate::telegram::CallError;
use crate::telegram::convert::user_name;
use crate::telegram::grammers::{DialError, Wire};
use crate::telegram::setup::{ApiCredentials, Setup};
pub use progress::{BadProgress, Progress};
pub use refusing::LoginError;
use refusing::{is_password_needed, login_error, migration};

/// Where to begin when nobody knows where an account lives; Telegram sends us on.
const FIRST_DC: i32 = 2;
/// Telegram sends us on once. More is a circle.
const MOVES_MAX: u32 = 3;

/// A login that is under way.
pub struct SignIn {
    setup: Setup,
    clock: Clock,
    wire: Wire,
    at: Progress,
}

/// What comes after a code.
#[derive(Debug)]
pub enum AfterCode {
    /// The account has a password.
    Password {
        /// The owner's hint for it.
        hint: Option<String>,
    },
    /// It is logged in.
    Done(SignedIn),
}

/// What became of a QR code. Its `Debug` shows no token: whoever scans one decides whose account logs in.
pub enum Scan {
    /// This is to be shown, until then.
    Show {
        /// What the picture says.
        url: Zeroizing<String>,
        /// When another has to take its place.
        expires_at: Timestamp,
    },
    /// It was scanned, by an account that lives in another DC, and the login went there. Keep the progress, then ask again.
    Moved,
    /// It was scanned, and the account has a password.
    Password {
        /// The owner's hint for it.
        hint: Option<String>,
    },
    /// It is logged in.
    Done(SignedIn),
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show { expires_at, .. } => write!(f, "Show(until {expires_at})"),
            Self::Moved => f.write_str("Moved"),
            Self::Password { hint } => f.debug_tuple("Password").field(hint).finish(),
            Self::Done(signed_in) => f.debug_tuple("Done").field(signed_in).finish(),
        }
    }
}

/// How far a login has come, as Telegram sees it.
#[derive(Debug)]
pub enum Standing {
    /// Nobody is signed in with its key.
    Out,
    /// All that is missing is the password.
    Password {
        /// The owner's hint for it.
        hint: Option<String>,
    },
    /// It is logged in.
    In(SignedIn),
}

/// An account that logged in, and whose session is kept nowhere yet.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Its session.
    pub session: Session,
    /// Whether it is a bot: those cannot be in a pool.
    pub is_bot: bool,
}

impl SignIn {
    /// Agrees on a new key, with which nobody is signed in yet. `setup.api` is the application that logs in.
    ///
    /// # Errors
    /// Telegram cannot be reached, or the clock is off.
    pub async fn begin(setup: Setup, clock: &Clock) -> Result<Self, LoginError> {
        let (wire, key) = meet(&setup, FIRST_DC, clock).await?;
        Ok(Self { setup, clock: clock.clone(), wire, at: Progress::new(FIRST_DC, key) })
    }

    /// Goes on where another process stopped.
    ///
    /// # Errors
    /// Telegram cannot be reached, or forgot the key.
    pub async fn resume(setup: Setup, clock: &Clock, progress: Progress) -> Result<Self, LoginError> {
        let wire = dial(&setup, progress.dc, &progress.key, clock).await?;
        Ok(Self { setup, clock: clock.clone(), wire, at: progress })
    }

    /// The application that logs in.
    pub fn api(&self) -> &ApiCredentials {
        &self.setup.api
    }

    /// By this login's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where it stands, for whoever goes on.
    pub fn progress(&self) -> Progress {
        self.at.clone()
    }

    /// Has a code sent, and follows the account to the DC where it lives.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn send_code(&mut self, phone: &SecretString) -> Result<CodeSent, LoginError> {
        self.at.phone = Some(phone.clone());
        self.at.code_hash = None;
        for _move in 0..MOVES_MAX {
            match self.call(&send_code(&self.setup, phone)).await {
                Ok(sent) => return self.sent(sent),
                Err(error) => match migration(&error) {
                    Some(dc) => self.go_to(dc).await?,
                    None => return Err(login_error(error)),
                },
            }
        }
        Err(LoginError::Unreachable("telegram sends us from one DC to the next".to_owned()))
    }

    /// Has the code sent by the next way.
    ///
    /// # Errors
    /// [`LoginError::NoOtherWay`] where there is none; [`LoginError::ExpiredCode`] when only a first code can follow.
    pub async fn resend(&mut self) -> Result<CodeSent, LoginError> {
        let (phone_number, phone_code_hash) = self.named()?;
        let request = functions::auth::ResendCode { phone_number, phone_code_hash, reason: None };
        let sent = self.call(&request).await.map_err(login_error)?;
        self.sent(sent)
    }

    /// Has another first code sent to the same number.
    ///
    /// # Errors
    /// As [`Self::send_code`].
    pub async fn send_again(&mut self) -> Result<CodeSent, LoginError> {
        match self.at.phone.clone() {
            Some(phone) => self.send_code(&phone).await,
            None => Err(LoginError::ExpiredCode),
        }
    }

    /// Takes the code back: nobody can log in with it any more. Without one there is nothing to take back.
    ///
    /// # Errors
    /// See [`LoginError`]; a code that expired is none.
    pub async fn cancel_code(&mut self) -> Result<(), LoginError> {
        let Ok((phone_number, phone_code_hash)) = self.named() else { return Ok(()) };
        let request = functions::auth::CancelCode { phone_number, phone_code_hash };
        match self.call(&request).await.map_err(login_error) {
            Ok(_) | Err(LoginError::ExpiredCode) => {
                self.at.code_hash = None;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the code.
    ///
    /// # Errors
    /// [`LoginError::WrongCode`] may be tried again, [`LoginError::ExpiredCode`] with another code.
    pub async fn code(&mut self, code: &SecretString) -> Result<AfterCode, LoginError> {
        let (phone_number, phone_code_hash) = self.named()?;
        let request = functions::auth::SignIn {
            phone_number,
            phone_code_hash,
            phone_code: Some(code.expose_secret().trim().to_owned()),
            email_verification: None,
        };
        match self.call(&request).await {
            Ok(authorization) => self.signed_in(authorization).map(AfterCode::Done),
            Err(error) if is_password_needed(&error) => Ok(AfterCode::Password { hint: self.challenge().await?.hint }),
            Err(error) => Err(login_error(error)),
        }
    }

    /// What is to be shown as a QR code, or what became of the one that was shown.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn token(&mut self) -> Result<Scan, LoginError> {
        if let Some(token) = self.at.token.clone() {
            // Used up: by a process that died after it, or by nobody in time. Which one, the key tells.
            match self.call(&functions::auth::ImportLoginToken { token: token.to_vec() }).await {
                Err(CallError::Refused(refusal)) if refusal.text().starts_with("AUTH_TOKEN_") => {
                    self.at.token = None;
                    match self.standing().await? {
                        Standing::Out => {}
                        Standing::Password { hint } => return Ok(Scan::Password { hint }),
                        Standing::In(signed_in) => return Ok(Scan::Done(signed_in)),
                    }
                }
                answer => return self.scanned(answer).await,
            }
        }
        let api = &self.setup.api;
        let (api_id, api_hash) = (api.id, api.hash.expose_secret().to_owned());
        let answer = self.call(&functions::auth::ExportLoginToken { api_id, api_hash, except_ids: Vec::new() }).await;
        self.scanned(answer).await
    }

    /// Proves the password (SRP: it does not leave this machine).
    ///
    /// # Errors
    /// [`LoginError::WrongPassword`] may be tried again, until Telegram has enough.
    pub async fn password(&mut self, password: &SecretString) -> Result<SignedIn, LoginError> {
        let challenge = self.challenge().await?;
        let hint = challenge.hint.clone();
        let proof = password::prove(challenge, password.clone()).await?;
        match self.call(&functions::auth::CheckPassword { password: proof }).await {
            Ok(authorization) => self.signed_in(authorization),
            Err(CallError::Refused(refusal)) if refusal.text() == "PASSWORD_HASH_INVALID" => {
                Err(LoginError::WrongPassword { hint })
            }
            Err(error) => Err(login_error(error)),
        }
    }

    /// How far the login has come: asked by whoever cannot know what the process before it did last.
    ///
    /// # Errors
    /// Telegram cannot be reached.
    pub async fn standing(&mut self) -> Result<Standing, LoginError> {
        let me = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
        match self.call(&me).await {
            Ok(users) => match users.into_iter().next() {
                Some(user) => Ok(Standing::In(self.session_of(user)?)),
                None => Ok(Standing::Out),
            },
            Err(CallError::Uncertain(why)) => Err(LoginError::Unreachable(why)),
            Err(CallError::Refused(refusal)) if refusal.code() == 401 => match self.challenge().await {
                Ok(challenge) => Ok(Standing::Password { hint: challenge.hint }),
                Err(error @ LoginError::Unreachable(_)) => Err(error),
                Err(_nobody) => Ok(Standing::Out),
            },
            Err(error) => Err(login_error(error)),
        }
    }

    /// Takes back at Telegram whatever was begun: the session, also of somebody who owes the password and stands in the owner's
    /// list already, or else the code.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn take_back(&mut self) -> Result<(), LoginError> {
        match self.standing().await? {
            Standing::In(_) | Standing::Password { .. } => self.log_out().await,
            Standing::Out => self.cancel_code().await,
        }
    }

    /// Ends the session at Telegram.
    ///
    /// # Errors
    /// Telegram cannot be reached. That it is ended already is none.
    pub async fn log_out(&self) -> Result<(), LoginError> {
        match self.call(&functions::auth::LogOut {}).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused(refusal)) if refusal.code() == 401 => Ok(()),
            Err(error) => Err(login_error(error)),
        }
    }

    /// Closes the connection. The login stays as it is at Telegram.
    pub async fn close(self) {
        self.wire.close().await;
    }

    async fn call<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        self.wire.call(request, self.setup.patience.write).await
    }

    /// With another key, at another DC.
    async fn go_to(&mut self, dc: i32) -> Result<(), LoginError> {
        self.wire.close().await;
        let (wire, key) = meet(&self.setup, dc, &self.clock).await?;
        self.wire = wire;
        (self.at.dc, self.at.key) = (dc, key);
        Ok(())
    }

    fn named(&self) -> Result<(String, String), LoginError> {
        match (&self.at.phone, &self.at.code_hash) {
            (Some(phone), Some(hash)) => Ok((phone.expose_secret().to_owned(), hash.expose_secret().to_owned())),
            _ => Err(LoginError::ExpiredCode),
        }
    }

    fn sent(&mut self, sent: enums::auth::SentCode) -> Result<CodeSent, LoginError> {
        use enums::auth::SentCodeType as T;
        let sent = match sent {
            enums::auth::SentCode::Code(sent) => sent,
            enums::auth::SentCode::Success(_) => return Err(LoginError::Unsupported("a login without code")),
            enums::auth::SentCode::PaymentRequired(_) => return Err(LoginError::Unsupported("a payment")),
        };
        let (by, len) = match sent.r#type {
            T::App(app) => (CodeWay::App, app.length),
            T::Sms(sms) => (CodeWay::Sms, sms.length),
            T::FirebaseSms(sms) => (CodeWay::Sms, sms.length),
            T::FragmentSms(sms) => (CodeWay::Fragment, sms.length),
            T::Call(call) => (CodeWay::Call, call.length),
            T::MissedCall(call) => (CodeWay::MissedCall, call.length),
            T::EmailCode(email) => (CodeWay::Email, email.length),
            T::SmsWord(_) | T::SmsPhrase(_) => return Err(LoginError::Unsupported("a code in words")),
            T::FlashCall(_) => return Err(LoginError::Unsupported("a flash call")),
            T::SetUpEmailRequired(_) => return Err(LoginError::Unsupported("an e-mail address to be set up")),
        };
        let wait = SignedDuration::from_secs(i64::from(sent.timeout.unwrap_or(0)));
        let from = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let next = sent.next_type.as_ref().and_then(next_way).map(|way| (way, from));
        self.at.code_hash = Some(SecretString::from(sent.phone_code_hash));
        Ok(CodeSent { by, len: u8::try_from(len).ok().filter(|len| *len > 0), next })
    }

    async fn scanned(&mut self, answer: Result<enums::auth::LoginToken, CallError>) -> Result<Scan, LoginError> {
        match answer {
            Ok(enums::auth::LoginToken::Token(shown)) => {
                let expires_at = Timestamp::from_second(i64::from(shown.expires)).unwrap_or(Timestamp::MAX);
                Ok(Scan::Show { url: progress::token_url(&Zeroizing::new(shown.token)), expires_at })
            }
            Ok(enums::auth::LoginToken::MigrateTo(moved)) => {
                self.go_to(moved.dc_id).await?;
                self.at.token = Some(Zeroizing::new(moved.token));
                Ok(Scan::Moved)
            }
            Ok(enums::auth::LoginToken::Success(success)) => {
                self.at.token = None;
                self.signed_in(success.authorization).map(Scan::Done)
            }
            Err(error) if is_password_needed(&error) => {
                self.at.token = None;
                Ok(Scan::Password { hint: self.challenge().await?.hint })
            }
            Err(error) => Err(login_error(error)),
        }
    }

    async fn challenge(&self) -> Result<types::account::Password, LoginError> {
        let answer = self.wire.call(&functions::account::GetPassword {}, self.setup.patience.read).await;
        let enums::account::Password::Password(challenge) = answer.map_err(login_error)?;
        Ok(challenge)
    }

    fn signed_in(&self, authorization: enums::auth::Authorization) -> Result<SignedIn, LoginError> {
        match authorization {
            enums::auth::Authorization::Authorization(authorization) => self.session_of(authorization.user),
            enums::auth::Authorization::SignUpRequired(_) => Err(LoginError::NoAccount),
        }
    }

    fn session_of(&self, user: enums::User) -> Result<SignedIn, LoginError> {
        let enums::User::User(user) = user else {
            return Err(LoginError::Unsupported("an account without a user"));
        };
        let phone = user.phone.as_deref().or(self.at.phone.as_ref().map(ExposeSecret::expose_secret));
        let account = AccountId(user.id.to_string());
        let mut session = Session::new(account, user.id, self.at.dc, self.at.key.clone());
        session.phone_masked = masked(phone.unwrap_or_default());
        session.name = user_name(&user);
        Ok(SignedIn { session, is_bot: user.bot })
    }
}

/// A new key with a DC, and a connection with it.
async fn meet(setup: &Setup, dc: i32, clock: &Clock) -> Result<(Wire, AuthKey), LoginError> {
    let address = setup.dcs.get(&dc).copied().ok_or_else(|| no_address(dc))?;
    let with =
        ExchangeWith { dc, address, keys: &setup.keys, proxy: setup.proxy.as_ref(), within: setup.patience.open };
    let key = exchange(&with, clock).await.map_err(|error| match error {
        error @ (ExchangeError::Io { .. } | ExchangeError::Timeout(_)) => LoginError::Unreachable(told(&error)),
        error => LoginError::Exchange(error),
    })?;
    Ok((dial(setup, dc, &key, clock).await?, key))
}

async fn dial(setup: &Setup, dc: i32, key: &AuthKey, clock: &Clock) -> Result<Wire, LoginError> {
    let address = setup.dcs.get(&dc).copied().ok_or_else(|| no_address(dc))?;
    Wire::dial(setup, dc, address, key, clock).await.map_err(|error| match error {
        DialError::UnknownKey => LoginError::Forgotten,
        DialError::Refused(refusal) => login_error(CallError::Refused(refusal)),
        DialError::Unreachable(why) => LoginError::Unreachable(why),
    })
}

fn no_address(dc: i32) -> LoginError {
    LoginError::Unreachable(format!("no address of DC {dc} is configured"))
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

fn next_way(next: &enums::auth::CodeType) -> Option<CodeWay> {
    match next {
        enums::auth::CodeType::Sms => Some(CodeWay::Sms),
        enums::auth::CodeType::Call => Some(CodeWay::Call),
        enums::auth::CodeType::MissedCall => Some(CodeWay::MissedCall),
        enums::auth::CodeType::FragmentSms => Some(CodeWay::Fragment),
        enums::auth::CodeType::FlashCall => None,
    }
}

/// `+44…21`: country and last two digits.
pub fn masked(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 6 { "+…".to_owned() } else { format!("+{}…{}", &digits[..2], &digits[digits.len() - 2..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_out_of_debug() {
        let url = Zeroizing::new("tg://login?token=planted".to_owned());
        let shown = format!("{:?}", Scan::Show { url, expires_at: Timestamp::UNIX_EPOCH });
        assert!(!shown.contains("planted"), "{shown}");
    }

    #[test]
    fn a_phone_number_is_recognised_but_not_told() {
        assert_eq!(masked("+44 7700 900021"), "+44…21");
        assert_eq!(masked("447700900021"), "+44…21");
        assert_eq!(masked("12345"), "+…");
        assert_eq!(masked(""), "+…");
    }
}
