//! `ferry account remove`: signed out at Telegram first, erased here after that.
//!
//! Where another process works on the data directory, the account is marked as leaving and a host does it; otherwise this
//! process does. If it dies after signing out, the account stands there signed out, and removing it again erases it.

use clap::Args;
use session_host::session::Sessions;
use session_host::telegram::{CallError, GrammersTelegram, OpenError, Telegram};
use transfer::account::Member;
use transfer::admin;
use transfer::refusal::Meaning;

use super::named;
use super::taken::Taken;
use crate::command::desk::{Desk, admin_failed, table_failed};
use crate::failure::{Failure, told};

/// Options of `ferry account remove`.
#[derive(Debug, Args)]
pub(super) struct RemoveOptions {
    /// Which
    account: String,
    /// Erase it here without a word to Telegram: for an account that was exported, or that Telegram does not answer
    #[arg(long)]
    stay_signed_in: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

/// Removes an account.
pub(super) async fn remove(desk: &Desk, options: &RemoveOptions) -> Result<(), Failure> {
    let member = named::find(desk, &options.account).await?;
    let label = &member.profile.label;
    if !options.yes {
        let question = format!("Remove {label} ({}) and all that is known of it? [y/N]", member.account.phone_masked);
        let answer = super::secrets::asked(&desk.terminal, &question)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Failure::Input(format!("{label} stays")));
        }
    }
    let (now, ..) = desk.now();
    if options.stay_signed_in {
        let deleted = admin::delete(desk.table.as_ref(), &member.account.id).await;
        deleted.map_err(|error| admin_failed(&error))?;
        desk.terminal.line(format!("{label} is erased here; at Telegram it is still signed in."));
        return Ok(());
    }
    if !desk.is_alone() {
        let left = admin::leave(desk.table.as_ref(), Some(&desk.queue()), &member.account.id, None, now).await;
        left.map_err(|error| admin_failed(&error))?;
        desk.terminal.line(format!("{label} leaves: the ferry that runs signs it out and erases it within a minute."));
        return Ok(());
    }
    let unsettled = admin::unsettled(desk.table.as_ref(), &member.account.id).await;
    if let Some(task) = unsettled.map_err(|error| table_failed(&error))? {
        let account = member.account.id.clone();
        return Err(admin_failed(&admin::AdminError::Unsettled { account, task }));
    }
    leave(desk, &desk.sessions().await?, &member).await?;
    desk.terminal.line(format!("{label} is signed out at Telegram, and erased here."));
    Ok(())
}

/// Signs an account out and erases it; no host lives.
pub(in crate::command) async fn leave(desk: &Desk, sessions: &Sessions, member: &Member) -> Result<(), Failure> {
    let (id, label) = (&member.account.id, &member.profile.label);
    let Some(taken) = Taken::take(desk, id).await? else { return Ok(()) };
    let telegram = GrammersTelegram::new(desk.configuration.setup.clone(), sessions.clone(), desk.clock.clone());
    if let Err(why) = sign_out(&telegram, member).await {
        taken.give_back(|_| ()).await?;
        let hint =
            "nothing was erased; try again, or erase it with --stay-signed-in and end the session in its settings";
        return Err(Failure::Failed(format!("{label} could not be signed out ({why}): {hint}")));
    }
    let erased = admin::erase(desk.table.as_ref(), id, &taken.lease).await;
    if erased.map_err(|error| admin_failed(&error))? {
        return Ok(());
    }
    Err(Failure::Failed(format!("{label} is signed out, but a host took it: try again")))
}

/// Ends the session at Telegram. One that Telegram does not know any more is ended.
async fn sign_out(telegram: &dyn Telegram, member: &Member) -> Result<(), String> {
    let is_ended = |meaning: Meaning| matches!(meaning, Meaning::SignedOut | Meaning::SessionDead | Meaning::Banned);
    let connection = match telegram.open(&member.account.id).await {
        Ok(connection) => connection,
        Err(OpenError::Refused(refusal)) if is_ended(refusal.meaning()) => return Ok(()),
        Err(error) => return Err(told(&error)),
    };
    let answer = connection.log_out().await;
    connection.close().await;
    match answer {
        Ok(()) => Ok(()),
        Err(CallError::Refused(refusal)) if is_ended(refusal.meaning()) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}
