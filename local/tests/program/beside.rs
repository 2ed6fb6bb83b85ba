//! Commands beside a `ferry serve` that runs, and single-account mode of it: several real processes on one data directory.

use std::collections::BTreeSet;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::ferry::{Running, Simulator, command, until};

const ADA: i64 = 7_000_000_001;
const NEW: i64 = 7_100_000_001;
const ADMIN: i64 = 6_000_000_001;
const BOT: i64 = 7_900_000_001;
/// Everything from source to target; nothing in between but what the wizard offers.
const STEPS: [&str; 10] =
    ["range:all", "next", "skip", "author:keep", "offered", "none", "pace:none", "batch:0", "done", "confirm"];

/// A Telegram with a pool of three, a bot, its admin and somebody new; and the configuration to serve it.
pub(crate) fn telegram() -> Simulator {
    let simulator = Simulator::start(&["--messages", "60", "--accounts", "3", "--flood", "none"]);
    let token = format!("{BOT}:a-simulated-token_of-the-tests");
    let world = format!(
        r#"{{"users": [{{"id": {ADMIN}, "first_name": "Admin"}},
                       {{"id": {NEW}, "phone": "+10000000099", "first_name": "Nora"}}],
            "bots": [{{"id": {BOT}, "username": "ferry_bot", "token": "{token}", "name": "Ferry"}}]}}"#
    );
    simulator.ask("POST", "/scenario", &world);
    let file = simulator.file("ferry.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let api = &simulator.bot_api;
    let bot = format!("\n[bot]\ntoken = \"{token}\"\nadmins = [{ADMIN}]\napi = \"{api}\"\n");
    std::fs::write(&file, text + &bot).unwrap();
    simulator
}

pub(crate) fn serve(simulator: &Simulator) -> Command {
    command(simulator.dir.path(), &["serve"])
}

pub(crate) fn stopped(mut serving: Running) -> String {
    assert!(serving.child.try_wait().unwrap().is_none(), "it was over before it was stopped: {:?}", serving.heard);
    serving.signal(Signal::INT);
    let (status, text) = serving.end();
    assert_eq!(status, Some(0), "{text}");
    text
}

/// Who made calls of this name, by the server's own books; of any name for "".
fn callers(simulator: &Simulator, method: &str) -> BTreeSet<i64> {
    let audit = simulator.ask("GET", "/audit", "");
    let of = |entry: &&Value| method.is_empty() || entry["method"] == method;
    audit.as_array().unwrap().iter().filter(of).filter_map(|entry| entry["account"].as_i64()).collect()
}

#[test]
fn the_pool_is_looked_after_while_the_bot_is_served() {
    let simulator = telegram();
    let mut serving = Running::start(serve(&simulator));
    serving.hear("is served");

    assert_eq!(simulator.pool().len(), 3);
    let text = simulator.done(&["account", "import", "--label", "Nora"], &format!("{}\n", simulator.minted(NEW)));
    assert!(text.contains("Nora is in the pool"), "{text}");
    let text = simulator.done(&["account", "check"], "");
    assert_eq!(text.matches("its session is good").count(), 4, "{text}");
    let (status, text) = simulator.ended(&["serve"], "");
    assert!(status == Some(2) && text.contains("another ferry works on"), "{text}");

    let text = simulator.done(&["account", "remove", "Nora", "--yes"], "");
    assert!(text.contains("Nora leaves: the ferry that runs signs it out"), "{text}");
    until("Nora's end", || simulator.pool().len() == 3);
    assert_eq!((callers(&simulator, "auth.logOut"), simulator.sessions(NEW)), ([NEW].into(), 0));

    let text = simulator.done(&["panic"], "yes\n");
    assert!(text.contains("The ferry that runs signs every account out"), "{text}");
    until("the end of all", || simulator.pool().is_empty());
    assert_eq!(callers(&simulator, "auth.logOut"), [NEW, ADA, ADA + 1, ADA + 2].into());
    for user in ADA..ADA + 3 {
        assert_eq!(simulator.sessions(user), 0, "{user}");
    }
    stopped(serving);
}

/// The admin's side of the chat.
fn says(simulator: &Simulator, text: &str) {
    simulator.ask("POST", &format!("/bots/{BOT}/say"), &format!(r#"{{"user": {ADMIN}, "text": "{text}"}}"#));
}

fn chat(simulator: &Simulator) -> Vec<Value> {
    simulator.ask("GET", &format!("/bots/{BOT}/chat/{ADMIN}"), "").as_array().unwrap().clone()
}

fn presses(simulator: &Simulator, data: &str) {
    let quoted = format!("\"{data}\"");
    let with_button = || chat(simulator).into_iter().rev().find(|line| line["buttons"].to_string().contains(&quoted));
    until(data, || with_button().is_some());
    let message = &with_button().unwrap()["id"];
    let press = format!(r#"{{"user": {ADMIN}, "message": {message}, "data": {quoted}}}"#);
    simulator.ask("POST", &format!("/bots/{BOT}/press"), &press);
}

#[test]
fn the_account_of_the_environment_carries_what_the_bot_is_asked_for_and_the_pool_makes_no_call() {
    let simulator = telegram();
    let expected = simulator.forwardable();
    let mut command = serve(&simulator);
    command.env("FERRY_SESSION", simulator.minted(ADA));
    let mut serving = Running::start(command);
    serving.hear("the pool is left alone");
    serving.hear("is served");
    says(&simulator, "/start");
    presses(&simulator, "new");
    until("the question for the source", || chat(&simulator).len() >= 2);
    says(&simulator, "@source");
    until("the question for the target", || chat(&simulator).len() >= 4);
    says(&simulator, "https://t.me/target");
    for step in STEPS {
        presses(&simulator, &format!("w:{step}"));
    }
    until("everything", || simulator.created() == expected.len());
    stopped(serving);
    assert_eq!(simulator.copied(), expected, "each message once, in order");
    assert_eq!(callers(&simulator, ""), [ADA].into(), "somebody of the pool made a call");
}
