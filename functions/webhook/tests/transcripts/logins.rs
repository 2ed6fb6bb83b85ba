//! Accounts that log in through the chat: every way, every mistake, and nothing secret left anywhere. The host is played.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use transfer::account::{Account, AccountState, Profile};
use transfer::bot::{Incoming, PressId, Said};
use transfer::ids::{LoginId, UpdateId};
use transfer::login::{CodeSent, CodeTrouble, CodeWay, Login, LoginEvent, LoginState, Turn, Way};
use transfer::queue::About;
use transfer::seal::SecretKind;
use transfer::table::Item;

use crate::stage::{ADMIN, OTHER, Stage, opened, word};

const LANGUAGES: [&str; 2] = ["en", "zh-hans"];
/// Planted: these must show nowhere.
const PHONE: &str = "+44 7700 900123";
const PHONE_DIGITS: &str = "7700900123";
const HASH: &str = "c0ffeec0ffeec0ffeec0ffeec0ffee00";
const PASSWORD: &str = "/correct horse <battery>";
const CODE: &str = "80808";

async fn press(stage: &mut Stage, name: &str) {
    let text = word(stage, name);
    stage.press(&text).await;
}

fn answered(stage: &Stage) -> Option<String> {
    stage.bot.inner.answers().last().unwrap().1.clone()
}

fn login(stage: &Stage) -> Login {
    stage.logins().pop().unwrap().0
}

fn sent(stage: &Stage) -> LoginEvent {
    let from = stage.handler.clock.now() + SignedDuration::from_secs(60);
    LoginEvent::CodeSent(CodeSent { by: CodeWay::App, len: Some(5), next: Some((CodeWay::Sms, from)) })
}

fn asks(was_wrong: bool) -> LoginEvent {
    LoginEvent::PasswordNeeded { hint: Some("my <horse>".to_owned()), was_wrong }
}

fn done() -> LoginEvent {
    LoginEvent::Done { account: "7009".into(), label: "night <1>".to_owned() }
}

async fn type_code(stage: &mut Stage, code: &str) {
    for digit in code.chars() {
        stage.press(&digit.to_string()).await;
    }
}

async fn logins_jobs(stage: &Stage) -> Vec<(LoginId, u64)> {
    let jobs = stage.jobs().await.into_iter().map(|job| match job.about {
        About::Login { login } => (login, job.seq),
        other => panic!("{other:?}"),
    });
    jobs.collect()
}

/// By picture, under a name, with a password that is wrong at first.
async fn by_picture(stage: &mut Stage) {
    stage.say("/session").await;
    press(stage, "pool-button-add").await;
    press(stage, "adding-way-qr").await;
    stage.say("night <1>").await;
    press(stage, "adding-priority-default").await;
    press(stage, "adding-api-none").await;
    stage.host_tells(LoginEvent::Shown).await;
    stage.host_tells(asks(false)).await;
    stage.say(PASSWORD).await;
    stage.host_tells(asks(true)).await;
    stage.say("another password").await;
    stage.say("and one while that is checked").await;
    stage.host_tells(done()).await;
}

/// By code, with an application of its own, and everything wrong that can be.
async fn by_code(stage: &mut Stage) {
    stage.say("/session").await;
    press(stage, "pool-button-add").await;
    stage.say("by code please").await;
    press(stage, "adding-way-code").await;
    stage.say(&"n".repeat(41)).await;
    press(stage, "adding-label-none").await;
    stage.say("high").await;
    stage.say("7").await;
    stage.say(HASH).await;
    stage.say(&format!("api_id: 4242\napi_hash: {HASH}")).await;
    stage.say("07700 900123").await;
    stage.say_other().await;
    stage.say(PHONE).await;
    let until = stage.handler.clock.now() + SignedDuration::from_secs(30);
    stage.host_tells(LoginEvent::Limited(until)).await;
    stage.host_tells(sent(stage)).await;
    press(stage, "login-button-resend-sms").await;
    type_code(stage, "81").await;
    press(stage, "login-button-erase").await;
    type_code(stage, &CODE[1..]).await;
    stage.host_tells(LoginEvent::CodeRefused(CodeTrouble::Wrong)).await;
    stage.say("8-0-8-0-8").await;
    stage.host_tells(sent(stage)).await;
    type_code(stage, CODE).await;
    stage.host_tells(asks(false)).await;
    stage.say(PASSWORD).await;
    stage.host_tells(done()).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_is_added_by_a_picture() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        by_picture(&mut stage).await;
        insta::assert_snapshot!(format!("by_picture_{language}"), stage.transcript());
        let login = login(&stage);
        assert_eq!((login.way, login.label.as_deref(), login.priority), (Way::Qr, Some("night <1>"), 0));
        assert_eq!(login.state.turn(), Turn::Nobody);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_is_added_by_a_code() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        by_code(&mut stage).await;
        insta::assert_snapshot!(format!("by_code_{language}"), stage.transcript());
        let login = login(&stage);
        assert_eq!((login.way, login.label, login.priority), (Way::Code, None, 7));
        assert_eq!(login.phone_masked.as_deref(), Some("+44…23"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_host_opens_is_what_was_written_and_each_step_calls_it_once() {
    let mut stage = Stage::new("en");
    stage.say("/session").await;
    for name in ["pool-button-add", "adding-way-code", "adding-label-none", "adding-priority-default"] {
        press(&mut stage, name).await;
    }
    stage.say(&format!("4242 {HASH}")).await;
    stage.say(PHONE).await;
    let begun = login(&stage);
    assert_eq!(opened(begun.phone.as_ref().unwrap(), SecretKind::Phone, &begun), "+447700900123");
    let api = begun.api.as_ref().unwrap();
    assert_eq!((api.id, opened(&api.hash, SecretKind::ApiHash, &begun).as_str()), (4242, HASH));
    assert_eq!(logins_jobs(&stage).await, [(begun.id.clone(), 1)]);
    stage.host_tells(sent(&stage)).await;
    type_code(&mut stage, CODE).await;
    let pressed = login(&stage);
    let digits = pressed.digits.iter().map(|digit| opened(digit, SecretKind::Digit, &pressed));
    assert_eq!(digits.collect::<String>(), CODE);
    assert_eq!(logins_jobs(&stage).await, [(begun.id.clone(), 2)], "one for the whole code");
    stage.host_tells(asks(false)).await;
    stage.say(PASSWORD).await;
    let proven = login(&stage);
    assert_eq!(opened(proven.password.as_ref().unwrap(), SecretKind::Password, &proven), PASSWORD);
    assert_eq!(logins_jobs(&stage).await, [(begun.id, 3)]);
}

/// After each update: secrets are forgotten on the way, and must not stand anywhere even before.
#[tokio::test(start_paused = true)]
async fn nothing_secret_stands_in_table_queue_or_chat_at_any_moment() {
    for story in [0, 1] {
        let mut stage = Stage::new("en");
        let secrets = [PHONE, PHONE_DIGITS, HASH, PASSWORD, "correct horse", CODE, "8-0-8-0-8", "another password"];
        stage.planted = secrets.map(str::to_owned).to_vec();
        if story == 0 {
            by_picture(&mut stage).await;
        } else {
            by_code(&mut stage).await;
        }
        for job in stage.jobs().await {
            let job = serde_json::to_string(&job).unwrap();
            assert!(!secrets.iter().any(|secret| job.contains(secret)), "{job}");
        }
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "planted")]
async fn a_secret_that_is_kept_would_be_noticed() {
    let mut stage = Stage::new("en");
    stage.planted = vec!["correct horse".to_owned()];
    stage.say("/session").await;
    press(&mut stage, "pool-button-add").await;
    press(&mut stage, "adding-way-qr").await;
    stage.say("correct horse").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_removed_is_said_so() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        stage.bot.keeps_all.store(true, Ordering::Relaxed);
        stage.say(&"1BVtsOK4Bu7XyZ".repeat(25)).await;
        assert!(stage.transcript().contains(&word(&stage, "notice-not-removed")));
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_and_tokens_of_bots_are_refused_wherever_they_are_written() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        let token = format!("1234567890:{}", "AAh_x-1".repeat(5));
        let session = "1BVtsOK4Bu7XyZ".repeat(25);
        stage.say("/session").await;
        press(&mut stage, "pool-button-add").await;
        press(&mut stage, "adding-way-string").await;
        stage.transcript();
        stage.say(&token).await;
        stage.say(&format!("Session: {session}")).await;
        let kept = format!("{:?}{:?}", stage.items(), stage.bot.inner.chat(ADMIN));
        assert!(!kept.contains(&token) && !kept.contains(&session[..40]));
        assert_eq!(stage.bot.removed.lock().unwrap().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn every_question_can_be_cancelled_and_taken_back() {
    for way in ["adding-way-qr", "adding-way-code"] {
        let steps = [way, "adding-label-none", "adding-priority-default", "adding-api-none"];
        let questions = if way == "adding-way-qr" { 3 } else { 4 };
        for len in 0..=questions {
            let mut stage = Stage::new("en");
            stage.say("/session").await;
            press(&mut stage, "pool-button-add").await;
            for step in &steps[..len] {
                press(&mut stage, step).await;
            }
            for _ in 0..len {
                press(&mut stage, "wizard-back").await;
            }
            for step in &steps[..len] {
                press(&mut stage, step).await;
            }
            if len % 2 == 0 {
                press(&mut stage, "wizard-cancel").await;
            } else {
                stage.say("/cancel").await;
            }
            assert!(stage.transcript().contains("Cancelled"), "{way} {len}");
            assert!(stage.logins().is_empty());
        }
    }
}

/// A chat whose login waits for its code.
async fn at_code(language: &'static str) -> Stage {
    let mut stage = Stage::new(language);
    stage.say("/session").await;
    for name in ["pool-button-add", "adding-way-code", "adding-label-none", "adding-priority-default"] {
        press(&mut stage, name).await;
    }
    press(&mut stage, "adding-api-none").await;
    stage.say(PHONE).await;
    stage.jobs().await;
    stage.host_tells(sent(&stage)).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn a_login_is_cancelled_by_button_and_by_command() {
    for language in LANGUAGES {
        for by_command in [false, true] {
            let mut stage = at_code(language).await;
            stage.transcript();
            if by_command {
                stage.say("/cancel").await;
            } else {
                press(&mut stage, "login-button-cancel").await;
            }
            assert_eq!(login(&stage).state, LoginState::Cancelled);
            assert_eq!(logins_jobs(&stage).await.len(), 1, "a host takes it back");
            stage.host_tells(LoginEvent::Failed(transfer::login::LoginFailure::Cancelled)).await;
            insta::assert_snapshot!(format!("cancelled_{by_command}_{language}"), stage.transcript());
            stage.say("/cancel").await;
            assert!(stage.transcript().contains(&word(&stage, "notice-nothing-to-cancel")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn buttons_that_came_too_late_too_early_or_from_elsewhere_get_a_word() {
    let mut stage = at_code("en").await;
    let (message, digit) = stage.button("5");
    let id = login(&stage).id;
    for (data, said) in [
        (format!("resend:{id}"), "word-resend-early"),
        (format!("complete:{id}"), "word-no-digits"),
        ("digit:nothing:5".to_owned(), "word-login-gone"),
    ] {
        stage.press_data(message, &data).await;
        assert_eq!(answered(&stage), Some(word(&stage, said)), "{data}");
    }
    let press = Said::Pressed { press: PressId("forged".to_owned()), message, data: digit.clone() };
    let forged = Incoming { chat: OTHER, ..stage.incoming(press) };
    stage.deliver_as(forged).await.unwrap();
    assert_eq!((login(&stage).digits.len(), answered(&stage)), (0, Some(word(&stage, "word-login-gone"))));
    type_code(&mut stage, CODE).await;
    stage.press_data(message, &digit).await;
    assert_eq!((login(&stage).digits.len(), answered(&stage)), (5, Some(word(&stage, "word-late"))));
    tokio::time::advance(Duration::from_secs(61)).await;
    stage.host_tells(LoginEvent::CodeRefused(CodeTrouble::Wrong)).await;
    stage.press_data(message, &format!("resend:{id}")).await;
    assert_eq!(login(&stage).state.word(), "resend");
}

#[tokio::test(start_paused = true)]
async fn two_digits_at_once_both_count_and_a_delivery_that_comes_again_does_not() {
    let stage = at_code("en").await;
    let (message, digit) = stage.button("8");
    let pressed = |id: u32| Incoming {
        id: UpdateId(id),
        ..stage.incoming(Said::Pressed { press: PressId(id.to_string()), message, data: digit.clone() })
    };
    let (one, two) = tokio::join!(stage.handler.handle(pressed(98)), stage.handler.handle(pressed(99)));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(login(&stage).digits.len(), 2);
    for id in [98, 99, 98] {
        stage.handler.handle(pressed(id)).await.unwrap();
    }
    assert_eq!(login(&stage).digits.len(), 2);
    let chat = stage.bot.inner.chat(ADMIN);
    let shown = chat.iter().find(|(id, _)| Some(*id) == login(&stage).message).unwrap();
    assert!(shown.1.html.contains("● ● ○"), "{}", shown.1.html);
}

/// Each update's answer fails, at each of its calls to the bot, and is delivered again.
#[tokio::test(start_paused = true)]
async fn answers_that_fail_are_shown_by_the_next_delivery_and_no_digit_counts_twice() {
    for failures in 1..=3 {
        let mut stage = at_code("en").await;
        for digit in CODE.chars() {
            let (message, data) = stage.button(&digit.to_string());
            let press = PressId(format!("press-{}", stage.delivered.len()));
            let incoming = stage.incoming(Said::Pressed { press, message, data });
            stage.bot.failures.store(failures, Ordering::Relaxed);
            let mut tries = 0;
            while stage.deliver_as(incoming.clone()).await.is_err() {
                tries += 1;
                assert!(tries <= 3, "it does not recover");
            }
        }
        let login = login(&stage);
        assert_eq!((login.state.word(), login.digits.len()), ("code_given", 5));
        assert_eq!(logins_jobs(&stage).await, [(login.id, login.seq)]);
    }
}

#[tokio::test(start_paused = true)]
async fn two_logins_of_one_chat_do_not_disturb_each_other() {
    let mut stage = at_code("en").await;
    let first = login(&stage).id;
    let first_message = login(&stage).message.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    stage.say("/session").await;
    for name in ["pool-button-add", "adding-way-qr", "adding-label-none", "adding-priority-default"] {
        press(&mut stage, name).await;
    }
    press(&mut stage, "adding-api-none").await;
    stage.host_tells(LoginEvent::Shown).await;
    stage.host_tells(asks(false)).await;
    stage.press_data(first_message, &format!("digit:{first}:8")).await;
    stage.say(PASSWORD).await;
    let logins = stage.logins();
    let [(one, _), (two, _)] = logins.as_slice() else { panic!("{logins:?}") };
    assert_eq!((one.id.clone(), one.state.word(), one.digits.len()), (first, "code", 1));
    assert_eq!(two.state.word(), "password_given");
    assert_ne!(one.message, two.message);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_asked_for_is_not_taken_for_an_answer_of_the_wizard_nor_the_other_way_round() {
    let mut stage = at_code("en").await;
    type_code(&mut stage, CODE).await;
    stage.host_tells(asks(false)).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    stage.say("/transfer").await;
    stage.say("@source_chat").await;
    assert_eq!(login(&stage).state.word(), "password", "the wizard asked after it");
    stage.say("/start").await;
    stage.say(PASSWORD).await;
    assert_eq!(login(&stage).state.word(), "password_given");
}

#[tokio::test(start_paused = true)]
async fn without_a_host_it_is_said_at_once_and_the_login_is_kept() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        stage.host = false;
        stage.say("/session").await;
        press(&mut stage, "pool-button-add").await;
        press(&mut stage, "adding-way-qr").await;
        press(&mut stage, "adding-label-none").await;
        press(&mut stage, "adding-priority-default").await;
        press(&mut stage, "adding-api-none").await;
        insta::assert_snapshot!(format!("without_host_{language}"), stage.transcript());
        assert_eq!(login(&stage).state, LoginState::Asked);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_signed_out_logs_in_again_and_keeps_its_place() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        let now = stage.handler.clock.now();
        let today = now.to_zoned(stage.handler.zone.clone()).date();
        let mut account = Account::new("7001".into(), "+44…23".to_owned(), now, today);
        (account.state, account.reason) = (AccountState::SignedOut, Some("AUTH_KEY_UNREGISTERED".to_owned()));
        stage.put(Item::Account(account)).await;
        let profile = Profile {
            id: "7001".into(),
            label: "work <1>".to_owned(),
            priority: 5,
            group: None,
            enabled: true,
            daily_budget: None,
            leaving: None,
        };
        stage.put(Item::Profile(profile)).await;
        stage.say("/session").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, "account-button-login").await;
        press(&mut stage, "adding-way-qr").await;
        insta::assert_snapshot!(format!("again_{language}"), stage.transcript());
        let login = login(&stage);
        assert_eq!((login.again, login.label.as_deref(), login.priority), (Some("7001".into()), Some("work <1>"), 5));
    }
}

#[tokio::test(start_paused = true)]
async fn questions_that_were_left_standing_are_over() {
    let mut stage = Stage::new("en");
    stage.say("/session").await;
    press(&mut stage, "pool-button-add").await;
    press(&mut stage, "adding-way-code").await;
    tokio::time::advance(Duration::from_secs(31 * 60)).await;
    stage.transcript();
    stage.say("a name").await;
    assert!(stage.transcript().contains("30 minutes"));
    assert!(stage.logins().is_empty());
}
