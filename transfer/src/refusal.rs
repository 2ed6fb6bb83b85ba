//! Telegram's errors, parsed once at the edge: the text as it came, and what it means to Ferry.
//!
//! The number in a name is read only where it means something (`FLOOD_WAIT_31`), never from elsewhere in the name
//! (`2FA_CONFIRM_WAIT_X`). The rows are those of <https://core.telegram.org/api/errors>, as far as a forward can meet
//! them.

use std::fmt;

/// Longest wait that is believed: ten years. It keeps sums of timestamps in range and shortens no wait that anybody
/// would sit out.
const WAIT_SECS_MAX: u64 = 10 * 365 * 86_400;
/// The wait when Telegram says "wait" and the number cannot be read.
const WAIT_SECS_UNREADABLE: u64 = 60;
/// More of an error's text is not kept: it goes into the table and into chats.
const TEXT_LEN_MAX: usize = 200;

/// An `rpc_error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: i32,
    text: String,
    meaning: Meaning,
}

/// What an error means, in the rows of the verdict table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// `FLOOD_WAIT_X`, `FLOOD_PREMIUM_WAIT_X`: this account must not call methods of this class so long.
    FloodWait {
        /// How long, at least 1.
        secs: u64,
    },
    /// `SLOWMODE_WAIT_X`: nobody writes to this peer so soon.
    SlowMode {
        /// How long, at least 1.
        secs: u64,
    },
    /// `PEER_FLOOD`: too many complaints or too much sent.
    PeerFlood,
    /// `FROZEN_*`: the account is frozen.
    Frozen,
    /// This account may not read or write this peer, or addresses it wrongly.
    NotForThisPeer,
    /// `CHAT_SEND_*_FORBIDDEN`: this kind of content may not be posted there.
    KindForbidden,
    /// `CHAT_FORWARDS_RESTRICTED`: the source is protected.
    SourceProtected,
    /// Something about one of the messages.
    BadMessage,
    /// The target's topic is closed or gone.
    TopicClosed,
    /// `ALLOW_PAYMENT_REQUIRED_X`: the target wants stars for each message.
    PaymentRequired {
        /// How many.
        stars: u64,
    },
    /// `PREMIUM_ACCOUNT_REQUIRED`.
    PremiumRequired,
    /// The session was ended.
    SignedOut,
    /// `AUTH_KEY_DUPLICATED`: the key was used on two connections at once and is dead for good.
    SessionDead,
    /// The account is deleted or banned.
    Banned,
    /// `*_MIGRATE_X`: ask another data centre.
    Migrate {
        /// Which.
        dc: i32,
    },
    /// `RANDOM_ID_DUPLICATE`: this random id is used, or in use just now.
    RandomIdDuplicate,
    /// Telegram's own failure; whether the call was carried out is not known.
    Internal,
    /// None of these.
    Unknown,
}

impl Refusal {
    /// Reads an error as it came, with the number in its place: `420`, `FLOOD_WAIT_31`.
    pub fn parse(code: i32, name: &str) -> Self {
        let text: String = name.trim().chars().take(TEXT_LEN_MAX).collect();
        let meaning = Meaning::of(code, &text.to_ascii_uppercase());
        Self { code, text, meaning }
    }

    /// The number of the error: 400, 420 …
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Telegram's words, as they came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.code)
    }
}

impl std::error::Error for Refusal {}

impl Meaning {
    fn of(code: i32, name: &str) -> Self {
        if let Some(secs) = wait_secs(name, "FLOOD_WAIT").or_else(|| wait_secs(name, "FLOOD_PREMIUM_WAIT")) {
            return Self::FloodWait { secs };
        }
        if let Some(secs) = wait_secs(name, "SLOWMODE_WAIT") {
            return Self::SlowMode { secs };
        }
        if name.starts_with("ALLOW_PAYMENT_REQUIRED") {
            return Self::PaymentRequired { stars: number_at_end(name).unwrap_or(0) };
        }
        if let Some(dc) = name.contains("_MIGRATE_").then(|| number_at_end(name)).flatten() {
            return i32::try_from(dc).map_or(Self::Unknown, |dc| Self::Migrate { dc });
        }
        if name.starts_with("FROZEN_") {
            return Self::Frozen;
        }
        if name.starts_with("CHAT_SEND_") && name.ends_with("_FORBIDDEN") {
            return Self::KindForbidden;
        }
        Self::of_name(name).unwrap_or(match code {
            // Every 401 says that this session may not call; a negative code is Telegram's own timeout.
            401 => Self::SignedOut,
            500.. | ..0 => Self::Internal,
            _ => Self::Unknown,
        })
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "PEER_FLOOD" => Self::PeerFlood,
            "USER_BANNED_IN_CHANNEL"
            | "CHAT_WRITE_FORBIDDEN"
            | "CHAT_ADMIN_REQUIRED"
            | "CHANNEL_PRIVATE"
            | "CHAT_RESTRICTED"
            // The same in other words; the first three are also what another account's access hash is answered with.
            | "CHANNEL_INVALID"
            | "PEER_ID_INVALID"
            | "CHAT_ID_INVALID"
            | "CHAT_FORBIDDEN"
            | "CHAT_GUEST_SEND_FORBIDDEN"
            | "USER_NOT_PARTICIPANT"
            | "USER_IS_BLOCKED"
            | "YOU_BLOCKED_USER" => Self::NotForThisPeer,
            "CHAT_FORWARDS_RESTRICTED" => Self::SourceProtected,
            "MESSAGE_ID_INVALID"
            | "MESSAGE_IDS_EMPTY"
            | "MEDIA_EMPTY"
            | "GROUPED_MEDIA_INVALID"
            | "QUIZ_ANSWER_MISSING"
            | "BROADCAST_PUBLIC_VOTERS_FORBIDDEN" => Self::BadMessage,
            "TOPIC_CLOSED" | "TOPIC_DELETED" => Self::TopicClosed,
            "PREMIUM_ACCOUNT_REQUIRED" => Self::PremiumRequired,
            "AUTH_KEY_UNREGISTERED" | "SESSION_REVOKED" | "SESSION_EXPIRED" => Self::SignedOut,
            "AUTH_KEY_DUPLICATED" => Self::SessionDead,
            "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN" | "PHONE_NUMBER_BANNED" => Self::Banned,
            "RANDOM_ID_DUPLICATE" => Self::RandomIdDuplicate,
            _ => return None,
        })
    }
}

/// The seconds of `PREFIX_X`; `None` if the name is another.
fn wait_secs(name: &str, prefix: &str) -> Option<u64> {
    let rest = name.strip_prefix(prefix)?;
    let digits = rest.strip_prefix('_').unwrap_or_default();
    let secs = leading_number(digits).unwrap_or(WAIT_SECS_UNREADABLE);
    Some(secs.clamp(1, WAIT_SECS_MAX))
}

fn number_at_end(name: &str) -> Option<u64> {
    leading_number(name.rsplit('_').next()?)
}

/// The number a text starts with; one that is too large counts as the largest.
fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u64::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meaning(code: i32, name: &str) -> Meaning {
        Refusal::parse(code, name).meaning()
    }

    #[test]
    fn numbers_are_read_where_they_belong() {
        assert_eq!(meaning(420, "FLOOD_WAIT_31"), Meaning::FloodWait { secs: 31 });
        assert_eq!(meaning(420, "FLOOD_PREMIUM_WAIT_7"), Meaning::FloodWait { secs: 7 });
        assert_eq!(meaning(420, "SLOWMODE_WAIT_12"), Meaning::SlowMode { secs: 12 });
        assert_eq!(meaning(403, "ALLOW_PAYMENT_REQUIRED_25"), Meaning::PaymentRequired { stars: 25 });
        assert_eq!(meaning(303, "USER_MIGRATE_4"), Meaning::Migrate { dc: 4 });
        assert_eq!(meaning(303, "PHONE_MIGRATE_2"), Meaning::Migrate { dc: 2 });
        assert_eq!(meaning(420, "2FA_CONFIRM_WAIT_100"), Meaning::Unknown);
        assert_eq!(meaning(420, "FROZEN_METHOD_INVALID"), Meaning::Frozen);
    }

    #[test]
    fn strange_waits_are_waits_all_the_same() {
        assert_eq!(meaning(420, "FLOOD_WAIT_0"), Meaning::FloodWait { secs: 1 });
        assert_eq!(meaning(420, "FLOOD_WAIT"), Meaning::FloodWait { secs: 60 });
        assert_eq!(meaning(420, "FLOOD_WAIT_-5"), Meaning::FloodWait { secs: 60 });
        assert_eq!(meaning(420, " flood_wait_31 (caused by x)"), Meaning::FloodWait { secs: 31 });
        let absurd = meaning(420, "FLOOD_WAIT_99999999999999999999999999");
        assert_eq!(absurd, Meaning::FloodWait { secs: WAIT_SECS_MAX });
    }

    #[test]
    fn fallbacks_go_by_the_code() {
        assert_eq!(meaning(500, "INTERDC_2_CALL_ERROR"), Meaning::Internal);
        assert_eq!(meaning(-503, "Timeout"), Meaning::Internal);
        assert_eq!(meaning(500, "RANDOM_ID_DUPLICATE"), Meaning::RandomIdDuplicate);
        assert_eq!(meaning(401, "AUTH_KEY_INVALID"), Meaning::SignedOut);
        assert_eq!(meaning(401, "USER_DEACTIVATED"), Meaning::Banned);
        assert_eq!(meaning(400, "SOMETHING_NEW"), Meaning::Unknown);
        assert_eq!(meaning(400, "X_MIGRATE_99999999999"), Meaning::Unknown);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_text_is_kept(code: i32, name in "[A-Z_0-9é]{0,60}") {
            let refusal = Refusal::parse(code, &name);
            prop_assert_eq!(refusal.text(), name);
        }
    }
}
