//! What people write where the conversation waits for something: ranges, paces, numbers, and what should never have been
//! written. Readers of foreign text: total, and they say no rather than guess.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::address::PeerAddress;
use crate::admin::GROUP_LEN_MAX;
use crate::ids::MessageId;
use crate::pace::Pace;
use crate::selection::Range;
use crate::task::BATCH_LEN_UNLIMITED;

/// So many letters of base64 in one piece are a session or a part of one: nothing that Ferry asks for has them.
const SECRET_LEN_MIN: usize = 100;
/// Some programs break a session into lines; shorter lines are words.
const SECRET_LINE_LEN_MIN: usize = 32;
/// Characters of a bot token's second half, of which Telegram makes 35.
const TOKEN_LEN_MIN: usize = 30;
/// Labels stand in lists of accounts.
const LABEL_LEN_MAX: usize = 40;

/// What a text says about the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RangeInput {
    /// A range.
    Range(Range),
    /// From a message on, of this chat.
    FromLink(PeerAddress, MessageId),
    /// It can select nothing.
    Backwards,
    /// It is no range.
    None,
}

/// What a text says about the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaceInput {
    /// A pace that somebody can mean.
    Pace(Pace),
    /// Values that nobody means.
    TooSlow,
    /// It is no pace.
    None,
}

/// Whether the text looks like a session: full control of an account. Those of Telethon, gramjs, Pyrogram and mtcute are
/// base64 of a key of 256 bytes, plain or for URLs, and so is what is left of one that was cut off.
pub fn looks_secret(text: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let has_long_piece = |text: &str| text.split(|c| !is_base64(c)).any(|piece| piece.len() >= SECRET_LEN_MIN);
    let is_line = |line: &&str| line.len() >= SECRET_LINE_LEN_MIN && line.chars().all(is_base64);
    let joined = || text.lines().map(str::trim).filter(is_line).collect::<String>();
    has_long_piece(text) || has_long_piece(&joined())
}

/// Whether the text holds a bot's token: `123456:ABC…`.
pub(crate) fn looks_bot_token(text: &str) -> bool {
    text.match_indices(':').any(|(at, _)| {
        let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
        digits >= 6 && text[at + 1..].bytes().take_while(is_part).count() >= TOKEN_LEN_MIN
    })
}

/// Whether the text looks like a login code, however it is spaced.
pub(crate) fn looks_code(text: &str) -> bool {
    let between = |c: char| c.is_whitespace() || "-–.,_".contains(c);
    let digits: String = text.chars().filter(|c| !between(*c)).collect();
    (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A phone number with its country: `+442079460018`. Whatever stands between the digits is dropped.
pub(crate) fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix('+').or_else(|| text.strip_prefix('＋')).or_else(|| text.strip_prefix("00"))?;
    let between = |c: char| c.is_whitespace() || "-–.()/".contains(c);
    let digits: String = rest.chars().filter(|c| !between(*c)).collect();
    let is_number = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

/// Enough of a phone number to recognise it: `+44…18`.
pub fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let (head, tail) = (digits.iter().take(2), digits.iter().skip(digits.len().saturating_sub(2)));
    if digits.len() < 7 {
        "…".to_owned()
    } else {
        format!("+{}…{}", head.collect::<String>(), tail.collect::<String>())
    }
}

/// An application's id and hash, in this order: `12345 0123456789abcdef0123456789abcdef`.
pub(crate) fn api(text: &str) -> Option<(i32, String)> {
    let words = text.split(|c: char| c.is_whitespace() || ",;:=，、".contains(c)).filter(|word| !word.is_empty());
    let named = ["api_id", "api_hash", "id", "hash", "app"];
    let words: Vec<&str> = words.filter(|word| !named.contains(&word.to_ascii_lowercase().as_str())).collect();
    let [id, hash] = words.as_slice() else { return None };
    let id = id.parse::<i32>().ok().filter(|id| *id > 0)?;
    let is_hash = hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| (id, hash.to_ascii_lowercase()))
}

/// What an account is called.
pub(crate) fn label(text: &str) -> Option<String> {
    name(text, LABEL_LEN_MAX)
}

/// What a group is called.
pub(crate) fn group(text: &str) -> Option<String> {
    name(text, GROUP_LEN_MAX)
}

fn name(text: &str, len_max: usize) -> Option<String> {
    let label = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=len_max).contains(&label.chars().count()) && !label.chars().any(char::is_control);
    fits.then_some(label)
}

/// The days until today: from the beginning of the first to the last second of today, in this zone.
pub(crate) fn last_days(days: i64, now: Timestamp, zone: &TimeZone) -> Option<Range> {
    let today = now.to_zoned(zone.clone()).date();
    let from = today.checked_sub(Span::new().try_days(days).ok()?).ok()?;
    dates(from, today, zone)
}

/// A range as people write it: a date, two dates, `100-200`, `100-`, or a link to a message.
pub(crate) fn range(text: &str, now: Timestamp, zone: &TimeZone) -> RangeInput {
    let text = text.trim();
    if let Ok((address, Some(message))) = PeerAddress::parse(text) {
        return RangeInput::FromLink(address, message);
    }
    if let Some(input) = ids(text) {
        return input;
    }
    let found: Option<Vec<Date>> = date_words(text).iter().map(|word| date(word)).collect();
    let today = now.to_zoned(zone.clone()).date();
    let (from, until) = match found.as_deref() {
        Some([from]) => (*from, today),
        Some([from, until]) => (*from, *until),
        Some(_) | None => return RangeInput::None,
    };
    if from > until || from > today {
        return RangeInput::Backwards;
    }
    dates(from, until, zone).map_or(RangeInput::None, RangeInput::Range)
}

fn dates(from: Date, until: Date, zone: &TimeZone) -> Option<Range> {
    let from = from.to_zoned(zone.clone()).ok()?.timestamp();
    let until = until.at(23, 59, 59, 0).to_zoned(zone.clone()).ok()?.timestamp();
    (from <= until).then_some(Range::Dates { from, until })
}

/// `100-200`, `100-`, `#100 – #200`, `100 到 200`; `None` if the text speaks of no ids.
fn ids(text: &str) -> Option<RangeInput> {
    let text = text.replace(['#', ' '], "").replace(['–', '—', '~', '～', '到', '至'], "-");
    let (from, until) = text.split_once('-')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // Four digits, a dash, two digits: that is a month, and no message.
    if !is_number(from) || !(until.is_empty() || is_number(until)) || (from.len() == 4 && until.len() == 2) {
        return None;
    }
    let id = |part: &str| part.parse::<i32>().ok().filter(|id| *id > 0).map(MessageId);
    let Some(from) = id(from) else { return Some(RangeInput::None) };
    if until.is_empty() {
        return Some(RangeInput::Range(Range::From(from)));
    }
    Some(match id(until) {
        Some(until) if from > until => RangeInput::Backwards,
        Some(until) => RangeInput::Range(Range::Ids { from, until }),
        None => RangeInput::None,
    })
}

/// The words of a text that could be dates; what stands between two dates is dropped.
fn date_words(text: &str) -> Vec<String> {
    let text = text.replace("日", " ").replace(['年', '月'], "-").replace(['~', '～', '–', '—', ',', '，'], " ");
    let between = ["to", "until", "till", "and", "-", "到", "至"];
    let spaced = text.replace(['到', '至'], " ");
    spaced.split_whitespace().filter(|word| !between.contains(word)).map(str::to_owned).collect()
}

fn date(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A pace as people write it: milliseconds between two messages; then, if wanted, after how many messages to pause and
/// for how many milliseconds; and the same for the long pause: `1500 50 15000 150 90000`.
pub(crate) fn pace(text: &str) -> PaceInput {
    let words = text.split(|c: char| c.is_whitespace() || ",/;，、".contains(c)).filter(|word| !word.is_empty());
    let Some(numbers) = words.map(|word| word.parse::<u64>().ok()).collect::<Option<Vec<u64>>>() else {
        return PaceInput::None;
    };
    let files = |number: u64| u32::try_from(number).ok();
    let pace = match numbers.as_slice() {
        [rate] => Some(Pace { forward_rate_ms: *rate, ..Pace::none() }),
        [rate, after, pause] => files(*after).map(|pause_after_files| Pace {
            forward_rate_ms: *rate,
            pause_after_files,
            pause_duration_ms: *pause,
            ..Pace::none()
        }),
        [rate, after, pause, long_after, long_pause] => {
            files(*after).zip(files(*long_after)).map(|(pause_after_files, long_pause_after_files)| Pace {
                forward_rate_ms: *rate,
                pause_after_files,
                pause_duration_ms: *pause,
                long_pause_after_files,
                long_pause_ms: *long_pause,
            })
        }
        _ => return PaceInput::None,
    };
    match pace {
        Some(pace) if pace.validate().is_ok() => PaceInput::Pace(pace),
        Some(_) | None => PaceInput::TooSlow,
    }
}

/// A batch limit; 0 means none.
pub(crate) fn batch_len(text: &str) -> Option<u32> {
    match text.trim().parse::<u32>().ok()? {
        0 => Some(BATCH_LEN_UNLIMITED),
        number if number <= BATCH_LEN_UNLIMITED => Some(number),
        _ => None,
    }
}

/// A priority that an admin can mean.
pub(crate) fn priority(text: &str) -> Option<i32> {
    text.trim().parse::<i32>().ok().filter(|priority| (-1_000..=1_000).contains(priority))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(8))
    }

    fn now() -> Timestamp {
        // The third of May already, in the zone.
        "2024-05-02T20:00:00Z".parse().unwrap()
    }

    fn read(text: &str) -> String {
        match range(text, now(), &zone()) {
            RangeInput::Range(Range::Dates { from, until }) => format!("{from} {until}"),
            RangeInput::Range(Range::Ids { from, until }) => format!("#{from} #{until}"),
            RangeInput::Range(Range::From(from)) => format!("#{from} on"),
            RangeInput::Range(Range::Everything) => "everything".to_owned(),
            RangeInput::FromLink(address, message) => format!("{address} #{message} on"),
            RangeInput::Backwards => "backwards".to_owned(),
            RangeInput::None => "none".to_owned(),
        }
    }

    #[test]
    fn ranges_are_read_as_people_write_them() {
        let april = "2024-03-31T16:00:00Z 2024-04-30T15:59:59Z";
        for (text, meant) in [
            ("2024-05-01", "2024-04-30T16:00:00Z 2024-05-03T15:59:59Z"),
            ("2024-05-03", "2024-05-02T16:00:00Z 2024-05-03T15:59:59Z"),
            ("2024年5月1日", "2024-04-30T16:00:00Z 2024-05-03T15:59:59Z"),
            ("2024-04-01 2024-04-30", april),
            ("2024/4/1 - 2024/4/30", april),
            ("2024.04.01~2024.04.30", april),
            ("2024-04-01 to 2024-04-30", april),
            ("2024年4月1日到2024年4月30日", april),
            ("100-200", "#100 #200"),
            ("#100 – #200", "#100 #200"),
            ("100 到 200", "#100 #200"),
            ("100-", "#100 on"),
            ("https://t.me/durov/77", "@durov #77 on"),
            ("200-100", "backwards"),
            ("2024-05-04", "backwards"),
            ("2024-05-02 2024-05-01", "backwards"),
            ("0-5", "none"),
            ("1-99999999999", "none"),
            ("2024-13-01", "none"),
            ("2024-02-30", "none"),
            ("2024-05", "none"),
            ("01-05-2024", "none"),
            ("yesterday", "none"),
            ("100", "none"),
            ("", "none"),
            ("2024-01-01 2024-02-01 2024-03-01", "none"),
        ] {
            assert_eq!(read(text), meant, "{text}");
        }
    }

    #[test]
    fn days_count_in_the_admins_zone() {
        let Some(Range::Dates { from, until }) = last_days(7, now(), &zone()) else { panic!("no range") };
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2024-04-25T16:00:00Z".into(), "2024-05-03T15:59:59Z".into())
        );
    }

    #[test]
    fn a_pace_has_one_three_or_five_numbers() {
        let whole = Pace::default();
        assert_eq!(pace("1500 50 15000 150 90000"), PaceInput::Pace(whole));
        assert_eq!(pace("1500 / 50 / 15000 / 150 / 90000"), PaceInput::Pace(whole));
        assert_eq!(pace("250"), PaceInput::Pace(Pace { forward_rate_ms: 250, ..Pace::none() }));
        assert_eq!(pace("99999999 1 1"), PaceInput::TooSlow);
        assert_eq!(pace("1 99999999999 1"), PaceInput::TooSlow);
        for text in ["", "fast", "1.5", "-1", "1 2", "1 2 3 4", "1 2 3 4 5 6"] {
            assert_eq!(pace(text), PaceInput::None, "{text}");
        }
    }

    #[test]
    fn sessions_are_recognised_and_titles_are_not() {
        let key = "1BVtsOK4Bu7".repeat(30);
        assert!(looks_secret(&key));
        assert!(looks_secret(&format!("here it is: {key}")));
        assert!(looks_secret(
            &key.as_bytes().chunks(60).map(|l| format!("{}\n", String::from_utf8_lossy(l))).collect::<String>()
        ));
        assert!(!looks_secret(&"many words that say something ".repeat(20)));
        assert!(!looks_secret("@durov"));
        for quoted in [format!("SESSION=\"{key}\""), format!("`{}`", &key[..120])] {
            assert!(looks_secret(&quoted), "{quoted}");
        }
        assert!(!looks_secret(&"word\n".repeat(60)), "a list of words");
        assert!(!looks_secret("https://t.me/c/1234567890/77?thread=5&single"));
    }

    #[test]
    fn tokens_of_bots_are_recognised() {
        let token = format!("1234567890:{}", "AAh_x-1".repeat(5));
        for text in [token.clone(), format!("token={token}."), format!("use {token}")] {
            assert!(looks_bot_token(&text), "{text}");
        }
        for text in ["12:30", "https://t.me/x", "123456:short", ":::"] {
            assert!(!looks_bot_token(text), "{text}");
        }
    }

    #[test]
    fn codes_phones_and_applications_are_read_as_people_write_them() {
        for code in ["12345", "1-2-3-4-5", " 1 2 3 4 5 6 ", "123.456"] {
            assert!(looks_code(code), "{code}");
        }
        for other in ["123", "123456789", "12a45", "", "-", "１２３４５"] {
            assert!(!looks_code(other), "{other}");
        }
        for number in ["+44 20 7946-0018", "0044 (20) 7946 0018", "+442079460018"] {
            assert_eq!(phone(number).as_deref(), Some("+442079460018"), "{number}");
        }
        for number in ["", "+", "2079460018", "+44", "+44 20 abc 0018", "+0123456789", "+1234567890123456"] {
            assert_eq!(phone(number), None, "{number}");
        }
        assert_eq!(["+442079460018", "12"].map(masked), ["+44…18", "…"]);
        let hash = "0123456789abcdef0123456789ABCDEF";
        for text in [format!("12345 {hash}"), format!("api_id: 12345\napi_hash: {hash}"), format!("12345:{hash}")] {
            assert_eq!(api(&text), Some((12345, hash.to_lowercase())), "{text}");
        }
        for text in ["", "12345", hash, &format!("0 {hash}"), &format!("{hash} 12345"), &format!("1 {hash}0")] {
            assert_eq!(api(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_range_could_select_something(text in ".{0,40}") {
            if let RangeInput::Range(range) = range(&text, now(), &zone()) {
                let selection = crate::selection::Selection { range, ..crate::selection::Selection::everything() };
                prop_assert!(selection.validate().is_ok(), "{text:?} {range:?}");
            }
            if let PaceInput::Pace(pace) = pace(&text) {
                prop_assert!(pace.validate().is_ok());
            }
            prop_assert!(batch_len(&text).is_none_or(|len| len > 0));
            looks_secret(&text);
            looks_bot_token(&text);
            prop_assert!(phone(&text).is_none_or(|phone| (8..=16).contains(&phone.len())));
            prop_assert!(api(&text).is_none_or(|(id, hash)| id > 0 && hash.len() == 32));
        }
    }
}
