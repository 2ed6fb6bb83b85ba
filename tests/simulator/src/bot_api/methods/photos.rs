//! Photos: uploaded, sent, put in the place of others, read again. The bytes are kept as they came.

use super::{Arguments, Refusal, Reply, compose, messages};
use crate::bot_api::{Answer, view};
use crate::world::bots::File;
use crate::world::bots::speak::{BotEdit, BotMessage};
use crate::world::message::Media;
use crate::world::{UserId, World};
use serde_json::{Value, json};
use std::sync::Arc;

const PHOTO_MAX_BYTES: usize = 10 << 20;
/// Width and height together, as Telegram has it.
const SIDES_MAX: u32 = 10_000;

pub(super) fn send(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    // Refused before the photo is kept.
    world.bot_may_write(bot, chat)?;
    let media = Some(photo(world, arguments, arguments.text("photo").unwrap_or("photo"))?);
    let (text, entities) = compose::text(arguments, "caption", "caption_entities")?;
    let keyboard = compose::keyboard(arguments)?;
    let reply_to = messages::reply_to(arguments)?;
    let silent = arguments.flag("disable_notification");
    let id = world.bot_send(bot, chat, BotMessage { text, entities, media, keyboard, reply_to, silent })?;
    compose::shown(world, bot, id)
}

pub(super) fn edit(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let chat = compose::chat(world, arguments)?;
    let id = compose::message_id(arguments)?;
    let given: Option<Value> = arguments.json("media", "InputMedia")?;
    let given = given.ok_or_else(|| Refusal::bad("there is no new media in the request"))?;
    if given["type"] != "photo" {
        return Err(Refusal::bad("the simulator knows no other media than photos"));
    }
    let media = Some(photo(world, arguments, given["media"].as_str().unwrap_or_default())?);
    let fields = given.as_object().map(Arguments::from_object).unwrap_or_default();
    let text = Some(compose::text(&fields, "caption", "caption_entities")?);
    let keyboard = compose::keyboard(arguments)?;
    world.bot_edit(bot, chat, id, &BotEdit { text, media, keyboard })?;
    compose::shown(world, bot, id)
}

/// An uploaded file (`attach://name`), or the id of an earlier one.
fn photo(world: &mut World, arguments: &Arguments, named: &str) -> Result<Media, Refusal> {
    if let Some(bytes) = arguments.file(named) {
        return keep(world, bytes);
    }
    if named.starts_with("http://") || named.starts_with("https://") {
        return Err(Refusal::bad("failed to get HTTP URL content"));
    }
    let known = view::photo_of(named).filter(|id| world.bots.files.contains_key(id));
    known.map(|id| Media::Photo { id }).ok_or_else(|| match named {
        "photo" | "" => Refusal::bad("there is no photo in the request"),
        _ => Refusal::bad("wrong file identifier/HTTP URL specified"),
    })
}

fn keep(world: &mut World, bytes: &Arc<[u8]>) -> Result<Media, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::bad("file must be non-empty"));
    }
    if bytes.len() > PHOTO_MAX_BYTES {
        return Err(Refusal::bad("file is too big"));
    }
    let (width, height) = sides(bytes).ok_or_else(|| Refusal::bad("IMAGE_PROCESS_FAILED"))?;
    if width.saturating_add(height) > SIDES_MAX || width == 0 || height == 0 {
        return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    let next = world.bots.files.keys().next_back().map_or(5_000_000_001, |last| last + 1);
    world.bots.files.insert(next, File { bytes: Arc::clone(bytes), width, height });
    Ok(Media::Photo { id: next })
}

/// Width and height of a PNG, JPEG or GIF.
fn sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let big = |at: usize| Some(u32::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let side = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        return Some((side(16)?, side(20)?));
    }
    if bytes.starts_with(b"GIF8") {
        let side = |at: usize| Some(u32::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
        return Some((side(6)?, side(8)?));
    }
    let mut at = bytes.starts_with(b"\xFF\xD8").then_some(2)?;
    // Segments of a JPEG up to the frame's header; each is at least two bytes long, so this ends.
    loop {
        let (mark, kind) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        if mark != 0xFF {
            return None;
        }
        if matches!(kind, 0xC0..=0xCF) && !matches!(kind, 0xC4 | 0xC8 | 0xCC) {
            return Some((big(at + 7)?, big(at + 5)?));
        }
        at += 2 + usize::try_from(big(at + 2)?.max(2)).ok()?;
    }
}

pub(super) fn get_file(world: &World, arguments: &Arguments) -> Reply {
    let file_id = arguments.text("file_id").ok_or_else(|| Refusal::bad("file_id not specified"))?;
    let found = view::photo_of(file_id).and_then(|id| Some((id, world.bots.files.get(&id)?)));
    let (id, file) = found.ok_or_else(|| Refusal::bad("invalid file_id"))?;
    Ok(Answer::from(json!({
        "file_id": file_id,
        "file_unique_id": format!("u{id}"),
        "file_size": file.bytes.len(),
        "file_path": format!("photos/file_{id}"),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_read_from_png_gif_and_jpeg() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58";
        assert_eq!(sides(png), Some((800, 600)));
        assert_eq!(sides(b"GIF89a\x20\x03\x58\x02"), Some((800, 600)));
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x11\x08\x02\x58\x03\x20";
        assert_eq!(sides(jpeg), Some((800, 600)));
        for bad in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"hello", b""] {
            assert_eq!(sides(bad), None);
        }
    }
}
