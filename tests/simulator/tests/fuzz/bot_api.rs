//! The Bot API: any body of any content type, any HTML, and calls with plausible and absurd arguments.

use bolero::check;
use simulator::bot_api::request::Arguments;
use simulator::bot_api::{entity, html, perform, person};
use simulator::time::{Clock, SimTime};
use simulator::world::user::User;
use simulator::world::{UserId, World};

const ADA: UserId = UserId(1);
const BOT: UserId = UserId(79);

const KINDS: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=X",
    "multipart/form-data",
    "text/plain; =;\"",
];
const METHODS: [&str; 20] = [
    "sendmessage",
    "sendphoto",
    "editmessagetext",
    "editmessagecaption",
    "editmessagemedia",
    "editmessagereplymarkup",
    "deletemessage",
    "deletemessages",
    "answercallbackquery",
    "setwebhook",
    "deletewebhook",
    "getwebhookinfo",
    "setmycommands",
    "getmycommands",
    "deletemycommands",
    "sendchataction",
    "getchat",
    "getfile",
    "getme",
    "nothing",
];
const NAMES: [&str; 20] = [
    "chat_id",
    "message_id",
    "text",
    "parse_mode",
    "entities",
    "reply_markup",
    "photo",
    "media",
    "caption",
    "callback_query_id",
    "url",
    "secret_token",
    "max_connections",
    "allowed_updates",
    "commands",
    "scope",
    "language_code",
    "file_id",
    "message_ids",
    "reply_parameters",
];
const VALUES: [&str; 22] = [
    "1",
    "2",
    "0",
    "-9223372036854775808",
    "9223372036854775807",
    "@ada",
    "HTML",
    "<b>x<i>⛴</i></b>",
    "<a href=\"&#x110000;\">&",
    "[{\"type\":\"bold\",\"offset\":-1,\"length\":2147483647}]",
    "[{\"type\":\"bold\",\"offset\":2147483647,\"length\":2147483647}]",
    "{\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"b\"}]]}",
    "{\"inline_keyboard\":[[],[{}],7]}",
    "attach://photo",
    "photo-99999999999999999999",
    "{\"type\":\"photo\",\"media\":\"attach://x\"}",
    "http://127.0.0.1:99999/",
    "http://[::1]/x",
    "[\"message\"]",
    "[{\"command\":\"/start\",\"description\":\"x\"}]",
    "{\"type\":\"chat\",\"chat_id\":1}",
    "[1,-5,2147483647]",
];

fn world() -> World {
    let mut world = World::new(1, Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.add_user(User::new(ADA, "+1", "Ada"));
    world.add_bot(BOT, "ferry_bot", "Ferry", "79:x");
    world.say_to_bot(ADA, BOT, "/start @ada https://a.example").expect("she may");
    world
}

#[test]
fn any_body_is_read_or_refused() {
    check!().with_type::<(u8, Vec<u8>)>().for_each(|(kind, body)| {
        let kind = KINDS[usize::from(*kind) % KINDS.len()];
        let plain = Arguments::parse(None, Some(kind), body);
        let framed =
            [b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", &body[..], b"\r\n--X--\r\n"].concat();
        let framed = Arguments::parse(std::str::from_utf8(body).ok(), Some(KINDS[2]), &framed);
        for arguments in [plain, framed].into_iter().flatten() {
            drop(perform(&mut world(), BOT, "sendMessage", &arguments));
        }
    });
}

#[test]
fn any_html_gives_entities_within_its_text() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let Ok((text, entities)) = html::parse(&text) else { return };
        let (text, entities) = html::trimmed(&text, entities);
        let end = i32::try_from(text.encode_utf16().count()).expect("inputs are small");
        for it in entity::with_found(&text, &entities) {
            assert!(it.offset >= 0 && it.length > 0 && it.offset + it.length <= end, "{it:?} in {text:?}");
        }
        let again = html::parse(&html::render(&text, &entities)).expect("what is rendered can be read");
        assert_eq!(again.0, text);
    });
}

#[test]
fn any_calls_are_answered_and_the_chat_can_be_shown() {
    type Call = (u8, Vec<(u8, u8)>);
    check!().with_type::<Vec<Call>>().for_each(|calls| {
        let mut world = world();
        for (method, fields) in calls {
            let mut arguments = Arguments::default();
            arguments.set("chat_id", "1");
            for (name, value) in fields {
                let name = NAMES[usize::from(*name) % NAMES.len()];
                arguments.set(name, VALUES[usize::from(*value) % VALUES.len()]);
            }
            drop(perform(&mut world, BOT, METHODS[usize::from(*method) % METHODS.len()], &arguments));
        }
        for line in person::chat(&world, BOT, ADA) {
            assert!(line.text.encode_utf16().count() <= 4_096 && html::parse(&line.html).is_ok(), "{line:?}");
        }
        let ids: Vec<_> = person::pending(&world, BOT).iter().map(|update| update["update_id"].as_i64()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    });
}
