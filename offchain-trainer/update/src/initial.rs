//! The weights a model starts with: the same on every machine, from its seed alone.
//!
//! LibTorch's generators depend on its version and on the device, so none is used. Values come from BLAKE3's extended
//! output and pass through exactly rounded IEEE-754 operations only. Must never depend on the order in which tensors are
//! made.

use hydra_primitives::model::{ModelSpec, TensorLayout};

use crate::Weights;

const CONTEXT: &str = "hydraai 2026 initial weights v1";

/// The initial weights of `spec`: every value of a tensor is uniform in ±1/√fan_in (PyTorch's default for `nn.Linear`).
pub fn initial_weights(spec: &ModelSpec) -> Weights {
    let tensors = spec.architecture.tensors();
    Weights::new(
        tensors
            .iter()
            .flat_map(|t| tensor_values(spec.init_seed, t))
            .collect(),
    )
}

/// One tensor's values, row by row. Its stream is BLAKE3 in key-derivation mode of the seed (8 bytes, little-endian)
/// and the tensor's name; each value takes the next 4 bytes as a little-endian integer, of which the upper 24 bits k
/// count. The value is ((2k + 1 − 2²⁴) / 2²⁴) / √fan_in: the first division is exact (an odd integer under 2²⁴ over a
/// power of two), the square root and the second division are rounded once each.
fn tensor_values(seed: u64, tensor: &TensorLayout) -> impl Iterator<Item = f32> {
    const UNIT: i32 = 1 << 24;
    let mut stream = blake3::Hasher::new_derive_key(CONTEXT)
        .update(&seed.to_le_bytes())
        .update(tensor.name.as_bytes())
        .finalize_xof();
    let root = (tensor.fan_in.max(1) as f32).sqrt();
    (0..tensor.elements()).map(move |_| {
        let mut bytes = [0u8; 4];
        stream.fill(&mut bytes);
        let k = (u32::from_le_bytes(bytes) >> 8) as i32;
        ((2 * k + 1 - UNIT) as f32 / UNIT as f32) / root
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::digits::digits_spec;

    #[test]
    fn values_are_spread_evenly_within_their_bounds() {
        let spec = digits_spec();
        let tensors = spec.architecture.tensors();
        let first: Vec<f32> = tensor_values(0, &tensors[0]).collect();
        assert_eq!(first.len(), 64 * 64);
        assert!(first.iter().all(|v| v.abs() < 1.0 / 8.0));
        let mean = first.iter().map(|v| f64::from(*v)).sum::<f64>() / first.len() as f64;
        // The standard error of the mean of 4,096 values uniform in ±1/8 is 0.0011.
        assert!(mean.abs() < 0.004, "{mean}");
        assert!(
            first
                .iter()
                .filter(|v| v.abs() > 1.0 / 16.0)
                .count()
                .abs_diff(2048)
                < 130
        );
    }

    #[test]
    fn seeds_and_tensors_have_streams_of_their_own() {
        let spec = digits_spec();
        let weights = initial_weights(&spec);
        assert!(weights.fits(&spec.architecture));
        let mut other = spec.clone();
        other.init_seed = 1;
        assert_ne!(initial_weights(&other).as_slice()[0], weights.as_slice()[0]);
        let bias = &weights.as_slice()[4096..4160];
        assert_ne!(bias, &weights.as_slice()[..64]);
    }
}
