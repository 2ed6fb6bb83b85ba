use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;
use crate::bot::Button;

const TOKEN: &str = "123456:planted-SECRET_token";

fn settings(api: &str) -> TelegramSettings {
    TelegramSettings { token: SecretString::from(TOKEN), api: Some(api.to_owned()), proxy: None }
}

/// A server that gives one answer to one request, and hands over the request.
fn answering(status: &'static str, body: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let whole = match length {
                Some(length) => request.len() >= end + 4 + length,
                None => !head.contains("transfer-encoding: chunked") || request.ends_with(b"0\r\n\r\n"),
            };
            if read == 0 || whole {
                break;
            }
        }
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, server)
}

fn screen() -> Screen {
    let button = Button { text: "Menu".to_owned(), data: "menu".to_owned() };
    Screen { html: "<b>hello</b>".to_owned(), buttons: vec![vec![button]] }
}

const MESSAGE: &str = r#"{"ok":true,"result":{"message_id":42,"date":1,"chat":{"id":5,"type":"private","first_name":"A"},"text":"hello"}}"#;

#[tokio::test]
async fn a_message_is_sent_as_html_with_buttons_and_without_previews() {
    let (api, server) = answering("200 OK", MESSAGE);
    let sent = TelegramBot::new(&settings(&api)).unwrap().send(ChatId(5), &screen()).await;
    assert_eq!(sent, Ok(BotMessageId(42)));
    let request = server.join().unwrap();
    assert!(request.starts_with(&format!("POST /bot{TOKEN}/SendMessage")), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["chat_id"], 5);
    assert_eq!(body["text"], "<b>hello</b>");
    assert_eq!(body["parse_mode"], "HTML");
    assert_eq!(body["link_preview_options"]["is_disabled"], true);
    assert_eq!(body["reply_markup"]["inline_keyboard"][0][0]["callback_data"], "menu");
}

#[tokio::test]
async fn a_picture_is_uploaded_with_its_caption_and_replaced_with_its_bytes() {
    let picture = Picture(b"\x89PNG\r\n\x1a\nplanted-picture".to_vec());
    assert!(!format!("{picture:?}").contains("112"), "{picture:?}");
    let (api, server) = answering("200 OK", MESSAGE);
    let bot = TelegramBot::new(&settings(&api)).unwrap();
    assert_eq!(bot.send_photo(ChatId(5), &picture, &screen()).await, Ok(BotMessageId(42)));
    let request = server.join().unwrap();
    assert!(request.starts_with(&format!("POST /bot{TOKEN}/SendPhoto")), "{request}");
    let (api, server) = answering("200 OK", MESSAGE);
    let bot = TelegramBot::new(&settings(&api)).unwrap();
    assert_eq!(bot.edit_photo(ChatId(5), BotMessageId(42), &picture, &screen()).await, Ok(()));
    let replaced = server.join().unwrap();
    assert!(replaced.starts_with(&format!("POST /bot{TOKEN}/EditMessageMedia")), "{replaced}");
    for said in [request, replaced] {
        assert!(said.contains("multipart/form-data"), "{said}");
        for part in ["planted-picture", "<b>hello</b>", "HTML", "\"callback_data\":\"menu\""] {
            assert!(said.contains(part), "{part} is missing in {said}");
        }
    }
}

#[tokio::test]
async fn what_stands_already_is_no_error() {
    let same = r#"{"ok":false,"error_code":400,"description":"Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"}"#;
    let (api, _server) = answering("400 Bad Request", same);
    let bot = TelegramBot::new(&settings(&api)).unwrap();
    assert_eq!(bot.edit(ChatId(5), BotMessageId(1), &screen()).await, Ok(()));
    let old = r#"{"ok":false,"error_code":400,"description":"Bad Request: query is too old and response timeout expired or query ID is invalid"}"#;
    let (api, _server) = answering("400 Bad Request", old);
    let bot = TelegramBot::new(&settings(&api)).unwrap();
    assert_eq!(bot.answer(&PressId("1".to_owned()), Some("done")).await, Ok(()));
    let gone = r#"{"ok":false,"error_code":400,"description":"Bad Request: message to delete not found"}"#;
    let (api, _server) = answering("400 Bad Request", gone);
    let bot = TelegramBot::new(&settings(&api)).unwrap();
    assert_eq!(bot.delete(ChatId(5), BotMessageId(1)).await, Ok(()));
}

#[tokio::test]
async fn a_wait_is_told_and_not_slept() {
    let later = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}"#;
    let (api, _server) = answering("429 Too Many Requests", later);
    let sent = TelegramBot::new(&settings(&api)).unwrap().send(ChatId(5), &screen()).await;
    assert_eq!(sent, Err(BotError::RetryAfter { secs: 35 }));
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug_output() {
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bot = TelegramBot::new(&settings(&format!("http://{closed}"))).unwrap();
    let refused = bot.identity().await.unwrap_err();
    let (api, server) = answering("200 OK", "this is 123456:planted-SECRET_token");
    let rubbish = TelegramBot::new(&settings(&api)).unwrap().identity().await.unwrap_err();
    drop(server.join());
    let echo = r#"{"ok":false,"error_code":400,"description":"Bad Request: what is planted-SECRET_token?"}"#;
    let (api, _server) = answering("400 Bad Request", echo);
    let echoed = TelegramBot::new(&settings(&api)).unwrap().identity().await.unwrap_err();
    assert!(matches!(refused, BotError::Failed(_)), "{refused}");
    assert!(matches!(rubbish, BotError::Failed(_)), "{rubbish}");
    assert!(matches!(echoed, BotError::Refused(_)), "{echoed}");
    for said in [format!("{refused} {refused:?}"), format!("{rubbish} {rubbish:?}"), format!("{echoed} {echoed:?}")] {
        assert!(!said.contains("SECRET"), "{said}");
    }
    assert!(!format!("{bot:?} {:?}", settings("http://x")).contains("SECRET"));
}

#[test]
fn settings_that_make_no_sense_are_refused_without_repeating_secrets() {
    let made = |settings: TelegramSettings| TelegramBot::new(&settings).unwrap_err();
    let good = settings("http://127.0.0.1:1");
    for token in ["", "abc", "12:short", "x:planted-SECRET_token", "12:planted SECRET token"] {
        let error = made(TelegramSettings { token: SecretString::from(token), ..good.clone() });
        assert_eq!(error, SettingsError::Token);
    }
    assert!(matches!(made(settings("127.0.0.1:1")), SettingsError::Api(_)));
    let error = made(TelegramSettings { proxy: Some(SecretString::from("socks5://user:SECRET@")), ..good });
    assert!(!error.to_string().contains("SECRET"), "{error}");
}
