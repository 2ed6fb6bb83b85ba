//! The host's voice in the admins' chats.
//!
//! One call at a time, whoever wants to say something: so nobody speaks into a pause that Telegram asked for while the
//! answer that asks for it is on its way. Nothing here waits for such a pause: whoever wants to speak is told how long it
//! lasts, and comes again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use transfer::bot::{Bot, BotError, Picture, Screen};
use transfer::clock::Clock;
use transfer::ids::{BotMessageId, ChatId};
use transfer::table::Key;
use transfer::text::Locale;

use super::fence::Fence;
use super::store::{Store, expect_item};
use super::{Halt, Shared};

/// Telegram asks for no more than about a message a second in one chat.
const BETWEEN_CALLS: Duration = Duration::from_secs(1);
/// Edits of one message keep so far apart, whoever makes them.
pub(crate) const EDITS_APART: Duration = Duration::from_secs(5);
/// How long one call may take.
const CALL_MAX: Duration = Duration::from_secs(30);
/// How long what an admin set is taken for granted.
const SETTINGS_KEPT: Duration = Duration::from_secs(60);

/// The chats with admins.
pub(crate) struct Chats {
    bot: Option<Arc<dyn Bot>>,
    clock: Clock,
    fence: Arc<Fence>,
    /// The zone of admins who set none.
    zone: TimeZone,
    state: Mutex<State>,
    calling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Until when (uptime) nothing may be said there.
    quiet: BTreeMap<ChatId, Duration>,
    /// Until when (uptime) a message may not be edited again.
    edited: BTreeMap<(ChatId, BotMessageId), Duration>,
    /// How people are spoken to, and when that was read.
    locales: BTreeMap<ChatId, (Locale, Duration)>,
}

/// Why something was not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// Not before then (uptime).
    NotBefore(Duration),
    /// The message or the person is gone.
    Gone(String),
    /// It will never be taken.
    Refused(String),
    /// It may have been said or not.
    Failed(String),
}

impl Chats {
    pub(crate) fn new(bot: Option<Arc<dyn Bot>>, clock: Clock, fence: Arc<Fence>, zone: TimeZone) -> Self {
        Self { bot, clock, fence, zone, state: Mutex::default(), calling: tokio::sync::Mutex::default() }
    }

    /// Whether there is a bot at all.
    pub(crate) fn exist(&self) -> bool {
        self.bot.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message.
    pub(crate) async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, Unsaid> {
        self.say(chat, None, None, screen).await
    }

    /// Puts a screen in place of what a message shows.
    pub(crate) async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), Unsaid> {
        self.say(chat, Some(message), None, screen).await.map(drop)
    }

    /// Removes a message. If it stays, it is in nobody's way.
    pub(crate) async fn remove(&self, chat: ChatId, message: BotMessageId) {
        let Some(bot) = self.bot.as_ref().filter(|_| self.fence.check().is_ok()) else { return };
        let _calling = self.calling.lock().await;
        match tokio::time::timeout(CALL_MAX, bot.delete(chat, message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%chat, %error, "a message was not removed"),
            Err(_elapsed) => tracing::warn!(%chat, "a message was not removed in time"),
        }
    }

    /// Edits the message, or sends one; with a picture above it, or as a text. Gives the message that shows the screen now.
    async fn say(
        &self,
        chat: ChatId,
        message: Option<BotMessageId>,
        picture: Option<&Picture>,
        screen: &Screen,
    ) -> Result<BotMessageId, Unsaid> {
        let Some(bot) = &self.bot else { return Err(Unsaid::Gone("there is no bot".into())) };
        let _calling = self.calling.lock().await;
        let now = self.clock.uptime();
        if let Some(until) = self.state().quiet.get(&chat).copied().filter(|until| *until > now) {
            return Err(Unsaid::NotBefore(until));
        }
        if let Some(until) = message.and_then(|message| self.state().edited.get(&(chat, message)).copied())
            && until > now
        {
            return Err(Unsaid::NotBefore(until));
        }
        self.fence.check().map_err(|halt| Unsaid::Failed(halt.to_string()))?;
        let saying = async {
            match (message, picture) {
                (Some(message), None) => bot.edit(chat, message, screen).await.map(|()| message),
                (None, None) => bot.send(chat, screen).await,
                (Some(message), Some(picture)) => {
                    bot.edit_photo(chat, message, picture, screen).await.map(|()| message)
                }
                (None, Some(picture)) => bot.send_photo(chat, picture, screen).await,
            }
        };
        let answer = tokio::time::timeout(CALL_MAX, saying).await;
        let answer = answer.unwrap_or_else(|_elapsed| Err(BotError::Failed("no answer in time".into())));
        let now = self.clock.uptime();
        let (quiet, answer) = match answer {
            Ok(answer) => (BETWEEN_CALLS, Ok(answer)),
            Err(BotError::RetryAfter { secs }) => {
                // Telegram counts whole seconds, and rounds as it likes.
                let pause = Duration::from_secs(secs.saturating_add(1));
                (pause, Err(Unsaid::NotBefore(now.saturating_add(pause))))
            }
            Err(BotError::Gone(why)) => (BETWEEN_CALLS, Err(Unsaid::Gone(why))),
            Err(BotError::Refused(why)) => (BETWEEN_CALLS, Err(Unsaid::Refused(why))),
            Err(BotError::Failed(why)) => (BETWEEN_CALLS, Err(Unsaid::Failed(why))),
        };
        let mut state = self.state();
        state.quiet.insert(chat, now.saturating_add(quiet));
        if let Some(message) = message {
            state.edited.retain(|_, until| *until > now);
            state.edited.insert((chat, message), now.saturating_add(EDITS_APART));
        }
        drop(state);
        answer
    }

    /// How to speak in a chat; read once a minute.
    pub(crate) async fn locale(&self, store: &Store, chat: ChatId) -> Locale {
        let now = self.clock.uptime();
        let known = self.state().locales.get(&chat).cloned();
        if let Some((locale, read_at)) = &known
            && now.saturating_sub(*read_at) < SETTINGS_KEPT
        {
            return locale.clone();
        }
        match self.read_locale(store, chat).await {
            Ok(locale) => {
                self.state().locales.insert(chat, (locale.clone(), now));
                locale
            }
            Err(error) => {
                tracing::warn!(%chat, %error, "how to speak in a chat could not be read");
                known.map_or_else(|| self.default_locale(), |(locale, _)| locale)
            }
        }
    }

    fn default_locale(&self) -> Locale {
        Locale { language: transfer::text::Language::default(), zone: self.zone.clone() }
    }

    async fn read_locale(&self, store: &Store, chat: ChatId) -> Result<Locale, Halt> {
        let key = Key::settings(chat);
        let mut locale = self.default_locale();
        if let Some((settings, _)) = expect_item!(store.get(&key).await?, Settings, key) {
            locale.language = settings.spoken();
            locale.zone = self.zone_of(settings.zone.as_deref());
        }
        Ok(locale)
    }

    /// The zone of this name; the installation's where there is none.
    pub(crate) fn zone_of(&self, name: Option<&str>) -> TimeZone {
        name.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| self.zone.clone())
    }
}

/// Says something until it was said or never will be, at most until `until` (uptime). Edits the message, or sends one;
/// gives the message that shows the screen now.
pub(crate) async fn insist(
    shared: &Shared,
    chat: ChatId,
    message: Option<BotMessageId>,
    screen: &Screen,
    until: Duration,
) -> Result<BotMessageId, Unsaid> {
    insist_with(shared, chat, message, None, screen, until).await
}

/// The same, with a picture above the screen where there is one.
pub(crate) async fn insist_with(
    shared: &Shared,
    chat: ChatId,
    message: Option<BotMessageId>,
    picture: Option<&Picture>,
    screen: &Screen,
    until: Duration,
) -> Result<BotMessageId, Unsaid> {
    let mut pause = BETWEEN_CALLS;
    loop {
        let unsaid = match shared.chats.say(chat, message, picture, screen).await {
            Ok(said) => return Ok(said),
            Err(unsaid @ (Unsaid::Gone(_) | Unsaid::Refused(_))) => return Err(unsaid),
            Err(unsaid) => unsaid,
        };
        let now = shared.ports.clock.uptime();
        let next = match &unsaid {
            Unsaid::NotBefore(at) => *at,
            Unsaid::Gone(_) | Unsaid::Refused(_) | Unsaid::Failed(_) => now + pause,
        };
        pause = (pause * 2).min(CALL_MAX);
        if next >= until || shared.fence.check().is_err() {
            return Err(unsaid);
        }
        tokio::time::sleep(next.saturating_sub(now)).await;
    }
}
