//! Wrappers around requests, and what older layers call things.

use super::Wrapped;
use crate::world::{Rpc, RpcError};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, enums, types};

const INVOKE_WITH_LAYER: u32 = 0xda9b_0d0d;
const INIT_CONNECTION: u32 = 0xc1cd_5ea9;
const INVOKE_WITHOUT_UPDATES: u32 = 0xbf94_59b7;
const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;
const INVOKE_AFTER_MSGS: u32 = 0x3dc4_b4f0;

/// The layers that call `user` and `channel` by other ids than ours do; what we send of them looks the same otherwise.
const OLD_NAMES_UPTO: i32 = 227;
const OLD_USER: u32 = 0x3177_4388;
const OLD_CHANNEL: u32 = 0x1c32_b11c;

/// Those layers put ordinary buttons into inline keyboards.
const OLD_INLINE_MARKUP: u32 = 0x48a3_0254;
const OLD_BUTTON_ROW: u32 = 0x7760_8b83;
const OLD_CALLBACK_BUTTON: u32 = 0xe62b_c960;
const OLD_URL_BUTTON: u32 = 0xd80c_25ec;
const VECTOR: u32 = 0x1cb5_c415;

/// More wrappers than this around one request are no honest client's.
const DEPTH_MAX: usize = 8;

/// Strips `invokeWithLayer`, `initConnection`, `invokeWithoutUpdates`, `invokeAfterMsg(s)` and takes note of them.
///
/// # Errors
/// `INPUT_REQUEST_INVALID` when the wrappers themselves do not decode.
pub fn unwrap(body: &[u8]) -> Rpc<Wrapped> {
    let mut wrapped = Wrapped::default();
    let mut cursor = Cursor::from_slice(body);
    for _ in 0..DEPTH_MAX {
        let start = cursor.pos();
        let id: u32 = read(&mut cursor)?;
        match id {
            INVOKE_WITH_LAYER => wrapped.layer = Some(read(&mut cursor)?),
            INIT_CONNECTION => wrapped.client = Some(init_connection(&mut cursor)?),
            INVOKE_WITHOUT_UPDATES => wrapped.without_updates = true,
            INVOKE_AFTER_MSG => {
                read::<i64>(&mut cursor)?;
            }
            INVOKE_AFTER_MSGS => {
                read::<Vec<i64>>(&mut cursor)?;
            }
            _ => {
                wrapped.start = start;
                return Ok(wrapped);
            }
        }
    }
    Err(RpcError::bad("INPUT_REQUEST_INVALID"))
}

fn init_connection(cursor: &mut Cursor<'_>) -> Rpc<String> {
    let flags: u32 = read(cursor)?;
    let api_id: i32 = read(cursor)?;
    let texts: Vec<String> = (0..6).map(|_| read(cursor)).collect::<Rpc<_>>()?;
    if flags & 1 != 0 {
        read::<enums::InputClientProxy>(cursor)?;
    }
    if flags & 2 != 0 {
        read::<enums::Jsonvalue>(cursor)?;
    }
    let text = |n: usize| texts.get(n).map_or("", String::as_str);
    Ok(format!("{} ({}), application {}, api id {api_id}", text(0), text(1), text(2)))
}

fn read<T: Deserializable>(cursor: &mut Cursor<'_>) -> Rpc<T> {
    T::deserialize(cursor).map_err(|error| {
        tracing::debug!(%error, "a wrapper does not decode");
        RpcError::bad("INPUT_REQUEST_INVALID")
    })
}

/// Renames `user` and `channel`, and rewrites inline keyboards, in a serialized answer for older layers. It looks at every aligned word, and so assumes
/// that no text, hash or number in the answer happens to hold one of three 32-bit constants: hashes are one in four
/// thousand million per word, and texts of the simulator's own making hold neither.
pub(super) fn downgrade(body: &mut Vec<u8>, layer: i32) {
    if layer == 0 || layer > OLD_NAMES_UPTO {
        return;
    }
    let mut markups = Vec::new();
    for (n, word) in body.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        match u32::from_le_bytes(*word) {
            types::User::CONSTRUCTOR_ID => *word = OLD_USER.to_le_bytes(),
            types::Channel::CONSTRUCTOR_ID => *word = OLD_CHANNEL.to_le_bytes(),
            types::ReplyInlineMarkup::CONSTRUCTOR_ID => markups.push(4 * n),
            _ => {}
        }
    }
    // From the end, so that the places of the others stay right.
    for start in markups.into_iter().rev() {
        let mut cursor = Cursor::from_slice(&body[start..]);
        if let Ok(enums::ReplyMarkup::ReplyInlineMarkup(markup)) = enums::ReplyMarkup::deserialize(&mut cursor) {
            let end = start + cursor.pos();
            body.splice(start..end, old_markup(&markup));
        }
    }
}

fn old_markup(markup: &types::ReplyInlineMarkup) -> Vec<u8> {
    let vector = |len: usize| [VECTOR.to_bytes(), super::views::count(len).to_bytes()].concat();
    let mut out = [OLD_INLINE_MARKUP.to_bytes(), vector(markup.rows.len())].concat();
    for enums::KeyboardInlineButtonRow::Row(row) in &markup.rows {
        out.extend(OLD_BUTTON_ROW.to_bytes());
        out.extend(vector(row.buttons.len()));
        for enums::KeyboardInlineButton::Button(button) in &row.buttons {
            let (name, rest) = match &button.r#type {
                enums::InlineButtonType::Callback(it) => (OLD_CALLBACK_BUTTON, it.data.to_bytes()),
                enums::InlineButtonType::Url(it) => (OLD_URL_BUTTON, it.url.to_bytes()),
                // The simulator makes no others.
                _ => (OLD_CALLBACK_BUTTON, Vec::<u8>::new().to_bytes()),
            };
            out.extend([name.to_bytes(), 0_u32.to_bytes(), button.text.to_bytes(), rest].concat());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::keyboard::{Button, Keyboard, Press};

    #[test]
    fn keyboards_are_rewritten_for_older_layers_and_what_surrounds_them_stays() {
        let text = |text: &str| text.to_owned().to_bytes();
        let button = |text: &str, press| Button { text: text.to_owned(), press };
        let rows =
            vec![vec![button("Yes", Press::Callback("y".to_owned())), button("See", Press::Url("u".to_owned()))]];
        let markup = super::super::bots::keyboard(&Keyboard { rows }).to_bytes();
        let (before, between) = (7_i32.to_bytes(), text("between"));
        let new = [&before[..], &markup, &between, &markup].concat();
        let old = [
            &OLD_INLINE_MARKUP.to_bytes()[..],
            &[VECTOR.to_bytes(), 1_i32.to_bytes(), OLD_BUTTON_ROW.to_bytes(), VECTOR.to_bytes(), 2_i32.to_bytes()]
                .concat(),
            &[OLD_CALLBACK_BUTTON.to_bytes(), 0_i32.to_bytes(), text("Yes"), b"y".to_vec().to_bytes()].concat(),
            &[OLD_URL_BUTTON.to_bytes(), 0_i32.to_bytes(), text("See"), text("u")].concat(),
        ]
        .concat();
        let mut body = new.clone();
        downgrade(&mut body, OLD_NAMES_UPTO);
        assert_eq!(body, [&before[..], &old, &between, &old].concat());
        body.clone_from(&new);
        downgrade(&mut body, OLD_NAMES_UPTO + 1);
        assert_eq!(body, new);
    }
}
