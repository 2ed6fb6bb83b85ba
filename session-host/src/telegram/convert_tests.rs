use super::*;

fn document(attributes: Vec<enums::DocumentAttribute>) -> enums::MessageMedia {
    let document = types::Document {
        id: 5,
        access_hash: 0,
        file_reference: vec![],
        date: 0,
        mime_type: String::new(),
        size: 0,
        thumbs: None,
        video_thumbs: None,
        dc_id: 1,
        attributes,
    };
    enums::MessageMedia::Document(types::MessageMediaDocument {
        nopremium: false,
        spoiler: false,
        video: false,
        round: false,
        voice: false,
        document: Some(document.into()),
        alt_documents: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    })
}

fn audio(voice: bool) -> enums::DocumentAttribute {
    types::DocumentAttributeAudio { voice, duration: 1, title: None, performer: None, waveform: None }.into()
}

fn video() -> enums::DocumentAttribute {
    types::DocumentAttributeVideo {
        round_message: false,
        supports_streaming: false,
        nosound: false,
        duration: 1.0,
        w: 1,
        h: 1,
        preload_prefix_size: None,
        video_start_ts: None,
        video_codec: None,
    }
    .into()
}

fn sticker() -> enums::DocumentAttribute {
    types::DocumentAttributeSticker {
        mask: false,
        alt: String::new(),
        stickerset: enums::InputStickerSet::Empty,
        mask_coords: None,
    }
    .into()
}

#[test]
fn a_files_kind_is_the_narrowest_word_for_its_attributes() {
    let name = || types::DocumentAttributeFilename { file_name: "a.ogg".to_owned() }.into();
    for (attributes, kind) in [
        (vec![], Kind::Document),
        (vec![name()], Kind::Document),
        (vec![audio(true), name()], Kind::Voice),
        (vec![name(), audio(false)], Kind::Audio),
        (vec![video()], Kind::Video),
        (vec![enums::DocumentAttribute::Animated, video()], Kind::Video),
        (vec![video(), sticker()], Kind::Sticker),
    ] {
        assert_eq!(kind_of(&document(attributes)), (kind, Some(5)));
    }
}

#[test]
fn media_without_a_file_have_their_kinds_too() {
    use enums::MessageMedia as M;
    let dice = M::Dice(types::MessageMediaDice { value: 1, emoticon: String::new(), game_outcome: None });
    let photo = M::Photo(types::MessageMediaPhoto {
        spoiler: false,
        live_photo: false,
        photo: Some(types::PhotoEmpty { id: 8 }.into()),
        ttl_seconds: None,
        video: None,
    });
    let page = M::WebPage(types::MessageMediaWebPage {
        force_large_media: false,
        force_small_media: false,
        manual: false,
        safe: false,
        webpage: types::WebPageEmpty { id: 1, url: None }.into(),
    });
    for (media, expected) in [
        (dice, (Kind::Other, None)),
        (photo, (Kind::Photo, Some(8))),
        (page, (Kind::Text, None)),
        (M::Empty, (Kind::Text, None)),
    ] {
        assert_eq!(kind_of(&media), expected);
    }
}

#[test]
fn a_gone_message_has_its_id_and_nothing_else() {
    let gone = message(types::MessageEmpty { id: 4, peer_id: None }.into());
    assert_eq!(gone, empty_message(MessageId(4)));
    assert_eq!(gone.body, Body::Empty);
}

fn banned_rights(send_messages: bool) -> enums::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: false,
        send_messages,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date: 0,
    }
    .into()
}

fn group(change: impl FnOnce(&mut types::Chat)) -> Peer {
    let mut chat = types::Chat {
        creator: false,
        left: false,
        deactivated: false,
        call_active: false,
        call_not_empty: false,
        noforwards: false,
        id: 3,
        title: "group".to_owned(),
        photo: enums::ChatPhoto::Empty,
        participants_count: 2,
        date: 0,
        version: 1,
        migrated_to: None,
        admin_rights: None,
        default_banned_rights: None,
    };
    change(&mut chat);
    peer_of_chat(&chat.into()).unwrap()
}

#[test]
fn in_a_group_members_write_unless_all_are_silenced() {
    assert_eq!(group(|_| {}).postable, Some(true));
    assert_eq!(group(|chat| chat.left = true).postable, Some(false));
    assert!(!group(|chat| chat.left = true).readable);
    assert_eq!(group(|chat| chat.default_banned_rights = Some(banned_rights(true))).postable, Some(false));
    let by_creator = group(|chat| {
        chat.creator = true;
        chat.default_banned_rights = Some(banned_rights(true));
    });
    assert_eq!(by_creator.postable, Some(true));
    assert!(group(|chat| chat.noforwards = true).protected);
    assert_eq!(group(|_| {}).id, PeerId::group(3));
}

#[test]
fn a_forbidden_channel_is_neither_read_nor_written() {
    let forbidden = types::ChannelForbidden {
        broadcast: true,
        megagroup: false,
        monoforum: false,
        id: 9,
        access_hash: 1,
        title: "closed".to_owned(),
        until_date: None,
    };
    let peer = peer_of_chat(&forbidden.into()).unwrap();
    assert!(!peer.readable && peer.postable == Some(false));
    assert_eq!(peer.id, PeerId::channel(9));
}
