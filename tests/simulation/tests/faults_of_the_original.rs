//! One story for each fault of the system that Ferry replaces; each fails if its fault comes back.
//!
//! Three are not the engine's: that a session named by the environment carries transfers is told where the program is
//! tested (`local/tests/program`), that codes are pressed and never typed, and that no session lies anywhere in plain text,
//! where accounts are added (`local/tests/accounts`).

use std::time::Duration;

use jiff::SignedDuration;
use simulation::{ACCOUNT_IDS, SOURCE, Stage, TARGET};
use simulator::world::UserId;
use simulator::world::faults::{Fault, FaultScript};
use simulator::world::floods::{FloodModel, Script};
use simulator::world::generated::Mix;
use simulator::world::user::AccountState as Standing;
use transfer::account::AccountState;
use transfer::event::Event;
use transfer::ids::{AccountId, TaskId};
use transfer::table::{Item, Key, Table};
use transfer::task::{Command, Task, TaskEvent, TaskState, Wish};

const FORWARD: &str = "messages.forwardMessages";

async fn events(stage: &Stage, task: &str) -> Vec<Event> {
    let records = stage.table.partition(&format!("TASK#{task}"), "EVENT#").await.expect("reads from memory succeed");
    let events = records.into_iter().filter_map(|record| match record.item {
        Item::Event(event) => Some(event.event),
        _ => None,
    });
    events.collect()
}

fn refuse(stage: &Stage, account: i64, answer: &str, times: u32) {
    let script = Script {
        account: Some(UserId(account)),
        method: Some(FORWARD.into()),
        times,
        after: 0,
        code: if answer.contains("WAIT") { 420 } else { 400 },
        message: answer.into(),
    };
    stage.world().floods.script(script);
}

fn is_done(task: &Task) -> bool {
    matches!(task.state, TaskState::Done { .. })
}

/// The plain case that all others stand on: everything arrives, counters say what stands in the target.
#[tokio::test(start_paused = true)]
async fn everything_arrives_and_is_counted() {
    let mut stage = Stage::new(1_000, Mix::default(), 1).await;
    stage.submit(stage.task("t")).await;
    let host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    let (content, service) = stage.carriable();
    let counts = task.checkpoint.counts;
    assert_eq!(counts.delivered, content.len() as u64);
    assert_eq!(counts.skipped, service.len() as u64);
    assert_eq!(counts.matched, counts.delivered + counts.skipped);
    assert_eq!(counts.scanned, counts.matched, "every message of the source was looked at once");
    let skipped = stage.skipped("t").await;
    assert_eq!(skipped.keys().copied().collect::<Vec<_>>(), service);
    host.stop().await.unwrap();
    let account = stage.table.get(&Key::account(&AccountId(ACCOUNT_IDS[0].to_string()))).await.unwrap().unwrap();
    let Item::Account(account) = account.item else { panic!("an account") };
    assert_eq!(account.total.forwarded, counts.delivered);
    assert_eq!(account.lease, None, "a clean stop gives every lease back");
}

/// Faults 2 and 3: a change of account neither loses the message that met the flood, nor goes on with what the old
/// account knew: every access hash is the caller's own, or the world would answer `CHANNEL_INVALID`.
#[tokio::test(start_paused = true)]
async fn a_change_of_account_loses_nothing_and_resolves_anew() {
    let mut stage = Stage::new(800, Mix::default(), 3).await;
    stage.world().floods.reset(FloodModel::fixed(250, 3_000, 1.0));
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
    assert!(task.checkpoint.counts.changes >= 2, "{:?}", task.checkpoint.counts);
    let by: std::collections::BTreeSet<i64> = stage.delivered().iter().map(|made| made.by).collect();
    assert_eq!(by.len(), 3, "all three accounts carried something");
    for id in by {
        let resolved = stage.calls("contacts.resolveUsername");
        assert!(resolved.iter().any(|call| call.account == Some(UserId(id))), "account {id} resolved for itself");
    }
    let changed = events(&stage, "t").await.into_iter().find_map(|event| match event {
        Event::AccountChanged { reason, wait_secs, .. } => Some((reason, wait_secs)),
        _ => None,
    });
    assert_eq!(changed, Some(("FLOOD_WAIT_3000".into(), Some(3_000))));
}

/// Fault 4 (and 1): each pause at the batch limit lost a message, and nothing could resume.
#[tokio::test(start_paused = true)]
async fn a_pause_at_the_batch_limit_loses_nothing_and_can_be_resumed() {
    let mut stage = Stage::new(350, Mix::default(), 1).await;
    let task = Task { batch_len: 100, pause_after_batch: true, ..stage.task("t") };
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let mut batches = 0;
    loop {
        let mut task = stage.until_settled("t").await;
        if is_done(&task) {
            break;
        }
        assert!(matches!(task.state, TaskState::Paused { .. }), "{:?}", task.state);
        batches += 1;
        assert_eq!(task.checkpoint.batches, batches, "the batch number moves");
        task.next(TaskEvent::Resume, stage.clock.now()).unwrap();
        task.seq += 1;
        stage.submit(task).await;
    }
    assert!(batches >= 3, "{batches} pauses");
    stage.assert_exactly_once();
}

/// Fault 6: an error that is no flood skipped the message without a record.
#[tokio::test(start_paused = true)]
async fn what_telegram_refuses_stands_in_the_ledger_with_the_reason() {
    let mut stage = Stage::new(60, Mix::text_only(), 1).await;
    {
        let mut world = stage.world();
        let banned = simulator::world::chat::Banned {
            kinds: [simulator::world::message::Kind::Text].into(),
            ..simulator::world::chat::Banned::default()
        };
        let now = world.now();
        let target = world.chats.get_mut(&TARGET).unwrap();
        target.kind = simulator::world::chat::ChatKind::Supergroup;
        target.default_banned = banned;
        target.put(UserId(ACCOUNT_IDS[0]), simulator::world::chat::Role::Member, now);
    }
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    assert_eq!(stage.delivered(), []);
    let skipped = stage.skipped("t").await;
    assert_eq!(skipped.len(), 60);
    assert!(skipped.values().all(|why| why.contains("CHAT_SEND_PLAIN_FORBIDDEN")), "{skipped:?}");
    assert_eq!(task.checkpoint.counts.skipped, 60);
}

/// Fault 7: a task that was running when the process died was never picked up, or repeated messages.
#[tokio::test(start_paused = true)]
async fn a_killed_host_is_succeeded_without_loss_or_repetition() {
    let mut stage = Stage::new(2_000, Mix::default(), 2).await;
    stage.submit(stage.task("t")).await;
    let mut kills = 0_u64;
    loop {
        let host = stage.start_host("h", true);
        // Uneven steps, so that deaths fall on every part of a chunk.
        tokio::time::sleep(Duration::from_millis(150 + 7 * (kills % 41))).await;
        host.kill().await;
        kills += 1;
        let task = stage.read_task("t").await;
        if is_done(&task) {
            break;
        }
        assert!(kills < 2_000, "the transfer does not get on: {:?}", task.checkpoint.cursor);
    }
    assert!(kills > 10, "{kills} kills");
    stage.assert_exactly_once();
}

/// The same with a host that nobody replaces in place: another one finds the task after the dead one's silence.
#[tokio::test(start_paused = true)]
async fn another_host_takes_over_from_a_dead_one() {
    let mut stage = Stage::new(1_000, Mix::default(), 2).await;
    stage.submit(stage.task("t")).await;
    let first = stage.start_host("a", false);
    stage.until("t", |task| task.checkpoint.chunks >= 2).await;
    let _second = stage.start_host("b", false);
    first.kill().await;
    let died = stage.clock.now();
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    let took = stage.clock.now().duration_since(died);
    assert!(took >= SignedDuration::from_secs(100), "a lease was taken from a host that may have lived: {took}");
    assert!(took < SignedDuration::from_mins(10), "takeover took {took}");
}

/// Fault 8: with every account limited, the task showed (and slept through) the last wait instead of the shortest.
#[tokio::test(start_paused = true)]
async fn with_every_account_limited_the_task_wakes_at_the_shortest_wait() {
    let mut stage = Stage::new(300, Mix::text_only(), 3).await;
    refuse(&stage, ACCOUNT_IDS[0], "FLOOD_WAIT_3600", 1);
    refuse(&stage, ACCOUNT_IDS[1], "FLOOD_WAIT_600", 1);
    refuse(&stage, ACCOUNT_IDS[2], "FLOOD_WAIT_1800", 1);
    let begin = stage.clock.now();
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let waiting = stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    let TaskState::Waiting { wake_at, .. } = waiting.state else { unreachable!("just asked") };
    let shortest = wake_at.duration_since(begin).as_secs();
    assert!((600..605).contains(&shortest), "woke after {shortest} s");
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    let took = stage.clock.now().duration_since(begin).as_secs();
    assert!(took < 640, "went on {took} s after it began, though an account was free after 600");
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
}

/// Fault 9: accounts that were never used came last, and the time of last use was wrong.
#[tokio::test(start_paused = true)]
async fn among_equals_the_least_recently_used_goes_first() {
    let mut stage = Stage::new(100, Mix::text_only(), 3).await;
    for id in ACCOUNT_IDS[..3].iter().map(ToString::to_string) {
        let record = stage.table.get(&Key::profile(&AccountId(id))).await.unwrap().unwrap();
        let Item::Profile(mut profile) = record.item else { panic!("a profile") };
        profile.priority = 5;
        stage.put(vec![Item::Profile(profile)]).await;
    }
    let _host = stage.start_host("h", true);
    let mut carriers = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let task = Task { nonce: transfer::ids::Nonce([name.as_bytes()[0]; 16]), ..stage.task(name) };
        stage.submit(task).await;
        stage.until_settled(name).await;
        carriers.push(stage.delivered().last().unwrap().by);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let [first, second, third, fourth] = carriers[..] else { panic!("four tasks") };
    assert_eq!([first, second, third].iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{carriers:?}");
    assert_eq!(fourth, first, "the least recently used of all");
}

/// Fault 10: scanned counted only what was sent, and the batch number never moved.
#[tokio::test(start_paused = true)]
async fn counters_say_what_happened() {
    let mut stage = Stage::new(500, Mix::default(), 1).await;
    let mut task = Task { batch_len: 20, ..stage.task("t") };
    task.selection.kinds = [transfer::message::Kind::Photo].into();
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    let counts = task.checkpoint.counts;
    let (content, service) = stage.carriable();
    assert_eq!(counts.scanned, (content.len() + service.len()) as u64);
    assert_eq!(counts.delivered, stage.delivered().len() as u64);
    assert!(counts.delivered > 0 && counts.delivered < counts.scanned, "{counts:?}");
    assert_eq!(counts.matched, counts.delivered + counts.skipped);
    // Every batch that was counted left its record, and together they hold what was decided.
    let records = stage.table.partition("TASK#t", "BATCH#").await.unwrap();
    let batches = records.iter().filter_map(|record| match &record.item {
        Item::Batch(batch) => Some((batch.number, u64::from(batch.messages))),
        _ => None,
    });
    let (numbers, messages): (Vec<u32>, Vec<u64>) = batches.unzip();
    assert_eq!(numbers, (1..=task.checkpoint.batches).collect::<Vec<_>>());
    assert_eq!(messages.iter().sum::<u64>() + u64::from(task.checkpoint.batch_used), counts.matched);
    assert!(numbers.len() >= 2, "the batch number moves: {numbers:?}");
}

/// Fault 12: premium floods, slow mode, `PEER_FLOOD` and authorisation errors were not handled.
#[tokio::test(start_paused = true)]
async fn every_other_refusal_is_handled_as_what_it_is() {
    let mut stage = Stage::new(400, Mix::text_only(), 6).await;
    refuse(&stage, ACCOUNT_IDS[0], "FLOOD_PREMIUM_WAIT_900", 1);
    refuse(&stage, ACCOUNT_IDS[1], "PEER_FLOOD", 1);
    stage.world().users.get_mut(&UserId(ACCOUNT_IDS[2])).unwrap().state = Standing::Frozen;
    stage.world().users.get_mut(&UserId(ACCOUNT_IDS[3])).unwrap().state = Standing::Revoked;
    stage.world().users.get_mut(&UserId(ACCOUNT_IDS[4])).unwrap().state = Standing::Banned;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
    let mut states = Vec::new();
    for id in &ACCOUNT_IDS[1..5] {
        let record = stage.table.get(&Key::account(&AccountId(id.to_string()))).await.unwrap().unwrap();
        let Item::Account(account) = record.item else { panic!("an account") };
        assert!(account.reason.is_some());
        states.push(account.state);
    }
    use AccountState as A;
    assert_eq!(states, [A::Quarantined, A::Frozen, A::SignedOut, A::Banned]);
}

/// Fault 12, the peer's own wait: slow mode is the target's, not the account's.
#[tokio::test(start_paused = true)]
async fn slow_mode_is_waited_for_one_unit_at_a_time() {
    let mut stage = Stage::new(8, Mix::text_only(), 1).await;
    {
        let mut world = stage.world();
        let now = world.now();
        let target = world.chats.get_mut(&TARGET).unwrap();
        target.kind = simulator::world::chat::ChatKind::Supergroup;
        target.slow_mode_secs = 30;
        target.put(UserId(ACCOUNT_IDS[0]), simulator::world::chat::Role::Member, now);
    }
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    assert_eq!(task.checkpoint.counts.floods, 0, "slow mode is no flood of the account");
}

/// Fault 15: messages were scanned newest first, so the target was in reverse order.
#[tokio::test(start_paused = true)]
async fn the_target_is_in_the_source_s_order() {
    let mut stage = Stage::new(700, Mix::default(), 2).await;
    stage.world().quirks.short_history_pages = true;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until_settled("t").await;
    let sources: Vec<i32> = stage.delivered().iter().map(|made| made.source).collect();
    assert!(sources.is_sorted(), "not in order");
    stage.assert_exactly_once();
}

/// What uncertain calls lead to: the connection is cut after the forward was applied, before it, or never answers.
#[tokio::test(start_paused = true)]
async fn uncertain_calls_are_settled_without_loss_or_repetition() {
    for (fault, repeat_answers_duplicate) in [
        (Fault::CutAfter, false),
        (Fault::CutAfter, true),
        (Fault::CutBefore, false),
        (Fault::Stall, true),
        (Fault::StallBefore, false),
        (Fault::InternalAfter, true),
        (Fault::OtherUpdates, false),
    ] {
        let mut stage = Stage::new(500, Mix::default(), 2).await;
        stage.world().quirks.repeat_answers_duplicate = repeat_answers_duplicate;
        let script = FaultScript { account: None, method: Some(FORWARD.into()), times: 2, after: 1, fault };
        stage.world().faults.scripts.push(script);
        stage.submit(stage.task("t")).await;
        let _host = stage.start_host("h", true);
        let task = stage.until_settled("t").await;
        assert!(is_done(&task), "{fault:?}: {:?}", task.state);
        stage.assert_exactly_once();
        assert_eq!(SOURCE.0, task.source.peer.unwrap().0);
    }
}

/// A wait for reading is as good as one for forwarding: nobody calls into it.
#[tokio::test(start_paused = true)]
async fn a_flood_wait_for_reading_is_obeyed_too() {
    let mut stage = Stage::new(600, Mix::text_only(), 2).await;
    for (account, secs) in [(ACCOUNT_IDS[0], 900), (ACCOUNT_IDS[1], 400)] {
        let script = Script {
            account: Some(UserId(account)),
            method: Some("messages.getHistory".into()),
            times: 1,
            after: 3,
            code: 420,
            message: format!("FLOOD_WAIT_{secs}"),
        };
        stage.world().floods.script(script);
    }
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
}

/// The admin's pause takes effect within one chunk, and resuming goes on exactly there.
#[tokio::test(start_paused = true)]
async fn a_pause_takes_effect_within_one_chunk() {
    let mut stage = Stage::new(3_000, Mix::text_only(), 1).await;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| task.checkpoint.chunks >= 3).await;
    let wish = |wish| Item::Command(Command { task: TaskId::from("t"), wish, pace: None });
    let before = stage.delivered().len();
    stage.put(vec![wish(Wish::Pause)]).await;
    let paused = stage.until_settled("t").await;
    assert!(matches!(paused.state, TaskState::Paused { .. }), "{:?}", paused.state);
    let after = stage.delivered().len();
    assert!(after - before <= 200, "{} messages went out after the wish", after - before);
    assert_eq!(paused.checkpoint.counts.delivered, after as u64, "what went out is counted");
    stage.put(vec![wish(Wish::Run)]).await;
    let mut task = paused;
    task.next(TaskEvent::Resume, stage.clock.now()).unwrap();
    task.seq += 1;
    stage.submit(task).await;
    let done = stage.until_settled("t").await;
    assert!(is_done(&done), "{:?}", done.state);
    stage.assert_exactly_once();
}

/// A wait that the reader received while nobody looked is not forgotten with the reader.
#[tokio::test(start_paused = true)]
async fn a_wait_that_only_the_reader_saw_is_obeyed() {
    let mut stage = Stage::new(1_500, Mix::text_only(), 1).await;
    let script = Script {
        account: None,
        method: Some("messages.getHistory".into()),
        times: 1,
        after: 3,
        code: 420,
        message: "FLOOD_WAIT_2000".into(),
    };
    stage.world().floods.script(script);
    // The pace ends the run after each chunk, and the reader, which is three pages ahead, with it.
    stage.submit(Task { pace: transfer::pace::Pace::default(), ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
}

/// A task that rests does not keep others from its target.
#[tokio::test(start_paused = true)]
async fn a_resting_task_leaves_its_target_to_others() {
    let mut stage = Stage::new(400, Mix::text_only(), 2).await;
    stage.submit(Task { batch_len: 100, pause_after_batch: true, ..stage.task("first") }).await;
    let host = stage.start_host("h", true);
    let paused = stage.until_settled("first").await;
    assert!(matches!(paused.state, TaskState::Paused { .. }), "{:?}", paused.state);
    host.kill().await;
    let other = Task { nonce: transfer::ids::Nonce([9; 16]), ..stage.task("second") };
    stage.submit(other).await;
    let _host = stage.start_host("h", true);
    let begun = stage.clock.now();
    let done = stage.until_settled("second").await;
    assert!(is_done(&done), "{:?}", done.state);
    assert!(stage.clock.now().duration_since(begun) < SignedDuration::from_mins(2), "it waited for the other's target");
}

/// A source that is never answered for parks the task with what to do, instead of being asked for ever.
#[tokio::test(start_paused = true)]
async fn a_source_without_an_answer_parks_the_task() {
    let mut stage = Stage::new(50, Mix::text_only(), 1).await;
    let script = FaultScript {
        account: None,
        method: Some("messages.getHistory".into()),
        times: u32::MAX,
        after: 0,
        fault: Fault::InternalAfter,
    };
    stage.world().faults.scripts.push(script);
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    let TaskState::Parked { reason } = task.state else { panic!("{:?}", task.state) };
    assert!(reason.contains("resume to try again"), "{reason}");
    assert_eq!(stage.delivered(), []);
}

/// Fault 9, its other half: the time of last use is that of the last chunk, not that of connecting.
#[tokio::test(start_paused = true)]
async fn the_time_of_last_use_is_that_of_the_last_chunk() {
    let mut stage = Stage::new(600, Mix::text_only(), 1).await;
    // Ten seconds after each chunk: short enough that the account keeps the connection it began with.
    let pace = transfer::pace::Pace { forward_rate_ms: 100, ..transfer::pace::Pace::none() };
    stage.submit(Task { pace, batch_len: 5_000, ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    let begun = stage.clock.now();
    let task = stage.until_settled("t").await;
    assert!(is_done(&task), "{:?}", task.state);
    let record = stage.table.get(&Key::account(&AccountId(ACCOUNT_IDS[0].to_string()))).await.unwrap().unwrap();
    let Item::Account(account) = record.item else { panic!("an account") };
    let sessions: std::collections::BTreeSet<_> = stage.calls(FORWARD).iter().map(|call| call.session).collect();
    assert_eq!(sessions.len(), 1, "it connected once, at the beginning");
    let used_after = account.last_used.unwrap().duration_since(begun);
    assert!(used_after >= SignedDuration::from_secs(45), "last used {used_after} after the beginning");
}
