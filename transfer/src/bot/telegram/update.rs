//! What an update is to Ferry. Pure: bytes in, [`Received`] out.
//!
//! Only private chats count, and only what their person does there: a message, or a press of a button. Everything else
//! is taken in silence, so that Telegram does not deliver it again.

use jiff::Timestamp;
use teloxide_core::types as tg;

use crate::bot::{Incoming, Origin, PressId, Said};
use crate::ids::{BotMessageId, ChatId, MessageId, PeerId, UpdateId};

/// An update that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub id: UpdateId,
    /// What somebody did in a private chat; `None` for everything else that updates tell.
    pub incoming: Option<Incoming>,
}

/// The bytes are no update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no update: line {line}, column {column}")]
pub struct Unreadable {
    /// Where reading ended, from 1.
    pub line: usize,
    /// Where in the line, from 1.
    pub column: usize,
}

/// Reads what a webhook is sent.
///
/// # Errors
/// It is no JSON, or has no `update_id`; the error repeats nothing of it.
pub fn read(body: &[u8]) -> Result<Received, Unreadable> {
    let update: tg::Update =
        serde_json::from_slice(body).map_err(|error| Unreadable { line: error.line(), column: error.column() })?;
    Ok(Received::from(update))
}

impl From<tg::Update> for Received {
    fn from(update: tg::Update) -> Self {
        let id = UpdateId(update.id.0);
        let incoming = match update.kind {
            tg::UpdateKind::Message(message) => said(id, &message),
            tg::UpdateKind::CallbackQuery(query) => pressed(id, query),
            _ => None,
        };
        Self { id, incoming }
    }
}

/// The private chat's id, if that is one and this person's own.
fn own_chat(chat: &tg::Chat, person: &tg::User) -> Option<ChatId> {
    let own = i64::try_from(person.id.0).ok() == Some(chat.id.0);
    (chat.is_private() && own && !person.is_bot).then_some(ChatId(chat.id.0))
}

fn said(id: UpdateId, message: &tg::Message) -> Option<Incoming> {
    let person = message.from.as_ref()?;
    let chat = own_chat(&message.chat, person)?;
    let what = match (message.forward_origin(), message.text()) {
        (Some(origin), _) => forwarded(origin).map_or(Said::Other, Said::Forwarded),
        (None, Some(text)) => Said::Text(text.to_owned()),
        (None, None) => Said::Other,
    };
    Some(Incoming {
        id,
        chat,
        language_code: person.language_code.clone(),
        message: Some(BotMessageId(message.id.0)),
        what,
    })
}

fn pressed(id: UpdateId, query: tg::CallbackQuery) -> Option<Incoming> {
    let message = query.message.as_ref()?;
    let chat = own_chat(message.chat(), &query.from)?;
    let what = Said::Pressed {
        press: PressId(query.id.0),
        message: BotMessageId(message.id().0),
        data: query.data.unwrap_or_default(),
    };
    Some(Incoming { id, chat, language_code: query.from.language_code, message: None, what })
}

/// Where it comes from; `None` for somebody who hides behind a name.
fn forwarded(origin: &tg::MessageOrigin) -> Option<Origin> {
    let date = Timestamp::from_second(origin.date().timestamp()).ok()?;
    let chat = |chat: &tg::Chat, message| Origin {
        peer: PeerId(chat.id.0),
        username: chat.username().map(str::to_owned),
        title: chat.title().unwrap_or_default().to_owned(),
        message,
        date,
    };
    match origin {
        tg::MessageOrigin::Channel { chat: channel, message_id, .. } => {
            Some(chat(channel, Some(MessageId(message_id.0))))
        }
        tg::MessageOrigin::Chat { sender_chat, .. } => Some(chat(sender_chat, None)),
        tg::MessageOrigin::User { sender_user: user, .. } => Some(Origin {
            peer: PeerId::user(i64::try_from(user.id.0).ok()?),
            username: user.username.clone(),
            title: user.full_name(),
            message: None,
            date,
        }),
        tg::MessageOrigin::HiddenUser { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(what: &str) -> Received {
        read(format!(r#"{{"update_id":7,{what}}}"#).as_bytes()).unwrap()
    }

    const PERSON: &str = r#"{"id":5,"is_bot":false,"first_name":"A","language_code":"zh-hans"}"#;
    const CHAT: &str = r#"{"id":5,"type":"private","first_name":"A"}"#;

    fn message(rest: &str) -> Received {
        update(&format!(r#""message":{{"message_id":3,"date":1700000000,"chat":{CHAT},"from":{PERSON},{rest}}}"#))
    }

    fn what(received: Received) -> Option<Said> {
        assert_eq!(received.id, UpdateId(7));
        received.incoming.map(|incoming| {
            assert_eq!((incoming.id, incoming.chat), (UpdateId(7), ChatId(5)));
            assert_eq!(incoming.language_code.as_deref(), Some("zh-hans"));
            incoming.what
        })
    }

    #[test]
    fn what_people_do_is_understood() {
        assert_eq!(what(message(r#""text":"/start""#)), Some(Said::Text("/start".to_owned())));
        let contact = r#""contact":{"phone_number":"+100","first_name":"B"}"#;
        assert_eq!(what(message(contact)), Some(Said::Other));
        let press = format!(
            r#""callback_query":{{"id":"99","from":{PERSON},"chat_instance":"x","data":"menu","message":
               {{"message_id":12,"date":1700000000,"chat":{CHAT},"text":"hello"}}}}"#
        );
        let expected =
            Said::Pressed { press: PressId("99".to_owned()), message: BotMessageId(12), data: "menu".to_owned() };
        assert_eq!(what(update(&press)), Some(expected));
        // A message that Telegram shows no more.
        let old = press.replace("\"date\":1700000000", "\"date\":0").replace("\"data\":\"menu\",", "");
        let expected =
            Said::Pressed { press: PressId("99".to_owned()), message: BotMessageId(12), data: String::new() };
        assert_eq!(what(update(&old)), Some(expected));
    }

    #[test]
    fn a_forwarded_message_tells_where_it_comes_from() {
        let date = Timestamp::from_second(1_600_000_000).unwrap();
        let from = |origin: &str| what(message(&format!(r#""forward_origin":{origin},"text":"/start""#)));
        let channel = r#"{"type":"channel","date":1600000000,"message_id":44,
            "chat":{"id":-1001000,"type":"channel","title":"News","username":"news"}}"#;
        let expected = Origin {
            peer: PeerId(-1_001_000),
            username: Some("news".to_owned()),
            title: "News".to_owned(),
            message: Some(MessageId(44)),
            date,
        };
        assert_eq!(from(channel), Some(Said::Forwarded(expected)));
        let group = r#"{"type":"chat","date":1600000000,
            "sender_chat":{"id":-1002000,"type":"supergroup","title":"Talk"}}"#;
        let expected =
            Origin { peer: PeerId(-1_002_000), username: None, title: "Talk".to_owned(), message: None, date };
        assert_eq!(from(group), Some(Said::Forwarded(expected)));
        let user = r#"{"type":"user","date":1600000000,
            "sender_user":{"id":9,"is_bot":false,"first_name":"B","last_name":"C","username":"bc"}}"#;
        let expected =
            Origin { peer: PeerId(9), username: Some("bc".to_owned()), title: "B C".to_owned(), message: None, date };
        assert_eq!(from(user), Some(Said::Forwarded(expected)));
        let hidden = r#"{"type":"hidden_user","date":1600000000,"sender_user_name":"Somebody"}"#;
        assert_eq!(from(hidden), Some(Said::Other));
    }

    #[test]
    fn everything_else_is_silence() {
        let group = r#""message":{"message_id":3,"date":1,"text":"/start","from":{"id":5,"is_bot":false,"first_name":"A"},
            "chat":{"id":-10,"type":"group","title":"G"}}"#;
        let other_chat = r#""message":{"message_id":3,"date":1,"text":"/start",
            "from":{"id":5,"is_bot":false,"first_name":"A"},"chat":{"id":6,"type":"private","first_name":"A"}}"#;
        let inline = r#""callback_query":{"id":"1","from":{"id":5,"is_bot":false,"first_name":"A"},
            "inline_message_id":"x","chat_instance":"x","data":"menu"}"#;
        let channel = r#""channel_post":{"message_id":3,"date":1,"text":"/start",
            "chat":{"id":-1001,"type":"channel","title":"C"}}"#;
        let unknown = r#""a_kind_of_tomorrow":{"x":1}"#;
        let broken = r#""message":{"message_id":"three"}"#;
        for text in [group, other_chat, inline, channel, unknown, broken] {
            assert_eq!(what(update(text)), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_update_is_refused_without_being_repeated() {
        for body in ["", "{", "[]", "null", "{\"message\":1}", "{\"update_id\":-1}", "{\"update_id\":\"secret\"}"] {
            let error = read(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("no update: line") && !error.contains("secret"), "{error}");
        }
    }
}
