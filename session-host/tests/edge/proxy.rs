//! Everything through SOCKS5: a small proxy on loopback that counts what it carried.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use session_host::exchange::{ExchangeWith, exchange};
use session_host::telegram::OpenError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use transfer::clock::Clock;
use transfer::ids::MessageId;

use crate::rig::{ANN, PATIENCE, Rig, named};

/// SOCKS5 (RFC 1928) with CONNECT to IPv4, and passwords (RFC 1929) when it has one.
struct Socks {
    address: SocketAddr,
    carried: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Socks {
    async fn start(login: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let carried = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let counter = Arc::clone(&carried);
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let counter = Arc::clone(&counter);
                open.spawn(async move { drop(serve(client, login, &counter).await) });
            }
        });
        Self { address, carried, _tasks: tasks }
    }
}

async fn serve(mut client: TcpStream, login: Option<(&str, &str)>, carried: &AtomicUsize) -> std::io::Result<()> {
    assert_eq!(client.read_u8().await?, 5);
    let mut methods = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut methods).await?;
    let method = if login.is_some() { 2 } else { 0 };
    assert!(methods.contains(&method));
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = login {
        assert_eq!(client.read_u8().await?, 1);
        for expected in [user, password] {
            let mut got = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut got).await?;
            if got != expected.as_bytes() {
                return client.write_all(&[1, 1]).await;
            }
        }
        client.write_all(&[1, 0]).await?;
    }
    let mut request = [0; 10];
    client.read_exact(&mut request).await?;
    assert_eq!(request[..4], [5, 1, 0, 1]);
    let ip: [u8; 4] = request[4..8].try_into().unwrap();
    let mut server = TcpStream::connect(SocketAddr::from((ip, u16::from_be_bytes([request[8], request[9]])))).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    carried.fetch_add(1, Ordering::SeqCst);
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

#[tokio::test]
async fn exchange_and_connection_go_through_the_proxy() {
    for (login, prefix) in [(None, ""), (Some(("ann", "s3cret")), "ann:s3cret@")] {
        let socks = Socks::start(login).await;
        let rig = Rig::new().await.proxy(&format!("socks5://{prefix}{}", socks.address));
        let (dc, address) = rig.simulator.dcs()[0];
        let proxy = rig.setup.proxy.as_ref();
        let with = ExchangeWith { dc, address, keys: &rig.setup.keys, proxy, within: PATIENCE };
        exchange(&with, &Clock::system()).await.unwrap();
        assert_eq!(socks.carried.load(Ordering::SeqCst), 1);
        let ann = rig.open(ANN).await;
        assert_eq!(ann.history(&named(&*ann, "source").await, MessageId(0), 5).await.unwrap().len(), 5);
        // One to read the server's clock, one for the account.
        assert_eq!(socks.carried.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_or_refuses_is_no_way_round_it() {
    let socks = Socks::start(Some(("ann", "s3cret"))).await;
    let wrong = Rig::new().await.proxy(&format!("socks5://ann:wrong@{}", socks.address));
    let refused = wrong.try_open(ANN).await.err();
    assert!(matches!(&refused, Some(OpenError::Unreachable(why)) if !why.contains("wrong")), "{refused:?}");
    let down = Rig::new().await.proxy("socks5://127.0.0.1:9");
    assert!(matches!(down.try_open(ANN).await, Err(OpenError::Unreachable(_))));
}
