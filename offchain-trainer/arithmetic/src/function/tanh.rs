//! tanh x.

use super::exp::{polynomial, without_powers_of_two};
use crate::{
    lanes::Lanes,
    reference::function::{E, LOG2_E, ROUND},
};

/// tanh x, by z = e²ˣ − 1 of |x|: z ÷ (z + 2), with the sign of x.
#[inline(always)]
pub(crate) fn tanh_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let a = lanes.from_bits(lanes.iand(lanes.bits(x), lanes.isplat(0x7fff_ffff)));
    // Keeps NaN, which is the second argument.
    let a = lanes.smaller(lanes.splat(10.0), a);
    let y = lanes.add(a, a);

    // 127 more, and the lowest bits are the exponent of 2ⁿ. (It is odd, but there are no ties: y × log₂ e is never half of an odd number.)
    let round = lanes.splat(ROUND + 127.0);
    let shifted = lanes.fma(y, lanes.splat(LOG2_E), round);
    let s = lanes.from_bits(lanes.shl::<23>(lanes.bits(shifted)));
    let r = without_powers_of_two(lanes, y, lanes.sub(shifted, round));
    let q = lanes.fma(lanes.mul(r, r), polynomial(lanes, &E, r), r);
    let z = lanes.fma(s, q, lanes.sub(s, lanes.splat(1.0)));

    let t = lanes.div(z, lanes.add(z, lanes.splat(2.0)));
    let sign = lanes.iand(lanes.bits(x), lanes.isplat(i32::MIN));
    lanes.from_bits(lanes.ior(lanes.bits(t), sign))
}
