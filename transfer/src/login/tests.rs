use super::*;
use crate::seal::KeyId;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn sealed(text: &str) -> Sealed {
    Sealed { key_id: KeyId("k".to_owned()), encapsulated: String::new(), ciphertext: text.to_owned() }
}

fn login(state: LoginState) -> Login {
    Login {
        id: "l".into(),
        chat: ChatId(5),
        message: None,
        message_is_picture: false,
        language: Language::En,
        zone: None,
        way: Way::Code,
        label: None,
        priority: 0,
        again: None,
        api: None,
        phone: Some(sealed("phone")),
        phone_masked: None,
        state,
        digits: Vec::new(),
        password: None,
        progress: None,
        begun_at: NOW,
        touched_at: NOW,
        untold: false,
        seq: 1,
        lease: None,
        lease_epoch: 0,
    }
}

fn sent(len: Option<u8>) -> CodeSent {
    CodeSent { by: CodeWay::App, len, next: Some((CodeWay::Sms, NOW + SignedDuration::from_secs(60))) }
}

fn code(len: Option<u8>) -> Login {
    login(LoginState::Asked).next(LoginEvent::CodeSent(sent(len)), NOW).unwrap()
}

#[test]
fn the_last_digit_gives_the_turn_to_the_host() {
    let mut login = code(Some(2));
    assert_eq!(login.state.turn(), Turn::Admin);
    login = login.next(LoginEvent::Digit(sealed("1")), NOW).unwrap();
    login = login.next(LoginEvent::Erase, NOW).unwrap();
    assert_eq!(login.digits, []);
    for digit in ["1", "2"] {
        login = login.next(LoginEvent::Digit(sealed(digit)), NOW).unwrap();
    }
    assert_eq!((login.state.word(), login.state.turn(), login.digits.len()), ("code_given", Turn::Host, 2));
    assert!(login.next(LoginEvent::Digit(sealed("3")), NOW).is_err(), "a button that was pressed twice");
    let wrong = login.next(LoginEvent::CodeRefused(CodeTrouble::Wrong), NOW).unwrap();
    assert_eq!((wrong.state.turn(), wrong.digits.len()), (Turn::Admin, 0));
}

#[test]
fn a_code_of_unknown_length_is_complete_when_the_admin_says_so() {
    let login = code(None);
    assert!(login.next(LoginEvent::Complete, NOW).is_err(), "nothing was pressed yet");
    let login = login.next(LoginEvent::Digit(sealed("1")), NOW).unwrap();
    assert_eq!(login.next(LoginEvent::Complete, NOW).unwrap().state.word(), "code_given");
}

#[test]
fn another_code_is_sent_when_telegram_allows_it_or_the_last_one_is_worthless() {
    let login = code(Some(5)).next(LoginEvent::Digit(sealed("1")), NOW).unwrap();
    assert!(login.next(LoginEvent::Resend, NOW).is_err(), "too early");
    let later = NOW + SignedDuration::from_secs(60);
    for next in [login.next(LoginEvent::Resend, later), login.next(LoginEvent::CodeWritten, NOW)] {
        let next = next.unwrap();
        assert_eq!((next.state.word(), next.digits.len()), ("resend", 0));
        let limited = next.next(LoginEvent::Limited(later), NOW).unwrap();
        assert_eq!(limited.due_at(), Some(later));
    }
}

#[test]
fn what_is_over_keeps_no_secret_and_takes_nothing_more() {
    let mut login = code(Some(5)).next(LoginEvent::Digit(sealed("1")), NOW).unwrap();
    login.progress = Some(sealed("progress"));
    login.password = Some(sealed("password"));
    login.api = Some(OwnApi { id: 1, hash: sealed("hash") });
    assert_eq!(login.secrets_mut().len(), 5);
    let done = LoginEvent::Done { account: "1".into(), label: "one".to_owned() };
    for end in [done, LoginEvent::Failed(LoginFailure::Abandoned)] {
        let mut over = login.next(end, NOW).unwrap();
        assert_eq!((over.secrets_mut().len(), over.state.turn()), (0, Turn::Nobody));
        assert!(over.next(LoginEvent::Cancel, NOW).is_err());
    }
    let cancelled = login.next(LoginEvent::Cancel, NOW).unwrap();
    assert_eq!(cancelled.state.turn(), Turn::Host, "a code that was sent is to be taken back");
    assert!(cancelled.next(LoginEvent::Digit(sealed("1")), NOW).is_err());
}

#[test]
fn what_a_host_found_out_is_due_until_it_is_shown_and_what_an_admin_did_is_not() {
    let told_by = NOW + TOLD_WITHIN;
    let asked = code(Some(2));
    assert_eq!(asked.due_at(), Some(told_by));
    let told = Login { untold: false, ..asked.clone() };
    assert_eq!(told.due_at(), Some(NOW + ABANDONED_AFTER));
    let pressed = asked.next(LoginEvent::Digit(sealed("1")), NOW).unwrap();
    assert!(!pressed.untold, "the function shows what it took");
    let over = told.next(LoginEvent::Failed(LoginFailure::Abandoned), NOW).unwrap();
    assert_eq!(over.due_at(), Some(told_by));
    assert_eq!(Login { untold: false, ..over }.due_at(), None);
    let limited = login(LoginState::Asked).next(LoginEvent::Limited(NOW + ABANDONED_AFTER), NOW).unwrap();
    assert_eq!(limited.due_at(), Some(NOW + ABANDONED_AFTER), "nobody asks before the wait is over");
}
