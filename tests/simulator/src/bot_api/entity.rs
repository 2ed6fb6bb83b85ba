//! Entities in JSON, and those that Telegram finds in a text by itself.

use super::html::units;
use crate::world::UserId;
use crate::world::message::{Entity, EntityKind};
use serde::Deserialize;
use serde_json::{Value, json};

/// A `MessageEntity`.
#[must_use]
pub fn view(entity: &Entity) -> Value {
    let mut view = json!({ "offset": entity.offset, "length": entity.length });
    view["type"] = Value::from(match &entity.kind {
        EntityKind::Bold => "bold",
        EntityKind::Italic => "italic",
        EntityKind::Underline => "underline",
        EntityKind::Strike => "strikethrough",
        EntityKind::Spoiler => "spoiler",
        EntityKind::Code => "code",
        EntityKind::Pre { language } => {
            if !language.is_empty() {
                view["language"] = Value::from(language.as_str());
            }
            "pre"
        }
        EntityKind::Blockquote => "blockquote",
        EntityKind::Url | EntityKind::Unknown => "url",
        EntityKind::Email => "email",
        EntityKind::Phone => "phone_number",
        EntityKind::Mention => "mention",
        EntityKind::Hashtag => "hashtag",
        EntityKind::Cashtag => "cashtag",
        EntityKind::BotCommand => "bot_command",
        EntityKind::BankCard => "bank_card",
        EntityKind::TextUrl { url } => {
            view["url"] = Value::from(url.as_str());
            "text_link"
        }
        EntityKind::MentionName { user } => {
            view["user"] = json!({ "id": user, "is_bot": false, "first_name": "" });
            "text_mention"
        }
        EntityKind::CustomEmoji { document } => {
            view["custom_emoji_id"] = Value::from(document.to_string());
            "custom_emoji"
        }
    });
    view
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    offset: i32,
    length: i32,
    url: Option<String>,
    language: Option<String>,
    user: Option<GivenUser>,
    custom_emoji_id: Option<String>,
}

#[derive(Deserialize)]
struct GivenUser {
    id: UserId,
}

/// The argument `entities`; kinds that Telegram finds by itself are left out, as are those that point outside.
///
/// # Errors
/// It is no array of entities.
pub fn read(json: &str, text: &str) -> Result<Vec<Entity>, String> {
    let given: Vec<Given> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let end = units(text);
    let mut entities = Vec::new();
    for entity in given {
        let kind = match entity.kind.as_str() {
            "bold" => EntityKind::Bold,
            "italic" => EntityKind::Italic,
            "underline" => EntityKind::Underline,
            "strikethrough" => EntityKind::Strike,
            "spoiler" => EntityKind::Spoiler,
            "code" => EntityKind::Code,
            "pre" => EntityKind::Pre { language: entity.language.unwrap_or_default() },
            "blockquote" | "expandable_blockquote" => EntityKind::Blockquote,
            "text_link" => EntityKind::TextUrl { url: entity.url.ok_or("text_link without url")? },
            "text_mention" => EntityKind::MentionName { user: entity.user.ok_or("text_mention without user")?.id },
            "custom_emoji" => {
                let document = entity.custom_emoji_id.and_then(|id| id.parse().ok());
                EntityKind::CustomEmoji { document: document.ok_or("invalid custom emoji identifier specified")? }
            }
            "mention" | "hashtag" | "cashtag" | "bot_command" | "url" | "email" | "phone_number" | "bank_card" => {
                continue;
            }
            other => return Err(format!("unsupported type of entity \"{other}\"")),
        };
        let inside = entity.offset >= 0 && entity.length > 0 && entity.offset.checked_add(entity.length) <= Some(end);
        if inside {
            entities.push(Entity { offset: entity.offset, length: entity.length, kind });
        }
    }
    entities.sort_by_key(|entity| (entity.offset, -entity.length));
    Ok(entities)
}

/// The given entities and those that Telegram adds by itself: commands, mentions, tags, links.
#[must_use]
pub fn with_found(text: &str, given: &[Entity]) -> Vec<Entity> {
    let mut all = given.to_vec();
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let found = find(bare).map(|(kind, length)| Entity { offset: at, length, kind });
        let free = |new: &Entity| {
            given.iter().all(|old| old.offset + old.length <= new.offset || new.offset + new.length <= old.offset)
        };
        all.extend(found.filter(free));
        at += units(word);
    }
    all.sort_by_key(|entity| (entity.offset, -entity.length));
    all
}

fn find(word: &str) -> Option<(EntityKind, i32)> {
    let name = |text: &str| units(&text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]);
    if let Some(rest) = word.strip_prefix('/') {
        let command = name(rest);
        let addressed = rest.split_once('@').map_or(0, |(_, bot)| 1 + name(bot));
        return (1..=64).contains(&command).then_some((EntityKind::BotCommand, 1 + command + addressed));
    }
    if let Some(rest) = word.strip_prefix('@') {
        let length = name(rest);
        return (length >= 3).then_some((EntityKind::Mention, 1 + length));
    }
    if let Some(rest) = word.strip_prefix('#') {
        let length = name(rest);
        return (length >= 1).then_some((EntityKind::Hashtag, 1 + length));
    }
    let link = ["http://", "https://", "t.me/", "telegram.me/"].iter().any(|start| word.starts_with(start));
    link.then(|| (EntityKind::Url, units(word.trim_end_matches(['.', ',', ')', '!', '?', ';', ':']))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegram_finds_commands_mentions_and_links_by_itself() {
        let found: Vec<_> = with_found("😀 /start@ferry_bot @ada https://t.me/source/5, #tag /", &[])
            .into_iter()
            .map(|entity| (entity.offset, entity.length, view(&entity)["type"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let expected = [(3, 16, "bot_command"), (20, 4, "mention"), (25, 21, "url"), (48, 4, "hashtag")];
        assert_eq!(found, expected.map(|(at, length, kind)| (at, length, kind.to_owned())));
    }

    #[test]
    fn given_entities_come_back_as_they_were() {
        let json = r#"[{"type":"text_link","offset":0,"length":2,"url":"https://a.example"},{"type":"pre","offset":3,"length":1,"language":"c"}]"#;
        let entities = read(json, "ab c").unwrap();
        let views: Vec<Value> = entities.iter().map(view).collect();
        assert_eq!(Value::from(views), serde_json::from_str::<Value>(json).unwrap());
        assert_eq!(read(r#"[{"type":"bold","offset":3,"length":9}]"#, "ab c"), Ok(vec![]));
        assert!(read("{}", "").is_err());
        assert!(read(r#"[{"type":"wave","offset":0,"length":1}]"#, "ab").is_err());
    }
}
