//! A chat with the bot on a stage: table, queue and bot in memory, and virtual time. Everything that happens is written
//! down as people would see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::{Deserializable, Kem, OpModeR, Serializable};
use jiff::tz::TimeZone;
use transfer::bot::memory::MemoryBot;
use transfer::bot::{Bot, BotError, CommandHint, Incoming, Origin, Picture, PressId, Said, Screen};
use transfer::clock::Clock;
use transfer::ids::{AccountId, BotMessageId, ChatId, UpdateId};
use transfer::inquiry::{Answer, Inquiry, Question};
use transfer::lease::Host;
use transfer::login::{Login, LoginEvent, LoginState};
use transfer::queue::memory::MemoryQueue;
use transfer::queue::{Job, Queue};
use transfer::screen::plain;
use transfer::seal::{SealKem, Sealed, Sealer, SealingKey, SecretKind};
use transfer::table::memory::MemoryTable;
use transfer::table::{CommitError, Guard, Item, Key, List, Record, Table, TableError, Write};
use transfer::tell;
use transfer::text::{Language, Locale};
use webhook::handler::{HandleError, Handler};

/// The admin.
pub(crate) const ADMIN: ChatId = ChatId(101);
/// Another admin.
pub(crate) const OTHER: ChatId = ChatId(202);

/// A bot that fails so often before it works again.
#[derive(Default)]
pub(crate) struct FailingBot {
    pub(crate) inner: MemoryBot,
    pub(crate) failures: AtomicU32,
    /// What was removed, of whoever it was.
    pub(crate) removed: Mutex<Vec<BotMessageId>>,
    /// Telegram removes nothing any more.
    pub(crate) keeps_all: AtomicBool,
}

impl FailingBot {
    fn try_it(&self) -> Result<(), BotError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left == 0 {
            return Ok(());
        }
        self.failures.store(left - 1, Ordering::Relaxed);
        Err(BotError::Failed("no answer".to_owned()))
    }
}

#[async_trait]
impl Bot for FailingBot {
    async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, BotError> {
        self.try_it()?;
        self.inner.send(chat, screen).await
    }

    async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), BotError> {
        self.try_it()?;
        self.inner.edit(chat, message, screen).await
    }

    async fn send_photo(&self, chat: ChatId, picture: &Picture, screen: &Screen) -> Result<BotMessageId, BotError> {
        self.try_it()?;
        self.inner.send_photo(chat, picture, screen).await
    }

    async fn edit_photo(
        &self,
        chat: ChatId,
        message: BotMessageId,
        picture: &Picture,
        screen: &Screen,
    ) -> Result<(), BotError> {
        self.try_it()?;
        self.inner.edit_photo(chat, message, picture, screen).await
    }

    async fn delete(&self, chat: ChatId, message: BotMessageId) -> Result<(), BotError> {
        self.try_it()?;
        if self.keeps_all.load(Ordering::Relaxed) {
            return Err(BotError::Refused("message can't be deleted".to_owned()));
        }
        self.removed.lock().unwrap().push(message);
        self.inner.delete(chat, message).await
    }

    async fn answer(&self, press: &PressId, word: Option<&str>) -> Result<(), BotError> {
        self.try_it()?;
        self.inner.answer(press, word).await
    }

    async fn set_commands(&self, commands: &[CommandHint], language_code: Option<&str>) -> Result<(), BotError> {
        self.inner.set_commands(commands, language_code).await
    }
}

/// A table at which others get a turn before each call, so that two handlers interleave.
#[derive(Default)]
pub(crate) struct TurningTable(pub(crate) MemoryTable);

#[async_trait]
impl Table for TurningTable {
    async fn get(&self, key: &Key) -> Result<Option<Record>, TableError> {
        tokio::task::yield_now().await;
        self.0.get(key).await
    }

    async fn partition(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Record>, TableError> {
        self.0.partition(pk, sk_prefix).await
    }

    async fn due(&self, until: jiff::Timestamp, limit: u32) -> Result<Vec<Record>, TableError> {
        self.0.due(until, limit).await
    }

    async fn list(&self, list: List) -> Result<Vec<Record>, TableError> {
        self.0.list(list).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        tokio::task::yield_now().await;
        self.0.commit(writes).await
    }
}

pub(crate) struct Stage {
    pub(crate) table: Arc<TurningTable>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) bot: Arc<FailingBot>,
    pub(crate) handler: Handler,
    pub(crate) language_code: &'static str,
    /// Whether a host renews itself.
    pub(crate) host: bool,
    /// The account that it works with alone.
    pub(crate) single: Option<AccountId>,
    /// What must never stand in table or chat.
    pub(crate) planted: Vec<String>,
    /// Every update that was delivered.
    pub(crate) delivered: Vec<Incoming>,
    seen: BTreeMap<BotMessageId, Screen>,
    answered: usize,
    removed: usize,
    log: String,
}

impl Stage {
    pub(crate) fn new(language_code: &'static str) -> Self {
        let clock = Clock::starting_at("2024-05-02T20:00:00Z".parse().unwrap());
        let (table, queue) = (Arc::new(TurningTable::default()), Arc::new(MemoryQueue::new(clock.clone())));
        let bot = Arc::new(FailingBot::default());
        let handler = Handler {
            table: Arc::clone(&table) as Arc<dyn Table>,
            queue: Arc::clone(&queue) as Arc<dyn Queue>,
            bot: Arc::clone(&bot) as Arc<dyn Bot>,
            clock,
            admins: vec![ADMIN, OTHER],
            zone: TimeZone::fixed(jiff::tz::offset(8)),
            sealer: Sealer::fixed(sealing_key()),
        };
        Self {
            table,
            queue,
            bot,
            handler,
            language_code,
            host: true,
            single: None,
            planted: Vec::new(),
            delivered: Vec::new(),
            seen: BTreeMap::new(),
            answered: 0,
            removed: 0,
            log: String::new(),
        }
    }

    /// Writes a line of the story.
    pub(crate) fn note(&mut self, line: &str) {
        writeln!(self.log, "\n({line})").unwrap();
    }

    /// What was said so far, and begins anew.
    pub(crate) fn transcript(&mut self) -> String {
        std::mem::take(&mut self.log)
    }

    pub(crate) fn incoming(&self, what: Said) -> Incoming {
        let id = UpdateId(u32::try_from(self.delivered.len()).unwrap() + 1);
        let message = (!matches!(what, Said::Pressed { .. })).then_some(BotMessageId(9_000));
        Incoming { id, chat: ADMIN, language_code: Some(self.language_code.to_owned()), message, what }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        writeln!(self.log, "\n> {text}").unwrap();
        self.deliver(Said::Text(text.to_owned())).await;
    }

    pub(crate) async fn say_other(&mut self) {
        writeln!(self.log, "\n> (a picture)").unwrap();
        self.deliver(Said::Other).await;
    }

    pub(crate) async fn forward(&mut self, origin: Origin) {
        writeln!(self.log, "\n> (forwarded from {:?})", origin.title).unwrap();
        self.deliver(Said::Forwarded(origin)).await;
    }

    /// Presses the newest button with this text.
    pub(crate) async fn press(&mut self, text: &str) {
        let (message, data) = self.button(text);
        writeln!(self.log, "\n> [{text}]").unwrap();
        self.press_data(message, &data).await;
    }

    pub(crate) async fn press_data(&mut self, message: BotMessageId, data: &str) {
        let press = PressId(format!("press-{}", self.delivered.len()));
        self.deliver(Said::Pressed { press, message, data: data.to_owned() }).await;
    }

    pub(crate) fn button(&self, text: &str) -> (BotMessageId, String) {
        let chat = self.bot.inner.chat(ADMIN);
        let buttons = |screen: &Screen| screen.buttons.iter().flatten().cloned().collect::<Vec<_>>();
        let found = chat.iter().rev().find_map(|(id, screen)| {
            buttons(screen).into_iter().find(|button| button.text.contains(text)).map(|button| (*id, button.data))
        });
        found.unwrap_or_else(|| panic!("no button {text:?} in {:#?}", chat.last()))
    }

    async fn deliver(&mut self, what: Said) {
        let incoming = self.incoming(what);
        self.deliver_as(incoming).await.unwrap();
    }

    pub(crate) async fn deliver_as(&mut self, incoming: Incoming) -> Result<(), HandleError> {
        if self.host {
            let host = Host {
                id: "host".into(),
                incarnation: "life".into(),
                renewal: 1,
                renewed_at: self.handler.clock.now(),
                program_version: String::new(),
                accounts_held: 0,
                only_account: self.single.clone(),
                wants: Vec::new(),
            };
            self.put(Item::Host(host)).await;
        }
        self.delivered.push(incoming.clone());
        let handled = self.handler.handle(incoming).await;
        self.look_for_secrets();
        self.look();
        handled
    }

    fn look_for_secrets(&self) {
        let mut kept = format!("{:?} {:?}", self.bot.inner.chat(ADMIN), self.bot.inner.answers());
        for record in self.items() {
            write!(kept, "{record:?} {}", serde_json::to_string(&record.item).unwrap()).unwrap();
        }
        for secret in &self.planted {
            assert!(!kept.contains(secret), "what was planted is kept: {secret:?}");
        }
    }

    pub(crate) async fn put(&self, item: Item) {
        self.table.0.commit(vec![Write::Put { item, guard: Guard::None }]).await.unwrap();
    }

    /// Writes down what the chat shows that it did not show before.
    pub(crate) fn look(&mut self) {
        for (_, word) in self.bot.inner.answers().into_iter().skip(self.answered) {
            self.answered += 1;
            if let Some(word) = word {
                writeln!(self.log, "  ({word})").unwrap();
            }
        }
        let removed = self.bot.removed.lock().unwrap().len();
        if removed > self.removed {
            writeln!(self.log, "  (the message is removed)").unwrap();
        }
        self.removed = removed;
        let chat: BTreeMap<BotMessageId, Screen> = self.bot.inner.chat(ADMIN).into_iter().collect();
        for (id, screen) in &chat {
            let mark = match self.seen.get(id) {
                Some(seen) if seen == screen => continue,
                Some(_) => format!("<{id} edited"),
                None => format!("<{id}"),
            };
            writeln!(self.log, "{mark}").unwrap();
            for line in plain(&screen.html).lines() {
                writeln!(self.log, "{}", format!("  {line}").trim_end()).unwrap();
            }
            for row in &screen.buttons {
                let row: Vec<String> = row.iter().map(|button| format!("[{}]", button.text)).collect();
                writeln!(self.log, "  {}", row.join(" ")).unwrap();
            }
        }
        self.seen = chat;
    }

    /// Answers the newest inquiry as a host does.
    pub(crate) async fn host_answers(&mut self, answer: Answer) {
        let (mut inquiry, version) = self.inquiries().pop().expect("an inquiry was asked");
        let Question::Preview { draft } = inquiry.question.clone();
        inquiry.answer = Some(answer.clone());
        let message = inquiry.message.expect("the handler noted which message shows it");
        let locale = Locale { language: inquiry.language, zone: TimeZone::UTC };
        let write = Write::Put { item: Item::Inquiry(Box::new(inquiry)), guard: Guard::Version(version) };
        self.table.0.commit(vec![write]).await.unwrap();
        self.bot.inner.edit(ADMIN, message, &tell::preview::screen(&draft, &answer, &locale)).await.unwrap();
        writeln!(self.log, "\n(a host answers)").unwrap();
        self.look();
    }

    pub(crate) fn inquiries(&self) -> Vec<(Inquiry, u64)> {
        let of = |record: Record| match record.item {
            Item::Inquiry(inquiry) => Some((*inquiry, record.version)),
            _ => None,
        };
        self.items().into_iter().filter_map(of).collect()
    }

    pub(crate) fn items(&self) -> Vec<Record> {
        self.table.0.snapshot().into_values().collect()
    }

    /// The logins, as they were begun.
    pub(crate) fn logins(&self) -> Vec<(Login, u64)> {
        let of = |record: Record| match record.item {
            Item::Login(login) => Some((*login, record.version)),
            _ => None,
        };
        let mut logins: Vec<(Login, u64)> = self.items().into_iter().filter_map(of).collect();
        logins.sort_by_key(|(login, _)| login.begun_at);
        logins
    }

    /// The login that was begun last goes on as a host has it go on.
    pub(crate) async fn host_tells(&mut self, event: LoginEvent) {
        let (login, version) = self.logins().pop().expect("a login was begun");
        self.note(&format!("a host: {}", event_word(&event)));
        let mut login = login.next(event, self.handler.clock.now()).unwrap();
        let locale = Locale { language: login.language, zone: TimeZone::UTC };
        let screen = transfer::screen::login::screen(&login, &locale, self.handler.clock.now());
        if matches!(login.state, LoginState::Scan { .. }) {
            let picture = Picture(b"\x89PNG\r\n\x1a\n".to_vec());
            login.message = Some(self.bot.inner.send_photo(ADMIN, &picture, &screen).await.unwrap());
            login.message_is_picture = true;
        } else if login.message_is_picture {
            self.bot.inner.delete(ADMIN, login.message.unwrap()).await.unwrap();
            login.message = Some(self.bot.inner.send(ADMIN, &screen).await.unwrap());
            login.message_is_picture = false;
        } else {
            self.bot.inner.edit(ADMIN, login.message.expect("the handler noted it"), &screen).await.unwrap();
        }
        let write = Write::Put { item: Item::Login(Box::new(login)), guard: Guard::Version(version) };
        self.table.0.commit(vec![write]).await.unwrap();
        self.look();
    }

    pub(crate) fn tasks(&self) -> Vec<transfer::task::Task> {
        let of = |record: Record| match record.item {
            Item::Task(task) => Some(*task),
            _ => None,
        };
        self.items().into_iter().filter_map(of).collect()
    }

    /// The jobs that wait in the queue.
    pub(crate) async fn jobs(&self) -> Vec<Job> {
        let received = self.queue.receive(10, Duration::from_secs(1), Duration::ZERO).await.unwrap();
        for delivery in &received {
            self.queue.delete(&delivery.receipt).await.unwrap();
        }
        received.iter().map(|delivery| delivery.job().unwrap()).collect()
    }
}

fn key_pair() -> (<SealKem as Kem>::PrivateKey, <SealKem as Kem>::PublicKey) {
    SealKem::derive_keypair(&[7; 32])
}

fn sealing_key() -> SealingKey {
    SealingKey::from_bytes(&key_pair().1.to_bytes()).unwrap()
}

/// What only a host can read.
pub(crate) fn opened(sealed: &Sealed, kind: SecretKind, login: &Login) -> String {
    let bytes = |text: &str| STANDARD.decode(text).unwrap();
    let encapsulated = <SealKem as Kem>::EncappedKey::from_bytes(&bytes(&sealed.encapsulated)).unwrap();
    let opened = hpke::single_shot_open::<transfer::seal::SealAead, transfer::seal::SealKdf, SealKem>(
        &OpModeR::Base,
        &key_pair().0,
        &encapsulated,
        transfer::seal::INFO,
        &bytes(&sealed.ciphertext),
        &kind.bound_to(&Key::login(&login.id)),
    );
    String::from_utf8(opened.unwrap()).unwrap()
}

fn event_word(event: &LoginEvent) -> &'static str {
    match event {
        LoginEvent::Limited(_) => "Telegram wants a wait",
        LoginEvent::Shown => "a picture is shown",
        LoginEvent::CodeSent(_) => "a code was sent",
        LoginEvent::CodeRefused(_) => "the code is refused",
        LoginEvent::PasswordNeeded { was_wrong: true, .. } => "the password is wrong",
        LoginEvent::PasswordNeeded { .. } => "there is a password",
        LoginEvent::Done { .. } => "the account is in the pool",
        LoginEvent::Failed(_) => "it came to nothing",
        _ => "no event of a host's",
    }
}

pub(crate) fn channel(title: &str, username: Option<&str>, message: i32) -> Origin {
    Origin {
        peer: transfer::ids::PeerId::channel(4_242),
        username: username.map(str::to_owned),
        title: title.to_owned(),
        message: Some(transfer::ids::MessageId(message)),
        date: jiff::Timestamp::UNIX_EPOCH,
    }
}

pub(crate) fn found() -> Answer {
    Answer::Preview(Box::new(transfer::inquiry::Preview {
        source: "Daily Photos".to_owned(),
        target: "Archive".to_owned(),
        accounts_able: 2,
        accounts_other: 1,
        matching: transfer::inquiry::Count { number: 1_234, exact: true },
        albums: transfer::inquiry::Count { number: 56, exact: true },
        estimate: Some(jiff::SignedDuration::from_mins(90)),
    }))
}

/// What a button says in the language of the stage.
pub(crate) fn word(stage: &Stage, name: &str) -> String {
    transfer::text::say(Language::of_tag(stage.language_code), name, &[])
}
