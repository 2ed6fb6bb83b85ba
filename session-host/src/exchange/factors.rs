//! Taking `pq` apart: the proof of work at the start of a key exchange.
//!
//! Pollard's rho with a bound: what does not come apart within it is no product that Telegram would send, and a
//! hostile number must not keep a host busy.

/// Steps that are enough, many times over, for two factors of 31 bits (expected: about 2^16).
const STEPS_MAX: u32 = 1 << 21;
/// How many differences are multiplied before one gcd is taken.
const BLOCK: u32 = 128;

/// The two factors, smaller first. `None` when the number is no product of two different numbers above 1 that fit in 32
/// bits each, or does not come apart.
pub(crate) fn factors(pq: u64) -> Option<(u32, u32)> {
    let p = if pq.is_multiple_of(2) { Some(2) } else { (1..=8).find_map(|c| divisor(pq, c)) }?;
    let q = pq / p;
    let (p, q) = (u32::try_from(p.min(q)).ok()?, u32::try_from(p.max(q)).ok()?);
    (p > 1 && p < q).then_some((p, q))
}

fn divisor(n: u64, c: u64) -> Option<u64> {
    if n < 4 {
        return None;
    }
    let step = |x: u64| (mul(x, x, n) + c % n) % n;
    let (mut slow, mut fast, mut steps) = (2, 2, 0);
    while steps < STEPS_MAX {
        let (block_slow, block_fast) = (slow, fast);
        let mut product = 1;
        for _ in 0..BLOCK {
            slow = step(slow);
            fast = step(step(fast));
            product = mul(product, slow.abs_diff(fast), n);
        }
        steps += BLOCK;
        match gcd(product, n) {
            1 => {}
            found if found < n => return Some(found),
            // Both factors fell into one block: walk through it again, singly.
            _ => return singly(n, block_slow, block_fast, step),
        }
    }
    None
}

fn singly(n: u64, mut slow: u64, mut fast: u64, step: impl Fn(u64) -> u64) -> Option<u64> {
    for _ in 0..BLOCK {
        slow = step(slow);
        fast = step(step(fast));
        match gcd(slow.abs_diff(fast), n) {
            1 => {}
            found => return (found < n).then_some(found),
        }
    }
    None
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below n, which fits")]
fn mul(a: u64, b: u64, n: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(n)) as u64
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_two_primes_come_apart() {
        for (p, q) in
            [(1_229_739_323_u32, 1_402_015_859_u32), (1_000_000_007, 2_147_483_629), (3, 5), (2, 2_147_483_647)]
        {
            assert_eq!(factors(u64::from(p) * u64::from(q)), Some((p, q)));
        }
        // The example of core.telegram.org/mtproto/samples-auth_key.
        assert_eq!(factors(0x17ED_4894_1A08_F981), Some((0x494C_553B, 0x5391_1073)));
    }

    #[test]
    fn what_telegram_would_never_send_is_refused_in_bounded_time() {
        for pq in [0, 1, 2, 3, 49, 2_147_483_647, 1_000_000_007 * 1_000_000_007, u64::MAX - 58] {
            assert_eq!(factors(pq), None, "{pq}");
        }
    }
}
