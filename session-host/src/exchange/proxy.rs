//! TCP to Telegram, directly or through a SOCKS5 proxy: the only kind that grammers speaks.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use url::Url;

/// `socks5://[user:password@]host:port`. Its `Debug` and `Display` leave the password out.
#[derive(Clone)]
pub struct Proxy {
    url: SecretString,
    host: String,
    port: u16,
    user: String,
    password: SecretString,
}

/// A text that is no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proxy is given as socks5://[user:password@]host:port")]
pub struct BadProxy;

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let url = Url::parse(text).map_err(|_unparsable| BadProxy)?;
        let host = url.host_str().ok_or(BadProxy)?.trim_matches(['[', ']']).to_owned();
        let port = url.port().ok_or(BadProxy)?;
        let user = url.username().to_owned();
        let password = url.password().unwrap_or_default().to_owned();
        // RFC 1929 has one byte for each length. grammers takes both as they stand in the URL, so percent signs would
        // mean something else there than to the user.
        if url.scheme() != "socks5" || user.len() > 255 || password.len() > 255 || (user + &password).contains('%') {
            return Err(BadProxy);
        }
        Ok(Self {
            user: url.username().to_owned(),
            password: url.password().unwrap_or_default().into(),
            url: text.into(),
            host,
            port,
        })
    }
}

impl Proxy {
    /// The whole URL, password included, as grammers wants it.
    pub(crate) fn expose_url(&self) -> &str {
        self.url.expose_secret()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socks5://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// A TCP connection; a SOCKS5 proxy is transparent once it has answered.
pub(crate) type Stream = TcpStream;

/// Connects to `address`.
pub(crate) async fn connect(address: SocketAddr, proxy: Option<&Proxy>) -> io::Result<Stream> {
    let stream = match proxy {
        None => TcpStream::connect(address).await?,
        Some(proxy) => {
            let at = (proxy.host.as_str(), proxy.port);
            let through = if proxy.user.is_empty() {
                Socks5Stream::connect(at, address).await
            } else {
                Socks5Stream::connect_with_password(at, address, &proxy.user, proxy.password.expose_secret()).await
            };
            through.map_err(|error| io::Error::other(format!("proxy {proxy}: {error}")))?.into_inner()
        }
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_and_its_password_never_shown() {
        let proxy: Proxy = "socks5://ann:s3cr3t@127.0.0.1:1080".parse().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, proxy.user.as_str()), ("127.0.0.1", 1080, "ann"));
        assert_eq!(format!("{proxy} {proxy:?}"), "socks5://127.0.0.1:1080 Proxy(socks5://127.0.0.1:1080)");
        assert!("socks5://[::1]:1080".parse::<Proxy>().is_ok());
    }

    #[test]
    fn other_proxies_are_refused() {
        for text in ["", "127.0.0.1:1080", "http://a:1", "socks5://host", "socks5://a:%20@host:1", "socks4://h:1"] {
            assert_eq!(text.parse::<Proxy>().err(), Some(BadProxy), "{text}");
        }
    }
}
