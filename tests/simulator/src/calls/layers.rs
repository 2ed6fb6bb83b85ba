//! Wrappers around requests, and what older layers call things.

use super::Wrapped;
use crate::world::{Rpc, RpcError};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, enums, types};

const INVOKE_WITH_LAYER: u32 = 0xda9b_0d0d;
const INIT_CONNECTION: u32 = 0xc1cd_5ea9;
const INVOKE_WITHOUT_UPDATES: u32 = 0xbf94_59b7;
const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;
const INVOKE_AFTER_MSGS: u32 = 0x3dc4_b4f0;

/// The layers that call `user` and `channel` by other ids than ours do; what we send of them looks the same otherwise.
const OLD_NAMES_UPTO: i32 = 227;
const OLD_USER: u32 = 0x3177_4388;
const OLD_CHANNEL: u32 = 0x1c32_b11c;

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

/// Renames `user` and `channel` in a serialized answer for older layers. It looks at every aligned word, and so assumes
/// that no text, hash or number in the answer happens to hold one of two 32-bit constants: hashes are one in four
/// thousand million per word, and texts of the simulator's own making hold neither.
pub(super) fn downgrade(body: &mut [u8], layer: i32) {
    if layer == 0 || layer > OLD_NAMES_UPTO {
        return;
    }
    for word in body.as_chunks_mut::<4>().0 {
        match u32::from_le_bytes(*word) {
            types::User::CONSTRUCTOR_ID => *word = OLD_USER.to_le_bytes(),
            types::Channel::CONSTRUCTOR_ID => *word = OLD_CHANNEL.to_le_bytes(),
            _ => {}
        }
    }
}
