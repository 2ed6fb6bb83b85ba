//! The data of the screens about accounts.

use jiff::civil::Date;
use transfer::account::Member;
use transfer::admin;
use transfer::bot::Screen;
use transfer::ids::{AccountId, LoginId};
use transfer::screen::statistics::{StatisticsData, by_day, days_shown};
use transfer::screen::{account, pool, statistics};
use transfer::table::item::DayRecord;
use transfer::table::{Item, Key, List, TableError};

use super::ViewContext;
use crate::handler::heard;

/// What a screen of one account shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum About {
    Page,
    Delete,
    Reset,
}

pub(super) async fn menu(context: &ViewContext<'_>) -> Result<Screen, TableError> {
    let members = admin::members(context.table).await?;
    let hosts = context.table.list(List::Hosts).await?;
    let single = hosts.into_iter().find_map(|record| match record.item {
        Item::Host(host) if heard(&host, context.now) => host.only_account,
        _ => None,
    });
    Ok(pool::pool(&members, single.as_ref(), context.locale, context.now, today(context)))
}

/// A login as it stands; the handler shows it in its own message, this is for whoever only looks.
pub(super) async fn login(context: &ViewContext<'_>, id: &LoginId) -> Result<Screen, TableError> {
    let stored = context.table.get(&Key::login(id)).await?;
    Ok(match stored.map(|record| record.item) {
        Some(Item::Login(login)) => transfer::screen::login::screen(&login, context.locale, context.now),
        Some(_) | None => account::unknown(context.locale),
    })
}

pub(super) async fn list(context: &ViewContext<'_>, page: u32) -> Result<Screen, TableError> {
    let members = admin::members(context.table).await?;
    Ok(pool::accounts(&members, page, context.locale, context.now, today(context)))
}

pub(super) async fn one(context: &ViewContext<'_>, id: &AccountId, about: About) -> Result<Screen, TableError> {
    let Some(member) = admin::member(context.table, id).await? else { return Ok(account::unknown(context.locale)) };
    Ok(match about {
        About::Page => account::account(&member, context.locale, context.now, today(context)),
        About::Delete => account::delete(&member, context.locale),
        About::Reset => account::reset(&member, context.locale, context.now),
    })
}

pub(super) async fn figures(context: &ViewContext<'_>) -> Result<Screen, TableError> {
    let members = admin::members(context.table).await?;
    let today = today(context);
    let stored = days(context, &members, today).await?;
    let days = by_day(&members, &stored, today);
    Ok(statistics::statistics(&StatisticsData { members, days }, context.locale, context.now, today))
}

/// The stored days of the last while.
async fn days(context: &ViewContext<'_>, members: &[Member], today: Date) -> Result<Vec<DayRecord>, TableError> {
    let shown = days_shown(today);
    let mut days = Vec::new();
    for member in members {
        let pk = Key::account(&member.account.id).pk;
        for record in context.table.partition(&pk, "DAY#").await? {
            if let Item::Day(day) = record.item
                && shown.contains(&day.date)
            {
                days.push(day);
            }
        }
    }
    Ok(days)
}

/// The date where the reader is. Hosts count their days in the installation's zone, which is the same unless the reader
/// chose another.
fn today(context: &ViewContext<'_>) -> Date {
    context.now.to_zoned(context.locale.zone.clone()).date()
}
