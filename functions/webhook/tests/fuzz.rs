//! Whatever is sent to the webhook's gate, it says what it takes it for and does not fall over.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use secrecy::SecretString;
use transfer::bot::Said;
use transfer::bot::telegram::read;
use transfer::ids::ChatId;
use webhook::gate::{Admins, Gate, Refused};

const SECRET: &str = "a-secret-of-the-tests_0123456789";
/// What may stand where: pieces of real updates, for a fuzzer that draws bytes.
const PIECES: [&str; 24] = [
    r#"{"update_id":7,"#,
    r#""message":{"message_id":3,"date":1700000000,"#,
    r#""edited_message":{"message_id":3,"date":1,"#,
    r#""callback_query":{"id":"9","chat_instance":"x","#,
    r#""chat":{"id":5,"type":"private","first_name":"A"},"#,
    r#""chat":{"id":-5,"type":"group","title":"G"},"#,
    r#""chat":{"id":-1001,"type":"channel","title":"C"}"#,
    r#""from":{"id":5,"is_bot":false,"first_name":"A"},"#,
    r#""from":{"id":9223372036854775808,"is_bot":false,"first_name":"A"},"#,
    r#""text":"/start","#,
    r#""text":"x","#,
    r#""data":"menu","#,
    r#""forward_origin":{"type":"channel","date":1600000000,"message_id":44,"#,
    r#""forward_origin":{"type":"hidden_user","date":-1,"sender_user_name":"S"},"#,
    r#""date":99999999999999,"#,
    r#""message":null,"#,
    r#""entities":[{"type":"bot_command","offset":0,"length":6}],"#,
    r#""reply_markup":{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]},"#,
    r#""x":[[[[{}]]]],"#,
    r#""y":0"#,
    "}",
    "}}",
    "\u{fffd}",
    "",
];

fn gate() -> Gate {
    Gate::new(&SecretString::from(SECRET), Admins::new([5]).unwrap()).unwrap()
}

#[test]
fn any_bytes_are_an_update_or_refused() {
    let gate = gate();
    bolero::check!().for_each(|body: &[u8]| {
        let _either = read(body);
        assert_eq!(gate.admit(None, body), Err(Refused::Stranger));
        if let Ok(Some(incoming)) = gate.admit(Some(SECRET.as_bytes()), body) {
            assert_eq!(incoming.chat, ChatId(5));
        }
    });
}

#[test]
fn any_mixture_of_an_updates_pieces_admits_the_admin_alone() {
    let gate = gate();
    bolero::check!().with_type::<Vec<u8>>().for_each(|draws: &Vec<u8>| {
        let body: String = draws.iter().map(|draw| PIECES[usize::from(*draw) % PIECES.len()]).collect();
        if let Ok(Some(incoming)) = gate.admit(Some(SECRET.as_bytes()), body.as_bytes()) {
            assert_eq!(incoming.chat, ChatId(5));
            assert!(!matches!(incoming.what, Said::Forwarded(origin) if origin.title.len() > body.len()));
        }
    });
}
