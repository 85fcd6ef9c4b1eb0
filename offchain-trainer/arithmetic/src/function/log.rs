//! ln x.

use super::exp::polynomial;
use crate::{
    lanes::Lanes,
    reference::function::{LN, LN_2_HIGH, LN_2_LOW, ROOT_HALF},
};

/// ln x. Of 0 and −0 it is −∞, of less NaN, of +∞ +∞, of NaN NaN.
#[inline(always)]
pub(crate) fn log_lanes<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let zero = lanes.splat(0.0);
    // Numbers below 2⁻¹²⁶ have no exponent of their own.
    let tiny = lanes.gt(lanes.splat(f32::MIN_POSITIVE), x);
    let normal = lanes.select(tiny, lanes.mul(x, lanes.splat(8_388_608.0)), x);
    let less = lanes.select(tiny, lanes.splat(-23.0), zero);

    // normal = 2ⁿ × m, √½ ≤ m < √2; f = m − 1.
    let root_half = lanes.isplat(ROOT_HALF.to_bits() as i32);
    let i = lanes.isub(lanes.bits(normal), root_half);
    let n = lanes.add(lanes.from_int(lanes.shr::<23>(i)), less);
    let mantissa = lanes.iand(i, lanes.isplat(0x007f_ffff));
    let m = lanes.from_bits(lanes.iadd(mantissa, root_half));
    let f = lanes.sub(m, lanes.splat(1.0));

    // What the logarithm has besides n × ln 2 and f, then those two with what their sum loses.
    let s = lanes.mul(f, f);
    let y = lanes.mul(polynomial(lanes, &LN, f), lanes.mul(s, f));
    let y = lanes.fma(n, lanes.splat(LN_2_LOW), y);
    let y = lanes.fma(s, lanes.splat(-0.5), y);
    let b = lanes.mul(n, lanes.splat(LN_2_HIGH));
    let h = lanes.add(b, f);
    let l = lanes.add(lanes.sub(b, h), f);
    let y = lanes.add(h, lanes.add(l, y));

    let y = lanes.select(lanes.gt(lanes.splat(f32::INFINITY), x), y, x);
    let y = lanes.select(lanes.le(x, zero), lanes.splat(f32::NEG_INFINITY), y);
    lanes.select(lanes.gt(zero, x), lanes.splat(f32::NAN), y)
}
