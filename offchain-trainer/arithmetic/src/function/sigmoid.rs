//! 1 ÷ (1 + e⁻ˣ).

use super::exp::exp_within_range;
use crate::lanes::Lanes;

/// 1 ÷ (1 + e⁻ˣ), by e = e⁻ᵃ with a = |x|, which never overflows. With q = e ÷ (1 + e) it is 1 − q, and e − e × q for negative x: so
/// what 1 + e loses weighs little.
#[inline(always)]
pub(crate) fn sigmoid_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let minus = lanes.from_bits(lanes.ior(lanes.bits(x), lanes.isplat(i32::MIN)));
    // Keeps NaN, which is the second argument.
    let e = exp_within_range(lanes, lanes.larger(lanes.splat(-104.0), minus));
    let minus_q = lanes.div(e, lanes.sub(lanes.splat(-1.0), e));
    let whole = lanes.select(lanes.gt(lanes.splat(0.0), x), e, lanes.splat(1.0));
    lanes.fma(whole, minus_q, whole)
}
