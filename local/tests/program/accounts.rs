//! `ferry account`, `ferry keys` and single-account mode, against `ferry simulator`.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::Value;

use crate::ferry::{Running, Simulator, command, complained, said};

const ROUTE: [&str; 4] = ["--from", "@source", "--to", "@target"];
const ADA: i64 = 7_000_000_001;

/// A session of this user that nobody else has, as Telethon would write it.
fn minted(simulator: &Simulator, user: i64) -> String {
    let minted = simulator.ask("POST", "/sessions/mint", &format!(r#"{{"user": {user}}}"#));
    let dc = u8::try_from(minted["dc"].as_u64().unwrap()).unwrap();
    let hex = minted["auth_key"].as_str().unwrap();
    let key: Vec<u8> = (0..256).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
    format!("1{}", URL_SAFE.encode([&[dc, 127, 0, 0, 1, 1, 187][..], &key].concat()))
}

/// A command with this on its standard input.
fn fed(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// `ferry account` with a pool of its own.
fn account(simulator: &Simulator, arguments: &[&str]) -> Command {
    let config = simulator.file("mine.toml");
    if !config.exists() {
        let text = std::fs::read_to_string(simulator.file("ferry.toml")).unwrap();
        std::fs::write(&config, text.replace("ferry-data", "mine")).unwrap();
    }
    command(simulator.dir.path(), &[&["account", "--config", "mine.toml"][..], arguments].concat())
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", said(output), complained(output));
    said(output)
}

fn refused(output: &Output, words: &str) {
    let text = complained(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(words) && text.trim_end().lines().count() == 1, "{words:?} is not in: {text}");
}

fn listed(simulator: &Simulator) -> Vec<Value> {
    let text = done(&account(simulator, &["list", "--json"]).output().unwrap());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Who made a call, by the server's own books.
fn callers(simulator: &Simulator) -> BTreeSet<i64> {
    let audit = simulator.ask("GET", "/audit", "");
    audit.as_array().unwrap().iter().filter_map(|entry| entry["account"].as_i64()).collect()
}

#[test]
fn a_session_string_enters_once_is_looked_after_and_leaves() {
    let simulator = Simulator::start(&["--messages", "5", "--accounts", "2", "--flood", "none"]);
    let string = minted(&simulator, ADA);
    let output = fed(account(&simulator, &["import", "--label", "Ada"]), &format!("{string}\n"));
    let text = done(&output);
    assert!(text.contains("Ada is in the pool") && text.contains("Stop using this session"), "{text}");
    refused(&fed(account(&simulator, &["import"]), &format!("{string}\n")), "in the pool already, as Ada");
    let another = minted(&simulator, ADA);
    refused(&fed(account(&simulator, &["import"]), &format!("{another}\n")), "in the pool already, as Ada");

    for (mistake, words) in [
        (&string[..200], "cut off"),
        ("nonsense", "no session string"),
        ("1:2:3", "such letters"),
        ("", "no session string"),
    ] {
        let output = fed(account(&simulator, &["import"]), &format!("{mistake}\n"));
        refused(&output, words);
        assert!(!complained(&output).contains(&string[8..30]));
    }

    for arguments in [
        &["label", "Ada", "Countess"][..],
        &["priority", "Countess", "7"],
        &["group", "countess", "north"],
        &["disable", "Countess"],
    ] {
        done(&account(&simulator, arguments).output().unwrap());
    }
    let rows = listed(&simulator);
    assert_eq!((rows.len(), &rows[0]["label"], &rows[0]["priority"]), (1, &Value::from("Countess"), &Value::from(7)));
    assert_eq!((&rows[0]["group"], &rows[0]["state"]), (&Value::from("north"), &Value::from("disabled")));
    assert_eq!(rows[0]["to_do"], "ferry account enable");
    done(&account(&simulator, &["enable", "Countess"]).output().unwrap());
    refused(&account(&simulator, &["priority", "Countess", "5000"]).output().unwrap(), "priority");
    refused(&account(&simulator, &["check", "Cleo"]).output().unwrap(), "ferry account list");
    let text = done(&account(&simulator, &["check"]).output().unwrap());
    assert!(text.contains("Countess: its session is good"), "{text}");

    let text = done(&account(&simulator, &["remove", "Countess", "--yes"]).output().unwrap());
    assert!(text.contains("signed out at Telegram, and erased here"), "{text}");
    assert!(listed(&simulator).is_empty());
    let audit = simulator.ask("GET", "/audit", "").to_string();
    assert!(audit.contains("auth.logOut"), "{audit}");
    refused(&fed(account(&simulator, &["import"]), &format!("{string}\n")), "does not know this session any more");
}

#[test]
fn a_table_of_the_original_is_imported_row_by_row_and_again_without_harm() {
    let simulator = Simulator::start(&["--messages", "5", "--accounts", "2", "--flood", "none"]);
    let (ada, ben) = (minted(&simulator, ADA), minted(&simulator, ADA + 1));
    let csv = format!(
        "id,name,api_id,api_hash,session_string,is_active,priority,total_forwarded,total_floods\n\
         1,\"Ada, first\",,,{ada},true,10,1200,3\n2,Cut,,,{},true,1,0,0\n3,Ben,4711,other,{ben},false,5,7,0\n\
         4,Again,,,{ada},true,1,0,0\n",
        &ben[..100]
    );
    std::fs::write(simulator.file("sessions.csv"), csv).unwrap();
    let import = || account(&simulator, &["import", "--csv", "sessions.csv"]).output().unwrap();
    let first = import();
    let text = said(&first);
    assert_eq!(first.status.code(), Some(1), "{text}");
    for words in [
        "line 2: Ada, first is in the pool",
        "line 3: not imported: the Telethon session string is cut off",
        "line 4: Ben is in the pool",
        "line 5: it is in the pool already, as Ada, first",
        "2 of 4 accounts came into the pool",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let rows = listed(&simulator);
    let seen: Vec<_> =
        rows.iter().map(|row| (row["label"].as_str().unwrap(), row["forwarded"].as_u64().unwrap())).collect();
    assert_eq!(seen, [("Ada, first", 1200), ("Ben", 7)]);
    assert_eq!((&rows[0]["floods"], &rows[1]["enabled"]), (&Value::from(3), &Value::from(false)));
    let calls = simulator.ask("GET", "/audit", "").as_array().unwrap().len();
    let text = said(&import());
    assert!(text.contains("0 of 4 accounts came into the pool"), "{text}");
    assert_eq!(simulator.ask("GET", "/audit", "").as_array().unwrap().len(), calls, "nobody connected once more");
    let text = done(&account(&simulator, &["check"]).output().unwrap());
    assert_eq!(text.matches("is good").count(), 2, "{text}");
}

#[test]
fn a_session_is_handed_to_another_installation_sealed() {
    let simulator = Simulator::start(&["--messages", "5", "--accounts", "2", "--flood", "none"]);
    let config = std::fs::read_to_string(simulator.file("ferry.toml")).unwrap();
    std::fs::write(simulator.file("other.toml"), config.replace("ferry-data", "other")).unwrap();
    let there = |arguments: &[&str]| command(simulator.dir.path(), &[arguments, &["--config", "other.toml"]].concat());
    let shown = done(&there(&["keys", "show"]).output().unwrap());
    let key = shown.lines().next().unwrap();
    let string = minted(&simulator, ADA);
    done(&fed(account(&simulator, &["import", "--label", "Ada"]), &string));
    refused(&account(&simulator, &["export", "Ada", "--to", "x"]).output().unwrap(), "ferry keys show");
    let exported = done(&account(&simulator, &["export", "Ada", "--to", key]).output().unwrap());
    let line = exported.lines().next().unwrap();
    done(&account(&simulator, &["remove", "Ada", "--stay-signed-in", "--yes"]).output().unwrap());
    refused(&fed(account(&simulator, &["import"]), line), "sealed for key");
    refused(&fed(there(&["account", "import"]), &line[..line.len() - 40]), "damaged");
    let text = done(&fed(there(&["account", "import", "--label", "Ada"]), line));
    assert!(text.contains("Ada is in the pool"), "{text}");
    assert!(done(&there(&["account", "check"]).output().unwrap()).contains("is good"));
}

#[test]
fn keys_change_while_a_transfer_goes_on_and_nothing_is_lost() {
    let simulator = Simulator::start(&["--messages", "900", "--accounts", "3", "--flood", "150:3"]);
    let expected = simulator.forwardable();
    let beside = |arguments: &[&str]| command(simulator.dir.path(), arguments).output().unwrap();
    let mut running = Running::start(simulator.transfer(&ROUTE));
    running.hear("/s");
    for _ in 0..2 {
        let text = done(&beside(&["keys", "rotate"]));
        assert!(text.contains("3 secrets were sealed anew") && text.contains("stays for now"), "{text}");
    }
    assert!(running.child.try_wait().unwrap().is_none(), "the transfer was over before the keys were changed");
    assert_eq!(done(&beside(&["account", "list"])).matches("forwarded").count(), 3);
    refused(&beside(&[&["transfer"][..], &ROUTE[..]].concat()), "another ferry works on");
    let (status, text) = running.end();
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(simulator.copied(), expected, "each message once, in order");
    let text = done(&beside(&["account", "check"]));
    assert_eq!(text.matches("is good").count(), 3, "{text}");
    let ring = simulator.file("ferry-data/keys/ring.json");
    let aside = simulator.file("aside.json");
    std::fs::rename(&ring, &aside).unwrap();
    refused(&beside(&["account", "check"]), "key ring");
    refused(&beside(&[&["transfer"][..], &ROUTE[..]].concat()), "key ring");
    std::fs::rename(&aside, &ring).unwrap();
    done(&beside(&["account", "check"]));
}

/// Fault 11: a mode that transfers did not reach.
#[test]
fn the_account_of_the_environment_carries_and_the_pool_makes_no_call() {
    let simulator = Simulator::start(&["--messages", "60", "--accounts", "3", "--flood", "none"]);
    let expected = simulator.forwardable();
    let string = minted(&simulator, ADA);
    let mut transfer = simulator.transfer(&ROUTE);
    transfer.env("USERBOT_SESSION", &string).env("USERBOT_API_ID", "4711").env("USERBOT_API_HASH", "theirs");
    let output = transfer.output().unwrap();
    assert!(done(&output).contains("the pool is left alone"));
    assert_eq!(simulator.copied(), expected);
    assert_eq!(callers(&simulator), [ADA].into(), "somebody of the pool made a call");
    let mut wrong = simulator.transfer(&ROUTE);
    wrong.env("FERRY_SESSION", &string[..99]);
    refused(&wrong.output().unwrap(), "FERRY_SESSION: the Telethon session string is cut off");
}

#[test]
fn panic_signs_everybody_out_and_erases_them_once_somebody_said_yes() {
    let simulator = Simulator::start(&["--messages", "5", "--accounts", "3", "--flood", "none"]);
    let panic = || command(simulator.dir.path(), &["panic"]);
    refused(&fed(panic(), "n\n"), "nothing was done");
    assert!(callers(&simulator).is_empty());
    let text = done(&fed(panic(), "yes\n"));
    assert_eq!(text.matches("is signed out and erased").count(), 3, "{text}");
    let audit = simulator.ask("GET", "/audit", "").to_string();
    assert_eq!(audit.matches("auth.logOut").count(), 3, "{audit}");
    assert!(done(&command(simulator.dir.path(), &["account", "list"]).output().unwrap()).contains("The pool is empty"));
}

#[test]
fn nobody_else_may_read_what_the_program_writes() {
    let simulator = Simulator::start(&["--messages", "5", "--accounts", "1", "--flood", "none"]);
    listed(&simulator);
    let (mut places, mut looked_at) = (vec![simulator.file("mine")], Vec::new());
    while let Some(place) = places.pop() {
        let metadata = std::fs::metadata(&place).unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", place.display());
        if metadata.is_dir() {
            places.extend(std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        }
        looked_at.push(place);
    }
    for name in ["table.sqlite", "queue.sqlite", "ferry.log"] {
        assert!(looked_at.iter().any(|place| place.ends_with(name)), "{name} is not among {looked_at:?}");
    }
}

#[test]
fn a_login_whose_password_nobody_knows_leaves_no_session_behind() {
    let scenario =
        r#"{"users": [{"id": 7000000001, "phone": "+10000000001", "first_name": "Ada", "password": "secret"}]}"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.json");
    std::fs::write(&file, scenario).unwrap();
    let simulator = Simulator::start(&["--scenario", file.to_str().unwrap()]);
    let mut adding = account(&simulator, &["add"]);
    adding.stdin(Stdio::piped());
    let mut adding = Running::start(adding);
    let mut stdin = adding.child.stdin.take().unwrap();
    writeln!(stdin, "+10000000001").unwrap();
    adding.hear("sent a code");
    let codes = simulator.ask("GET", "/codes?phone=%2B10000000001", "").to_string();
    let code = codes.split("\"code\":\"").nth(1).unwrap_or_else(|| panic!("{codes}"));
    writeln!(stdin, "{}\nwrong\nwrong again\nand again", code.split('"').next().unwrap()).unwrap();
    let (status, text) = adding.end();
    assert_eq!(status, Some(2), "{text}");
    let audit = simulator.ask("GET", "/audit", "").to_string();
    assert!(audit.contains("auth.logOut"), "{text}{audit}");
}
