//! 1 ÷ (1 + e⁻ˣ).

use super::exp::exp_within_range;
use crate::lanes::Lanes;

/// 1 ÷ (1 + e⁻ˣ), by e⁻ᵃ with a = |x|, which never overflows.
#[inline(always)]
pub(crate) fn sigmoid_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let one = lanes.splat(1.0);
    let minus = lanes.from_bits(lanes.ior(lanes.bits(x), lanes.isplat(i32::MIN)));
    // Keeps NaN, which is the second argument.
    let e = exp_within_range(lanes, lanes.larger(lanes.splat(-104.0), minus));
    let above = lanes.select(lanes.gt(lanes.splat(0.0), x), e, one);
    lanes.div(above, lanes.add(one, e))
}
