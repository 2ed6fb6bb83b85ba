use super::*;
use crate::scenario::{FIRST_ACCOUNT, transfer};
use crate::server::Config;
use crate::time::{Clock, SimTime};
use crate::world::generated::Mix;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

struct Api {
    address: SocketAddr,
    /// Ends when dropped.
    _tasks: JoinSet<()>,
}

impl Api {
    async fn start() -> Api {
        let clock = Clock::virtual_at(SimTime(1_700_000_000_000));
        let simulator = Simulator::start(Config::new(transfer(1, 2, 50, Mix::default(), clock))).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { serve(&simulator, listener).await.unwrap() });
        Api { address, _tasks: tasks }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    async fn ok(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }
}

#[tokio::test]
async fn the_world_can_be_set_and_read() {
    let api = Api::start().await;
    assert_eq!(api.ok("GET", "/health", "").await["ok"], true);
    assert_eq!(api.ok("GET", "/server", "").await["dcs"].as_array().unwrap().len(), 5);
    assert_eq!(api.ok("POST", "/time/advance", r#"{"millis": 1500}"#).await["time_ms"], 1_700_000_001_500_i64);
    api.ok("POST", "/floods", r#"{"model": "5:30", "scripts": [{"code": 400, "message": "PEER_FLOOD"}]}"#).await;
    api.ok(
        "POST",
        "/faults",
        r#"{"scripts": [{"fault": "delay", "millis": 5}], "rates": [{"fault": "cut_after", "permille": 2}]}"#,
    )
    .await;
    api.ok("POST", "/protect", r#"{"chat": -1001500000001}"#).await;
    let chats = api.ok("GET", "/chats", "").await;
    let source = chats.as_array().unwrap().iter().find(|chat| chat["id"] == -1_001_500_000_001_i64).unwrap();
    assert_eq!(source["noforwards"], true);
    let page = api.ok("GET", "/chats/-1001500000001/messages?from=10&limit=3", "").await;
    assert_eq!(page.as_array().unwrap().len(), 3);
    api.ok("DELETE", "/chats/-1001500000002/messages?ids=1,2", "").await;
    api.ok("POST", "/salts/rotate", "").await;
    assert_eq!(api.ok("GET", "/audit", "").await, json!([]));
    assert_eq!(api.ok("GET", "/codes", "").await, json!([]));
    let minted = api.ok("POST", "/sessions/mint", &format!(r#"{{"user": {FIRST_ACCOUNT}}}"#)).await;
    assert_eq!(minted["auth_key"].as_str().unwrap().len(), 512);
}

#[tokio::test]
async fn an_export_and_a_scenario_are_loaded() {
    let api = Api::start().await;
    let export = r#"{"name": "P", "type": "private_channel", "id": 5, "messages": [
        {"id": 3, "type": "message", "date_unixtime": "1672628645", "text": "hi"}]}"#;
    let loaded = api.ok("POST", &format!("/export?username=old&member={FIRST_ACCOUNT}"), export).await;
    assert_eq!(loaded[0]["messages"], 1);
    let scenario = r#"{"users": [{"id": 9, "first_name": "New"}], "chats": [{"id": -10, "kind": "basic", "title": "G",
        "members": [{"user": 9}], "messages": [{"text": "x"}]}]}"#;
    api.ok("POST", "/scenario", scenario).await;
    let seen = api.ok("GET", "/chats/-10/messages?viewer=9", "").await;
    assert_eq!(seen[0]["text"], "x");
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let api = Api::start().await;
    let cases = [
        ("POST", "/floods", r#"{"model": "lots"}"#, 400, "BUCKET:WAIT_SECS"),
        ("POST", "/floods", r#"{"modle": "none"}"#, 400, "modle"),
        ("POST", "/export", r#"{"messages": []"#, 400, "line 1"),
        ("POST", "/sessions/mint", r#"{"user": 1}"#, 404, "POST /scenario"),
        ("POST", "/qr/accept", r#"{"user": 7000000001}"#, 400, "on show"),
        ("GET", "/chats/-1009/messages", "", 400, "viewer"),
        ("GET", "/chats/-1009000000000/messages", "", 404, "GET /chats"),
        ("GET", "/nothing", "", 404, "/nothing"),
    ];
    for (method, path, body, status, words) in cases {
        let (got, answer) = api.ask(method, path, body).await;
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{path}: {answer}");
    }
}

#[tokio::test]
async fn people_write_to_bots_and_press_their_buttons() {
    let api = Api::start().await;
    let scenario = r#"{"bots": [{"id": 79, "username": "Ferry_Bot", "token": "79:secret", "name": "Ferry"}]}"#;
    api.ok("POST", "/scenario", scenario).await;
    let said = format!(r#"{{"user": {FIRST_ACCOUNT}, "text": "/start", "language_code": "zh-hans"}}"#);
    assert_eq!(api.ok("POST", "/bots/79/say", &said).await["id"], 1);
    let waiting = api.ok("GET", "/bots/79/updates", "").await;
    assert_eq!(waiting[0]["message"]["from"]["language_code"], "zh-hans");
    let forward = format!(r#"{{"user": {FIRST_ACCOUNT}, "forward_from": {{"chat": -1001500000001, "message": 1}}}}"#);
    api.ok("POST", "/bots/79/say", &forward).await;
    let chat = api.ok("GET", &format!("/bots/79/chat/{FIRST_ACCOUNT}"), "").await;
    assert_eq!((&chat[0]["text"], &chat[0]["from"]), (&json!("/start"), &json!("user")));
    assert_eq!(chat[1]["forwarded_from"], -1_001_500_000_001_i64);
    api.ok("POST", "/bots/79/block", &format!(r#"{{"user": {FIRST_ACCOUNT}}}"#)).await;
    let limits = r#"{"limits": {"on": false}, "scripts": [{"method": "sendMessage", "code": 429, "retry_after": 3}]}"#;
    assert_eq!(api.ok("POST", "/bots/limits", limits).await["on"], false);
    assert_eq!(api.ok("GET", "/bots/79/calls", "").await, json!([]));
    let bots = api.ok("GET", "/bots", "").await;
    assert_eq!((&bots[0]["username"], &bots[0]["pending_updates"]), (&json!("ferry_bot"), &json!(3)));
    let cases = [
        ("/bots/80/say", format!(r#"{{"user": {FIRST_ACCOUNT}, "text": "x"}}"#), 404, "no bot 80"),
        ("/bots/79/say", r#"{"user": 5, "text": "x"}"#.to_owned(), 404, "no user 5"),
        ("/bots/79/say", format!(r#"{{"user": {FIRST_ACCOUNT}}}"#), 400, "either"),
        ("/bots/79/press", format!(r#"{{"user": {FIRST_ACCOUNT}, "button": "Yes"}}"#), 400, "has buttons"),
        (
            "/bots/79/press",
            format!(r#"{{"user": {FIRST_ACCOUNT}, "message": 1, "button": "Yes"}}"#),
            400,
            "BUTTON_INVALID",
        ),
        (
            "/scenario",
            r#"{"bots": [{"id": 80, "username": "x", "token": "79:x", "name": "X"}]}"#.to_owned(),
            400,
            "80:",
        ),
    ];
    for (path, body, status, words) in cases {
        let (got, answer) = api.ask("POST", path, &body).await;
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{path}: {answer}");
    }
}
