//! The bot at Telegram, and the way by which it delivers.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use transfer::bot::BotError;
use transfer::bot::telegram::TelegramBot;
use webhook::gate::SECRET_HEADER;

use super::Part;
use crate::configuration::{BotConfiguration, WebhookConfiguration};

/// How long the webhook on this machine may take to refuse.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);
/// Failed deliveries of this time are told.
const FAILED_SINCE: SignedDuration = SignedDuration::from_hours(1);
/// Updates that may wait while all is well.
const WAITING_MAX: u32 = 100;
/// What no installation has for a secret: it has a character that a secret may not have.
const WRONG_SECRET: &str = "wrong.secret";

/// Everything about the bot; one line where there is none. `runs` says that a ferry serves it at this moment.
pub async fn parts(bot: Option<&BotConfiguration>, runs: bool, now: Timestamp) -> Vec<Part> {
    let Some(bot) = bot else { return vec![Part::ok("bot", "the configuration names none")] };
    let telegram = match TelegramBot::new(&bot.telegram) {
        Ok(telegram) => telegram,
        Err(error) => return vec![Part::failed("bot", error, "mend [bot] in the configuration")],
    };
    let mut parts = vec![match telegram.identity().await {
        Ok(identity) => Part::ok("bot", format!("@{}", identity.username)),
        Err(error @ (BotError::Refused(_) | BotError::Gone(_))) => {
            return vec![Part::failed("bot", error, "is bot.token what @BotFather told?")];
        }
        Err(error) => return vec![Part::failed("bot", error, "can this machine reach Telegram?")],
    }];
    parts.push(delivery(&telegram, bot.webhook.as_ref(), runs, now).await);
    if let Some(webhook) = bot.webhook.as_ref().filter(|_| runs) {
        parts.push(refuses(webhook.listen).await);
    }
    parts
}

/// What Telegram says of its deliveries.
async fn delivery(telegram: &TelegramBot, wanted: Option<&WebhookConfiguration>, runs: bool, now: Timestamp) -> Part {
    const NAME: &str = "delivery";
    let state = match telegram.webhook().await {
        Ok(state) => state,
        Err(error) => return Part::failed(NAME, error, "can this machine reach Telegram?"),
    };
    let url = |text: &str| text.trim_end_matches('/').to_owned();
    match (&state.url, wanted) {
        (None, Some(_)) if runs => Part::failed(NAME, "Telegram knows no webhook", "restart ferry serve"),
        (None, _) => Part::ok(NAME, format!("updates are fetched; {} wait", state.waiting)),
        (Some(_), None) => Part::warning(
            NAME,
            "Telegram delivers to a webhook that is not configured",
            "start ferry serve: it ends that",
        ),
        (Some(set), Some(webhook)) if url(set) != url(&webhook.url) => {
            Part::failed(NAME, "Telegram delivers to another address than bot.webhook.url", "restart ferry serve")
        }
        (Some(_), Some(_)) => match state.last_error {
            Some((at, why)) if now.duration_since(at) < FAILED_SINCE => Part::warning(
                NAME,
                format!("a delivery failed at {at:.0}: {why}"),
                "look at the proxy before the webhook",
            ),
            _ if state.waiting > WAITING_MAX => {
                Part::warning(NAME, format!("{} updates wait", state.waiting), "look at the proxy before the webhook")
            }
            _ => Part::ok(NAME, format!("by webhook; {} wait", state.waiting)),
        },
    }
}

/// The webhook on this machine answers, and lets nobody in who does not know the secret.
async fn refuses(listen: SocketAddr) -> Part {
    const NAME: &str = "webhook";
    match tokio::time::timeout(REFUSED_WITHIN, status(listen)).await {
        Ok(Ok(401 | 403)) => Part::ok(NAME, format!("{listen} answers, and refuses a wrong secret")),
        Ok(Ok(status)) => {
            Part::failed(NAME, format!("{listen} answers a wrong secret with {status}"), "is that ferry?")
        }
        Ok(Err(error)) => Part::failed(NAME, format!("{listen}: {error}"), "restart ferry serve"),
        Err(_elapsed) => Part::failed(NAME, format!("{listen} does not answer"), "restart ferry serve"),
    }
}

/// What it answers to a wrong secret.
async fn status(listen: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(listen).await?;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n{SECRET_HEADER}: {WRONG_SECRET}\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // No more than the first line is looked at.
    stream.take(1024).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    status.ok_or_else(|| std::io::Error::other("what answers speaks no HTTP"))
}
