//! Signing in: by code, with a password, by QR, in another data centre; and every way of it going wrong.

use crate::client::{Running, connect, refusal, run};
use crate::{ALICE, BOB, CAROL, start};
use grammers_client::SignInError;
use grammers_client::tl::{enums, functions, types};
use grammers_session::updates::UpdatesLike;
use simulator::server::Simulator;
use simulator::wire::switchboard::Settings;
use simulator::world::UserId;
use simulator::world::floods::Script;
use simulator::world::user::AccountState;
use std::time::Duration;

const ALICES_PHONE: &str = "+1 000 000 0001";
const BOBS_PHONE: &str = "+10000000002";

fn code(simulator: &Simulator, phone: &str) -> String {
    simulator.with_world(|world| world.login.codes.newest(phone).unwrap().code.clone())
}

/// Another code of the same length.
fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '1' { '2' } else { '1' }).collect()
}

fn advance(simulator: &Simulator, secs: u64) {
    simulator.with_world(|world| world.clock.advance(Duration::from_secs(secs)));
}

async fn send_code(running: &Running, phone: &str) -> Result<types::auth::SentCode, String> {
    let settings = types::CodeSettings {
        allow_flashcall: false,
        current_number: false,
        allow_app_hash: false,
        allow_missed_call: false,
        allow_firebase: false,
        unknown_number: false,
        logout_tokens: None,
        token: None,
        app_sandbox: None,
    };
    let (phone_number, api_hash) = (phone.to_owned(), "hash".to_owned());
    let call = functions::auth::SendCode { phone_number, api_id: 1, api_hash, settings: settings.into() };
    match running.client.invoke(&call).await {
        Ok(enums::auth::SentCode::Code(sent)) => Ok(sent),
        other => Err(refusal(other)),
    }
}

async fn sign_in(running: &Running, phone: &str, hash: &str, code: &str) -> Result<enums::auth::Authorization, String> {
    let call = functions::auth::SignIn {
        phone_number: phone.to_owned(),
        phone_code_hash: hash.to_owned(),
        phone_code: Some(code.to_owned()),
        email_verification: None,
    };
    let result = running.client.invoke(&call).await;
    match result {
        Ok(authorization) => Ok(authorization),
        refused => Err(refusal(refused)),
    }
}

async fn signed_in_name(running: &Running) -> String {
    running.client.get_me().await.unwrap().first_name().unwrap().to_owned()
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |six: &[u8]| {
        let six = std::str::from_utf8(six).unwrap();
        char::from(LETTERS[usize::from_str_radix(&format!("{six:0<6}"), 2).unwrap()])
    };
    bits.as_bytes().chunks(6).map(digit).collect()
}

fn export_token() -> functions::auth::ExportLoginToken {
    functions::auth::ExportLoginToken { api_id: 1, api_hash: "hash".to_owned(), except_ids: vec![] }
}

#[tokio::test]
async fn a_code_signs_in_and_logging_out_ends_it() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    assert!(!running.client.is_authorized().await.unwrap());
    let token = running.client.request_login_code(ALICES_PHONE, "hash").await.unwrap();
    let code = code(&simulator, ALICES_PHONE);
    let wrong = running.client.sign_in(&token, &wrong(&code)).await;
    assert!(matches!(wrong, Err(SignInError::InvalidCode)));
    let user = running.client.sign_in(&token, &code).await.map_err(|error| error.to_string()).unwrap();
    assert_eq!(user.first_name(), Some("Alice"));
    assert_eq!(signed_in_name(&running).await, "Alice");
    running.client.sign_out().await.unwrap();
    assert_eq!(refusal(running.client.get_me().await), "401 AUTH_KEY_UNREGISTERED");
}

#[tokio::test]
async fn codes_are_refused_for_what_is_wrong_with_them() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    assert_eq!(send_code(&running, "nothing").await.unwrap_err(), "400 PHONE_NUMBER_INVALID");
    let sent = send_code(&running, ALICES_PHONE).await.unwrap();
    let good = code(&simulator, ALICES_PHONE);
    let attempt = |hash: String, code: String| {
        let running = &running;
        async move { sign_in(running, ALICES_PHONE, &hash, &code).await.unwrap_err() }
    };
    assert_eq!(attempt(sent.phone_code_hash.clone(), String::new()).await, "400 PHONE_CODE_EMPTY");
    assert_eq!(attempt("other".into(), good.clone()).await, "400 PHONE_CODE_EXPIRED");
    for _ in 0..5 {
        assert_eq!(attempt(sent.phone_code_hash.clone(), wrong(&good)).await, "400 PHONE_CODE_INVALID");
    }
    // guessed at too often
    assert_eq!(attempt(sent.phone_code_hash, good).await, "400 PHONE_CODE_EXPIRED");

    let late = send_code(&running, ALICES_PHONE).await.unwrap();
    let good = code(&simulator, ALICES_PHONE);
    advance(&simulator, 301);
    assert_eq!(attempt(late.phone_code_hash, good).await, "400 PHONE_CODE_EXPIRED");

    let seen = send_code(&running, ALICES_PHONE).await.unwrap();
    let good = code(&simulator, ALICES_PHONE);
    simulator.with_world(|world| world.login.text_sent(&format!("my code is {good}")));
    assert_eq!(attempt(seen.phone_code_hash, good).await, "400 PHONE_CODE_EXPIRED");

    let told = send_code(&running, ALICES_PHONE).await.unwrap();
    let good = code(&simulator, ALICES_PHONE);
    simulator.with_world(|world| {
        world.add_bot(UserId(7_900_000_009), "some_bot", "Bot", "7900000009:any-token");
        world.say_to_bot(ALICE, UserId(7_900_000_009), &good).unwrap();
    });
    assert_eq!(attempt(told.phone_code_hash, good).await, "400 PHONE_CODE_EXPIRED");
}

#[tokio::test]
async fn codes_come_by_app_then_sms_then_call_and_then_no_more() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    let mut sent = send_code(&running, ALICES_PHONE).await.unwrap();
    let mut ways = Vec::new();
    let refused = loop {
        ways.push((way(&sent.r#type), sent.next_type.is_some()));
        let (phone_number, phone_code_hash) = (ALICES_PHONE.to_owned(), sent.phone_code_hash.clone());
        let resend = functions::auth::ResendCode { phone_number, phone_code_hash, reason: None };
        match running.client.invoke(&resend).await {
            Ok(enums::auth::SentCode::Code(next)) => sent = next,
            other => break refusal(other),
        }
    };
    assert_eq!(ways, [("app", true), ("sms", true), ("call", false)]);
    assert_eq!(refused, "406 SEND_CODE_UNAVAILABLE");
    // The last one is as good as it was.
    sign_in(&running, ALICES_PHONE, &sent.phone_code_hash, &code(&simulator, ALICES_PHONE)).await.unwrap();
}

fn way(kind: &enums::auth::SentCodeType) -> &'static str {
    match kind {
        enums::auth::SentCodeType::App(_) => "app",
        enums::auth::SentCodeType::Sms(_) => "sms",
        enums::auth::SentCodeType::Call(_) => "call",
        _ => "another",
    }
}

#[tokio::test]
async fn a_wait_before_a_code_holds_and_asking_too_early_is_noted() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    simulator.with_world(|world| {
        world.floods.script(Script {
            account: None,
            method: Some("auth.sendCode".to_owned()),
            times: 1,
            after: 0,
            code: 420,
            message: "FLOOD_WAIT_30".to_owned(),
        });
    });
    assert_eq!(send_code(&running, ALICES_PHONE).await.unwrap_err(), "420 FLOOD_WAIT 30");
    let early = |simulator: &Simulator| {
        simulator.with_world(|world| world.audit.during_wait().filter(|it| it.method == "auth.sendCode").count())
    };
    assert_eq!(early(&simulator), 0);
    advance(&simulator, 20);
    assert_eq!(send_code(&running, ALICES_PHONE).await.unwrap_err(), "420 FLOOD_WAIT 30");
    assert_eq!(early(&simulator), 1);
    // Another number is none of its business.
    send_code(&running, BOBS_PHONE).await.unwrap();
    advance(&simulator, 31);
    send_code(&running, ALICES_PHONE).await.unwrap();
    assert_eq!(early(&simulator), 1);
}

#[tokio::test]
async fn the_hint_of_a_password_is_told_and_a_half_done_login_is_a_session_that_can_leave() {
    let simulator = start(Settings::default()).await;
    simulator.with_world(|world| {
        let user = world.users.get_mut(&ALICE).unwrap();
        user.password = Some("hunter2".to_owned());
        user.password_hint = Some("the usual".to_owned());
    });
    let running = connect(&simulator, 2).await;
    let sent = send_code(&running, ALICES_PHONE).await.unwrap();
    let needed = sign_in(&running, ALICES_PHONE, &sent.phone_code_hash, &code(&simulator, ALICES_PHONE)).await;
    assert_eq!(needed.unwrap_err(), "401 SESSION_PASSWORD_NEEDED");
    let enums::account::Password::Password(password) =
        running.client.invoke(&functions::account::GetPassword {}).await.unwrap();
    assert_eq!(password.hint.as_deref(), Some("the usual"));
    let sessions = || simulator.with_world(|world| world.login.sessions_of(ALICE));
    assert_eq!(sessions().iter().map(|session| session.password_pending).collect::<Vec<_>>(), [true]);
    running.client.invoke(&functions::auth::LogOut {}).await.unwrap();
    assert_eq!(sessions(), []);
}

#[tokio::test]
async fn asking_for_codes_too_often_floods() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    for _ in 0..8 {
        send_code(&running, ALICES_PHONE).await.unwrap();
    }
    let flood = send_code(&running, ALICES_PHONE).await.unwrap_err();
    assert!(flood.starts_with("420 FLOOD_WAIT "), "{flood}");
    advance(&simulator, 601);
    send_code(&running, ALICES_PHONE).await.unwrap();
}

#[tokio::test]
async fn a_resent_code_replaces_the_one_before() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    let first = send_code(&running, ALICES_PHONE).await.unwrap();
    let first_code = code(&simulator, ALICES_PHONE);
    let (phone_number, phone_code_hash) = (ALICES_PHONE.to_owned(), first.phone_code_hash.clone());
    let resend = functions::auth::ResendCode { phone_number, phone_code_hash, reason: None };
    let enums::auth::SentCode::Code(second) = running.client.invoke(&resend).await.unwrap() else { panic!() };
    let refused = sign_in(&running, ALICES_PHONE, &first.phone_code_hash, &first_code).await;
    assert_eq!(refused.unwrap_err(), "400 PHONE_CODE_EXPIRED");
    let second_code = code(&simulator, ALICES_PHONE);
    sign_in(&running, ALICES_PHONE, &second.phone_code_hash, &second_code).await.unwrap();

    let third = send_code(&running, ALICES_PHONE).await.unwrap();
    let (phone_number, phone_code_hash) = (ALICES_PHONE.to_owned(), third.phone_code_hash.clone());
    assert!(running.client.invoke(&functions::auth::CancelCode { phone_number, phone_code_hash }).await.unwrap());
    let third_code = code(&simulator, ALICES_PHONE);
    let refused = sign_in(&running, ALICES_PHONE, &third.phone_code_hash, &third_code).await;
    assert_eq!(refused.unwrap_err(), "400 PHONE_CODE_EXPIRED");
}

#[tokio::test]
async fn a_password_is_asked_for_and_proved() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    let ask = async || {
        let token = running.client.request_login_code(BOBS_PHONE, "hash").await.unwrap();
        match running.client.sign_in(&token, &code(&simulator, BOBS_PHONE)).await {
            Err(SignInError::PasswordRequired(password)) => password,
            _ => panic!("no password was asked for"),
        }
    };
    let password = ask().await;
    assert!(!running.client.is_authorized().await.unwrap());
    let refused = running.client.check_password(password, "wrong").await;
    assert!(matches!(refused, Err(SignInError::InvalidPassword(_))));
    let user = running.client.check_password(ask().await, "hunter2").await.map_err(|error| error.to_string()).unwrap();
    assert_eq!(user.first_name(), Some("Bob"));
    assert_eq!(signed_in_name(&running).await, "Bob");
}

#[tokio::test]
async fn a_qr_code_signs_in_once_it_is_accepted() {
    let simulator = start(Settings::default()).await;
    let mut running = connect(&simulator, 2).await;
    let shown = running.client.invoke(&export_token()).await.unwrap();
    let enums::auth::LoginToken::Token(first) = shown else { panic!() };
    advance(&simulator, 31);
    let shown = running.client.invoke(&export_token()).await.unwrap();
    let enums::auth::LoginToken::Token(second) = shown else { panic!() };
    assert_ne!(first.token, second.token);

    // Alice scans it with a client that is signed in
    let alice = run(&simulator, 2, simulator.mint_session(ALICE).unwrap());
    let expired = functions::auth::AcceptLoginToken { token: first.token };
    assert_eq!(refusal(alice.client.invoke(&expired).await), "400 AUTH_TOKEN_EXPIRED");
    let accept = functions::auth::AcceptLoginToken { token: second.token };
    alice.client.invoke(&accept).await.unwrap();
    assert_eq!(refusal(alice.client.invoke(&accept).await), "400 AUTH_TOKEN_ALREADY_ACCEPTED");

    let heard = tokio::time::timeout(Duration::from_secs(5), running.updates.recv()).await.unwrap().unwrap();
    let UpdatesLike::Updates(heard) = heard else { panic!("no update was heard") };
    assert!(format!("{heard:?}").contains("LoginToken"), "{heard:?}");
    let done = running.client.invoke(&export_token()).await.unwrap();
    assert!(matches!(done, enums::auth::LoginToken::Success(_)));
    assert_eq!(signed_in_name(&running).await, "Alice");
}

#[tokio::test]
async fn a_qr_code_of_an_account_with_a_password_asks_for_it() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    running.client.invoke(&export_token()).await.unwrap();
    simulator.with_world(|world| world.accept_newest_login_token(BOB)).unwrap();
    let refused = refusal(running.client.invoke(&export_token()).await);
    assert_eq!(refused, "401 SESSION_PASSWORD_NEEDED");
}

#[tokio::test]
async fn an_account_of_another_data_centre_is_sent_there() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    assert_eq!(send_code(&running, "+10000000003").await.unwrap_err(), "303 PHONE_MIGRATE 4");

    running.client.invoke(&export_token()).await.unwrap();
    simulator.with_world(|world| world.accept_newest_login_token(CAROL)).unwrap();
    let moved = running.client.invoke(&export_token()).await.unwrap();
    let enums::auth::LoginToken::MigrateTo(moved) = moved else { panic!() };
    assert_eq!(moved.dc_id, 4);
    let there = connect(&simulator, 4).await;
    let import = functions::auth::ImportLoginToken { token: moved.token };
    assert!(matches!(there.client.invoke(&import).await.unwrap(), enums::auth::LoginToken::Success(_)));
    assert_eq!(signed_in_name(&there).await, "Carol");
    // It works once.
    let again = connect(&simulator, 4).await;
    assert_eq!(refusal(again.client.invoke(&import).await), "400 AUTH_TOKEN_ALREADY_ACCEPTED");
}

#[tokio::test]
async fn a_phone_scans_what_a_qr_code_says() {
    let simulator = start(Settings::default()).await;
    let running = connect(&simulator, 2).await;
    let shown = running.client.invoke(&export_token()).await.unwrap();
    let enums::auth::LoginToken::Token(shown) = shown else { panic!() };
    let scan = |text: &str| simulator.with_world(|world| world.scan(ALICE, text)).map_err(|error| error.message);
    assert_eq!(scan("https://example.org").unwrap_err(), "AUTH_TOKEN_INVALID");
    assert_eq!(scan("tg://login?token=AAAA").unwrap_err(), "AUTH_TOKEN_INVALID");
    scan(&format!("tg://login?token={}", base64url(&shown.token))).unwrap();
    assert!(matches!(running.client.invoke(&export_token()).await.unwrap(), enums::auth::LoginToken::Success(_)));
}

#[tokio::test]
async fn an_authorization_goes_to_another_data_centre_once() {
    let simulator = start(Settings::default()).await;
    let alice = run(&simulator, 2, simulator.mint_session(ALICE).unwrap());
    let there = connect(&simulator, 5).await;
    let export = functions::auth::ExportAuthorization { dc_id: 5 };
    let enums::auth::ExportedAuthorization::Authorization(exported) = alice.client.invoke(&export).await.unwrap();
    let import = functions::auth::ImportAuthorization { id: exported.id, bytes: exported.bytes };
    there.client.invoke(&import).await.unwrap();
    assert_eq!(signed_in_name(&there).await, "Alice");
    assert_eq!(refusal(there.client.invoke(&import).await), "400 AUTH_BYTES_INVALID");
}

#[tokio::test]
async fn ended_sessions_and_banned_accounts_hear_why() {
    let simulator = start(Settings::default()).await;
    let kept = simulator.mint_session(ALICE).unwrap();
    let (kept, ended) = (run(&simulator, 2, kept), run(&simulator, 2, simulator.mint_session(ALICE).unwrap()));
    assert_eq!(signed_in_name(&ended).await, "Alice");
    kept.client.invoke(&functions::auth::ResetAuthorizations {}).await.unwrap();
    assert_eq!(refusal(ended.client.get_me().await), "401 SESSION_REVOKED");
    assert_eq!(signed_in_name(&kept).await, "Alice");

    simulator.with_world(|world| world.users.get_mut(&ALICE).unwrap().state = AccountState::Banned);
    assert_eq!(refusal(kept.client.get_me().await), "401 USER_DEACTIVATED_BAN");
    assert_eq!(send_code(&ended, ALICES_PHONE).await.unwrap_err(), "400 PHONE_NUMBER_BANNED");
}
