//! mtcute's form: a version, flags, where the DC is, perhaps who it is, and the key, all as TL writes them.
//!
//! Versions 1 and 2 hold a `dcOption` of the protocol, 3 a shorter one of mtcute's own; 1 has no DC for media.

use zeroize::Zeroizing;

use super::bytes::Bytes;
use super::{Format, KEY_LEN, SessionString, StringError, USER_ID_MAX, checked_address, checked_key};

const HAS_SELF: i32 = 1;
const TEST_MODE: i32 = 2;
const HAS_MEDIA_DC: i32 = 4;
/// `dcOption#18b7a10d`.
const DC_OPTION: i32 = 0x18b7_a10d;
/// The secret of a `dcOption` is there.
const HAS_SECRET: i32 = 1 << 10;
/// `boolTrue#997275b5`, as TL's `int` reads it.
const TRUE: [u8; 4] = 0x9972_75b5_u32.to_le_bytes();
/// `boolFalse#bc799737`.
const FALSE: [u8; 4] = 0xbc79_9737_u32.to_le_bytes();
/// What an own DC option of version 2 says of test servers.
const DC_IS_TEST: u8 = 4;
/// How a string of version 1 to 3 can end at the earliest: anything shorter is none.
const LEN_MIN: usize = 1 + 4 + 16 + 4 + KEY_LEN;

struct Dc {
    id: i32,
    is_test: bool,
}

/// Reads what was base64. `is_whole` is false where the last letters did not decode.
pub(super) fn read(bytes: &[u8], is_whole: bool) -> Result<SessionString, StringError> {
    let Some((&version, rest)) = bytes.split_first() else { return Err(StringError::Unknown) };
    let mut bytes = Bytes::new(rest);
    let Some(flags) = bytes.int() else { return Err(StringError::Unknown) };
    if flags & !(HAS_SELF | TEST_MODE | HAS_MEDIA_DC) != 0 {
        return Err(StringError::Unknown);
    }
    match version {
        1..=3 => {}
        4..=9 if rest.len() >= LEN_MIN => return Err(StringError::Newer(version)),
        _ => return Err(StringError::Unknown),
    }
    let Some(dc) = dc(version, &mut bytes)? else { return Err(StringError::Unknown) };
    // It is mtcute's: from here on what is missing was cut off.
    let cut = || cut_off(rest.len(), flags);
    if version > 1 && flags & HAS_MEDIA_DC != 0 {
        self::dc(version, &mut bytes)?.ok_or_else(cut)?;
    }
    let person = if flags & HAS_SELF == 0 { None } else { Some(person(&mut bytes).ok_or_else(cut)??) };
    let key = bytes.tl_bytes().ok_or_else(cut)?;
    let key = <&[u8; KEY_LEN]>::try_from(key).map(|key| Zeroizing::new(*key));
    let key = key.map_err(|_other_len| damaged("its key has not 256 bytes"))?;
    if !is_whole || !bytes.is_empty() {
        return Err(StringError::TooLong(Format::Mtcute));
    }
    let key = checked_key(Format::Mtcute, dc.id, &key)?;
    if dc.is_test || flags & TEST_MODE != 0 {
        return Err(StringError::TestMode);
    }
    if person.as_ref().is_some_and(|person| person.is_bot) {
        return Err(StringError::Bot);
    }
    let user_id = person.map(|person| person.user_id);
    Ok(SessionString { format: Format::Mtcute, dc: dc.id, key, user_id, api_id: None })
}

fn damaged(what: &'static str) -> StringError {
    StringError::Damaged { format: Format::Mtcute, what }
}

/// How much is missing at least: the key stands at the end, and addresses differ in length.
fn cut_off(len: usize, flags: i32) -> StringError {
    let wanted = LEN_MIN + if flags & HAS_SELF == 0 { 0 } else { 12 } + if flags & HAS_MEDIA_DC == 0 { 0 } else { 16 };
    let missing = wanted.saturating_sub(len).max(1) * 4;
    StringError::CutOff { format: Format::Mtcute, missing: missing.div_ceil(3) }
}

/// `None` where it is no DC.
fn dc(version: u8, bytes: &mut Bytes<'_>) -> Result<Option<Dc>, StringError> {
    let read = if version == 3 { short_dc(bytes) } else { long_dc(bytes) };
    let Some((dc, address)) = read else { return Ok(None) };
    let Ok(address) = std::str::from_utf8(address) else { return Ok(None) };
    checked_address(address)?;
    Ok(Some(dc))
}

fn long_dc<'a>(bytes: &mut Bytes<'a>) -> Option<(Dc, &'a [u8])> {
    if bytes.int()? != DC_OPTION {
        return None;
    }
    let flags = bytes.int()?;
    let id = bytes.int()?;
    let address = bytes.tl_bytes()?;
    bytes.int()?;
    if flags & HAS_SECRET != 0 {
        bytes.tl_bytes()?;
    }
    Some((Dc { id, is_test: false }, address))
}

fn short_dc<'a>(bytes: &mut Bytes<'a>) -> Option<(Dc, &'a [u8])> {
    let mut inner = Bytes::new(bytes.tl_bytes()?);
    let [version, id, flags] = inner.array()?;
    if !matches!(version, 1 | 2) {
        return None;
    }
    let address = inner.tl_bytes()?;
    inner.int()?;
    inner.is_empty().then_some((Dc { id: i32::from(id), is_test: version == 2 && flags & DC_IS_TEST != 0 }, address))
}

struct Person {
    user_id: i64,
    is_bot: bool,
}

fn person(bytes: &mut Bytes<'_>) -> Option<Result<Person, StringError>> {
    let user_id = i64::from_le_bytes(bytes.array()?);
    let is_bot = match bytes.array()? {
        TRUE => true,
        FALSE => false,
        _ => return Some(Err(damaged("a flag is neither yes nor no"))),
    };
    Some(if (1..=USER_ID_MAX).contains(&user_id) {
        Ok(Person { user_id, is_bot })
    } else {
        Err(damaged("its user id is none"))
    })
}
