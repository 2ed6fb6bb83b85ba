//! `ferry account list`: where each account stands, since when, and what to do.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use transfer::account::Member;
use transfer::pool::standing::{Is, Standing, WayBack, standing};

use crate::command::desk::Desk;
use crate::failure::Failure;
use crate::progress::words::grouped;

/// Options of `ferry account list`.
#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// One account as scripts read it.
#[derive(Serialize)]
struct Row {
    id: String,
    label: String,
    phone: String,
    priority: i32,
    group: Option<String>,
    enabled: bool,
    daily_budget: Option<u32>,
    charged_today: u32,
    forwarded: u64,
    floods: u64,
    flood_wait_secs: u64,
    state: &'static str,
    reason: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    to_do: Option<&'static str>,
    checked_at: Option<Timestamp>,
    last_used: Option<Timestamp>,
}

/// Lists the pool.
pub(super) async fn list(desk: &Desk, options: &ListOptions) -> Result<(), Failure> {
    let members = desk.members().await?;
    let (now, today, midnight) = desk.now();
    let rows = members.iter().map(|member| (member, standing(member, now, today, midnight)));
    if options.json {
        let rows: Vec<Row> = rows.map(|(member, stands)| row(member, stands, today)).collect();
        let text = serde_json::to_string_pretty(&rows).map_err(|error| Failure::failed(&error))?;
        desk.terminal.line(text);
        return Ok(());
    }
    if members.is_empty() {
        desk.terminal.line("The pool is empty. Add an account with: ferry account add");
    }
    for (member, stands) in rows {
        desk.terminal.line(line(member, &stands, &desk.configuration.zone));
    }
    Ok(())
}

fn row(member: &Member, stands: Standing, today: jiff::civil::Date) -> Row {
    let (account, profile) = (&member.account, &member.profile);
    Row {
        id: account.id.to_string(),
        label: profile.label.clone(),
        phone: account.phone_masked.clone(),
        priority: profile.priority,
        group: profile.group.clone(),
        enabled: profile.enabled,
        daily_budget: profile.daily_budget,
        charged_today: if account.today.date == today { account.today.charged } else { 0 },
        forwarded: account.total.forwarded,
        floods: account.total.floods,
        flood_wait_secs: account.total.flood_wait_secs,
        state: word(stands.is),
        reason: stands.reason,
        since: stands.since,
        until: stands.until,
        to_do: to_do(stands.way_back),
        checked_at: account.checked_at,
        last_used: account.last_used,
    }
}

fn line(member: &Member, stands: &Standing, zone: &TimeZone) -> String {
    let at = |time: Timestamp| time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let mut standing = word(stands.is).to_owned();
    for (what, time) in [("since", stands.since), ("until", stands.until)] {
        if let Some(time) = time {
            standing.push_str(&format!(" {what} {}", at(time)));
        }
    }
    standing.extend(stands.reason.as_ref().map(|reason| format!(" ({reason})")));
    standing.extend(to_do(stands.way_back).map(|to_do| format!(": {to_do}")));
    let group = member.profile.group.as_ref().map_or_else(String::new, |group| format!("  group {group}"));
    format!(
        "{:<12} {:<20} {:<10} priority {:>3}  {:>9} forwarded  {:>4} floods  {standing}{group}",
        member.account.id.0,
        member.profile.label,
        member.account.phone_masked,
        member.profile.priority,
        grouped(member.account.total.forwarded),
        member.account.total.floods,
    )
}

/// Where it stands, in the words that scripts read too.
fn word(is: Is) -> &'static str {
    match is {
        Is::Ready => "ready",
        Is::InUse => "in use",
        Is::Cooling => "cooling",
        Is::Resting => "resting (daily budget used up)",
        Is::SignedOut => "signed out",
        Is::SessionDead => "session dead",
        Is::Frozen => "frozen",
        Is::Quarantined => "quarantined",
        Is::Banned => "banned",
        Is::Disabled => "disabled",
        Is::Leaving => "leaving",
    }
}

fn to_do(way_back: WayBack) -> Option<&'static str> {
    match way_back {
        WayBack::Nothing | WayBack::Time => None,
        WayBack::LogInAgain => Some("ferry account add --again"),
        WayBack::Appeal => Some("appeal in Telegram's app, then reset it in the bot"),
        WayBack::Reset => Some("let it rest for a day, then reset it in the bot"),
        WayBack::Enable => Some("ferry account enable"),
        WayBack::Replace => Some("put another account in its place"),
    }
}
