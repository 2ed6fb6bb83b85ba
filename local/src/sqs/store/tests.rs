//! What takes minutes or days, and what a crash leaves: the store is told the time, so none of it is waited for.

use tempfile::TempDir;

use super::super::attributes::arn;
use super::*;

const NAME: &str = "q.fifo";
const DEAD: &str = "dead.fifo";
const MINUTE: i64 = 60_000;

fn open(dir: &TempDir) -> Store {
    Store::open(&dir.path().join("queue.sqlite")).unwrap()
}

fn fifo(extra: &[(&str, &str)]) -> Texts {
    let pairs = [("FifoQueue", "true")];
    pairs.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn fresh() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.create_queue(DEAD, fifo(&[]), 0).unwrap();
    let redrive = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":2}}"#, arn(DEAD));
    store.create_queue(NAME, fifo(&[("RedrivePolicy", &redrive)]), 0).unwrap();
    (dir, store)
}

fn message(group: &str, id: &str) -> NewMessage {
    NewMessage { body: format!("body of {id}"), group_id: group.to_owned(), deduplication_id: id.to_owned() }
}

fn receive(store: &mut Store, max: u32, secs: u32, now: i64) -> Vec<Received> {
    store.receive(NAME, max, Some(secs), now).unwrap().received
}

fn ids(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| message.deduplication_id.as_str()).collect()
}

#[test]
fn an_id_is_forgotten_after_five_minutes_and_not_before() {
    let (_dir, mut store) = fresh();
    let first = store.send(NAME, &message("g", "a"), 0).unwrap();
    assert_eq!(store.send(NAME, &message("g", "a"), 5 * MINUTE - 1).unwrap(), first);
    assert_eq!(store.counts(NAME, 5 * MINUTE).unwrap(), Counts { visible: 1, in_flight: 0 });
    assert_ne!(store.send(NAME, &message("g", "a"), 5 * MINUTE).unwrap(), first);
    // Each queue remembers for itself.
    assert_ne!(store.send(DEAD, &message("g", "a"), 0).unwrap(), first);
}

#[test]
fn a_receive_brings_several_of_a_group_and_then_none() {
    let (_dir, mut store) = fresh();
    for (group, id) in [("g", "g1"), ("g", "g2"), ("h", "h1"), ("g", "g3")] {
        store.send(NAME, &message(group, id), 0).unwrap();
    }
    assert_eq!(ids(&receive(&mut store, 2, 30, 1)), ["g1", "g2"]);
    assert_eq!(ids(&receive(&mut store, 10, 60, 1)), ["h1"]);
    assert!(receive(&mut store, 10, 30, 1).is_empty());
    assert_eq!(store.next_visible_at(NAME, 1).unwrap(), Some(30_001));
    assert_eq!(ids(&receive(&mut store, 10, 30, 30_001)), ["g1", "g2", "g3"]);
}

#[test]
fn a_receipt_is_good_while_its_visibility_lasts() {
    let (_dir, mut store) = fresh();
    store.send(NAME, &message("g", "a"), 0).unwrap();
    let receipt = receive(&mut store, 1, 30, 0).remove(0).receipt;
    store.change_visibility(NAME, &receipt, 60, 29_999).unwrap();
    let late = store.delete(NAME, &receipt, 89_999);
    assert!(matches!(late, Err(StoreError::ReceiptExpired)), "{late:?}");
    assert!(matches!(store.change_visibility(NAME, &receipt, 1, 89_999), Err(StoreError::ReceiptExpired)));
    assert!(matches!(store.delete(NAME, "rubbish", 0), Err(StoreError::NoReceipt)));
    let again = receive(&mut store, 1, 30, 89_999).remove(0);
    assert_eq!((again.receives, again.first_received_at), (2, 0));
    // A receipt of one queue says nothing in another.
    store.delete(DEAD, &again.receipt, 90_000).unwrap();
    store.delete(NAME, &again.receipt, 90_000).unwrap();
    store.delete(NAME, &again.receipt, 90_000).unwrap();
    assert_eq!(store.counts(NAME, 90_000).unwrap(), Counts { visible: 0, in_flight: 0 });
}

#[test]
fn dead_letters_keep_body_and_group_and_count_anew() {
    let (_dir, mut store) = fresh();
    store.send(NAME, &message("g", "poison"), 0).unwrap();
    store.send(NAME, &message("g", "next"), 0).unwrap();
    for round in 0..2 {
        assert_eq!(ids(&receive(&mut store, 1, 0, round)), ["poison"]);
    }
    let reception = store.receive(NAME, 10, Some(30), 2).unwrap();
    assert_eq!((ids(&reception.received), reception.buried), (vec!["next"], 1));
    let dead = store.receive(DEAD, 10, Some(30), 2).unwrap().received;
    assert_eq!(ids(&dead), ["poison"]);
    assert_eq!((dead[0].body.as_str(), dead[0].group_id.as_str(), dead[0].receives), ("body of poison", "g", 1));
}

#[test]
fn poison_stays_where_there_is_no_place_for_it() {
    let (_dir, mut store) = fresh();
    store.send(NAME, &message("g", "poison"), 0).unwrap();
    store.delete_queue(DEAD).unwrap();
    for round in 1..=4 {
        assert_eq!(receive(&mut store, 1, 0, i64::from(round))[0].receives, round);
    }
}

#[test]
fn old_messages_go() {
    let (_dir, mut store) = fresh();
    store.set_attributes(NAME, fifo(&[("MessageRetentionPeriod", "60")]), 0).unwrap();
    store.send(NAME, &message("g", "old"), 0).unwrap();
    store.send(DEAD, &message("g", "kept"), 0).unwrap();
    store.send(NAME, &message("g", "new"), MINUTE + 1).unwrap();
    assert_eq!(ids(&receive(&mut store, 10, 30, MINUTE + 1)), ["new"]);
    assert_eq!(store.counts(DEAD, MINUTE).unwrap().visible, 1);
}

#[test]
fn a_queue_is_made_once_and_keeps_its_attributes() {
    let (_dir, mut store) = fresh();
    store.create_queue(DEAD, fifo(&[("VisibilityTimeout", "30")]), 1).unwrap();
    let other = store.create_queue(DEAD, fifo(&[("VisibilityTimeout", "31")]), 1);
    assert!(matches!(&other, Err(StoreError::NameTaken(name)) if name == "VisibilityTimeout"), "{other:?}");
    assert!(matches!(store.send("none.fifo", &message("g", "a"), 0), Err(StoreError::NoQueue)));
    assert!(matches!(store.receive("none.fifo", 1, None, 0), Err(StoreError::NoQueue)));
    assert!(matches!(store.purge("none.fifo"), Err(StoreError::NoQueue)));
    assert_eq!(store.queue_names("q").unwrap(), [NAME]);
    store.delete_queue(DEAD).unwrap();
    assert!(matches!(store.queue(DEAD), Err(StoreError::NoQueue)));
}

#[test]
fn everything_is_there_when_the_file_is_opened_again() {
    let (dir, mut store) = fresh();
    store.send(NAME, &message("g", "a"), 0).unwrap();
    store.send(NAME, &message("g", "b"), 0).unwrap();
    let receipt = receive(&mut store, 1, 30, 0).remove(0).receipt;
    // Neither closed nor checkpointed: the next opening finds the file and its log as a dead process leaves them.
    std::mem::forget(store);
    let mut store = open(&dir);
    assert_eq!(store.counts(NAME, 1).unwrap(), Counts { visible: 1, in_flight: 1 });
    assert!(receive(&mut store, 1, 30, 1).is_empty());
    store.delete(NAME, &receipt, 1).unwrap();
    assert_eq!(ids(&receive(&mut store, 1, 30, 1)), ["b"]);
}

#[test]
fn a_doubled_message_comes_again_after_a_moment_and_goes_with_its_second_deletion() {
    let (_dir, mut store) = fresh();
    let doubling = Doubling::within(1_000);
    store.set_doubling(Some(doubling.clone()));
    store.send(NAME, &message("g", "a"), 0).unwrap();
    let first = receive(&mut store, 1, 120, 0).remove(0);
    assert!(receive(&mut store, 1, 120, 0).is_empty(), "not at once");
    store.delete(NAME, &first.receipt, 0).unwrap();
    let second = receive(&mut store, 1, 120, 1_000).remove(0);
    assert_eq!((second.deduplication_id.as_str(), second.receives, doubling.count()), ("a", 2, 1));
    store.delete(NAME, &second.receipt, 1_000).unwrap();
    assert!(receive(&mut store, 1, 120, 2_000).is_empty());
    // One that is worked on for longer comes again meanwhile.
    store.send(NAME, &message("g", "b"), 2_000).unwrap();
    receive(&mut store, 1, 120, 2_000);
    assert_eq!(ids(&receive(&mut store, 1, 120, 3_000)), ["b"]);
    assert_eq!(doubling.count(), 2);
}
