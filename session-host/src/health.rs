//! Whether the host on this machine may act, for whoever looks after containers: a line on a port of loopback. A read-only file
//! system needs no file for it, and nobody elsewhere can ask.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::engine::Vitality;

/// What a host says that may act.
const WELL: &str = "well\n";
/// What it says otherwise: it starts, stops, or could not renew its sign of life.
const UNWELL: &str = "unwell\n";
/// How long asking may take.
const ASK_WITHIN: Duration = Duration::from_secs(3);

/// The place where hosts of this port are asked.
pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Tells whoever asks, for as long as it is polled.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub async fn tell(listener: TcpListener, vitality: Vitality) {
    loop {
        match listener.accept().await {
            Ok((mut asking, _)) => {
                let words = if vitality.may_act() { WELL } else { UNWELL };
                // Whoever does not listen asked in vain.
                drop(tokio::time::timeout(ASK_WITHIN, asking.write_all(words.as_bytes())).await);
            }
            Err(error) => {
                tracing::warn!(%error, "the question for the host's health was not taken");
                tokio::time::sleep(ASK_WITHIN).await;
            }
        }
    }
}

/// Asks the host that tells there.
///
/// # Errors
/// It does not answer, or may not act.
pub fn ask(port: u16) -> io::Result<()> {
    let mut host = TcpStream::connect_timeout(&address(port), ASK_WITHIN)?;
    host.set_read_timeout(Some(ASK_WITHIN))?;
    let mut words = String::new();
    host.by_ref().take(64).read_to_string(&mut words)?;
    if words == WELL { Ok(()) } else { Err(io::Error::other("the host may not act")) }
}
