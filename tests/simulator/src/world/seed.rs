//! Seeded draws that need no state: hashes of a seed and a number.

/// A well-mixed function of two numbers (splitmix64's finisher).
#[must_use]
pub fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number below `below` out of a hash.
#[must_use]
pub fn draw(hash: u64, below: u64) -> u64 {
    u64::try_from((u128::from(hash) * u128::from(below)) >> 64).unwrap_or(0)
}

/// The same bits as a signed number.
#[must_use]
pub fn signed(hash: u64) -> i64 {
    i64::from_le_bytes(hash.to_le_bytes())
}
