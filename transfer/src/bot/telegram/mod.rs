//! Telegram's HTTP Bot API, through teloxide-core: the one place that names its types.
//!
//! What must stay true: the token is in no error, log line or debug output (it is part of every URL, so errors are told
//! in our own words); no call takes longer than `CALL_SECS_MAX`; what Telegram means by its refusals is decided in
//! `refused.rs`, and what an update is in `update.rs`.

mod refused;
mod update;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Client, Proxy, Url};
use secrecy::{ExposeSecret, SecretString};
use teloxide_core::RequestError;
use teloxide_core::payloads::{
    AnswerCallbackQuerySetters, EditMessageMediaSetters, EditMessageTextSetters, GetUpdatesSetters, SendMessageSetters,
    SendPhotoSetters, SetMyCommandsSetters, SetWebhookSetters,
};
use teloxide_core::requests::Requester;
use teloxide_core::types as tg;

pub use update::{Received, Unreadable, read};

use super::{Bot, BotError, CommandHint, Picture, PressId, Screen};
use crate::ids::{BotMessageId, ChatId, UpdateId};
use refused::{Means, meaning};

/// How long a call may take, the ten seconds included that teloxide rests after an answer of 500 and more.
const CALL_SECS_MAX: u64 = 15;
/// How long getting connected may take.
const CONNECT_SECS_MAX: u64 = 5;
/// Updates in one answer; Telegram gives no more.
const UPDATES_MAX: u8 = 100;
/// Longest wait for an update in one call; Telegram cuts longer ones.
const POLL_SECS_MAX: u32 = 50;

/// How to reach the bot.
#[derive(Debug, Clone)]
pub struct TelegramSettings {
    /// The token from @BotFather.
    pub token: SecretString,
    /// Another server than Telegram's own, such as `http://127.0.0.1:8081`.
    pub api: Option<String>,
    /// The way out: `socks5://…` or `http://…`. The environment's proxies are not looked at.
    pub proxy: Option<SecretString>,
}

/// The settings make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The token has another form than `123456:ABC…`.
    #[error("the bot's token is none: it looks like 123456789:AAF7…, and @BotFather tells it")]
    Token,
    /// The address of the API is none.
    #[error("{0:?} is no address of a Bot API: write one such as http://127.0.0.1:8081")]
    Api(String),
    /// The proxy's address is none; it may hold a password, so it is not repeated.
    #[error("the bot's proxy is no address such as socks5://user:password@127.0.0.1:1080")]
    Proxy,
    /// TLS cannot be had.
    #[error("no client for the Bot API can be made: {0}")]
    Client(String),
}

/// The bot, as Telegram knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id, the number before the token's colon.
    pub id: i64,
    /// Its name, without `@`.
    pub username: String,
}

/// What Telegram knows of the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookState {
    /// Where it delivers; `None`: nowhere, updates are fetched.
    pub url: Option<String>,
    /// Updates that wait to be delivered.
    pub waiting: u32,
    /// The last delivery that failed: when, and Telegram's words.
    pub last_error: Option<(Timestamp, String)>,
}

/// The bot at Telegram. Clones share their connections.
#[derive(Clone)]
pub struct TelegramBot {
    bot: teloxide_core::Bot,
}

impl fmt::Debug for TelegramBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramBot").field("api", &self.bot.api_url().as_str()).finish_non_exhaustive()
    }
}

impl TelegramBot {
    /// A bot. Nothing is asked yet: [`Self::identity`] shows whether the token is right.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn new(settings: &TelegramSettings) -> Result<Self, SettingsError> {
        let token = settings.token.expose_secret().trim();
        if !is_token(token) {
            return Err(SettingsError::Token);
        }
        let api = settings.api.as_deref().map(api_url).transpose()?;
        let plain = api.as_ref().is_some_and(|api| api.scheme() == "http");
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_SECS_MAX))
            .timeout(Duration::from_secs(u64::from(POLL_SECS_MAX) + CALL_SECS_MAX))
            .tcp_nodelay(true)
            // The machine's certificates take milliseconds to read: not where there is no TLS.
            .tls_built_in_root_certs(!plain);
        let client = match settings.proxy.as_ref() {
            Some(proxy) => {
                client.proxy(Proxy::all(proxy.expose_secret()).map_err(|_may_hold_a_secret| SettingsError::Proxy)?)
            }
            None => client.no_proxy(),
        };
        let client = client.build().map_err(|error| SettingsError::Client(error.without_url().to_string()))?;
        let bot = teloxide_core::Bot::with_client(token, client);
        Ok(Self { bot: api.into_iter().fold(bot, teloxide_core::Bot::set_api_url) })
    }

    /// Who the bot is.
    ///
    /// # Errors
    /// The token is wrong, or Telegram does not answer.
    pub async fn identity(&self) -> Result<Identity, BotError> {
        let me = self.call(self.bot.get_me()).await?;
        let id = i64::try_from(me.user.id.0).unwrap_or(i64::MAX);
        Ok(Identity { id, username: me.user.username.clone().unwrap_or_default() })
    }

    /// Whether the bot may write to this chat: nobody can be written to who never wrote to the bot.
    ///
    /// # Errors
    /// [`BotError::Gone`] if it may not, others if nobody can tell.
    pub async fn reach(&self, chat: ChatId) -> Result<(), BotError> {
        self.call(self.bot.send_chat_action(tg::ChatId(chat.0), tg::ChatAction::Typing)).await.map(drop)
    }

    /// Has updates delivered to `url` from now on, with `secret` in the header of each.
    ///
    /// # Errors
    /// Telegram does not take the address, or does not answer.
    pub async fn set_webhook(&self, url: &str, secret: &SecretString, connections_max: u8) -> Result<(), BotError> {
        let url: Url = url.parse().map_err(|_unfit| BotError::Refused(format!("{url:?} is no address")))?;
        let asked = self.bot.set_webhook(url).secret_token(secret.expose_secret());
        let asked = asked.max_connections(connections_max).allowed_updates(ALLOWED_UPDATES);
        self.call(asked).await.map(drop)
    }

    /// What Telegram says of the webhook.
    ///
    /// # Errors
    /// Telegram does not answer.
    pub async fn webhook(&self) -> Result<WebhookState, BotError> {
        let info = self.call(self.bot.get_webhook_info()).await?;
        let at = info.last_error_date.and_then(|at| Timestamp::from_second(at.timestamp()).ok());
        Ok(WebhookState {
            url: info.url.map(String::from),
            waiting: info.pending_update_count,
            last_error: at.map(|at| (at, info.last_error_message.unwrap_or_default())),
        })
    }

    /// Ends delivery to a webhook; what waits there stays for [`Self::updates`].
    ///
    /// # Errors
    /// Telegram does not answer.
    pub async fn delete_webhook(&self) -> Result<(), BotError> {
        self.call(self.bot.delete_webhook()).await.map(drop)
    }

    /// The updates from `from` on, which tells Telegram that everything before is done. Waits for the first one for at
    /// most `wait_secs`.
    ///
    /// # Errors
    /// A webhook is set, somebody else polls, or Telegram does not answer.
    pub async fn updates(&self, from: Option<UpdateId>, wait_secs: u32) -> Result<Vec<Received>, BotError> {
        let wait_secs = wait_secs.min(POLL_SECS_MAX);
        let asked = self.bot.get_updates().timeout(wait_secs).limit(UPDATES_MAX).allowed_updates(ALLOWED_UPDATES);
        // Telegram's numbers are positive and of 31 bits; the offset is signed because negative ones count from the end.
        let asked = match from.map(|from| i32::try_from(from.0)) {
            Some(Ok(from)) => asked.offset(from),
            Some(Err(_too_large)) => return Err(BotError::Refused("an update's number is too large".to_owned())),
            None => asked,
        };
        let updates = self.call_within(asked, u64::from(wait_secs) + CALL_SECS_MAX).await?;
        Ok(updates.into_iter().map(Received::from).collect())
    }

    async fn call<R, T>(&self, request: R) -> Result<T, BotError>
    where
        R: IntoFuture<Output = Result<T, RequestError>>,
    {
        self.call_within(request, CALL_SECS_MAX).await
    }

    async fn call_within<R, T>(&self, request: R, secs_max: u64) -> Result<T, BotError>
    where
        R: IntoFuture<Output = Result<T, RequestError>>,
    {
        match tokio::time::timeout(Duration::from_secs(secs_max), request.into_future()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(refused::told(&error, self.bot.token())),
            Err(_elapsed) => Err(BotError::Failed(format!("nothing came within {secs_max} s"))),
        }
    }
}

/// What Ferry understands; other kinds are not even delivered.
pub const ALLOWED_UPDATES: [tg::AllowedUpdate; 2] = [tg::AllowedUpdate::Message, tg::AllowedUpdate::CallbackQuery];

fn is_token(text: &str) -> bool {
    let secret = |rest: &str| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    text.split_once(':').is_some_and(|(id, rest)| id.parse::<u64>().is_ok() && secret(rest))
}

fn api_url(text: &str) -> Result<Url, SettingsError> {
    let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    text.parse().ok().filter(fits).ok_or_else(|| SettingsError::Api(text.to_owned()))
}

fn keyboard(screen: &Screen) -> Option<tg::InlineKeyboardMarkup> {
    let button = |button: &super::Button| tg::InlineKeyboardButton::callback(&button.text, &button.data);
    let rows: Vec<Vec<_>> = screen.buttons.iter().map(|row| row.iter().map(button).collect()).collect();
    (!rows.is_empty()).then(|| tg::InlineKeyboardMarkup::new(rows))
}

fn upload(picture: &Picture) -> tg::InputFile {
    tg::InputFile::memory(picture.0.clone()).file_name("picture.png")
}

/// Addresses of chats stand in many screens, and none of them is to be shown as a card.
fn no_preview() -> tg::LinkPreviewOptions {
    tg::LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// A refusal that says that things stand already as they should.
fn unless(error: BotError, harmless: Means) -> Result<(), BotError> {
    if meaning(&error) == harmless { Ok(()) } else { Err(error) }
}

#[async_trait]
impl Bot for TelegramBot {
    async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, BotError> {
        let asked = self.bot.send_message(tg::ChatId(chat.0), &screen.html);
        let asked = asked.parse_mode(tg::ParseMode::Html).link_preview_options(no_preview());
        let asked = match keyboard(screen) {
            Some(keyboard) => asked.reply_markup(keyboard),
            None => asked,
        };
        self.call(asked).await.map(|message| BotMessageId(message.id.0))
    }

    async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), BotError> {
        let asked = self.bot.edit_message_text(tg::ChatId(chat.0), tg::MessageId(message.0), &screen.html);
        let asked = asked.parse_mode(tg::ParseMode::Html).link_preview_options(no_preview());
        let asked = match keyboard(screen) {
            Some(keyboard) => asked.reply_markup(keyboard),
            None => asked,
        };
        let edited = self.call(asked).await.map(drop);
        edited.or_else(|error| unless(error, Means::NotModified))
    }

    async fn send_photo(&self, chat: ChatId, picture: &Picture, screen: &Screen) -> Result<BotMessageId, BotError> {
        let asked = self.bot.send_photo(tg::ChatId(chat.0), upload(picture));
        let asked = asked.caption(&screen.html).parse_mode(tg::ParseMode::Html);
        let asked = match keyboard(screen) {
            Some(keyboard) => asked.reply_markup(keyboard),
            None => asked,
        };
        self.call(asked).await.map(|message| BotMessageId(message.id.0))
    }

    async fn edit_photo(
        &self,
        chat: ChatId,
        message: BotMessageId,
        picture: &Picture,
        screen: &Screen,
    ) -> Result<(), BotError> {
        let photo = tg::InputMediaPhoto::new(upload(picture)).caption(&screen.html).parse_mode(tg::ParseMode::Html);
        let (chat, message) = (tg::ChatId(chat.0), tg::MessageId(message.0));
        let asked = self.bot.edit_message_media(chat, message, tg::InputMedia::Photo(photo));
        let asked = match keyboard(screen) {
            Some(keyboard) => asked.reply_markup(keyboard),
            None => asked,
        };
        let edited = self.call(asked).await.map(drop);
        edited.or_else(|error| unless(error, Means::NotModified))
    }

    async fn delete(&self, chat: ChatId, message: BotMessageId) -> Result<(), BotError> {
        let deleted = self.call(self.bot.delete_message(tg::ChatId(chat.0), tg::MessageId(message.0))).await.map(drop);
        deleted.or_else(|error| unless(error, Means::NothingToDelete))
    }

    async fn answer(&self, press: &PressId, word: Option<&str>) -> Result<(), BotError> {
        let asked = self.bot.answer_callback_query(tg::CallbackQueryId(press.0.clone()));
        let asked = match word {
            Some(word) => asked.text(word),
            None => asked,
        };
        let answered = self.call(asked).await.map(drop);
        answered.or_else(|error| unless(error, Means::PressTooOld))
    }

    async fn set_commands(&self, commands: &[CommandHint], language_code: Option<&str>) -> Result<(), BotError> {
        let hints = commands.iter().map(|hint| tg::BotCommand::new(&hint.command, &hint.description));
        let asked = self.bot.set_my_commands(hints).scope(tg::BotCommandScope::AllPrivateChats);
        let asked = match language_code {
            Some(code) => asked.language_code(code),
            None => asked,
        };
        self.call(asked).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
