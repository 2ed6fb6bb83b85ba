use super::*;
use crate::time::{Clock, SimTime};
use crate::world::message::{EntityKind, Kind, Service};
use crate::world::{MessageId, history::Window};

const ONE: &str = r#"{
 "name": "Harbour", "type": "public_channel", "id": 1600000001,
 "messages": [
  {"id": 1, "type": "service", "date": "2023-01-02T03:04:05", "date_unixtime": "1672628645", "actor": "Harbour", "actor_id": "channel1600000001", "action": "create_channel", "title": "Harbour", "text": "", "text_entities": []},
  {"id": 2, "type": "message", "date": "2023-01-02T03:05:05", "date_unixtime": "1672628705", "from": "Harbour", "from_id": "channel1600000001", "text": ["see ", {"type": "text_link", "text": "this ⛴", "href": "https://example.org"}, " now"]},
  {"id": 4, "type": "message", "date": "2023-01-02T03:06:05", "date_unixtime": "1672628765", "from": "Harbour", "from_id": "channel1600000001", "photo": "photos/a.jpg", "width": 10, "height": 10, "text": "an album"},
  {"id": 5, "type": "message", "date": "2023-01-02T03:06:05", "date_unixtime": "1672628765", "from": "Harbour", "from_id": "channel1600000001", "file": "video_files/b.mp4", "media_type": "video_file", "mime_type": "video/mp4", "duration_seconds": 9, "text": ""},
  {"id": 6, "type": "message", "date": "2023-01-02T03:06:05", "date_unixtime": "1672628765", "from": "Harbour", "from_id": "channel1600000001", "file": "x.ogg", "media_type": "voice_message", "text": ""},
  {"id": 7, "type": "message", "date": "2023-01-02T03:07:05", "date_unixtime": "1672628825", "from": "Harbour", "from_id": "channel1600000001", "forwarded_from": "Elsewhere", "forwarded_from_id": "channel1600000009", "reply_to_message_id": 2, "text": "told there"},
  {"id": 8, "type": "message", "date": "2023-01-02T03:08:05", "date_unixtime": "1672628885", "from": "Harbour", "from_id": "channel1600000001", "poll": {"question": "When?", "closed": false, "total_voters": 3, "answers": [{"text": "now", "voters": 1, "chosen": false}, {"text": "later", "voters": 2, "chosen": true}]}, "text": ""}
 ]}"#;

fn world() -> World {
    let mut world = World::new(1, Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.add_user(User::new(UserId(7), "+1", "Ada"));
    world
}

#[test]
fn a_channel_keeps_ids_dates_kinds_and_holes() {
    let mut world = world();
    world.quirks = crate::world::quirks::Quirks::plain();
    let loading = Loading { members: vec![(UserId(7), Role::Creator)], ..Loading::default() };
    let loaded = load(&mut world, ONE.as_bytes(), &loading).unwrap();
    let id = ChatId::channel(1_600_000_001);
    assert_eq!(loaded, vec![Loaded { id, title: "Harbour".into(), messages: 7 }]);
    let page = world.history(UserId(7), id, Window { limit: 100, ..Window::default() }).unwrap();
    assert_eq!(page.ids.iter().map(|id| id.0).collect::<Vec<_>>(), vec![8, 7, 6, 5, 4, 2, 1]);
    let message = |id| world.message(UserId(7), ChatId::channel(1_600_000_001), MessageId(id)).unwrap().into_owned();
    let kinds: Vec<Kind> = [1, 2, 4, 5, 6, 7, 8].map(|id| message(id).kind()).to_vec();
    assert_eq!(kinds, vec![Kind::Service, Kind::Text, Kind::Photo, Kind::Video, Kind::Voice, Kind::Text, Kind::Poll]);
    assert_eq!(message(1).service(), Some(&Service::ChannelCreate { title: "Harbour".into() }));
    assert_eq!(message(2).date, 1_672_628_705);
    assert_eq!(message(2).text.as_str(), "see this ⛴ now");
    let entity = message(2).extra.unwrap().entities[0].clone();
    assert_eq!((entity.offset, entity.length), (4, 6));
    assert_eq!(entity.kind, EntityKind::TextUrl { url: "https://example.org".into() });
    assert_eq!(message(7).forward.named(), Some(ChatId::channel(1_600_000_009)));
    assert_eq!(message(7).reply().unwrap().to, Some(MessageId(2)));
    assert!(message(4).group != 0 && message(4).group == message(5).group);
    assert_eq!(message(6).group, 0, "voice messages are never in an album");
}

#[test]
fn an_account_has_several_chats_and_its_own_ids() {
    let all = r#"{"about": "x", "personal_information": {"user_id": 7}, "chats": {"about": "y", "list": [
      {"name": "Ben", "type": "personal_chat", "id": 9, "messages": [
        {"id": 11, "type": "message", "date_unixtime": "1672628645", "from": "Ben", "from_id": "user9", "text": "hi"},
        {"id": 14, "type": "message", "date_unixtime": "1672628945", "from": "Ada", "from_id": "user7", "text": "ho"}]},
      {"name": "Crew", "type": "private_group", "id": 44, "messages": [
        {"id": -5, "type": "message", "date_unixtime": "1", "from": "Ben", "from_id": "user9", "text": "old"},
        {"id": 12, "type": "message", "date_unixtime": "1672628700", "from": "Ben", "from_id": "user9", "text": "all"}]}]}}"#;
    let mut world = world();
    let loaded = load(&mut world, all.as_bytes(), &Loading { owner: Some(UserId(7)), ..Loading::default() }).unwrap();
    assert_eq!(loaded.iter().map(|chat| (chat.id.0, chat.messages)).collect::<Vec<_>>(), vec![(9, 2), (-44, 1)]);
    world.quirks.short_history_pages = false;
    let window = Window { limit: 10, ..Window::default() };
    let ids = |world: &mut World, chat| world.history(UserId(7), chat, window).unwrap().ids;
    assert_eq!(ids(&mut world, ChatId(9)), vec![MessageId(14), MessageId(11)]);
    assert_eq!(ids(&mut world, ChatId(-44)), vec![MessageId(12)]);
    assert_eq!(world.users[&UserId(9)].first_name, "Ben");
}

#[test]
fn a_broken_file_names_the_place() {
    let cases = [
        (
            ONE.replace("\"1672628765\", \"from\"", "\"soon\", \"from\""),
            vec!["message 4 of chat 'Harbour'", "date_unixtime", "line"],
        ),
        (ONE.replace("\"id\": 4,", "\"id\": 0,"), vec!["message 0", "ids start at 1"]),
        (ONE.replace("\"id\": 6", "\"id\": 5"), vec!["message 5", "ids have to grow"]),
        (ONE.replace("\"voice_message\"", "\"smell\""), vec!["message 6", "media_type", "smell"]),
        (ONE.replace("\"id\": 2,", "\"id\": \"two\","), vec!["number 2", "'id'", "whole number"]),
        (ONE[..ONE.len() - 40].to_owned(), vec!["after message 7 of chat 'Harbour'", "line 10"]),
        ("{}".to_owned(), vec!["no chat"]),
        ("[1]".to_owned(), vec!["line 1", "export"]),
        (ONE.replace("public_channel", "fish"), vec!["Harbour", "'type'", "fish"]),
    ];
    for (json, words) in cases {
        let error = parse(json.as_bytes()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "'{word}' is not in: {error}");
        }
    }
}

#[test]
fn a_broken_file_changes_nothing() {
    let mut world = world();
    let broken = ONE.replace("\"id\": 8", "\"id\": 3");
    load(&mut world, broken.as_bytes(), &Loading::default()).unwrap_err();
    assert!(world.chats.is_empty() && world.users.len() == 1);
}

#[test]
fn an_album_has_ten_members_at_most() {
    let photos: Vec<String> = (1..=23)
        .map(|id| {
            format!(r#"{{"id": {id}, "type": "message", "date_unixtime": "1672628645", "photo": "p.jpg", "text": ""}}"#)
        })
        .collect();
    let json = format!(r#"{{"name": "P", "type": "private_channel", "id": 5, "messages": [{}]}}"#, photos.join(","));
    let chat = parse(json.as_bytes()).unwrap().remove(0);
    let mut sizes = BTreeMap::<i64, usize>::new();
    for message in &chat.messages {
        *sizes.entry(message.group).or_default() += 1;
    }
    assert_eq!(sizes.into_values().collect::<Vec<_>>(), vec![10, 10, 3]);
}
