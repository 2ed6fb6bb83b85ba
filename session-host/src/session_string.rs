//! Session strings of other libraries: one line of text in which a library keeps an account's key.
//!
//! Five forms are read, each in the alphabet that its library writes and in no other: Telethon, gramjs, Pyrogram (2 and
//! both older ones) and mtcute (1 to 3). Of the addresses in them nothing is used: where a DC is, is for the operator to
//! say. Reading is strict, because a string that was cut off by a careless copy holds a key that is none, and Telegram's
//! answer to such a key tells nobody what went wrong. No error repeats any part of a string: it is full control of an account.

mod bytes;
pub mod identity;
mod mtcute;

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::session::AuthKey;
use bytes::Bytes;

/// How long an auth key is.
const KEY_LEN: usize = 256;
/// Telegram's production DCs have the numbers 1 to 5; a string of another is damaged.
const DCS: std::ops::RangeInclusive<i32> = 1..=5;
/// No form is longer, whatever addresses stand in it.
const LEN_MAX: usize = 1_024;
/// Telethon's and gramjs's only version, in front of the base64.
const VERSION_MARK: char = '1';
/// DC, IPv4 address, port, key.
const TELETHON_V4_LEN: usize = 1 + 4 + 2 + KEY_LEN;
/// DC, IPv6 address, port, key.
const TELETHON_V6_LEN: usize = 1 + 16 + 2 + KEY_LEN;
/// gramjs without its address: DC, the address's length, port, key.
const GRAMJS_LEN: usize = 1 + 2 + 2 + KEY_LEN;
/// gramjs itself takes longer ones for something else.
const GRAMJS_ADDRESS_LEN_MAX: usize = 100;
/// DC, test mode, key, user id of 32 bits, bot.
const PYROGRAM_32_LEN: usize = 1 + 1 + KEY_LEN + 4 + 1;
/// The same with a user id of 64 bits.
const PYROGRAM_64_LEN: usize = PYROGRAM_32_LEN + 4;
/// The same with the application's id.
const PYROGRAM_2_LEN: usize = PYROGRAM_64_LEN + 4;
/// So much of a key must be there before two bytes are taken for the beginning of a Pyrogram string.
const PYROGRAM_SURE_LEN: usize = 64;
/// Telegram gives no user a higher id.
const USER_ID_MAX: i64 = (1 << 40) - 1;
/// Where Telegram's test servers are: what Telethon and gramjs do not say, the address does.
const TEST_SERVERS: [&str; 6] = [
    "149.154.175.10",
    "149.154.167.40",
    "149.154.175.117",
    "2001:b28:f23d:f001::e",
    "2001:67c:4e8:f002::e",
    "2001:b28:f23d:f003::e",
];

/// Which library wrote a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Python.
    Telethon,
    /// `telegram` from npm.
    Gramjs,
    /// Pyrogram 2, and what came of it.
    Pyrogram2,
    /// Pyrogram before version 2.
    PyrogramOld,
    /// `@mtcute/*` from npm.
    Mtcute,
}

/// What stands in a string. Its `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct SessionString {
    /// Who wrote it.
    pub format: Format,
    /// The DC where the account lives.
    pub dc: i32,
    /// The key that it shares with this DC.
    pub key: AuthKey,
    /// Whose it is, where the form says so.
    pub user_id: Option<i64>,
    /// The application that logged in, where the form says so.
    pub api_id: Option<i32>,
}

/// Why a text is no session string that can be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StringError {
    /// Nothing.
    #[error("there is no session string: paste it as one line")]
    Empty,
    /// Blanks, or letters that no base64 has.
    #[error("a session string has no {0}: copy it once more, as one line and without anything around it")]
    Letters(&'static str),
    /// It ends too early.
    #[error("the {format} session string is cut off: {missing} of its characters are missing; copy all of it")]
    CutOff {
        /// Of which form it seems to be.
        format: Format,
        /// How much of it is missing.
        missing: usize,
    },
    /// It goes on too long.
    #[error("the session string is too long for a {0} one: copy it once more, without what follows it")]
    TooLong(Format),
    /// No form fits.
    #[error(
        "this is no session string of Telethon, gramjs, Pyrogram or mtcute, or it is cut off: copy all of it, or \
         log the account in with ferry account add"
    )]
    Unknown,
    /// The form fits, and the content does not.
    #[error("the {format} session string is damaged ({what}): make a new one, or log in with ferry account add")]
    Damaged {
        /// Of which form it is.
        format: Format,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A mtcute of later days.
    #[error("this mtcute session string is of version {0}, and ferry reads 1 to 3: log in with ferry account add")]
    Newer(u8),
    /// It is of Telegram's test servers.
    #[error("this session is of Telegram's test servers, where none of your chats are: make one without test mode")]
    TestMode,
    /// It is of a bot.
    #[error("this session is of a bot, and bots cannot read history: use the session of a person's account")]
    Bot,
}

impl SessionString {
    /// Reads a string of any form.
    ///
    /// # Errors
    /// See [`StringError`].
    pub fn read(text: &str) -> Result<Self, StringError> {
        let text = text.trim();
        checked_letters(text)?;
        match text.strip_prefix(VERSION_MARK) {
            Some(rest) => with_mark(rest),
            None => without_mark(text),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Telethon => "Telethon",
            Self::Gramjs => "gramjs",
            Self::Pyrogram2 | Self::PyrogramOld => "Pyrogram",
            Self::Mtcute => "mtcute",
        })
    }
}

fn checked_letters(text: &str) -> Result<(), StringError> {
    if text.is_empty() {
        return Err(StringError::Empty);
    }
    if text.contains(char::is_whitespace) {
        return Err(StringError::Letters("blanks and line breaks"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    if !text.chars().all(fits) {
        return Err(StringError::Letters("such letters"));
    }
    if text.contains(['+', '/']) && text.contains(['-', '_']) {
        return Err(StringError::Letters("letters of two alphabets"));
    }
    if text.len() > LEN_MAX { Err(StringError::Unknown) } else { Ok(()) }
}

type Plain = Zeroizing<Vec<u8>>;

/// Telethon or gramjs: they differ by alphabet and by how they write the address, and not always by length.
fn with_mark(rest: &str) -> Result<SessionString, StringError> {
    let url_safe = URL_SAFE.decode(rest).map(Zeroizing::new).ok();
    let standard = STANDARD.decode(rest).map(Zeroizing::new).ok();
    if let Some(bytes) = standard.as_deref()
        && let Some(address_len) = gramjs_address_len(bytes)
        && bytes.len() == GRAMJS_LEN + address_len
    {
        return gramjs(bytes, address_len);
    }
    if let Some(bytes) = url_safe.as_deref()
        && matches!(bytes.len(), TELETHON_V4_LEN | TELETHON_V6_LEN)
        // With an address of 14 letters gramjs's has the very length, and only the alphabet tells them apart.
        && gramjs_address_len(bytes).is_none_or(|len| bytes.len() != GRAMJS_LEN + len)
    {
        return telethon(bytes);
    }
    Err(misfit(rest))
}

/// How long the address is if this is gramjs's: the text of an address begins with a letter, a digit or a colon.
fn gramjs_address_len(bytes: &[u8]) -> Option<usize> {
    let len = usize::from(u16::from_be_bytes([*bytes.get(1)?, *bytes.get(2)?]));
    let begins = bytes.get(3)?;
    let fits = (1..=GRAMJS_ADDRESS_LEN_MAX).contains(&len) && (begins.is_ascii_alphanumeric() || *begins == b':');
    fits.then_some(len)
}

/// What is wrong with a string of Telethon's or gramjs's kind that is neither.
fn misfit(rest: &str) -> StringError {
    // Whole groups of four letters decode whatever is missing at the end.
    let whole = rest.trim_end_matches('=');
    let whole = &whole[..whole.len() / 4 * 4];
    let decoded = STANDARD.decode(whole).or_else(|_other| URL_SAFE.decode(whole)).map(Zeroizing::new);
    let Ok(bytes) = decoded else { return StringError::Unknown };
    let (format, wanted) = match gramjs_address_len(&bytes) {
        Some(len) => (Format::Gramjs, GRAMJS_LEN + len),
        None if bytes.get(1..).is_some_and(begins_as_ipv6) => (Format::Telethon, TELETHON_V6_LEN),
        None => (Format::Telethon, TELETHON_V4_LEN),
    };
    let wanted = wanted.div_ceil(3) * 4;
    if bytes.len() < 3 {
        StringError::Unknown
    } else if rest.len() < wanted {
        StringError::CutOff { format, missing: wanted - rest.len() }
    } else if rest.len() > wanted {
        StringError::TooLong(format)
    } else {
        StringError::Damaged { format, what: "its letters are of another alphabet, or out of order" }
    }
}

fn gramjs(bytes: &[u8], address_len: usize) -> Result<SessionString, StringError> {
    let damaged = |what| StringError::Damaged { format: Format::Gramjs, what };
    let mut bytes = Bytes::new(bytes);
    let cut = || damaged("it ends too early");
    let dc = i32::from(bytes.byte().ok_or_else(cut)?);
    bytes.take(2).ok_or_else(cut)?;
    let address = std::str::from_utf8(bytes.take(address_len).ok_or_else(cut)?);
    let address = address.map_err(|_no_text| damaged("its address is none"))?;
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    if !address.chars().all(host) {
        return Err(damaged("its address is none"));
    }
    bytes.take(2).ok_or_else(cut)?;
    checked_address(address)?;
    finished(Format::Gramjs, dc, &mut bytes)
}

fn telethon(bytes: &[u8]) -> Result<SessionString, StringError> {
    let damaged = StringError::Damaged { format: Format::Telethon, what: "it ends too early" };
    let is_v6 = bytes.len() == TELETHON_V6_LEN;
    let mut bytes = Bytes::new(bytes);
    let dc = i32::from(bytes.byte().ok_or_else(|| damaged.clone())?);
    if !is_v6 && begins_as_ipv6(bytes.rest()) {
        let missing = (TELETHON_V6_LEN - TELETHON_V4_LEN).div_ceil(3) * 4;
        return Err(StringError::CutOff { format: Format::Telethon, missing });
    }
    let address = if is_v6 { bytes.array::<16>().map(IpAddr::from) } else { bytes.array::<4>().map(IpAddr::from) };
    let address = address.ok_or_else(|| damaged.clone())?;
    bytes.take(2).ok_or(damaged)?;
    checked_address(&address.to_string())?;
    finished(Format::Telethon, dc, &mut bytes)
}

/// An IPv6 address of Telegram's begins with 0x20 or 0x2a, an IPv4 one never does.
fn begins_as_ipv6(address: &[u8]) -> bool {
    matches!(address, [0x20 | 0x2a, ..])
}

fn checked_address(address: &str) -> Result<(), StringError> {
    if TEST_SERVERS.contains(&address) { Err(StringError::TestMode) } else { Ok(()) }
}

/// DC and key, where nothing else is left.
fn finished(format: Format, dc: i32, bytes: &mut Bytes<'_>) -> Result<SessionString, StringError> {
    let key = bytes.array::<KEY_LEN>().map(Zeroizing::new);
    let key = key.ok_or(StringError::Damaged { format, what: "its key has not 256 bytes" })?;
    if !bytes.is_empty() {
        return Err(StringError::TooLong(format));
    }
    let key = checked_key(format, dc, &key)?;
    Ok(SessionString { format, dc, key, user_id: None, api_id: None })
}

fn checked_key(format: Format, dc: i32, key: &[u8; KEY_LEN]) -> Result<AuthKey, StringError> {
    if !DCS.contains(&dc) {
        return Err(StringError::Damaged { format, what: "its data centre is none" });
    }
    // What the libraries write before they have a key.
    if key.iter().all(|byte| *byte == 0) {
        return Err(StringError::Damaged { format, what: "its key is empty: the account was not logged in" });
    }
    Ok(AuthKey::new(*key))
}

/// Pyrogram or mtcute: always URL-safe and without padding, told apart by length.
fn without_mark(text: &str) -> Result<SessionString, StringError> {
    let decoded = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
    // A group of four letters that is not complete may be undecodable just because it was cut off.
    let (bytes, is_whole): (Plain, bool) = match decoded {
        Ok(bytes) => (bytes, true),
        Err(_) => match URL_SAFE_NO_PAD.decode(&text[..text.len() / 4 * 4]) {
            Ok(bytes) => (Zeroizing::new(bytes), false),
            Err(_) => return Err(StringError::Unknown),
        },
    };
    match bytes.len() {
        PYROGRAM_2_LEN if is_whole => pyrogram(Format::Pyrogram2, &bytes),
        PYROGRAM_32_LEN | PYROGRAM_64_LEN if is_whole => pyrogram(Format::PyrogramOld, &bytes),
        len => match mtcute::read(&bytes, is_whole) {
            Err(StringError::Unknown) if len < PYROGRAM_2_LEN => Err(cut_off_pyrogram(&bytes, text.len())),
            outcome => outcome,
        },
    }
}

/// Whether this is the beginning of a Pyrogram string: DC, an application's id that is no giant, test mode; or, of older ones,
/// DC, test mode, and a key. A string of version 2 that was cut to the very length of an older one is taken for that, and
/// Telegram does not know its key.
fn cut_off_pyrogram(bytes: &[u8], text_len: usize) -> StringError {
    let letters = |len: usize| (len * 8).div_ceil(6);
    let (format, wanted) = match bytes {
        [1..=5, 0, _, _, _, 0 | 1, ..] => (Format::Pyrogram2, letters(PYROGRAM_2_LEN)),
        [1..=5, 0 | 1, key @ ..] if key.len() >= PYROGRAM_SURE_LEN && !key.starts_with(&[0, 0]) => {
            let long = letters(PYROGRAM_64_LEN);
            (Format::PyrogramOld, Some(letters(PYROGRAM_32_LEN)).filter(|short| text_len < *short).unwrap_or(long))
        }
        _ => return StringError::Unknown,
    };
    match wanted.checked_sub(text_len) {
        Some(missing) if missing > 0 => StringError::CutOff { format, missing },
        _ => StringError::Unknown,
    }
}

fn pyrogram(format: Format, bytes: &[u8]) -> Result<SessionString, StringError> {
    let damaged = |what| StringError::Damaged { format, what };
    let cut = || damaged("it ends too early");
    let has_long_id = bytes.len() != PYROGRAM_32_LEN;
    let mut bytes = Bytes::new(bytes);
    let dc = i32::from(bytes.byte().ok_or_else(cut)?);
    let api_id = match format {
        Format::Pyrogram2 => Some(u32::from_be_bytes(bytes.array().ok_or_else(cut)?)),
        _ => None,
    };
    let test_mode = bytes.flag().ok_or_else(|| damaged("a flag is neither yes nor no"))?;
    let key = bytes.array::<KEY_LEN>().map(Zeroizing::new).ok_or_else(cut)?;
    let user_id = if has_long_id {
        bytes.array().map(u64::from_be_bytes)
    } else {
        bytes.array().map(|id| u64::from(u32::from_be_bytes(id)))
    };
    let user_id = user_id.ok_or_else(cut)?;
    let is_bot = bytes.flag().ok_or_else(|| damaged("a flag is neither yes nor no"))?;
    let key = checked_key(format, dc, &key)?;
    if test_mode {
        return Err(StringError::TestMode);
    }
    if is_bot {
        return Err(StringError::Bot);
    }
    let user_id = i64::try_from(user_id).ok().filter(|id| (1..=USER_ID_MAX).contains(id));
    let user_id = user_id.ok_or_else(|| damaged("its user id is none: the account was not logged in"))?;
    let api_id = api_id.and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
    Ok(SessionString { format, dc, key, user_id: Some(user_id), api_id })
}
