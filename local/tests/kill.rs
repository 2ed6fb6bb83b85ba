//! Kill -9 loses nothing that table or queue had answered, and tears nothing.
//!
//! The test starts itself again as another process, which writes and says what was answered, and kills it there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ferry::engines::Engines;
use transfer::contract::samples;
use transfer::ids::PeerId;
use transfer::queue::{Job, Queue};
use transfer::table::{Guard, Item, Key, Table, Write};

const DIR: &str = "FERRY_TEST_DIR";
const FIRST: &str = "FERRY_TEST_FIRST";
/// Writes of the two halves of one commit are this far apart.
const HALF: i64 = 1_000_000;
const ROUNDS: u64 = 3;
/// Answers to see before the kill.
const ANSWERS: u64 = 60;

/// Writes, and says what was answered, until it is killed.
async fn victim(dir: &Path, first: u64) {
    let engines = Engines::start(dir).await.unwrap();
    let (table, queue) = (engines.table(1), engines.queue());
    let mut out = std::io::stdout();
    // Far more than it lives to see.
    for seq in first..first + 100_000 {
        queue.send(&Job::batch("t1".into(), 1, seq)).await.unwrap();
        let target = i64::try_from(seq).unwrap();
        let halves = [target, target + HALF]
            .map(|target| Write::Put { item: Item::TargetLock(samples::lock(target, "t1")), guard: Guard::Absent });
        table.commit(halves.into()).await.unwrap();
        writeln!(out, "\nanswered {seq}").unwrap();
    }
}

#[tokio::test]
async fn kill_nine_loses_nothing_that_was_answered() {
    if let (Some(dir), Some(first)) = (std::env::var_os(DIR), std::env::var_os(FIRST)) {
        return victim(Path::new(&dir), first.to_str().unwrap().parse().unwrap()).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut next = 1;
    for _round in 0..ROUNDS {
        let answered = answered_before_kill(dir.path(), next);
        let engines = Engines::start(dir.path()).await.unwrap();
        let table = engines.table(1);
        let there = async |target: u64| {
            let key = |target| Key::target(PeerId::channel(target));
            let target = i64::try_from(target).unwrap();
            let halves = [table.get(&key(target)).await.unwrap(), table.get(&key(target + HALF)).await.unwrap()];
            assert_eq!(halves[0].is_some(), halves[1].is_some(), "the commit of {target} is torn");
            halves[0].is_some()
        };
        for seq in next..=answered {
            assert!(there(seq).await, "{seq} was answered and is gone");
        }
        // Whatever was under way may have happened or not.
        there(answered + 1).await;

        let sent = drained(&engines).await;
        let expected: Vec<u64> = (next..=sent.last().copied().unwrap()).collect();
        assert_eq!(sent, expected, "each job once, in order");
        assert!(sent.last() >= Some(&answered), "{answered} was answered and is gone");
        next = sent.last().unwrap() + 1;
        engines.stop().await;
    }
}

/// The last write that was answered before the victim died.
fn answered_before_kill(dir: &Path, first: u64) -> u64 {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["kill_nine_loses_nothing_that_was_answered", "--exact", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = 0;
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    while answered < first + ANSWERS {
        let line = lines.next().expect("the victim lives until it is killed").unwrap();
        if let Some(seq) = line.strip_prefix("answered ") {
            answered = seq.parse().unwrap();
        }
    }
    victim.kill().unwrap();
    // What it still said before the kill arrived was answered too.
    for line in lines.map_while(Result::ok) {
        answered = line.strip_prefix("answered ").and_then(|seq| seq.parse().ok()).unwrap_or(answered);
    }
    victim.wait().unwrap();
    answered
}

async fn drained(engines: &Engines) -> Vec<u64> {
    let queue = engines.queue();
    let mut seqs = Vec::new();
    loop {
        let received = queue.receive(10, Duration::from_secs(60), Duration::ZERO).await.unwrap();
        if received.is_empty() {
            return seqs;
        }
        for delivery in received {
            seqs.push(delivery.job().unwrap().seq);
            queue.delete(&delivery.receipt).await.unwrap();
        }
    }
}
