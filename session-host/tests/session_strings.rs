//! Session strings: what libraries write is read as it was meant, and nothing else is.
//!
//! The encoders here write what the libraries' own code writes; `tests/judges/strings` holds the reader to the libraries
//! themselves. The fuzz target runs for about a second, longer with `BOLERO_RANDOM_TEST_TIME_MS`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use session_host::session_string::{Format, SessionString, StringError};

const TEST_SERVERS: [&str; 3] = ["149.154.175.10", "149.154.167.40", "149.154.175.117"];

/// What stands in a string that a library writes.
#[derive(Debug, Clone)]
struct Written {
    form: Form,
    dc: u8,
    address: IpAddr,
    port: u16,
    api_id: i32,
    test_mode: bool,
    key: Vec<u8>,
    user_id: u32,
    is_bot: bool,
    has_media: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Telethon,
    Gramjs,
    Pyrogram32,
    Pyrogram64,
    Pyrogram2,
    Mtcute1,
    Mtcute2,
    Mtcute3,
    Mtcute3Nobody,
}

const FORMS: [Form; 9] = [
    Form::Telethon,
    Form::Gramjs,
    Form::Pyrogram32,
    Form::Pyrogram64,
    Form::Pyrogram2,
    Form::Mtcute1,
    Form::Mtcute2,
    Form::Mtcute3,
    Form::Mtcute3Nobody,
];

impl Written {
    fn good(form: Form) -> Self {
        let key = (0..=255).collect();
        let address = "149.154.167.51".parse().unwrap();
        let (test_mode, is_bot) = (false, false);
        Self { form, dc: 2, address, port: 443, api_id: 12_345, test_mode, key, user_id: 77, is_bot, has_media: true }
    }

    fn text(&self) -> String {
        let port = self.port.to_be_bytes();
        let flag = |is: bool| vec![u8::from(is)];
        let id32 = self.user_id.to_be_bytes().to_vec();
        let id64 = u64::from(self.user_id).to_be_bytes().to_vec();
        match self.form {
            Form::Telethon => {
                let address = match self.address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                format!("1{}", URL_SAFE.encode([&[self.dc][..], &address, &port, &self.key].concat()))
            }
            Form::Gramjs => {
                let address = self.address.to_string();
                let len = u16::try_from(address.len()).unwrap().to_be_bytes();
                let bytes = [&[self.dc][..], &len, address.as_bytes(), &port, &self.key].concat();
                format!("1{}", STANDARD.encode(bytes))
            }
            Form::Pyrogram32 | Form::Pyrogram64 | Form::Pyrogram2 => {
                let api_id = if self.form == Form::Pyrogram2 { self.api_id.to_be_bytes().to_vec() } else { Vec::new() };
                let id = if self.form == Form::Pyrogram32 { id32 } else { id64 };
                let parts = [vec![self.dc], api_id, flag(self.test_mode), self.key.clone(), id, flag(self.is_bot)];
                URL_SAFE_NO_PAD.encode(parts.concat())
            }
            Form::Mtcute1 | Form::Mtcute2 | Form::Mtcute3 | Form::Mtcute3Nobody => {
                URL_SAFE_NO_PAD.encode(self.mtcute())
            }
        }
    }

    fn mtcute(&self) -> Vec<u8> {
        let has_self = self.form != Form::Mtcute3Nobody;
        let has_media = self.has_media && self.form != Form::Mtcute1;
        let (version, dc) = match self.form {
            Form::Mtcute1 => (1, self.dc_option()),
            Form::Mtcute2 => (2, self.dc_option()),
            _ => (3, tl_bytes(&self.short_dc())),
        };
        let old_test = self.test_mode && version < 3;
        let flags = i32::from(has_self) | (i32::from(old_test) * 2) | (i32::from(has_media) * 4);
        let mut bytes = vec![version];
        bytes.extend(flags.to_le_bytes());
        bytes.extend(&dc);
        if has_media {
            bytes.extend(&dc);
        }
        if has_self {
            bytes.extend(u64::from(self.user_id).to_le_bytes());
            let word = if self.is_bot { 0x9972_75b5_u32 } else { 0xbc79_9737 };
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(tl_bytes(&self.key));
        bytes
    }

    fn dc_option(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [0x18b7_a10d, 1 << 4, i32::from(self.dc)] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(tl_bytes(self.address.to_string().as_bytes()));
        bytes.extend(i32::from(self.port).to_le_bytes());
        bytes
    }

    fn short_dc(&self) -> Vec<u8> {
        let mut bytes = vec![2, self.dc, u8::from(self.test_mode) * 4];
        bytes.extend(tl_bytes(self.address.to_string().as_bytes()));
        bytes.extend(i32::from(self.port).to_le_bytes());
        bytes
    }

    fn format(&self) -> Format {
        match self.form {
            Form::Telethon => Format::Telethon,
            Form::Gramjs => Format::Gramjs,
            Form::Pyrogram2 => Format::Pyrogram2,
            Form::Pyrogram32 | Form::Pyrogram64 => Format::PyrogramOld,
            Form::Mtcute1 | Form::Mtcute2 | Form::Mtcute3 | Form::Mtcute3Nobody => Format::Mtcute,
        }
    }

    /// Whether the form can say who it is.
    fn names_its_user(&self) -> bool {
        !matches!(self.form, Form::Telethon | Form::Gramjs | Form::Mtcute3Nobody)
    }

    fn has_test_flag(&self) -> bool {
        !matches!(self.form, Form::Telethon | Form::Gramjs)
    }
}

fn tl_bytes(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    let mut written =
        if len < 254 { vec![u8::try_from(len).unwrap()] } else { (len << 8 | 254).to_le_bytes().to_vec() };
    written.extend(bytes);
    written.resize(written.len().next_multiple_of(4), 0);
    written
}

fn written() -> impl Strategy<Value = Written> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(|[_, b, c, d]| IpAddr::from([149, b, c, d])),
        Just("149.154.167.91".parse().unwrap()),
        Just("2001:67c:4e8:f002::a".parse().unwrap()),
    ];
    let key = proptest::collection::vec(any::<u8>(), 256);
    let numbers = (1..=5_u8, any::<u16>(), 1..i32::MAX, 1..u32::MAX, any::<bool>());
    (proptest::sample::select(&FORMS), address, key, numbers).prop_map(|(form, address, key, numbers)| {
        let (dc, port, api_id, user_id, has_media) = numbers;
        Written { form, dc, address, port, api_id, test_mode: false, key, user_id, is_bot: false, has_media }
    })
}

proptest! {
    #[test]
    fn what_a_library_writes_is_read_as_it_was_meant(written in written()) {
        prop_assume!(!TEST_SERVERS.contains(&written.address.to_string().as_str()));
        let text = written.text();
        let read = SessionString::read(&format!(" {text}\n"));
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        prop_assert_eq!((read.format, read.dc), (written.format(), i32::from(written.dc)));
        prop_assert_eq!(&read.key.expose()[..], &written.key[..]);
        prop_assert_eq!(read.user_id, written.names_its_user().then_some(i64::from(written.user_id)));
        prop_assert_eq!(read.api_id, (written.form == Form::Pyrogram2).then_some(written.api_id));
    }

    #[test]
    fn a_string_that_was_cut_off_anywhere_is_refused(written in written(), len in 0.0..1.0_f64) {
        let text = written.text();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in it")]
        let len = (text.len() as f64 * len) as usize;
        // Exactly as long as an older string, it looks like one: nothing in it tells.
        prop_assume!(written.form != Form::Pyrogram2 || !matches!(len, 351 | 356));
        let cut = &text[..len];
        let error = SessionString::read(cut).unwrap_err();
        prop_assert!(quotes_nothing(&error, &text), "{}", error);
    }
}

/// No part of the key stands in the error.
fn quotes_nothing(error: &StringError, text: &str) -> bool {
    let told = format!("{error} {error:?}");
    text.as_bytes().windows(8).all(|part| !told.contains(std::str::from_utf8(part).unwrap()))
}

#[test]
fn each_form_says_what_is_wrong_with_it() {
    for form in FORMS {
        let good = Written::good(form);
        let text = good.text();
        assert!(SessionString::read(&text).is_ok(), "{form:?}");
        let of = |written: Written| SessionString::read(&written.text()).unwrap_err();
        if good.has_test_flag() {
            assert_eq!(of(Written { test_mode: true, ..good.clone() }), StringError::TestMode, "{form:?}");
        }
        if good.names_its_user() {
            assert_eq!(of(Written { is_bot: true, ..good.clone() }), StringError::Bot, "{form:?}");
            let nobody = of(Written { user_id: 0, ..good.clone() });
            assert!(matches!(nobody, StringError::Damaged { what, .. } if what.contains("user id")), "{form:?}");
        }
        for (damage, word) in [
            (Written { dc: 6, ..good.clone() }, "data centre"),
            (Written { dc: 0, ..good.clone() }, "data centre"),
            (Written { key: vec![0; 256], ..good.clone() }, "empty"),
        ] {
            let error = of(damage);
            assert!(matches!(error, StringError::Damaged { what, .. } if what.contains(word)), "{form:?}: {error}");
        }
        let far = SessionString::read(&text[..text.len() - 40]).unwrap_err();
        assert!(matches!(far, StringError::CutOff { .. }), "{form:?}: {far}");
        let long = SessionString::read(&format!("{text}AAAA")).unwrap_err();
        let is_told = match long {
            StringError::TooLong(_) | StringError::Unknown | StringError::Damaged { .. } => true,
            // With something behind it, the shortest one looks like the beginning of the next.
            StringError::CutOff { .. } => form == Form::Pyrogram32,
            _ => false,
        };
        assert!(is_told, "{form:?}: {long}");
    }
}

#[test]
fn a_test_server_is_known_by_its_address_where_nothing_else_tells() {
    for form in [Form::Telethon, Form::Gramjs] {
        for address in ["149.154.167.40", "2001:67c:4e8:f002::e"] {
            let written = Written { address: address.parse().unwrap(), ..Written::good(form) };
            assert_eq!(SessionString::read(&written.text()).unwrap_err(), StringError::TestMode, "{form:?} {address}");
        }
    }
}

#[test]
fn letters_of_another_alphabet_are_refused() {
    // Bytes that the two alphabets write differently.
    let key: Vec<u8> = [0xfb, 0xff].repeat(128);
    for form in FORMS {
        let written = Written { key: key.clone(), ..Written::good(form) };
        let text = written.text();
        assert!(SessionString::read(&text).is_ok(), "{form:?}");
        let other = if form == Form::Gramjs {
            text.replace('+', "-").replace('/', "_")
        } else {
            text.replace('-', "+").replace('_', "/")
        };
        assert_ne!(other, text);
        let error = SessionString::read(&other).unwrap_err();
        assert!(matches!(error, StringError::Damaged { .. } | StringError::Unknown), "{form:?}: {error}");
    }
}

#[test]
fn what_people_paste_by_mistake_is_refused() {
    let text = Written::good(Form::Telethon).text();
    let (head, tail) = text.split_at(100);
    for (pasted, error) in [
        (String::new(), StringError::Empty),
        ("  \n".to_owned(), StringError::Empty),
        (format!("{head}\n{tail}"), StringError::Letters("blanks and line breaks")),
        (format!("\"{text}\""), StringError::Letters("such letters")),
        (format!("{head}…"), StringError::Letters("such letters")),
        ("123456789:AAF7abcdefghijklmnopqrstuvwxyz012345".to_owned(), StringError::Letters("such letters")),
        ("0123456789abcdef0123456789abcdef".to_owned(), StringError::Unknown),
        ("A".repeat(5_000), StringError::Unknown),
    ] {
        assert_eq!(SessionString::read(&pasted).unwrap_err(), error, "{pasted:?}");
    }
    let newer = URL_SAFE_NO_PAD.encode([&[4, 1, 0, 0, 0][..], &[7; 400]].concat());
    assert_eq!(SessionString::read(&newer).unwrap_err(), StringError::Newer(4));
    let shown = format!("{:?}", SessionString::read(&text).unwrap());
    assert!(shown.contains("AuthKey(…)") && !shown.contains("Written"), "{shown}");
}

/// Whatever is pasted: an answer, and what is accepted has a key in it that stood in the text.
#[test]
fn any_text_gets_an_answer() {
    bolero::check!().with_type::<(u8, u16, u8, Vec<u8>)>().for_each(|(form, place, with, bytes)| {
        let mut text = match form % 12 {
            form @ 0..9 => Written::good(FORMS[usize::from(form)]).text().into_bytes(),
            9 => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
            10 => format!("1{}", STANDARD.encode(bytes)).into_bytes(),
            _ => bytes.clone(),
        };
        if !text.is_empty() {
            let place = usize::from(*place) % text.len();
            text[place] = *with;
        }
        let text = String::from_utf8_lossy(&text);
        match SessionString::read(&text) {
            Ok(read) => assert!((1..=5).contains(&read.dc) && read.key.expose().iter().any(|byte| *byte != 0)),
            Err(error) => assert!(error.to_string().len() < 300),
        }
    });
}
