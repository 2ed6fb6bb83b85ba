//! Calls against a world whose time stands still; [`sockets`] has the rest.

mod sockets;

use super::*;
use crate::server::Config;
use crate::time::{Clock, SimTime};
use crate::world::bots::limits::Script;
use crate::world::user::User;
use crate::world::{ChatId, MessageId};
use std::time::Duration;

const BOT: UserId = UserId(7_900_000_001);
const ADA: UserId = UserId(1);
const TOKEN: &str = "7900000001:secret";

fn world(clock: Clock) -> World {
    let mut world = World::new(7, clock);
    world.add_user(User { language_code: Some("zh-hans".into()), ..User::new(ADA, "+1", "Ada") });
    world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
    world
}

fn still() -> World {
    let mut world = world(Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.say_to_bot(ADA, BOT, "/start now").unwrap();
    world
}

fn ask(world: &mut World, method: &str, arguments: &Value) -> Value {
    let arguments = Arguments::from_object(arguments.as_object().unwrap());
    match calls::at_once(world, BOT, &method.to_ascii_lowercase(), &arguments) {
        Ok(answer) => json!({ "ok": true, "result": answer.result }),
        Err(refusal) => refusal.body(),
    }
}

fn ok(world: &mut World, method: &str, arguments: &Value) -> Value {
    let answer = ask(world, method, arguments);
    assert_eq!(answer["ok"], true, "{method} {arguments}: {answer}");
    answer["result"].clone()
}

fn said(world: &mut World, method: &str, arguments: &Value) -> String {
    let answer = ask(world, method, arguments);
    answer["description"].as_str().unwrap_or_else(|| panic!("{method} was not refused: {answer}")).to_owned()
}

#[test]
fn a_sent_message_comes_back_as_telegram_shows_it() {
    let mut world = still();
    let sent = ok(
        &mut world,
        "sendMessage",
        &json!({ "chat_id": 1, "text": " <b>hi</b> &lt;you&gt; ", "parse_mode": "HTML", "reply_parameters": { "message_id": 1 },
            "reply_markup": { "inline_keyboard": [[{ "text": "Yes", "callback_data": "y" }, { "text": "See", "url": "https://a.example" }]] } }),
    );
    assert_eq!(sent["message_id"], 2);
    assert_eq!(sent["from"], json!({ "id": BOT, "is_bot": true, "first_name": "Ferry", "username": "ferry_bot" }));
    assert_eq!(sent["chat"], json!({ "id": 1, "type": "private", "first_name": "Ada" }));
    assert_eq!(sent["text"], "hi <you>");
    assert_eq!(sent["entities"], json!([{ "type": "bold", "offset": 0, "length": 2 }]));
    assert_eq!(sent["reply_to_message"]["text"], "/start now");
    assert_eq!(sent["reply_markup"]["inline_keyboard"][0][0], json!({ "text": "Yes", "callback_data": "y" }));
    let seen = person::chat(&world, BOT, ADA).pop().unwrap();
    assert_eq!((seen.from, seen.html.as_str()), ("bot", "<b>hi</b> &lt;you&gt;"));
    assert_eq!(
        json!(seen.buttons),
        json!([[{ "text": "Yes", "data": "y" }, { "text": "See", "url": "https://a.example" }]])
    );
}

#[test]
fn an_update_names_sender_language_and_command() {
    let mut world = still();
    let updates = person::pending(&world, BOT);
    let message = &updates[0]["message"];
    assert_eq!(message["from"]["language_code"], "zh-hans");
    assert_eq!(message["entities"], json!([{ "type": "bot_command", "offset": 0, "length": 6 }]));
    ok(&mut world, "sendMessage", &json!({ "chat_id": 1, "text": "?", "reply_markup": "{\"inline_keyboard\":[]}" }));
    let query = world.press_button(ADA, BOT, MessageId(2), "any").unwrap();
    let pressed = person::pending(&world, BOT).pop().unwrap();
    let pressed = &pressed["callback_query"];
    assert_eq!((&pressed["data"], &pressed["message"]["message_id"]), (&json!("any"), &json!(2)));
    assert_eq!(pressed["id"], query.to_string());
}

#[test]
fn a_forwarded_post_names_channel_and_post() {
    let mut world = crate::scenario::transfer(
        1,
        1,
        20,
        crate::world::generated::Mix::text_only(),
        Clock::virtual_at(SimTime(1_700_000_000_000)),
    );
    world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
    world.forward_to_bot(crate::scenario::FIRST_ACCOUNT, BOT, crate::scenario::SOURCE, MessageId(5)).unwrap();
    let update = person::pending(&world, BOT).pop().unwrap();
    let origin = &update["message"]["forward_origin"];
    assert_eq!(origin["type"], "channel");
    assert_eq!(origin["message_id"], 5);
    let chat = json!({ "id": crate::scenario::SOURCE, "type": "channel", "title": "Source", "username": "source" });
    assert_eq!(origin["chat"], chat);
    world.chats.get_mut(&crate::scenario::SOURCE).unwrap().noforwards = true;
    let refused = world.forward_to_bot(crate::scenario::FIRST_ACCOUNT, BOT, crate::scenario::SOURCE, MessageId(6));
    assert_eq!(refused.unwrap_err().message, "CHAT_FORWARDS_RESTRICTED");
}

#[test]
fn refusals_are_in_telegrams_words() {
    let mut world = still();
    let sent = ok(&mut world, "sendMessage", &json!({ "chat_id": 1, "text": "one" }));
    let id = &sent["message_id"];
    let not_modified = "Bad Request: message is not modified: specified new message content and reply markup are \
                        exactly the same as a current content and reply markup of the message";
    let button = |data: &str| json!({ "inline_keyboard": [[{ "text": "b", "callback_data": data }]] });
    let cases = [
        ("sendMessage", json!({ "text": "x" }), "Bad Request: chat_id is empty"),
        ("sendMessage", json!({ "chat_id": 1, "text": " " }), "Bad Request: message text is empty"),
        ("sendMessage", json!({ "chat_id": 1, "text": "x".repeat(4097) }), "Bad Request: message is too long"),
        ("sendMessage", json!({ "chat_id": 5, "text": "x" }), "Bad Request: chat not found"),
        ("sendMessage", json!({ "chat_id": "@ada", "text": "x" }), "Bad Request: chat not found"),
        ("sendMessage", json!({ "chat_id": BOT, "text": "x" }), "Forbidden: bot can't send messages to itself"),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "<b>x", "parse_mode": "HTML" }),
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "x", "reply_markup": button(&"d".repeat(65)) }),
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (
            "sendMessage",
            json!({ "chat_id": 1, "text": "x", "reply_markup": { "inline_keyboard": [[{ "text": "b" }]] } }),
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ("editMessageText", json!({ "chat_id": 1, "message_id": id, "text": "one" }), not_modified),
        (
            "editMessageText",
            json!({ "chat_id": 1, "message_id": 77, "text": "x" }),
            "Bad Request: message to edit not found",
        ),
        (
            "editMessageText",
            json!({ "chat_id": 1, "message_id": 1, "text": "x" }),
            "Bad Request: message can't be edited",
        ),
        ("deleteMessage", json!({ "chat_id": 1, "message_id": 77 }), "Bad Request: message to delete not found"),
        (
            "answerCallbackQuery",
            json!({ "callback_query_id": "1" }),
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        ),
        (
            "setWebhook",
            json!({ "url": "http://a.example/" }),
            "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            "setWebhook",
            json!({ "url": "http://127.0.0.1/", "secret_token": "a b" }),
            "Bad Request: secret token contains unallowed characters",
        ),
        (
            "setMyCommands",
            json!({ "commands": [{ "command": "Big", "description": "x" }] }),
            "Bad Request: BOT_COMMAND_INVALID",
        ),
        ("sendPhoto", json!({ "chat_id": 1 }), "Bad Request: there is no photo in the request"),
        ("doMagic", json!({}), "Not Found: method not found"),
    ];
    for (method, arguments, words) in cases {
        assert_eq!(said(&mut world, method, &arguments), words, "{method} {arguments}");
    }
}

#[test]
fn what_was_too_much_is_refused_until_the_wait_is_over() {
    let mut world = still();
    let message = json!({ "chat_id": 1, "text": "x" });
    let answers: Vec<Value> = (0..11).map(|_| ask(&mut world, "sendMessage", &message)).collect();
    assert!(answers[..10].iter().all(|answer| answer["ok"] == true));
    let expected = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1",
        "parameters": { "retry_after": 1 } });
    assert_eq!(answers[10], expected);
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 429);
    assert_eq!(world.bots.calls.iter().filter(|call| call.during_wait).count(), 1);
    world.clock.advance(Duration::from_secs(1));
    ok(&mut world, "sendMessage", &message);
}

#[test]
fn a_script_forces_an_answer_before_or_after_the_call_is_carried_out() {
    let mut world = still();
    let script = |code, applied, retry_after| Script {
        bot: None,
        method: Some("sendmessage".into()),
        code,
        description: None,
        retry_after,
        times: 1,
        applied,
    };
    world.bots.scripts = vec![script(429, false, Some(7)), script(502, true, None)];
    let message = json!({ "chat_id": 1, "text": "x" });
    assert_eq!(ask(&mut world, "sendMessage", &message)["parameters"]["retry_after"], 7);
    assert_eq!(person::chat(&world, BOT, ADA).len(), 1);
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 502);
    assert_eq!(person::chat(&world, BOT, ADA).len(), 2, "it was sent all the same");
    assert_eq!(ask(&mut world, "sendMessage", &message)["error_code"], 429, "the seven seconds are not over");
    world.clock.advance(Duration::from_secs(7));
    ok(&mut world, "sendMessage", &message);
}

#[test]
fn commands_are_kept_by_scope_and_language() {
    let mut world = still();
    let commands = json!([{ "command": "start", "description": "Begin" }]);
    ok(&mut world, "setMyCommands", &json!({ "commands": commands, "language_code": "zh" }));
    assert_eq!(ok(&mut world, "getMyCommands", &json!({})), json!([]));
    let chinese = json!({ "language_code": "zh", "scope": { "type": "default" } });
    assert_eq!(ok(&mut world, "getMyCommands", &chinese), commands);
    ok(&mut world, "deleteMyCommands", &chinese);
    assert_eq!(ok(&mut world, "getMyCommands", &chinese), json!([]));
}
