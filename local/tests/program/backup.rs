//! `ferry backup`, `ferry restore` and `ferry verify`: real processes, killed and hindered.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use ferry::backup::file::{Backup, Header, Writing};
use rustix::process::Signal;
use transfer::contract::kinds;
use transfer::ids::TaskId;
use transfer::table::Item;
use transfer::table::dynamo::StoredItem;

use crate::beside::{serve, stopped, telegram};
use crate::ferry::{Running, Simulator, command, until};

const ROUTE: [&str; 4] = ["--from", "@source", "--to", "@target"];

/// `ferry transfer` that stops after so many messages, or ends.
fn carried(simulator: &Simulator, more: &[&str]) -> (Option<i32>, String) {
    Running::start(simulator.transfer(&[&ROUTE[..], more].concat())).end()
}

/// What stands in the table, without what differs from one backup to the next.
fn table(simulator: &Simulator, name: &str) -> Vec<String> {
    simulator.done(&["backup", name], "");
    let backup = Backup::read(&simulator.file(name)).unwrap();
    std::fs::remove_file(simulator.file(name)).unwrap();
    let mut lines: Vec<String> = backup.items.iter().map(|item| item.to_line().unwrap()).collect();
    lines.sort();
    lines
}

#[test]
fn a_task_that_went_on_after_the_backup_delivers_nothing_twice_once_it_is_restored() {
    let simulator = Simulator::start(&["--messages", "120", "--accounts", "2", "--flood", "none"]);
    let expected = simulator.forwardable();
    assert_eq!(carried(&simulator, &["--batch-limit", "30"]).0, Some(0));
    simulator.done(&["backup", "b.jsonl"], "");
    assert_eq!(carried(&simulator, &["--batch-limit", "30"]).0, Some(0));
    let delivered = simulator.copied();
    assert!(delivered.len() > 30 && delivered.len() < expected.len(), "{}", delivered.len());

    let (status, text) = simulator.ended(&["restore", "b.jsonl"], "n\n");
    assert!(status == Some(2) && text.contains("1 are parked") && text.contains("nothing was done"), "{text}");
    for _twice in 0..2 {
        let text = simulator.done(&["restore", "b.jsonl", "--yes"], "");
        assert!(text.contains("is as it was"), "{text}");
    }
    let (status, text) = carried(&simulator, &[]);
    assert_ne!(status, Some(0), "{text}");
    assert!(text.contains("restored from a backup of") && text.contains("begin a new transfer"), "{text}");
    assert_eq!(simulator.copied(), delivered, "nothing more before the admin has looked");

    // As the reason says: after the last message of it in the target.
    let next = (delivered.iter().max().unwrap() + 1).to_string();
    let (status, text) = carried(&simulator, &["--from-id", &next]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(simulator.copied(), expected, "each message once, in order");
}

#[test]
fn a_task_that_did_nothing_after_the_backup_goes_on_by_itself() {
    let simulator = Simulator::start(&["--messages", "90", "--accounts", "2", "--flood", "none"]);
    let expected = simulator.forwardable();
    assert_eq!(carried(&simulator, &["--batch-limit", "30"]).0, Some(0));
    simulator.done(&["backup", "b.jsonl"], "");
    let before = table(&simulator, "before.jsonl");
    let text = simulator.done(&["restore", "b.jsonl", "--yes"], "");
    assert!(text.contains("1 did nothing since"), "{text}");
    let tasks = |lines: &[String]| lines.iter().filter(|line| line.contains("#TASK#")).cloned().collect::<Vec<_>>();
    assert_eq!(tasks(&table(&simulator, "after.jsonl")), tasks(&before));
    // It pauses after each batch of 30, as it was told to; asked for once more at its end, it would be another transfer.
    for _batch in 0..3 {
        if simulator.copied().len() < expected.len() {
            let (status, text) = carried(&simulator, &[]);
            assert_eq!(status, Some(0), "{text}");
        }
    }
    assert_eq!(simulator.copied(), expected, "each message once, in order");
}

/// The command on the table that the running engines hold, by the way that leads to AWS.
fn elsewhere(simulator: &Simulator, arguments: &[&str]) -> (Option<i32>, String) {
    let addresses = std::fs::read_to_string(simulator.file("ferry-data/engines.json")).unwrap();
    let addresses: serde_json::Value = serde_json::from_str(&addresses).unwrap();
    let mut command = command(simulator.dir.path(), &[arguments, &["--table", "ferry"]].concat());
    command.env("AWS_ENDPOINT_URL_DYNAMODB", addresses["dynamodb"].as_str().unwrap());
    command.env("AWS_ACCESS_KEY_ID", "ferry").env("AWS_SECRET_ACCESS_KEY", "ferry").env("AWS_REGION", "us-east-1");
    Running::start(command).end()
}

#[test]
fn a_served_installation_is_verified_and_backed_up_and_not_restored() {
    let simulator = telegram();
    let mut serving = Running::start(serve(&simulator));
    serving.hear("is served");
    let text = simulator.done(&["verify"], "");
    for part in ["configuration", "data directory", "table", "schema", "key ring", "queue", "dead letters", "accounts"]
    {
        assert!(text.lines().any(|line| line.starts_with(part) && line.contains(" ok ")), "{part}: {text}");
    }
    assert!(text.contains("local lives, version") && text.contains("@ferry_bot"), "{text}");
    let text = simulator.done(&["backup", "b.jsonl"], "");
    assert!(text.contains("ring.json"), "{text}");
    let file = simulator.file("b.jsonl");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (status, text) = simulator.ended(&["backup", "b.jsonl"], "");
    assert!(status == Some(2) && text.contains("is there already"), "{text}");

    // A file that may not grow stands for a disk that is full; the log may not grow either.
    let full = Command::new("sh")
        .current_dir(simulator.dir.path())
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" backup full.jsonl --log-file /dev/null"])
        .arg(env!("CARGO_BIN_EXE_ferry"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&full.stderr).into_owned();
    assert!(full.status.code() == Some(1) && words.contains("nothing of it was kept"), "{words}");
    let left = |dir: &Path| {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("full") || name.contains("partial")).collect::<Vec<_>>()
    };
    assert_eq!(left(simulator.dir.path()), Vec::<String>::new());

    let (status, text) = simulator.ended(&["restore", "b.jsonl", "--yes"], "");
    assert!(status == Some(2) && text.contains("stop it, then restore"), "{text}");
    // The same table as any other DynamoDB table: there is no lock, but its host moves.
    let (status, text) = elsewhere(&simulator, &["backup", "elsewhere.jsonl"]);
    assert_eq!(status, Some(0), "{text}");
    let (status, text) = elsewhere(&simulator, &["restore", "elsewhere.jsonl", "--yes"]);
    assert!(status == Some(2) && text.contains("host local works on this table"), "{text}");
    stopped(serving);
    simulator.done(&["restore", "b.jsonl", "--yes"], "");
    let text = simulator.done(&["verify"], "");
    assert!(text.contains("no ferry runs here now"), "{text}");

    let ring = simulator.file("ferry-data/keys/ring.json");
    std::fs::set_permissions(&ring, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (status, text) = simulator.ended(&["verify"], "");
    assert!(status == Some(1) && text.contains("FAILED") && text.contains("chmod 600"), "{text}");
}

#[test]
fn a_broken_file_changes_nothing() {
    let simulator = Simulator::start(&["--messages", "40", "--accounts", "1", "--flood", "none"]);
    assert_eq!(carried(&simulator, &["--batch-limit", "10"]).0, Some(0));
    simulator.done(&["backup", "b.jsonl"], "");
    assert_eq!(carried(&simulator, &["--batch-limit", "10"]).0, Some(0));
    let before = table(&simulator, "before.jsonl");
    let whole = std::fs::read(simulator.file("b.jsonl")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let newer = String::from_utf8(whole.clone()).unwrap().replacen("\"schema\":2", "\"schema\":3", 1).into_bytes();
    for (name, bytes, words) in [
        ("none.jsonl", None, "cannot read"),
        ("empty.jsonl", Some(Vec::new()), "is no backup"),
        ("cut.jsonl", Some(whole[..whole.len() - 9].to_vec()), "is cut off"),
        ("half.jsonl", Some(whole[..whole.len() / 2].to_vec()), ""),
        ("flipped.jsonl", Some(flipped), "damaged"),
        ("newer.jsonl", Some(newer), "newer version"),
    ] {
        if let Some(bytes) = bytes {
            std::fs::write(simulator.file(name), bytes).unwrap();
        }
        let (status, text) = simulator.ended(&["restore", name, "--yes"], "");
        assert!(status == Some(2) && text.contains(words), "{name}: {text}");
        assert_eq!(text.lines().count(), 1, "{name}: {text}");
    }
    assert_eq!(table(&simulator, "after.jsonl"), before);
}

/// So many take a while to be put back.
const CHUNKS: u64 = 20_000;

/// A backup that takes a while to be put back.
fn large(simulator: &Simulator, name: &str) {
    let mut writing =
        Writing::begin(&simulator.file(name), &Header::new("ferry", "r", jiff::Timestamp::UNIX_EPOCH)).unwrap();
    let kinds = kinds::every_kind();
    let chunk = kinds.iter().find(|item| matches!(item, Item::Chunk(_))).unwrap();
    let task = kinds.iter().find(|item| matches!(item, Item::Task(task) if task.state.is_over())).unwrap();
    let (Item::Chunk(chunk), Item::Task(task)) = (chunk, task) else { panic!("no such samples") };
    let mut task = task.clone();
    task.checkpoint.chunks = CHUNKS;
    writing.add(&StoredItem::of_bot(0, &Item::Task(task.clone()), 1).unwrap()).unwrap();
    for number in 1..=CHUNKS {
        let mut chunk = chunk.clone();
        chunk.task = TaskId(task.id.to_string());
        chunk.number = number;
        writing.add(&StoredItem::of_bot(0, &Item::Chunk(chunk), 1).unwrap()).unwrap();
    }
    writing.end().unwrap();
}

#[test]
fn a_restore_that_was_killed_is_finished_by_the_next_and_nobody_works_meanwhile() {
    let simulator = Simulator::start(&["--messages", "30", "--accounts", "1", "--flood", "none"]);
    simulator.done(&["account", "list"], "");
    large(&simulator, "large.jsonl");
    let mut restoring = Running::start(command(simulator.dir.path(), &["restore", "large.jsonl", "--yes"]));
    // From then on it holds the directory: a command that came before it would have it refuse to begin.
    restoring.hear("The backup has");
    until("the mark of the restore", || simulator.ended(&["account", "list"], "").1.contains("did not end"));
    restoring.signal(Signal::KILL);
    let (status, text) = restoring.end();
    assert_eq!(status, None, "it was over before it was killed: {text}");
    for command in [&["account", "list"][..], &["transfer", "--from", "@source", "--to", "@target"][..]] {
        let (status, text) = simulator.ended(command, "");
        assert!(status == Some(2) && text.contains("run it once more"), "{text}");
    }
    simulator.done(&["restore", "large.jsonl", "--yes"], "");
    let chunks = table(&simulator, "after.jsonl").iter().filter(|line| line.contains("CHUNK#")).count();
    assert_eq!(chunks, usize::try_from(CHUNKS).unwrap());
    assert_eq!(carried(&simulator, &[]).0, Some(0));
}
