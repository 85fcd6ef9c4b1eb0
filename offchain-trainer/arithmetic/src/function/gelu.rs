//! gelu in its tanh form and its derivative.
//!
//! ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) is x ÷ (1 + e⁻ᵘ) with u = 2 √(2/π) (x + 0.044715 x³). For negative x that is about x × e⁻ᵘ,
//! and u reaches 90 before the result vanishes: in single precision alone it would be wrong by many units of the last place. So u
//! is kept in two parts, in units of ln 2, until only its fraction is left; and the quotient is corrected by what its parts lost.

use super::exp::{polynomial, round_to_factors};
use crate::{
    lanes::Lanes,
    reference::function::{GELU_1, GELU_3, GELU_BOUND, GELU_SLOPE, TWO},
};

/// What both are made of, of b = |x|, at most [`GELU_BOUND`].
struct Parts<L: Lanes> {
    b: L::V,
    minus_b: L::V,
    /// b²
    square: L::V,
    /// e⁻ᵘ is (1 + `q`) × `half` × `rest`, two powers of two that come last, so that small results are rounded once.
    q: L::V,
    half: L::V,
    rest: L::V,
    /// `half` × `rest`
    power: L::V,
    /// 1 + e⁻ᵘ
    d: L::V,
}

#[inline(always)]
fn parts<L: Lanes>(lanes: L, x: L::V) -> Parts<L> {
    let a = lanes.from_bits(lanes.iand(lanes.bits(x), lanes.isplat(0x7fff_ffff)));
    // Keeps NaN, which is the second argument.
    let b = lanes.smaller(lanes.splat(GELU_BOUND), a);
    let minus_b = lanes.from_bits(lanes.ior(lanes.bits(b), lanes.isplat(i32::MIN)));
    let square = lanes.mul(b, b);
    let less = lanes.fma(minus_b, b, square);

    // u ÷ ln 2 = b × (w + v)
    let (g1, g3) = (lanes.splat(GELU_1[0]), lanes.splat(GELU_3[0]));
    let w = lanes.fma(g3, square, g1);
    let lost = lanes.fma(g3, square, lanes.sub(g1, w));
    let v = lanes.fma(lanes.splat(GELU_3[1]), square, lanes.splat(GELU_1[1]));
    let v = lanes.add(lost, lanes.fma(lanes.splat(-GELU_3[0]), less, v));

    // −u ÷ ln 2 = n − r
    let (n, half, rest) = round_to_factors(lanes, minus_b, w);
    let r = lanes.fma(b, v, lanes.fma(b, w, n));
    let q = lanes.mul(polynomial(lanes, &TWO, r), r);
    let power = lanes.mul(half, rest);
    let d = lanes.fma(power, q, lanes.add(power, lanes.splat(1.0)));
    Parts {
        b,
        minus_b,
        square,
        q,
        half,
        rest,
        power,
        d,
    }
}

/// gelu(x). Of −∞ it is −0, of 0 and −0 +0.
#[inline(always)]
pub(crate) fn gelu_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let (zero, one, minus_one) = (lanes.splat(0.0), lanes.splat(1.0), lanes.splat(-1.0));
    let Parts {
        b,
        q,
        half,
        rest,
        power,
        d,
        ..
    } = parts(lanes, x);
    let d_lost = lanes.fma(power, q, lanes.sub(power, lanes.sub(d, one)));
    let f = lanes.div(minus_one, d);

    // t is b, or b × (1 + q) where x < 0; y = −t ÷ d, corrected by what was lost.
    let negative = lanes.gt(zero, x);
    let q = lanes.select(negative, q, zero);
    let t = lanes.fma(b, q, b);
    let t_lost = lanes.fma(b, q, lanes.sub(b, t));
    let y = lanes.mul(t, f);
    let lost = lanes.fma(y, d_lost, lanes.add(lanes.fma(y, d, t), t_lost));
    let y = lanes.fma(lost, f, y);

    let y = lanes.mul(y, lanes.select(negative, half, minus_one));
    let y = lanes.mul(y, lanes.select(negative, rest, one));
    lanes.select(lanes.gt(x, lanes.splat(GELU_BOUND)), x, y)
}

/// The derivative of gelu: from −0.13 to 1.13; of −∞ −0, of +∞ 1.
#[inline(always)]
pub(crate) fn gelu_derivative_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let Parts {
        minus_b,
        square,
        q,
        half,
        rest,
        d,
        ..
    } = parts(lanes, x);
    let f = lanes.div(one, d);
    // −u′ b
    let slope = lanes.fma(lanes.splat(GELU_SLOPE[1]), square, lanes.splat(GELU_SLOPE[0]));
    let z = lanes.mul(minus_b, slope);
    // m is that of −b; that of b is 1 − m.
    let k = lanes.mul(f, lanes.fma(z, f, one));
    let m = lanes.mul(lanes.mul(lanes.fma(k, q, k), half), rest);
    lanes.select(lanes.gt(zero, x), m, lanes.sub(one, m))
}
