//! Whatever is said, in whatever order: nothing panics, and every screen is one that Telegram takes.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::bot::{BUTTON_DATA_LEN_MAX, Origin, PressId, Screen, TEXT_LEN_MAX};
use crate::dialogue::action::Told;
use crate::dialogue::screen::StepContext;
use crate::dialogue::wizard::Step;
use crate::ids::{MessageId, PeerId};
use crate::login::{CodeSent, CodeWay, LoginEvent};
use crate::screen::visible_len;
use crate::text::Language;

#[derive(Debug, Clone)]
enum Happening {
    Said(Said),
    Later(i64),
}

/// The tags that the texts use, each closed in its turn, and nothing that only looks like one.
fn is_good_markup(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        match tag.strip_prefix('/') {
            Some(closed) if open.pop() != Some(closed) => return false,
            Some(_) => {}
            None if ["b", "i", "code"].contains(&tag) => open.push(tag),
            None => return false,
        }
    }
    open.is_empty()
}

fn check(screen: &Screen) -> Result<(), TestCaseError> {
    prop_assert!(!screen.html.trim().is_empty());
    prop_assert!(visible_len(&screen.html) <= TEXT_LEN_MAX, "{} characters", visible_len(&screen.html));
    prop_assert!(is_good_markup(&screen.html), "{}", screen.html);
    for button in screen.buttons.iter().flatten() {
        prop_assert!(!button.text.trim().is_empty(), "{button:?}");
        prop_assert!(button.data.len() <= BUTTON_DATA_LEN_MAX, "{button:?}");
        prop_assert!(Press::parse(&button.data).is_some(), "{button:?}");
    }
    prop_assert!(screen.buttons.iter().all(|row| !row.is_empty() && row.len() <= 8));
    Ok(())
}

fn texts() -> impl Strategy<Value = String> {
    let known = [
        "/start",
        "/transfer",
        "/cancel",
        "/settings",
        "/nothing",
        "@source_chat",
        "@target_chat",
        "t.me/source_chat/5",
        "-1001234567890",
        "2024-01-01",
        "2024-01-01 2024-02-01",
        "100-200",
        "5-",
        "200-100",
        "1500 50 15000 150 90000",
        "300",
        "0",
        "Europe/Berlin",
        "+44 20 7946 0018",
        "12345 0123456789abcdef0123456789abcdef",
        "1 2 3 4 5",
        "<b>&\"",
        "",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => ".{0,60}",
        1 => ".{0,60}".prop_map(|text| text.repeat(80)),
        1 => "[<>&\"]{400,600}",
        1 => Just("A1b2".repeat(100)),
    ]
}

fn presses() -> impl Strategy<Value = String> {
    let known = [
        "w:back",
        "w:cancel",
        "w:confirm",
        "w:preview",
        "w:next",
        "w:skip",
        "w:none",
        "w:offered",
        "w:keep",
        "w:done",
        "w:continue",
        "w:range:all",
        "w:range:30",
        "w:range:from",
        "w:range:31",
        "w:kind:photo",
        "w:kind:other",
        "w:author:keep",
        "w:author:hide",
        "w:pace:small",
        "w:pace:none",
        "w:batch:200",
        "w:batch:0",
        "w:after:pause",
        "w:join",
        "w:group:-",
        "w:zone:-",
        "w:zone:Europe/Berlin",
        "w:pick:00",
        "new",
        "again:t",
        "pause:t",
        "pace+:t",
        "priority?:1",
        "label?:1",
        "zone?",
        "group?:1",
        "login:1",
        "add",
        "panic?",
        "panic??",
        "panic!",
        "w:way:qr",
        "w:way:code",
        "w:way:string",
        "w:label:-",
        "w:priority:0",
        "w:api:-",
        "digit:login-3:5",
        "erase:login-3",
        "complete:login-3",
        "resend:login-3",
        "stop:login-3",
        "speak:zh",
        "menu",
        "-",
        "w:",
        "",
    ];
    prop_oneof![6 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,30}"]
}

fn happenings() -> impl Strategy<Value = Happening> {
    let origin = (".{0,200}", any::<i64>(), prop::option::of(1..i32::MAX), prop::option::of("[a-z_]{0,40}"));
    let forwarded = origin.prop_map(|(title, peer, message, username)| {
        let (peer, message) = (PeerId(peer), message.map(MessageId));
        Said::Forwarded(Origin { peer, username, title, message, date: Timestamp::UNIX_EPOCH })
    });
    let pressed = |message: i32| {
        presses().prop_map(move |data| Said::Pressed {
            press: PressId(String::new()),
            message: BotMessageId(message),
            data,
        })
    };
    prop_oneof![
        5 => texts().prop_map(|text| Happening::Said(Said::Text(text))),
        9 => pressed(1).prop_map(Happening::Said),
        1 => pressed(2).prop_map(Happening::Said),
        1 => forwarded.prop_map(Happening::Said),
        1 => Just(Happening::Said(Said::Other)),
        1 => prop_oneof![Just(60), Just(1_801), any::<i32>().prop_map(i64::from)].prop_map(Happening::Later),
    ]
}

fn task() -> Task {
    let mut draft = crate::submit::NewTask::new(
        "t".into(),
        Nonce([1; 16]),
        "@source_chat".parse().unwrap(),
        "@target_chat".parse().unwrap(),
    );
    draft.title = "<&>".repeat(60);
    draft.description = Some("&".repeat(1_000));
    draft.build(Timestamp::UNIX_EPOCH).unwrap()
}

fn fresh(number: usize) -> Fresh {
    Fresh {
        task: TaskId(format!("task-{number}")),
        nonce: Nonce([2; 16]),
        inquiry: InquiryId(format!("inquiry-{number}")),
        login: LoginId(format!("login-{number}")),
    }
}

fn member() -> Member {
    let account = crate::account::Account::new(
        "1".into(),
        "+44…21".to_owned(),
        Timestamp::UNIX_EPOCH,
        jiff::civil::date(2024, 5, 1),
    );
    let profile = crate::account::Profile {
        id: "1".into(),
        label: "&".repeat(64),
        priority: 3,
        group: None,
        enabled: true,
        daily_budget: None,
        leaving: None,
    };
    Member { account, profile }
}

fn sealed() -> crate::seal::Sealed {
    let key_id = crate::seal::KeyId("k".to_owned());
    crate::seal::Sealed { key_id, encapsulated: String::new(), ciphertext: String::new() }
}

/// What is told to a login is something that it takes; and as a host might, the login goes on.
fn told_to(logins: &mut [Login], id: &LoginId, told: &Told, now: Timestamp) -> Result<(), TestCaseError> {
    let login = logins.iter_mut().find(|login| login.id == *id).expect("a login that was handed over");
    let event = match told {
        Told::Digit(_) => LoginEvent::Digit(sealed()),
        Told::Erase => LoginEvent::Erase,
        Told::Complete => LoginEvent::Complete,
        Told::Resend => LoginEvent::Resend,
        Told::CodeWritten => LoginEvent::CodeWritten,
        Told::Password(_) => LoginEvent::Password(sealed()),
        Told::Cancel => LoginEvent::Cancel,
    };
    let next = login.next(event, now);
    prop_assert!(next.is_ok(), "{next:?}");
    *login = next.unwrap();
    Ok(())
}

fn shown(view: &View, state: &State, context: &Context<'_>) -> Option<Screen> {
    let step = StepContext {
        locale: context.locale,
        recent: context.recent,
        now: context.now,
        hosts_alive: context.hosts_alive,
        groups: context.groups,
    };
    match view {
        View::Step => Some(screen::step(state, &step)),
        View::Menu => Some(menu::menu(context.locale)),
        View::Help => Some(menu::help(context.locale)),
        View::Notice { notice } => Some(screen::notice(notice, context.locale)),
        View::Created { id, title } => Some(screen::created(id, title, &step)),
        _ => None,
    }
}

proptest! {
    #[test]
    fn whatever_happens_ends_in_a_screen_that_telegram_takes(
        happenings in prop::collection::vec(happenings(), 1..60),
        language in prop::sample::select(&Language::ALL[..]),
        hosts_alive: bool,
        recent_title in prop::option::of(".{0,300}"),
    ) {
        let locale = Locale { language, zone: TimeZone::fixed(jiff::tz::offset(8)) };
        let recent = [RecentPeer { address: PeerAddress::Invite("x".repeat(64)), title: recent_title }];
        let mut now: Timestamp = "2024-05-02T20:00:00Z".parse().unwrap();
        let mut dialogue = Dialogue::new(ChatId(1), now);
        let groups = ["night".to_owned()];
        let mut logins: Vec<Login> = Vec::new();
        for (number, happening) in happenings.into_iter().enumerate() {
            for login in &mut logins {
                // Hosts go on in their own time.
                let sent = CodeSent { by: CodeWay::App, len: None, next: None };
                let event = match number % 3 {
                    0 => LoginEvent::CodeSent(sent),
                    1 => LoginEvent::PasswordNeeded { hint: None, was_wrong: false },
                    _ => continue,
                };
                *login = login.next(event, now).unwrap_or_else(|_out_of_turn| login.clone());
            }
            let said = match happening {
                Happening::Later(secs) => {
                    now = now.saturating_add(SignedDuration::from_secs(secs)).unwrap_or(now);
                    continue;
                }
                Happening::Said(said) => said,
            };
            let context = Context {
                chat: ChatId(1),
                now,
                locale: &locale,
                zone_name: None,
                hosts_alive,
                recent: &recent,
                task: Seen::Task(Box::new(task())),
                found: None,
                logins: &logins,
                account: Some(member()),
                groups: &groups,
                fresh: fresh(number),
            };
            let next = next(&dialogue, &said, &context);
            let is_press = matches!(said, Said::Pressed { .. });
            prop_assert!(is_press || !next.shows.is_empty(), "{said:?} is met with silence");
            for view in &next.shows {
                if let Some(screen) = shown(view, &next.state, &context) {
                    check(&screen)?;
                }
            }
            if let Some(word) = next.word {
                prop_assert!(word.say(&locale).chars().count() <= 200);
            }
            for action in &next.actions {
                if let Action::Submit(task) = action {
                    prop_assert_ne!(&task.source.address, &task.target.address);
                    prop_assert!(task.selection.validate().is_ok() && task.pace.validate().is_ok() && task.batch_len > 0);
                }
            }
            let asked = next.actions.iter().any(|action| matches!(action, Action::Ask(_)));
            prop_assert_eq!(asked, asked && next.state.inquiry() == Some(&context.fresh.inquiry));
            for action in &next.actions {
                match action {
                    Action::BeginLogin(begun) => logins.push(begun.login.clone()),
                    Action::TellLogin(id, told) => told_to(&mut logins, id, told, now)?,
                    _ => {}
                }
            }
            let text = serde_json::to_string(&next.state).unwrap();
            prop_assert_eq!(&serde_json::from_str::<State>(&text).unwrap(), &next.state);
            dialogue = Dialogue { state: next.state, message: Some(BotMessageId(1)), at: now, ..dialogue };
        }
    }
}

#[test]
fn steps_lead_through_all_of_them_and_back() {
    let numbers: Vec<usize> = Step::ALL.iter().map(|step| step.number()).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

#[test]
fn every_command_of_the_menu_is_known_and_fits() {
    for language in Language::ALL {
        let locale = Locale { language, zone: TimeZone::UTC };
        let context = Context {
            chat: ChatId(1),
            now: Timestamp::UNIX_EPOCH,
            locale: &locale,
            zone_name: None,
            hosts_alive: true,
            recent: &[],
            task: Seen::None,
            found: None,
            logins: &[],
            account: None,
            groups: &[],
            fresh: fresh(0),
        };
        for hint in menu::commands(language) {
            let next = command::obey(State::Idle, &format!("/{}", hint.command), &context);
            assert!(command::is_known(&format!("/{}", hint.command)), "/{}", hint.command);
            let unknown = View::Notice { notice: Notice::UnknownCommand };
            assert!(!next.shows.contains(&unknown), "/{}", hint.command);
            assert!((3..=256).contains(&hint.description.chars().count()), "{hint:?}");
        }
    }
}
