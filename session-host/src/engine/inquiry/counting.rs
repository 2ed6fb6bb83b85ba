//! How many messages of a source match: counted where the range is short, extrapolated from a sample where it is long.

use jiff::SignedDuration;
use transfer::ids::MessageId;
use transfer::inquiry::{Tally, tally};
use transfer::message::Message;
use transfer::selection::{Range, Selection};

use crate::telegram::{CallError, Connection, Peer};

/// Messages that are looked at one by one.
const EXACT_MAX: u64 = 2_000;
/// Pages in a sample; and a few more where a chat that seemed short is not.
const PAGES: u32 = 20;
const PAGES_MAX: u32 = 25;
/// Messages in a page (Telegram's limit).
const PAGE_LEN: u32 = 100;
/// The members of an album that reaches over the last date are posted within this time.
const ALBUM_SPAN: SignedDuration = SignedDuration::from_secs(61);

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) matching: u64,
    pub(super) albums: u64,
    pub(super) exact: bool,
}

/// Counts with one account.
pub(super) async fn count(
    connection: &dyn Connection,
    source: &Peer,
    selection: &Selection,
) -> Result<Counted, CallError> {
    let newest = connection.newest(source, None).await?;
    let nothing = Counted { exact: true, ..Counted::default() };
    let Some(last) = newest.message.map(|message| message.id) else { return Ok(nothing) };
    let mut last = selection.last_id().map_or(last, |end| end.min(last));
    let mut after = MessageId(selection.first_id().0.saturating_sub(1).max(0));
    if let Some(date) = selection.first_date() {
        let before = connection.newest(source, Some(date)).await?.message;
        after = after.max(before.map_or(MessageId(0), |message| message.id));
    }
    if let Range::Dates { until, .. } = selection.range
        && let Ok(end) = until.checked_add(ALBUM_SPAN)
    {
        let end = connection.newest(source, Some(end)).await?.message;
        last = last.min(end.map_or(MessageId(0), |message| message.id));
    }
    if last <= after {
        return Ok(nothing);
    }
    if span(after, last) <= EXACT_MAX || newest.count <= EXACT_MAX {
        one_by_one(connection, source, selection, after, last).await
    } else {
        sampled(connection, source, selection, after, last).await
    }
}

fn span(after: MessageId, last: MessageId) -> u64 {
    u64::try_from(i64::from(last.0) - i64::from(after.0)).unwrap_or(0)
}

/// A page above `after`, up to `last`; and whether there is more.
async fn page(
    connection: &dyn Connection,
    source: &Peer,
    after: MessageId,
    last: MessageId,
) -> Result<(Vec<Message>, bool), CallError> {
    let mut page = connection.history(source, after, PAGE_LEN).await?;
    let more = page.last().is_some_and(|message| message.id < last);
    page.retain(|message| message.id <= last);
    Ok((page, more))
}

async fn one_by_one(
    connection: &dyn Connection,
    source: &Peer,
    selection: &Selection,
    mut after: MessageId,
    last: MessageId,
) -> Result<Counted, CallError> {
    let mut messages = Vec::new();
    for _ in 0..PAGES_MAX {
        let (page, more) = page(connection, source, after, last).await?;
        messages.extend(page);
        after = messages.last().map_or(after, |message| message.id);
        if !more {
            let Tally { matching, albums } = tally(&messages, selection);
            return Ok(Counted { matching, albums, exact: true });
        }
    }
    let seen = messages.first().zip(messages.last()).map_or(1, |(first, last)| span(first.id, last.id) + 1);
    Ok(extrapolated(tally(&messages, selection), seen, seen + span(after, last)))
}

/// Looks at pages that lie evenly in the range.
async fn sampled(
    connection: &dyn Connection,
    source: &Peer,
    selection: &Selection,
    after: MessageId,
    last: MessageId,
) -> Result<Counted, CallError> {
    let whole = span(after, last);
    let mut found = Tally::default();
    let (mut seen, mut seen_to) = (0, after);
    for window in 0..u64::from(PAGES) {
        let offset = i32::try_from(whole * window / u64::from(PAGES)).unwrap_or(i32::MAX);
        let begin = MessageId(after.0.saturating_add(offset)).max(seen_to);
        if begin >= last {
            break;
        }
        let (page, more) = page(connection, source, begin, last).await?;
        let here = tally(&page, selection);
        found.matching += here.matching;
        found.albums += here.albums;
        let end = if more { page.last().map_or(last, |message| message.id) } else { last };
        seen += span(begin, end);
        seen_to = end;
    }
    Ok(extrapolated(found, seen, whole))
}

fn extrapolated(found: Tally, seen: u64, whole: u64) -> Counted {
    let scaled = |number: u64| {
        let scaled = u128::from(number) * u128::from(whole.max(seen)) / u128::from(seen.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    Counted { matching: scaled(found.matching), albums: scaled(found.albums), exact: seen >= whole }
}
