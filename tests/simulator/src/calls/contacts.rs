//! People: who they are, how they are found; invite links.

use super::views::{self, Named};
use super::{Answer, Call, peers, updates};
use crate::world::chat::ChatKind;
use crate::world::{About, ChatId, RpcError, UserId, World};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// `users.getUsers`: those that cannot be seen are left out.
pub(super) fn get_users(call: &mut Call<'_>, r: &f::users::GetUsers) -> Answer {
    call.run(About::of("users.getUsers").count(r.id.len()), |world, me, _| {
        let found = r.id.iter().filter_map(|user| views::user(world, me.user, peers::user(world, me.user, user).ok()?));
        Ok(found.collect::<Vec<_>>().to_bytes())
    })
}

/// `users.getFullUser`.
pub(super) fn get_full_user(call: &mut Call<'_>, r: &f::users::GetFullUser) -> Answer {
    call.run(About::of("users.getFullUser"), |world, me, _| {
        let user = peers::user(world, me.user, &r.id)?;
        let users = views::user(world, me.user, user).into_iter().collect();
        let full_user = views::full_user(user).into();
        Ok(enums::users::UserFull::Full(types::users::UserFull { full_user, chats: vec![], users }).to_bytes())
    })
}

/// `contacts.resolveUsername`.
pub(super) fn resolve_username(call: &mut Call<'_>, r: &f::contacts::ResolveUsername) -> Answer {
    call.run(About::of("contacts.resolveUsername"), |world, me, _| {
        let peer = world.resolve(&r.username)?;
        Ok(resolved(world, me.user, peer))
    })
}

/// `contacts.resolvePhone`: finds one's contacts and oneself.
pub(super) fn resolve_phone(call: &mut Call<'_>, r: &f::contacts::ResolvePhone) -> Answer {
    call.run(About::of("contacts.resolvePhone"), |world, me, _| {
        let own = world.users.get(&me.user);
        let known = |id: UserId| id == me.user || own.is_some_and(|own| own.contacts.contains(&id));
        let user = world.user_by_phone(&r.phone).map(|user| user.id).filter(|id| known(*id));
        let user = user.ok_or_else(|| RpcError::bad("PHONE_NOT_OCCUPIED"))?;
        Ok(resolved(world, me.user, ChatId::user(user)))
    })
}

fn resolved(world: &World, me: UserId, peer: ChatId) -> Vec<u8> {
    let mut named = Named::default();
    named.add(peer);
    let (chats, users) = (named.chats(world, me), named.users(world, me));
    let answer = types::contacts::ResolvedPeer { peer: peers::peer(peer), chats, users };
    enums::contacts::ResolvedPeer::Peer(answer).to_bytes()
}

/// `contacts.getContacts`.
pub(super) fn get_contacts(call: &mut Call<'_>, _: &f::contacts::GetContacts) -> Answer {
    call.run(About::of("contacts.getContacts"), |world, me, _| {
        let own = world.users.get(&me.user).ok_or_else(RpcError::unregistered)?;
        let users: Vec<enums::User> = own.contacts.iter().filter_map(|id| views::user(world, me.user, *id)).collect();
        let contacts = users.iter().map(|user| types::Contact { user_id: user.id(), mutual: false }.into()).collect();
        let answer = types::contacts::Contacts { contacts, saved_count: 0, users };
        Ok(enums::contacts::Contacts::Contacts(answer).to_bytes())
    })
}

/// `messages.checkChatInvite`.
pub(super) fn check_invite(call: &mut Call<'_>, r: &f::messages::CheckChatInvite) -> Answer {
    call.run(About::of("messages.checkChatInvite"), |world, me, _| {
        let id = world.invite(&r.hash)?;
        let chat = world.chat(id).ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
        if chat.is_member(me.user) {
            let chat = views::chat(world, me.user, id).ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
            return Ok(enums::ChatInvite::Already(types::ChatInviteAlready { chat }).to_bytes());
        }
        Ok(enums::ChatInvite::Invite(types::ChatInvite {
            channel: id.is_channel(),
            broadcast: chat.kind == ChatKind::Broadcast,
            public: chat.username.is_some(),
            megagroup: matches!(chat.kind, ChatKind::Supergroup | ChatKind::Forum),
            request_needed: chat.join_request,
            verified: false,
            scam: false,
            fake: false,
            can_refulfill_subscription: false,
            title: chat.title.clone(),
            about: Some(chat.about.clone()).filter(|about| !about.is_empty()),
            photo: enums::Photo::Empty(types::PhotoEmpty { id: 0 }),
            participants_count: views::count(chat.insiders().count()),
            participants: None,
            color: 0,
            subscription_pricing: None,
            subscription_form_id: None,
            bot_verification: None,
        })
        .to_bytes())
    })
}

/// `messages.importChatInvite`.
pub(super) fn import_invite(call: &mut Call<'_>, r: &f::messages::ImportChatInvite) -> Answer {
    call.run(About::of("messages.importChatInvite"), |world, me, _| {
        let id = world.invite(&r.hash)?;
        let events = world.join(me, id, true)?;
        let updates = updates::sent(world, me.user, id, &[], &events, None);
        Ok(enums::messages::ChatInviteJoinResult::Ok(types::messages::ChatInviteJoinResultOk { updates }).to_bytes())
    })
}
