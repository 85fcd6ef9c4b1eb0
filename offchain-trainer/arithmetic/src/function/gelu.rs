//! gelu in its tanh form and its derivative.
//!
//! ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) is x ÷ (1 + e⁻ᵘ) with u = 2 √(2/π) (x + 0.044715 x³). For negative x that is about x × e⁻ᵘ,
//! and u reaches 90 before the result vanishes: in single precision alone it would be wrong by many units of the last place. So u
//! is kept in two parts, in units of ln 2, until only its fraction is left.

use super::exp::{polynomial, round_to_factors};
use crate::{
    lanes::Lanes,
    reference::function::{GELU_1, GELU_3, GELU_BOUND, GELU_SLOPE, TWO},
};

/// What both are made of.
struct Parts<L: Lanes> {
    /// |x|
    a: L::V,
    /// |x|, at most [`GELU_BOUND`].
    b: L::V,
    /// b²
    square: L::V,
    /// e⁻ᵘ of b is `e` × `rest`; `e` is far from the smallest numbers, so nothing is lost until `rest`, a power of two, comes last.
    e: L::V,
    rest: L::V,
}

#[inline(always)]
fn parts<L: Lanes>(lanes: L, x: L::V) -> Parts<L> {
    let a = lanes.from_bits(lanes.iand(lanes.bits(x), lanes.isplat(0x7fff_ffff)));
    // Keeps NaN, which is the second argument.
    let b = lanes.smaller(lanes.splat(GELU_BOUND), a);
    let square = lanes.mul(b, b);
    let zero = lanes.splat(0.0);
    let square_low = lanes.fma(b, b, lanes.sub(zero, square));

    // −u log₂ e = b × (w + w_low)
    let (g1, g1_low) = (lanes.splat(GELU_1[0]), lanes.splat(GELU_1[1]));
    let (g3, g3_low) = (lanes.splat(GELU_3[0]), lanes.splat(GELU_3[1]));
    let w = lanes.fma(g3, square, g1);
    let lost = lanes.fma(g3, square, lanes.sub(g1, w));
    let low = lanes.fma(g3, square_low, lanes.fma(g3_low, square, g1_low));
    let w_low = lanes.add(lost, low);

    let (n, half, rest) = round_to_factors(lanes, b, w);
    let r = lanes.fma(b, w_low, lanes.fma(b, w, lanes.sub(zero, n)));
    let p = lanes.fma(polynomial(lanes, &TWO, r), r, lanes.splat(1.0));
    Parts {
        a,
        b,
        square,
        e: lanes.mul(p, half),
        rest,
    }
}

/// gelu(x), with the sign of x; of −∞ it is −0.
#[inline(always)]
pub(crate) fn gelu_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let one = lanes.splat(1.0);
    let Parts { a, b, e, rest, .. } = parts(lanes, x);
    let negative = lanes.gt(lanes.splat(0.0), x);
    let above = lanes.select(negative, lanes.mul(b, e), a);
    let last = lanes.select(negative, rest, one);
    let y = lanes.div(above, lanes.fma(e, rest, one));
    let y = lanes.mul(y, last);
    let sign = lanes.iand(lanes.bits(x), lanes.isplat(i32::MIN));
    lanes.from_bits(lanes.ior(lanes.bits(y), sign))
}

/// The derivative of gelu: from −0.13 to 1.13; of −∞ −0, of +∞ 1.
#[inline(always)]
pub(crate) fn gelu_derivative_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let Parts {
        b, square, e, rest, ..
    } = parts(lanes, x);
    let d = lanes.div(one, lanes.fma(e, rest, one));
    // u′ b
    let slope = lanes.fma(lanes.splat(GELU_SLOPE[1]), square, lanes.splat(GELU_SLOPE[0]));
    let z = lanes.mul(b, slope);
    // That of −b, and that of b: together they are 1.
    let m = lanes.fma(lanes.sub(zero, z), d, one);
    let m = lanes.mul(lanes.mul(lanes.mul(e, d), m), rest);
    lanes.select(lanes.gt(zero, x), m, lanes.sub(one, m))
}
