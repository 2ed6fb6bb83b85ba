//! Where an account is, and that it is at all: joining chats, and the question whether its session is still good.
//!
//! Joining asks for nothing that joining does not need: a name is resolved first, an invite is not looked at. Both belong
//! to the class of resolving, whose waits are long and rare.

use grammers_tl_types::{enums, functions, types};
use transfer::address::PeerAddress;
use transfer::ids::PeerKind;
use transfer::refusal::Refusal;

use super::connection::AccountConnection;
use super::convert::input_channel;
use super::{CallError, Joined, peers};

/// `users.getUsers` for oneself.
pub(crate) async fn whoami(account: &AccountConnection) -> Result<(), CallError> {
    let myself = enums::InputUser::UserSelf;
    let found = account.read(&functions::users::GetUsers { id: vec![myself] }).await?;
    let is_there = found.iter().any(|user| matches!(user, enums::User::User(user) if user.is_self));
    // An answer without the one who asked says nothing about the session.
    if is_there { Ok(()) } else { Err(CallError::Uncertain("telegram answers without naming the account".to_owned())) }
}

/// `channels.joinChannel`, or `messages.importChatInvite`.
pub(crate) async fn join(account: &AccountConnection, address: &PeerAddress) -> Result<Joined, CallError> {
    let answer = match address {
        PeerAddress::Invite(hash) => {
            account.read(&functions::messages::ImportChatInvite { hash: hash.clone() }).await.map(Some)
        }
        PeerAddress::Username(_) => {
            let peer = peers::resolve(account, address).await?;
            let PeerKind::Channel(bare) = peer.id.kind() else { return Err(nothing_to_join()) };
            let channel = input_channel(bare, peer.access_hash);
            account.read(&functions::channels::JoinChannel { channel }).await.map(Some)
        }
        // A bare number is known to those who are inside already.
        PeerAddress::Id(_) => return Err(nothing_to_join()),
    };
    joined(answer)
}

fn joined(answer: Result<Option<enums::messages::ChatInviteJoinResult>, CallError>) -> Result<Joined, CallError> {
    match answer {
        Ok(Some(enums::messages::ChatInviteJoinResult::WebView(types::messages::ChatInviteJoinResultWebView {
            ..
        }))) => {
            // A bot of the chat wants to see a person.
            Err(CallError::Refused(Refusal::parse(400, "JOIN_AS_PEER_INVALID")))
        }
        Ok(_) => Ok(Joined::Member),
        Err(CallError::Refused(refusal)) => match refusal.text() {
            "USER_ALREADY_PARTICIPANT" => Ok(Joined::Member),
            "INVITE_REQUEST_SENT" => Ok(Joined::Requested),
            _ => Err(CallError::Refused(refusal)),
        },
        Err(error) => Err(error),
    }
}

/// In Telegram's words: the account is not inside, and there is no way in.
fn nothing_to_join() -> CallError {
    CallError::Refused(Refusal::parse(400, "USER_NOT_PARTICIPANT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> Result<Joined, CallError> {
        joined(Err(CallError::Refused(Refusal::parse(400, name))))
    }

    #[test]
    fn who_is_inside_has_joined_and_who_asked_is_not_inside_yet() {
        assert_eq!(refused("USER_ALREADY_PARTICIPANT"), Ok(Joined::Member));
        assert_eq!(refused("INVITE_REQUEST_SENT"), Ok(Joined::Requested));
        assert!(matches!(refused("INVITE_HASH_EXPIRED"), Err(CallError::Refused(_))));
        assert!(matches!(refused("FLOOD_WAIT_9"), Err(CallError::Refused(_))));
    }

    #[test]
    fn a_chat_whose_bot_wants_to_see_a_person_is_not_joined() {
        let view = types::messages::ChatInviteJoinResultWebView { bot_id: 1, query_id: 2, users: Vec::new() };
        assert!(matches!(joined(Ok(Some(view.into()))), Err(CallError::Refused(_))));
    }
}
