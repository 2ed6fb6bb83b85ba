//! Fuzz targets for the texts that reach the domain from outside: queue jobs, Telegram's errors, what people type, and
//! the compact texts of the table.
//!
//! Each runs as an ordinary test for about a second, longer with `BOLERO_RANDOM_TEST_TIME_MS`. A failure prints the
//! `BOLERO_RANDOM_SEED` that repeats it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use bolero::check;
use transfer::address::PeerAddress;
use transfer::ids::{Nonce, TaskId};
use transfer::queue::{BadJob, Delivery, Job, Receipt};
use transfer::random_id::RandomIds;
use transfer::refusal::Refusal;
use transfer::sequence::IdSequence;
use transfer::verdict::{Attempt, TaskEffect, verdict};

/// What a job may be made of: pieces that stay JSON more often than bytes would.
const PIECES: &[&str] = &[
    "{",
    "}",
    "\"v\":",
    "\"task\":",
    "\"batch\":",
    "\"seq\":",
    "\"group\":",
    ",",
    "1",
    "0",
    "-1",
    "2",
    "256",
    "1e2",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "\"t1\"",
    "\"\"",
    "null",
    "[",
    "]",
    " ",
    "\\u0000",
];

fn delivery(body: String) -> Delivery {
    Delivery { id: "1".to_owned(), body, receipt: Receipt("receipt".to_owned()), attempt: 1 }
}

/// Whatever the body is: an answer, and a job that is taken survives being sent again.
fn receive(body: String) {
    match delivery(body).job() {
        Ok(job) => {
            assert_eq!(job.v, 1);
            let again = serde_json::to_string(&job).unwrap();
            assert_eq!(delivery(again).job().unwrap(), job);
            assert_eq!(job.deduplication_id(), format!("{}:{}", job.group(), job.seq));
        }
        Err(BadJob::Version { found }) => assert_ne!(found, 1),
        Err(BadJob::Json { .. }) => {}
    }
}

/// The good job with some of its bytes replaced, put in or taken out.
fn damaged(good: &str, damages: &[(u16, u8, u8)]) -> String {
    let mut bytes = good.as_bytes().to_vec();
    for (place, how, byte) in damages {
        let place = usize::from(*place) % (bytes.len() + 1);
        match how % 3 {
            0 if place < bytes.len() => bytes[place] = *byte,
            1 if place < bytes.len() => drop(bytes.drain(place..=place)),
            _ => bytes.insert(place, *byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn jobs_of_any_bytes_are_taken_or_refused() {
    check!().for_each(|bytes: &[u8]| receive(String::from_utf8_lossy(bytes).into_owned()));
}

#[test]
fn jobs_of_plausible_pieces_are_taken_or_refused() {
    check!().with_type::<Vec<u8>>().for_each(|choices| {
        receive(choices.iter().map(|choice| PIECES[usize::from(*choice) % PIECES.len()]).collect());
    });
}

#[test]
fn damaged_jobs_are_taken_or_refused() {
    let job = Job::batch(TaskId::from("task-1"), 3, 12);
    let good = serde_json::to_string(&job).unwrap();
    assert_eq!(delivery(good.clone()).job().unwrap(), job);
    check!().with_type::<Vec<(u16, u8, u8)>>().for_each(|damages| {
        // One damage or a few: more leave nothing of the job.
        receive(damaged(&good, &damages[..damages.len().min(3)]));
    });
}

#[test]
fn no_error_of_any_text_and_code_lets_a_repeat_change_the_intent() {
    check!().with_type::<(i32, Vec<u8>)>().for_each(|(code, bytes)| {
        let refusal = Refusal::parse(*code, &String::from_utf8_lossy(bytes));
        assert_eq!(verdict(&refusal, Attempt::Repeat).task, TaskEffect::KeepIntent);
        assert_eq!(verdict(&refusal, Attempt::Repeat).account, verdict(&refusal, Attempt::First).account);
    });
}

#[test]
fn texts_of_people_and_of_the_table_are_read_or_refused() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok((address, _message)) = PeerAddress::parse(&text) {
            assert_eq!(PeerAddress::parse(&address.to_string()), Ok((address, None)));
        }
        if let Ok(ids) = text.parse::<IdSequence>() {
            assert_eq!(ids.to_string().parse(), Ok(ids));
        }
        if let Ok(nonce) = text.parse::<Nonce>() {
            assert_eq!(nonce.to_string(), text.to_ascii_lowercase());
        }
        let quoted = serde_json::to_string(&text).unwrap();
        if let Ok(ids) = serde_json::from_str::<RandomIds>(&quoted) {
            let again = serde_json::to_string(&ids).unwrap();
            assert_eq!(serde_json::from_str::<RandomIds>(&again).unwrap(), ids);
        }
    });
}
