//! `ferry account add`: by QR code and by phone number, at another data centre, with two-step password, and once more after
//! the session was ended.

use std::io::Write;
use std::process::Stdio;

use rqrr::PreparedImage;
use serde_json::{Value, json};

use crate::ferry::{Running, Simulator, command};

const ADA: i64 = 7_000_000_001;
const BEN: i64 = 7_000_000_002;
const PASSWORD: &str = "correct horse";
/// Pixels of a module on the screen.
const MODULE_PX: usize = 6;

/// A Telegram with Ada, who lives at another data centre and has a password, and Ben, who does not; and an empty pool.
fn telegram() -> Simulator {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.json");
    std::fs::write(&file, "{}").unwrap();
    let simulator = Simulator::start(&["--scenario", file.to_str().unwrap()]);
    let users = format!(
        r#"{{"users": [
            {{"id": {ADA}, "phone": "+10000000001", "first_name": "Ada", "home_dc": 4, "password": "{PASSWORD}",
              "password_hint": "a horse"}},
            {{"id": {BEN}, "phone": "+10000000002", "first_name": "Ben"}}]}}"#
    );
    simulator.ask("POST", "/scenario", &users);
    simulator
}

/// `ferry account add`, to be spoken with.
fn adding(simulator: &Simulator, arguments: &[&str]) -> (Running, std::process::ChildStdin) {
    let mut command = command(simulator.dir.path(), &[&["account", "add"], arguments].concat());
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let stdin = running.child.stdin.take().unwrap();
    (running, stdin)
}

/// Logs in with the newest code that was sent to the phone, and with what follows.
fn by_phone(simulator: &Simulator, arguments: &[&str], phone: &str, follows: &str) -> (Option<i32>, String) {
    let (mut adding, mut stdin) = adding(simulator, arguments);
    writeln!(stdin, "+{phone}").unwrap();
    adding.hear("sent a code");
    let codes = simulator.ask("GET", &format!("/codes?phone={phone}"), "");
    let code = codes.as_array().unwrap().last().unwrap()["code"].as_str().unwrap();
    write!(stdin, "{code}\n{follows}").unwrap();
    drop(stdin);
    adding.end()
}

/// Reads the QR code that comes next off the screen: light letters on a dark ground, two modules in each.
fn scanned(adding: &mut Running) -> String {
    adding.hear("█");
    let width = adding.heard.last().unwrap().trim_end_matches('\n').chars().count();
    for _below in 1..width.div_ceil(2) {
        adding.hear("");
    }
    let lines: Vec<Vec<char>> = adding.heard[adding.heard.len() - width.div_ceil(2)..]
        .iter()
        .map(|line| line.trim_end_matches('\n').chars().collect())
        .collect();
    assert!(lines.iter().all(|line| line.len() == width), "{lines:?}");
    let light = |x: usize, y: usize| match (lines[y / 2][x], y % 2) {
        ('█', _) | ('▀', 0) | ('▄', 1) => u8::MAX,
        (' ' | '▀' | '▄', _) => 0,
        (other, _) => panic!("{other:?} is no half block"),
    };
    let side = width * MODULE_PX;
    let mut image = PreparedImage::prepare_from_greyscale(side, side, |x, y| light(x / MODULE_PX, y / MODULE_PX));
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "the terminal shows {} QR codes", grids.len());
    grids[0].decode().unwrap().1
}

#[test]
fn the_terminals_qr_code_lets_in_an_account_of_another_data_centre_that_has_a_password() {
    let simulator = telegram();
    let (mut adding, mut stdin) = adding(&simulator, &["--qr", "--label", "Scanned", "--priority", "7"]);
    let url = scanned(&mut adding);
    assert!(url.starts_with("tg://login?token="), "{url}");
    simulator.ask("POST", "/qr/accept", &format!(r#"{{"user": {ADA}, "token": "{url}"}}"#));
    write!(stdin, "wrong\n{PASSWORD}\n").unwrap();
    let (status, text) = adding.end();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Scanned is in the pool") && text.contains("a horse"), "{text}");
    assert!(!text.contains(PASSWORD) && !text.contains(&url), "{text}");
    let pool = simulator.pool();
    assert_eq!((pool.len(), &pool[0]["label"], &pool[0]["priority"]), (1, &Value::from("Scanned"), &Value::from(7)));
    assert_eq!((&pool[0]["id"], simulator.sessions(ADA)), (&Value::from(ADA.to_string()), 1));
    assert!(simulator.done(&["account", "check"], "").contains("Scanned: its session is good"));
}

#[test]
fn phone_and_code_let_in_an_account_of_another_data_centre_that_has_a_password() {
    let simulator = telegram();
    let (status, text) = by_phone(&simulator, &[], "10000000001", &format!("wrong\n{PASSWORD}\n"));
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Ada is in the pool") && !text.contains(PASSWORD), "{text}");
    assert_eq!(simulator.sessions(ADA), 1);
    assert!(simulator.done(&["account", "check"], "").contains("Ada: its session is good"));
    // It works, so another session of it is turned away and ended at once.
    let (status, text) = by_phone(&simulator, &[], "10000000001", &format!("{PASSWORD}\n"));
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("in the pool already, as Ada"), "{text}");
    assert_eq!(simulator.sessions(ADA), 1);
}

#[test]
fn an_account_that_was_signed_out_logs_in_again_and_stays_who_it_was() {
    let simulator = telegram();
    let csv = format!(
        "id,name,api_id,api_hash,session_string,is_active,priority,total_forwarded,total_floods\n\
         1,Countess,,,{},true,10,1200,3\n",
        simulator.minted(ADA)
    );
    std::fs::write(simulator.file("sessions.csv"), csv).unwrap();
    simulator.done(&["account", "import", "--csv", "sessions.csv"], "");
    let known = |row: &Value| ["id", "label", "priority", "forwarded", "floods"].map(|of| row[of].clone());
    let before = known(&simulator.pool()[0]);
    assert_eq!(json!(before[1..]), json!(["Countess", 10, 1200, 3]));

    simulator.ask("POST", &format!("/accounts/{ADA}/sign-out"), "");
    let (status, text) = simulator.ended(&["account", "check"], "");
    assert_eq!(status, Some(1), "{text}");
    let row = simulator.pool().remove(0);
    assert_eq!((&row["state"], &row["to_do"]), (&Value::from("signed out"), &Value::from("ferry account add --again")));

    let (status, text) = by_phone(&simulator, &["--again", "Countess"], "10000000002", "");
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("Countess was to log in again, but Ben did"), "{text}");
    assert_eq!((simulator.sessions(BEN), simulator.pool().len()), (0, 1));

    let again = ["--again", "Countess", "--label", "Another", "--priority", "1"];
    let (status, text) = by_phone(&simulator, &again, "10000000001", &format!("{PASSWORD}\n"));
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Countess is back in the pool"), "{text}");
    let row = simulator.pool().remove(0);
    assert_eq!((known(&row), &row["state"]), (before, &Value::from("ready")));
    assert!(simulator.done(&["account", "check"], "").contains("Countess: its session is good"));
}
