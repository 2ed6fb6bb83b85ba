//! The simulator as a running server: one listener per data centre, the world they share, and its end.
//!
//! [`Shared`] is what connections see of it. Two locks, held for moments and never across an await: the world's and the
//! switchboard's; where both are needed, the world's comes first.

use crate::calls::{self, Answer, Caller, Later};
use crate::wire::connection::Connection;
use crate::wire::crypto::{AuthKey, Entropy};
use crate::wire::rsa_key::{RsaKey, RsaKeyError, RsaPublic};
use crate::wire::switchboard::{ConnectionId, Notice, Settings, Switchboard};
use crate::world::{About, AuthKeyId, RpcError, SessionId, UserId, WireCommand, World};
use grammers_tl_types::{Serializable, enums, types};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How a simulator is to be.
pub struct Config {
    /// One data centre per entry, numbered from `dc_first`, each on this port of loopback (0: any free one).
    pub ports: Vec<u16>,
    /// Number of the first data centre.
    pub dc_first: i32,
    /// The server's key; the simulator's own if none is given.
    pub rsa: Option<RsaKey>,
    pub world: World,
    pub settings: Settings,
}

impl Config {
    /// Five data centres on free ports, the own key, and this world.
    #[must_use]
    pub fn new(world: World) -> Config {
        Config { ports: vec![0; 5], dc_first: 1, rsa: None, world, settings: Settings::default() }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on port {port} of loopback: is it in use?")]
    Listen { port: u16, source: std::io::Error },
    #[error("there is no usable RSA key")]
    RsaKey(#[from] RsaKeyError),
}

/// A running simulator. Dropping it ends everything at once; [`Simulator::stop`] waits for it.
pub struct Simulator {
    shared: Arc<Shared>,
    dcs: Vec<(i32, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl Simulator {
    /// Listens and serves from now on, on the caller's runtime.
    ///
    /// # Errors
    /// A port that is taken, or a key that cannot be used.
    pub async fn start(config: Config) -> Result<Simulator, StartError> {
        let Config { ports, dc_first, rsa, world, settings } = config;
        let rsa = rsa.map_or_else(RsaKey::own, Ok)?;
        let mut listeners = Vec::new();
        for (dc, port) in (dc_first..).zip(ports) {
            let address = (Ipv4Addr::LOCALHOST, port);
            let listen = async { TcpListener::bind(address).await.and_then(|it| Ok((it.local_addr()?, it))) };
            let (address, listener) = listen.await.map_err(|source| StartError::Listen { port, source })?;
            listeners.push((dc, address, listener));
        }
        let dcs: Vec<_> = listeners.iter().map(|(dc, address, _)| (*dc, *address)).collect();
        let shared = Arc::new(Shared {
            resend_every: settings.resend_after.max(Duration::from_millis(20)) / 2,
            switchboard: Mutex::new(Switchboard::new(settings)),
            world: Mutex::new(world),
            rsa,
            connections: AtomicU64::new(0),
            news: watch::Sender::new(0),
        });
        shared.with_world(|world| world.login.dcs = dcs.clone());
        let mut tasks = JoinSet::new();
        for (dc, _, listener) in listeners {
            tasks.spawn(accept(shared.clone(), dc, listener));
        }
        Ok(Simulator { shared, dcs, tasks })
    }

    /// Number and address of each data centre.
    #[must_use]
    pub fn dcs(&self) -> &[(i32, SocketAddr)] {
        &self.dcs
    }

    /// What clients are configured with.
    #[must_use]
    pub fn rsa(&self) -> &RsaPublic {
        &self.shared.rsa.public
    }

    /// Reads or changes the world; what comes of it is pushed to connected clients.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_world(act)
    }

    /// What the control API stands on.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// An authorisation key of the user's home DC on which he is signed in already; `None` if nobody has that id.
    #[must_use]
    pub fn mint_session(&self, user: UserId) -> Option<[u8; 256]> {
        self.shared.mint_session(user)
    }

    /// Does to the wire what faults do on their own: kick, rotate salts, skew the clock.
    pub fn command(&self, command: WireCommand) {
        self.shared.command(command);
    }

    /// Closes everything.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn accept(shared: Arc<Shared>, dc: i32, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Connection::serve(shared.clone(), dc, stream));
                }
                // Out of descriptors: the next one to close gives some back.
                Err(error) => {
                    tracing::warn!(dc, %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(dc, %error, "a connection's task panicked");
                }
            }
        }
    }
}

/// What connections, and whoever controls the simulator, share.
pub struct Shared {
    pub rsa: RsaKey,
    /// How often a connection looks for what was not acknowledged.
    pub resend_every: Duration,
    world: Mutex<World>,
    switchboard: Mutex<Switchboard>,
    connections: AtomicU64,
    /// Counts what happened to bots, for whoever waits for it.
    news: watch::Sender<u64>,
}

impl Shared {
    /// The world; a call that panicked leaves it as it is.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn switchboard(&self) -> MutexGuard<'_, Switchboard> {
        self.switchboard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Simulator::with_world`].
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        let result = act(&mut world);
        self.deliver(&mut world);
        result
    }

    /// Changes whenever something happened that concerns a bot or its chats.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// See [`Simulator::mint_session`].
    pub fn mint_session(&self, user: UserId) -> Option<[u8; 256]> {
        let mut entropy = Entropy::from_system();
        let key = AuthKey::new(entropy.bytes());
        let (bytes, id) = (key.bytes, key.id);
        let mut world = self.world();
        let home_dc = world.account(user)?.home_dc;
        world.login.sign_in(id, user);
        self.switchboard().add_key(key, home_dc, entropy.int64());
        Some(bytes)
    }

    pub fn connect(&self, sender: UnboundedSender<Notice>) -> ConnectionId {
        let id = ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed) + 1);
        self.switchboard().connect(id, sender);
        id
    }

    /// Destroys a key that its owner gave up.
    pub fn forget(&self, auth_key: AuthKeyId) {
        self.world().login.forget_key(auth_key);
        self.switchboard().forget_key(auth_key);
    }

    /// Two sessions of this key spoke on two open connections.
    pub fn kill_duplicated(&self, connection: ConnectionId, auth_key: AuthKeyId, session: SessionId) {
        tracing::debug!(connection = connection.0, "auth key duplicated");
        let error = RpcError::new(406, "AUTH_KEY_DUPLICATED");
        let mut world = self.world();
        let about = About::of("AUTH_KEY_DUPLICATED");
        let user = world.login.user(auth_key);
        let audit = world.open_audit(user, auth_key, session, about);
        world.audit_outcome(audit, &Err::<(), _>(error.clone()));
        let now = world.now();
        world.audit_end(audit, now);
        world.login.end(auth_key, error);
        self.switchboard().kill_duplicated(connection, auth_key, session);
    }

    /// Answers one call and hands on what others must hear of it.
    pub fn call(
        &self,
        connection: ConnectionId,
        dc: i32,
        auth_key: AuthKeyId,
        session: SessionId,
        body: &[u8],
    ) -> Answer {
        let wrapped = match calls::unwrap(body) {
            Ok(wrapped) => wrapped,
            Err(error) => return Answer::plain(Err(error)),
        };
        let mut world = self.world();
        let layer = {
            let mut switchboard = self.switchboard();
            if switchboard.is_duplicated(auth_key) {
                return Answer::plain(Err(RpcError::new(406, "AUTH_KEY_DUPLICATED")));
            }
            switchboard.remember(auth_key, session, wrapped.layer, wrapped.without_updates)
        };
        let user = world.login.user(auth_key);
        let caller = Caller { auth_key, session, dc, layer, user, connection: connection.0 };
        let answer = calls::handle(&mut world, &caller, body.get(wrapped.start..).unwrap_or_default());
        self.deliver(&mut world);
        answer
    }

    /// What a bot answered to a pressed button, as the reply to whoever pressed it; `None` as long as it has not.
    pub fn later(&self, later: Later) -> Option<Vec<u8>> {
        let answer = self.world().callback_answer(later.bot, later.query)?;
        Some(calls::bots::callback_answer(&answer))
    }

    /// The answers to these calls are written, or never will be.
    pub fn end_audits(&self, audits: &[u64]) {
        let mut world = self.world();
        let now = world.now();
        audits.iter().for_each(|seq| world.audit_end(*seq, now));
    }

    /// Pushes what the world has to say, and does what it asks of the wire.
    fn deliver(&self, world: &mut World) {
        let pushes = calls::take_pushes(world);
        let commands = calls::take_wire_commands(world);
        let nudged = world.login.take_nudged();
        if world.bots.take_changed() {
            self.news.send_modify(|count| *count += 1);
        }
        if pushes.is_empty() && commands.is_empty() && nudged.is_empty() {
            return;
        }
        let switchboard = self.switchboard();
        for push in &pushes {
            let mut encoded: Vec<(i32, Arc<[u8]>)> = Vec::new();
            for listener in switchboard.listeners(&world.login.keys_of(push.to), push.except) {
                let known = encoded.iter().find(|(layer, _)| *layer == listener.layer);
                let body = known.map(|(_, body)| body.clone()).unwrap_or_else(|| {
                    let body: Arc<[u8]> = calls::encode_push(world, push, listener.layer).into();
                    encoded.push((listener.layer, body.clone()));
                    body
                });
                listener.push(body);
            }
        }
        for listener in switchboard.listeners(&nudged, None) {
            listener.push(login_token_update(world).into());
        }
        drop(switchboard);
        commands.into_iter().for_each(|command| self.command(command));
    }

    /// See [`Simulator::command`].
    pub fn command(&self, command: WireCommand) {
        let mut switchboard = self.switchboard();
        match command {
            WireCommand::RotateSalts => switchboard.rotate_salts(&mut Entropy::from_system(), Instant::now()),
            WireCommand::ClockSkew { millis } => switchboard.skew_millis = millis,
            WireCommand::Kick { auth_key } => switchboard.kick(auth_key),
        }
    }
}

/// `updateLoginToken`: somebody accepted the QR code that this client shows.
fn login_token_update(world: &World) -> Vec<u8> {
    let date = world.now().unix_secs();
    enums::Updates::UpdateShort(types::UpdateShort { update: enums::Update::LoginToken, date }).to_bytes()
}
