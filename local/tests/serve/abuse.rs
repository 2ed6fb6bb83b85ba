//! Everybody who finds the address of a webhook, against the front of `ferry serve` over sockets.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::webhook::gate::{Admins, BODY_LEN_MAX, Gate, SECRET_HEADER};
use ::webhook::handler::Handler;
use ::webhook::receiver::Receiver;
use ferry::serve::webhook;
use futures_util::future::join_all;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::bot::memory::MemoryBot;
use transfer::clock::Clock;
use transfer::ids::ChatId;
use transfer::queue::memory::MemoryQueue;
use transfer::seal::{Sealer, SealingKey};
use transfer::table::memory::MemoryTable;

const SECRET: &str = "a-secret-of-the-tests_0123456789";
/// Admins have the ids from 1 to this.
const ADMINS: i64 = 20;
/// Telegram opens no more connections to a webhook (source: <https://core.telegram.org/bots/api#setwebhook>).
const CONNECTIONS: usize = 100;
/// Nothing here takes longer, or it hangs.
const WITHIN: Duration = Duration::from_secs(60);

/// A running front with the real handler behind it; table, queue and chats are in memory.
struct Front {
    address: SocketAddr,
    table: Arc<MemoryTable>,
    bot: Arc<MemoryBot>,
    client: reqwest::Client,
    stop: CancellationToken,
    served: JoinSet<std::io::Result<()>>,
}

impl Front {
    async fn start() -> Self {
        let clock = Clock::system();
        let (table, bot) = (Arc::new(MemoryTable::new()), Arc::new(MemoryBot::new()));
        let admins = Admins::new(1..=ADMINS).unwrap();
        let handler = Handler {
            table: table.clone(),
            queue: Arc::new(MemoryQueue::new(clock.clone())),
            bot: bot.clone(),
            clock,
            admins: admins.chats(),
            zone: TimeZone::UTC,
            sealer: Sealer::fixed(SealingKey::from_bytes(&[9; 32]).unwrap()),
        };
        let gate = Gate::new(&SecretString::from(SECRET), admins).unwrap();
        let listener = webhook::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut served = JoinSet::new();
        served.spawn(webhook::serve(listener, Receiver::new(gate, Arc::new(handler)), stop.clone()));
        let client = reqwest::Client::builder().no_proxy().timeout(WITHIN).build().unwrap();
        Self { address, table, bot, client, stop, served }
    }

    async fn send(&self, secret: Option<&str>, body: impl Into<reqwest::Body>) -> u16 {
        let mut request = self.client.post(format!("http://{}/telegram", self.address)).body(body);
        if let Some(secret) = secret {
            request = request.header(SECRET_HEADER, secret);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// As Telegram does: again until it is taken.
    async fn deliver(&self, body: &str) {
        tokio::time::timeout(WITHIN, async {
            while self.send(Some(SECRET), body.to_owned()).await != 200 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }

    /// Nobody was told anything, and nothing was written.
    fn is_untouched(&self) -> bool {
        self.table.snapshot().is_empty() && (1..=ADMINS + 10).all(|id| self.bot.chat(ChatId(id)).is_empty())
    }

    async fn stop(mut self) {
        self.stop.cancel();
        self.served.join_next().await.unwrap().unwrap().unwrap();
    }
}

fn wrote(update: u32, user: i64, text: &str) -> String {
    format!(
        r#"{{"update_id":{update},"message":{{"message_id":{update},"date":1700000000,"text":"{text}",
            "chat":{{"id":{user},"type":"private","first_name":"A"}},
            "from":{{"id":{user},"is_bot":false,"first_name":"A","language_code":"en"}}}}}}"#
    )
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_changes_nothing() {
    let front = Front::start().await;
    for secret in [None, Some(""), Some("wrong"), Some(&SECRET[1..])] {
        assert_eq!(front.send(secret, wrote(1, 1, "/start")).await, 401, "{secret:?}");
    }
    let got = front.client.get(format!("http://{}/", front.address)).send().await.unwrap();
    assert_eq!(got.status().as_u16(), 405);
    assert!(front.is_untouched());
    front.stop().await;
}

#[tokio::test]
async fn a_body_is_not_read_from_whoever_does_not_know_the_secret() {
    let front = Front::start().await;
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    // The body never comes: an answer before it means that nobody waited for it.
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(WITHIN, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    drop(stream);
    front.stop().await;
}

#[tokio::test]
async fn what_is_no_update_is_refused_and_what_means_nothing_is_silence() {
    let front = Front::start().await;
    assert_eq!(front.send(Some(SECRET), vec![b' '; BODY_LEN_MAX + 1]).await, 413);
    for body in ["", "{", "[]", "null", "\"x\"", "{\"message\":{}}", "{\"update_id\":-1}", "\u{0}\u{1}"] {
        assert_eq!(front.send(Some(SECRET), body).await, 400, "{body:?}");
    }
    let channel = r#"{"update_id":1,"channel_post":{"message_id":1,"date":1,"text":"/start",
        "chat":{"id":-1001,"type":"channel","title":"C"}}}"#;
    let group = r#"{"update_id":2,"message":{"message_id":1,"date":1,"text":"/start",
        "from":{"id":1,"is_bot":false,"first_name":"A"},"chat":{"id":-5,"type":"group","title":"G"}}}"#;
    let forged = r#"{"update_id":3,"callback_query":{"id":"1","chat_instance":"x","data":"menu",
        "from":{"id":99,"is_bot":false,"first_name":"S"},"message":{"message_id":1,"date":1,"text":"x",
        "chat":{"id":1,"type":"private","first_name":"A"}}}}"#;
    let stranger = wrote(4, ADMINS + 5, "/start");
    for body in [channel, group, forged, &stranger, r#"{"update_id":5,"of_tomorrow":{"x":[1]}}"#, r#"{"update_id":6}"#]
    {
        assert_eq!(front.send(Some(SECRET), body.to_owned()).await, 200, "{body}");
    }
    assert!(front.is_untouched());
    front.stop().await;
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_answered_once() {
    let front = Front::start().await;
    for _ in 0..5 {
        assert_eq!(front.send(Some(SECRET), wrote(7, 1, "/help")).await, 200);
    }
    assert_eq!(front.bot.chat(ChatId(1)).len(), 1);
    front.stop().await;
}

#[tokio::test]
async fn of_a_thousand_updates_at_once_none_is_lost_and_none_answered_twice() {
    const EACH: u32 = 50;
    let front = Front::start().await;
    let lines = Semaphore::new(CONNECTIONS);
    let (front_ref, lines) = (&front, &lines);
    let updates = (1..=ADMINS).flat_map(|user| (0..EACH).map(move |n| (user, n)));
    let deliveries = updates.map(async |(user, n)| {
        let update = u32::try_from(user).unwrap() * 1_000 + n;
        let _line = lines.acquire().await.unwrap();
        front_ref.deliver(&wrote(update, user, "/help")).await;
    });
    assert_eq!(join_all(deliveries).await.len(), 1_000);
    for user in 1..=ADMINS {
        let chat = front.bot.chat(ChatId(user));
        let ids: BTreeSet<_> = chat.iter().map(|(id, _)| *id).collect();
        assert_eq!((chat.len(), ids.len()), (EACH as usize, EACH as usize), "{user}");
    }
    front.stop().await;
}
