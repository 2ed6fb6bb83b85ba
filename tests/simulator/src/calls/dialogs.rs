//! The chat list.

use super::views::{self, Named};
use super::{Answer, Call, peers, updates};
use crate::world::reading::Dialog;
use crate::world::{About, ChatId, MessageId, UserId, World};
use grammers_tl_types::{Serializable, enums, functions as f, types};

const DIALOGS_MAX: i32 = 100;

/// `messages.getDialogs`, newest first, after an offset date and id.
pub(super) fn get_dialogs(call: &mut Call<'_>, r: &f::messages::GetDialogs) -> Answer {
    call.run(About::of("messages.getDialogs"), |world, me, _| {
        let all = if r.folder_id.is_some_and(|folder| folder != 0) { Vec::new() } else { world.dialogs(me.user) };
        let total = all.len();
        let after = peers::named(me.user, &r.offset_peer);
        let place = after.and_then(|peer| all.iter().position(|dialog| dialog.chat == peer)).map(|at| at + 1);
        let by_date = || all.iter().position(|dialog| dialog.date < r.offset_date).unwrap_or(total);
        let start = place.unwrap_or_else(|| if r.offset_date > 0 { by_date() } else { 0 });
        let limit = usize::try_from(r.limit.clamp(1, DIALOGS_MAX)).unwrap_or(1);
        let page: Vec<Dialog> = all.into_iter().skip(start).take(limit).collect();
        let parts = parts(world, me.user, &page);
        let (dialogs, messages, chats, users) = (parts.dialogs, parts.messages, parts.chats, parts.users);
        Ok(if page.len() == total {
            let all = types::messages::Dialogs { dialogs, messages, chats, users };
            enums::messages::Dialogs::Dialogs(all).to_bytes()
        } else {
            let slice = types::messages::DialogsSlice { count: views::count(total), dialogs, messages, chats, users };
            enums::messages::Dialogs::Slice(slice).to_bytes()
        })
    })
}

/// `messages.getPeerDialogs`.
pub(super) fn get_peer_dialogs(call: &mut Call<'_>, r: &f::messages::GetPeerDialogs) -> Answer {
    call.run(About::of("messages.getPeerDialogs").count(r.peers.len()), |world, me, _| {
        let mut page = Vec::new();
        for peer in &r.peers {
            let enums::InputDialogPeer::Peer(it) = peer else { continue };
            let chat = peers::chat(world, me.user, &it.peer)?;
            page.extend(world.dialog(me.user, chat));
        }
        Ok(peer_dialogs(world, me.user, &page))
    })
}

/// `messages.getPinnedDialogs`: there are none.
pub(super) fn get_pinned_dialogs(call: &mut Call<'_>, _: &f::messages::GetPinnedDialogs) -> Answer {
    call.run(About::of("messages.getPinnedDialogs"), |world, me, _| Ok(peer_dialogs(world, me.user, &[])))
}

fn peer_dialogs(world: &World, me: UserId, page: &[Dialog]) -> Vec<u8> {
    let parts = parts(world, me, page);
    let state = updates::state(world, me, None);
    let (dialogs, messages, chats, users) = (parts.dialogs, parts.messages, parts.chats, parts.users);
    let answer = types::messages::PeerDialogs { dialogs, messages, chats, users, state };
    enums::messages::PeerDialogs::Dialogs(answer).to_bytes()
}

struct Parts {
    dialogs: Vec<enums::Dialog>,
    messages: Vec<enums::Message>,
    chats: Vec<enums::Chat>,
    users: Vec<enums::User>,
}

fn parts(world: &World, me: UserId, page: &[Dialog]) -> Parts {
    let mut named = Named::default();
    let mut messages = Vec::new();
    for dialog in page {
        named.add(dialog.chat);
        if let Some(message) = world.message(me, dialog.chat, dialog.top) {
            named.add_of(world, &message);
            messages.push(views::message(world, me, &message));
        }
    }
    let dialogs = page.iter().map(|it| view(world, it)).collect();
    Parts { dialogs, messages, chats: named.chats(world, me), users: named.users(world, me) }
}

/// One chat's line, also where there is nothing in it.
pub(super) fn dialog(world: &World, me: UserId, chat: ChatId) -> enums::Dialog {
    let none = MessageId(0);
    let empty = Dialog { chat, top: none, date: 0, read_inbox: none, read_outbox: none, unread: 0 };
    view(world, &world.dialog(me, chat).unwrap_or(empty))
}

fn view(world: &World, it: &Dialog) -> enums::Dialog {
    let pts = if it.chat.is_channel() { world.chat(it.chat).map(|chat| chat.pts) } else { None };
    enums::Dialog::Dialog(types::Dialog {
        pinned: false,
        unread_mark: false,
        view_forum_as_messages: false,
        peer: peers::peer(it.chat),
        top_message: it.top.0,
        read_inbox_max_id: it.read_inbox.0,
        read_outbox_max_id: it.read_outbox.0,
        unread_count: it.unread,
        unread_mentions_count: 0,
        unread_reactions_count: 0,
        unread_poll_votes_count: 0,
        notify_settings: views::notify_settings(),
        pts,
        draft: None,
        folder_id: None,
        ttl_period: None,
    })
}
