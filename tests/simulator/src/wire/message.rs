//! What stands inside an encrypted packet: its header, and the service messages that the session layer answers itself.
//!
//! Source: <https://core.telegram.org/mtproto/service_messages>.

use crate::world::SessionId;
use flate2::read::{GzDecoder, ZlibDecoder};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, functions, types};
use std::io::{Read, Write};

pub const MSG_CONTAINER: u32 = 0x73f1_f8dc;
pub const GZIP_PACKED: u32 = 0x3072_cfa1;
pub const RPC_RESULT: u32 = 0xf35c_6d01;

/// A container holds at most this many messages (1,020 in Telegram's own servers; clients stay below 100).
const CONTAINER_LEN_MAX: usize = 1020;
/// What a packed message may unpack to.
const UNPACKED_LEN_MAX: u64 = 16 << 20;

/// The bytes are no MTProto message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message")]
pub struct Malformed;

/// One decrypted packet.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub salt: i64,
    pub session: SessionId,
    pub message: Message<'a>,
}

/// One message, alone in its packet or from a container.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub id: i64,
    pub seq_no: i32,
    pub body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads what the cipher gave: salt, session, one message, 12 to 1,024 bytes of padding.
    pub fn parse(plain: &'a [u8]) -> Result<Envelope<'a>, Malformed> {
        let (salt, rest) = take_i64(plain)?;
        let (session, rest) = take_i64(rest)?;
        let (message, padding) = Message::parse(rest)?;
        if !(12..=1024).contains(&padding.len()) {
            return Err(Malformed);
        }
        Ok(Envelope { salt, session: SessionId(session), message })
    }
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8]) -> Result<(Message<'a>, &'a [u8]), Malformed> {
        let (id, rest) = take_i64(bytes)?;
        let (seq_no, rest) = take_i32(rest)?;
        let (len, rest) = take_i32(rest)?;
        let len = usize::try_from(len).or(Err(Malformed))?;
        if len < 4 || len % 4 != 0 {
            return Err(Malformed);
        }
        let (body, rest) = rest.split_at_checked(len).ok_or(Malformed)?;
        Ok((Message { id, seq_no, body }, rest))
    }

    /// The messages of a container, or `None` if this is something else.
    pub fn contents(&self) -> Result<Option<Vec<Message<'a>>>, Malformed> {
        let (constructor, rest) = take_i32(self.body)?;
        if constructor.cast_unsigned() != MSG_CONTAINER {
            return Ok(None);
        }
        let (count, mut rest) = take_i32(rest)?;
        let count = usize::try_from(count).ok().filter(|count| *count <= CONTAINER_LEN_MAX).ok_or(Malformed)?;
        let mut messages = Vec::with_capacity(count);
        for _ in 0..count {
            let (message, after) = Message::parse(rest)?;
            messages.push(message);
            rest = after;
        }
        Ok(Some(messages))
    }
}

/// What a client asks, as far as the session layer tells it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Ack(Vec<i64>),
    Ping {
        ping_id: i64,
        disconnect_secs: Option<i32>,
    },
    FutureSalts {
        count: i32,
    },
    State {
        ids: Vec<i64>,
    },
    Resend {
        ids: Vec<i64>,
    },
    DestroySession(SessionId),
    DestroyAuthKey,
    DropAnswer {
        id: i64,
    },
    /// Something that needs no answer: `http_wait`, `msgs_state_info` and the like.
    Nothing,
    /// A call of the API, wrappers and all, unpacked.
    Call(Vec<u8>),
}

impl Request {
    /// Tells what a message (no container) asks.
    pub fn parse(body: &[u8]) -> Result<Request, Malformed> {
        let mut cursor = Cursor::from_slice(body);
        let constructor = u32::deserialize(&mut cursor).or(Err(Malformed))?;
        if constructor == GZIP_PACKED {
            let packed = Vec::<u8>::deserialize(&mut cursor).or(Err(Malformed))?;
            let body = unpack(&packed)?;
            // Nothing is packed twice, and containers are never packed.
            return match u32::from_bytes(&body) {
                Ok(GZIP_PACKED | MSG_CONTAINER) | Err(_) => Err(Malformed),
                Ok(_) => Request::parse(&body),
            };
        }
        let mut int64 = || i64::deserialize(&mut cursor).or(Err(Malformed));
        let request = match constructor {
            MSG_CONTAINER => return Err(Malformed),
            functions::Ping::CONSTRUCTOR_ID => Request::Ping { ping_id: int64()?, disconnect_secs: None },
            functions::PingDelayDisconnect::CONSTRUCTOR_ID => {
                let ping_id = int64()?;
                let delay = i32::deserialize(&mut cursor).or(Err(Malformed))?;
                Request::Ping { ping_id, disconnect_secs: Some(delay) }
            }
            functions::GetFutureSalts::CONSTRUCTOR_ID => {
                Request::FutureSalts { count: i32::deserialize(&mut cursor).or(Err(Malformed))? }
            }
            functions::DestroySession::CONSTRUCTOR_ID => Request::DestroySession(SessionId(int64()?)),
            functions::DestroyAuthKey::CONSTRUCTOR_ID => Request::DestroyAuthKey,
            functions::RpcDropAnswer::CONSTRUCTOR_ID => Request::DropAnswer { id: int64()? },
            types::MsgsAck::CONSTRUCTOR_ID => Request::Ack(ids(&mut cursor)?),
            types::MsgsStateReq::CONSTRUCTOR_ID => Request::State { ids: ids(&mut cursor)? },
            types::MsgResendReq::CONSTRUCTOR_ID | types::MsgResendAnsReq::CONSTRUCTOR_ID => {
                Request::Resend { ids: ids(&mut cursor)? }
            }
            types::HttpWait::CONSTRUCTOR_ID
            | types::MsgsStateInfo::CONSTRUCTOR_ID
            | types::MsgsAllInfo::CONSTRUCTOR_ID => Request::Nothing,
            _ => Request::Call(body.to_vec()),
        };
        Ok(request)
    }

    /// Whether its sequence number must be odd; `None` where clients differ and servers accept both (mtcute numbers
    /// even its acknowledgements as content).
    pub fn is_content(&self) -> Option<bool> {
        match self {
            Request::Call(_) => Some(true),
            _ => None,
        }
    }
}

/// `rpc_result` around a serialized answer, packed when it has at least `gzip_len_min` bytes.
pub fn rpc_result(request_id: i64, answer: &[u8], gzip_len_min: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(12 + answer.len());
    RPC_RESULT.serialize(&mut body);
    request_id.serialize(&mut body);
    if answer.len() >= gzip_len_min {
        GZIP_PACKED.serialize(&mut body);
        pack(answer).serialize(&mut body);
    } else {
        body.extend_from_slice(answer);
    }
    body
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

/// mtcute sends a zlib stream where the schema says gzip; Telegram takes both.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    let read = if packed.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(packed).take(UNPACKED_LEN_MAX).read_to_end(&mut bytes)
    } else {
        ZlibDecoder::new(packed).take(UNPACKED_LEN_MAX).read_to_end(&mut bytes)
    };
    read.or(Err(Malformed)).map(|_| bytes)
}

/// A vector of ids, read by its own length so that a forged count cannot ask for memory.
fn ids(cursor: &mut Cursor<'_>) -> Result<Vec<i64>, Malformed> {
    let (Ok(0x1cb5_c415), Ok(count)) = (u32::deserialize(cursor), u32::deserialize(cursor)) else {
        return Err(Malformed);
    };
    (0..count).map(|_| i64::deserialize(cursor).or(Err(Malformed))).collect()
}

fn take_i64(bytes: &[u8]) -> Result<(i64, &[u8]), Malformed> {
    bytes.split_first_chunk().map(|(word, rest)| (i64::from_le_bytes(*word), rest)).ok_or(Malformed)
}

fn take_i32(bytes: &[u8]) -> Result<(i32, &[u8]), Malformed> {
    bytes.split_first_chunk().map(|(word, rest)| (i32::from_le_bytes(*word), rest)).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packed_calls_are_unpacked_in_both_forms() {
        let call = functions::help::GetConfig {}.to_bytes();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&call).unwrap();
        for packed in [pack(&call), zlib.finish().unwrap()] {
            let body = [GZIP_PACKED.to_bytes(), packed.to_bytes()].concat();
            assert_eq!(Request::parse(&body), Ok(Request::Call(call.clone())));
        }
    }

    #[test]
    fn answers_are_packed_from_the_given_length_on() {
        let answer = vec![0; 600];
        assert_eq!(rpc_result(5, &answer, 601).len(), 612);
        let packed = rpc_result(5, &answer, 600);
        assert_eq!(packed[12..16], GZIP_PACKED.to_le_bytes());
        assert_eq!(unpack(&Vec::<u8>::from_bytes(&packed[16..]).unwrap()), Ok(answer));
    }

    #[test]
    fn a_forged_count_asks_for_no_memory() {
        let body = [types::MsgsAck::CONSTRUCTOR_ID, 0x1cb5_c415, u32::MAX].map(u32::to_le_bytes).concat();
        assert_eq!(Request::parse(&body), Err(Malformed));
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), container: bool) {
            if container && bytes.len() >= 36 {
                bytes[32..36].copy_from_slice(&MSG_CONTAINER.to_le_bytes());
            }
            if let Ok(envelope) = Envelope::parse(&bytes) {
                drop(envelope.message.contents());
            }
            drop(Request::parse(&bytes));
        }
    }
}
