//! Framing and messages.

use bolero::check;
use flate2::Compression;
use flate2::write::GzEncoder;
use grammers_client::tl::Serializable;
use simulator::wire::crypto::{AuthKey, Entropy};
use simulator::wire::message::{Envelope, GZIP_PACKED, MSG_CONTAINER, Message, Request};
use simulator::wire::transport::{PACKET_LEN_MAX, Transport};
use std::io::Write;

const STARTS: [&[u8]; 5] = [&[], &[0xef], &[0xee; 4], &[0xdd; 4], &[40, 0, 0, 0, 0, 0, 0, 0]];

/// Constructors that the session layer tells apart.
const KNOWN: [u32; 14] = [
    MSG_CONTAINER,
    GZIP_PACKED,
    0x7abe_77ec,
    0xf342_7b8c,
    0xb921_bd04,
    0xe751_2126,
    0xd143_5160,
    0x58e4_a740,
    0x62d6_b459,
    0xda69_fb52,
    0x7d86_1a08,
    0x8610_baeb,
    0x9299_359f,
    0x04de_b57d,
];

/// Feeds in pieces of any size and takes the packets out.
fn packets(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut server, mut taken, mut fed) = (Transport::default(), Vec::new(), 0);
    for piece in pieces {
        fed += piece.len();
        server.feed(piece);
        loop {
            match server.next_packet() {
                Ok(Some(packet)) => {
                    assert!(packet.len() <= PACKET_LEN_MAX);
                    taken.push(packet);
                    assert!(taken.iter().map(Vec::len).sum::<usize>() <= fed, "more came out than went in");
                }
                Ok(None) => break,
                Err(_) => {
                    let mut out = Vec::new();
                    server.frame_error(404, &mut out);
                    return taken;
                }
            }
        }
    }
    let mut out = Vec::new();
    server.frame(&[1; 24], &mut out);
    assert_eq!(out.is_empty(), server.framing().is_none(), "who announced a framing is answered in it");
    taken
}

#[test]
fn any_bytes_in_any_pieces_are_packets_or_a_fault() {
    check!().with_type::<(u8, u8, Vec<u8>)>().for_each(|(start, size, bytes)| {
        let bytes = [STARTS[usize::from(*start) % STARTS.len()], bytes].concat();
        let whole = packets(&[&bytes]);
        let pieces: Vec<&[u8]> = bytes.chunks(usize::from(*size) + 1).collect();
        assert_eq!(packets(&pieces), whole, "where a read ends decides nothing");
    });
}

#[test]
fn any_plain_text_is_a_message_or_malformed() {
    check!().with_type::<(Option<u8>, u8, Vec<u8>)>().for_each(|(known, len, bytes)| {
        let mut bytes = bytes.clone();
        if let (Some(known), true) = (known, bytes.len() >= 44) {
            // A header that fits, so that what stands inside is reached.
            bytes[24..28].fill(0);
            let room = u32::try_from(bytes.len() - 44).unwrap();
            let len = (u32::from(*len) * 4).min(room / 4 * 4);
            bytes[28..32].copy_from_slice(&len.to_le_bytes());
            bytes[32..36].copy_from_slice(&KNOWN[usize::from(*known) % KNOWN.len()].to_le_bytes());
        }
        if let Ok(envelope) = Envelope::parse(&bytes) {
            look_into(&envelope.message, bytes.len());
        }
    });
}

fn look_into(message: &Message<'_>, len: usize) {
    if let Ok(Some(messages)) = message.contents() {
        assert!(messages.iter().map(|message| message.body.len()).sum::<usize>() < len);
        for message in messages {
            drop(Request::parse(message.body));
        }
    }
    drop(Request::parse(message.body));
}

#[test]
fn any_body_is_a_request_or_malformed_packed_or_not() {
    check!().with_type::<(u8, bool, Vec<u8>)>().for_each(|(known, packed, bytes)| {
        let body = [&KNOWN[usize::from(*known) % KNOWN.len()].to_le_bytes()[..], bytes].concat();
        if let Ok(Request::Ack(ids) | Request::State { ids } | Request::Resend { ids }) = Request::parse(&body) {
            assert!(ids.len() * 8 <= bytes.len(), "more ids than bytes");
        }
        if *packed {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&body).unwrap();
            let outer = [GZIP_PACKED.to_bytes(), gzip.finish().unwrap().to_bytes()].concat();
            let unpacked = Request::parse(&outer);
            // Nothing is packed twice, and containers never are.
            if ![MSG_CONTAINER, GZIP_PACKED].contains(&KNOWN[usize::from(*known) % KNOWN.len()]) {
                assert_eq!(unpacked, Request::parse(&body));
            } else {
                assert!(unpacked.is_err());
            }
        }
    });
}

#[test]
fn only_what_the_key_sealed_is_opened() {
    // All bytes different: what a client and a server derive from must differ.
    let key = AuthKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    let mut entropy = Entropy::from_system();
    let sealed = key.seal(&[&[7; 32]], &mut entropy);
    check!().with_type::<(u16, u8, Vec<u8>)>().for_each(|(place, change, bytes)| {
        // What a server seals is not what a client seals: the two derive their keys apart.
        assert!(key.open(&sealed[8..]).is_none());
        assert!(key.open(bytes).is_none());
        let mut changed = sealed[8..].to_vec();
        let place = usize::from(*place) % changed.len();
        changed[place] ^= change;
        assert!(key.open(&changed).is_none());
    });
}
