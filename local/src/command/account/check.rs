//! `ferry account check`: is the session still good? Asked of Telegram, with nobody else connected meanwhile.

use clap::Args;
use jiff::Timestamp;
use session_host::session::{SessionError, Sessions};
use session_host::telegram::{CallError, GrammersTelegram, OpenError, Telegram};
use transfer::account::{Account, AccountState, Member, MethodClass};
use transfer::refusal::{Meaning, Refusal};

use super::named;
use super::taken::Taken;
use crate::command::desk::Desk;
use crate::failure::{Failure, told};

/// Options of `ferry account check`.
#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Which; all if left out
    account: Option<String>,
}

/// What Telegram says of a session.
enum Answer {
    Good,
    /// In Telegram's words, and the state that follows.
    Lost(Refusal, AccountState),
    /// A wait, which is written down.
    Wait(Timestamp),
    /// Nothing was learnt.
    Nothing(String),
}

/// Asks.
pub(super) async fn check(desk: &Desk, options: &CheckOptions) -> Result<(), Failure> {
    let members = match &options.account {
        Some(name) => vec![named::find(desk, name).await?],
        None => desk.members().await?,
    };
    if members.is_empty() {
        desk.terminal.line("The pool is empty. Add an account with: ferry account add");
    }
    let sessions = desk.sessions().await?;
    let telegram = GrammersTelegram::new(desk.configuration.setup.clone(), sessions.clone(), desk.clock.clone());
    let mut bad = 0;
    for member in &members {
        bad += usize::from(!check_one(desk, &sessions, &telegram, member).await?);
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Failed(format!("{bad} of {} accounts do not work", members.len()))) }
}

/// Whether it works, as far as anybody knows.
async fn check_one(
    desk: &Desk,
    sessions: &Sessions,
    telegram: &GrammersTelegram,
    member: &Member,
) -> Result<bool, Failure> {
    let label = &member.profile.label;
    let (now, ..) = desk.now();
    if let Some(until) = member.account.waits.until(MethodClass::Read, now) {
        desk.terminal.line(format!("{label}: must not ask before {until}; not asked"));
        return Ok(true);
    }
    if let Err(SessionError::Missing(_)) = sessions.load(&member.account.id).await {
        desk.terminal.line(format!("{label}: it has no session here; not asked"));
        // The account of single-account mode, which the pool does not choose.
        return Ok(!member.profile.enabled);
    }
    let Some(taken) = Taken::take(desk, &member.account.id).await? else {
        let when =
            member.account.checked_at.map_or_else(String::new, |at| format!("; Telegram last answered it at {at}"));
        desk.terminal.line(format!("{label}: a host works with it{when}"));
        return Ok(true);
    };
    let answer = ask(desk, telegram, member).await;
    let (line, is_good) = match &answer {
        Answer::Good => (format!("{label}: its session is good"), true),
        Answer::Lost(refusal, _) => {
            (format!("{label}: Telegram does not take its session any more ({refusal})"), false)
        }
        Answer::Wait(until) => (format!("{label}: Telegram wants no question before {until}"), true),
        Answer::Nothing(why) => (format!("{label}: {why}"), false),
    };
    taken.give_back(|account| learn(account, &answer, now)).await?;
    desk.terminal.line(line);
    Ok(is_good)
}

async fn ask(desk: &Desk, telegram: &GrammersTelegram, member: &Member) -> Answer {
    let connection = match telegram.open(&member.account.id).await {
        Ok(connection) => connection,
        Err(OpenError::Refused(refusal)) => return refused(desk, refusal),
        Err(error) => return Answer::Nothing(told(&error)),
    };
    let answer = connection.whoami().await;
    connection.close().await;
    match answer {
        Ok(()) => Answer::Good,
        Err(CallError::Refused(refusal)) => refused(desk, refusal),
        Err(error @ CallError::Uncertain(_)) => Answer::Nothing(told(&error)),
    }
}

fn refused(desk: &Desk, refusal: Refusal) -> Answer {
    match refusal.meaning() {
        Meaning::SignedOut => Answer::Lost(refusal, AccountState::SignedOut),
        Meaning::SessionDead => Answer::Lost(refusal, AccountState::SessionDead),
        Meaning::Banned => Answer::Lost(refusal, AccountState::Banned),
        Meaning::Frozen => Answer::Lost(refusal, AccountState::Frozen),
        Meaning::FloodWait { secs } => {
            let wait = jiff::SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
            Answer::Wait(desk.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
        }
        _ => Answer::Nothing(format!("telegram refused: {refusal}")),
    }
}

fn learn(account: &mut Account, answer: &Answer, now: Timestamp) {
    match answer {
        Answer::Good => {
            account.checked_at = Some(now);
            // It was given up too early, or came back by itself.
            if matches!(account.state, AccountState::SignedOut) {
                (account.state, account.reason, account.since) = (AccountState::Ready, None, now);
            }
        }
        Answer::Lost(refusal, state) if account.state != *state => {
            (account.state, account.reason, account.since) = (*state, Some(refusal.text().to_owned()), now);
        }
        Answer::Wait(until) => account.waits.extend(MethodClass::Read, *until),
        Answer::Lost(..) | Answer::Nothing(_) => {}
    }
}
