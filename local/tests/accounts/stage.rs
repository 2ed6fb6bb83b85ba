//! A simulated Telegram with a bot, an admin and people's accounts, none of which is in the pool yet; and `ferry serve`
//! beside it, which can be stopped and started.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ferry::configuration::Configuration;
use ferry::demo::stage::{Plan, SourceMix, flood_model};
use ferry::engines::Engines;
use ferry::failure::Failure;
use ferry::host::BOT_ID;
use ferry::keys::Keys;
use ferry::serve::{Front, serve};
use ferry::simulation::{Ports, Simulation};
use ferry::terminal::Terminal;
use jiff::{SignedDuration, Timestamp};
use session_host::session::Session;
use simulator::bot_api::person::{self, ChatMessage};
use simulator::scenario::{SOURCE, TARGET};
use simulator::world::keyboard::Press;
use simulator::world::login::CodeState;
use simulator::world::user::User;
use simulator::world::{MessageId, UserId, World};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::login::LoginState;
use transfer::table::{Guard, Item, Key, List, Record, Table, Write};

use crate::scanner;

pub(crate) const BOT: UserId = UserId(7_900_000_001);
pub(crate) const ADMIN: UserId = UserId(6_000_000_001);
pub(crate) const TOKEN: &str = "7900000001:planted-TOKEN_of-the-bot";
/// The installation's own application.
pub(crate) const API_HASH: &str = "ca11ab1e0ddba11cafef00d5ba5eba11";
/// Nothing here takes longer, or it hangs.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);
const MESSAGES: i32 = 300;

/// Lives in DC 2, as most do.
pub(crate) const ANNA: UserId = UserId(7_000_000_001);
/// Lives in DC 4.
pub(crate) const BERT: UserId = UserId(7_000_000_002);
/// Has a two-step password.
pub(crate) const CARA: UserId = UserId(7_000_000_003);
pub(crate) const PASSWORD: &str = "planted-Password-93";
pub(crate) const HINT: &str = "the street of the school";
/// Lives in a DC that nobody reaches.
pub(crate) const DORA: UserId = UserId(7_000_000_004);
const LOST_DC: i32 = 5;

/// See the module.
pub(crate) struct Stage {
    pub(crate) simulation: Simulation,
    pub(crate) dir: TempDir,
    /// The configuration.
    pub(crate) file: PathBuf,
    serving: Option<Serving>,
    /// What `ferry serve` writes to its terminal.
    pub(crate) said: Said,
}

struct Serving {
    stop: CancellationToken,
    task: JoinSet<Result<(), Failure>>,
}

/// What was written to a terminal.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<std::sync::Mutex<Vec<u8>>>);

impl Said {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Stage {
    /// Everything, with `ferry serve` running.
    pub(crate) fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut plan = Plan::generated(11, 4, MESSAGES, SourceMix::Text, flood_model("none", 4).unwrap());
        let world = &mut plan.world;
        world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
        world.add_user(User::new(ADMIN, "", "Admin"));
        // Who presses ten digits a second is refused by the limits; those are tried elsewhere, and cost minutes here.
        world.bots.limits.on = false;
        let named = [(ANNA, "Anna", 2), (BERT, "Bert", 4), (CARA, "Cara", 2), (DORA, "Dora", LOST_DC)];
        for (n, (id, name, dc)) in named.into_iter().enumerate() {
            let user = world.users.get_mut(&id).unwrap();
            user.first_name = name.to_owned();
            user.home_dc = dc;
            user.phone = format!("+1555014285{n}");
        }
        let cara = world.users.get_mut(&CARA).unwrap();
        (cara.password, cara.password_hint) = (Some(PASSWORD.to_owned()), Some(HINT.to_owned()));
        let simulation = Simulation::start(plan.world, Ports::default()).unwrap();
        let file = configure(dir.path(), &simulation);
        let mut stage = Self { simulation, dir, file, serving: None, said: Said::default() };
        stage.start();
        stage
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("ferry-data")
    }

    /// `ferry serve` begins.
    pub(crate) fn start(&mut self) {
        assert!(self.serving.is_none());
        let configuration = Configuration::load(&self.file).unwrap();
        let (stop, terminal) = (CancellationToken::new(), Terminal::writing_to(self.said.clone()));
        let stopped = stop.clone();
        let serving = async move { serve(&configuration, Front::Own, &terminal, &stopped).await };
        let mut task = JoinSet::new();
        task.spawn(serving);
        self.serving = Some(Serving { stop, task });
    }

    /// `ferry serve` ends, as after Ctrl-C.
    pub(crate) async fn stop(&mut self) {
        let Serving { stop, mut task } = self.serving.take().unwrap();
        stop.cancel();
        tokio::time::timeout(WITHIN, task.join_next()).await.unwrap().unwrap().unwrap().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start();
    }

    /// Time passes over every login while nobody serves: so much that they are abandoned.
    pub(crate) async fn abandons(&mut self) {
        self.stop().await;
        let engines = Engines::start(&self.data_dir()).await.unwrap();
        let table = engines.table(BOT_ID);
        let long_ago = |at: Timestamp| at - SignedDuration::from_mins(20);
        let mut count = 0;
        for Record { item, version, .. } in table.due(Timestamp::MAX, 100).await.unwrap() {
            if let Item::Login(mut login) = item {
                (login.begun_at, login.touched_at) = (long_ago(login.begun_at), long_ago(login.touched_at));
                if let LoginState::Scan { since } = &mut login.state {
                    *since = long_ago(*since);
                }
                let write = Write::Put { item: Item::Login(login), guard: Guard::Version(version) };
                table.commit(vec![write]).await.unwrap();
                count += 1;
            }
        }
        assert!(count > 0, "no login is under way");
        engines.stop().await;
        self.start();
    }

    /// Looks at the table; `ferry serve` must have stopped.
    pub(crate) async fn kept(&self) -> Kept {
        assert!(self.serving.is_none());
        let engines = Engines::start(&self.data_dir()).await.unwrap();
        let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
        let listed = table.list(List::Accounts).await.unwrap();
        let mut accounts = BTreeMap::new();
        for record in listed {
            if let Item::Account(account) = record.item {
                let profile = table.get(&Key::profile(&account.id)).await.unwrap();
                accounts.insert(account.id.0.clone(), profile.map(|profile| profile.item));
            }
        }
        let sessions = Keys::at(&self.data_dir()).sessions(table.clone());
        let sessions = sessions.list().await.unwrap();
        let sessions = futures_util::future::join_all(
            sessions
                .iter()
                .map(|id| async { Keys::at(&self.data_dir()).sessions(table.clone()).load(id).await.unwrap() }),
        )
        .await;
        engines.stop().await;
        Kept { accounts, sessions }
    }

    pub(crate) fn chat(&self) -> Vec<ChatMessage> {
        self.simulation.with_world(|world| person::chat(world, BOT, ADMIN))
    }

    pub(crate) fn says(&self, text: &str) {
        person::say(self.simulation.shared(), BOT, ADMIN, text).unwrap();
    }

    pub(crate) async fn sees(&self, what: &str, holds: impl Fn(&[ChatMessage]) -> bool) -> Vec<ChatMessage> {
        let seen = person::chat_when(self.simulation.shared(), BOT, ADMIN, WITHIN, holds).await;
        seen.unwrap_or_else(|| {
            let lines = |message: &ChatMessage| {
                let buttons: Vec<_> = message.buttons.buttons().map(|button| button.text.clone()).collect();
                format!("{} {:?} {buttons:?}", message.from, message.text)
            };
            panic!("{what} did not come; the chat: {:#?}", self.chat().iter().map(lines).collect::<Vec<_>>())
        })
    }

    /// Waits until a message of the bot contains this.
    pub(crate) async fn reads(&self, text: &str) -> ChatMessage {
        let holds = |message: &&ChatMessage| message.from == "bot" && message.text.contains(text);
        let chat = self.sees(text, |chat| chat.iter().any(|message| holds(&message))).await;
        chat.into_iter().rev().find(|message| holds(&message)).unwrap()
    }

    /// Waits until the bot's newest message contains this.
    pub(crate) async fn is_asked(&self, text: &str) {
        let newest =
            |chat: &[ChatMessage]| chat.iter().rfind(|it| it.from == "bot").is_some_and(|it| it.text.contains(text));
        self.sees(text, newest).await;
    }

    /// Presses a button of what the bot said to the admin's last words.
    pub(crate) async fn presses(&self, data: &str) {
        let answers = |chat: &[ChatMessage]| {
            let from = chat.iter().rposition(|message| message.from == "user").unwrap_or(0);
            button(&chat[from..], data)
        };
        let chat = self.sees(data, |chat| answers(chat).is_some()).await;
        let (message, data) = answers(&chat).unwrap();
        person::press(self.simulation.shared(), BOT, ADMIN, message, &data).await.unwrap();
    }

    /// Cancels the login that was shown last.
    pub(crate) async fn cancels(&self) {
        let chat = self.sees("a login", |chat| button(chat, "stop:").is_some()).await;
        let (message, data) = button(&chat, "stop:").unwrap();
        person::press(self.simulation.shared(), BOT, ADMIN, message, &data).await.unwrap();
    }

    /// From nothing to the question how the account logs in.
    pub(crate) async fn adds(&self, steps: &[&str]) {
        self.says("/start");
        for step in ["pool", "add"] {
            self.presses(step).await;
        }
        for step in steps {
            self.presses(&format!("w:{step}")).await;
        }
    }

    /// The way of a QR code, with nothing said that need not be.
    pub(crate) async fn adds_by_qr(&self) {
        self.adds(&["way:qr", "label:-", "priority:0", "api:-"]).await;
    }

    /// The way of a phone number.
    pub(crate) async fn adds_by_phone(&self, user: UserId) {
        self.adds(&["way:code", "label:-", "priority:0", "api:-"]).await;
        self.is_asked("Which phone number").await;
        self.says(&self.phone(user));
    }

    pub(crate) fn phone(&self, user: UserId) -> String {
        self.simulation.with_world(|world| world.users[&user].phone.clone())
    }

    /// Waits until the bot shows a picture.
    pub(crate) async fn picture(&self) {
        self.until("a picture", |world| newest_picture(world).is_some()).await;
    }

    /// The owner's phone scans what the chat shows.
    pub(crate) async fn scans(&self, user: UserId) {
        self.picture().await;
        // A picture of an earlier login may stand there still, and each is good for half a minute.
        let scanned = |world: &mut World| {
            let text = scanner::read(&newest_picture(world)?);
            world.scan(user, &text).ok()
        };
        let scanning = async {
            while self.simulation.with_world(scanned).is_none() {
                self.news().await;
            }
        };
        tokio::time::timeout(WITHIN, scanning).await.expect("no picture can be scanned");
    }

    /// The newest code that Telegram sent to this number, once there were `count`, and the keypad for it is shown.
    pub(crate) async fn code(&self, user: UserId, count: usize) -> String {
        let phone = self.phone(user);
        self.until("a code", |world| {
            world.login.codes.all().iter().filter(|sent| sent.phone == phone).count() >= count
        })
        .await;
        self.sees("the keypad", |chat| keypad(chat, &phone).is_some()).await;
        self.simulation.with_world(|world| world.login.codes.newest(&phone).unwrap().code.clone())
    }

    /// Presses a code on the keypad.
    pub(crate) async fn types(&self, user: UserId, code: &str) {
        for (n, digit) in code.chars().enumerate() {
            self.types_digit(user, n, digit).await;
        }
    }

    /// Presses a digit, once the `before` digits before it are shown.
    pub(crate) async fn types_digit(&self, user: UserId, before: usize, digit: char) {
        let phone = self.phone(user);
        let holds = |chat: &[ChatMessage]| keypad(chat, &phone).is_some_and(|message| dots(message) == before);
        let chat = self.sees(&format!("the keypad after {before} digits"), holds).await;
        let keypad = keypad(&chat, &phone).unwrap();
        let data = keypad.buttons.buttons().find_map(|button| match &button.press {
            Press::Callback(data) if data.starts_with("digit:") && data.ends_with(&format!(":{digit}")) => Some(data),
            _ => None,
        });
        person::press(self.simulation.shared(), BOT, ADMIN, keypad.id, data.unwrap()).await.unwrap();
    }

    /// Waits until the world is so.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&World) -> bool) {
        let wait = async {
            while !self.simulation.with_world(|world| holds(world)) {
                self.news().await;
            }
        };
        assert!(tokio::time::timeout(WITHIN, wait).await.is_ok(), "{what} did not come");
    }

    /// Something happened, or may have: not everything that happens at Telegram is news to whoever listens.
    async fn news(&self) {
        let mut news = self.simulation.shared().news();
        drop(tokio::time::timeout(Duration::from_millis(100), news.changed()).await);
    }

    /// At Telegram: where the account is signed in, half-done logins included.
    pub(crate) fn sessions(&self, user: UserId) -> usize {
        self.simulation.with_world(|world| world.login.sessions_of(user).len())
    }

    /// At Telegram: whether a code could still be used.
    pub(crate) fn code_is_live(&self, user: UserId) -> bool {
        let phone = self.phone(user);
        self.simulation.with_world(|world| world.login.codes.newest(&phone).unwrap().state == CodeState::Live)
    }

    /// Asks for everything from source to target, and waits until it stands there.
    pub(crate) async fn carries_everything(&self) {
        const STEPS: [&str; 10] =
            ["range:all", "next", "skip", "author:keep", "offered", "none", "pace:none", "batch:0", "done", "confirm"];
        self.says("/start");
        self.presses("new").await;
        self.is_asked("source").await;
        self.says("@source");
        self.is_asked("target").await;
        self.says("@target");
        for step in STEPS {
            self.presses(&format!("w:{step}")).await;
        }
        self.until("the copy", |world| {
            let visible = |chat| {
                let history = &world.chat(chat).unwrap().history;
                history.all().filter(|it| !it.deleted).map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
            };
            let carried: Vec<_> = visible(TARGET).iter().filter_map(|message| message.source).collect();
            let wanted: Vec<_> = visible(SOURCE)
                .iter()
                .filter(|message| message.service().is_none())
                .map(|message| (SOURCE, message.id))
                .collect();
            carried == wanted
        })
        .await;
    }
}

/// What stands in the table.
pub(crate) struct Kept {
    /// By id, with the profile.
    pub(crate) accounts: BTreeMap<String, Option<Item>>,
    /// Opened.
    pub(crate) sessions: Vec<Session>,
}

impl Kept {
    /// The ids of the accounts and of the sessions.
    pub(crate) fn ids(&self) -> (Vec<String>, Vec<String>) {
        let mut sessions: Vec<_> = self.sessions.iter().map(|session| session.account.0.clone()).collect();
        sessions.sort_unstable();
        (self.accounts.keys().cloned().collect(), sessions)
    }
}

fn configure(dir: &Path, simulation: &Simulation) -> PathBuf {
    std::fs::write(dir.join("simulator.pem"), &simulation.rsa().pem).unwrap();
    let mut text = format!(
        "data_dir = \"ferry-data\"\nzone = \"UTC\"\n[api]\nid = 1\nhash = \"{API_HASH}\"\n\
         [bot]\ntoken = \"{TOKEN}\"\nadmins = [{}]\napi = \"http://{}\"\n\
         [telegram]\nrsa_key_file = \"simulator.pem\"\n[telegram.dcs]\n",
        ADMIN.0,
        simulation.bot_api(),
    );
    for (dc, address) in simulation.dcs() {
        // Nobody listens on port 1.
        let address = if *dc == LOST_DC { "127.0.0.1:1".to_owned() } else { address.to_string() };
        writeln!(text, "{dc} = \"{address}\"").unwrap();
    }
    let file = dir.join("ferry.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// The newest button whose data is this, or begins with it and a colon.
pub(crate) fn button(chat: &[ChatMessage], wanted: &str) -> Option<(MessageId, String)> {
    let fits = |data: &str| data == wanted || (wanted.ends_with(':') && data.starts_with(wanted));
    chat.iter().rev().find_map(|message| {
        message.buttons.buttons().find_map(|button| match &button.press {
            Press::Callback(data) if fits(data) => Some((message.id, data.clone())),
            _ => None,
        })
    })
}

fn newest_picture(world: &World) -> Option<Vec<u8>> {
    let photo = world.bot_chat(ADMIN, BOT).into_iter().rev().find_map(|line| line.photo)?;
    world.bots.files.get(&photo).map(|file| file.bytes.to_vec())
}

/// The newest keypad for this number, of which the last two digits are shown.
fn keypad<'a>(chat: &'a [ChatMessage], phone: &str) -> Option<&'a ChatMessage> {
    let tail = format!("…{}", &phone[phone.len() - 2..]);
    let fits = |it: &&ChatMessage| it.text.contains(&tail) && button(std::slice::from_ref(it), "digit:").is_some();
    chat.iter().rfind(fits)
}

fn dots(message: &ChatMessage) -> usize {
    message.text.matches('●').count()
}
