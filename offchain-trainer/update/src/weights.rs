//! A model's numbers: all tensors one after another in canonical order.
//!
//! One flat vector, because everything outside LibTorch (hashing, differences, folding) treats all numbers alike; only
//! files and the engine care where a tensor ends. Must never reorder or round a value.

use hydra_primitives::model::Architecture;

/// Single-precision values of every tensor of an architecture, in the order of [`Architecture::tensors`], each tensor
/// row by row.
#[derive(Clone, PartialEq, Debug)]
pub struct Weights(Vec<f32>);

impl Weights {
    /// Wraps `values`; they may be any numbers. Whoever uses them with an architecture checks their count with
    /// [`Weights::fits`].
    pub fn new(values: Vec<f32>) -> Self {
        Self(values)
    }

    /// `count` zeros.
    pub fn zeros(count: usize) -> Self {
        Self(vec![0.0; count])
    }

    /// Reads little-endian IEEE-754 values; `None` if the length is no multiple of 4.
    pub fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        let (values, rest) = bytes.as_chunks::<4>();
        rest.is_empty()
            .then(|| Self(values.iter().map(|b| f32::from_le_bytes(*b)).collect()))
    }

    /// The values as little-endian IEEE-754.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        self.write_le_bytes(&mut bytes);
        bytes
    }

    /// Appends the values as little-endian IEEE-754.
    pub fn write_le_bytes(&self, to: &mut Vec<u8>) {
        append_le_bytes(&self.0, to);
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are exactly as many values as `architecture` has parameters.
    pub fn fits(&self, architecture: &Architecture) -> bool {
        u64::try_from(self.0.len()).is_ok_and(|n| n == architecture.parameters())
    }

    /// Whether no value is infinite or not a number.
    pub fn all_finite(&self) -> bool {
        self.0.iter().all(|v| v.is_finite())
    }

    /// Whether both have the same bits. Unlike `==`, it tells 0 from −0 and finds a NaN equal to itself.
    pub fn same_bits(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

/// Appends `values` as little-endian IEEE-754.
pub(crate) fn append_le_bytes(values: &[f32], to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + 4 * values.len(), 0);
    for (bytes, value) in to[start..].as_chunks_mut::<4>().0.iter_mut().zip(values) {
        *bytes = value.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_bit_pattern_survives_the_round_trip(bits in prop::collection::vec(any::<u32>(), 0..50)) {
            let weights = Weights::new(bits.iter().map(|b| f32::from_bits(*b)).collect());
            let back = Weights::from_le_bytes(&weights.to_le_bytes()).unwrap();
            prop_assert!(back.same_bits(&weights));
        }
    }

    #[test]
    fn a_broken_last_value_is_refused() {
        assert_eq!(Weights::from_le_bytes(&[0; 7]), None);
    }
}
