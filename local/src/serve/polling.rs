//! Updates by asking for them: for machines that Telegram cannot reach.
//!
//! What must stay true: an update is confirmed only after it was handled or given up, and nothing is given up silently;
//! what one person does is handled in order, and people do not wait for one another within one answer of Telegram's; a
//! pause that Telegram asks for is obeyed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use transfer::bot::telegram::{Received, TelegramBot};
use transfer::bot::{BotError, Incoming};
use transfer::ids::{ChatId, UpdateId};
use webhook::gate::Admins;
use webhook::handler::{HandleError, Handler};

/// How long Telegram keeps a question open while there is nothing to tell.
const POLL_SECS: u32 = 50;
/// How often an update is tried; with the pauses between, for two and a half minutes.
const TRIES_MAX: u32 = 10;
/// How long the pauses that Telegram asks for are waited out for one update, all together: they are no tries, but the
/// updates that came after it wait as well.
const OBEYED_MAX: Duration = Duration::from_hours(1);
/// After a failure; doubled each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Fetches updates and has them handled.
pub struct Polling {
    /// From where.
    pub bot: TelegramBot,
    /// Whom the bot obeys.
    pub admins: Admins,
    /// What handles them.
    pub handler: Arc<Handler>,
}

impl Polling {
    /// Works until it is told to stop. What is being handled then was not confirmed: it comes again at the next start,
    /// and the mark of the update says how far it got.
    pub async fn run(&self, stop: &CancellationToken) {
        tokio::select! {
            () = self.remove_webhook() => {}
            () = stop.cancelled() => return,
        }
        let mut next = None;
        let mut failures = 0;
        while !stop.is_cancelled() {
            let fetched = tokio::select! {
                fetched = self.bot.updates(next, POLL_SECS) => fetched,
                () = stop.cancelled() => return,
            };
            match fetched {
                Ok(updates) => {
                    failures = 0;
                    let after = updates.iter().map(|update| UpdateId(update.id.0.saturating_add(1))).max();
                    tokio::select! {
                        () = deliver(&self.admins, updates, |incoming| self.handler.handle(incoming)) => {}
                        () = stop.cancelled() => return,
                    }
                    next = after.or(next);
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "no updates could be fetched; it is tried again");
                    tokio::select! {
                        () = tokio::time::sleep(pause(failures, &error)) => {}
                        () = stop.cancelled() => return,
                    }
                }
            }
        }
    }

    /// While a webhook is set, Telegram gives nothing to those who ask.
    async fn remove_webhook(&self) {
        let mut failures = 0;
        while let Err(error) = self.bot.delete_webhook().await {
            failures += 1;
            tracing::warn!(%error, failures, "the bot's webhook could not be removed; it is tried again");
            tokio::time::sleep(pause(failures, &error)).await;
        }
    }
}

/// What went wrong, and whether Telegram asked for a pause because of it.
trait Failing: Display {
    /// The pause that was asked for.
    fn asked(&self) -> Option<Duration>;
}

impl Failing for BotError {
    fn asked(&self) -> Option<Duration> {
        match self {
            Self::RetryAfter { secs } => Some(Duration::from_secs(*secs)),
            Self::Gone(_) | Self::Refused(_) | Self::Failed(_) => None,
        }
    }
}

impl Failing for HandleError {
    fn asked(&self) -> Option<Duration> {
        match self {
            Self::Bot(error) => error.asked(),
            _ => None,
        }
    }
}

fn pause(failures: u32, error: &impl Failing) -> Duration {
    growing(failures).max(error.asked().unwrap_or_default())
}

fn growing(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(PAUSE_MAX)
}

/// Has the updates of one answer handled: each person's in order, several persons' at the same time.
async fn deliver<H, F, E>(admins: &Admins, updates: Vec<Received>, handle: H)
where
    H: Fn(Incoming) -> F,
    F: Future<Output = Result<(), E>>,
    E: Failing,
{
    let mut by_chat: BTreeMap<ChatId, Vec<Incoming>> = BTreeMap::new();
    for incoming in updates.into_iter().filter_map(|update| admins.admit(update)) {
        by_chat.entry(incoming.chat).or_default().push(incoming);
    }
    let handle = &handle;
    let persons = by_chat.into_values().map(async |said| {
        for incoming in said {
            persist(incoming, handle).await;
        }
    });
    join_all(persons).await;
}

/// Handles one update, again and again if need be.
async fn persist<H, F, E>(incoming: Incoming, handle: &H)
where
    H: Fn(Incoming) -> F,
    F: Future<Output = Result<(), E>>,
    E: Failing,
{
    let update = incoming.id;
    let (mut failures, mut tries, mut obeyed) = (0, 0, Duration::ZERO);
    while let Err(error) = handle(incoming.clone()).await {
        failures += 1;
        let pause = pause(failures, &error);
        if error.asked().is_some() {
            obeyed = obeyed.saturating_add(pause);
        } else {
            tries += 1;
        }
        if tries >= TRIES_MAX || obeyed > OBEYED_MAX {
            tracing::error!(%error, %update, failures, "an update was not handled, and is given up");
            return;
        }
        tracing::warn!(%error, %update, failures, "an update was not handled; it is tried again");
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use transfer::bot::Said;

    use super::*;

    impl Failing for &str {
        fn asked(&self) -> Option<Duration> {
            None
        }
    }

    fn wrote(id: u32, chat: i64, text: &str) -> Received {
        let what = Said::Text(text.to_owned());
        let incoming = Incoming { id: UpdateId(id), chat: ChatId(chat), language_code: None, message: None, what };
        Received { id: UpdateId(id), incoming: Some(incoming) }
    }

    #[tokio::test(start_paused = true)]
    async fn each_persons_updates_are_handled_in_order_and_strangers_not_at_all() {
        let handled = Mutex::new(Vec::new());
        let admins = Admins::new([5, 6]).unwrap();
        let silent = Received { id: UpdateId(3), incoming: None };
        let updates = vec![wrote(1, 5, "a"), wrote(2, 7, "b"), silent, wrote(4, 6, "c"), wrote(5, 5, "d")];
        deliver(&admins, updates, async |incoming: Incoming| {
            // The first person's first update takes its time.
            if incoming.id == UpdateId(1) {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            handled.lock().unwrap().push(incoming.id.0);
            Ok::<(), BotError>(())
        })
        .await;
        assert_eq!(*handled.lock().unwrap(), [4, 1, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_update_is_tried_again_before_the_next_and_given_up_at_last() {
        let tried = Mutex::new(Vec::new());
        let admins = Admins::new([5]).unwrap();
        let began = tokio::time::Instant::now();
        deliver(&admins, vec![wrote(1, 5, "a"), wrote(2, 5, "b"), wrote(3, 5, "c")], async |incoming: Incoming| {
            let mut tried = tried.lock().unwrap();
            tried.push(incoming.id.0);
            let times = tried.iter().filter(|id| **id == incoming.id.0).count();
            match incoming.id.0 {
                1 if times < 3 => Err("not yet"),
                2 => Err("never"),
                _ => Ok(()),
            }
        })
        .await;
        let tried = tried.into_inner().unwrap();
        assert_eq!(tried[..3], [1, 1, 1]);
        assert_eq!(tried[3..13], [2; 10]);
        assert_eq!(tried[13..], [3]);
        assert!(began.elapsed() > Duration::from_secs(150), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_telegram_asks_for_is_obeyed_and_is_no_try() {
        let tried = Mutex::new(Vec::new());
        let admins = Admins::new([5]).unwrap();
        let began = tokio::time::Instant::now();
        deliver(&admins, vec![wrote(1, 5, "a")], async |_: Incoming| {
            let mut tried = tried.lock().unwrap();
            tried.push(began.elapsed().as_secs());
            // More often than a failing update is tried.
            if tried.len() <= 12 { Err(HandleError::Bot(BotError::RetryAfter { secs: 40 })) } else { Ok(()) }
        })
        .await;
        let expected: Vec<u64> = (0..=12).map(|times| times * 40).collect();
        assert_eq!(*tried.lock().unwrap(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_pause_grows_and_pauses_without_end_are_given_up() {
        let tried = Mutex::new(Vec::new());
        let admins = Admins::new([5]).unwrap();
        let began = tokio::time::Instant::now();
        deliver(&admins, vec![wrote(1, 5, "a"), wrote(2, 5, "b")], async |incoming: Incoming| {
            if incoming.id == UpdateId(2) {
                return Ok(());
            }
            tried.lock().unwrap().push(began.elapsed().as_secs());
            Err(BotError::RetryAfter { secs: 0 })
        })
        .await;
        let tried = tried.into_inner().unwrap();
        assert_eq!(tried[..6], [0, 1, 3, 7, 15, 31]);
        let ended = began.elapsed();
        assert!(ended <= OBEYED_MAX && ended + PAUSE_MAX > OBEYED_MAX, "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_longer_than_can_be_waited_for_is_given_up_at_once() {
        let admins = Admins::new([5]).unwrap();
        let began = tokio::time::Instant::now();
        let handle = async |_: Incoming| Err(BotError::RetryAfter { secs: u64::MAX });
        deliver(&admins, vec![wrote(1, 5, "a")], handle).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
