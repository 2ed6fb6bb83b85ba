use super::person::chat_when;
use super::*;
use crate::server::Config;
use crate::time::{Clock, SimTime};
use crate::world::bots::limits::Script;
use crate::world::user::User;
use crate::world::{ChatId, MessageId};
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const BOT: UserId = UserId(7_900_000_001);
const ADA: UserId = UserId(1);
const TOKEN: &str = "7900000001:secret";
const PATIENCE: Duration = Duration::from_secs(10);

fn world(clock: Clock) -> World {
    let mut world = World::new(7, clock);
    world.add_user(User { language_code: Some("zh-hans".into()), ..User::new(ADA, "+1", "Ada") });
    world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
    world
}

fn still() -> World {
    let mut world = world(Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.say_to_bot(ADA, BOT, "/start now").unwrap();
    world
}

fn ask(world: &mut World, method: &str, arguments: &Value) -> Value {
    let arguments = Arguments::from_object(arguments.as_object().unwrap());
    match calls::at_once(world, BOT, &method.to_ascii_lowercase(), &arguments) {
        Ok(answer) => json!({ "ok": true, "result": answer.result }),
        Err(refusal) => refusal.body(),
    }
}

fn ok(world: &mut World, method: &str, arguments: &Value) -> Value {
    let answer = ask(world, method, arguments);
    assert_eq!(answer["ok"], true, "{method} {arguments}: {answer}");
    answer["result"].clone()
}

fn said(world: &mut World, method: &str, arguments: &Value) -> String {
    let answer = ask(world, method, arguments);
    answer["description"].as_str().unwrap_or_else(|| panic!("{method} was not refused: {answer}")).to_owned()
}

#[test]
fn a_sent_message_comes_back_as_telegram_shows_it() {
    let mut world = still();
    let sent = ok(
        &mut world,
        "sendMessage",
        &json!({ "chat_id": 1, "text": " <b>hi</b> &lt;you&gt; ", "parse_mode": "HTML", "reply_parameters": { "message_id": 1 },
            "reply_markup": { "inline_keyboard": [[{ "text": "Yes", "callback_data": "y" }, { "text": "See", "url": "https://a.example" }]] } }),
    );
    assert_eq!(sent["message_id"], 2);
    assert_eq!(sent["from"], json!({ "id": BOT, "is_bot": true, "first_name": "Ferry", "username": "ferry_bot" }));
    assert_eq!(sent["chat"], json!({ "id": 1, "type": "private", "first_name": "Ada" }));
    assert_eq!(sent["text"], "hi <you>");
    assert_eq!(sent["entities"], json!([{ "type": "bold", "offset": 0, "length": 2 }]));
    assert_eq!(sent["reply_to_message"]["text"], "/start now");
    assert_eq!(sent["reply_markup"]["inline_keyboard"][0][0], json!({ "text": "Yes", "callback_data": "y" }));
    let seen = person::chat(&world, BOT, ADA).pop().unwrap();
    assert_eq!((seen.from, seen.html.as_str()), ("bot", "<b>hi</b> &lt;you&gt;"));
    assert_eq!(
        json!(seen.buttons),
        json!([[{ "text": "Yes", "data": "y" }, { "text": "See", "url": "https://a.example" }]])
    );
}

#[test]
fn an_update_names_sender_language_and_command() {
    let mut world = still();
    let updates = person::pending(&world, BOT);
    let message = &updates[0]["message"];
    assert_eq!(message["from"]["language_code"], "zh-hans");
    assert_eq!(message["entities"], json!([{ "type": "bot_command", "offset": 0, "length": 6 }]));
    ok(&mut world, "sendMessage", &json!({ "chat_id": 1, "text": "?", "reply_markup": "{\"inline_keyboard\":[]}" }));
    let query = world.press_button(ADA, BOT, MessageId(2), "any").unwrap();
    let pressed = person::pending(&world, BOT).pop().unwrap();
    let pressed = &pressed["callback_query"];
    assert_eq!((&pressed["data"], &pressed["message"]["message_id"]), (&json!("any"), &json!(2)));
    assert_eq!(pressed["id"], query.to_string());
}

#[test]
fn a_forwarded_post_names_channel_and_post() {
    let mut world = crate::scenario::transfer(
        1,
        1,
        20,
        crate::world::generated::Mix::text_only(),
        Clock::virtual_at(SimTime(1_700_000_000_000)),
    );
    world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
    world.forward_to_bot(crate::scenario::FIRST_ACCOUNT, BOT, crate::scenario::SOURCE, MessageId(5)).unwrap();
    let update = person::pending(&world, BOT).pop().unwrap();
    let origin = &update["message"]["forward_origin"];
    assert_eq!(origin["type"], "channel");
    assert_eq!(origin["message_id"], 5);
    let chat = json!({ "id": crate::scenario::SOURCE, "type": "channel", "title": "Source", "username": "source" });
    assert_eq!(origin["chat"], chat);
    world.chats.get_mut(&crate::scenario::SOURCE).unwrap().noforwards = true;
    let refused = world.forward_to_bot(crate::scenario::FIRST_ACCOUNT, BOT, crate::scenario::SOURCE, MessageId(6));
    assert_eq!(refused.unwrap_err().message, "CHAT_FORWARDS_RESTRICTED");
}

#[test]
fn refusals_are_in_telegrams_words() {
    let mut world = still();
    let sent = ok(&mut world, "sendMessage", &json!({ "chat_id": 1, "text": "one" }));
    let id = &sent["message_id"];
    let not_modified = "Bad Request: message is not modified: specified new message content and reply markup are \
                        exactly the same as a current content and reply markup of the message";
    let button = |data: &str| json!({ "inline_keyboard": [[{ "text": "b", "callback_data": data }]] });
    let cases = [
        ("sendMessage", json!({ "text": "x" }), "Bad Request: chat_id is empty"),
        ("sendMessage", json!({ "chat_id": 1, "text": " " }), "Bad Request: message text is empty"),
        ("sendMessage", json!({ "chat_id": 1, "text": "x".repeat(4097) }), "Bad Request: message is too long"),
        ("sendMessage", json!({ "chat_id": 5, "text": "x" }), "Bad Request: chat not found"),
        ("sendMessage", json!({ "chat_id": "@ada", "text": "x" }), "Bad Request: chat not found"),
        ("sendMessage", json!({ "chat_id": BOT, "text": "x" }), "Forbidden: bot can't send messages to itself"),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "<b>x", "parse_mode": "HTML" }),
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "x", "reply_markup": button(&"d".repeat(65)) }),
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "x", "reply_markup": { "inline_keyboard": [[{ "text": "b" }]] } }),
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ("editMessageText", json!({ "chat_id": 1, "message_id": id, "text": "one" }), not_modified),
        (
            "editMessageText",
            json!({ "chat_id": 1, "message_id": 77, "text": "x" }),
            "Bad Request: message to edit not found",
        ),
        (
            "editMessageText",
            json!({ "chat_id": 1, "message_id": 1, "text": "x" }),
            "Bad Request: message can't be edited",
        ),
        ("deleteMessage", json!({ "chat_id": 1, "message_id": 77 }), "Bad Request: message to delete not found"),
        (
            "answerCallbackQuery",
            json!({ "callback_query_id": "1" }),
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        ),
        (
            "setWebhook",
            json!({ "url": "http://a.example/" }),
            "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            "setWebhook",
            json!({ "url": "http://127.0.0.1/", "secret_token": "a b" }),
            "Bad Request: secret token contains unallowed characters",
        ),
        (
            "setMyCommands",
            json!({ "commands": [{ "command": "Big", "description": "x" }] }),
            "Bad Request: BOT_COMMAND_INVALID",
        ),
        ("sendPhoto", json!({ "chat_id": 1 }), "Bad Request: there is no photo in the request"),
        ("doMagic", json!({}), "Not Found: method not found"),
    ];
    for (method, arguments, words) in cases {
        assert_eq!(said(&mut world, method, &arguments), words, "{method} {arguments}");
    }
}

#[test]
fn what_was_too_much_is_refused_until_the_wait_is_over() {
    let mut world = still();
    let message = json!({ "chat_id": 1, "text": "x" });
    let answers: Vec<Value> = (0..11).map(|_| ask(&mut world, "sendMessage", &message)).collect();
    assert!(answers[..10].iter().all(|answer| answer["ok"] == true));
    let expected = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1",
        "parameters": { "retry_after": 1 } });
    assert_eq!(answers[10], expected);
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 429);
    assert_eq!(world.bots.calls.iter().filter(|call| call.during_wait).count(), 1);
    world.clock.advance(Duration::from_secs(1));
    ok(&mut world, "sendMessage", &message);
}

#[test]
fn a_script_forces_an_answer_before_or_after_the_call_is_carried_out() {
    let mut world = still();
    let script = |code, applied, retry_after| Script {
        bot: None,
        method: Some("sendmessage".into()),
        code,
        description: None,
        retry_after,
        times: 1,
        applied,
    };
    world.bots.scripts = vec![script(429, false, Some(7)), script(502, true, None)];
    let message = json!({ "chat_id": 1, "text": "x" });
    assert_eq!(ask(&mut world, "sendMessage", &message)["parameters"]["retry_after"], 7);
    assert_eq!(person::chat(&world, BOT, ADA).len(), 1);
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 502);
    assert_eq!(person::chat(&world, BOT, ADA).len(), 2, "it was sent all the same");
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 429, "the seven seconds are not over");
    world.clock.advance(Duration::from_secs(7));
    ok(&mut world, "sendMessage", &message);
}

#[test]
fn commands_are_kept_by_scope_and_language() {
    let mut world = still();
    let commands = json!([{ "command": "start", "description": "Begin" }]);
    ok(&mut world, "setMyCommands", &json!({ "commands": commands, "language_code": "zh" }));
    assert_eq!(ok(&mut world, "getMyCommands", &json!({})), json!([]));
    let chinese = json!({ "language_code": "zh", "scope": { "type": "default" } });
    assert_eq!(ok(&mut world, "getMyCommands", &chinese), commands);
    ok(&mut world, "deleteMyCommands", &chinese);
    assert_eq!(ok(&mut world, "getMyCommands", &chinese), json!([]));
}

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
