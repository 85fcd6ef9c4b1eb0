//! Sums of many values, and their largest: sixteen partial ones, one to a lane, then the lanes' tree.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
};

/// Σ xᵢ: lane l adds up the values whose index is l mod 16, in ascending order, from +0; then the lanes are added as [`Lanes::sum`] does.
#[inline(always)]
pub(crate) fn sum_lanes<L: Lanes>(lanes: L, values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = lanes.splat(0.0);
    for chunk in whole {
        sums = lanes.add(sums, lanes.load(chunk));
    }
    if !rest.is_empty() {
        // A partial sum is never −0, so adding +0 to it changes nothing.
        sums = lanes.add(sums, lanes.load_some(rest, 0.0));
    }
    lanes.sum(sums)
}

/// Σ xᵢ × yᵢ of two slices of the same length: as [`sum_lanes`], each product fused with its addition.
#[inline(always)]
pub(crate) fn dot_lanes<L: Lanes>(lanes: L, x: &[f32], y: &[f32]) -> f32 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut sums = lanes.splat(0.0);
    for (x, y) in x.iter().zip(y) {
        sums = lanes.fma(lanes.load(x), lanes.load(y), sums);
    }
    if !x_rest.is_empty() {
        // A partial sum can be −0, from a negative product too small to be kept. Adding 0 × −0 leaves it so.
        sums = lanes.fma(lanes.load_some(x_rest, 0.0), lanes.load_some(y_rest, -0.0), sums);
    }
    lanes.sum(sums)
}

/// The largest xᵢ: lane l keeps the largest of the values whose index is l mod 16, from −∞, then [`Lanes::largest`]. NaNs are passed over.
#[inline(always)]
pub(crate) fn max_lanes<L: Lanes>(lanes: L, values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut largest = lanes.splat(f32::NEG_INFINITY);
    for chunk in whole {
        largest = lanes.larger(lanes.load(chunk), largest);
    }
    if !rest.is_empty() {
        largest = lanes.larger(lanes.load_some(rest, f32::NEG_INFINITY), largest);
    }
    lanes.largest(largest)
}

/// Σ xᵢ of all values, `[n]`; +0 of none. Errors grow with n/16, not with n. "Sums" in `docs/arithmetic.md`.
pub fn sum(cpu: &Cpu, values: &[f32]) -> f32 {
    struct Sum<'a>(&'a [f32]);
    impl Kernel for Sum<'_> {
        type Output = f32;
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> f32 {
            sum_lanes(lanes, self.0)
        }
    }
    cpu.run(Sum(values))
}

/// Σ xᵢ × yᵢ, both `[n]`; +0 of none. "Sums" in `docs/arithmetic.md`.
///
/// # Panics
/// If one is longer than the other.
pub fn dot(cpu: &Cpu, x: &[f32], y: &[f32]) -> f32 {
    struct Dot<'a>(&'a [f32], &'a [f32]);
    impl Kernel for Dot<'_> {
        type Output = f32;
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> f32 {
            dot_lanes(lanes, self.0, self.1)
        }
    }
    assert_eq!(x.len(), y.len(), "a dot product is of two slices of one length");
    cpu.run(Dot(x, y))
}

/// The largest of all values, `[n]`; −∞ of none. NaNs are passed over, as if they weren't there. "Sums" in `docs/arithmetic.md`.
pub fn max(cpu: &Cpu, values: &[f32]) -> f32 {
    struct Max<'a>(&'a [f32]);
    impl Kernel for Max<'_> {
        type Output = f32;
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> f32 {
            max_lanes(lanes, self.0)
        }
    }
    cpu.run(Max(values))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Level, canonical_bits, reference};

    /// Mostly plain values, some of every other kind.
    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![
            8 => -100f32..100.0,
            1 => any::<u32>().prop_map(f32::from_bits),
            1 => prop::sample::select(vec![0.0, -0.0, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::from_bits(1)]),
        ]
    }

    proptest! {
        #[test]
        fn every_level_adds_and_compares_in_the_defined_order(pairs in prop::collection::vec((value(), value()), 0..100)) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            for level in Level::available() {
                let cpu = Cpu::default().with_level(level).unwrap();
                prop_assert_eq!(canonical_bits(sum(&cpu, &x)), canonical_bits(reference::sum::sum(&x)), "{:?}", level);
                prop_assert_eq!(canonical_bits(dot(&cpu, &x, &y)), canonical_bits(reference::sum::dot(&x, &y)), "{:?}", level);
                prop_assert_eq!(canonical_bits(max(&cpu, &x)), canonical_bits(reference::sum::max(&x)), "{:?}", level);
            }
        }
    }

    /// A product too small to be kept leaves −0 in its lane, and so do lanes without a value after it.
    #[test]
    fn minus_zero_survives_lanes_without_a_value() {
        for length in 0..40 {
            let (x, y) = (vec![1e-30; length], vec![-1e-30; length]);
            let expected = reference::sum::dot(&x, &y);
            assert_eq!(expected.is_sign_negative(), length >= 16);
            for level in Level::available() {
                let cpu = Cpu::default().with_level(level).unwrap();
                assert_eq!(dot(&cpu, &x, &y).to_bits(), expected.to_bits(), "{level:?}");
                assert_eq!(sum(&cpu, &vec![-0.0; length]).to_bits(), 0);
            }
        }
    }

    #[test]
    fn the_largest_of_nothing_is_minus_infinity_and_nans_are_passed_over() {
        let cpu = Cpu::default();
        assert_eq!(max(&cpu, &[]), f32::NEG_INFINITY);
        assert_eq!(max(&cpu, &[f32::NAN, -3.0, f32::NAN]), -3.0);
    }
}
