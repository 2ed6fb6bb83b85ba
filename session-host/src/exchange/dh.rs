//! What is allowed in Diffie-Hellman: the one prime, its generators, and the range of public values.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication> and the security
//! guidelines beside it. A client may test primes itself; Ferry takes the published one only, which has not changed
//! since 2013, and refuses every other.

use num_bigint::BigUint;

use super::ExchangeError;

/// Telegram's published safe prime, in hexadecimal.
const PRIME_HEX: &[u8] = b"C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F\
48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37\
20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64\
2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4\
A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754\
FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4\
E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F\
0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B";

/// The prime and a generator that were found to be good.
pub(crate) struct Group {
    prime: BigUint,
    generator: BigUint,
}

impl Group {
    /// Takes what a server sent, if it is allowed.
    pub(crate) fn checked(prime: &[u8], generator: i32) -> Result<Self, ExchangeError> {
        let known = BigUint::parse_bytes(PRIME_HEX, 16).ok_or(ExchangeError::Prime)?;
        if prime.len() != 256 || BigUint::from_bytes_be(prime) != known {
            return Err(ExchangeError::Prime);
        }
        let generates = u32::try_from(generator).ok().filter(|g| fits(*g, &known));
        let generator = generates.map(BigUint::from).ok_or(ExchangeError::Generator(generator))?;
        Ok(Self { prime: known, generator })
    }

    /// `g^exponent`.
    pub(crate) fn public(&self, exponent: &BigUint) -> BigUint {
        self.generator.modpow(exponent, &self.prime)
    }

    /// `base^exponent`.
    pub(crate) fn shared(&self, base: &BigUint, exponent: &BigUint) -> BigUint {
        base.modpow(exponent, &self.prime)
    }

    /// `1 < value < p - 1`, and away from both ends by 2^(2048-64).
    pub(crate) fn check_range(&self, value: &BigUint, what: &'static str) -> Result<(), ExchangeError> {
        let margin = BigUint::from(1_u8) << (2048 - 64);
        if *value < margin || *value > &self.prime - &margin { Err(ExchangeError::Range(what)) } else { Ok(()) }
    }
}

/// Whether `g` generates the subgroup of order (p-1)/2, that is, is a quadratic residue mod p.
fn fits(g: u32, prime: &BigUint) -> bool {
    let remainder = |modulus: u32| prime % BigUint::from(modulus);
    let is = |modulus: u32, allowed: &[u32]| allowed.iter().any(|r| remainder(modulus) == BigUint::from(*r));
    match g {
        2 => is(8, &[7]),
        3 => is(3, &[2]),
        4 => true,
        5 => is(5, &[1, 4]),
        6 => is(24, &[19, 23]),
        7 => is(7, &[3, 5, 6]),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn prime() -> BigUint {
        BigUint::parse_bytes(PRIME_HEX, 16).unwrap()
    }

    #[test]
    fn only_the_published_prime_is_taken() {
        let good = prime().to_bytes_be();
        assert!(Group::checked(&good, 3).is_ok());
        let mut other = good.clone();
        other[255] ^= 2;
        assert!(matches!(Group::checked(&other, 3), Err(ExchangeError::Prime)));
        assert!(matches!(Group::checked(&[], 3), Err(ExchangeError::Prime)));
        assert!(matches!(Group::checked(&[&[0], &good[..]].concat(), 3), Err(ExchangeError::Prime)));
    }

    #[test]
    fn a_generator_must_be_a_quadratic_residue() {
        // Euler's criterion is the definition; the table in `fits` is the protocol's shortcut.
        let p = prime();
        let half = (&p - 1_u8) / 2_u8;
        for g in 2..=7_u32 {
            let residue = BigUint::from(g).modpow(&half, &p) == BigUint::from(1_u8);
            assert_eq!(Group::checked(&p.to_bytes_be(), i32::try_from(g).unwrap()).is_ok(), residue, "{g}");
        }
        for g in [i32::MIN, -1, 0, 1, 8, i32::MAX] {
            assert!(matches!(Group::checked(&p.to_bytes_be(), g), Err(ExchangeError::Generator(_))), "{g}");
        }
    }

    #[test]
    fn public_values_near_the_ends_are_refused() {
        let group = Group::checked(&prime().to_bytes_be(), 3).unwrap();
        let margin: BigUint = BigUint::from(1_u8) << 1984;
        for (value, good) in [
            (BigUint::from(0_u8), false),
            (BigUint::from(1_u8), false),
            (&margin - 1_u8, false),
            (margin.clone(), true),
            (prime() - &margin, true),
            (prime() - &margin + 1_u8, false),
            (prime() - 1_u8, false),
            (prime() + 5_u8, false),
        ] {
            assert_eq!(group.check_range(&value, "g_a").is_ok(), good);
        }
    }
}
