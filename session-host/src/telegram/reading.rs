//! Reading messages: history upward, the newest, by id.

use std::collections::HashMap;

use grammers_tl_types::{enums, functions, types};
use jiff::Timestamp;
use transfer::ids::{MessageId, PeerKind};
use transfer::message::Message;

use super::connection::AccountConnection;
use super::convert::{chat_of, empty_message, input_channel, input_peer, message};
use super::{CallError, Newest, Peer};

/// Telegram gives no more at once.
const PAGE_MAX: u32 = 100;

/// Messages above `after`, ascending.
///
/// `offset_id = after + 1` with `add_offset = -limit` is the window of `limit` messages that starts right above `after`
/// (<https://core.telegram.org/api/offsets>); it comes newest first.
pub(crate) async fn history(
    account: &AccountConnection,
    peer: &Peer,
    after: MessageId,
    limit: u32,
) -> Result<Vec<Message>, CallError> {
    let limit = i32::try_from(limit.clamp(1, PAGE_MAX)).unwrap_or(1);
    let request = functions::messages::GetHistory {
        peer: input_peer(peer.id, peer.access_hash),
        offset_id: after.0.saturating_add(1),
        offset_date: 0,
        add_offset: -limit,
        limit,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let page = Page::of(account.read(&request).await?)?;
    let mut messages: Vec<Message> =
        page.messages.into_iter().filter(|found| found.id() > after.0).map(message).collect();
    messages.sort_unstable_by_key(|message| message.id);
    Ok(messages)
}

/// The newest message, or the newest before a time.
pub(crate) async fn newest(
    account: &AccountConnection,
    peer: &Peer,
    before: Option<Timestamp>,
) -> Result<Newest, CallError> {
    let offset_date = before.map_or(0, |time| i32::try_from(time.as_second()).unwrap_or(i32::MAX));
    let request = functions::messages::GetHistory {
        peer: input_peer(peer.id, peer.access_hash),
        offset_id: 0,
        offset_date,
        add_offset: 0,
        limit: 1,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let page = Page::of(account.read(&request).await?)?;
    let pts = match page.pts {
        Some(pts) => pts,
        None => account.state().await?.pts,
    };
    Ok(Newest { message: page.messages.into_iter().next().map(message), count: page.count, pts })
}

/// Messages by id, in the order asked for.
pub(crate) async fn messages(
    account: &AccountConnection,
    peer: &Peer,
    ids: &[MessageId],
) -> Result<Vec<Message>, CallError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let id: Vec<enums::InputMessage> = ids.iter().map(|id| types::InputMessageId { id: id.0 }.into()).collect();
    let answer = match peer.id.kind() {
        PeerKind::Channel(bare) => {
            let channel = input_channel(bare, peer.access_hash);
            account.read(&functions::channels::GetMessages { channel, id }).await?
        }
        PeerKind::User(_) | PeerKind::Group(_) => account.read(&functions::messages::GetMessages { id }).await?,
    };
    // Outside channels an id names a message of any chat of the account: one of another chat is not what was asked for.
    let here = |found: &enums::Message| chat_of(found).is_none_or(|chat| chat == peer.id);
    let page = Page::of(answer)?;
    let mut found: HashMap<MessageId, Message> =
        page.messages.into_iter().filter(here).map(message).map(|message| (message.id, message)).collect();
    Ok(ids.iter().map(|id| found.remove(id).unwrap_or_else(|| empty_message(*id))).collect())
}

/// What the forms of `messages.Messages` have in common.
struct Page {
    messages: Vec<enums::Message>,
    count: u64,
    pts: Option<i32>,
}

impl Page {
    fn of(answer: enums::messages::Messages) -> Result<Self, CallError> {
        use enums::messages::Messages as M;
        let count = |count: i32| u64::try_from(count).unwrap_or_default();
        Ok(match answer {
            M::Messages(all) => {
                Self { count: u64::try_from(all.messages.len()).unwrap_or_default(), messages: all.messages, pts: None }
            }
            M::Slice(slice) => Self { count: count(slice.count), messages: slice.messages, pts: None },
            M::ChannelMessages(page) => Self { count: count(page.count), messages: page.messages, pts: Some(page.pts) },
            M::NotModified(_) => return Err(CallError::Uncertain("messagesNotModified without a hash".to_owned())),
        })
    }
}
