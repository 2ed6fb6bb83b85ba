//! Over real sockets: HTTP, polling, webhooks, pressed buttons.

use super::super::person::chat_when;
use super::*;
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(20);

/// The Bot API over a socket, in real time.
struct Api {
    address: SocketAddr,
    shared: Arc<Shared>,
    _simulator: Simulator,
    /// End when dropped.
    tasks: JoinSet<()>,
}

impl Api {
    async fn start() -> Api {
        let simulator = Simulator::start(Config::new(world(Clock::real()))).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), simulator.shared());
        let mut tasks = JoinSet::new();
        let served = simulator.shared();
        tasks.spawn(async move { serve_shared(served, listener).await.unwrap() });
        Api { address, shared, _simulator: simulator, tasks }
    }

    async fn raw(&self, request: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), answer[end + 4..].to_vec())
    }

    async fn send(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        );
        let (status, body) = self.raw(&[head.as_bytes(), body].concat()).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn ask(&self, method: &str, arguments: &Value) -> (u16, Value) {
        let path = format!("/bot{TOKEN}/{method}");
        self.send(&path, "application/json", arguments.to_string().as_bytes()).await
    }

    async fn ok(&self, method: &str, arguments: &Value) -> Value {
        let (status, answer) = self.ask(method, arguments).await;
        assert_eq!(status, 200, "{method}: {answer}");
        answer["result"].clone()
    }
}

#[tokio::test]
async fn tokens_and_methods_are_checked() {
    let api = Api::start().await;
    let (status, body) =
        api.raw(format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &body["result"]["username"]), (200, &json!("ferry_bot")));
    let (status, answer) = api.send("/bot1:wrong/getMe", "application/json", b"{}").await;
    assert_eq!((status, &answer["description"]), (401, &json!("Unauthorized")));
    assert_eq!(api.ask("nothing", &json!({})).await.0, 404);
    assert_eq!(api.send("/elsewhere", "application/json", b"{}").await.0, 404);
    assert_eq!(api.send(&format!("/bot{TOKEN}/getMe"), "application/json", b"{").await.0, 400);
}

#[tokio::test]
async fn polling_waits_for_news_and_a_second_poll_ends_the_first() {
    let api = Api::start().await;
    assert_eq!(api.ok("getUpdates", &json!({ "timeout": 0 })).await, json!([]));
    let waiting = json!({ "timeout": 30 });
    let said = async {
        // The poll is waiting by the time it has counted itself.
        while api.shared.with_world(|world| world.bots.get(BOT).unwrap().poll) < 2 {
            tokio::task::yield_now().await;
        }
        person::say(&api.shared, BOT, ADA, "hello").unwrap();
    };
    let (updates, ()) = tokio::join!(api.ok("getUpdates", &waiting), said);
    assert_eq!(updates[0]["message"]["text"], "hello");
    let offset = updates[0]["update_id"].as_i64().unwrap() + 1;
    let waiting = json!({ "timeout": 30, "offset": offset });
    let second = async {
        while api.shared.with_world(|world| world.bots.get(BOT).unwrap().poll) < 3 {
            tokio::task::yield_now().await;
        }
        api.ok("getUpdates", &json!({ "timeout": 0 })).await
    };
    let ((status, answer), _) = tokio::join!(api.ask("getUpdates", &waiting), second);
    assert_eq!(status, 409);
    assert!(
        answer["description"].as_str().unwrap().starts_with("Conflict: terminated by other getUpdates"),
        "{answer}"
    );
    api.ok("setWebhook", &json!({ "url": "http://127.0.0.1:1/x" })).await;
    let (status, answer) = api.ask("getUpdates", &json!({})).await;
    assert_eq!(status, 409);
    assert!(answer["description"].as_str().unwrap().contains("use deleteWebhook"), "{answer}");
}

#[tokio::test]
async fn a_photo_is_uploaded_kept_and_replaced() {
    let api = Api::start().await;
    person::say(&api.shared, BOT, ADA, "/start").unwrap();
    let png =
        |fill: u8| [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58"[..], &[fill; 40], b"\r\n--"].concat();
    let form = |fields: &[(&str, &str)], file: &[u8]| {
        let field = |(name, text): &(&str, &str)| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let fields: String = fields.iter().map(field).collect();
        let head = "--X\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\r\n";
        [fields.as_bytes(), head.as_bytes(), file, b"\r\n--X--\r\n"].concat()
    };
    let multipart = "multipart/form-data; boundary=X";
    let path = |method: &str| format!("/bot{TOKEN}/{method}");
    let body = form(&[("chat_id", "1"), ("caption", "a code")], &png(1));
    let (status, sent) = api.send(&path("sendPhoto"), multipart, &body).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!((&sent["result"]["caption"], &sent["result"]["photo"][0]["width"]), (&json!("a code"), &json!(800)));
    let media = r#"{"type": "photo", "media": "attach://photo", "caption": "a newer code"}"#;
    let id = sent["result"]["message_id"].to_string();
    let body = form(&[("chat_id", "1"), ("message_id", &id), ("media", media)], &png(2));
    let (status, edited) = api.send(&path("editMessageMedia"), multipart, &body).await;
    assert_eq!(status, 200, "{edited}");
    let file_id = &edited["result"]["photo"][0]["file_id"];
    let file = api.ok("getFile", &json!({ "file_id": file_id })).await;
    let get = format!(
        "GET /file/bot{TOKEN}/{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        file["file_path"].as_str().unwrap()
    );
    assert_eq!(api.raw(get.as_bytes()).await, (200, png(2)));
    let body = form(&[("chat_id", "1")], b"no picture");
    let (_, refused) = api.send(&path("sendPhoto"), multipart, &body).await;
    assert_eq!(refused["description"], "Bad Request: IMAGE_PROCESS_FAILED");
    let text = json!({ "chat_id": 1, "message_id": edited["result"]["message_id"], "text": "x" });
    let (_, refused) = api.ask("editMessageText", &text).await;
    assert_eq!(refused["description"], "Bad Request: there is no text in the message to edit");
}

type Seen = Vec<(Option<String>, i64)>;

/// A webhook that fails as often as it is told, then answers with a call.
struct Hook {
    url: String,
    /// Secret and number of each update that came.
    seen: Arc<Mutex<Seen>>,
}

fn hook(api: &mut Api, listener: TcpListener, fails: usize) -> Hook {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
    let noted = Arc::clone(&seen);
    let take = move |RawQuery(query): RawQuery, headers: HeaderMap, Json(update): Json<Value>| async move {
        assert_eq!(query.as_deref(), Some("x=1"));
        let secret = headers.get("X-Telegram-Bot-Api-Secret-Token").map(|it| it.to_str().unwrap().to_owned());
        let mut noted = noted.lock().unwrap();
        noted.push((secret, update["update_id"].as_i64().unwrap()));
        let status = if noted.len() <= fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        let text = format!("echo {}", update["message"]["text"].as_str().unwrap());
        (status, Json(json!({ "method": "sendMessage", "chat_id": 1, "text": text })))
    };
    api.tasks.spawn(async move {
        axum::serve(listener, Router::new().route("/hook", post(take))).await.unwrap();
    });
    Hook { url, seen }
}

#[tokio::test]
async fn a_webhook_gets_every_update_until_it_takes_it_and_may_answer_with_a_call() {
    let mut api = Api::start().await;
    let hook = hook(&mut api, TcpListener::bind("127.0.0.1:0").await.unwrap(), 2);
    api.ok("setWebhook", &json!({ "url": hook.url, "secret_token": "s-1" })).await;
    person::say(&api.shared, BOT, ADA, "one").unwrap();
    person::say(&api.shared, BOT, ADA, "two").unwrap();
    let chat = chat_when(&api.shared, BOT, ADA, PATIENCE, |chat| chat.len() == 4).await.expect("two echoes");
    let echoes: Vec<&str> = chat.iter().filter(|line| line.from == "bot").map(|line| line.text.as_str()).collect();
    assert_eq!(echoes, ["echo one", "echo two"]);
    let seen = hook.seen.lock().unwrap().clone();
    let first = seen[0].1;
    assert_eq!(seen.iter().map(|(_, id)| id - first).collect::<Vec<_>>(), [0, 0, 0, 1], "the same number each time");
    assert!(seen.iter().all(|(secret, _)| secret.as_deref() == Some("s-1")));
    let info = api.ok("getWebhookInfo", &json!({})).await;
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 500 Internal Server Error");
    api.ok("deleteWebhook", &json!({})).await;
    assert_eq!(api.ok("getWebhookInfo", &json!({})).await["url"], "");
}

#[tokio::test]
async fn a_press_gets_what_the_bot_answers() {
    let api = Api::start().await;
    person::say(&api.shared, BOT, ADA, "/start").unwrap();
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Yes", "callback_data": "y" }]] });
    api.ok("sendMessage", &json!({ "chat_id": 1, "text": "?", "reply_markup": keyboard })).await;
    let bot = async {
        let offset = json!({ "timeout": 10, "allowed_updates": ["callback_query"], "offset": -1 });
        let updates = api.ok("getUpdates", &offset).await;
        let updates = match updates[0].get("callback_query") {
            Some(_) => updates,
            None => {
                let next = updates[0]["update_id"].as_i64().unwrap() + 1;
                api.ok("getUpdates", &json!({ "timeout": 10, "offset": next })).await
            }
        };
        let id = &updates[0]["callback_query"]["id"];
        api.ok("answerCallbackQuery", &json!({ "callback_query_id": id, "text": "thanks", "show_alert": true })).await;
    };
    let (answer, ()) = tokio::join!(person::press_button(&api.shared, BOT, ADA, MessageId(2), "Yes"), bot);
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_deref(), answer.alert), (Some("thanks"), true));
    let missing = person::press_button(&api.shared, BOT, ADA, MessageId(2), "No").await;
    assert_eq!(missing.unwrap_err().message, "BUTTON_INVALID");
    assert!(api.shared.with_world(|world| world.bot_may_write(BOT, ChatId(1))).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_press_that_no_bot_answers_ends_after_ten_seconds() {
    let simulator = Simulator::start(Config::new(world(Clock::tokio_from(SimTime(1_700_000_000_000))))).await.unwrap();
    let shared = simulator.shared();
    person::say(&shared, BOT, ADA, "/start").unwrap();
    let message = shared.with_world(|world| {
        let arguments = json!({ "chat_id": 1, "text": "?" });
        ok(world, "sendMessage", &arguments);
        person::chat(world, BOT, ADA)[1].id
    });
    let before = tokio::time::Instant::now();
    let pressed = person::press(&shared, BOT, ADA, message, "x").await;
    assert_eq!(pressed.unwrap_err().message, "BOT_RESPONSE_TIMEOUT");
    assert_eq!(before.elapsed().as_secs(), 10);
}

/// Takes two of three deliveries.
#[tokio::test]
async fn a_thousand_updates_at_once_all_arrive_in_the_order_of_their_chats() {
    const PEOPLE: i64 = 20;
    let mut api = Api::start().await;
    let seen = Arc::new(Mutex::new(Vec::<(i64, i64)>::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (noted, calls) = (Arc::clone(&seen), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let take = move |Json(update): Json<Value>| async move {
        if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 == 0 {
            return StatusCode::BAD_GATEWAY;
        }
        let number = |value: &Value| value.as_i64().unwrap();
        noted.lock().unwrap().push((number(&update["message"]["chat"]["id"]), number(&update["update_id"])));
        StatusCode::OK
    };
    api.tasks.spawn(async move {
        axum::serve(listener, Router::new().route("/hook", post(take))).await.unwrap();
    });
    api.ok("setWebhook", &json!({ "url": url })).await;
    api.shared.with_world(|world| {
        world.bots.limits.retry_permille = 1;
        for id in 1..=PEOPLE {
            world.add_user(User::new(UserId(id), "", "Somebody"));
        }
        for n in 0..1_000 {
            world.say_to_bot(UserId(1 + n % PEOPLE), BOT, "x").unwrap();
        }
    });
    let mut news = api.shared.news();
    let pending = || api.shared.with_world(|world| world.bots.get(BOT).unwrap().updates.pending());
    let ends_at = tokio::time::Instant::now() + PATIENCE;
    while pending() > 0 {
        tokio::time::timeout_at(ends_at, news.changed()).await.expect("all arrive in time").unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1_000, "none twice");
    for person in 1..=PEOPLE {
        let ids: Vec<i64> = seen.iter().filter(|(chat, _)| *chat == person).map(|(_, id)| *id).collect();
        assert!(ids.len() == 50 && ids.is_sorted_by(|a, b| a < b), "{person}: {ids:?}");
    }
}
