//! What stands in the target, against what was committed.

use jiff::{SignedDuration, Timestamp};
use simulator::world;
use transfer::event::{Event, Settlement};
use transfer::ids::{AccountId, MessageId, PeerId, TaskId};
use transfer::intent::SkipReason;
use transfer::table::Item;
use transfer::table::item::{EventRecord, TargetLock};
use transfer::task::{TaskState, Wish};

use super::story::{ANN, BOB, SOURCE, Story, TARGET, message, pass};
use crate::oracle::{Invariant, lock};

#[tokio::test(start_paused = true)]
async fn an_honest_run_breaks_nothing() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.most(&ann).await;
    story.carry(&ann, &[7, 8, 9], 9, &[]).await;
    story.finish().await;
    story.assert_whole();
    assert_eq!(story.oracle.coverage().of("answers to a First", "complete"), 3);
    assert_eq!(story.oracle.coverage().chunks_of(4), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_twice() {
    let mut story = Story::begun().await;
    let (ann, bob) = (story.open(ANN), story.open(BOB));
    story.carry(&ann, &[1], 1, &[]).await;
    story.carry(&bob, &[1], 1, &[]).await;
    story.assert_broken(Invariant::ExactlyOnce);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_in_the_target_and_in_the_ledger() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.most(&ann).await;
    story.carry(&ann, &[7, 8, 9], 9, &[]).await;
    story.skip(&[7], SkipReason::Refused, 9).await;
    story.finish().await;
    story.assert_broken(Invariant::ExactlyOnce);
}

#[tokio::test(start_paused = true)]
async fn messages_that_nobody_carries() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.most(&ann).await;
    story.finish().await;
    assert_eq!(story.broken(), [Invariant::NothingLost]);
}

#[tokio::test(start_paused = true)]
async fn a_range_that_ends_too_early() {
    let mut story = Story::begun().await;
    story.task.last_id = Some(MessageId(8));
    story.commit(Vec::new()).await;
    assert_eq!(story.broken(), [Invariant::NothingLost]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_no_task_asked_for() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    let mut request = story.request(&[1]);
    request.random_ids = vec![5];
    story.forward(&ann, &request);
    story.carry(&ann, &[2], 2, &[]).await;
    story.assert_broken(Invariant::IntentFirst);
    // It is taken for the task's only because no other lies between the two chats.
    let known = story.oracle.violations().iter().any(|violation| violation.invariant == Invariant::OnlySelected);
    assert!(!known, "{:?}", story.oracle.violations());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_selected() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    let request = story.request(&[1]);
    lock(&story.world).chats.get_mut(&SOURCE).unwrap().history.push(message(10, 0));
    let mut beyond = request;
    beyond.ids = vec![world::MessageId(10)];
    story.forward(&ann, &beyond);
    story.carry(&ann, &[2], 2, &[]).await;
    story.assert_broken(Invariant::OnlySelected);
}

#[tokio::test(start_paused = true)]
async fn messages_out_of_order() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[2], 0, &[2]).await;
    story.carry(&ann, &[1], 2, &[]).await;
    assert_eq!(story.broken(), [Invariant::Order]);
}

#[tokio::test(start_paused = true)]
async fn an_album_stands_where_its_first_member_does() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1, 2], 2, &[]).await;
    story.carry(&ann, &[4], 2, &[4]).await;
    story.carry(&ann, &[3, 5], 5, &[]).await;
    story.assert_broken(Invariant::Order);
}

#[tokio::test(start_paused = true)]
async fn an_album_whose_first_member_was_deleted_may_stand_where_the_next_does() {
    for ids in [[4, 5], [5, 4]] {
        let mut story = Story::begun().await;
        let ann = story.open(ANN);
        story.carry(&ann, &[1, 2], 2, &[]).await;
        story.oracle.source_changed(SOURCE, world::MessageId(3));
        for id in ids {
            story.carry(&ann, &[id], story.task.checkpoint.cursor.0, &[id]).await;
        }
        story.assert_whole();
    }
}

#[tokio::test(start_paused = true)]
async fn an_album_in_two_calls() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1, 2, 3], 3, &[]).await;
    assert_eq!(story.broken(), [Invariant::AlbumWhole]);
    story.carry(&ann, &[4, 5], 5, &[]).await;
    assert!(story.oracle.violations().iter().any(|violation| violation.text.contains("torn")));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_goes_back() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1, 2], 2, &[]).await;
    story.task.checkpoint.cursor = MessageId(1);
    story.commit(Vec::new()).await;
    assert_eq!(story.broken(), [Invariant::CursorBack]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_runs_ahead() {
    let mut story = Story::begun().await;
    story.intend(ANN, &[1, 2]).await;
    story.decide(ANN, &[1, 2], 2, &[]).await;
    assert_eq!(story.broken(), [Invariant::CursorAhead]);
}

#[tokio::test(start_paused = true)]
async fn ids_ahead_of_the_cursor_have_to_be_proven_too() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1, 2], 2, &[4]).await;
    assert_eq!(story.broken(), [Invariant::CursorAhead]);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_in_the_run_may_be_missing_and_must_not_come_twice() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.oracle.source_changed(SOURCE, world::MessageId(2));
    story.carry(&ann, &[1], 2, &[]).await;
    story.assert_whole();
}

#[tokio::test(start_paused = true)]
async fn an_intent_withdrawn_though_it_was_carried_out() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.intend(ANN, &[1, 2]).await;
    story.forward(&ann, &story.request(&[1, 2]));
    story.task.checkpoint.intent = None;
    story.commit(Vec::new()).await;
    assert_eq!(story.broken(), [Invariant::IntentKept]);
}

#[tokio::test(start_paused = true)]
async fn a_takeover_before_its_time() {
    for (secs, broken) in [(60, vec![Invariant::Takeover]), (130, Vec::new())] {
        let mut story = Story::begun().await;
        let ann = story.open(ANN);
        story.intend(ANN, &[1, 2]).await;
        // Telegram refused it, and the reply was lost.
        lock(&story.world).chats.get_mut(&SOURCE).unwrap().noforwards = true;
        story.forward(&ann, &story.request(&[1, 2]));
        pass(secs).await;
        story.task.checkpoint.intent = None;
        let event = Event::Settled { account: AccountId(ANN.to_string()), how: Settlement::TakenOver };
        let at = story.clock.now();
        let record = EventRecord { task: story.task.id.clone(), ordinal: 1, at, event };
        story.commit(vec![Item::Event(record)]).await;
        assert_eq!(story.broken(), broken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_random_id_for_two_messages() {
    let mut story = Story::begun().await;
    let mut intent = story.intent(ANN, &[1]);
    intent.ids = [MessageId(2)].into_iter().collect();
    story.task.checkpoint.intent = Some(intent);
    story.commit(Vec::new()).await;
    assert_eq!(story.broken(), [Invariant::RandomIds]);
}

#[tokio::test(start_paused = true)]
async fn counts_that_are_wrong() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.most(&ann).await;
    story.carry(&ann, &[7, 8, 9], 9, &[]).await;
    story.task.checkpoint.counts.delivered += 1;
    story.finish().await;
    assert!(story.broken().iter().all(|broken| *broken == Invariant::Counters) && !story.broken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_that_counts_too_little() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.most(&ann).await;
    story.carry(&ann, &[7, 8, 9], 9, &[]).await;
    story.accounts[0].total.forwarded -= 1;
    story.put(vec![Item::Account(story.accounts[0].clone())]).await;
    story.finish().await;
    assert_eq!(story.broken(), [Invariant::Counters]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_twice() {
    for (budget, broken) in [(3, vec![Invariant::Budget]), (4, Vec::new())] {
        let mut story = Story::begun().await;
        let ann = story.open(ANN);
        let id = AccountId(ANN.to_string());
        story.oracle.state().account(&id).budget_known = false;
        story.profile(ANN, true, Some(budget)).await;
        story.carry(&ann, &[1, 2, 3, 5], 3, &[5]).await;
        assert_eq!(story.broken(), broken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_another_task_has() {
    let mut story = Story::begun().await;
    let other = TargetLock { target: PeerId(TARGET.0), task: TaskId::from("another") };
    story.put(vec![Item::TargetLock(other)]).await;
    story.intend(ANN, &[1]).await;
    assert_eq!(story.broken(), [Invariant::OneTaskPerTarget]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_effect_within_a_chunk() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.carry(&ann, &[1], 1, &[]).await;
    story.wish(Wish::Pause).await;
    story.carry(&ann, &[2], 2, &[]).await;
    story.assert_whole();
    story.intend(ANN, &[3, 5]).await;
    assert_eq!(story.broken(), [Invariant::PauseWithinChunk]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_account_begins_one_more_chunk_at_most() {
    let mut story = Story::begun().await;
    let ann = story.open(ANN);
    story.profile(ANN, false, None).await;
    story.carry(&ann, &[1], 1, &[]).await;
    story.assert_whole();
    story.intend(ANN, &[2]).await;
    assert_eq!(story.broken(), [Invariant::Disabled]);
}

#[tokio::test(start_paused = true)]
async fn a_sleep_past_the_first_account_that_may_write() {
    for (secs, broken) in [(100, Vec::new()), (200, vec![Invariant::WakeTime])] {
        let mut story = Story::begun().await;
        pass(130).await;
        let after = |secs| story.clock.now().checked_add(SignedDuration::from_secs(secs)).unwrap();
        let (first, wake_at): (Timestamp, Timestamp) = (after(100), after(secs));
        story.accounts[0].waits.write = Some(first);
        story.accounts[1].waits.write = Some(after(200));
        story.task.state = TaskState::Waiting { wake_at, reason: "every account waits".into() };
        let event = Event::AllLimited { wake_at };
        let record = EventRecord { task: story.task.id.clone(), ordinal: 1, at: story.clock.now(), event };
        let mut items: Vec<Item> = story.accounts.iter().cloned().map(Item::Account).collect();
        items.push(Item::Event(record));
        story.commit(items).await;
        assert_eq!(story.broken(), broken);
    }
}
