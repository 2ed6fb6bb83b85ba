//! Unencrypted MTProto, for the messages that come before there is a key: the intermediate transport, one request at
//! a time.
//!
//! The id of a server's message is its clock: unix time in the upper 32 bits
//! (<https://core.telegram.org/mtproto/description#message-identifier-msg-id>).

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ExchangeError;
use super::proxy::{self, Proxy, Stream};

/// Announces the intermediate transport: each packet is its length, then itself.
const ANNOUNCEMENT: [u8; 4] = [0xee; 4];
/// No answer of a key exchange is longer than about 700 bytes.
const PACKET_LEN_MAX: u32 = 4096;
/// Unencrypted requests need no id of their own; grammers sends the same.
const CLIENT_MESSAGE_ID: i64 = 0;
/// auth_key_id, message id and length.
const HEADER_LEN: usize = 20;

/// A connection that has no key.
pub struct PlainConnection {
    address: SocketAddr,
    stream: Stream,
    announced: bool,
}

/// An answer and when the server sent it.
pub struct PlainReply {
    /// The server's clock, in unix milliseconds.
    pub server_millis: i64,
    /// The TL object.
    pub body: Vec<u8>,
}

impl PlainConnection {
    /// Connects, through the proxy if there is one.
    ///
    /// # Errors
    /// No connection.
    pub async fn open(address: SocketAddr, proxy: Option<&Proxy>) -> Result<Self, ExchangeError> {
        let stream = proxy::connect(address, proxy).await.map_err(|source| ExchangeError::Io { address, source })?;
        Ok(Self { address, stream, announced: false })
    }

    /// Sends one request and reads the next packet.
    ///
    /// # Errors
    /// The socket failed, or what came is no unencrypted message.
    pub async fn request(&mut self, body: &[u8]) -> Result<PlainReply, ExchangeError> {
        let packet = frame(body, CLIENT_MESSAGE_ID, !std::mem::replace(&mut self.announced, true));
        let packet = match self.swap(&packet).await {
            Ok(packet) => packet,
            Err(source) => return Err(ExchangeError::Io { address: self.address, source }),
        };
        parse(&packet)
    }

    async fn swap(&mut self, packet: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(packet).await?;
        let len = self.stream.read_u32_le().await?;
        if len > PACKET_LEN_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the packet is too long for a key exchange"));
        }
        let mut packet = vec![0; usize::try_from(len).unwrap_or_default()];
        self.stream.read_exact(&mut packet).await?;
        Ok(packet)
    }
}

fn frame(body: &[u8], id: i64, announce: bool) -> Vec<u8> {
    let len = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut packet = Vec::with_capacity(8 + HEADER_LEN + body.len());
    if announce {
        packet.extend_from_slice(&ANNOUNCEMENT);
    }
    packet.extend_from_slice(&len(HEADER_LEN + body.len()));
    packet.extend_from_slice(&0_i64.to_le_bytes());
    packet.extend_from_slice(&id.to_le_bytes());
    packet.extend_from_slice(&len(body.len()));
    packet.extend_from_slice(body);
    packet
}

fn parse(packet: &[u8]) -> Result<PlainReply, ExchangeError> {
    const MALFORMED: ExchangeError = ExchangeError::Malformed("an unencrypted message");
    if let Ok(code) = <[u8; 4]>::try_from(packet) {
        return Err(ExchangeError::Transport(i32::from_le_bytes(code)));
    }
    let (key_id, rest) = packet.split_first_chunk::<8>().ok_or(MALFORMED)?;
    let (id, rest) = rest.split_first_chunk::<8>().ok_or(MALFORMED)?;
    let (len, rest) = rest.split_first_chunk::<4>().ok_or(MALFORMED)?;
    let id = i64::from_le_bytes(*id);
    let body = usize::try_from(u32::from_le_bytes(*len)).ok().and_then(|len| rest.get(..len)).ok_or(MALFORMED)?;
    // Answers are 1 mod 4.
    if *key_id != [0; 8] || id <= 0 || id % 4 != 1 {
        return Err(MALFORMED);
    }
    let fraction_millis = (id & 0xffff_ffff) * 1000 / (1 << 32);
    Ok(PlainReply { server_millis: (id >> 32) * 1000 + fraction_millis, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: i64) -> Vec<u8> {
        frame(b"body", id, false)[4..].to_vec()
    }

    #[test]
    fn the_clock_of_the_server_is_in_its_message_ids() {
        let reply = parse(&answer((1_700_000_000 << 32) | (1 << 31) | 1)).unwrap();
        assert_eq!(reply.server_millis, 1_700_000_000_500);
        assert_eq!(reply.body, b"body");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        assert!(matches!(parse(&(-404_i32).to_le_bytes()), Err(ExchangeError::Transport(-404))));
        let mut encrypted = answer(5);
        encrypted[0] = 1;
        let cut = answer(5)[..22].to_vec();
        for packet in [vec![], encrypted, cut, answer(4), answer(-3), vec![0; 19]] {
            assert!(matches!(parse(&packet), Err(ExchangeError::Malformed(_))), "{packet:?}");
        }
    }

    #[test]
    fn the_transport_is_announced_once() {
        assert_eq!(frame(b"abcd", 4, true)[..8], [0xee, 0xee, 0xee, 0xee, 24, 0, 0, 0]);
        assert_eq!(frame(b"abcd", 8, false)[..4], [24, 0, 0, 0]);
    }
}
