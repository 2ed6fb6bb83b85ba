//! One item of every kind that the table can hold, for what must know all of them: schemas, backups.

use jiff::{SignedDuration, Timestamp};

use super::samples::{self, account, instant, task};
use crate::account::{Day, Waits};
use crate::address::PeerAddress;
use crate::dialogue::awaited::Awaited;
use crate::dialogue::view::View;
use crate::dialogue::{Dialogue, State};
use crate::ids::{AccountId, BotMessageId, ChatId, InquiryId, LoginId, Nonce, PeerId, TaskId, UpdateId};
use crate::inquiry::{Answer, Count, Inquiry, Preview, Question};
use crate::login::{CodeSent, CodeWay, Login, LoginState, Way};
use crate::seal::{KeyId, Sealed};
use crate::submit::NewTask;
use crate::table::Item;
use crate::table::item::{
    AlertRecord, GoneAccount, Installation, Panic, Recent, RecentPeer, Report, SCHEMA, SessionRecord, Settings,
    TakenUpdate,
};
use crate::task::{Restored, Task, TaskState};
use crate::text::Language;

const CHAT: ChatId = ChatId(5);

/// One item of every kind, with more of one kind where its states differ.
pub fn every_kind() -> Vec<Item> {
    let mut items = samples::one_of_each();
    items.extend(states().into_iter().map(|(id, state)| Item::Task(Box::new(task(id, state)))));
    items.extend([
        Item::Dialogue(Box::new(Dialogue {
            state: State::Awaits { input: Awaited::Label { account: AccountId::from("4711") }, notice: None },
            message: Some(BotMessageId(9)),
            logins: vec![LoginId::from("l1")],
            ..Dialogue::new(CHAT, instant(0))
        })),
        Item::Settings(Settings {
            language: Some(Language::Zh),
            zone: Some("Asia/Shanghai".to_owned()),
            ..Settings::new(CHAT)
        }),
        Item::Recent(Recent {
            chat: CHAT,
            peers: vec![RecentPeer { address: PeerAddress::Id(PeerId::channel(77)), title: Some("频道".to_owned()) }],
        }),
        Item::Update(TakenUpdate {
            id: UpdateId(77),
            at: instant(1),
            shows: vec![View::Menu, View::Task { id: TaskId::from("t1") }],
            done: true,
            failed: false,
        }),
        Item::Inquiry(Box::new(inquiry())),
        Item::Report(Report {
            task: TaskId::from("t1"),
            chat: CHAT,
            message: Some(BotMessageId(10)),
            told: 3,
            state: Some("running".to_owned()),
            open_since: Some(instant(3)),
        }),
        Item::Alert(AlertRecord { kind: "host".to_owned(), subject: "silent".to_owned(), at: instant(4) }),
        Item::Session(SessionRecord { account: AccountId::from("4711"), sealed: sealed(), at: instant(5) }),
        Item::Login(Box::new(login())),
        Item::Panic(Panic { by: Some(CHAT), at: instant(6), done_at: Some(instant(7)) }),
        Item::Gone(GoneAccount {
            id: AccountId::from("4712"),
            waits: Waits { write: Some(instant(90)), ..Waits::default() },
            today: Day { charged: 12, ..account("4712").today },
            joined_at: vec![instant(1)],
            at: instant(8),
        }),
        Item::Installation(Installation {
            newest_schema: SCHEMA,
            release: "0.1.0".to_owned(),
            at: instant(9),
            restoring_since: Some(instant(10)),
        }),
        Item::Task(Box::new(Task {
            restored: Some(Restored { backed_up_at: instant(11), at: instant(12) }),
            ..task("restored", TaskState::Parked { reason: "why".to_owned() })
        })),
    ]);
    items
}

/// How many kinds there are, and which this one is. A new kind needs a sample above, and a row in the file of the present
/// schema.
pub fn kind(item: &Item) -> (usize, usize) {
    let number = match item {
        Item::Account(_) => 0,
        Item::Profile(_) => 1,
        Item::Day(_) => 2,
        Item::Peer(_) => 3,
        Item::Task(_) => 4,
        Item::Command(_) => 5,
        Item::Batch(_) => 6,
        Item::Chunk(_) => 7,
        Item::Skip(_) => 8,
        Item::Event(_) => 9,
        Item::TargetLock(_) => 10,
        Item::Host(_) => 11,
        Item::Dialogue(_) => 12,
        Item::Settings(_) => 13,
        Item::Recent(_) => 14,
        Item::Update(_) => 15,
        Item::Inquiry(_) => 16,
        Item::Report(_) => 17,
        Item::Alert(_) => 18,
        Item::Session(_) => 19,
        Item::Login(_) => 20,
        Item::Panic(_) => 21,
        Item::Gone(_) => 22,
        Item::Installation(_) => 23,
    };
    (24, number)
}

/// A task in every state but the one that the samples have.
fn states() -> Vec<(&'static str, TaskState)> {
    let (at, reason) = (instant(1), || "why".to_owned());
    vec![
        ("ready", TaskState::Ready { since: at }),
        ("waiting", TaskState::Waiting { wake_at: instant(60), reason: reason() }),
        ("paused", TaskState::Paused { reason: reason() }),
        ("parked", TaskState::Parked { reason: reason() }),
        ("failed", TaskState::Failed { reason: reason() }),
        ("done", TaskState::Done { at }),
        ("cancelled", TaskState::Cancelled { at }),
    ]
}

/// Nothing that any key opens.
fn sealed() -> Sealed {
    Sealed { key_id: KeyId("k1".to_owned()), encapsulated: "AAAA".to_owned(), ciphertext: "BBBB".to_owned() }
}

fn inquiry() -> Inquiry {
    let address = |name: &str| PeerAddress::Username(name.to_owned());
    let draft = NewTask::new(TaskId::from("t9"), Nonce([9; 16]), address("the_source"), address("the_target"));
    Inquiry {
        id: InquiryId::from("i1"),
        chat: CHAT,
        message: Some(BotMessageId(11)),
        language: Language::En,
        zone: Some("Europe/London".to_owned()),
        question: Question::Preview { draft: Box::new(draft) },
        asked_at: instant(2),
        seq: 1,
        answer: Some(Answer::Preview(Box::new(Preview {
            source: "a".to_owned(),
            target: "b".to_owned(),
            accounts_able: 2,
            accounts_other: 1,
            matching: Count { number: 1_000, exact: false },
            albums: Count { number: 10, exact: true },
            estimate: Some(SignedDuration::from_mins(7)),
        }))),
    }
}

fn login() -> Login {
    let sent = CodeSent { by: CodeWay::App, len: Some(5), next: Some((CodeWay::Sms, instant(120))) };
    Login {
        label: Some("主号".to_owned()),
        phone: Some(sealed()),
        phone_masked: Some("+44…21".to_owned()),
        digits: vec![sealed(), sealed()],
        progress: Some(sealed()),
        state: LoginState::Code { sent, trouble: None },
        ..begun(Way::Code, instant(9))
    }
}

/// A login of which nothing is known yet.
fn begun(way: Way, at: Timestamp) -> Login {
    Login {
        id: LoginId::from("l1"),
        chat: CHAT,
        message: Some(BotMessageId(12)),
        message_is_picture: false,
        language: Language::Zh,
        zone: None,
        way,
        label: None,
        priority: 0,
        again: None,
        api: None,
        phone: None,
        phone_masked: None,
        state: LoginState::Asked,
        digits: Vec::new(),
        password: None,
        progress: None,
        begun_at: at,
        touched_at: at,
        untold: false,
        seq: 1,
        lease: None,
        lease_epoch: 0,
    }
}
