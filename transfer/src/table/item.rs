//! Every item that the table can hold, on one screen. What is persisted only grows: new fields have defaults, new
//! kinds come at the end, and nothing is renamed.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Counters, Day, Profile, Waits};
use crate::address::PeerAddress;
use crate::dialogue::Dialogue;
use crate::dialogue::view::View;
use crate::event::Event;
use crate::ids::{AccountId, BotMessageId, ChatId, MessageId, PeerId, TaskId, UpdateId};
use crate::inquiry::Inquiry;
use crate::intent::{Skip, SkipReason};
use crate::lease::Host;
use crate::login::Login;
use crate::seal::Sealed;
use crate::sequence::IdSequence;
use crate::table::{Key, List};
use crate::task::{Command, Task};
use crate::text::Language;

/// The shape of the items that this code writes.
pub const SCHEMA: u32 = 1;

/// One item. The engines store the fields of the variant as top-level attributes with `item` naming the variant, beside
/// `pk`, `sk`, `schema`, `version` and what the indexes need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "few items are alive at a time, and accounts are read as often as small ones"
)]
pub enum Item {
    /// What hosts know of an account.
    Account(Account),
    /// What the admin sets for an account.
    Profile(Profile),
    /// One day of an account, for statistics.
    Day(DayRecord),
    /// What one account knows of one peer.
    Peer(KnownPeer),
    /// A transfer.
    Task(Box<Task>),
    /// What the admin wishes of it.
    Command(Command),
    /// A decided batch.
    Batch(BatchRecord),
    /// A decided chunk.
    Chunk(ChunkRecord),
    /// A row of the skip ledger.
    Skip(SkipRecord),
    /// Something that happened to a task.
    Event(EventRecord),
    /// Which task may write to a target.
    TargetLock(TargetLock),
    /// A host's sign of life.
    Host(Host),
    /// Where a chat with an admin stands.
    Dialogue(Box<Dialogue>),
    /// An admin's language and zone.
    Settings(Settings),
    /// The chats that an admin named last.
    Recent(Recent),
    /// An update that was taken.
    Update(TakenUpdate),
    /// A question to a host.
    Inquiry(Box<Inquiry>),
    /// The message that shows a task's progress.
    Report(Report),
    /// Something the admins were told once.
    Alert(AlertRecord),
    /// The sealed session of an account.
    Session(SessionRecord),
    /// A login that is under way.
    Login(Box<Login>),
    /// That every account is to be signed out at once.
    Panic(Panic),
    /// What outlives an account that left the pool, for a while.
    Gone(GoneAccount),
}

/// One day of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRecord {
    /// The account.
    pub account: AccountId,
    /// The day, in the admin's zone.
    pub date: Date,
    /// What it did.
    pub counters: Counters,
}

/// What one account knows of one peer. Access hashes are per account and no secret to its owner, but worthless to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPeer {
    /// The account.
    pub account: AccountId,
    /// The peer.
    pub peer: PeerId,
    /// With which this account addresses it.
    pub access_hash: i64,
    /// Its title.
    pub title: String,
    /// Telegram's word for why this account cannot use the peer, and since when; dropped when it is checked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// When this was learnt.
    pub checked_at: Timestamp,
}

/// The summary of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// The task.
    pub task: TaskId,
    /// Its number, from 1.
    pub number: u32,
    /// Messages decided in it.
    pub messages: u32,
    /// The cursor at its end.
    pub cursor: MessageId,
    /// When it was decided.
    pub at: Timestamp,
}

/// Which source ids became which target ids, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRecord {
    /// The task.
    pub task: TaskId,
    /// The chunk's number.
    pub number: u64,
    /// Which account carried it.
    pub account: AccountId,
    /// Source ids that arrived.
    pub source: IdSequence,
    /// What they became; as long as `source`.
    pub target: IdSequence,
    /// When it was decided.
    pub at: Timestamp,
}

/// Selected messages that were not carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkipRecord {
    /// The task.
    pub task: TaskId,
    /// Which.
    pub ids: IdSequence,
    /// Why.
    pub reason: SkipReason,
    /// The account that was refused, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// When.
    pub at: Timestamp,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The task.
    pub task: TaskId,
    /// Tells events of one instant apart.
    pub ordinal: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// Which task may write to a target: one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetLock {
    /// The target.
    pub target: PeerId,
    /// The task.
    pub task: TaskId,
}

/// How an admin wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The chat.
    pub chat: ChatId,
    /// `None`: as the person's Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The language of the person's Telegram, as an update told it last; hosts know it from here alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram_language: Option<Language>,
    /// The zone's name; `None`: the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Settings {
    /// What holds for a chat about which nothing is stored.
    pub fn new(chat: ChatId) -> Self {
        Self { chat, language: None, telegram_language: None, zone: None }
    }

    /// The language that was chosen, else that of the person's Telegram.
    pub fn spoken(&self) -> Language {
        self.language.or(self.telegram_language).unwrap_or_default()
    }
}

/// The chats that an admin named last, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The chat with the admin.
    pub chat: ChatId,
    /// Sources and targets.
    pub peers: Vec<RecentPeer>,
}

/// A chat that was named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentPeer {
    /// As it was named.
    pub address: PeerAddress,
    /// Its title, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// An update that was taken: committed together with what it changed, so that a delivery that comes again changes
/// nothing and only shows what the first one should have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenUpdate {
    /// Which.
    pub id: UpdateId,
    /// When it was taken.
    pub at: Timestamp,
    /// What it was answered with.
    #[serde(default)]
    pub shows: Vec<View>,
    /// Whether all of that was shown.
    #[serde(default)]
    pub done: bool,
    /// Whether showing it failed: the next delivery may show it at once, instead of taking the first for still at it.
    #[serde(default)]
    pub failed: bool,
}

/// The message that shows a task's progress to its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The task.
    pub task: TaskId,
    /// Where.
    pub chat: ChatId,
    /// The message; `None` until a host has sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BotMessageId>,
    /// Events up to this ordinal were told.
    #[serde(default)]
    pub told: u64,
    /// The state that was told last, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Since when something may be untold; `None`: the task rests and everything was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_since: Option<Timestamp>,
}

/// Something the admins were told once, and are not told again while this stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// What kind of thing.
    pub kind: String,
    /// About whom.
    pub subject: String,
    /// When.
    pub at: Timestamp,
}

/// The sealed session of an account: its keys, and the application it logged in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The account.
    pub account: AccountId,
    /// What only a host can open.
    pub sealed: Sealed,
    /// When it was put here.
    pub at: Timestamp,
}

/// That every account is to be signed out at Telegram and erased here, at once: the panic button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// Who pressed it; `None`: the operator, at the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChatId>,
    /// When.
    pub at: Timestamp,
    /// Since when nothing is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// What outlives an account that left the pool: Telegram remembers its waits, and a day's budget is a day's budget, also
/// when the account comes back meanwhile. Nothing in it tells who the account is but its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneAccount {
    /// The account.
    pub id: AccountId,
    /// Its waits when it left.
    #[serde(default)]
    pub waits: Waits,
    /// What it was charged that day.
    pub today: Day,
    /// When it joined chats lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined_at: Vec<Timestamp>,
    /// When it was last heard of.
    pub at: Timestamp,
}

/// A day and a zone further, and every budget begins anew.
const GONE_KEPT: SignedDuration = SignedDuration::from_hours(48);
/// Updates are delivered again for 24 hours at most.
const UPDATE_KEPT: SignedDuration = SignedDuration::from_hours(48);
/// A conversation that expired is told so for a while.
const DIALOGUE_KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Inquiries are of no use to anybody soon after.
const INQUIRY_KEPT: SignedDuration = SignedDuration::from_hours(48);
/// A login that is over is of no use to anybody; one that is not is abandoned long before.
const LOGIN_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// In AWS each life of a host is another host: one that is gone is of interest to whoever looks for it the day after.
const HOST_KEPT: SignedDuration = SignedDuration::from_hours(48);
/// What was told once may be told again after so long.
const ALERT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl GoneAccount {
    /// What is to be remembered of an account that leaves.
    pub fn of(account: &Account) -> Self {
        let Account { id, waits, today, joined_at, since, last_used, checked_at, .. } = account.clone();
        let at = last_used.into_iter().chain(checked_at).fold(since, Timestamp::max);
        Self { id, waits, today, joined_at, at }
    }

    /// The account that came back, with what it may not forget.
    pub fn remembered_by(&self, account: Account) -> Account {
        Account {
            waits: account.waits.merged(&self.waits),
            today: if self.today.date >= account.today.date { self.today } else { account.today },
            joined_at: self.joined_at.clone(),
            ..account
        }
    }

    /// Until when it means something.
    fn kept_until(&self) -> Option<Timestamp> {
        let Waits { write, read, resolve } = self.waits;
        let waits = [write, read, resolve].into_iter().flatten().max();
        waits.into_iter().chain(self.at.saturating_add(GONE_KEPT).ok()).max()
    }
}

impl SkipRecord {
    /// The ledger's row for a skip.
    pub fn new(task: &TaskId, skip: Skip, account: Option<AccountId>, at: Timestamp) -> Self {
        Self { task: task.clone(), ids: skip.ids, reason: skip.reason, account, at }
    }
}

impl Item {
    /// Where the item stands.
    pub fn key(&self) -> Key {
        match self {
            Self::Account(account) => Key::account(&account.id),
            Self::Profile(profile) => Key::profile(&profile.id),
            Self::Day(day) => Key::day(&day.account, day.date),
            Self::Peer(known) => Key::peer(&known.account, known.peer),
            Self::Task(task) => Key::task(&task.id),
            Self::Command(command) => Key::command(&command.task),
            Self::Batch(batch) => Key::batch(&batch.task, batch.number),
            Self::Chunk(chunk) => Key::chunk(&chunk.task, chunk.number),
            Self::Skip(skip) => Key::skip(&skip.task, skip.ids.first().unwrap_or_default()),
            Self::Event(event) => Key::event(&event.task, event.at, event.ordinal),
            Self::TargetLock(lock) => Key::target(lock.target),
            Self::Host(host) => Key::host(&host.id),
            Self::Dialogue(dialogue) => Key::dialogue(dialogue.chat),
            Self::Settings(settings) => Key::settings(settings.chat),
            Self::Recent(recent) => Key::recent(recent.chat),
            Self::Update(update) => Key::update(update.id),
            Self::Inquiry(inquiry) => Key::inquiry(&inquiry.id),
            Self::Report(report) => Key::report(&report.task),
            Self::Alert(alert) => Key::alert(&alert.kind, &alert.subject),
            Self::Session(session) => Key::session(&session.account),
            Self::Login(login) => Key::login(&login.id),
            Self::Panic(_) => Key::panic(),
            Self::Gone(gone) => Key::gone(&gone.id),
        }
    }

    /// When the item is of no use any more. DynamoDB removes it within days after that; readers do not rely on it.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let after = |at: &Timestamp, kept| at.saturating_add(kept).ok();
        match self {
            Self::Dialogue(dialogue) => after(&dialogue.at, DIALOGUE_KEPT),
            Self::Update(update) => after(&update.at, UPDATE_KEPT),
            Self::Inquiry(inquiry) => after(&inquiry.asked_at, INQUIRY_KEPT),
            Self::Alert(alert) => after(&alert.at, ALERT_KEPT),
            Self::Login(login) => after(&login.touched_at, LOGIN_KEPT),
            Self::Gone(gone) => gone.kept_until(),
            Self::Host(host) => after(&host.renewed_at, HOST_KEPT),
            Self::Account(_)
            | Self::Profile(_)
            | Self::Day(_)
            | Self::Peer(_)
            | Self::Task(_)
            | Self::Command(_)
            | Self::Batch(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Event(_)
            | Self::TargetLock(_)
            | Self::Settings(_)
            | Self::Recent(_)
            | Self::Report(_)
            | Self::Session(_)
            | Self::Panic(_) => None,
        }
    }

    /// When the item is due, for the index of what is due.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Task(task) => task.state.due_at(),
            Self::Inquiry(inquiry) => inquiry.answer.is_none().then_some(inquiry.asked_at),
            Self::Report(report) => report.open_since,
            Self::Login(login) => login.due_at(),
            Self::Panic(panic) => panic.done_at.is_none().then_some(panic.at),
            Self::Profile(profile) => profile.leaving.as_ref().map(|leaving| leaving.since),
            Self::Account(_)
            | Self::Day(_)
            | Self::Peer(_)
            | Self::Command(_)
            | Self::Batch(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Event(_)
            | Self::TargetLock(_)
            | Self::Host(_)
            | Self::Dialogue(_)
            | Self::Settings(_)
            | Self::Recent(_)
            | Self::Update(_)
            | Self::Alert(_)
            | Self::Session(_)
            | Self::Gone(_) => None,
        }
    }

    /// The list in which the item stands, and how it is sorted there.
    pub fn listed(&self) -> Option<(List, String)> {
        match self {
            Self::Account(account) => Some((List::Accounts, format!("{}#ACCOUNT", account.id))),
            Self::Profile(profile) => Some((List::Accounts, format!("{}#PROFILE", profile.id))),
            Self::Task(task) => Some((List::Tasks, format!("{}#{}", task.state.word(), task.id))),
            Self::Host(host) => Some((List::Hosts, host.id.to_string())),
            Self::Day(_)
            | Self::Peer(_)
            | Self::Command(_)
            | Self::Batch(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Event(_)
            | Self::TargetLock(_)
            | Self::Dialogue(_)
            | Self::Settings(_)
            | Self::Recent(_)
            | Self::Update(_)
            | Self::Inquiry(_)
            | Self::Report(_)
            | Self::Alert(_)
            | Self::Session(_)
            | Self::Login(_)
            | Self::Panic(_)
            | Self::Gone(_) => None,
        }
    }

    /// The lease's epoch, for [`crate::table::Guard::Held`]; 0 where there is no lease.
    pub fn lease_epoch(&self) -> u64 {
        match self {
            Self::Account(account) => account.lease_epoch,
            Self::Task(task) => task.lease_epoch,
            Self::Login(login) => login.lease_epoch,
            Self::Profile(_)
            | Self::Day(_)
            | Self::Peer(_)
            | Self::Command(_)
            | Self::Batch(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Event(_)
            | Self::TargetLock(_)
            | Self::Host(_)
            | Self::Dialogue(_)
            | Self::Settings(_)
            | Self::Recent(_)
            | Self::Update(_)
            | Self::Inquiry(_)
            | Self::Report(_)
            | Self::Alert(_)
            | Self::Session(_)
            | Self::Panic(_)
            | Self::Gone(_) => 0,
        }
    }

    /// The open intent's id, for [`crate::table::Guard::Held`].
    pub fn intent_id(&self) -> Option<u64> {
        match self {
            Self::Task(task) => task.checkpoint.intent.as_ref().map(|intent| intent.id),
            Self::Account(_)
            | Self::Profile(_)
            | Self::Day(_)
            | Self::Peer(_)
            | Self::Command(_)
            | Self::Batch(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Event(_)
            | Self::TargetLock(_)
            | Self::Host(_)
            | Self::Dialogue(_)
            | Self::Settings(_)
            | Self::Recent(_)
            | Self::Update(_)
            | Self::Inquiry(_)
            | Self::Report(_)
            | Self::Alert(_)
            | Self::Session(_)
            | Self::Login(_)
            | Self::Panic(_)
            | Self::Gone(_) => None,
        }
    }
}
