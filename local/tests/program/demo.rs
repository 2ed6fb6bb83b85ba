//! The demonstration, small.

use crate::ferry::{complained, run, said};

fn report(dir: &std::path::Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(dir.join("r.json")).unwrap()).unwrap()
}

const ZEROS: [&str; 5] = ["missing", "duplicated", "out_of_order", "albums_split", "calls_during_wait"];

#[test]
fn a_small_demonstration_carries_everything_and_says_what_to_try_next() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--messages", "900", "--flood", "200:1", "--batch-limit", "500", "--report", "r.json"];
    let output = run(dir.path(), &[&arguments[..], &["--data", "data"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", said(&output), complained(&output));
    let report = report(dir.path());
    for zero in ZEROS {
        assert_eq!(report[zero], 0, "{zero} in {report}");
    }
    assert!(report["floods"].as_u64().unwrap() >= 3 && report["changes"].as_u64().unwrap() >= 2, "{report}");
    let said = said(&output);
    assert!(said.contains("resuming after the batch") && said.contains("Next, "), "{said}");
    let again = run(dir.path(), &["demo", "--messages", "10", "--data", "data"]);
    assert_eq!(again.status.code(), Some(2), "the directory is not empty");
}

#[test]
fn a_host_that_is_killed_again_and_again_keeps_the_promise() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--messages", "2500", "--accounts", "4", "--flood", "400:1", "--kill-every", "100"];
    let output = run(dir.path(), &[&arguments[..], &["--report", "r.json", "--data", "data"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", said(&output), complained(&output));
    let report = report(dir.path());
    for zero in ZEROS {
        assert_eq!(report[zero], 0, "{zero} in {report}");
    }
    assert!(report["kills"].as_u64().unwrap() >= 2, "{report}");
}
