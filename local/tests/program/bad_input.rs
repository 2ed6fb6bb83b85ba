//! What cannot be done is told in one line, with exit status 2, and nothing is half done.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::ferry::{Running, Simulator, command, complained, run};

/// One line that holds these words, and status 2.
fn refused(output: &Output, words: &str) {
    let text = complained(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(words), "{words:?} is not in: {text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
}

#[test]
fn broken_files_and_impossible_options_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    fs::write(at.join("broken.json"), "{\"messages\": [{\"id\": }]}").unwrap();
    fs::write(at.join("file"), "").unwrap();
    refused(&run(at, &["demo", "--flood", "often"]), "BUCKET:WAIT_SECS");
    refused(&run(at, &["demo", "--history", "broken.json"]), "broken.json");
    refused(&run(at, &["demo", "--history", "missing.json"]), "missing.json");
    refused(&run(at, &["demo", "--data", "file/below"]), "file/below");
    refused(&run(at, &["demo", "--report", "none/r.json"]), "none/r.json");
    refused(&run(at, &["demo", "--log-file", "none/log"]), "none/log");
    refused(&run(at, &["demo", "--messages", "many"]), "--messages");
    refused(&run(at, &["transfer", "--to", "@target"]), "--from");
    refused(&run(at, &["demo", "--pace", "huge"]), "huge");
    refused(&run(at, &["demo", "--accounts", "0"]), "0 accounts");
    refused(&run(at, &["simulator", "--scenario", "broken.json"]), "broken.json");
    refused(&run(at, &["soak", "--freeze-secs", "9..5"]), "5..120");
    refused(&run(at, &["soak", "--data", "file/below"]), "file/below");
    refused(&run(at, &["soak", "--report", "none/r.json"]), "none/r.json");
    refused(&run(at, &["simulate", "--seeds", "many"]), "0..1000");
    refused(&run(at, &["simulate", "--seeds", "7..7"]), "no seed");
    refused(&run(at, &["simulate", "--faults", "kil"]), "queue-drop");
    refused(&run(at, &["simulate", "--faults", "kill,none"]), "stands alone");
    refused(&run(at, &["simulate", "--jobs", "0"]), "--jobs");
    refused(&run(at, &["simulate", "--trace", "story"]), "--seeds 0..1");
    refused(&run(at, &["simulate", "--seeds", "1..2", "--trace", "none/story"]), "none/story");
    let transfer = ["transfer", "--from", "@source", "--to", "@target"];
    refused(&run(at, &transfer), "ferry init");
    fs::write(at.join("ferry.toml"), "data_dir = 5").unwrap();
    refused(&run(at, &transfer), "ferry.toml: line 1");
    refused(&run(at, &["init"]), "exists already");
    assert!(run(at, &["init", "new.toml"]).status.success());
    refused(&run(at, &["transfer", "--config", "new.toml", "--from", "@a", "--to", "@b"]), "my.telegram.org");
    let left: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "something was half done: {left:?}");
}

#[test]
fn a_start_that_fails_leaves_earlier_reports_and_no_directories() {
    let dir = tempfile::tempdir().unwrap();
    let temporary = dir.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    fs::write(dir.path().join("r.json"), "earlier").unwrap();
    let start = |arguments: &[&str]| command(dir.path(), arguments).env("TMPDIR", &temporary).output().unwrap();
    refused(&start(&["demo", "--report", "r.json", "--log-file", "none/log"]), "none/log");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(&start(&["simulator", "--control-port", &port]), &port);
    assert_eq!(fs::read_to_string(dir.path().join("r.json")).unwrap(), "earlier");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_port_in_use_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(&run(dir.path(), &["simulator", "--control-port", &port]), &port);
    refused(&run(dir.path(), &["simulator", "--port", &port]), &port);
}

#[test]
fn routes_that_cannot_be_are_told_before_anything_is_done() {
    let scenario = r#"{"users": [{"id": 1, "first_name": "Owner"}, {"id": 7, "phone": "+17", "first_name": "Ada"}],
        "chats": [
          {"id": -1001500000001, "kind": "broadcast", "title": "Source", "username": "source",
           "members": [{"user": 1, "role": "creator"}], "messages": [{"text": "one"}]},
          {"id": -1001500000002, "kind": "broadcast", "title": "Target", "username": "target",
           "members": [{"user": 7, "role": "creator"}]},
          {"id": -1001500000003, "kind": "broadcast", "title": "Private", "invite": "abcdef",
           "members": [{"user": 1, "role": "creator"}], "messages": [{"text": "one"}]},
          {"id": -1001500000004, "kind": "broadcast", "title": "Foreign", "username": "foreign",
           "members": [{"user": 1, "role": "creator"}, {"user": 7}], "messages": [{"text": "one"}]},
          {"id": -1001500000005, "kind": "broadcast", "title": "Protected", "username": "protected", "noforwards": true,
           "members": [{"user": 1, "role": "creator"}], "messages": [{"text": "one"}]},
          {"id": -1001500000006, "kind": "broadcast", "title": "Empty", "username": "emptychat",
           "members": [{"user": 1, "role": "creator"}]}]}"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.json");
    fs::write(&file, scenario).unwrap();
    let simulator = Simulator::start(&["--scenario", file.to_str().unwrap()]);
    let route = |from: &str, to: &str, rest: &[&str]| {
        simulator.transfer(&["--from", from, "--to", to]).args(rest).output().unwrap()
    };
    refused(&route("@nobody_here", "@target", &[]), "@nobody_here");
    refused(&route("@source", "@nobody_here", &[]), "@nobody_here");
    refused(&route("-1001500000003", "@target", &[]), "-1001500000003");
    refused(&route("@source", "@foreign", &[]), "may post in @foreign");
    refused(&route("@protected", "@target", &[]), "protected");
    refused(&route("@emptychat", "@target", &[]), "no messages in @emptychat");
    refused(&route("@source", "@source", &[]), "same chat");
    refused(&route("source", "@target", &[]), "starts with @");
    refused(&route("@source", "@target", &["--ids", "5"]), "5");
    refused(&route("@source", "@target", &["--kinds", "dance"]), "dance");
    refused(&route("@source", "@target", &["--keyword", "absent"]), "matches the selection");
    assert_eq!(simulator.created(), 0);
}

#[test]
fn no_accounts_and_data_in_use_are_told() {
    let simulator = Simulator::start(&["--messages", "500", "--accounts", "1", "--flood", "100:30"]);
    let mut first = Running::start(simulator.transfer(&["--from", "@source", "--to", "@target"]));
    first.hear("started");
    let mode = fs::metadata(simulator.file("ferry.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the configuration is its owner's alone");
    let second = simulator.transfer(&["--from", "@source", "--to", "@target"]).output().unwrap();
    refused(&second, "another ferry");
    drop(first);
    let config = fs::read_to_string(simulator.file("ferry.toml")).unwrap();
    fs::write(simulator.file("other.toml"), config.replace("ferry-data", "other-data")).unwrap();
    let config = ["--config", "other.toml", "--from", "@source", "--to", "@target"];
    refused(&simulator.transfer(&config).output().unwrap(), "ferry account add");
}
