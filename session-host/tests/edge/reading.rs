//! History windows, messages by id, peers.

use jiff::Timestamp;
use session_host::telegram::CallError;
use simulator::world::ChatId;
use simulator::world::chat::{Banned, Role};
use simulator::world::generated::Mix;
use transfer::address::PeerAddress;
use transfer::ids::{MessageId, PeerId, PeerKind};
use transfer::message::{Body, Kind};
use transfer::refusal::Meaning;

use crate::rig::{ANN, BEN, CLEO, Rig, SOURCE, SOURCE_LEN, TARGET, named, world};

/// What the world holds above `after`, ascending.
fn expected(rig: &Rig, after: i32) -> Vec<i32> {
    rig.simulator.with_world(|world| {
        let chat = world.chat(ChatId::channel(SOURCE)).unwrap();
        chat.history
            .all()
            .filter(|message| !message.deleted && message.id.0 > after)
            .map(|message| message.id.0)
            .collect()
    })
}

#[tokio::test]
async fn history_is_read_upward_without_gap_or_double_whatever_the_window() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let source = named(&*ann, "source").await;
    for limit in [1, 7, 30, 100] {
        let mut read = Vec::new();
        let mut after = MessageId(if limit == 1 { SOURCE_LEN - 12 } else { 0 });
        let start = after.0;
        loop {
            let page = ann.history(&source, after, limit).await.unwrap();
            assert!(page.len() <= limit as usize && page.is_sorted_by_key(|message| message.id));
            let Some(last) = page.last() else { break };
            after = last.id;
            read.extend(page.iter().map(|message| message.id.0));
        }
        assert_eq!(read, expected(&rig, start), "pages of {limit}");
    }
    let page = ann.history(&source, MessageId(120), 30).await.unwrap();
    let first: Vec<i32> = page.iter().map(|message| message.id.0).collect();
    assert_eq!(first, expected(&rig, 120)[..30]);
    ann.close().await;
}

#[tokio::test]
async fn messages_carry_what_selection_and_settling_need() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let source = named(&*ann, "source").await;
    let mut all = Vec::new();
    let mut after = MessageId(0);
    loop {
        let page = ann.history(&source, after, 100).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        all.extend(page);
    }
    for kind in
        [Kind::Photo, Kind::Video, Kind::Document, Kind::Audio, Kind::Voice, Kind::Sticker, Kind::Poll, Kind::Text]
    {
        let found = all.iter().find(|message| message.body == Body::Content(kind));
        let found = found.unwrap_or_else(|| panic!("no {kind:?} in the source"));
        assert_eq!(found.media.is_some(), kind != Kind::Text, "{kind:?}");
    }
    assert!(all.iter().any(|message| message.body == Body::Service));
    let album = all.iter().find_map(|message| message.album).expect("an album");
    assert!(all.iter().filter(|message| message.album == Some(album)).count() > 1);
    let forwarded = all.iter().find_map(|message| message.origin.as_ref()).expect("a forward of a forward");
    assert!(matches!(forwarded.peer.map(PeerId::kind), Some(PeerKind::Channel(_))) && forwarded.post.is_some());
    assert!(all.iter().any(|message| !message.text.is_empty()));
    assert!(all.iter().all(|message| message.date > Timestamp::from_second(1_699_999_999).unwrap()));
}

#[tokio::test]
async fn messages_by_id_come_in_the_order_asked_for_and_holes_are_empty() {
    let rig = Rig::new().await;
    let ann = rig.open(ANN).await;
    let source = named(&*ann, "source").await;
    let existing = expected(&rig, 0);
    let hole = (1..=SOURCE_LEN).find(|id| !existing.contains(id)).expect("a hole");
    let ids = [MessageId(existing[5]), MessageId(hole), MessageId(existing[2]), MessageId(1_000_000)];
    let found = ann.messages(&source, &ids).await.unwrap();
    assert_eq!(found.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
    let empty: Vec<bool> = found.iter().map(|message| message.body == Body::Empty).collect();
    assert_eq!(empty, [false, true, false, true]);
    assert_eq!(ann.messages(&source, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn the_newest_message_comes_with_count_and_pts() {
    let rig = Rig::with(world(Mix::text_only())).await;
    let ann = rig.open(ANN).await;
    let source = named(&*ann, "source").await;
    let newest = ann.newest(&source, None).await.unwrap();
    let last = newest.message.expect("the source is not empty");
    assert_eq!((last.id, newest.count), (MessageId(SOURCE_LEN), u64::from(SOURCE_LEN.unsigned_abs())));
    assert!(newest.pts > 0);
    let middle = ann.messages(&source, &[MessageId(100)]).await.unwrap().remove(0);
    let before = ann.newest(&source, Some(middle.date)).await.unwrap().message.expect("99 are older");
    assert_eq!(before.id, MessageId(99));
    let target = named(&*ann, "target").await;
    let empty = ann.newest(&target, None).await.unwrap();
    assert_eq!((empty.message, empty.count), (None, 0));
}

#[tokio::test]
async fn names_invites_and_ids_lead_to_the_same_peer() {
    let rig = Rig::new().await;
    let ben = rig.open(BEN).await;
    let by_name = named(&*ben, "source").await;
    assert_eq!((by_name.id, by_name.title.as_str()), (PeerId::channel(SOURCE), "The source"));
    assert!(by_name.readable && !by_name.protected && by_name.postable == Some(true));
    for address in [PeerAddress::Invite("SourceInvite".to_owned()), PeerAddress::Id(PeerId::channel(SOURCE))] {
        assert_eq!(ben.resolve(&address).await.unwrap(), by_name, "{address:?}");
    }
    assert_eq!(ben.look(by_name.id, by_name.access_hash).await.unwrap(), by_name);
    for address in [
        PeerAddress::Username("nobody_here".to_owned()),
        PeerAddress::Invite("nothing".to_owned()),
        PeerAddress::Id(PeerId::channel(4)),
        PeerAddress::Id(PeerId::user(4)),
        PeerAddress::Id(PeerId::group(4)),
    ] {
        let refused = ben.resolve(&address).await;
        assert!(matches!(refused, Err(CallError::Refused(_))), "{address:?}: {refused:?}");
    }
}

#[tokio::test]
async fn rights_slow_mode_and_protection_are_seen() {
    let rig = Rig::new().await;
    let cleo = rig.open(CLEO).await;
    assert_eq!(named(&*cleo, "target").await.postable, Some(false));
    let group = ChatId::channel(77);
    rig.simulator.with_world(|world| {
        let now = world.now();
        let source = world.chats.get_mut(&ChatId::channel(SOURCE)).unwrap();
        source.noforwards = true;
        let mut chat = simulator::world::chat::Chat::new(
            group,
            simulator::world::chat::ChatKind::Supergroup,
            "Slow group",
            1_700_000_000,
        );
        chat.slow_mode_secs = 30;
        chat.username = Some("slow_group".to_owned());
        chat.put(CLEO, Role::Member, now);
        world.add_chat(chat);
    });
    assert!(named(&*cleo, "source").await.protected);
    let slow = named(&*cleo, "slow_group").await;
    let slow = cleo.look(slow.id, slow.access_hash).await.unwrap();
    assert_eq!((slow.slow_mode_secs, slow.postable), (Some(30), Some(true)));
    rig.simulator.with_world(|world| {
        let chat = world.chats.get_mut(&group).unwrap();
        chat.default_banned = Banned { everything: true, ..Banned::default() };
    });
    assert_eq!(cleo.look(slow.id, slow.access_hash).await.unwrap().postable, Some(false));
}

#[tokio::test]
async fn another_accounts_access_hash_is_refused() {
    let rig = Rig::new().await;
    let (ann, ben) = (rig.open(ANN).await, rig.open(BEN).await);
    let anns = named(&*ann, "target").await;
    let refused = ben.history(&anns, MessageId(0), 10).await;
    let Err(CallError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.meaning(), Meaning::NotForThisPeer);
    assert_ne!(named(&*ben, "target").await.access_hash, anns.access_hash);
    assert_eq!(anns.id, PeerId::channel(TARGET));
}
