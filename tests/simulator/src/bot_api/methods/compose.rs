//! What goes into a message: its chat, its text with styles, its buttons.

use crate::bot_api::Answer;
use crate::bot_api::refusal::Refusal;
use crate::bot_api::request::Arguments;
use crate::bot_api::{entity, html, view};
use crate::world::keyboard::{Button, Keyboard, Press};
use crate::world::message::Entity;
use crate::world::{ChatId, MessageId, Peer, UserId, World};
use serde_json::{Map, Value};

/// `chat_id`: a number, or the `@name` of a public chat.
pub(super) fn chat(world: &World, arguments: &Arguments) -> Result<ChatId, Refusal> {
    let text = arguments.text("chat_id").ok_or_else(|| Refusal::bad("chat_id is empty"))?;
    if let Ok(id) = text.trim().parse() {
        return if id == 0 { Err(Refusal::bad("chat not found")) } else { Ok(ChatId(id)) };
    }
    // Bots cannot name people by their usernames.
    let found = text.strip_prefix('@').and_then(|name| world.resolve(name).ok());
    found.filter(|chat| !matches!(chat.peer(), Peer::User(_))).ok_or_else(|| Refusal::bad("chat not found"))
}

/// `message_id`.
pub(super) fn message_id(arguments: &Arguments) -> Result<MessageId, Refusal> {
    let id = arguments.number("message_id").and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
    id.map(MessageId).ok_or_else(|| Refusal::bad("message identifier is not specified"))
}

/// A text under this name, with `parse_mode` or the entities of that name; white space at its ends is cut off.
pub(super) fn text(
    arguments: &Arguments,
    text_name: &str,
    entities_name: &str,
) -> Result<(String, Vec<Entity>), Refusal> {
    let text = arguments.text(text_name).unwrap_or_default().replace('\r', "");
    let unreadable = |error: String| Refusal::bad(format!("can't parse entities: {error}"));
    let mode = arguments.text("parse_mode").unwrap_or_default().to_ascii_lowercase();
    let (text, entities) = match mode.as_str() {
        "html" => html::parse(&text).map_err(unreadable)?,
        "" | "none" => {
            let entities = arguments.text(entities_name).map(|json| entity::read(json, &text)).transpose();
            let entities = entities.map_err(|error| Refusal::bad(format!("can't parse MessageEntity: {error}")))?;
            (text, entities.unwrap_or_default())
        }
        "markdown" | "markdownv2" => return Err(Refusal::bad("the simulator does not read Markdown: use HTML")),
        _ => return Err(Refusal::bad("unsupported parse_mode")),
    };
    Ok(html::trimmed(&text, entities))
}

/// `reply_markup`: inline keyboards; reply keyboards are taken and forgotten.
pub(super) fn keyboard(arguments: &Arguments) -> Result<Option<Keyboard>, Refusal> {
    let Some(markup) = arguments.json::<Value>("reply_markup", "reply keyboard markup JSON object")? else {
        return Ok(None);
    };
    let Some(markup) = markup.as_object() else { return Err(Refusal::bad("object expected as reply markup")) };
    let Some(rows) = markup.get("inline_keyboard") else { return Ok(None) };
    let rows = rows.as_array().ok_or_else(|| Refusal::bad("field \"inline_keyboard\" must be of type Array"))?;
    let mut keyboard = Keyboard::default();
    for row in rows {
        let row = row.as_array().ok_or_else(|| Refusal::bad("can't parse inline keyboard button: Array expected"))?;
        let row: Vec<Button> = row.iter().map(button).collect::<Result<_, _>>()?;
        if !row.is_empty() {
            keyboard.rows.push(row);
        }
    }
    Ok(Some(keyboard).filter(|keyboard| !keyboard.is_empty()))
}

fn button(button: &Value) -> Result<Button, Refusal> {
    let wrong = |what: &str| Refusal::bad(format!("can't parse inline keyboard button: {what}"));
    let empty = Map::new();
    let fields = button.as_object().unwrap_or(&empty);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let text = field("text").ok_or_else(|| wrong("Field \"text\" must be of type String"))?;
    if text.trim().is_empty() {
        return Err(Refusal::bad("BUTTON_TEXT_INVALID"));
    }
    let press = match (field("callback_data"), field("url")) {
        (Some(data), _) => Press::Callback(data),
        (None, Some(url)) => Press::Url(url),
        (None, None) => return Err(wrong("Text buttons are unallowed in the inline keyboard")),
    };
    Ok(Button { text, press })
}

/// The message as it stands now.
pub(super) fn shown(world: &World, bot: UserId, id: MessageId) -> Result<Answer, Refusal> {
    let message = world.mailbox_message(bot, id).ok_or_else(|| Refusal::bad("message not found"))?;
    Ok(Answer::from(view::message(world, bot, &message)))
}
