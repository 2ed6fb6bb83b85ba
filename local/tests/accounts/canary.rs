//! No secret stands anywhere but where it belongs: recognisable ones are planted in every way in, everything is logged that
//! can be logged, things go wrong, and then every file, the log, the terminal and the chat are searched.
//!
//! The key ring (`keys/ring.json`) holds the private keys, and is the one exception. The simulator runs in this process, so what it
//! logs itself is left out. That the search finds what it looks for is shown by leaks that the last test plants.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferry::engines::Engines;
use ferry::host::BOT_ID;
use simulator::bot_api::person::ChatMessage;
use tracing_subscriber::EnvFilter;
use transfer::clock::Clock;
use transfer::table::item::AlertRecord;
use transfer::table::{Guard, Item, Table, Write};

use crate::leak::{self, Canary};
use crate::stage::{ANNA, API_HASH, BERT, CARA, DORA, PASSWORD, Stage, TOKEN};

/// Telegram's codes have five digits; these have eight, so that no number looks like one by chance.
const CODES: [&str; 3] = ["73918264", "84027351", "95138462"];
const WRONG_PASSWORD: &str = "planted-Wrong-Password-17";
const OWN_API_HASH: &str = "feedfacecafebeefdeadc0de0badf00d";

/// A log at its loudest.
fn log_to(path: &Path) -> impl tracing::Subscriber + Send + Sync + 'static {
    let file = std::fs::File::create(path).unwrap();
    let filter = EnvFilter::new("trace,simulator=off");
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file)).finish()
}

fn session_string() -> String {
    format!("1{}=", "BVtsOK4BuPlantedSession".repeat(15))
}

fn ring(stage: &Stage) -> PathBuf {
    stage.data_dir().join("keys").join("ring.json")
}

/// What came into the world before the story begins.
fn canaries(stage: &Stage) -> Vec<Canary> {
    let mut canaries = vec![
        Canary::new("the bot's token", TOKEN.split_once(':').unwrap().1),
        Canary::new("the installation's api hash", API_HASH),
        Canary::new("an account's own api hash", OWN_API_HASH),
        Canary::new("the password", PASSWORD),
        Canary::new("the wrong password", WRONG_PASSWORD),
        Canary::new("the session string", session_string()),
    ];
    for (name, user) in [("Anna's phone", ANNA), ("Bert's phone", BERT), ("Cara's phone", CARA), ("Dora's phone", DORA)]
    {
        canaries.push(Canary::new(name, &stage.phone(user)[1..]));
    }
    canaries.extend(CODES.map(|code| Canary::new("a code", code)));
    canaries
}

/// The private keys of the ring, and the auth keys of the sessions: they are known when the story is over.
async fn keys(stage: &Stage) -> Vec<Canary> {
    let ring: serde_json::Value = serde_json::from_slice(&std::fs::read(ring(stage)).unwrap()).unwrap();
    let private = ring["keys"].as_array().unwrap().iter().map(|key| {
        let text = key["private_key"].as_str().unwrap();
        Canary::new("a private key", STANDARD.decode(text).unwrap())
    });
    let mut keys: Vec<_> = private.collect();
    assert!(!keys.is_empty());
    for session in stage.kept().await.sessions {
        // The first half is enough, and where a page of a file ends it may be all that stands together.
        keys.extend(session.keys.values().map(|key| Canary::new("an auth key", &key.expose()[..32])));
        keys.extend(session.keys.values().map(|key| Canary::new("an auth key", &key.expose()[128..160])));
    }
    keys
}

fn chat_text(chat: &[ChatMessage]) -> String {
    chat.iter().map(|message| format!("{} {} {}\n", message.from, message.text, message.html)).collect()
}

/// Logs in whoever can, wrongly first, and makes everything fail that an admin can make fail.
async fn story(stage: &mut Stage) {
    stage.simulation.with_world(|world| world.login.codes.scripted.extend(CODES.map(str::to_owned)));
    // By code, with an application of its own, a wrong code, a restart in the middle, and a wrong password.
    stage.adds(&["way:code", "label:-", "priority:0"]).await;
    stage.is_asked("API id of its own").await;
    stage.says(&format!("12345 {OWN_API_HASH}"));
    stage.is_asked("Which phone number").await;
    stage.says(&stage.phone(CARA));
    let code = stage.code(CARA, 1).await;
    assert_eq!(code, CODES[0]);
    stage.types(CARA, "11111111").await;
    stage.reads("That code was wrong").await;
    for (n, digit) in code.chars().enumerate().take(3) {
        stage.types_digit(CARA, n, digit).await;
    }
    stage.restart().await;
    for (n, digit) in code.chars().enumerate().skip(3) {
        stage.types_digit(CARA, n, digit).await;
    }
    stage.reads("two-step password").await;
    stage.says(WRONG_PASSWORD);
    stage.reads("That password was wrong").await;
    stage.says(PASSWORD);
    stage.reads("Cara is in the pool").await;
    // A code that is written as text, and a login that is cancelled.
    stage.adds_by_phone(ANNA).await;
    let code = stage.code(ANNA, 1).await;
    stage.says(&code);
    stage.code(ANNA, 2).await;
    stage.cancels().await;
    stage.reads("You cancelled").await;
    // A session string where none belongs.
    stage.says(&session_string());
    stage.reads("ferry account import").await;
    // By QR.
    stage.adds_by_qr().await;
    stage.scans(BERT).await;
    stage.reads("Bert is in the pool").await;
    // A data centre that nobody reaches.
    stage.adds_by_phone(DORA).await;
    stage
        .until("the way to the lost DC", |world| {
            world.audit.entries().iter().any(|entry| entry.outcome_text().starts_with("PHONE_MIGRATE"))
        })
        .await;
    stage.cancels().await;
}

/// Digits of one code on one line, or in one item, would give it away piece by piece.
fn digits_in(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices("digit:").any(|(at, _)| {
        let rest: String = text[at..].chars().take(60).collect();
        rest.split(':').nth(2).is_some_and(|digit| digit.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_where_it_does_not_belong() {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("ferry.log");
    tracing::subscriber::set_global_default(log_to(&log)).unwrap();
    let mut stage = Stage::set();
    let mut canaries = canaries(&stage);
    story(&mut stage).await;
    let chat = chat_text(&stage.chat());
    // While it runs, files of the engines hold what is not written back yet.
    let mut found = leak::in_files(&stage.data_dir(), &[ring(&stage)], &canaries);
    stage.stop().await;
    canaries.extend(keys(&stage).await);
    found.extend(leak::in_files(&stage.data_dir(), &[ring(&stage)], &canaries));
    let written = std::fs::read(&log).unwrap();
    assert!(written.len() > 10_000, "nothing was logged");
    found.extend(leak::in_bytes("the log", &written, &canaries));
    found.extend(leak::in_bytes("the terminal", &stage.said.bytes(), &canaries));
    found.extend(leak::in_bytes("the chat", chat.as_bytes(), &canaries));
    if digits_in(&written) {
        found.push("a pressed digit in the log".to_owned());
    }
    assert_eq!(found, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_that_is_planted_is_found_in_every_place() {
    let mut stage = Stage::set();
    stage.says("/start");
    stage.reads("").await;
    stage.stop().await;
    let canary = [Canary::new("it", PASSWORD)];
    let none: [&str; 0] = [];
    assert_eq!(leak::in_files(&stage.data_dir(), &[], &canary), none);
    // In a file, in each form.
    let file = stage.data_dir().join("planted");
    for form in canary[0].forms() {
        std::fs::write(&file, form).unwrap();
        assert_eq!(leak::in_files(&stage.data_dir(), &[], &canary).len(), 1);
        assert_eq!(leak::in_files(&stage.data_dir(), std::slice::from_ref(&file), &canary), none);
    }
    std::fs::remove_file(&file).unwrap();
    // In the log: in the words of an error, and in a span around something else.
    let log = tempfile::NamedTempFile::new().unwrap();
    let error = std::io::Error::other(format!("{PASSWORD} was not taken"));
    tracing::subscriber::with_default(log_to(log.path()), || tracing::trace!(%error, "planted"));
    assert_eq!(leak::in_bytes("the log", &std::fs::read(log.path()).unwrap(), &canary).len(), 1);
    let log = tempfile::NamedTempFile::new().unwrap();
    tracing::subscriber::with_default(log_to(log.path()), || {
        tracing::debug_span!("planted", bytes = ?PASSWORD).in_scope(|| tracing::debug!("something"));
    });
    assert_eq!(leak::in_bytes("the log", &std::fs::read(log.path()).unwrap(), &canary).len(), 1);
    assert!(digits_in(b"data=digit:0b8e-4c:7") && !digits_in(b"data=digit:0b8e-4c:"));
    // In the chat.
    stage.start();
    stage.says(PASSWORD);
    let chat = stage.sees("it", |chat| chat.iter().any(|message| message.text == PASSWORD)).await;
    assert_eq!(leak::in_bytes("the chat", chat_text(&chat).as_bytes(), &canary).len(), 1);
    stage.stop().await;
    // In the table.
    let engines = Engines::start(&stage.data_dir()).await.unwrap();
    let table = engines.table(BOT_ID);
    let at = Clock::system().now();
    let alert = AlertRecord { kind: "planted".to_owned(), subject: PASSWORD.to_owned(), at };
    table.commit(vec![Write::Put { item: Item::Alert(alert), guard: Guard::Absent }]).await.unwrap();
    engines.stop().await;
    let found = leak::in_files(&stage.data_dir(), &[], &canary);
    assert!(found.iter().any(|place| place.contains("table.sqlite")), "what the table holds is not found: {found:?}");
}
