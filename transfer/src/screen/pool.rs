//! The pool's menu and the list of its accounts.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::Member;
use crate::bot::{Button, Screen};
use crate::dialogue::press::Press;
use crate::ids::AccountId;
use crate::pool::standing::Is;
use crate::text::{Locale, Value, grouped};

use super::account::{lights, limited_until, stands, today_of};
use super::{Page, Sheet, label, plain};

/// Accounts on a page.
const PER_PAGE: usize = 8;

/// How many accounts stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// All of them.
    pub accounts: u64,
    /// That may be chosen.
    pub enabled: u64,
    /// That can carry now.
    pub available: u64,
    /// That have to wait.
    pub limited: u64,
    /// That used their day's budget up.
    pub spent: u64,
    /// That Telegram does not let work: somebody has to look.
    pub lost: u64,
}

impl Totals {
    /// Counts the pool.
    pub fn of(members: &[Member], locale: &Locale, now: Timestamp, today: Date) -> Self {
        let mut totals = Self::default();
        for member in members {
            totals.accounts += 1;
            totals.enabled += u64::from(member.profile.enabled);
            match stands(member, locale, now, today).is {
                Is::Ready | Is::InUse => totals.available += 1,
                Is::Cooling => totals.limited += 1,
                Is::SignedOut | Is::SessionDead | Is::Frozen | Is::Quarantined | Is::Banned => totals.lost += 1,
                Is::Resting => totals.spent += 1,
                Is::Disabled | Is::Leaving => {}
            }
        }
        totals
    }
}

/// The pool's menu. `single` is the account that a host works with alone, if one does.
pub fn pool(members: &[Member], single: Option<&AccountId>, locale: &Locale, now: Timestamp, today: Date) -> Screen {
    let totals = Totals::of(members, locale, now, today);
    let mut sheet = Sheet::new(locale);
    sheet.say("pool-title", &[]);
    sheet.gap();
    sheet.say("pool-accounts", &[("count", grouped(totals.accounts).into())]);
    sheet.say("pool-enabled", &[("count", grouped(totals.enabled).into())]);
    sheet.say("pool-available", &[("count", grouped(totals.available).into())]);
    sheet.say("pool-limited", &[("count", grouped(totals.limited).into())]);
    if totals.spent > 0 {
        sheet.say("pool-spent", &[("count", grouped(totals.spent).into())]);
    }
    if totals.lost > 0 {
        sheet.say("pool-lost", &[("count", grouped(totals.lost).into())]);
    }
    if let Some(account) = single {
        let named = members.iter().find(|member| member.account.id == *account);
        let name = named.map_or(account.0.as_str(), |member| &member.profile.label);
        sheet.gap();
        sheet.say("pool-single", &[("account", label(name).into())]);
    }
    if members.is_empty() {
        sheet.gap();
        sheet.say("pool-empty", &[]);
    }
    sheet.row([("pool-button-add", Press::AddAccount), ("pool-button-list", Press::Accounts(0))]);
    sheet.row([("pool-button-statistics", Press::Statistics), ("pool-button-back", Press::Menu)]);
    sheet.finish()
}

/// A page of the list, in the order in which accounts are chosen when nothing else speaks for one.
pub fn accounts(members: &[Member], page: u32, locale: &Locale, now: Timestamp, today: Date) -> Screen {
    let mut sheet = Sheet::new(locale);
    let page = Page::of(page, members.len(), PER_PAGE);
    if members.is_empty() {
        sheet.say("pool-empty", &[]);
        sheet.row([("pool-button-add", Press::AddAccount), ("pool-button-back", Press::Pool)]);
        return sheet.finish();
    }
    sheet.say("pool-list-title", &[("count", grouped(members.len() as u64).into())]);
    let mut buttons = Vec::new();
    for (at, member) in members.iter().enumerate().skip(page.first).take(PER_PAGE) {
        let number = (at + 1).to_string();
        sheet.gap();
        row(&mut sheet, &number, member, now, today);
        let lights = lights(member, locale, now, today);
        let arguments = [
            ("lights", lights.into()),
            ("number", Value::from(number)),
            ("label", label(&member.profile.label).into()),
        ];
        let text = plain(&locale.say("pool-row-button", &arguments));
        buttons.push(Button { text, data: Press::Account(member.account.id.clone()).to_string() });
    }
    sheet.buttons.extend(buttons.chunks(2).map(<[Button]>::to_vec));
    sheet.pages(&page, Press::Accounts);
    sheet.row([("pool-button-refresh", Press::Accounts(page.number)), ("pool-button-back", Press::Pool)]);
    sheet.finish()
}

fn row(sheet: &mut Sheet<'_>, number: &str, member: &Member, now: Timestamp, today: Date) {
    let locale = sheet.locale;
    let arguments = [
        ("lights", lights(member, locale, now, today).into()),
        ("number", Value::from(number)),
        ("label", label(&member.profile.label).into()),
    ];
    sheet.say("pool-row", &arguments);
    let arguments = [
        ("total", grouped(member.account.total.forwarded).into()),
        ("today", grouped(today_of(member, today).forwarded).into()),
        ("priority", Value::from(member.profile.priority.to_string())),
    ];
    sheet.say("pool-row-figures", &arguments);
    let state = match stands(member, locale, now, today).is {
        Is::SignedOut | Is::SessionDead | Is::Frozen | Is::Quarantined | Is::Banned => {
            Some(lost_name(member.account.state))
        }
        Is::Resting => Some("pool-row-spent"),
        Is::Disabled => Some("pool-row-disabled"),
        Is::Leaving => Some("pool-row-leaving"),
        Is::Cooling | Is::Ready | Is::InUse => None,
    };
    if let Some(state) = state {
        sheet.say(state, &[]);
    }
    if let Some(until) = limited_until(member, now) {
        sheet.say("pool-row-limited", &[("until", locale.time(until).into())]);
    }
}

fn lost_name(state: crate::account::AccountState) -> &'static str {
    use crate::account::AccountState as S;
    match state {
        S::Ready => "pool-row-ready",
        S::SignedOut => "pool-row-signed-out",
        S::SessionDead => "pool-row-session-dead",
        S::Frozen => "pool-row-frozen",
        S::Quarantined => "pool-row-quarantined",
        S::Banned => "pool-row-banned",
    }
}
