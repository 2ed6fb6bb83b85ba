use super::*;
use crate::scenario::{FIRST_ACCOUNT, SOURCE, TARGET, transfer};
use crate::time::{Clock, SimTime};
use crate::world::generated::Mix;
use crate::world::quirks::Quirks;
use crate::world::{ChatId, Peer};
use grammers_tl_types::{RemoteCall, enums, types};
use proptest::prelude::*;

fn world(messages: i32) -> World {
    let mut world = transfer(3, 2, messages, Mix::default(), Clock::virtual_at(SimTime(1_700_000_000_000)));
    world.quirks = Quirks::plain();
    world
}

fn caller(user: Option<UserId>) -> Caller {
    Caller { auth_key: AuthKeyId(1), session: SessionId(2), dc: 2, layer: 230, user, connection: 1 }
}

fn ask<R: RemoteCall>(world: &mut World, request: &R) -> Rpc<R::Return>
where
    R::Return: Deserializable,
{
    let answer = handle(world, &caller(Some(FIRST_ACCOUNT)), &request.to_bytes());
    answer.body.map(|body| R::Return::from_bytes(&body).expect("the answer decodes"))
}

fn input(world: &World, viewer: UserId, chat: ChatId) -> enums::InputPeer {
    let Peer::Channel(channel_id) = chat.peer() else { panic!("{chat} is no channel") };
    types::InputPeerChannel { channel_id, access_hash: world.access_hash(viewer, chat) }.into()
}

fn forward(world: &World, ids: Vec<i32>) -> f::messages::ForwardMessages {
    f::messages::ForwardMessages {
        silent: false,
        background: false,
        with_my_score: false,
        drop_author: false,
        drop_media_captions: false,
        noforwards: false,
        allow_paid_floodskip: false,
        from_ephemeral: false,
        from_peer: input(world, FIRST_ACCOUNT, SOURCE),
        random_id: ids.iter().map(|id| 5_000 + i64::from(*id)).collect(),
        id: ids,
        to_peer: input(world, FIRST_ACCOUNT, TARGET),
        top_msg_id: None,
        reply_to: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        video_timestamp: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

fn history(world: &World, offset_id: i32, add_offset: i32) -> f::messages::GetHistory {
    let peer = input(world, FIRST_ACCOUNT, SOURCE);
    f::messages::GetHistory { peer, offset_id, offset_date: 0, add_offset, limit: 100, max_id: 0, min_id: 0, hash: 0 }
}

#[test]
fn a_forward_names_every_id_and_lists_every_origin() {
    let mut world = world(300);
    let request = forward(&world, (1..=100).collect());
    let Ok(enums::Updates::Updates(updates)) = ask(&mut world, &request) else { panic!("no updates") };
    let ids = updates.updates.iter().filter(|update| matches!(update, enums::Update::MessageId(_))).count();
    let listed: Vec<i64> = updates.chats.iter().map(enums::Chat::id).collect();
    let mut made = 0;
    for update in &updates.updates {
        let enums::Update::NewChannelMessage(new) = update else { continue };
        let enums::Message::Message(message) = &new.message else { panic!("a service message was made") };
        made += 1;
        assert!(message.post && message.from_id.is_none());
        let Some(enums::MessageFwdHeader::Header(header)) = &message.fwd_from else { panic!("no header") };
        let Some(enums::Peer::Channel(origin)) = &header.from_id else { panic!("no origin") };
        assert!(listed.contains(&origin.channel_id), "{} is not listed", origin.channel_id);
    }
    assert!(made > 80 && made == ids, "{made} made, {ids} named");
    let Ok(enums::Updates::Updates(again)) = ask(&mut world, &request) else { panic!("no updates") };
    assert_eq!(again.updates, updates.updates, "a repeat answers the same");
}

#[test]
fn history_upward_meets_every_message_and_decodes() {
    let mut world = world(1_000);
    let (mut cursor, mut seen) = (0, 0);
    loop {
        let request = history(&world, cursor + 1, -100);
        let Ok(enums::messages::Messages::ChannelMessages(page)) = ask(&mut world, &request) else { panic!("no page") };
        let Some(newest) = page.messages.first() else { break };
        cursor = newest.id();
        seen += page.messages.len();
    }
    assert_eq!(seen, world.chat(SOURCE).unwrap().history.len());
}

#[test]
fn another_accounts_access_hash_is_refused() {
    let mut world = world(10);
    let stranger = UserId(FIRST_ACCOUNT.0 + 1);
    let request = f::messages::GetHistory { peer: input(&world, stranger, SOURCE), ..history(&world, 0, 0) };
    assert_eq!(ask(&mut world, &request).unwrap_err().message, "CHANNEL_INVALID");
}

#[test]
fn sending_editing_and_differences_go_together() {
    let mut world = world(10);
    let peer = input(&world, FIRST_ACCOUNT, TARGET);
    let send = f::messages::SendMessage {
        no_webpage: false,
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer,
        reply_to: None,
        message: "hello".into(),
        random_id: 77,
        reply_markup: None,
        entities: Some(vec![types::MessageEntityBold { offset: 0, length: 5 }.into()]),
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
        rich_message: None,
    };
    ask(&mut world, &send).unwrap();
    let Peer::Channel(channel_id) = TARGET.peer() else { unreachable!() };
    let channel = types::InputChannel { channel_id, access_hash: world.access_hash(FIRST_ACCOUNT, TARGET) };
    let request = f::updates::GetChannelDifference {
        force: false,
        channel: channel.into(),
        filter: enums::ChannelMessagesFilter::Empty,
        pts: 1,
        limit: 100,
    };
    let Ok(enums::updates::ChannelDifference::Difference(difference)) = ask(&mut world, &request) else {
        panic!("none")
    };
    assert_eq!(difference.pts, 2);
    assert!(matches!(
        difference.other_updates[..],
        [enums::Update::MessageId(types::UpdateMessageId { id: 1, random_id: 77 })]
    ));
    let enums::Message::Message(message) = &difference.new_messages[0] else { panic!("no message") };
    assert_eq!((message.message.as_str(), message.entities.as_ref().map(Vec::len)), ("hello", Some(1)));
}

#[test]
fn what_is_read_can_be_asked_of_every_full_object() {
    let mut world = world(50);
    let Peer::Channel(channel_id) = SOURCE.peer() else { unreachable!() };
    let channel: enums::InputChannel =
        types::InputChannel { channel_id, access_hash: world.access_hash(FIRST_ACCOUNT, SOURCE) }.into();
    ask(&mut world, &f::channels::GetFullChannel { channel: channel.clone() }).unwrap();
    let participant = enums::InputPeer::PeerSelf;
    ask(&mut world, &f::channels::GetParticipant { channel, participant }).unwrap();
    ask(&mut world, &f::users::GetFullUser { id: enums::InputUser::UserSelf }).unwrap();
    let (offset_peer, folder_id) = (enums::InputPeer::Empty, None);
    let dialogs = f::messages::GetDialogs {
        exclude_pinned: false,
        folder_id,
        offset_date: 0,
        offset_id: 0,
        offset_peer,
        limit: 10,
        hash: 0,
    };
    let Ok(enums::messages::Dialogs::Dialogs(dialogs)) = ask(&mut world, &dialogs) else { panic!("no dialogs") };
    assert_eq!(dialogs.dialogs.len(), 2);
    ask(&mut world, &f::help::GetConfig {}).unwrap();
    ask(&mut world, &f::help::GetAppConfig { hash: 0 }).unwrap();
    ask(&mut world, &f::updates::GetState {}).unwrap();
    let resolve = f::contacts::ResolveUsername { username: "Source".into(), referer: None };
    ask(&mut world, &resolve).unwrap();
}

#[test]
fn older_layers_get_the_names_they_know() {
    let mut world = world(10);
    let request = f::users::GetUsers { id: vec![enums::InputUser::UserSelf] }.to_bytes();
    let answer = |world: &mut World, layer| {
        handle(world, &Caller { layer, ..caller(Some(FIRST_ACCOUNT)) }, &request).body.unwrap()
    };
    let (new, old) = (answer(&mut world, 230), answer(&mut world, 227));
    let differing: Vec<usize> = (0..new.len()).filter(|at| new[*at] != old[*at]).collect();
    assert!(!differing.is_empty() && differing.iter().all(|at| (8..12).contains(at)), "{differing:?}");
}

#[test]
fn unknown_calls_are_refused_and_noted_and_strangers_are_unregistered() {
    let mut world = world(10);
    let request = f::account::GetAuthorizations {}.to_bytes();
    let unknown = f::messages::GetAllStickers { hash: 0 }.to_bytes();
    assert_eq!(handle(&mut world, &caller(Some(FIRST_ACCOUNT)), &unknown).body.unwrap_err().message, "METHOD_INVALID");
    assert_eq!(world.audit.entries().last().unwrap().method, "messages.getAllStickers");
    let nobody = handle(&mut world, &caller(None), &request);
    assert_eq!(nobody.body.unwrap_err().message, "AUTH_KEY_UNREGISTERED");
}

proptest! {
    #[test]
    fn no_bytes_make_it_fall_over(junk in proptest::collection::vec(any::<u8>(), 0..200), at in 0..400_usize, flip in 1..=255_u8) {
        let mut world = world(50);
        let me = caller(Some(FIRST_ACCOUNT));
        // Whatever is answered, it is an answer.
        let _first = handle(&mut world, &me, &junk);
        let mut request = forward(&world, (1..=20).collect()).to_bytes();
        let at = at % request.len();
        request[at] ^= flip;
        let _second = handle(&mut world, &me, &request);
        request.truncate(at);
        request.extend(&junk);
        let _third = handle(&mut world, &me, &request);
        let mut page = history(&world, 10, -10).to_bytes();
        let at = at % page.len();
        page[at] ^= flip;
        let _fourth = handle(&mut world, &me, &page);
    }
}
