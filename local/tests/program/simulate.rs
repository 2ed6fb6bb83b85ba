//! `ferry simulate`: the table, the story, and what it refuses.

use std::fs;

use crate::ferry::{complained, run, said};

#[test]
fn seeds_are_run_and_the_table_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["simulate", "--seeds", "5..9", "--jobs", "2"]);
    assert!(output.status.success(), "{}{}", said(&output), complained(&output));
    let text = said(&output);
    for words in
        ["seeds                           4", "queue-drop", "answers to a Repeat", "violations                      0"]
    {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let calm = said(&run(dir.path(), &["simulate", "--seeds", "5..9", "--faults", "none"]));
    assert!(calm.contains("  kill                            0"), "{calm}");
    let rare = run(dir.path(), &["simulate", "--seeds", "5..6", "--rows-min", "1000000"]);
    assert_eq!(rare.status.code(), Some(1), "{}", said(&rare));
    assert!(complained(&rare).contains("settled: taken over"), "{}", complained(&rare));
}

/// Each process has hash maps, addresses and a clock of its own.
#[test]
fn two_processes_tell_the_same_story() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 20..28_u64 {
        let seeds = format!("{seed}..{}", seed + 1);
        let stories = ["one", "other"].map(|file| {
            let output = run(dir.path(), &["simulate", "--seeds", &seeds, "--trace", file]);
            assert!(output.status.success(), "{}{}", said(&output), complained(&output));
            fs::read_to_string(dir.path().join(file)).unwrap()
        });
        assert!(stories[0].lines().count() > 50, "{}", stories[0]);
        assert!(stories[0] == stories[1], "seed {seed} tells two stories");
    }
}
