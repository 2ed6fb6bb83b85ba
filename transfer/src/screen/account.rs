//! One account's page, and what is asked before something is done to it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{AccountState, Counters, Member, MethodClass};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::pool::standing::{Is, Standing, standing};
use crate::text::{Locale, Value, grouped};

use super::{Sheet, label, short};

/// Characters of a masked phone number, and of Telegram's word for a state.
const WORD_LEN_SHOWN: usize = 60;

/// How the account stands where its reader is. `today` is the date there.
pub(super) fn stands(member: &Member, locale: &Locale, now: Timestamp, today: Date) -> Standing {
    standing(member, now, today, locale.midnight_after(today))
}

/// What an account's light shows.
fn light(is: Is) -> &'static str {
    match is {
        Is::Ready | Is::InUse => "🟢",
        Is::Cooling => "⏳",
        Is::Resting => "💤",
        Is::SignedOut | Is::SessionDead | Is::Frozen | Is::Quarantined | Is::Banned | Is::Disabled | Is::Leaving => {
            "🔴"
        }
    }
}

/// Until when the account can carry nothing: whoever may not read cannot carry either.
pub fn limited_until(member: &Member, now: Timestamp) -> Option<Timestamp> {
    let waits = &member.account.waits;
    [MethodClass::Write, MethodClass::Read].into_iter().filter_map(|class| waits.until(class, now)).max()
}

/// Whether there is anything that a reset would change: a wait of any class, a quarantine, or a freeze that Telegram lifted.
pub fn can_reset(member: &Member, now: Timestamp) -> bool {
    let waits = &member.account.waits;
    let classes = [MethodClass::Write, MethodClass::Read, MethodClass::Resolve];
    matches!(member.account.state, AccountState::Quarantined | AccountState::Frozen)
        || classes.into_iter().any(|class| waits.until(class, now).is_some())
}

/// What the account did today.
pub(super) fn today_of(member: &Member, today: Date) -> Counters {
    if member.account.today.date == today { member.account.today.counters } else { Counters::default() }
}

/// `✅🟢`: enabled, and able to carry.
pub(super) fn lights(member: &Member, locale: &Locale, now: Timestamp, today: Date) -> String {
    let enabled = if member.profile.enabled { "✅" } else { "❌" };
    format!("{enabled}{}", light(stands(member, locale, now, today).is))
}

/// An account's page.
pub fn account(member: &Member, locale: &Locale, now: Timestamp, today: Date) -> Screen {
    let mut sheet = Sheet::new(locale);
    let arguments =
        [("lights", lights(member, locale, now, today).into()), ("label", Value::from(label(&member.profile.label)))];
    sheet.say("account-title", &arguments);
    let phone = short(&member.account.phone_masked, WORD_LEN_SHOWN);
    sheet.say("account-phone", &[("phone", phone.into()), ("id", short(&member.account.id.0, WORD_LEN_SHOWN).into())]);
    sheet.gap();
    how_it_stands(&mut sheet, member, now, today);
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
fn how_it_stands(sheet: &mut Sheet<'_>, member: &Member, now: Timestamp, today: Date) {
    let locale = sheet.locale;
    let stands = stands(member, locale, now, today);
    match stands.is {
        Is::Ready | Is::InUse => sheet.say("account-state-available", &[]),
        Is::Disabled => sheet.say("account-state-disabled", &[]),
        Is::Resting => sheet.say("account-state-spent", &[]),
        Is::Cooling => {
            let until = stands.until.unwrap_or(now);
            let left = locale.duration(secs_until(until, now));
            sheet.say("account-state-limited", &[("until", locale.time(until).into()), ("left", left.into())]);
        }
        Is::Leaving => {
            let since = stands.since.unwrap_or(now);
            sheet.say("account-state-leaving", &[("since", locale.time(since).into())]);
        }
        Is::SignedOut | Is::SessionDead | Is::Frozen | Is::Quarantined | Is::Banned => {
            sheet.say(lost_name(member.account.state), &[]);
            if let Some(reason) = &stands.reason {
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
    if member.account.state == AccountState::Frozen {
        sheet.say("account-reset-frozen", &[]);
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
