//! The numbers and hashes that key exchange and passwords share.

use num_bigint::BigUint;
use sha2::Digest;

/// The 2048-bit safe prime that Telegram publishes for key exchange and passwords; clients know it by heart.
const PRIME_HEX: &[u8] = b"C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F\
48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37\
20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64\
2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4\
A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754\
FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4\
E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F\
0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B";

/// Its generator here; 3 generates the subgroup of prime order.
pub(crate) const GENERATOR: u8 = 3;

pub(crate) fn prime() -> BigUint {
    BigUint::parse_bytes(PRIME_HEX, 16).expect("the prime is written in hexadecimal")
}

/// Big-endian, zeros in front. Numbers beyond 2048 bits lose their upper part: they cannot occur modulo the prime.
pub(crate) fn pad_256(number: &BigUint) -> [u8; 256] {
    let bytes = number.to_bytes_be();
    let len = bytes.len().min(256);
    let mut padded = [0; 256];
    padded[256 - len..].copy_from_slice(&bytes[bytes.len() - len..]);
    padded
}

pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hasher = sha1::Sha1::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = sha2::Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}
