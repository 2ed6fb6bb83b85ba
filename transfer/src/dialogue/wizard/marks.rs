//! What buttons call kinds, chats and groups: in words that stay, and few bytes.

use sha2::{Digest, Sha256};

use crate::address::PeerAddress;
use crate::message::Kind;

/// The kinds that can be ticked, in the order of their buttons.
pub(crate) const KINDS: [Kind; 9] = [
    Kind::Photo,
    Kind::Video,
    Kind::Document,
    Kind::Audio,
    Kind::Voice,
    Kind::Sticker,
    Kind::Poll,
    Kind::Text,
    Kind::Other,
];

/// A kind's word in texts and buttons.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Photo => "photo",
        Kind::Video => "video",
        Kind::Document => "document",
        Kind::Audio => "audio",
        Kind::Voice => "voice",
        Kind::Sticker => "sticker",
        Kind::Poll => "poll",
        Kind::Text => "text",
        Kind::Other => "other",
    }
}

/// What a button says of a recent chat: its address may be too long for a button, its place in the list may have changed.
pub(crate) fn pick_mark(address: &PeerAddress) -> String {
    mark(&address.to_string())
}

/// What a button says of a group, for the same reasons.
pub(crate) fn group_mark(group: &str) -> String {
    mark(group)
}

fn mark(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
