//! MTProto's transports, as bytes in and packets out: abridged, intermediate, padded intermediate and full, plain or
//! obfuscated, told apart by the first bytes that a client writes.
//!
//! No sockets here, so that any bytes can be tried on it. What must stay true: nothing that arrives can panic or make
//! the buffer grow beyond one packet of [`PACKET_LEN_MAX`] plus one read.
//!
//! Source: <https://core.telegram.org/mtproto/mtproto-transports>. How an error looks in the full transport is what
//! Telethon and grammers expect of it: the negative code three times, without length, sequence or checksum.

use ctr::cipher::{KeyIvInit, StreamCipher};

type Cipher = ctr::Ctr128BE<aes::Aes256>;

/// Longest packet taken. Telegram's own limit is near 1 MB; a container of uploads may come close to two.
pub const PACKET_LEN_MAX: usize = 2 << 20;

/// How packets are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Abridged,
    Intermediate,
    PaddedIntermediate,
    Full,
}

/// Why the bytes of a client are no transport that we know. The connection has no future after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    #[error("the first bytes announce no known transport")]
    Unknown,
    #[error("a packet of {0} bytes is out of bounds")]
    Length(usize),
    #[error("checksum of a full packet does not match")]
    Checksum,
    #[error("full packet number {got} came instead of {expected}")]
    Sequence { expected: u32, got: u32 },
}

/// One connection's framing, both directions.
#[derive(Default)]
pub struct Transport {
    buffer: Vec<u8>,
    link: Option<Link>,
}

struct Link {
    framing: Framing,
    ciphers: Option<(Cipher, Cipher)>,
    received: u32,
    sent: u32,
}

impl Transport {
    /// Takes bytes as they came from the socket.
    pub fn feed(&mut self, bytes: &[u8]) {
        let from = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        if let Some(Link { ciphers: Some((incoming, _)), .. }) = &mut self.link {
            incoming.apply_keystream(&mut self.buffer[from..]);
        }
    }

    /// The framing, once the client's first bytes have told it.
    pub fn framing(&self) -> Option<Framing> {
        self.link.as_ref().map(|link| link.framing)
    }

    /// The next whole packet's payload, or `None` until more bytes have come.
    pub fn next_packet(&mut self) -> Result<Option<Vec<u8>>, TransportFault> {
        if self.link.is_none() {
            let Some((link, used)) = Link::detect(&self.buffer)? else { return Ok(None) };
            self.buffer.drain(..used);
            let link = self.link.insert(link);
            if let Some((incoming, _)) = &mut link.ciphers {
                incoming.apply_keystream(&mut self.buffer);
            }
        }
        let Some(link) = &mut self.link else { return Ok(None) };
        let Some((header_len, total_len)) = link.measure(&self.buffer)? else { return Ok(None) };
        if self.buffer.len() < total_len {
            return Ok(None);
        }
        let payload = link.open(&self.buffer[..total_len], header_len)?;
        self.buffer.drain(..total_len);
        Ok(Some(payload))
    }

    /// Appends one framed packet to `out`. Before a client has announced its framing there is nobody to answer.
    pub fn frame(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let Some(link) = &mut self.link else { return };
        let from = out.len();
        link.close(payload, out);
        if let Some((_, outgoing)) = &mut link.ciphers {
            outgoing.apply_keystream(&mut out[from..]);
        }
    }

    /// Appends a transport error such as 404 (given as a positive number) to `out`.
    pub fn frame_error(&mut self, code: i32, out: &mut Vec<u8>) {
        let word = (-code).to_le_bytes();
        let Some(link) = &mut self.link else { return };
        if link.framing != Framing::Full {
            return self.frame(&word, out);
        }
        let from = out.len();
        out.extend(word.repeat(3));
        if let Some((_, outgoing)) = &mut link.ciphers {
            outgoing.apply_keystream(&mut out[from..]);
        }
    }
}

impl Link {
    fn new(framing: Framing, ciphers: Option<(Cipher, Cipher)>) -> Link {
        Link { framing, ciphers, received: 0, sent: 0 }
    }

    /// Reads the announcement: the link and how many bytes of it are used up, or `None` until more have come.
    fn detect(bytes: &[u8]) -> Result<Option<(Link, usize)>, TransportFault> {
        match bytes {
            [0xef, ..] => return Ok(Some((Link::new(Framing::Abridged, None), 1))),
            [0xee, 0xee, 0xee, 0xee, ..] => return Ok(Some((Link::new(Framing::Intermediate, None), 4))),
            [0xdd, 0xdd, 0xdd, 0xdd, ..] => return Ok(Some((Link::new(Framing::PaddedIntermediate, None), 4))),
            // The first packet of the full transport has number 0; obfuscation avoids that.
            [_, _, _, _, 0, 0, 0, 0, ..] => return Ok(Some((Link::new(Framing::Full, None), 0))),
            [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', ..] | [b'H', b'E', b'A', b'D', ..] => {
                return Err(TransportFault::Unknown);
            }
            _ => {}
        }
        let Some(announcement) = bytes.first_chunk::<64>() else { return Ok(None) };
        let mut reversed = *announcement;
        reversed.reverse();
        let cipher = |from: &[u8; 64]| Cipher::new_from_slices(&from[8..40], &from[40..56]);
        let (Ok(mut incoming), Ok(outgoing)) = (cipher(announcement), cipher(&reversed)) else {
            return Err(TransportFault::Unknown);
        };
        let mut plain = *announcement;
        incoming.apply_keystream(&mut plain);
        let framing = match plain[56..60] {
            [0xef, 0xef, 0xef, 0xef] => Framing::Abridged,
            [0xee, 0xee, 0xee, 0xee] => Framing::Intermediate,
            [0xdd, 0xdd, 0xdd, 0xdd] => Framing::PaddedIntermediate,
            _ => return Err(TransportFault::Unknown),
        };
        Ok(Some((Link::new(framing, Some((incoming, outgoing))), 64)))
    }

    /// Header length and total length of the packet at the front, checked against the bounds.
    fn measure(&self, bytes: &[u8]) -> Result<Option<(usize, usize)>, TransportFault> {
        let word =
            |at: usize| bytes.get(at..at + 4).and_then(|word| word.first_chunk()).map(|w| u32::from_le_bytes(*w));
        let (header_len, total_len) = match self.framing {
            Framing::Abridged => match bytes.first().map(|byte| byte & 0x7f) {
                None => return Ok(None),
                Some(0x7f) => {
                    let Some(word) = word(0) else { return Ok(None) };
                    (4, 4 + (word >> 8) as usize * 4)
                }
                Some(words) => (1, 1 + usize::from(words) * 4),
            },
            // The highest bit asks for a quick acknowledgement, which a server may leave out.
            Framing::Intermediate | Framing::PaddedIntermediate => {
                let Some(word) = word(0) else { return Ok(None) };
                (4, 4 + (word & 0x7fff_ffff) as usize)
            }
            Framing::Full => {
                let Some(word) = word(0) else { return Ok(None) };
                if word < 16 {
                    return Err(TransportFault::Length(word as usize));
                }
                (8, word as usize)
            }
        };
        if total_len > PACKET_LEN_MAX || total_len <= header_len {
            return Err(TransportFault::Length(total_len));
        }
        Ok(Some((header_len, total_len)))
    }

    fn open(&mut self, packet: &[u8], header_len: usize) -> Result<Vec<u8>, TransportFault> {
        let expected = self.received;
        self.received = self.received.wrapping_add(1);
        match self.framing {
            Framing::Abridged | Framing::Intermediate => Ok(packet[header_len..].to_vec()),
            Framing::PaddedIntermediate => Ok(without_padding(&packet[header_len..]).to_vec()),
            Framing::Full => {
                let (content, checksum) = packet.split_at(packet.len() - 4);
                if crc32fast::hash(content).to_le_bytes() != checksum {
                    return Err(TransportFault::Checksum);
                }
                let got = u32::from_le_bytes([packet[4], packet[5], packet[6], packet[7]]);
                if got != expected {
                    return Err(TransportFault::Sequence { expected, got });
                }
                Ok(content[header_len..].to_vec())
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "packets that we write are far below 2^24 words")]
    fn close(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        out.reserve(payload.len() + 12);
        let from = out.len();
        match self.framing {
            Framing::Abridged => match payload.len() / 4 {
                words @ 0..=126 => out.push(words as u8),
                words => out.extend_from_slice(&((words as u32) << 8 | 0x7f).to_le_bytes()),
            },
            // No padding is a padding of zero bytes.
            Framing::Intermediate | Framing::PaddedIntermediate => {
                out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
            }
            Framing::Full => {
                out.extend_from_slice(&(payload.len() as u32 + 12).to_le_bytes());
                out.extend_from_slice(&self.sent.to_le_bytes());
                self.sent = self.sent.wrapping_add(1);
            }
        }
        out.extend_from_slice(payload);
        if self.framing == Framing::Full {
            let checksum = crc32fast::hash(&out[from..]);
            out.extend_from_slice(&checksum.to_le_bytes());
        }
    }
}

/// Cuts the 0 to 15 random bytes behind a padded packet: an encrypted message is 24 bytes and whole blocks of 16, a
/// plain one tells its length.
fn without_padding(payload: &[u8]) -> &[u8] {
    let keep = match payload {
        [0, 0, 0, 0, 0, 0, 0, 0, ..] if payload.len() >= 20 => {
            let len = u32::from_le_bytes([payload[16], payload[17], payload[18], payload[19]]);
            (len as usize).saturating_add(20)
        }
        _ if payload.len() >= 24 => 24 + (payload.len() - 24) / 16 * 16,
        _ => payload.len(),
    };
    &payload[..keep.min(payload.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The client's half of each transport: announcement, then packets.
    fn client_bytes(framing: Framing, obfuscated: bool, payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut link = Link::new(framing, None);
        let mut plain = Vec::new();
        for payload in payloads {
            link.close(payload, &mut plain);
        }
        let tag = match framing {
            Framing::Abridged => 0xef,
            Framing::Intermediate => 0xee,
            Framing::PaddedIntermediate => 0xdd,
            Framing::Full => return plain,
        };
        if !obfuscated {
            let mut bytes = vec![tag; if framing == Framing::Abridged { 1 } else { 4 }];
            bytes.extend(plain);
            return bytes;
        }
        let mut announcement: Vec<u8> = (1..=64).collect();
        let mut cipher = Cipher::new_from_slices(&announcement[8..40], &announcement[40..56]).unwrap();
        announcement[56..60].fill(tag);
        let mut enciphered = announcement.clone();
        cipher.apply_keystream(&mut enciphered);
        announcement[56..].copy_from_slice(&enciphered[56..]);
        cipher.apply_keystream(&mut plain);
        announcement.extend(plain);
        announcement
    }

    fn packets(transport: &mut Transport) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| transport.next_packet().unwrap()).collect()
    }

    #[test]
    fn every_transport_is_told_apart_and_answers_in_kind() {
        let payloads = vec![vec![7; 24 + 16], vec![9; 24 + 16 * 60]];
        for framing in [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate, Framing::Full] {
            for obfuscated in [false, true] {
                let mut server = Transport::default();
                // byte by byte: no boundary of a read may matter
                let mut got = Vec::new();
                for byte in client_bytes(framing, obfuscated, &payloads) {
                    server.feed(&[byte]);
                    got.extend(packets(&mut server));
                }
                assert_eq!(got, payloads, "{framing:?} {obfuscated}");
                assert_eq!(server.framing(), Some(framing));
                let mut out = Vec::new();
                server.frame(&payloads[1], &mut out);
                assert!(out.len() > payloads[1].len());
            }
        }
    }

    #[test]
    fn the_full_transport_checks_numbers_and_checksums() {
        let good = client_bytes(Framing::Full, false, &[vec![1; 24], vec![2; 24]]);
        let mut damaged = good.clone();
        damaged[20] ^= 1;
        let mut server = Transport::default();
        server.feed(&damaged);
        assert_eq!(server.next_packet(), Err(TransportFault::Checksum));
        let mut server = Transport::default();
        server.feed(&good[..36]);
        server.feed(&good[..36]);
        assert_eq!(server.next_packet(), Ok(Some(vec![1; 24])));
        assert_eq!(server.next_packet(), Err(TransportFault::Sequence { expected: 1, got: 0 }));
    }

    #[test]
    fn errors_are_framed_as_clients_expect_them() {
        let minus_404 = (-404_i32).to_le_bytes();
        for (framing, expected) in [
            (Framing::Abridged, [&[1], &minus_404[..]].concat()),
            (Framing::Intermediate, [&[4, 0, 0, 0], &minus_404[..]].concat()),
            (Framing::Full, minus_404.repeat(3)),
        ] {
            let mut server = Transport::default();
            server.feed(&client_bytes(framing, false, &[vec![1; 24]]));
            assert!(server.next_packet().unwrap().is_some());
            let mut out = Vec::new();
            server.frame_error(404, &mut out);
            assert_eq!(out, expected, "{framing:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_it_is_awaited() {
        let mut server = Transport::default();
        server.feed(&[0xee; 4]);
        server.feed(&u32::MAX.to_le_bytes());
        assert!(matches!(server.next_packet(), Err(TransportFault::Length(_))));
        let mut server = Transport::default();
        server.feed(b"GET / HTTP/1.1\r\n");
        assert_eq!(server.next_packet(), Err(TransportFault::Unknown));
    }

    proptest! {
        #[test]
        fn rubbish_never_panics_and_never_piles_up(
            start in prop::sample::select(vec![vec![], vec![0xef], vec![0xee; 4], vec![0xdd; 4]]),
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        ) {
            let mut server = Transport::default();
            server.feed(&start);
            for chunk in chunks {
                server.feed(&chunk);
                for _ in 0..300 {
                    match server.next_packet() {
                        Ok(Some(packet)) => prop_assert!(packet.len() <= PACKET_LEN_MAX),
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
                prop_assert!(server.buffer.len() <= PACKET_LEN_MAX);
            }
        }
    }
}
