//! What a host must be told to reach Telegram: the application's credentials, addresses, keys, proxy, patience.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use crate::exchange::proxy::Proxy;
use crate::exchange::rsa_key::RsaKeys;

/// `api_id` and `api_hash` of <https://my.telegram.org/apps>.
#[derive(Debug, Clone)]
pub struct ApiCredentials {
    /// The application's number.
    pub id: i32,
    /// Its secret.
    pub hash: SecretString,
}

/// How long each kind of call may take. grammers itself waits for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Opening a connection: TCP, proxy, first answer.
    pub open: Duration,
    /// Reading and resolving.
    pub read: Duration,
    /// Forwarding: 100 messages with media take Telegram some seconds on a bad day.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { open: Duration::from_secs(20), read: Duration::from_secs(30), write: Duration::from_secs(60) }
    }
}

/// Everything a connection needs besides a session.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The application.
    pub api: ApiCredentials,
    /// Where each DC is. Telegram's own advice (`help.getConfig`) is not followed: these are what the operator trusts.
    pub dcs: BTreeMap<i32, SocketAddr>,
    /// By which keys a server is known.
    pub keys: RsaKeys,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
    /// How long calls may take.
    pub patience: Patience,
}

/// Telegram's production DCs, as published for every client.
const TELEGRAM: [(i32, [u8; 4]); 5] = [
    (1, [149, 154, 175, 53]),
    (2, [149, 154, 167, 41]),
    (3, [149, 154, 175, 100]),
    (4, [149, 154, 167, 92]),
    (5, [91, 108, 56, 104]),
];

impl Setup {
    /// The way to Telegram itself.
    pub fn telegram(api: ApiCredentials) -> Self {
        let at = |octets: [u8; 4]| SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets)), 443);
        Self {
            api,
            dcs: TELEGRAM.into_iter().map(|(dc, octets)| (dc, at(octets))).collect(),
            keys: RsaKeys::telegram(),
            proxy: None,
            patience: Patience::default(),
        }
    }
}
