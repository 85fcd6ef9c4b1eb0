//! Addition, multiplication, scaling and relu of value after value: "Element by element" in `docs/arithmetic.md`.

use crate::{
    Cpu,
    lanes::Lanes,
    map::{self, Binary, Unary},
};

#[derive(Clone, Copy)]
struct Relu;
impl Unary for Relu {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V) -> L::V {
        let zero = lanes.splat(0.0);
        lanes.select(lanes.le(x, zero), zero, x)
    }
}

#[derive(Clone, Copy)]
struct ReluGradient;
impl Binary for ReluGradient {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V, dy: L::V) -> L::V {
        let zero = lanes.splat(0.0);
        lanes.select(lanes.le(x, zero), zero, dy)
    }
}

#[derive(Clone, Copy)]
struct Add;
impl Binary for Add {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V, y: L::V) -> L::V {
        lanes.add(x, y)
    }
}

#[derive(Clone, Copy)]
struct Multiply;
impl Binary for Multiply {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V, y: L::V) -> L::V {
        lanes.mul(x, y)
    }
}

#[derive(Clone, Copy)]
struct Scale(f32);
impl Unary for Scale {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V) -> L::V {
        lanes.mul(x, lanes.splat(self.0))
    }
}

/// yᵢ = +0 where xᵢ ≤ 0, else xᵢ, NaN too; both `[n]`.
///
/// # Panics
/// If one is longer than the other.
pub fn relu(cpu: &Cpu, x: &[f32], y: &mut [f32]) {
    map::unary(cpu, Relu, x, y);
}

/// What a loss changes by with relu's argument x, from what it changes by with its result: dxᵢ = +0 where xᵢ ≤ 0, else dyᵢ; all `[n]`. Its
/// result will do for x as well, since it is ≤ 0 at the same places.
///
/// # Panics
/// If one is longer than another.
pub fn relu_gradient(cpu: &Cpu, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    map::binary(cpu, ReluGradient, x, dy, dx);
}

/// zᵢ = xᵢ + yᵢ; all `[n]`.
///
/// # Panics
/// If one is longer than another.
pub fn add(cpu: &Cpu, x: &[f32], y: &[f32], z: &mut [f32]) {
    map::binary(cpu, Add, x, y, z);
}

/// zᵢ = xᵢ × yᵢ; all `[n]`.
///
/// # Panics
/// If one is longer than another.
pub fn multiply(cpu: &Cpu, x: &[f32], y: &[f32], z: &mut [f32]) {
    map::binary(cpu, Multiply, x, y, z);
}

/// yᵢ = xᵢ × factor; both `[n]`.
///
/// # Panics
/// If one is longer than the other.
pub fn scale(cpu: &Cpu, factor: f32, x: &[f32], y: &mut [f32]) {
    map::unary(cpu, Scale(factor), x, y);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Level, canonical_bits};

    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![
            -100f32..100.0,
            any::<u32>().prop_map(f32::from_bits),
            prop::sample::select(vec![
                0.0,
                -0.0,
                f32::MAX,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NAN,
                f32::from_bits(1),
                -f32::from_bits(1)
            ]),
        ]
    }

    /// What each operation is, one value after the other.
    fn expected(factor: f32, x: f32, y: f32) -> [f32; 5] {
        let relu = |dy: f32| if x <= 0.0 { 0.0 } else { dy };
        [relu(x), relu(y), x + y, x * y, x * factor]
    }

    fn found(cpu: &Cpu, factor: f32, x: &[f32], y: &[f32]) -> [Vec<f32>; 5] {
        let mut to: [Vec<f32>; 5] = std::array::from_fn(|_| vec![9.0; x.len()]);
        relu(cpu, x, &mut to[0]);
        relu_gradient(cpu, x, y, &mut to[1]);
        add(cpu, x, y, &mut to[2]);
        multiply(cpu, x, y, &mut to[3]);
        scale(cpu, factor, x, &mut to[4]);
        to
    }

    fn compare(factor: f32, x: &[f32], y: &[f32]) {
        for level in Level::available() {
            for threads in 1..4 {
                let cpu = Cpu::default()
                    .with_level(level)
                    .unwrap()
                    .with_threads(threads)
                    .unwrap();
                let found = found(&cpu, factor, x, y);
                for i in 0..x.len() {
                    let expected = expected(factor, x[i], y[i]).map(canonical_bits);
                    let found = std::array::from_fn(|k| canonical_bits(found[k][i]));
                    assert_eq!(
                        found, expected,
                        "{level:?}, {threads} threads: {} and {}",
                        x[i], y[i]
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn element_wise_operations_are_what_they_are_for_one_value(factor in value(), pairs in prop::collection::vec((value(), value()), 0..70)) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            compare(factor, &x, &y);
        }
    }

    /// More than one piece, and the last one with a rest.
    #[test]
    fn element_wise_operations_reach_every_value_of_long_slices() {
        let x: Vec<f32> = (0..40_007).map(|i| (i % 1001) as f32 - 500.0).collect();
        let y: Vec<f32> = (0..40_007).map(|i| (i % 77) as f32 * 0.3 - 9.0).collect();
        compare(0.1, &x, &y);
    }

    #[test]
    #[should_panic(expected = "two slices of one length")]
    fn slices_of_different_lengths_are_refused() {
        add(&Cpu::default(), &[1.0], &[1.0, 2.0], &mut [0.0]);
    }
}
