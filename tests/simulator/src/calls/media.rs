//! Media and entities, from the world to TL and back.
//!
//! Files are not stored: a reference to one carries in its file reference all that the world needs to know of it, so that
//! sending by reference works in any account that has seen it.

use crate::world::message::{Document, DocumentKind, Entity, EntityKind, Media, Poll};
use crate::world::{Rpc, RpcError, UserId};
use grammers_tl_types::{enums, types};
use std::sync::Arc;

const DC: i32 = 2;

/// Media in a message.
pub(super) fn media(media: &Media, date: i32) -> enums::MessageMedia {
    match media {
        Media::Photo { id } => types::MessageMediaPhoto {
            spoiler: false,
            live_photo: false,
            photo: Some(photo(*id, date)),
            ttl_seconds: None,
            video: None,
        }
        .into(),
        Media::Document(it) => types::MessageMediaDocument {
            nopremium: false,
            spoiler: false,
            video: it.kind == DocumentKind::Video,
            round: it.kind == DocumentKind::VideoMessage,
            voice: it.kind == DocumentKind::Voice,
            document: Some(document(it, date)),
            alt_documents: None,
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: None,
        }
        .into(),
        Media::Poll(poll) => enums::MessageMedia::Poll(Box::new(poll_media(poll))),
        Media::Contact { phone, first_name, last_name } => types::MessageMediaContact {
            phone_number: phone.clone(),
            first_name: first_name.clone(),
            last_name: last_name.clone(),
            vcard: String::new(),
            user_id: 0,
        }
        .into(),
        Media::Geo { latitude, longitude } => {
            let point = types::GeoPoint { long: *longitude, lat: *latitude, access_hash: 0, accuracy_radius: None };
            types::MessageMediaGeo { geo: point.into() }.into()
        }
    }
}

fn access_hash(id: i64) -> i64 {
    id.wrapping_mul(31) ^ 0x5EED
}

fn photo(id: i64, date: i32) -> enums::Photo {
    let size = types::PhotoSize { r#type: "x".into(), w: 800, h: 600, size: 60_000 };
    types::Photo {
        has_stickers: false,
        id,
        access_hash: access_hash(id),
        file_reference: vec![1],
        date,
        sizes: vec![size.into()],
        video_sizes: None,
        dc_id: DC,
    }
    .into()
}

fn document(it: &Document, date: i32) -> enums::Document {
    let duration = f64::from(it.duration_secs);
    let video = |round_message| {
        types::DocumentAttributeVideo {
            round_message,
            supports_streaming: true,
            nosound: false,
            duration,
            w: 640,
            h: 480,
            preload_prefix_size: None,
            video_start_ts: None,
            video_codec: None,
        }
        .into()
    };
    let audio = |voice| {
        let attribute = types::DocumentAttributeAudio {
            voice,
            duration: it.duration_secs,
            title: None,
            performer: None,
            waveform: None,
        };
        attribute.into()
    };
    let mut attributes = match it.kind {
        DocumentKind::File => vec![],
        DocumentKind::Video => vec![video(false)],
        DocumentKind::VideoMessage => vec![video(true)],
        DocumentKind::Animation => vec![video(false), enums::DocumentAttribute::Animated],
        DocumentKind::Audio => vec![audio(false)],
        DocumentKind::Voice => vec![audio(true)],
        DocumentKind::Sticker => {
            let stickerset = enums::InputStickerSet::Empty;
            let sticker =
                types::DocumentAttributeSticker { mask: false, alt: "⛴".into(), stickerset, mask_coords: None };
            vec![types::DocumentAttributeImageSize { w: 512, h: 512 }.into(), sticker.into()]
        }
    };
    if let Some(name) = &it.file_name {
        attributes.push(types::DocumentAttributeFilename { file_name: name.to_string() }.into());
    }
    types::Document {
        id: it.id,
        access_hash: access_hash(it.id),
        file_reference: reference(it),
        date,
        mime_type: it.mime.to_string(),
        size: it.size,
        thumbs: None,
        video_thumbs: None,
        dc_id: DC,
        attributes,
    }
    .into()
}

fn poll_media(poll: &Poll) -> types::MessageMediaPoll {
    let text =
        |text: &str| enums::TextWithEntities::from(types::TextWithEntities { text: text.into(), entities: vec![] });
    let answers = poll.answers.iter().enumerate().map(|(n, answer)| {
        let option = n.to_string().into_bytes();
        types::PollAnswer { text: text(answer), option, media: None, added_by: None, date: None }.into()
    });
    types::MessageMediaPoll {
        poll: types::Poll {
            id: poll.id,
            closed: poll.closed,
            public_voters: poll.public_voters,
            multiple_choice: false,
            quiz: poll.quiz,
            open_answers: false,
            revoting_disabled: false,
            shuffle_answers: false,
            hide_results_until_close: false,
            creator: false,
            subscribers_only: false,
            question: text(&poll.question),
            answers: answers.collect(),
            close_period: None,
            close_date: None,
            countries_iso2: None,
            hash: 0,
        }
        .into(),
        results: enums::PollResults::Results(Box::new(types::PollResults {
            min: true,
            has_unread_votes: false,
            can_view_stats: false,
            results: None,
            total_voters: Some(0),
            recent_voters: None,
            solution: None,
            solution_entities: None,
            solution_media: None,
        })),
        attached_media: None,
    }
}

/// Kind, size, duration, MIME type and name of a document, as its file reference.
fn reference(it: &Document) -> Vec<u8> {
    let kind = KINDS.iter().position(|kind| *kind == it.kind).unwrap_or(0);
    let name = it.file_name.as_deref().unwrap_or("");
    format!("{kind}\n{}\n{}\n{}\n{name}", it.size, it.duration_secs, it.mime).into_bytes()
}

const KINDS: [DocumentKind; 7] = [
    DocumentKind::File,
    DocumentKind::Video,
    DocumentKind::Animation,
    DocumentKind::Audio,
    DocumentKind::Voice,
    DocumentKind::Sticker,
    DocumentKind::VideoMessage,
];

fn referenced(id: i64, reference: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(reference).ok()?;
    let mut parts = text.splitn(5, '\n');
    let kind = *KINDS.get(parts.next()?.parse::<usize>().ok()?)?;
    let size = parts.next()?.parse().ok()?;
    let duration_secs = parts.next()?.parse().ok()?;
    let mime = Arc::from(parts.next()?);
    let file_name = parts.next().filter(|name| !name.is_empty()).map(Arc::from);
    Some(Document { id, kind, mime, file_name, size, duration_secs })
}

/// Media by reference, as a client sends it.
pub(super) fn input(media: &enums::InputMedia) -> Rpc<Media> {
    let invalid = || RpcError::bad("MEDIA_INVALID");
    match media {
        enums::InputMedia::Photo(it) => match &it.id {
            enums::InputPhoto::Photo(photo) if photo.access_hash == access_hash(photo.id) => {
                Ok(Media::Photo { id: photo.id })
            }
            enums::InputPhoto::Photo(_) | enums::InputPhoto::Empty => Err(invalid()),
        },
        enums::InputMedia::Document(it) => match &it.id {
            enums::InputDocument::Document(it) if it.access_hash == access_hash(it.id) => {
                let document = referenced(it.id, &it.file_reference);
                document.map(Media::Document).ok_or_else(|| RpcError::bad("FILE_REFERENCE_INVALID"))
            }
            enums::InputDocument::Document(_) | enums::InputDocument::Empty => Err(invalid()),
        },
        enums::InputMedia::Contact(it) => Ok(Media::Contact {
            phone: it.phone_number.clone(),
            first_name: it.first_name.clone(),
            last_name: it.last_name.clone(),
        }),
        enums::InputMedia::GeoPoint(it) => match &it.geo_point {
            enums::InputGeoPoint::Point(point) => Ok(Media::Geo { latitude: point.lat, longitude: point.long }),
            enums::InputGeoPoint::Empty => Err(invalid()),
        },
        enums::InputMedia::Poll(it) => {
            let enums::Poll::Poll(poll) = &it.poll;
            let text = |text: &enums::TextWithEntities| {
                let enums::TextWithEntities::Entities(it) = text;
                it.text.clone()
            };
            let answers: Vec<String> = poll.answers.iter().map(|answer| text(&answer.text())).collect();
            if poll.quiz && it.correct_answers.is_none() {
                return Err(RpcError::bad("QUIZ_CORRECT_ANSWERS_EMPTY"));
            }
            let (question, id) = (text(&poll.question), poll.id);
            let (quiz, public_voters, closed) = (poll.quiz, poll.public_voters, poll.closed);
            Ok(Media::Poll(Arc::new(Poll { id, question, answers, quiz, public_voters, closed })))
        }
        _ => Err(invalid()),
    }
}

/// A style of a text.
pub(super) fn entity(it: &Entity) -> enums::MessageEntity {
    let (offset, length) = (it.offset, it.length);
    match &it.kind {
        EntityKind::Bold => types::MessageEntityBold { offset, length }.into(),
        EntityKind::Italic => types::MessageEntityItalic { offset, length }.into(),
        EntityKind::Underline => types::MessageEntityUnderline { offset, length }.into(),
        EntityKind::Strike => types::MessageEntityStrike { offset, length }.into(),
        EntityKind::Spoiler => types::MessageEntitySpoiler { offset, length }.into(),
        EntityKind::Code => types::MessageEntityCode { offset, length }.into(),
        EntityKind::Pre { language } => types::MessageEntityPre { offset, length, language: language.clone() }.into(),
        EntityKind::Blockquote => types::MessageEntityBlockquote { collapsed: false, offset, length }.into(),
        EntityKind::Url => types::MessageEntityUrl { offset, length }.into(),
        EntityKind::Email => types::MessageEntityEmail { offset, length }.into(),
        EntityKind::Phone => types::MessageEntityPhone { offset, length }.into(),
        EntityKind::Mention => types::MessageEntityMention { offset, length }.into(),
        EntityKind::Hashtag => types::MessageEntityHashtag { offset, length }.into(),
        EntityKind::Cashtag => types::MessageEntityCashtag { offset, length }.into(),
        EntityKind::BotCommand => types::MessageEntityBotCommand { offset, length }.into(),
        EntityKind::BankCard => types::MessageEntityBankCard { offset, length }.into(),
        EntityKind::TextUrl { url } => types::MessageEntityTextUrl { offset, length, url: url.clone() }.into(),
        EntityKind::MentionName { user } => types::MessageEntityMentionName { offset, length, user_id: user.0 }.into(),
        EntityKind::CustomEmoji { document } => {
            types::MessageEntityCustomEmoji { offset, length, document_id: *document }.into()
        }
        EntityKind::Unknown => types::MessageEntityUnknown { offset, length }.into(),
    }
}

/// A style as a client sends it.
pub(super) fn input_entity(it: &enums::MessageEntity) -> Entity {
    use enums::MessageEntity as Tl;
    let kind = match it {
        Tl::Bold(_) => EntityKind::Bold,
        Tl::Italic(_) => EntityKind::Italic,
        Tl::Underline(_) => EntityKind::Underline,
        Tl::Strike(_) => EntityKind::Strike,
        Tl::Spoiler(_) => EntityKind::Spoiler,
        Tl::Code(_) => EntityKind::Code,
        Tl::Pre(it) => EntityKind::Pre { language: it.language.clone() },
        Tl::Blockquote(_) => EntityKind::Blockquote,
        Tl::Url(_) => EntityKind::Url,
        Tl::Email(_) => EntityKind::Email,
        Tl::Phone(_) => EntityKind::Phone,
        Tl::Mention(_) => EntityKind::Mention,
        Tl::Hashtag(_) => EntityKind::Hashtag,
        Tl::Cashtag(_) => EntityKind::Cashtag,
        Tl::BotCommand(_) => EntityKind::BotCommand,
        Tl::BankCard(_) => EntityKind::BankCard,
        Tl::TextUrl(it) => EntityKind::TextUrl { url: it.url.clone() },
        Tl::MentionName(it) => EntityKind::MentionName { user: UserId(it.user_id) },
        Tl::InputMessageEntityMentionName(it) => match &it.user_id {
            enums::InputUser::User(user) => EntityKind::MentionName { user: UserId(user.user_id) },
            enums::InputUser::Empty | enums::InputUser::UserSelf | enums::InputUser::FromMessage(_) => {
                EntityKind::Unknown
            }
        },
        Tl::CustomEmoji(it) => EntityKind::CustomEmoji { document: it.document_id },
        _ => EntityKind::Unknown,
    };
    Entity { offset: it.offset(), length: it.length(), kind }
}
