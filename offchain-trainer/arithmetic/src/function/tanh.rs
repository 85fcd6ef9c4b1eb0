//! tanh x.

use super::exp::{exp_polynomial, polynomial, without_powers_of_two};
use crate::{
    lanes::Lanes,
    reference::function::{LOG2_E, ROUND, TANH, TANH_BOUND},
};

/// tanh x: a polynomial near 0, else 1 − 2 ÷ (e²ᵃ + 1) of a = |x| with the sign of x.
#[inline(always)]
pub(crate) fn tanh_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let (one, two) = (lanes.splat(1.0), lanes.splat(2.0));
    let a = lanes.from_bits(lanes.iand(lanes.bits(x), lanes.isplat(0x7fff_ffff)));
    let square = lanes.mul(a, a);
    let near = lanes.fma(polynomial(lanes, &TANH, square), lanes.mul(square, a), a);

    // Keeps NaN, which is the second argument.
    let b = lanes.smaller(lanes.splat(10.0), a);
    let y = lanes.add(b, b);
    // 127 more, and the lowest bits are the exponent of 2ⁿ. (It is odd, but there are no ties: y × log₂ e is never half of an odd number.)
    let round = lanes.splat(ROUND + 127.0);
    let shifted = lanes.fma(y, lanes.splat(LOG2_E), round);
    let power = lanes.from_bits(lanes.shl::<23>(lanes.bits(shifted)));
    let p = exp_polynomial(lanes, without_powers_of_two(lanes, y, lanes.sub(shifted, round)));
    let far = lanes.sub(one, lanes.div(two, lanes.fma(p, power, one)));

    let t = lanes.select(lanes.gt(lanes.splat(TANH_BOUND), a), near, far);
    let sign = lanes.iand(lanes.bits(x), lanes.isplat(i32::MIN));
    lanes.from_bits(lanes.ior(lanes.bits(t), sign))
}
