//! Every level against plain Rust, operation by operation, on every kind of value.

use proptest::prelude::*;

use super::*;
use crate::{Cpu, Level, canonical_bits};

/// Any bits, and those at which something changes far more often than chance has them.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        any::<u32>().prop_map(f32::from_bits),
        -100f32..100.0,
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::MIN_POSITIVE,
            -f32::MIN_POSITIVE,
            f32::from_bits(1),
            -f32::from_bits(1),
            f32::from_bits(0x007f_ffff),
            f32::MAX,
            -f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            1.0 + f32::EPSILON,
            1.0 - f32::EPSILON / 2.0,
        ]),
    ]
}

fn values() -> impl Strategy<Value = [f32; LANES]> {
    prop::array::uniform16(value())
}

/// Every operation on the three arrays, in one row: what a level computes.
struct Everything([f32; LANES], [f32; LANES], [f32; LANES]);

impl Kernel for Everything {
    type Output = Vec<[u32; LANES]>;
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Self::Output {
        let (a, b, c) = (l.load(&self.0), l.load(&self.1), l.load(&self.2));
        let (i, j) = (l.bits(a), l.bits(b));
        // What is bits stays bits: a NaN's are no result of arithmetic here.
        let whole = l.from_int(l.shr::<20>(i));
        let floats = [
            l.add(a, b),
            l.sub(a, b),
            l.mul(a, b),
            l.div(a, b),
            l.sqrt(a),
            l.fma(a, b, c),
            l.larger(a, b),
            l.smaller(a, b),
            l.select(l.gt(a, b), a, c),
            l.select(l.le(a, b), a, c),
            l.select(l.is_nan(a), b, a),
            whole,
            l.from_int(i),
            l.splat(self.0[3]),
            l.splat(l.sum(a)),
            l.splat(l.largest(a)),
            l.load_some(&self.0[..5], -7.5),
        ];
        let ints = [
            l.iadd(i, j),
            l.isub(i, j),
            l.iand(i, j),
            l.ior(i, j),
            l.ixor(i, j),
            l.shl::<0>(i),
            l.shl::<23>(i),
            l.shr::<1>(i),
            l.shr::<31>(i),
            l.to_int(whole),
            l.isplat(-3),
        ];
        let mut rows: Vec<_> = floats.map(|v| l.array(v).map(canonical_bits)).to_vec();
        // Through the memory of floats, which moves bits as they are.
        rows.extend(ints.map(|v| l.array(l.from_bits(v)).map(f32::to_bits)));
        let mut some = [1.0; 7];
        l.store_some(a, &mut some);
        let mut padded = [0.0; LANES];
        padded[..7].copy_from_slice(&some);
        rows.push(padded.map(f32::to_bits));
        rows
    }
}

/// Rows as columns, with steps on both sides.
struct Transposed<'a>(&'a [f32], usize, usize);

impl Kernel for Transposed<'_> {
    type Output = Vec<u32>;
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Self::Output {
        let Self(from, from_step, to_step) = self;
        let mut to = vec![-1.0; 15 * to_step + LANES];
        l.transpose(from, from_step, &mut to, to_step);
        to.into_iter().map(f32::to_bits).collect()
    }
}

proptest! {
    #[test]
    fn all_levels_transpose_squares_and_nothing_beside_them(from_step in 16usize..40, to_step in 16usize..40) {
        // Any bits: no NaN may change.
        let from: Vec<f32> = (0..15 * from_step + LANES).map(|i| f32::from_bits((i as u32).wrapping_mul(0x9e37_79b9))).collect();
        let mut expected = vec![(-1.0f32).to_bits(); 15 * to_step + LANES];
        for r in 0..LANES {
            for l in 0..LANES {
                expected[l * to_step + r] = from[r * from_step + l].to_bits();
            }
        }
        for level in Level::available() {
            let found = Cpu::default().with_level(level).unwrap().run(Transposed(&from, from_step, to_step));
            prop_assert_eq!(&found, &expected, "{:?}", level);
        }
    }

    #[test]
    fn all_levels_compute_the_same_lanes(a in values(), b in values(), c in values()) {
        let expected = Everything(a, b, c).run(Portable);
        for level in Level::available() {
            let found = Cpu::default().with_level(level).unwrap().run(Everything(a, b, c));
            prop_assert_eq!(&found, &expected, "{:?}", level);
        }
    }

    /// The portable one is made of other operations; the standard library has the right one.
    #[test]
    fn the_portable_fused_multiply_add_is_rounded_once(a in value(), b in value(), c in value()) {
        prop_assert_eq!(canonical_bits(fma(a, b, c)), canonical_bits(a.mul_add(b, c)));
    }

    /// Where rounding twice shows: a product close to half a unit of c's last place.
    #[test]
    fn no_fused_multiply_add_is_rounded_twice(a in 0x3f80_0000u32..0x4000_0000, b in 0x3f80_0000u32..0x4000_0000, c in 0x3f80_0000u32..0x4000_0000, shift in 0i32..60, sign: bool) {
        let power = f32::from_bits(((127 - shift) as u32) << 23);
        let a = f32::from_bits(a) * if sign { -power } else { power };
        let (b, c) = (f32::from_bits(b), f32::from_bits(c));
        prop_assert_eq!(fma(a, b, c).to_bits(), a.mul_add(b, c).to_bits());
    }
}
