//! A simulator within this process, on a thread and runtime of its own, so that neither starves the host or is starved.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use session_host::exchange::rsa_key::{RsaKeys, RsaPublicKey};
use session_host::session::{AuthKey, Session, Sessions};
use session_host::telegram::setup::{ApiCredentials, Patience, Setup};
use simulator::server::{Config, Shared, Simulator};
use simulator::wire::rsa_key::RsaPublic;
use simulator::wire::switchboard::Settings;
use simulator::world::{UserId, World};
use simulator::{bot_api, control};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use transfer::clock::Clock;
use transfer::ids::AccountId;
use transfer::table::Table;

use crate::failure::Failure;
use crate::keys::Keys;
use crate::pool::{self, Joining};

/// Application credentials; the simulator takes any.
const API_ID: i32 = 12_345;
const API_HASH: &str = "0123456789abcdef0123456789abcdef";
/// Data centres, as many as Telegram has.
const DCS: usize = 5;

/// Where a simulator listens; 0: on any free port.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// The first data centre; the others listen on the ports after it.
    pub first: u16,
    /// The control API.
    pub control: u16,
    /// The Bot API.
    pub bot_api: u16,
}

impl Ports {
    fn mtproto(self) -> Result<Vec<u16>, Failure> {
        let nth = |n: u16| if self.first == 0 { Some(0) } else { self.first.checked_add(n) };
        let ports: Option<Vec<u16>> = (0..).map(nth).take(DCS).collect();
        let first = self.first;
        ports.ok_or_else(|| Failure::Input(format!("port {first} is too high: {DCS} ports in a row are needed")))
    }
}

async fn listener(port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let bound = bound.and_then(|listener| listener.local_addr().map(|address| (listener, address)));
    bound.map_err(|error| Failure::Input(format!("cannot listen on port {port} of loopback: {error}")))
}

/// A running simulator.
pub struct Simulation {
    shared: Arc<Shared>,
    dcs: Vec<(i32, SocketAddr)>,
    rsa: RsaPublic,
    control: SocketAddr,
    bot_api: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Simulation {
    /// Starts one.
    ///
    /// # Errors
    /// A port is in use, or no key can be made.
    pub fn start(world: World, listen: Ports) -> Result<Self, Failure> {
        let ports = listen.mtproto()?;
        let settings = Settings { auth_key_duplicated: true, ..Settings::default() };
        let config = Config { ports, settings, ..Config::new(world) };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (tell, told) = mpsc::channel::<Result<Self, Failure>>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::failed(&error))?;
        let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            runtime.block_on(async {
                let simulator = match Simulator::start(config).await {
                    Ok(simulator) => simulator,
                    Err(error) => {
                        drop(tell.send(Err(Failure::input(&error))));
                        return;
                    }
                };
                let bound = async { Ok((listener(listen.control).await?, listener(listen.bot_api).await?)) };
                let ((control, control_at), (bot_api, bot_api_at)) = match bound.await {
                    Ok(bound) => bound,
                    Err(failure) => {
                        drop(tell.send(Err(failure)));
                        return;
                    }
                };
                let dcs = simulator.dcs().to_vec();
                let rsa = simulator.rsa().clone();
                drop(tell.send(Ok(Self {
                    shared: simulator.shared(),
                    dcs,
                    rsa,
                    control: control_at,
                    bot_api: bot_api_at,
                    stop: CancellationToken::new(),
                    thread: None,
                })));
                tokio::select! {
                    () = stopped.cancelled() => {}
                    ended = control::serve(&simulator, control) => {
                        tracing::error!(?ended, "the control API ended");
                        stopped.cancelled().await;
                    }
                    ended = bot_api::serve(&simulator, bot_api) => {
                        tracing::error!(?ended, "the Bot API ended");
                        stopped.cancelled().await;
                    }
                }
                simulator.stop().await;
            });
        });
        let thread = thread.map_err(|error| Failure::failed(&error))?;
        let started = told.recv().map_err(|_gone| Failure::Failed("the simulator did not start".to_owned()))?;
        let mut simulation = started?;
        simulation.stop = stop;
        simulation.thread = Some(thread);
        Ok(simulation)
    }

    /// Reads or changes the world.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_world(act)
    }

    /// Where the control API listens.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// Where the Bot API listens.
    pub fn bot_api(&self) -> SocketAddr {
        self.bot_api
    }

    /// What people do in a bot's chat goes through this.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Number and address of each data centre.
    pub fn dcs(&self) -> &[(i32, SocketAddr)] {
        &self.dcs
    }

    /// The key by which clients know it.
    pub fn rsa(&self) -> &RsaPublic {
        &self.rsa
    }

    /// The way to it.
    ///
    /// # Errors
    /// Its key is none that clients take.
    pub fn setup(&self) -> Result<Setup, Failure> {
        let key = RsaPublicKey::new(&self.rsa.modulus, &self.rsa.exponent).map_err(|error| Failure::failed(&error))?;
        let dcs: BTreeMap<i32, SocketAddr> = self.dcs.iter().copied().collect();
        let api = ApiCredentials { id: API_ID, hash: SecretString::from(API_HASH) };
        Ok(Setup { api, dcs, keys: RsaKeys::new(vec![key]), proxy: None, patience: Patience::default() })
    }

    /// Signs accounts in and puts them into a pool, the first choice first.
    ///
    /// # Errors
    /// There is no such user, or session or table cannot be written.
    pub async fn fill_pool(
        &self,
        accounts: &[UserId],
        keys: &Keys,
        table: &Arc<dyn Table>,
        daily_budget: Option<u32>,
        zone: &TimeZone,
    ) -> Result<(), Failure> {
        let now = Clock::system().now();
        let today = now.to_zoned(zone.clone()).date();
        let sessions = keys.sessions(table.clone());
        for (n, account) in accounts.iter().enumerate() {
            let session = self.sign_in(*account, &sessions).await?;
            let joining = Joining {
                id: session.account,
                phone_masked: session.phone_masked,
                label: session.name,
                priority: pool::priority(n),
                daily_budget,
                totals: None,
            };
            pool::join(table.as_ref(), joining, now, today).await.map_err(|error| Failure::failed(&error))?;
        }
        Ok(())
    }

    /// Signs a user in and keeps the session. Gives the account's id, phone and name.
    ///
    /// # Errors
    /// There is no such user, or the file cannot be written.
    pub async fn sign_in(&self, user: UserId, sessions: &Sessions) -> Result<Session, Failure> {
        let nobody = || Failure::Failed(format!("the simulated world has no user {user}"));
        let key = self.shared.mint_session(user).ok_or_else(nobody)?;
        let known = self.with_world(|world| {
            let user = world.users.get(&user)?;
            Some((user.home_dc, user.phone.clone(), user.first_name.clone()))
        });
        let (home_dc, phone, name) = known.ok_or_else(nobody)?;
        let account = AccountId(user.0.to_string());
        let session = Session::new(account, user.0, home_dc, AuthKey::new(key));
        let session = Session { phone_masked: masked(&phone), name, ..session };
        sessions.save(&session, Clock::system().now()).await.map_err(|error| Failure::input(&error))?;
        Ok(session)
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the simulator's thread had panicked");
        }
    }
}

/// Enough of a phone number to recognise it: `+1…01`.
pub fn masked(phone: &str) -> String {
    let tail: String = phone.chars().skip(phone.chars().count().saturating_sub(2)).collect();
    let head: String = phone.chars().take(3).collect();
    format!("{head}…{tail}")
}
