//! What Telegram means when it does not do what the bot asks, and how that is told without the token.

use std::error::Error;

use teloxide_core::RequestError;

use crate::bot::BotError;

/// Refusals that some calls take for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// The message shows that already.
    NotModified,
    /// The press was answered, or is too old to be.
    PressTooOld,
    /// The message is gone already.
    NothingToDelete,
    /// Anything else.
    Other,
}

/// Texts of the Bot API (<https://github.com/tdlib/telegram-bot-api>, `Client.cpp`) for which nobody is there to read.
const GONE: [&str; 10] = [
    "bot was blocked by the user",
    "bot can't initiate conversation",
    "user is deactivated",
    "bot was kicked",
    "chat not found",
    "user not found",
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "peer_id_invalid",
];
/// Descriptions that begin otherwise are about the server, not about what was asked.
const REFUSALS: [&str; 6] = ["bad request", "forbidden", "unauthorized", "not found", "conflict", "invalid bot token"];
/// What a server may say of a failure, at most.
const DETAIL_LEN_MAX: usize = 200;

/// What a refusal means to the calls that know better.
pub(super) fn meaning(error: &BotError) -> Means {
    let (BotError::Refused(text) | BotError::Gone(text)) = error else { return Means::Other };
    let text = text.to_lowercase();
    if text.contains("message is not modified") {
        Means::NotModified
    } else if text.contains("query is too old") || text.contains("query id is invalid") {
        Means::PressTooOld
    } else if text.contains("message to delete not found") {
        Means::NothingToDelete
    } else {
        Means::Other
    }
}

/// The error in our words; the token is part of the URL, and so of what the libraries say.
pub(super) fn told(error: &RequestError, token: &str) -> BotError {
    match error {
        RequestError::RetryAfter(secs) => BotError::RetryAfter { secs: u64::from(secs.seconds()) },
        RequestError::Api(error) => described(&without(&error.to_string(), token)),
        RequestError::MigrateToChatId(_) => BotError::Gone("the chat became a supergroup".to_owned()),
        RequestError::Network(error) => BotError::Failed(without(&network(error), token)),
        RequestError::InvalidJson { .. } => BotError::Failed("the answer is none of a Bot API".to_owned()),
        RequestError::Io(error) => BotError::Failed(without(&error.to_string(), token)),
    }
}

fn described(text: &str) -> BotError {
    let lower = text.to_lowercase();
    let api_error = lower.trim_start_matches("unknown error:").trim_start().trim_matches('"').to_owned();
    if let Some((_, after)) = api_error.split_once("retry after ") {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        return BotError::RetryAfter { secs: digits.parse().unwrap_or(1) };
    }
    if GONE.iter().any(|gone| api_error.contains(gone)) {
        BotError::Gone(short(text))
    } else if REFUSALS.iter().any(|refusal| api_error.starts_with(refusal)) {
        BotError::Refused(short(text))
    } else {
        // Known errors of teloxide's are told in its words; they are refusals as well.
        BotError::Failed(short(text))
    }
}

fn network(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    // reqwest's own text names the URL; its causes do not.
    let mut line = what.to_owned();
    let mut cause = error.source();
    while let Some(next) = cause {
        line.push_str(": ");
        line.push_str(&next.to_string());
        cause = next.source();
    }
    short(&line)
}

fn short(text: &str) -> String {
    text.chars().take(DETAIL_LEN_MAX).collect()
}

fn without(text: &str, token: &str) -> String {
    let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
    text.replace(token, "<token>").replace(secret, "<token>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_kind() {
        for (text, expected) in [
            ("Forbidden: bot was blocked by the user", "gone"),
            ("Forbidden: bot can't initiate conversation with a user", "gone"),
            ("Bad Request: chat not found", "gone"),
            ("Bad Request: message to edit not found", "gone"),
            ("Bad Request: message can't be edited", "gone"),
            ("Bad Request: message is too long", "refused"),
            ("Bad Request: BUTTON_DATA_INVALID", "refused"),
            ("Bad Request: can't parse entities: unsupported start tag \"x\" at byte offset 0", "refused"),
            ("Unauthorized", "refused"),
            ("Conflict: terminated by other getUpdates request", "refused"),
            ("Too Many Requests: retry after 17", "later"),
            ("Bad Gateway", "failed"),
            ("Internal Server Error", "failed"),
        ] {
            let answer = serde_json::from_value::<teloxide_core::ApiError>(text.into()).unwrap();
            let kind = match told(&RequestError::Api(answer), "1:secret-token") {
                BotError::Gone(_) => "gone",
                BotError::Refused(_) => "refused",
                BotError::RetryAfter { secs: 17 } => "later",
                BotError::RetryAfter { .. } => "later, but when",
                BotError::Failed(_) => "failed",
            };
            assert_eq!(kind, expected, "{text}");
        }
    }
}
