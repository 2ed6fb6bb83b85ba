//! The key exchange: how an account comes to the 256 bytes that it and Telegram share, and nobody else.
//!
//! grammers can do this too, but only with Telegram's own RSA keys, and it believes more than it checks. Here the keys
//! are configuration, and whatever the protocol tells a client to check is checked
//! (<https://core.telegram.org/mtproto/auth_key>); the first thing that is wrong ends the exchange. The rules stand in
//! `handshake`, as functions of what the server said; this file only carries bytes.

pub(crate) mod dh;
mod factors;
mod handshake;
pub mod plain;
pub mod proxy;
pub mod rsa_key;

use std::net::SocketAddr;
use std::time::Duration;

use grammers_tl_types::{Deserializable, RemoteCall};
use tokio::time::timeout;
use transfer::clock::Clock;

use crate::session::AuthKey;
use handshake::{Answer, Handshake};
use plain::PlainConnection;
use proxy::Proxy;
use rsa_key::RsaKeys;

/// How far this machine's clock may be from Telegram's. Telegram drops messages that are 30 s ahead, and grammers then
/// sends them again in a tight loop; half of that leaves room for drift.
pub const CLOCK_SKEW_MAX_SECS: i64 = 15;

/// `dh_gen_retry` is for collisions of key ids, of which there are 2^64.
const RETRIES_MAX: u64 = 3;

/// Where an exchange goes, and with what.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeWith<'a> {
    /// The DC's number; the server refuses a key meant for another.
    pub dc: i32,
    /// Its address.
    pub address: SocketAddr,
    /// The RSA keys by which it is known.
    pub keys: &'a RsaKeys,
    /// Through which proxy.
    pub proxy: Option<&'a Proxy>,
    /// For the whole exchange.
    pub within: Duration,
}

/// Why there is no key. Nothing is kept of the attempt.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// TCP or the proxy.
    #[error("the connection to {address} failed")]
    Io {
        /// The DC's address.
        address: SocketAddr,
        /// What the socket said.
        #[source]
        source: std::io::Error,
    },
    /// The server did not finish in time.
    #[error("the key exchange with {0} took too long")]
    Timeout(SocketAddr),
    /// The server says no before anything is agreed: a transport error such as -404 or -429.
    #[error("the server closed the key exchange with error {0}")]
    Transport(i32),
    /// Bytes that are no answer to what was asked.
    #[error("{0} does not decode")]
    Malformed(&'static str),
    /// `nonce` or `server_nonce` of an answer is another's: somebody mixes into the exchange.
    #[error("{0} carries a wrong nonce")]
    Nonce(&'static str),
    /// None of the server's keys is known: not Telegram, or a key that was not configured.
    #[error("the server shows RSA keys {0:x?}, none of which is configured")]
    UnknownKey(Vec<i64>),
    /// `pq` is no product of two different primes below 2^32.
    #[error("the server's pq is not what the protocol allows")]
    Factors,
    /// `server_DH_params_fail`.
    #[error("the server refused the exchange")]
    ParamsRefused,
    /// The hash before the encrypted answer does not fit it.
    #[error("the hash of the server's answer is wrong")]
    AnswerHash,
    /// Another prime than the published one.
    #[error("the server's prime is not Telegram's published one")]
    Prime,
    /// A generator that the protocol forbids for this prime.
    #[error("the generator {0} does not fit the prime")]
    Generator(i32),
    /// A public value that would make the key guessable.
    #[error("{0} is outside the safe range")]
    Range(&'static str),
    /// The server does not hold the key that was agreed.
    #[error("the server's proof of the key is wrong")]
    NewNonceHash,
    /// `dh_gen_fail`.
    #[error("the server failed to make the key")]
    Failed,
    /// `dh_gen_retry` again and again.
    #[error("the server asked for another try more than {RETRIES_MAX} times")]
    TooManyRetries,
    /// This machine's clock is wrong.
    #[error("the clock of this machine is {skew_secs} s off Telegram's; set it (NTP) and start again")]
    ClockSkew {
        /// Positive: this machine is ahead.
        skew_secs: i64,
    },
}

/// Agrees on a new key with a DC. The key belongs to nobody until somebody logs in with it.
///
/// # Errors
/// See [`ExchangeError`]; there is nothing to clean up after one.
pub async fn exchange(with: &ExchangeWith<'_>, clock: &Clock) -> Result<AuthKey, ExchangeError> {
    let address = with.address;
    match timeout(with.within, converse(with, clock)).await {
        Ok(done) => done,
        Err(_elapsed) => Err(ExchangeError::Timeout(address)),
    }
}

async fn converse(with: &ExchangeWith<'_>, clock: &Clock) -> Result<AuthKey, ExchangeError> {
    let mut line = PlainConnection::open(with.address, with.proxy).await?;
    let start = handshake::start();
    let challenge = ask(&mut line, &start.request(), "resPQ").await?;
    let (asked, request) = start.on_challenge(&challenge, with.keys, with.dc)?;
    let params = ask(&mut line, &request, "server_DH_params").await?;
    let mut handshake: Handshake = asked.on_params(params)?;
    refuse_skew(skew_secs(clock.now().as_millisecond(), i64::from(handshake.server_time()) * 1000))?;
    for retry in 0..=RETRIES_MAX {
        let request = handshake.propose()?;
        let answer = ask(&mut line, &request, "Set_client_DH_params_answer").await?;
        match handshake.on_answer(&answer)? {
            Answer::Agreed(key) => return Ok(key),
            Answer::Again => tracing::info!(retry, "the server asked for another try of the key exchange"),
        }
    }
    Err(ExchangeError::TooManyRetries)
}

async fn ask<R: RemoteCall>(
    line: &mut PlainConnection,
    request: &R,
    what: &'static str,
) -> Result<R::Return, ExchangeError> {
    let reply = line.request(&request.to_bytes()).await?;
    R::Return::from_bytes(&reply.body).map_err(|_undecodable| ExchangeError::Malformed(what))
}

/// An error with the error below it, in one line.
pub(crate) fn told(error: &ExchangeError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// By how many whole seconds this machine is ahead (negative: behind).
pub(crate) fn skew_secs(here_millis: i64, there_millis: i64) -> i64 {
    (here_millis - there_millis) / 1000
}

pub(crate) fn refuse_skew(skew_secs: i64) -> Result<(), ExchangeError> {
    if skew_secs.abs() > CLOCK_SKEW_MAX_SECS { Err(ExchangeError::ClockSkew { skew_secs }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_fifteen_seconds_off_and_no_more() {
        for (here, there, refused) in
            [(0, 15_900, false), (15_999, 0, false), (16_000, 0, true), (0, 16_000, true), (90_000, 0, true)]
        {
            let verdict = refuse_skew(skew_secs(here, there));
            assert_eq!(verdict.is_err(), refused, "{here} {there}");
        }
        assert!(matches!(refuse_skew(-40), Err(ExchangeError::ClockSkew { skew_secs: -40 })));
    }
}
