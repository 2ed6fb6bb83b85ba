use super::delivery::pause_millis;
use super::limits::Admission;
use super::speak::{BotEdit, BotMessage};
use super::*;
use crate::time::{Clock, SimTime};
use crate::world::bots::callback::CallbackAnswer;
use crate::world::keyboard::{Button, Keyboard, Press};
use crate::world::{ChatId, MessageId};
use std::time::Duration;

const BOT: UserId = UserId(7_900_000_001);
const ADA: UserId = UserId(1);
const BEN: UserId = UserId(2);
const WITH_ADA: ChatId = ChatId(1);

fn world() -> World {
    let mut world = World::new(7, Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.add_user(User::new(ADA, "+1", "Ada"));
    world.add_user(User::new(BEN, "+2", "Ben"));
    world.add_bot(BOT, "@Ferry_Bot", "Ferry", "7900000001:secret");
    world
}

fn webhook(url: &str, max_connections: usize) -> Webhook {
    Webhook { url: url.into(), secret: None, max_connections, last_error: None }
}

fn text(text: &str) -> BotMessage {
    BotMessage { text: text.into(), ..BotMessage::default() }
}

fn keyboard(data: &str) -> Keyboard {
    Keyboard { rows: vec![vec![Button { text: "Yes".into(), press: Press::Callback(data.into()) }]] }
}

fn refused<T: std::fmt::Debug>(result: Result<T, crate::world::RpcError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_bot_answers_those_who_wrote_to_it_and_nobody_else() {
    let mut world = world();
    assert_eq!(refused(world.bot_send(BOT, ChatId(99), text("x"))), "400 chat not found");
    let strangers = "403 bot can't initiate conversation with a user";
    assert_eq!(refused(world.bot_send(BOT, WITH_ADA, text("x"))), strangers);
    world.say_to_bot(ADA, BOT, "/start").unwrap();
    let sent = world.bot_send(BOT, WITH_ADA, text("hello")).unwrap();
    assert_eq!(sent, MessageId(2));
    assert_eq!(refused(world.bot_send(BOT, ChatId(2), text("x"))), strangers);
    world.block_bot(BOT, ADA, true);
    assert_eq!(refused(world.bot_send(BOT, WITH_ADA, text("x"))), "403 bot was blocked by the user");
    world.say_to_bot(ADA, BOT, "again").unwrap();
    world.bot_send(BOT, WITH_ADA, text("welcome back")).unwrap();
    let fields: Vec<_> = world.bots.get(BOT).unwrap().updates.iter().map(|update| update.happening.field()).collect();
    assert_eq!(fields, ["message", "my_chat_member", "my_chat_member", "message"]);
}

#[test]
fn message_ids_are_those_of_each_mailbox() {
    let mut world = world();
    world.say_to_bot(BEN, BOT, "first").unwrap();
    assert_eq!(world.say_to_bot(ADA, BOT, "second").unwrap(), MessageId(1));
    let lines = world.bot_chat(ADA, BOT);
    assert_eq!((lines[0].id, lines[0].bot_message_id), (MessageId(1), Some(MessageId(2))));
}

#[test]
fn what_is_too_long_or_not_there_is_refused() {
    let mut world = world();
    world.say_to_bot(ADA, BOT, "/start").unwrap();
    world.bot_send(BOT, WITH_ADA, text(&"⛴".repeat(4_096))).unwrap();
    assert_eq!(refused(world.bot_send(BOT, WITH_ADA, text(&"⛴".repeat(4_097)))), "400 MESSAGE_TOO_LONG");
    let with = |data: String| BotMessage { keyboard: Some(keyboard(&data)), ..text("x") };
    world.bot_send(BOT, WITH_ADA, with("d".repeat(64))).unwrap();
    assert_eq!(refused(world.bot_send(BOT, WITH_ADA, with("d".repeat(65)))), "400 BUTTON_DATA_INVALID");
    let edit = BotEdit { text: Some(("y".into(), vec![])), ..BotEdit::default() };
    assert_eq!(refused(world.bot_edit(BOT, WITH_ADA, MessageId(9), &edit)), "400 message to edit not found");
    assert_eq!(refused(world.bot_edit(BOT, WITH_ADA, MessageId(1), &edit)), "400 message can't be edited");
    assert_eq!(refused(world.bot_delete(BOT, WITH_ADA, MessageId(9))), "400 message to delete not found");
    world.clock.advance(Duration::from_secs(49 * 3600));
    assert_eq!(refused(world.bot_delete(BOT, WITH_ADA, MessageId(2))), "400 message can't be deleted for everyone");
}

#[test]
fn an_edit_changes_something_and_counts() {
    let mut world = world();
    world.say_to_bot(ADA, BOT, "/start").unwrap();
    let sent = world.bot_send(BOT, WITH_ADA, text("one")).unwrap();
    let edit = |text: &str, keyboard| BotEdit { text: Some((text.into(), vec![])), keyboard, media: None };
    let same = world.bot_edit(BOT, WITH_ADA, sent, &edit("one", None));
    assert_eq!(refused(same), "400 MESSAGE_NOT_MODIFIED");
    world.bot_edit(BOT, WITH_ADA, sent, &edit("one", Some(keyboard("1")))).unwrap();
    let same = world.bot_edit(BOT, WITH_ADA, sent, &edit("one", Some(keyboard("1"))));
    assert_eq!(refused(same), "400 MESSAGE_NOT_MODIFIED");
    world.bot_edit(BOT, WITH_ADA, sent, &edit("two", None)).unwrap();
    let line = &world.bot_chat(ADA, BOT)[1];
    assert_eq!((line.text.as_str(), line.edits, line.keyboard.is_none()), ("two", 2, true));
    world.bot_delete(BOT, WITH_ADA, sent).unwrap();
    assert_eq!(world.bot_chat(ADA, BOT).len(), 1);
}

#[test]
fn a_pressed_button_is_answered_once_and_in_time() {
    let mut world = world();
    world.say_to_bot(ADA, BOT, "/start").unwrap();
    world.bot_send(BOT, WITH_ADA, BotMessage { keyboard: Some(keyboard("yes")), ..text("?") }).unwrap();
    assert_eq!(refused(world.press_button(ADA, BOT, MessageId(1), "yes")), "400 MESSAGE_ID_INVALID");
    let query = world.press_button(ADA, BOT, MessageId(2), "yes").unwrap();
    assert_eq!(world.callback_answer(BOT, query), None);
    let answer = CallbackAnswer { text: Some("done".into()), alert: true, url: None };
    world.answer_callback(BOT, query, answer.clone()).unwrap();
    assert_eq!(world.callback_answer(BOT, query), Some(answer.clone()));
    assert_eq!(refused(world.answer_callback(BOT, query, answer.clone())), "400 QUERY_ID_INVALID");
    let late = world.press_button(ADA, BOT, MessageId(2), "yes").unwrap();
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(refused(world.answer_callback(BOT, late, answer)), "400 QUERY_ID_INVALID");
}

#[test]
fn updates_stay_until_they_are_confirmed_and_keep_their_numbers() {
    let mut world = world();
    for n in 0..4 {
        world.say_to_bot(ADA, BOT, &format!("{n}")).unwrap();
    }
    let ids = |updates: Vec<updates::Update>| updates.iter().map(|update| update.id).collect::<Vec<i64>>();
    let all = ids(world.take_updates(BOT, 0, 100));
    assert_eq!(all, (all[0]..all[0] + 4).collect::<Vec<i64>>());
    assert_eq!(ids(world.take_updates(BOT, 0, 2)), all[..2]);
    assert_eq!(ids(world.take_updates(BOT, all[1], 100)), all[1..]);
    assert_eq!(ids(world.take_updates(BOT, -1, 100)), all[3..], "a negative offset forgets what is before");
    world.clock.advance(Duration::from_secs(24 * 3600));
    assert!(world.take_updates(BOT, 0, 100).is_empty(), "a day is the most");
    world.bots.get_mut(BOT).unwrap().updates.allow(["callback_query".to_owned()]);
    world.say_to_bot(ADA, BOT, "not wanted").unwrap();
    assert!(world.take_updates(BOT, 0, 100).is_empty());
}

#[test]
fn a_webhook_gets_one_update_of_a_chat_at_a_time_and_failed_ones_again() {
    let mut world = world();
    for (user, what) in [(ADA, "a1"), (ADA, "a2"), (BEN, "b1"), (BEN, "b2")] {
        world.say_to_bot(user, BOT, what).unwrap();
    }
    assert!(world.take_deliveries().is_empty(), "there is no webhook yet");
    world.set_webhook(BOT, Some(webhook("http://127.0.0.1:1/", 2)), false);
    let due = world.take_deliveries();
    assert_eq!(due.len(), 2, "one of each chat");
    assert!(world.take_deliveries().is_empty());
    world.delivered(&due[0], Ok(()));
    world.delivered(&due[1], Err("no".into()));
    let again = world.take_deliveries();
    assert_eq!(again.iter().map(|it| it.update.id - due[0].update.id).collect::<Vec<_>>(), [1, 2]);
    world.delivered(&again[1], Err("no".into()));
    assert!(world.take_deliveries().is_empty(), "the second failure is waited out");
    assert_eq!(world.next_delivery_at(), Some(world.now().plus_millis(200)));
    world.clock.advance(Duration::from_millis(200));
    assert_eq!(world.take_deliveries()[0].update.id, due[1].update.id, "with the same number");
    let error = world.bots.get(BOT).unwrap().webhook.clone().unwrap().last_error.unwrap();
    assert_eq!(error.1, "no");
    world.set_webhook(BOT, None, true);
    assert_eq!(world.bots.get(BOT).unwrap().updates.pending(), 0);
}

#[test]
fn one_connection_means_one_update_at_a_time() {
    let mut world = world();
    world.say_to_bot(ADA, BOT, "a").unwrap();
    world.say_to_bot(BEN, BOT, "b").unwrap();
    world.set_webhook(BOT, Some(webhook("http://127.0.0.1:1/", 1)), false);
    assert_eq!(world.take_deliveries().len(), 1);
    assert_eq!(world.take_deliveries().len(), 0);
}

#[test]
fn pauses_double_up_to_a_minute() {
    let pauses: Vec<i64> = (1..9).map(|fails| pause_millis(fails, 1000)).collect();
    assert_eq!(pauses, [0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    assert_eq!(pause_millis(u32::MAX, 100), 6_000);
}

#[test]
fn a_burst_is_let_through_then_one_a_second() {
    let mut world = world();
    let burst = world.bots.limits.chat_burst;
    (0..burst).for_each(|_| assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::Go));
    assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::RetryAfter(1));
    assert_eq!(world.admit_message(BOT, ChatId(2)), Admission::Go, "another chat is another matter");
    world.clock.advance(Duration::from_millis(400));
    assert!(world.bot_waits(BOT, WITH_ADA));
    assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::RetryAfter(1), "calling during the wait helps nobody");
    world.clock.advance(Duration::from_millis(600));
    assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::Go);
    assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::RetryAfter(1));
    world.clock.advance(Duration::from_secs(1));
    world.bots.limits.on = false;
    (0..100).for_each(|_| assert_eq!(world.admit_message(BOT, WITH_ADA), Admission::Go));
}

#[test]
fn thirty_a_second_is_the_most_in_all() {
    let mut world = world();
    let admitted = (1..=40).filter(|chat| world.admit_message(BOT, ChatId(*chat)) == Admission::Go).count();
    assert_eq!(admitted, 30);
}

#[test]
fn a_person_who_edits_is_heard_again() {
    let mut world = world();
    let said = world.say_to_bot(ADA, BOT, "first").unwrap();
    let revision = crate::world::revise::Revision { text: Some(("second".into(), vec![])), media: None };
    world.edit(&crate::world::Actor::of(ADA), ChatId::user(BOT), said, &revision).unwrap();
    let heard = world.take_updates(BOT, 0, 9);
    let Happening::Edited(message) = &heard[1].happening else { panic!("{heard:?}") };
    assert_eq!((message.id, message.text.as_str().as_ref()), (MessageId(1), "second"));
}
