//! Choices that a seed decides.
//!
//! Each purpose draws from a stream of its own, so that a change in one place does not turn every other choice of the same
//! seed.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of choices.
#[derive(Debug, Clone)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of a seed for one purpose.
    pub fn of(seed: u64, purpose: &str) -> Self {
        // FNV-1a: a name becomes a number that no build changes.
        let name = purpose
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Self(ChaCha8Rng::seed_from_u64(simulator::world::seed::mix(seed, name)))
    }

    /// A number below `below`; 0 when that is 0.
    pub fn below(&mut self, below: u64) -> u64 {
        simulator::world::seed::draw(self.0.next_u64(), below)
    }

    /// A number from `least` to `most`, both possible.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// One of these; `None` when there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }

    /// A position below `len`; 0 when that is 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// A number whose logarithm is even between the two: small ones are as likely as large ones.
    pub fn spread(&mut self, least: u64, most: u64) -> u64 {
        let (low, high) = (least.max(1), most.max(1));
        let doublings = u64::from(high.ilog2().saturating_sub(low.ilog2()));
        let base = low << self.between(0, doublings);
        self.between(base, base.saturating_mul(2)).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_decide_everything() {
        let numbers = |seed, purpose| {
            let mut draw = Draw::of(seed, purpose);
            (0..8).map(|_| draw.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, "a"), numbers(1, "a"));
        assert_ne!(numbers(1, "a"), numbers(1, "b"));
        assert_ne!(numbers(1, "a"), numbers(2, "a"));
    }

    #[test]
    fn spread_keeps_its_bounds() {
        let mut draw = Draw::of(3, "spread");
        assert!((0..1000).map(|_| draw.spread(2, 100)).all(|drawn| (2..=100).contains(&drawn)));
    }
}
