//! What people write for a chat.

use proptest::collection::vec;
use proptest::prelude::*;
use transfer::address::PeerAddress;
use transfer::ids::PeerKind;

const PIECES: &[&str] = &[
    "https://",
    "HTTP://",
    "www.",
    "t.me/",
    "telegram.me/",
    "T.ME/",
    "@",
    "c/",
    "s/",
    "+",
    "joinchat/",
    "/",
    "?",
    "#",
    "name",
    "Na_me9",
    "123456",
    "-100",
    "0",
    "999999999999",
    "9223372036854775807",
    "-",
    "_",
    " ",
    "é",
    "名",
    "\u{202e}",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_096) })]

    #[test]
    fn any_text_is_an_address_or_none(pieces in vec(prop::sample::select(PIECES), 0..8), noise in any::<String>()) {
        for text in [pieces.concat(), pieces.concat() + &noise, noise.clone() + &pieces.concat()] {
            match PeerAddress::parse(&text) {
                Ok((address, message)) => {
                    prop_assert!(message.is_none_or(|id| id.0 > 0), "{text}");
                    let again = PeerAddress::parse(&address.to_string());
                    prop_assert_eq!(again, Ok((address.clone(), None)));
                    let stored = serde_json::to_string(&address).unwrap();
                    prop_assert_eq!(&serde_json::from_str::<PeerAddress>(&stored).unwrap(), &address);
                    match address {
                        PeerAddress::Username(name) | PeerAddress::Invite(name) => {
                            prop_assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
                        }
                        PeerAddress::Id(peer) => match peer.kind() {
                            PeerKind::User(bare) | PeerKind::Group(bare) | PeerKind::Channel(bare) => {
                                prop_assert!(bare > 0, "{peer}");
                            }
                        },
                    }
                }
                Err(error) => prop_assert!(error.text.chars().count() <= 80 && !error.why.is_empty()),
            }
        }
    }
}
