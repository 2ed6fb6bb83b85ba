//! `ferry transfer` against `ferry simulator`: interrupted, resumed, with an account that logs in.

use std::io::Write;
use std::process::Stdio;

use rustix::process::Signal;

use crate::ferry::{Running, Simulator, command};

const ROUTE: [&str; 4] = ["--from", "@source", "--to", "@target"];

#[test]
fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let simulator = Simulator::start(&["--messages", "900", "--accounts", "2", "--flood", "300:4"]);
    let expected = simulator.forwardable();
    let mut before = 0;
    for signal in [Signal::INT, Signal::TERM] {
        let mut running = Running::start(simulator.transfer(&ROUTE));
        // A line of progress: it works by now, and listens.
        running.hear("/s");
        running.signal(signal);
        let (status, text) = running.end();
        assert_eq!(status, Some(130), "{signal:?}: {text}");
        assert!(text.contains("the same command goes on"), "{signal:?}: {text}");
        assert_eq!(text.contains("Going on after"), signal == Signal::TERM, "{text}");
        let copied = simulator.copied();
        assert!((before..expected.len()).contains(&copied.len()), "{before} then {} copies", copied.len());
        before = copied.len();
    }
    let (status, text) = Running::start(simulator.transfer(&ROUTE)).end();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Going on after") && text.contains("Done: "), "{text}");
    assert_eq!(simulator.copied(), expected, "each message once, in order");
}

#[test]
fn an_account_that_logs_in_with_code_and_password_can_carry() {
    let scenario = r#"{"users": [{"id": 7000000001, "phone": "+10000000001", "first_name": "Ada", "password": "secret"}],
        "chats": [
          {"id": -1001500000001, "kind": "broadcast", "title": "Source", "username": "source",
           "members": [{"user": 7000000001, "role": "creator"}], "messages": [{"text": "one"}, {"text": "two"}]},
          {"id": -1001500000002, "kind": "broadcast", "title": "Target", "username": "target",
           "members": [{"user": 7000000001, "role": "creator"}]}]}"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.json");
    std::fs::write(&file, scenario).unwrap();
    let simulator = Simulator::start(&["--scenario", file.to_str().unwrap()]);
    let config = std::fs::read_to_string(simulator.file("ferry.toml")).unwrap();
    std::fs::write(simulator.file("mine.toml"), config.replace("ferry-data", "mine")).unwrap();

    let mut adding = command(simulator.dir.path(), &["account", "add", "--config", "mine.toml"]);
    let mut adding = Running::start({
        adding.stdin(Stdio::piped());
        adding
    });
    let mut stdin = adding.child.stdin.take().unwrap();
    writeln!(stdin, "+10000000001").unwrap();
    adding.hear("sent a code");
    let codes = simulator.ask("GET", "/codes?phone=%2B10000000001", "").to_string();
    let code = codes.split("\"code\":\"").nth(1).unwrap_or_else(|| panic!("{codes}"));
    writeln!(stdin, "{}", code.split('"').next().unwrap()).unwrap();
    writeln!(stdin, "secret").unwrap();
    let (status, text) = adding.end();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Ada is in the pool"), "{text}");

    let (status, text) = Running::start(simulator.transfer(&[&ROUTE[..], &["--config", "mine.toml"]].concat())).end();
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(simulator.created(), 2);
    let (_, text) = Running::start(command(simulator.dir.path(), &["account", "list", "--config", "mine.toml"])).end();
    assert!(text.contains("Ada") && text.contains("2 forwarded"), "{text}");
}
