//! Accounts that are not inside join, where the task says so, and not too often; what was remembered of a chat is forgotten
//! when Telegram contradicts it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use jiff::SignedDuration;
use simulation::{ACCOUNT_IDS, SOURCE, Stage, TARGET};
use simulator::world::UserId;
use simulator::world::chat::{ChatKind, Role};
use simulator::world::floods::Script;
use simulator::world::generated::Mix;
use transfer::address::PeerAddress;
use transfer::admin;
use transfer::ids::{AccountId, PeerId};
use transfer::table::item::KnownPeer;
use transfer::table::{Item, Key, Table};
use transfer::task::{Endpoint, Task, TaskState};

const JOIN: &str = "channels.joinChannel";
const INVITE: &str = "messages.importChatInvite";

/// The target is a public group, and none of the accounts is inside.
async fn outside(accounts: usize) -> Stage {
    let stage = Stage::new(150, Mix::text_only(), accounts).await;
    let mut world = stage.world();
    let now = world.now();
    let target = world.chats.get_mut(&TARGET).unwrap();
    target.kind = ChatKind::Supergroup;
    for account in &ACCOUNT_IDS[..accounts] {
        target.put(UserId(*account), Role::Left, now);
    }
    drop(world);
    stage
}

/// The source is a private channel behind an invite, and none of the accounts is inside.
fn by_invite(stage: &Stage, accounts: usize) -> Task {
    let mut world = stage.world();
    let now = world.now();
    let source = world.chats.get_mut(&SOURCE).unwrap();
    source.username = None;
    source.invite = Some("secretdoor".into());
    for account in &ACCOUNT_IDS[..accounts] {
        source.put(UserId(*account), Role::Left, now);
    }
    drop(world);
    let address = PeerAddress::Invite("secretdoor".into());
    let source = Endpoint { address, peer: None, title: None, topic: None };
    Task { source, join: true, ..stage.task("t") }
}

#[track_caller]
fn assert_parked(task: &Task, words: &str) {
    let TaskState::Parked { reason } = &task.state else { panic!("{:?}", task.state) };
    assert!(reason.contains(words), "{reason}");
}

#[track_caller]
fn assert_done(stage: &Stage, task: &Task) {
    assert!(matches!(task.state, TaskState::Done { .. }), "{:?}", task.state);
    stage.assert_exactly_once();
    stage.assert_no_call_during_a_wait();
}

/// The account joined five chats in the last hour.
async fn joined_enough(stage: &Stage, number: usize) -> jiff::Timestamp {
    let id = AccountId(ACCOUNT_IDS[number].to_string());
    let mut account = admin::member(stage.table.as_ref(), &id).await.unwrap().unwrap().account;
    let first = stage.clock.now() - SignedDuration::from_mins(30);
    account.joined_at = (0..5).map(|nth| first + SignedDuration::from_secs(nth)).collect();
    stage.put(vec![Item::Account(account)]).await;
    first + SignedDuration::from_hours(1)
}

#[tokio::test(start_paused = true)]
async fn who_is_outside_joins_where_the_task_says_so() {
    let mut stage = outside(1).await;
    stage.submit(Task { join: true, ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_eq!(stage.calls(JOIN).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn and_nowhere_else() {
    let mut stage = outside(1).await;
    stage.submit(stage.task("t")).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_parked(&task, "may not post");
    assert!(stage.calls(JOIN).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_private_source_is_joined_by_its_invite() {
    let mut stage = Stage::new(150, Mix::text_only(), 1).await;
    let task = by_invite(&stage, 1);
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_eq!(stage.calls(INVITE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_parks_until_somebody_opens_the_door() {
    let mut stage = Stage::new(150, Mix::text_only(), 1).await;
    let task = by_invite(&stage, 1);
    let message = "INVITE_REQUEST_SENT".to_owned();
    let script = Script { account: None, method: Some(INVITE.to_owned()), times: 1, after: 0, code: 400, message };
    stage.world().floods.script(script);
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_parked(&task, "let it in there, then resume");
}

#[tokio::test(start_paused = true)]
async fn one_asks_to_be_let_in_and_whoever_is_inside_carries_on() {
    let mut stage = Stage::new(150, Mix::text_only(), 3).await;
    // The third account is inside, behind the others in rank.
    let task = by_invite(&stage, 2);
    let message = "INVITE_REQUEST_SENT".to_owned();
    let script = Script { account: None, method: Some(INVITE.to_owned()), times: 9, after: 0, code: 400, message };
    stage.world().floods.script(script);
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert_eq!(task.checkpoint.account, Some(AccountId(ACCOUNT_IDS[2].to_string())));
    assert_eq!(stage.calls(INVITE).len(), 1, "the second account does not ask as well");
}

#[tokio::test(start_paused = true)]
async fn who_joined_five_chats_within_an_hour_leaves_it_to_another() {
    let mut stage = outside(2).await;
    joined_enough(&stage, 0).await;
    stage.submit(Task { join: true, ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    let joins = stage.calls(JOIN);
    assert_eq!((joins.len(), joins[0].account), (1, Some(UserId(ACCOUNT_IDS[1]))));
}

#[tokio::test(start_paused = true)]
async fn and_where_there_is_no_other_the_task_waits() {
    let mut stage = outside(1).await;
    let until = joined_enough(&stage, 0).await;
    stage.submit(Task { join: true, ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    stage.until("t", |task| matches!(task.state, TaskState::Waiting { .. })).await;
    assert!(stage.calls(JOIN).is_empty());
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert!(stage.clock.now() >= until);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_joining_is_one_for_resolving() {
    let mut stage = outside(1).await;
    let message = "FLOOD_WAIT_200".to_owned();
    let script = Script { account: None, method: Some(JOIN.to_owned()), times: 1, after: 0, code: 420, message };
    stage.world().floods.script(script);
    stage.submit(Task { join: true, ..stage.task("t") }).await;
    let _host = stage.start_host("h", true);
    let begun = stage.clock.now();
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    assert!(stage.clock.now().duration_since(begun) >= SignedDuration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn what_was_remembered_is_forgotten_when_telegram_contradicts_it() {
    let mut stage = Stage::new(150, Mix::text_only(), 1).await;
    let account = AccountId(ACCOUNT_IDS[0].to_string());
    let (now, peer) = (stage.clock.now(), PeerId(SOURCE.0));
    let wrong = KnownPeer {
        account: account.clone(),
        peer,
        access_hash: 1,
        title: "Old".into(),
        unusable: None,
        checked_at: now,
    };
    stage.put(vec![Item::Peer(wrong)]).await;
    let mut task = stage.task("t");
    task.source.peer = Some(peer);
    stage.submit(task).await;
    let _host = stage.start_host("h", true);
    let task = stage.until_settled("t").await;
    assert_done(&stage, &task);
    let record = stage.table.get(&Key::peer(&account, peer)).await.unwrap().unwrap();
    let Item::Peer(known) = record.item else { panic!("{record:?}") };
    assert_eq!(known.access_hash, stage.world().access_hash(UserId(ACCOUNT_IDS[0]), SOURCE));
}
