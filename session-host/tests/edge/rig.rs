//! A simulator with a source, a target and three people, and a host's edge that points at it.

use std::sync::Arc;
use std::time::Duration;

use session_host::exchange::proxy::Proxy;
use session_host::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use session_host::session::{AuthKey, Session, Sessions};
use session_host::telegram::setup::{ApiCredentials, Patience, Setup};
use session_host::telegram::{Connection, Forward, GrammersTelegram, OpenError, Peer, Telegram};
use session_host::vault::Vault;
use simulator::server::{Config, Simulator};
use simulator::time::Clock as WorldClock;
use simulator::wire::switchboard::Settings;
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::faults::{Fault, FaultScript};
use simulator::world::generated::{Generated, Mix};
use simulator::world::history::History;
use simulator::world::quirks::Quirks;
use simulator::world::user::User;
use simulator::world::{ChatId, UserId, World};
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::{AccountId, MessageId, RandomId};
use transfer::seal::Sealer;
use transfer::table::memory::MemoryTable;
use transfer::task::Style;

/// Creator of both channels.
pub(crate) const ANN: UserId = UserId(7_000_000_001);
/// Admin of the target.
pub(crate) const BEN: UserId = UserId(7_000_000_002);
/// Reads the source, may not post in the target; has a password.
pub(crate) const CLEO: UserId = UserId(7_000_000_003);

pub(crate) const SOURCE: i64 = 1_500_000_001;
pub(crate) const TARGET: i64 = 1_500_000_002;
/// Messages of the source, holes included.
pub(crate) const SOURCE_LEN: i32 = 350;

/// Long enough for a loaded machine, short enough for a test of silence.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Rig {
    pub(crate) simulator: Simulator,
    pub(crate) setup: Setup,
    pub(crate) sessions: Sessions,
    pub(crate) table: Arc<MemoryTable>,
    pub(crate) vault: Vault,
    _dir: tempfile::TempDir,
}

pub(crate) fn world(mix: Mix) -> World {
    let mut world = World::new(7, WorldClock::real());
    world.quirks = Quirks::plain();
    for (id, phone, name) in
        [(ANN, "+10000000001", "Ann"), (BEN, "+10000000002", "Ben"), (CLEO, "+10000000003", "Cleo")]
    {
        let mut user = User::new(id, phone, name);
        user.password = (id == CLEO).then(|| "correct horse".to_owned());
        world.add_user(user);
    }
    let now = world.now();
    let chat = ChatId::channel(SOURCE);
    let generated = Generated { seed: 3, chat, by: ANN, count: SOURCE_LEN, first_date: 1_700_000_000, mix };
    let mut source = Chat::new(chat, ChatKind::Broadcast, "The source", 1_700_000_000);
    source = source.with_history(History::generated(generated));
    source.username = Some("source".to_owned());
    source.invite = Some("SourceInvite".to_owned());
    let mut target = Chat::new(ChatId::channel(TARGET), ChatKind::Broadcast, "The target", 1_700_000_000);
    target.username = Some("target".to_owned());
    for chat in [&mut source, &mut target] {
        chat.put(ANN, Role::Creator, now);
        chat.put(BEN, Role::Admin(AdminRights::default()), now);
        chat.put(CLEO, Role::Member, now);
    }
    world.add_chat(source);
    world.add_chat(target);
    world
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(world(Mix::default())).await
    }

    pub(crate) async fn with(world: World) -> Self {
        let settings = Settings { auth_key_duplicated: true, ..Settings::default() };
        let simulator = Simulator::start(Config { settings, ..Config::new(world) }).await.unwrap();
        let key = RsaPublicKey::new(&simulator.rsa().modulus, &simulator.rsa().exponent).unwrap();
        assert_eq!(key.fingerprint(), simulator.rsa().fingerprint);
        let setup = Setup {
            api: ApiCredentials { id: 12345, hash: "hash".into() },
            dcs: simulator.dcs().iter().copied().collect(),
            keys: RsaKeys::new(vec![key]),
            proxy: None,
            patience: Patience { open: PATIENCE, read: PATIENCE, write: PATIENCE },
        };
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("ring.json")).unwrap();
        let table = Arc::new(MemoryTable::new());
        let sessions = Sessions::new(table.clone(), Sealer::fixed(vault.current().unwrap()), vault.clone());
        Self { simulator, setup, sessions, table, vault, _dir: dir }
    }

    /// Saves a session of `user` that is signed in already.
    pub(crate) async fn session(&self, user: UserId) -> AccountId {
        let account = AccountId(user.0.to_string());
        let key = AuthKey::new(self.simulator.mint_session(user).unwrap());
        self.sessions.save(&Session::new(account.clone(), user.0, 2, key), Clock::system().now()).await.unwrap();
        account
    }

    pub(crate) fn telegram(&self) -> GrammersTelegram {
        GrammersTelegram::new(self.setup.clone(), self.sessions.clone(), Clock::system())
    }

    pub(crate) async fn open(&self, user: UserId) -> Box<dyn Connection> {
        let account = self.session(user).await;
        self.telegram().open(&account).await.unwrap()
    }

    pub(crate) async fn try_open(&self, user: UserId) -> Result<Box<dyn Connection>, OpenError> {
        let account = self.session(user).await;
        self.telegram().open(&account).await
    }

    pub(crate) fn patience(mut self, read: Duration, write: Duration) -> Self {
        self.setup.patience = Patience { read, write, ..self.setup.patience };
        self
    }

    pub(crate) fn proxy(mut self, url: &str) -> Self {
        self.setup.proxy = Some(url.parse::<Proxy>().unwrap());
        self
    }

    pub(crate) fn fault(&self, method: &str, fault: Fault) {
        let script = FaultScript { account: None, method: Some(method.to_owned()), times: 1, after: 0, fault };
        self.simulator.with_world(|world| world.faults.scripts.push(script));
    }

    /// Messages in the target.
    pub(crate) fn delivered(&self) -> usize {
        self.simulator.with_world(|world| world.chat(ChatId::channel(TARGET)).unwrap().all_created().count())
    }
}

pub(crate) async fn named(connection: &dyn Connection, name: &str) -> Peer {
    connection.resolve(&PeerAddress::Username(name.to_owned())).await.unwrap()
}

/// A forward of these source ids, with random ids that repeat when it is built again.
pub(crate) fn forward(source: &Peer, target: &Peer, ids: &[MessageId]) -> Forward {
    Forward {
        source: source.clone(),
        target: target.clone(),
        topic: None,
        ids: ids.to_vec(),
        random_ids: ids.iter().map(|id| RandomId(900_000 + i64::from(id.0))).collect(),
        style: Style::default(),
    }
}
