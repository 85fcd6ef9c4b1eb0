//! eˣ, and its parts that other functions are made of.

use crate::{
    lanes::Lanes,
    reference::function::{E, LN_2_HIGH, LN_2_LOW, LOG2_E, ROUND},
};

/// Adding it rounds to a whole number n, as [`ROUND`] does, and leaves n + 254 in the lowest bits: the exponents of two factors of 2ⁿ.
/// (254 is even, so ties go where they would.)
const ROUND_FOR_TWO_FACTORS: f32 = ROUND + 254.0;

/// c₀ + c₁ x + c₂ x² …
#[inline(always)]
pub(super) fn polynomial<L: Lanes, const N: usize>(lanes: L, c: &[f32; N], x: L::V) -> L::V {
    let mut p = lanes.splat(c[N - 1]);
    for c in c[..N - 1].iter().rev() {
        p = lanes.fma(p, x, lanes.splat(*c));
    }
    p
}

/// The whole number n next to x × y, and two powers of two whose product is 2ⁿ; |n| below 253.
#[inline(always)]
pub(super) fn round_to_factors<L: Lanes>(lanes: L, x: L::V, y: L::V) -> (L::V, L::V, L::V) {
    let round = lanes.splat(ROUND_FOR_TWO_FACTORS);
    let shifted = lanes.fma(x, y, round);
    let n = lanes.sub(shifted, round);
    // n + 254 = (half + 127) + (n − half + 127); whatever stands above these bits is shifted out.
    let both = lanes.bits(shifted);
    let half = lanes.shr::<1>(both);
    let rest = lanes.isub(both, half);
    let power = |exponent| lanes.from_bits(lanes.shl::<23>(exponent));
    (n, power(half), power(rest))
}

/// x − n × ln 2
#[inline(always)]
pub(super) fn without_powers_of_two<L: Lanes>(lanes: L, x: L::V, n: L::V) -> L::V {
    let r = lanes.fma(n, lanes.splat(-LN_2_HIGH), x);
    lanes.fma(n, lanes.splat(-LN_2_LOW), r)
}

/// eʳ of |r| ≤ ½ ln 2.
#[inline(always)]
pub(super) fn exp_polynomial<L: Lanes>(lanes: L, r: L::V) -> L::V {
    let one = lanes.splat(1.0);
    let p = lanes.fma(polynomial(lanes, &E, r), r, one);
    lanes.fma(p, r, one)
}

/// eˣ of what is neither above 89 nor below −104.
#[inline(always)]
pub(super) fn exp_within_range<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let (n, half, rest) = round_to_factors(lanes, x, lanes.splat(LOG2_E));
    let p = exp_polynomial(lanes, without_powers_of_two(lanes, x, n));
    lanes.mul(lanes.mul(p, half), rest)
}

/// eˣ. Of NaN it is NaN, of anything above 88.72… +∞, of anything below −103.97… +0.
#[inline(always)]
pub(crate) fn exp_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    // Both keep NaN, which is their second argument.
    let x = lanes.larger(lanes.splat(-104.0), x);
    let x = lanes.smaller(lanes.splat(89.0), x);
    exp_within_range(lanes, x)
}
