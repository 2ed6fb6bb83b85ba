//! Words that are said beside a screen: why an input was not taken, and what a press came to.

use serde::{Deserialize, Serialize};

use crate::screen::short;
use crate::text::Locale;

/// How much of an input is repeated to who wrote it.
const QUOTED_LEN_MAX: usize = 60;

/// Something to say above a screen, in its own paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The text means nothing here.
    NotUnderstood,
    /// There is no such command.
    UnknownCommand,
    /// A picture, a contact, or a message of somebody who hides.
    NotText,
    /// The conversation was too old to go on.
    Expired,
    /// The conversation was ended.
    Cancelled,
    /// There was none.
    NothingToCancel,
    /// It looked like a session: it was removed unread.
    Secret,
    /// The text names no chat.
    NoChat {
        /// What was written, shortened.
        text: String,
    },
    /// Source and target would be one chat.
    SameChat,
    /// The source was taken from what the person sent without being asked.
    SourceTaken,
    /// The text is no range.
    NoRange {
        /// What was written, shortened.
        text: String,
    },
    /// The range ends before it begins, or begins after today.
    Backwards,
    /// The message is of another chat than the source.
    OtherChat,
    /// Kinds are chosen with buttons.
    PressButtons,
    /// The preview is answered with the buttons under it.
    PressPreview,
    /// The keyword is too long.
    KeywordTooLong,
    /// The title is too long.
    TitleTooLong,
    /// The description is too long.
    DescriptionTooLong,
    /// The text is no pace.
    NoPace {
        /// What was written, shortened.
        text: String,
    },
    /// The pace has values that nobody means.
    PaceTooSlow,
    /// The text is no batch limit.
    NoBatch,
    /// The text is no priority.
    NoPriority,
    /// The label is empty or too long.
    NoLabel,
    /// The text is no zone.
    NoZone {
        /// What was written, shortened.
        text: String,
    },
    /// The transfer makes no sense as it stands.
    Senseless,
    /// The group's name is empty or too long.
    NoGroup,
    /// It looked like a bot's token: it was removed unread.
    BotToken,
    /// The text is no application's id and hash: it was removed.
    NoApi,
    /// The text is no phone number: it was removed.
    NoPhone,
    /// A login code was written as text: it was removed, and is worthless.
    CodeWritten,
    /// A password is being checked already: the message was removed.
    PasswordBeingChecked,
    /// A message with a secret could not be removed.
    NotRemoved,
}

/// A short answer to a press, without markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The button belongs to an older message.
    Old,
    /// The step that the button belongs to is over.
    Late,
    /// A host looks once more.
    Looking,
    /// There is still no host to look.
    NoHost,
    /// The conversation expired.
    Expired,
    /// The transfer belongs to another admin.
    Foreign,
    /// There is no such transfer any more.
    Gone,
    /// It cannot do that now.
    NotNow,
    /// It will pause at the next chunk.
    Pausing,
    /// It goes on.
    Resumed,
    /// It goes on as soon as a host runs.
    ResumedWithoutHost,
    /// It will end at the next chunk.
    Cancelling,
    /// The pace was changed.
    PaceSet,
    /// What was skipped is carried again.
    Retried,
    /// Nothing that was skipped can be carried again.
    NothingToRetry,
    /// More was skipped than one transfer can name.
    TooManyToRetry,
    /// It came from a backup, and nobody knows what it delivered since.
    Restored,
    /// The change was stored.
    Saved,
    /// The account holds something open: not now.
    AccountBusy,
    /// There is no such account any more.
    AccountGone,
    /// There is no such login any more.
    LoginGone,
    /// The login is being ended.
    LoginCancelled,
    /// No digit was pressed yet.
    NoDigits,
    /// Telegram sends no other code yet.
    ResendEarly,
    /// The account settles what is open, is signed out, and erased.
    Leaving,
}

impl Notice {
    /// The part of an input that is repeated.
    pub(crate) fn quoted(text: &str) -> String {
        short(text, QUOTED_LEN_MAX)
    }

    /// In words, as markup.
    pub fn say(&self, locale: &Locale) -> String {
        let plain = |name| locale.say(name, &[]);
        let quoting = |name, text: &str| locale.say(name, &[("text", text.into())]);
        match self {
            Self::NotUnderstood => plain("notice-not-understood"),
            Self::UnknownCommand => plain("notice-unknown-command"),
            Self::NotText => plain("notice-not-text"),
            Self::Expired => plain("notice-expired"),
            Self::Cancelled => plain("notice-cancelled"),
            Self::NothingToCancel => plain("notice-nothing-to-cancel"),
            Self::Secret => plain("notice-secret"),
            Self::NoChat { text } => quoting("notice-no-chat", text),
            Self::SameChat => plain("notice-same-chat"),
            Self::SourceTaken => plain("notice-source-taken"),
            Self::NoRange { text } => quoting("notice-no-range", text),
            Self::Backwards => plain("notice-backwards"),
            Self::OtherChat => plain("notice-other-chat"),
            Self::PressButtons => plain("notice-press-buttons"),
            Self::PressPreview => plain("notice-press-preview"),
            Self::KeywordTooLong => plain("notice-keyword-too-long"),
            Self::TitleTooLong => plain("notice-title-too-long"),
            Self::DescriptionTooLong => plain("notice-description-too-long"),
            Self::NoPace { text } => quoting("notice-no-pace", text),
            Self::PaceTooSlow => plain("notice-pace-too-slow"),
            Self::NoBatch => plain("notice-no-batch"),
            Self::NoPriority => plain("notice-no-priority"),
            Self::NoLabel => plain("notice-no-label"),
            Self::NoZone { text } => quoting("notice-no-zone", text),
            Self::Senseless => plain("notice-senseless"),
            Self::NoGroup => plain("notice-no-group"),
            Self::BotToken => plain("notice-bot-token"),
            Self::NoApi => plain("notice-no-api"),
            Self::NoPhone => plain("notice-no-phone"),
            Self::CodeWritten => plain("notice-code-written"),
            Self::PasswordBeingChecked => plain("notice-password-being-checked"),
            Self::NotRemoved => plain("notice-not-removed"),
        }
    }
}

impl Word {
    /// In words, as plain text.
    pub fn say(self, locale: &Locale) -> String {
        let name = match self {
            Self::Old => "word-old",
            Self::Late => "word-late",
            Self::Looking => "word-looking",
            Self::NoHost => "word-no-host",
            Self::Expired => "word-expired",
            Self::Foreign => "word-foreign",
            Self::Gone => "word-gone",
            Self::NotNow => "word-not-now",
            Self::Pausing => "word-pausing",
            Self::Resumed => "word-resumed",
            Self::ResumedWithoutHost => "word-resumed-without-host",
            Self::Cancelling => "word-cancelling",
            Self::PaceSet => "word-pace-set",
            Self::Retried => "word-retried",
            Self::NothingToRetry => "word-nothing-to-retry",
            Self::TooManyToRetry => "word-too-many-to-retry",
            Self::Restored => "word-restored",
            Self::Saved => "word-saved",
            Self::AccountBusy => "word-account-busy",
            Self::AccountGone => "word-account-gone",
            Self::LoginGone => "word-login-gone",
            Self::LoginCancelled => "word-login-cancelled",
            Self::NoDigits => "word-no-digits",
            Self::ResendEarly => "word-resend-early",
            Self::Leaving => "word-leaving",
        };
        locale.say(name, &[])
    }
}
