//! Export files: any bytes, damaged exports, and exports put together of plausible and absurd parts.

use bolero::check;
use simulator::export::{Loading, load, parse};
use simulator::time::{Clock, SimTime};
use simulator::world::chat::Role;
use simulator::world::history::Window;
use simulator::world::user::User;
use simulator::world::{UserId, World};

const ADA: UserId = UserId(7);

/// A small export with one of everything.
const GOOD: &str = r#"{"name":"Harbour","type":"public_channel","id":1600000001,"messages":[
{"id":1,"type":"service","date_unixtime":"1672628645","actor":"Harbour","action":"create_channel","title":"Harbour","text":""},
{"id":2,"type":"message","date_unixtime":"1672628705","from":"Ben","from_id":"user9","text":["see ",{"type":"text_link","text":"this","href":"https://example.org"}]},
{"id":4,"type":"message","date_unixtime":"1672628765","photo":"a.jpg","text":"album"},
{"id":5,"type":"message","date_unixtime":"1672628765","file":"b.mp4","media_type":"video_file","duration_seconds":9,"text":""},
{"id":7,"type":"message","date":"2023-01-02T03:05:05","forwarded_from":"Elsewhere","forwarded_from_id":"channel1600000009","reply_to_message_id":2,"text":"told"},
{"id":8,"type":"message","date_unixtime":"1672628885","poll":{"question":"When?","answers":[{"text":"now"}]},"text":""}]}"#;

const KEYS: [&str; 16] = [
    "id",
    "type",
    "date_unixtime",
    "date",
    "from",
    "from_id",
    "text",
    "photo",
    "media_type",
    "duration_seconds",
    "forwarded_from",
    "forwarded_from_id",
    "reply_to_message_id",
    "edited_unixtime",
    "action",
    "file_size",
];
const VALUES: [&str; 20] = [
    "\"message\"",
    "\"service\"",
    "\"1672628645\"",
    "\"-99999999999\"",
    "\"2147483647\"",
    "\"user9\"",
    "\"user-1\"",
    "\"channel9223372036854775807\"",
    "\"channel-9223372036854775808\"",
    "\"user9223372036854775807\"",
    "9223372036854775807",
    "-9223372036854775808",
    "2147483647",
    "0",
    "null",
    "[\"a\",{\"type\":\"bold\",\"text\":\"⛴\"}]",
    "\"video_file\"",
    "\"0000-01-01T00:00:00\"",
    "1e300",
    "\"\"",
];
const CHATS: [&str; 4] = ["public_channel", "personal_chat", "private_group", "private_supergroup"];
const IDS: [&str; 6] = ["1", "9", "1600000001", "999999999999", "9223372036854775807", "-9223372036854775808"];

/// Reads it, puts it into a world, and looks at what came of it.
fn bring(json: &[u8]) {
    let Ok(chats) = parse(json) else { return };
    for chat in &chats {
        assert!(chat.messages.is_sorted_by(|a, b| a.id < b.id), "ids have to grow");
    }
    let mut world = World::new(1, Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.add_user(User::new(ADA, "+1", "Ada"));
    let loading = Loading { owner: Some(ADA), members: vec![(ADA, Role::Creator)], username: None };
    for chat in load(&mut world, json, &loading).expect("what was read is loaded") {
        drop(world.history(ADA, chat.id, Window { limit: 100, ..Window::default() }));
    }
}

fn pick<'v>(from: &[&'v str], choice: u8) -> &'v str {
    from[usize::from(choice) % from.len()]
}

#[test]
fn any_bytes_are_an_export_or_none() {
    check!().for_each(|bytes: &[u8]| bring(bytes));
}

#[test]
fn a_damaged_export_is_loaded_or_refused() {
    bring(GOOD.as_bytes());
    assert!(parse(GOOD.as_bytes()).is_ok());
    check!().with_type::<Vec<(u16, u8, u8)>>().for_each(|damages| {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (place, how, byte) in damages.iter().take(3) {
            let place = usize::from(*place) % bytes.len().max(1);
            match how % 4 {
                0 if place < bytes.len() => bytes[place] = *byte,
                1 if place < bytes.len() => drop(bytes.drain(place..=place)),
                2 => bytes.truncate(place),
                _ => bytes.insert(place, b'0' + byte % 10),
            }
        }
        bring(&bytes);
    });
}

#[test]
fn absurd_values_in_their_places_are_loaded_or_refused() {
    type Message = Vec<(u8, u8)>;
    check!().with_type::<(u8, u8, Vec<Message>)>().for_each(|(kind, id, messages)| {
        let message = |(number, fields): (usize, &Message)| {
            // What makes a message comes first; a field that stands twice is the later one.
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!(",\"{}\":{}", pick(&KEYS, *key), pick(&VALUES, *value)))
                .collect();
            format!(
                r#"{{"id":{},"type":"message","date_unixtime":"1672628645","text":""{}}}"#,
                number + 1,
                fields.concat()
            )
        };
        let messages: Vec<String> = messages.iter().enumerate().map(message).collect();
        let (kind, id) = (pick(&CHATS, *kind), pick(&IDS, *id));
        bring(format!(r#"{{"name":"x","type":"{kind}","id":{id},"messages":[{}]}}"#, messages.join(",")).as_bytes());
    });
}
