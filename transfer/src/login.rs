//! An account on its way into the pool: a login that an admin began in the chat and a host carries out at Telegram.
//!
//! Everything that both sides know of it stands in one item, `LOGIN`, so that it survives a restart of either. The function
//! writes what the admin said, the host what Telegram said, each over the version that it read; [`Login::next`] decides what
//! follows, and whose turn it is. Phone numbers, codes, passwords and keys stand in it sealed: the function can put them
//! in and never read them, and a host forgets them with the step that used them. Nothing joins the pool before Telegram
//! said yes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, BotMessageId, ChatId, LoginId};
use crate::lease::Lease;
use crate::seal::{Sealed, SecretKind};
use crate::text::Language;

/// A login that nobody touched for so long is abandoned.
pub const ABANDONED_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// What a host found out is shown by then, or the host died over it and another one shows it: longer than showing is tried.
pub const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(90);
/// For how long a QR code is shown, anew every half minute, before the login is abandoned.
pub const SCANNED_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Codes are not longer.
pub const CODE_LEN_MAX: usize = 8;

/// A login that is under way, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Who wants it.
    pub chat: ChatId,
    /// The message that shows it; `None` until one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// Whether that message is a picture: only other pictures can take its place.
    #[serde(default)]
    pub message_is_picture: bool,
    /// In which language.
    pub language: Language,
    /// The admin's zone, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How.
    pub way: Way,
    /// What to call the account; its name at Telegram if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its priority.
    pub priority: i32,
    /// The account that logs in again and keeps what the pool knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<AccountId>,
    /// An application of the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<OwnApi>,
    /// The phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed>,
    /// Enough of it to recognise it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_masked: Option<String>,
    /// Where it stands.
    pub state: LoginState,
    /// The code as far as it was pressed, digit by digit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digits: Vec<Sealed>,
    /// The two-step password, until it was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// What the host needs to go on: the key it agreed on, and what Telegram wants named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Sealed>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was touched last.
    pub touched_at: Timestamp,
    /// Whether a host found out how it stands and has not shown it yet.
    #[serde(default)]
    pub untold: bool,
    /// Counts its jobs.
    pub seq: u64,
    /// The host that works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Grows with every taking of the lease.
    #[serde(default)]
    pub lease_epoch: u64,
}

/// How an account logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The phone scans a picture.
    Qr,
    /// Telegram sends a code.
    Code,
}

/// An application of an account's own (<https://my.telegram.org/apps>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnApi {
    /// Its number.
    pub id: i32,
    /// Its hash.
    pub hash: Sealed,
}

/// Where a login stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum LoginState {
    /// A host is to begin.
    Asked,
    /// Telegram wants a wait; a host goes on by itself when it is over.
    Limited {
        /// When that is.
        until: Timestamp,
        /// The code that was to be sent anew; `None`: the first one.
        resending: Option<CodeSent>,
    },
    /// A host shows a QR code and waits until it is scanned.
    Scan {
        /// Since when.
        since: Timestamp,
    },
    /// The admin is to press the code.
    Code {
        /// How it was sent.
        sent: CodeSent,
        /// What was wrong with the last one.
        trouble: Option<CodeTrouble>,
    },
    /// A host is to give the code to Telegram.
    CodeGiven {
        /// How it was sent.
        sent: CodeSent,
    },
    /// A host is to have another code sent.
    Resend {
        /// How the last one was sent.
        sent: CodeSent,
    },
    /// The admin is to write the two-step password.
    Password {
        /// The owner's hint.
        hint: Option<String>,
        /// Whether the last one was wrong.
        was_wrong: bool,
    },
    /// A host is to prove the password.
    PasswordGiven {
        /// The owner's hint.
        hint: Option<String>,
    },
    /// The admin does not want it any more; a host is to clean up.
    Cancelled,
    /// It is over, and the account in the pool.
    Done {
        /// Which.
        account: AccountId,
        /// What it is called.
        label: String,
    },
    /// It is over, and nothing came of it.
    Failed {
        /// Why.
        why: LoginFailure,
    },
}

/// How a code was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSent {
    /// By which way.
    pub by: CodeWay,
    /// How many digits it has, where Telegram says.
    pub len: Option<u8>,
    /// By which way another one can be had, and from when on.
    pub next: Option<(CodeWay, Timestamp)>,
}

/// The ways of a code to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeWay {
    /// In the Telegram app of another device.
    App,
    /// By SMS.
    Sms,
    /// A voice says it.
    Call,
    /// The last digits of a number that calls.
    MissedCall,
    /// By e-mail.
    Email,
    /// On fragment.com.
    Fragment,
}

/// What was wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeTrouble {
    /// A digit is wrong.
    Wrong,
    /// It was written in a chat, and Telegram has made it worthless: another one was sent.
    Expired,
}

/// Why nothing came of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum LoginFailure {
    /// No such phone number.
    BadPhone,
    /// No account has this number.
    NoAccount,
    /// Telegram banned the number or the account.
    Banned,
    /// Too many wrong codes or passwords.
    TooManyAttempts,
    /// The code expired, and no other can be had now.
    CodeExpired,
    /// Telegram does not know the application.
    BadApi,
    /// Telegram wants something that Ferry cannot do.
    Unsupported {
        /// What.
        what: String,
    },
    /// It is a bot.
    Bot,
    /// The account is in the pool, and works.
    InPool {
        /// What it is called.
        label: String,
    },
    /// Another account logged in than the one that was to log in again.
    Another {
        /// What the one is called.
        wanted: String,
        /// The other's name at Telegram.
        found: String,
    },
    /// This machine's clock is too far off.
    ClockOff {
        /// Positive: it is ahead.
        skew_secs: i64,
    },
    /// What was sealed cannot be opened: the key is another.
    Unopened,
    /// Telegram was not reached, again and again.
    Unreachable,
    /// Nobody touched it for too long.
    Abandoned,
    /// The admin did not want it any more.
    Cancelled,
    /// In Telegram's own words.
    Refused {
        /// The words.
        text: String,
    },
}

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The admin, in the chat.
    Admin,
    /// A host.
    Host,
    /// Nobody: it is over.
    Nobody,
}

/// What happens to a login.
#[derive(Debug, Clone, PartialEq)]
pub enum LoginEvent {
    /// The admin pressed a digit.
    Digit(Sealed),
    /// The admin took the last digit back.
    Erase,
    /// The admin says that the code is complete.
    Complete,
    /// The admin wants another code.
    Resend,
    /// The admin wrote a code as text: Telegram has made it worthless.
    CodeWritten,
    /// The admin wrote the password.
    Password(Sealed),
    /// The admin does not want it any more.
    Cancel,
    /// Telegram wants a wait before it sends a code.
    Limited(Timestamp),
    /// A QR code is shown.
    Shown,
    /// A code was sent.
    CodeSent(CodeSent),
    /// Telegram does not take the code.
    CodeRefused(CodeTrouble),
    /// The account has a password, or the last one was wrong.
    PasswordNeeded {
        /// The owner's hint.
        hint: Option<String>,
        /// Whether one was given, and wrong.
        was_wrong: bool,
    },
    /// The account is in the pool.
    Done {
        /// Which.
        account: AccountId,
        /// What it is called.
        label: String,
    },
    /// It came to nothing.
    Failed(LoginFailure),
}

/// An event that makes no sense there. From the admin it is an old button; from a host, somebody was faster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a login that is {state} cannot take {event}")]
pub struct OutOfTurn {
    state: &'static str,
    event: &'static str,
}

impl Login {
    /// What follows from an event. Secrets that are not needed any more are gone from what it returns.
    ///
    /// # Errors
    /// The event makes no sense in this state.
    pub fn next(&self, event: LoginEvent, now: Timestamp) -> Result<Self, OutOfTurn> {
        let out_of_turn = OutOfTurn { state: self.state.word(), event: event.word() };
        let is_found_out = event.is_found_out();
        let mut next = Self { touched_at: now, ..self.clone() };
        if self.state.turn() == Turn::Nobody {
            return Err(out_of_turn);
        }
        next.state = match (self.state.clone(), event) {
            (_, LoginEvent::Failed(why)) => LoginState::Failed { why },
            (LoginState::Cancelled, _) => return Err(out_of_turn),
            (_, LoginEvent::Cancel) => LoginState::Cancelled,
            (_, LoginEvent::Done { account, label }) => LoginState::Done { account, label },
            (LoginState::Code { sent, .. }, LoginEvent::Digit(digit)) => next.pressed(sent, digit),
            (LoginState::Code { sent, .. }, LoginEvent::Erase) => {
                next.digits.pop();
                LoginState::Code { sent, trouble: None }
            }
            (LoginState::Code { sent, .. }, LoginEvent::Complete) if !self.digits.is_empty() => {
                LoginState::CodeGiven { sent }
            }
            (LoginState::Code { sent, .. }, LoginEvent::Resend) if sent.next.is_some_and(|(_, from)| from <= now) => {
                next.digits.clear();
                LoginState::Resend { sent }
            }
            (LoginState::Code { sent, .. }, LoginEvent::CodeWritten) => {
                next.digits.clear();
                LoginState::Resend { sent }
            }
            (LoginState::Password { hint, .. }, LoginEvent::Password(password)) => {
                next.password = Some(password);
                LoginState::PasswordGiven { hint }
            }
            (LoginState::Asked | LoginState::Limited { .. } | LoginState::Scan { .. }, LoginEvent::Limited(until)) => {
                LoginState::Limited { until, resending: None }
            }
            (LoginState::Resend { sent }, LoginEvent::Limited(until)) => {
                LoginState::Limited { until, resending: Some(sent) }
            }
            (LoginState::CodeGiven { sent }, LoginEvent::Limited(until)) => {
                next.digits.clear();
                LoginState::Limited { until, resending: Some(sent) }
            }
            (LoginState::Asked | LoginState::Limited { .. }, LoginEvent::Shown) => LoginState::Scan { since: now },
            (
                LoginState::Asked
                | LoginState::Limited { .. }
                | LoginState::Resend { .. }
                | LoginState::CodeGiven { .. },
                LoginEvent::CodeSent(sent),
            ) => {
                let trouble = matches!(self.state, LoginState::CodeGiven { .. }).then_some(CodeTrouble::Expired);
                next.digits.clear();
                LoginState::Code { sent, trouble }
            }
            (LoginState::CodeGiven { sent }, LoginEvent::CodeRefused(trouble)) => {
                next.digits.clear();
                LoginState::Code { sent, trouble: Some(trouble) }
            }
            (
                LoginState::CodeGiven { .. } | LoginState::Scan { .. } | LoginState::PasswordGiven { .. },
                LoginEvent::PasswordNeeded { hint, was_wrong },
            ) => {
                next.digits.clear();
                next.password = None;
                LoginState::Password { hint, was_wrong }
            }
            _ => return Err(out_of_turn),
        };
        if next.state.turn() == Turn::Nobody {
            next.forget();
        }
        next.untold = is_found_out && next.state.turn() != Turn::Host;
        Ok(next)
    }

    fn pressed(&mut self, sent: CodeSent, digit: Sealed) -> LoginState {
        self.digits.push(digit);
        let len = sent.len.map_or(CODE_LEN_MAX, usize::from).min(CODE_LEN_MAX);
        if self.digits.len() >= len { LoginState::CodeGiven { sent } } else { LoginState::Code { sent, trouble: None } }
    }

    /// Drops every secret.
    fn forget(&mut self) {
        self.digits.clear();
        self.phone = None;
        self.password = None;
        self.progress = None;
        self.api = None;
        self.lease = None;
    }

    /// When somebody has to look at it, for the index of what is due: at once on a host's turn, when it is abandoned on the
    /// admin's; before that, and after its end, when what a host found out should have been shown.
    pub fn due_at(&self) -> Option<Timestamp> {
        let abandoned = self.touched_at.saturating_add(ABANDONED_AFTER).unwrap_or(Timestamp::MAX);
        match (&self.state, self.state.turn()) {
            (_, Turn::Admin | Turn::Nobody) if self.untold => {
                Some(self.touched_at.saturating_add(TOLD_WITHIN).unwrap_or(Timestamp::MAX))
            }
            (LoginState::Limited { until, .. }, _) => Some(*until),
            (_, Turn::Host) => Some(self.touched_at),
            (_, Turn::Admin) => Some(abandoned),
            (_, Turn::Nobody) => None,
        }
    }

    /// Every secret in it, for whoever seals them under another key.
    pub fn secrets_mut(&mut self) -> Vec<(SecretKind, &mut Sealed)> {
        let mut secrets: Vec<(SecretKind, &mut Sealed)> = Vec::new();
        secrets.extend(self.phone.as_mut().map(|sealed| (SecretKind::Phone, sealed)));
        secrets.extend(self.api.as_mut().map(|api| (SecretKind::ApiHash, &mut api.hash)));
        secrets.extend(self.digits.iter_mut().map(|sealed| (SecretKind::Digit, sealed)));
        secrets.extend(self.password.as_mut().map(|sealed| (SecretKind::Password, sealed)));
        secrets.extend(self.progress.as_mut().map(|sealed| (SecretKind::Progress, sealed)));
        secrets
    }
}

impl LoginState {
    /// Whose turn it is.
    pub fn turn(&self) -> Turn {
        match self {
            Self::Asked
            | Self::Limited { .. }
            | Self::Scan { .. }
            | Self::CodeGiven { .. }
            | Self::Resend { .. }
            | Self::PasswordGiven { .. }
            | Self::Cancelled => Turn::Host,
            Self::Code { .. } | Self::Password { .. } => Turn::Admin,
            Self::Done { .. } | Self::Failed { .. } => Turn::Nobody,
        }
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Limited { .. } => "limited",
            Self::Scan { .. } => "scan",
            Self::Code { .. } => "code",
            Self::CodeGiven { .. } => "code_given",
            Self::Resend { .. } => "resend",
            Self::Password { .. } => "password",
            Self::PasswordGiven { .. } => "password_given",
            Self::Cancelled => "cancelled",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }
}

impl LoginEvent {
    /// Whether it came from Telegram: whoever brings it has to show it. What an admin does is shown by whoever took it.
    fn is_found_out(&self) -> bool {
        match self {
            Self::Digit(_)
            | Self::Erase
            | Self::Complete
            | Self::Resend
            | Self::CodeWritten
            | Self::Password(_)
            | Self::Cancel => false,
            Self::Limited(_)
            | Self::Shown
            | Self::CodeSent(_)
            | Self::CodeRefused(_)
            | Self::PasswordNeeded { .. }
            | Self::Done { .. }
            | Self::Failed(_) => true,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Digit(_) => "a digit",
            Self::Erase => "an erased digit",
            Self::Complete => "a complete code",
            Self::Resend => "a wish for another code",
            Self::CodeWritten => "a written code",
            Self::Password(_) => "a password",
            Self::Cancel => "a cancel",
            Self::Limited(_) => "a wait",
            Self::Shown => "a picture",
            Self::CodeSent(_) => "a sent code",
            Self::CodeRefused(_) => "a refused code",
            Self::PasswordNeeded { .. } => "a question for the password",
            Self::Done { .. } => "its end",
            Self::Failed(_) => "a failure",
        }
    }
}

#[cfg(test)]
mod tests;
