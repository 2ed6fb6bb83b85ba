//! A login as the admin sees it: each state's message, the same whether the function or a host shows it.
//!
//! What must stay true: no digit and no secret is on a screen, pressed digits are dots; what is shown under a picture fits
//! into a caption.

use jiff::Timestamp;

use crate::bot::{Button, Screen};
use crate::dialogue::press::Press;
use crate::login::{
    CODE_LEN_MAX, CodeSent, CodeTrouble, CodeWay, Login, LoginFailure, LoginState, SCANNED_WITHIN, Way,
};
use crate::text::{Locale, Value};

use super::account::secs_until;
use super::{Sheet, label, short};

/// Characters of a password's hint, and of what Telegram says.
const WORDS_LEN_SHOWN: usize = 200;

/// The screen of a login. In [`LoginState::Scan`] it is the caption of the picture.
pub fn screen(login: &Login, locale: &Locale, now: Timestamp) -> Screen {
    let mut sheet = Sheet::new(locale);
    match &login.state {
        LoginState::Done { account, label: name } => {
            let text = if login.again.is_some() { "login-done-again" } else { "login-done" };
            sheet.say(text, &[("label", label(name).into())]);
            sheet.row([("login-button-account", Press::Account(account.clone()))]);
            sheet.row([("pool-button-add", Press::AddAccount), ("button-menu", Press::Menu)]);
            return sheet.finish();
        }
        LoginState::Failed { why } => {
            failed(&mut sheet, login, why);
            return sheet.finish();
        }
        _ => head(&mut sheet, login),
    }
    sheet.gap();
    match &login.state {
        LoginState::Asked if login.way == Way::Qr => sheet.say("login-asked-qr", &[]),
        LoginState::Asked => sheet.say("login-asked-code", &[]),
        LoginState::Limited { until, .. } => {
            let left = locale.duration(secs_until(*until, now));
            sheet.say("login-limited", &[("until", locale.time(*until).into()), ("left", left.into())]);
        }
        LoginState::Scan { since } => {
            sheet.say("login-scan", &[]);
            let until = since.saturating_add(SCANNED_WITHIN).unwrap_or(*since);
            sheet.say("login-scan-until", &[("until", locale.clock_time(until).into())]);
        }
        LoginState::Code { sent, trouble } => code(&mut sheet, login, sent, *trouble, now),
        LoginState::CodeGiven { .. } => sheet.say("login-code-given", &[]),
        LoginState::Resend { .. } => sheet.say("login-resend", &[]),
        LoginState::Password { hint, was_wrong } => {
            if *was_wrong {
                sheet.say("login-password-wrong", &[]);
            }
            sheet.say("login-password", &[]);
            let hint = hint.as_deref().map(|hint| short(hint, WORDS_LEN_SHOWN)).filter(|hint| !hint.is_empty());
            if let Some(hint) = hint {
                sheet.say("login-password-hint", &[("hint", hint.into())]);
            }
        }
        LoginState::PasswordGiven { .. } => sheet.say("login-password-given", &[]),
        LoginState::Cancelled => sheet.say("login-cancelled", &[]),
        LoginState::Done { .. } | LoginState::Failed { .. } => {}
    }
    if login.state != LoginState::Cancelled {
        sheet.row([("login-button-cancel", Press::CancelLogin(login.id.clone()))]);
    }
    sheet.finish()
}

/// The same where it is a host's turn and none runs.
pub fn without_host(login: &Login, locale: &Locale, now: Timestamp) -> Screen {
    let Screen { html, buttons } = screen(login, locale, now);
    Screen { html: format!("{html}\n\n{}", locale.say("login-no-host", &[])), buttons }
}

fn head(sheet: &mut Sheet<'_>, login: &Login) {
    let name = login.label.as_deref().map(label).filter(|name| !name.is_empty());
    match (&login.again, name) {
        (Some(account), name) => {
            let name = name.unwrap_or_else(|| label(&account.0));
            sheet.say("login-title-again", &[("label", name.into())]);
        }
        (None, Some(name)) => sheet.say("login-title-named", &[("label", name.into())]),
        (None, None) => sheet.say("login-title", &[]),
    }
    if let Some(phone) = &login.phone_masked {
        sheet.say("login-phone", &[("phone", label(phone).into())]);
    }
}

/// The keypad.
fn code(sheet: &mut Sheet<'_>, login: &Login, sent: &CodeSent, trouble: Option<CodeTrouble>, now: Timestamp) {
    let locale = sheet.locale;
    match trouble {
        Some(CodeTrouble::Wrong) => sheet.say("login-code-wrong", &[]),
        Some(CodeTrouble::Expired) => sheet.say("login-code-expired", &[]),
        None => {}
    }
    sheet.say(&format!("login-code-{}", word(sent.by)), &[]);
    let dots = dots(login.digits.len(), sent.len);
    sheet.say("login-code-press", &[("dots", Value::Html(format!("<b>{dots}</b>").into()))]);
    sheet.gap();
    sheet.say("login-code-why", &[]);
    let digit = |digit: u8| Button { text: digit.to_string(), data: Press::Digit(login.id.clone(), digit).to_string() };
    for row in [[1, 2, 3], [4, 5, 6], [7, 8, 9]] {
        sheet.buttons.push(row.map(digit).to_vec());
    }
    let mut last = vec![sheet.button("login-button-erase", &Press::Erase(login.id.clone())), digit(0)];
    if sent.len.is_none() {
        last.push(sheet.button("login-button-complete", &Press::Complete(login.id.clone())));
    }
    sheet.buttons.push(last);
    match &sent.next {
        Some((way, from)) if *from <= now => {
            let name = format!("login-button-resend-{}", word(*way));
            sheet.row([(name.as_str(), Press::Resend(login.id.clone()))]);
        }
        Some((way, from)) => {
            let name = format!("login-code-next-{}", word(*way));
            sheet.say(&name, &[("at", locale.clock_time(*from).into())]);
            // Whoever presses it too early is told so; nobody repaints the message when the time has come.
            let name = format!("login-button-resend-{}", word(*way));
            sheet.row([(name.as_str(), Press::Resend(login.id.clone()))]);
        }
        None => {}
    }
}

/// `●●○○○`, so that nobody who looks over a shoulder reads a code.
fn dots(pressed: usize, len: Option<u8>) -> String {
    let pressed = pressed.min(CODE_LEN_MAX);
    let open = len.map_or(1, |len| usize::from(len).min(CODE_LEN_MAX).saturating_sub(pressed));
    let dots = std::iter::repeat_n("●", pressed).chain(std::iter::repeat_n("○", open));
    dots.collect::<Vec<_>>().join(" ")
}

/// A way's word in the names of texts.
fn word(way: CodeWay) -> &'static str {
    match way {
        CodeWay::App => "app",
        CodeWay::Sms => "sms",
        CodeWay::Call => "call",
        CodeWay::MissedCall => "missed-call",
        CodeWay::Email => "email",
        CodeWay::Fragment => "fragment",
    }
}

/// Why nothing came of it, and what to do.
fn failed(sheet: &mut Sheet<'_>, login: &Login, why: &LoginFailure) {
    sheet.say(if login.again.is_some() { "login-failed-again" } else { "login-failed" }, &[]);
    sheet.gap();
    let words = |text: &str| Value::from(short(text, WORDS_LEN_SHOWN));
    match why {
        LoginFailure::BadPhone => sheet.say("login-failed-bad-phone", &[]),
        LoginFailure::NoAccount => sheet.say("login-failed-no-account", &[]),
        LoginFailure::Banned => sheet.say("login-failed-banned", &[]),
        LoginFailure::TooManyAttempts => sheet.say("login-failed-too-many-attempts", &[]),
        LoginFailure::CodeExpired => sheet.say("login-failed-code-expired", &[]),
        LoginFailure::BadApi => sheet.say("login-failed-bad-api", &[]),
        LoginFailure::Unsupported { what } => sheet.say("login-failed-unsupported", &[("what", words(what))]),
        LoginFailure::Bot => sheet.say("login-failed-bot", &[]),
        LoginFailure::InPool { label: name } => sheet.say("login-failed-in-pool", &[("label", label(name).into())]),
        LoginFailure::Another { wanted, found } => {
            sheet.say("login-failed-another", &[("wanted", label(wanted).into()), ("found", label(found).into())]);
        }
        LoginFailure::ClockOff { skew_secs } => {
            sheet.say("login-failed-clock", &[("secs", skew_secs.unsigned_abs().into())]);
        }
        LoginFailure::Unopened => sheet.say("login-failed-unopened", &[]),
        LoginFailure::Unreachable => sheet.say("login-failed-unreachable", &[]),
        LoginFailure::Abandoned => sheet.say("login-failed-abandoned", &[]),
        LoginFailure::Cancelled => sheet.say("login-failed-cancelled", &[]),
        LoginFailure::Refused { text } => sheet.say("login-failed-refused", &[("text", words(text))]),
    }
    if let LoginFailure::InPool { .. } = why {
        sheet.row([("pool-button-list", Press::Accounts(0)), ("button-menu", Press::Menu)]);
        return;
    }
    let again = login.again.clone().map_or(Press::AddAccount, Press::LoginAgain);
    sheet.row([("login-button-again", again), ("button-menu", Press::Menu)]);
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::ids::ChatId;
    use crate::screen::tests::{locale, now, seen};
    use crate::text::Language;

    /// Characters of a caption (source: <https://core.telegram.org/bots/api#sendphoto>).
    const CAPTION_LEN_MAX: usize = 1_024;

    fn login(state: LoginState) -> Login {
        Login {
            id: "00000000-0000-4000-8000-000000000000".into(),
            chat: ChatId(5),
            message: None,
            message_is_picture: false,
            language: Language::En,
            zone: None,
            way: Way::Code,
            label: Some("work <1>".to_owned()),
            priority: 0,
            again: None,
            api: None,
            phone: None,
            phone_masked: Some("+44…21".to_owned()),
            state,
            digits: Vec::new(),
            password: None,
            progress: None,
            begun_at: now(),
            touched_at: now(),
            untold: false,
            seq: 1,
            lease: None,
            lease_epoch: 0,
        }
    }

    fn sent(by: CodeWay, len: Option<u8>, next: Option<(CodeWay, i64)>) -> CodeSent {
        CodeSent { by, len, next: next.map(|(way, secs)| (way, now() + SignedDuration::from_secs(secs))) }
    }

    fn states() -> Vec<(&'static str, LoginState)> {
        let code = |sent, trouble| LoginState::Code { sent, trouble };
        vec![
            ("asked", LoginState::Asked),
            ("limited", LoginState::Limited { until: now() + SignedDuration::from_secs(90), resending: None }),
            ("scan", LoginState::Scan { since: now() }),
            ("code", code(sent(CodeWay::App, Some(5), Some((CodeWay::Sms, 60))), None)),
            ("code_wrong", code(sent(CodeWay::Sms, Some(5), Some((CodeWay::Call, 0))), Some(CodeTrouble::Wrong))),
            ("code_expired", code(sent(CodeWay::Email, None, None), Some(CodeTrouble::Expired))),
            ("code_given", LoginState::CodeGiven { sent: sent(CodeWay::App, None, None) }),
            ("resend", LoginState::Resend { sent: sent(CodeWay::App, None, None) }),
            ("password", LoginState::Password { hint: Some("<b>the dog\n&c".to_owned()), was_wrong: false }),
            ("password_wrong", LoginState::Password { hint: None, was_wrong: true }),
            ("password_given", LoginState::PasswordGiven { hint: None }),
            ("cancelled", LoginState::Cancelled),
            ("done", LoginState::Done { account: "7".into(), label: "work <1>".to_owned() }),
        ]
    }

    fn failures() -> Vec<LoginFailure> {
        vec![
            LoginFailure::BadPhone,
            LoginFailure::NoAccount,
            LoginFailure::Banned,
            LoginFailure::TooManyAttempts,
            LoginFailure::CodeExpired,
            LoginFailure::BadApi,
            LoginFailure::Unsupported { what: "an <e-mail>".repeat(500) },
            LoginFailure::Bot,
            LoginFailure::InPool { label: "spare".to_owned() },
            LoginFailure::Another { wanted: "work".to_owned(), found: "Mallory <&>".to_owned() },
            LoginFailure::ClockOff { skew_secs: -75 },
            LoginFailure::Unopened,
            LoginFailure::Unreachable,
            LoginFailure::Abandoned,
            LoginFailure::Cancelled,
            LoginFailure::Refused { text: "X_Y".to_owned() },
        ]
    }

    #[test]
    fn every_state_of_a_login() {
        let pressed = |state: &LoginState| match state {
            LoginState::Code { .. } => vec![sealed(); 2],
            _ => Vec::new(),
        };
        for (name, state) in states() {
            let login = Login { digits: pressed(&state), ..login(state) };
            insta::assert_snapshot!(format!("login_{name}"), seen(|locale| screen(&login, locale, now())));
        }
    }

    fn sealed() -> crate::seal::Sealed {
        let key_id = crate::seal::KeyId("k".to_owned());
        crate::seal::Sealed { key_id, encapsulated: String::new(), ciphertext: "planted".to_owned() }
    }

    #[test]
    fn every_failure_says_what_to_do() {
        let all = |locale: &Locale| {
            let screens = failures().into_iter().map(|why| screen(&login(LoginState::Failed { why }), locale, now()));
            let lines = screens.flat_map(|screen| screen.html.lines().skip(2).map(str::to_owned).collect::<Vec<_>>());
            Screen { html: lines.collect::<Vec<_>>().join("\n"), buttons: Vec::new() }
        };
        insta::assert_snapshot!("login_failures", seen(all));
        for why in failures() {
            seen(|locale| screen(&login(LoginState::Failed { why: why.clone() }), locale, now()));
        }
    }

    #[test]
    fn another_login_of_an_account_and_a_missing_host_are_told() {
        let again = Login { again: Some("7".into()), ..login(LoginState::Asked) };
        insta::assert_snapshot!("login_again", seen(|locale| without_host(&again, locale, now())));
        let done = LoginState::Done { account: "7".into(), label: "work".to_owned() };
        let done = Login { state: done, ..again };
        insta::assert_snapshot!("login_done_again", seen(|locale| screen(&done, locale, now())));
    }

    #[test]
    fn a_picture_has_room_for_its_caption() {
        for language in Language::ALL {
            let login = Login { label: Some("&".repeat(5_000)), ..login(LoginState::Scan { since: now() }) };
            let caption = screen(&login, &locale(language), now()).html;
            assert!(crate::screen::visible_len(&caption) <= CAPTION_LEN_MAX, "{language}");
        }
    }

    #[test]
    fn dots_stand_for_digits() {
        assert_eq!(dots(2, Some(5)), "● ● ○ ○ ○");
        assert_eq!([dots(0, None), dots(1, None)], ["○", "● ○"]);
        assert_eq!(dots(99, Some(255)).matches('●').count(), CODE_LEN_MAX);
    }
}
