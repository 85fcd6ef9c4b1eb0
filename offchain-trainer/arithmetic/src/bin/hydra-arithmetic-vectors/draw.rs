//! Numbers that everybody can draw again, and the hash of numbers: `docs/arithmetic.md`, *Test vectors*. Integers until the last step.

use hydra_arithmetic::canonical_bits;

/// splitmix64 (Steele, Lea and Flood 2014).
pub struct Draw(u64);

impl Draw {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `end`: the remainder of the upper 32 bits.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 32) as usize % end
    }

    /// The next value between −bound and bound: (2 k + 1 − 2²⁴) ÷ 2²⁴, which is exact, times the bound; k are the upper 24 bits.
    pub fn value(&mut self, bound: f32) -> f32 {
        let k = (self.bits() >> 40) as i32;
        (2 * k + 1 - (1 << 24)) as f32 / (1 << 24) as f32 * bound
    }

    /// The next `count` values.
    pub fn values(&mut self, count: usize, bound: f32) -> Vec<f32> {
        (0..count).map(|_| self.value(bound)).collect()
    }
}

/// FNV-1a, 64 bits, of the values' bits in little-endian order, each NaN `0x7fc00000`.
pub fn hash(values: &[f32]) -> u64 {
    values
        .iter()
        .flat_map(|value| canonical_bits(*value).to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_splitmix64s_and_the_hash_is_fnv_1a() {
        // The first numbers of seed 1234567 as its authors' code gives them.
        let mut draw = Draw::new(1_234_567);
        assert_eq!(draw.bits(), 6_457_827_717_110_365_317);
        assert_eq!(draw.bits(), 3_203_168_211_198_807_973);
        assert_eq!(hash(&[]), 0xcbf2_9ce4_8422_2325);
        // Four values and a byte more are one of the vectors of its authors.
        let text = b"chongo was here!";
        let values: Vec<f32> = text
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        let whole = (hash(&values) ^ u64::from(b'\n')).wrapping_mul(0x0000_0100_0000_01b3);
        assert_eq!(whole, 0x4681_0940_eff5_f915);
        assert_eq!(hash(&[f32::NAN]), hash(&[f32::from_bits(0xffc0_0001)]));
    }

    #[test]
    fn values_lie_within_their_bound_and_are_never_zero() {
        let mut draw = Draw::new(7);
        assert!(
            draw.values(10_000, 0.5)
                .iter()
                .all(|v| v.abs() < 0.5 && *v != 0.0)
        );
    }
}
