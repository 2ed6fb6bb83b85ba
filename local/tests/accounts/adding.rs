//! Every way into the pool through the chat, and every way that fails on it: nothing is half added, at Telegram or here.

use session_host::session::Session;
use simulator::bot_api::person;
use simulator::world::UserId;
use simulator::world::floods::Script;
use transfer::table::Item;

use crate::stage::{ADMIN, ANNA, BERT, BOT, CARA, HINT, PASSWORD, Stage};

const IN_POOL: &str = "is in the pool";
const WORTHLESS: &str = "worthless by now";

/// Another code of the same length.
fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '1' { '2' } else { '1' }).collect()
}

/// These accounts and nobody else are in the pool, each with one session, here and at Telegram.
async fn in_pool(mut stage: Stage, users: &[UserId]) -> Vec<Session> {
    stage.stop().await;
    let kept = stage.kept().await;
    let ids: Vec<String> = users.iter().map(|user| user.0.to_string()).collect();
    assert_eq!(kept.ids(), (ids.clone(), ids));
    for (user, session) in users.iter().zip(&kept.sessions) {
        assert_eq!((session.user_id, stage.sessions(*user)), (user.0, 1));
    }
    kept.sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_scans_a_picture_and_is_in_the_pool() {
    let stage = Stage::set();
    stage.adds_by_qr().await;
    stage.scans(ANNA).await;
    stage.reads(IN_POOL).await;
    in_pool(stage, &[ANNA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_another_data_centre_scans_a_picture() {
    let stage = Stage::set();
    stage.adds_by_qr().await;
    stage.scans(BERT).await;
    stage.reads(IN_POOL).await;
    let sessions = in_pool(stage, &[BERT]).await;
    assert_eq!(sessions[0].home_dc, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_password_scans_a_picture() {
    let stage = Stage::set();
    stage.adds_by_qr().await;
    stage.scans(CARA).await;
    let asked = stage.reads("two-step password").await;
    assert!(asked.text.contains(HINT), "{}", asked.text);
    stage.says("not-the-Password");
    stage.reads("That password was wrong").await;
    stage.says(PASSWORD);
    stage.reads(IN_POOL).await;
    let own: Vec<_> = stage.chat().into_iter().filter(|it| it.from == "user").map(|it| it.text).collect();
    assert!(!own.iter().any(|text| text.contains("Password")), "{own:?}");
    in_pool(stage, &[CARA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_pressed_on_the_keypad_wrong_once_and_then_right() {
    let stage = Stage::set();
    stage.adds_by_phone(ANNA).await;
    let code = stage.code(ANNA, 1).await;
    stage.types(ANNA, &wrong(&code)).await;
    stage.reads("That code was wrong").await;
    stage.types(ANNA, &code).await;
    stage.reads(IN_POOL).await;
    let (phone, chat) = (stage.phone(ANNA), stage.chat());
    assert!(!chat.iter().any(|message| message.text.contains(&phone[1..])), "the number stands in the chat");
    in_pool(stage, &[ANNA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_another_data_centre_with_a_password_logs_in_by_code() {
    let stage = Stage::set();
    stage.simulation.with_world(|world| world.users.get_mut(&CARA).unwrap().home_dc = 4);
    stage.adds_by_phone(CARA).await;
    let code = stage.code(CARA, 1).await;
    stage.types(CARA, &code).await;
    stage.reads(HINT).await;
    stage.says(PASSWORD);
    stage.reads(IN_POOL).await;
    let sessions = in_pool(stage, &[CARA]).await;
    assert_eq!(sessions[0].home_dc, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_expired_is_followed_by_another() {
    let stage = Stage::set();
    stage.adds_by_phone(ANNA).await;
    let first = stage.code(ANNA, 1).await;
    stage.simulation.with_world(|world| world.login.text_sent(&first));
    stage.types(ANNA, &first).await;
    stage.reads(WORTHLESS).await;
    let second = stage.code(ANNA, 2).await;
    stage.types(ANNA, &second).await;
    stage.reads(IN_POOL).await;
    in_pool(stage, &[ANNA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_written_as_text_is_removed_and_followed_by_another() {
    let stage = Stage::set();
    stage.adds_by_phone(ANNA).await;
    let first = stage.code(ANNA, 1).await;
    stage.says(&first);
    let second = stage.code(ANNA, 2).await;
    let holds = |chat: &[person::ChatMessage]| !chat.iter().any(|message| message.text.contains(&first));
    stage.sees("the end of the message with the code", holds).await;
    stage.types(ANNA, &second).await;
    stage.reads(IN_POOL).await;
    in_pool(stage, &[ANNA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_before_a_code_is_shown_and_obeyed() {
    let stage = Stage::set();
    stage.simulation.with_world(|world| {
        world.floods.script(Script {
            account: None,
            method: Some("auth.sendCode".to_owned()),
            times: 1,
            after: 0,
            code: 420,
            message: "FLOOD_WAIT_4".to_owned(),
        });
    });
    stage.adds_by_phone(ANNA).await;
    stage.reads("Telegram wants a wait").await;
    let code = stage.code(ANNA, 1).await;
    stage.types(ANNA, &code).await;
    stage.reads(IN_POOL).await;
    let early: Vec<_> = stage.simulation.with_world(|world| world.audit.during_wait().map(|it| it.method).collect());
    assert_eq!(early, [""; 0]);
    in_pool(stage, &[ANNA]).await;
}

/// Waits until so many messages of the bot say this.
async fn times(stage: &Stage, text: &str, count: usize) {
    stage.sees(text, |chat| chat.iter().filter(|it| it.from == "bot" && it.text.contains(text)).count() == count).await;
}

/// Nothing of anybody is left, at Telegram or here.
async fn nothing_is_left(mut stage: Stage) {
    for user in [ANNA, BERT, CARA] {
        assert_eq!(stage.sessions(user), 0, "{user}");
    }
    stage.stop().await;
    assert_eq!(stage.kept().await.ids(), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_cancelled_leaves_nothing() {
    let stage = Stage::set();
    // While the picture is shown.
    stage.adds_by_qr().await;
    stage.picture().await;
    stage.cancels().await;
    times(&stage, "You cancelled", 1).await;
    // While the code is awaited.
    stage.adds_by_phone(ANNA).await;
    stage.code(ANNA, 1).await;
    stage.cancels().await;
    times(&stage, "You cancelled", 2).await;
    assert!(!stage.code_is_live(ANNA));
    // While the password is awaited: Telegram knows of a session by then.
    stage.adds_by_phone(CARA).await;
    let code = stage.code(CARA, 1).await;
    stage.types(CARA, &code).await;
    stage.reads("two-step password").await;
    assert_eq!(stage.sessions(CARA), 1);
    stage.cancels().await;
    times(&stage, "You cancelled", 3).await;
    nothing_is_left(stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_abandoned_leaves_nothing() {
    let mut stage = Stage::set();
    stage.adds_by_qr().await;
    stage.picture().await;
    stage.adds_by_phone(ANNA).await;
    stage.code(ANNA, 1).await;
    stage.adds_by_phone(CARA).await;
    let code = stage.code(CARA, 1).await;
    stage.types(CARA, &code).await;
    stage.reads("two-step password").await;
    assert_eq!(stage.sessions(CARA), 1);
    stage.abandons().await;
    times(&stage, "Nothing happened for too long", 3).await;
    assert!(!stage.code_is_live(ANNA));
    nothing_is_left(stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_every_state_of_a_login_loses_nothing() {
    let mut stage = Stage::set();
    // A picture is shown.
    stage.adds_by_qr().await;
    stage.picture().await;
    stage.restart().await;
    stage.scans(BERT).await;
    stage.reads("Bert is in the pool").await;
    // Two digits were pressed, and then the password is asked for.
    stage.adds_by_phone(CARA).await;
    let code = stage.code(CARA, 1).await;
    let mut digits = code.chars();
    for (n, digit) in digits.by_ref().take(2).enumerate() {
        stage.types_digit(CARA, n, digit).await;
    }
    stage.restart().await;
    for (n, digit) in (2..).zip(digits) {
        stage.types_digit(CARA, n, digit).await;
    }
    stage.reads("two-step password").await;
    stage.restart().await;
    stage.says(PASSWORD);
    stage.reads("Cara is in the pool").await;
    in_pool(stage, &[BERT, CARA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_logins_at_once_do_not_disturb_each_other() {
    let stage = Stage::set();
    stage.adds_by_phone(ANNA).await;
    let code = stage.code(ANNA, 1).await;
    stage.types_digit(ANNA, 0, code.chars().next().unwrap()).await;
    stage.adds_by_qr().await;
    stage.scans(BERT).await;
    stage.reads(IN_POOL).await;
    for (n, digit) in code.chars().enumerate().skip(1) {
        stage.types_digit(ANNA, n, digit).await;
    }
    stage.sees("the end of both", |chat| chat.iter().filter(|it| it.text.contains(IN_POOL)).count() == 2).await;
    in_pool(stage, &[ANNA, BERT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_pool_is_not_added_twice_and_a_bot_never() {
    let stage = Stage::set();
    stage.adds_by_qr().await;
    stage.scans(ANNA).await;
    stage.reads(IN_POOL).await;
    stage.adds_by_phone(ANNA).await;
    let code = stage.code(ANNA, 1).await;
    stage.types(ANNA, &code).await;
    stage.reads("in the pool already").await;
    stage.simulation.with_world(|world| world.users.get_mut(&BERT).unwrap().bot = true);
    stage.adds_by_phone(BERT).await;
    let code = stage.code(BERT, 1).await;
    stage.types(BERT, &code).await;
    stage.reads("That is a bot").await;
    stage.until("the end of the bot's session", |world| world.login.sessions_of(BERT).is_empty()).await;
    stage.until("the end of the second session", |world| world.login.sessions_of(ANNA).len() == 1).await;
    in_pool(stage, &[ANNA]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_were_added_in_the_chat_carry_a_channel() {
    let mut stage = Stage::set();
    for user in [ANNA, BERT] {
        stage.adds_by_qr().await;
        stage.scans(user).await;
        let name = stage.simulation.with_world(|world| world.users[&user].first_name.clone());
        stage.reads(&format!("{name} {IN_POOL}")).await;
    }
    stage.carries_everything().await;
    stage.simulation.with_world(|world| {
        assert_eq!(world.audit.during_wait().count(), 0);
        let duplicated = |entry: &&simulator::world::audit::Entry| entry.outcome_text().contains("AUTH_KEY_DUPLICATED");
        assert_eq!(world.audit.entries().iter().filter(duplicated).count(), 0);
    });
    stage.stop().await;
    let kept = stage.kept().await;
    let labels = kept.accounts.values().map(|profile| match profile {
        Some(Item::Profile(profile)) => profile.label.clone(),
        other => panic!("no profile: {other:?}"),
    });
    assert_eq!(labels.collect::<Vec<_>>(), ["Anna", "Bert"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_none_is_refused_and_a_session_string_is_not_taken() {
    let mut stage = Stage::set();
    stage.adds(&["way:code", "label:-", "priority:0", "api:-"]).await;
    stage.is_asked("Which phone number").await;
    stage.says("hello");
    stage.sees("the question again", |chat| chat.iter().filter(|it| it.from == "bot").count() > 1).await;
    stage.says("+1999000");
    stage.reads("knows no such phone number").await;
    let string = format!("1{}=", "BVtsOK4Bu".repeat(39));
    stage.says(&string);
    let gone = |chat: &[person::ChatMessage]| !chat.iter().any(|message| message.text.contains(&string));
    stage.sees("the end of the message with the session string", gone).await;
    stage.reads("ferry account import").await;
    assert!(
        stage
            .simulation
            .with_world(|world| person::chat(world, BOT, ADMIN))
            .iter()
            .all(|it| it.from == "bot" || !it.text.contains("1BVts"))
    );
    stage.stop().await;
    assert_eq!(stage.kept().await.ids(), (vec![], vec![]));
}
