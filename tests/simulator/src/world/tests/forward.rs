use super::*;
use crate::world::chat::{Banned, Topic};
use crate::world::message::{Forward, Kind, Poll};
use crate::world::quirks::SourceChanged;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

#[test]
fn copies_keep_order_text_and_origin() {
    let mut world = world(&texts(3));
    let done = world.call_forward(&BEN, &request(&[1, 2, 3])).result.unwrap();
    assert_eq!(done.ids, vec![(1_001, MessageId(1)), (1_002, MessageId(2)), (1_003, MessageId(3))]);
    let copies = in_target(&world);
    assert_eq!(copies[1].text.as_str(), "text 2");
    let date = world.message(UserId(2), SOURCE, MessageId(2)).unwrap().date;
    assert_eq!(copies[1].forward, Forward::Post { channel: 1_500_000_001, post: MessageId(2), date });
    assert_eq!(copies[1].source, Some((SOURCE, MessageId(2))));
    assert_eq!((copies[1].by, copies[1].random_id), (UserId(2), 1_002));
}

#[test]
fn what_cannot_be_forwarded_is_skipped_and_gets_no_id() {
    let mut drafts = texts(2);
    drafts.push(service());
    drafts.extend(texts(1));
    let mut world = world(&drafts);
    world.delete_in_channel(&ADA, SOURCE, &[MessageId(2)]).unwrap();
    let done = world.call_forward(&BEN, &request(&[1, 2, 3, 4, 99])).result.unwrap();
    assert_eq!(done.ids, vec![(1_001, MessageId(1)), (1_004, MessageId(2))]);
    assert_eq!(world.audit.entries().last().unwrap().outcome_text(), "partial 2/5");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[2, 3]))), "MESSAGE_ID_INVALID");
}

#[test]
fn one_bad_id_can_refuse_all() {
    let mut world = world(&texts(2));
    world.quirks.one_bad_id_refuses_all = true;
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 99]))), "MESSAGE_ID_INVALID");
    assert!(in_target(&world).is_empty());
}

#[test]
fn the_shape_of_a_call_is_checked() {
    let mut world = world(&texts(120));
    let all: Vec<i32> = (1..=101).collect();
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[]))), "MESSAGE_IDS_EMPTY");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&all))), "RANDOM_ID_INVALID");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[2, 1]))), "MESSAGE_ID_INVALID");
    let short = ForwardRequest { random_ids: vec![5], ..request(&[1, 2]) };
    assert_eq!(refusal(world.call_forward(&BEN, &short)), "RANDOM_ID_INVALID");
    let twice = ForwardRequest { random_ids: vec![5, 5], ..request(&[1, 2]) };
    assert_eq!(refusal(world.call_forward(&BEN, &twice)), "RANDOM_ID_INVALID");
    assert!(world.call_forward(&BEN, &request(&all[..100])).result.is_ok());
}

#[test]
fn albums_stay_whole_in_one_call_and_lone_members_are_detached() {
    let drafts = [photo(5, "a"), photo(5, ""), photo(5, ""), photo(6, "b"), photo(6, "")];
    let mut world = world(&drafts);
    world.call_forward(&BEN, &request(&[1, 2, 3, 4])).result.unwrap();
    let copies = in_target(&world);
    assert!(copies[0].group != 0 && copies[0].group != 5, "a new number");
    assert!(copies[..3].iter().all(|copy| copy.group == copies[0].group));
    assert_eq!(copies[3].group, 0, "one member alone is no album");
    world.call_forward(&BEN, &request(&[5])).result.unwrap();
    assert_eq!(in_target(&world)[4].group, 0);
}

#[test]
fn a_repeat_gives_the_earlier_result_and_makes_nothing() {
    let mut world = world(&texts(3));
    let first = world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
    let again = world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
    assert_eq!((again.ids, again.earlier.len(), again.events.len()), (first.ids, 2, 0));
    assert_eq!(in_target(&world).len(), 2);
    assert!(world.audit.entries().last().unwrap().repeat);
    world.call_forward(&ADA, &request(&[1, 2])).result.unwrap();
    assert_eq!(in_target(&world).len(), 4, "random ids are remembered per account");
    world.quirks.repeat_answers_duplicate = true;
    let done = world.call_forward(&BEN, &request(&[1, 2]));
    assert_eq!(done.result.unwrap_err().to_string(), "500 RANDOM_ID_DUPLICATE");
}

#[test]
fn a_repeat_survives_deletion_of_source_and_copy() {
    let mut world = world(&texts(2));
    world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
    world.delete_in_channel(&ADA, SOURCE, &[MessageId(1)]).unwrap();
    world.delete_in_channel(&ADA, TARGET, &[MessageId(2)]).unwrap();
    let again = world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
    assert_eq!(again.ids.len(), 2);
    assert_eq!(world.chat(TARGET).unwrap().all_created().count(), 2);
}

#[test]
fn a_forward_of_a_forward_keeps_its_first_origin() {
    let mut world = world(&texts(1));
    world.call_forward(&BEN, &request(&[1])).result.unwrap();
    let onward = ForwardRequest::new(TARGET, GROUP, vec![MessageId(1)], vec![9]);
    world.call_forward(&BEN, &onward).result.unwrap();
    let copy = world.mailbox_message(UserId(1), MessageId(1)).unwrap();
    assert!(matches!(copy.forward, Forward::Post { channel: 1_500_000_001, post: MessageId(1), .. }));
    assert_eq!(copy.source, Some((TARGET, MessageId(1))));
}

#[test]
fn dropping_the_author_drops_the_header_and_captions_only_with_it() {
    let mut world = world(&[photo(0, "a caption")]);
    world.call_forward(&BEN, &ForwardRequest { drop_media_captions: true, ..request(&[1]) }).result.unwrap();
    let bare = ForwardRequest { drop_author: true, drop_media_captions: true, random_ids: vec![7], ..request(&[1]) };
    world.call_forward(&BEN, &bare).result.unwrap();
    let copies = in_target(&world);
    assert_eq!((copies[0].text.as_str().as_ref(), copies[0].forward.is_some()), ("a caption", true));
    assert_eq!((copies[1].text.as_str().as_ref(), copies[1].forward.is_some()), ("", false));
}

#[test]
fn protected_chats_and_messages_are_not_forwarded() {
    let mut world = world(&[Draft::text("open"), Draft { noforwards: true, ..Draft::text("closed") }]);
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 2]))), "CHAT_FORWARDS_RESTRICTED");
    world.chats.get_mut(&SOURCE).unwrap().noforwards = true;
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "CHAT_FORWARDS_RESTRICTED");
    assert!(in_target(&world).is_empty());
}

#[test]
fn rights_decide_and_a_refusal_changes_nothing() {
    let mut world = world(&[Draft::text("a"), photo(0, "")]);
    let role = |world: &mut World, chat, role| world.chats.get_mut(&chat).unwrap().put(UserId(2), role, SimTime(0));
    role(&mut world, TARGET, Role::Member);
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "CHAT_ADMIN_REQUIRED");
    role(&mut world, TARGET, Role::Banned);
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "CHANNEL_PRIVATE");
    world.chats.get_mut(&TARGET).unwrap().kind = ChatKind::Supergroup;
    role(&mut world, TARGET, Role::Restricted(Banned { everything: true, ..Banned::default() }));
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "USER_BANNED_IN_CHANNEL");
    role(&mut world, TARGET, Role::Restricted(Banned { kinds: BTreeSet::from([Kind::Photo]), ..Banned::default() }));
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 2]))), "CHAT_SEND_PHOTOS_FORBIDDEN");
    role(&mut world, TARGET, Role::Member);
    world.chats.get_mut(&TARGET).unwrap().default_banned.everything = true;
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "CHAT_WRITE_FORBIDDEN");
    role(&mut world, SOURCE, Role::Left);
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "CHANNEL_PRIVATE");
    assert_eq!(
        refusal(world.call_forward(&BEN, &ForwardRequest { from: ChatId::channel(5), ..request(&[1]) })),
        "CHANNEL_INVALID"
    );
    assert!(in_target(&world).is_empty());
}

#[test]
fn slow_mode_waits_and_takes_one_message_at_a_time() {
    let mut world = world(&texts(3));
    let target = world.chats.get_mut(&TARGET).unwrap();
    (target.kind, target.slow_mode_secs) = (ChatKind::Supergroup, 30);
    target.put(UserId(2), Role::Member, SimTime(0));
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 2]))), "SLOWMODE_MULTI_MSGS_DISABLED");
    world.call_forward(&BEN, &request(&[1])).result.unwrap();
    world.clock.advance(std::time::Duration::from_millis(10_500));
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[2]))), "SLOWMODE_WAIT_20");
    world.clock.advance(std::time::Duration::from_millis(19_500));
    world.call_forward(&BEN, &request(&[2])).result.unwrap();
    world.call_forward(&ADA, &request(&[1, 2, 3])).result.unwrap();
}

#[test]
fn topics_can_be_named_closed_and_gone() {
    let mut world = world(&texts(3));
    let target = world.chats.get_mut(&TARGET).unwrap();
    target.kind = ChatKind::Forum;
    target.put(UserId(2), Role::Member, SimTime(0));
    for (id, closed, deleted) in [(2, false, false), (3, true, false), (4, false, true)] {
        target.topics.insert(MessageId(id), Topic { title: "t".into(), closed, deleted });
    }
    let to = |topic: i32| ForwardRequest { topic: Some(MessageId(topic)), ..request(&[1]) };
    assert_eq!(refusal(world.call_forward(&BEN, &to(3))), "TOPIC_CLOSED");
    assert_eq!(refusal(world.call_forward(&BEN, &to(4))), "TOPIC_DELETED");
    assert_eq!(refusal(world.call_forward(&BEN, &to(5))), "TOPIC_DELETED");
    world.call_forward(&BEN, &to(2)).result.unwrap();
    assert_eq!(in_target(&world)[0].reply().unwrap().topic, Some(MessageId(2)));
}

#[test]
fn polls_with_public_voters_do_not_go_into_channels() {
    let poll = Poll { id: 1, question: "?".into(), answers: vec![], quiz: false, public_voters: true, closed: false };
    let extra = Extra { media: Some(Media::Poll(Arc::new(poll))), ..Extra::default() };
    let mut world = world(&[Draft { extra: Some(Box::new(extra)), ..Draft::default() }]);
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1]))), "BROADCAST_PUBLIC_VOTERS_FORBIDDEN");
}

proptest! {
    /// Whatever the holes, albums and calls, the target is the source's forwardable messages in order, albums whole when
    /// they went whole, each once.
    #[test]
    fn every_message_arrives_once_and_in_order(
        kinds in proptest::collection::vec(0..4_u8, 1..80),
        cuts in proptest::collection::vec(1..100_usize, 1..20),
        repeats in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let drafts: Vec<Draft> = kinds.iter().zip(0_i64..).map(|(kind, n)| match kind {
            0 => Draft::text("t"),
            1 => photo(1 + n / 4, ""),
            2 => service(),
            _ => Draft::text("gone"),
        }).collect();
        let mut world = world(&drafts);
        let ids = |wanted: u8| kinds.iter().zip(1..).filter(move |(kind, _)| **kind == wanted).map(|(_, id)| MessageId(id));
        world.delete_in_channel(&ADA, SOURCE, &ids(3).collect::<Vec<_>>()).unwrap();
        let all: Vec<i32> = (1..=i32::try_from(kinds.len()).unwrap()).collect();
        let mut rest = &all[..];
        for (cut, repeat) in cuts.iter().cycle().zip(repeats.iter().cycle()) {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            rest = later;
            let first = world.call_forward(&BEN, &request(now)).result;
            if *repeat {
                prop_assert_eq!(world.call_forward(&BEN, &request(now)).result.map(|done| done.ids), first.map(|done| done.ids));
            }
            if rest.is_empty() { break }
        }
        let wanted: Vec<MessageId> = kinds.iter().zip(1..).filter(|(kind, _)| **kind < 2).map(|(_, id)| MessageId(id)).collect();
        let arrived: Vec<MessageId> = in_target(&world).iter().map(|copy| copy.source.unwrap().1).collect();
        prop_assert_eq!(arrived, wanted);
    }
}

#[test]
fn a_message_that_nobody_can_forward_refuses_the_call() {
    let mut world = world(&texts(3));
    world.unforwardable.insert((SOURCE, MessageId(2)), "MEDIA_EMPTY");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 2, 3]))), "MEDIA_EMPTY");
    assert!(in_target(&world).is_empty());
    assert!(world.call_forward(&BEN, &request(&[1, 3])).result.is_ok());
}

#[test]
fn a_repeat_after_the_source_changed_is_answered_either_way() {
    for (quirk, refused) in [(SourceChanged::AsEver, false), (SourceChanged::MessageIdInvalid, true)] {
        let mut world = world(&texts(3));
        world.quirks.repeat_after_source_changed = quirk;
        world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
        assert!(world.call_forward(&BEN, &request(&[1, 2])).result.is_ok(), "nothing has changed yet");
        world.delete_in_channel(&ADA, SOURCE, &[MessageId(2)]).unwrap();
        let done = world.call_forward(&BEN, &request(&[1, 2]));
        assert!(world.audit.entries().last().unwrap().repeat);
        match done.result {
            Ok(earlier) => assert!(!refused && earlier.ids.len() == 2),
            Err(error) => assert!(refused && error.message == "MESSAGE_ID_INVALID"),
        }
        assert_eq!(in_target(&world).len(), 2);
    }
}

#[test]
fn a_held_forward_is_in_flight_until_it_is_carried_out() {
    let mut world = world(&texts(3));
    let held = world.accept_forward(&BEN, request(&[1, 2])).expect("it is accepted");
    assert_eq!(world.audit.entry(held.audit()).unwrap().outcome_text(), "open");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[1, 2]))), "RANDOM_ID_DUPLICATE");
    assert_eq!(refusal(world.call_forward(&BEN, &request(&[2, 3]))), "RANDOM_ID_DUPLICATE");
    assert!(in_target(&world).is_empty());
    let audit = held.audit();
    assert_eq!(world.carry_out(held).result.unwrap().ids.len(), 2);
    let entry = world.audit.entry(audit).unwrap();
    assert!(entry.was_applied() && entry.applied == 2);
    assert_eq!(world.call_forward(&BEN, &request(&[1, 2])).result.unwrap().ids.len(), 2);
    assert_eq!(in_target(&world).len(), 2);
}

#[test]
fn a_wait_refuses_what_arrives_and_not_what_was_accepted_before() {
    let mut world = world(&texts(3));
    let held = world.accept_forward(&BEN, request(&[1])).expect("it is accepted");
    let script = r#"{"account": 2, "code": 420, "message": "FLOOD_WAIT_50"}"#;
    world.floods.script(serde_json::from_str(script).unwrap());
    let refused = world.accept_forward(&BEN, request(&[2])).expect_err("it is told to wait");
    assert_eq!(refused.result.unwrap_err().message, "FLOOD_WAIT_50");
    assert!(world.carry_out(held).result.is_ok());
    assert!(world.audit.during_wait().next().is_none(), "the first call came before the wait");
}
