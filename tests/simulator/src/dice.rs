//! Chance that is the same in every run with the same seed, on every machine.

use hydra_primitives::domain_hash;

const CONTEXT: &str = "hydraai 2026 simulator dice v1";

/// 32 bytes that follow from the seed, from what they are for, and from numbers.
pub fn bytes(seed: u64, purpose: &str, numbers: &[u32]) -> [u8; 32] {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    domain_hash(CONTEXT, &[&seed.to_le_bytes(), purpose.as_bytes(), &numbers]).0
}

/// Whether something happens that does so in `share` of all cases.
pub fn happens(share: f64, seed: u64, purpose: &str, numbers: &[u32]) -> bool {
    let [a, b, c, d, ..] = bytes(seed, purpose, numbers);
    let drawn = f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX);
    drawn < share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_in_a_fifth_of_all_cases_does_so_in_about_a_fifth_and_again_in_the_same() {
        let count = |seed| (0..10_000).filter(|n| happens(0.2, seed, "test", &[*n])).count();
        assert!((1_800..2_200).contains(&count(1)), "{}", count(1));
        assert_eq!(count(1), count(1));
        assert_ne!(bytes(1, "test", &[1]), bytes(2, "test", &[1]));
        assert_ne!(bytes(1, "test", &[1]), bytes(1, "another", &[1]));
    }
}
