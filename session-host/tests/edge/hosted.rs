//! Logins that an admin began in the chat, carried out by hosts over sockets; hosts are killed where it hurts.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use session_host::engine::{CHECK_IDLE_AFTER, HostConfig, Ports, Reception, SessionHost};
use session_host::login::{AfterCode, Progress, SignIn};
use simulator::world::UserId;
use simulator::world::floods::Script;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::account::AccountState;
use transfer::bot::memory::MemoryBot;
use transfer::clock::Clock;
use transfer::ids::{AccountId, ChatId, LoginId};
use transfer::login::{CodeTrouble, Login, LoginEvent, LoginFailure, LoginState, Way};
use transfer::queue::memory::MemoryQueue;
use transfer::queue::{Job, Queue};
use transfer::seal::{Sealer, SecretKind};
use transfer::table::{Guard, Item, Key, Record, Table, Write};
use transfer::text::Language;

use crate::login::{ANNS_PHONE, CLEOS_PASSWORD, CLEOS_PHONE, code, wrong};
use crate::rig::{ANN, CLEO, Rig};

const CHAT: ChatId = ChatId(5);
/// Nothing here takes longer, or it hangs.
const WITHIN: Duration = Duration::from_secs(60);

struct Stage {
    rig: Rig,
    sealer: Sealer,
    bot: Arc<MemoryBot>,
    queue: Arc<MemoryQueue>,
    host: JoinSet<()>,
    stop: CancellationToken,
    lives: u32,
}

impl Stage {
    async fn new() -> Self {
        let rig = Rig::new().await;
        let sealer = Sealer::fixed(rig.vault.current().unwrap());
        let queue = Arc::new(MemoryQueue::new(Clock::system()));
        let bot = Arc::new(MemoryBot::new());
        let (host, stop) = (JoinSet::new(), CancellationToken::new());
        let mut stage = Self { rig, sealer, bot, queue, host, stop, lives: 0 };
        stage.begin();
        stage
    }

    fn begin(&mut self) {
        self.lives += 1;
        let config = HostConfig {
            id: "h".into(),
            release: "test".to_owned(),
            incarnation: format!("life-{}", self.lives).as_str().into(),
            exclusive: true,
            alone: false,
            tasks_max: 4,
            chunk_len_max: 100,
            zone: jiff::tz::TimeZone::UTC,
            admins: vec![CHAT],
            only_account: None,
            check_idle_after: CHECK_IDLE_AFTER,
        };
        let ports = Ports {
            telegram: Arc::new(self.rig.telegram()),
            table: self.rig.table.clone(),
            queue: self.queue.clone(),
            bot: Some(self.bot.clone()),
            reception: Some(Reception {
                setup: self.rig.setup.clone(),
                sessions: self.rig.sessions.clone(),
                sealer: self.sealer.clone(),
                vault: self.rig.vault.clone(),
            }),
            clock: Clock::system(),
        };
        let host = SessionHost::new(config, ports, self.stop.clone());
        self.host.spawn(async move { host.run().await.unwrap() });
    }

    /// The host dies without a word, and its next life begins.
    async fn kill(&mut self) {
        self.host.shutdown().await;
        self.begin();
    }

    async fn ask(&self, id: &str, way: Way, phone: Option<&str>) -> LoginId {
        let (login, now) = (LoginId::from(id), Clock::system().now());
        let key = Key::login(&login);
        let phone = phone.map(|phone| self.sealer.seal(phone.as_bytes(), SecretKind::Phone, &key).unwrap());
        let item = Login {
            id: login.clone(),
            chat: CHAT,
            message: None,
            message_is_picture: false,
            language: Language::En,
            zone: None,
            way,
            label: None,
            priority: 7,
            again: None,
            api: None,
            phone,
            phone_masked: None,
            state: LoginState::Asked,
            digits: Vec::new(),
            password: None,
            progress: None,
            begun_at: now,
            touched_at: now,
            untold: false,
            seq: 1,
            lease: None,
            lease_epoch: 0,
        };
        self.put(item, Guard::Absent).await;
        login
    }

    async fn put(&self, login: Login, guard: Guard) {
        let job = Job::login(login.id.clone(), login.seq);
        let write = Write::Put { item: Item::Login(Box::new(login)), guard };
        self.rig.table.commit(vec![write]).await.unwrap();
        self.queue.send(&job).await.unwrap();
    }

    async fn read(&self, id: &LoginId) -> (Login, u64) {
        match self.rig.table.get(&Key::login(id)).await.unwrap() {
            Some(Record { item: Item::Login(login), version }) => (*login, version),
            other => panic!("no login: {other:?}"),
        }
    }

    async fn until(&self, id: &LoginId, holds: impl Fn(&Login) -> bool) -> Login {
        let seen = async {
            loop {
                let (login, _) = self.read(id).await;
                if holds(&login) {
                    return login;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(WITHIN, seen).await {
            Ok(login) => login,
            Err(_elapsed) => panic!("it stays {:?}", self.read(id).await.0.state),
        }
    }

    async fn comes_to(&self, id: &LoginId, word: &str) -> Login {
        self.until(id, |login| login.state.word() == word).await
    }

    /// The admin does something, over whatever the host writes meanwhile.
    async fn says(&self, id: &LoginId, event: LoginEvent) {
        loop {
            let (login, version) = self.read(id).await;
            let mut next = login.next(event.clone(), Clock::system().now()).unwrap();
            next.seq += 1;
            let job = Job::login(id.clone(), next.seq);
            let write = Write::Put { item: Item::Login(Box::new(next)), guard: Guard::Version(version) };
            if self.rig.table.commit(vec![write]).await.is_ok() {
                return self.queue.send(&job).await.unwrap();
            }
        }
    }

    async fn presses(&self, id: &LoginId, code: &str) {
        for digit in code.chars() {
            let sealed = self.sealer.seal(digit.to_string().as_bytes(), SecretKind::Digit, &Key::login(id)).unwrap();
            self.says(id, LoginEvent::Digit(sealed)).await;
        }
    }

    async fn writes(&self, id: &LoginId, password: &str) {
        let sealed = self.sealer.seal(password.as_bytes(), SecretKind::Password, &Key::login(id)).unwrap();
        self.says(id, LoginEvent::Password(sealed)).await;
    }

    fn keys_of(&self, user: UserId) -> usize {
        self.rig.simulator.with_world(|world| world.login.keys_of(user).len())
    }

    /// Telegram answers the next call so.
    fn refuses(&self, method: &str, message: &str) {
        let (method, message) = (Some(method.to_owned()), message.to_owned());
        let script = Script { account: None, method, times: 1, after: 0, code: 420, message };
        self.rig.simulator.with_world(|world| world.floods.script(script));
    }

    fn scanned_by(&self, user: UserId) -> bool {
        self.rig.simulator.with_world(|world| world.accept_newest_login_token(user)).is_ok()
    }

    async fn is_in_the_pool(&self, user: UserId) {
        let id = AccountId(user.0.to_string());
        let member = transfer::admin::member(self.rig.table.as_ref(), &id).await.unwrap().unwrap();
        assert_eq!((member.account.state, member.profile.priority), (AccountState::Ready, 7));
        assert_eq!(self.rig.sessions.load(&id).await.unwrap().user_id, user.0);
        assert_eq!(self.keys_of(user), 1, "one key, and the pool has it");
    }

    async fn shows(&self, id: &LoginId, text: &str) {
        let login = self.until(id, |login| login.message.is_some()).await;
        let shown = async {
            while !self.bot.chat(CHAT).iter().any(|(_, screen)| screen.html.contains(text)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let shown = tokio::time::timeout(WITHIN, shown).await;
        assert!(shown.is_ok(), "{text:?} is not shown of {:?}: {:?}", login.state, self.bot.chat(CHAT));
    }
}

#[tokio::test]
async fn a_code_leads_into_the_pool_and_every_secret_is_gone_afterwards() {
    let stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some(ANNS_PHONE)).await;
    let login = stage.comes_to(&id, "code").await;
    assert_eq!((login.lease, login.progress.is_some()), (None, true));
    let good = code(&stage.rig, ANNS_PHONE);
    stage.presses(&id, &wrong(&good)).await;
    let refused = |login: &Login| matches!(login.state, LoginState::Code { trouble: Some(CodeTrouble::Wrong), .. });
    stage.until(&id, refused).await;
    stage.presses(&id, &good).await;
    let mut login = stage.comes_to(&id, "done").await;
    assert_eq!(login.secrets_mut().len(), 0);
    stage.is_in_the_pool(ANN).await;
    stage.shows(&id, "Ann").await;
}

#[tokio::test]
async fn a_host_that_dies_in_every_state_of_a_code_login_loses_nothing() {
    let mut stage = Stage::new().await;
    stage.rig.simulator.with_world(|world| world.users.get_mut(&CLEO).unwrap().home_dc = 4);
    let id = stage.ask("a", Way::Code, Some(CLEOS_PHONE)).await;
    stage.comes_to(&id, "code").await;
    stage.kill().await;
    stage.presses(&id, &code(&stage.rig, CLEOS_PHONE)).await;
    stage.comes_to(&id, "password").await;
    stage.kill().await;
    stage.writes(&id, "battery staple").await;
    stage.until(&id, |login| matches!(login.state, LoginState::Password { was_wrong: true, .. })).await;
    stage.kill().await;
    stage.writes(&id, CLEOS_PASSWORD).await;
    stage.comes_to(&id, "done").await;
    stage.is_in_the_pool(CLEO).await;
}

#[tokio::test]
async fn what_telegram_granted_to_a_host_that_died_before_its_commit_is_found() {
    let mut stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some(ANNS_PHONE)).await;
    let (login, key) = (stage.comes_to(&id, "code").await, Key::login(&id));
    stage.host.shutdown().await;
    let good = code(&stage.rig, ANNS_PHONE);
    let progress = stage.rig.vault.open(&login.progress.unwrap(), SecretKind::Progress, &key).unwrap();
    let progress = Progress::from_text(&progress).unwrap();
    let mut dying = SignIn::resume(stage.rig.setup.clone(), &Clock::system(), progress).await.unwrap();
    assert!(matches!(dying.code(&good.as_str().into()).await.unwrap(), AfterCode::Done(_)));
    dying.close().await;
    stage.begin();
    stage.presses(&id, &good).await;
    stage.comes_to(&id, "done").await;
    stage.is_in_the_pool(ANN).await;
}

#[tokio::test]
async fn a_qr_code_is_shown_as_a_picture_until_it_is_scanned_whatever_becomes_of_the_host() {
    let mut stage = Stage::new().await;
    stage.rig.simulator.with_world(|world| world.users.get_mut(&CLEO).unwrap().home_dc = 4);
    let id = stage.ask("a", Way::Qr, None).await;
    let shown = stage.until(&id, |login| login.message_is_picture).await;
    assert!(matches!(shown.state, LoginState::Scan { .. }) && shown.lease.is_some());
    let first = stage.bot.picture(CHAT, shown.message.unwrap()).unwrap();
    assert!(first.0.starts_with(b"\x89PNG"));
    stage.kill().await;
    let resumed = stage.until(&id, |login| login.lease_epoch > shown.lease_epoch).await;
    assert!(matches!(resumed.state, LoginState::Scan { .. }));
    assert!(stage.scanned_by(CLEO));
    let login = stage.comes_to(&id, "password").await;
    assert_eq!(login.lease, None);
    stage.until(&id, |login| !login.message_is_picture).await;
    stage.writes(&id, CLEOS_PASSWORD).await;
    stage.comes_to(&id, "done").await;
    stage.is_in_the_pool(CLEO).await;
}

#[tokio::test]
async fn two_logins_at_once_do_not_disturb_each_other_and_a_stopped_host_gives_them_back() {
    let mut stage = Stage::new().await;
    let (scan, code_id) = (stage.ask("a", Way::Qr, None).await, stage.ask("b", Way::Code, Some(CLEOS_PHONE)).await);
    stage.until(&scan, |login| login.message_is_picture).await;
    stage.comes_to(&code_id, "code").await;
    stage.presses(&code_id, &code(&stage.rig, CLEOS_PHONE)).await;
    stage.comes_to(&code_id, "password").await;
    stage.stop.cancel();
    while stage.host.join_next().await.is_some() {}
    assert_eq!(stage.read(&scan).await.0.lease, None);
    stage.stop = CancellationToken::new();
    stage.begin();
    // Whoever scans is not who gave the code.
    let (login, version) = stage.read(&scan).await;
    stage.put(Login { seq: 9, ..login }, Guard::Version(version)).await;
    stage.until(&scan, |login| login.lease.is_some()).await;
    assert!(stage.scanned_by(ANN));
    stage.comes_to(&scan, "done").await;
    stage.writes(&code_id, CLEOS_PASSWORD).await;
    stage.comes_to(&code_id, "done").await;
    stage.is_in_the_pool(ANN).await;
    stage.is_in_the_pool(CLEO).await;
}

#[tokio::test]
async fn a_login_that_is_cancelled_leaves_nothing_at_telegram() {
    let stage = Stage::new().await;
    let scan = stage.ask("a", Way::Qr, None).await;
    stage.until(&scan, |login| login.message_is_picture).await;
    stage.says(&scan, LoginEvent::Cancel).await;
    let code_id = stage.ask("b", Way::Code, Some(ANNS_PHONE)).await;
    stage.comes_to(&code_id, "code").await;
    let good = code(&stage.rig, ANNS_PHONE);
    stage.says(&code_id, LoginEvent::Cancel).await;
    for id in [&scan, &code_id] {
        let mut login = stage.comes_to(id, "failed").await;
        assert_eq!(login.state, LoginState::Failed { why: LoginFailure::Cancelled });
        assert_eq!(login.secrets_mut().len(), 0);
    }
    let mut other = SignIn::begin(stage.rig.setup.clone(), &Clock::system()).await.unwrap();
    assert!(other.code(&good.as_str().into()).await.is_err());
    other.close().await;
    assert_eq!(stage.keys_of(ANN), 0);
}

#[tokio::test]
async fn an_account_that_is_in_the_pool_is_turned_away_and_logged_out_again() {
    let stage = Stage::new().await;
    for (id, word) in [("a", "done"), ("b", "failed")] {
        let id = stage.ask(id, Way::Code, Some(ANNS_PHONE)).await;
        stage.comes_to(&id, "code").await;
        stage.presses(&id, &code(&stage.rig, ANNS_PHONE)).await;
        stage.comes_to(&id, word).await;
    }
    let (login, _) = stage.read(&"b".into()).await;
    assert!(matches!(login.state, LoginState::Failed { why: LoginFailure::InPool { .. } }), "{:?}", login.state);
    stage.is_in_the_pool(ANN).await;
}

#[tokio::test]
async fn a_login_that_nobody_touched_for_too_long_is_cleaned_up() {
    let stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some(ANNS_PHONE)).await;
    stage.comes_to(&id, "code").await;
    stage.until(&id, |login| login.message.is_some()).await;
    let good = code(&stage.rig, ANNS_PHONE);
    let (login, version) = stage.read(&id).await;
    let long_ago: Timestamp = Clock::system().now() - SignedDuration::from_mins(20);
    stage.put(Login { touched_at: long_ago, seq: 5, ..login }, Guard::Version(version)).await;
    let login = stage.comes_to(&id, "failed").await;
    assert_eq!(login.state, LoginState::Failed { why: LoginFailure::Abandoned });
    let live = stage.rig.simulator.with_world(|world| world.login.codes.newest(ANNS_PHONE).cloned()).unwrap();
    assert_eq!((live.code, format!("{:?}", live.state)), (good, "Cancelled".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_a_phone_number_is_told_and_a_wait_is_obeyed() {
    let stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some("+19")).await;
    assert_eq!(stage.comes_to(&id, "failed").await.state, LoginState::Failed { why: LoginFailure::BadPhone });
    let mut asking = SignIn::begin(stage.rig.setup.clone(), &Clock::system()).await.unwrap();
    while asking.send_code(&ANNS_PHONE.into()).await.is_ok() {}
    asking.close().await;
    let id = stage.ask("b", Way::Code, Some(ANNS_PHONE)).await;
    let login = stage.comes_to(&id, "limited").await;
    assert_eq!(login.lease, None);
    assert!(login.due_at().unwrap() > Clock::system().now());
}

#[tokio::test]
async fn what_a_host_found_out_and_died_over_showing_is_shown_by_the_next() {
    let stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some("+19")).await;
    stage.comes_to(&id, "failed").await;
    let told = stage.until(&id, |login| !login.untold).await;
    assert_eq!((told.due_at(), told.lease), (None, None), "shown, and nobody's any more");
    let (login, version) = stage.read(&id).await;
    let long_ago: Timestamp = Clock::system().now() - SignedDuration::from_mins(2);
    let died_over = Login { message: None, untold: true, touched_at: long_ago, seq: 5, ..login };
    stage.put(died_over, Guard::Version(version)).await;
    let shown = stage.until(&id, |login| !login.untold && login.lease.is_none()).await;
    assert!(shown.message.is_some() && shown.message != told.message);
    assert_eq!((shown.due_at(), shown.state), (None, told.state));
}

#[tokio::test]
async fn a_login_that_ends_while_the_password_is_owed_leaves_no_session() {
    let stage = Stage::new().await;
    let id = stage.ask("a", Way::Code, Some(CLEOS_PHONE)).await;
    stage.comes_to(&id, "code").await;
    stage.presses(&id, &code(&stage.rig, CLEOS_PHONE)).await;
    stage.comes_to(&id, "password").await;
    stage.refuses("auth.checkPassword", "FLOOD_WAIT_86");
    stage.writes(&id, CLEOS_PASSWORD).await;
    let login = stage.comes_to(&id, "failed").await;
    assert_eq!(login.state, LoginState::Failed { why: LoginFailure::TooManyAttempts });
    let left = stage.rig.simulator.with_world(|world| world.login.sessions_of(CLEO));
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_long_wait_before_a_qr_code_is_committed_and_the_admin_may_leave_meanwhile() {
    let stage = Stage::new().await;
    stage.refuses("auth.exportLoginToken", "FLOOD_WAIT_600");
    let id = stage.ask("a", Way::Qr, None).await;
    let login = stage.comes_to(&id, "limited").await;
    assert!(login.due_at().unwrap() > Clock::system().now() + SignedDuration::from_mins(9));
    assert_eq!(login.lease, None);
    stage.says(&id, LoginEvent::Cancel).await;
    assert_eq!(stage.comes_to(&id, "failed").await.state, LoginState::Failed { why: LoginFailure::Cancelled });
}
