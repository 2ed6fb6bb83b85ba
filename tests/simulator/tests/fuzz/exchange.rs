//! The key exchange, as a server hears it from clients that err or lie.

use bolero::check;
use grammers_client::tl::{Deserializable, Serializable, enums, functions, types};
use simulator::wire::crypto::Entropy;
use simulator::wire::exchange::{Exchange, ExchangeFault, Server, Step};
use simulator::wire::rsa_key::RsaKey;

/// What a client does next: which message, where it is damaged and by what.
type Move = (u8, Option<(u16, u8)>, Vec<u8>);

struct Client {
    nonce: [u8; 16],
    challenge: Option<types::ResPq>,
}

impl Client {
    /// The message that a good client would send for `kind`, as far as it knows enough.
    fn message(&self, kind: u8, rsa: &RsaKey, noise: &[u8]) -> Vec<u8> {
        let server_nonce = self.challenge.as_ref().map_or([0; 16], |challenge| challenge.server_nonce);
        match kind % 6 {
            0 => functions::ReqPqMulti { nonce: self.nonce }.to_bytes(),
            1 => match &self.challenge {
                Some(challenge) => self.answer(challenge, rsa).to_bytes(),
                None => noise.to_vec(),
            },
            2 => functions::ReqDhParams {
                nonce: self.nonce,
                server_nonce,
                p: noise.to_vec(),
                q: noise.to_vec(),
                public_key_fingerprint: rsa.public.fingerprint,
                encrypted_data: noise.repeat(8),
            }
            .to_bytes(),
            3 => {
                let encrypted_data = noise.repeat(16);
                functions::SetClientDhParams { nonce: self.nonce, server_nonce, encrypted_data }.to_bytes()
            }
            4 => enums::MsgsAck::Ack(types::MsgsAck { msg_ids: vec![1, 2] }).to_bytes(),
            _ => noise.to_vec(),
        }
    }

    fn answer(&self, challenge: &types::ResPq, rsa: &RsaKey) -> functions::ReqDhParams {
        let pq = u64::from_be_bytes(challenge.pq.as_slice().try_into().unwrap());
        let p = [1_229_739_323_u64, 1_402_015_859, 1_000_000_007, 1_073_741_789, 2_147_483_629];
        let p = p.into_iter().filter(|p| pq.is_multiple_of(*p)).min().unwrap();
        let bytes = |number: u64| u32::try_from(number).unwrap().to_be_bytes().to_vec();
        let (nonce, server_nonce) = (self.nonce, challenge.server_nonce);
        let inner = enums::PQInnerData::Dc(types::PQInnerDataDc {
            pq: challenge.pq.clone(),
            p: bytes(p),
            q: bytes(pq / p),
            nonce,
            server_nonce,
            new_nonce: [9; 32],
            dc: 2,
        });
        let key = grammers_crypto::rsa::Key::new(&rsa.public.modulus, &rsa.public.exponent).unwrap();
        functions::ReqDhParams {
            nonce,
            server_nonce,
            p: bytes(p),
            q: bytes(pq / p),
            public_key_fingerprint: rsa.public.fingerprint,
            encrypted_data: grammers_crypto::rsa::encrypt_hashed(&inner.to_bytes(), &key, &[5; 224]),
        }
    }
}

#[test]
fn a_client_that_lies_gets_an_answer_or_a_fault_and_never_a_key() {
    let rsa = RsaKey::own().unwrap();
    check!().with_type::<Vec<Move>>().for_each(|moves| {
        let mut entropy = Entropy::from_system();
        let server = Server { rsa: &rsa, dc: 2, now_secs: 1_700_000_000 };
        let (mut exchange, mut client) = (Exchange::default(), Client { nonce: [4; 16], challenge: None });
        // A good beginning, or none: the rest is drawn.
        for (kind, damage, noise) in moves.iter().take(6) {
            let mut message = client.message(*kind, &rsa, &noise[..noise.len().min(64)]);
            if let Some((place, change)) = damage
                && !message.is_empty()
            {
                let place = usize::from(*place) % message.len();
                message[place] ^= change;
            }
            match exchange.step(&message, &server, &mut entropy) {
                Ok(Step::Reply(reply)) => {
                    assert!(reply.len() < 1_000);
                    if let Ok(enums::ResPq::Pq(challenge)) = enums::ResPq::from_bytes(&reply) {
                        client = Client { nonce: challenge.nonce, challenge: Some(challenge) };
                    }
                }
                Ok(Step::Nothing) => {}
                Ok(Step::Done { .. }) => panic!("nobody here knows the other half of a key"),
                Err(fault) => {
                    let again = exchange.step(
                        &functions::SetClientDhParams {
                            nonce: client.nonce,
                            server_nonce: [0; 16],
                            encrypted_data: vec![0; 64],
                        }
                        .to_bytes(),
                        &server,
                        &mut entropy,
                    );
                    let idle = matches!(again, Err(ExchangeFault::OutOfPlace(_)));
                    assert!(idle || fault == ExchangeFault::Malformed, "after {fault} the exchange is not idle");
                }
            }
        }
    });
}
