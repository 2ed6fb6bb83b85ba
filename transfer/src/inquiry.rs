//! What the function wants to know and only a host can find out, because it needs an account: what stands behind a draft
//! of a transfer before the admin confirms it.
//!
//! An inquiry is stored before its job is queued. The host that takes the job answers by editing the message that the
//! function sent; running twice edits twice and does no harm. What nobody answered in time expires.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::Counters;
use crate::chunk::{Cut, Limit, cut};
use crate::ids::{BotMessageId, ChatId, InquiryId};
use crate::message::Message;
use crate::pace::{Pace, PaceState};
use crate::selection::Selection;
use crate::submit::NewTask;
use crate::text::Language;

/// For how long an answer is worth something.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// A question to whichever host takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Its id.
    pub id: InquiryId,
    /// Who asks.
    pub chat: ChatId,
    /// The message that shows the answer; `None` until the function has sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// In which language to answer.
    pub language: Language,
    /// The admin's zone, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is asked.
    pub question: Question,
    /// When.
    pub asked_at: Timestamp,
    /// Counts its jobs.
    pub seq: u64,
    /// Whether it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Question {
    /// What a transfer would carry, with whom, and for how long.
    Preview {
        /// The transfer.
        draft: Box<NewTask>,
    },
}

/// What a host found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// It can be carried.
    Preview(Box<Preview>),
    /// It cannot, for now or for ever; the reason says what to do.
    Impossible {
        /// Why, and what to do.
        reason: Obstacle,
    },
}

/// What a transfer would carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The source's title.
    pub source: String,
    /// The target's title.
    pub target: String,
    /// Accounts that can read the source and post in the target.
    pub accounts_able: u32,
    /// Accounts that cannot, or have to wait before they can be asked.
    pub accounts_other: u32,
    /// Messages that match.
    pub matching: Count,
    /// Albums among them.
    pub albums: Count,
    /// How long it will take, from pace, budgets and the floods of the last days; `None` when nobody can tell.
    pub estimate: Option<SignedDuration>,
}

/// A number that was counted, or extrapolated from a sample of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub number: u64,
    /// Whether every message of the range was looked at.
    pub exact: bool,
}

/// What stands in the way of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Obstacle {
    /// The pool is empty, or nobody in it may work.
    NoAccount,
    /// No account finds such a chat.
    UnknownChat {
        /// Which, as the admin named it.
        address: String,
    },
    /// No account may read the source.
    Unreadable {
        /// The source.
        address: String,
    },
    /// No account may post in the target.
    Unpostable {
        /// The target.
        address: String,
    },
    /// Its content is protected: Telegram lets nobody forward from it, and Ferry does not work around that.
    Protected {
        /// The source's title.
        title: String,
    },
    /// Source and target are one chat.
    SameChat {
        /// Its title.
        title: String,
    },
    /// Nothing in the source matches.
    NothingMatches {
        /// The source's title.
        title: String,
    },
    /// Every account has to wait before it can be asked.
    AllLimited {
        /// The first one's wait ends.
        until: Timestamp,
    },
    /// Telegram could not be reached.
    Unreachable,
    /// Nobody answered in time.
    Expired,
}

/// What a transfer would carry of some messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, with the members that an album brings along.
    pub matching: u64,
    /// Albums among them.
    pub albums: u64,
}

/// Counts what a transfer would carry of a piece of history, as it would be cut.
pub fn tally(mut messages: &[Message], selection: &Selection) -> Tally {
    let mut tally = Tally::default();
    let mut ahead = Vec::new();
    loop {
        let consumed = match cut(messages, true, selection, &ahead, Limit::none()) {
            Cut::Chunk(chunk) => {
                tally.matching += chunk.ids.len() as u64;
                tally.albums += chunk.units.iter().filter(|unit| **unit > 1).count() as u64;
                ahead = chunk.ahead_after;
                chunk.consumed
            }
            Cut::Passed(passed) => {
                ahead = passed.ahead_after;
                passed.consumed
            }
            Cut::Exhausted(_) | Cut::NeedMore | Cut::NoRoom { .. } => return tally,
        };
        match messages.get(consumed..).filter(|_| consumed > 0) {
            Some(rest) => messages = rest,
            None => return tally,
        }
    }
}

/// What an account may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Today; `None`: there is no limit.
    pub left_today: Option<u32>,
    /// On other days.
    pub a_day: Option<u32>,
}

/// What accounts met in the last days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floods {
    /// Messages that they carried.
    pub forwarded: u64,
    /// Seconds that they had to wait.
    pub wait_secs: u64,
}

impl Floods {
    /// Adds what an account did in a day.
    pub fn add(&mut self, counters: Counters) {
        self.forwarded = self.forwarded.saturating_add(counters.forwarded);
        self.wait_secs = self.wait_secs.saturating_add(counters.flood_wait_secs);
    }
}

/// Fewer messages say nothing about floods.
const FLOODS_SAY: u64 = 100;
/// Messages whose pace is worked out one by one; longer transfers are so many times that.
const PACE_BLOCK: u32 = 100_000;
const DAY_MILLIS: u128 = 86_400_000;
/// What is farther away is not told.
const ESTIMATE_MAX: SignedDuration = SignedDuration::from_hours(24 * 3_650);

/// How long a transfer of so many messages takes with these accounts: its pace, the waits that such a number of messages
/// brought lately - shared by the accounts, which wait at the same time - and whole days where budgets are smaller than
/// that. `None`: no account, or none that may ever carry enough.
pub fn estimate(matching: u64, pace: &Pace, accounts: &[Limits], floods: Floods) -> Option<SignedDuration> {
    if accounts.is_empty() {
        return None;
    }
    let millis = paced(matching, pace).saturating_add(flooded(matching, accounts, floods));
    // The budget of the last day is there when it begins.
    let days = u128::from(days(matching, accounts)?).saturating_mul(DAY_MILLIS);
    let millis = i64::try_from(millis.max(days)).unwrap_or(i64::MAX);
    Some(SignedDuration::from_millis(millis).min(ESTIMATE_MAX))
}

/// Milliseconds that the pace asks for.
fn paced(matching: u64, pace: &Pace) -> u128 {
    let of = |messages: u32| {
        let next_at = pace.after(&PaceState::default(), messages, Timestamp::UNIX_EPOCH).next_at;
        next_at.map_or(0, |at| u128::try_from(at.as_millisecond()).unwrap_or(0))
    };
    let (blocks, rest) = (matching / u64::from(PACE_BLOCK), matching % u64::from(PACE_BLOCK));
    let blocks = if blocks == 0 { 0 } else { u128::from(blocks).saturating_mul(of(PACE_BLOCK)) };
    blocks.saturating_add(of(u32::try_from(rest).unwrap_or(PACE_BLOCK)))
}

/// Milliseconds that floods take.
fn flooded(matching: u64, accounts: &[Limits], floods: Floods) -> u128 {
    if floods.forwarded < FLOODS_SAY {
        return 0;
    }
    let waits = u128::from(matching) * u128::from(floods.wait_secs);
    waits.saturating_mul(1_000) / u128::from(floods.forwarded) / accounts.len() as u128
}

/// How many midnights have to pass for budgets; `None`: it never ends.
fn days(matching: u64, accounts: &[Limits]) -> Option<u64> {
    let sum = |budget: fn(&Limits) -> Option<u32>| {
        accounts.iter().map(budget).try_fold(0_u64, |sum, budget| Some(sum.saturating_add(u64::from(budget?))))
    };
    let Some(today) = sum(|limits| limits.left_today) else { return Some(0) };
    let left = matching.saturating_sub(today);
    if left == 0 {
        return Some(0);
    }
    match sum(|limits| limits.a_day) {
        None => Some(1),
        Some(0) => None,
        Some(a_day) => Some(left.div_ceil(a_day)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unlimited() -> Limits {
        Limits { left_today: None, a_day: None }
    }

    fn secs(estimate: Option<SignedDuration>) -> Option<i64> {
        estimate.map(|estimate| estimate.as_secs())
    }

    #[test]
    fn the_pace_floods_and_budgets_each_make_it_longer() {
        let second = Pace { forward_rate_ms: 1_000, ..Pace::none() };
        let none = Floods::default();
        assert_eq!(secs(estimate(600, &second, &[unlimited()], none)), Some(600));
        let floods = Floods { forwarded: 1_000, wait_secs: 500 };
        assert_eq!(secs(estimate(600, &second, &[unlimited()], floods)), Some(600 + 300));
        assert_eq!(secs(estimate(600, &second, &[unlimited(), unlimited()], floods)), Some(600 + 150));
        let small = Limits { left_today: Some(100), a_day: Some(250) };
        assert_eq!(secs(estimate(600, &second, &[small], none)), Some(2 * 86_400), "100 today, 250 each of two days");
        assert_eq!(secs(estimate(100, &second, &[small], none)), Some(100));
        assert_eq!(secs(estimate(600, &second, &[small, unlimited()], none)), Some(600));
        assert_eq!(estimate(600, &second, &[], none), None);
        assert_eq!(estimate(1, &second, &[Limits { left_today: Some(0), a_day: Some(0) }], none), None);
    }

    fn limits() -> impl Strategy<Value = Limits> {
        (any::<Option<u32>>(), any::<u32>())
            .prop_map(|(a_day, left)| Limits { left_today: a_day.map(|a_day| left.min(a_day)), a_day })
    }

    proptest! {
        #[test]
        fn more_messages_never_take_less_time_and_more_accounts_never_more(
            (few, more) in (0_u64..3_000_000, 0_u64..3_000_000), rate in 0_u64..3_000, after in 0_u32..60,
            accounts in prop::collection::vec(limits(), 1..6), one in limits(),
            (forwarded, wait_secs) in (0_u64..1 << 40, 0_u64..1 << 40),
        ) {
            let pace = Pace {
                forward_rate_ms: rate, pause_after_files: after, pause_duration_ms: 15_000, ..Pace::none()
            };
            let floods = Floods { forwarded, wait_secs };
            let of = |matching, accounts: &[Limits]| estimate(matching, &pace, accounts, floods);
            let never = SignedDuration::MAX;
            let (short, long) = (of(few, &accounts), of(few + more, &accounts));
            prop_assert!(short.unwrap_or(never) <= long.unwrap_or(never));
            let mut with_another = accounts.clone();
            with_another.push(one);
            prop_assert!(of(few, &with_another).unwrap_or(never) <= of(few, &accounts).unwrap_or(never));
        }
    }
}
