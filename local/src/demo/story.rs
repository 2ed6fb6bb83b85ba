//! The whole story through the bot: an admin asks for a transfer, watches it, pauses it, lets it go on, and sees its end.
//! Every update passes the handler that ships; what is printed is the chat as the simulator keeps it.

use std::time::Duration;

use tokio::time::Instant;
use transfer::dialogue::State;
use transfer::dialogue::press::Press;
use transfer::dialogue::wizard::Step;
use transfer::ids::{ChatId, TaskId};
use transfer::pace::Preset;
use transfer::table::{Item, Key, List, Table};
use transfer::task::{Task, TaskState};

use super::admin::{ADMIN, Admin, with_button};
use crate::failure::Failure;

/// How often the table is looked at for the moment at which the admin acts.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the whole transfer may take: far longer than any demonstration.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// How long the last words may take: edits come at most every 5 s, and Telegram limits messages to a chat.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// What the admin asks for.
pub struct Wanted {
    /// How fast.
    pub pace: Preset,
    /// After how many changes of account the admin pauses the transfer.
    pub changes_before_pause: u64,
}

/// Plays it; gives the task that came of it.
///
/// # Errors
/// The bot did not answer as it should, or the transfer did not end well.
pub async fn play(admin: &Admin<'_>, table: &dyn Table, wanted: &Wanted) -> Result<TaskId, Failure> {
    ask(admin, table, wanted).await?;
    let id = asked_for(table).await?;
    watch(admin, table, &id, |task| {
        task.state.is_over() || task.checkpoint.counts.changes >= wanted.changes_before_pause
    })
    .await?;
    let running = read(table, &id).await?;
    if !running.state.is_over() {
        pause_and_resume(admin, table, &id).await?;
    }
    watch(admin, table, &id, |task| task.state.is_over() || matches!(task.state, TaskState::Parked { .. })).await?;
    let ended = read(table, &id).await?;
    // The end is told in a message of its own, and the message that showed the progress has nothing left to pause.
    let pausing = Press::Pause(id.clone()).to_string();
    admin.sees("the end of the transfer", LAST_WORDS, |chat| with_button(chat, &pausing).is_none()).await?;
    admin.presses(&Press::Task(id.clone())).await?;
    admin.looks();
    match ended.state {
        TaskState::Done { .. } => Ok(id),
        TaskState::Parked { reason } | TaskState::Failed { reason } | TaskState::Paused { reason } => {
            Err(Failure::Failed(format!("the transfer did not end well: {reason}")))
        }
        state => Err(Failure::Failed(format!("the transfer is {state}"))),
    }
}

/// From the first word to the confirmation.
async fn ask(admin: &Admin<'_>, table: &dyn Table, wanted: &Wanted) -> Result<(), Failure> {
    let step = |word: &str| Press::Step(word.to_owned());
    admin.says("/start")?;
    admin.presses(&Press::NewTransfer).await?;
    at(table, Step::Source).await?;
    admin.says("@source")?;
    at(table, Step::Target).await?;
    admin.looks();
    admin.says("https://t.me/target")?;
    for word in ["range:all", "next", "skip", "author:keep", "offered", "none"] {
        admin.presses(&step(word)).await?;
    }
    admin.presses(&step(&format!("pace:{}", wanted.pace))).await?;
    admin.presses(&step("batch:0")).await?;
    admin.presses(&step("done")).await?;
    admin.presses(&step("confirm")).await
}

async fn pause_and_resume(admin: &Admin<'_>, table: &dyn Table, id: &TaskId) -> Result<(), Failure> {
    admin.presses(&Press::Pause(id.clone())).await?;
    watch(admin, table, id, |task| task.state.is_over() || matches!(task.state, TaskState::Paused { .. })).await?;
    if read(table, id).await?.state.is_over() {
        return Ok(());
    }
    admin.presses(&Press::Resume(id.clone())).await
}

/// Waits until the bot asks for this.
async fn at(table: &dyn Table, step: Step) -> Result<(), Failure> {
    let key = Key::dialogue(ChatId(ADMIN.0));
    until(&format!("the question for the {step:?}"), LAST_WORDS, async || {
        let record = table.get(&key).await.map_err(|error| Failure::failed(&error))?;
        let asked = record.and_then(|record| match record.item {
            Item::Dialogue(dialogue) => match dialogue.state {
                State::Wizard(wizard) => Some(wizard.step),
                State::Idle | State::Expired(_) | State::Awaits { .. } | State::Adding(_) => None,
            },
            _ => None,
        });
        Ok((asked == Some(step)).then_some(()))
    })
    .await
}

/// The task that was asked for.
async fn asked_for(table: &dyn Table) -> Result<TaskId, Failure> {
    until("the task", LAST_WORDS, async || {
        let tasks = table.list(List::Tasks).await.map_err(|error| Failure::failed(&error))?;
        Ok(tasks.into_iter().find_map(|record| match record.item {
            Item::Task(task) => Some(task.id),
            _ => None,
        }))
    })
    .await
}

async fn read(table: &dyn Table, id: &TaskId) -> Result<Task, Failure> {
    let record = table.get(&Key::task(id)).await.map_err(|error| Failure::failed(&error))?;
    match record.map(|record| record.item) {
        Some(Item::Task(task)) => Ok(*task),
        Some(_) | None => Err(Failure::Failed(format!("task {id} is gone"))),
    }
}

/// Waits for the task, while the chat is shown.
async fn watch(
    admin: &Admin<'_>,
    table: &dyn Table,
    id: &TaskId,
    holds: impl Fn(&Task) -> bool,
) -> Result<(), Failure> {
    until("the transfer", PATIENCE, async || {
        admin.looks();
        Ok(holds(&read(table, id).await?).then_some(()))
    })
    .await
}

async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let ends_at = Instant::now() + patience;
    while Instant::now() < ends_at {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::Failed(format!("{what} did not come within {} s", patience.as_secs())))
}
