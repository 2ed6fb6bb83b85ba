//! Opening: sessions, clocks, keys that Telegram does not know.

use session_host::exchange::rsa_key::RsaKeys;
use session_host::exchange::{ExchangeError, ExchangeWith, exchange};
use session_host::session::{AuthKey, Session};
use session_host::telegram::{OpenError, Telegram};
use simulator::world::WireCommand;
use simulator::world::user::AccountState;
use transfer::clock::Clock;
use transfer::ids::MessageId;
use transfer::refusal::Meaning;

use crate::rig::{ANN, BEN, PATIENCE, Rig, named};

fn with(rig: &Rig) -> ExchangeWith<'_> {
    let (dc, address) = rig.simulator.dcs()[1];
    ExchangeWith { dc, address, keys: &rig.setup.keys, proxy: None, within: PATIENCE }
}

#[tokio::test]
async fn a_key_is_agreed_on_and_is_the_servers_too() {
    let rig = Rig::new().await;
    let key = exchange(&with(&rig), &Clock::system()).await.unwrap();
    // Nobody is signed in with it, but the server knows it: the connection opens, and calls are refused with 401.
    let account = "1".into();
    rig.sessions.save(&Session::new("1".into(), 1, 2, key), Clock::system().now()).await.unwrap();
    let connection = rig.telegram().open(&account).await.unwrap();
    let address = transfer::address::PeerAddress::Username("source".to_owned());
    let Err(session_host::telegram::CallError::Refused(refusal)) = connection.resolve(&address).await else {
        panic!("a stranger was let in")
    };
    assert_eq!(refusal.meaning(), Meaning::SignedOut);
}

#[tokio::test]
async fn a_server_with_another_rsa_key_is_refused() {
    let rig = Rig::new().await;
    let telegram = RsaKeys::telegram();
    let refused = exchange(&ExchangeWith { keys: &telegram, ..with(&rig) }, &Clock::system()).await;
    assert!(matches!(refused, Err(ExchangeError::UnknownKey(shown)) if shown == [rig.simulator.rsa().fingerprint]));
}

#[tokio::test]
async fn a_skewed_clock_is_refused_before_a_saved_key_is_used() {
    for (millis, refused) in [(-40_000, true), (40_000, true), (-9_000, false), (9_000, false)] {
        let rig = Rig::new().await;
        rig.simulator.command(WireCommand::ClockSkew { millis });
        let opened = rig.try_open(ANN).await;
        match opened {
            Err(OpenError::ClockSkew { skew_secs }) if refused => {
                // Positive: this machine is ahead of a server that is behind.
                assert!((skew_secs + millis / 1000).abs() <= 1, "{millis}: {skew_secs}");
            }
            Ok(connection) if !refused => {
                assert_eq!(
                    connection.history(&named(&*connection, "source").await, MessageId(0), 2).await.unwrap().len(),
                    2
                );
            }
            Err(error) => panic!("{millis}: {error}"),
            Ok(_) => panic!("{millis}: opened"),
        }
    }
}

#[tokio::test]
async fn the_clock_is_asked_again_after_it_was_wrong() {
    let rig = Rig::new().await;
    let account = rig.session(ANN).await;
    let telegram = rig.telegram();
    rig.simulator.command(WireCommand::ClockSkew { millis: 60_000 });
    assert!(matches!(telegram.open(&account).await, Err(OpenError::ClockSkew { .. })));
    rig.simulator.command(WireCommand::ClockSkew { millis: 0 });
    assert!(telegram.open(&account).await.is_ok());
}

#[tokio::test]
async fn a_skewed_clock_is_refused_in_the_key_exchange() {
    let rig = Rig::new().await;
    rig.simulator.with_world(|world| world.clock.advance(std::time::Duration::from_secs(100)));
    rig.simulator.command(WireCommand::ClockSkew { millis: 100_000 });
    let refused = exchange(&with(&rig), &Clock::system()).await;
    assert!(matches!(refused, Err(ExchangeError::ClockSkew { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_telegram_does_not_know_signs_the_account_out_after_three_attempts() {
    let rig = Rig::new().await;
    let account = "55".into();
    rig.sessions.save(&Session::new("55".into(), 55, 2, AuthKey::new([9; 256])), Clock::system().now()).await.unwrap();
    let telegram = rig.telegram();
    for _ in 0..2 {
        let refused = telegram.open(&account).await.err();
        assert!(matches!(&refused, Some(OpenError::Unreachable(why)) if why.contains("-404")), "{refused:?}");
    }
    let refused = telegram.open(&account).await.err();
    assert!(
        matches!(&refused, Some(OpenError::Refused(refusal)) if refusal.meaning() == Meaning::SignedOut),
        "{refused:?}"
    );
    let kept = rig.sessions.load(&account).await.unwrap();
    assert_eq!(kept.home_key().unwrap().expose(), &[9; 256], "the key was replaced");
}

#[tokio::test]
async fn one_bad_moment_of_the_server_signs_nobody_out() {
    let rig = Rig::new().await;
    let account = rig.session(ANN).await;
    let good = rig.sessions.load(&account).await.unwrap();
    let bad = Session::new(account.clone(), ANN.0, 2, AuthKey::new([9; 256]));
    let telegram = rig.telegram();
    for _ in 0..2 {
        rig.sessions.save(&bad, Clock::system().now()).await.unwrap();
        for _ in 0..2 {
            assert!(matches!(telegram.open(&account).await, Err(OpenError::Unreachable(_))));
        }
        rig.sessions.save(&good, Clock::system().now()).await.unwrap();
        telegram.open(&account).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn revoked_and_banned_sessions_say_so() {
    for (state, meaning) in [
        (AccountState::Revoked, Meaning::SignedOut),
        (AccountState::Unregistered, Meaning::SignedOut),
        (AccountState::Banned, Meaning::Banned),
    ] {
        let rig = Rig::new().await;
        let account = rig.session(BEN).await;
        rig.simulator.with_world(|world| world.users.get_mut(&BEN).unwrap().state = state);
        let refusal = match rig.telegram().open(&account).await {
            Err(OpenError::Refused(refusal)) => refusal,
            Err(error) => panic!("{error}"),
            Ok(connection) => {
                let address = transfer::address::PeerAddress::Username("source".to_owned());
                match connection.resolve(&address).await {
                    Err(session_host::telegram::CallError::Refused(refusal)) => refusal,
                    other => panic!("{state:?}: {other:?}"),
                }
            }
        };
        assert_eq!(refusal.meaning(), meaning, "{state:?}");
    }
}

#[tokio::test]
async fn no_session_and_no_server_are_told_apart() {
    let rig = Rig::new().await;
    assert!(matches!(rig.telegram().open(&"404".into()).await, Err(OpenError::NoSession { .. })));
    let account = rig.session(ANN).await;
    let telegram = rig.telegram();
    rig.simulator.stop().await;
    assert!(matches!(telegram.open(&account).await, Err(OpenError::Unreachable(_))));
}
