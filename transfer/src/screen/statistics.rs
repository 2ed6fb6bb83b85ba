//! The pool's statistics.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{Counters, Member};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::pool::standing::Is;
use crate::text::{Locale, Value, grouped};

use super::account::{secs_until, stands, today_of};
use super::pool::Totals;
use super::{Sheet, label};

/// Days that are shown, today included.
pub const DAYS_SHOWN: usize = 7;
/// Cells of the longest day's bar.
const BAR_CELLS: u64 = 10;

/// What the statistics are made of.
#[derive(Debug, Clone)]
pub struct StatisticsData {
    /// The pool.
    pub members: Vec<Member>,
    /// What the pool did on each of the last days, oldest first, the last one being today.
    pub days: Vec<(Date, Counters)>,
}

/// The last [`DAYS_SHOWN`] days, oldest first.
pub fn days_shown(today: Date) -> Vec<Date> {
    let back = |days: usize| today.saturating_sub(jiff::Span::new().days(i64::try_from(days).unwrap_or(0)));
    (0..DAYS_SHOWN).rev().map(back).collect()
}

/// What the pool did on each of the last days: stored days, and of those that are still counted in the account its own
/// figures, which are newer.
pub fn by_day(members: &[Member], stored: &[crate::table::item::DayRecord], today: Date) -> Vec<(Date, Counters)> {
    let on = |date: Date| {
        let mut sum = Counters::default();
        for member in members {
            let current = &member.account.today;
            let record = || stored.iter().find(|day| day.account == member.account.id && day.date == date);
            if current.date == date {
                sum.add(current.counters);
            } else if let Some(record) = record() {
                sum.add(record.counters);
            }
        }
        (date, sum)
    };
    days_shown(today).into_iter().map(on).collect()
}

/// The statistics.
pub fn statistics(data: &StatisticsData, locale: &Locale, now: Timestamp, today: Date) -> Screen {
    let mut sheet = Sheet::new(locale);
    sheet.say("stats-title", &[]);
    if data.members.is_empty() {
        sheet.gap();
        sheet.say("pool-empty", &[]);
    } else {
        sheet.gap();
        sums(&mut sheet, data, now, today);
        sheet.gap();
        days(&mut sheet, data);
    }
    sheet.row([("pool-button-refresh", Press::Statistics), ("pool-button-list", Press::Accounts(0))]);
    sheet.row([("pool-button-back", Press::Pool)]);
    sheet.finish()
}

fn sums(sheet: &mut Sheet<'_>, data: &StatisticsData, now: Timestamp, today: Date) {
    let locale = sheet.locale;
    let totals = Totals::of(&data.members, locale, now, today);
    let (mut all, mut of_today) = (Counters::default(), Counters::default());
    for member in &data.members {
        all.add(member.account.total);
        of_today.add(today_of(member, today));
    }
    let average = all.forwarded / totals.accounts.max(1);
    let accounts = [("count", grouped(totals.accounts).into()), ("enabled", Value::from(grouped(totals.enabled)))];
    sheet.say("stats-accounts", &accounts);
    let available =
        [("available", grouped(totals.available).into()), ("limited", Value::from(grouped(totals.limited)))];
    sheet.say("stats-available", &available);
    if totals.lost > 0 {
        sheet.say("pool-lost", &[("count", grouped(totals.lost).into())]);
    }
    sheet.say("stats-total", &[("count", grouped(all.forwarded).into())]);
    sheet.say("stats-average", &[("count", grouped(average).into())]);
    sheet.say("stats-today", &[("count", grouped(of_today.forwarded).into())]);
    let floods = [
        ("total", grouped(all.floods).into()),
        ("today", grouped(of_today.floods).into()),
        ("waited", Value::from(locale.duration(all.flood_wait_secs))),
    ];
    sheet.say("stats-floods", &floods);
    if let Some((until, member)) = next_back(&data.members, locale, now, today) {
        let arguments = [
            ("label", label(&member.profile.label).into()),
            ("until", locale.time(until).into()),
            ("left", Value::from(locale.duration(secs_until(until, now)))),
        ];
        sheet.say("stats-next", &arguments);
    }
}

/// The limited account that comes back first.
fn next_back<'a>(
    members: &'a [Member],
    locale: &Locale,
    now: Timestamp,
    today: Date,
) -> Option<(Timestamp, &'a Member)> {
    let limited = members.iter().filter_map(|member| {
        let stands = stands(member, locale, now, today);
        stands.until.filter(|_| stands.is == Is::Cooling).map(|until| (until, member))
    });
    limited.min_by_key(|(until, _)| *until)
}

fn days(sheet: &mut Sheet<'_>, data: &StatisticsData) {
    let locale = sheet.locale;
    let count = data.days.len() as u64;
    let sum: u64 = data.days.iter().map(|(_, counters)| counters.forwarded).fold(0, u64::saturating_add);
    let most = data.days.iter().map(|(_, counters)| counters.forwarded).max().unwrap_or(0);
    let arguments = [("days", count.to_string().into()), ("rate", Value::from(grouped(sum / count.max(1))))];
    sheet.say("stats-days", &arguments);
    for (date, counters) in &data.days {
        // Whatever was done shows at least one cell.
        let cells = u128::from(counters.forwarded) * u128::from(BAR_CELLS);
        let cells = cells.div_ceil(u128::from(most.max(1))).min(u128::from(BAR_CELLS));
        let bar = if cells == 0 { "–".to_owned() } else { "▇".repeat(usize::try_from(cells).unwrap_or(0)) };
        let arguments = [
            ("day", date.strftime("%m-%d").to_string().into()),
            ("bar", bar.into()),
            ("count", Value::from(grouped(counters.forwarded))),
            ("floods", grouped(counters.floods).into()),
        ];
        let text = locale.say("stats-day", &arguments);
        sheet.line(&text);
    }
}
