//! One account's page, and what is asked before something is done to it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{AccountState, Counters, Member, MethodClass};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::text::{Locale, Value, grouped};

use super::{Sheet, label, short};

/// Characters of a masked phone number, and of Telegram's word for a state.
const WORD_LEN_SHOWN: usize = 60;

/// Whether an account can carry now, and if not, why: the first of these that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It leaves the pool: a host settles what is open, signs it out and erases it.
    Leaving {
        /// Since when.
        since: Timestamp,
    },
    /// Telegram does not let it work; the state is never [`AccountState::Ready`].
    Lost(AccountState),
    /// The admin does not let it be chosen.
    Disabled,
    /// It has to wait.
    Limited {
        /// Until then.
        until: Timestamp,
    },
    /// It carried as much today as it may.
    Spent,
    /// It can.
    Available,
}

impl Standing {
    /// How the account stands. `today` is the date in the admin's zone.
    pub fn of(member: &Member, now: Timestamp, today: Date) -> Self {
        if let Some(leaving) = &member.profile.leaving {
            return Self::Leaving { since: leaving.since };
        }
        if member.account.state != AccountState::Ready {
            return Self::Lost(member.account.state);
        }
        if !member.profile.enabled {
            return Self::Disabled;
        }
        match limited_until(member, now) {
            Some(until) => Self::Limited { until },
            None if member.budget_left(today) == Some(0) => Self::Spent,
            None => Self::Available,
        }
    }

    /// What an account's light shows.
    fn light(self) -> &'static str {
        match self {
            Self::Available => "🟢",
            Self::Limited { .. } => "⏳",
            Self::Spent => "💤",
            Self::Lost(_) | Self::Disabled | Self::Leaving { .. } => "🔴",
        }
    }
}

/// Until when the account can carry nothing: whoever may not read cannot carry either.
pub fn limited_until(member: &Member, now: Timestamp) -> Option<Timestamp> {
    let waits = &member.account.waits;
    [MethodClass::Write, MethodClass::Read].into_iter().filter_map(|class| waits.until(class, now)).max()
}

/// Whether there is anything that a reset would change: a wait of any class, or a quarantine.
pub fn can_reset(member: &Member, now: Timestamp) -> bool {
    let waits = &member.account.waits;
    let classes = [MethodClass::Write, MethodClass::Read, MethodClass::Resolve];
    member.account.state == AccountState::Quarantined
        || classes.into_iter().any(|class| waits.until(class, now).is_some())
}

/// What the account did today.
pub(super) fn today_of(member: &Member, today: Date) -> Counters {
    if member.account.today.date == today { member.account.today.counters } else { Counters::default() }
}

/// `✅🟢`: enabled, and able to carry.
pub(super) fn lights(member: &Member, now: Timestamp, today: Date) -> String {
    let enabled = if member.profile.enabled { "✅" } else { "❌" };
    format!("{enabled}{}", Standing::of(member, now, today).light())
}

/// An account's page.
pub fn account(member: &Member, locale: &Locale, now: Timestamp, today: Date) -> Screen {
    let mut sheet = Sheet::new(locale);
    let arguments =
        [("lights", lights(member, now, today).into()), ("label", Value::from(label(&member.profile.label)))];
    sheet.say("account-title", &arguments);
    let phone = short(&member.account.phone_masked, WORD_LEN_SHOWN);
    sheet.say("account-phone", &[("phone", phone.into()), ("id", short(&member.account.id.0, WORD_LEN_SHOWN).into())]);
    sheet.gap();
    standing(&mut sheet, member, now, today);
    sheet.gap();
    figures(&mut sheet, member, today);
    let id = || member.account.id.clone();
    if member.profile.leaving.is_some() {
        sheet.row([("pool-button-refresh", Press::Account(id())), ("pool-button-back", Press::Accounts(0))]);
        return sheet.finish();
    }
    if matches!(member.account.state, AccountState::SignedOut | AccountState::SessionDead) {
        sheet.row([("account-button-login", Press::LoginAgain(id()))]);
    }
    let toggle = match member.profile.enabled {
        true => ("account-button-disable", Press::Disable(id())),
        false => ("account-button-enable", Press::Enable(id())),
    };
    if can_reset(member, now) {
        sheet.row([toggle, ("account-button-reset", Press::AskReset(id()))]);
    } else {
        sheet.row([toggle]);
    }
    sheet.row([("account-button-priority", Press::AskPriority(id())), ("account-button-label", Press::AskLabel(id()))]);
    sheet.row([("account-button-group", Press::AskGroup(id())), ("account-button-delete", Press::AskDelete(id()))]);
    sheet.row([("pool-button-refresh", Press::Account(id())), ("pool-button-back", Press::Accounts(0))]);
    sheet.finish()
}

/// How it stands and what to do.
fn standing(sheet: &mut Sheet<'_>, member: &Member, now: Timestamp, today: Date) {
    let locale = sheet.locale;
    match Standing::of(member, now, today) {
        Standing::Available => sheet.say("account-state-available", &[]),
        Standing::Disabled => sheet.say("account-state-disabled", &[]),
        Standing::Spent => sheet.say("account-state-spent", &[]),
        Standing::Limited { until } => {
            let left = locale.duration(secs_until(until, now));
            sheet.say("account-state-limited", &[("until", locale.time(until).into()), ("left", left.into())]);
        }
        Standing::Leaving { since } => {
            sheet.say("account-state-leaving", &[("since", locale.time(since).into())]);
        }
        Standing::Lost(state) => {
            sheet.say(lost_name(state), &[]);
            if let Some(reason) = &member.account.reason {
                sheet.say("account-telegram-says", &[("reason", short(reason, WORD_LEN_SHOWN).into())]);
            }
            sheet.say("account-since", &[("since", locale.time(member.account.since).into())]);
        }
    }
    if let Some(until) = member.account.waits.until(MethodClass::Resolve, now) {
        sheet.say("account-resolve-limited", &[("until", locale.time(until).into())]);
    }
    if member.account.lease.is_some() {
        sheet.say("account-connected", &[]);
    }
}

fn lost_name(state: AccountState) -> &'static str {
    match state {
        AccountState::Ready => "account-state-available",
        AccountState::SignedOut => "account-state-signed-out",
        AccountState::SessionDead => "account-state-session-dead",
        AccountState::Frozen => "account-state-frozen",
        AccountState::Quarantined => "account-state-quarantined",
        AccountState::Banned => "account-state-banned",
    }
}

fn figures(sheet: &mut Sheet<'_>, member: &Member, today: Date) {
    let locale = sheet.locale;
    let (total, of_today) = (&member.account.total, today_of(member, today));
    let arguments = [("total", grouped(total.forwarded).into()), ("today", grouped(of_today.forwarded).into())];
    sheet.say("account-forwarded", &arguments);
    match member.profile.daily_budget {
        Some(budget) => {
            let left = member.budget_left(today).unwrap_or(0);
            let arguments = [("budget", grouped(u64::from(budget)).into()), ("left", grouped(u64::from(left)).into())];
            sheet.say("account-budget", &arguments);
        }
        None => sheet.say("account-no-budget", &[]),
    }
    let arguments = [
        ("total", grouped(total.floods).into()),
        ("today", grouped(of_today.floods).into()),
        ("secs", grouped(total.flood_wait_secs).into()),
        ("waited", locale.duration(total.flood_wait_secs).into()),
    ];
    sheet.say("account-floods", &arguments);
    match member.account.last_used {
        Some(at) => sheet.say("account-last-used", &[("at", locale.time(at).into())]),
        None => sheet.say("account-never-used", &[]),
    }
    sheet.say("account-priority", &[("priority", member.profile.priority.to_string().into())]);
    if let Some(group) = &member.profile.group {
        sheet.say("account-group", &[("group", label(group).into())]);
    }
}

/// The question whether an account is really to be deleted.
pub fn delete(member: &Member, locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    let arguments = [
        ("label", label(&member.profile.label).into()),
        ("phone", Value::from(short(&member.account.phone_masked, WORD_LEN_SHOWN))),
    ];
    sheet.say("account-delete-question", &arguments);
    sheet.row([("account-button-delete-yes", Press::Delete(member.account.id.clone()))]);
    sheet.row([("account-button-no", Press::Account(member.account.id.clone()))]);
    sheet.finish()
}

/// The question whether an account's waits are really to be forgotten, and what that risks.
pub fn reset(member: &Member, locale: &Locale, now: Timestamp) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("account-reset-question", &[("label", label(&member.profile.label).into())]);
    if let Some(until) = limited_until(member, now) {
        let left = locale.duration(secs_until(until, now));
        sheet.say("account-state-limited", &[("until", locale.time(until).into()), ("left", left.into())]);
    }
    if member.account.state == AccountState::Quarantined {
        sheet.say("account-reset-quarantine", &[]);
    }
    sheet.gap();
    sheet.say("account-reset-risk", &[]);
    sheet.row([("account-button-reset-yes", Press::Reset(member.account.id.clone()))]);
    sheet.row([("account-button-no", Press::Account(member.account.id.clone()))]);
    sheet.finish()
}

/// There is no such account (any more).
pub fn unknown(locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("account-unknown", &[]);
    sheet.row([("pool-button-list", Press::Accounts(0)), ("button-menu", Press::Menu)]);
    sheet.finish()
}

/// How session strings are imported, and why not here.
pub fn import(locale: &Locale) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("adding-import", &[]);
    sheet.row([("pool-button-back", Press::AddAccount)]);
    sheet.finish()
}

pub(super) fn secs_until(until: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(until.duration_since(now).as_secs()).unwrap_or(0)
}
