//! A client that says exactly what a test wants: chosen ids, numbers, salts; and hears everything.

use grammers_client::tl::{Deserializable, Serializable};
use grammers_crypto::{AuthKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};
use simulator::time::Clock;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Constructors that tests look for.
pub(crate) const BAD_MSG: u32 = 0xa7ef_f811;
pub(crate) const BAD_SALT: u32 = 0xedab_447b;
pub(crate) const MSGS_ACK: u32 = 0x62d6_b459;
pub(crate) const NEW_SESSION: u32 = 0x9ec2_0908;
pub(crate) const PONG: u32 = 0x3477_73c5;
pub(crate) const RPC_RESULT: u32 = 0xf35c_6d01;

/// How long a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Raw {
    stream: TcpStream,
    key: AuthKey,
    pub(crate) salt: i64,
    pub(crate) session: i64,
    pub(crate) last_id: i64,
    content_sent: i32,
    heard: VecDeque<Heard>,
}

/// A message of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) id: i64,
    pub(crate) seq_no: i32,
    pub(crate) constructor: u32,
    /// What follows the constructor.
    pub(crate) rest: Vec<u8>,
}

impl Heard {
    pub(crate) fn i64_at(&self, at: usize) -> i64 {
        i64::from_bytes(&self.rest[at..]).unwrap()
    }

    pub(crate) fn i32_at(&self, at: usize) -> i32 {
        i32::from_bytes(&self.rest[at..]).unwrap()
    }
}

/// What came instead of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    Closed,
    TransportError(i32),
}

impl Raw {
    /// Connects with the intermediate transport. The salt is not known yet.
    pub(crate) async fn connect(address: SocketAddr, key: [u8; 256], session: i64) -> Raw {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[0xee; 4]).await.unwrap();
        let key = AuthKey::from_bytes(key);
        Raw { stream, key, salt: 0, session, last_id: 0, content_sent: 0, heard: VecDeque::new() }
    }

    /// As [`Raw::connect`], then learns the salt.
    pub(crate) async fn open(address: SocketAddr, key: [u8; 256], session: i64) -> Raw {
        let mut raw = Raw::connect(address, key, session).await;
        raw.send(&ping(1)).await;
        let bad = raw.hear(BAD_SALT).await;
        assert_eq!(bad.i32_at(12), 48);
        raw.salt = bad.i64_at(16);
        raw
    }

    pub(crate) fn next_id(&mut self) -> i64 {
        let millis = Clock::real().now().0;
        let id = (millis / 1000) << 32 | ((millis % 1000) << 22) & !3;
        self.last_id = id.max(self.last_id + 4);
        self.last_id
    }

    /// Sends a service message; gives its id.
    pub(crate) async fn send(&mut self, body: &[u8]) -> i64 {
        let (id, seq_no) = (self.next_id(), self.content_sent * 2);
        self.send_as(id, seq_no, body).await;
        id
    }

    /// Sends a call; gives its id.
    pub(crate) async fn call(&mut self, body: &[u8]) -> i64 {
        let (id, seq_no) = (self.next_id(), self.next_seq_no());
        self.send_as(id, seq_no, body).await;
        id
    }

    pub(crate) fn next_seq_no(&mut self) -> i32 {
        self.content_sent += 1;
        self.content_sent * 2 - 1
    }

    pub(crate) async fn send_as(&mut self, id: i64, seq_no: i32, body: &[u8]) {
        let mut buffer = DequeBuffer::with_capacity(body.len() + 2048, 64);
        let len = i32::try_from(body.len()).unwrap();
        for part in [&self.salt.to_bytes(), &self.session.to_bytes(), &id.to_bytes(), &seq_no.to_bytes()] {
            buffer.extend(part.iter().copied());
        }
        buffer.extend(len.to_bytes());
        buffer.extend(body.iter().copied());
        encrypt_data_v2(&mut buffer, &self.key);
        let len = u32::try_from(buffer[..].len()).unwrap();
        self.stream.write_all(&[&len.to_le_bytes(), &buffer[..]].concat()).await.unwrap();
    }

    /// The next message, whatever it is.
    pub(crate) async fn hear_any(&mut self) -> Result<Heard, Silence> {
        if let Some(heard) = self.heard.pop_front() {
            return Ok(heard);
        }
        let mut len = [0; 4];
        let read =
            tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut len)).await.expect("the server is silent");
        if read.is_err() {
            return Err(Silence::Closed);
        }
        let mut packet = vec![0; u32::from_le_bytes(len) as usize];
        self.stream.read_exact(&mut packet).await.unwrap();
        if let [a, b, c, d] = packet[..] {
            return Err(Silence::TransportError(i32::from_le_bytes([a, b, c, d])));
        }
        let plain = decrypt_data_v2(&mut packet, &self.key).unwrap();
        assert_eq!(i64::from_bytes(&plain[8..]).unwrap(), self.session);
        let len = i32::from_bytes(&plain[28..]).unwrap();
        let body = &plain[32..32 + usize::try_from(len).unwrap()];
        Ok(Heard {
            id: i64::from_bytes(&plain[16..]).unwrap(),
            seq_no: i32::from_bytes(&plain[24..]).unwrap(),
            constructor: u32::from_bytes(body).unwrap(),
            rest: body[4..].to_vec(),
        })
    }

    /// The next message of this kind; others before it are passed over.
    pub(crate) async fn hear(&mut self, constructor: u32) -> Heard {
        let search = async {
            loop {
                let heard = self.hear_any().await.expect("the connection ended");
                if heard.constructor == constructor {
                    return heard;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the server says other things")
    }

    /// Reads until the connection ends, and how it does.
    pub(crate) async fn hear_end(&mut self) -> Silence {
        loop {
            match self.hear_any().await {
                Ok(_) => {}
                Err(silence) => return silence,
            }
        }
    }
}

pub(crate) fn ping(id: i64) -> Vec<u8> {
    [0x7abe_77ec_u32.to_bytes(), id.to_bytes()].concat()
}

pub(crate) fn ping_delay_disconnect(id: i64, secs: i32) -> Vec<u8> {
    [0xf342_7b8c_u32.to_bytes(), id.to_bytes(), secs.to_bytes()].concat()
}

/// A container of messages: id, number, body.
pub(crate) fn container(messages: &[(i64, i32, Vec<u8>)]) -> Vec<u8> {
    let mut body = [0x73f1_f8dc_u32.to_bytes(), i32::try_from(messages.len()).unwrap().to_bytes()].concat();
    for (id, seq_no, inner) in messages {
        body.extend([id.to_bytes(), seq_no.to_bytes(), i32::try_from(inner.len()).unwrap().to_bytes()].concat());
        body.extend(inner);
    }
    body
}
