//! Logging in step by step, each step taken up by another process.

use secrecy::SecretString;
use session_host::admission::{Admission, NotAdmitted, admit};
use session_host::login::{AfterCode, LoginError, Progress, Scan, SignIn, SignedIn, Standing};
use session_host::telegram::Telegram;
use simulator::world::UserId;
use simulator::world::user::AccountState;
use transfer::clock::Clock;
use transfer::ids::MessageId;
use transfer::login::CodeWay;

use crate::rig::{ANN, CLEO, Rig, named};

pub(crate) const ANNS_PHONE: &str = "+10000000001";
pub(crate) const CLEOS_PHONE: &str = "+10000000003";
pub(crate) const CLEOS_PASSWORD: &str = "correct horse";

async fn begin(rig: &Rig) -> SignIn {
    SignIn::begin(rig.setup.clone(), &Clock::system()).await.unwrap()
}

/// Puts it down, and takes it up as another process would.
async fn again(rig: &Rig, sign_in: SignIn) -> SignIn {
    let text = sign_in.progress().to_text();
    sign_in.close().await;
    let progress = Progress::from_text(text.as_bytes()).unwrap();
    SignIn::resume(rig.setup.clone(), &Clock::system(), progress).await.unwrap()
}

pub(crate) fn code(rig: &Rig, phone: &str) -> String {
    rig.simulator.with_world(|world| world.login.codes.newest(phone).unwrap().code.clone())
}

pub(crate) fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '1' { '2' } else { '1' }).collect()
}

fn lives_in(rig: &Rig, user: UserId, dc: i32) {
    rig.simulator.with_world(|world| world.users.get_mut(&user).unwrap().home_dc = dc);
}

async fn works(rig: &Rig, signed_in: &SignedIn) {
    let (now, today) = (Clock::system().now(), jiff::civil::date(2026, 1, 1));
    let admission = Admission::default();
    let admitted = admit(rig.table.as_ref(), &rig.sessions, signed_in, &admission, now, today).await.unwrap();
    let connection = rig.telegram().open(&admitted.account).await.unwrap();
    let source = named(&*connection, "source").await;
    assert_eq!(connection.history(&source, MessageId(0), 4).await.unwrap().len(), 4);
    connection.close().await;
}

#[tokio::test]
async fn a_code_logs_in_after_a_wrong_one_and_the_session_works() {
    let rig = Rig::new().await;
    let mut sign_in = begin(&rig).await;
    let sent = sign_in.send_code(&ANNS_PHONE.into()).await.unwrap();
    let good = code(&rig, ANNS_PHONE);
    assert_eq!((sent.by, sent.len), (CodeWay::App, u8::try_from(good.len()).ok()));
    let mut sign_in = again(&rig, sign_in).await;
    assert!(matches!(sign_in.standing().await.unwrap(), Standing::Out));
    assert!(matches!(sign_in.code(&wrong(&good).into()).await, Err(LoginError::WrongCode)));
    let mut sign_in = again(&rig, sign_in).await;
    let AfterCode::Done(signed_in) = sign_in.code(&good.into()).await.unwrap() else {
        panic!("a password is asked for")
    };
    let session = &signed_in.session;
    assert_eq!((session.user_id, session.name.as_str(), session.phone_masked.as_str()), (ANN.0, "Ann", "+10…01"));
    // Whoever died right after Telegram's yes is found signed in.
    let mut sign_in = again(&rig, sign_in).await;
    assert!(matches!(sign_in.standing().await.unwrap(), Standing::In(found) if found.session.user_id == ANN.0));
    sign_in.close().await;
    works(&rig, &signed_in).await;
}

#[tokio::test]
async fn an_account_is_followed_to_its_dc_and_its_password_is_proved_after_a_wrong_one() {
    let rig = Rig::new().await;
    lives_in(&rig, CLEO, 4);
    let mut sign_in = begin(&rig).await;
    sign_in.send_code(&CLEOS_PHONE.into()).await.unwrap();
    let mut sign_in = again(&rig, sign_in).await;
    let after = sign_in.code(&code(&rig, CLEOS_PHONE).into()).await.unwrap();
    assert!(matches!(after, AfterCode::Password { .. }), "{after:?}");
    let mut sign_in = again(&rig, sign_in).await;
    assert!(matches!(sign_in.standing().await.unwrap(), Standing::Password { .. }));
    assert!(matches!(sign_in.password(&"battery staple".into()).await, Err(LoginError::WrongPassword { .. })));
    let mut sign_in = again(&rig, sign_in).await;
    let signed_in = sign_in.password(&SecretString::from(CLEOS_PASSWORD)).await.unwrap();
    sign_in.close().await;
    assert_eq!(signed_in.session.home_dc, 4);
    works(&rig, &signed_in).await;
}

#[tokio::test]
async fn a_qr_code_is_scanned_by_an_account_of_another_dc_that_has_a_password() {
    let rig = Rig::new().await;
    lives_in(&rig, CLEO, 4);
    let mut sign_in = begin(&rig).await;
    let Scan::Show { url, .. } = sign_in.token().await.unwrap() else { panic!("nothing is shown") };
    assert!(url.starts_with("tg://login?token="));
    let mut sign_in = again(&rig, sign_in).await;
    let Scan::Show { url: same, .. } = sign_in.token().await.unwrap() else { panic!("nothing is shown") };
    assert_eq!(url, same, "the same key shows the same token");
    rig.simulator.with_world(|world| world.accept_newest_login_token(CLEO)).unwrap();
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Moved));
    let mut sign_in = again(&rig, sign_in).await;
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Password { .. }));
    let mut sign_in = again(&rig, sign_in).await;
    let signed_in = sign_in.password(&CLEOS_PASSWORD.into()).await.unwrap();
    sign_in.close().await;
    works(&rig, &signed_in).await;
}

#[tokio::test]
async fn a_qr_code_that_was_scanned_by_an_account_of_this_dc_is_enough_also_when_its_host_died() {
    let rig = Rig::new().await;
    lives_in(&rig, ANN, 2);
    let mut sign_in = begin(&rig).await;
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Show { .. }));
    rig.simulator.with_world(|world| world.accept_newest_login_token(ANN)).unwrap();
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Done(_)));
    let mut sign_in = again(&rig, sign_in).await;
    let Scan::Done(signed_in) = sign_in.token().await.unwrap() else { panic!("the key is signed in") };
    sign_in.close().await;
    works(&rig, &signed_in).await;
}

#[tokio::test]
async fn a_token_that_was_used_up_on_the_way_to_another_dc_finds_its_account_signed_in() {
    let rig = Rig::new().await;
    lives_in(&rig, ANN, 4);
    let mut sign_in = begin(&rig).await;
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Show { .. }));
    rig.simulator.with_world(|world| world.accept_newest_login_token(ANN)).unwrap();
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Moved));
    let before = sign_in.progress();
    assert!(matches!(sign_in.token().await.unwrap(), Scan::Done(_)));
    sign_in.close().await;
    // As a host that died between the call and its commit leaves it.
    let mut sign_in = SignIn::resume(rig.setup.clone(), &Clock::system(), before).await.unwrap();
    let Scan::Done(signed_in) = sign_in.token().await.unwrap() else { panic!("the key is signed in") };
    sign_in.close().await;
    works(&rig, &signed_in).await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let rig = Rig::new().await;
    let mut sign_in = begin(&rig).await;
    assert!(matches!(sign_in.send_code(&"nothing".into()).await, Err(LoginError::BadPhone)));
    sign_in.send_code(&ANNS_PHONE.into()).await.unwrap();
    let good = code(&rig, ANNS_PHONE);
    rig.simulator.with_world(|world| world.login.text_sent(&format!("my code is {good}")));
    assert!(matches!(sign_in.code(&good.into()).await, Err(LoginError::ExpiredCode)));

    sign_in.send_again().await.unwrap();
    let good = code(&rig, ANNS_PHONE);
    sign_in.cancel_code().await.unwrap();
    assert!(matches!(sign_in.code(&good.into()).await, Err(LoginError::ExpiredCode)));

    // Somebody who asks for codes again and again is told to rest.
    let mut refused = None;
    for _attempt in 0..12 {
        refused = sign_in.send_code(&ANNS_PHONE.into()).await.err();
        if refused.is_some() {
            break;
        }
    }
    assert!(matches!(refused, Some(LoginError::Flood { secs: 1.. })), "{refused:?}");

    rig.simulator.with_world(|world| world.users.get_mut(&CLEO).unwrap().state = AccountState::Banned);
    let refused = sign_in.send_code(&CLEOS_PHONE.into()).await.err();
    assert!(matches!(refused, Some(LoginError::Banned)), "{refused:?}");
    sign_in.close().await;
}

#[tokio::test]
async fn an_account_that_is_turned_away_can_be_logged_out_and_only_its_new_key_is_gone() {
    let rig = Rig::new().await;
    let admission = Admission::default();
    let (now, today) = (Clock::system().now(), jiff::civil::date(2026, 1, 1));
    for turn in 0..2 {
        let mut sign_in = begin(&rig).await;
        sign_in.send_code(&ANNS_PHONE.into()).await.unwrap();
        let code = code(&rig, ANNS_PHONE);
        let AfterCode::Done(signed_in) = sign_in.code(&code.into()).await.unwrap() else { panic!("a password?") };
        let admitted = admit(rig.table.as_ref(), &rig.sessions, &signed_in, &admission, now, today).await;
        if turn == 1 {
            assert!(matches!(admitted, Err(NotAdmitted::InPool { .. })), "{admitted:?}");
            sign_in.log_out().await.unwrap();
            sign_in.log_out().await.unwrap();
        }
        sign_in.close().await;
    }
    assert_eq!(rig.simulator.with_world(|world| world.login.keys_of(ANN).len()), 1);
    rig.telegram().open(&ANN.0.to_string().as_str().into()).await.unwrap().close().await;
}
