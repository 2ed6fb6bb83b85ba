//! Who is meant: names, invites and ids become peers as one account sees them.

use std::collections::HashMap;

use grammers_tl_types::{enums, functions, types};
use transfer::address::PeerAddress;
use transfer::ids::{PeerId, PeerKind};
use transfer::refusal::Refusal;

use super::connection::AccountConnection;
use super::convert::{chat_of, input_channel, input_peer, peer_id, peer_of_chat, peer_of_user};
use super::{CallError, Peer};

/// Dialogs per call; Telegram's limit.
const DIALOGS_PAGE: i32 = 100;
/// Calls to find an id among the account's dialogs: 5,000 chats, more than Telegram's clients show.
const DIALOGS_PAGES_MAX: u32 = 50;

/// Access hashes that this account's dialogs told. Only hashes are kept: rights change, and are looked up anew.
pub(crate) type KnownPeers = HashMap<PeerId, i64>;

/// What the account can see of an address. Nothing else is asked than to resolve it, so that a wait that comes of it is
/// one for resolving.
pub(crate) async fn resolve(account: &AccountConnection, address: &PeerAddress) -> Result<Peer, CallError> {
    match address {
        PeerAddress::Username(name) => by_name(account, name).await,
        PeerAddress::Invite(hash) => by_invite(account, hash).await,
        PeerAddress::Id(id) => by_id(account, *id).await,
    }
}

/// Looks again at a peer.
pub(crate) async fn look(account: &AccountConnection, id: PeerId, access_hash: i64) -> Result<Peer, CallError> {
    match id.kind() {
        PeerKind::Channel(bare) => {
            let request = functions::channels::GetChannels { id: vec![input_channel(bare, access_hash)] };
            let chats = chats(account.read(&request).await?);
            completed(account, find_chat(&chats, id)?, &chats).await
        }
        PeerKind::Group(bare) => {
            let chats = chats(account.read(&functions::messages::GetChats { id: vec![bare] }).await?);
            find_chat(&chats, id)
        }
        PeerKind::User(bare) => {
            let user = types::InputUser { user_id: bare, access_hash }.into();
            let users = account.read(&functions::users::GetUsers { id: vec![user] }).await?;
            users.iter().filter_map(peer_of_user).find(|peer| peer.id == id).ok_or_else(unknown_peer)
        }
    }
}

async fn by_name(account: &AccountConnection, name: &str) -> Result<Peer, CallError> {
    let request = functions::contacts::ResolveUsername { username: name.to_owned(), referer: None };
    let enums::contacts::ResolvedPeer::Peer(found) = account.read(&request).await?;
    let id = peer_id(&found.peer);
    match id.kind() {
        PeerKind::User(_) => {
            found.users.iter().filter_map(peer_of_user).find(|peer| peer.id == id).ok_or_else(unknown_peer)
        }
        PeerKind::Group(_) | PeerKind::Channel(_) => find_chat(&found.chats, id),
    }
}

async fn by_invite(account: &AccountConnection, hash: &str) -> Result<Peer, CallError> {
    let chat = match account.read(&functions::messages::CheckChatInvite { hash: hash.to_owned() }).await? {
        enums::ChatInvite::Already(already) => already.chat,
        enums::ChatInvite::Peek(peek) => peek.chat,
        // Telegram has an error for exactly this in other calls: the account must join first.
        enums::ChatInvite::Invite(_) => {
            return Err(CallError::Refused(Refusal::parse(400, "USER_NOT_PARTICIPANT")));
        }
    };
    peer_of_chat(&chat).ok_or_else(unknown_peer)
}

async fn by_id(account: &AccountConnection, id: PeerId) -> Result<Peer, CallError> {
    if let PeerKind::Group(_) = id.kind() {
        return look(account, id, 0).await;
    }
    let mut known = account.known_peers.lock().await;
    if !known.contains_key(&id) {
        *known = dialogs(account, id).await?;
    }
    let access_hash = known.get(&id).copied().ok_or_else(unknown_peer)?;
    drop(known);
    look(account, id, access_hash).await
}

/// Adds what only `getFullChannel` tells, and only where the channel says that there is something.
async fn completed(account: &AccountConnection, mut peer: Peer, chats: &[enums::Chat]) -> Result<Peer, CallError> {
    let slow = chats.iter().any(|chat| {
        matches!(chat, enums::Chat::Channel(channel) if channel.slowmode_enabled && PeerId::channel(channel.id) == peer.id)
    });
    if let (true, PeerKind::Channel(bare)) = (slow, peer.id.kind()) {
        let channel = input_channel(bare, peer.access_hash);
        let full = account.read(&functions::channels::GetFullChannel { channel }).await?;
        let enums::messages::ChatFull::Full(full) = full;
        if let enums::ChatFull::ChannelFull(full) = full.full_chat {
            peer.slow_mode_secs = full.slowmode_seconds.and_then(|secs| u32::try_from(secs).ok());
        }
    }
    Ok(peer)
}

/// Reads the dialogs until `wanted` is among them, or to their end.
async fn dialogs(account: &AccountConnection, wanted: PeerId) -> Result<KnownPeers, CallError> {
    let mut known = KnownPeers::new();
    let mut offset = Offset { date: 0, id: 0, peer: enums::InputPeer::Empty };
    for _page in 0..DIALOGS_PAGES_MAX {
        let request = functions::messages::GetDialogs {
            exclude_pinned: false,
            folder_id: None,
            offset_date: offset.date,
            offset_id: offset.id,
            offset_peer: offset.peer.clone(),
            limit: DIALOGS_PAGE,
            hash: 0,
        };
        let (page, last) = match account.read(&request).await? {
            enums::messages::Dialogs::Dialogs(all) => (all, true),
            enums::messages::Dialogs::Slice(slice) => {
                let types::messages::DialogsSlice { dialogs, messages, chats, users, .. } = slice;
                (types::messages::Dialogs { dialogs, messages, chats, users }, false)
            }
            enums::messages::Dialogs::NotModified(_) => break,
        };
        let chats = page.chats.iter().filter_map(peer_of_chat);
        let users = page.users.iter().filter_map(peer_of_user);
        known.extend(chats.chain(users).map(|peer| (peer.id, peer.access_hash)));
        let next = Offset::after(&page, &known);
        match next.filter(|next| !last && !known.contains_key(&wanted) && next.id != offset.id) {
            Some(next) => offset = next,
            None => break,
        }
    }
    Ok(known)
}

/// Where the next page of dialogs begins.
struct Offset {
    date: i32,
    id: i32,
    peer: enums::InputPeer,
}

impl Offset {
    /// The last dialog of a page that has a message.
    fn after(page: &types::messages::Dialogs, known: &KnownPeers) -> Option<Self> {
        let tops = page.dialogs.iter().rev().filter_map(|dialog| match dialog {
            enums::Dialog::Dialog(dialog) => Some((peer_id(&dialog.peer), dialog.top_message)),
            enums::Dialog::Folder(_) | enums::Dialog::Community(_) => None,
        });
        tops.filter_map(|(chat, id)| {
            let top = page.messages.iter().find(|message| message.id() == id && chat_of(message) == Some(chat))?;
            let date = match top {
                enums::Message::Message(message) => message.date,
                enums::Message::Service(service) => service.date,
                enums::Message::Empty(_) => return None,
            };
            Some(Self { date, id, peer: input_peer(chat, known.get(&chat).copied().unwrap_or_default()) })
        })
        .next()
    }
}

fn chats(answer: enums::messages::Chats) -> Vec<enums::Chat> {
    match answer {
        enums::messages::Chats::Chats(all) => all.chats,
        enums::messages::Chats::Slice(slice) => slice.chats,
    }
}

fn find_chat(chats: &[enums::Chat], id: PeerId) -> Result<Peer, CallError> {
    chats.iter().filter_map(peer_of_chat).find(|peer| peer.id == id).ok_or_else(unknown_peer)
}

/// The account does not know such a peer: in Telegram's words.
fn unknown_peer() -> CallError {
    CallError::Refused(Refusal::parse(400, "PEER_ID_INVALID"))
}
