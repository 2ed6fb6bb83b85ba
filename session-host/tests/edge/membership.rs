//! Who one is, joining, and signing out.

use session_host::telegram::{CallError, Joined, OpenError, Telegram};
use simulator::world::ChatId;
use simulator::world::chat::Role;
use simulator::world::floods::Script;
use transfer::address::PeerAddress;
use transfer::refusal::Meaning;

use crate::rig::{CLEO, Rig, SOURCE, named};

/// Cleo is outside of the source, which has a name or has none.
fn put_out(rig: &Rig, public: bool) {
    rig.simulator.with_world(|world| {
        let now = world.now();
        let source = world.chats.get_mut(&ChatId::channel(SOURCE)).unwrap();
        source.put(CLEO, Role::Left, now);
        if !public {
            source.username = None;
        }
    });
}

fn is_inside(rig: &Rig) -> bool {
    rig.simulator.with_world(|world| world.chat(ChatId::channel(SOURCE)).unwrap().is_member(CLEO))
}

#[tokio::test]
async fn an_account_knows_who_it_is_until_it_is_signed_out() {
    let rig = Rig::new().await;
    let account = rig.session(CLEO).await;
    let cleo = rig.telegram().open(&account).await.unwrap();
    assert_eq!(cleo.whoami().await, Ok(()));
    assert_eq!(cleo.log_out().await, Ok(()));
    let asked = cleo.whoami().await;
    let Err(CallError::Refused(refusal)) = asked else { panic!("{asked:?}") };
    assert_eq!(refusal.meaning(), Meaning::SignedOut);
    cleo.close().await;
    let again = rig.telegram().open(&account).await;
    let refused = match again {
        Ok(connection) => connection.whoami().await.is_err(),
        Err(error) => matches!(error, OpenError::Refused(_)),
    };
    assert!(refused, "its key is worthless from then on");
}

#[tokio::test]
async fn a_public_chat_is_joined_by_its_name() {
    let rig = Rig::new().await;
    put_out(&rig, true);
    let cleo = rig.open(CLEO).await;
    let address = PeerAddress::Username("source".to_owned());
    for _ in 0..2 {
        assert_eq!(cleo.join(&address).await, Ok(Joined::Member));
        assert!(is_inside(&rig));
    }
    assert!(named(&*cleo, "source").await.readable);
    let nobody = cleo.join(&PeerAddress::Username("nobody_at_all".to_owned())).await;
    assert!(matches!(nobody, Err(CallError::Refused(_))), "{nobody:?}");
    cleo.close().await;
}

#[tokio::test]
async fn a_private_chat_is_joined_by_its_invite() {
    let rig = Rig::new().await;
    put_out(&rig, false);
    let cleo = rig.open(CLEO).await;
    let address = PeerAddress::Invite("SourceInvite".to_owned());
    assert!(matches!(cleo.resolve(&address).await, Err(CallError::Refused(_))), "it is outside");
    for _ in 0..2 {
        assert_eq!(cleo.join(&address).await, Ok(Joined::Member));
        assert!(is_inside(&rig));
    }
    assert!(cleo.resolve(&address).await.unwrap().readable);
    cleo.close().await;
}

#[tokio::test]
async fn a_request_to_join_is_no_error_and_a_wait_is_one() {
    let rig = Rig::new().await;
    put_out(&rig, false);
    let cleo = rig.open(CLEO).await;
    let address = PeerAddress::Invite("SourceInvite".to_owned());
    let method = Some("messages.importChatInvite".to_owned());
    let says = |code, message: &str| {
        let script =
            Script { account: None, method: method.clone(), times: 1, after: 0, code, message: message.into() };
        rig.simulator.with_world(|world| world.floods.script(script));
    };
    says(400, "INVITE_REQUEST_SENT");
    assert_eq!(cleo.join(&address).await, Ok(Joined::Requested));
    says(420, "FLOOD_WAIT_7");
    let waits = cleo.join(&address).await;
    let Err(CallError::Refused(refusal)) = waits else { panic!("{waits:?}") };
    assert_eq!(refusal.meaning(), Meaning::FloodWait { secs: 7 });
    assert!(!is_inside(&rig));
    cleo.close().await;
}
