//! Logging in as `ferry account add` does it.

use secrecy::SecretString;
use session_host::login::{AfterCode, CodeSent, LoggedIn, Login, LoginError};
use session_host::telegram::Telegram;
use simulator::world::user::AccountState;
use transfer::clock::Clock;
use transfer::ids::MessageId;

use crate::rig::{ANN, CLEO, Rig, named};

const ANNS_PHONE: &str = "+10000000001";
const CLEOS_PHONE: &str = "+10000000003";

async fn start(rig: &Rig, phone: &str) -> Result<(Login, CodeSent), LoginError> {
    Login::start(rig.setup.clone(), rig.sessions.clone(), &Clock::system(), phone.into()).await
}

fn code(rig: &Rig, phone: &str) -> String {
    rig.simulator.with_world(|world| world.login.codes.newest(phone).unwrap().code.clone())
}

fn wrong(code: &str) -> SecretString {
    code.chars().map(|digit| if digit == '1' { '2' } else { '1' }).collect::<String>().into()
}

async fn works(rig: &Rig, logged_in: &LoggedIn) {
    let connection = rig.telegram().open(&logged_in.account).await.unwrap();
    let source = named(&*connection, "source").await;
    assert_eq!(connection.history(&source, MessageId(0), 4).await.unwrap().len(), 4);
    connection.close().await;
}

#[tokio::test]
async fn a_code_logs_in_after_a_wrong_one_and_the_session_works() {
    let rig = Rig::new().await;
    let (mut login, sent) = start(&rig, ANNS_PHONE).await.unwrap();
    let good = code(&rig, ANNS_PHONE);
    assert_eq!(sent.len, i32::try_from(good.len()).ok());
    assert!(matches!(login.code(&wrong(&good)).await, Err(LoginError::WrongCode)));
    let AfterCode::Done(logged_in) = login.code(&good.into()).await.unwrap() else { panic!("a password is asked for") };
    login.close().await;
    assert_eq!((logged_in.user_id, logged_in.name.as_str(), logged_in.phone_masked.as_str()), (ANN.0, "Ann", "+10…01"));
    assert_eq!(rig.sessions.list().await.unwrap(), std::slice::from_ref(&logged_in.account));
    works(&rig, &logged_in).await;
}

#[tokio::test]
async fn a_password_is_proved_after_a_wrong_one() {
    let rig = Rig::new().await;
    let (mut login, _) = start(&rig, CLEOS_PHONE).await.unwrap();
    let after = login.code(&code(&rig, CLEOS_PHONE).into()).await.unwrap();
    assert!(matches!(after, AfterCode::Password { .. }), "{after:?}");
    assert!(matches!(login.password(&"battery staple".into()).await, Err(LoginError::WrongPassword { .. })));
    assert_eq!(rig.sessions.list().await.unwrap(), []);
    let logged_in = login.password(&"correct horse".into()).await.unwrap();
    login.close().await;
    works(&rig, &logged_in).await;
}

#[tokio::test]
async fn an_account_is_followed_to_its_dc() {
    let rig = Rig::new().await;
    rig.simulator.with_world(|world| world.users.get_mut(&CLEO).unwrap().home_dc = 4);
    let (mut login, _) = start(&rig, CLEOS_PHONE).await.unwrap();
    login.code(&code(&rig, CLEOS_PHONE).into()).await.unwrap();
    let logged_in = login.password(&"correct horse".into()).await.unwrap();
    login.close().await;
    assert_eq!(rig.sessions.load(&logged_in.account).await.unwrap().home_dc, 4);
    works(&rig, &logged_in).await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let rig = Rig::new().await;
    assert!(matches!(start(&rig, "nothing").await.err(), Some(LoginError::BadPhone)));

    let (mut login, _) = start(&rig, ANNS_PHONE).await.unwrap();
    let good = code(&rig, ANNS_PHONE);
    rig.simulator.with_world(|world| world.login.text_sent(&format!("my code is {good}")));
    assert!(matches!(login.code(&good.into()).await, Err(LoginError::ExpiredCode)));

    // Somebody who asks for codes again and again is told to rest.
    let mut refused = None;
    for _attempt in 0..12 {
        refused = start(&rig, ANNS_PHONE).await.err();
        if refused.is_some() {
            break;
        }
    }
    assert!(matches!(refused, Some(LoginError::Flood { secs: 1.. })), "{refused:?}");

    rig.simulator.with_world(|world| world.users.get_mut(&CLEO).unwrap().state = AccountState::Banned);
    let refused = start(&rig, CLEOS_PHONE).await.err();
    assert!(matches!(refused, Some(LoginError::Banned)), "{refused:?}");
    assert_eq!(rig.sessions.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_login_that_cannot_be_kept_is_ended_again() {
    let rig = Rig::new().await;
    let (mut login, _) = start(&rig, ANNS_PHONE).await.unwrap();
    // Where the sessions' directory should be, there is a file.
    std::fs::write(rig.sessions_path(), "in the way").unwrap();
    let refused = login.code(&code(&rig, ANNS_PHONE).into()).await;
    assert!(matches!(refused, Err(LoginError::NotSaved(_))), "{refused:?}");
    assert_eq!(rig.simulator.with_world(|world| world.login.keys_of(ANN).len()), 0);
}
